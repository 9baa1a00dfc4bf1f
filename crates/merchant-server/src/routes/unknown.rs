//! Answers for unknown routes: the contract's JSON error, and under `/c/` and `/p/` a page for buyers. Caches
//! must not store them, because a later version may have the route. Every page may read them, so
//! that a wrong `merchant-api` does not look like a server that is down.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use merchant_api::ErrorCode;

use crate::error::Failure;
use crate::extract::Language;
use crate::middleware::cross_origin;
use crate::pages::hosted_page;

/// Answers a call to an address that no route has.
pub(crate) async fn unknown(request: Request) -> Response {
    if is_below(&request, "/p") {
        return page(&request, ErrorCode::LinkUnknown);
    }
    if is_below(&request, "/c") {
        return page(&request, ErrorCode::CheckoutUnknown);
    }
    refused(ErrorCode::RouteUnknown, "no route has this address")
}

/// Answers a call to a part of the API that this server was set up without.
pub(crate) fn without(message: &str) -> Response {
    refused(ErrorCode::RouteUnknown, message)
}

/// Answers a call with a method that the route does not accept; `Allow` names the accepted methods.
pub(crate) async fn other_method(request: Request) -> Response {
    if is_below(&request, "/c") || is_below(&request, "/p") {
        return page(&request, ErrorCode::MethodNotAllowed);
    }
    let message = "this route does not take this method";
    refused(ErrorCode::MethodNotAllowed, message)
}

fn page(request: &Request, code: ErrorCode) -> Response {
    let page = hosted_page::failure(Language::of(request.headers()), code);
    cross_origin::readable_by_all(page)
}

/// Whether a page of buyers has this address, or could have it.
fn is_below(request: &Request, folder: &str) -> bool {
    let rest = request.uri().path().strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn refused(code: ErrorCode, message: &str) -> Response {
    let mut response = Failure::new(code, message).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    cross_origin::readable_by_all(response)
}
