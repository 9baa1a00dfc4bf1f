//! What is bought and for how much, above every screen; and the word TEST where it is one.

use crate::locale::Locale;
use checkout::{OrderView, ViewModel};
use leptos::prelude::*;

/// The head of the element.
#[component]
pub(super) fn OrderHead(model: ReadSignal<ViewModel>, locale: Locale) -> impl IntoView {
    let order = Memo::new(move |_| model.with(|model| (model.order.clone(), model.is_test)));
    move || {
        let (order, is_test) = order.get();
        let ribbon = is_test.then(|| {
            view! { <p part="ribbon" class="ribbon">{locale.words().test_ribbon}</p> }.into_any()
        });
        let head = order.map(|order| {
            let amount = amount_text(&order);
            view! {
                <div part="order" class="order">
                    <p part="description" class="description">{order.description}</p>
                    <p part="amount" class="amount">{amount}</p>
                </div>
            }
            .into_any()
        });
        vec![ribbon, head].into_any()
    }
}

/// `¥69.10` from 6910 fen: by whole numbers alone.
pub(super) fn amount_text(order: &OrderView) -> String {
    money_text(order.total_fen, &order.currency)
}

/// The same for any amount.
pub(super) fn money_text(fen: u64, currency: &str) -> String {
    let mut text = if currency == "CNY" {
        String::from("¥")
    } else {
        let mut code = String::from(currency);
        code.push(' ');
        code
    };
    text.push_str(&(fen / 100).to_string());
    text.push('.');
    let cents = fen % 100;
    if cents < 10 {
        text.push('0');
    }
    text.push_str(&cents.to_string());
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
