//! How fast requests may follow each other, whatever brings them about: a bucket that holds a few
//! requests and fills again slowly.
//!
//! A page, and anything else of its origin, can call the element's methods and send it events at any
//! rate. The bucket bounds the requests that come of it; the rhythm of a payment never empties it. It
//! knows nothing of what is asked for.

/// In this time the bucket gets one more request, in milliseconds: no pause that a backend can ask
/// for is shorter.
const INTERVAL_MS: u64 = 250;
/// How long a full bucket took to fill, in milliseconds: it holds eight requests.
const FULL_MS: u64 = 8 * INTERVAL_MS;

/// The requests that may be sent now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// When the bucket is full again.
    full_at_ms: u64,
}

impl Pace {
    /// Takes one request out of the bucket. `Err`: it is empty, and when it holds one again.
    pub(crate) fn take(&mut self, now_ms: u64) -> Result<(), u64> {
        // The upper bound is for a clock that jumped back.
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
    fn a_few_requests_go_at_once_and_then_four_in_a_second() {
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
        assert_eq!(pace.take(6_999), Err(7_000), "it says when");
        assert!((0..8).all(|_| pace.take(60_000).is_ok()), "full again");
    }

    #[test]
    fn a_clock_that_jumps_back_holds_up_nothing_for_long() {
        let mut pace = Pace::default();
        while pace.take(9_000_000).is_ok() {}
        assert_eq!(pace.take(1_000), Err(1_250));
        assert_eq!(pace.take(1_250), Ok(()));
    }
}
