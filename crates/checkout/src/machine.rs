//! The machine itself: one payment on one page.
//!
//! `update` takes an event and gives effects; everything else is in the files beside it, by what
//! it is about: [`answers`](self) of the backend, attempts, the cashier, intents of the buyer,
//! and time. It never holds more than plain data.

mod answers;
mod attempts;
mod cashier;
mod intents;
mod peers;
mod screen;
mod stage;
mod time;

use merchant_api::{CurrentAttempt, PAYER_UNAVAILABLE_HANDLE, Product};
use stage::{Asking, Errand, Leaving, Returned, Stage};

use crate::effect::{Effect, Occurrence, Request, RequestId};
use crate::event::{Event, PeerWord};
use crate::facts::{Facts, Options};
use crate::poll::Poll;
use crate::problem::Problem;
use crate::scene::Scene;
use crate::view_model::OrderView;

/// How long the backend has for an attempt, in milliseconds: it may have to query and close at
/// WeChat first.
const ATTEMPT_PATIENCE_MS: u64 = 30_000;
/// How often an attempt is tried by itself before the buyer is asked.
const ATTEMPT_TRIES: u32 = 4;
/// How long the bridge may take to come, in milliseconds.
const BRIDGE_PATIENCE_MS: u64 = 10_000;
/// After how long a silent cashier is doubted, in milliseconds.
const CASHIER_SILENCE_MS: u64 = 30_000;
/// How long the backend is asked after an `ok`, before the buyer is told to look later.
const CONFIRMING_MS: u64 = 20_000;
/// Pause between questions while confirming, in milliseconds.
const CONFIRMING_PAUSE_MS: u64 = 2_000;
/// How long the backend has for a cancel, in milliseconds.
const CANCEL_PATIENCE_MS: u64 = 10_000;
/// After how long a page that should have left is taken to be stuck, in milliseconds.
const STUCK_MS: u64 = 4_000;
/// How long the buyer sees the success before the page goes on, in milliseconds.
const SUCCESS_MS: u64 = 2_500;

/// One payment on one page.
#[derive(Clone, Debug)]
pub struct CheckoutMachine {
    facts: Facts,
    options: Options,
    stage: Stage,
    scene: Option<Scene>,
    known: Option<Known>,
    poll: Poll,
    cancelling: Option<Cancelling>,
    told: Told,
    last_id: u32,
    wake_at_ms: Option<u64>,
    effects: Vec<Effect>,
    is_destroyed: bool,
}

/// A cancel under way. The buyer has moved on already.
#[derive(Clone, Copy, Debug)]
struct Cancelling {
    id: RequestId,
    gives_up_at_ms: u64,
}

/// What the backend said last.
#[derive(Clone, Debug)]
struct Known {
    version: Option<u64>,
    order: OrderView,
    is_test: bool,
    attempt: Option<CurrentAttempt>,
    products: Option<Vec<Product>>,
}

/// What the page was told, so that it is told once.
#[derive(Clone, Debug, Default)]
struct Told {
    is_paid: bool,
    is_closed: bool,
    screen: Option<&'static str>,
    code_url: Option<String>,
    problem: Option<Problem>,
}

impl CheckoutMachine {
    /// A machine at its start. `seed` spreads the polls of many pages; any number will do.
    pub fn new(seed: u64, facts: Facts, options: Options) -> Self {
        Self {
            facts,
            options,
            stage: Stage::LOADING,
            scene: None,
            known: None,
            poll: Poll::new(seed),
            cancelling: None,
            told: Told::default(),
            last_id: 0,
            wake_at_ms: None,
            effects: Vec::new(),
            is_destroyed: false,
        }
    }

    /// Takes what happened and says what to do. `now_ms` is a monotonic clock of the caller's.
    pub fn update(&mut self, now_ms: u64, event: Event) -> Vec<Effect> {
        if self.is_destroyed {
            return Vec::new();
        }
        match event {
            Event::Connected => self.connected(now_ms),
            Event::Woke => {
                // The timer is spent, and may have come a moment early: it is asked for anew.
                self.wake_at_ms = None;
                self.woke(now_ms);
            }
            Event::Answered { id, answer } => self.answered(now_ms, id, &answer),
            Event::Failed { id, failure } => self.failed(now_ms, id, failure),
            Event::Injected(injected) => self.injected(now_ms, injected),
            Event::BridgeReplied(reply) => self.bridge_replied(now_ms, &reply),
            Event::MiniProgramFailed(raw) => self.mini_program_failed(raw),
            Event::PeerSpoke { rank, word } => self.peer_spoke(now_ms, rank, word),
            Event::Resumed => self.resumed(now_ms),
            Event::Hidden => self.hidden(),
            Event::Online => self.poll.set_online(now_ms, true),
            Event::Offline => self.poll.set_online(now_ms, false),
            Event::Wanted(intent) => self.wanted(now_ms, intent),
            Event::Destroyed => return self.destroyed(),
        }
        self.finish(now_ms)
    }

