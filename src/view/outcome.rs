//! The screens at which a payment comes to rest: paid, closed, expired, a problem, or no way.

use checkout::{Actor, Instead, Intent, OrderView, Problem, ProblemCode, Reason, Screen};

use super::Look;
use super::action::actions;
use super::node::{Element, Node, element, nothing};
use super::order_head::money;
use super::status::sentence;
use crate::locale::{Text, Word, Words};

/// A mark, a title, and what to do next.
pub(super) fn outcome(screen: &Screen, order: Option<&OrderView>, look: &Look) -> Element {
    let words = &look.words;
    let is_paid = matches!(screen, Screen::Paid { .. });
    let (mark, mark_class) = if is_paid {
        ("✓", "mark good")
    } else {
        ("!", "mark")
    };
    let outcome = element("div")
        .with("part", "outcome")
        .with("class", "outcome")
        .holding(
            element("p")
                .with("part", "mark")
                .with("class", mark_class)
                .with("aria-hidden", "true")
                .saying(mark),
        )
        .holding(
            element("p")
                .with("part", "title")
                .with("class", "title")
                .saying(words.say(sentence(screen))),
        )
        .holding(receipt(screen, order, words).map_or_else(nothing, quiet))
        .holding(advice(screen).map_or_else(nothing, |word| quiet(words.say(word))));
    if is_paid {
        return outcome;
    }
    let Screen::Failed(problem) = screen else {
        return outcome.holding(support(look));
    };
    outcome
        .holding(if problem.is_recoverable {
            actions(&[(Word::Retry, Intent::Start)], None, words).into()
        } else {
            nothing()
        })
        .holding(support(look))
        .holding(reference(problem, order, words))
}

/// The way to the shop's people: what the page put into the slot, or the link of `support-url`.
pub(super) fn support(look: &Look) -> Element {
    let link = look.support_url.as_ref().map_or_else(nothing, |address| {
        element("a")
            .with("part", "support")
            .with("class", "support")
            .with("href", address.clone())
            .with("target", "_blank")
            .with("rel", "noopener")
            .saying(look.words.say(Word::Support))
            .into()
    });
    element("slot").with("name", "support").holding(link)
}

/// A sentence of less weight.
pub(super) fn quiet(text: Text) -> Node {
    element("p").with("class", "advice").saying(text).into()
}

/// What to do next, in a sentence.
pub(super) const fn advice(screen: &Screen) -> Option<Word> {
    match screen {
        Screen::Failed(problem) => Some(problem_word(problem)),
        Screen::Expired | Screen::Closed => Some(Word::OrderAgain),
        Screen::Unavailable(reason) => Some(match reason {
            Reason::MiniProgram => Word::MiniProgram,
            Reason::WeChatTooOld => Word::WechatTooOld,
            Reason::NothingFits(None) => return None,
            Reason::NothingFits(Some(Instead::PhoneBrowser)) => Word::OpenInBrowser,
            Reason::NothingFits(Some(Instead::WeChat)) => Word::OpenInWechat,
            _ => Word::NothingFits,
        }),
        _ => None,
    }
}

/// What a buyer is told of a problem.
pub(crate) const fn problem_word(problem: &Problem) -> Word {
    // Once the page was loaded anew without help, it is the merchant's alone to mend.
    if problem.is_recoverable && matches!(problem.code, ProblemCode::LandingUrlDenied) {
        return Word::ReloadToPay;
    }
    // The buyer's to mend, but not by starting again.
    if matches!(problem.code, ProblemCode::CashierUnsupported) {
        return Word::OpenInWechat;
    }
    match problem.actor {
        Actor::Merchant => Word::ProblemOfMerchant,
        Actor::Network => Word::ProblemOfNetwork,
        Actor::WeChat => Word::ProblemOfWechat,
        Actor::Internal => Word::ProblemOfSystem,
        Actor::Buyer => Word::ProblemOfBuyer,
    }
}

/// What the payer gave, where it differs from the price: WeChat's coupons.
fn receipt(screen: &Screen, order: Option<&OrderView>, words: &Words) -> Option<Text> {
    let Screen::Paid {
        payer_total_fen: Some(payer_total_fen),
    } = screen
    else {
        return None;
    };
    let order = order?;
    (order.total_fen != *payer_total_fen).then(|| {
        let mut text = words.say(Word::YouPaid).into_owned();
        text.push(' ');
        text.push_str(&money(*payer_total_fen, &order.currency, words));
        text.into()
    })
}

/// What the buyer reads to the merchant on the phone: the code and the order's number.
fn reference(problem: &Problem, order: Option<&OrderView>, words: &Words) -> Element {
    let mut text = String::from(problem.code.as_str());
    if let Some(order) = order {
        text.push_str(" · ");
        text.push_str(&words.say(Word::OrderNumber));
        text.push(' ');
        text.push_str(&order.order_no);
    }
    element("p")
        .with("part", "reference")
        .with("class", "reference")
        .saying(text)
}
