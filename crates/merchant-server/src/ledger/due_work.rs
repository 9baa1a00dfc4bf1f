//! Work that is due at a time, as rows: it outlives the process, and a test decides when it is.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::connections::Statement;
use super::{Ledger, LedgerError, Write, orders, unsigned};
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

/// From when to when work waits, in milliseconds since 1970. Both are kept: where the clock is put
/// back, the wait is what was meant ([`Ledger::keep_waits`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    /// The moment of scheduling.
    pub(super) from_ms: i64,
    /// When the work is due.
    pub(super) to_ms: i64,
}

impl Wait {
    /// None at all: the work is due now.
    pub(super) const fn over(now_ms: i64) -> Self {
        Self {
            from_ms: now_ms,
            to_ms: now_ms,
        }
    }
}

impl Ledger {
    /// Takes up to `most` pieces of a lane's work that are due, the oldest first. They are taken
    /// for `lease_ms`: where this process ends before the work does, they come up again. What this
    /// gives is durable, so nobody else has it.
    pub(crate) async fn take_due_work(
        &self,
        lane: Lane,
        now_ms: i64,
        lease_ms: i64,
        most: usize,
    ) -> Result<Vec<DueWork>, LedgerError> {
        // Asking is free; taking would wait for the write lock, mostly for nothing.
        if most == 0
            || self
                .next_due_ms(lane)
                .await?
                .is_none_or(|due_ms| due_ms > now_ms)
        {
            return Ok(Vec::new());
        }
        let mut write = self.write().await?;
        let rows = sqlx::query(
            "UPDATE due_work SET due_ms = ?1 + ?2, set_ms = ?1, tries = tries + 1
             WHERE rowid IN (SELECT rowid FROM due_work
                             WHERE due_ms <= ?1 AND +kind IN (SELECT value FROM json_each(?3))
                             ORDER BY due_ms LIMIT ?4)
             RETURNING kind, subject, tries",
        )
        .bind(now_ms)
        .bind(lease_ms)
        .bind(lane.kinds())
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&mut *write)
        .await?;
        write.commit().await?;
        rows.iter().map(read_due_work).collect()
    }

    /// When the next piece of a lane's work is due.
    pub(crate) async fn next_due_ms(&self, lane: Lane) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query(
            "SELECT due_ms FROM due_work WHERE +kind IN (SELECT value FROM json_each(?))
             ORDER BY due_ms LIMIT 1",
        )
        .bind(lane.kinds())
        .fetch_optional(self.readers.pool())
        .await?;
        Ok(row.map(|row| row.try_get("due_ms")).transpose()?)
    }

    /// Gives work the wait again that it was scheduled with, where the clock was put back since: it
    /// would come too late by as much. What the clock was ahead by does not matter, so this can be
    /// done by several processes, and after a restart.
    pub(crate) async fn keep_waits(&self, now_ms: i64) -> Result<(), LedgerError> {
        let ahead = sqlx::query("SELECT 1 FROM due_work WHERE set_ms > ? LIMIT 1")
            .bind(now_ms)
            .fetch_optional(self.readers.pool())
            .await?;
        if ahead.is_some() {
            let statement = sqlx::query(
                "UPDATE due_work SET due_ms = ?1 + due_ms - set_ms, set_ms = ?1
                         WHERE set_ms > ?1",
            )
            .bind(now_ms);
            self.writer.execute(statement).await?;
        }
        Ok(())
    }

    /// Puts work off to a later moment, keeping the count of its tries. Work that was done with or
    /// scheduled anew meanwhile stays so.
    pub(crate) async fn put_off(
        &self,
        due: &DueWork,
        now_ms: i64,
        to_ms: i64,
    ) -> Result<(), LedgerError> {
        self.put(due, now_ms, to_ms, due.tries + 1).await
    }

    /// The same for work that could not be tried: this time does not count.
    pub(crate) async fn put_back(
        &self,
        due: &DueWork,
        now_ms: i64,
        to_ms: i64,
    ) -> Result<(), LedgerError> {
        self.put(due, now_ms, to_ms, due.tries).await
    }

    async fn put(
        &self,
        due: &DueWork,
        now_ms: i64,
        to_ms: i64,
        tries: u64,
    ) -> Result<(), LedgerError> {
        Ok(self.writer.execute(put(due, now_ms, to_ms, tries)).await?)
    }

    /// Notes that WeChat answered a question about an order that was asked at `asked_ms`, and puts
    /// the work off to the next one, or is done with it: in one commit, for there are hundreds of
    /// these in a second.
    pub(crate) async fn note_answer(
        &self,
        due: &DueWork,
        order_id: i64,
        asked_ms: i64,
        now_ms: i64,
        next_ms: Option<i64>,
    ) -> Result<(), LedgerError> {
        let mut write = self.write().await?;
        orders::checked(order_id, asked_ms)
            .execute(&mut *write)
            .await?;
        let next = match next_ms {
            Some(next_ms) => put(due, now_ms, next_ms, due.tries + 1),
            None => finished(due),
        };
        next.execute(&mut *write).await?;
        write.commit().await?;
        Ok(())
    }

    /// Has WeChat asked about an order's attempt at a moment, in place of what was scheduled.
    pub(crate) async fn schedule_query(
        &self,
        order_id: i64,
        now_ms: i64,
        at_ms: i64,
    ) -> Result<(), LedgerError> {
        let mut write = self.write().await?;
        let wait = Wait {
            from_ms: now_ms,
            to_ms: at_ms,
        };
        schedule(&mut write, Work::QueryAttempt, &order_id.to_string(), wait).await?;
        write.commit().await?;
        Ok(())
    }

    /// Work is done with, unless it was scheduled anew while it ran.
    pub(crate) async fn finish(&self, due: &DueWork) -> Result<(), LedgerError> {
        Ok(self.writer.execute(finished(due)).await?)
    }
}

fn put(due: &DueWork, now_ms: i64, to_ms: i64, tries: u64) -> Statement<'_> {
    sqlx::query(
        "UPDATE due_work SET due_ms = ?, set_ms = ?, tries = ?
         WHERE kind = ? AND subject = ? AND tries = ?",
    )
    .bind(to_ms)
    .bind(now_ms)
    .bind(super::signed(tries))
    .bind(due.work.word())
    .bind(&due.subject)
    .bind(super::signed(due.tries + 1))
}

fn finished(due: &DueWork) -> Statement<'_> {
    sqlx::query("DELETE FROM due_work WHERE kind = ? AND subject = ? AND tries = ?")
        .bind(due.work.word())
        .bind(&due.subject)
        .bind(super::signed(due.tries + 1))
}

fn read_due_work(row: &SqliteRow) -> Result<DueWork, LedgerError> {
    Ok(DueWork {
        work: Work::from_word(row.try_get("kind")?).ok_or(LedgerError::Column("due_work.kind"))?,
        subject: row.try_get("subject")?,
        tries: unsigned(row, "tries")?.saturating_sub(1),
    })
}

/// Schedules work, from its first try on, in place of what was scheduled.
pub(super) async fn schedule(
    write: &mut Write,
    work: Work,
    subject: &str,
    wait: Wait,
) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO due_work (kind, subject, due_ms, set_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET due_ms = ?3, set_ms = ?4, tries = 0",
    )
    .bind(work.word())
    .bind(subject)
    .bind(wait.to_ms)
    .bind(wait.from_ms)
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
