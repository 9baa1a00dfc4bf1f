//! Writes the time of a payment for people. The server does not know the buyer's time zone, so it writes
//! Beijing's time, as WeChat does. It decides nothing by a time.

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::extract::Language;

/// A time of the contract (RFC 3339) in Beijing's time, to the minute. English names the zone, because
/// its reader may be in another one. `None` if the text is no time.
pub(super) fn time_text(time: &str, language: Language) -> Option<String> {
    let moment: Timestamp = time.parse().ok()?;
    let beijing = Offset::constant(8).to_datetime(moment);
    let format = match language {
        Language::ZhCn | Language::ZhHant => "%Y年%-m月%-d日 %H:%M",
        Language::En => "%b %-d, %Y, %-I:%M %p (UTC+8)",
    };
    Some(beijing.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::time_text;
    use crate::extract::Language;

    #[test]
    fn a_time_is_beijings_in_the_buyers_language() {
        let cases = [
            (
                "2026-11-29T12:04:59+08:00",
                "2026年11月29日 12:04",
                "Nov 29, 2026, 12:04 PM (UTC+8)",
            ),
            (
                "2026-12-31T16:30:00Z",
                "2027年1月1日 00:30",
                "Jan 1, 2027, 12:30 AM (UTC+8)",
            ),
        ];
        for (time, chinese, english) in cases {
            let text = |language| time_text(time, language);
            assert_eq!(text(Language::ZhCn).as_deref(), Some(chinese));
            assert_eq!(text(Language::ZhHant).as_deref(), Some(chinese));
            assert_eq!(text(Language::En).as_deref(), Some(english));
        }
    }

    #[test]
    fn what_is_no_time_is_not_shown() {
        for text in ["", "yesterday", "2026-11-29", "<b>"] {
            assert_eq!(time_text(text, Language::En), None, "{text}");
        }
    }
}
