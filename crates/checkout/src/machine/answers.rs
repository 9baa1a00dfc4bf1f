//! How the backend's answers change the machine. A stale answer is dropped by its request id and
//! version. `paid` is final; only a late payment can follow `closed`.

use merchant_api::{Action, CheckoutAnswer, ErrorCode, Malformed, OrderState, Product, decimal};

use super::attempts::code_remaining_ms;
use super::stage::{Cashier, CashierPhase, CheckReason, CodeState, Returned, Stage};
use super::{CONFIRMING_PAUSE_MS, CheckoutMachine, LastAnswer, SUCCESS_MS};
use crate::destination::SuccessUrl;
use crate::effect::{Effect, Occurrence, RequestId};
use crate::event::Failure;
use crate::peer_message::PeerMessage;
use crate::poll::PollRequest;
use crate::problem::{Problem, ProblemCode};
use crate::scene::{self, PaymentMethod, Reason};
use crate::view_model::{Notice, OrderView};

impl CheckoutMachine {
    pub(super) fn answered(&mut self, now_ms: u64, id: RequestId, answer: &CheckoutAnswer) {
        let seen = self.last_answer.as_ref().and_then(|last| last.version);
        let is_changed = answer.version.is_some() && answer.version != seen;
        if is_changed && seen.is_some() {
            self.notify_peers(PeerMessage::Changed);
        }
        if let Some(request) = self.poll.take(id) {
            let poll_after_ms = answer.poll_after_ms;
            if self.update_order(now_ms, answer) {
                self.read(now_ms, request, answer);
            }
            self.poll.plan(now_ms, request, is_changed, poll_after_ms);
        } else if self.is_starting(id) {
            let Stage::Starting(starting) = &self.stage else {
                return;
            };
            let product = starting.product;
            self.poll.continue_schedule(now_ms);
            if self.update_order(now_ms, answer) {
                self.attempt_answered(now_ms, product, answer);
            } else if self.is_starting(id) {
                // The answer to a new attempt cannot be older than the answer seen before it.
                let stale = Malformed::not("version", "must not fall");
                self.attempt_failed(now_ms, Failure::Malformed(stale));
            }
        } else if self.is_cancelling(id) {
            self.cancelling = None;
            self.update_order(now_ms, answer);
        }
    }

    pub(super) fn failed(&mut self, now_ms: u64, id: RequestId, failure: Failure) {
        if let Some(request) = self.poll.take(id) {
            self.read_failed(now_ms, request, failure);
        } else if self.is_starting(id) {
            self.attempt_failed(now_ms, failure);
        } else if self.is_cancelling(id) {
            // The backend has no cancel, or the cancel came too late: the attempt ends by itself,
            // and the buyer sees the offer already.
            self.cancelling = None;
        }
    }

    /// Takes over an answer's data about the order. `false`: the stage is final or the answer is
    /// stale, so the rest of the answer is ignored.
    pub(super) fn update_order(&mut self, now_ms: u64, answer: &CheckoutAnswer) -> bool {
        if matches!(self.stage, Stage::Paid { .. }) {
            return false;
        }
        let seen = self.last_answer.as_ref().and_then(|last| last.version);
        let is_stale = matches!((seen, answer.version), (Some(seen), Some(new)) if new < seen);
        // `paid` is final, so it counts even in a stale answer.
        if is_stale && answer.state != OrderState::Paid {
            return false;
        }
        self.remember(answer);
        match answer.state {
            OrderState::Paid => self.mark_paid(now_ms, answer),
            OrderState::Closed => self.mark_closed(),
            OrderState::Open => return !matches!(self.stage, Stage::Closed),
        }
        false
    }

