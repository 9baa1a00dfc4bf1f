//! Why the ledger could not do it. No error quotes a value of a row.

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
