//! How the ledger's connections are opened.

use std::path::Path;
use std::time::Duration;

use ledger_database::{Error, Writer};

pub(super) use ledger_database::Write;

/// How long a writer waits for another program's lock.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// Opens the connection that writes to a database that is there.
pub(super) fn open_writer(path: &Path) -> Result<Writer, Error> {
    Writer::open(path, BUSY_LIMIT)
}
