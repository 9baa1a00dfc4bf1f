//! The screens where a payment stops: paid, closed, expired, a problem, or no way to pay.

use checkout::{Intent, OrderView, Problem, ProblemCode, Screen, SuccessUrl, ViewModel};
use leptos::prelude::*;

use super::action::actions;
use super::advice::advice;
use super::block::{group, line, slotted};
use super::look::Look;
use super::receipt::receipt;
use super::status::sentence;
use crate::locale::{Text, Word, Words};

/// Whether a payment stops at a screen.
pub(super) const fn is_outcome(screen: &Screen) -> bool {
    matches!(
        screen,
        Screen::Paid { .. }
            | Screen::Closed
            | Screen::Expired
            | Screen::Failed(_)
            | Screen::Unavailable(_)
    )
}

/// A mark, a title, the receipt, and what to do next.
pub(super) fn outcome(model: &ViewModel, look: &Look) -> AnyView {
    let (screen, words) = (&model.screen, &look.words);
    let order = model.order.as_ref();
    let is_paid = matches!(screen, Screen::Paid { .. });
    let mark = if is_paid { "mark good" } else { "mark" };
    let problem = match screen {
        Screen::Failed(problem) => Some(problem),
        _ => None,
    };
    let retry = problem.filter(|problem| problem.is_recoverable);
    let advice = advice(screen).map(|word| line("advice", words.text(word)));
    let receipt = order.filter(|_| is_paid).map(|order| receipt(order, words));
    group(
        "outcome",
        vec![
            // The style sheet draws the sign.
            Some(line(mark, Text::default())),
            Some(line("title", words.text(sentence(screen)))),
            advice.or(receipt),
            retry.map(|_| actions(&[(Word::Retry, Intent::Start)], None, words)),
            way_out(screen, look).or_else(|| way_back(model, words)),
            (!is_paid).then(|| support(look)),
            problem.map(|problem| reference(problem, order, words)),
        ],
    )
}

/// Where the buyer continues after the end of an order: what the page put into the slot, or after a
/// payment the link of `success-url`.
fn way_back(model: &ViewModel, words: &Words) -> Option<AnyView> {
    let is_end = matches!(
        model.screen,
        Screen::Paid { .. } | Screen::Closed | Screen::Expired
    );
    let address = model.back.as_ref().map(SuccessUrl::as_str);
    let link = address.map(|address| link_to(address, "back", "_top", words.text(Word::Back)));
    is_end.then(|| slotted("return", link))
}

/// The contact of the shop: what the page put into the slot, or the link of `support-url`.
pub(super) fn support(look: &Look) -> AnyView {
    let link = look.support_url.as_ref();
    let link =
        link.map(|address| link_to(address, "support", "_blank", look.words.text(Word::Support)));
    slotted("support", link)
}

fn link_to(address: &str, part: &'static str, target: &'static str, text: Text) -> AnyView {
    view! {
        <a part=part class=part href=address.to_owned() target=target rel="noopener">
            {text}
        </a>
    }
    .into_any()
}

/// The hosted page, where the merchant API cannot be reached from this page or refuses it.
pub(super) fn way_out(screen: &Screen, look: &Look) -> Option<AnyView> {
    let may_help = match screen {
        Screen::Loading { is_late } => *is_late,
        Screen::Failed(problem) => matches!(
            problem.code,
            ProblemCode::Unreachable | ProblemCode::RefusedUnknown | ProblemCode::AnswerMalformed
        ),
        _ => false,
    };
    let address = look.checkout_url.as_ref().filter(|_| may_help)?;
    let text = look.words.text(Word::OpenCheckout);
    Some(link_to(address, "checkout", "_top", text))
}

/// What the buyer tells the merchant on the phone: the code and the order's number.
fn reference(problem: &Problem, order: Option<&OrderView>, words: &Words) -> AnyView {
    let mut text = String::from(problem.code.as_str());
    if let Some(order) = order {
        text.push_str(" · ");
        text.push_str(&words.text(Word::OrderNumber));
        text.push(' ');
        text.push_str(&order.order_no);
    }
    line("reference", Text::Owned(text))
}
