//! A day of business, compared: WeChat's bill and the backend's own ledger (private side). The
//! numbers in a difference are plain texts, because a bill may name what is no number of ours.

use payment_values::Fen;
use serde::Serialize;

/// What WeChat's trade bill of a day says, beside what the ledger says: `GET {base}/bills/{day}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BillComparison {
    /// The day in Asia/Shanghai, `2026-11-21`.
    pub day: String,
    /// Whose bill it is; absent: the merchant's own, and in partner mode that of all its
    /// sub-merchants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// `false` when the gateway is a simulator.
    pub live: bool,
    /// Payments in WeChat's bill.
    pub payments: BillTotal,
    /// Refunds in WeChat's bill.
    pub refunds: BillTotal,
    /// Each difference; empty where both agree to the fen.
    pub differences: Vec<BillDifference>,
}

/// How many, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BillTotal {
    /// How many rows.
    pub count: u64,
    /// Their amounts together, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub total_fen: Fen,
}

/// One thing that the bill and the ledger do not agree on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BillDifference {
    /// payment_missing_here, payment_missing_there, payment_amount, payment_state,
    /// payment_transaction_id, payment_day, payment_sub_mchid, refund_missing_here,
    /// refund_missing_there, refund_amount, refund_state, refund_sub_mchid, bill_sub_mchid (a row
    /// of another one in a sub-merchant's bill), summary, or line_unreadable (a line of the bill
    /// that cannot be read; all others are compared).
    pub kind: String,
    /// The number of the payment at WeChat; absent for the summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<String>,
    /// The number of the refund, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_refund_no: Option<String>,
    /// What the ledger has: an amount in fen, a state, a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub here: Option<String>,
    /// What WeChat's bill has; of a line that cannot be read its number and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub there: Option<String>,
}
