//! What WeChat says of a refund, and what that did. Nothing here is recorded.

use merchant_api::RefundState;

use super::refunds::Refund;

/// What WeChat says of a refund. It was verified.
#[derive(Clone, Debug)]
pub(crate) struct RefundUpdate {
    pub(crate) out_refund_no: String,
    pub(crate) refund_id: String,
    pub(crate) out_trade_no: String,
    pub(crate) transaction_id: String,
    pub(crate) state: RefundState,
    /// What was ordered, in fen.
    pub(crate) total_fen: u64,
    /// What goes back, in fen.
    pub(crate) amount_fen: u64,
    pub(crate) payer_refund_fen: Option<u64>,
    pub(crate) user_received_account: Option<String>,
    pub(crate) success_time: Option<String>,
    /// When WeChat was asked; `None`: it told by itself.
    pub(crate) asked_ms: Option<i64>,
    /// When it is to be asked again, should the refund be in this state from now on.
    pub(crate) next_look_ms: Option<i64>,
    /// What does not fit whatever the ledger has, in one word.
    pub(crate) misfit: Option<&'static str>,
    /// What WeChat said, as JSON.
    pub(crate) resource: String,
}

/// What the news did.
#[derive(Clone, Debug)]
pub(crate) enum RefundRecorded {
    /// A refund of ours came into this state.
    Moved(Box<Refund>),
    /// A refund that was made elsewhere is in the ledger now.
    TakenIn(Box<Refund>),
    /// It was known already; nothing changed.
    Known,
    /// It does not fit; it is kept, and WeChat is asked.
    Mismatch {
        /// What differs, in one word.
        reason: &'static str,
        /// Whether it is kept for the first time.
        is_new: bool,
    },
}
