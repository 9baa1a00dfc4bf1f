//! What WeChat says about a share, a return, and what is left to share.
//!
//! Values that this crate does not know are kept, and never count as success or failure.

use payment_values::Fen;
use serde::{Deserialize, Serialize};

use super::ReceiverType;
use crate::orders::transaction::null_as_default;
use crate::words::words;

/// A share or a release as WeChat sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareOrder {
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// The merchant's number of the share.
    pub out_order_no: String,
    /// WeChat's number of the share.
    pub order_id: String,
    /// Whether WeChat is done with it; what each receiver got is in `receivers`.
    pub state: ShareOrderState,
    /// Each receiver. WeChat adds the merchant itself where the rest is released.
    #[serde(default, deserialize_with = "null_as_default")]
    pub receivers: Vec<ReceiverResult>,
}

/// What one receiver got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiverResult {
    /// What the account is.
    #[serde(rename = "type")]
    pub kind: ReceiverType,
    /// The merchant's number or the openid.
    pub account: String,
    /// The amount.
    pub amount: Fen,
    /// The result.
    pub result: ReceiverOutcome,
    /// The reason that the merchant gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Why the receiver got nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_reason: Option<ShareFailure>,
    /// WeChat's number of this part: bills name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail_id: Option<String>,
    /// When it was accepted, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
    /// When it ended, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_time: Option<String>,
}

/// A return as WeChat sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareReturn {
    /// The merchant's number of the share.
    pub out_order_no: String,
    /// The merchant's number of the return.
    pub out_return_no: String,
    /// WeChat's number of the return.
    pub return_id: String,
    /// The merchant that gives the money back.
    pub return_mchid: String,
    /// The amount.
    pub amount: Fen,
    /// The result.
    pub result: ShareReturnResult,
    /// Why nothing was returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_reason: Option<ShareFailure>,
    /// WeChat's number of the share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// When it was accepted, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
    /// When it ended, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_time: Option<String>,
}

/// What is left of a payment to share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsplitAmount {
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// The amount that is still held, after WeChat's fee.
    pub unsplit_amount: Fen,
}

words! {
    /// Whether WeChat is done with a share.
    ShareOrderState {
        /// Accepted, under way.
        Processing = "PROCESSING",
        /// Done. Receivers may have got nothing.
        Finished = "FINISHED",
    }
}

words! {
    /// Whether a receiver got its part.
    ReceiverOutcome {
        /// Not yet.
        Pending = "PENDING",
        /// It has it.
        Success = "SUCCESS",
        /// It does not get it: the money went to the merchant that shares.
        Closed = "CLOSED",
    }
}

words! {
    /// The state of a return.
    ShareReturnResult {
        /// Accepted, under way. After five days WeChat gives up.
        Processing = "PROCESSING",
        /// The money is back.
        Success = "SUCCESS",
        /// Nothing was returned. The number cannot be used again.
        Failed = "FAILED",
    }
}

words! {
    /// Why a receiver got nothing, or nothing was returned.
    ShareFailure {
        /// The receiver's account cannot take or give money.
        AccountAbnormal = "ACCOUNT_ABNORMAL",
        /// The receiver was deleted.
        NoRelation = "NO_RELATION",
        /// The receiver is a risk in WeChat's eyes.
        ReceiverHighRisk = "RECEIVER_HIGH_RISK",
        /// The receiver has not proved its name to WeChat.
        ReceiverRealNameNotVerified = "RECEIVER_REAL_NAME_NOT_VERIFIED",
        /// The merchant may not share any more.
        NoAuth = "NO_AUTH",
        /// Return: the receiver's balance is too small.
        BalanceNotEnough = "BALANCE_NOT_ENOUGH",
        /// Return: it was under way for too long.
        TimeOutClosed = "TIME_OUT_CLOSED",
    }
}