    fn connected(&mut self, now_ms: u64) {
        if self.options.payer.is_some() || self.options.returned {
            self.effects.push(Effect::StripAddress);
        }
        if self.known.is_none() {
            self.poll.ask_now(now_ms, false);
        }
    }

    fn resumed(&mut self, now_ms: u64) {
        self.poll.resume(now_ms);
        self.came_back(now_ms);
    }

    /// The buyer looks at the page again.
    fn came_back(&mut self, now_ms: u64) {
        if let Stage::Closed | Stage::Expired = self.stage {
            // Late money is still money: one look whenever the buyer looks.
            self.poll.hint(now_ms);
        }
        let Stage::Leaving(Leaving {
            was_hidden: true,
            errand,
            ..
        }) = self.stage
        else {
            return;
        };
        // The middle page of H5 sends the buyer back whether or not anything happened, and WeChat
        // is asked by the buyer's word alone; a mini-program's page is left when it is through.
        let (attempt, asking) = match errand {
            Errand::H5 { attempt } => (Some(attempt), None),
            Errand::MiniProgram => (None, Some(Asking::MayBePaid)),
            Errand::Itself => {
                self.stage = Stage::Offer { notice: None };
                return;
            }
        };
        self.stage = Stage::Returned(Returned {
            attempt,
            notice: None,
            asking,
        });
        if asking.is_some() {
            self.poll.ask_now(now_ms, true);
        }
    }

    fn hidden(&mut self) {
        // In the pause between two questions too: the others trust its last word for long.
        self.tell_peers(PeerWord::Stopped);
        self.poll.hide();
        if let Stage::Leaving(leaving) = &mut self.stage {
            leaving.was_hidden = true;
        }
    }

    /// Gives up all that is under way. From now on nothing has an effect.
    fn destroyed(&mut self) -> Vec<Effect> {
        self.is_destroyed = true;
        self.give_up_requests();
        self.abort_given_up();
        self.effects.push(Effect::WakeAt(None));
        std::mem::take(&mut self.effects)
    }

    /// Gives every request up, and asks nothing more by itself.
    fn give_up_requests(&mut self) {
        self.poll.stop();
        self.tell_peers(PeerWord::Stopped);
        self.abort(self.stage.attempt_in_flight());
        let cancelling = self.cancelling.take();
        self.abort(cancelling.map(|cancelling| cancelling.id));
    }

    /// Whether the buyer is back from the hop for the openid, so that there is no second one.
    const fn has_hopped(&self) -> bool {
        self.options.payer.is_some()
    }

    /// The handle that the hop brought. A second try on this page sends it again: the backend
    /// knows it as the handle of the attempt that it started.
    fn payer(&self) -> Option<String> {
        let handle = self.options.payer.as_ref()?;
        (!handle.is_empty() && handle != PAYER_UNAVAILABLE_HANDLE).then(|| handle.clone())
    }

    fn current_attempt(&self) -> Option<&CurrentAttempt> {
        self.known.as_ref()?.attempt.as_ref()
    }

    /// The number of the current attempt, if it is one for this product.
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

    fn abort_given_up(&mut self) {
        let given_up = self.poll.take_given_up();
        self.abort(given_up);
    }

    fn emit(&mut self, occurrence: Occurrence) {
        self.effects.push(Effect::Emit(occurrence));
    }

    /// Tells the page of a problem; the same one twice in a row is told once.
    fn report(&mut self, problem: Problem) {
        if self.told.problem.as_ref() != Some(&problem) {
            self.told.problem = Some(problem.clone());
            self.emit(Occurrence::Problem(problem));
        }
    }

    fn fail(&mut self, problem: Problem) {
        self.report(problem.clone());
        self.stage = Stage::Failed(problem);
    }

    /// What follows from any event: the next attempt or question, what the page is told, the
    /// timer.
    fn finish(&mut self, now_ms: u64) -> Vec<Effect> {
        self.send_attempt_if_due(now_ms);
        self.abort_given_up();
        self.ask_if_due(now_ms);
        self.tell_screen();
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

    /// One request at a time: while an attempt is asked for or cancelled, a question would only
    /// bring what is about to be untrue.
    fn ask_if_due(&mut self, now_ms: u64) {
        if self.cancelling.is_some() || self.stage.attempt_in_flight().is_some() {
            return;
        }
        let seen = self.known.as_ref().and_then(|known| known.version);
        let id = RequestId(self.last_id + 1);
        if let Some(query) = self.poll.next(now_ms, id, seen) {
            self.last_id = id.0;
            let request = Request::Read(query);
            self.effects.push(Effect::Send { id, request });
            self.tell_peers(PeerWord::Asks(query.wait_s.unwrap_or(0) * 1_000));
        }
    }

    fn tell_screen(&mut self) {
        let code_url = match &self.stage {
            Stage::Code(code) => Some(code.url.as_str()),
            _ => None,
        };
        if let Some(code_url) = code_url
            && self.told.code_url.as_deref() != Some(code_url)
        {
            self.told.code_url = Some(code_url.to_owned());
            self.emit(Occurrence::QrShown);
        }
        let screen = self.screen(0).name();
        if self.told.screen != Some(screen) {
            self.told.screen = Some(screen);
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
