//! The connection that writes, and one writer's turn.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::coop::consume_budget;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::connection::{self, Access};
use super::group::Group;
use crate::query::EachRow;
use crate::{Error, Query};

/// The pause between two looks at another program's lock.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// The connection that writes. Clones are the same connection.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    writing: Arc<Mutex<Writing>>,
    /// How long a writer waits for the writers before it, and for another program's lock.
    busy_limit: Duration,
}

/// What the writers share, one at a time.
#[derive(Debug)]
pub(super) struct Writing {
    connection: Connection,
    /// The writers that wait for the commit of the transaction that is open.
    group: Group,
}

/// A transaction that writes. Its results must not be used before its commit has succeeded. If it is
/// dropped, it has changed nothing.
#[derive(Debug)]
pub(crate) struct Write {
    writing: OwnedMutexGuard<Writing>,
    writer: Writer,
    is_open: bool,
}

impl Writer {
    /// Opens a database that is there. `busy_limit` is how long a writer waits for another program's
    /// lock.
    ///
    /// # Errors
    ///
    /// If the file is missing, is no database, or may not be written.
    pub(crate) fn open(path: &Path, busy_limit: Duration) -> Result<Self, Error> {
        let writing = Writing {
            connection: connection::open(path, Access::Write)?,
            group: Group::default(),
        };
        Ok(Self {
            writing: Arc::new(Mutex::new(writing)),
            busy_limit,
        })
    }

    /// Waits for the writers before this one, and begins a transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if the writers before this one, or another program that holds the lock, take too
    /// long: a caller does not wait for the limits of all who came before.
    pub(crate) async fn begin(&self) -> Result<Write, Error> {
        let limit = Instant::now() + self.busy_limit;
        let turn = timeout_at(limit, self.writing.clone().lock_owned()).await;
        let mut writing = turn.map_err(|_| Error::Busy)?;
        writing.begin(limit).await?;
        let write = Write {
            writing,
            writer: self.clone(),
            is_open: true,
        };
        write.writing.step("SAVEPOINT writer")?;
        Ok(write)
    }
}

impl Write {
    /// Executes several statements without values, such as a migration.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub(crate) fn execute_batch(&mut self, statements: &str) -> Result<(), Error> {
        if !self.is_open {
            return Err(Error::Ended);
        }
        let result = self.writing.batch(statements);
        if let Err(error) = &result {
            self.end_if_lost(error);
        }
        result
    }

    /// Ends the transaction, and waits until its change is durable, together with the changes of the
    /// writers that share the commit.
    ///
    /// # Errors
    ///
    /// If it fails, nothing of this transaction was changed, but for [`Error::Unconfirmed`].
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        if !self.is_open {
            return Err(Error::Ended);
        }
        if let Err(error) = self.writing.step("RELEASE writer") {
            self.end_if_lost(&error);
            return Err(error);
        }
        self.is_open = false;
        // The first writer of a group puts the commit into the queue.
        if self.writing.group.is_empty() {
            tokio::spawn(commit(self.writer.clone()));
        }
        let outcome = self.writing.group.join();
        drop(self);
        outcome.await
    }

    /// Some errors end SQLite's whole transaction at once, such as a disk without space. The writers
    /// that wait for its commit learn it now.
    fn end_if_lost(&mut self, error: &Error) {
        let writing = &mut *self.writing;
        if writing.connection.is_autocommit() {
            self.is_open = false;
            writing.group.end(&Err(error.clone()));
        }
    }
}

impl Write {
    pub(crate) async fn run(
        &mut self,
        query: Query<'_>,
        each: &mut EachRow<'_>,
    ) -> Result<u64, Error> {
        consume_budget().await;
        if !self.is_open {
            return Err(Error::Ended);
        }
        let result = connection::run(&self.writing.connection, &query, each);
        if let Err(error) = &result {
            self.end_if_lost(error);
        }
        result
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        let writing = &mut *self.writing;
        let undone = if writing.group.is_empty() {
            // Nobody waits for a commit, and another program may wait for the lock.
            writing.group.end(&Ok(()));
            writing.batch("ROLLBACK")
        } else {
            writing.batch("ROLLBACK TO writer; RELEASE writer")
        };
        if let Err(error) = undone {
            // The savepoint must not become part of the commit.
            let _ = writing.batch("ROLLBACK");
            writing.group.end(&Err(error));
        }
    }
}

impl Writing {
    /// Runs one statement of a transaction, which is prepared once.
    fn step(&self, statement: &str) -> Result<(), Error> {
        self.connection.prepare_cached(statement)?.execute([])?;
        Ok(())
    }

    fn batch(&self, statements: &str) -> Result<(), Error> {
        Ok(self.connection.execute_batch(statements)?)
    }

    /// Begins the transaction that the next writers share, unless it is open.
    async fn begin(&mut self, limit: Instant) -> Result<(), Error> {
        if self.group.is_open() {
            return Ok(());
        }
        loop {
            match self.step("BEGIN IMMEDIATE") {
                Err(Error::Busy) if Instant::now() < limit => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                begun => {
                    begun?;
                    self.group.open();
                    return Ok(());
                }
            }
        }
    }
}

/// Waits for the writers that came before, and commits what all of them wrote.
async fn commit(writer: Writer) {
    let mut writing = writer.writing.lock_owned().await;
    if writing.group.is_empty() {
        // Its transaction was lost meanwhile, and the writers know.
        return;
    }
    let committed = spawn_blocking(move || {
        let outcome = writing.step("COMMIT");
        if outcome.is_err() {
            // After some errors SQLite has rolled back by itself.
            let _ = writing.batch("ROLLBACK");
        }
        // The connection is given back before the writers go on: whoever drops the last writer then closes
        // the file.
        let mut group = std::mem::take(&mut writing.group);
        drop(writing);
        group.end(&outcome);
    });
    // If the runtime ends, the writers' senders are dropped with the connection.
    let _ = committed.await;
}
