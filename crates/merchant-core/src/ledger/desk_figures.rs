//! The figures of the desk: sums and counts of a span of time. This module only reads.

use const_format::formatcp;
use ledger_database::{query_as, query_scalar, row};
use merchant_api::AttemptProduct;
use payment_values::Fen;

use super::column::Word;
use super::{Ledger, LedgerError, Refund, refunds};

/// An hour in milliseconds. Shanghai's offset is whole hours, so its hours are those of UTC.
const HOUR_MS: i64 = 3_600_000;

/// What was paid in an hour by one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TakingRow {
    /// Hours since 1970 in UTC.
    pub(crate) hour_no: i64,
    pub(crate) product: AttemptProduct,
    pub(crate) count: u64,
    pub(crate) fen: Fen,
}

row! {
    TakingRow { hour_no, product as Word<AttemptProduct>, count, fen }
}

/// A count and a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) count: u64,
    pub(crate) fen: Fen,
}

row! {
    Total { count, fen }
}

/// Orders of one state whose newest attempt is in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CountedOrders {
    pub(crate) state: String,
    /// `None`: nobody has begun to pay.
    pub(crate) attempt: Option<String>,
    /// Whether a page showed them before anybody began to pay.
    pub(crate) is_shown: bool,
    pub(crate) count: u64,
}

row! {
    CountedOrders { state, attempt, is_shown, count }
}

impl Ledger {
    /// The payments that settled an order since a moment, by hour and product.
    pub(crate) async fn takings_since(&self, from_ms: i64) -> Result<Vec<TakingRow>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT attempts.success_ms / {HOUR_MS} AS hour_no, attempts.product,
                    COUNT(*) AS count, CAST(SUM(orders.total_fen) AS BIGINT) AS fen
             FROM attempts JOIN orders ON orders.id = attempts.order_id
             WHERE attempts.merchant = ? AND attempts.success_ms >= ? AND attempts.state = 'paid'
             GROUP BY attempts.success_ms / {HOUR_MS}, attempts.product"
        ))
        .bind(self.merchant)
        .bind(from_ms)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(found)
    }

    /// The refunds that succeeded since a moment, by the time at which this server learned of it.
    pub(crate) async fn refunded_since(&self, from_ms: i64) -> Result<Total, LedgerError> {
        let found = query_as(
            "SELECT COUNT(*) AS count, CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) AS fen
             FROM refunds WHERE +merchant = ? AND state = 'succeeded' AND state_ms >= ?",
        )
        .bind(self.merchant)
        .bind(from_ms)
        .fetch_one(self.readers.scan())
        .await?;
        Ok(found)
    }

    /// The orders that were created since a moment, by their state, by that of their newest attempt, and by
    /// whether they were shown.
    pub(crate) async fn orders_since(
        &self,
        from_ms: i64,
    ) -> Result<Vec<CountedOrders>, LedgerError> {
        let found = query_as(
            "SELECT orders.state AS state, attempts.state AS attempt,
                    CASE WHEN orders.shown_ms IS NULL THEN 0 ELSE 1 END AS is_shown,
                    COUNT(*) AS count
             FROM orders LEFT JOIN attempts
               ON attempts.order_id = orders.id AND attempts.number = orders.current_attempt
             WHERE orders.merchant = ? AND orders.created_ms >= ?
             GROUP BY orders.state, attempts.state,
                      CASE WHEN orders.shown_ms IS NULL THEN 0 ELSE 1 END",
        )
        .bind(self.merchant)
        .bind(from_ms)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(found)
    }

    /// The refunds that WeChat could not complete, newest first.
    pub(crate) async fn abnormal_refunds(&self, limit: u32) -> Result<Vec<Refund>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {} FROM refunds WHERE +merchant = ? AND state = 'abnormal'
             ORDER BY id DESC LIMIT ?",
            refunds::COLUMNS
        ))
        .bind(self.merchant)
        .bind(limit)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(found)
    }

    /// The messages to the merchant's backend by state.
    pub(crate) async fn webhook_counts(&self) -> Result<Vec<(String, u64)>, LedgerError> {
        let found = query_as(
            "SELECT state, COUNT(*) AS count FROM webhooks WHERE merchant = ? GROUP BY state",
        )
        .bind(self.merchant)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(found)
    }

    /// How many mismatches and abnormal refunds wait for a person.
    pub(crate) async fn open_tasks(&self) -> Result<u64, LedgerError> {
        let found = query_scalar(
            "SELECT (SELECT COUNT(*) FROM mismatches WHERE merchant = ?1 AND done_ms IS NULL)
                  + (SELECT COUNT(*) FROM refund_mismatches
                     WHERE merchant = ?1 AND done_ms IS NULL)
                  + (SELECT COUNT(*) FROM kept_notifications
                     WHERE merchant = ?1 AND done_ms IS NULL)
                  + (SELECT COUNT(*) FROM refunds
                     WHERE merchant = ?1 AND state = 'abnormal') AS count",
        )
        .bind(self.merchant)
        .fetch_one(self.readers.scan())
        .await?;
        Ok(found)
    }
}
