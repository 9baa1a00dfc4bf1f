//! Buttons: what the buyer can do on a screen. The first one is the way on.

use super::Want;
use crate::locale::Words;
use checkout::Intent;
use leptos::prelude::*;
use merchant_api::Product;

/// A row of buttons.
#[component]
pub(super) fn Actions(buttons: Vec<(&'static str, Intent)>, want: Want) -> impl IntoView {
    let buttons: Vec<_> = buttons
        .into_iter()
        .enumerate()
        .map(|(place, (label, intent))| {
            let want = want.clone();
            let class = if place == 0 { "primary" } else { "secondary" };
            view! {
                <button type="button" part=class class=class data-intent=intent_word(intent)
                    on:click=move |_| want.call(intent)>
                    {label}
                </button>
            }
            .into_any()
        })
        .collect();
    view! { <div class="actions">{buttons}</div> }.into_any()
}

/// The way to pay, and the other way where there is one.
#[component]
pub(super) fn Offer(
    product: Product,
    fallback: Option<Product>,
    is_again: bool,
    words: &'static Words,
    want: Want,
) -> impl IntoView {
    let label = match product {
        Product::H5 => words.pay_in_wechat,
        Product::Native => words.offer_native,
        _ if is_again => words.retry,
        _ => words.pay,
    };
    let mut buttons = vec![(label, Intent::Start)];
    if fallback == Some(Product::Native) {
        buttons.push((words.show_code, Intent::StartFallback));
    }
    view! { <Actions buttons want /> }.into_any()
}

/// The word of the `data-intent` attribute, by which tests and style sheets find a button.
pub(super) const fn intent_word(intent: Intent) -> &'static str {
    match intent {
        Intent::Start => "start",
        Intent::StartFallback => "start-fallback",
        Intent::Refresh => "refresh",
        Intent::TakeOver => "take-over",
        Intent::CheckPayment => "check-payment",
        Intent::ReportTrouble => "report-trouble",
        Intent::Cancel => "cancel",
    }
}
