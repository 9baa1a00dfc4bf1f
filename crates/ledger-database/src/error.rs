//! Errors of the database. No error quotes a value.

use std::fmt;
use std::sync::Arc;

/// Why a statement, a transaction or a commit failed. Unless the variant says otherwise, nothing
/// was changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another program held the database's lock for too long. The same call may succeed later.
    #[error("the database is locked by another program")]
    Busy,
    /// The database refused a statement or a commit, or cannot be read: its own reason. A full disk
    /// is one.
    #[error("{0}")]
    Refused(Arc<str>),
    /// The statement found no row where it must find one.
    #[error("a row is missing")]
    NoRow,
    /// A column's value cannot be read as what it must be.
    #[error("column {column}: {reason}")]
    Column {
        /// The column's name.
        column: Arc<str>,
        /// What is wrong with the value, without the value.
        reason: Arc<str>,
    },
    /// The transaction was ended by an earlier error, so this statement did not run.
    #[error("the transaction had failed before")]
    Ended,
    /// The program ended while the commit was under way: the change may or may not be durable.
    #[error("the commit was not confirmed")]
    Unconfirmed,
}

impl Error {
    /// Whether the same call may succeed later without any change: only another program was in the
    /// way.
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        match error.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked) => Self::Busy,
            _ => Self::Refused(reason(&error).into()),
        }
    }
}

/// SQLite's reason. Its texts name tables, columns and constraints, but no values.
fn reason(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(failure, text) => {
            let code = failure.extended_code;
            text.as_ref().map_or_else(
                || format!("{failure}"),
                |text| format!("(code: {code}) {text}"),
            )
        }
        rusqlite::Error::SqlInputError { error, msg, .. } => {
            format!("(code: {}) {msg}", error.extended_code)
        }
        other => other.to_string(),
    }
}

/// Why a value cannot be read, without the value.
#[derive(Debug)]
pub struct ReadError(String);

impl ReadError {
    /// With a reason such as `must be a number`.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }

    pub(crate) fn in_column(self, column: &str) -> Error {
        Error::Column {
            column: column.into(),
            reason: self.0.into(),
        }
    }
}
