//! How often the backend is asked when something outside of the payment asks for it: other tabs, the
//! page's own events, the page's calls. All of these can come in any number and at any rate.

use checkout::{Effect, Event, Failure, Intent, Options, PeerWord, Request};
use merchant_api::{Action, ApiError, ErrorCode, Product};
use proptest::prelude::*;

use crate::page::{CODE, DESK, PHONE, Page, attempted, closed, code_shown, open_order, paid};

const LOWER: u64 = 1;
const HIGHER: u64 = 9;

fn with_code() -> Page {
    let mut page = Page::opened(DESK, Options::default(), open_order(1));
    page.answer_start(code_shown(2, 1, CODE));
    page.pass(5_000);
    page
}

fn peer(rank: u64, word: PeerWord) -> Event {
    Event::PeerSpoke { rank, word }
}

/// When each request was sent, by a backend that answers all of them at once.
struct Backend {
    sent_at_ms: Vec<u64>,
    seen_effects: usize,
    version: u64,
    /// Each answer has something new.
    always_changes: bool,
}

impl Backend {
    fn new(page: &Page, always_changes: bool) -> Self {
        Self {
            sent_at_ms: Vec::new(),
            seen_effects: page.effects.len(),
            version: 2,
            always_changes,
        }
    }

    /// Notes what was sent since the last call, and answers it.
    fn answer(&mut self, page: &mut Page) {
        loop {
            let new = &page.effects[self.seen_effects..];
            let sends = new
                .iter()
                .filter(|effect| matches!(effect, Effect::Send { .. }));
            self.sent_at_ms.extend(sends.map(|_| page.now_ms));
            self.seen_effects = page.effects.len();
            let Some((id, request)) = page.open.first().cloned() else {
                return;
            };
            self.version += u64::from(self.always_changes);
            let answer = match request {
                Request::Start(form) => {
                    self.version += 1;
                    let number = form.after.unwrap_or(0) + 1;
                    code_shown(self.version, number, CODE)
                }
                Request::Cancel(_) => open_order(self.version),
                // A held question is answered at once only where there is something new.
                Request::Read(query) if query.wait_s.is_some() && !self.always_changes => return,
                Request::Read(_) => code_shown(self.version, 1, CODE),
            };
            page.answer(id, answer);
        }
    }

    /// Lets time pass, with every timer and every answer on time.
    fn pass(&mut self, page: &mut Page, ms: u64) {
        let until_ms = page.now_ms + ms;
        self.answer(page);
        while let Some(at_ms) = page.wake_at_ms.filter(|at_ms| *at_ms <= until_ms) {
            page.wake(at_ms);
            self.answer(page);
        }
        page.now_ms = until_ms;
    }

    /// The most requests in any span of time of this length.
    fn most_in(&self, span_ms: u64) -> usize {
        let count = |from_ms| {
            let is_in = |at_ms: &&u64| (from_ms..from_ms + span_ms).contains(*at_ms);
            self.sent_at_ms.iter().filter(is_in).count()
        };
        self.sent_at_ms
            .iter()
            .map(|from_ms| count(*from_ms))
            .max()
            .unwrap_or(0)
    }
}

fn words() -> impl Strategy<Value = Event> {
    let ranks = proptest::sample::select(vec![0, LOWER, 6, 7, HIGHER, u64::MAX]);
    let words = prop_oneof![
        proptest::sample::select(vec![0, 1, 25_000, u64::MAX]).prop_map(PeerWord::Asks),
        Just(PeerWord::Stopped),
        Just(PeerWord::News),
    ];
    (ranks, words).prop_map(|(rank, word)| peer(rank, word))
}

fn outside() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => words(),
        3 => proptest::sample::select(vec![
            Event::Resumed,
            Event::Hidden,
            Event::Online,
            Event::Offline,
            Event::Woke,
        ]),
        4 => proptest::sample::select(Intent::ALL.to_vec()).prop_map(Event::Wanted),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_other_tabs_say_and_however_fast_they_cause_one_question_a_second(
        words in proptest::collection::vec((words(), 0_u64..40), 1..400),
        always_changes in any::<bool>(),
    ) {
        let mut page = with_code();
        let mut backend = Backend::new(&page, always_changes);
        for (word, gap_ms) in words {
            page.happen(word);
            backend.pass(&mut page, gap_ms);
        }
        prop_assert!(backend.most_in(1_000) <= 1, "{:?}", backend.sent_at_ms);
    }

    #[test]
    fn whatever_happens_outside_and_however_fast_requests_stay_few(
        events in proptest::collection::vec((outside(), 0_u64..20), 1..400),
        always_changes in any::<bool>(),
    ) {
        let mut page = with_code();
        let mut backend = Backend::new(&page, always_changes);
        for (event, gap_ms) in events {
            page.happen(event);
            backend.pass(&mut page, gap_ms);
        }
        // Questions and attempts: eight at once, then four a second. A cancel follows an attempt.
        prop_assert!(backend.most_in(1_000) <= 24, "{:?}", backend.sent_at_ms);
        prop_assert!(backend.most_in(5_000) <= 56, "{:?}", backend.sent_at_ms);
    }
}

#[test]
fn two_words_that_undo_each_other_cause_no_storm() {
    // As a page of the same origin can post them: 2,000 pairs in ten seconds.
    let mut page = with_code();
    let mut backend = Backend::new(&page, false);
    for _ in 0..2_000 {
        page.happen(peer(LOWER, PeerWord::Asks(0)));
        page.happen(peer(LOWER, PeerWord::Stopped));
        page.happen(peer(LOWER, PeerWord::News));
        backend.pass(&mut page, 5);
    }
    let count = backend.sent_at_ms.len();
    assert!(
        (8..=11).contains(&count),
        "{count} questions in ten seconds"
    );
}

