//! Waiting for a condition of the outside world, which no clock of ours can advance: a browser, or
//! another process. It never returns without the condition.

use std::panic::Location;
use std::time::{Duration, Instant};

/// Long enough for a cold browser on two busy cores, and short enough for a person who waits.
const LIMIT: Duration = Duration::from_secs(30);
/// How often the condition is looked at.
const INTERVAL: Duration = Duration::from_millis(25);

/// Waits until `look` finds something, and returns it. Panics with `what`, the last thing seen and
/// the caller's place if this takes too long.
#[track_caller]
pub fn until<T>(
    what: &str,
    look: impl AsyncFnMut() -> Result<T, String>,
) -> impl Future<Output = T> {
    until_at(Location::caller(), what, look)
}

/// The same for a caller's caller.
pub(crate) async fn until_at<T>(
    place: &Location<'_>,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let start = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if start.elapsed() > LIMIT => {
                let limit_s = LIMIT.as_secs();
                panic!("{place}: waited {limit_s} s for {what}; last seen: {seen}")
            }
            Err(_) => tokio::time::sleep(INTERVAL).await,
        }
    }
}
