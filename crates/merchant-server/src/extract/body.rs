//! The bytes of a request's body. Nothing here looks into them.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use merchant_api::ErrorCode;

use crate::error::Failure;

/// A body that came whole and is not too large.
pub(crate) fn read_body(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Failure> {
    body.map_err(|rejection| {
        if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
            Failure::new(
                ErrorCode::TooLarge,
                "the body is larger than the contract allows",
            )
        } else {
            Failure::new(ErrorCode::InvalidRequest, "the body did not come whole")
        }
    })
}
