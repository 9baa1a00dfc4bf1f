//! Tabs of one browser at the same order: one asks for all, and none relies on another for long.

use checkout::{Effect, Event, Intent, Options, PeerWord};

use crate::page::{CODE, DESK, Page, code_shown, open_order, paid};

/// Pages have the rank 7.
const LOWER: u64 = 1;
const HIGHER: u64 = 9;

fn with_code() -> Page {
    let mut page = Page::opened(DESK, Options::default(), open_order(1));
    page.answer_start(code_shown(2, 1, CODE));
    page
}

fn hear(page: &mut Page, rank: u64, word: PeerWord) {
    page.happen(Event::PeerSpoke { rank, word });
}

fn told(page: &Page) -> Vec<PeerWord> {
    let word = |effect: &Effect| match effect {
        Effect::TellPeers(word) => Some(*word),
        _ => None,
    };
    page.effects.iter().filter_map(word).collect()
}

#[test]
fn the_tab_with_the_lower_rank_asks_for_both() {
    let mut page = with_code();
    let (held, _) = page.reading().unwrap();
    hear(&mut page, HIGHER, PeerWord::Asks(25_000));
    assert_eq!(page.reading().unwrap().0, held, "this one goes on");
    hear(&mut page, LOWER, PeerWord::Asks(25_000));
    assert!(page.reading().is_none(), "the other one goes on");
    page.pass(29_000);
    assert!(page.reading().is_none());
    hear(&mut page, LOWER, PeerWord::Asks(25_000));
    page.pass(29_000);
    assert!(page.reading().is_none(), "for as long as it says so");
}

#[test]
fn a_tab_that_asks_for_others_and_is_gone_is_waited_for_a_few_seconds_and_no_more() {
    let mut page = with_code();
    hear(&mut page, LOWER, PeerWord::Asks(25_000));
    page.pass(30_000);
    assert!(page.reading().is_some(), "it said nothing more");
    let mut page = with_code();
    hear(&mut page, LOWER, PeerWord::Asks(25_000));
    hear(&mut page, LOWER, PeerWord::Stopped);
    page.pass(1_000);
    assert!(page.reading().is_some(), "it said that it stopped");
}

#[test]
fn news_are_a_hint_and_the_backend_is_asked() {
    let mut page = with_code();
    hear(&mut page, LOWER, PeerWord::Asks(25_000));
    page.pass(5_000);
    hear(&mut page, LOWER, PeerWord::News);
    page.expect_screen("qr");
    page.answer_read(paid(3));
    page.expect_screen("paid");
}

#[test]
fn what_the_buyer_asks_for_is_asked_whoever_else_asks() {
    let mut page = with_code();
    hear(&mut page, LOWER, PeerWord::Asks(25_000));
    page.want(Intent::CheckPayment);
    assert!(page.reading().unwrap().1.ask);
    hear(&mut page, LOWER, PeerWord::Asks(25_000));
    assert!(
        page.reading().unwrap().1.ask,
        "and not given up for another"
    );
}

#[test]
fn the_last_query_of_a_code_is_the_tabs_own() {
    let mut page = with_code();
    hear(&mut page, LOWER, PeerWord::Asks(300_000));
    page.pass(120_000);
    page.expect_screen("qr-checking");
    assert!(page.reading().unwrap().1.ask);
}

#[test]
fn a_tab_says_what_it_asks_that_it_heard_something_new_and_that_it_stops() {
    let mut page = with_code();
    assert_eq!(
        told(&page),
        [PeerWord::Asks(0), PeerWord::News, PeerWord::Asks(25_000)]
    );
    page.effects.clear();
    page.happen(Event::Hidden);
    assert_eq!(told(&page), [PeerWord::Stopped]);
    page.pass(1_000);
    page.happen(Event::Resumed);
    page.effects.clear();
    page.answer_read(paid(3));
    assert_eq!(told(&page), [PeerWord::News, PeerWord::Stopped]);
}

#[test]
fn a_tab_that_goes_between_two_questions_says_so_too() {
    let mut page = with_code();
    page.answer_read(code_shown(2, 1, CODE));
    assert!(page.reading().is_none(), "a pause");
    page.effects.clear();
    page.happen(Event::Hidden);
    assert_eq!(told(&page), [PeerWord::Stopped]);
}

#[test]
fn a_tab_that_is_only_loading_waits_for_no_other() {
    let mut page = Page::new(DESK, Options::default());
    page.happen(Event::Connected);
    hear(&mut page, LOWER, PeerWord::Asks(25_000));
    assert!(page.reading().is_some());
}
