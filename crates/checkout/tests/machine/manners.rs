//! What the page may ask for in the buyer's name, and the end of an element.

use crate::page::{CODE, DESK, H5_URL, PHONE, Page, attempted, code_shown, open_order, paid};
use checkout::{Effect, Event, Intent, Options};
use merchant_api::{Action, Product};

fn with_code() -> Page {
    let mut page = Page::opened(DESK, Options::default(), open_order(1));
    page.answer_start(code_shown(2, 1, CODE));
    page
}

#[test]
fn nothing_has_an_effect_after_the_end() {
    let mut page = with_code();
    let (reading, _) = page.reading().unwrap();
    page.happen(Event::Destroyed);
    assert!(page.effects.contains(&Effect::Abort(reading)));
    assert!(page.is_quiet(), "no request and no timer is left");
    let before = page.effects.len();
    for event in [
        Event::Connected,
        Event::Woke,
        Event::Resumed,
        Event::Online,
        Event::BridgeReady,
        Event::Destroyed,
        Event::Answered {
            id: reading,
            answer: Box::new(paid(3)),
        },
    ] {
        page.happen(event);
    }
    for intent in Intent::ALL {
        page.want(intent);
    }
    assert_eq!(page.effects.len(), before);
}

#[test]
fn the_end_gives_up_an_attempt_that_is_under_way() {
    let mut page = Page::opened(DESK, Options::default(), open_order(1));
    let (starting, _) = page.starting().unwrap();
    page.happen(Event::Destroyed);
    assert!(page.effects.contains(&Effect::Abort(starting)));
    assert!(page.is_quiet());
}

#[test]
fn a_page_that_says_resume_gets_one_question_and_no_second_attempt() {
    let mut page = with_code();
    let (held, _) = page.reading().unwrap();
    page.pass(5_000);
    page.want(Intent::Resume);
    let (asked, _) = page.reading().unwrap();
    assert_ne!(asked, held, "asked anew");
    page.want(Intent::Resume);
    page.happen(Event::Resumed);
    assert_eq!(page.reading().unwrap().0, asked, "one question for all");
    assert_eq!(page.starting(), None);
}

#[test]
fn a_page_that_brings_the_buyer_back_itself_gets_the_panel_of_a_return() {
    let mut page = Page::opened(PHONE, Options::default(), open_order(1));
    page.want(Intent::Start);
    let action = Some(Action::H5Url(H5_URL.into()));
    page.answer_start(attempted(2, 1, Product::H5, action));
    page.expect_screen("leaving");
    page.want(Intent::Resume);
    page.expect_screen("returned");
}

#[test]
fn resume_in_a_hidden_page_asks_nothing() {
    let mut page = with_code();
    page.happen(Event::Hidden);
    page.want(Intent::Resume);
    assert_eq!(page.readings(), 0);
}
