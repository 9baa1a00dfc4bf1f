//! What the backend's answers do. Stale ones are dropped by request and version; `paid` is final;
//! `closed` can only be followed by late money.

use merchant_api::{Action, CheckoutAnswer, ErrorCode, Malformed, OrderState, Product, decimal};

use super::attempts::code_remaining_ms;
use super::stage::{Asking, Cashier, CashierPhase, Life, Returned, Stage};
use super::{CONFIRMING_PAUSE_MS, CheckoutMachine, Known, SUCCESS_MS};
use crate::destination::SuccessUrl;
use crate::effect::{Effect, Occurrence, RequestId};
use crate::event::{Failure, PeerWord};
use crate::poll::Reading;
use crate::problem::{Problem, ProblemCode};
use crate::scene::{self, Reason, WayOut};
use crate::view_model::{Notice, OrderView};

impl CheckoutMachine {
    pub(super) fn answered(&mut self, now_ms: u64, id: RequestId, answer: &CheckoutAnswer) {
        let seen = self.known.as_ref().and_then(|known| known.version);
        let is_changed = answer.version.is_some() && answer.version != seen;
        if is_changed && seen.is_some() {
            self.tell_peers(PeerWord::News);
        }
        if let Some(reading) = self.poll.take(id) {
            let poll_after_ms = answer.poll_after_ms;
            if self.absorb(now_ms, answer) {
                self.read(now_ms, reading, answer);
            }
            self.poll.plan(now_ms, reading, is_changed, poll_after_ms);
        } else if self.is_starting(id) {
            let Stage::Starting(starting) = &self.stage else {
                return;
            };
            let product = starting.product;
            self.poll.carry_on(now_ms);
            if self.absorb(now_ms, answer) {
                self.attempt_answered(now_ms, product, answer);
            } else if self.is_starting(id) {
                // The answer to a new attempt cannot be older than what was seen before it.
                let stale = Malformed::not("version", "must not fall");
                self.attempt_failed(now_ms, Failure::Malformed(stale));
            }
        } else if self.is_cancelling(id) {
            self.cancelling = None;
            self.absorb(now_ms, answer);
        }
    }

    pub(super) fn failed(&mut self, now_ms: u64, id: RequestId, failure: Failure) {
        if let Some(reading) = self.poll.take(id) {
            self.read_failed(now_ms, reading, failure);
        } else if self.is_starting(id) {
            self.attempt_failed(now_ms, failure);
        } else if self.is_cancelling(id) {
            // Not offered, or too late: the attempt ends by itself, and the buyer has moved on.
            self.cancelling = None;
        }
    }

    /// Takes in what an answer says of the order. `false`: the stage is settled or the answer is
    /// stale, and there is nothing more to read in it.
    pub(super) fn absorb(&mut self, now_ms: u64, answer: &CheckoutAnswer) -> bool {
        if matches!(self.stage, Stage::Paid { .. }) {
            return false;
        }
        let seen = self.known.as_ref().and_then(|known| known.version);
        let is_stale = matches!((seen, answer.version), (Some(seen), Some(new)) if new < seen);
        // Paid is never taken back, so even a late word of it is good.
        if is_stale && answer.state != OrderState::Paid {
            return false;
        }
        self.know(answer);
        match answer.state {
            OrderState::Paid => self.settle(now_ms, answer),
            OrderState::Closed => self.close(),
            OrderState::Open => return !matches!(self.stage, Stage::Closed),
        }
        false
    }

    fn know(&mut self, answer: &CheckoutAnswer) {
        let is_first = self.known.is_none();
        self.known = Some(Known {
            version: answer.version,
            order: OrderView {
                order_no: answer.order_no.clone(),
                description: answer.description.clone(),
                total_fen: answer.total_fen,
                currency: answer.currency.clone().unwrap_or_else(|| "CNY".to_owned()),
            },
            is_test: !answer.live,
            attempt: answer.attempt.clone(),
            products: answer.products.clone(),
        });
        if is_first {
            self.emit(Occurrence::Ready);
        }
    }

