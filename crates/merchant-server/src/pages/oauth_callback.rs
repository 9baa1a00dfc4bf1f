//! WeChat sends a buyer back to this address after the redirect for the openid. The core checks the
//! code and the state. This module only redirects, or shows the page that says that the step is
//! over.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use merchant_core::{Merchants, Refusal, attempts};
use url::{Url, form_urlencoded};

use super::hosted_page;
use crate::error::Failure;
use crate::extract::{Language, note_merchant};

/// `GET /wechat/oauth/callback?code&state`
pub(crate) async fn callback(
    State(merchants): State<Merchants>,
    language: Language,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let value = |parameter: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == parameter)
            .map(|(_, value)| value.into_owned())
    };
    let state = value("state").unwrap_or_default();
    let code = value("code").filter(|code| !code.is_empty());
    let payments = merchants.of_oauth_state(&state).await?;
    note_merchant(payments);
    match attempts::after_redirect(payments, state, code).await? {
        Some(to) => redirect(&to),
        None => {
            let shop = payments.config().only_shop();
            let words = buyer_words::STEP_OVER;
            let status = StatusCode::BAD_REQUEST;
            Ok(hosted_page::plain_with_way(status, language, words, shop))
        }
    }
}

fn redirect(to: &Url) -> Result<Response, Failure> {
    let to =
        HeaderValue::from_str(to.as_str()).map_err(|error| Refusal::Internal(error.to_string()))?;
    let headers = [
        (header::LOCATION, to),
        // The next page must not see the code and the state in the referrer.
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((StatusCode::FOUND, headers).into_response())
}
