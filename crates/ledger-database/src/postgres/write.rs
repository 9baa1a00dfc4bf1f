//! Transactions that write, and what is done if nobody knows how one ended.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::pool::{Held, Life, Pool};
use super::readers::undo;
use super::server::Server;
use super::{CopyLine, connection, copy, failure};
use crate::query::{self, EachRow};
use crate::{Error, Query};

/// How long a commit may take.
const COMMIT_MAX: Duration = Duration::from_secs(10);
/// How long the server is asked about a commit whose connection was lost. It must be longer than the
/// server lets a transaction be idle, because the commit may not have reached it.
const DOUBT_MAX: Duration = Duration::from_secs(40);
const DOUBT_PAUSE: Duration = Duration::from_millis(100);
/// Forces the number to be given, by which the server can be asked how the transaction ended.
const BEGIN: &str = "BEGIN; SELECT CAST(pg_current_xact_id() AS TEXT)";
const BEGIN_READ_COMMITTED: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT CAST(pg_current_xact_id() AS TEXT)";

/// How to ask for the status of a transaction. A number that no transaction has yet is an error for
/// `pg_xact_status`, so it is not asked about those that are not before the snapshot's end.
const STATUS: &str = "SELECT CASE WHEN CAST(? AS xid8) < pg_snapshot_xmax(pg_current_snapshot())
    THEN pg_xact_status(CAST(? AS xid8)) ELSE 'in progress' END";

/// What writes. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Writer(Arc<Pool>);

/// A transaction.
#[derive(Debug)]
pub(crate) struct Write {
    /// `None` once it has ended.
    held: Option<Held>,
    pool: Arc<Pool>,
    /// PostgreSQL's number of the transaction.
    number: String,
}

impl Writer {
    pub(crate) fn of(server: &Server) -> Self {
        Self(server.pool.clone())
    }

    pub(crate) async fn begin(&self) -> Result<Write, Error> {
        self.begin_by(BEGIN).await
    }

    /// Each statement sees what was committed before it, whatever the server's default is.
    pub(crate) async fn begin_read_committed(&self) -> Result<Write, Error> {
        self.begin_by(BEGIN_READ_COMMITTED).await
    }

    async fn begin_by(&self, statements: &'static str) -> Result<Write, Error> {
        let (held, number) = self.0.begin(statements).await?;
        Ok(Write {
            number: number.ok_or(Error::NoRow)?,
            held: Some(held),
            pool: self.0.clone(),
        })
    }
}

impl Write {
    pub(crate) async fn execute_batch(&mut self, statements: &str) -> Result<(), Error> {
        let held = self.held.as_mut().ok_or(Error::Ended)?;
        // A migration of a large table takes its time.
        let limit = connection::batch(&mut held.connection, "SET LOCAL statement_timeout = 0");
        let result = match limit.await {
            Ok(()) => connection::batch(&mut held.connection, statements).await,
            Err(error) => Err(error),
        };
        self.end_if_failed(result)
    }

    pub(crate) async fn lock(&mut self, name: &str) -> Result<(), Error> {
        let lock = query::query("SELECT 1 FROM pg_advisory_xact_lock(hashtextextended(?, 0))");
        self.run(lock.bind(name), &mut |_| Ok(true)).await.map(drop)
    }

    pub(crate) async fn try_lock(&mut self, name: &str) -> Result<bool, Error> {
        let lock = query::query("SELECT pg_try_advisory_xact_lock(hashtextextended(?, 0))");
        let mut is_held = false;
        self.run(lock.bind(name), &mut |row| {
            is_held = row.at(0)?;
            Ok(true)
        })
        .await?;
        Ok(is_held)
    }

    pub(crate) async fn copy_in(
        &mut self,
        table: &str,
        columns: &str,
        lines: &[CopyLine],
    ) -> Result<u64, Error> {
        let held = self.held.as_mut().ok_or(Error::Ended)?;
        let result = copy::put(&mut held.connection, table, columns, lines).await;
        self.end_if_failed(result)
    }

    pub(crate) async fn copy_out(
        &mut self,
        table: &str,
        columns: &str,
        each: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), Error> {
        let held = self.held.as_mut().ok_or(Error::Ended)?;
        let result = copy::read(&mut held.connection, table, columns, each).await;
        self.end_if_failed(result)
    }

