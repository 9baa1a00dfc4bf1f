//! The buyer's intents. An intent that does not fit the current stage does nothing: a double click,
//! or a click on a button that has just disappeared, must not start a second attempt.

use merchant_api::{CancelForm, Product};

use super::stage::{CashierPhase, CheckReason, CodeState, LeaveReason, Leaving, Returned, Stage};
use super::{CANCEL_TIMEOUT_MS, Cancelling, CheckoutMachine, LATE_AGAIN_MS, LATE_MS};
use crate::effect::{Effect, Request};
use crate::event::Intent;
use crate::view_model::Notice;

impl CheckoutMachine {
    pub(super) fn intent(&mut self, now_ms: u64, intent: Intent) {
        match intent {
            Intent::Start => self.want_start(now_ms),
            Intent::StartFallback => {
                if let Some(product) = self.fallback().filter(|_| self.may_start_again(now_ms)) {
                    self.start(now_ms, product);
                }
            }
            Intent::Refresh => {
                if let Stage::Code(code) = &self.stage
                    && code.state == CodeState::Expired
                {
                    self.start(now_ms, Product::Native);
                }
            }
            Intent::TakeOver => {
                if let (Stage::Elsewhere, Some(product)) = (&self.stage, self.product()) {
                    self.start(now_ms, product);
                }
            }
            Intent::CheckPayment => self.want_check(now_ms, CheckReason::MayBePaid),
            Intent::ReportTrouble => self.want_check(now_ms, CheckReason::HadTrouble),
            Intent::Cancel => self.want_cancel(now_ms),
            Intent::Resume => self.want_resume(now_ms),
        }
    }

    fn want_start(&mut self, now_ms: u64) {
        if let Stage::Loading {
            is_start_wanted, ..
        } = &mut self.stage
        {
            *is_start_wanted = true;
        }
        if !self.may_start_again(now_ms) {
            return;
        }
        if let Stage::Failed(problem) = &self.stage
            && problem.code.is_denied()
        {
            self.reload(now_ms);
            return;
        }
        match self.product() {
            Some(product) => self.start(now_ms, product),
            // Not even the first answer arrived: start from the beginning.
            None => {
                self.stage = Stage::LOADING;
                self.poll.poll_now(now_ms, false);
                self.wait_for_first_answer(now_ms + LATE_MS);
            }
        }
    }

    /// Whether the stage shows a button that pays.
    fn may_start_again(&self, now_ms: u64) -> bool {
        match &self.stage {
            Stage::Offer { .. } => true,
            Stage::Failed(problem) => problem.is_recoverable,
            Stage::Cashier(cashier) => matches!(
                cashier.phase,
                CashierPhase::Open { silent_at_ms } if silent_at_ms <= now_ms
            ),
            Stage::Leaving(leaving) => leaving.stuck_at_ms <= now_ms,
            _ => false,
        }
    }

    /// The buyer reports a payment or a problem: query WeChat.
    fn want_check(&mut self, now_ms: u64, check: CheckReason) {
        match &self.stage {
            Stage::Leaving(leaving) if leaving.reason.product().is_none() => return,
            Stage::Returned(_) | Stage::Cashier(_) | Stage::Leaving(_) => {
                self.stage = Stage::Returned(Returned {
                    attempt: self.attempt_to_end(),
                    notice: None,
                    check: Some(check),
                });
            }
            // The same offer again, if WeChat still has no payment.
            Stage::Offer {
                notice: Some(Notice::NotPaidYet),
            } => {
                let product = self.product();
                self.stage = Stage::Returned(Returned {
                    attempt: product.and_then(|product| self.current_attempt_by(product)),
                    notice: None,
                    check: Some(CheckReason::HadTrouble),
                });
            }
            Stage::Code(_) | Stage::Expired | Stage::Elsewhere => {}
            _ => return,
        }
        self.poll.poll_now(now_ms, true);
    }

    fn want_cancel(&mut self, now_ms: u64) {
        if let Stage::Loading {
            is_start_wanted, ..
        } = &mut self.stage
        {
            *is_start_wanted = false;
        }
        if self.cancelling.is_some() {
            return;
        }
        if let Stage::Starting(_) = self.stage {
            // The attempt's number is not known yet. If it took effect, the next answer shows it.
            self.abort(self.stage.attempt_in_flight());
            self.stage = Stage::Offer { notice: None };
            self.poll.continue_schedule(now_ms);
            return;
        }
        let Some(after) = self.attempt_to_end() else {
            return;
        };
        if let Stage::Leaving(_) | Stage::Returned(_) = self.stage {
            self.effects.push(Effect::MarkDeparture(false));
        }
        let id = self.next_id();
        self.cancelling = Some(Cancelling {
            id,
            gives_up_at_ms: now_ms + CANCEL_TIMEOUT_MS,
        });
        self.poll.pause();
        let request = Request::Cancel(CancelForm { after });
        self.effects.push(Effect::Send { id, request });
        self.stage = Stage::Offer { notice: None };
    }

    /// The attempt that a cancel ends: this page's own, or the one that the buyer left the page
    /// for. A mini-program's page starts its attempt itself, so its number is known only from
    /// answers. Also `None` after the cashier reported `ok`: that may be money, until the backend
    /// says otherwise.
    fn attempt_to_end(&self) -> Option<u64> {
        match self.stage {
            Stage::Leaving(Leaving {
                reason: LeaveReason::H5 { attempt },
                ..
            }) => Some(attempt),
            Stage::Returned(Returned { attempt, .. }) => {
                attempt.or_else(|| self.current_attempt_by(Product::MiniProgram))
            }
            _ => self.stage.own_attempt(),
        }
    }

    /// Behaves as after a return to the page: the return panel, and one poll.
    fn want_resume(&mut self, now_ms: u64) {
        if let Stage::Leaving(leaving) = &mut self.stage {
            leaving.was_hidden = true;
        }
        self.poll.refresh(now_ms);
        self.wait_for_first_answer(now_ms + LATE_AGAIN_MS);
        self.visible_again(now_ms);
    }

    pub(super) fn product(&self) -> Option<Product> {
        Some(self.scene.as_ref()?.method?.product)
    }
}
