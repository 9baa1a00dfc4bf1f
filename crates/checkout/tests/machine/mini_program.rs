//! A web-view in a mini-program: open the mini-program's own page, and continue when the buyer
//! comes back.

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
fn only_the_buyers_click_opens_the_mini_programs_page() {
    let options = Options {
        auto_start: true,
        ..Options::default()
    };
    let mut page = Page::opened(MINI_PROGRAM, options, open_order(1));
    page.expect_screen("offer");
    page.pass(60_000);
    assert_eq!(page.start_in_flight(), None);
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

/// Not every web-view gets an event when another page covered it.
#[test]
fn a_buyer_whose_return_was_not_noticed_can_check_the_payment() {
    let mut page = handed_over();
    page.pass(5_000);
    let stuck = Screen::Leaving {
        is_stuck: true,
        product: Some(Product::MiniProgram),
        fallback: None,
    };
    assert_eq!(page.screen(), stuck);
    page.want(Intent::CheckPayment);
    assert!(page.poll_in_flight().unwrap().1.ask);
    page.answer_poll(paid(2));
    page.expect_screen("paid");
    assert_eq!(page.navigations(), [MINI_PROGRAM_PATH]);
}

#[test]
fn a_return_causes_one_query_at_wechat() {
    let mut page = handed_over();
    page.happen(Event::Hidden);
    page.pass(30_000);
    page.happen(Event::Resumed);
    assert!(page.poll_in_flight().unwrap().1.ask);
    assert!(matches!(
        page.screen(),
        Screen::Returned {
            is_asking: true,
            ..
        }
    ));
    page.answer_poll(paid(2));
    page.expect_screen("paid");

    let mut page = handed_over();
    page.happen(Event::Hidden);
    page.happen(Event::Resumed);
    page.answer_poll(attempted(2, 1, Product::MiniProgram, None));
    assert!(matches!(
        page.screen(),
        Screen::Returned {
            notice: Some(Notice::NotPaidYet),
            is_asking: false
        }
    ));
}

#[test]
fn a_payment_is_found_even_if_no_event_reports_the_return() {
    let mut page = handed_over();
    page.pass(3_000);
    page.answer_poll(paid(2));
    page.expect_screen("paid");
}

#[test]
fn a_page_that_cannot_be_opened_is_a_problem_that_can_be_retried() {
    let mut page = handed_over();
    page.happen(Event::MiniProgramFailed(
        "navigateTo:fail page not found".into(),
    ));
    page.expect_screen("problem");
    assert_eq!(page.problems(), ["MINI_PROGRAM_UNREACHABLE"]);
    page.want(Intent::Start);
    assert_eq!(
        page.start_in_flight().unwrap().1.product,
        Product::MiniProgram
    );
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

/// Old iOS web-views reveal the mini-program only with the bridge, and not in their User-Agent.
#[test]
fn a_web_view_that_is_recognised_late_as_a_mini_programs_never_calls_the_cashier() {
    let recognised_late = Event::Injected(Injected {
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
        page.answer_poll(open_order(1));
        assert!(page.effects.contains(&Effect::AwaitBridge));
        page
    };
    let offering = opened(false);
    let starting = opened(true);
    let mut awaiting = opened(true);
    let action = Some(Action::Jsapi(pay_parameters()));
    awaiting.answer_start(attempted(2, 1, Product::Jsapi, action));
    for mut page in [offering, starting, awaiting] {
        page.happen(recognised_late.clone());
        assert!(matches!(
            page.screen(),
            Screen::Offer {
                product: Product::MiniProgram,
                ..
            }
        ));
        assert_eq!(
            page.start_in_flight(),
            None,
            "the started attempt is dropped"
        );
        let decided = |what: &Occurrence| matches!(what, Occurrence::SceneDecided(_));
        assert_eq!(page.count(decided), 2);
        page.happen(recognised_late.clone());
        page.want(Intent::Start);
        assert_eq!(
            page.start_in_flight().unwrap().1.product,
            Product::MiniProgram
        );
        assert_eq!(page.count(decided), 2, "once for each decision");
        let is_call = |effect: &Effect| matches!(effect, Effect::InvokeCashier(_));
        assert!(!page.effects.iter().any(is_call));
    }
}

#[test]
fn a_bridge_that_reveals_nothing_new_changes_nothing_on_the_page() {
    let mut page = Page::of(browser(WECHAT), Options::default());
    page.happen(Event::Connected);
    page.answer_poll(open_order(1));
    let before = page.effects.len();
    page.happen(bridge_ready());
    assert_eq!(page.effects.len(), before, "{:?}", &page.effects[before..]);
}
