//! Time as an injected dependency. Nothing else in this crate reads a clock or sleeps, so that a
//! test of two hours runs in no time and is deterministic.

use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// A wait on a clock.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The source of time.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970 in UTC.
    fn now_ms(&self) -> i64;

    /// Milliseconds since some moment of this process. They only grow, at the speed of time, also
    /// if the machine's clock is set: limits and waits use them. They cannot be compared with
    /// another process or with [`Clock::now_ms`].
    fn monotonic_ms(&self) -> i64;

    /// Waits for the time from now to `moment_ms`; returns at once if that moment is past. Setting
    /// the clock meanwhile has no effect.
    fn sleep_until(&self, moment_ms: i64) -> Sleep;

    /// Waits for this time.
    fn sleep_ms(&self, wait_ms: i64) -> Sleep {
        self.sleep_until(self.now_ms().saturating_add(wait_ms))
    }
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

    fn monotonic_ms(&self) -> i64 {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        i64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn sleep_until(&self, moment_ms: i64) -> Sleep {
        let wait_ms = u64::try_from(moment_ms.saturating_sub(self.now_ms())).unwrap_or(0);
        Box::pin(tokio::time::sleep(Duration::from_millis(wait_ms)))
    }
}

/// A clock that stands still until a test advances it. Clones share one time.
#[derive(Clone, Debug)]
pub struct ManualClock(watch::Sender<Times>);

#[derive(Clone, Copy, Debug)]
struct Times {
    now_ms: i64,
    monotonic_ms: i64,
}

impl ManualClock {
    /// A clock that stands at `now_ms`.
    pub fn new(now_ms: i64) -> Self {
        Self(watch::Sender::new(Times {
            now_ms,
            monotonic_ms: 0,
        }))
    }

    /// Advances the clock and wakes every wait that has ended by then.
    pub fn advance_ms(&self, by_ms: u64) {
        let by_ms = i64::try_from(by_ms).unwrap_or(i64::MAX);
        self.0.send_modify(|times| {
            times.now_ms = times.now_ms.saturating_add(by_ms);
            times.monotonic_ms = times.monotonic_ms.saturating_add(by_ms);
        });
    }

    /// Sets the clock ahead or (with a negative number) back; no time passes.
    pub fn set_ahead_ms(&self, by_ms: i64) {
        self.0
            .send_modify(|times| times.now_ms = times.now_ms.saturating_add(by_ms));
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.borrow().now_ms
    }

    fn monotonic_ms(&self) -> i64 {
        self.0.borrow().monotonic_ms
    }

    fn sleep_until(&self, moment_ms: i64) -> Sleep {
        let mut times = self.0.subscribe();
        let now = *times.borrow();
        let wait_ms = moment_ms.saturating_sub(now.now_ms).max(0);
        let until_ms = now.monotonic_ms.saturating_add(wait_ms);
        Box::pin(async move {
            // An error means that the clock was dropped, and no wait is left.
            let _ = times.wait_for(|times| times.monotonic_ms >= until_ms).await;
        })
    }
}
