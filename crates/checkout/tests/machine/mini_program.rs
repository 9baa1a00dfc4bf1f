//! A web-view in a mini-program: hand over to the mini-program's own page, and be there when the
//! buyer comes back.

use crate::page::{MINI_PROGRAM, MINI_PROGRAM_PATH, Page, attempted, open_order, paid};
use checkout::{Destination, Effect, Event, Intent, Notice, Occurrence, Options, Screen};
use merchant_api::{Action, CheckoutAnswer, Product};

fn handed_over() -> Page {
    let mut page = Page::opened(MINI_PROGRAM, Options::default(), open_order(1));
    page.want(Intent::Start);
    let action = Some(Action::MiniProgramPath(MINI_PROGRAM_PATH.into()));
    page.answer_start(CheckoutAnswer {
        action,
        ..open_order(1)
    });
    page
}

#[test]
fn the_buyers_click_opens_the_mini_programs_page_and_nothing_else_does() {
    let options = Options {
        auto_start: true,
        ..Options::default()
    };
    let mut page = Page::opened(MINI_PROGRAM, options, open_order(1));
    page.expect_screen("offer");
    page.pass(60_000);
    assert_eq!(page.starting(), None);
    let page = handed_over();
    assert_eq!(page.navigations(), [MINI_PROGRAM_PATH]);
    assert!(
        page.effects
            .iter()
            .any(|effect| matches!(effect, Effect::Navigate(Destination::MiniProgram(_))))
    );
    assert_eq!(
        page.count(|what| matches!(what, Occurrence::Redirecting(Destination::MiniProgram(_)))),
        1
    );
}

#[test]
fn a_buyer_who_comes_back_is_asked_about_at_wechat_once() {
    let mut page = handed_over();
    page.happen(Event::Hidden);
    page.pass(30_000);
    page.happen(Event::Resumed);
    assert!(page.reading().unwrap().1.ask);
    assert!(matches!(
        page.screen(),
        Screen::Returned {
            is_asking: true,
            ..
        }
    ));
    page.answer_read(paid(2));
    page.expect_screen("paid");

    let mut page = handed_over();
    page.happen(Event::Hidden);
    page.happen(Event::Resumed);
    page.answer_read(attempted(2, 1, Product::MiniProgram, None));
    assert!(matches!(
        page.screen(),
        Screen::Returned {
            notice: Some(Notice::NotPaidYet),
            is_asking: false
        }
    ));
}

#[test]
fn a_payment_is_found_although_the_web_view_was_never_told_that_it_is_seen_again() {
    let mut page = handed_over();
    page.pass(3_000);
    page.answer_read(paid(2));
    page.expect_screen("paid");
}

#[test]
fn a_page_that_cannot_be_opened_is_a_problem_that_can_be_tried_again() {
    let mut page = handed_over();
    page.happen(Event::MiniProgramFailed(
        "navigateTo:fail page not found".into(),
    ));
    page.expect_screen("problem");
    assert_eq!(page.problems(), ["MINI_PROGRAM_UNREACHABLE"]);
    page.want(Intent::Start);
    assert_eq!(page.starting().unwrap().1.product, Product::MiniProgram);
}

#[test]
fn a_failure_that_comes_late_changes_nothing() {
    let mut page = handed_over();
    page.happen(Event::Hidden);
    page.happen(Event::Resumed);
    page.happen(Event::MiniProgramFailed("navigateTo:fail".into()));
    page.expect_screen("returned");
    assert!(page.problems().is_empty());
}
