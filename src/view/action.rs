//! Buttons: what the buyer can do on a screen. The first button continues the payment.
//!
//! A button names its intent in `data-intent`; one listener on the whole view gets all clicks.

use checkout::{Intent, Notice, Screen};
use leptos::prelude::*;
use merchant_api::Product;
use wasm_bindgen::JsCast;

use super::block::group;
use crate::locale::{Text, Word, Words};

/// The attribute by which tests, style sheets and [`intent_of`] recognise a button.
const INTENT: &str = "data-intent";

/// A button's label and its intent.
pub(super) type Choice = (Word, Intent);

/// The buttons of a screen, at most two, and the product of one more; `None` while the buyer waits.
pub(super) const fn choices(screen: &Screen) -> Option<(&'static [Choice], Option<Product>)> {
    Some(match screen {
        // Not a new payment, and not at once: it polls, and stays on the page.
        Screen::Loading { is_late: true } => (&[(Word::Retry, Intent::Resume)], None),
        // The sentence warns of paying twice, so the buyer can look again first.
        Screen::Offer {
            fallback,
            notice: Some(Notice::NotPaidYet),
            ..
        } => (
            &[
                (Word::CheckResult, Intent::CheckPayment),
                (Word::PayAgain, Intent::Start),
            ],
            *fallback,
        ),
        Screen::Offer {
            product,
            fallback,
            notice,
            ..
        } => (offer(*product, notice.is_some()), *fallback),
        Screen::Cashier {
            is_silent: true,
            fallback,
        } => (
            &[
                (Word::IHavePaid, Intent::CheckPayment),
                (Word::PayAgain, Intent::Start),
            ],
            *fallback,
        ),
        // During the OAuth redirect there is nothing to pay, so there is nothing to check.
        Screen::Leaving {
            is_stuck: true,
            product: None,
            fallback,
        } => (&[(Word::Retry, Intent::Start)], *fallback),
        // WeChat is open already, and shows this page.
        Screen::Leaving {
            is_stuck: true,
            product: Some(Product::MiniProgram),
            fallback,
        } => (
            &[
                (Word::PayAgain, Intent::Start),
                (Word::IHavePaid, Intent::CheckPayment),
            ],
            *fallback,
        ),
        Screen::Leaving {
            is_stuck: true,
            fallback,
            ..
        } => (
            &[
                (Word::OpenAgain, Intent::Start),
                (Word::IHavePaid, Intent::CheckPayment),
            ],
            *fallback,
        ),
        Screen::Returned {
            is_asking: false, ..
        } => (
            &[
                (Word::IHavePaid, Intent::CheckPayment),
                (Word::IHadAProblem, Intent::ReportTrouble),
            ],
            None,
        ),
        Screen::Elsewhere => (&[(Word::TakeOver, Intent::TakeOver)], None),
        _ => return None,
    })
}

/// The button that pays.
const fn offer(product: Product, is_again: bool) -> &'static [Choice] {
    match product {
        Product::H5 => &[(Word::PayInWechat, Intent::Start)],
        Product::Native => &[(Word::OfferNative, Intent::Start)],
        _ if is_again => &[(Word::PayAgain, Intent::Start)],
        _ => &[(Word::Pay, Intent::Start)],
    }
}

/// A row of buttons. The last button is for the other product, if that is a code.
pub(super) fn actions(choices: &[Choice], fallback: Option<Product>, words: &Words) -> AnyView {
    let other = (Word::ShowCode, Intent::StartFallback);
    let other = (fallback == Some(Product::Native)).then_some(&other);
    let mut class = "primary";
    let buttons = choices.iter().chain(other).map(|(label, intent)| {
        let button = button(class, words.text(*label), *intent);
        class = "secondary";
        button
    });
    group("actions", buttons.map(Some).collect())
}

/// A button with a CSS class.
pub(super) fn button(class: &'static str, label: Text, intent: Intent) -> AnyView {
    view! {
        <button type="button" part=class class=class data-intent=intent.as_str()>
            {label}
        </button>
    }
    .into_any()
}

/// The intent of a click, if the click was on a button. A button contains only its text, so the
/// click's target is the button itself.
pub(super) fn intent_of(click: &web_sys::Event) -> Option<Intent> {
    let target: web_sys::Element = click.target()?.unchecked_into();
    target.get_attribute(INTENT)?.parse().ok()
}
