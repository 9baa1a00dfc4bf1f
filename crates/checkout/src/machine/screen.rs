//! The view model: how a stage looks at a given time. This module changes nothing.

use super::CheckoutMachine;
use super::stage::{CashierPhase, CodeState, Stage};
use crate::scene::Decision;
use crate::view_model::{Connection, Screen, ViewModel};

impl CheckoutMachine {
    /// The view model at this time.
    pub fn view(&self, now_ms: u64) -> ViewModel {
        // A shop may thank whoever comes there, so nobody does without a payment.
        let is_paid = matches!(self.stage, Stage::Paid { .. });
        ViewModel {
            order: self.last_answer.as_ref().map(|last| last.order.clone()),
            is_test: self.last_answer.as_ref().is_some_and(|last| last.is_test),
            screen: self.screen(now_ms),
            connection: self.connection(),
            back: self.success_url().filter(|_| is_paid),
        }
    }

    fn connection(&self) -> Connection {
        if !self.poll.is_online() {
            Connection::Offline
        } else if self.poll.is_failing() {
            Connection::Reconnecting
        } else {
            Connection::Steady
        }
    }

    pub(super) fn screen(&self, now_ms: u64) -> Screen {
        match &self.stage {
            Stage::Loading { late_at_ms, .. } => Screen::Loading {
                is_late: late_at_ms.is_some_and(|late_at_ms| late_at_ms <= now_ms),
            },
            Stage::Unavailable(reason) => Screen::Unavailable(*reason),
            Stage::Offer { notice } => self.offer(*notice),
            Stage::Starting(starting) => Screen::Starting {
                product: starting.product,
                notice: starting.notice,
            },
            Stage::Code(code) => {
                let code_url = code.url.as_str().to_owned();
                match code.state {
                    CodeState::Valid => Screen::QrCode {
                        code_url,
                        remaining_ms: code
                            .deadline_ms
                            .map(|deadline_ms| deadline_ms.saturating_sub(now_ms)),
                        is_handheld: self.scene.as_ref().is_some_and(crate::Scene::is_handheld),
                    },
                    CodeState::LastQuery { .. } => Screen::QrChecking { code_url },
                    CodeState::Expired => Screen::QrExpired { code_url },
                }
            }
            Stage::Cashier(cashier) => Screen::Cashier {
                is_silent: matches!(
                    cashier.phase,
                    CashierPhase::Open { silent_at_ms } if silent_at_ms <= now_ms
                ),
                fallback: self.fallback(),
            },
            Stage::Confirming { .. } => Screen::Confirming,
            Stage::Leaving(leaving) => Screen::Leaving {
                is_stuck: leaving.stuck_at_ms <= now_ms,
                product: leaving.reason.product(),
                fallback: self.fallback(),
            },
            Stage::Returned(returned) => Screen::Returned {
                notice: returned.notice,
                is_asking: returned.check.is_some(),
            },
            Stage::Elsewhere => Screen::Elsewhere,
            Stage::Expired => Screen::Expired,
            Stage::Failed(problem) => Screen::Failed(problem.clone()),
            Stage::Closed => Screen::Closed,
            Stage::Paid { .. } => Screen::Paid {
                is_refunded: self
                    .last_answer
                    .as_ref()
                    .is_some_and(|last| last.order.refunded_fen >= last.order.total_fen),
            },
        }
    }

    fn offer(&self, notice: Option<crate::Notice>) -> Screen {
        let Some(scene) = &self.scene else {
            return Screen::Loading { is_late: false };
        };
        match scene.method {
            Some(method) => Screen::Offer {
                product: method.product,
                fallback: method.fallback,
                is_guarded: scene.decision == Decision::H5Guarded && method.fallback.is_none(),
                notice,
            },
            None => Screen::Loading { is_late: false },
        }
    }
}
