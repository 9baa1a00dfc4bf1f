//! Whether a write works, found out by writing.

use super::{Ledger, LedgerError};

impl Ledger {
    /// Writes one page and commits it, as every change does, and changes nothing that anybody
    /// reads: `user_version` is SQLite's place for a number of the application's, and we have none.
    pub(crate) async fn try_write(&self) -> Result<(), LedgerError> {
        let mut write = self.write().await?;
        sqlx::query("PRAGMA user_version = 0")
            .execute(&mut *write)
            .await?;
        write.commit().await?;
        Ok(())
    }
}
