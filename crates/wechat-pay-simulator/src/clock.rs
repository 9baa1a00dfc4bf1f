//! Two times: the wall's, and WeChat's own, which can be advanced.
//!
//! Signatures carry the wall's time, because a merchant compares them with its own clock.
//! Everything that is due one day (expiry, retries of notifications, closing) goes by WeChat's
//! time, which is the wall's plus what was advanced. So a test can let a day go by, and both
//! sides still believe each other's signatures.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// The simulator's only source of time. Clones share what was advanced.
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

    /// A clock of the caller's, such as one that stands still in a test.
    pub fn from_fn(wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            wall: Arc::new(wall),
            advanced_s: Arc::default(),
        }
    }

    /// What signatures carry, and are compared with.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        (self.wall)()
    }

    /// WeChat's own time: the wall's, plus what was advanced.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        after(self.wall(), self.advanced_s.load(Ordering::Relaxed))
    }

    /// How far WeChat's time is ahead of the wall's.
    pub(crate) fn advanced_s(&self) -> i64 {
        self.advanced_s.load(Ordering::Relaxed)
    }

    /// Goes on where an earlier process was.
    pub(crate) fn start_at_advance(&self, advanced_s: i64) {
        self.advanced_s.store(advanced_s.max(0), Ordering::Relaxed);
    }

    /// Lets WeChat's time run ahead by so many seconds more.
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

/// The moment so many seconds later; the end of time where there is no such moment.
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
    fn advancing_moves_wechats_time_and_leaves_the_walls() {
        let clock = Clock::from_fn(|| Timestamp::UNIX_EPOCH);
        clock.clone().advance(90);
        clock.advance(10);
        assert_eq!(clock.now().as_second(), 100);
        assert_eq!(clock.wall().as_second(), 0);
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        assert_eq!(after(Timestamp::UNIX_EPOCH, i64::MAX), Timestamp::MAX);
        assert_eq!(after(Timestamp::MAX, 1), Timestamp::MAX);
    }
}
