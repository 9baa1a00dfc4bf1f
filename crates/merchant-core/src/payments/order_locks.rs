//! One lock for each order, in this process: the second caller finds the result of the first one.
//! Correctness does not depend on it but on the ledger's conditions. The lock saves repeated calls
//! to WeChat.
//!
//! Buyers decide how many calls about an order there are, and WeChat decides how long each call
//! takes. So the number of calls that wait for an order is bounded, and due work never waits for a
//! call: it tries the lock and, if it fails, tries again later. Due work waits only for other due work of the same
//! order.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The most calls of pages that wait for one order: two devices with two tabs each, and a double
/// click.
const PAGES_WAITING_MAX: usize = 8;
/// The most calls including the backend's: it finds a place even if pages have taken all of theirs.
const CALLS_WAITING_MAX: usize = 32;
/// The most pieces of one order's due work that wait for each other. Further pieces try again
/// later, because a lease is no longer than two pieces take.
const DUE_WORK_WAITING_MAX: usize = 1;

/// The order is locked, and too many calls wait for it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many calls about this order wait for each other")]
pub struct OrderBusy;

/// The queues for an order's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    /// Pages: any caller that knows the token.
    Pages,
    /// The merchant's backend, by its key.
    Backend,
}

/// The locks of all orders that are in use.
#[derive(Debug, Default)]
pub(crate) struct OrderLocks(Mutex<HashMap<i64, Weak<OrderLock>>>);

#[derive(Debug, Default)]
struct OrderLock {
    held: Arc<AsyncMutex<()>>,
    /// Due work takes this lock before `held`.
    due_work: Arc<AsyncMutex<()>>,
    calls: AtomicUsize,
    due_pieces: AtomicUsize,
}

/// An order's lock, held until this is dropped.
#[derive(Debug)]
pub(crate) struct OrderGuard {
    // The fields are dropped in this order.
    _held: OwnedMutexGuard<()>,
    _due_work: Option<OwnedMutexGuard<()>>,
    _place: Place,
}

impl OrderLocks {
    /// Waits for an order's lock, unless too many do already.
    pub(crate) async fn wait(
        self: &Arc<Self>,
        order_id: i64,
        queue: Queue,
    ) -> Result<OrderGuard, OrderBusy> {
        let waiting_max = match queue {
            Queue::Pages => PAGES_WAITING_MAX,
            Queue::Backend => CALLS_WAITING_MAX,
        };
        // One more caller holds the lock.
        let place = self
            .place(order_id, |lock| &lock.calls, waiting_max + 1)
            .ok_or(OrderBusy)?;
        let held = place.lock.held.clone().lock_owned().await;
        Ok(OrderGuard {
            _held: held,
            _due_work: None,
            _place: place,
        })
    }

    /// Takes an order's lock for due work, unless a call holds it.
    pub(crate) async fn take_for_due_work(
        self: &Arc<Self>,
        order_id: i64,
    ) -> Result<OrderGuard, OrderBusy> {
        let place = self
            .place(order_id, |lock| &lock.due_pieces, DUE_WORK_WAITING_MAX + 1)
            .ok_or(OrderBusy)?;
        let due_work = place.lock.due_work.clone().lock_owned().await;
        let held = place.lock.held.clone().try_lock_owned();
        Ok(OrderGuard {
            _held: held.map_err(|_| OrderBusy)?,
            _due_work: Some(due_work),
            _place: place,
        })
    }

    /// A place in the queue of an order's lock, the holder included; `None` if all are taken.
    fn place(
        self: &Arc<Self>,
        order_id: i64,
        count: fn(&OrderLock) -> &AtomicUsize,
        most: usize,
    ) -> Option<Place> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = locks.get(&order_id).and_then(Weak::upgrade);
        let lock = known.unwrap_or_else(|| {
            let lock = Arc::default();
            locks.insert(order_id, Arc::downgrade(&lock));
            lock
        });
        // Counted under the map's lock, like every read and change of the counts.
        if count(&lock).load(Ordering::Relaxed) >= most {
            return None;
        }
        count(&lock).fetch_add(1, Ordering::Relaxed);
        Some(Place {
            locks: self.clone(),
            order_id,
            lock,
            count,
        })
    }
}

/// A place in the queue of one order. It is freed when this is dropped.
#[derive(Debug)]
struct Place {
    locks: Arc<OrderLocks>,
    order_id: i64,
    lock: Arc<OrderLock>,
    count: fn(&OrderLock) -> &AtomicUsize,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut locks = self.locks.0.lock().unwrap_or_else(PoisonError::into_inner);
        (self.count)(&self.lock).fetch_sub(1, Ordering::Relaxed);
        if Arc::strong_count(&self.lock) == 1 {
            locks.remove(&self.order_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const ORDER: i64 = 7;

    #[tokio::test]
    async fn too_many_pages_are_refused_and_the_backend_still_gets_a_place() {
        let locks = Arc::<OrderLocks>::default();
        let holder = locks.wait(ORDER, Queue::Pages).await.unwrap();
        let mut waiting: Vec<_> = (0..PAGES_WAITING_MAX)
            .map(|_| Box::pin(locks.wait(ORDER, Queue::Pages)))
            .collect();
        assert!(waiting.iter_mut().all(|page| page.now_or_never().is_none()));
        let one_more = locks.wait(ORDER, Queue::Pages).now_or_never();
        assert_eq!(one_more.unwrap().err(), Some(OrderBusy));
        let other_order = locks.wait(ORDER + 1, Queue::Pages).now_or_never();
        assert!(other_order.unwrap().is_ok());
        let mut backend = Box::pin(locks.wait(ORDER, Queue::Backend));
        assert!((&mut backend).now_or_never().is_none());
        drop(holder);
        for page in waiting {
            drop(page.await.unwrap());
        }
        assert!(backend.await.is_ok());
        assert!(locks.0.lock().unwrap().is_empty(), "nothing is left behind");
    }

    #[tokio::test]
    async fn due_work_waits_for_due_work_and_not_for_a_page() {
        let locks = Arc::<OrderLocks>::default();
        let page = locks.wait(ORDER, Queue::Pages).await.unwrap();
        let refused = locks.take_for_due_work(ORDER).now_or_never();
        assert_eq!(refused.unwrap().err(), Some(OrderBusy));
        drop(page);
        let first = locks.take_for_due_work(ORDER).await.unwrap();
        let mut second = Box::pin(locks.take_for_due_work(ORDER));
        assert!((&mut second).now_or_never().is_none());
        let mut page = Box::pin(locks.wait(ORDER, Queue::Pages));
        assert!((&mut page).now_or_never().is_none(), "calls do wait");
        drop(first);
        // The page came first at the lock.
        assert_eq!(second.await.err(), Some(OrderBusy));
        assert!(page.await.is_ok());
        assert!(locks.0.lock().unwrap().is_empty(), "nothing is left behind");
    }
}
