//! The invariants that hold after every event of every sequence.

use checkout::{Destination, Effect, Notice, Occurrence, Request, Screen};
use merchant_api::{AttemptForm, OrderState, Product};

use super::node::{Node, Taken};

/// Whether an invariant holds after an event.
type Holds = fn(&Node, &Taken<'_>) -> bool;

/// The invariants, each with the sentence that a failure prints.
pub(super) const INVARIANTS: [(&str, Holds); 22] = [
    ("`paid` is emitted at most once", |node, _| {
        node.paid_emitted <= 1
    }),
    (
        "`paid` is shown if and only if it was emitted",
        |node, _| {
            node.is_destroyed || (node.page.screen().name() == "paid") == (node.paid_emitted == 1)
        },
    ),
    (
        "`paid` is emitted only because the backend said so",
        |node, taken| {
            taken.emitted(|what| matches!(what, Occurrence::Paid { .. })) == 0
                || taken.said.state == Some(OrderState::Paid) && node.paid_emitted == 1
        },
    ),
    (
        "`closed` is emitted at most once, and only because the backend said so",
        |node, taken| {
            node.closed_emitted <= 1
                && (taken.emitted(|what| matches!(what, Occurrence::Closed)) == 0
                    || taken.said.state == Some(OrderState::Closed))
        },
    ),
    ("only a late payment follows `closed`", |node, _| {
        node.closed_emitted == 0
            || node.is_destroyed
            || matches!(node.page.screen().name(), "closed" | "paid")
    }),
    ("at most one request is in flight", |node, _| {
        node.page.open.len() <= 1
    }),
    ("nothing is started after `paid`", |_, taken| {
        !taken.was_paid || !taken.has(starts)
    }),
    ("no event has an effect after `destroyed`", |_, taken| {
        !taken.was_destroyed || taken.effects.is_empty()
    }),
    (
        "after `destroyed` no request and no timer is left",
        |node, _| !node.is_destroyed || node.page.is_quiet(),
    ),
    ("a timer is set while something is awaited", |node, _| {
        node.is_destroyed || node.page.wake_at_ms.is_some() || !node.awaits_something()
    }),
    (
        "the timer is never set to a time that has passed",
        |node, taken| {
            !taken.is_wake
                || node
                    .page
                    .wake_at_ms
                    .is_none_or(|at_ms| at_ms > node.page.now_ms)
        },
    ),
    (
        "the page navigates to `h5_url` only after the buyer's gesture",
        |_, taken| {
            !taken.has(|effect| matches!(effect, Effect::Navigate(Destination::H5(_))))
                || taken.had_gesture
        },
    ),
    (
        "a phone inside WeChat never gets a Native code",
        |node, taken| {
            !node.place.is_handheld_wechat
                || !node.page.screen().name().starts_with("qr")
                    && !taken.has(|effect| {
                        matches!(
                            effect,
                            Effect::Send { request: Request::Start(form), .. }
                                if form.product == Product::Native
                        )
                    })
        },
    ),
    (
        "the cashier is called at most once for each attempt's answer",
        |_, taken| {
            let calls = taken
                .count(|effect| matches!(effect, Effect::InvokeCashier(_) | Effect::InvokeSdk(_)));
            calls <= usize::from(taken.gave_parameters)
        },
    ),
    (
        "`expired` is shown only after WeChat was queried after the deadline",
        |node, taken| {
            !taken.shows_now(node, |screen| screen.name().ends_with("expired"))
                || taken.said.is_refused_as_expired
                || taken.said.was_checked_after_zero
        },
    ),
    (
        "on a phone `not paid` is shown only after the buyer asked for a query",
        |node, taken| {
            node.place.product != Some(Product::H5)
                || !taken.shows_now(node, says_not_paid)
                || taken.said.asked_wechat && node.has_buyers_request
        },
    ),
    (
        "if there is a fallback, the payment can continue after a refusal of the first method",
        |node, taken| {
            node.fallback.is_none()
                || !taken.shows_now(node, is_dead_end)
                || !matches!(
                    taken.was_shown,
                    Screen::Starting { product, .. } if Some(product) != node.fallback
                )
        },
    ),
    (
        "the fallback is shown where the first method may have failed",
        |node, _| match node.page.screen() {
            Screen::Offer { fallback, .. }
            | Screen::Leaving { fallback, .. }
            | Screen::Cashier { fallback, .. } => fallback == node.fallback,
            _ => true,
        },
    ),
    (
        "WeCom is not redirected to OAuth if the code can be shown",
        |node, taken| {
            !node.place.is_wecom
                || node.fallback != Some(Product::Native)
                || !taken
                    .has(|effect| matches!(effect, Effect::Navigate(Destination::Authorize(_))))
        },
    ),
    ("a lower version is never shown", |node, _| {
        node.page.screen().name() == "paid" || node.shown_version() >= node.seen_version
    }),
    (
        "no attempt starts without a gesture or `auto_start`, and none over another device's",
        |node, taken| {
            taken
                .effects
                .iter()
                .filter_map(form_of)
                .all(|form| node.may_attempt(form))
        },
    ),
    (
        "no poll and no attempt is sent while hidden or offline",
        |node, taken| {
            node.is_visible && node.is_online
                || !taken.has(|effect| match effect {
                    Effect::Send { request, .. } => !matches!(request, Request::Cancel(_)),
                    _ => false,
                })
        },
    ),
];

fn starts(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Send { .. }
            | Effect::InvokeCashier(_)
            | Effect::InvokeSdk(_)
            | Effect::AwaitBridge
            | Effect::Navigate(Destination::H5(_) | Destination::MiniProgram(_))
    )
}

fn form_of(effect: &Effect) -> Option<&AttemptForm> {
    match effect {
        Effect::Send {
            request: Request::Start(form),
            ..
        } => Some(form),
        _ => None,
    }
}

fn is_dead_end(screen: &Screen) -> bool {
    matches!(screen, Screen::Failed(problem) if !problem.is_recoverable)
}

pub(super) const fn says_not_paid(screen: &Screen) -> bool {
    let (Screen::Offer { notice, .. } | Screen::Returned { notice, .. }) = screen else {
        return false;
    };
    matches!(notice, Some(Notice::NotPaidYet))
}
