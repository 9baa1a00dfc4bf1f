//! SQLite: statements run in the thread that calls, because they take microseconds and a hop to
//! another thread takes more.
//!
//! There is one connection that writes, for which writers queue up in the order of arrival, and any
//! number of connections that read. Only a commit waits for the disk. It runs on a thread of its own,
//! and it is shared: [`Write::commit`] releases the writer's savepoint and puts a commit into the
//! same queue, behind the writers that wait already. They write into the same transaction, and one
//! commit makes all of them durable. A writer that fails rolls back to its savepoint and harms no
//! other; if the commit itself fails, all its writers learn that nothing was changed.
//!
//! A statement is never pending, so a task with many of them would let no other task run. So each
//! statement counts as an operation that may yield (tokio's cooperative budget).
//!
//! What this module never does: block a thread on a lock of the database. A writer that finds another
//! program's lock waits asynchronously.

mod connection;
mod group;
mod readers;
mod write;

pub(crate) use readers::{Readers, Snapshot};
pub(crate) use write::{Write, Writer};
