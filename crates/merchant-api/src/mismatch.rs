//! Mismatches, on the private side: payments and refunds that WeChat reports and that no order
//! explains. A person checks each mismatch and marks it done. The numbers are plain texts, because
//! they are evidence: what WeChat names may break every rule of ours.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What WeChat told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(rename_all = "lowercase"))]
pub enum MismatchKind {
    /// A payment.
    Payment,
    /// A refund.
    Refund,
    /// A notification that WeChat signed and that is not understood.
    Notification,
}

/// Something that fits nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MismatchDetails {
    /// Its number here.
    pub no: u64,
    /// What WeChat told of.
    pub kind: MismatchKind,
    /// The payment's number that WeChat names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<String>,
    /// WeChat's number of the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// The refund's number that WeChat names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_no: Option<String>,
    /// WeChat's number of the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    /// Partner mode: for whom it was, by WeChat's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// A notification: WeChat's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_id: Option<String>,
    /// A notification: WeChat's word for what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// A notification: the path of the field that is not understood, such as `amount.total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What differs, in one word; of a notification why it is kept: `unreadable`,
    /// `contradiction`, `unknown_kind`, `unknown_word` or `not_paid`.
    pub reason: String,
    /// When it came, RFC 3339.
    pub received_at: String,
    /// What WeChat told, in its own form; text where it is not JSON. Openids are cut to their first
    /// characters.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub told: Value,
    /// When WeChat was asked about it, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<String>,
    /// What WeChat answered: a word, or its own form as text; openids are cut as in `told`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// When somebody marked it done, RFC 3339; open when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_at: Option<String>,
    /// What that person noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Mismatches, newest first: `GET {base}/mismatches`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MismatchList {
    /// The mismatches.
    pub mismatches: Vec<MismatchDetails>,
    /// What to send as `before` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_before: Option<u64>,
}

/// `POST {base}/mismatches/{no}/done`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FinishMismatch {
    /// What was found, at most 500 bytes of UTF-8. A note that is there stays, unless another one
    /// comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 500))]
    pub note: Option<String>,
}
