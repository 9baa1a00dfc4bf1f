//! Schedules due work, in the same transaction as the change that causes it. When work is taken and
//! done is not decided here.

use super::{Ledger, LedgerError, Work, Write, orders};
use ledger_database::query;

/// Due work takes over a recorded transfer after this time, in case its process has ended.
const TAKEN_UP_MS: i64 = 5_000;

/// When the wait of a piece of work begins and ends, in milliseconds since 1970. Both times are
/// stored: if the clock is set back, the intended wait is restored from them
/// (`Ledger::keep_waits`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    /// When the work was scheduled.
    pub(super) from_ms: i64,
    /// When the work is due.
    pub(super) to_ms: i64,
}

impl Wait {
    /// No wait: the work is due now.
    pub(super) const fn over(now_ms: i64) -> Self {
        Self {
            from_ms: now_ms,
            to_ms: now_ms,
        }
    }
}

impl Ledger {
    /// Commits a transfer of an order that is to be sent now. After this commit, due work completes it
    /// even if this process ends.
    pub(super) async fn commit_begun(
        &self,
        mut write: Write,
        (work, subject): (Work, &str),
        order_id: i64,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let wait = Wait {
            from_ms: now_ms,
            to_ms: now_ms + TAKEN_UP_MS,
        };
        schedule(&mut write, work, subject, wait).await?;
        orders::grow_version(&mut write, order_id).await?;
        write.commit().await?;
        self.changes.announce(order_id);
        Ok(())
    }

    /// Schedules work in a transaction of its own, replacing the same work.
    pub(super) async fn schedule(
        &self,
        work: Work,
        subject: &str,
        wait: Wait,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            schedule(&mut write, work, subject, wait).await?;
            write.commit().await?;
            Ok(())
        })
        .await
    }
}

/// Schedules work with its tries at zero, replacing the same work.
pub(super) async fn schedule(
    write: &mut Write,
    work: Work,
    subject: &str,
    wait: Wait,
) -> Result<(), LedgerError> {
    query(
        "INSERT INTO due_work (merchant, kind, subject, due_ms, set_ms) VALUES (?5, ?1, ?2, ?3, ?4)
         ON CONFLICT (merchant, kind, subject) DO UPDATE SET due_ms = ?3, set_ms = ?4, tries = 0",
    )
    .bind(work.as_str())
    .bind(subject)
    .bind(wait.to_ms)
    .bind(wait.from_ms)
    .bind(write.merchant())
    .execute(&mut *write)
    .await?;
    Ok(())
}

/// Deletes scheduled work.
pub(super) async fn forget(
    write: &mut Write,
    work: Work,
    subject: &str,
) -> Result<(), LedgerError> {
    query("DELETE FROM due_work WHERE merchant = ? AND kind = ? AND subject = ?")
        .bind(write.merchant())
        .bind(work.as_str())
        .bind(subject)
        .execute(&mut *write)
        .await?;
    Ok(())
}

/// Deletes the scheduled queries and the end of an order.
pub(super) async fn forget_order(write: &mut Write, order_id: i64) -> Result<(), LedgerError> {
    query("DELETE FROM due_work WHERE merchant = ? AND subject = ? AND kind IN (?, ?)")
        .bind(write.merchant())
        .bind(order_id.to_string())
        .bind(Work::QueryAttempt.as_str())
        .bind(Work::EndOrder.as_str())
        .execute(&mut *write)
        .await?;
    Ok(())
}