    fn remember(&mut self, answer: &CheckoutAnswer) {
        let is_first = self.last_answer.is_none();
        self.last_answer = Some(LastAnswer {
            version: answer.version,
            order: OrderView {
                order_no: answer.order_no.clone(),
                payee: answer.payee.clone(),
                description: answer.description.clone(),
                total_fen: answer.total_fen,
                currency: answer.currency.clone().unwrap_or_else(|| "CNY".to_owned()),
                payer_total_fen: answer.payer_total_fen,
                refunded_fen: answer.refunded_fen.unwrap_or_default(),
                success_time: answer.success_time.clone(),
            },
            success_url: answer.success_url.as_deref().and_then(SuccessUrl::parse),
            is_test: !answer.live,
            attempt: answer.attempt.clone(),
            products: answer.products.clone(),
        });
        if is_first {
            self.emit(Occurrence::Ready);
        }
    }

    fn mark_paid(&mut self, now_ms: u64, answer: &CheckoutAnswer) {
        self.abort_requests();
        self.effects.push(Effect::MarkDeparture(false));
        if !self.emitted.is_paid {
            self.emitted.is_paid = true;
            let attempt = answer.attempt.as_ref();
            self.emit(Occurrence::Paid {
                order_no: answer.order_no.clone(),
                out_trade_no: attempt.and_then(|attempt| attempt.out_trade_no.clone()),
                total_fen: answer.total_fen,
            });
        }
        let url = self.success_url();
        if url.is_none() && answer.success_url.is_some() {
            self.report(Problem::new(ProblemCode::SuccessUrlRefused));
        }
        let leave = url.map(|url| (now_ms + SUCCESS_MS, url));
        self.stage = Stage::Paid { leave };
    }

    /// Where the buyer continues after the payment: the page's address, or the order's.
    pub(super) fn success_url(&self) -> Option<SuccessUrl> {
        let of_order = || self.last_answer.as_ref()?.success_url.clone();
        self.options.success_url.clone().or_else(of_order)
    }

    fn mark_closed(&mut self) {
        self.abort_requests();
        self.effects.push(Effect::MarkDeparture(false));
        if !self.emitted.is_closed {
            self.emitted.is_closed = true;
            self.emit(Occurrence::Closed);
        }
        self.stage = Stage::Closed;
    }

    /// Handles the answer to a poll while the order is open.
    fn read(&mut self, now_ms: u64, request: PollRequest, answer: &CheckoutAnswer) {
        if self.scene.is_none() {
            self.start_scene(now_ms, request, answer);
            return;
        }
        if self.is_taken_over(answer) {
            match &answer.action {
                Some(Action::CodeUrl(text)) if matches!(self.stage, Stage::Code(_)) => {
                    self.place_code(now_ms, text, answer);
                }
                _ => self.stage = Stage::Elsewhere,
            }
            return;
        }
        match &mut self.stage {
            Stage::Loading { .. } => self.start_scene(now_ms, request, answer),
            Stage::Code(_) => self.read_code(now_ms, request, answer),
            Stage::Confirming { .. } => {
                // Query WeChat again, until it reports a payment or the time for it is over.
                self.poll.query_wechat_at(now_ms + CONFIRMING_PAUSE_MS);
            }
            Stage::Returned(returned) if request.queried_wechat => {
                let notice = Some(Notice::NotPaidYet);
                match returned.check.take() {
                    Some(CheckReason::MayBePaid) => returned.notice = notice,
                    Some(CheckReason::HadTrouble) => {
                        self.effects.push(Effect::MarkDeparture(false));
                        self.stage = Stage::Offer { notice };
                    }
                    None => {}
                }
            }
            _ => {}
        }
    }

    /// Whether a newer attempt than this page's own is the current one.
    fn is_taken_over(&self, answer: &CheckoutAnswer) -> bool {
        match (self.stage.own_attempt(), &answer.attempt) {
            (Some(own), Some(current)) => current.number > own,
            _ => false,
        }
    }

