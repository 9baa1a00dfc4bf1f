//! The bytes of a request's body, not parsed.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use merchant_api::ErrorCode;

use crate::error::Failure;

/// A complete body within the size limit.
pub(crate) fn read_body(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Failure> {
    body.map_err(|rejection| {
        if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
            Failure::new(
                ErrorCode::TooLarge,
                "the body is larger than the contract allows",
            )
        } else {
            Failure::new(ErrorCode::InvalidRequest, "the body is incomplete")
        }
    })
}
