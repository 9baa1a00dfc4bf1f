//! Health checks: whether the process is alive, and whether it should get new calls.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use merchant_core::{Merchants, Payments};

/// `GET /healthz`: whether the process is alive. A restart would not help a server that cannot
/// write.
pub(crate) async fn health(State(merchants): State<Merchants>) -> Response {
    if merchants.first().is_readable().await {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer\n",
        )
            .into_response()
    }
}

/// `GET /readyz`: whether the server can serve calls. It can if a write to the database works.
///
/// One merchant whose answers cannot be verified yet does not keep the others from being served.
pub(crate) async fn ready(State(merchants): State<Merchants>) -> Response {
    let payments = merchants.first();
    if payments.is_ending() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server is ending\n").into_response();
    }
    if !merchants.each().any(Payments::can_verify) {
        let reason = "no platform certificate of WeChat's has come yet\n";
        return (StatusCode::SERVICE_UNAVAILABLE, reason).into_response();
    }
    if !payments.can_write().await {
        let reason = "the database takes no writes\n";
        return (StatusCode::SERVICE_UNAVAILABLE, reason).into_response();
    }
    (StatusCode::OK, "ok\n").into_response()
}
