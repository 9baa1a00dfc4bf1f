//! The payments and refunds of a span of time, as a bill lists them. This module only reads.

use std::collections::BTreeMap;

use const_format::formatcp;
use ledger_database::{FromRow, QueryAs, query_as, query_scalar, row};
use payment_values::{Fen, OutRefundNo, OutTradeNo};

use super::{Ledger, LedgerError};

/// The columns and tables of [`PaymentHere`]. Each column names its table, because another table
/// may get a column of the same name later.
const PAYMENT: &str = "attempts.out_trade_no, attempts.rowid AS place, orders.total_fen,
    attempts.state, attempts.transaction_id, attempts.success_ms, orders.sub_mchid";
const ATTEMPTS: &str = "attempts JOIN orders ON orders.id = attempts.order_id";

/// The same for a sub-order of a combined attempt. Its place is negative, because attempts have the others.
const SUB_PAYMENT: &str = "sub_payments.out_trade_no, -sub_payments.id AS place,
    sub_orders.amount_fen AS total_fen, attempts.state, sub_payments.transaction_id,
    sub_payments.success_ms, sub_orders.sub_mchid";
const SUB_PAYMENTS: &str = "sub_payments
    JOIN sub_orders ON sub_orders.order_id = sub_payments.order_id
                   AND sub_orders.place = sub_payments.place
    JOIN attempts ON attempts.order_id = sub_payments.order_id
                 AND attempts.number = sub_payments.attempt";

/// The same for [`RefundHere`].
const REFUND: &str =
    "refunds.out_refund_no, refunds.id AS place, refunds.out_trade_no, refunds.amount_fen,
    refunds.state, refunds.created_ms, refunds.sent_ms,
    COALESCE(sub_orders.sub_mchid, orders.sub_mchid) AS sub_mchid";
const REFUNDS: &str = "refunds JOIN orders ON orders.id = refunds.order_id
    LEFT JOIN sub_orders ON sub_orders.order_id = refunds.order_id
                        AND sub_orders.sub_order_no = refunds.sub_order_no";

/// The numbers that one statement looks up, as its values.
pub(super) const NUMBERS: &str =
    "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";
/// How many they are.
pub(super) const NUMBERS_AT_ONCE: usize = 50;

/// How many entries of a day are read at once.
const PAGE: i64 = 1_000;

/// The entries of a span of time, of a sub-merchant only if one is named. They are read page by
/// page, because a day may not fit into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span<'a> {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) sub_mchid: Option<&'a str>,
}

/// The part of an attempt, or of a sub-order in one, that a bill lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaymentHere {
    /// Its place in the ledger, below 0 for a sub-order; `None` for a payment that matches no order.
    pub(crate) place: Option<i64>,
    pub(crate) total_fen: Fen,
    /// The name of the attempt's state; `mismatch` for a payment that matches no order.
    pub(crate) state: String,
    /// A text, because an unmatched payment's number may break every rule.
    pub(crate) transaction_id: Option<String>,
    pub(crate) success_ms: Option<i64>,
    /// Partner mode: the sub-merchant that the order, or the sub-order, is for.
    pub(crate) sub_mchid: Option<String>,
}

row! {
    PaymentHere {
        place,
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
    /// The refund's place in the ledger.
    pub(crate) place: i64,
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
        place,
        out_trade_no,
        amount_fen,
        state,
        created_ms,
        sent_ms,
        sub_mchid,
    }
}

/// A row of [`PAYMENT`]: what the ledger has under WeChat's number.
pub(crate) struct PaymentRow {
    pub(crate) out_trade_no: OutTradeNo,
    pub(crate) payment: PaymentHere,
}

row! {
    PaymentRow {
        out_trade_no;
        .. payment
    }
}

/// A row of [`REFUND`]: what the ledger has under the refund's number.
pub(crate) struct RefundRow {
    pub(crate) out_refund_no: OutRefundNo,
    pub(crate) refund: RefundHere,
}

row! {
    RefundRow {
        out_refund_no;
        .. refund
    }
}

/// What the ledger has under an unmatched payment's number.
struct UnmatchedRow {
    out_trade_no: String,
    transaction_id: Option<String>,
}

row! {
    UnmatchedRow {
        out_trade_no,
        transaction_id,
    }
}

