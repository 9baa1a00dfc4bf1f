//! Two clocks: the system's, and WeChat's, which can be advanced.
//!
//! Signatures carry the system's time, because a merchant compares them with its own clock.
//! Deadlines (expiry, retries of notifications, closing) use WeChat's time: the system's time plus
//! the advance. So a test can advance by a day, and signatures of both sides remain valid.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// The simulator's only source of time. Clones share the advance.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    advanced_s: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::from_fn(Timestamp::now)
    }

    /// A clock of the caller, for example a fixed time in a test.
    pub fn from_fn(wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            wall: Arc::new(wall),
            advanced_s: Arc::default(),
        }
    }

    /// The system's time, which signatures carry.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        (self.wall)()
    }

    /// WeChat's time: the system's time plus the advance.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        after(self.wall(), self.advanced_s.load(Ordering::Relaxed))
    }

    /// The advance: WeChat's time minus the system's.
    pub(crate) fn advanced_s(&self) -> i64 {
        self.advanced_s.load(Ordering::Relaxed)
    }

    /// Restores the advance of an earlier process.
    pub(crate) fn start_at_advance(&self, advanced_s: i64) {
        self.advanced_s.store(advanced_s.max(0), Ordering::Relaxed);
    }

    /// Advances WeChat's time by this many seconds.
    pub fn advance(&self, seconds: u32) {
        self.advanced_s
            .fetch_add(i64::from(seconds), Ordering::Relaxed);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// The time this many seconds later, at most the latest time that can be represented.
pub(crate) fn after(moment: Timestamp, seconds: i64) -> Timestamp {
    let later_ms = moment
        .as_millisecond()
        .saturating_add(seconds.saturating_mul(1000));
    Timestamp::from_millisecond(later_ms).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_moves_wechats_time_and_not_the_systems() {
        let clock = Clock::from_fn(|| Timestamp::UNIX_EPOCH);
        clock.clone().advance(90);
        clock.advance(10);
        assert_eq!(clock.now().as_second(), 100);
        assert_eq!(clock.wall().as_second(), 0);
    }

    #[test]
    fn an_overflow_gives_the_last_time_and_no_panic() {
        assert_eq!(after(Timestamp::UNIX_EPOCH, i64::MAX), Timestamp::MAX);
        assert_eq!(after(Timestamp::MAX, 1), Timestamp::MAX);
    }
}
