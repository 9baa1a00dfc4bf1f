//! Long polls that wait for a change of an order, in this process. A wait costs no query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

type Waiting = Arc<Mutex<HashMap<i64, watch::Sender<()>>>>;

/// The orders that have a waiting poll.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes(Waiting);

/// One waiting poll of an order. It is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Waiter {
    order_id: i64,
    changes: Changes,
    told: watch::Receiver<()>,
}

impl Changes {
    /// Subscribes to changes of an order. Read the order *after* this call: no later change is
    /// missed.
    pub(crate) fn listen(&self, order_id: i64) -> Waiter {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = waiting.entry(order_id).or_default().subscribe();
        Waiter {
            order_id,
            changes: self.clone(),
            told,
        }
    }

    /// The number of waiting polls of all orders.
    pub(crate) fn waiting(&self) -> usize {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.values().map(watch::Sender::receiver_count).sum()
    }

    /// Wakes all polls that wait for the order.
    pub(crate) fn announce(&self, order_id: i64) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = waiting.get(&order_id) {
            sender.send_replace(());
        }
    }
}

impl Waiter {
    /// Returns at the next change since the last call.
    pub(crate) async fn changed(&mut self) {
        // The sender lives as long as a waiter does, so this cannot fail.
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
