//! The ledger for people and tests: JSON of every order, without secrets.

use jiff::Timestamp;
use serde::Serialize;
use wechat_pay::{Fen, TradeState, beijing_time};

use super::attempt::Attempt;
use super::notice::{Notice, TryOutcome};
use super::order::{Order, OrderKey};
use super::refund::Refund;
use super::share::{PartResult, Share, ShareReturn, sum};
use super::{Entry, Ledger};

/// The ledger as `GET /_simulator/ledger` returns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerView {
    /// Every order, by number; a combined order by its sub-orders.
    pub orders: Vec<OrderView>,
    /// Every combined order, by number.
    pub combined: Vec<CombinedView>,
    /// Every refund.
    pub refunds: Vec<RefundView>,
    /// Every share and every release.
    pub shares: Vec<ShareView>,
}

/// One order in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderView {
    /// The merchant number.
    pub mchid: String,
    /// The merchant for which a partner ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// The merchant's number.
    pub out_trade_no: String,
    /// Of a sub-order: the number of the combined order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combine_out_trade_no: Option<String>,
    /// WeChat's number, once paid.
    pub transaction_id: Option<String>,
    /// When it was ordered, in Beijing time.
    pub created_at: String,
    /// The state of the order.
    pub trade_state: TradeState,
    /// The amount of the order, in fen.
    pub total: Fen,
    /// The amount paid, in fen, once paid.
    pub payer_total: Option<Fen>,
    /// The amount refunded, in fen.
    pub refunded: Fen,
    /// The visits to its cashier, the oldest first.
    pub attempts: Vec<AttemptView>,
    /// The notifications of this order.
    pub notifications: Vec<NotificationView>,
}

/// One combined order in the ledger. The money is in its sub-orders, which are among the orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CombinedView {
    /// The combining merchant.
    pub mchid: String,
    /// The combining merchant's number.
    pub combine_out_trade_no: String,
    /// When it was ordered, in Beijing time.
    pub created_at: String,
    /// The state that its sub-orders share; refunds do not change it.
    pub trade_state: TradeState,
    /// The sum of its sub-orders, in fen.
    pub total: Fen,
    /// The numbers of its sub-orders, as the request names them.
    pub sub_orders: Vec<String>,
    /// The visits to its cashier, the oldest first.
    pub attempts: Vec<AttemptView>,
    /// The notifications of its payment; those of refunds belong to the sub-orders.
    pub notifications: Vec<NotificationView>,
}

/// One visit to an order's cashier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttemptView {
    /// When, in Beijing time.
    pub at: String,
    /// The buyer's openid under the order's application.
    pub openid: String,
    /// The way: `code_url`, `prepay_id`, `h5_url` or `out_trade_no`.
    pub by: &'static str,
    /// `PAID`, `CANCELLED`, `FAILED`, or the refusal, such as `LINK_EXPIRED`.
    pub result: &'static str,
}

/// One notification in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotificationView {
    /// WeChat's id.
    pub id: String,
    /// The event, such as `TRANSACTION.SUCCESS`.
    pub event_type: &'static str,
    /// The number of deliveries.
    pub tries: usize,
    /// Whether the merchant acknowledged it.
    pub acked: bool,
    /// Each delivery, the oldest first.
    pub log: Vec<TryView>,
}

/// One delivery of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TryView {
    /// When it was due, in Beijing time.
    pub due_at: String,
    /// The merchant's status, if it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// One refund in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefundView {
    /// The merchant number.
    pub mchid: String,
    /// The order's number.
    pub out_trade_no: String,
    /// The merchant's number of the refund.
    pub out_refund_no: String,
    /// WeChat's number of it.
    pub refund_id: String,
    /// `PROCESSING`, `SUCCESS`, `CLOSED` or `ABNORMAL`.
    pub status: &'static str,
    /// The amount of the refund, in fen.
    pub refund: Fen,
    /// The amount of the order, in fen.
    pub total: Fen,
    /// The merchant's reason, if it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One share, or the release of what was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShareView {
    /// The merchant number.
    pub mchid: String,
    /// The order's number.
    pub out_trade_no: String,
    /// The merchant's number of the share.
    pub out_order_no: String,
    /// Whether it releases the rest.
    pub unfreezes: bool,
    /// `PROCESSING` or `FINISHED`.
    pub state: &'static str,
    /// What receivers were to get, in fen.
    pub shared: Fen,
    /// What receivers got, in fen.
    pub received: Fen,
    /// What receivers gave back of it, in fen.
    pub returned: Fen,
    /// The receivers, without the merchant that gets the rest.
    pub receivers: Vec<ShareReceiverView>,
    /// The returns from this share.
    pub returns: Vec<ShareReturnView>,
}

/// One receiver of a share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShareReceiverView {
    /// The merchant's number or the openid.
    pub account: String,
    /// What it was to get, in fen.
    pub amount: Fen,
    /// `PENDING`, `SUCCESS` or `CLOSED`.
    pub result: &'static str,
}

/// One return of shared money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShareReturnView {
    /// The merchant's number of the return.
    pub out_return_no: String,
    /// The merchant that gives the money back.
    pub return_mchid: String,
    /// The amount, in fen.
    pub amount: Fen,
    /// `PROCESSING`, `SUCCESS` or `FAILED`.
    pub result: &'static str,
}

