//! Tabs of one browser with the same order: one polls for all, and none relies on another for long.

use checkout::{Effect, Event, Intent, Options, PeerMessage};

use crate::page::{CODE, DESKTOP, Page, code_shown, open_order, paid};

/// The rank of a [`Page`] is 7.
const LOWER: u64 = 1;
const HIGHER: u64 = 9;

fn with_code() -> Page {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    page.answer_start(code_shown(2, 1, CODE));
    page
}

fn receive(page: &mut Page, rank: u64, message: PeerMessage) {
    page.happen(Event::FromPeer { rank, message });
}

fn sent(page: &Page) -> Vec<PeerMessage> {
    let message = |effect: &Effect| match effect {
        Effect::NotifyPeers(message) => Some(*message),
        _ => None,
    };
    page.effects.iter().filter_map(message).collect()
}

#[test]
fn the_tab_with_the_lower_rank_polls_for_both() {
    let mut page = with_code();
    let (held, _) = page.poll_in_flight().unwrap();
    receive(&mut page, HIGHER, PeerMessage::Polling(25_000));
    assert_eq!(page.poll_in_flight().unwrap().0, held, "this tab continues");
    receive(&mut page, LOWER, PeerMessage::Polling(25_000));
    assert!(page.poll_in_flight().is_none(), "the other tab continues");
    page.pass(29_000);
    assert!(page.poll_in_flight().is_none());
    receive(&mut page, LOWER, PeerMessage::Polling(25_000));
    page.pass(29_000);
    assert!(
        page.poll_in_flight().is_none(),
        "while the other tab reports polls"
    );
}

#[test]
fn a_tab_that_polls_for_others_and_disappears_is_waited_for_a_few_seconds() {
    let mut page = with_code();
    receive(&mut page, LOWER, PeerMessage::Polling(25_000));
    page.pass(30_000);
    assert!(page.poll_in_flight().is_some(), "the other tab is silent");
    let mut page = with_code();
    receive(&mut page, LOWER, PeerMessage::Polling(25_000));
    receive(&mut page, LOWER, PeerMessage::Stopped);
    page.pass(1_000);
    assert!(page.poll_in_flight().is_some(), "the other tab stopped");
}

#[test]
fn a_reported_change_is_a_hint_and_causes_a_poll() {
    let mut page = with_code();
    receive(&mut page, LOWER, PeerMessage::Polling(25_000));
    page.pass(5_000);
    receive(&mut page, LOWER, PeerMessage::Changed);
    page.expect_screen("qr");
    page.answer_poll(paid(3));
    page.expect_screen("paid");
}

#[test]
fn the_buyers_query_is_sent_even_while_another_tab_polls() {
    let mut page = with_code();
    receive(&mut page, LOWER, PeerMessage::Polling(25_000));
    page.want(Intent::CheckPayment);
    assert!(page.poll_in_flight().unwrap().1.ask);
    receive(&mut page, LOWER, PeerMessage::Polling(25_000));
    assert!(
        page.poll_in_flight().unwrap().1.ask,
        "not dropped for another tab"
    );
}

#[test]
fn the_last_query_of_a_code_is_sent_by_the_tab_itself() {
    let mut page = with_code();
    receive(&mut page, LOWER, PeerMessage::Polling(300_000));
    page.pass(120_000);
    page.expect_screen("qr-checking");
    assert!(page.poll_in_flight().unwrap().1.ask);
}

#[test]
fn a_tab_reports_its_polls_changes_and_its_end() {
    let mut page = with_code();
    assert_eq!(
        sent(&page),
        [
            PeerMessage::Polling(0),
            PeerMessage::Changed,
            PeerMessage::Polling(25_000)
        ]
    );
    page.effects.clear();
    page.happen(Event::Hidden);
    assert_eq!(sent(&page), [PeerMessage::Stopped]);
    page.pass(1_000);
    page.happen(Event::Resumed);
    page.effects.clear();
    page.answer_poll(paid(3));
    assert_eq!(sent(&page), [PeerMessage::Changed, PeerMessage::Stopped]);
}

#[test]
fn a_tab_that_is_hidden_between_two_polls_reports_it_too() {
    let mut page = with_code();
    page.answer_poll(code_shown(2, 1, CODE));
    assert!(page.poll_in_flight().is_none(), "a pause between two polls");
    page.effects.clear();
    page.happen(Event::Hidden);
    assert_eq!(sent(&page), [PeerMessage::Stopped]);
}

#[test]
fn a_tab_that_is_still_loading_waits_for_no_other() {
    let mut page = Page::new(DESKTOP, Options::default());
    page.happen(Event::Connected);
    receive(&mut page, LOWER, PeerMessage::Polling(25_000));
    assert!(page.poll_in_flight().is_some());
}
