//! The one time of a journey: machine, server and simulator all read it, and it moves only when the
//! journey moves it. The clock also records which tasks wait for it, so that a journey can
//! distinguish a request that is held (a long poll) from a request that is still being processed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use merchant_server::{Clock, Sleep};
use tokio::sync::watch;
use tokio::task;

/// When every journey begins: a Saturday noon in Beijing.
const START_MS: i64 = 1_795_233_600_000;

/// The journey's clock; clones share the same time.
#[derive(Clone)]
pub(crate) struct JourneyClock(Arc<Time>);

struct Time {
    now_ms: watch::Sender<i64>,
    waiting: Mutex<BTreeMap<u64, Waiting>>,
    next_key: AtomicU64,
    /// Changes whenever a task begins to wait.
    arrivals: watch::Sender<u64>,
}

struct Waiting {
    task: Option<task::Id>,
    moment_ms: i64,
}

impl JourneyClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Time {
            now_ms: watch::Sender::new(START_MS),
            waiting: Mutex::default(),
            next_key: AtomicU64::new(0),
            arrivals: watch::Sender::new(0),
        }))
    }

    /// Milliseconds since the journey began: the page's own monotonic clock.
    pub(crate) fn since_start_ms(&self) -> u64 {
        u64::try_from(self.now_ms() - START_MS).unwrap()
    }

    /// The moment (in milliseconds since 1970) at which a page's clock shows this time.
    pub(crate) const fn moment_ms(since_start_ms: u64) -> i64 {
        START_MS + since_start_ms.cast_signed()
    }

    /// Moves to a later moment. The clock never moves back.
    pub(crate) fn move_to(&self, moment_ms: i64) {
        self.0
            .now_ms
            .send_modify(|now_ms| *now_ms = moment_ms.max(*now_ms));
    }

    /// Whether a task does nothing but wait for a later moment.
    pub(crate) fn holds(&self, task: task::Id) -> bool {
        let now_ms = self.now_ms();
        let waiting = self.0.waiting.lock().unwrap();
        let mut of_task = waiting
            .values()
            .filter(|waiting| waiting.task == Some(task));
        of_task.clone().count() > 0 && of_task.all(|waiting| waiting.moment_ms > now_ms)
    }

    /// The next moment that any task waits for.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        let waiting = self.0.waiting.lock().unwrap();
        waiting.values().map(|waiting| waiting.moment_ms).min()
    }

    /// Changes whenever a task begins to wait.
    pub(crate) fn arrivals(&self) -> watch::Receiver<u64> {
        self.0.arrivals.subscribe()
    }
}

impl Clock for JourneyClock {
    fn now_ms(&self) -> i64 {
        *self.0.now_ms.borrow()
    }

    fn monotonic_ms(&self) -> i64 {
        self.now_ms() - START_MS
    }

    fn sleep_until(&self, moment_ms: i64) -> Sleep {
        let time = self.0.clone();
        Box::pin(async move {
            let _place = Place::take(time.clone(), moment_ms);
            let mut now = time.now_ms.subscribe();
            now.wait_for(|now_ms| *now_ms >= moment_ms).await.unwrap();
        })
    }
}

/// A task's place among the waiting tasks; it is removed when the wait ends in any way.
struct Place {
    time: Arc<Time>,
    key: u64,
}

impl Place {
    fn take(time: Arc<Time>, moment_ms: i64) -> Self {
        let key = time.next_key.fetch_add(1, Ordering::Relaxed);
        let task = task::try_id();
        time.waiting
            .lock()
            .unwrap()
            .insert(key, Waiting { task, moment_ms });
        time.arrivals.send_modify(|count| *count += 1);
        Self { time, key }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.time.waiting.lock().unwrap().remove(&self.key);
    }
}
