//! Whether the wall clock was set while this server ran. A clock that was just set may be wrong for
//! a while, so nothing irreversible depends on its first reading.
//!
//! A step is the difference between the movements of the wall clock and the monotonic clock. Steps
//! are not persistent, and no time is corrected here.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::surroundings::Clock;

/// A difference that does not count as a step, in milliseconds: NTP lets a clock drift into place.
const DRIFT_MS: i64 = 5_000;
/// How long a step is remembered, in milliseconds. A clock that stays as it was set is right.
const REMEMBERED_MS: i64 = 600_000;

/// The steps of the wall clock that this process has seen.
#[derive(Debug, Default)]
pub(crate) struct ClockSteps(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// The wall clock's time less the monotonic one's, at the last look.
    offset_ms: Option<i64>,
    /// The sum of the remembered steps of the wall clock.
    stepped_ms: i64,
    /// When the last step was seen, on the monotonic clock.
    last_step_ms: Option<i64>,
    /// Orders that were spared since that step.
    spared: BTreeSet<i64>,
    /// Whether the last check found the clock set back.
    was_put_back: bool,
}

impl ClockSteps {
    /// Whether an order's end, at `end_ms` on the wall clock, was reached by setting the clock.
    /// This is true once for each order: a later call with the same clock is believed.
    pub(crate) fn spares(&self, clock: &dyn Clock, order_id: i64, end_ms: i64) -> bool {
        let now_ms = clock.now_ms();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.look(now_ms, clock.monotonic_ms());
        now_ms - seen.stepped_ms < end_ms && seen.spared.insert(order_id)
    }

    /// Whether the clock was set back, by a caller that knows a time that the clock had reached. It
    /// is believed if it is found twice in a row, because one reading can be wrong.
    pub(crate) fn confirms_put_back(&self, is_found: bool) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was_found = std::mem::replace(&mut seen.was_put_back, is_found);
        was_found && is_found
    }

    /// Compares the clocks. A step counts from the comparison that finds it, so call this often.
    pub(crate) fn look(&self, clock: &dyn Clock) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.look(clock.now_ms(), clock.monotonic_ms());
    }
}

impl Seen {
    fn look(&mut self, now_ms: i64, monotonic_ms: i64) {
        let offset_ms = now_ms - monotonic_ms;
        let step_ms = offset_ms - self.offset_ms.unwrap_or(offset_ms);
        self.offset_ms = Some(offset_ms);
        if step_ms.abs() >= DRIFT_MS {
            self.stepped_ms += step_ms;
            self.last_step_ms = Some(monotonic_ms);
            tracing::warn!(
                event = "clock.set",
                step_ms,
                "the machine's clock was set while the server ran"
            );
        }
        if self
            .last_step_ms
            .is_some_and(|at_ms| monotonic_ms - at_ms > REMEMBERED_MS)
        {
            *self = Self {
                offset_ms: Some(offset_ms),
                ..Self::default()
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::ManualClock;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn an_expiry_by_a_clock_step_is_ignored_once_and_a_real_one_is_not() {
        let clock = ManualClock::new(0);
        let steps = ClockSteps::default();
        steps.look(&clock);
        clock.advance_ms(1_000);
        assert!(!steps.spares(&clock, 1, 1_000), "its time is over");
        clock.set_ahead_ms(HOUR_MS);
        assert!(steps.spares(&clock, 1, HOUR_MS));
        assert!(!steps.spares(&clock, 1, HOUR_MS), "the second look");
        assert!(
            !steps.spares(&clock, 2, 1_000),
            "its time is over by either"
        );
        clock.set_ahead_ms(-HOUR_MS);
        steps.look(&clock);
        clock.advance_ms(HOUR_MS.unsigned_abs() - 1_000);
        assert!(!steps.spares(&clock, 3, HOUR_MS), "it is really over");
    }

    #[test]
    fn one_wrong_reading_does_not_count_as_a_corrected_clock() {
        let steps = ClockSteps::default();
        let found = [false, true, false, true, true, true, false, true];
        let believed = found.map(|is_found| steps.confirms_put_back(is_found));
        let expected = [false, false, false, false, true, true, false, false];
        assert_eq!(believed, expected);
    }

    #[test]
    fn a_clock_that_stays_changed_is_accepted_after_ten_minutes() {
        let clock = ManualClock::new(0);
        let steps = ClockSteps::default();
        steps.look(&clock);
        clock.set_ahead_ms(HOUR_MS);
        assert!(steps.spares(&clock, 1, HOUR_MS));
        clock.advance_ms(600_001);
        assert!(!steps.spares(&clock, 2, HOUR_MS + 1));
    }
}
