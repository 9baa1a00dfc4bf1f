//! Whole numbers as decimal text, without `core::fmt`, which every buyer would download.

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

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn a_number_is_written_with_exactly_its_digits() {
        for number in [0, 7, 10, 1_000, 6_910, u64::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
    }
}
