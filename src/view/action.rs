//! Buttons: what the buyer can do on a screen. The first one is the way on.
//!
//! A button says what it is for in `data-intent`; one listener on the whole view hears them all.

use super::node::{Element, element};
use crate::locale::Words;
use checkout::Intent;
use merchant_api::Product;
use wasm_bindgen::JsCast;

/// The attribute by which tests, style sheets and [`wanted`] know a button.
const INTENT: &str = "data-intent";

/// A row of buttons.
pub(super) fn actions(buttons: &[(&'static str, Intent)]) -> Element {
    let mut row = element("div").with("class", "actions");
    let mut class = "primary";
    for (label, intent) in buttons {
        row = row.holding(button(class, label, *intent));
        class = "secondary";
    }
    row
}

/// A button of a class.
pub(super) fn button(class: &'static str, label: &'static str, intent: Intent) -> Element {
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
        Product::H5 => words.pay_in_wechat,
        Product::Native => words.offer_native,
        _ if is_again => words.retry,
        _ => words.pay,
    };
    let both = [
        (label, Intent::Start),
        (words.show_code, Intent::StartFallback),
    ];
    if fallback == Some(Product::Native) {
        actions(&both)
    } else {
        actions(&both[..1])
    }
}

/// What the buyer wants by a click, if it was on a button. There is nothing in a button but its
/// text, so the click's target is the button itself.
pub(super) fn wanted(click: &web_sys::Event) -> Option<Intent> {
    let target: web_sys::Element = click.target()?.unchecked_into();
    Intent::from_word(&target.get_attribute(INTENT)?)
}
