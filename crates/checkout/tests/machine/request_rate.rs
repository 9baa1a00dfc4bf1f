//! How often the backend is polled when something outside the payment causes polls: other tabs,
//! browser events, calls from the page. All of these can come in any number and at any rate.

use checkout::{Effect, Event, Failure, Intent, Options, PeerMessage, Request};
use merchant_api::{Action, ApiError, ErrorCode, Product};
use proptest::prelude::*;

use crate::page::{CODE, DESKTOP, PHONE, Page, attempted, closed, code_shown, open_order, paid};

const LOWER: u64 = 1;
const HIGHER: u64 = 9;

fn with_code() -> Page {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    page.answer_start(code_shown(2, 1, CODE));
    page.pass(5_000);
    page
}

fn peer(rank: u64, message: PeerMessage) -> Event {
    Event::FromPeer { rank, message }
}

/// Records when each request was sent, with a backend that answers each of them at once.
struct Backend {
    sent_at_ms: Vec<u64>,
    seen_effects: usize,
    version: u64,
    /// Every answer has a new version.
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

    /// Records what was sent since the last call, and answers it.
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
                // A held poll is answered at once only if there is a new version.
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

    /// The highest number of requests in any interval of this length.
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

fn peer_messages() -> impl Strategy<Value = Event> {
    let ranks = proptest::sample::select(vec![0, LOWER, 6, 7, HIGHER, u64::MAX]);
    let messages = prop_oneof![
        proptest::sample::select(vec![0, 1, 25_000, u64::MAX]).prop_map(PeerMessage::Polling),
        Just(PeerMessage::Stopped),
        Just(PeerMessage::Changed),
    ];
    (ranks, messages).prop_map(|(rank, message)| peer(rank, message))
}

fn outside() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => peer_messages(),
        3 => proptest::sample::select(vec![
            Event::Resumed,
            Event::Hidden,
            Event::Online,
            Event::Offline,
            Event::Woke,
        ]),
        4 => proptest::sample::select(Intent::ALL.to_vec()).prop_map(Event::Intent),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn messages_of_other_tabs_cause_at_most_one_poll_a_second(
        messages in proptest::collection::vec((peer_messages(), 0_u64..40), 1..400),
        always_changes in any::<bool>(),
    ) {
        let mut page = with_code();
        let mut backend = Backend::new(&page, always_changes);
        for (message, gap_ms) in messages {
            page.happen(message);
            backend.pass(&mut page, gap_ms);
        }
        prop_assert!(backend.most_in(1_000) <= 1, "{:?}", backend.sent_at_ms);
    }

    #[test]
    fn events_outside_the_payment_cause_a_limited_number_of_requests(
        events in proptest::collection::vec((outside(), 0_u64..20), 1..400),
        always_changes in any::<bool>(),
    ) {
        let mut page = with_code();
        let mut backend = Backend::new(&page, always_changes);
        for (event, gap_ms) in events {
            page.happen(event);
            backend.pass(&mut page, gap_ms);
        }
        // Polls and attempts together: eight at once, then four a second. A cancel follows an
        // attempt.
        prop_assert!(backend.most_in(1_000) <= 24, "{:?}", backend.sent_at_ms);
        prop_assert!(backend.most_in(5_000) <= 56, "{:?}", backend.sent_at_ms);
    }
}

#[test]
fn two_messages_that_undo_each_other_cause_no_burst_of_requests() {
    // As a page of the same origin could send them: 2,000 pairs in ten seconds.
    let mut page = with_code();
    let mut backend = Backend::new(&page, false);
    for _ in 0..2_000 {
        page.happen(peer(LOWER, PeerMessage::Polling(0)));
        page.happen(peer(LOWER, PeerMessage::Stopped));
        page.happen(peer(LOWER, PeerMessage::Changed));
        backend.pass(&mut page, 5);
    }
    let count = backend.sent_at_ms.len();
    assert!((8..=11).contains(&count), "{count} polls in ten seconds");
}

