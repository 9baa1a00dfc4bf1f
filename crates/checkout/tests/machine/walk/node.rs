//! A state of the walk: a page, what was recorded on the way to it, and the state that an event
//! leads to.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::Hasher;

use checkout::{
    Destination, Effect, Event, Facts, Failure, Intent, Occurrence, Options, Request, Screen,
};
use merchant_api::{Action, AttemptForm, CheckoutAnswer, ErrorCode, OrderState, Product};

use super::invariants::{INVARIANTS, says_not_paid};
use super::state_key::hash_relative;
use super::steps::{Step, steps};
use crate::page::{MINI_PROGRAM, Page, WECHAT, WECOM};

/// What the invariants need to know about an environment.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The product that is started or offered first.
    pub(super) product: Option<Product>,
    pub(super) is_handheld_wechat: bool,
    pub(super) is_wecom: bool,
    /// The cashier may be opened without a click: by `auto_start`, or by the click before the OAuth
    /// redirect.
    starts_cashier: bool,
}

impl Place {
    fn of(facts: &Facts, options: &Options) -> Self {
        let scene = checkout::scene(facts, options, None);
        Self {
            product: scene.method.map(|method| method.product),
            is_handheld_wechat: [WECHAT, MINI_PROGRAM].contains(&facts.user_agent.as_str()),
            is_wecom: facts.user_agent == WECOM,
            starts_cashier: options.payer.is_some() || options.auto_start && !options.returned,
        }
    }
}

/// A state of the walk: a page, and what was recorded on the way to it.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) page: Page,
    /// The product that is offered beside the first, by the latest scene.
    pub(super) fallback: Option<Product>,
    path: Vec<&'static str>,
    pub(super) paid_emitted: usize,
    pub(super) closed_emitted: usize,
    pub(super) is_visible: bool,
    pub(super) is_online: bool,
    pub(super) is_destroyed: bool,
    /// The buyer's click that the next navigation to `h5_url` uses up.
    has_gesture: bool,
    /// The buyer's click that caused a start, until that start is over.
    has_start: bool,
    /// The buyer's click before the first answer, until that answer arrives.
    has_early_start: bool,
    /// "I have paid" or "I had a problem", until it is answered.
    pub(super) has_buyers_request: bool,
    /// The highest version that an answer had.
    pub(super) seen_version: Option<u64>,
    /// The attempt of the last answer that was not stale, while its time is not over.
    current: Option<(u64, Product)>,
    /// The numbers of this page's own attempts, as bits.
    own: u8,
    /// Since when the page knows that the time is over.
    zero_since_ms: Option<u64>,
    /// The cashier's parameters have arrived, and it was not called with them yet.
    has_parameters: bool,
    has_called: bool,
}

/// What the backend said in an event.
#[derive(Default)]
pub(super) struct BackendSaid {
    /// The state of the order.
    pub(super) state: Option<OrderState>,
    /// The answer belongs to a poll with `ask`.
    pub(super) asked_wechat: bool,
    pub(super) was_checked_after_zero: bool,
    pub(super) is_refused_as_expired: bool,
}

/// One event and its effects.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct Taken<'a> {
    pub(super) effects: &'a [Effect],
    pub(super) said: BackendSaid,
    pub(super) was_paid: bool,
    pub(super) was_destroyed: bool,
    pub(super) was_shown: Screen,
    had_start: bool,
    pub(super) had_gesture: bool,
    pub(super) gave_parameters: bool,
    pub(super) is_wake: bool,
}

impl Taken<'_> {
    pub(super) fn has(&self, wanted: impl Fn(&Effect) -> bool) -> bool {
        self.count(wanted) > 0
    }

    pub(super) fn count(&self, wanted: impl Fn(&Effect) -> bool) -> usize {
        self.effects.iter().filter(|effect| wanted(effect)).count()
    }

    /// Whether the screen is of that kind now, and was not before.
    pub(super) fn shows_now(&self, node: &Node, wanted: impl Fn(&Screen) -> bool) -> bool {
        !wanted(&self.was_shown) && wanted(&node.page.screen())
    }

    pub(super) fn emitted(&self, wanted: impl Fn(&Occurrence) -> bool) -> usize {
        self.count(|effect| matches!(effect, Effect::Emit(what) if wanted(what)))
    }
}

