//! One connection: how it is opened, and how it runs a statement.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef as Bound};
use rusqlite::{Connection, OpenFlags, ToSql};

use crate::query::EachRow;
use crate::{Error, Query, Row, Value};

/// Every statement of the ledger fits, so each is prepared once on each connection.
const STATEMENTS_MAX: usize = 256;
/// How long a read waits, and the opening of a connection: only another program that recovers the
/// database makes them wait.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Reads and writes a file that exists.
    Write,
    /// Only reads.
    Read,
    /// Only reads a file that no program changes, and makes no side files.
    ReadCopy,
    /// Reads, and locks the whole file at the first statement: no other program may have it open. A
    /// write-ahead log that a killed program left is taken in, which needs the right to write.
    Alone,
}

/// The pages that the writing connection keeps, in kilobytes. SQLite's own 2 MB are less than the upper
/// pages of the indices of some million orders, which each transaction then reads from the system again.
const CACHE_KB: i64 = 32 * 1024;

/// Opens a file that exists.
pub(super) fn open(path: &Path, access: Access) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX
        | match access {
            Access::Write | Access::Alone => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Access::ReadCopy => OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
        };
    let connection = match access {
        Access::ReadCopy => Connection::open_with_flags(address_of_copy(path), flags)?,
        _ => Connection::open_with_flags(path, flags)?,
    };
    connection.busy_timeout(BUSY_LIMIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "foreign_keys", true)?;
    if access == Access::Alone {
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update_and_check(None, "locking_mode", "exclusive", |_| Ok(()))?;
    }
    if access == Access::Write {
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        // What an answer confirms must survive a power failure.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "cache_size", -CACHE_KB)?;
        // A savepoint's old pages go to a file otherwise, and each change of a page costs a system call.
        // A transaction is short: a few hundred pages at most.
        connection.pragma_update(None, "temp_store", "memory")?;
        // From here on, a writer waits for a lock without holding a thread.
        connection.busy_timeout(Duration::ZERO)?;
    }
    Ok(connection)
}

/// Runs a statement, and calls `each` for each row.
pub(super) fn run(
    connection: &Connection,
    query: &Query<'_>,
    each: &mut EachRow<'_>,
) -> Result<u64, Error> {
    let mut statement = connection.prepare_cached(query.text)?;
    for (place, value) in query.values.iter().enumerate() {
        statement.raw_bind_parameter(place + 1, value)?;
    }
    let before = connection.total_changes();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if !each(&Row::of_sqlite(row))? {
            break;
        }
    }
    drop(rows);
    // SQLite leaves `changes` as it was if a statement changes nothing.
    let has_changed = connection.total_changes() > before;
    Ok(if has_changed { connection.changes() } else { 0 })
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null(_) => Bound::Null,
            Self::Integer(number) => Bound::Integer(*number),
            Self::Text(text) => Bound::Text(text.as_bytes()),
            Self::Blob(bytes) => Bound::Blob(bytes),
        }))
    }
}

/// SQLite reads a file that is called immutable without side files. The address escapes what has a
/// meaning in addresses.
fn address_of_copy(path: &Path) -> String {
    let path = path.to_string_lossy();
    let mut address = String::from("file:");
    for byte in path.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => address.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => address.push(char::from(byte)),
            byte => {
                let _ = write!(address, "%{byte:02X}");
            }
        }
    }
    address.push_str("?immutable=1");
    address
}
