//! `/c/{token}/status`: the small frame in which a page without script checks the status again.
//!
//! The page itself never reloads. With a reload every few seconds, a screen reader loses its place,
//! a keyboard loses its focus, and every reader loses the scroll position (WCAG 2.2.1 counts such
//! reloads as a failure). So only this frame reloads; it has one sentence and nothing to focus.
//! Once the status has changed, the frame stops and shows a link: the buyer decides when to follow
//! it.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use maud::{Markup, html};
use merchant_api::{CheckoutAnswer, OrderState};
use merchant_core::{Merchants, checkouts};
use url::form_urlencoded;

use super::document::{OURSELVES, document, secured, words_policy};
use crate::error::Failure;
use crate::extract::{Language, PathText, merchant_of_token};

/// How often the frame reloads, in seconds.
const REFRESH_S: u32 = 5;
/// The parameter that says which version of the order the page shows.
const SEEN_PARAMETER: &str = "seen";

/// The frame, for a page that shows this version of the order.
pub(super) fn frame(token: &str, version: u64, language: Language) -> Markup {
    html! {
        iframe .status title=(language.say(buyer_words::STATUS))
            src={ "/c/" (token) "/status?" (SEEN_PARAMETER) "=" (version) } {}
    }
}

/// `GET /c/{token}/status?seen=VERSION`
pub(crate) async fn status(
    State(merchants): State<Merchants>,
    language: Language,
    PathText(token): PathText,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let payments = merchant_of_token(&merchants, &token).await?;
    let (_, answer) = checkouts::show(&payments, &token).await?;
    let is_news = answer.state != OrderState::Open
        || answer.remaining_ms == Some(0)
        || answer.version != seen(&query.unwrap_or_default());
    let head = html! {
        @if !is_news { meta http-equiv="refresh" content=(REFRESH_S); }
    };
    let body = if is_news {
        news(&token, &answer, language)
    } else {
        html! { p .waiting { (language.say(buyer_words::WAITING)) } }
    };
    let markup = document(language, &head, &html! { div .status { (body) } });
    let mut response = secured(StatusCode::OK, &markup, &words_policy(OURSELVES));
    response.headers_mut().insert(
        header::X_FRAME_OPTIONS,
        HeaderValue::from_static("SAMEORIGIN"),
    );
    Ok(response)
}

fn news(token: &str, answer: &CheckoutAnswer, language: Language) -> Markup {
    let is_paid = answer.state == OrderState::Paid;
    let words = if is_paid {
        buyer_words::PAID
    } else {
        buyer_words::STATUS_CHANGED
    };
    html! {
        p .title { (language.say(words)) }
        a .button href={ "/c/" (token) } target="_top" { (language.say(buyer_words::SHOW_STATUS)) }
    }
}

fn seen(query: &str) -> Option<u64> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == SEEN_PARAMETER)
        .and_then(|(_, version)| version.parse().ok())
}
