//! What a buyer keeps of a payment: order number and time, and what differs from the price above.

use checkout::OrderView;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;

use super::block::{foreign_line, group, line};
use super::order_head::money;
use crate::locale::{Text, Word, Words};

/// The receipt, a row for each fact that is known.
pub(super) fn receipt(order: &OrderView, words: &Words) -> AnyView {
    let amount = |fen| money(fen, &order.currency, words);
    let time = order.success_time.as_deref();
    let time = time.and_then(|time| time_text(&words.text(Word::Language), time));
    // WeChat's coupons pay the rest.
    let paid_fen = order.payer_total_fen.filter(|fen| *fen != order.total_fen);
    let refunded_fen = Some(order.refunded_fen).filter(|fen| *fen > 0);
    let facts = [
        (Word::OrderNumber, Some(Text::Owned(order.order_no.clone()))),
        (Word::PaidAt, time.map(Text::Owned)),
        (Word::YouPaid, paid_fen.map(amount)),
        (Word::Refunded, refunded_fen.map(amount)),
    ];
    let rows = facts.into_iter().map(|(label, value)| {
        let label = line("label", words.text(label));
        value.map(|value| group("row", vec![Some(label), Some(foreign_line("value", value))]))
    });
    group("receipt", rows.collect())
}

#[wasm_bindgen(module = "/src/shell/navigation.js")]
extern "C" {
    /// A time as a language writes it, to the minute; `None` if the text is no time.
    #[wasm_bindgen(js_name = time)]
    pub(super) fn time_text(language: &str, time: &str) -> Option<String>;
}
