//! `/wechat/notify/native`: WeChat's callback about a scanned product code (Native mode 1, 模式一). It is
//! the address that a merchant enters in WeChat's portal as 扫码回调链接. The answer is XML.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use merchant_core::orders::product_codes::{ScanAnswer, answer_scan};
use merchant_core::{Merchants, Payments};
use wechat_pay::v2::failure_body;

use crate::extract::{PathText, note_merchant};

pub(super) const PATH: &str = "/wechat/notify/native";

/// The address of one merchant of several.
pub(super) const MERCHANT_PATH: &str = "/wechat/notify/{mchid}/native";

/// `POST /wechat/notify/native`: of the only merchant, or of the first one.
pub(crate) async fn answer(
    State(merchants): State<Merchants>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    answer_of(merchants.first(), body).await
}

/// `POST /wechat/notify/{mchid}/native`
pub(crate) async fn answer_merchant(
    State(merchants): State<Merchants>,
    PathText(mchid): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match merchants.of_mchid(&mchid) {
        Some(payments) => answer_of(payments, body).await,
        None => xml(StatusCode::NOT_FOUND, failure_body("no such merchant")),
    }
}

async fn answer_of(payments: &Payments, body: Result<Bytes, BytesRejection>) -> Response {
    note_merchant(payments);
    let Ok(body) = body else {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return xml(status, failure_body("the body is incomplete"));
    };
    match answer_scan(payments, &body).await {
        ScanAnswer::Signed(message) => xml(StatusCode::OK, message),
        ScanAnswer::NotBelieved => xml(StatusCode::BAD_REQUEST, failure_body("not understood")),
        ScanAnswer::NotSigned => xml(
            StatusCode::INTERNAL_SERVER_ERROR,
            failure_body("temporarily unavailable"),
        ),
    }
}

fn xml(status: StatusCode, body: Bytes) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/xml; charset=utf-8")];
    (status, kind, body).into_response()
}
