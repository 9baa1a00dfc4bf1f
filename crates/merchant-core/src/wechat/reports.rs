//! What WeChat says about orders and refunds, the same for both versions. Nothing here decides what
//! that means for an order of ours.

use wechat_pay::{CombinedTransaction, Refund, TradeState, Transaction, Unreadable};

use super::CallError;

/// WeChat's report about an order, in either mode.
#[derive(Clone, Debug)]
pub(crate) struct OrderReport {
    pub(crate) reported: Reported,
    /// WeChat's whole answer, for the records.
    pub(crate) json: String,
}

/// The kind of order that a report is about. In partner mode `appid` and `mchid` are the provider's.
#[derive(Clone, Debug)]
pub(crate) enum Reported {
    /// An ordinary order.
    Order(Box<Transaction>),
    /// A combined order, with a report about each sub-order.
    Combined(Box<CombinedTransaction>),
}

impl OrderReport {
    /// WeChat's report about an order; `json` is the text that WeChat sent.
    pub(crate) fn new(transaction: Transaction, json: &[u8]) -> Self {
        Self::of(Reported::Order(Box::new(transaction)), json)
    }

    /// The same about a combined order.
    pub(crate) fn combined(combined: CombinedTransaction, json: &[u8]) -> Self {
        Self::of(Reported::Combined(Box::new(combined)), json)
    }

    /// Whether the order is paid.
    pub(crate) fn is_paid(&self) -> bool {
        self.trade_state().is_some_and(|state| state.is_paid())
    }

    /// The state of the order; `None` if the sub-orders contradict each other.
    fn trade_state(&self) -> Option<TradeState> {
        match &self.reported {
            Reported::Order(transaction) => Some(transaction.trade_state.clone()),
            Reported::Combined(combined) => combined.trade_state(),
        }
    }

    fn of(reported: Reported, json: &[u8]) -> Self {
        Self {
            reported,
            json: String::from_utf8_lossy(json).into_owned(),
        }
    }
}

/// The state of an order at WeChat.
#[derive(Clone, Debug)]
pub(crate) enum TradeStatus {
    /// The order is paid; WeChat's report.
    Paid(Box<OrderReport>),
    /// The order waits for the buyer.
    NotPaid,
    /// Closed or reversed: the number cannot be used again.
    Closed,
    /// Code payment: the bank refused. It must be reversed, so that it cannot succeed later.
    Failed,
    /// WeChat does not know the number.
    Unknown,
}

impl TradeStatus {
    /// The state that a report has.
    pub(super) fn of(report: OrderReport) -> Result<Self, CallError> {
        let contradiction = || CallError::unreadable(Unreadable::unknown_word("sub_orders"));
        match report.trade_state().ok_or_else(contradiction)? {
            state if state.is_paid() => Ok(Self::Paid(Box::new(report))),
            TradeState::NotPay | TradeState::UserPaying => Ok(Self::NotPaid),
            TradeState::Closed | TradeState::Revoked => Ok(Self::Closed),
            TradeState::PayError => Ok(Self::Failed),
            // An unknown status has no effect.
            _ => Err(CallError::unreadable(Unreadable::unknown_word(
                "trade_state",
            ))),
        }
    }
}

/// The result of placing an order.
#[derive(Clone, Debug)]
pub(crate) enum Placed {
    /// The order waits for the buyer.
    Link {
        /// The link or parameter for the cashier: `code_url`, `h5_url` or `prepay_id`.
        text: String,
        /// The `prepay_id` of a Native order, where WeChat gives it beside the link (version 2).
        prepay_id: Option<String>,
    },
    /// Code payment: the payment's state.
    Status(TradeStatus),
}

/// The result of closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// It is closed.
    Closed,
    /// The order cannot be closed: it is paid.
    Paid,
    /// Version 2: the order is too young to be closed, and can still be paid.
    TooEarly {
        /// How long until WeChat closes it, in milliseconds.
        retry_after_ms: i64,
    },
}

/// WeChat's report about a refund.
#[derive(Clone, Debug)]
pub(crate) struct RefundReport {
    pub(crate) refund: Refund,
    /// WeChat's whole answer, for the records.
    pub(crate) json: String,
}

/// The result of querying a refund.
#[derive(Clone, Debug)]
pub(crate) enum RefundStatus {
    /// The refund.
    Known(Box<RefundReport>),
    /// WeChat has no such refund.
    Unknown {
        /// Whether the answer was signed; an unsigned answer proves nothing.
        is_signed: bool,
    },
}
