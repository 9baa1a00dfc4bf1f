//! The ledger as people and tests read it: JSON of every order, and nothing that is secret.

use jiff::Timestamp;
use serde::Serialize;
use wechat_pay::{Fen, TradeState};

use super::{
    notice::Notice,
    order::{Order, OrderKey},
};

/// The ledger as `GET /_simulator/ledger` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerView {
    /// Every order, by number.
    pub orders: Vec<OrderView>,
    /// Every refund; the simulator takes none yet.
    pub refunds: Vec<serde_json::Value>,
}

/// One order in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderView {
    /// The merchant number.
    pub mchid: String,
    /// The merchant's number.
    pub out_trade_no: String,
    /// WeChat's number, once paid.
    pub transaction_id: Option<String>,
    /// Where the order stands.
    pub trade_state: TradeState,
    /// What was ordered, in fen.
    pub total: Fen,
    /// What was paid, in fen, once paid.
    pub payer_total: Option<Fen>,
    /// What went back, in fen.
    pub refunded: Fen,
    /// The notifications of this order.
    pub notifications: Vec<NotificationView>,
}

/// One notification in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotificationView {
    /// WeChat's id.
    pub id: String,
    /// How often it was sent.
    pub tries: usize,
    /// Whether the merchant acknowledged it.
    pub acked: bool,
}

impl OrderView {
    pub(super) fn new(key: &OrderKey, order: &Order, notices: &[Notice], now: Timestamp) -> Self {
        let payment = order.payment.as_ref();
        Self {
            mchid: key.mchid.clone(),
            out_trade_no: key.out_trade_no.clone(),
            transaction_id: payment.map(|payment| payment.transaction_id.clone()),
            trade_state: order.trade_state(now),
            total: order.request.total,
            payer_total: payment.map(|payment| payment.payer_total),
            refunded: Fen::ZERO,
            notifications: notices
                .iter()
                .map(|notice| NotificationView {
                    id: notice.id.clone(),
                    tries: notice.tries.len(),
                    acked: notice.acked,
                })
                .collect(),
        }
    }
}
