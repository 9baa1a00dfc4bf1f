//! Who is paid, the order's description and its price, above every screen, and the word TEST for a test
//! order.

use checkout::OrderView;
use leptos::prelude::*;
use merchant_api::{push_decimal, push_two_digits};
use wasm_bindgen::prelude::*;

use super::block::{foreign_line, group, heading, line, slotted};
use crate::locale::{Text, Word, Words};

/// Says that no money moves.
pub(super) fn ribbon(words: &Words) -> AnyView {
    line("ribbon", words.text(Word::TestRibbon))
}

/// Who is paid, the order's description and its price.
pub(super) fn order_head(order: &OrderView, words: &Words) -> AnyView {
    let amount = money(order.total_fen, &order.currency, words);
    let class = amount_class(&amount);
    let [payee, description] = [&order.payee, &order.description]
        .map(|text| Text::Owned(text.clone().unwrap_or_default()));
    let brand = heading("brand", words.text(Word::Brand));
    group(
        "order",
        vec![
            Some(slotted("logo", None)),
            Some(slotted("brand", Some(brand))),
            Some(foreign_line("payee", payee)),
            Some(foreign_line("description", description)),
            Some(line(class, amount)),
        ],
    )
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
    format(&words.text(Word::Language), currency, &decimal_text(fen)).into()
}

#[wasm_bindgen(module = "/src/shell/navigation.js")]
extern "C" {
    /// The decimal text of an amount as a language writes it.
    #[wasm_bindgen(js_name = amount)]
    fn format(language: &str, currency: &str, decimal: &str) -> String;
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

#[cfg(all(test, target_arch = "wasm32"))]
mod in_browser {
    use js_sys::eval;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::{decimal_text, format};

    #[wasm_bindgen_test]
    fn an_amount_is_written_as_the_browser_writes_it() {
        for language in ["zh-CN", "en", "de", "ja", "ar-EG"] {
            for currency in ["CNY", "USD", "JPY"] {
                for fen in [1, 6_910, 99_999, 100_000, 12_345_678, 123_400_509] {
                    let decimal = decimal_text(fen);
                    let browsers = [
                        "new Intl.NumberFormat('",
                        language,
                        "', {style: 'currency', currency: '",
                        currency,
                        "'}).format(",
                        &decimal,
                        ")",
                    ];
                    let expected = eval(&browsers.concat()).unwrap().as_string().unwrap();
                    assert_eq!(format(language, currency, &decimal), expected);
                }
            }
        }
    }

    #[wasm_bindgen_test]
    fn an_unknown_currency_or_language_is_written_as_it_is() {
        assert_eq!(format("en", "yuan", "69.10"), "yuan 69.10");
        assert_eq!(format("no language", "CNY", "69.10"), "CNY 69.10");
    }
}
