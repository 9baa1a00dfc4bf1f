//! The form in which WeChat writes a moment: RFC 3339 in Beijing time, whole seconds.

use jiff::Timestamp;
use jiff::tz::Offset;

/// `2018-06-08T10:34:56+08:00`, as WeChat writes and reads every date of APIv3.
#[must_use]
pub fn beijing_time(moment: Timestamp) -> String {
    let wall = Offset::constant(8).to_datetime(moment);
    wall.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_beijing_time_without_fractions() {
        let moment: Timestamp = "2018-06-08T02:34:56.789Z".parse().unwrap();
        assert_eq!(beijing_time(moment), "2018-06-08T10:34:56+08:00");
        let read: Timestamp = beijing_time(moment).parse().unwrap();
        assert_eq!(read.as_second(), moment.as_second());
        for moment in [Timestamp::MIN, Timestamp::MAX] {
            assert!(beijing_time(moment).ends_with("+08:00"));
        }
    }
}
