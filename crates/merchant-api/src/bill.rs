//! A day of business, compared: WeChat's bill and the backend's own ledger (private side). The
//! numbers in a difference are plain texts, because a bill may name what is no number of ours.

use payment_values::Fen;
use serde::Serialize;

/// WeChat's trade bill of a day, compared with the ledger: `GET {base}/bills/{day}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BillComparison {
    /// The day in Asia/Shanghai, `2026-11-21`.
    pub day: String,
    /// The sub-merchant of the bill; if absent, it is the merchant's own bill, and in partner mode
    /// the bill of all its sub-merchants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// `false` if the gateway is a simulator.
    pub live: bool,
    /// Payments in WeChat's bill.
    pub payments: BillTotal,
    /// Refunds in WeChat's bill.
    pub refunds: BillTotal,
    /// Each difference; empty if both agree to the fen.
    pub differences: Vec<BillDifference>,
}

/// A number of rows, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BillTotal {
    /// The number of rows.
    pub count: u64,
    /// The sum of their amounts, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub total_fen: Fen,
}

/// One difference between the bill and the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BillDifference {
    /// payment_missing_here, payment_missing_there, payment_repeated (the bill names it twice),
    /// payment_amount, payment_state, payment_transaction_id, payment_day, payment_sub_mchid,
    /// refund_missing_here, refund_missing_there, refund_repeated, refund_amount, refund_state,
    /// refund_sub_mchid, bill_sub_mchid (a row of another sub-merchant in a sub-merchant's bill),
    /// bill_currency (a row in another currency than CNY), summary, or line_unreadable (a line of
    /// the bill that cannot be read; all other lines are compared).
    pub kind: String,
    /// The payment's number at WeChat; absent for the summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<String>,
    /// The refund's number, if the difference is about a refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_refund_no: Option<String>,
    /// The ledger's value: an amount in fen, a state, a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub here: Option<String>,
    /// The bill's value; for an unreadable line, its number and the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub there: Option<String>,
}
