//! Scheduled work as rows: it survives the process, and a test decides the time.

use super::column::Word;
use super::{Lane, Ledger, LedgerError, Wait, Work, Write, orders};
use ledger_database::{query, query_as, query_scalar, row};

/// Two readings of an unchanged clock differ by no more than this, in milliseconds.
const AHEAD_MS: i64 = 1_000;

/// One piece of work that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DueWork {
    pub(crate) work: Work,
    /// The order's id, the `out_trade_no` of a mismatch or of a duplicate payment, or the number of
    /// a refund.
    pub(crate) subject: String,
    /// How often it was tried before.
    pub(crate) tries: u64,
    /// When it was taken. With `tries` it tells this lease from a later one.
    pub(crate) taken_ms: i64,
    /// For a query of an attempt: the `queried_ms` that was recorded when the work was taken. `None`:
    /// the attempt was queried a moment before.
    pub(crate) claimed_ms: Option<i64>,
}

/// The result of a piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) due: DueWork,
    /// When it ended.
    pub(crate) now_ms: i64,
    /// When it is due again, and its number of tries by then; `None`: it is done.
    pub(crate) next: Option<(i64, u64)>,
    /// The order (its id) that WeChat answered about, and when it was queried.
    pub(crate) queried: Option<(i64, i64)>,
}

/// Which work to take, and how much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaseRequest {
    pub(crate) lane: Lane,
    pub(crate) now_ms: i64,
    /// The length of the lease.
    pub(crate) lease_ms: i64,
    /// The maximum number of pieces.
    pub(crate) max_count: usize,
}

impl Ledger {
    /// Records the results of pieces of work and takes others that are due, the oldest first, in
    /// one commit. Work is taken for a lease: if this process ends before the work does, the work
    /// becomes due again. The result is durable, so no other process takes the same work, and work that
    /// another process takes at this moment is passed over.
    pub(crate) async fn exchange_due_work(
        &self,
        ended: &[Ended],
        request: LeaseRequest,
    ) -> Result<Vec<DueWork>, LedgerError> {
        // A read is cheap, a write waits for the write lock, and mostly nothing is due.
        let next_ms = self.next_due_ms(request.lane).await?;
        let is_due =
            request.max_count > 0 && next_ms.is_some_and(|next_ms| next_ms <= request.now_ms);
        if ended.is_empty() && !is_due {
            return Ok(Vec::new());
        }
        self.whole(|| async {
            let mut write = self.write().await?;
            for ended in ended {
                conclude(&mut write, ended).await?;
            }
            let taken = take(&mut write, request).await?;
            write.commit().await?;
            Ok(taken)
        })
        .await
    }

    /// When the next piece of a lane's work is due.
    pub(crate) async fn next_due_ms(&self, lane: Lane) -> Result<Option<i64>, LedgerError> {
        let next_ms = query_scalar(
            "SELECT due_ms FROM due_work WHERE merchant = ? AND ? LIKE '%\"' || kind || '\"%'
             ORDER BY due_ms LIMIT 1",
        )
        .bind(self.merchant)
        .bind(lane.kinds())
        .fetch_optional(&self.readers)
        .await?;
        Ok(next_ms)
    }

    /// Whether work was scheduled at a time in the future: then the clock was set back since.
    pub(crate) async fn has_work_from_ahead(&self, now_ms: i64) -> Result<bool, LedgerError> {
        let is_ahead = query("SELECT 1 FROM due_work WHERE merchant = ? AND set_ms > ? LIMIT 1")
            .bind(self.merchant)
            .bind(now_ms + AHEAD_MS)
            .exists(&self.readers)
            .await?;
        Ok(is_ahead)
    }

