//! Buttons: what the buyer can do on a screen. The first one is the way on.
//!
//! A button says what it is for in `data-intent`; one listener on the whole view hears them all.

use checkout::Intent;
use merchant_api::Product;
use wasm_bindgen::JsCast;

use super::node::{Element, element};
use crate::locale::{Text, Word, Words};

/// The attribute by which tests, style sheets and [`wanted`] know a button.
const INTENT: &str = "data-intent";

/// A row of buttons; the last is for the other way, where that is a code.
pub(super) fn actions(
    buttons: &[(Word, Intent)],
    fallback: Option<Product>,
    words: &Words,
) -> Element {
    let mut row = element("div").with("class", "actions");
    let mut class = "primary";
    let other = (Word::ShowCode, Intent::StartFallback);
    let other = (fallback == Some(Product::Native)).then_some(&other);
    for (label, intent) in buttons.iter().chain(other) {
        row = row.holding(button(class, words.say(*label), *intent));
        class = "secondary";
    }
    row
}

/// A button of a class.
pub(super) fn button(class: &'static str, label: Text, intent: Intent) -> Element {
    element("button")
        .with("type", "button")
        .with("part", class)
        .with("class", class)
        .with(INTENT, intent.as_str())
        .saying(label)
}

/// The way to pay, and the other way where there is one.
pub(super) fn offer(
    product: Product,
    fallback: Option<Product>,
    is_again: bool,
    words: &Words,
) -> Element {
    let label = match product {
        Product::H5 => Word::PayInWechat,
        Product::Native => Word::OfferNative,
        _ if is_again => Word::Retry,
        _ => Word::Pay,
    };
    actions(&[(label, Intent::Start)], fallback, words)
}

/// What the buyer wants by a click, if it was on a button. There is nothing in a button but its
/// text, so the click's target is the button itself.
pub(super) fn wanted(click: &web_sys::Event) -> Option<Intent> {
    let target: web_sys::Element = click.target()?.unchecked_into();
    Intent::from_word(&target.get_attribute(INTENT)?)
}
