//! Statements and transactions on the ledger's database.
//!
//! A statement is text with values; rows are read by column names into types. Three rules hold for
//! every caller:
//!
//! - **Durable before visible.** [`Write::commit`] returns only once the change is on the disk.
//!   Several writers share one commit (see [`sqlite`]'s module), and each learns its own outcome.
//! - **All or nothing.** A [`Write`] that is dropped without a commit has changed nothing.
//! - **No values in errors.** An [`Error`] names a column or the database's reason, never a value.
//!
//! What this crate never does: know a table, or decide about a payment.

mod error;
mod migrations;
mod query;
mod row;
mod sqlite;
mod value;

pub use error::{Error, ReadError};
pub use migrations::{Applied, Migration};
pub use query::{EachRow, Executor, Query, QueryAs, QueryScalar, query, query_as, query_scalar};
pub use row::{Column, FromRow, Row};
pub use sqlite::{Readers, Scan, Snapshot, Write, Writer};
pub use value::{IntoValue, Value, ValueRef};
