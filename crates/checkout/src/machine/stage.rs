//! The stage of a payment on this page: one enum, so that two stages cannot be mixed.

use merchant_api::{PayParameters, Product};

use crate::destination::{CodeUrl, SuccessUrl};
use crate::effect::RequestId;
use crate::problem::Problem;
use crate::scene::Reason;
use crate::view_model::Notice;

/// How long the backend is polled after an `ok`, before the page asks the buyer to check later.
pub(super) const CONFIRMING_MS: u64 = 20_000;

#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// Before the first answer.
    Loading {
        /// The buyer clicked before the first answer; start when it arrives.
        is_start_wanted: bool,
        /// When the wait becomes so long that the buyer has to know. `None` before the element is in
        /// the page.
        late_at_ms: Option<u64>,
    },
    /// There is no way to pay here.
    Unavailable(Reason),
    /// The buyer has to act.
    Offer { notice: Option<Notice> },
    /// An attempt is being requested.
    Starting(Starting),
    /// A QR code is on the page.
    Code(Code),
    /// WeChat's cashier is being opened, or is open.
    Cashier(Cashier),
    /// The cashier closed and reported `ok`.
    Confirming { since_ms: u64 },
    /// The page is navigating away.
    Leaving(Leaving),
    /// The buyer is back from WeChat, or the page asked the buyer to check later.
    Returned(Returned),
    /// Another device has taken over.
    Elsewhere,
    /// The order has expired.
    Expired,
    /// Paying failed, and the page shows the problem.
    Failed(Problem),
    /// The backend reported the order as closed. Only a late payment can follow.
    Closed,
    /// Paid. Nothing can follow.
    Paid { leave: Option<(u64, SuccessUrl)> },
}

#[derive(Clone, Debug)]
pub(crate) struct Starting {
    pub(crate) product: Product,
    /// The payer handle, sent with every try of this start.
    pub(crate) payer: Option<String>,
    /// The number of the attempt that was current at the start. Every try sends this number, so a
    /// second try cannot take over what another device has started since.
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
    /// When the link or the order expires, whichever is first.
    pub(crate) deadline_ms: Option<u64>,
    pub(crate) state: CodeState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeState {
    Valid,
    /// The time is over. Only an answer for which WeChat was queried after this time counts.
    LastQuery {
        since_ms: u64,
    },
    Expired,
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
    pub(crate) reason: LeaveReason,
    pub(crate) stuck_at_ms: u64,
    pub(crate) was_hidden: bool,
}

/// Why the page navigates away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaveReason {
    /// To WeChat's middle page, for an attempt.
    H5 { attempt: u64 },
    /// To the mini-program's own page, which starts the attempt itself.
    MiniProgram,
    /// To the OAuth page, or to reload this page. Neither leads to a payment.
    OauthOrReload,
}

impl LeaveReason {
    /// The product that can be paid after leaving.
    pub(crate) const fn product(self) -> Option<Product> {
        match self {
            Self::H5 { .. } => Some(Product::H5),
            Self::MiniProgram => Some(Product::MiniProgram),
            Self::OauthOrReload => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Returned {
    /// The attempt that the buyer returns from, if known.
    pub(crate) attempt: Option<u64>,
    pub(crate) notice: Option<Notice>,
    /// Set while WeChat is being queried: the reason for the query.
    pub(crate) check: Option<CheckReason>,
}

/// Why WeChat is queried after a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckReason {
    /// The buyer may have paid.
    MayBePaid,
    /// The buyer saw an error, and wants to try again if there is no payment. The query comes
    /// first, because a buyer can see an error and have paid, and must not pay twice.
    HadTrouble,
}

impl Stage {
    /// The first stage.
    pub(crate) const LOADING: Self = Self::Loading {
        is_start_wanted: false,
        late_at_ms: None,
    };

    /// The attempt and the parameters that wait for the bridge.
    pub(crate) fn awaits_bridge(&self) -> Option<(u64, PayParameters)> {
        match self {
            Self::Cashier(Cashier {
                attempt,
                phase: CashierPhase::AwaitingBridge { parameters, .. },
            }) => Some((*attempt, parameters.clone())),
            _ => None,
        }
    }

    /// The number of this page's own attempt, while the page is paying with it.
    pub(crate) const fn own_attempt(&self) -> Option<u64> {
        match self {
            Self::Code(code) => Some(code.attempt),
            Self::Cashier(cashier) => Some(cashier.attempt),
            _ => None,
        }
    }

    /// The id of the request for an attempt that is in flight.
    pub(crate) const fn attempt_in_flight(&self) -> Option<RequestId> {
        match self {
            Self::Starting(Starting {
                progress: Progress::InFlight { id, .. },
                ..
            }) => Some(*id),
            _ => None,
        }
    }

    /// When the stage needs the next timer. A request that may not be sent waits for the page to be
    /// visible and online, and needs no timer.
    pub(crate) fn wake_at_ms(&self, now_ms: u64, is_visible: bool, may_send: bool) -> Option<u64> {
        match self {
            Self::Loading { late_at_ms, .. } => late_at_ms.filter(|at_ms| *at_ms > now_ms),
            Self::Starting(starting) => match starting.progress {
                Progress::InFlight { gives_up_at_ms, .. } => Some(gives_up_at_ms),
                Progress::Waiting { until_ms } => may_send.then_some(until_ms),
            },
            Self::Code(code) if code.state == CodeState::Valid => {
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
            Self::Confirming { since_ms } => Some(since_ms + CONFIRMING_MS),
            Self::Leaving(leaving) => Some(leaving.stuck_at_ms).filter(|at_ms| *at_ms > now_ms),
            Self::Paid { leave } => leave.as_ref().map(|(at_ms, _)| *at_ms),
            _ => None,
        }
    }
}

/// When the countdown shows the next second.
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