    /// While a code is shown: follow the backend's times, replace a renewed link in place, and let
    /// the last query decide whether the code has expired.
    fn read_code(&mut self, now_ms: u64, request: PollRequest, answer: &CheckoutAnswer) {
        let Stage::Code(code) = &mut self.stage else {
            return;
        };
        if let Some(Action::CodeUrl(text)) = &answer.action
            && (text != code.url.as_str() || code_remaining_ms(answer) != Some(0))
        {
            self.place_code(now_ms, text, answer);
            return;
        }
        if let (CodeState::Valid, Some(remaining_ms)) = (code.state, code_remaining_ms(answer)) {
            // The page's clock stops while the device sleeps; the backend's time corrects it.
            code.deadline_ms = Some(now_ms + remaining_ms);
        }
        if let CodeState::LastQuery { since_ms } = code.state {
            if !was_checked_since(since_ms, now_ms, request, answer) {
                self.poll.query_wechat_at(now_ms + CONFIRMING_PAUSE_MS);
            } else if answer.remaining_ms == Some(0) {
                self.stage = Stage::Expired;
            } else {
                code.state = CodeState::Expired;
            }
        }
    }

    pub(super) fn read_failed(&mut self, now_ms: u64, request: PollRequest, failure: Failure) {
        let (problem, retry_after_ms, is_final) = match failure {
            Failure::Refused { error, .. } => {
                let retry_after_ms = error.retry_after_ms;
                let is_final = !error.retryable;
                if error.code == Some(ErrorCode::CheckoutExpired) {
                    self.poll.stop();
                    if !matches!(self.stage, Stage::Closed) {
                        self.stage = Stage::Expired;
                    }
                    return;
                }
                (Problem::from(error), retry_after_ms, is_final)
            }
            Failure::Status {
                status,
                retry_after_ms,
            } => {
                let problem =
                    Problem::new(ProblemCode::RefusedUnknown).with_raw(decimal(u64::from(status)));
                (problem, retry_after_ms, (400..429).contains(&status))
            }
            Failure::Unreachable => (Problem::new(ProblemCode::Unreachable), None, false),
            Failure::Malformed(malformed) => (Problem::from(malformed), None, true),
        };
        self.poll.failed(now_ms, request, retry_after_ms);
        if !is_final {
            // With nothing on the screen yet, the page learns why it takes long. Later, an unstable
            // network is the buyer's own, and the buyer sees it.
            if matches!(self.stage, Stage::Loading { .. }) && self.poll.is_failing() {
                self.report(problem);
            }
            return;
        }
        // Before the first screen there is nothing to keep. Later, a code on the page is worth more
        // than an error, and polling continues.
        if matches!(self.stage, Stage::Loading { .. }) {
            self.poll.stop();
            self.fail(problem);
        } else {
            self.report(problem);
        }
    }

    /// Handles the first answer: decide the scene, and start what can start without the buyer.
    fn start_scene(&mut self, now_ms: u64, request: PollRequest, answer: &CheckoutAnswer) {
        let (_, method, reason) = self.decide();
        if reason != Reason::Robot {
            // The order may be paid on another device, and then this page shows it.
            self.poll.start(now_ms);
        }
        let Some(method) = method else {
            self.stage = Stage::Unavailable(reason);
            return;
        };
        if method.product == Product::Jsapi && !self.facts.injected.bridge {
            // Before the buyer's click, because the bridge may report that this client has no
            // cashier.
            self.effects.push(Effect::AwaitBridge);
        }
        if answer.remaining_ms == Some(0) {
            // The buyer may have paid at the last moment: one last query, as at the end of a
            // countdown.
            if !request.queried_wechat {
                self.poll.query_wechat_at(now_ms);
            } else if was_checked_since(request.sent_at_ms, now_ms, request, answer) {
                self.stage = Stage::Expired;
            } else {
                self.poll.query_wechat_at(now_ms + CONFIRMING_PAUSE_MS);
            }
        } else if self.options.returned {
            self.stage = Stage::Returned(Returned {
                attempt: self.current_attempt_by(method.product),
                notice: None,
                check: None,
            });
        } else {
            self.start_product(now_ms, method.product, answer);
        }
    }

