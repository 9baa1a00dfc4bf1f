//! A span of business as a bill would list it: payments that succeeded and refunds that were asked
//! for. Read alone.

use std::collections::BTreeMap;

use const_format::formatcp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Ledger, LedgerError, unsigned};

/// What [`PaymentHere`] is read from, and of which tables. Each with its table's name: one day
/// another of them may have a column of that name, too.
const PAYMENT: &str = "attempts.out_trade_no, orders.total_fen, attempts.state,
    attempts.transaction_id, attempts.success_ms, orders.sub_mchid";
const ATTEMPTS: &str = "attempts JOIN orders ON orders.id = attempts.order_id";

/// The same for [`RefundHere`].
const REFUND: &str =
    "refunds.out_refund_no, refunds.out_trade_no, refunds.amount_fen, refunds.state,
    refunds.created_ms, refunds.sent_ms, orders.sub_mchid";
const REFUNDS: &str = "refunds JOIN orders ON orders.id = refunds.order_id";

/// What the ledger has, by WeChat's number of the payment and the merchant's of the refund.
#[derive(Clone, Debug, Default)]
pub(crate) struct Business {
    pub(crate) payments: BTreeMap<String, PaymentHere>,
    pub(crate) refunds: BTreeMap<String, RefundHere>,
}

/// An attempt, as far as a bill knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaymentHere {
    pub(crate) total_fen: u64,
    /// The word of an attempt's state; `mismatch` for money that fits no order.
    pub(crate) state: String,
    pub(crate) transaction_id: Option<String>,
    pub(crate) success_ms: Option<i64>,
    /// Partner mode: whom the order is for.
    pub(crate) sub_mchid: Option<String>,
}

/// A refund, as far as a bill knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefundHere {
    pub(crate) out_trade_no: String,
    pub(crate) amount_fen: u64,
    pub(crate) state: String,
    pub(crate) created_ms: i64,
    pub(crate) sent_ms: Option<i64>,
    /// Partner mode: whom the order is for.
    pub(crate) sub_mchid: Option<String>,
}

impl Ledger {
    /// What happened from one moment on and before another; of one sub-merchant alone, where one
    /// is named.
    pub(crate) async fn business(
        &self,
        from_ms: i64,
        to_ms: i64,
        sub_mchid: Option<&str>,
    ) -> Result<Business, LedgerError> {
        let payments = sqlx::query(formatcp!(
            "SELECT {PAYMENT} FROM {ATTEMPTS}
             WHERE attempts.success_ms >= ?1 AND attempts.success_ms < ?2
               AND (?3 IS NULL OR orders.sub_mchid = ?3)"
        ))
        .bind(from_ms)
        .bind(to_ms)
        .bind(sub_mchid)
        .fetch_all(self.readers.pool())
        .await?;
        let refunds = sqlx::query(formatcp!(
            "SELECT {REFUND} FROM {REFUNDS}
             WHERE refunds.created_ms >= ?1 AND refunds.created_ms < ?2
               AND (?3 IS NULL OR orders.sub_mchid = ?3)"
        ))
        .bind(from_ms)
        .bind(to_ms)
        .bind(sub_mchid)
        .fetch_all(self.readers.pool())
        .await?;
        Ok(Business {
            payments: payments.iter().map(payment).collect::<Result<_, _>>()?,
            refunds: refunds.iter().map(refund).collect::<Result<_, _>>()?,
        })
    }

    /// What the ledger has under a number of WeChat's, whenever it was: an attempt, or money that
    /// fits none.
    pub(crate) async fn payment_here(
        &self,
        out_trade_no: &str,
    ) -> Result<Option<PaymentHere>, LedgerError> {
        let row = sqlx::query(formatcp!(
            "SELECT {PAYMENT} FROM {ATTEMPTS} WHERE attempts.out_trade_no = ?"
        ))
        .bind(out_trade_no)
        .fetch_optional(self.readers.pool())
        .await?;
        let attempt = row.as_ref().map(payment).transpose()?;
        let attempt = attempt.map(|(_, attempt)| attempt);
        if attempt
            .as_ref()
            .is_some_and(|attempt| matches!(attempt.state.as_str(), "paid" | "surplus"))
        {
            return Ok(attempt);
        }
        let kept = sqlx::query("SELECT transaction_id FROM mismatches WHERE out_trade_no = ?")
            .bind(out_trade_no)
            .fetch_optional(self.readers.pool())
            .await?;
        let Some(kept) = kept else {
            return Ok(attempt);
        };
        Ok(Some(PaymentHere {
            total_fen: 0,
            state: "mismatch".to_owned(),
            transaction_id: kept.try_get("transaction_id")?,
            success_ms: None,
            sub_mchid: None,
        }))
    }

    /// WeChat's numbers of the attempts that began at a moment or later, the oldest first.
    pub(crate) async fn numbers_since(&self, since_ms: i64) -> Result<Vec<String>, LedgerError> {
        let rows = sqlx::query(
            "SELECT out_trade_no FROM attempts WHERE created_ms >= ? ORDER BY created_ms, rowid",
        )
        .bind(since_ms)
        .fetch_all(self.readers.pool())
        .await?;
        rows.iter()
            .map(|row| Ok(row.try_get("out_trade_no")?))
            .collect()
    }

    /// Numbers of the refunds since a moment that WeChat may know, the oldest first.
    pub(crate) async fn refund_numbers_since(
        &self,
        since_ms: i64,
    ) -> Result<Vec<String>, LedgerError> {
        let rows = sqlx::query(
            "SELECT out_refund_no FROM refunds
             WHERE created_ms >= ? AND (sent_ms IS NOT NULL OR origin = 'external')
             ORDER BY created_ms, id",
        )
        .bind(since_ms)
        .fetch_all(self.readers.pool())
        .await?;
        rows.iter()
            .map(|row| Ok(row.try_get("out_refund_no")?))
            .collect()
    }

    /// The refund of a number, whenever it was.
    pub(crate) async fn refund_here(
        &self,
        out_refund_no: &str,
    ) -> Result<Option<RefundHere>, LedgerError> {
        let row = sqlx::query(formatcp!(
            "SELECT {REFUND} FROM {REFUNDS} WHERE refunds.out_refund_no = ?"
        ))
        .bind(out_refund_no)
        .fetch_optional(self.readers.pool())
        .await?;
        let found = row.as_ref().map(refund).transpose()?;
        Ok(found.map(|(_, refund)| refund))
    }
}

fn payment(row: &SqliteRow) -> Result<(String, PaymentHere), LedgerError> {
    Ok((
        row.try_get("out_trade_no")?,
        PaymentHere {
            total_fen: unsigned(row, "total_fen")?,
            state: row.try_get("state")?,
            transaction_id: row.try_get("transaction_id")?,
            success_ms: row.try_get("success_ms")?,
            sub_mchid: row.try_get("sub_mchid")?,
        },
    ))
}

fn refund(row: &SqliteRow) -> Result<(String, RefundHere), LedgerError> {
    Ok((
        row.try_get("out_refund_no")?,
        RefundHere {
            out_trade_no: row.try_get("out_trade_no")?,
            amount_fen: unsigned(row, "amount_fen")?,
            state: row.try_get("state")?,
            created_ms: row.try_get("created_ms")?,
            sent_ms: row.try_get("sent_ms")?,
            sub_mchid: row.try_get("sub_mchid")?,
        },
    ))
}
