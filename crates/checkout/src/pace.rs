//! A rate limit for all requests: a token bucket that holds a few requests and refills slowly.
//!
//! The page, and any other script of its origin, can call the element's methods and send events at
//! any rate. The bucket limits the requests that follow. A normal payment never empties it. The
//! bucket does not know what a request is for.

/// The time in which the bucket gains one request, in milliseconds: the shortest pause that a
/// backend can ask for.
const INTERVAL_MS: u64 = 250;
/// The time in which an empty bucket fills, in milliseconds: the bucket holds eight requests.
const FULL_MS: u64 = 8 * INTERVAL_MS;

/// The bucket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// When the bucket is full again.
    full_at_ms: u64,
}

impl Pace {
    /// Takes one request out of the bucket. `Err`: the bucket is empty, and holds a request again
    /// at that time.
    pub(crate) fn take(&mut self, now_ms: u64) -> Result<(), u64> {
        // The upper bound handles a clock that jumped back.
        self.full_at_ms = self.full_at_ms.clamp(now_ms, now_ms + FULL_MS);
        let full_at_ms = self.full_at_ms + INTERVAL_MS;
        let has_one_at_ms = full_at_ms.saturating_sub(FULL_MS);
        if has_one_at_ms > now_ms {
            return Err(has_one_at_ms);
        }
        self.full_at_ms = full_at_ms;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    #[test]
    fn eight_requests_go_at_once_and_then_four_per_second() {
        let mut pace = Pace::default();
        let mut sent = Vec::new();
        for now_ms in 5_000..7_000 {
            if pace.take(now_ms).is_ok() {
                sent.push(now_ms);
            }
        }
        let at_once = [5_000, 5_001, 5_002, 5_003, 5_004, 5_005, 5_006, 5_007];
        let later = [5_250, 5_500, 5_750, 6_000, 6_250, 6_500, 6_750];
        assert_eq!(sent, [&at_once[..], &later].concat());
        assert_eq!(pace.take(6_999), Err(7_000), "the time of the next one");
        assert!((0..8).all(|_| pace.take(60_000).is_ok()), "full again");
    }

    #[test]
    fn a_clock_that_jumps_back_delays_nothing_for_long() {
        let mut pace = Pace::default();
        while pace.take(9_000_000).is_ok() {}
        assert_eq!(pace.take(1_000), Err(1_250));
        assert_eq!(pace.take(1_250), Ok(()));
    }
}