    fn settle(&mut self, now_ms: u64, answer: &CheckoutAnswer) {
        self.give_up_requests();
        self.effects.push(Effect::MarkDeparture(false));
        if !self.told.is_paid {
            self.told.is_paid = true;
            let attempt = answer.attempt.as_ref();
            self.emit(Occurrence::Paid {
                order_no: answer.order_no.clone(),
                out_trade_no: attempt.and_then(|attempt| attempt.out_trade_no.clone()),
                total_fen: answer.total_fen,
            });
        }
        let leave = self
            .success_url(answer)
            .map(|url| (now_ms + SUCCESS_MS, url));
        self.stage = Stage::Paid {
            payer_total_fen: answer.payer_total_fen,
            leave,
        };
    }

    fn success_url(&mut self, answer: &CheckoutAnswer) -> Option<SuccessUrl> {
        if self.options.success_url.is_some() {
            return self.options.success_url.clone();
        }
        let url = SuccessUrl::parse(answer.success_url.as_ref()?);
        if url.is_none() {
            self.report(Problem::new(ProblemCode::SuccessUrlRefused));
        }
        url
    }

    fn close(&mut self) {
        self.give_up_requests();
        self.effects.push(Effect::MarkDeparture(false));
        if !self.told.is_closed {
            self.told.is_closed = true;
            self.emit(Occurrence::Closed);
        }
        self.stage = Stage::Closed;
    }

    /// An answer to a question, with the order still open.
    fn read(&mut self, now_ms: u64, reading: Reading, answer: &CheckoutAnswer) {
        if self.scene.is_none() {
            self.begin(now_ms, reading, answer);
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
            Stage::Loading { .. } => self.begin(now_ms, reading, answer),
            Stage::Code(_) => self.read_code(now_ms, reading, answer),
            Stage::Confirming { .. } => {
                // Asks WeChat again, until it says paid or the time for it is over.
                self.poll.ask_wechat_at(now_ms + CONFIRMING_PAUSE_MS);
            }
            Stage::Returned(returned) if reading.asked_wechat => {
                let notice = Some(Notice::NotPaidYet);
                match returned.asking.take() {
                    Some(Asking::MayBePaid) => returned.notice = notice,
                    Some(Asking::HadTrouble) => {
                        self.effects.push(Effect::MarkDeparture(false));
                        self.stage = Stage::Offer { notice };
                    }
                    None => {}
                }
            }
            _ => {}
        }
    }

    /// A newer attempt than this page's own is the current one.
    fn is_taken_over(&self, answer: &CheckoutAnswer) -> bool {
        match (self.stage.own_attempt(), &answer.attempt) {
            (Some(own), Some(current)) => current.number > own,
            _ => false,
        }
    }

    /// While a code is shown: keep to the backend's times, take a renewed link in place, and
    /// make the last query count.
    fn read_code(&mut self, now_ms: u64, reading: Reading, answer: &CheckoutAnswer) {
        let Stage::Code(code) = &mut self.stage else {
            return;
        };
        if let Some(Action::CodeUrl(text)) = &answer.action
            && (text != code.url.as_str() || code_remaining_ms(answer) != Some(0))
        {
            self.place_code(now_ms, text, answer);
            return;
        }
        if let (Life::Fresh, Some(remaining_ms)) = (code.life, code_remaining_ms(answer)) {
            // A clock that stood still in the device's sleep is set right by the backend's time.
            code.deadline_ms = Some(now_ms + remaining_ms);
        }
        if let Life::LastQuery { since_ms } = code.life {
            if !was_checked_since(since_ms, now_ms, reading, answer) {
                self.poll.ask_wechat_at(now_ms + CONFIRMING_PAUSE_MS);
            } else if answer.remaining_ms == Some(0) {
                self.stage = Stage::Expired;
            } else {
                code.life = Life::Over;
            }
        }
    }

    pub(super) fn read_failed(&mut self, now_ms: u64, reading: Reading, failure: Failure) {
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
        self.poll.failed(now_ms, reading, retry_after_ms);
        if !is_final {
            // With nothing to show yet, the page hears why it takes so long. Later a network that
            // comes and goes is the buyer's own, who sees it.
            if matches!(self.stage, Stage::Loading { .. }) && self.poll.is_failing() {
                self.report(problem);
            }
            return;
        }
        // Before anything is shown there is nothing to keep; later a code on the page is worth
        // more than an error, and asking goes on.
        if matches!(self.stage, Stage::Loading { .. }) {
            self.poll.stop();
            self.fail(problem);
        } else {
            self.report(problem);
        }
    }

