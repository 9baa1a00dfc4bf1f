//! The page that says why something was refused, and that nothing else happened.

use axum::response::{IntoResponse, Response};
use buyer_words::Words;
use http::{HeaderValue, StatusCode, header};
use maud::html;
use merchant_api::{ApiError, ErrorCode};
use merchant_core::Refusal;

use super::address::DESK;
use super::document::{Frame, bare};
use super::view::View;
use super::words;
use crate::error::status_of;

/// A refusal of the desk itself.
pub(super) fn problem(view: &View, status: StatusCode, reason: Words) -> Response {
    tracing::info!(reason = reason.en, "refused at the desk");
    page(view, status, reason, None)
}

/// A refusal of a call: its meaning in the reader's language, and its own words.
pub(super) fn refused(view: &View, refusal: Refusal) -> Response {
    refusal.log();
    let error = refusal.api_error();
    let code = error.code.unwrap_or(ErrorCode::Internal);
    let mut response = page(view, status_of(code), words::refusal(code), Some(&error));
    if let Some(wait_ms) = error.retry_after_ms {
        let seconds = HeaderValue::from(wait_ms.div_ceil(1000));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn page(view: &View, status: StatusCode, reason: Words, error: Option<&ApiError>) -> Response {
    let say = |sentence| view.language.say(sentence);
    let content = html! {
        div .card .narrow {
            h1 { (say(words::REFUSED)) }
            p role="alert" { (say(reason)) }
            @if let Some(error) = error {
                p .quiet { code { (error.code.map_or("", ErrorCode::as_str)) } " " (error.message) }
                @if let Some(code) = &error.wechat_code { p .quiet { "WeChat: " code { (code) } } }
            }
            p { a .button .lesser href=(DESK) { (say(words::TO_DESK)) } }
        }
    };
    let frame = Frame::new(say(words::REFUSED), "");
    (status, bare(view, &frame, &content)).into_response()
}
