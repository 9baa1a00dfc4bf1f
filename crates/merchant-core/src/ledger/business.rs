//! The payments and refunds of a span of time, as a bill lists them. This module only reads.

use ledger_database::{query_as, query_scalar, row};
use std::collections::BTreeMap;

use const_format::formatcp;
use payment_values::{Fen, OutRefundNo, OutTradeNo};

use super::{Ledger, LedgerError};

/// The columns and tables of [`PaymentHere`]. Each column names its table, because another table
/// may get a column of the same name later.
const PAYMENT: &str = "attempts.out_trade_no, orders.total_fen, attempts.state,
    attempts.transaction_id, attempts.success_ms, orders.sub_mchid";
const ATTEMPTS: &str = "attempts JOIN orders ON orders.id = attempts.order_id";

/// The same for [`RefundHere`].
const REFUND: &str =
    "refunds.out_refund_no, refunds.out_trade_no, refunds.amount_fen, refunds.state,
    refunds.created_ms, refunds.sent_ms, orders.sub_mchid";
const REFUNDS: &str = "refunds JOIN orders ON orders.id = refunds.order_id";

/// Payments by `out_trade_no` and refunds by `out_refund_no`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Business {
    pub(crate) payments: BTreeMap<OutTradeNo, PaymentHere>,
    pub(crate) refunds: BTreeMap<OutRefundNo, RefundHere>,
}

/// The part of an attempt that a bill lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaymentHere {
    pub(crate) total_fen: Fen,
    /// The name of the attempt's state; `mismatch` for a payment that matches no order.
    pub(crate) state: String,
    /// A text, because an unmatched payment's number may break every rule.
    pub(crate) transaction_id: Option<String>,
    pub(crate) success_ms: Option<i64>,
    /// Partner mode: the sub-merchant that the order is for.
    pub(crate) sub_mchid: Option<String>,
}

row! {
    PaymentHere {
        total_fen,
        state,
        transaction_id,
        success_ms,
        sub_mchid,
    }
}

/// The part of a refund that a bill lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefundHere {
    pub(crate) out_trade_no: OutTradeNo,
    pub(crate) amount_fen: Fen,
    pub(crate) state: String,
    pub(crate) created_ms: i64,
    pub(crate) sent_ms: Option<i64>,
    /// Partner mode: the sub-merchant that the order is for.
    pub(crate) sub_mchid: Option<String>,
}

row! {
    RefundHere {
        out_trade_no,
        amount_fen,
        state,
        created_ms,
        sent_ms,
        sub_mchid,
    }
}

/// A row of [`PAYMENT`]: what the ledger has under WeChat's number.
struct PaymentRow {
    out_trade_no: OutTradeNo,
    payment: PaymentHere,
}

row! {
    PaymentRow {
        out_trade_no;
        .. payment
    }
}

/// A row of [`REFUND`]: what the ledger has under the refund's number.
struct RefundRow {
    out_refund_no: OutRefundNo,
    refund: RefundHere,
}

row! {
    RefundRow {
        out_refund_no;
        .. refund
    }
}

impl Ledger {
    /// The payments and refunds from `from_ms` on and before `to_ms`. If a sub-merchant is given,
    /// only the payments and refunds of that sub-merchant.
    pub(crate) async fn business(
        &self,
        from_ms: i64,
        to_ms: i64,
        sub_mchid: Option<&str>,
    ) -> Result<Business, LedgerError> {
        let payments: Vec<PaymentRow> = query_as(formatcp!(
            "SELECT {PAYMENT} FROM {ATTEMPTS}
             WHERE attempts.success_ms >= ?1 AND attempts.success_ms < ?2
               AND (?3 IS NULL OR orders.sub_mchid = ?3)"
        ))
        .bind(from_ms)
        .bind(to_ms)
        .bind(sub_mchid)
        .fetch_all(self.readers.scan())
        .await?;
        let refunds: Vec<RefundRow> = query_as(formatcp!(
            "SELECT {REFUND} FROM {REFUNDS}
             WHERE refunds.created_ms >= ?1 AND refunds.created_ms < ?2
               AND (?3 IS NULL OR orders.sub_mchid = ?3)"
        ))
        .bind(from_ms)
        .bind(to_ms)
        .bind(sub_mchid)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(Business {
            payments: payments
                .into_iter()
                .map(|row| (row.out_trade_no, row.payment))
                .collect(),
            refunds: refunds
                .into_iter()
                .map(|row| (row.out_refund_no, row.refund))
                .collect(),
        })
    }

    /// The attempt with an `out_trade_no` of a bill, of any day, or else the unmatched payment with
    /// that number. A bill may name numbers that are not ours.
    pub(crate) async fn payment_here(
        &self,
        out_trade_no: &str,
    ) -> Result<Option<PaymentHere>, LedgerError> {
        let attempt: Option<PaymentHere> = query_as(formatcp!(
            "SELECT {PAYMENT} FROM {ATTEMPTS} WHERE attempts.out_trade_no = ?"
        ))
        .bind(out_trade_no)
        .fetch_optional(&self.readers)
        .await?;
        if attempt
            .as_ref()
            .is_some_and(|attempt| matches!(attempt.state.as_str(), "paid" | "surplus"))
        {
            return Ok(attempt);
        }
        let kept = query_scalar("SELECT transaction_id FROM mismatches WHERE out_trade_no = ?")
            .bind(out_trade_no)
            .fetch_optional(&self.readers)
            .await?;
        let Some(transaction_id) = kept else {
            return Ok(attempt);
        };
        Ok(Some(PaymentHere {
            total_fen: Fen::ZERO,
            state: "mismatch".to_owned(),
            transaction_id,
            success_ms: None,
            sub_mchid: None,
        }))
    }

    /// The `out_trade_no`s of the attempts that were created at `since_ms` or later, oldest first.
    pub(crate) async fn numbers_since(
        &self,
        since_ms: i64,
    ) -> Result<Vec<OutTradeNo>, LedgerError> {
        let numbers = query_scalar(
            "SELECT out_trade_no FROM attempts WHERE created_ms >= ? ORDER BY created_ms, rowid",
        )
        .bind(since_ms)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(numbers)
    }

    /// The `out_refund_no`s of the refunds that were created at `since_ms` or later and that WeChat
    /// may know, oldest first.
    pub(crate) async fn refund_numbers_since(
        &self,
        since_ms: i64,
    ) -> Result<Vec<OutRefundNo>, LedgerError> {
        let numbers = query_scalar(
            "SELECT out_refund_no FROM refunds
             WHERE created_ms >= ? AND (sent_ms IS NOT NULL OR origin = 'external')
             ORDER BY created_ms, id",
        )
        .bind(since_ms)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(numbers)
    }

    /// The refund with this number of a bill, of any day.
    pub(crate) async fn refund_here(
        &self,
        out_refund_no: &str,
    ) -> Result<Option<RefundHere>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {REFUND} FROM {REFUNDS} WHERE refunds.out_refund_no = ?"
        ))
        .bind(out_refund_no)
        .fetch_optional(&self.readers)
        .await?;
        Ok(found)
    }
}
