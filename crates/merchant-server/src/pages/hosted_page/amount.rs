//! Formats an amount for people.

use payment_values::Fen;

use crate::extract::Language;

/// `¥1,990.00` in Simplified Chinese, `CN¥1,990.00` in the others, as browsers write it. The calculation uses
/// only whole numbers.
pub(crate) fn amount(amount: Fen, language: Language) -> String {
    let sign = language.yuan_sign();
    let fen = amount.count();
    let yuan = (fen / 100).to_string();
    let mut grouped = String::new();
    for (place, digit) in yuan.chars().enumerate() {
        if place > 0 && (yuan.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{:02}", fen % 100)
}

#[cfg(test)]
mod tests {
    use payment_values::Fen;

    use super::amount;
    use crate::extract::Language;

    #[test]
    fn an_amount_is_written_in_yuan_to_the_fen() {
        let cases = [
            (1, "¥0.01"),
            (1_990, "¥19.90"),
            (99_999, "¥999.99"),
            (100_000, "¥1,000.00"),
            (123_456_789, "¥1,234,567.89"),
        ];
        for (fen, expected) in cases {
            let fen = Fen::saturating(fen);
            assert_eq!(amount(fen, Language::ZhCn), expected);
            for language in [Language::ZhHant, Language::En] {
                assert_eq!(amount(fen, language), format!("CN{expected}"));
            }
        }
    }
}
