//! Where a payment stands on this page: one enum, so that no two stages can be mixed.

use merchant_api::{PayParameters, Product};

use crate::destination::{CodeUrl, SuccessUrl};
use crate::effect::RequestId;
use crate::problem::Problem;
use crate::scene::Reason;
use crate::view_model::Notice;

#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// Before the first answer.
    Loading {
        /// The buyer wants to pay, as soon as there is one.
        is_start_wanted: bool,
    },
    /// There is no way to pay here.
    Unavailable(Reason),
    /// The buyer has to act.
    Offer { notice: Option<Notice> },
    /// The attempt is being made.
    Starting(Starting),
    /// A QR code is on the page.
    Code(Code),
    /// WeChat's cashier is being opened, or is open.
    Cashier(Cashier),
    /// The cashier is closed and said `ok`.
    Confirming { since_ms: u64 },
    /// The page is leaving for another address.
    Leaving(Leaving),
    /// The buyer is back from WeChat, or was told to look later.
    Returned(Returned),
    /// Another device has taken over.
    Elsewhere,
    /// The order's time is up.
    Expired,
    /// Something went wrong.
    Failed(Problem),
    /// Closed, on the backend's word. Only late money can follow.
    Closed,
    /// Paid. Nothing can follow.
    Paid {
        payer_total_fen: Option<u64>,
        leave: Option<(u64, SuccessUrl)>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Starting {
    pub(crate) product: Product,
    /// The payer handle goes with every try of this start.
    pub(crate) payer: Option<String>,
    /// The attempt that was seen when this was begun. Every try sends this one: what another
    /// device has begun since then is not taken over by a second try.
    pub(crate) after: u64,
    pub(crate) tries: u32,
    pub(crate) progress: Progress,
    pub(crate) notice: Option<Notice>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Progress {
    InFlight { id: RequestId, gives_up_at_ms: u64 },
    Waiting { until_ms: u64 },
}

#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) url: CodeUrl,
    pub(crate) attempt: u64,
    /// When the link or the order ends, whichever is first.
    pub(crate) deadline_ms: Option<u64>,
    pub(crate) life: Life,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Fresh,
    /// The time is up; only an answer that WeChat was asked for after this moment counts.
    LastQuery {
        since_ms: u64,
    },
    Over,
}

#[derive(Clone, Debug)]
pub(crate) struct Cashier {
    pub(crate) attempt: u64,
    pub(crate) phase: CashierPhase,
}

#[derive(Clone, Debug)]
pub(crate) enum CashierPhase {
    AwaitingBridge {
        parameters: PayParameters,
        until_ms: u64,
    },
    Open {
        silent_at_ms: u64,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaving {
    pub(crate) errand: Errand,
    pub(crate) stuck_at_ms: u64,
    pub(crate) was_hidden: bool,
}

/// What the page leaves for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// WeChat's middle page, for an attempt.
    H5 { attempt: u64 },
    /// The mini-program's own page, which makes the attempt itself.
    MiniProgram,
    /// The hop for the openid, or the page itself anew: no payment can follow from it.
    Itself,
}

impl Errand {
    /// What is paid by where it leads.
    pub(crate) const fn product(self) -> Option<Product> {
        match self {
            Self::H5 { .. } => Some(Product::H5),
            Self::MiniProgram => Some(Product::MiniProgram),
            Self::Itself => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Returned {
    /// The attempt that the buyer comes back from, where it is known.
    pub(crate) attempt: Option<u64>,
    pub(crate) notice: Option<Notice>,
    /// WeChat is being asked, and what was said that made it so.
    pub(crate) asking: Option<Asking>,
}

/// Why WeChat is asked after a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// The buyer may have paid.
    MayBePaid,
    /// The buyer saw a problem, and wants to try again if there is no payment: who has paid and
    /// saw an error all the same must not pay twice.
    HadTrouble,
}

impl Stage {
    /// The beginning.
    pub(crate) const LOADING: Self = Self::Loading {
        is_start_wanted: false,
    };

    /// What the cashier is to be called with, once the bridge is there.
    pub(crate) fn awaits_bridge(&self) -> Option<(u64, PayParameters)> {
        match self {
            Self::Cashier(Cashier {
                attempt,
                phase: CashierPhase::AwaitingBridge { parameters, .. },
            }) => Some((*attempt, parameters.clone())),
            _ => None,
        }
    }

    /// The attempt that this page has made its own, while it is at it.
    pub(crate) const fn own_attempt(&self) -> Option<u64> {
        match self {
            Self::Code(code) => Some(code.attempt),
            Self::Cashier(cashier) => Some(cashier.attempt),
            _ => None,
        }
    }

    /// The request for an attempt that is under way.
    pub(crate) const fn attempt_in_flight(&self) -> Option<RequestId> {
        match self {
            Self::Starting(Starting {
                progress: Progress::InFlight { id, .. },
                ..
            }) => Some(*id),
            _ => None,
        }
    }

    /// When the stage itself needs to be looked at again. What may not be sent waits for the page
    /// to be seen and for the network, and not for a time.
    pub(crate) fn wake_at_ms(&self, now_ms: u64, is_visible: bool, may_send: bool) -> Option<u64> {
        match self {
            Self::Starting(starting) => match starting.progress {
                Progress::InFlight { gives_up_at_ms, .. } => Some(gives_up_at_ms),
                Progress::Waiting { until_ms } => may_send.then_some(until_ms),
            },
            Self::Code(code) if code.life == Life::Fresh => {
                let deadline_ms = code.deadline_ms?;
                Some(if is_visible {
                    next_second_ms(now_ms, deadline_ms)
                } else {
                    deadline_ms
                })
            }
            Self::Cashier(cashier) => match cashier.phase {
                CashierPhase::AwaitingBridge { until_ms, .. } => Some(until_ms),
                CashierPhase::Open { silent_at_ms } => {
                    Some(silent_at_ms).filter(|at_ms| *at_ms > now_ms)
                }
            },
            Self::Confirming { since_ms } => Some(since_ms + super::CONFIRMING_MS),
            Self::Leaving(leaving) => Some(leaving.stuck_at_ms).filter(|at_ms| *at_ms > now_ms),
            Self::Paid { leave, .. } => leave.as_ref().map(|(at_ms, _)| *at_ms),
            _ => None,
        }
    }
}

/// When the countdown shows another second.
const fn next_second_ms(now_ms: u64, deadline_ms: u64) -> u64 {
    let remaining_ms = deadline_ms.saturating_sub(now_ms);
    if remaining_ms == 0 {
        return deadline_ms;
    }
    deadline_ms - (remaining_ms - 1) / 1_000 * 1_000
}

#[cfg(test)]
mod tests {
    use super::next_second_ms;

    #[test]
    fn the_countdown_wakes_at_each_whole_second_and_at_zero() {
        let cases = [
            (0, 5_000, 1_000),
            (700, 5_000, 1_000),
            (4_001, 5_000, 5_000),
            (5_000, 5_000, 5_000),
            (9_000, 5_000, 5_000),
        ];
        for (now_ms, deadline_ms, expected_ms) in cases {
            assert_eq!(next_second_ms(now_ms, deadline_ms), expected_ms, "{now_ms}");
        }
    }
}
