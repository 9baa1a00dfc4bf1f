//! The order's description and price, above every screen, and the word TEST for a test order.

use checkout::OrderView;
use leptos::prelude::*;
use merchant_api::push_decimal;
use wasm_bindgen::prelude::*;

use super::countdown::push_two_digits;
use crate::locale::{Text, Word, Words};
use crate::object::dictionary;

/// Says that no money moves.
pub(super) fn ribbon(words: &Words) -> AnyView {
    view! { <p part="ribbon" class="ribbon">{words.text(Word::TestRibbon)}</p> }.into_any()
}

/// The order's description and price.
pub(super) fn order_head(order: &OrderView, words: &Words) -> AnyView {
    let amount = money(order.total_fen, &order.currency, words);
    let class = amount_class(&amount);
    let description = Text::Owned(order.description.clone().unwrap_or_default());
    view! {
        <div part="order" class="order">
            <p part="brand" class="brand">{words.text(Word::Brand)}</p>
            <p part="description" class="description" dir="auto">{description}</p>
            <p part="amount" class=class>{amount}</p>
        </div>
    }
    .into_any()
}

/// A number that is broken in two is misread. So a number that would not fit on one line of the
/// smallest screen is written smaller.
fn amount_class(amount: &str) -> &'static str {
    // In UTF-8, each byte of a character after the first begins with the bits 10.
    let characters = amount.bytes().filter(|byte| byte >> 6 != 0b10).count();
    if characters > 11 {
        "amount long"
    } else {
        "amount"
    }
}

/// `¥69.10` or `CN¥69.10` from 6910 fen, as the language writes amounts. A currency or a language
/// that the browser does not know is written as it is.
pub(super) fn money(fen: u64, currency: &str, words: &Words) -> Text {
    let amount = decimal_text(fen);
    let options = dictionary(&[("style", "currency".into()), ("currency", currency.into())]);
    let text = match NumberFormat::new(&words.text(Word::Language), &options) {
        Ok(format) => format.format(&amount),
        Err(_) => [currency, &amount].join(" "),
    };
    text.into()
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type NumberFormat;

    /// `js_sys` declares it without `catch`, and both arguments come from outside.
    #[wasm_bindgen(constructor, catch, js_namespace = Intl)]
    fn new(language: &str, options: &JsValue) -> Result<NumberFormat, JsValue>;

    /// Takes the decimal text. Newer browsers write it digit by digit; others convert it to a
    /// number, which holds any real amount exactly to the fen.
    #[wasm_bindgen(method)]
    fn format(this: &NumberFormat, amount: &str) -> String;
}

/// `69.10` from 6910, computed with whole numbers only.
fn decimal_text(fen: u64) -> String {
    let mut text = String::new();
    push_decimal(&mut text, fen / 100);
    text.push('.');
    push_two_digits(&mut text, fen % 100);
    text
}

#[cfg(test)]
mod tests {
    use super::decimal_text;

    #[test]
    fn an_amount_keeps_every_fen() {
        let cases = [
            (1, "0.01"),
            (6_910, "69.10"),
            (100_000_000_009, "1000000000.09"),
        ];
        for (fen, expected) in cases {
            assert_eq!(decimal_text(fen), expected);
        }
    }
}
