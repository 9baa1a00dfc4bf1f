//! The page that a buyer sees if a page's route fails, in place of the JSON error.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header;
use merchant_api::ErrorCode;

use super::{document, refusals};
use crate::error::{Enveloped, status_of};
use crate::extract::Language;

/// Turns each JSON error into a page of the same status, with the strict headers of a page. It
/// wraps the rate limits too, whose refusals are JSON errors.
pub(crate) async fn as_page(request: Request, next: Next) -> Response {
    let language = Language::of(request.headers());
    let response = next.run(request).await;
    let Some(Enveloped(code)) = response.extensions().get::<Enveloped>().copied() else {
        return response;
    };
    let code = code.unwrap_or(ErrorCode::Internal);
    let mut page = failure(language, code);
    if let Some(seconds) = response.headers().get(header::RETRY_AFTER) {
        page.headers_mut()
            .insert(header::RETRY_AFTER, seconds.clone());
    }
    page
}

/// The page that says what a code means to a buyer.
pub(crate) fn failure(language: Language, code: ErrorCode) -> Response {
    document::plain(status_of(code), language, refusals::sentence(code))
}
