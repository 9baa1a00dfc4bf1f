//! Waiting for a condition of the outside world, which no clock of ours can advance: a browser, or
//! another process. It never returns without the condition.

use std::time::{Duration, Instant};

/// Long enough for a cold browser on two busy cores, short enough for a person who waits.
const LIMIT: Duration = Duration::from_secs(30);
/// How often the condition is looked at.
const INTERVAL: Duration = Duration::from_millis(25);

/// Waits until `look` finds something, and gives it. Panics with `what` and the last thing seen
/// when it takes too long.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if start.elapsed() > LIMIT => {
                panic!("waited {} s for {what}; last seen: {seen}", LIMIT.as_secs())
            }
            Err(_) => tokio::time::sleep(INTERVAL).await,
        }
    }
}
