//! Readiness: whether a write works, because no operation does without one. The test is a write, at
//! most once a second. A full disk, or a lock of another program, makes the server not ready.
//! Liveness does not depend on this.

use tokio::sync::Mutex as AsyncMutex;

use crate::ledger::Ledger;
use crate::surroundings::Clock;

/// How long a result is reused, in milliseconds.
const HOLDS_MS: i64 = 1_000;
/// How long a write may take, in milliseconds. A buyer would have to wait as long.
const PATIENCE_MS: i64 = 1_000;

/// The result of the last test.
#[derive(Debug, Default)]
pub(crate) struct Readiness(AsyncMutex<Option<Tried>>);

#[derive(Clone, Copy, Debug)]
struct Tried {
    /// On the monotonic clock.
    at_ms: i64,
    works: bool,
}

impl Readiness {
    /// Whether a write works. Concurrent callers share one test.
    pub(super) async fn can_write(&self, ledger: &Ledger, clock: &dyn Clock) -> bool {
        let mut last = self.0.lock().await;
        let now_ms = clock.monotonic_ms();
        if let Some(tried) = last.filter(|tried| now_ms - tried.at_ms < HOLDS_MS) {
            return tried.works;
        }
        let outcome = tokio::select! {
            outcome = ledger.try_write() => outcome.map_err(|error| error.to_string()),
            () = clock.sleep_ms(PATIENCE_MS) => Err(format!("no answer in {PATIENCE_MS} ms")),
        };
        let worked = last.is_none_or(|tried| tried.works);
        match &outcome {
            Err(error) if worked => {
                tracing::error!(event = "database.unwritable", %error, "the database takes no writes: this server is not ready");
            }
            Ok(()) if !worked => {
                tracing::info!(
                    event = "database.writable",
                    "the database takes writes again"
                );
            }
            _ => {}
        }
        let works = outcome.is_ok();
        *last = Some(Tried {
            at_ms: clock.monotonic_ms(),
            works,
        });
        works
    }
}
