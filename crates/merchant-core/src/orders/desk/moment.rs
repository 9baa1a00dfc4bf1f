//! Times and days as people in China read them: in Asia/Shanghai, whose offset is always eight hours.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

/// The day that a moment is on.
pub fn day_of(at_ms: i64) -> Date {
    local(at_ms).map_or(Date::MAX, DateTime::date)
}

/// The first moment of a day, in milliseconds since 1970.
pub fn day_start_ms(day: Date) -> i64 {
    Offset::constant(8)
        .to_timestamp(day.at(0, 0, 0, 0))
        .map_or(i64::MAX, Timestamp::as_millisecond)
}

/// `2026-11-21 17:20:00`; empty for a time that no calendar has.
pub fn local_time(at_ms: i64) -> String {
    local(at_ms).map_or_else(String::new, |at| {
        at.strftime("%Y-%m-%d %H:%M:%S").to_string()
    })
}

/// The hour of a day, 0 to 23, of a count of hours since 1970 in UTC; and the day.
pub(super) fn hour_of(hour_no: i64) -> (Date, usize) {
    let at = local(hour_no.saturating_mul(3_600_000));
    at.map_or((Date::MAX, 0), |at| {
        (at.date(), usize::try_from(at.hour()).unwrap_or(0))
    })
}

fn local(at_ms: i64) -> Option<DateTime> {
    let at = Timestamp::from_millisecond(at_ms).ok()?;
    Some(Offset::constant(8).to_datetime(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_as_it_is_in_shanghai() {
        // 2026-11-20T16:00:00Z
        let midnight_ms = 1_795_190_400_000;
        assert_eq!(local_time(midnight_ms), "2026-11-21 00:00:00");
        assert_eq!(local_time(midnight_ms - 1), "2026-11-20 23:59:59");
        assert_eq!(day_of(midnight_ms).to_string(), "2026-11-21");
        assert_eq!(day_of(midnight_ms - 1).to_string(), "2026-11-20");
        assert_eq!(day_start_ms(day_of(midnight_ms)), midnight_ms);
        assert_eq!(hour_of(midnight_ms / 3_600_000).1, 0);
        assert_eq!(hour_of(midnight_ms / 3_600_000 - 1).1, 23);
    }
}
