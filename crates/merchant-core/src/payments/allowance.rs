//! A rate limit by key: a burst, and one more after each interval, for calls to WeChat that
//! strangers can cause. The number of keys is bounded; above it, all keys are forgotten, so that no
//! key is refused because of other keys. Times are those of the monotonic clock.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// How many keys are kept: a few megabytes.
const KEYS_MAX: usize = 65_536;

/// A burst, and one more after each interval.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// How many calls are allowed at once.
    pub burst: u32,
    /// The time after which one more call is allowed, in milliseconds.
    pub interval_ms: i64,
}

/// The calls that are left for each key. A missing key has all of them left.
#[derive(Debug)]
pub struct Allowances<Key> {
    allowance: Allowance,
    buckets: Mutex<HashMap<Key, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: u32,
    /// The time up to which gains are in `left`, in milliseconds of the monotonic clock.
    filled_ms: i64,
}

impl<Key: Eq + Hash> Allowances<Key> {
    /// Everything is left for every key.
    pub fn new(allowance: Allowance) -> Self {
        Self {
            allowance,
            buckets: Mutex::default(),
        }
    }

    /// Uses one call of a key; the error is the wait for the next call in milliseconds.
    pub fn take(&self, key: Key, now_ms: i64) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEYS_MAX && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| {
                bucket.filled(self.allowance, now_ms).left < self.allowance.burst
            });
            if buckets.len() > KEYS_MAX / 2 {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(key).or_insert(Bucket {
            left: self.allowance.burst,
            filled_ms: now_ms,
        });
        *bucket = bucket.filled(self.allowance, now_ms);
        if bucket.left == 0 {
            let next_ms = bucket.filled_ms.saturating_add(self.allowance.interval_ms);
            return Err(u64::try_from(next_ms.saturating_sub(now_ms)).unwrap_or(0));
        }
        bucket.left -= 1;
        Ok(())
    }
}

impl<Key: Eq + Hash + Copy> Allowances<Key> {
    /// Another program has used so many calls of a key.
    pub fn spend(&self, key: Key, count: u32, now_ms: i64) {
        let spent = (0..count).map_while(|_| self.take(key, now_ms).ok());
        spent.for_each(drop);
    }
}

impl Bucket {
    /// The state with the gains until now.
    fn filled(self, allowance: Allowance, now_ms: i64) -> Self {
        let passed_ms = now_ms.saturating_sub(self.filled_ms);
        if passed_ms < 0 {
            // The clock was set back.
            return Self {
                filled_ms: now_ms,
                ..self
            };
        }
        let gained = passed_ms / allowance.interval_ms;
        let missing = i64::from(allowance.burst - self.left);
        if gained >= missing {
            return Self {
                left: allowance.burst,
                filled_ms: now_ms,
            };
        }
        Self {
            left: self.left + u32::try_from(gained).unwrap_or(0),
            filled_ms: self.filled_ms + gained * allowance.interval_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance {
        burst: 3,
        interval_ms: 1_000,
    };

    fn taken(allowances: &Allowances<u32>, key: u32, now_ms: i64) -> u32 {
        let mut taken = 0;
        while allowances.take(key, now_ms).is_ok() {
            taken += 1;
        }
        taken
    }

    #[test]
    fn a_key_has_a_burst_and_then_one_for_each_interval() {
        let allowances = Allowances::new(ALLOWANCE);
        let steps = [
            (0, 3),
            (0, 0),
            (999, 0),
            (1_000, 1),
            (1_500, 0),
            (3_500, 2),
            (1_000_000, 3),
            (1_000_001, 0),
        ];
        for (now_ms, expected) in steps {
            assert_eq!(taken(&allowances, 1, now_ms), expected, "{now_ms}");
        }
        assert_eq!(allowances.take(1, 1_000_400), Err(600));
        assert_eq!(taken(&allowances, 2, 1_000_400), 3, "another key");
    }

    #[test]
    fn what_another_program_has_used_is_not_left_here() {
        let allowances = Allowances::new(ALLOWANCE);
        allowances.spend(1, 2, 0);
        assert_eq!(taken(&allowances, 1, 0), 1);
        allowances.spend(1, u32::MAX, 1_000);
        assert_eq!(taken(&allowances, 1, 1_000), 0);
        assert_eq!(taken(&allowances, 1, 2_000), 1);
    }

    #[test]
    fn a_clock_that_was_an_hour_ahead_costs_no_more_than_an_interval() {
        let allowances = Allowances::new(ALLOWANCE);
        assert_eq!(taken(&allowances, 1, 3_600_000), 3);
        assert_eq!(allowances.take(1, 10), Err(1_000));
        assert_eq!(taken(&allowances, 1, 1_010), 1);
    }

    #[test]
    fn the_number_of_keys_is_bounded_and_nobody_is_refused_because_of_others() {
        let allowances = Allowances::new(ALLOWANCE);
        for key in 0..200_000 {
            assert_eq!(
                allowances.take(key, i64::from(key) / 1_000),
                Ok(()),
                "{key}"
            );
            let kept = allowances.buckets.lock().expect("unpoisoned").len();
            assert!(kept <= KEYS_MAX, "{kept}");
        }
    }
}
