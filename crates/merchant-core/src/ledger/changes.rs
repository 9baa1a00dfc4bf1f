//! Long polls that wait for a change of an order, in this process. A wait costs no query. Other
//! processes on the same database get them by `instances.rs`.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};

type Waiting = Arc<Mutex<HashMap<i64, watch::Sender<()>>>>;

/// The orders that have a waiting poll.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    waiting: Waiting,
    /// Where changes are put for other processes, if there can be any.
    told: Option<Told>,
}

/// Orders that changed here, for other processes. Each is in it once, so a burst of changes needs no
/// more memory than there are orders.
#[derive(Clone, Debug, Default)]
pub(super) struct Told(Arc<(Mutex<BTreeSet<i64>>, Notify)>);

impl Told {
    fn put(&self, order_id: i64) {
        self.orders().insert(order_id);
        self.0.1.notify_one();
    }

    /// Waits for changes, and takes them.
    pub(super) async fn next(&self) -> Vec<i64> {
        loop {
            let orders = std::mem::take(&mut *self.orders());
            if !orders.is_empty() {
                return orders.into_iter().collect();
            }
            self.0.1.notified().await;
        }
    }

    fn orders(&self) -> std::sync::MutexGuard<'_, BTreeSet<i64>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One waiting poll of an order. It is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Waiter {
    order_id: i64,
    changes: Changes,
    told: watch::Receiver<()>,
}

impl Changes {
    /// With a place for the changes that other processes are told.
    pub(super) fn telling(told: Told) -> Self {
        Self {
            told: Some(told),
            ..Self::default()
        }
    }

    /// Subscribes to changes of an order. Read the order *after* this call: no later change is
    /// missed.
    pub(crate) fn listen(&self, order_id: i64) -> Waiter {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let told = waiting.entry(order_id).or_default().subscribe();
        Waiter {
            order_id,
            changes: self.clone(),
            told,
        }
    }

    /// Wakes all polls that wait for the order, here and in other processes.
    pub(crate) fn announce(&self, order_id: i64) {
        self.wake(order_id);
        if let Some(told) = &self.told {
            told.put(order_id);
        }
    }

    /// Wakes all polls of this process.
    pub(super) fn wake_all(&self) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in waiting.values() {
            sender.send_replace(());
        }
    }

    /// Wakes the polls of this process that wait for the order.
    pub(super) fn wake(&self, order_id: i64) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
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
            .waiting
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
