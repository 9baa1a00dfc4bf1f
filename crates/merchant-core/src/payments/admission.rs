//! Admission of what is new: orders, and attempts that are begun. A disk takes some number of them in a
//! second. Above it, more of them would only wait for each other, and keep what is under way from the
//! database: notifications, refunds, due work and the pages of buyers who have paid. So a bounded
//! number of new ones is in the ledger at a time, a bounded number waits for that, and none waits for
//! longer than a buyer would. All others are refused at once, with the time of the next try.
//!
//! Nothing that is under way is ever refused here. Each merchant of a server has a share of the places,
//! and takes no more: one merchant's flood finds its own places taken, and leaves those of the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::surroundings::Clock;

/// How many new ones are in a SQLite file's ledger at a time: they share commits, so many together
/// cost little more than one.
const PLACES_OF_A_FILE: usize = 64;
/// The same with PostgreSQL, where each has a connection: the rest of the program's twenty connections
/// are for what is under way.
const PLACES_OF_A_SERVER: usize = 12;
/// The least places of one merchant of many. They take turns where there are too many for all.
const PLACES_MIN: usize = 4;
/// How many wait for each place.
const WAITING_FOR_EACH: usize = 4;
/// The longest wait for a place, in milliseconds.
const WAIT_MAX_MS: i64 = 2_000;
/// When a refused caller may try again, in milliseconds.
pub(crate) const RETRY_MS: u64 = 1_000;

/// The places of one merchant.
#[derive(Debug)]
pub(crate) struct Admission {
    /// This merchant's share.
    places: Semaphore,
    /// Those of all merchants together.
    all: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    refused: AtomicU64,
}

/// The places of all merchants of a server together, by the kind of its database.
pub(crate) const fn places(is_a_file: bool) -> usize {
    if is_a_file {
        PLACES_OF_A_FILE
    } else {
        PLACES_OF_A_SERVER
    }
}

/// A place in the ledger, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    _own: SemaphorePermit<'a>,
    _of_all: SemaphorePermit<'a>,
}

/// The ledger has more to write than it can. Nothing was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more new orders and attempts arrive than the server can record")]
pub struct Overloaded;

impl Admission {
    /// The share of one of so many merchants, of `all` places, which they have together.
    pub(crate) fn new(all: Arc<Semaphore>, places: usize, merchants: usize) -> Self {
        let share = (places / merchants.max(1)).max(PLACES_MIN.min(places));
        Self {
            places: Semaphore::new(share),
            all,
            waiting: AtomicUsize::new(0),
            waiting_max: share * WAITING_FOR_EACH,
            refused: AtomicU64::new(0),
        }
    }

    /// Waits for a place, unless too many do already.
    pub(crate) async fn admit(&self, clock: &dyn Clock) -> Result<Place<'_>, Overloaded> {
        if let (Ok(own), Ok(of_all)) = (self.places.try_acquire(), self.all.try_acquire()) {
            return Ok(Place {
                _own: own,
                _of_all: of_all,
            });
        }
        let Some(_waiting) = self.wait() else {
            return Err(self.refuse());
        };
        tokio::select! {
            place = self.take() => place.ok_or_else(|| self.refuse()),
            () = clock.sleep_ms(WAIT_MAX_MS) => Err(self.refuse()),
        }
    }

    /// Waits for one of the merchant's own places first: in the queue of all it has no more than these.
    async fn take(&self) -> Option<Place<'_>> {
        let own = self.places.acquire().await.ok()?;
        let of_all = self.all.acquire().await.ok()?;
        Some(Place {
            _own: own,
            _of_all: of_all,
        })
    }

    /// Refuses where [`Self::admit`] would refuse at once: before work that would then be lost.
    pub(crate) fn check(&self) -> Result<(), Overloaded> {
        if self.waiting.load(Ordering::Relaxed) >= self.waiting_max {
            return Err(self.refuse());
        }
        Ok(())
    }

    /// How many were refused so far.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn refuse(&self) -> Overloaded {
        self.refused.fetch_add(1, Ordering::Relaxed);
        Overloaded
    }

    fn wait(&self) -> Option<Waiting<'_>> {
        let waiting = Waiting(&self.waiting);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        (before < self.waiting_max).then_some(waiting)
    }
}

/// One that waits. It is not counted any more when this is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::surroundings::ManualClock;

    #[tokio::test]
    async fn a_bounded_number_is_under_way_and_waits_and_the_rest_is_refused() {
        let clock = ManualClock::new(0);
        let admission = Admission::new(Arc::new(Semaphore::new(2)), 2, 1);
        let first = admission.admit(&clock).await.unwrap();
        let _second = admission.admit(&clock).await.unwrap();
        let mut waiting: Vec<_> = (0..8).map(|_| Box::pin(admission.admit(&clock))).collect();
        assert!(waiting.iter_mut().all(|one| one.now_or_never().is_none()));
        assert_eq!(admission.check(), Err(Overloaded));
        let one_more = admission.admit(&clock).now_or_never();
        assert_eq!(one_more.unwrap().err(), Some(Overloaded));
        assert_eq!(admission.refused(), 2);

        drop(first);
        let next = waiting.remove(0).now_or_never().unwrap();
        assert!(next.is_ok(), "the one that came first");
        assert_eq!(admission.check(), Ok(()));
        clock.advance_ms(2_000);
        for one in waiting {
            assert_eq!(
                one.await.err(),
                Some(Overloaded),
                "it has waited long enough"
            );
        }
        assert_eq!(admission.waiting.load(Ordering::Relaxed), 0);
        drop(next);
        assert!(admission.admit(&clock).now_or_never().unwrap().is_ok());
    }

    #[test]
    fn each_merchant_has_a_share_of_the_places() {
        for (is_a_file, merchants, share) in [
            (true, 1, 64),
            (true, 2, 32),
            (true, 100, 4),
            (false, 1, 12),
            (false, 3, 4),
            (false, 100, 4),
        ] {
            let places = places(is_a_file);
            let admission = Admission::new(Arc::new(Semaphore::new(places)), places, merchants);
            assert_eq!(admission.places.available_permits(), share);
        }
    }

    #[tokio::test]
    async fn many_merchants_together_have_no_more_places_than_there_are() {
        let (clock, all) = (ManualClock::new(0), Arc::new(Semaphore::new(4)));
        let first = Admission::new(all.clone(), 4, 10);
        let second = Admission::new(all, 4, 10);
        let mut taken = Vec::new();
        for _ in 0..4 {
            taken.push(first.admit(&clock).await.unwrap());
        }
        let mut waiting = Box::pin(second.admit(&clock));
        assert!((&mut waiting).now_or_never().is_none());
        // One more of the first merchant came later, and has no place of its own.
        let mut more = Box::pin(first.admit(&clock));
        assert!((&mut more).now_or_never().is_none());
        drop(taken.pop());
        assert!(waiting.now_or_never().unwrap().is_ok(), "it was next");
    }
}
