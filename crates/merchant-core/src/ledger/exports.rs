//! Orders, payments and refunds of a span of time, page by page, for an export. This module only reads.

use const_format::formatcp;
use ledger_database::{query_as, row};
use merchant_api::AttemptProduct;
use payment_values::{Fen, OrderNo, OutTradeNo, TransactionId};

use super::column::Word;
use super::orders::{COLUMNS as ORDER, Order};
use super::refunds::{COLUMNS as REFUND, Refund};
use super::{AttemptState, Ledger, LedgerError, Span, SubOrder};

/// How many rows are read at once.
const PAGE: i64 = 1_000;

/// A payment with the fields of its order that an export shows.
#[derive(Clone, Debug)]
pub(crate) struct ExportedPayment {
    pub(crate) order_id: i64,
    pub(crate) number: i64,
    pub(crate) order_no: OrderNo,
    pub(crate) total_fen: Fen,
    pub(crate) product: AttemptProduct,
    pub(crate) out_trade_no: OutTradeNo,
    pub(crate) appid: String,
    pub(crate) sub_mchid: Option<String>,
    pub(crate) sub_appid: Option<String>,
    pub(crate) state: AttemptState,
    pub(crate) transaction_id: Option<TransactionId>,
    pub(crate) bank_type: Option<String>,
    pub(crate) payer_total_fen: Option<Fen>,
    pub(crate) success_time: Option<String>,
    pub(crate) is_combined: bool,
    /// The sub-order that it is the payment of.
    pub(crate) sub_order_no: Option<String>,
}

row! {
    ExportedPayment {
        order_id,
        number,
        order_no,
        total_fen,
        product as Word<AttemptProduct>,
        out_trade_no,
        appid,
        sub_mchid,
        sub_appid,
        state as Word<AttemptState>,
        transaction_id,
        bank_type,
        payer_total_fen,
        success_time,
        is_combined;
        default sub_order_no
    }
}

/// A refund with the fields of its order that an export shows.
#[derive(Debug)]
pub(crate) struct ExportedRefund {
    pub(crate) order_no: OrderNo,
    pub(crate) sub_mchid: Option<String>,
    pub(crate) refund: Refund,
}

row! {
    ExportedRefund {
        order_no,
        sub_mchid;
        .. refund
    }
}

impl Ledger {
    /// The next orders that were created in a span, oldest first; after the order with this id. An empty
    /// page is the end.
    pub(crate) async fn exported_orders(
        &self,
        span: Span<'_>,
        after_id: i64,
    ) -> Result<Vec<Order>, LedgerError> {
        let rows = query_as(formatcp!(
            "SELECT {ORDER} FROM orders
             WHERE merchant = ?5 AND id > ?1 AND created_ms >= ?2 AND created_ms < ?3
               AND (?4 IS NULL OR sub_mchid = ?4
                    OR id IN (SELECT sub_orders.order_id FROM sub_orders
                              WHERE sub_orders.merchant = ?5 AND sub_orders.sub_mchid = ?4))
             ORDER BY id LIMIT {PAGE}"
        ))
        .bind(after_id)
        .bind(span.from_ms)
        .bind(span.to_ms)
        .bind(span.sub_mchid)
        .bind(self.merchant)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(rows)
    }