    /// Decides the scene from what is known, and reports it to the page if the decision is new.
    /// Returns whether it is new, and the decision.
    fn decide(&mut self) -> (bool, Option<PaymentMethod>, Reason) {
        let products = self
            .last_answer
            .as_ref()
            .and_then(|last| last.products.as_deref());
        let decided = scene::scene(&self.facts, &self.options, products);
        let before = self.scene.as_ref().map(|scene| scene.decision);
        let is_new = before != Some(decided.decision);
        let outcome = (is_new, decided.method, decided.reason);
        if is_new {
            self.emit(Occurrence::SceneDecided(Box::new(decided.clone())));
            let is_refused = !matches!(decided.reason, Reason::ChosenByPage | Reason::Robot);
            if let Some(product) = self.options.product.filter(|_| is_refused) {
                self.report(Problem {
                    field: Some("scene".to_owned()),
                    ..Problem::new(ProblemCode::SceneImpossible).with_raw(product.as_str())
                });
            }
        }
        self.scene = Some(decided);
        outcome
    }

    /// Decides the scene again if there is one. What was offered or started for the previous scene
    /// is dropped.
    pub(super) fn decide_again(&mut self, now_ms: u64) {
        if self.scene.is_none() {
            return;
        }
        let (is_new, method, reason) = self.decide();
        let has_started = matches!(
            self.stage,
            Stage::Offer { .. }
                | Stage::Starting(_)
                | Stage::Unavailable(_)
                | Stage::Cashier(Cashier {
                    phase: CashierPhase::AwaitingBridge { .. },
                    ..
                })
        );
        if is_new && has_started {
            self.abort(self.stage.attempt_in_flight());
            self.stage = match method {
                Some(_) => Stage::Offer { notice: None },
                None => Stage::Unavailable(reason),
            };
            self.poll.continue_schedule(now_ms);
        }
    }

    fn start_product(&mut self, now_ms: u64, product: Product, answer: &CheckoutAnswer) {
        let is_start_wanted = matches!(
            self.stage,
            Stage::Loading {
                is_start_wanted: true,
                ..
            }
        );
        let attempt = answer.attempt.as_ref();
        let current = attempt
            // An attempt whose time is over blocks no new attempt.
            .filter(|attempt| attempt.remaining_ms != Some(0))
            .and_then(|attempt| attempt.product);
        match product {
            Product::Native => match (&answer.action, current) {
                (Some(Action::CodeUrl(text)), _) if code_remaining_ms(answer) != Some(0) => {
                    self.show_code(now_ms, text, answer);
                }
                (_, None | Some(Product::Native)) => self.start(now_ms, Product::Native),
                // Another device has an attempt under way. Taking over needs the buyer's click.
                _ => self.stage = Stage::Elsewhere,
            },
            _ if is_start_wanted => self.start(now_ms, product),
            // After the OAuth redirect the buyer has pressed the button already. Without a gesture,
            // an attempt for another product belongs to another device and is left alone.
            Product::Jsapi
                if self.is_back_from_oauth()
                    || self.options.auto_start
                        && matches!(current, None | Some(Product::Jsapi)) =>
            {
                self.start(now_ms, Product::Jsapi);
            }
            Product::Jsapi | Product::H5 | Product::MiniProgram => {
                self.stage = Stage::Offer { notice: None };
            }
        }
    }

    fn is_cancelling(&self, id: RequestId) -> bool {
        self.cancelling
            .is_some_and(|cancelling| cancelling.id == id)
    }

    fn is_starting(&self, id: RequestId) -> bool {
        self.stage.attempt_in_flight() == Some(id)
    }
}

/// Whether WeChat was queried at that time or later.
fn was_checked_since(
    since_ms: u64,
    now_ms: u64,
    request: PollRequest,
    answer: &CheckoutAnswer,
) -> bool {
    match answer.checked_ms_ago {
        Some(ago_ms) => now_ms.saturating_sub(ago_ms) >= since_ms,
        None => request.queried_wechat && request.sent_at_ms >= since_ms,
    }
}
