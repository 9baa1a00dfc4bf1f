//! What is bought and for how much, above every screen; and the word TEST where it is one.

use checkout::OrderView;
use merchant_api::push_decimal;
use wasm_bindgen::prelude::*;

use super::countdown::push_two_digits;
use super::node::{Node, element};
use crate::locale::{Text, Word, Words};
use crate::object::dictionary;

/// Says that no money moves.
pub(super) fn ribbon(words: &Words) -> Node {
    element("p")
        .with("part", "ribbon")
        .with("class", "ribbon")
        .saying(words.say(Word::TestRibbon))
        .into()
}

/// What is bought, and for how much.
pub(super) fn order_head(order: &OrderView, words: &Words) -> Node {
    let amount = money(order.total_fen, &order.currency, words);
    element("div")
        .with("part", "order")
        .with("class", "order")
        .holding(
            element("p")
                .with("part", "brand")
                .with("class", "brand")
                .saying(words.say(Word::Brand)),
        )
        .holding(
            element("p")
                .with("part", "description")
                .with("class", "description")
                .with("dir", "auto")
                .saying(order.description.clone().unwrap_or_default()),
        )
        .holding(
            element("p")
                .with("part", "amount")
                .with("class", amount_class(&amount))
                .saying(amount),
        )
        .into()
}

/// A number that is broken in two is misread: what would not stand on one line of the smallest
/// screen is written smaller.
fn amount_class(amount: &str) -> &'static str {
    // Of a character, each byte after its first begins with the bits 10.
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
    let text = match NumberFormat::new(&words.say(Word::Language), &options) {
        Ok(format) => format.format(&amount),
        Err(_) => [currency, &amount].join(" "),
    };
    text.into()
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type NumberFormat;

    /// `js_sys` has it without `catch`, and both arguments come from outside.
    #[wasm_bindgen(constructor, catch, js_namespace = Intl)]
    fn new(language: &str, options: &JsValue) -> Result<NumberFormat, JsValue>;

    /// Takes the decimal text, which newer browsers write digit by digit; the others make a number
    /// of it, which holds every fen of any real amount.
    #[wasm_bindgen(method)]
    fn format(this: &NumberFormat, amount: &str) -> String;
}

/// `69.10` from 6910: by whole numbers alone.
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
