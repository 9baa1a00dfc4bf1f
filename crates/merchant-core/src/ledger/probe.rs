//! Tests whether the database can be written.

use super::{Ledger, LedgerError};
use ledger_database::query;

impl Ledger {
    /// Writes one page and commits it, as every change does, without an effect on data:
    /// `user_version` is a field for applications that this one does not use.
    pub(crate) async fn try_write(&self) -> Result<(), LedgerError> {
        let mut write = self.write().await?;
        query("PRAGMA user_version = 0").execute(&mut write).await?;
        write.commit().await?;
        Ok(())
    }
}
