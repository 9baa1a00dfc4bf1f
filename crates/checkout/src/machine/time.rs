//! What happens when time passes. Called on `Woke`, which may come early, late or twice.

use super::CheckoutMachine;
use super::stage::{
    CONFIRMING_MS, Cashier, CashierPhase, CodeState, Progress, Returned, Stage, Starting,
};
use crate::effect::{Destination, Effect, Occurrence};
use crate::event::Failure;
use crate::view_model::Notice;

impl CheckoutMachine {
    pub(super) fn woke(&mut self, now_ms: u64) {
        if let Some(request) = self.poll.take_overdue(now_ms) {
            self.abort(Some(request.id));
            self.read_failed(now_ms, request, Failure::Unreachable);
        }
        if let Some(cancelling) = self.cancelling.take_if(|it| it.gives_up_at_ms <= now_ms) {
            self.abort(Some(cancelling.id));
        }
        match &mut self.stage {
            Stage::Starting(Starting {
                progress: Progress::InFlight { id, gives_up_at_ms },
                ..
            }) if *gives_up_at_ms <= now_ms => {
                let id = *id;
                self.abort(Some(id));
                self.attempt_failed(now_ms, Failure::Unreachable);
            }
            Stage::Code(code) => {
                let is_over = code
                    .deadline_ms
                    .is_some_and(|deadline_ms| deadline_ms <= now_ms);
                if is_over && code.state == CodeState::Valid {
                    code.state = CodeState::LastQuery { since_ms: now_ms };
                    self.poll.poll_now(now_ms, true);
                }
            }
            Stage::Cashier(Cashier {
                phase: CashierPhase::AwaitingBridge { until_ms, .. },
                ..
            }) if *until_ms <= now_ms => self.bridge_overdue(now_ms),
            Stage::Confirming { since_ms } if *since_ms + CONFIRMING_MS <= now_ms => {
                // WeChat reported `ok`, so do not ask the buyer to pay again.
                self.stage = Stage::Returned(Returned {
                    attempt: None,
                    notice: Some(Notice::NotPaidYet),
                    check: None,
                });
            }
            Stage::Paid { leave, .. } => {
                if let Some((_, url)) = leave.take_if(|(at_ms, _)| *at_ms <= now_ms) {
                    let destination = Destination::Success(url);
                    self.emit(Occurrence::Redirecting(destination.clone()));
                    self.effects.push(Effect::Navigate(destination));
                }
            }
            _ => {}
        }
    }
}