    /// The next payments of a span, by order and attempt; after the attempt with these numbers. The time
    /// is WeChat's, or that of the attempt's start if WeChat named none. A combined attempt is one payment for
    /// each sub-order.
    pub(crate) async fn exported_payments(
        &self,
        span: Span<'_>,
        after: (i64, i64),
    ) -> Result<Vec<ExportedPayment>, LedgerError> {
        let rows: Vec<ExportedPayment> = query_as(formatcp!(
            "SELECT attempts.order_id, attempts.number, orders.order_no, orders.total_fen,
                    attempts.product, attempts.out_trade_no, attempts.appid, attempts.sub_mchid,
                    attempts.sub_appid, attempts.state, attempts.transaction_id, attempts.bank_type,
                    attempts.payer_total_fen, attempts.success_time, attempts.is_combined
             FROM attempts JOIN orders ON orders.id = attempts.order_id
             WHERE attempts.merchant = ?6 AND attempts.state IN ('paid', 'surplus')
               AND (attempts.order_id, attempts.number) > (?1, ?2)
               AND COALESCE(attempts.success_ms, attempts.created_ms) >= ?3
               AND COALESCE(attempts.success_ms, attempts.created_ms) < ?4
               AND (?5 IS NULL OR orders.sub_mchid = ?5
                    OR attempts.order_id IN (SELECT sub_orders.order_id FROM sub_orders
                                             WHERE sub_orders.merchant = ?6
                                               AND sub_orders.sub_mchid = ?5))
             ORDER BY attempts.order_id, attempts.number LIMIT {PAGE}"
        ))
        .bind(after.0)
        .bind(after.1)
        .bind(span.from_ms)
        .bind(span.to_ms)
        .bind(span.sub_mchid)
        .bind(self.merchant)
        .fetch_all(self.readers.scan())
        .await?;
        let mut payments = Vec::new();
        for row in rows {
            if row.is_combined {
                payments.extend(self.of_sub_orders(span, &row).await?);
            } else {
                payments.push(row);
            }
        }
        Ok(payments)
    }

    /// The payments of a combined attempt's sub-orders, as far as they are of the span's sub-merchant.
    async fn of_sub_orders(
        &self,
        span: Span<'_>,
        attempt: &ExportedPayment,
    ) -> Result<Vec<ExportedPayment>, LedgerError> {
        let number = u64::try_from(attempt.number).unwrap_or_default();
        let sub_orders = self.sub_orders_of_attempt(attempt.order_id, number).await?;
        let is_exported = |sub_order: &SubOrder| {
            span.sub_mchid.is_none() || sub_order.sub_mchid.as_deref() == span.sub_mchid
        };
        let payment = |sub_order: SubOrder| {
            Some(ExportedPayment {
                out_trade_no: sub_order.out_trade_no?,
                transaction_id: sub_order.transaction_id,
                total_fen: sub_order.amount_fen,
                sub_mchid: sub_order.sub_mchid,
                bank_type: sub_order.bank_type,
                payer_total_fen: sub_order.payer_total_fen,
                success_time: sub_order.success_time,
                sub_order_no: Some(sub_order.sub_order_no),
                ..attempt.clone()
            })
        };
        let exported = sub_orders.into_iter().filter(is_exported);
        Ok(exported.filter_map(payment).collect())
    }

    /// The next refunds that were created in a span, oldest first; after the refund with this id.
    pub(crate) async fn exported_refunds(
        &self,
        span: Span<'_>,
        after_id: i64,
    ) -> Result<Vec<ExportedRefund>, LedgerError> {
        const ORDER_NO: &str = "SELECT order_no FROM orders WHERE orders.id = refunds.order_id";
        const SUB_MCHID: &str =
            "SELECT COALESCE(sub_orders.sub_mchid, orders.sub_mchid) FROM orders
            LEFT JOIN sub_orders ON sub_orders.order_id = orders.id
                                AND sub_orders.sub_order_no = refunds.sub_order_no
            WHERE orders.id = refunds.order_id";
        let rows = query_as(formatcp!(
            "SELECT {REFUND}, ({ORDER_NO}) AS order_no, ({SUB_MCHID}) AS sub_mchid FROM refunds
             WHERE merchant = ?5 AND id > ?1 AND created_ms >= ?2 AND created_ms < ?3
               AND (?4 IS NULL OR ({SUB_MCHID}) = ?4)
             ORDER BY id LIMIT {PAGE}"
        ))
        .bind(after_id)
        .bind(span.from_ms)
        .bind(span.to_ms)
        .bind(span.sub_mchid)
        .bind(self.merchant)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(rows)
    }
}
