//! The delays that faults cause before an answer.

use std::time::Duration;

/// The delay of a fault that names none.
pub(super) const DEFAULT_LATENCY_MS: u32 = 1000;
/// The delay of a time-out that names none.
pub(super) const DEFAULT_TIMEOUT_MS: u32 = 30_000;

/// Waits, if there is a delay.
pub(super) async fn wait(delay_ms: Option<u64>) {
    if let Some(delay_ms) = delay_ms.filter(|delay_ms| *delay_ms > 0) {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
}
