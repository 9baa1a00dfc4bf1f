//! Statements and transactions on the ledger's database.
//!
//! There are two engines below one interface: a file with SQLite, and a PostgreSQL server. A statement
//! has one text for both. With SQLite there is one writer at a time; with PostgreSQL any number, in
//! several programs, so a caller locks what it reads and then changes ([`Query::for_update`],
//! [`Write::lock`]), and repeats a whole transaction that was in another's way
//! ([`Error::is_repeatable`]).
//!
//! A statement is text with values; rows are read by column names into types. Three rules hold for
//! every caller:
//!
//! - **Durable before visible.** [`Write::commit`] returns only once the change is on the disk.
//!   On SQLite several writers share one commit (see [`sqlite`]'s module), and each learns its own
//!   outcome.
//! - **All or nothing.** A [`Write`] that is dropped without a commit has changed nothing.
//! - **No values in errors.** An [`Error`] names a column or the database's reason, never a value.
//!
//! What this crate never does: know a table, or decide about a payment.

mod checked_values;
mod engine;
mod error;
mod migrations;
mod postgres;
mod query;
mod row;
mod sqlite;
mod value;

pub use engine::{Readers, Scan, Snapshot, Write, Writer};
pub use error::{Error, ReadError};
pub use migrations::{Applied, Migration};
pub use postgres::{CopyLine, Heard, Listener, Server};
pub use query::{EachRow, Executor, Query, QueryAs, QueryScalar, query, query_as, query_scalar};
pub use row::{Column, FromRow, Row};
pub use value::{IntoValue, Kind, Value, ValueRef};