    /// Restores the wait that such work was scheduled with. Without it the work would be late by as
    /// much as the clock was ahead. The result does not depend on that amount, so several processes
    /// can do this, also later.
    pub(crate) async fn keep_waits(&self, now_ms: i64) -> Result<(), LedgerError> {
        let statement = query(
            "UPDATE due_work SET due_ms = ?1 + due_ms - set_ms, set_ms = ?1
             WHERE merchant = ?3 AND set_ms > ?1 + ?2",
        )
        .bind(now_ms)
        .bind(AHEAD_MS)
        .bind(self.merchant);
        self.execute(statement).await?;
        Ok(())
    }

    /// Schedules the next query of an order's attempt, replacing the scheduled one.
    pub(crate) async fn schedule_query(
        &self,
        order_id: i64,
        now_ms: i64,
        at_ms: i64,
    ) -> Result<(), LedgerError> {
        let wait = Wait {
            from_ms: now_ms,
            to_ms: at_ms,
        };
        self.schedule(Work::QueryAttempt, &order_id.to_string(), wait)
            .await
    }
}

/// Records the result of a piece of work. Work that was deleted or rescheduled while it ran keeps
/// that state; so does work that another process has taken since, whose number of tries may be the same
/// again, because rescheduling begins at zero.
async fn conclude(write: &mut Write, ended: &Ended) -> Result<(), LedgerError> {
    let Ended {
        due,
        now_ms,
        next,
        queried,
    } = ended;
    if let Some((order_id, queried_ms)) = queried {
        let checked = orders::checked(*order_id, *queried_ms);
        checked.execute(&mut *write).await?;
    }
    let statement = match next {
        Some((at_ms, tries)) => query(
            "UPDATE due_work SET due_ms = ?, set_ms = ?, tries = ?
             WHERE merchant = ? AND kind = ? AND subject = ? AND tries = ? AND set_ms = ?",
        )
        .bind(at_ms)
        .bind(now_ms)
        .bind(super::signed(*tries)),
        None => query(
            "DELETE FROM due_work
             WHERE merchant = ? AND kind = ? AND subject = ? AND tries = ? AND set_ms = ?",
        ),
    };
    statement
        .bind(write.merchant())
        .bind(due.work.as_str())
        .bind(&due.subject)
        .bind(super::signed(due.tries + 1))
        .bind(due.taken_ms)
        .execute(&mut *write)
        .await?;
    Ok(())
}

/// A row of `due_work`.
struct DueRow {
    rowid: i64,
    kind: Work,
    subject: String,
    tries: u64,
}

row! {
    DueRow {
        rowid,
        kind as Word<Work>,
        subject,
        tries,
    }
}

async fn take(write: &mut Write, request: LeaseRequest) -> Result<Vec<DueWork>, LedgerError> {
    let rows: Vec<DueRow> = query_as(
        "SELECT rowid, kind, subject, tries FROM due_work
         WHERE merchant = ? AND due_ms <= ? AND ? LIKE '%\"' || kind || '\"%'
         ORDER BY due_ms, rowid LIMIT ?",
    )
    .for_update_of_free()
    .bind(write.merchant())
    .bind(request.now_ms)
    .bind(request.lane.kinds())
    .bind(i64::try_from(request.max_count).unwrap_or(i64::MAX))
    .fetch_all(&mut *write)
    .await?;
    let mut taken = Vec::new();
    for row in rows {
        query(
            "UPDATE due_work SET due_ms = ?1 + ?2, set_ms = ?1, tries = tries + 1 WHERE rowid = ?3",
        )
        .bind(request.now_ms)
        .bind(request.lease_ms)
        .bind(row.rowid)
        .execute(&mut *write)
        .await?;
        let mut due = DueWork {
            work: row.kind,
            subject: row.subject,
            tries: row.tries,
            taken_ms: request.now_ms,
            claimed_ms: None,
        };
        if due.work == Work::QueryAttempt {
            // The subject of this work is the id of an order.
            let order_id = due.subject.parse().unwrap_or_default();
            let is_claimed = orders::claim_query(write, order_id, request.now_ms).await?;
            due.claimed_ms = is_claimed.then_some(request.now_ms);
        }
        taken.push(due);
    }
    Ok(taken)
}
