//! The screens at which a payment comes to rest: paid, closed, expired, a problem, or no way.

use super::Want;
use super::action::Actions;
use super::order_head::money_text;
use super::status::sentence;
use crate::locale::{Locale, Words};
use checkout::{Actor, Intent, Problem, Reason, Screen, ViewModel};
use leptos::prelude::*;

/// A mark, a title, and what to do next.
#[component]
pub(super) fn Outcome(
    screen: Screen,
    model: ReadSignal<ViewModel>,
    locale: Locale,
    want: Want,
) -> impl IntoView {
    let words = locale.words();
    let is_paid = matches!(screen, Screen::Paid { .. });
    let (mark, mark_class) = if is_paid {
        ("✓", "mark good")
    } else {
        ("!", "mark")
    };
    let title = sentence(&screen, words);
    let advice =
        advice(&screen, words).map(|text| view! { <p class="advice">{text}</p> }.into_any());
    let receipt =
        receipt(&screen, model).map(|text| view! { <p class="advice">{text}</p> }.into_any());
    let retry = match &screen {
        Screen::Failed(problem) if problem.code.is_recoverable() => {
            let buttons = vec![(words.retry, Intent::Start)];
            Some(view! { <Actions buttons want=want.clone() /> }.into_any())
        }
        _ => None,
    };
    let reference = match &screen {
        Screen::Failed(problem) => Some(reference(problem, model, words)),
        _ => None,
    };
    view! {
        <div part="outcome" class="outcome">
            <p class=mark_class aria-hidden="true">{mark}</p>
            <p part="title" class="title">{title}</p>
            {receipt}
            {advice}
            {retry}
            {reference}
        </div>
    }
    .into_any()
}

fn advice(screen: &Screen, words: &'static Words) -> Option<&'static str> {
    match screen {
        Screen::Failed(problem) => Some(match problem.code.actor() {
            Actor::Merchant => words.problem_of_merchant,
            Actor::Network => words.problem_of_network,
            Actor::WeChat => words.problem_of_wechat,
            Actor::Buyer => words.problem_of_buyer,
        }),
        Screen::Expired | Screen::Closed => Some(words.order_again),
        Screen::Unavailable(reason) => Some(match reason {
            Reason::MiniProgram => words.mini_program,
            Reason::WeChatTooOld => words.wechat_too_old,
            _ => words.nothing_fits,
        }),
        _ => None,
    }
}

/// What the payer gave, where it differs from the price: WeChat's coupons.
fn receipt(screen: &Screen, model: ReadSignal<ViewModel>) -> Option<String> {
    let Screen::Paid {
        payer_total_fen: Some(payer_total_fen),
    } = screen
    else {
        return None;
    };
    let order = model.with_untracked(|model| model.order.clone())?;
    (order.total_fen != *payer_total_fen).then(|| money_text(*payer_total_fen, &order.currency))
}

/// What the buyer reads to the merchant on the phone: the code and the order's number.
fn reference(problem: &Problem, model: ReadSignal<ViewModel>, words: &'static Words) -> AnyView {
    let mut text = String::from(problem.code.as_str());
    if let Some(order) = model.with_untracked(|model| model.order.clone()) {
        text.push_str(" · ");
        text.push_str(words.order_number);
        text.push(' ');
        text.push_str(&order.order_no);
    }
    view! { <p part="reference" class="reference">{text}</p> }.into_any()
}
