//! The handle to the ledger: it opens the database and migrates it to this version. Every query
//! uses this handle.

use std::path::Path;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::changes::Changes;
use super::connections::{Readers, Write, Writer};
use super::error::LedgerError;
use crate::config::{Config, Database};

/// Forward only: a released migration is never changed; a new one is added. Some numbers are
/// missing: a number is reserved before the work begins, and the work for number 7 needed no
/// migration. Only the order of the numbers counts.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "orders and attempts",
        include_str!("../../migrations/sqlite/0001_orders_and_attempts.sql"),
    ),
    (
        2,
        "what the private API shows",
        include_str!("../../migrations/sqlite/0002_private_api.sql"),
    ),
    (
        3,
        "webhooks",
        include_str!("../../migrations/sqlite/0003_webhooks.sql"),
    ),
    (
        4,
        "refunds",
        include_str!("../../migrations/sqlite/0004_refunds.sql"),
    ),
    (
        5,
        "surplus is refunded",
        include_str!("../../migrations/sqlite/0005_surplus.sql"),
    ),
    (
        6,
        "all order forms",
        include_str!("../../migrations/sqlite/0006_order_forms.sql"),
    ),
    (
        8,
        "when it was paid",
        include_str!("../../migrations/sqlite/0008_when_it_was_paid.sql"),
    ),
    (
        13,
        "mismatches are seen to",
        include_str!("../../migrations/sqlite/0013_mismatches_seen_to.sql"),
    ),
    (
        14,
        "webhooks without a target",
        include_str!("../../migrations/sqlite/0014_webhooks_without_a_target.sql"),
    ),
    (
        15,
        "whose it is",
        include_str!("../../migrations/sqlite/0015_whose_it_is.sql"),
    ),
    (
        21,
        "work keeps its wait",
        include_str!("../../migrations/sqlite/0021_waits.sql"),
    ),
    (
        22,
        "what others repeat and say",
        include_str!("../../migrations/sqlite/0022_what_others_repeat_and_say.sql"),
    ),
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
        let ledger = Self::connect(path).await?;
        match ledger.check_version().await {
            Err(LedgerError::Older { .. }) => {
                migrator().run(ledger.writer.pool()).await?;
                // A connection that was opened before the migration prepares statements by the old
                // tables and fails on rows with more columns. So all connections are opened again.
                ledger.readers.pool().close().await;
                ledger.writer.pool().close().await;
                Self::connect(path).await
            }
            checked => checked.map(|()| ledger),
        }
    }

    /// Opens an existing database of this version, without migrating it: for commands beside a
    /// running server.
    pub(crate) async fn open_as_it_is(config: &Config) -> Result<Self, LedgerError> {
        let Database::Sqlite(path) = &config.database;
        let ledger = Self::connect(path).await?;
        ledger.check_version().await?;
        ledger.check_owner(config).await?;
        Ok(ledger)
    }

    /// Checks that the applied migrations are exactly those that this program knows. A database
    /// that was never migrated lacks the first one.
    async fn check_version(&self) -> Result<(), LedgerError> {
        check_version(&self.readers).await
    }

    async fn connect(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self {
            writer: Writer::connect(path).await?,
            readers: Readers::of(path),
            changes: Changes::default(),
        })
    }

    /// The number of the newest migration that was done.
    pub(crate) async fn version(&self) -> Result<i64, LedgerError> {
        let newest = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations");
        Ok(newest.fetch_one(self.readers.pool()).await?)
    }

    /// Whether the database can be read.
    pub(crate) async fn is_readable(&self) -> bool {
        let read = sqlx::query("SELECT 1").fetch_one(self.readers.pool());
        read.await.is_ok()
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
    let is_there = sqlx::query("SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations'")
        .fetch_optional(readers.pool())
        .await?;
    let done: Vec<(i64, Vec<u8>)> = match is_there {
        None => Vec::new(),
        Some(_) => {
            sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
                .fetch_all(readers.pool())
                .await?
        }
    };
    let migrator = migrator();
    let mut missing: Vec<&Migration> = migrator.iter().collect();
    for (version, checksum) in done {
        let Some(place) = missing.iter().position(|known| known.version == version) else {
            let known = migrator.iter().map(|known| known.version).max();
            return Err(LedgerError::Newer {
                found: version,
                known: known.unwrap_or_default(),
            });
        };
        let known = missing.remove(place);
        if checksum != *known.checksum {
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

fn migrator() -> Migrator {
    let migrations = MIGRATIONS.iter().map(|&(version, description, sql)| {
        Migration::new(
            version,
            description.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}
