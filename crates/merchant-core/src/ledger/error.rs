//! Errors of the ledger. No error quotes a value of a row.

use std::path::{Path, PathBuf};

/// Why a call to the ledger failed. It changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file of the ledger, or its folder, cannot be created.
    #[error(
        "{} cannot be written: {source}; the file and its folder must be writable by the user that runs merchant-server",
        .path.display()
    )]
    File {
        /// The database file, or the copy.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The database refused the statement or cannot be reached.
    #[error("database: {0}")]
    Database(ledger_database::Error),
    /// A migration failed. The ones before it stay applied.
    #[error("migration {version}: {reason}")]
    Migration {
        /// The migration's number.
        version: i64,
        /// The database's reason.
        reason: ledger_database::Error,
    },
    /// A newer version of this program has migrated the database.
    #[error(
        "the database is at version {found}, and this program knows versions up to {known}: use a newer merchant-server"
    )]
    Newer {
        /// The migration that this program does not know.
        found: i64,
        /// The newest migration that this program knows.
        known: i64,
    },
    /// The database is not migrated to this version.
    #[error("the database lacks migration {lacks}: run `merchant-server migrate`")]
    Older {
        /// The first migration that is missing.
        lacks: i64,
    },
    /// The database has tables of another program.
    #[error(
        "the database has tables, and none that merchant-server made: give it a database of its own"
    )]
    Foreign,
    /// A migration in the database has another checksum than this program's.
    #[error(
        "migration {version} of the database differs from this program's: the database was made by another build"
    )]
    Changed {
        /// The migration's number.
        version: i64,
    },
    /// The database is another merchant's, or another environment's.
    #[error(
        "merchant.mchid must be {mchid} and gateway.environment \"{environment}\", whose orders the database holds: another merchant, or another environment, needs a database of its own"
    )]
    OtherOwner {
        /// The merchant number in the database.
        mchid: String,
        /// The environment in the database.
        environment: String,
    },
    /// The database holds the ledger of a merchant that is not configured.
    #[error(
        "the database holds orders of merchant {mchid}, which is not configured: nobody would query or settle them. Configure it, or name it in retired_merchants"
    )]
    OwnerLeft {
        /// The merchant number in the database.
        mchid: String,
    },
    /// The database has orders and no owner, and several merchants are configured.
    #[error(
        "the database has orders from before it had an owner: start once with their merchant alone"
    )]
    NoOwner,
    /// A command acts for a merchant that no server has started with.
    #[error(
        "the database knows no merchant {mchid} yet: start the server, or run `merchant-server migrate`"
    )]
    NotTakenOver {
        /// The configured merchant number.
        mchid: String,
    },
    /// A program moves a ledger into the database at this moment.
    #[error("a ledger is being moved into the database: start again when that has ended")]
    BeingMoved,
    /// The backup failed its checks. It was not renamed to its final name.
    #[error("the backup failed its checks: {0}")]
    Backup(String),
    /// A value that this program never writes.
    #[error("the column {0} holds a value that this version does not know")]
    Column(&'static str),
    /// A column's value that this version cannot read, found while a row was decoded.
    #[error("the column {column} holds a value that this version cannot read: {reason}")]
    Unreadable {
        /// The column's name.
        column: String,
        /// What is wrong with the value. The reason does not quote the value.
        reason: String,
    },
}

impl LedgerError {
    /// For `map_err` where a file is made.
    pub(super) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// Whether the cause is the state of the database and not the call: the same call may succeed
    /// later.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_unavailable())
    }

    /// Whether the database server cannot be reached: it is down, or its address is wrong.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Database(ledger_database::Error::Unreachable(_)))
    }
}

impl From<ledger_database::Error> for LedgerError {
    fn from(error: ledger_database::Error) -> Self {
        match error {
            ledger_database::Error::Column { column, reason } => Self::Unreadable {
                column: column.to_string(),
                reason: reason.to_string(),
            },
            error => Self::Database(error),
        }
    }
}
