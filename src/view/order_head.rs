//! What is bought and for how much, above every screen; and the word TEST where it is one.

use super::countdown::push_two_digits;
use super::node::{Node, element};
use crate::locale::Words;
use checkout::OrderView;
use merchant_api::push_decimal;

/// Says that no money moves.
pub(super) fn ribbon(words: &Words) -> Node {
    element("p")
        .with("part", "ribbon")
        .with("class", "ribbon")
        .saying(words.test_ribbon)
        .into()
}

/// What is bought, and for how much.
pub(super) fn order_head(order: &OrderView) -> Node {
    element("div")
        .with("part", "order")
        .with("class", "order")
        .holding(
            element("p")
                .with("part", "description")
                .with("class", "description")
                .saying(order.description.clone().unwrap_or_default()),
        )
        .holding(
            element("p")
                .with("part", "amount")
                .with("class", "amount")
                .saying(money_text(order.total_fen, &order.currency)),
        )
        .into()
}

/// `¥69.10` from 6910 fen: by whole numbers alone.
pub(super) fn money_text(fen: u64, currency: &str) -> String {
    let mut text = if currency == "CNY" {
        String::from("¥")
    } else {
        let mut code = String::from(currency);
        code.push(' ');
        code
    };
    push_decimal(&mut text, fen / 100);
    text.push('.');
    push_two_digits(&mut text, fen % 100);
    text
}

#[cfg(test)]
mod tests {
    use super::money_text;

    #[test]
    fn an_amount_keeps_every_fen() {
        let cases = [
            (1, "CNY", "¥0.01"),
            (6_910, "CNY", "¥69.10"),
            (100_000_000_009, "CNY", "¥1000000000.09"),
            (500, "HKD", "HKD 5.00"),
        ];
        for (fen, currency, expected) in cases {
            assert_eq!(money_text(fen, currency), expected);
        }
    }
}
