//! The state machine: one payment on one page.
//!
//! `update` takes an event and returns effects. Each submodule has one subject: the backend's
//! [`answers`](self), attempts, the cashier, the buyer's intents, other tabs, and time. The machine
//! holds only plain data.

mod answers;
mod attempts;
mod cashier;
mod intents;
mod peers;
mod screen;
mod stage;
mod time;

use merchant_api::{CurrentAttempt, PAYER_UNAVAILABLE_HANDLE, Product};
use stage::{CheckReason, LeaveReason, Leaving, Returned, Stage};

use crate::destination::SuccessUrl;
use crate::effect::{Effect, Occurrence, Request, RequestId};
use crate::event::Event;
use crate::facts::{Facts, Options};
use crate::peer_message::PeerMessage;
use crate::poll::Poll;
use crate::problem::Problem;
use crate::scene::Scene;
use crate::view_model::OrderView;

/// Timeout of a request for an attempt, in milliseconds: the backend may first have to query and
/// close the previous attempt at WeChat.
const ATTEMPT_TIMEOUT_MS: u64 = 30_000;
/// How often an attempt is tried automatically before the buyer is asked.
const ATTEMPT_TRIES: u32 = 4;
/// Timeout for the bridge to appear, in milliseconds.
const BRIDGE_TIMEOUT_MS: u64 = 10_000;
/// Silence after which the cashier may have failed, in milliseconds.
const CASHIER_SILENCE_MS: u64 = 30_000;
/// Time after which the first answer is late, in milliseconds.
const LATE_MS: u64 = 15_000;
/// The same after the buyer's own try, which says more by failing than by taking long.
const LATE_AGAIN_MS: u64 = 5_000;
/// Pause between two polls while confirming, in milliseconds.
const CONFIRMING_PAUSE_MS: u64 = 2_000;
/// Timeout of a request for a cancel, in milliseconds.
const CANCEL_TIMEOUT_MS: u64 = 10_000;
/// Time after which a page that should have navigated away counts as stuck, in milliseconds.
const STUCK_MS: u64 = 4_000;
/// How long the success screen is shown before the page continues, in milliseconds.
const SUCCESS_MS: u64 = 2_500;

/// One payment on one page.
#[derive(Clone, Debug)]
pub struct CheckoutMachine {
    facts: Facts,
    options: Options,
    stage: Stage,
    scene: Option<Scene>,
    last_answer: Option<LastAnswer>,
    poll: Poll,
    cancelling: Option<Cancelling>,
    emitted: Emitted,
    last_id: u32,
    wake_at_ms: Option<u64>,
    effects: Vec<Effect>,
    is_destroyed: bool,
}

/// A cancel request in flight. The buyer sees the offer again already.
#[derive(Clone, Copy, Debug)]
struct Cancelling {
    id: RequestId,
    gives_up_at_ms: u64,
}

/// The order as the last answer described it.
#[derive(Clone, Debug)]
struct LastAnswer {
    version: Option<u64>,
    order: OrderView,
    is_test: bool,
    attempt: Option<CurrentAttempt>,
    products: Option<Vec<Product>>,
    /// The order's address, if it is safe to follow.
    success_url: Option<SuccessUrl>,
}

/// What was emitted to the page, so that nothing is emitted twice.
#[derive(Clone, Debug, Default)]
struct Emitted {
    is_paid: bool,
    is_closed: bool,
    screen: Option<&'static str>,
    code_url: Option<String>,
    problem: Option<Problem>,
}

impl CheckoutMachine {
    /// A new machine. `seed` spreads the polls of many pages; any number will do.
    pub fn new(seed: u64, facts: Facts, options: Options) -> Self {
        Self {
            facts,
            options,
            stage: Stage::LOADING,
            scene: None,
            last_answer: None,
            poll: Poll::new(seed),
            cancelling: None,
            emitted: Emitted::default(),
            last_id: 0,
            wake_at_ms: None,
            effects: Vec::new(),
            is_destroyed: false,
        }
    }

