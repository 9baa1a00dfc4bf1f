//! `/wechat/notify`: WeChat's notifications. 204 means "recorded", and no other answer does (in
//! version 2: `SUCCESS` in the body). If anything goes wrong, the answer makes WeChat send the
//! notification again.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use merchant_core::Payments;
use merchant_core::notifications::{Received, ReceivedV2, receive, receive_v2};
use wechat_pay::{failure_body, v2};

/// `POST /wechat/notify/payment`
pub(crate) async fn payment(
    State(payments): State<Payments>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match body {
        Ok(body) => signed(&payments, &headers, &body).await,
        Err(_) => failure(StatusCode::PAYLOAD_TOO_LARGE, "the body is incomplete"),
    }
}

/// `POST /wechat/notify/refund`. Refunds without a `notify_url`, such as those of WeChat's portal,
/// are reported in the form of version 2.
pub(crate) async fn refund(
    State(payments): State<Payments>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match body {
        Ok(body) if v2::is_xml(&body) => unsigned(&payments, &body).await,
        Ok(body) => signed(&payments, &headers, &body).await,
        Err(_) => failure(StatusCode::PAYLOAD_TOO_LARGE, "the body is incomplete"),
    }
}

/// Receives a notification of version 3, of a payment or of a refund.
async fn signed(payments: &Payments, headers: &HeaderMap, body: &Bytes) -> Response {
    match receive(payments, headers, body).await {
        Received::Recorded => StatusCode::NO_CONTENT.into_response(),
        Received::NotRecorded => failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            "temporarily unavailable, retry",
        ),
        Received::Refused(error) => failure(error.status(), &error.to_string()),
    }
}

/// Receives a notification of version 2.
async fn unsigned(payments: &Payments, body: &[u8]) -> Response {
    match receive_v2(payments, body).await {
        ReceivedV2::Recorded => xml(StatusCode::OK, v2::success_body()),
        ReceivedV2::NotRecorded => xml(
            StatusCode::INTERNAL_SERVER_ERROR,
            v2::failure_body("temporarily unavailable, retry"),
        ),
        ReceivedV2::NoKey => xml(
            StatusCode::INTERNAL_SERVER_ERROR,
            v2::failure_body("no key"),
        ),
        ReceivedV2::Refused => xml(StatusCode::BAD_REQUEST, v2::failure_body("not understood")),
    }
}

fn failure(status: StatusCode, message: &str) -> Response {
    let json = HeaderValue::from_static("application/json");
    (
        status,
        [(header::CONTENT_TYPE, json)],
        failure_body(message),
    )
        .into_response()
}

fn xml(status: StatusCode, body: Bytes) -> Response {
    let kind = HeaderValue::from_static("text/xml; charset=utf-8");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}
