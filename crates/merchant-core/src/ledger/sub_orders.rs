//! The sub-orders of combined orders (合单支付), and what each of them is in an attempt: a number at WeChat
//! and, once the buyer has paid, a payment of its own. They have no state of their own: WeChat takes the
//! money for all of them or for none, so the attempt's state is theirs.

use const_format::formatcp;
use ledger_database::{Executor, query, query_as, row};
use merchant_api::{SubOrderDetails, SubOrderNumbers};
use payment_values::{Fen, OutTradeNo, TransactionId};

use super::{Ledger, LedgerError, Write, signed};

/// The columns of [`SubOrder`], and the tables that have them.
const COLUMNS: &str = "sub_payments.attempt, sub_orders.sub_order_no, sub_orders.sub_mchid,
    sub_orders.amount_fen, sub_orders.description, sub_orders.attach,
    sub_payments.out_trade_no, sub_payments.transaction_id, sub_payments.payer_total_fen,
    sub_payments.bank_type, sub_payments.success_time,
    (SELECT CAST(COALESCE(SUM(refunds.amount_fen), 0) AS BIGINT) FROM refunds
     WHERE refunds.merchant = sub_payments.merchant
       AND refunds.out_trade_no = sub_payments.out_trade_no AND refunds.state = 'succeeded')
        AS refunded_fen";
const TABLES: &str = "sub_orders LEFT JOIN sub_payments
    ON sub_payments.order_id = sub_orders.order_id AND sub_payments.place = sub_orders.place";

/// A sub-order of a new order.
#[derive(Clone, Debug)]
pub(crate) struct NewSubOrder {
    pub(crate) sub_order_no: String,
    pub(crate) sub_mchid: Option<String>,
    pub(crate) amount_fen: Fen,
    pub(crate) description: String,
    pub(crate) attach: Option<String>,
}

/// A sub-order in one attempt; or, while its order has no attempt, by itself.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "sub_order_no is the contract's name for its number"
)]
pub(crate) struct SubOrder {
    pub(crate) attempt: Option<u64>,
    /// The merchant's number.
    pub(crate) sub_order_no: String,
    pub(crate) sub_mchid: Option<String>,
    pub(crate) amount_fen: Fen,
    pub(crate) description: String,
    pub(crate) attach: Option<String>,
    /// Its number at WeChat.
    pub(crate) out_trade_no: Option<OutTradeNo>,
    pub(crate) transaction_id: Option<TransactionId>,
    pub(crate) payer_total_fen: Option<Fen>,
    pub(crate) bank_type: Option<String>,
    pub(crate) success_time: Option<String>,
    /// The sum of its refunds that succeeded.
    pub(crate) refunded_fen: Fen,
}

row! {
    SubOrder {
        attempt,
        sub_order_no,
        sub_mchid,
        amount_fen,
        description,
        attach,
        out_trade_no,
        transaction_id,
        payer_total_fen,
        bank_type,
        success_time,
        refunded_fen,
    }
}

impl SubOrder {
    /// In the private API's form; `mchid` is the merchant that orders.
    pub(crate) fn details(&self, mchid: &str) -> SubOrderDetails {
        SubOrderDetails {
            sub_order_no: self.sub_order_no.clone(),
            mchid: mchid.to_owned(),
            sub_mchid: self.sub_mchid.clone(),
            amount_fen: self.amount_fen,
            description: self.description.clone(),
            attach: self.attach.clone(),
            out_trade_no: self.out_trade_no.clone(),
            transaction_id: self.transaction_id.clone(),
            payer_total_fen: self.payer_total_fen,
            refunded_fen: self.refunded_fen,
        }
    }

    /// Its numbers in its attempt; `None` if it is in none.
    pub(crate) fn numbers(&self) -> Option<SubOrderNumbers> {
        Some(SubOrderNumbers {
            sub_order_no: self.sub_order_no.clone(),
            out_trade_no: self.out_trade_no.clone()?,
            transaction_id: self.transaction_id.clone(),
        })
    }
}

/// What WeChat reported of a sub-order's payment. It was compared with the attempt.
#[derive(Clone, Debug)]
pub(crate) struct PaidSubOrder {
    pub(crate) out_trade_no: OutTradeNo,
    pub(crate) transaction_id: TransactionId,
    pub(crate) payer_total_fen: Option<Fen>,
    pub(crate) bank_type: Option<String>,
    pub(crate) success_time: Option<String>,
    /// WeChat reports it as refunded, in part or in full.
    pub(crate) is_refunded: bool,
}