impl Ledger {
    /// The ledger for people and tests, of one merchant or of all.
    pub(crate) fn view(&self, mchid: Option<&str>, now: Timestamp) -> LedgerView {
        let known = self
            .orders
            .iter()
            .filter(|(key, _)| mchid.is_none_or(|mchid| mchid == key.mchid));
        let orders = known
            .clone()
            .filter(|(key, _)| !key.is_combined)
            .map(|(key, entry)| OrderView::new(key, entry, now))
            .collect();
        let combined = known
            .filter(|(key, _)| key.is_combined)
            .map(|(key, entry)| CombinedView::new(key, entry, now))
            .collect();
        let refunds = self
            .orders
            .values()
            .filter(|entry| mchid.is_none_or(|mchid| mchid == entry.order.request.key.mchid))
            .flat_map(|entry| entry.refunds.iter().map(|refund| (&entry.order, refund)))
            .map(|(order, refund)| RefundView::new(order, refund))
            .collect();
        let shares = self
            .orders
            .values()
            .filter(|entry| mchid.is_none_or(|mchid| mchid == entry.order.request.key.mchid))
            .flat_map(|entry| entry.sharing.shares.iter().map(move |share| (entry, share)))
            .map(|(entry, share)| ShareView::new(entry, share))
            .collect();
        LedgerView {
            orders,
            combined,
            refunds,
            shares,
        }
    }
}

impl RefundView {
    fn new(order: &Order, refund: &Refund) -> Self {
        Self {
            mchid: order.request.key.mchid.clone(),
            out_trade_no: order.request.key.out_trade_no.clone(),
            out_refund_no: refund.out_refund_no.clone(),
            refund_id: refund.refund_id.clone(),
            status: refund.status.as_str(),
            refund: refund.refund,
            total: order.request.total,
            reason: refund.reason.clone(),
        }
    }
}

impl ShareView {
    fn new(entry: &Entry, share: &Share) -> Self {
        let of_others = share.parts.iter().filter(|part| !part.is_rest);
        let receivers = of_others.clone().map(|part| ShareReceiverView {
            account: part.account.clone(),
            amount: part.amount,
            result: part.result.as_str(),
        });
        let received = of_others
            .clone()
            .filter(|part| part.result == PartResult::Success);
        let returns = entry.sharing.returns.iter();
        let returns = returns.filter(|returned| returned.out_order_no == share.out_order_no);
        let returned = returns
            .clone()
            .filter(|returned| returned.result == PartResult::Success);
        Self {
            receivers: receivers.collect(),
            mchid: entry.order.request.key.mchid.clone(),
            out_trade_no: entry.order.request.key.out_trade_no.clone(),
            out_order_no: share.out_order_no.clone(),
            unfreezes: share.unfreezes,
            state: if share.is_finished {
                "FINISHED"
            } else {
                "PROCESSING"
            },
            shared: sum(of_others.map(|part| part.amount)),
            received: sum(received.map(|part| part.amount)),
            returned: sum(returned.map(|returned| returned.amount)),
            returns: returns.map(ShareReturnView::new).collect(),
        }
    }
}

impl ShareReturnView {
    fn new(returned: &ShareReturn) -> Self {
        Self {
            out_return_no: returned.out_return_no.clone(),
            return_mchid: returned.return_mchid.clone(),
            amount: returned.amount,
            result: returned.result_word(),
        }
    }
}

impl NotificationView {
    fn new(notice: &Notice) -> Self {
        let log = notice.tries.iter().map(|made| {
            let (status, problem) = match &made.outcome {
                TryOutcome::Answered(status) => (Some(*status), None),
                TryOutcome::NoAnswer(problem) => (None, Some(problem.clone())),
            };
            TryView {
                due_at: beijing_time(made.due_at),
                status,
                problem,
            }
        });
        Self {
            id: notice.id.clone(),
            event_type: notice.kind.event_type(),
            tries: notice.tries.len(),
            acked: notice.acked,
            log: log.collect(),
        }
    }
}

impl AttemptView {
    fn new(attempt: &Attempt) -> Self {
        Self {
            at: beijing_time(attempt.at),
            openid: attempt.openid.clone(),
            by: attempt.way.as_str(),
            result: attempt.result.as_str(),
        }
    }
}

impl CombinedView {
    fn new(key: &OrderKey, entry: &Entry, now: Timestamp) -> Self {
        let order = &entry.order;
        let sub_orders = order.request.combination.sub_orders().iter();
        Self {
            mchid: key.mchid.clone(),
            combine_out_trade_no: key.out_trade_no.clone(),
            created_at: beijing_time(order.created_at),
            trade_state: order.trade_state(now),
            total: order.request.total,
            sub_orders: sub_orders.map(|key| key.out_trade_no.clone()).collect(),
            attempts: entry.attempts.iter().map(AttemptView::new).collect(),
            notifications: entry.notices.iter().map(NotificationView::new).collect(),
        }
    }
}

impl OrderView {
    fn new(key: &OrderKey, entry: &Entry, now: Timestamp) -> Self {
        let order = &entry.order;
        let payment = order.payment.as_ref();
        let whole = order.request.combination.whole();
        Self {
            mchid: key.mchid.clone(),
            sub_mchid: key.sub_mchid.clone(),
            out_trade_no: key.out_trade_no.clone(),
            combine_out_trade_no: whole.map(|whole| whole.out_trade_no.clone()),
            transaction_id: payment.map(|payment| payment.transaction_id.clone()),
            created_at: beijing_time(order.created_at),
            trade_state: order.trade_state(now),
            total: order.request.total,
            payer_total: payment.map(|payment| payment.payer_total),
            refunded: order.refunded,
            attempts: entry.attempts.iter().map(AttemptView::new).collect(),
            notifications: entry.notices.iter().map(NotificationView::new).collect(),
        }
    }
}
