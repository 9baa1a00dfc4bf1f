//! Work that is due at a time, as rows: it outlives the process, and a test decides when it is.

use super::column::Word;
use super::schedule::schedule;
use super::{Lane, Ledger, LedgerError, Wait, Work, Write, orders};

/// What is scheduled between two readings of the clock is no further ahead than this, in
/// milliseconds.
const AHEAD_MS: i64 = 1_000;

/// One piece of work that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DueWork {
    pub(crate) work: Work,
    /// The order's id, the `out_trade_no` of a mismatch or of surplus, the number of a refund.
    pub(crate) subject: String,
    /// How often it was begun before.
    pub(crate) tries: u64,
    /// A question about an attempt: when it was noted as asked, which is when it was taken. `None`:
    /// somebody else asked a moment before.
    pub(crate) claimed_ms: Option<i64>,
}

/// What came of a piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) due: DueWork,
    /// When it ended.
    pub(crate) now_ms: i64,
    /// When it is due again, and how often it will have been tried by then; `None`: it is done.
    pub(crate) next: Option<(i64, u64)>,
    /// WeChat answered a question about this order (its id), asked at this moment.
    pub(crate) asked: Option<(i64, i64)>,
}

/// Which work is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) lane: Lane,
    pub(crate) now_ms: i64,
    /// For how long it is taken.
    pub(crate) lease_ms: i64,
    /// How many pieces at most.
    pub(crate) most: usize,
}

impl Ledger {
    /// Writes what came of pieces of work, and takes others that are due, the oldest first: both in
    /// one commit. They are taken for a lease: where this process ends before the work does, they
    /// come up again. What this gives is durable, so nobody else has it.
    pub(crate) async fn exchange_due_work(
        &self,
        ended: &[Ended],
        wanted: Wanted,
    ) -> Result<Vec<DueWork>, LedgerError> {
        // Asking is free; writing waits for the write lock, and mostly nothing is due.
        let next_ms = self.next_due_ms(wanted.lane).await?;
        let is_due = wanted.most > 0 && next_ms.is_some_and(|next_ms| next_ms <= wanted.now_ms);
        if ended.is_empty() && !is_due {
            return Ok(Vec::new());
        }
        let mut write = self.write().await?;
        for ended in ended {
            conclude(&mut write, ended).await?;
        }
        let taken = take(&mut write, wanted).await?;
        write.commit().await?;
        Ok(taken)
    }

    /// When the next piece of a lane's work is due.
    pub(crate) async fn next_due_ms(&self, lane: Lane) -> Result<Option<i64>, LedgerError> {
        let next_ms = sqlx::query_scalar(
            "SELECT due_ms FROM due_work WHERE +kind IN (SELECT value FROM json_each(?))
             ORDER BY due_ms LIMIT 1",
        )
        .bind(lane.kinds())
        .fetch_optional(self.readers.pool())
        .await?;
        Ok(next_ms)
    }

    /// Whether work was scheduled at a moment that lies ahead: the clock was put back since.
    pub(crate) async fn has_work_from_ahead(&self, now_ms: i64) -> Result<bool, LedgerError> {
        let ahead = sqlx::query("SELECT 1 FROM due_work WHERE set_ms > ? LIMIT 1")
            .bind(now_ms + AHEAD_MS)
            .fetch_optional(self.readers.pool())
            .await?;
        Ok(ahead.is_some())
    }

    /// Gives such work the wait again that it was scheduled with: it would come too late by as much
    /// as the clock was ahead. How much that was does not matter, so several processes can do this,
    /// and a later one, too.
    pub(crate) async fn keep_waits(&self, now_ms: i64) -> Result<(), LedgerError> {
        let statement = sqlx::query(
            "UPDATE due_work SET due_ms = ?1 + due_ms - set_ms, set_ms = ?1
             WHERE set_ms > ?1 + ?2",
        )
        .bind(now_ms)
        .bind(AHEAD_MS);
        Ok(self.writer.execute(statement).await?)
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
}

/// Work that was done with or scheduled anew while it ran stays so.
async fn conclude(write: &mut Write, ended: &Ended) -> Result<(), LedgerError> {
    let Ended {
        due,
        now_ms,
        next,
        asked,
    } = ended;
    if let Some((order_id, asked_ms)) = asked {
        let checked = orders::checked(*order_id, *asked_ms);
        checked.execute(&mut **write).await?;
    }
    let statement = match next {
        Some((at_ms, tries)) => sqlx::query(
            "UPDATE due_work SET due_ms = ?, set_ms = ?, tries = ?
             WHERE kind = ? AND subject = ? AND tries = ?",
        )
        .bind(at_ms)
        .bind(now_ms)
        .bind(super::signed(*tries)),
        None => sqlx::query("DELETE FROM due_work WHERE kind = ? AND subject = ? AND tries = ?"),
    };
    statement
        .bind(due.work.as_str())
        .bind(&due.subject)
        .bind(super::signed(due.tries + 1))
        .execute(&mut **write)
        .await?;
    Ok(())
}

/// A row of `due_work`.
#[derive(sqlx::FromRow)]
struct DueRow {
    rowid: i64,
    #[sqlx(try_from = "Word<Work>")]
    kind: Work,
    subject: String,
    tries: u64,
}

async fn take(write: &mut Write, wanted: Wanted) -> Result<Vec<DueWork>, LedgerError> {
    let rows: Vec<DueRow> = sqlx::query_as(
        "SELECT rowid, kind, subject, tries FROM due_work
         WHERE due_ms <= ? AND +kind IN (SELECT value FROM json_each(?))
         ORDER BY due_ms, rowid LIMIT ?",
    )
    .bind(wanted.now_ms)
    .bind(wanted.lane.kinds())
    .bind(i64::try_from(wanted.most).unwrap_or(i64::MAX))
    .fetch_all(&mut **write)
    .await?;
    let mut taken = Vec::new();
    for row in rows {
        sqlx::query(
            "UPDATE due_work SET due_ms = ?1 + ?2, set_ms = ?1, tries = tries + 1 WHERE rowid = ?3",
        )
        .bind(wanted.now_ms)
        .bind(wanted.lease_ms)
        .bind(row.rowid)
        .execute(&mut **write)
        .await?;
        let mut due = DueWork {
            work: row.kind,
            subject: row.subject,
            tries: row.tries,
            claimed_ms: None,
        };
        if due.work == Work::QueryAttempt {
            let is_claimed = orders::claim_question(write, &due.subject, wanted.now_ms).await?;
            due.claimed_ms = is_claimed.then_some(wanted.now_ms);
        }
        taken.push(due);
    }
    Ok(taken)
}
