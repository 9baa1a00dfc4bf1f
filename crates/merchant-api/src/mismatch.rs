//! Mismatches, on the private side: payments and refunds that WeChat reports and that no order
//! explains. A person checks each mismatch and marks it done. The numbers are plain texts, because
//! they are evidence: what WeChat names may break every rule of ours.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The kind of a mismatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(rename_all = "lowercase"))]
pub enum MismatchKind {
    /// A payment.
    Payment,
    /// A refund.
    Refund,
    /// A signed notification that the server does not understand.
    Notification,
}

/// A payment, refund or notification that does not match the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MismatchDetails {
    /// The mismatch's number on this server.
    pub no: u64,
    /// The kind of a mismatch.
    pub kind: MismatchKind,
    /// The `out_trade_no` that WeChat names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<String>,
    /// WeChat's number of the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// The `out_refund_no` that WeChat names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_no: Option<String>,
    /// WeChat's number of the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    /// Partner mode: the sub-merchant that WeChat names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// A notification: its id at WeChat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_id: Option<String>,
    /// A notification: WeChat's event type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// A notification: the path of the field that the server does not understand, such as
    /// `amount.total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The difference as one word; for a notification, why it was stored: `unreadable`,
    /// `contradiction`, `unknown_kind`, `unknown_word` or `not_paid`.
    pub reason: String,
    /// When it was received, RFC 3339.
    pub received_at: String,
    /// What WeChat reported, unchanged; a text if it is not JSON. Openids are shortened to their
    /// first characters.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub told: Value,
    /// When WeChat was queried about it, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<String>,
    /// WeChat's answer: one word, or its JSON as text. Openids are shortened as in `told`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// When a person marked it as resolved, RFC 3339; if absent, it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_at: Option<String>,
    /// The note of that person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Mismatches, newest first: `GET {base}/mismatches`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MismatchList {
    /// The mismatches.
    pub mismatches: Vec<MismatchDetails>,
    /// The value of `before` for the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_before: Option<u64>,
}

/// `POST {base}/mismatches/{no}/done`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FinishMismatch {
    /// What was found, at most 500 bytes of UTF-8. An existing note stays unless a new one is
    /// given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 500))]
    pub note: Option<String>,
}
