//! One log line for each call. Tokens are masked; addresses are logged as their route.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use merchant_core::config::masked;
use tracing::Instrument as _;

use super::{REQUEST_ID, RequestIds, token_of};
use crate::extract::{API_KEY_FIELD, MERCHANT_FIELD};
use crate::metrics::Calls;

/// One line for each call, with the route and a masked token in place of the address.
pub(crate) async fn log(
    State(calls): State<Arc<Calls>>,
    State(request_ids): State<Arc<RequestIds>>,
    request: Request,
    next: Next,
) -> Response {
    let request_id = request_ids.of(request.headers());
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", MatchedPath::as_str)
        .to_owned();
    let token = token_of(request.uri().path()).filter(|_| route.contains("{token}"));
    let token = token.as_deref().map(masked).unwrap_or_default();
    let span = tracing::info_span!(
        "call",
        %method,
        route,
        token,
        request_id,
        // Recorded once the key is known.
        { API_KEY_FIELD } = tracing::field::Empty,
        { MERCHANT_FIELD } = tracing::field::Empty,
    );
    async move {
        let mut response = next.run(request).await;
        let status = response.status().as_u16();
        calls.count(&route, method.as_str(), status);
        if let Ok(request_id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert(REQUEST_ID, request_id);
        }
        tracing::debug!(status, "answered");
        response
    }
    .instrument(span)
    .await
}
