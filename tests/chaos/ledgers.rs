//! What both ledgers hold at the end, read as plain data: WeChat's through its control interface,
//! the server's from its database, which this only reads.

pub(crate) mod shares;

use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row as _};

/// One order at WeChat: one attempt of ours.
#[derive(Clone, Debug)]
pub(crate) struct WechatOrder {
    pub(crate) mchid: String,
    pub(crate) out_trade_no: String,
    pub(crate) transaction_id: Option<String>,
    pub(crate) total_fen: u64,
    pub(crate) payer_total_fen: u64,
    pub(crate) refunded_fen: u64,
    pub(crate) trade_state: String,
    /// Notifications that were not acknowledged and will be tried again.
    pub(crate) is_notifying: bool,
}

/// One refund at WeChat.
#[derive(Clone, Debug)]
pub(crate) struct WechatRefund {
    pub(crate) mchid: String,
    pub(crate) out_refund_no: String,
    pub(crate) out_trade_no: String,
    pub(crate) status: String,
    pub(crate) amount_fen: u64,
}

/// One refund of ours.
#[derive(Clone, Debug)]
pub(crate) struct OurRefund {
    pub(crate) out_refund_no: String,
    pub(crate) out_trade_no: String,
    pub(crate) order_no: String,
    pub(crate) origin: String,
    pub(crate) state: String,
    pub(crate) amount_fen: u64,
}

/// One order of ours.
#[derive(Clone, Debug)]
pub(crate) struct OurOrder {
    pub(crate) order_no: String,
    pub(crate) state: String,
    pub(crate) total_fen: u64,
    pub(crate) payer_total_fen: Option<u64>,
    pub(crate) refunded_fen: u64,
    pub(crate) attempts: Vec<OurAttempt>,
}

/// One attempt of ours.
#[derive(Clone, Debug)]
pub(crate) struct OurAttempt {
    pub(crate) out_trade_no: String,
    pub(crate) state: String,
    pub(crate) transaction_id: Option<String>,
}

const MISFITS: &str = "SELECT out_trade_no, reason FROM mismatches
                       UNION ALL SELECT out_refund_no, reason FROM refund_mismatches";
/// How often WeChat tries a notification.
const NOTIFICATION_TRIES: u64 = 16;

/// WeChat's orders, as its ledger shows them.
pub(crate) fn wechat_orders(ledger: &Value) -> Vec<WechatOrder> {
    let orders = ledger["orders"].as_array().unwrap();
    let order = |order: &Value| WechatOrder {
        mchid: order["mchid"].as_str().unwrap().to_owned(),
        trade_state: order["trade_state"].as_str().unwrap().to_owned(),
        out_trade_no: order["out_trade_no"].as_str().unwrap().to_owned(),
        transaction_id: order["transaction_id"].as_str().map(str::to_owned),
        total_fen: order["total"].as_u64().unwrap(),
        payer_total_fen: order["payer_total"].as_u64().unwrap_or(0),
        refunded_fen: order["refunded"].as_u64().unwrap(),
        is_notifying: order["notifications"]
            .as_array()
            .unwrap()
            .iter()
            .any(|note| {
                note["acked"] == false && note["tries"].as_u64().unwrap() < NOTIFICATION_TRIES
            }),
    };
    orders.iter().map(order).collect()
}

/// WeChat's refunds, as its ledger shows them.
pub(crate) fn wechat_refunds(ledger: &Value) -> Vec<WechatRefund> {
    let text = |refund: &Value, field: &str| refund[field].as_str().unwrap().to_owned();
    let refunds = ledger["refunds"].as_array().unwrap().iter();
    let refund = |refund: &Value| WechatRefund {
        mchid: text(refund, "mchid"),
        out_refund_no: text(refund, "out_refund_no"),
        out_trade_no: text(refund, "out_trade_no"),
        status: text(refund, "status"),
        amount_fen: refund["refund"].as_u64().unwrap(),
    };
    refunds.map(refund).collect()
}

/// The server's database, which the audit reads while the server runs.
pub(crate) struct Database(AnyPool);

impl Database {
    pub(crate) async fn open(address: &str) -> Self {
        // It may be called several times.
        sqlx::any::install_default_drivers();
        Self(AnyPool::connect(address).await.unwrap())
    }

    /// All orders with their attempts.
    pub(crate) async fn orders(&self) -> Vec<OurOrder> {
        let orders = self
            .rows(
                "SELECT id, order_no, state, total_fen, payer_total_fen, refunded_fen FROM orders
                 ORDER BY id",
            )
            .await;
        let attempts = self
            .rows(
                "SELECT order_id, out_trade_no, state, transaction_id FROM attempts
                 ORDER BY order_id, number",
            )
            .await;
        let mut attempts = attempts.iter().peekable();
        let order = |row: &AnyRow| {
            let id: i64 = row.get("id");
            let own = std::iter::from_fn(|| {
                attempts.next_if(|attempt| attempt.get::<i64, _>("order_id") == id)
            });
            OurOrder {
                attempts: own.map(attempt).collect(),
                order_no: row.get("order_no"),
                state: row.get("state"),
                total_fen: fen(row, "total_fen"),
                refunded_fen: fen(row, "refunded_fen"),
                payer_total_fen: row
                    .get::<Option<i64>, _>("payer_total_fen")
                    .map(|fen| fen.try_into().unwrap()),
            }
        };
        orders.iter().map(order).collect()
    }

    /// All refunds.
    pub(crate) async fn refunds(&self) -> Vec<OurRefund> {
        let rows = self
            .rows(
                "SELECT out_refund_no, out_trade_no, order_no, origin, refunds.state, amount_fen
                 FROM refunds JOIN orders ON orders.id = order_id",
            )
            .await;
        let refund = |row: &AnyRow| OurRefund {
            out_refund_no: row.get("out_refund_no"),
            out_trade_no: row.get("out_trade_no"),
            order_no: row.get("order_no"),
            origin: row.get("origin"),
            state: row.get("state"),
            amount_fen: fen(row, "amount_fen"),
        };
        rows.iter().map(refund).collect()
    }

    /// Payments and refunds that match no order: number and reason.
    pub(crate) async fn mismatches(&self) -> Vec<(String, String)> {
        let rows = self.rows(MISFITS).await;
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// When the next piece of work is due, and what it is. An abnormal refund waits for a person,
    /// and the server queries it without end; so it does not count as work that is left.
    pub(crate) async fn next_due(&self) -> Option<(i64, String)> {
        let rows = self
            .rows(
                "SELECT due_ms, kind || ' ' || subject FROM due_work
                 WHERE NOT (kind = 'refund' AND subject IN
                            (SELECT out_refund_no FROM refunds WHERE state = 'abnormal'))
                 ORDER BY due_ms LIMIT 1",
            )
            .await;
        rows.first().map(|row| (row.get(0), row.get(1)))
    }

    async fn rows(&self, query: &'static str) -> Vec<AnyRow> {
        sqlx::query(query).fetch_all(&self.0).await.unwrap()
    }
}

fn attempt(row: &AnyRow) -> OurAttempt {
    OurAttempt {
        out_trade_no: row.get("out_trade_no"),
        state: row.get("state"),
        transaction_id: row.get("transaction_id"),
    }
}

fn fen(row: &AnyRow, column: &str) -> u64 {
    row.get::<i64, _>(column).try_into().unwrap()
}
