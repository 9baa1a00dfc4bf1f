//! WeChat's cashier (JSAPI): wait for the bridge, call once, take every result as a hint.

use super::stage::{Cashier, CashierPhase, Stage};
use super::{BRIDGE_PATIENCE_MS, CASHIER_SILENCE_MS, CheckoutMachine};
use crate::bridge_reply::{BridgeReply, BridgeResult};
use crate::effect::Effect;
use crate::problem::{Problem, ProblemCode};
use crate::view_model::Notice;
use merchant_api::{PayParameters, Product};

impl CheckoutMachine {
    pub(super) fn open_cashier(&mut self, now_ms: u64, attempt: u64, parameters: PayParameters) {
        if self.facts.bridge_present {
            self.invoke(now_ms, attempt, parameters);
        } else {
            self.effects.push(Effect::AwaitBridge);
            self.stage = Stage::Cashier(Cashier {
                attempt,
                phase: CashierPhase::AwaitingBridge {
                    parameters,
                    until_ms: now_ms + BRIDGE_PATIENCE_MS,
                },
            });
        }
    }

    pub(super) fn bridge_ready(&mut self, now_ms: u64) {
        self.facts.bridge_present = true;
        if let Stage::Cashier(Cashier {
            attempt,
            phase: CashierPhase::AwaitingBridge { parameters, .. },
        }) = &self.stage
        {
            let (attempt, parameters) = (*attempt, parameters.clone());
            self.invoke(now_ms, attempt, parameters);
        }
    }

    /// Polling starts here and not at the callback, which may never come (a partner's page is
    /// closed after a payment).
    fn invoke(&mut self, now_ms: u64, attempt: u64, parameters: PayParameters) {
        self.effects.push(Effect::InvokeCashier(parameters));
        self.poll.start(now_ms);
        self.stage = Stage::Cashier(Cashier {
            attempt,
            phase: CashierPhase::Open {
                silent_at_ms: now_ms + CASHIER_SILENCE_MS,
            },
        });
    }

    /// A reply is heeded in any stage that can follow a call: a `cancel` may be followed by an
    /// `ok` for the same call (WeChat 7.0.8 did that).
    pub(super) fn bridge_replied(&mut self, now_ms: u64, reply: &BridgeReply) {
        let may_follow = matches!(
            self.stage,
            Stage::Cashier(_)
                | Stage::Confirming { .. }
                | Stage::Offer { .. }
                | Stage::Returned { .. }
                | Stage::Failed(_)
        );
        let is_settled = matches!(self.stage, Stage::Paid { .. });
        if is_settled || self.known.is_none() {
            return;
        }
        let dead = self.poll.ask_now(now_ms, true);
        self.abort(dead);
        if !may_follow {
            return;
        }
        match reply.result() {
            BridgeResult::Ok => self.stage = Stage::Confirming { since_ms: now_ms },
            // An `ok` that came first is the stronger hint: the buyer is not sent to pay again.
            _ if matches!(self.stage, Stage::Confirming { .. }) => {}
            BridgeResult::Cancel => {
                self.stage = Stage::Offer {
                    notice: Some(Notice::Cancelled),
                };
            }
            BridgeResult::Fail => self.cashier_failed(ProblemCode::CashierFailed, reply),
            BridgeResult::Denied => self.cashier_failed(ProblemCode::CashierDenied, reply),
            BridgeResult::Unsupported => match self.fallback() {
                Some(Product::Native) => self.start(now_ms, Product::Native),
                _ => self.cashier_failed(ProblemCode::CashierUnsupported, reply),
            },
        }
    }

    fn cashier_failed(&mut self, code: ProblemCode, reply: &BridgeReply) {
        let raw = reply.err_desc.as_ref().unwrap_or(&reply.err_msg);
        self.fail(Problem::new(code).with_raw(raw.clone()));
    }

    pub(super) fn fallback(&self) -> Option<Product> {
        self.scene.as_ref()?.way_out?.fallback
    }
}
