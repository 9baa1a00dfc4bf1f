//! A state of the walk: a page, what was seen on the way to it, and how an event leads on.

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

/// What the invariants have to know of a place.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The way of paying that is taken or offered first.
    pub(super) product: Option<Product>,
    pub(super) is_handheld_wechat: bool,
    pub(super) is_wecom: bool,
    /// The cashier may be opened without a click: by `auto_start`, or by the click before the hop.
    starts_cashier: bool,
}

impl Place {
    fn of(facts: &Facts, options: &Options) -> Self {
        let scene = checkout::scene(facts, options, None);
        Self {
            product: scene.way_out.map(|way_out| way_out.product),
            is_handheld_wechat: [WECHAT, MINI_PROGRAM].contains(&facts.user_agent.as_str()),
            is_wecom: facts.user_agent == WECOM,
            starts_cashier: options.payer.is_some() || options.auto_start && !options.returned,
        }
    }
}

/// A place in the walk: a page, and what was seen on the way to it.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) page: Page,
    /// The way that is offered beside the first, by the scene that was decided last.
    pub(super) fallback: Option<Product>,
    path: Vec<&'static str>,
    pub(super) paid_told: usize,
    pub(super) closed_told: usize,
    pub(super) is_visible: bool,
    pub(super) is_online: bool,
    pub(super) is_destroyed: bool,
    /// The buyer's click that the next leave for `h5_url` may use up.
    has_gesture: bool,
    /// The buyer's click that a start comes of, until that is over.
    has_start: bool,
    /// The buyer's wish to start from before the first answer, until that is there.
    has_early_start: bool,
    /// "I have paid" or "I had a problem", until it is answered.
    pub(super) has_buyers_word: bool,
    /// The highest version that was brought.
    pub(super) seen_version: Option<u64>,
    /// The attempt that the last good answer told of, while its time is not over.
    current: Option<(u64, Product)>,
    /// The attempts that were this page's, as bits.
    own: u8,
    /// Since when the page knows that the time is up.
    zero_since_ms: Option<u64>,
    /// The cashier has parameters that it was not called with yet.
    has_parameters: bool,
    has_called: bool,
}

/// What the backend said in an event.
#[derive(Default)]
pub(super) struct Heard {
    /// Of the order.
    pub(super) word: Option<OrderState>,
    /// It is the answer to a question with `ask`.
    pub(super) asked_wechat: bool,
    pub(super) was_checked_after_zero: bool,
    pub(super) is_refused_as_expired: bool,
}

/// One event and what came of it.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct Taken<'a> {
    pub(super) effects: &'a [Effect],
    pub(super) heard: Heard,
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

    /// The screen is of that kind, and was not before.
    pub(super) fn shows_anew(&self, node: &Node, wanted: impl Fn(&Screen) -> bool) -> bool {
        !wanted(&self.was_shown) && wanted(&node.page.screen())
    }

    pub(super) fn told(&self, wanted: impl Fn(&Occurrence) -> bool) -> usize {
        self.count(|effect| matches!(effect, Effect::Emit(what) if wanted(what)))
    }
}

impl Node {
    /// A page that has just been opened.
    pub(super) fn at(facts: Facts, options: Options) -> Self {
        let place = Place::of(&facts, &options);
        let has_hopped = options.payer.is_some();
        let mut page = Page::of(facts, options);
        page.happen(Event::Connected);
        Self {
            place,
            page,
            fallback: None,
            path: Vec::new(),
            paid_told: 0,
            closed_told: 0,
            is_visible: true,
            is_online: true,
            is_destroyed: false,
            has_gesture: false,
            has_start: has_hopped,
            has_early_start: false,
            has_buyers_word: false,
            seen_version: None,
            current: None,
            own: 0,
            zero_since_ms: None,
            has_parameters: false,
            has_called: false,
        }
    }

    /// Where something that was begun is not over, the page must not fall asleep: a request
    /// that never ends, a poll that is never asked.
    pub(super) fn awaits_something(&self) -> bool {
        let name = self.page.screen().name();
        let is_settled = matches!(name, "paid" | "closed" | "expired" | "problem");
        let is_asking = self.is_visible && self.is_online && !is_settled;
        !self.page.open.is_empty() || is_asking
    }

    /// The version of what is shown: answers of the walk have it as their description.
    pub(super) fn shown_version(&self) -> Option<u64> {
        let order = self.page.machine.view(self.page.now_ms).order?;
        order.description?.parse().ok()
    }

    /// Without a click: at a desk, where it costs nothing; where `auto_start` or the hop's click
    /// asks for the cashier; and never over what another device is at.
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

