//! The screens at which a payment comes to rest: paid, closed, expired, a problem, or no way.

use super::action::actions;
use super::node::{Element, Node, Text, element, nothing};
use super::order_head::money_text;
use crate::locale::Words;
use checkout::{Actor, Intent, OrderView, Problem, Reason, Screen};

/// A mark, a title, and what to do next.
pub(super) fn outcome(
    screen: &Screen,
    title: &'static str,
    order: Option<&OrderView>,
    words: &Words,
) -> Element {
    let (mark, mark_class) = match screen {
        Screen::Paid { .. } => ("✓", "mark good"),
        _ => ("!", "mark"),
    };
    let outcome = element("div")
        .with("part", "outcome")
        .with("class", "outcome")
        .holding(
            element("p")
                .with("class", mark_class)
                .with("aria-hidden", "true")
                .saying(mark),
        )
        .holding(
            element("p")
                .with("part", "title")
                .with("class", "title")
                .saying(title),
        )
        .holding(receipt(screen, order).map_or_else(nothing, quiet))
        .holding(advice(screen, words).map_or_else(nothing, quiet));
    match screen {
        Screen::Failed(problem) => outcome
            .holding(if problem.is_recoverable {
                actions(&[(words.retry, Intent::Start)]).into()
            } else {
                nothing()
            })
            .holding(reference(problem, order, words)),
        _ => outcome,
    }
}

fn quiet(text: impl Into<Text>) -> Node {
    element("p").with("class", "advice").saying(text).into()
}

fn advice(screen: &Screen, words: &Words) -> Option<&'static str> {
    match screen {
        Screen::Failed(problem) => Some(match problem.actor {
            Actor::Merchant => words.problem_of_merchant,
            Actor::Network => words.problem_of_network,
            Actor::WeChat | Actor::Internal => words.problem_of_wechat,
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
fn receipt(screen: &Screen, order: Option<&OrderView>) -> Option<String> {
    let Screen::Paid {
        payer_total_fen: Some(payer_total_fen),
    } = screen
    else {
        return None;
    };
    let order = order?;
    (order.total_fen != *payer_total_fen).then(|| money_text(*payer_total_fen, &order.currency))
}

/// What the buyer reads to the merchant on the phone: the code and the order's number.
fn reference(problem: &Problem, order: Option<&OrderView>, words: &Words) -> Element {
    let mut text = String::from(problem.code.as_str());
    if let Some(order) = order {
        text.push_str(" · ");
        text.push_str(words.order_number);
        text.push(' ');
        text.push_str(&order.order_no);
    }
    element("p")
        .with("part", "reference")
        .with("class", "reference")
        .saying(text)
}
