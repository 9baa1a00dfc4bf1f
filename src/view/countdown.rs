//! How long the code is valid. The machine provides the time; this module only writes it.

use leptos::prelude::*;
use merchant_api::{clock_text, push_decimal};

use crate::locale::{Text, Word, Words};

/// `请在 29:59 内完成支付`, and a bar that shrinks from `longest_ms`.
pub(super) fn countdown(remaining_ms: u64, longest_ms: u64, words: &Words) -> AnyView {
    let text = words.text(Word::CodeValidFor);
    let (before, after) = around_number(&text);
    let mut before = before.to_owned();
    // A page's own sentence may have no place for the time.
    if after.is_none() {
        before.push(' ');
    }
    let after = after.unwrap_or_default().to_owned();
    view! {
        <p class="countdown">
            {Text::Owned(before)}
            <span part="countdown" role="timer">{Text::Owned(clock_text(remaining_ms))}</span>
            {Text::Owned(after)}
            <progress
                aria-hidden="true"
                max="1000"
                value=thousandths_left(remaining_ms, longest_ms)
            ></progress>
        </p>
    }
    .into_any()
}

/// How many thousandths of the time are left.
fn thousandths_left(remaining_ms: u64, longest_ms: u64) -> String {
    let mut text = String::new();
    push_decimal(&mut text, remaining_ms / (longest_ms / 1_000).max(1));
    text
}

/// What is before the place of a number, and what is after it, if there is a place.
fn around_number(text: &str) -> (&str, Option<&str>) {
    let place = text.bytes().position(|byte| byte == b'#');
    match place {
        Some(place) => (text.get(..place).unwrap_or_default(), text.get(place + 1..)),
        None => (text, None),
    }
}

/// The announcement of the time: at five minutes, at three, at one and at half a minute, and not
/// each second.
pub(super) fn announcement(remaining_ms: u64, words: &Words) -> Option<String> {
    let (_, number, word) = PACE
        .into_iter()
        .find(|(limit_ms, ..)| remaining_ms <= *limit_ms)?;
    let text = words.text(word);
    let (before, after) = around_number(&text);
    let mut announcement = String::from(before);
    announcement.push_str(number);
    announcement.push_str(after?);
    Some(announcement)
}

/// The upper bound in milliseconds, the number that is announced, and the sentence around it.
const PACE: [(u64, &str, Word); 4] = [
    (30_000, "30", Word::SecondsLeft),
    (60_000, "60", Word::SecondsLeft),
    (180_000, "3", Word::MinutesLeft),
    (300_000, "5", Word::MinutesLeft),
];

#[cfg(test)]
mod tests {
    use super::{announcement, thousandths_left};
    use crate::locale::{Locale, Messages, Words};

    #[test]
    fn the_bar_shows_the_share_of_the_time_that_is_left() {
        let cases = [
            (1_800_000, 1_800_000, "1000"),
            (900_000, 1_800_000, "500"),
            (1_000, 1_800_000, "0"),
            (2_000, 1_800_000, "1"),
            (0, 1_800_000, "0"),
            (0, 0, "0"),
            (u64::MAX, u64::MAX, "1000"),
        ];
        for (remaining_ms, longest_ms, expected) in cases {
            assert_eq!(
                thousandths_left(remaining_ms, longest_ms),
                expected,
                "{remaining_ms}"
            );
        }
    }

    #[test]
    fn the_time_is_announced_four_times_and_not_each_second() {
        let words = Words::new(Locale::EN, Messages::default());
        let announced = |remaining_ms| announcement(remaining_ms, &words);
        assert_eq!(announced(1_799_000), None);
        let mut heard: Vec<String> = (0..=400)
            .rev()
            .filter_map(|s| announced(s * 1_000))
            .collect();
        heard.dedup();
        let numbers: Vec<&str> = heard
            .iter()
            .filter_map(|text| text.split(' ').nth(2))
            .collect();
        assert_eq!(numbers, ["5", "3", "60", "30"], "{heard:?}");
    }
}