    /// The state that an event leads to, with every invariant checked on the way.
    pub(super) fn take(&self, name: &'static str, step: Step) -> Self {
        let mut node = self.clone();
        node.path.push(name);
        node.page.effects.clear();
        let is_wake = matches!(step, Step::Wake);
        let heard = node.happen(step);
        let effects = std::mem::take(&mut node.page.effects);
        for effect in &effects {
            if let Effect::Emit(Occurrence::SceneDecided(scene)) = effect {
                node.fallback = scene.way_out.and_then(|way_out| way_out.fallback);
            }
        }
        let taken = Taken {
            effects: &effects,
            heard,
            was_paid: self.paid_told > 0,
            was_destroyed: self.is_destroyed,
            was_shown: self.page.screen(),
            had_start: self.has_start,
            had_gesture: node.has_gesture,
            gave_parameters: node.has_parameters,
            is_wake,
        };
        node.paid_told += taken.told(|what| matches!(what, Occurrence::Paid { .. }));
        node.closed_told += taken.told(|what| matches!(what, Occurrence::Closed));
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
        node.remember(&taken);
        node
    }

    /// Everything that can happen here.
    pub(super) fn steps(&self) -> Vec<(&'static str, Step)> {
        steps(&self.page, self.has_called)
    }

    fn happen(&mut self, step: Step) -> Heard {
        let open = self.page.open.first().cloned();
        let mut heard = Heard::default();
        match step {
            Step::Wake => {
                let wake_at_ms = self.page.wake_at_ms.expect("a wake is set");
                self.page.wake(wake_at_ms);
            }
            Step::Event(event) => {
                self.expect(&event);
                self.page.happen(event);
            }
            Step::Answer(mut answer) => {
                let (id, request) = open.expect("a request is open");
                self.hear(&mut answer, &mut heard);
                heard.asked_wechat = matches!(&request, Request::Read(query) if query.ask);
                if let (Request::Start(_), Some(attempt)) = (request, &answer.attempt) {
                    self.own |= 1 << attempt.number;
                }
                self.has_parameters |= matches!(answer.action, Some(Action::Jsapi(_)));
                self.page.answer(id, answer);
            }
            Step::Fail(mut failure) => {
                if let Failure::Refused { error, answer } = &mut failure {
                    heard.is_refused_as_expired = error.code == Some(ErrorCode::CheckoutExpired);
                    if let Some(answer) = answer {
                        self.hear(answer, &mut heard);
                    }
                }
                let (id, _) = open.expect("a request is open");
                self.page.fail(id, failure);
            }
        }
        heard
    }

    /// What follows from an event by itself, before the machine has it.
    fn expect(&mut self, event: &Event) {
        let is_loading = self.page.screen().name() == "loading";
        match event {
            Event::Wanted(Intent::Start) if is_loading => {
                self.has_gesture = true;
                self.has_early_start = true;
            }
            Event::Wanted(Intent::Cancel) => self.has_early_start = false,
            Event::Hidden => self.is_visible = false,
            Event::Resumed => self.is_visible = true,
            Event::Offline => self.is_online = false,
            Event::Online => self.is_online = true,
            Event::Destroyed => self.is_destroyed = true,
            Event::Wanted(Intent::CheckPayment | Intent::ReportTrouble) => {
                self.has_buyers_word = true;
            }
            Event::Wanted(Intent::Start | Intent::StartFallback | Intent::TakeOver) => {
                self.has_gesture = true;
                self.has_start = true;
            }
            Event::Wanted(Intent::Refresh) => self.has_start = true,
            _ => {}
        }
    }

    /// What an answer tells, before the machine has it.
    fn hear(&mut self, answer: &mut CheckoutAnswer, heard: &mut Heard) {
        // So that the view shows which answer it was made from.
        answer.description = answer.version.map(|version| version.to_string());
        heard.word = Some(answer.state);
        self.seen_version = self.seen_version.max(answer.version);
        if answer.version < self.seen_version {
            return;
        }
        let alive = answer
            .attempt
            .as_ref()
            .filter(|attempt| attempt.remaining_ms != Some(0));
        self.current = alive.and_then(|attempt| Some((attempt.number, attempt.product?)));
        if answer.remaining_ms == Some(0) {
            self.zero_since_ms.get_or_insert(self.page.now_ms);
        }
        let checked_ms = answer
            .checked_ms_ago
            .map(|ago_ms| self.page.now_ms.saturating_sub(ago_ms));
        heard.was_checked_after_zero = checked_ms.is_some() && checked_ms >= self.zero_since_ms;
    }

    /// What is to be known of an event once it is over.
    fn remember(&mut self, taken: &Taken<'_>) {
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
        self.has_buyers_word &= !says_not_paid(&shown);
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

    /// The state, without what the clock showed when it began.
    pub(super) fn key(&self) -> u64 {
        let mut text = String::new();
        let told = (self.paid_told, self.closed_told, self.seen_version);
        let is = (self.is_visible, self.is_online, self.is_destroyed);
        let starts = (self.has_start, self.has_early_start);
        let has = (self.has_gesture, starts, self.has_buyers_word);
        let attempts = (self.has_parameters, self.has_called, self.own, self.current);
        let _ = write!(
            text,
            "{:?} {:?} wake_at_ms: {:?} since_ms: {:?} {told:?} {is:?} {has:?} {attempts:?}",
            self.page.machine, self.page.open, self.page.wake_at_ms, self.zero_since_ms,
        );
        let mut hasher = DefaultHasher::new();
        hash_relative(&text, self.page.now_ms, &mut hasher);
        hasher.finish()
    }
}
