//! The rules for a text that is sent to WeChat or shown to a buyer. The text must be visible, on
//! one line, and displayed in the order in which it is written. This module never changes a text:
//! the shop must know if its text cannot be used as it is.

/// Characters without a shape of their own besides white space and controls: Unicode's
/// `Default_Ignorable_Code_Point`, and the blank of Braille, which fonts draw as nothing.
const INVISIBLE: [std::ops::RangeInclusive<char>; 18] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// The rule that a text breaks, as the end of a sentence that begins with the field's name. An
/// empty text breaks none of these: whether it may be empty is the field's own rule.
pub fn broken_rule(text: &str) -> Option<&'static str> {
    if text.chars().any(is_control) {
        Some("must not have control characters or line breaks")
    } else if text.chars().any(reorders) {
        Some(
            "must not have characters that turn the direction of writing round (U+202A to U+202E, U+2066 to U+2069)",
        )
    } else if !text.is_empty() && !text.chars().any(is_visible) {
        Some("must not be blank: it has no character that can be seen")
    } else {
        None
    }
}

/// Unicode's two separators break a line as well; they are not in the category of controls.
const fn is_control(letter: char) -> bool {
    matches!(letter, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}')
}

/// With these "refund 10" can be made to read "01 dnufer". The marks U+200E, U+200F and U+061C are
/// not among them: they turn no other character round, and Hebrew and Arabic text needs them.
const fn reorders(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_visible(letter: char) -> bool {
    !letter.is_whitespace() && !INVISIBLE.iter().any(|range| range.contains(&letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_text_in_its_own_order_is_accepted() {
        for text in [
            "",
            "一壶茶",
            "tea for two",
            "Tea 🍵 and ☕\u{fe0f}",
            // A joined emoji, Persian with its non-joiner, Hebrew with a mark of direction.
            "\u{1f469}\u{200d}\u{1f373}",
            "می\u{200c}خواهم",
            "תה (ירוק)\u{200f}",
            "soft\u{ad}hyphen",
            "full　width",
            "1",
            ".",
        ] {
            assert_eq!(broken_rule(text), None, "{text:?}");
        }
    }

    #[test]
    fn hidden_and_reordering_characters_are_refused() {
        let control = "must not have control characters or line breaks";
        for text in [
            "a\0b",
            "a\nb",
            "a\rb",
            "a\tb",
            "\u{7f}",
            "a\u{85}b",
            "a\u{2028}b",
            "\u{2029}",
            "\u{1b}[2J",
        ] {
            assert_eq!(broken_rule(text), Some(control), "{text:?}");
        }
        for text in ["a\u{202e}b", "\u{202a}", "a\u{2066}b\u{2069}", "\u{202d}1"] {
            let rule = broken_rule(text).expect("broken");
            assert!(rule.contains("direction"), "{text:?}: {rule}");
        }
        for text in [
            " ",
            "  ",
            "　",
            "\u{a0}",
            "\u{200b}",
            "\u{feff}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{200b}\u{200c}\u{200d}",
            " \u{2060} ",
            "\u{115f}\u{1160}",
            "\u{ad}",
            "\u{2800}",
            "\u{fe0f}",
            "\u{e0041}",
            "\u{180e}",
            "\u{2003}\u{3000}",
        ] {
            let rule = broken_rule(text).expect("broken");
            assert!(rule.contains("blank"), "{text:?}: {rule}");
        }
    }
}
