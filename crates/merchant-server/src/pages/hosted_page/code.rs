//! The code on the page: a picture of the same size as the element's, a sentence, and how long it is
//! valid, written as the element writes it.

use maud::{Markup, PreEscaped, html};
use merchant_api::{Action, CheckoutAnswer, clock_text};
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

/// `请在 29:59 内完成支付`, for the time of the link or of the order, whichever ends first.
fn countdown(answer: &CheckoutAnswer, language: Language) -> Markup {
    let of_link = answer
        .attempt
        .as_ref()
        .and_then(|attempt| attempt.remaining_ms);
    let remaining_ms = of_link.into_iter().chain(answer.remaining_ms).min();
    let sentence = language.say(buyer_words::CODE_VALID_FOR);
    let (before, after) = sentence.split_once('#').unwrap_or((sentence, ""));
    html! {
        @if let Some(remaining_ms) = remaining_ms {
            // The page's script counts on. Without script the text would soon be wrong, so the style
            // hides it.
            p .countdown {
                (before)
                span role="timer" data-remaining-ms=(remaining_ms) { (clock_text(remaining_ms)) }
                (after)
                progress max=(remaining_ms) value=(remaining_ms) aria-hidden="true" {}
            }
        }
    }
}
