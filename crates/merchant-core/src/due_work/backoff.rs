//! The waits between tries of work that failed. This module knows no work.

use std::ops::RangeInclusive;

/// The shortest and the longest wait, in milliseconds.
const RETRY_MS: RangeInclusive<i64> = 5_000..=600_000;

/// The wait after so many tries, in milliseconds: each is twice the one before it, up to the longest.
pub(crate) fn retry_after_ms(tries: u64) -> i64 {
    let doublings = u32::try_from(tries.min(16)).unwrap_or(16);
    (RETRY_MS.start() << doublings).min(*RETRY_MS.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_work_waits_longer_each_time_up_to_ten_minutes() {
        let waits: Vec<_> = (0..9).map(retry_after_ms).collect();
        assert_eq!(waits[..3], [5_000, 10_000, 20_000]);
        assert_eq!(waits[8], 600_000);
        assert_eq!(retry_after_ms(u64::MAX), 600_000);
    }
}
