//! The handle to the ledger: it opens the database and migrates it to this version. Every query
//! uses this handle. Which engine it is matters here only.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ledger_database::{Migration, Readers, Writer, query};
use tokio::time::{Instant, sleep};

use super::changes::{Changes, Told};
use super::error::LedgerError;
use super::instances::Instances;
use super::migrations;
use super::scope::{MerchantNo, Write};
use super::spending::Spending;
use crate::config::{Config, Database};

/// How long a writer waits for another program's lock.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// How long a database server may be unreachable at the start: it may start at the same time.
const START_LIMIT: Duration = Duration::from_secs(15);
/// How long a server may start that is there: after a crash it reads what it wrote last.
const RECOVERY_LIMIT: Duration = Duration::from_mins(5);
const START_PAUSE: Duration = Duration::from_secs(1);

/// A handle to the ledger of one merchant in the database. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// Whose rows it reads and writes.
    pub(super) merchant: MerchantNo,
    pub(super) writer: Writer,
    pub(super) readers: Readers,
    pub(super) changes: Changes,
    known: &'static [Migration],
    spending: Spending,
    /// Other servers on the same database.
    instances: Option<Arc<Instances>>,
}

impl Ledger {
    /// Opens the database file, creates it if it is missing, and migrates it to this version.
    /// From then on it belongs to the configured merchants. The handle is for the first of them.
    pub(crate) async fn open(config: &Config) -> Result<Self, LedgerError> {
        patiently(|| Box::pin(Self::open_once(config))).await
    }

    async fn open_once(config: &Config) -> Result<Self, LedgerError> {
        let ledger = Self::brought_up(&config.database).await?;
        ledger.take_over(config).await?;
        ledger.of(config).await
    }

    pub(super) async fn brought_up(database: &Database) -> Result<Self, LedgerError> {
        if let Database::Sqlite(path) = database {
            check_writable(path)?;
        }
        let ledger = Self::connect(database).await?;
        match ledger.check_version().await {
            Err(LedgerError::Older { .. }) => {
                if ledger.readers.is_foreign().await? {
                    return Err(LedgerError::Foreign);
                }
                // Another program may migrate at the same time. What is applied is passed over.
                let migrate = || async {
                    let migrated = ledger.writer.migrate(ledger.known).await;
                    migrated.map_err(|(version, reason)| match reason {
                        reason if reason.is_repeatable() => LedgerError::Database(reason),
                        reason => LedgerError::Migration { version, reason },
                    })
                };
                ledger.whole(migrate).await?;
                Ok(ledger)
            }
            checked => checked.map(|()| ledger),
        }
    }

    /// Opens an existing database of this version, without migrating it: for commands beside a
    /// running server.
    pub(crate) async fn open_as_it_is(config: &Config) -> Result<Self, LedgerError> {
        patiently(|| Box::pin(Self::open_as_it_is_once(config))).await
    }

    async fn open_as_it_is_once(config: &Config) -> Result<Self, LedgerError> {
        let ledger = Self::connect(&config.database).await?;
        ledger.check_version().await?;
        ledger.check_owners(config).await?;
        ledger.of(config).await
    }

    /// Checks that the applied migrations are exactly those that this program knows. A database
    /// that was never migrated lacks the first one.
    async fn check_version(&self) -> Result<(), LedgerError> {
        check_version(&self.readers, self.known).await
    }

