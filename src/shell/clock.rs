//! The clock and the one timer. Times are whole milliseconds of the page's monotonic clock.

use gloo_timers::callback::Timeout;

/// The longest single timeout: browsers store it in 31 bits. A longer wait wakes early, and the
/// machine allows for that.
const TIMEOUT_MAX_MS: u64 = 1 << 30;

/// The time since the page was opened, in milliseconds. It never goes back.
pub(crate) fn now_ms() -> u64 {
    whole(
        web_sys::window()
            .and_then(|window| window.performance())
            .map_or(0.0, |performance| performance.now()),
    )
}

/// A number that differs between pages, to spread their polls. It is not for security.
pub(crate) fn seed() -> u64 {
    whole(js_sys::Math::random() * 9e15)
}

/// A timer that is cancelled when dropped.
pub(crate) struct Timer {
    _timeout: Timeout,
}

impl Timer {
    /// Calls back at a time of [`now_ms`]'s clock.
    pub(crate) fn at(at_ms: u64, call: impl FnOnce() + 'static) -> Self {
        // Firefox's timers fire up to a millisecond early. The machine would set the timer again, and
        // each second of the countdown would wake the page twice.
        let pause_ms = (at_ms.saturating_sub(now_ms()) + 1).min(TIMEOUT_MAX_MS);
        let pause_ms = u32::try_from(pause_ms).unwrap_or(u32::MAX);
        Self {
            _timeout: Timeout::new(pause_ms, call),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the browser counts in f64; the cast saturates, and what is counted is not negative"
)]
pub(super) const fn whole(number: f64) -> u64 {
    number as u64
}