    /// Takes an event and returns the effects. `now_ms` is a monotonic clock of the caller's.
    pub fn update(&mut self, now_ms: u64, event: Event) -> Vec<Effect> {
        if self.is_destroyed {
            return Vec::new();
        }
        match event {
            Event::Connected => self.connected(now_ms),
            Event::Woke => {
                // The timer is used up and may have fired early, so `finish` sets it again.
                self.wake_at_ms = None;
                self.woke(now_ms);
            }
            Event::Answered { id, answer } => self.answered(now_ms, id, &answer),
            Event::Failed { id, failure } => self.failed(now_ms, id, failure),
            Event::Injected(injected) => self.injected(now_ms, injected),
            Event::BridgeReplied(reply) => self.bridge_replied(now_ms, &reply),
            Event::MiniProgramFailed(raw) => self.mini_program_failed(raw),
            Event::FromPeer { rank, message } => self.received_from_peer(now_ms, rank, message),
            Event::Resumed => self.resumed(now_ms),
            Event::Hidden => self.hidden(),
            Event::Online => self.poll.set_online(now_ms, true),
            Event::Offline => self.poll.set_online(now_ms, false),
            Event::Intent(intent) => self.intent(now_ms, intent),
            Event::Destroyed => return self.destroyed(),
        }
        self.finish(now_ms)
    }

    fn connected(&mut self, now_ms: u64) {
        if self.options.payer.is_some() || self.options.returned {
            self.effects.push(Effect::StripAddress);
        }
        if self.last_answer.is_none() {
            self.poll.poll_now(now_ms, false);
        }
        self.wait_for_first_answer(now_ms + LATE_MS);
    }

    /// Sets the time from which the first answer is late. Without effect after that answer.
    fn wait_for_first_answer(&mut self, until_ms: u64) {
        if let Stage::Loading { late_at_ms, .. } = &mut self.stage {
            *late_at_ms = Some(until_ms);
        }
    }

    fn resumed(&mut self, now_ms: u64) {
        self.poll.resume(now_ms);
        self.wait_for_first_answer(now_ms + LATE_MS);
        self.visible_again(now_ms);
    }

    /// The buyer looks at the page again.
    fn visible_again(&mut self, now_ms: u64) {
        if let Stage::Closed | Stage::Expired = self.stage {
            // Money can arrive after the end of an order: poll once whenever the buyer looks.
            self.poll.hint(now_ms);
        }
        let Stage::Leaving(Leaving {
            was_hidden: true,
            reason,
            ..
        }) = self.stage
        else {
            return;
        };
        // H5's middle page returns the buyer whether or not anything happened, so WeChat is queried
        // only when the buyer asks for it. A mini-program's page returns when it is done.
        let (attempt, check) = match reason {
            LeaveReason::H5 { attempt } => (Some(attempt), None),
            LeaveReason::MiniProgram => (None, Some(CheckReason::MayBePaid)),
            LeaveReason::OauthOrReload => {
                self.stage = Stage::Offer { notice: None };
                return;
            }
        };
        self.stage = Stage::Returned(Returned {
            attempt,
            notice: None,
            check,
        });
        if check.is_some() {
            self.poll.poll_now(now_ms, true);
        }
    }

    fn hidden(&mut self) {
        // Sent also between two polls: the other tabs rely on this tab's last message for up to 30
        // s.
        self.notify_peers(PeerMessage::Stopped);
        self.poll.hide();
        if let Stage::Leaving(leaving) = &mut self.stage {
            leaving.was_hidden = true;
        }
    }

    /// Aborts everything in flight. No later event has an effect.
    fn destroyed(&mut self) -> Vec<Effect> {
        self.is_destroyed = true;
        self.abort_requests();
        self.abort_dropped_poll();
        self.effects.push(Effect::WakeAt(None));
        std::mem::take(&mut self.effects)
    }

    /// Aborts every request, and polls no more by itself.
    fn abort_requests(&mut self) {
        self.poll.stop();
        self.notify_peers(PeerMessage::Stopped);
        self.abort(self.stage.attempt_in_flight());
        let cancelling = self.cancelling.take();
        self.abort(cancelling.map(|cancelling| cancelling.id));
    }

    /// Whether the buyer is back from the OAuth redirect, so that there is no second one.
    const fn is_back_from_oauth(&self) -> bool {
        self.options.payer.is_some()
    }

