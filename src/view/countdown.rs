//! How long the code is good. The time is the machine's; this only writes it.

use super::node::{Element, element};
use crate::locale::Words;
use merchant_api::push_decimal;

/// `二维码有效时间 29:59`
pub(super) fn countdown(remaining_ms: u64, words: &Words) -> Element {
    element("p")
        .with("class", "countdown")
        .saying(words.code_valid_for)
        .saying(" ")
        .holding(
            element("span")
                .with("part", "countdown")
                .with("role", "timer")
                .saying(clock_text(remaining_ms)),
        )
}

/// Minutes and seconds, with hours where there are any; a begun second counts whole.
fn clock_text(remaining_ms: u64) -> String {
    let seconds = remaining_ms.div_ceil(1_000);
    let mut text = String::new();
    if seconds >= 3_600 {
        push_two_digits(&mut text, seconds / 3_600);
        text.push(':');
    }
    push_two_digits(&mut text, seconds / 60 % 60);
    text.push(':');
    push_two_digits(&mut text, seconds % 60);
    text
}

/// At least two digits.
pub(super) fn push_two_digits(text: &mut String, number: u64) {
    if number < 10 {
        text.push('0');
    }
    push_decimal(text, number);
}

#[cfg(test)]
mod tests {
    use super::clock_text;

    #[test]
    fn the_clock_shows_begun_seconds_and_hours_only_where_there_are_any() {
        let cases = [
            (0, "00:00"),
            (1, "00:01"),
            (59_001, "01:00"),
            (1_799_000, "29:59"),
            (7_200_000, "02:00:00"),
        ];
        for (remaining_ms, expected) in cases {
            assert_eq!(clock_text(remaining_ms), expected, "{remaining_ms}");
        }
    }
}
