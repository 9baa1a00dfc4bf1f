//! Refusals as answers: the contract's envelope, with its status and its headers. This module logs
//! each refusal when it leaves the server. It does not know which part of the server refused.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use merchant_api::{ApiError, CheckoutAnswer, ErrorCode};
use merchant_core::Refusal;

/// A refusal of a call, or its failure.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) Refusal);

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Refusal::new(code, message))
    }

    pub(crate) fn field(code: ErrorCode, field: &str, rule: &str) -> Self {
        Self(Refusal::field(code, field, rule))
    }

    /// A field that breaks a rule of this server.
    pub(crate) fn invalid(field: &str, rule: &str) -> Self {
        Self(Refusal::invalid(field, rule))
    }
}

impl<E: Into<Refusal>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.0.log();
        let answer = match &self.0 {
            Refusal::Superseded(answer) => Some(answer.clone()),
            _ => None,
        };
        envelope(&self.0.api_error(), answer.as_deref())
    }
}

/// Marks a JSON error, for routes that turn it into a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Enveloped(pub(crate) Option<ErrorCode>);

/// The status that goes with a code.
pub(crate) fn status_of(code: ErrorCode) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn envelope(error: &ApiError, answer: Option<&CheckoutAnswer>) -> Response {
    let status = status_of(error.code.unwrap_or(ErrorCode::Internal));
    // Both are maps of texts and numbers, which are always valid JSON.
    let mut body = serde_json::to_value(error).unwrap_or_default();
    if let Some(answer) = answer
        && let (Some(body), Ok(serde_json::Value::Object(answer))) =
            (body.as_object_mut(), serde_json::to_value(answer))
    {
        body.extend(answer);
    }
    let mut response = (status, axum::Json(body)).into_response();
    response.extensions_mut().insert(Enveloped(error.code));
    if let Some(retry_after_ms) = error.retry_after_ms {
        let seconds = retry_after_ms.div_ceil(1000);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