    /// The handle that the OAuth redirect brought. A second try on this page sends it again: the
    /// backend recognises it as the handle of the attempt that it started.
    fn payer(&self) -> Option<String> {
        let handle = self.options.payer.as_ref()?;
        (!handle.is_empty() && handle != PAYER_UNAVAILABLE_HANDLE).then(|| handle.clone())
    }

    fn current_attempt(&self) -> Option<&CurrentAttempt> {
        self.last_answer.as_ref()?.attempt.as_ref()
    }

    /// The number of the current attempt, if that attempt is for this product.
    fn current_attempt_by(&self, product: Product) -> Option<u64> {
        let attempt = self.current_attempt()?;
        (attempt.product == Some(product)).then_some(attempt.number)
    }

    const fn next_id(&mut self) -> RequestId {
        self.last_id += 1;
        RequestId(self.last_id)
    }

    fn abort(&mut self, id: Option<RequestId>) {
        self.effects.extend(id.map(Effect::Abort));
    }

    fn abort_dropped_poll(&mut self) {
        let dropped = self.poll.take_dropped();
        self.abort(dropped);
    }

    fn emit(&mut self, occurrence: Occurrence) {
        self.effects.push(Effect::Emit(occurrence));
    }

    /// Reports a problem to the page; the same problem twice in a row is reported once.
    fn report(&mut self, problem: Problem) {
        if self.emitted.problem.as_ref() != Some(&problem) {
            self.emitted.problem = Some(problem.clone());
            self.emit(Occurrence::Problem(problem));
        }
    }

    fn fail(&mut self, problem: Problem) {
        self.report(problem.clone());
        self.stage = Stage::Failed(problem);
    }

    /// What follows every event: the next attempt or poll, the events for the page, the timer.
    fn finish(&mut self, now_ms: u64) -> Vec<Effect> {
        self.send_attempt_if_due(now_ms);
        self.abort_dropped_poll();
        self.poll_if_due(now_ms);
        self.emit_screen();
        let request_ms = match self.cancelling {
            Some(cancelling) => Some(cancelling.gives_up_at_ms),
            None if self.stage.attempt_in_flight().is_some() => None,
            None => self.poll.wake_at_ms(),
        };
        let wake_at_ms = earlier(
            request_ms,
            self.stage
                .wake_at_ms(now_ms, self.poll.is_visible(), self.poll.may_send()),
        );
        if wake_at_ms != self.wake_at_ms {
            self.wake_at_ms = wake_at_ms;
            self.effects.push(Effect::WakeAt(wake_at_ms));
        }
        std::mem::take(&mut self.effects)
    }

    /// There is one request at a time: during a request for an attempt or a cancel, a poll would
    /// only return what that request is about to change.
    fn poll_if_due(&mut self, now_ms: u64) {
        if self.cancelling.is_some() || self.stage.attempt_in_flight().is_some() {
            return;
        }
        let seen = self.last_answer.as_ref().and_then(|last| last.version);
        let id = RequestId(self.last_id + 1);
        if let Some(query) = self.poll.next(now_ms, id, seen) {
            self.last_id = id.0;
            let request = Request::Read(query);
            self.effects.push(Effect::Send { id, request });
            self.notify_peers(PeerMessage::Polling(query.wait_s.unwrap_or(0) * 1_000));
        }
    }

    fn emit_screen(&mut self) {
        let code_url = match &self.stage {
            Stage::Code(code) => Some(code.url.as_str()),
            _ => None,
        };
        if let Some(code_url) = code_url
            && self.emitted.code_url.as_deref() != Some(code_url)
        {
            self.emitted.code_url = Some(code_url.to_owned());
            self.emit(Occurrence::QrShown);
        }
        let screen = self.screen(0).name();
        if self.emitted.screen != Some(screen) {
            self.emitted.screen = Some(screen);
            self.emit(Occurrence::StateChange(screen));
        }
    }
}

/// The earlier of two times, or the only one.
fn earlier(one_ms: Option<u64>, other_ms: Option<u64>) -> Option<u64> {
    match (one_ms, other_ms) {
        (Some(one_ms), Some(other_ms)) => Some(one_ms.min(other_ms)),
        _ => one_ms.or(other_ms),
    }
}