#[test]
fn what_the_page_itself_does_in_any_number_causes_one_question_a_second() {
    let cases: [(&str, &[Event]); 5] = [
        ("focus", &[Event::Resumed]),
        ("online", &[Event::Online]),
        ("tabs", &[Event::Hidden, Event::Resumed]),
        ("network", &[Event::Offline, Event::Online]),
        ("resume()", &[Event::Wanted(Intent::Resume)]),
    ];
    for (name, events) in cases {
        for settled in [None, Some(closed(3))] {
            let mut page = with_code();
            let is_settled = settled.is_some();
            if let Some(answer) = settled {
                page.answer_read(answer);
            }
            let mut backend = Backend::new(&page, false);
            for _ in 0..1_000 {
                for event in events {
                    page.happen(event.clone());
                    if is_settled && let Some((id, _)) = page.reading() {
                        backend.sent_at_ms.push(page.now_ms);
                        page.answer(id, closed(3));
                    }
                }
                if is_settled {
                    page.pass(10);
                } else {
                    backend.pass(&mut page, 10);
                }
            }
            let most = backend.most_in(1_000);
            assert!(most <= 1, "{name}, settled: {is_settled}: {most}");
        }
    }
}

#[test]
fn a_page_that_starts_and_cancels_in_a_loop_sends_a_few_attempts_and_then_four_a_second() {
    for (name, user_agent, action) in [
        ("a code", DESK, Some(Action::CodeUrl(CODE.into()))),
        ("no answer at all", PHONE, None),
    ] {
        let mut page = Page::opened(user_agent, Options::default(), open_order(1));
        let mut attempts = 0;
        for round in 0..1_000 {
            page.want(Intent::Start);
            if let Some((id, _)) = page.starting() {
                attempts += 1;
                if let Some(action) = &action {
                    let answer =
                        attempted(2 + round, 1 + round, Product::Native, Some(action.clone()));
                    page.answer(id, answer);
                }
            }
            page.want(Intent::Cancel);
            page.pass(10);
        }
        assert!(
            (20..=50).contains(&attempts),
            "{name}: {attempts} in ten seconds"
        );
    }
}

#[test]
fn a_pause_that_the_backend_asked_for_is_kept_whatever_comes_from_outside() {
    let mut page = with_code();
    let (id, _) = page.reading().unwrap();
    let mut error = ApiError::new(ErrorCode::RateLimited, "too many calls");
    error.retry_after_ms = Some(60_000);
    page.fail(
        id,
        Failure::Refused {
            error,
            answer: None,
        },
    );
    for event in [
        Event::Resumed,
        Event::Online,
        peer(LOWER, PeerWord::News),
        Event::Wanted(Intent::Resume),
    ] {
        page.happen(event.clone());
        page.pass(10_000);
        assert!(page.reading().is_none(), "{event:?}");
    }
    page.pass(20_000);
    assert!(page.reading().is_some(), "then it goes on");
    let (id, _) = page.reading().unwrap();
    let mut error = ApiError::new(ErrorCode::RateLimited, "too many calls");
    error.retry_after_ms = Some(60_000);
    page.fail(
        id,
        Failure::Refused {
            error,
            answer: None,
        },
    );
    page.want(Intent::CheckPayment);
    assert!(
        page.reading().unwrap().1.ask,
        "the buyer's own word is asked"
    );
}

#[test]
fn after_a_failure_another_tab_does_not_shorten_the_wait_and_the_network_does() {
    let mut page = with_code();
    for _ in 0..4 {
        while page.reading().is_none() {
            page.pass(100);
        }
        let (id, _) = page.reading().unwrap();
        page.fail(id, Failure::Unreachable);
    }
    for _ in 0..100 {
        page.happen(peer(HIGHER, PeerWord::News));
        page.pass(50);
    }
    assert!(page.reading().is_none(), "a tab's word proves nothing");
    page.happen(Event::Online);
    assert!(page.reading().is_some());
}

#[test]
fn a_question_to_wechat_that_something_outside_interrupts_is_asked_again() {
    for event in [Event::Resumed, Event::Online, peer(LOWER, PeerWord::News)] {
        let mut page = with_code();
        page.want(Intent::CheckPayment);
        assert!(page.reading().unwrap().1.ask);
        page.pass(3_000);
        page.happen(event.clone());
        assert!(page.reading().unwrap().1.ask, "{event:?}");
    }
}

#[test]
fn news_of_another_tab_still_show_at_once_what_the_backend_says() {
    let mut page = with_code();
    page.happen(peer(LOWER, PeerWord::Asks(25_000)));
    page.pass(1_000);
    page.happen(peer(LOWER, PeerWord::News));
    page.answer_read(paid(3));
    page.expect_screen("paid");
}

#[test]
fn a_clock_that_jumps_back_holds_up_no_hint() {
    for jump_ms in [2_000, 60_000, 3_600_000] {
        let mut page = Page::new(DESK, Options::default());
        page.now_ms = 10_000_000;
        page.happen(Event::Connected);
        page.answer_read(open_order(1));
        page.answer_start(code_shown(2, 1, CODE));
        // Now comes a pause, as after every answer that was not held.
        page.answer_read(code_shown(2, 1, CODE));
        assert!(page.reading().is_none());
        page.now_ms -= jump_ms;
        page.happen(Event::Resumed);
        // The bucket may be empty by the old time.
        page.pass(250);
        assert!(page.reading().is_some(), "back by {jump_ms} ms");
    }
}
