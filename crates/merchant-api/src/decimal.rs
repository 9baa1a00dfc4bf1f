//! Whole numbers and the time that is left as text, without `core::fmt`, which every buyer would
//! download. The element and the server's pages write the same.

/// Appends a number's digits.
pub fn push_decimal(text: &mut String, number: u64) {
    if number > 9 {
        push_decimal(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

/// A number's digits.
pub fn decimal(number: u64) -> String {
    let mut text = String::new();
    push_decimal(&mut text, number);
    text
}

/// Appends a number with at least two digits.
pub fn push_two_digits(text: &mut String, number: u64) {
    if number < 10 {
        text.push('0');
    }
    push_decimal(text, number);
}

/// Minutes and seconds, with hours if there are any; a started second counts as a whole one.
pub fn clock_text(remaining_ms: u64) -> String {
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

#[cfg(test)]
mod tests {
    use super::{clock_text, decimal};

    #[test]
    fn the_countdown_rounds_seconds_up_and_shows_hours_only_if_there_are_any() {
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

    #[test]
    fn a_number_is_written_with_exactly_its_digits() {
        for number in [0, 7, 10, 1_000, 6_910, u64::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
    }
}
