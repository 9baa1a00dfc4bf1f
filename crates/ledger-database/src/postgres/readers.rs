//! Reading. A read outside of a transaction is repeated if the connection was lost before its first
//! row.

use std::sync::Arc;

use super::connection;
use super::pool::{Held, Pool, TRIES};
use super::server::Server;
use crate::query::EachRow;
use crate::{Error, Query};

/// The connections that read, which are those that write.
#[derive(Clone, Debug)]
pub(crate) struct Readers(Arc<Pool>);

/// Several reads of the database as it is at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// `None` after an error, and while it is dropped.
    held: Option<Held>,
}

impl Readers {
    pub(crate) fn of(server: &Server) -> Self {
        Self(server.pool.clone())
    }

    /// Begins to read the database as it is now.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, Error> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let (held, _) = self.0.begin(BEGIN).await?;
        Ok(Snapshot { held: Some(held) })
    }

    pub(crate) async fn run(&self, query: Query<'_>, each: &mut EachRow<'_>) -> Result<u64, Error> {
        let mut tries = 0;
        loop {
            let mut held = self.0.take().await?;
            let mut has_begun = false;
            let result = connection::run(&mut held.connection, &query, &mut |row| {
                has_begun = true;
                each(row)
            })
            .await;
            match result {
                Err(Error::Lost) if !has_begun && tries < TRIES => {
                    self.0.forget_idle();
                    tries += 1;
                }
                Err(error) => return Err(error),
                Ok(changed) => {
                    held.give_back();
                    return Ok(changed);
                }
            }
        }
    }
}

impl Snapshot {
    pub(crate) async fn run(
        &mut self,
        query: Query<'_>,
        each: &mut EachRow<'_>,
    ) -> Result<u64, Error> {
        let held = self.held.as_mut().ok_or(Error::Ended)?;
        let result = connection::run(&mut held.connection, &query, each).await;
        if result.is_err() {
            self.held = None;
        }
        result
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            undo(held);
        }
    }
}

/// Ends a transaction without its changes, beside what runs now.
pub(super) fn undo(mut held: Held) {
    // Without a runtime nothing else runs: the connection is closed, which undoes it as well.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move {
            let undone = connection::batch(&mut held.connection, "ROLLBACK").await;
            if undone.is_ok() {
                held.give_back();
            }
        });
    }
}
