//! How numbers, times and states are written.

use buyer_words::Words;
use maud::{Markup, html};
use merchant_api::AttemptProduct;
use merchant_core::orders::desk::local_time;
use payment_values::Fen;

use super::words;
use crate::extract::Language;
use crate::pages::hosted_page::amount;

/// An amount, which stays on one line.
pub(super) fn money(fen: Fen, language: Language) -> Markup {
    html! { span .money { (amount(fen, language)) } }
}

/// A time in China.
pub(super) fn time(at_ms: i64) -> Markup {
    html! { time { (local_time(at_ms)) } }
}

/// A time of the API, in RFC 3339, as a time in China. Any other text is shown as it is.
pub(super) fn time_of(text: &str) -> Markup {
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => time(at.as_millisecond()),
        Err(_) => html! { (text) },
    }
}

/// The way in which a buyer pays.
pub(super) fn scene(product: AttemptProduct) -> Words {
    match product {
        AttemptProduct::Jsapi => words::SCENE_JSAPI,
        AttemptProduct::H5 => words::SCENE_H5,
        AttemptProduct::Native => words::SCENE_NATIVE,
        AttemptProduct::MiniProgram => words::SCENE_MINI_PROGRAM,
        AttemptProduct::App => words::SCENE_APP,
        AttemptProduct::CodePay => words::SCENE_CODE_PAY,
    }
}

/// A state in a coloured box, by its word in the API.
pub(super) fn state(word: &str, language: Language) -> Markup {
    let kind = match word {
        "paid" | "succeeded" | "delivered" | "done" | "active" => "state good",
        "abnormal" | "failed" | "refused" | "surplus" => "state bad",
        "open" | "prepared" | "processing" | "requested" | "pending" | "unaddressed" => "state due",
        _ => "state",
    };
    html! { span class=(kind) { (words::state(word).map_or(word, |words| language.say(words))) } }
}
