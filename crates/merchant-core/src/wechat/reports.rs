//! What WeChat says about orders and refunds, the same for both versions. Nothing here decides what
//! that means for an order of ours.

use wechat_pay::{Refund, TradeState, Transaction, Unreadable};

use super::CallError;

/// WeChat's report about an order, in either mode.
#[derive(Clone, Debug)]
pub(crate) struct OrderReport {
    /// In partner mode `appid` and `mchid` are the provider's.
    pub(crate) transaction: Transaction,
    /// Partner mode: the sub-merchant.
    pub(crate) sub_mchid: Option<String>,
    /// Partner mode: the sub-merchant's application, if the order named one.
    pub(crate) sub_appid: Option<String>,
    /// WeChat's whole answer, for the records.
    pub(crate) json: String,
}

impl OrderReport {
    /// WeChat's report about an order; `json` is the text that WeChat sent.
    pub(crate) fn new(transaction: Transaction, json: &[u8]) -> Self {
        Self {
            json: String::from_utf8_lossy(json).into_owned(),
            sub_mchid: transaction.sub_mchid.clone(),
            sub_appid: transaction.sub_appid.clone(),
            transaction,
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
        match &report.transaction.trade_state {
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
