//! Whole transactions: if another one was in the way, or the connection was lost before the commit, all
//! of it is done again from its first read on. No transaction contains a call to WeChat or to a
//! backend, so nothing that cannot be undone is repeated.

use std::time::Duration;

use ledger_database::Query;

use super::{Ledger, LedgerError};

/// How often a transaction is tried. Transactions that wait for the same rows succeed one after another.
const TRIES: u32 = 12;
/// The pause before the second try. Each later one is longer by as much.
const PAUSE: Duration = Duration::from_millis(5);

impl Ledger {
    /// Runs a transaction, from its beginning to its commit, until it is not in another one's way.
    pub(super) async fn whole<T, F>(&self, transaction: impl Fn() -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, LedgerError>>,
    {
        let mut tried = 1;
        loop {
            match transaction().await {
                Err(LedgerError::Database(error)) if error.is_repeatable() && tried < TRIES => {
                    tracing::debug!(event = "ledger.repeated", %error, tried, "a transaction is done again");
                    tokio::time::sleep(PAUSE * tried).await;
                    tried += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Executes one statement as a whole transaction.
    pub(super) async fn execute(&self, statement: Query<'_>) -> Result<u64, LedgerError> {
        self.whole(|| async { Ok(self.writer.execute(statement.clone()).await?) })
            .await
    }
}
