//! Tests whether the database can be written.

use super::{Ledger, LedgerError};
use ledger_database::query;

impl Ledger {
    /// Writes one page and commits it, as every change does, without an effect on data. In a SQLite
    /// file, `user_version` is a field for applications that this one does not use. PostgreSQL has no
    /// such field: there the owner's row is written as it is.
    pub(crate) async fn try_write(&self) -> Result<(), LedgerError> {
        let statement = if self.is_a_file() {
            "PRAGMA user_version = 0"
        } else {
            "UPDATE owner SET mchid = mchid"
        };
        self.execute(query(statement)).await.map(drop)
    }
}