#[test]
fn events_of_the_page_itself_cause_at_most_one_poll_a_second() {
    let cases: [(&str, &[Event]); 5] = [
        ("focus", &[Event::Resumed]),
        ("online", &[Event::Online]),
        ("tabs", &[Event::Hidden, Event::Resumed]),
        ("network", &[Event::Offline, Event::Online]),
        ("resume()", &[Event::Intent(Intent::Resume)]),
    ];
    for (name, events) in cases {
        for settled in [None, Some(closed(3))] {
            let mut page = with_code();
            let is_settled = settled.is_some();
            if let Some(answer) = settled {
                page.answer_poll(answer);
            }
            let mut backend = Backend::new(&page, false);
            for _ in 0..1_000 {
                for event in events {
                    page.happen(event.clone());
                    if is_settled && let Some((id, _)) = page.poll_in_flight() {
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
        ("a code", DESKTOP, Some(Action::CodeUrl(CODE.into()))),
        ("no answer at all", PHONE, None),
    ] {
        let mut page = Page::opened(user_agent, Options::default(), open_order(1));
        let mut attempts = 0;
        for round in 0..1_000 {
            page.want(Intent::Start);
            if let Some((id, _)) = page.start_in_flight() {
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
fn a_pause_that_the_backend_asked_for_is_kept_despite_events_from_outside() {
    let mut page = with_code();
    let (id, _) = page.poll_in_flight().unwrap();
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
        peer(LOWER, PeerMessage::Changed),
        Event::Intent(Intent::Resume),
    ] {
        page.happen(event.clone());
        page.pass(10_000);
        assert!(page.poll_in_flight().is_none(), "{event:?}");
    }
    page.pass(20_000);
    assert!(page.poll_in_flight().is_some(), "polling continues");
    let (id, _) = page.poll_in_flight().unwrap();
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
        page.poll_in_flight().unwrap().1.ask,
        "the buyer's intent causes a query"
    );
}

#[test]
fn after_a_failure_the_network_shortens_the_pause_and_another_tab_does_not() {
    let mut page = with_code();
    for _ in 0..4 {
        while page.poll_in_flight().is_none() {
            page.pass(100);
        }
        let (id, _) = page.poll_in_flight().unwrap();
        page.fail(id, Failure::Unreachable);
    }
    for _ in 0..100 {
        page.happen(peer(HIGHER, PeerMessage::Changed));
        page.pass(50);
    }
    assert!(
        page.poll_in_flight().is_none(),
        "a tab's message proves nothing"
    );
    page.happen(Event::Online);
    assert!(page.poll_in_flight().is_some());
}

#[test]
fn a_query_at_wechat_that_is_interrupted_is_repeated() {
    for event in [
        Event::Resumed,
        Event::Online,
        peer(LOWER, PeerMessage::Changed),
    ] {
        let mut page = with_code();
        page.want(Intent::CheckPayment);
        assert!(page.poll_in_flight().unwrap().1.ask);
        page.pass(3_000);
        page.happen(event.clone());
        assert!(page.poll_in_flight().unwrap().1.ask, "{event:?}");
    }
}

#[test]
fn a_change_reported_by_another_tab_shows_the_backends_answer_at_once() {
    let mut page = with_code();
    page.happen(peer(LOWER, PeerMessage::Polling(25_000)));
    page.pass(1_000);
    page.happen(peer(LOWER, PeerMessage::Changed));
    page.answer_poll(paid(3));
    page.expect_screen("paid");
}

#[test]
fn a_clock_that_jumps_back_delays_no_hint() {
    for jump_ms in [2_000, 60_000, 3_600_000] {
        let mut page = Page::new(DESKTOP, Options::default());
        page.now_ms = 10_000_000;
        page.happen(Event::Connected);
        page.answer_poll(open_order(1));
        page.answer_start(code_shown(2, 1, CODE));
        // A pause follows, as after every answer that was not held.
        page.answer_poll(code_shown(2, 1, CODE));
        assert!(page.poll_in_flight().is_none());
        page.now_ms -= jump_ms;
        page.happen(Event::Resumed);
        // By the old time the bucket may be empty.
        page.pass(250);
        assert!(page.poll_in_flight().is_some(), "back by {jump_ms} ms");
    }
}
