//! The ledger: what was ordered, tried, paid and is still to be done. The only place with SQL,
//! and the only place that decides what may follow what.
//!
//! Every change of an order grows its `version` in the same transaction, and whoever waits for
//! that order is woken once the transaction is durable. Nothing here talks to WeChat.

mod attempts;
mod backup;
mod business;
mod census;
mod changes;
mod column;
mod connections;
mod due_work;
mod kept_notifications;
mod mismatches;
mod orders;
mod outbox;
mod owner;
mod page;
mod payers;
mod payments;
mod probe;
mod refund_mismatches;
mod refund_news;
mod refund_progress;
mod refund_state;
mod refunds;
mod timestamp;
mod work;

use std::path::Path;

pub(crate) use attempts::{Attempt, AttemptState, Begun, NewAttempt, Parties};
pub(crate) use business::{Business, PaymentHere, RefundHere};
pub use census::Census;
pub(crate) use changes::Changes;
pub use column::UnknownWord;
use connections::{Readers, Write, Writer};
use due_work::Wait;
pub(crate) use due_work::{DueWork, Ended, Wanted};
pub(crate) use kept_notifications::NotificationToKeep;
pub(crate) use mismatches::{KeptMismatch, MismatchFilter};
pub use orders::{Checkout, Order, OrderFilter};
pub(crate) use orders::{Created, NewOrder, QUERY_INTERVAL_MS};
pub use outbox::Delivery;
pub(crate) use outbox::{Webhook, WebhookFilter};
pub(crate) use page::cut;
pub(crate) use payers::StateFound;
pub(crate) use payments::{Evidence, Mismatch, Payment, Recorded};
pub(crate) use refund_mismatches::learn_numbers;
pub(crate) use refund_news::{RefundNews, RefundRecorded};
pub(crate) use refund_progress::Refusal;
pub(crate) use refund_state::told_state;
pub(crate) use refunds::{NewRefund, REFUNDS_MAX, Refund, RefundBegun, Sending};
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
pub(crate) use timestamp::timestamp;
pub(crate) use work::{Lane, Work};

use crate::config::{Config, Database};

/// Forward only: a migration that was released is never changed, a new one is added. Numbers are
/// handed out before the work is done, so some are missing: 7 was for work that needed none. Only
/// their order counts.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "orders and attempts",
        include_str!("../migrations/sqlite/0001_orders_and_attempts.sql"),
    ),
    (
        2,
        "what the private API shows",
        include_str!("../migrations/sqlite/0002_private_api.sql"),
    ),
    (
        3,
        "webhooks",
        include_str!("../migrations/sqlite/0003_webhooks.sql"),
    ),
    (
        4,
        "refunds",
        include_str!("../migrations/sqlite/0004_refunds.sql"),
    ),
    (
        5,
        "surplus is given back",
        include_str!("../migrations/sqlite/0005_surplus.sql"),
    ),
    (
        6,
        "all order forms",
        include_str!("../migrations/sqlite/0006_order_forms.sql"),
    ),
    (
        8,
        "when it was paid",
        include_str!("../migrations/sqlite/0008_when_it_was_paid.sql"),
    ),
    (
        13,
        "mismatches are seen to",
        include_str!("../migrations/sqlite/0013_mismatches_seen_to.sql"),
    ),
    (
        14,
        "webhooks without a target",
        include_str!("../migrations/sqlite/0014_webhooks_without_a_target.sql"),
    ),
    (
        15,
        "whose it is",
        include_str!("../migrations/sqlite/0015_whose_it_is.sql"),
    ),
    (
        21,
        "work keeps its wait",
        include_str!("../migrations/sqlite/0021_waits.sql"),
    ),
    (
        22,
        "what others repeat and say",
        include_str!("../migrations/sqlite/0022_what_others_repeat_and_say.sql"),
    ),
];

