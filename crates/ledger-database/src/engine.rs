//! The engine behind a connection. Callers do not learn which it is. Nothing is decided here.
//!
//! A call of PostgreSQL waits for the network, so it has an allocation of its own: otherwise every caller
//! of SQLite, such as ten thousand held polls, would have the room for it.

use std::path::Path;
use std::time::Duration;

use crate::query::EachRow;
use crate::{CopyLine, Error, Executor, Query, Server, postgres, sqlite};

/// What writes. Clones are the same.
#[derive(Clone, Debug)]
pub struct Writer(pub(crate) Engine<sqlite::Writer, postgres::Writer>);

/// A transaction that writes. Its results must not be used before its commit has succeeded. If it is
/// dropped, it has changed nothing.
#[derive(Debug)]
pub struct Write(Engine<sqlite::Write, postgres::Write>);

/// The connections that read. Clones are the same connections.
#[derive(Clone, Debug)]
pub struct Readers(pub(crate) Engine<sqlite::Readers, postgres::Readers>);

/// The connections for reads that may take long.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a>(&'a Readers);

/// Several reads of the database as it is at one moment.
#[derive(Debug)]
pub struct Snapshot(Engine<sqlite::Snapshot, postgres::Snapshot>);

/// Something that each engine has its own type for.
#[derive(Clone, Debug)]
pub(crate) enum Engine<S, P> {
    Sqlite(S),
    Postgres(P),
}

impl Writer {
    /// Opens a file that is there. `busy_limit` is how long a writer waits for another program's
    /// lock.
    ///
    /// # Errors
    ///
    /// If the file is missing, is no database, or may not be written.
    pub fn open(path: &Path, busy_limit: Duration) -> Result<Self, Error> {
        let writer = sqlite::Writer::open(path, busy_limit)?;
        Ok(Self(Engine::Sqlite(writer)))
    }

    /// The writer of a database server. It connects when it is first needed.
    pub fn of_server(server: &Server) -> Self {
        Self(Engine::Postgres(postgres::Writer::of(server)))
    }

    /// Begins a transaction; with SQLite, after the writers before this one.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if a lock or a connection is not free in time.
    pub async fn begin(&self) -> Result<Write, Error> {
        Ok(Write(match &self.0 {
            Engine::Sqlite(writer) => Engine::Sqlite(writer.begin().await?),
            Engine::Postgres(writer) => Engine::Postgres(Box::pin(writer.begin()).await?),
        }))
    }

    /// The same, and each statement sees what others committed before it, whatever a server's default
    /// is: for a transaction that waits for a lock first and reads then.
    ///
    /// # Errors
    ///
    /// As [`Writer::begin`].
    pub async fn begin_read_committed(&self) -> Result<Write, Error> {
        match &self.0 {
            Engine::Sqlite(_) => self.begin().await,
            Engine::Postgres(writer) => {
                let write = Box::pin(writer.begin_read_committed()).await?;
                Ok(Write(Engine::Postgres(write)))
            }
        }
    }

    /// Executes one statement in a transaction of its own. The change is durable when this returns.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn execute(&self, query: Query<'_>) -> Result<u64, Error> {
        let mut write = self.begin().await?;
        let changed = query.execute(&mut write).await?;
        write.commit().await?;
        Ok(changed)
    }

    /// Executes several statements without values in one transaction.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn execute_batch(&self, statements: &str) -> Result<(), Error> {
        let mut write = self.begin().await?;
        write.execute_batch(statements).await?;
        write.commit().await
    }
}

