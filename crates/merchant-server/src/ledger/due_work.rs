//! Work that is due at a time, as rows: it outlives the process, and a test decides when it is.

use sqlx::Row as _;

use super::{Ledger, LedgerError, Write, unsigned};
use crate::due_work::{Lane, Work};

/// One piece of work that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DueWork {
    pub(crate) work: Work,
    /// The order's id, the `out_trade_no` of a mismatch or of surplus, the number of a refund.
    pub(crate) subject: String,
    /// How often it was begun before.
    pub(crate) tries: u64,
}

impl Ledger {
    /// Takes one piece of work that is due. It is taken for `lease_ms`: where this process ends
    /// before the work does, it comes up again.
    pub(crate) async fn take_due_work(
        &self,
        lane: Lane,
        now_ms: i64,
        lease_ms: i64,
    ) -> Result<Option<DueWork>, LedgerError> {
        let row = sqlx::query(
            "UPDATE due_work SET due_ms = ?1 + ?2, tries = tries + 1
             WHERE rowid = (SELECT rowid FROM due_work
                            WHERE due_ms <= ?1 AND (kind = 'send_webhook') = ?3
                            ORDER BY due_ms LIMIT 1)
             RETURNING kind, subject, tries",
        )
        .bind(now_ms)
        .bind(lease_ms)
        .bind(lane == Lane::Backend)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(Some(DueWork {
            work: Work::from_word(row.try_get("kind")?)
                .ok_or(LedgerError::Column("due_work.kind"))?,
            subject: row.try_get("subject")?,
            tries: unsigned(&row, "tries")?.saturating_sub(1),
        }))
    }

    /// When the next piece of work is due.
    pub(crate) async fn next_due_ms(&self) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query("SELECT MIN(due_ms) AS due_ms FROM due_work")
            .fetch_one(&self.pool)
            .await?;
        Ok(row.try_get("due_ms")?)
    }

    /// Puts work off to a later moment, keeping the count of its tries. Work that was done with or
    /// scheduled anew meanwhile stays so.
    pub(crate) async fn put_off(&self, due: &DueWork, to_ms: i64) -> Result<(), LedgerError> {
        self.put(due, to_ms, due.tries + 1).await
    }

    /// The same for work that could not be tried: this time does not count.
    pub(crate) async fn put_back(&self, due: &DueWork, to_ms: i64) -> Result<(), LedgerError> {
        self.put(due, to_ms, due.tries).await
    }

    async fn put(&self, due: &DueWork, to_ms: i64, tries: u64) -> Result<(), LedgerError> {
        sqlx::query(
            "UPDATE due_work SET due_ms = ?, tries = ?
             WHERE kind = ? AND subject = ? AND tries = ?",
        )
        .bind(to_ms)
        .bind(super::signed(tries))
        .bind(due.work.word())
        .bind(&due.subject)
        .bind(super::signed(due.tries + 1))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Has WeChat asked about an order's attempt at a moment, in place of what was scheduled.
    pub(crate) async fn schedule_query(
        &self,
        order_id: i64,
        at_ms: i64,
    ) -> Result<(), LedgerError> {
        let mut write = self.write().await?;
        schedule(&mut write, Work::QueryAttempt, &order_id.to_string(), at_ms).await?;
        write.commit().await?;
        Ok(())
    }

    /// Work is done with, unless it was scheduled anew while it ran.
    pub(crate) async fn finish(&self, due: &DueWork) -> Result<(), LedgerError> {
        sqlx::query("DELETE FROM due_work WHERE kind = ? AND subject = ? AND tries = ?")
            .bind(due.work.word())
            .bind(&due.subject)
            .bind(super::signed(due.tries + 1))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Schedules work, from its first try on, in place of what was scheduled.
pub(super) async fn schedule(
    write: &mut Write,
    work: Work,
    subject: &str,
    due_ms: i64,
) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO due_work (kind, subject, due_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET due_ms = ?3, tries = 0",
    )
    .bind(work.word())
    .bind(subject)
    .bind(due_ms)
    .execute(&mut **write)
    .await?;
    Ok(())
}

/// Work is done with, whoever scheduled it.
pub(super) async fn forget(
    write: &mut Write,
    work: Work,
    subject: &str,
) -> Result<(), LedgerError> {
    sqlx::query("DELETE FROM due_work WHERE kind = ? AND subject = ?")
        .bind(work.word())
        .bind(subject)
        .execute(&mut **write)
        .await?;
    Ok(())
}

/// An order that is over needs no more work.
pub(super) async fn forget_order(write: &mut Write, order_id: i64) -> Result<(), LedgerError> {
    sqlx::query("DELETE FROM due_work WHERE subject = ? AND kind IN (?, ?)")
        .bind(order_id.to_string())
        .bind(Work::QueryAttempt.word())
        .bind(Work::EndOrder.word())
        .execute(&mut **write)
        .await?;
    Ok(())
}