impl Node {
    /// A page that has just been opened.
    pub(super) fn at(facts: Facts, options: Options) -> Self {
        let place = Place::of(&facts, &options);
        let is_back_from_oauth = options.payer.is_some();
        let mut page = Page::of(facts, options);
        page.happen(Event::Connected);
        Self {
            place,
            page,
            fallback: None,
            path: Vec::new(),
            paid_emitted: 0,
            closed_emitted: 0,
            is_visible: true,
            is_online: true,
            is_destroyed: false,
            has_gesture: false,
            has_start: is_back_from_oauth,
            has_early_start: false,
            has_buyers_request: false,
            seen_version: None,
            current: None,
            own: 0,
            zero_since_ms: None,
            has_parameters: false,
            has_called: false,
        }
    }

    /// While something is unfinished the page must not stop: a request without a timeout, a poll
    /// that is never sent.
    pub(super) fn awaits_something(&self) -> bool {
        let name = self.page.screen().name();
        let is_settled = matches!(name, "paid" | "closed" | "expired" | "problem");
        let is_asking = self.is_visible && self.is_online && !is_settled;
        !self.page.open.is_empty() || is_asking
    }

    /// The version that is shown: the walk's answers carry it as their description.
    pub(super) fn shown_version(&self) -> Option<u64> {
        let order = self.page.machine.view(self.page.now_ms).order?;
        order.description?.parse().ok()
    }

    /// Whether an attempt may start without a click: on a desktop, where it costs nothing; where
    /// `auto_start` or the click before the OAuth redirect asks for the cashier; and never over
    /// another device's attempt.
    pub(super) fn may_attempt(&self, form: &AttemptForm) -> bool {
        let by_itself = match form.product {
            Product::Native => true,
            Product::Jsapi => self.place.starts_cashier,
            Product::H5 | Product::MiniProgram => false,
        };
        let is_foreign = self.current.is_some_and(|(number, product)| {
            self.own & 1 << number == 0 && product != form.product && form.after >= Some(number)
        });
        self.has_start || self.has_early_start || by_itself && !is_foreign
    }

    /// The state that an event leads to. Every invariant is checked.
    pub(super) fn take(&self, name: &'static str, step: Step) -> Self {
        let mut node = self.clone();
        node.path.push(name);
        node.page.effects.clear();
        let is_wake = matches!(step, Step::Wake);
        let said = node.happen(step);
        let effects = std::mem::take(&mut node.page.effects);
        for effect in &effects {
            if let Effect::Emit(Occurrence::SceneDecided(scene)) = effect {
                node.fallback = scene.method.and_then(|method| method.fallback);
            }
        }
        let taken = Taken {
            effects: &effects,
            said,
            was_paid: self.paid_emitted > 0,
            was_destroyed: self.is_destroyed,
            was_shown: self.page.screen(),
            had_start: self.has_start,
            had_gesture: node.has_gesture,
            gave_parameters: node.has_parameters,
            is_wake,
        };
        node.paid_emitted += taken.emitted(|what| matches!(what, Occurrence::Paid { .. }));
        node.closed_emitted += taken.emitted(|what| matches!(what, Occurrence::Closed));
        for (name, holds) in INVARIANTS {
            assert!(
                holds(&node, &taken),
                "broken: {name}\n  after {:?}\n  with {effects:?}\n  shown {:?}, open {:?}, wake {:?} at {}",
                node.path,
                node.page.screen(),
                node.page.open,
                node.page.wake_at_ms,
                node.page.now_ms,
            );
        }
        node.record_effects(&taken);
        node
    }

    /// Everything that can happen in this state.
    pub(super) fn steps(&self) -> Vec<(&'static str, Step)> {
        steps(&self.page, self.has_called)
    }

    fn happen(&mut self, step: Step) -> BackendSaid {
        let open = self.page.open.first().cloned();
        let mut said = BackendSaid::default();
        match step {
            Step::Wake => {
                let wake_at_ms = self.page.wake_at_ms.expect("a timer is set");
                self.page.wake(wake_at_ms);
            }
            Step::Event(event) => {
                self.record_event(&event);
                self.page.happen(event);
            }
            Step::Answer(mut answer) => {
                let (id, request) = open.expect("a request is open");
                self.record_answer(&mut answer, &mut said);
                said.asked_wechat = matches!(&request, Request::Read(query) if query.ask);
                if let (Request::Start(_), Some(attempt)) = (request, &answer.attempt) {
                    self.own |= 1 << attempt.number;
                }
                self.has_parameters |= matches!(answer.action, Some(Action::Jsapi(_)));
                self.page.answer(id, answer);
            }
            Step::Fail(mut failure) => {
                if let Failure::Refused { error, answer } = &mut failure {
                    said.is_refused_as_expired = error.code == Some(ErrorCode::CheckoutExpired);
                    if let Some(answer) = answer {
                        self.record_answer(answer, &mut said);
                    }
                }
                let (id, _) = open.expect("a request is open");
                self.page.fail(id, failure);
            }
        }
        said
    }

