//! Refusals of version 2, by the layer that reports them.

use crate::faults::Documented;

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// `return_code` FAIL: the message was not accepted. It is not signed.
    Protocol { message: String },
    /// `return_code` FAIL with the number that only bills have.
    Bill { message: String, code: &'static str },
    /// `result_code` FAIL, signed.
    Business {
        code: String,
        message: String,
        /// Only for a reversal.
        recall: Option<&'static str>,
    },
}

impl Refusal {
    pub(super) fn protocol(message: impl Into<String>) -> Self {
        Self::Protocol {
            message: message.into(),
        }
    }

    pub(super) fn business(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Business {
            code: code.into(),
            message: message.into(),
            recall: None,
        }
    }

    /// A refusal that a fault names, by its code of APIv3.
    pub(super) fn documented(refused: &Documented) -> Self {
        let code = match refused.code {
            "SYSTEM_ERROR" => "SYSTEMERROR",
            "BANK_ERROR" => "BANKERROR",
            "ORDER_CLOSED" => "ORDERCLOSED",
            "ORDER_PAID" => "ORDERPAID",
            "ORDER_NOT_EXIST" => "ORDERNOTEXIST",
            "NO_AUTH" => "NOAUTH",
            "NOT_ENOUGH" => "NOTENOUGH",
            "SIGN_ERROR" => "SIGNERROR",
            "MCH_NOT_EXISTS" => "MCHID_NOT_EXIST",
            "RESOURCE_NOT_EXISTS" => "REFUNDNOTEXIST",
            same => same,
        };
        Self::business(code, refused.message)
    }
}

/// A temporary error of WeChat's.
pub(super) fn system_error() -> Refusal {
    Refusal::business("SYSTEMERROR", "系统错误")
}