/// Why the ledger could not do it. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database file or its folder cannot be made.
    #[error("the database's file or folder cannot be made: {0}")]
    Folder(std::io::Error),
    /// The database refused or is out of reach.
    #[error("database: {0}")]
    Database(sqlx::Error),
    /// A migration failed.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A newer program has worked on the database.
    #[error(
        "the database is at version {found}, and this program knows versions up to {known}: use the program that is as new as the database"
    )]
    Newer {
        /// The migration that this program does not know.
        found: i64,
        /// The newest that it knows.
        known: i64,
    },
    /// The database lacks what this program needs.
    #[error(
        "the database lacks migration {lacks}: bring it up to this version with `merchant-server migrate`"
    )]
    Older {
        /// The first migration that is missing.
        lacks: i64,
    },
    /// A migration of the database is not the one that this program would have done.
    #[error(
        "migration {version} of the database differs from this program's: the database was made by another build"
    )]
    Changed {
        /// Which.
        version: i64,
    },
    /// The database is another merchant's, or another environment's.
    #[error(
        "merchant.mchid must be {mchid} and gateway.environment \"{environment}\", whose orders the database holds: another merchant, or another environment, needs a database of its own"
    )]
    OtherOwner {
        /// Whose it is.
        mchid: String,
        /// In which environment.
        environment: String,
    },
    /// A backup that cannot be trusted; it was not put in its place.
    #[error("the backup is not good: {0}")]
    Backup(String),
    /// A value that this program never writes.
    #[error("the column {0} holds a value that this version does not know")]
    Column(&'static str),
    /// The same, found while a row was read.
    #[error("the column {column} holds a value that this version cannot read: {reason}")]
    Unreadable {
        /// The column's name.
        column: String,
        /// What is wrong with the value. The reason does not quote the value.
        reason: String,
    },
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { index, source } => Self::Unreadable {
                // sqlx gives the name in quotation marks.
                column: index.trim_matches('"').to_owned(),
                reason: source.to_string(),
            },
            error => Self::Database(error),
        }
    }
}

/// Brings the database up to this version, making it where it is missing; gives the number of
/// its newest migration.
pub async fn migrate(config: &Config) -> Result<i64, LedgerError> {
    Ledger::open(config).await?.version().await
}

/// Copies the database while a server works on it; gives the number of orders in the copy, which
/// was read and checked. `to` must not exist.
pub async fn back_up(config: &Config, to: &Path) -> Result<u64, LedgerError> {
    let ledger = Ledger::open_as_it_is(config).await?;
    ledger.back_up(to).await
}

/// A handle on the ledger. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    writer: Writer,
    readers: Readers,
    changes: Changes,
}

impl Ledger {
    /// Opens the file, making it where it is missing, and brings it up to this version. It is the
    /// configured merchant's from then on.
    pub(crate) async fn open(config: &Config) -> Result<Self, LedgerError> {
        let ledger = Self::brought_up(&config.database).await?;
        ledger.take_over(config).await?;
        ledger.check_owner(config).await?;
        Ok(ledger)
    }

    async fn brought_up(database: &Database) -> Result<Self, LedgerError> {
        let Database::Sqlite(path) = database;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(LedgerError::Folder)?;
        }
        make_private(path).map_err(LedgerError::Folder)?;
        let ledger = Self::connect(path).await?;
        match ledger.check_version().await {
            Err(LedgerError::Older { .. }) => {
                migrator().run(ledger.writer.pool()).await?;
                // A connection that knew the older tables prepares by them, and breaks on the first
                // row that has more columns: none is kept.
                ledger.readers.pool().close().await;
                ledger.writer.pool().close().await;
                Self::connect(path).await
            }
            checked => checked.map(|()| ledger),
        }
    }

    /// Opens a file that is there and of this version, and leaves it so: for commands beside a
    /// server that runs.
    pub(crate) async fn open_as_it_is(config: &Config) -> Result<Self, LedgerError> {
        let Database::Sqlite(path) = &config.database;
        let ledger = Self::connect(path).await?;
        ledger.check_version().await?;
        ledger.check_owner(config).await?;
        Ok(ledger)
    }

    /// Whether the migrations that were done are exactly those that this program knows. A
    /// database that was never migrated lacks the first one.
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

    /// Who waits for an order, and who is told.
    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    async fn write(&self) -> Result<Write, LedgerError> {
        Ok(self.writer.begin().await?)
    }
}

/// Whether the migrations that were done are exactly those that this program knows. A database
/// that was never migrated lacks the first one.
async fn check_version(readers: &Readers) -> Result<(), LedgerError> {
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

/// Makes the file, if it is missing, so that nobody else can read it: tokens and openids are in
/// it. SQLite gives its side files the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
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

/// A count or an amount for the database, whose integers have a sign. Amounts and counts are bounded
/// far below where it would matter.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