impl Write {
    /// Executes several statements without values, such as a migration.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn execute_batch(&mut self, statements: &str) -> Result<(), Error> {
        match &mut self.0 {
            Engine::Sqlite(write) => write.execute_batch(statements),
            Engine::Postgres(write) => Box::pin(write.execute_batch(statements)).await,
        }
    }

    pub(crate) const fn is_of_sqlite(&self) -> bool {
        matches!(self.0, Engine::Sqlite(_))
    }

    /// Waits until no other transaction holds the lock of this name, and holds it until this
    /// transaction ends: for a rule that no row stands for. SQLite's only writer needs no lock.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if another transaction holds it for too long.
    pub async fn lock(&mut self, name: &str) -> Result<(), Error> {
        match &mut self.0 {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(write) => Box::pin(write.lock(name)).await,
        }
    }

    /// The same as [`Write::lock`] without waiting: whether the lock is held now. A program that holds
    /// the name by a [`Listener`](crate::Listener) is in the way, too.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn try_lock(&mut self, name: &str) -> Result<bool, Error> {
        match &mut self.0 {
            Engine::Sqlite(_) => Ok(true),
            Engine::Postgres(write) => Box::pin(write.try_lock(name)).await,
        }
    }

    /// Puts many rows into a table of PostgreSQL; `columns` are in the order of the lines' values, and
    /// parted by commas. Returns how many rows were put.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn copy_in(
        &mut self,
        table: &str,
        columns: &str,
        lines: &[CopyLine],
    ) -> Result<u64, Error> {
        match &mut self.0 {
            Engine::Sqlite(_) => Err(not_for_sqlite()),
            Engine::Postgres(write) => Box::pin(write.copy_in(table, columns, lines)).await,
        }
    }

    /// Calls `each` with the line of each row of a table of PostgreSQL, in any order.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn copy_out(
        &mut self,
        table: &str,
        columns: &str,
        each: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), Error> {
        match &mut self.0 {
            Engine::Sqlite(_) => Err(not_for_sqlite()),
            Engine::Postgres(write) => Box::pin(write.copy_out(table, columns, each)).await,
        }
    }

    /// Ends the transaction, and waits until its change is durable.
    ///
    /// # Errors
    ///
    /// If it fails, nothing of this transaction was changed, but for [`Error::Unconfirmed`].
    pub async fn commit(self) -> Result<(), Error> {
        match self.0 {
            Engine::Sqlite(write) => write.commit().await,
            Engine::Postgres(write) => Box::pin(write.commit()).await,
        }
    }
}

impl Readers {
    /// Readers of a file that exists by the time of the first read.
    pub fn of(path: &Path) -> Self {
        Self(Engine::Sqlite(sqlite::Readers::of(path)))
    }

    /// Readers of a file that no program changes; reading leaves no side files.
    pub fn of_copy(path: &Path) -> Self {
        Self(Engine::Sqlite(sqlite::Readers::of_copy(path)))
    }

    /// One reader of a file that no other program has open, and that none can open while this one
    /// exists. One call or one snapshot at a time; a second one is refused as busy.
    pub fn alone(path: &Path) -> Self {
        Self(Engine::Sqlite(sqlite::Readers::alone(path)))
    }

    /// Readers of a database server. They connect when they are first needed.
    pub fn of_server(server: &Server) -> Self {
        Self(Engine::Postgres(postgres::Readers::of(server)))
    }

    /// For statements that read many rows. With SQLite, other tasks leave this thread meanwhile.
    pub const fn scan(&self) -> Scan<'_> {
        Scan(self)
    }

    /// Begins to read the database as it is now.
    ///
    /// # Errors
    ///
    /// If there is no connection.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        Ok(Snapshot(match &self.0 {
            Engine::Sqlite(readers) => Engine::Sqlite(readers.snapshot()?),
            Engine::Postgres(readers) => Engine::Postgres(Box::pin(readers.snapshot()).await?),
        }))
    }
}

impl Executor for &mut Write {
    async fn run(self, query: Query<'_>, each: &mut EachRow<'_>) -> Result<u64, Error> {
        match &mut self.0 {
            Engine::Sqlite(write) => write.run(query, each).await,
            Engine::Postgres(write) => Box::pin(write.run(query, each)).await,
        }
    }
}

impl Executor for &Readers {
    async fn run(self, query: Query<'_>, each: &mut EachRow<'_>) -> Result<u64, Error> {
        match &self.0 {
            Engine::Sqlite(readers) => readers.run(query, each).await,
            Engine::Postgres(readers) => Box::pin(readers.run(query, each)).await,
        }
    }
}

impl Executor for Scan<'_> {
    async fn run(self, query: Query<'_>, each: &mut EachRow<'_>) -> Result<u64, Error> {
        match &self.0.0 {
            Engine::Sqlite(readers) => readers.scan().run(query, each).await,
            Engine::Postgres(readers) => Box::pin(readers.run(query, each)).await,
        }
    }
}

impl Executor for &mut Snapshot {
    async fn run(self, query: Query<'_>, each: &mut EachRow<'_>) -> Result<u64, Error> {
        match &mut self.0 {
            Engine::Sqlite(snapshot) => snapshot.run(query, each).await,
            Engine::Postgres(snapshot) => Box::pin(snapshot.run(query, each)).await,
        }
    }
}

fn not_for_sqlite() -> Error {
    Error::Refused("rows are copied at once with PostgreSQL only".into())
}
