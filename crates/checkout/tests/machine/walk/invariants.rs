//! What holds after every event, in every order.

use checkout::{Destination, Effect, Notice, Occurrence, Request, Screen};
use merchant_api::{AttemptForm, OrderState, Product};

use super::node::{Node, Taken};

/// Whether something holds after an event.
type Holds = fn(&Node, &Taken<'_>) -> bool;

/// What holds after every event, in every order.
pub(super) const INVARIANTS: [(&str, Holds); 22] = [
    ("`paid` is told once, ever", |node, _| node.paid_told <= 1),
    (
        "what is shown as paid was told, and the other way round",
        |node, _| {
            node.is_destroyed || (node.page.screen().name() == "paid") == (node.paid_told == 1)
        },
    ),
    ("`paid` comes of the backend's word alone", |node, taken| {
        taken.told(|what| matches!(what, Occurrence::Paid { .. })) == 0
            || taken.heard.word == Some(OrderState::Paid) && node.paid_told == 1
    }),
    (
        "`closed` is told at most once, and on the backend's word alone",
        |node, taken| {
            node.closed_told <= 1
                && (taken.told(|what| matches!(what, Occurrence::Closed)) == 0
                    || taken.heard.word == Some(OrderState::Closed))
        },
    ),
    ("only late money follows `closed`", |node, _| {
        node.closed_told == 0
            || node.is_destroyed
            || matches!(node.page.screen().name(), "closed" | "paid")
    }),
    ("there is one request in flight at most", |node, _| {
        node.page.open.len() <= 1
    }),
    ("nothing is begun once it is paid", |_, taken| {
        !taken.was_paid || !taken.has(begins)
    }),
    ("nothing has an effect after the end", |_, taken| {
        !taken.was_destroyed || taken.effects.is_empty()
    }),
    (
        "after the end no request and no timer is left",
        |node, _| !node.is_destroyed || node.page.is_quiet(),
    ),
    ("a wake is set while something is awaited", |node, _| {
        node.is_destroyed || node.page.wake_at_ms.is_some() || !node.awaits_something()
    }),
    (
        "the machine does not ask to be woken without end",
        |node, taken| {
            !taken.is_wake
                || node
                    .page
                    .wake_at_ms
                    .is_none_or(|at_ms| at_ms > node.page.now_ms)
        },
    ),
    (
        "nobody is sent to `h5_url` without a gesture of the buyer's",
        |_, taken| {
            !taken.has(|effect| matches!(effect, Effect::Navigate(Destination::H5(_))))
                || taken.had_gesture
        },
    ),
    (
        "in WeChat on a phone there is never a native code",
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
        "the cashier is called once for each attempt's answer",
        |_, taken| {
            let calls = taken
                .count(|effect| matches!(effect, Effect::InvokeCashier(_) | Effect::InvokeSdk(_)));
            calls <= usize::from(taken.gave_parameters)
        },
    ),
    (
        "`expired` is said only after an answer that was checked after zero",
        |node, taken| {
            !taken.shows_anew(node, |screen| screen.name().ends_with("expired"))
                || taken.heard.is_refused_as_expired
                || taken.heard.was_checked_after_zero
        },
    ),
    (
        "`not paid` is never said unasked on a phone",
        |node, taken| {
            node.place.product != Some(Product::H5)
                || !taken.shows_anew(node, says_not_paid)
                || taken.heard.asked_wechat && node.has_buyers_word
        },
    ),
    (
        "where another way is in view, a refusal of the first is no dead end",
        |node, taken| {
            node.fallback.is_none()
                || !taken.shows_anew(node, is_dead_end)
                || !matches!(
                    taken.was_shown,
                    Screen::Starting { product, .. } if Some(product) != node.fallback
                )
        },
    ),
    (
        "the other way is shown where the first may have failed",
        |node, _| match node.page.screen() {
            Screen::Offer { fallback, .. }
            | Screen::Leaving { fallback, .. }
            | Screen::Cashier { fallback, .. } => fallback == node.fallback,
            _ => true,
        },
    ),
    (
        "nobody in WeCom is sent to the hop's page where the code can be shown",
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
        "no attempt without a gesture or `auto_start`, and none over a foreign one",
        |node, taken| {
            taken
                .effects
                .iter()
                .filter_map(form_of)
                .all(|form| node.may_attempt(form))
        },
    ),
    (
        "no question and no attempt is sent while hidden or offline",
        |node, taken| {
            node.is_visible && node.is_online
                || !taken.has(|effect| match effect {
                    Effect::Send { request, .. } => !matches!(request, Request::Cancel(_)),
                    _ => false,
                })
        },
    ),
];

fn begins(effect: &Effect) -> bool {
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
