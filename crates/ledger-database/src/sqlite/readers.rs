//! The connections that read. They see every commit that was made before they began, and wait neither
//! for our writer nor for another program's.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;
use tokio::task::coop::consume_budget;

use super::connection::{self, Access};
use crate::query::EachRow;
use crate::{Error, Query};

/// The connections that read. Clones are the same connections.
#[derive(Clone, Debug)]
pub(crate) struct Readers(Arc<Pool>);

/// The connections for reads that may take long: other tasks leave this thread meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan<'a>(&'a Readers);

/// Several reads of the database as it is at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// `None` only while it is dropped.
    connection: Option<Connection>,
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    path: PathBuf,
    access: Access,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// Readers of a database that exists by the time of the first read.
    pub(crate) fn of(path: &Path) -> Self {
        Self::with(path, Access::Read)
    }

    /// Readers of a file that no program changes; reading leaves no side files.
    pub(crate) fn of_copy(path: &Path) -> Self {
        Self::with(path, Access::ReadCopy)
    }

    /// One reader of a file that no other program has open.
    pub(crate) fn alone(path: &Path) -> Self {
        Self::with(path, Access::Alone)
    }

    /// For statements that read many rows.
    pub(crate) const fn scan(&self) -> Scan<'_> {
        Scan(self)
    }

    /// Begins to read the database as it is now.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Error> {
        let snapshot = Snapshot {
            connection: Some(self.0.take()?),
            pool: self.0.clone(),
        };
        snapshot.connection()?.execute_batch(match self.0.access {
            Access::Alone => "BEGIN EXCLUSIVE",
            _ => "BEGIN",
        })?;
        Ok(snapshot)
    }

    fn with(path: &Path, access: Access) -> Self {
        Self(Arc::new(Pool {
            path: path.to_owned(),
            access,
            idle: Mutex::new(Vec::new()),
        }))
    }
}

impl Readers {
    pub(crate) async fn run(&self, query: Query<'_>, each: &mut EachRow<'_>) -> Result<u64, Error> {
        consume_budget().await;
        self.0.run(&query, each)
    }
}

impl Scan<'_> {
    pub(crate) async fn run(self, query: Query<'_>, each: &mut EachRow<'_>) -> Result<u64, Error> {
        consume_budget().await;
        let pool = &self.0.0;
        // A runtime with one thread has no other that could take the tasks.
        if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
            pool.run(&query, each)
        } else {
            block_in_place(|| pool.run(&query, each))
        }
    }
}

impl Snapshot {
    pub(crate) async fn run(
        &mut self,
        query: Query<'_>,
        each: &mut EachRow<'_>,
    ) -> Result<u64, Error> {
        consume_budget().await;
        connection::run(self.connection()?, &query, each)
    }
}

impl Snapshot {
    fn connection(&self) -> Result<&Connection, Error> {
        self.connection.as_ref().ok_or(Error::Ended)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && connection.execute_batch("ROLLBACK").is_ok()
        {
            self.pool.idle().push(connection);
        }
    }
}

impl Pool {
    fn run(&self, query: &Query<'_>, each: &mut EachRow<'_>) -> Result<u64, Error> {
        let connection = self.take()?;
        let result = connection::run(&connection, query, each);
        // A connection on which something failed is not used again.
        if result.is_ok() {
            self.idle().push(connection);
        }
        result
    }

    fn take(&self) -> Result<Connection, Error> {
        let idle = self.idle().pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        connection::open(&self.path, self.access)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