    pub(crate) async fn run(
        &mut self,
        query: Query<'_>,
        each: &mut EachRow<'_>,
    ) -> Result<u64, Error> {
        let held = self.held.as_mut().ok_or(Error::Ended)?;
        let result = connection::run(&mut held.connection, &query, each).await;
        self.end_if_failed(result)
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        let mut held = self.held.take().ok_or(Error::Ended)?;
        let committing = sqlx::raw_sql("COMMIT").execute(&mut held.connection);
        let committed = match timeout(COMMIT_MAX, committing).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure::of(error)),
            Err(_) => Err(Error::Lost),
        };
        match committed {
            Err(Error::Lost) => {
                let life = held.life.clone();
                drop(held);
                self.pool.forget_idle();
                resolve(&self.pool, &self.number, &life).await
            }
            committed => {
                if committed.is_ok() {
                    self.pool.trust();
                }
                held.give_back();
                committed
            }
        }
    }

    /// After an error PostgreSQL takes no statement of this transaction, and would answer a commit by
    /// undoing it.
    fn end_if_failed<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        match &result {
            Err(Error::Lost) => {
                self.held = None;
                self.pool.forget_idle();
            }
            Err(Error::Unusable(_)) => {
                self.held = None;
                self.pool.distrust();
            }
            Err(_) => {
                if let Some(held) = self.held.take() {
                    undo(held);
                }
            }
            Ok(_) => {}
        }
        result
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            undo(held);
        }
    }
}

/// Learns how a transaction ended whose connection was lost in the middle of its commit.
async fn resolve(pool: &Arc<Pool>, number: &str, life: &Life) -> Result<(), Error> {
    let until = Instant::now() + DOUBT_MAX;
    while Instant::now() < until {
        match status(pool, number, life).await {
            Ok((status, is_same_life)) => {
                if let Some(ending) = ending(status.as_deref(), is_same_life) {
                    return ending;
                }
            }
            // It restarts, perhaps.
            Err(_) => pool.forget_idle(),
        }
        sleep(DOUBT_PAUSE).await;
    }
    Err(Error::Unconfirmed)
}

/// The status of the transaction with this number, and whether the server has not crashed since this
/// life of it.
async fn status(
    pool: &Arc<Pool>,
    number: &str,
    life: &Life,
) -> Result<(Option<String>, bool), Error> {
    let mut held = pool.take().await?;
    let ask = query::query(STATUS).bind(number).bind(number);
    let mut status = None;
    connection::run(&mut held.connection, &ask, &mut |row| {
        status = row.at(0)?;
        Ok(true)
    })
    .await?;
    let is_same_life = held.life.is(life);
    held.give_back();
    Ok((status, is_same_life))
}

/// What a status says of the transaction that had this number in an earlier or in the same life of the
/// server; `None` if it has not ended. If the server crashed before any of the transaction was on the
/// disk, another transaction has got the number or will get it.
fn ending(status: Option<&str>, is_same_life: bool) -> Option<Result<(), Error>> {
    match status {
        Some("aborted") => Some(Err(Error::Lost)),
        Some("committed") if is_same_life => Some(Ok(())),
        // It is this one, or another that got the number.
        Some("committed") => Some(Err(Error::Unconfirmed)),
        // The server has not noticed that the connection is lost, or is still at it.
        Some(_) if is_same_life => None,
        // A crash ends every transaction: this is another one.
        Some(_) => Some(Err(Error::Lost)),
        // The server no longer knows.
        None => Some(Err(Error::Unconfirmed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_counts_only_in_the_life_of_the_server_that_gave_its_number() {
        for (status, in_the_same_life, after_a_crash) in [
            (Some("committed"), "committed", "not confirmed"),
            (Some("aborted"), "lost", "lost"),
            (Some("in progress"), "not over", "lost"),
            (None, "not confirmed", "not confirmed"),
        ] {
            let said = |is_same_life| match ending(status, is_same_life) {
                Some(Ok(())) => "committed",
                Some(Err(Error::Lost)) => "lost",
                Some(Err(_)) => "not confirmed",
                None => "not over",
            };
            assert_eq!(said(true), in_the_same_life, "{status:?}");
            assert_eq!(said(false), after_a_crash, "{status:?}");
        }
    }
}
