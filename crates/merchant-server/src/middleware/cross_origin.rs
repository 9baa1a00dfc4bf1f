//! Which pages may read which answers (CORS). There are two kinds of answers:
//!
//! - Every page can read answers without data of an order: the element's files, an address that no
//!   route has, a method that a route does not take. Without that, an engineer's browser reports
//!   a wrong `merchant-api` as "no connection", as it reports a server that is off.
//! - Pages of `allowed_origins` can read what the contract's routes say of an order, whatever the
//!   status. A page of another origin gets `403 ORIGIN_NOT_ALLOWED`, which it can read. The browser
//!   would hide any other answer from that page.
//!
//! No answer allows credentials: the token is the authorisation. Answers of the private API have no
//! such headers, because its keys do not belong in a page.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use merchant_api::ErrorCode;
use merchant_core::Merchants;
use merchant_core::config::Config;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use crate::error::Failure;

/// The header in which the browser describes the calling page (`Sec-Fetch-Site`). Old browsers do
/// not send it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// How many characters of an unlisted origin are repeated: a client can send any text as its
/// origin.
const ORIGIN_SHOWN_MAX: usize = 200;

/// Lets pages of the allowed origins read the contract's answers.
pub(crate) fn of_allowed_origins(config: &Config) -> CorsLayer {
    let origins = config
        .allowed_origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER])
        .max_age(std::time::Duration::from_hours(1))
}

/// Lets every page load the element's files. The answer is the same for each origin, so it does not vary by
/// origin, and a shared cache keeps one of it.
pub(crate) fn of_all() -> CorsLayer {
    CorsLayer::new().allow_origin(Any).vary([])
}

/// Lets every page read this answer: it has no data of an order.
pub(crate) fn readable_by_all(mut response: Response) -> Response {
    let anybody = HeaderValue::from_static("*");
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    response
}

/// Refuses a GET of a page whose origin is not allowed, with an answer that the page can read. Its
/// browser would hide every other answer.
///
/// Only a GET is refused, because the element starts with a GET, and browsers send `Origin` with a
/// GET only across origins. Browsers always send `Origin` with a POST, also if a proxy of the shop
/// serves this API under the shop's own origin, where no list is needed.
pub(crate) async fn refuse_other_origins(
    State(merchants): State<Merchants>,
    request: Request,
    next: Next,
) -> Response {
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let unlisted = is_reading
        .then(|| unlisted_origin(request.headers(), merchants.first().config()))
        .flatten();
    let Some(origin) = unlisted else {
        return next.run(request).await;
    };
    let message = format!("the page's origin {origin} is not in allowed_origins");
    let refused = Failure::new(ErrorCode::OriginNotAllowed, message).into_response();
    let mut refused = readable_by_all(refused);
    let by_origin = HeaderValue::from_static("origin");
    refused.headers_mut().insert(header::VARY, by_origin);
    refused
}

/// The origin of the page that calls, if it is neither allowed nor the server's own.
fn unlisted_origin(headers: &HeaderMap, config: &Config) -> Option<String> {
    let origin = String::from_utf8_lossy(headers.get(header::ORIGIN)?.as_bytes());
    let is_listed = config
        .allowed_origins
        .iter()
        .any(|listed| *listed == origin);
    if is_listed || is_own(headers, &origin, config) {
        return None;
    }
    Some(origin.chars().take(ORIGIN_SHOWN_MAX).collect())
}

/// Whether the page comes from this server's origin, by the browser's header or by the addresses.
fn is_own(headers: &HeaderMap, origin: &str, config: &Config) -> bool {
    let says = |name: HeaderName, text: &str| headers.get(name).is_some_and(|value| value == text);
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    says(SEC_FETCH_SITE, "same-origin")
        || (!host.is_empty() && says(header::HOST, host))
        || config.public_base_url.origin().ascii_serialization() == origin
}

/// Whether a page of this server sent a form, as far as the browser says. Old browsers may say nothing.
pub(crate) fn is_from_own_page(headers: &HeaderMap, config: &Config) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    match headers.get(header::ORIGIN) {
        None => true,
        Some(origin) => {
            let origin = String::from_utf8_lossy(origin.as_bytes());
            is_own(headers, &origin, config)
        }
    }
}