    /// Records what an event means by itself, before the machine gets it.
    fn record_event(&mut self, event: &Event) {
        let is_loading = self.page.screen().name() == "loading";
        match event {
            Event::Intent(Intent::Start) if is_loading => {
                self.has_gesture = true;
                self.has_early_start = true;
            }
            Event::Intent(Intent::Cancel) => self.has_early_start = false,
            Event::Hidden => self.is_visible = false,
            Event::Resumed => self.is_visible = true,
            Event::Offline => self.is_online = false,
            Event::Online => self.is_online = true,
            Event::Destroyed => self.is_destroyed = true,
            Event::Intent(Intent::CheckPayment | Intent::ReportTrouble) => {
                self.has_buyers_request = true;
            }
            Event::Intent(Intent::Start | Intent::StartFallback | Intent::TakeOver) => {
                self.has_gesture = true;
                self.has_start = true;
            }
            Event::Intent(Intent::Refresh) => self.has_start = true,
            _ => {}
        }
    }

    /// Records what an answer says, before the machine gets it.
    fn record_answer(&mut self, answer: &mut CheckoutAnswer, said: &mut BackendSaid) {
        // The description lets the view show which answer it was made from.
        answer.description = answer.version.map(|version| version.to_string());
        said.state = Some(answer.state);
        self.seen_version = self.seen_version.max(answer.version);
        if answer.version < self.seen_version {
            return;
        }
        let valid = answer
            .attempt
            .as_ref()
            .filter(|attempt| attempt.remaining_ms != Some(0));
        self.current = valid.and_then(|attempt| Some((attempt.number, attempt.product?)));
        if answer.remaining_ms == Some(0) {
            self.zero_since_ms.get_or_insert(self.page.now_ms);
        }
        let checked_ms = answer
            .checked_ms_ago
            .map(|ago_ms| self.page.now_ms.saturating_sub(ago_ms));
        said.was_checked_after_zero = checked_ms.is_some() && checked_ms >= self.zero_since_ms;
    }

    /// Records what has to be known about an event afterwards.
    fn record_effects(&mut self, taken: &Taken<'_>) {
        if taken.has(|effect| matches!(effect, Effect::Navigate(Destination::H5(_)))) {
            self.has_gesture = false;
        }
        if taken.has(|effect| matches!(effect, Effect::InvokeCashier(_) | Effect::InvokeSdk(_))) {
            self.has_parameters = false;
            self.has_called = true;
        }
        let shown = self.page.screen();
        let is_starting = |screen: &Screen| screen.name() == "starting";
        if is_starting(&shown) {
            self.has_start |= self.has_early_start;
        } else {
            self.has_start = taken.had_start && !is_starting(&taken.was_shown);
        }
        self.has_early_start &= shown.name() == "loading";
        self.has_buyers_request &= !says_not_paid(&shown);
        match shown {
            Screen::QrCode { remaining_ms, .. } if remaining_ms != Some(0) => {
                self.zero_since_ms = None;
            }
            Screen::QrCode { .. } | Screen::QrChecking { .. } => {
                self.zero_since_ms.get_or_insert(self.page.now_ms);
            }
            _ => {}
        }
    }

    /// The state's hash, without the times at which its parts began.
    pub(super) fn key(&self) -> u64 {
        let mut text = String::new();
        let emitted = (self.paid_emitted, self.closed_emitted, self.seen_version);
        let is = (self.is_visible, self.is_online, self.is_destroyed);
        let starts = (self.has_start, self.has_early_start);
        let has = (self.has_gesture, starts, self.has_buyers_request);
        let attempts = (self.has_parameters, self.has_called, self.own, self.current);
        let _ = write!(
            text,
            "{:?} {:?} wake_at_ms: {:?} since_ms: {:?} {emitted:?} {is:?} {has:?} {attempts:?}",
            self.page.machine, self.page.open, self.page.wake_at_ms, self.zero_since_ms,
        );
        let mut hasher = DefaultHasher::new();
        hash_relative(&text, self.page.now_ms, &mut hasher);
        hasher.finish()
    }
}
