//! The screens where a payment stops: paid, closed, expired, a problem, or no way to pay.

use checkout::{Intent, OrderView, Problem, ProblemCode, Screen};
use leptos::prelude::*;

use super::action::actions;
use super::advice::advice;
use super::look::Look;
use super::order_head::money;
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

/// A mark, a title, and what to do next.
pub(super) fn outcome(screen: &Screen, order: Option<&OrderView>, look: &Look) -> AnyView {
    let words = &look.words;
    let is_paid = matches!(screen, Screen::Paid { .. });
    let (mark, mark_class) = if is_paid {
        ("✓", "mark good")
    } else {
        ("!", "mark")
    };
    let problem = match screen {
        Screen::Failed(problem) => Some(problem),
        _ => None,
    };
    let retry = problem.filter(|problem| problem.is_recoverable);
    view! {
        <div part="outcome" class="outcome">
            <p part="mark" class=mark_class aria-hidden="true">{Text::Borrowed(mark)}</p>
            <p part="title" class="title">{words.text(sentence(screen))}</p>
            {receipt(screen, order, words).map(quiet)}
            {advice(screen).map(|word| quiet(words.text(word)))}
            {retry.map(|_| actions(&[(Word::Retry, Intent::Start)], None, words))}
            {way_out(screen, look)}
            {(!is_paid).then(|| support(look))}
            {problem.map(|problem| reference(problem, order, words))}
        </div>
    }
    .into_any()
}

/// The contact of the shop: what the page put into the slot, or the link of `support-url`.
pub(super) fn support(look: &Look) -> AnyView {
    let link = look.support_url.as_ref();
    let link =
        link.map(|address| link_to(address, "support", "_blank", look.words.text(Word::Support)));
    view! { <slot name="support">{link}</slot> }.into_any()
}

fn link_to(address: &str, part: &'static str, target: &'static str, text: Text) -> AnyView {
    view! {
        <a part=part class="support" href=address.to_owned() target=target rel="noopener">
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

/// A sentence in a quieter style.
pub(super) fn quiet(text: Text) -> AnyView {
    view! { <p class="advice">{text}</p> }.into_any()
}

/// What the payer paid, if WeChat's coupons made it differ from the price.
fn receipt(screen: &Screen, order: Option<&OrderView>, words: &Words) -> Option<Text> {
    let Screen::Paid {
        payer_total_fen: Some(payer_total_fen),
    } = screen
    else {
        return None;
    };
    let order = order?;
    (order.total_fen != *payer_total_fen).then(|| {
        let mut text = words.text(Word::YouPaid).into_owned();
        text.push(' ');
        text.push_str(&money(*payer_total_fen, &order.currency, words));
        text.into()
    })
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
    view! { <p part="reference" class="reference">{Text::Owned(text)}</p> }.into_any()
}
