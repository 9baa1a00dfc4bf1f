//! Search for a word in a short text, byte by byte. `str::contains` would add a search algorithm
//! for long texts, which weighs a kilobyte in the bundle; a User-Agent is short.

/// Whether a text contains a word.
pub(crate) fn has(text: &str, word: &str) -> bool {
    after(text, word).is_some()
}

/// The text after the first occurrence of a word.
pub(crate) fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let places = 0..=text.len().checked_sub(word.len())?;
    let mut starts = places.filter_map(|place| text.get(place..));
    starts.find_map(|rest| rest.strip_prefix(word))
}

#[cfg(test)]
mod tests {
    use super::{after, has};

    #[test]
    fn a_word_is_found_at_any_position() {
        let cases = [
            ("wxwork/4.1", "wxwork", Some("/4.1")),
            ("a MicroMessenger/8", "MicroMessenger/", Some("8")),
            ("微信 QQ/8", "QQ/", Some("8")),
            ("aab", "ab", Some("")),
            ("ab", "abc", None),
            ("", "a", None),
        ];
        for (text, word, expected) in cases {
            assert_eq!(after(text, word), expected, "{text} {word}");
            assert_eq!(has(text, word), expected.is_some());
        }
    }
}
