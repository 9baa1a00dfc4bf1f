//! The name of who is paid, as a buyer reads it above the price. It is checked wherever it comes from:
//! the configuration or an order. It is text, and never markup.

use super::plain_text;

/// The most characters of a name. A longer one would push the price out of a small screen.
const CHARACTERS_MAX: usize = 64;

/// The name without blanks around it, or the rule that it breaks, as the end of a sentence that begins
/// with the field's name.
pub fn checked(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    if let Some(rule) = plain_text::broken_rule(name) {
        return Err(rule);
    }
    match name.chars().count() {
        1..=CHARACTERS_MAX => Ok(name.to_owned()),
        _ => Err("must be 1 to 64 characters"),
    }
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn a_name_is_one_visible_line_of_64_characters_at_most() {
        let (longest, too_long) = ("茶".repeat(64), "茶".repeat(65));
        let good = ["云岭茶铺", "<b>Tea & Co.</b>", "שלום", &longest];
        for name in good {
            assert_eq!(checked(&format!(" {name}　")).as_deref(), Ok(name));
        }
        let length = "must be 1 to 64 characters";
        let bad = [
            ("", length),
            ("  ", length),
            (&*too_long, length),
            ("Tea\nCo.", "must not have control characters"),
            ("Tea\u{7f}", "must not have control characters"),
            ("Tea \u{202e}.oC", "must not have characters that turn"),
            ("\u{2066}Tea\u{2069}", "must not have characters that turn"),
            ("\u{200b}\u{200b}", "must not be blank"),
        ];
        for (name, words) in bad {
            let rule = checked(name).unwrap_err();
            assert!(rule.starts_with(words), "{name:?}: {rule}");
        }
    }
}
