//! Errors of the database. No error quotes a value.

use std::fmt;
use std::sync::Arc;

/// What PostgreSQL answers until it takes connections (cannot_connect_now).
const STARTING: &str = "(code: 57P03)";

/// Why a statement, a transaction or a commit failed. Unless the variant says otherwise, nothing
/// was changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another program held the database's lock for too long. The same call may succeed later.
    #[error("the database is locked by another program")]
    Busy,
    /// Another transaction changed the same rows. The whole transaction may succeed later.
    #[error("another transaction was in the way")]
    Conflict,
    /// Another transaction has just written a row with the same key: what this one read is old. The
    /// name of the constraint.
    #[error("a row with the same key is there: {0}")]
    Duplicate(Arc<str>),
    /// The connection to the database server was lost before the commit.
    #[error("the connection to the database was lost")]
    Lost,
    /// There is no connection to the database server: its reason.
    #[error("the database cannot be reached: {0}")]
    Unreachable(Arc<str>),
    /// The database is there, and cannot do it now: its own reason. A full disk, a disk that fails and
    /// a database that may only be read are such reasons. The same call may succeed later.
    #[error("the database cannot be used now: {0}")]
    Unusable(Arc<str>),
    /// The database refused a statement or a commit: its own reason.
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
    /// The program ended while the commit was under way, or the database server could not be asked how
    /// it ended: the change may or may not be durable.
    #[error("the commit was not confirmed")]
    Unconfirmed,
}

impl Error {
    /// Whether the same call may succeed later without any change: only another program was in the
    /// way.
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy)
    }

    /// Whether there is no connection to the database server, or none any more.
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Lost | Self::Unreachable(_))
    }

    /// Whether the database server is there and takes no connections yet: it starts, or recovers from a
    /// crash.
    pub fn is_starting(&self) -> bool {
        matches!(self, Self::Unreachable(reason) if reason.starts_with(STARTING))
    }

    /// Whether the cause is the state of the database and not the call: the same call may succeed
    /// later.
    pub const fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::Conflict
                | Self::Lost
                | Self::Unreachable(_)
                | Self::Unusable(_)
                | Self::Unconfirmed
        )
    }

    /// Whether the whole transaction can be done again, from its first read on: it has changed nothing,
    /// and what was in the way may be gone.
    pub const fn is_repeatable(&self) -> bool {
        matches!(self, Self::Conflict | Self::Duplicate(_) | Self::Lost)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly, SystemIoFailure,
        };
        match error.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked) => Self::Busy,
            Some(CannotOpen | DiskFull | ReadOnly | SystemIoFailure) => {
                Self::Unusable(reason(&error).into())
            }
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
