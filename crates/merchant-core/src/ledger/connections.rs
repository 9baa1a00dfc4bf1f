//! The connections to the database: one writer and a few readers.
//!
//! A returned row does not prove that its statement is durable. SQLite returns the rows of a single
//! `UPDATE … RETURNING` first and commits afterwards, and on a full disk that commit fails. So the
//! [`Writer`] returns no rows. Rows come from a [`Write`], whose commit is awaited before the rows
//! are used, or from [`Readers`], which cannot write at all.
//!
//! SQLite has one writer at a time. A second writing connection would only poll for the lock, so
//! there is none: writers wait in one queue, in the order of arrival. Readers see every commit that
//! was made before they began, and wait neither for our writer nor for another program's.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Sqlite, Transaction};

/// How long a statement waits for another program's lock, in milliseconds.
const BUSY_TIMEOUT_MS: u64 = 5_000;
/// Reads are short; more connections would only be more threads.
const READERS_MAX: u32 = 4;

/// A transaction that writes. It takes the write lock at once, so that two writers queue up
/// instead of failing half way.
pub(super) type Write = Transaction<'static, Sqlite>;

/// One statement, with its values.
pub(super) type Statement<'a> = Query<'a, Sqlite, SqliteArguments>;

/// The connection that writes.
#[derive(Clone, Debug)]
pub(super) struct Writer(SqlitePool);

/// The connections that only read.
#[derive(Clone, Debug)]
pub(super) struct Readers(SqlitePool);

impl Writer {
    /// Opens a database that is there.
    pub(super) async fn connect(path: &Path) -> Result<Self, sqlx::Error> {
        let options = options(path)
            .journal_mode(SqliteJournalMode::Wal)
            // What an answer confirms must survive a power failure.
            .synchronous(SqliteSynchronous::Full);
        let pool = pool_options().max_connections(1).connect_with(options);
        Ok(Self(pool.await?))
    }

    /// Begins a transaction. Its results must not be used before its commit has succeeded.
    pub(super) async fn begin(&self) -> Result<Write, sqlx::Error> {
        self.0.begin_with("BEGIN IMMEDIATE").await
    }

    /// Executes one statement that returns no rows. The change is durable when this returns.
    pub(super) async fn execute(&self, statement: Statement<'_>) -> Result<(), sqlx::Error> {
        statement.execute(&self.0).await.map(drop)
    }

    /// The connection itself, for migrations.
    pub(super) const fn pool(&self) -> &SqlitePool {
        &self.0
    }
}

impl Readers {
    /// Readers of a database that exists by the time of the first read.
    pub(super) fn of(path: &Path) -> Self {
        let options = options(path).read_only(true);
        let pool = pool_options().max_connections(READERS_MAX);
        Self(pool.connect_lazy_with(options))
    }

    /// Readers of a file that no program changes; reading leaves no side files.
    pub(super) fn of_copy(path: &Path) -> Self {
        let options = options(path).read_only(true).immutable(true);
        Self(pool_options().connect_lazy_with(options))
    }

    /// The pool for statements that only read.
    pub(super) const fn pool(&self) -> &SqlitePool {
        &self.0
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))
}

/// If a commit fails because the disk is full, SQLite rolls back by itself, but sqlx still counts
/// the transaction: every later use of that connection would fail. So the connection is closed, and
/// the next caller gets a new one.
fn pool_options() -> SqlitePoolOptions {
    SqlitePoolOptions::new().after_release(|connection, _| is_reusable(connection))
}

fn is_reusable(
    connection: &mut SqliteConnection,
) -> Pin<Box<dyn Future<Output = Result<bool, sqlx::Error>> + Send + '_>> {
    Box::pin(async move {
        // A rollback that was only queued is done before this is answered.
        connection.ping().await?;
        Ok(!connection.is_in_transaction())
    })
}
