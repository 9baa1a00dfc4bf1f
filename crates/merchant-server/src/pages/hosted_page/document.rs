//! The common parts of every page for buyers: the head, the card, the TEST ribbon, and the headers
//! that say what the page may do. No page has inline script. A page's only inline style is the whole
//! style sheet, whose hash the policy names.

use axum::response::{IntoResponse, Response};
use buyer_words::Words;
use http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use merchant_core::Payments;

use super::assets::{SCRIPT_PATH, STYLE, STYLE_PATH, STYLE_SOURCE};
use crate::extract::Language;

/// Who may show a page in a frame.
const NOBODY: &str = "'none'";
pub(super) const OURSELVES: &str = "'self'";

/// Where a page has its style from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// A file that the browser keeps, for pages that are loaded again and again.
    Linked,
    /// The page itself, for a first picture without a second request.
    Inline,
}

/// A whole document; `head` is added to the common head.
pub(crate) fn document(language: Language, head: &Markup, body: &Markup) -> Markup {
    document_of(language, None, head, body)
}

/// The same about an order, with the name of who is paid in its title.
pub(crate) fn document_of(
    language: Language,
    payee: Option<&str>,
    head: &Markup,
    body: &Markup,
) -> Markup {
    html! { (opening(language, Style::Linked, payee, head)) (closing(body)) }
}

/// A document from its beginning to the end of its head, which can be sent before the body is known.
pub(super) fn opening(
    language: Language,
    style: Style,
    payee: Option<&str>,
    head: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        (PreEscaped(format!("<html lang=\"{}\">", language.tag())))
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="robots" content="noindex";
            title {
                @if let Some(payee) = payee { (payee) " · " }
                (language.say(buyer_words::BRAND))
            }
            // The page has no icon; without this line the browser would request an icon.
            link rel="icon" href="data:,";
            @match style {
                Style::Linked => link rel="stylesheet" href=(STYLE_PATH);,
                Style::Inline => style { (PreEscaped(STYLE)) },
            }
            (head)
        }
    }
}

/// The rest of a document.
pub(super) fn closing(body: &Markup) -> Markup {
    html! { body { (body) } (PreEscaped("</html>")) }
}

/// The page's own script, for a document's head.
pub(super) fn own_script() -> Markup {
    html! { script src=(SCRIPT_PATH) defer {} }
}

/// The card in the middle of a page. It looks like the element's.
pub(crate) fn card(language: Language, is_test: bool, content: &Markup) -> Markup {
    html! {
        div .card {
            @if is_test { p .ribbon { (language.say(buyer_words::TEST_RIBBON)) } }
            (content)
        }
    }
}

/// What a checkout page may load and where it may go. `form-action` names the hosts of redirects
/// after a form, because browsers treat such a redirect as part of the form's action.
pub(super) fn checkout_policy(payments: &Payments) -> String {
    let gateway = &payments.config().gateway;
    let beyond = if gateway.is_live() {
        "https://wx.tenpay.com https://open.weixin.qq.com".to_owned()
    } else {
        let authorize = gateway.authorize_url.origin().ascii_serialization();
        format!("https://wx.tenpay.com {} {authorize}", gateway.origin)
    };
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
         style-src 'self' {}; img-src 'self' data:; connect-src 'self'; frame-src 'self'; \
         base-uri 'none'; form-action 'self' {beyond}; frame-ancestors {NOBODY}",
        *STYLE_SOURCE
    )
}

/// The policy of a page of text: what it may load, and who may frame it.
pub(super) fn words_policy(framed_by: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors {framed_by}"
    )
}

/// A page of text only.
pub(crate) fn plain(status: StatusCode, language: Language, words: Words) -> Response {
    plain_with_way(status, language, words, None)
}

/// The same page with a link back to the shop, if the link is known.
pub(crate) fn plain_with_way(
    status: StatusCode,
    language: Language,
    said: Words,
    shop: Option<&str>,
) -> Response {
    let content = html! {
        h1 .title { (language.say(said)) }
        @if let Some(shop) = shop {
            p { a .button href=(shop) { (language.say(buyer_words::BACK_TO_SHOP)) } }
        }
    };
    let content = html! { main { (card(language, false, &content)) } };
    let markup = document(language, &html! {}, &content);
    secured(status, &markup, &words_policy(NOBODY))
}

/// A page with its headers.
pub(crate) fn secured(status: StatusCode, markup: &Markup, policy: &str) -> Response {
    with_headers((status, markup.clone()).into_response(), policy)
}

/// The headers of a page, on a page that may still be unfinished.
pub(super) fn with_headers(mut response: Response, policy: &str) -> Response {
    if let Ok(policy) = HeaderValue::from_str(policy) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    secure(&mut response);
    response
}

/// The headers that every answer of these routes carries, redirects included.
pub(crate) fn secure(response: &mut Response) {
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "accept-language"),
        // WeChat compares the Referer of an H5 payment; no-referrer breaks it.
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
}
