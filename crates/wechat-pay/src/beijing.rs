//! The forms in which WeChat writes a moment, all in Beijing time and whole seconds: RFC 3339 in
//! APIv3, digits alone or a wall clock's text in version 2.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// `2018-06-08T10:34:56+08:00`, as WeChat writes and reads every date of APIv3.
#[must_use]
pub fn beijing_time(moment: Timestamp) -> String {
    let wall = Offset::constant(8).to_datetime(moment);
    wall.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

/// `20180608103456`, as version 2 writes and reads the moments of an order.
pub(crate) fn beijing_digits(moment: Timestamp) -> String {
    let wall = Offset::constant(8).to_datetime(moment);
    wall.strftime("%Y%m%d%H%M%S").to_string()
}

/// The moment of 14 digits; `None` for another form, or for a moment that does not exist.
pub(crate) fn moment_of_digits(text: &str) -> Option<Timestamp> {
    if text.len() != 14 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse().ok();
    let part = |from: usize| text[from..from + 2].parse().ok();
    let wall = DateTime::new(
        number(0, 4)?,
        part(4)?,
        part(6)?,
        part(8)?,
        part(10)?,
        part(12)?,
        0,
    );
    Offset::constant(8).to_timestamp(wall.ok()?).ok()
}

/// The moment of `2018-06-08 10:34:56`, as version 2 writes the moments of a refund.
pub(crate) fn moment_of_wall_text(text: &str) -> Option<Timestamp> {
    let is_wall = text.len() == 19 && text.as_bytes()[10] == b' ';
    let wall: DateTime = is_wall.then(|| text.parse().ok()).flatten()?;
    Offset::constant(8).to_timestamp(wall).ok()
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

    #[test]
    fn digits_are_a_moment_of_beijing_or_nothing() {
        let moment: Timestamp = "2009-12-25T01:10:10Z".parse().unwrap();
        assert_eq!(beijing_digits(moment), "20091225091010");
        assert_eq!(moment_of_digits("20091225091010"), Some(moment));
        for odd in [
            "",
            "2009122509101",
            "200912250910100",
            "20091325091010",
            "20090230091010",
            "20091225241010",
            "20091225091060",
            "2009-12-25 09:1",
            "2009122509101a",
            "+0091225091010",
            "２00912250910",
        ] {
            assert_eq!(moment_of_digits(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_wall_clocks_text_is_a_moment_of_beijing_or_nothing() {
        let moment: Timestamp = "2016-07-25T07:26:26Z".parse().unwrap();
        assert_eq!(moment_of_wall_text("2016-07-25 15:26:26"), Some(moment));
        for odd in [
            "",
            "2016-07-25",
            "2016-07-25T15:26:26",
            "2016-13-25 15:26:26",
            "七",
        ] {
            assert_eq!(moment_of_wall_text(odd), None, "{odd}");
        }
    }
}
