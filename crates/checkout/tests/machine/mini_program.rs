//! A web-view in a mini-program: hand over to the mini-program's own page, and be there when the
//! buyer comes back.

use checkout::{Destination, Effect, Event, Injected, Intent, Notice, Occurrence, Options, Screen};
use merchant_api::{Action, CheckoutAnswer, Product};

use crate::page::{
    MINI_PROGRAM, MINI_PROGRAM_PATH, Page, WECHAT, attempted, bridge_ready, browser, open_order,
    paid, pay_parameters,
};

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

/// Not every web-view hears that another page lay over it.
#[test]
fn a_buyer_who_comes_back_unnoticed_can_say_so_or_open_the_page_again() {
    let mut page = handed_over();
    page.pass(5_000);
    let stuck = Screen::Leaving {
        is_stuck: true,
        product: Some(Product::MiniProgram),
        fallback: None,
    };
    assert_eq!(page.screen(), stuck);
    page.want(Intent::CheckPayment);
    assert!(page.reading().unwrap().1.ask);
    page.answer_read(paid(2));
    page.expect_screen("paid");
    assert_eq!(page.navigations(), [MINI_PROGRAM_PATH]);
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

/// Old web-views of iOS say it with the bridge alone, and not in their name.
#[test]
fn a_web_view_that_says_late_that_it_is_a_mini_programs_never_calls_the_cashier() {
    let told_late = Event::Injected(Injected {
        bridge: true,
        sdk: false,
        mini_program: true,
    });
    let opened = |auto_start| {
        let options = Options {
            auto_start,
            ..Options::default()
        };
        let mut page = Page::of(browser(WECHAT), options);
        page.happen(Event::Connected);
        page.answer_read(open_order(1));
        assert!(page.effects.contains(&Effect::AwaitBridge));
        page
    };
    let offering = opened(false);
    let starting = opened(true);
    let mut awaiting = opened(true);
    let action = Some(Action::Jsapi(pay_parameters()));
    awaiting.answer_start(attempted(2, 1, Product::Jsapi, action));
    for mut page in [offering, starting, awaiting] {
        page.happen(told_late.clone());
        assert!(matches!(
            page.screen(),
            Screen::Offer {
                product: Product::MiniProgram,
                ..
            }
        ));
        assert_eq!(page.starting(), None, "what was begun is given up");
        let decided = |what: &Occurrence| matches!(what, Occurrence::SceneDecided(_));
        assert_eq!(page.count(decided), 2);
        page.happen(told_late.clone());
        page.want(Intent::Start);
        assert_eq!(page.starting().unwrap().1.product, Product::MiniProgram);
        assert_eq!(page.count(decided), 2, "once for each decision");
        let is_call = |effect: &Effect| matches!(effect, Effect::InvokeCashier(_));
        assert!(!page.effects.iter().any(is_call));
    }
}

#[test]
fn a_bridge_that_brings_nothing_new_changes_nothing_on_the_page() {
    let mut page = Page::of(browser(WECHAT), Options::default());
    page.happen(Event::Connected);
    page.answer_read(open_order(1));
    let before = page.effects.len();
    page.happen(bridge_ready());
    assert_eq!(page.effects.len(), before, "{:?}", &page.effects[before..]);
}