    async fn connect(database: &Database) -> Result<Self, LedgerError> {
        match database {
            Database::Sqlite(path) => Ok(Self {
                merchant: MerchantNo::FIRST,
                writer: Writer::open(path, BUSY_LIMIT)?,
                readers: Readers::of(path),
                changes: Changes::default(),
                known: migrations::SQLITE,
                spending: Spending::default(),
                instances: None,
            }),
            Database::Postgres { server, .. } => {
                let readers = Readers::of_server(server);
                // Asked first, because a listener would only say that it took too long.
                query("SELECT 1").exists(&readers).await?;
                let told = Told::default();
                let changes = Changes::telling(told.clone());
                let spending = Spending::among_others();
                let connecting = Instances::connect(server, &changes, told, &spending);
                // It has room of its own, as all calls of PostgreSQL have.
                let instances = Box::pin(connecting).await?;
                Ok(Self {
                    merchant: MerchantNo::FIRST,
                    writer: Writer::of_server(server),
                    readers,
                    spending,
                    instances: Some(instances),
                    changes,
                    known: migrations::POSTGRES,
                })
            }
        }
    }

    /// The number of the newest migration that was done.
    pub(crate) async fn version(&self) -> Result<i64, LedgerError> {
        let applied = self.readers.migrations().await?;
        Ok(applied.last().map_or(0, |newest| newest.version))
    }

    /// Whether the database is a file of SQLite.
    pub(crate) fn is_a_file(&self) -> bool {
        self.instances.is_none()
    }

    /// Whether the database can be read.
    pub(crate) async fn is_readable(&self) -> bool {
        query("SELECT 1").exists(&self.readers).await.is_ok()
    }

    /// The long polls that wait for an order.
    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// What the programs on this database have used of the limits that they share.
    pub(crate) const fn spending(&self) -> &Spending {
        &self.spending
    }

    pub(super) async fn write(&self) -> Result<Write, LedgerError> {
        Ok(Write::of(self.merchant, self.writer.begin().await?))
    }
}

/// Checks that the applied migrations are exactly those that this program knows. A database that
/// was never migrated lacks the first one.
pub(super) async fn check_version(
    readers: &Readers,
    known: &[Migration],
) -> Result<(), LedgerError> {
    let mut missing: Vec<&Migration> = known.iter().collect();
    for applied in readers.migrations().await? {
        let version = applied.version;
        let Some(place) = missing.iter().position(|known| known.version == version) else {
            let newest = known.iter().map(|known| known.version).max();
            return Err(LedgerError::Newer {
                found: version,
                known: newest.unwrap_or_default(),
            });
        };
        if applied.checksum != missing.remove(place).checksum() {
            return Err(LedgerError::Changed { version });
        }
    }
    match missing.first() {
        Some(first) => Err(LedgerError::Older {
            lacks: first.version,
        }),
        None => Ok(()),
    }
}

/// Waits until a database server can be reached, for a while.
pub(super) async fn wait_for(readers: &Readers) -> Result<(), LedgerError> {
    patiently(|| async { Ok(query("SELECT 1").exists(readers).await.map(drop)?) }).await
}

/// Begins again for a while if the database server cannot be reached, or ends a connection: it may start,
/// or be started again, at the same time.
async fn patiently<T, F>(open: impl Fn() -> F) -> Result<T, LedgerError>
where
    F: Future<Output = Result<T, LedgerError>>,
{
    let begun = Instant::now();
    loop {
        let waited = begun.elapsed();
        match open().await {
            Err(LedgerError::Database(error))
                if error.is_away()
                    && (waited < START_LIMIT || error.is_starting() && waited < RECOVERY_LIMIT) =>
            {
                tracing::warn!(event = "ledger.unreachable", %error, "waiting for the database");
                sleep(START_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// Creates the file and its folder, if they are missing, and checks that the file can be written and that
/// SQLite can make its side files. A server that could only read would take its port, and refuse every
/// order.
fn check_writable(path: &Path) -> Result<(), LedgerError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push("-check");
    let check = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| make_private(path))
        .and_then(|()| make_private(beside.as_ref()));
    // Another server that starts at the same moment may have removed it.
    let _ = std::fs::remove_file(&beside);
    check.map_err(LedgerError::file(path))
}

/// Creates the file, if it is missing, readable by its owner only: it holds tokens and openids.
/// SQLite gives its side files the same mode.
pub(super) fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(drop)
}
