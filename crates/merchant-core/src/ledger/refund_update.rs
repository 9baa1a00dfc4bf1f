//! The types for WeChat's report about a refund and for its effect. Nothing is recorded here.

use merchant_api::RefundState;
use payment_values::Fen;

use super::refunds::Refund;

/// WeChat's report about a refund. It was verified. Its numbers are evidence and plain texts: an
/// update whose numbers break the rules is recorded as a mismatch.
#[derive(Clone, Debug)]
pub(crate) struct RefundUpdate {
    pub(crate) out_refund_no: String,
    pub(crate) refund_id: String,
    pub(crate) out_trade_no: String,
    pub(crate) transaction_id: String,
    pub(crate) state: RefundState,
    /// The order's amount.
    pub(crate) total_fen: Fen,
    /// The refund's amount.
    pub(crate) amount_fen: Fen,
    pub(crate) payer_refund_fen: Option<Fen>,
    pub(crate) user_received_account: Option<String>,
    pub(crate) success_time: Option<String>,
    /// When the query was sent; `None` for a notification.
    pub(crate) sent_ms: Option<i64>,
    /// When to query again, if the refund moves into this state.
    pub(crate) next_look_ms: Option<i64>,
    /// A mismatch that does not depend on the ledger, in one word.
    pub(crate) misfit: Option<&'static str>,
    /// WeChat's report as JSON.
    pub(crate) resource: String,
}

/// The effect of an update.
#[derive(Clone, Debug)]
pub(crate) enum RefundRecorded {
    /// A refund of ours moved into a new state.
    Moved(Box<Refund>),
    /// A refund that was made elsewhere was added to the ledger.
    TakenIn(Box<Refund>),
    /// It was known already; nothing changed.
    Known,
    /// It does not match; it was stored, and a query is scheduled.
    Mismatch {
        /// What differs, in one word.
        reason: &'static str,
        /// Whether it is stored for the first time.
        is_new: bool,
    },
}
