//! PostgreSQL: any number of writers in any number of programs.
//!
//! A connection is used by one task at a time, and its statements run in that task. Connections are
//! made when they are first needed, and kept. Each statement is prepared once on a connection.
//!
//! A transaction has a number from its beginning on. If the connection is lost while the commit is
//! under way, nobody knows whether it was done: the server is asked by that number, on another
//! connection, before anything else happens. An answer is given only once it is known.
//!
//! What this module never does: repeat a transaction (its caller knows what was read in it), or show
//! the password of an address.

pub(crate) mod columns;
mod connection;
mod copy;
mod failure;
mod listener;
mod pool;
mod readers;
mod server;
mod statement;
mod write;

pub use copy::CopyLine;
pub use listener::{Heard, Listener};
pub use server::Server;

pub(crate) use readers::{Readers, Snapshot};
pub(crate) use write::{Write, Writer};