impl Ledger {
    /// The next payments of ordinary orders of a span, oldest first; after `after`, which is none at first. An
    /// empty page is the end.
    pub(crate) async fn payments_of(
        &self,
        span: Span<'_>,
        after: Option<&PaymentRow>,
    ) -> Result<Vec<PaymentRow>, LedgerError> {
        let statement = formatcp!(
            "SELECT {PAYMENT} FROM {ATTEMPTS}
             WHERE attempts.merchant = ?5 AND attempts.is_combined = 0
               AND attempts.success_ms >= ?1 AND attempts.success_ms < ?2
               AND (attempts.success_ms > ?1 OR attempts.rowid > ?3)
               AND (?4 IS NULL OR orders.sub_mchid = ?4)
             ORDER BY attempts.success_ms, attempts.rowid LIMIT {PAGE}"
        );
        let last = after.map(|row| &row.payment);
        let last_place = last.and_then(|last| last.place);
        self.page(statement, span, last, last_place).await
    }

    /// The next payments of sub-orders of a span, in the same way.
    pub(crate) async fn sub_payments_of(
        &self,
        span: Span<'_>,
        after: Option<&PaymentRow>,
    ) -> Result<Vec<PaymentRow>, LedgerError> {
        let statement = formatcp!(
            "SELECT {SUB_PAYMENT} FROM {SUB_PAYMENTS}
             WHERE sub_payments.merchant = ?5
               AND sub_payments.success_ms >= ?1 AND sub_payments.success_ms < ?2
               AND (sub_payments.success_ms > ?1 OR sub_payments.id > ?3)
               AND (?4 IS NULL OR sub_orders.sub_mchid = ?4)
             ORDER BY sub_payments.success_ms, sub_payments.id LIMIT {PAGE}"
        );
        let last = after.map(|row| &row.payment);
        let last_place = last.and_then(|last| last.place).map(|place| -place);
        self.page(statement, span, last, last_place).await
    }

    /// The payments after the last one, by a statement whose parameters are the time to begin at, the end of the
    /// span, the place of the last one, the sub-merchant and our number.
    async fn page(
        &self,
        statement: &'static str,
        span: Span<'_>,
        last: Option<&PaymentHere>,
        last_place: Option<i64>,
    ) -> Result<Vec<PaymentRow>, LedgerError> {
        let from_ms = last.and_then(|last| last.success_ms);
        let rows = query_as(statement)
            .bind(from_ms.unwrap_or(span.from_ms))
            .bind(span.to_ms)
            .bind(last_place.unwrap_or(i64::MIN))
            .bind(span.sub_mchid)
            .bind(self.merchant)
            .fetch_all(self.readers.scan())
            .await?;
        Ok(rows)
    }

    /// The next refunds that were created in a span, in the same way.
    pub(crate) async fn refunds_of(
        &self,
        span: Span<'_>,
        after: Option<&RefundRow>,
    ) -> Result<Vec<RefundRow>, LedgerError> {
        let rows = query_as(formatcp!(
            "SELECT {REFUND} FROM {REFUNDS}
             WHERE refunds.merchant = ?5 AND refunds.id > ?1
               AND refunds.created_ms >= ?2 AND refunds.created_ms < ?3
               AND (?4 IS NULL OR COALESCE(sub_orders.sub_mchid, orders.sub_mchid) = ?4)
             ORDER BY refunds.id LIMIT {PAGE}"
        ))
        .bind(after.map_or(i64::MIN, |row| row.refund.place))
        .bind(span.from_ms)
        .bind(span.to_ms)
        .bind(span.sub_mchid)
        .bind(self.merchant)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(rows)
    }