impl Ledger {
    /// The sub-orders of an order in each of its attempts, oldest attempt first; none of an ordinary order.
    pub(crate) async fn sub_orders(&self, order_id: i64) -> Result<Vec<SubOrder>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM {TABLES} WHERE sub_orders.order_id = ?
             ORDER BY sub_payments.attempt, sub_orders.place"
        ))
        .bind(order_id)
        .fetch_all(&self.readers)
        .await?;
        Ok(found)
    }

    /// The sub-orders of an attempt; none of an ordinary attempt.
    pub(crate) async fn sub_orders_of_attempt(
        &self,
        order_id: i64,
        attempt: u64,
    ) -> Result<Vec<SubOrder>, LedgerError> {
        of_attempt(&self.readers, order_id, attempt).await
    }
}

/// The sub-orders of an attempt, read in the caller's transaction.
pub(super) async fn of_attempt(
    on: impl Executor,
    order_id: i64,
    attempt: u64,
) -> Result<Vec<SubOrder>, LedgerError> {
    let found = query_as(formatcp!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE sub_orders.order_id = ? AND sub_payments.attempt = ?
         ORDER BY sub_orders.place"
    ))
    .bind(order_id)
    .bind(signed(attempt))
    .fetch_all(on)
    .await?;
    Ok(found)
}

/// Records the sub-orders of a new order.
pub(super) async fn insert(
    write: &mut Write,
    order_id: i64,
    sub_orders: &[NewSubOrder],
) -> Result<(), LedgerError> {
    for (place, sub_order) in (1_i64..).zip(sub_orders) {
        query(
            "INSERT INTO sub_orders (merchant, order_id, place, sub_order_no, sub_mchid, amount_fen,
                                     description, attach)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(write.merchant())
        .bind(order_id)
        .bind(place)
        .bind(&sub_order.sub_order_no)
        .bind(&sub_order.sub_mchid)
        .bind(sub_order.amount_fen)
        .bind(&sub_order.description)
        .bind(&sub_order.attach)
        .execute(&mut *write)
        .await?;
    }
    Ok(())
}

/// Records the numbers that the sub-orders have in a new attempt, in their order.
pub(super) async fn begin_attempt(
    write: &mut Write,
    order_id: i64,
    attempt: u64,
    numbers: &[OutTradeNo],
) -> Result<(), LedgerError> {
    for (place, number) in (1_i64..).zip(numbers) {
        query(
            "INSERT INTO sub_payments (merchant, order_id, attempt, place, out_trade_no)
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(write.merchant())
        .bind(order_id)
        .bind(signed(attempt))
        .bind(place)
        .bind(number)
        .execute(&mut *write)
        .await?;
    }
    Ok(())
}

/// Records what WeChat reported of each sub-order's payment; `success_ms` reads a time of WeChat's.
pub(super) async fn note_paid(
    write: &mut Write,
    paid: &[PaidSubOrder],
    success_ms: fn(&str) -> Option<i64>,
) -> Result<(), LedgerError> {
    for sub_order in paid {
        query(
            "UPDATE sub_payments SET transaction_id = ?, payer_total_fen = ?, bank_type = ?,
                                     success_time = ?, success_ms = ?
             WHERE merchant = ? AND out_trade_no = ?",
        )
        .bind(&sub_order.transaction_id)
        .bind(sub_order.payer_total_fen)
        .bind(&sub_order.bank_type)
        .bind(&sub_order.success_time)
        .bind(sub_order.success_time.as_deref().and_then(success_ms))
        .bind(write.merchant())
        .bind(&sub_order.out_trade_no)
        .execute(&mut *write)
        .await?;
    }
    Ok(())
}

/// Records when WeChat first reports a sub-order as refunded while no refund of it is known here. Returns
/// whether that is new.
pub(super) async fn note_unknown_refund(
    write: &mut Write,
    paid: &PaidSubOrder,
    now_ms: i64,
) -> Result<bool, LedgerError> {
    let seen = query(
        "UPDATE sub_payments SET refund_seen_ms = ?1
         WHERE merchant = ?3 AND out_trade_no = ?2 AND refund_seen_ms IS NULL
           AND NOT EXISTS (SELECT 1 FROM refunds
                           WHERE refunds.merchant = ?3 AND refunds.out_trade_no = ?2)",
    )
    .bind(now_ms)
    .bind(&paid.out_trade_no)
    .bind(write.merchant())
    .execute(&mut *write)
    .await?;
    Ok(seen > 0)
}
