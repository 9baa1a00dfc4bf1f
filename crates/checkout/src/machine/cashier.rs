//! WeChat's cashier (JSAPI): wait for the bridge, call it once, treat every result as a hint.

use merchant_api::{PayParameters, Product};

use super::stage::{Cashier, CashierPhase, Stage};
use super::{BRIDGE_TIMEOUT_MS, CASHIER_SILENCE_MS, CheckoutMachine};
use crate::bridge_reply::{BridgeReply, BridgeResult};
use crate::effect::Effect;
use crate::facts::Injected;
use crate::problem::{Problem, ProblemCode};
use crate::scene::{EnvironmentKind, Os};
use crate::view_model::Notice;

impl CheckoutMachine {
    pub(super) fn open_cashier(&mut self, now_ms: u64, attempt: u64, parameters: PayParameters) {
        // WeCom for Android did not answer the plain bridge, but did answer the SDK (field report:
        // <https://www.cnblogs.com/BULE-bule/p/10448867.html>).
        let prefers_sdk = self.facts.injected.sdk && self.is_in_wecom();
        if self.facts.injected.bridge || prefers_sdk {
            self.invoke(now_ms, attempt, parameters, prefers_sdk);
        } else {
            self.effects.push(Effect::AwaitBridge);
            self.stage = Stage::Cashier(Cashier {
                attempt,
                phase: CashierPhase::AwaitingBridge {
                    parameters,
                    until_ms: now_ms + BRIDGE_TIMEOUT_MS,
                },
            });
        }
    }

    /// The window has changed: the bridge or the SDK arrived. This may also reveal a mini-program's
    /// web-view, which has no cashier.
    pub(super) fn injected(&mut self, now_ms: u64, injected: Injected) {
        self.facts.injected = injected;
        self.decide_again(now_ms);
        if injected.bridge
            && let Some((attempt, parameters)) = self.stage.awaits_bridge()
        {
            self.invoke(now_ms, attempt, parameters, false);
        }
    }

    /// Handles a bridge that did not appear in time. The SDK, if the page loaded it, waits by
    /// itself.
    pub(super) fn bridge_overdue(&mut self, now_ms: u64) {
        let Some((attempt, parameters)) = self.stage.awaits_bridge() else {
            return;
        };
        let problem = Problem::new(ProblemCode::BridgeMissing);
        if self.facts.injected.sdk {
            self.invoke(now_ms, attempt, parameters, true);
        } else {
            self.do_without_cashier(now_ms, problem);
        }
    }

    /// Falls back to the QR code if there is no cashier and a code may be shown. It replaces
    /// only this page's own attempt without a click: after a second callback, the current attempt
    /// may be another device's.
    pub(super) fn do_without_cashier(&mut self, now_ms: u64, problem: Problem) {
        if self.fallback() != Some(Product::Native) {
            self.fail(problem);
        } else if let Stage::Cashier(_) | Stage::Starting(_) = self.stage {
            self.report(problem);
            self.start(now_ms, Product::Native);
        } else {
            self.fail_or_offer(problem);
        }
    }

    /// Polling starts here and not in the callback, because the callback may never come (WeChat
    /// closes a partner's page after a payment).
    fn invoke(&mut self, now_ms: u64, attempt: u64, parameters: PayParameters, by_sdk: bool) {
        self.effects.push(if by_sdk {
            Effect::InvokeSdk(parameters)
        } else {
            Effect::InvokeCashier(parameters)
        });
        self.poll.start(now_ms);
        self.stage = Stage::Cashier(Cashier {
            attempt,
            phase: CashierPhase::Open {
                silent_at_ms: now_ms + CASHIER_SILENCE_MS,
            },
        });
    }

    /// A reply counts in every stage that can follow a call: WeChat 7.0.8 sent `cancel` and then
    /// `ok` for one call (field report:
    /// <https://developers.weixin.qq.com/community/pay/doc/000e06ecdf01f8a7fda91412856400>).
    pub(super) fn bridge_replied(&mut self, now_ms: u64, reply: &BridgeReply) {
        let may_follow = matches!(
            self.stage,
            Stage::Cashier(_)
                | Stage::Confirming { .. }
                | Stage::Offer { .. }
                | Stage::Returned(_)
                | Stage::Failed(_)
        );
        let is_settled = matches!(self.stage, Stage::Paid { .. });
        if is_settled || self.last_answer.is_none() {
            return;
        }
        self.poll.poll_now(now_ms, true);
        if !may_follow {
            return;
        }
        match reply.result() {
            BridgeResult::Ok => self.stage = Stage::Confirming { since_ms: now_ms },
            // An `ok` that came first is the stronger hint: do not ask the buyer to pay again.
            _ if matches!(self.stage, Stage::Confirming { .. }) => {}
            BridgeResult::Cancel => {
                self.stage = Stage::Offer {
                    notice: Some(Notice::Cancelled),
                };
            }
            BridgeResult::Failed(code) => self.cashier_failed(code, reply),
            BridgeResult::Unsupported => {
                let problem = cashier_problem(ProblemCode::CashierUnsupported, reply);
                self.do_without_cashier(now_ms, problem);
            }
        }
    }

    fn cashier_failed(&mut self, code: ProblemCode, reply: &BridgeReply) {
        let os = self.scene.as_ref().map(|scene| scene.environment.os);
        let mut problem = match (code, os) {
            (ProblemCode::CashierDenied, Some(Os::Ios | Os::IpadOs)) => {
                cashier_problem(ProblemCode::LandingUrlDenied, reply)
            }
            _ => cashier_problem(code, reply),
        };
        // A page that WeChat does not let pay is helped only by a reload: then WeChat checks the
        // address that the page shows. If one reload did not help, another will not.
        problem.is_recoverable &= !(problem.code.is_denied() && self.options.reloaded);
        self.fail_or_offer(problem);
    }

    /// Offers both methods if there is another one; otherwise shows the problem.
    pub(super) fn fail_or_offer(&mut self, problem: Problem) {
        if self.fallback().is_some() {
            self.report(problem);
            self.stage = Stage::Offer {
                notice: Some(Notice::Cancelled),
            };
        } else {
            self.fail(problem);
        }
    }

    pub(super) fn is_in_wecom(&self) -> bool {
        let scene = self.scene.as_ref();
        scene.is_some_and(|scene| scene.environment.kind == EnvironmentKind::WeCom)
    }

    pub(super) fn fallback(&self) -> Option<Product> {
        self.scene.as_ref()?.method?.fallback
    }
}

fn cashier_problem(code: ProblemCode, reply: &BridgeReply) -> Problem {
    Problem::new(code).with_raw(reply.words())
}