    /// The attempts and sub-orders with these `out_trade_no`s of a bill, of any day, or else the unmatched
    /// payments with the numbers. A bill may name numbers that are not ours.
    pub(crate) async fn payments_here(
        &self,
        numbers: &[&str],
    ) -> Result<BTreeMap<String, PaymentHere>, LedgerError> {
        let statement = formatcp!(
            "SELECT {PAYMENT} FROM {ATTEMPTS}
             WHERE attempts.merchant = ? AND attempts.out_trade_no IN ({NUMBERS})"
        );
        let mut here = self.numbered(statement, numbers).await?;
        let is_no_attempt = |number: &&str| !here.contains_key(*number);
        let others: Vec<&str> = numbers.iter().copied().filter(is_no_attempt).collect();
        let statement = formatcp!(
            "SELECT {SUB_PAYMENT} FROM {SUB_PAYMENTS}
             WHERE sub_payments.merchant = ? AND sub_payments.out_trade_no IN ({NUMBERS})"
        );
        here.extend(self.numbered(statement, &others).await?);
        let is_unpaid = |number: &&str| {
            let payment = here.get(*number);
            payment.is_none_or(|payment| !matches!(payment.state.as_str(), "paid" | "surplus"))
        };
        let unpaid: Vec<&str> = numbers.iter().copied().filter(is_unpaid).collect();
        for some in unpaid.chunks(NUMBERS_AT_ONCE) {
            let select: QueryAs<'_, UnmatchedRow> = query_as(formatcp!(
                "SELECT out_trade_no, transaction_id FROM mismatches
                 WHERE merchant = ? AND out_trade_no IN ({NUMBERS})"
            ));
            let rows = bind_numbers(select.bind(self.merchant), some)
                .fetch_all(&self.readers)
                .await?;
            here.extend(rows.into_iter().map(|row| {
                let payment = PaymentHere {
                    place: None,
                    total_fen: Fen::ZERO,
                    state: "mismatch".to_owned(),
                    transaction_id: row.transaction_id,
                    success_ms: None,
                    sub_mchid: None,
                };
                (row.out_trade_no, payment)
            }));
        }
        Ok(here)
    }

    /// The payments with these numbers, by a statement whose parameters are our number and
    /// [`NUMBERS_AT_ONCE`] numbers.
    async fn numbered(
        &self,
        statement: &'static str,
        numbers: &[&str],
    ) -> Result<BTreeMap<String, PaymentHere>, LedgerError> {
        let mut here = BTreeMap::new();
        for some in numbers.chunks(NUMBERS_AT_ONCE) {
            let select: QueryAs<'_, PaymentRow> = query_as(statement);
            let rows = bind_numbers(select.bind(self.merchant), some)
                .fetch_all(&self.readers)
                .await?;
            let named = rows.into_iter();
            here.extend(named.map(|row| (row.out_trade_no.into(), row.payment)));
        }
        Ok(here)
    }

    /// The refunds with these numbers of a bill, of any day.
    pub(crate) async fn refunds_here(
        &self,
        numbers: &[&str],
    ) -> Result<BTreeMap<String, RefundHere>, LedgerError> {
        let mut here = BTreeMap::new();
        for some in numbers.chunks(NUMBERS_AT_ONCE) {
            let select: QueryAs<'_, RefundRow> = query_as(formatcp!(
                "SELECT {REFUND} FROM {REFUNDS}
                 WHERE refunds.merchant = ? AND refunds.out_refund_no IN ({NUMBERS})"
            ));
            let rows = bind_numbers(select.bind(self.merchant), some)
                .fetch_all(&self.readers)
                .await?;
            here.extend(
                rows.into_iter()
                    .map(|row| (row.out_refund_no.into(), row.refund)),
            );
        }
        Ok(here)
    }

    /// The `out_trade_no`s of the attempts that were created at `since_ms` or later, oldest first.
    pub(crate) async fn numbers_since(
        &self,
        since_ms: i64,
    ) -> Result<Vec<OutTradeNo>, LedgerError> {
        let numbers = query_scalar(
            "SELECT out_trade_no FROM attempts WHERE +merchant = ? AND created_ms >= ?
             ORDER BY created_ms, rowid",
        )
        .bind(self.merchant)
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
             WHERE +merchant = ? AND created_ms >= ?
               AND (sent_ms IS NOT NULL OR origin = 'external')
             ORDER BY created_ms, id",
        )
        .bind(self.merchant)
        .bind(since_ms)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(numbers)
    }
}

/// Binds some numbers to the values of [`NUMBERS`]. No number of ours is empty, so the rest finds
/// nothing; nor does a bill's number with a NUL, which PostgreSQL takes in no text.
pub(super) fn bind_numbers<'q, T: FromRow + Send>(
    select: QueryAs<'q, T>,
    numbers: &[&'q str],
) -> QueryAs<'q, T> {
    let rest = std::iter::repeat("");
    let possible = |number: &'q str| if number.contains('\0') { "" } else { number };
    let values = numbers.iter().copied().map(possible).chain(rest);
    let values = values.take(NUMBERS_AT_ONCE);
    values.fold(select, QueryAs::bind)
}
