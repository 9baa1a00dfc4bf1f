//! Which screen follows which, and after what: the source of the state diagrams in the documents. The machine is
//! walked from the beginning of each scene; screens that differ only in a time or a text count as one place.
//!
//! `BLESS=1 cargo test -p checkout --test machine transitions` writes the list again, and `cargo xtask docs` the
//! diagrams.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::path::Path;

use checkout::{Effect, Event, Facts, Options, Request};

use super::steps::{Step, steps};
use super::{back_from_wechat, to_wechat, with_bridge};
use crate::page::{DESKTOP, MINI_PROGRAM, PHONE, Page, WECHAT, browser};

/// What happens beside a payment: other tabs, the network, a page that is hidden. It changes no screen for long.
const BESIDE: [&str; 9] = [
    "hidden",
    "resumed",
    "offline",
    "online",
    "woken early",
    "destroyed",
    "a peer polls",
    "a peer stops",
    "a peer reports a change",
];
/// More wakes than a code's countdown and its polls need.
const WAKES: usize = 300;

#[test]
fn the_list_of_transitions_is_that_of_the_machine() {
    let mut rows = BTreeSet::new();
    let known_payer = Options {
        auto_start: true,
        payer: Some("handle-1".into()),
        ..to_wechat()
    };
    for (scene, facts, options) in [
        ("desk", browser(DESKTOP), Options::default()),
        ("phone", browser(PHONE), to_wechat()),
        ("phone", browser(PHONE), back_from_wechat()),
        ("wechat", with_bridge(WECHAT), to_wechat()),
        ("wechat", with_bridge(WECHAT), known_payer),
        ("wechat", with_bridge(WECHAT), back_from_wechat()),
        ("mini-program", browser(MINI_PROGRAM), Options::default()),
    ] {
        walk(scene, facts, options, &mut rows);
    }
    let lines = rows.iter().map(|row| row.join("\t") + "\n");
    let text: String = lines.collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens/transitions.tsv");
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, &text).expect("the list is written");
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        text == golden,
        "the transitions changed: BLESS=1 writes them, and then `cargo xtask docs` the diagrams"
    );
}

/// A page, and whether WeChat's cashier was called on it.
#[derive(Clone)]
struct State {
    page: Page,
    has_called: bool,
}

impl State {
    /// The state after something happened. The invariants are the walk's; here only screens matter.
    fn after(&self, step: Step) -> Self {
        let mut state = self.clone();
        let page = &mut state.page;
        page.effects.clear();
        let open = page.open.first().map(|(id, _)| *id);
        match step {
            Step::Wake => page.wake(page.wake_at_ms.expect("a timer is set")),
            Step::Event(event) => page.happen(event),
            Step::Answer(answer) => page.answer(open.expect("a request is open"), answer),
            Step::Fail(failure) => page.fail(open.expect("a request is open"), failure),
        }
        let calls =
            |effect: &Effect| matches!(effect, Effect::InvokeCashier(_) | Effect::InvokeSdk(_));
        state.has_called |= state.page.effects.iter().any(calls);
        state
    }

    fn steps(&self) -> Vec<(&'static str, Step)> {
        steps(&self.page, self.has_called)
    }

    /// Waits, over all polls, until the screen is different.
    fn waited(&self) -> Self {
        let mut state = self.clone();
        for _ in 0..WAKES {
            if state.page.wake_at_ms.is_none() || state.screen() != self.screen() {
                break;
            }
            state = state.after(Step::Wake);
        }
        state
    }

    /// The screen without its numbers.
    fn screen(&self) -> String {
        let screen = format!("{:?}", self.page.screen());
        screen.replace(|letter: char| letter.is_ascii_digit(), "")
    }

    /// The screen, and what the page waits for.
    fn place(&self) -> String {
        let waits = self.page.open.iter().map(|(_, request)| match request {
            Request::Read(query) if query.ask => "asks",
            Request::Read(_) => "reads",
            Request::Start(_) => "starts",
            Request::Cancel(_) => "cancels",
        });
        let waits: Vec<_> = waits.collect();
        let has_timer = self.page.wake_at_ms.is_some();
        format!("{} {waits:?} {has_timer}", self.screen())
    }
}

/// Adds the transitions of a scene: its name, a screen, what happens, the next screen.
fn walk(scene: &'static str, facts: Facts, options: Options, rows: &mut BTreeSet<[String; 4]>) {
    let mut page = Page::of(facts, options);
    page.happen(Event::Connected);
    let has_called = false;
    let mut seen = HashSet::new();
    let mut waiting = VecDeque::from([State { page, has_called }]);
    while let Some(state) = waiting.pop_front() {
        if !seen.insert(state.place()) {
            continue;
        }
        let from = state.page.screen().name();
        for (name, step) in state.steps() {
            if BESIDE.contains(&name) {
                continue;
            }
            let (event, reached) = match step {
                Step::Wake => ("time passes", state.waited()),
                step => (name, state.after(step)),
            };
            let to = reached.page.screen().name();
            if to != from {
                rows.insert([scene, from, event, to].map(str::to_owned));
            }
            waiting.push_back(reached);
        }
    }
}
