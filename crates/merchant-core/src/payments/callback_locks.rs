//! Locks for the states of the OAuth redirect, in this process: the second call with a state finds
//! the result of the first one. Correctness does not depend on it: servers on one database claim a state
//! in its row (`Ledger::claim_oauth_state`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// One call at a time for each state, in this process: the second call finds the result of the
/// first one.
#[derive(Debug, Default)]
pub(crate) struct CallbackLocks(Mutex<HashMap<String, Weak<AsyncMutex<()>>>>);

impl CallbackLocks {
    /// Waits for a state's lock.
    pub(crate) async fn lock(&self, state: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| lock.strong_count() > 0);
            let known = locks.get(state).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let lock = Arc::default();
                locks.insert(state.to_owned(), Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }
}
