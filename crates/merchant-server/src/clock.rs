//! Time as something that is handed in. Nothing else in this crate reads a clock or sleeps, so
//! that a journey of two hours runs in a test in no time, and always in the same way.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// A wait that ends when the clock says so.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where the server has its time from.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970 in UTC.
    fn now_ms(&self) -> i64;

    /// Ends once `now_ms` is at or after `moment_ms`; at once where it is already.
    fn sleep_until(&self, moment_ms: i64) -> Sleep;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }

    fn sleep_until(&self, moment_ms: i64) -> Sleep {
        let wait_ms = u64::try_from(moment_ms.saturating_sub(self.now_ms())).unwrap_or(0);
        Box::pin(tokio::time::sleep(Duration::from_millis(wait_ms)))
    }
}

/// A clock that stands still until it is told to go on: for journeys. Clones share one time.
#[derive(Clone, Debug)]
pub struct ManualClock(watch::Sender<i64>);

impl ManualClock {
    /// A clock that stands at `now_ms`.
    pub fn new(now_ms: i64) -> Self {
        Self(watch::Sender::new(now_ms))
    }

    /// Moves on; everything that waited for a moment until then goes on.
    pub fn advance_ms(&self, by_ms: u64) {
        let by_ms = i64::try_from(by_ms).unwrap_or(i64::MAX);
        self.0
            .send_modify(|now_ms| *now_ms = now_ms.saturating_add(by_ms));
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        *self.0.borrow()
    }

    fn sleep_until(&self, moment_ms: i64) -> Sleep {
        let mut time = self.0.subscribe();
        Box::pin(async move {
            // An error means that the clock is gone, and with it whoever could wait.
            let _ = time.wait_for(|now_ms| *now_ms >= moment_ms).await;
        })
    }
}
