//! Answers of the gateway: bodies, headers, and WeChat's signature, if the answer is signed.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use crate::faults::Documented;
use crate::simulator::{Signing, Simulator};

/// A success.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// 200 with JSON.
    Json(Value),
    /// 204 without a body; signed, and with the `Content-Type` of all other answers.
    Nothing,
    /// A file, which is not signed.
    File { bytes: Vec<u8>, gzip: bool },
    /// 202 without a body: accepted and not executed.
    Accepted,
}

/// A refusal with WeChat's code and message. The order of its fields in JSON is WeChat's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Refusal {
    #[serde(skip)]
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<Value>,
    pub(super) message: String,
    /// WeChat's inner number, which ends the `Request-ID`.
    #[serde(skip)]
    pub(super) inner_number: u32,
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
        inner_number: u32,
    ) -> Self {
        Self {
            status,
            code,
            detail: None,
            message: message.into(),
            inner_number,
        }
    }

    /// 400 `PARAM_ERROR` with WeChat's `detail`.
    pub(super) fn parameter(
        message: impl Into<String>,
        location: Option<&'static str>,
        value: Value,
    ) -> Self {
        let mut refusal = Self::new(
            StatusCode::BAD_REQUEST,
            "PARAM_ERROR",
            message,
            BAD_PARAMETER,
        );
        let detail = [
            ("location".to_owned(), Value::from(location)),
            ("value".to_owned(), value),
        ];
        refusal.detail = Some(Value::Object(detail.into_iter().collect()));
        refusal
    }

    /// A refusal that a fault names. Most inner numbers are not published.
    pub(super) fn documented(refusal: Documented) -> Self {
        let status = StatusCode::from_u16(refusal.status);
        Self::new(
            status.unwrap_or(StatusCode::BAD_REQUEST),
            refusal.code,
            refusal.message,
            BAD_PARAMETER,
        )
    }

    /// 401 `SIGN_ERROR`.
    pub(super) fn sign_error(message: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "SIGN_ERROR",
            message,
            BAD_SIGNATURE,
        )
    }
}

/// A temporary error of WeChat.
pub(super) fn system_error() -> Refusal {
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "SYSTEM_ERROR",
        "系统繁忙，请稍后重试",
        268_435_456,
    )
}

pub(super) const BAD_PARAMETER: u32 = 268_435_461;
pub(super) const BAD_SIGNATURE: u32 = 268_443_699;

/// A status without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::SERVER, HeaderValue::from_static("nginx"));
    response
}

/// A refusal before the merchant is known: without a signature, and on the routes of orders also
/// without a `Request-ID`.
pub(super) fn unsigned(simulator: &Simulator, refusal: &Refusal, has_request_id: bool) -> Response {
    let mut response = Response::new(Body::from(json_bytes(refusal)));
    *response.status_mut() = refusal.status;
    let headers = response.headers_mut();
    headers.extend(plain_headers());
    if has_request_id {
        add_request_id(simulator, headers, refusal.inner_number);
    }
    response
}

/// An answer to a request with a valid signature.
pub(super) fn signed(
    simulator: &Simulator,
    signing: Signing<'_>,
    answered: Result<Answer, Refusal>,
) -> Response {
    let (status, body, inner_number) = match answered {
        Ok(Answer::Json(json)) => (StatusCode::OK, json_bytes(&json), 0),
        Ok(Answer::Nothing) => (StatusCode::NO_CONTENT, Vec::new(), 0),
        Ok(Answer::Accepted) => (StatusCode::ACCEPTED, Vec::new(), 0),
        Ok(Answer::File { bytes, gzip }) => return file(bytes, gzip),
        Err(refusal) => (refusal.status, json_bytes(&refusal), refusal.inner_number),
    };
    let Ok(signature) = signing.headers(simulator, &body) else {
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.extend(plain_headers());
    headers.extend(signature);
    add_request_id(simulator, headers, inner_number);
    response
}

fn file(bytes: Vec<u8>, gzip: bool) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.extend(plain_headers());
    let kind = if gzip {
        "application/x-gzip"
    } else {
        "text/plain; charset=utf-8"
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn add_request_id(simulator: &Simulator, headers: &mut HeaderMap, inner_number: u32) {
    let id = format!("08{}-{inner_number}", simulator.random().upper_hex(40));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("request-id", id);
    }
}

fn plain_headers() -> HeaderMap {
    [
        (header::SERVER, "nginx"),
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache, must-revalidate"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_LANGUAGE, "zh-CN"),
    ]
    .into_iter()
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
    .collect()
}

// Values and plain structs with text keys: there is nothing in them that JSON cannot carry.
fn json_bytes(json: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(json).unwrap_or_default()
}
