//! A refusal in the form of the payment service: `{"error":{"code","message"}}`. A field that breaks
//! a rule has the code `wxPayError.params`; every other code is WeChat's own word where it has one.
//! The status is 200, as WeChat's own answers of version 2 have it: such backends read the body.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use merchant_api::{ApiError, ErrorCode};
use merchant_core::Refusal;
use serde_json::json;

use crate::error::{Failure, status_of};

/// The code of a field that breaks a rule.
const PARAMS: &str = "wxPayError.params";

/// The contract's fields under the names of the payment service.
const NAMES: [(&str, &str); 6] = [
    ("description", "body"),
    ("order_no", "out_trade_no"),
    ("total_fen", "total_fee"),
    ("payer.openid", "openid"),
    ("scene_info.payer_client_ip", "spbill_create_ip"),
    ("payer_client_ip", "spbill_create_ip"),
];

/// A refusal of a call to the payment service.
#[derive(Debug)]
pub(crate) struct PayFailure(Refusal);

impl From<Refusal> for PayFailure {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<Failure> for PayFailure {
    fn from(failure: Failure) -> Self {
        Self(failure.0)
    }
}

impl IntoResponse for PayFailure {
    fn into_response(self) -> Response {
        self.0.log();
        let (status, code, message) = match self.0 {
            Refusal::Superseded(_) => (
                StatusCode::OK,
                "SYSTEMERROR".to_owned(),
                "another page or device has taken over; call again".to_owned(),
            ),
            refusal => {
                let error = refusal.api_error();
                (status(&error), word(&error), message(&error))
            }
        };
        let body = json!({ "error": { "code": code, "message": message } });
        (status, Json(body)).into_response()
    }
}

/// Only what the document of such a service does not describe has a status of its own.
fn status(error: &ApiError) -> StatusCode {
    match error.code {
        Some(
            code @ (ErrorCode::Unauthorized
            | ErrorCode::Forbidden
            | ErrorCode::TooLarge
            | ErrorCode::DatabaseUnavailable
            | ErrorCode::Internal),
        ) => status_of(code),
        _ => StatusCode::OK,
    }
}

/// WeChat's word (`err_code` of version 2), where it has one. SYSTEMERROR means: call again with the
/// same values.
fn word(error: &ApiError) -> String {
    let word = match error.code {
        Some(ErrorCode::OrderNoUsed) => "OUT_TRADE_NO_USED",
        Some(ErrorCode::OrderUnknown) => "ORDERNOTEXIST",
        Some(ErrorCode::OrderPaid) => "ORDERPAID",
        Some(ErrorCode::CheckoutExpired) => "ORDERCLOSED",
        Some(ErrorCode::ProductUnavailable) => "NOAUTH",
        Some(ErrorCode::RateLimited) => "FREQUENCY_LIMITED",
        Some(
            ErrorCode::AttemptInDoubt
            | ErrorCode::WechatUnavailable
            | ErrorCode::DatabaseUnavailable
            | ErrorCode::Internal,
        ) => "SYSTEMERROR",
        Some(ErrorCode::WechatRefused) => error.wechat_code.as_deref().unwrap_or("SYSTEMERROR"),
        Some(ErrorCode::InvalidRequest) => PARAMS,
        _ if error.field.is_some() => PARAMS,
        Some(code) => code.as_str(),
        None => "SYSTEMERROR",
    };
    word.to_owned()
}

/// The message, which begins with the field's name.
fn message(error: &ApiError) -> String {
    let renamed = error.field.as_deref().and_then(|field| {
        let (_, name) = NAMES.iter().find(|(known, _)| *known == field)?;
        let rule = error.message.strip_prefix(field)?;
        Some(format!("{name}{rule}"))
    });
    renamed.unwrap_or_else(|| error.message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_the_word_that_wechat_uses() {
        for (code, expected) in [
            (ErrorCode::OrderNoUsed, "OUT_TRADE_NO_USED"),
            (ErrorCode::OrderUnknown, "ORDERNOTEXIST"),
            (ErrorCode::OrderPaid, "ORDERPAID"),
            (ErrorCode::CheckoutExpired, "ORDERCLOSED"),
            (ErrorCode::ProductUnavailable, "NOAUTH"),
            (ErrorCode::AttemptInDoubt, "SYSTEMERROR"),
            (ErrorCode::WechatUnavailable, "SYSTEMERROR"),
            (ErrorCode::RateLimited, "FREQUENCY_LIMITED"),
            (ErrorCode::InvalidRequest, PARAMS),
            (ErrorCode::Forbidden, "FORBIDDEN"),
        ] {
            assert_eq!(word(&ApiError::new(code, "x")), expected, "{code:?}");
        }
    }

    #[test]
    fn a_used_number_is_no_error_of_a_field() {
        let used = ApiError::new(
            ErrorCode::OrderNoUsed,
            "order_no is in use with other values",
        )
        .with_field("order_no");
        assert_eq!(word(&used), "OUT_TRADE_NO_USED");
        assert_eq!(message(&used), "out_trade_no is in use with other values");
    }
}
