//! One line of the log that would come again and again while something is wrong: written at once,
//! then once in a while with the number of those that were left out.

use std::sync::{Mutex, PoisonError};

/// At most one line in this time, in milliseconds.
const INTERVAL_MS: i64 = 10_000;

/// The lines of one place in the program.
#[derive(Debug, Default)]
pub struct QuietLog(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    /// When one was written, on the monotonic clock.
    written_ms: Option<i64>,
    left_out: u64,
}

impl QuietLog {
    /// No line was written yet.
    pub const fn new() -> Self {
        Self(Mutex::new(Lines {
            written_ms: None,
            left_out: 0,
        }))
    }

    /// Whether to write a line now; with how many were left out before it.
    pub fn admit(&self, monotonic_ms: i64) -> Option<u64> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_too_soon = lines
            .written_ms
            .is_some_and(|written_ms| monotonic_ms - written_ms < INTERVAL_MS);
        if is_too_soon {
            lines.left_out += 1;
            return None;
        }
        lines.written_ms = Some(monotonic_ms);
        Some(std::mem::take(&mut lines.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_written_and_the_next_says_how_many_were_left_out() {
        let log = QuietLog::new();
        let moments = [0, 1, 9_999, 10_000, 10_001, 20_000, 90_000];
        let written = moments.map(|at_ms| log.admit(at_ms));
        let expected = [Some(0), None, None, Some(2), None, Some(1), Some(0)];
        assert_eq!(written, expected);
    }
}