    /// The first answer: decide the scene, and begin what can begin by itself.
    fn begin(&mut self, now_ms: u64, reading: Reading, answer: &CheckoutAnswer) {
        let (_, way_out, reason) = self.decide();
        if reason != Reason::Robot {
            // Whatever becomes of it here, it may be paid from elsewhere, and then it says so.
            self.poll.start(now_ms);
        }
        let Some(way_out) = way_out else {
            self.stage = Stage::Unavailable(reason);
            return;
        };
        if way_out.product == Product::Jsapi && !self.facts.injected.bridge {
            // Before the buyer's click already, for it may say that there is no cashier here.
            self.effects.push(Effect::AwaitBridge);
        }
        if answer.remaining_ms == Some(0) {
            // The buyer may have paid in the last moment: the same last query as at a countdown's
            // zero.
            if !reading.asked_wechat {
                self.poll.ask_wechat_at(now_ms);
            } else if was_checked_since(reading.sent_at_ms, now_ms, reading, answer) {
                self.stage = Stage::Expired;
            } else {
                self.poll.ask_wechat_at(now_ms + CONFIRMING_PAUSE_MS);
            }
        } else if self.options.returned {
            self.stage = Stage::Returned(Returned {
                attempt: self.current_attempt_by(way_out.product),
                notice: None,
                asking: None,
            });
        } else {
            self.begin_product(now_ms, way_out.product, answer);
        }
    }

    /// Decides the scene by what is known, and tells the page of one that calls for something new.
    /// Gives back whether it does, and what was decided.
    fn decide(&mut self) -> (bool, Option<WayOut>, Reason) {
        let products = self
            .known
            .as_ref()
            .and_then(|known| known.products.as_deref());
        let decided = scene::scene(&self.facts, &self.options, products);
        let before = self.scene.as_ref().map(|scene| scene.decision);
        let is_new = before != Some(decided.decision);
        let outcome = (is_new, decided.way_out, decided.reason);
        if is_new {
            self.emit(Occurrence::SceneDecided(Box::new(decided.clone())));
        }
        self.scene = Some(decided);
        outcome
    }

    /// Decides the scene again, once there is one. What was offered or begun in another is not gone
    /// on with.
    pub(super) fn decide_anew(&mut self, now_ms: u64) {
        if self.scene.is_none() {
            return;
        }
        let (is_new, way_out, reason) = self.decide();
        let has_begun = matches!(
            self.stage,
            Stage::Offer { .. }
                | Stage::Starting(_)
                | Stage::Unavailable(_)
                | Stage::Cashier(Cashier {
                    phase: CashierPhase::AwaitingBridge { .. },
                    ..
                })
        );
        if is_new && has_begun {
            self.abort(self.stage.attempt_in_flight());
            self.stage = match way_out {
                Some(_) => Stage::Offer { notice: None },
                None => Stage::Unavailable(reason),
            };
            self.poll.carry_on(now_ms);
        }
    }

    fn begin_product(&mut self, now_ms: u64, product: Product, answer: &CheckoutAnswer) {
        let is_start_wanted = matches!(
            self.stage,
            Stage::Loading {
                is_start_wanted: true
            }
        );
        let attempt = answer.attempt.as_ref();
        let current = attempt
            // One whose time is over holds up nobody.
            .filter(|attempt| attempt.remaining_ms != Some(0))
            .and_then(|attempt| attempt.product);
        match product {
            Product::Native => match (&answer.action, current) {
                (Some(Action::CodeUrl(text)), _) if code_remaining_ms(answer) != Some(0) => {
                    self.show_code(now_ms, text, answer);
                }
                (_, None | Some(Product::Native)) => self.start(now_ms, Product::Native),
                // Another device is at it, and nobody takes over silently.
                _ => self.stage = Stage::Elsewhere,
            },
            _ if is_start_wanted => self.start(now_ms, product),
            // Back from the hop the buyer has pressed the button already. Without a gesture, an
            // attempt of another kind is another device's, and is left alone.
            Product::Jsapi
                if self.has_hopped()
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

/// WeChat was asked at that time or later.
fn was_checked_since(
    since_ms: u64,
    now_ms: u64,
    reading: Reading,
    answer: &CheckoutAnswer,
) -> bool {
    match answer.checked_ms_ago {
        Some(ago_ms) => now_ms.saturating_sub(ago_ms) >= since_ms,
        None => reading.asked_wechat && reading.sent_at_ms >= since_ms,
    }
}
