//! What buyers' pages showed and were refused, for the desk's figures. Nothing here is part of a payment, and
//! no payment waits for it.

use ledger_database::{query, query_as, query_scalar, row};
use merchant_api::ErrorCode;

use super::{Ledger, LedgerError, Write};

/// How often buyers' pages were refused something for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProblemCount {
    /// The word of the error code; an older version may have known others.
    pub(crate) code: String,
    pub(crate) count: u64,
}

row! {
    ProblemCount { code, count }
}

/// Refusals of one reason, to be added to those of the day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MoreProblems {
    /// The first moment of the day.
    pub(crate) day_ms: i64,
    pub(crate) code: ErrorCode,
    pub(crate) count: u64,
}

impl Ledger {
    /// Records when orders were shown for the first time, and adds refusals. An order that a transaction is
    /// working on is left out: somebody pays it.
    pub(crate) async fn add_buyer_figures(
        &self,
        shown: &[(i64, i64)],
        problems: &[MoreProblems],
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            for (order_id, at_ms) in shown {
                note_shown(&mut write, *order_id, *at_ms).await?;
            }
            for more in problems {
                add(&mut write, *more).await?;
            }
            write.commit().await
        })
        .await
    }

    /// The refusals since a day's first moment, the most frequent first.
    pub(crate) async fn buyer_problems_since(
        &self,
        day_ms: i64,
    ) -> Result<Vec<ProblemCount>, LedgerError> {
        let found = query_as(
            "SELECT code, CAST(SUM(count) AS BIGINT) AS count FROM buyer_problems
             WHERE merchant = ? AND day_ms >= ?
             GROUP BY code ORDER BY SUM(count) DESC, code",
        )
        .bind(self.merchant)
        .bind(day_ms)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(found)
    }
}

async fn note_shown(write: &mut Write, order_id: i64, at_ms: i64) -> Result<(), LedgerError> {
    let found: Option<i64> =
        query_scalar("SELECT id FROM orders WHERE id = ? AND shown_ms IS NULL")
            .for_update_of_free()
            .bind(order_id)
            .fetch_optional(&mut *write)
            .await?;
    if found.is_some() {
        query("UPDATE orders SET shown_ms = ? WHERE id = ?")
            .bind(at_ms)
            .bind(order_id)
            .execute(&mut *write)
            .await?;
    }
    Ok(())
}

async fn add(write: &mut Write, more: MoreProblems) -> Result<(), LedgerError> {
    query(
        "INSERT INTO buyer_problems (merchant, day_ms, code, count) VALUES (?, ?, ?, ?)
         ON CONFLICT (merchant, day_ms, code)
         DO UPDATE SET count = buyer_problems.count + excluded.count",
    )
    .bind(write.merchant())
    .bind(more.day_ms)
    .bind(more.code.as_str())
    .bind(i64::try_from(more.count).unwrap_or(i64::MAX))
    .execute(&mut *write)
    .await?;
    Ok(())
}
