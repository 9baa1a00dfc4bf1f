//! Who waits for which order, in this process. Waiting costs the database nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

type Waiting = Arc<Mutex<HashMap<i64, watch::Sender<()>>>>;

/// The orders that somebody waits for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes(Waiting);

/// A place in the queue of one order; leaving it costs nothing.
#[derive(Debug)]
pub(crate) struct Waiter {
    order_id: i64,
    changes: Changes,
    told: watch::Receiver<()>,
}

impl Changes {
    /// Begins to listen. Whatever is announced from here on is not missed, so read the order
    /// *after* this.
    pub(crate) fn listen(&self, order_id: i64) -> Waiter {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = waiting.entry(order_id).or_default().subscribe();
        Waiter {
            order_id,
            changes: self.clone(),
            told,
        }
    }

    /// How many wait, for all orders together.
    pub(crate) fn waiting(&self) -> usize {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.values().map(watch::Sender::receiver_count).sum()
    }

    /// Tells everybody who waits for the order that it has changed.
    pub(crate) fn announce(&self, order_id: i64) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = waiting.get(&order_id) {
            sender.send_replace(());
        }
    }
}

impl Waiter {
    /// Ends with the next change since the last call.
    pub(crate) async fn changed(&mut self) {
        // The sender lives as long as a waiter does, so there is no error to come.
        let _ = self.told.changed().await;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiting = self
            .changes
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_last = waiting
            .get(&self.order_id)
            .is_some_and(|sender| sender.receiver_count() <= 1);
        if is_last {
            waiting.remove(&self.order_id);
        }
    }
}
