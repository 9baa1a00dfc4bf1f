//! The behaviour of each webhook target, as this process has seen it, so that an unresponsive
//! target does not delay the others. It is not persistent. Deliveries are recorded in the ledger,
//! not here.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::surroundings::Clock;

/// The most parallel messages to one target: a small backend has few processes.
pub(crate) const AT_ONCE: usize = 8;

/// How long messages wait for an unresponsive target: as long as it has been unresponsive, within
/// these bounds.
const SILENCE_MS: RangeInclusive<i64> = 5_000..=300_000;

/// All targets that were called, by their address.
#[derive(Default)]
pub(crate) struct Targets(Mutex<HashMap<String, Arc<Target>>>);

impl Targets {
    pub(crate) fn of(&self, address: &str) -> Arc<Target> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(address.to_owned()).or_insert_with(|| {
            Arc::new(Target {
                places: Semaphore::new(AT_ONCE),
                calls: Mutex::default(),
            })
        });
        known.clone()
    }
}

/// One target.
pub(crate) struct Target {
    places: Semaphore,
    calls: Mutex<Calls>,
}

#[derive(Default)]
struct Calls {
    under_way: usize,
    /// Since when calls have had no answer, on the monotonic clock; `None`: the last call had one.
    silent_since_ms: Option<i64>,
}

impl Target {
    /// Waits for a place among the parallel calls. An unresponsive target is called with one
    /// message at a time, because each costs a timeout; for other messages the error is the wait in
    /// milliseconds.
    pub(crate) async fn turn(&self, clock: &dyn Clock) -> Result<Turn<'_>, i64> {
        // The semaphore is never closed.
        let place = self.places.acquire().await.ok();
        let mut calls = self.calls();
        if let Some(since_ms) = calls.silent_since_ms.filter(|_| calls.under_way > 0) {
            let silence_ms = clock.monotonic_ms() - since_ms;
            return Err(silence_ms.clamp(*SILENCE_MS.start(), *SILENCE_MS.end()));
        }
        calls.under_way += 1;
        Ok(Turn {
            target: self,
            _place: place,
        })
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to call a target, until it is dropped.
pub(crate) struct Turn<'a> {
    target: &'a Target,
    _place: Option<SemaphorePermit<'a>>,
}

impl Turn<'_> {
    /// Records the end of the call. A response with any status counts as an answer.
    pub(crate) fn ended(self, has_answered: bool, monotonic_ms: i64) {
        let mut calls = self.target.calls();
        calls.silent_since_ms = if has_answered {
            None
        } else {
            calls.silent_since_ms.or(Some(monotonic_ms))
        };
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.target.calls().under_way -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::ManualClock;

    #[tokio::test]
    async fn an_unanswering_target_gets_one_message_at_a_time_until_it_answers() {
        let clock = ManualClock::new(0);
        let target = Targets::default().of("http://127.0.0.1:7000/hooks");
        let first = target.turn(&clock).await.unwrap();
        let second = target.turn(&clock).await.unwrap();
        first.ended(false, 0);
        assert_eq!(target.turn(&clock).await.err(), Some(5_000));
        // The call was cut off, which says nothing about the target.
        drop(second);
        let third = target.turn(&clock).await.unwrap();
        for (later_ms, wait_ms) in [(60_000, 60_000), (3_600_000, 300_000)] {
            clock.advance_ms(later_ms);
            assert_eq!(target.turn(&clock).await.err(), Some(wait_ms));
        }
        third.ended(true, 3_660_000);
        let turns = [target.turn(&clock).await, target.turn(&clock).await];
        assert!(turns.iter().all(Result::is_ok));
    }
}
