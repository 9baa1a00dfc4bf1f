//! `/wechat/notify`: WeChat's notifications. 204 means "recorded", and no other answer does (in
//! version 2: `SUCCESS` in the body). If anything goes wrong, the answer makes WeChat send the
//! notification again.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use merchant_core::notifications::{
    Received, ReceivedV2, receive, receive_v2_payment, receive_v2_refund,
};
use merchant_core::{Merchants, Payments};
use wechat_pay::{failure_body, v2};

use crate::extract::{PathText, note_merchant};

/// `POST /wechat/notify/payment`, in either version: of the only merchant, or of the first one.
pub(crate) async fn payment(
    State(merchants): State<Merchants>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    payment_to(merchants.first(), &headers, body).await
}

/// `POST /wechat/notify/refund`, in either version. Refunds of version 3 without a `notify_url`,
/// such as those of WeChat's portal, are reported in the form of version 2.
pub(crate) async fn refund(
    State(merchants): State<Merchants>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    refund_to(merchants.first(), &headers, body).await
}

/// `POST /wechat/notify/{mchid}/payment`
pub(crate) async fn payment_of(
    State(merchants): State<Merchants>,
    PathText(mchid): PathText,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match merchants.of_mchid(&mchid) {
        Some(payments) => payment_to(payments, &headers, body).await,
        None => nobodys(),
    }
}

/// `POST /wechat/notify/{mchid}/refund`
pub(crate) async fn refund_of(
    State(merchants): State<Merchants>,
    PathText(mchid): PathText,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match merchants.of_mchid(&mchid) {
        Some(payments) => refund_to(payments, &headers, body).await,
        None => nobodys(),
    }
}

async fn payment_to(
    payments: &Payments,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let in_version_2 = |body: Bytes| async move { receive_v2_payment(payments, &body).await };
    notified(payments, headers, body, in_version_2).await
}

async fn refund_to(
    payments: &Payments,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let in_version_2 = |body: Bytes| async move { receive_v2_refund(payments, &body).await };
    notified(payments, headers, body, in_version_2).await
}

/// Receives a notification in either version.
async fn notified<F: Future<Output = ReceivedV2>>(
    payments: &Payments,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    in_version_2: impl FnOnce(Bytes) -> F,
) -> Response {
    note_merchant(payments);
    match body {
        Ok(body) if is_version_2(payments, headers, &body) => in_xml(in_version_2(body).await),
        Ok(body) => signed(payments, headers, &body).await,
        Err(_) => incomplete(payments),
    }
}

/// The address of a merchant that is not configured (any more): WeChat repeats the notification.
fn nobodys() -> Response {
    tracing::warn!(
        event = "notification.nobodys",
        "a notification came to the address of a merchant that is not configured"
    );
    failure(StatusCode::NOT_FOUND, "no such merchant")
}

/// Version 3 has a signature in the headers, and version 2 is XML. Anything else is refused in the
/// form of the version that the merchant has.
fn is_version_2(payments: &Payments, headers: &HeaderMap, body: &[u8]) -> bool {
    if headers.contains_key("wechatpay-signature") {
        return false;
    }
    v2::is_xml(body) || payments.config().merchant.has_only_version_2() && !is_json(body)
}

/// Whether a body is one of version 3.
fn is_json(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

fn incomplete(payments: &Payments) -> Response {
    const MESSAGE: &str = "the body is incomplete";
    tracing::warn!(
        event = "notification.refused",
        "the body of a notification is incomplete or too long"
    );
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    if payments.config().merchant.has_only_version_2() {
        xml(status, v2::failure_body(MESSAGE))
    } else {
        failure(status, MESSAGE)
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
        Received::NoKey => failure(StatusCode::INTERNAL_SERVER_ERROR, "no key"),
        Received::Refused(error) => failure(error.status(), &error.to_string()),
        Received::OtherMerchants => failure(StatusCode::FORBIDDEN, "of another merchant"),
    }
}

/// The answer in version 2.
fn in_xml(received: ReceivedV2) -> Response {
    let (status, message) = match received {
        ReceivedV2::Recorded => return xml(StatusCode::OK, v2::success_body()),
        ReceivedV2::NotRecorded => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "temporarily unavailable, retry",
        ),
        ReceivedV2::NoKey => (StatusCode::INTERNAL_SERVER_ERROR, "no key"),
        ReceivedV2::Refused => (StatusCode::BAD_REQUEST, "not understood"),
    };
    xml(status, v2::failure_body(message))
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
