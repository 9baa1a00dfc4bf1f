//! The handle to the ledger: it opens the database and migrates it to this version. Every query
//! uses this handle.

use std::path::Path;
use std::time::Duration;

use ledger_database::{Migration, Readers, Write, Writer, query};

use super::changes::Changes;
use super::error::LedgerError;
use crate::config::{Config, Database};

/// How long a writer waits for another program's lock.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// Forward only: a released migration is never changed; a new one is added. Some numbers are
/// missing: a number is reserved before the work begins, and the work for number 7 needed no
/// migration. Only the order of the numbers counts.
const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        description: "orders and attempts",
        statements: include_str!("../../migrations/sqlite/0001_orders_and_attempts.sql"),
    },
    Migration {
        version: 2,
        description: "what the private API shows",
        statements: include_str!("../../migrations/sqlite/0002_private_api.sql"),
    },
    Migration {
        version: 3,
        description: "webhooks",
        statements: include_str!("../../migrations/sqlite/0003_webhooks.sql"),
    },
    Migration {
        version: 4,
        description: "refunds",
        statements: include_str!("../../migrations/sqlite/0004_refunds.sql"),
    },
    Migration {
        version: 5,
        description: "surplus is refunded",
        statements: include_str!("../../migrations/sqlite/0005_surplus.sql"),
    },
    Migration {
        version: 6,
        description: "all order forms",
        statements: include_str!("../../migrations/sqlite/0006_order_forms.sql"),
    },
    Migration {
        version: 8,
        description: "when it was paid",
        statements: include_str!("../../migrations/sqlite/0008_when_it_was_paid.sql"),
    },
    Migration {
        version: 13,
        description: "mismatches are seen to",
        statements: include_str!("../../migrations/sqlite/0013_mismatches_seen_to.sql"),
    },
    Migration {
        version: 14,
        description: "webhooks without a target",
        statements: include_str!("../../migrations/sqlite/0014_webhooks_without_a_target.sql"),
    },
    Migration {
        version: 15,
        description: "whose it is",
        statements: include_str!("../../migrations/sqlite/0015_whose_it_is.sql"),
    },
    Migration {
        version: 21,
        description: "work keeps its wait",
        statements: include_str!("../../migrations/sqlite/0021_waits.sql"),
    },
    Migration {
        version: 22,
        description: "what others repeat and say",
        statements: include_str!("../../migrations/sqlite/0022_what_others_repeat_and_say.sql"),
    },
];

/// A handle to the database. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(super) writer: Writer,
    pub(super) readers: Readers,
    pub(super) changes: Changes,
}

impl Ledger {
    /// Opens the database file, creates it if it is missing, and migrates it to this version.
    /// From then on it belongs to the configured merchant.
    pub(crate) async fn open(config: &Config) -> Result<Self, LedgerError> {
        let ledger = Self::brought_up(&config.database).await?;
        ledger.take_over(config).await?;
        ledger.check_owner(config).await?;
        Ok(ledger)
    }

    pub(super) async fn brought_up(database: &Database) -> Result<Self, LedgerError> {
        let Database::Sqlite(path) = database;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(LedgerError::Folder)?;
        }
        make_private(path).map_err(LedgerError::Folder)?;
        let ledger = Self::connect(path)?;
        match ledger.check_version().await {
            Err(LedgerError::Older { .. }) => {
                let migrated = ledger.writer.migrate(MIGRATIONS).await;
                migrated.map_err(|(version, reason)| LedgerError::Migration { version, reason })?;
                Ok(ledger)
            }
            checked => checked.map(|()| ledger),
        }
    }

    /// Opens an existing database of this version, without migrating it: for commands beside a
    /// running server.
    pub(crate) async fn open_as_it_is(config: &Config) -> Result<Self, LedgerError> {
        let Database::Sqlite(path) = &config.database;
        let ledger = Self::connect(path)?;
        ledger.check_version().await?;
        ledger.check_owner(config).await?;
        Ok(ledger)
    }

    /// Checks that the applied migrations are exactly those that this program knows. A database
    /// that was never migrated lacks the first one.
    async fn check_version(&self) -> Result<(), LedgerError> {
        check_version(&self.readers).await
    }

    fn connect(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self {
            writer: Writer::open(path, BUSY_LIMIT)?,
            readers: Readers::of(path),
            changes: Changes::default(),
        })
    }

    /// The number of the newest migration that was done.
    pub(crate) async fn version(&self) -> Result<i64, LedgerError> {
        let applied = self.readers.migrations().await?;
        Ok(applied.last().map_or(0, |newest| newest.version))
    }

    /// Whether the database can be read.
    pub(crate) async fn is_readable(&self) -> bool {
        query("SELECT 1").exists(&self.readers).await.is_ok()
    }

    /// The long polls that wait for an order.
    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    pub(super) async fn write(&self) -> Result<Write, LedgerError> {
        Ok(self.writer.begin().await?)
    }
}

/// Checks that the applied migrations are exactly those that this program knows. A database that
/// was never migrated lacks the first one.
pub(super) async fn check_version(readers: &Readers) -> Result<(), LedgerError> {
    let mut missing: Vec<&Migration> = MIGRATIONS.iter().collect();
    for applied in readers.migrations().await? {
        let version = applied.version;
        let Some(place) = missing.iter().position(|known| known.version == version) else {
            let known = MIGRATIONS.iter().map(|known| known.version).max();
            return Err(LedgerError::Newer {
                found: version,
                known: known.unwrap_or_default(),
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
