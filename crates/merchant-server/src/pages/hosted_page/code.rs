//! The code on the page: a picture of the same size as the element's, a sentence, and how long it is
//! valid, written as the element writes it.

use maud::{Markup, PreEscaped, html};
use merchant_api::{Action, CheckoutAnswer};
use qr_code::QrCode;

use super::offer::{BuyerContext, Offer};
use super::page_request::Arrival;
use crate::extract::Language;

/// The code that the page shows, if there is one. A phone cannot scan its own screen, so a page on a
/// phone does not offer a code that another device has shown.
pub(super) fn shown_code<'a>(
    answer: &'a CheckoutAnswer,
    offer: &Offer,
    arrival: &Arrival,
) -> Option<&'a str> {
    match &answer.action {
        Some(Action::CodeUrl(code_url)) if arrival.wants_code || !offer.has_other_way() => {
            Some(code_url)
        }
        _ => None,
    }
}

/// The picture, and what to do with it.
pub(super) fn code_to_scan(
    code_url: &str,
    answer: &CheckoutAnswer,
    context: &BuyerContext,
    language: Language,
) -> Markup {
    let words = if context.is_handheld {
        buyer_words::SCAN_ELSEWHERE
    } else {
        buyer_words::SCAN
    };
    html! {
        @match QrCode::encode(code_url) {
            Ok(code) => div .code { (PreEscaped(code.svg(language.say(buyer_words::CODE_LABEL)))) },
            // WeChat's links are short. If a link does not fit, the buyer can only request another.
            Err(_) => p { (language.say(buyer_words::CODE_EXPIRED)) },
        }
        p { (language.say(words)) }
        (countdown(answer, language))
    }
}

/// `二维码有效时间 29:59`, for the time of the link or of the order, whichever ends first.
fn countdown(answer: &CheckoutAnswer, language: Language) -> Markup {
    let of_link = answer
        .attempt
        .as_ref()
        .and_then(|attempt| attempt.remaining_ms);
    let remaining_ms = of_link.into_iter().chain(answer.remaining_ms).min();
    html! {
        @if let Some(remaining_ms) = remaining_ms {
            // The page's script counts on. Without script the text would soon be wrong, so the style
            // hides it.
            p .countdown {
                (language.say(buyer_words::CODE_VALID_FOR)) " "
                span role="timer" data-remaining-ms=(remaining_ms) { (clock_text(remaining_ms)) }
            }
        }
    }
}

/// Minutes and seconds, with hours if there are any; a started second counts as a whole one.
fn clock_text(remaining_ms: u64) -> String {
    let seconds = remaining_ms.div_ceil(1_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours:02}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
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
