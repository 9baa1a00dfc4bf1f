//! A desktop: the QR code.

use checkout::{Connection, Event, Failure, Intent, Occurrence, Options, Screen};
use merchant_api::{CheckoutAnswer, ErrorCode, OrderState, Product};

use crate::page::{
    CODE, DESKTOP, OTHER_CODE, PHONE, Page, attempted, closed, code_shown, open_order, paid,
};

fn with_code() -> Page {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    page.answer_start(code_shown(2, 1, CODE));
    page
}

#[test]
fn on_a_desktop_the_code_appears_without_a_click_and_the_held_poll_reports_the_payment() {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    let (_, form) = page.start_in_flight().unwrap();
    assert_eq!(
        (form.product, form.after, form.return_url),
        (Product::Native, Some(0), None)
    );
    page.answer_start(code_shown(2, 1, CODE));
    page.expect_screen("qr");
    let (_, query) = page.poll_in_flight().unwrap();
    assert_eq!((query.wait_s, query.seen), (Some(25), Some(2)));
    page.answer_poll(paid(3));
    page.expect_screen("paid");
    assert_eq!(page.paid_count(), 1);
    assert!(page.is_quiet(), "no request and no timer after a payment");
}

#[test]
fn an_existing_code_is_shown_without_a_new_attempt() {
    let page = Page::opened(DESKTOP, Options::default(), code_shown(5, 1, CODE));
    page.expect_screen("qr");
    assert_eq!(page.start_in_flight(), None);
}

/// A page may have requested the attempt while it loaded the machine (`www/src/first-request.js`), by
/// this very form. It gives the answer to the machine's first poll.
#[test]
fn an_attempt_that_was_requested_before_the_machine_ran_is_not_requested_again() {
    let page = Page::opened(DESKTOP, Options::default(), open_order(1));
    let (_, form) = page.start_in_flight().unwrap();
    let native = [("product", "native".to_owned()), ("after", "0".to_owned())];
    assert_eq!(form.fields(), native);

    for (device, expected) in [(DESKTOP, "qr"), (PHONE, "offer")] {
        let mut page = Page::new(device, Options::default());
        page.happen(Event::Connected);
        let (_, query) = page.poll_in_flight().unwrap();
        assert_eq!(query.to_query(), "", "the plain checkout");
        page.answer_poll(code_shown(2, 1, CODE));
        page.expect_screen(expected);
        assert_eq!(page.start_in_flight(), None, "{expected}");
        let (_, query) = page.poll_in_flight().unwrap();
        assert_eq!((query.wait_s, query.seen), (Some(25), Some(2)));
        page.answer_poll(paid(3));
        page.expect_screen("paid");
    }
}

#[test]
fn the_countdown_shows_the_time_that_ends_first() {
    let mut page = with_code();
    page.pass(30_500);
    match page.screen() {
        Screen::QrCode { remaining_ms, .. } => assert_eq!(remaining_ms, Some(89_500)),
        other => panic!("{other:?}"),
    }
}

/// Firefox's timers fire up to a millisecond early by its own clock.
#[test]
fn a_timer_that_fires_too_early_is_set_again() {
    let mut page = with_code();
    let (id, _) = page.poll_in_flight().unwrap();
    page.answer(
        id,
        CheckoutAnswer {
            poll_after_ms: Some(250),
            ..code_shown(2, 1, CODE)
        },
    );
    let at_ms = page.wake_at_ms.expect("the next poll is scheduled");
    page.now_ms = at_ms - 1;
    page.happen(Event::Woke);
    assert_eq!(page.poll_in_flight(), None);
    assert_eq!(page.wake_at_ms, Some(at_ms));
    page.pass(1);
    assert!(page.poll_in_flight().is_some());
}

#[test]
fn at_zero_wechat_is_queried_once_more_before_the_code_expires() {
    let mut page = with_code();
    let (id, _) = page.poll_in_flight().unwrap();
    page.pass(120_000);
    page.expect_screen("qr-checking");
    let (last, query) = page.poll_in_flight().unwrap();
    assert!(
        query.ask && last != id,
        "a query at WeChat replaced the held poll"
    );
    page.answer_poll(CheckoutAnswer {
        action: None,
        checked_ms_ago: Some(60_000),
        ..code_shown(2, 1, CODE)
    });
    page.expect_screen("qr-checking");
    page.pass(2_000);
    assert!(
        page.poll_in_flight().unwrap().1.ask,
        "an answer from before zero does not count"
    );
    page.answer_poll(CheckoutAnswer {
        action: None,
        checked_ms_ago: Some(10),
        ..code_shown(2, 1, CODE)
    });
    page.expect_screen("qr-expired");
}

#[test]
fn money_that_moved_at_the_last_moment_is_found_by_the_last_query() {
    let mut page = with_code();
    page.pass(120_000);
    page.answer_poll(paid(3));
    page.expect_screen("paid");
    assert_eq!(page.paid_count(), 1);
}

fn expired() -> Page {
    let mut page = with_code();
    page.pass(120_000);
    page.answer_poll(CheckoutAnswer {
        action: None,
        checked_ms_ago: Some(0),
        ..code_shown(2, 1, CODE)
    });
    page.expect_screen("qr-expired");
    page
}

#[test]
fn an_expired_code_is_renewed_in_place_and_still_polled_for_a_late_payment() {
    let mut page = expired();
    page.pass(5_000);
    assert_eq!(page.polls_in_flight(), 1, "polled for a late payment");
    page.want(Intent::Refresh);
    let (_, form) = page.start_in_flight().unwrap();
    assert_eq!(form.after, Some(1));
    page.answer_start(code_shown(3, 1, OTHER_CODE));
    page.expect_screen("qr");
    assert_eq!(page.count(|what| matches!(what, Occurrence::QrShown)), 2);
}

#[test]
fn a_late_payment_after_expired_or_closed_is_shown_as_paid() {
    let mut page = expired();
    page.pass(30_000);
    page.answer_poll(paid(9));
    page.expect_screen("paid");

    let mut page = with_code();
    page.answer_poll(closed(3));
    page.expect_screen("closed");
    assert!(page.is_quiet());
    page.pass(1_000);
    page.happen(Event::Resumed);
    page.answer_poll(paid(4));
    page.expect_screen("paid");
    assert_eq!(page.paid_count(), 1);
}

#[test]
fn closed_is_emitted_once_and_an_open_answer_after_it_changes_nothing() {
    let mut page = with_code();
    page.answer_poll(closed(3));
    page.pass(1_000);
    page.happen(Event::Resumed);
    page.answer_poll(code_shown(4, 1, CODE));
    page.expect_screen("closed");
    page.pass(1_000);
    page.happen(Event::Resumed);
    page.answer_poll(closed(5));
    assert_eq!(page.count(|what| matches!(what, Occurrence::Closed)), 1);
}

#[test]
fn an_order_whose_time_is_over_is_expired_and_not_renewed() {
    let mut page = with_code();
    page.pass(120_000);
    page.answer_poll(CheckoutAnswer {
        action: None,
        checked_ms_ago: Some(0),
        remaining_ms: Some(0),
        ..code_shown(2, 1, CODE)
    });
    page.expect_screen("expired");
    page.want(Intent::Refresh);
    assert_eq!(page.start_in_flight(), None);
}

#[test]
fn a_stale_version_and_a_stale_request_change_nothing() {
    let mut page = with_code();
    let (id, _) = page.poll_in_flight().unwrap();
    page.answer_poll(code_shown(1, 1, OTHER_CODE));
    assert!(matches!(page.screen(), Screen::QrCode { code_url, .. } if code_url == CODE));
    page.answer(id, closed(8));
    page.expect_screen("qr");
}

#[test]
fn an_attempt_taken_over_by_another_device_is_shown_and_can_be_taken_back() {
    let mut page = with_code();
    page.answer_poll(attempted(3, 2, Product::H5, None));
    page.expect_screen("elsewhere");
    page.want(Intent::TakeOver);
    assert_eq!(page.start_in_flight().unwrap().1.after, Some(2));
    page.answer_start(code_shown(4, 3, OTHER_CODE));
    page.expect_screen("qr");
}

#[test]
fn a_reload_does_not_take_over_from_another_device() {
    let page = Page::opened(
        DESKTOP,
        Options::default(),
        attempted(3, 2, Product::Jsapi, None),
    );
    page.expect_screen("elsewhere");
    assert_eq!(page.start_in_flight(), None);
}

#[test]
fn another_devices_expired_attempt_blocks_nobody() {
    let mut over = attempted(3, 2, Product::H5, None);
    if let Some(attempt) = &mut over.attempt {
        attempt.remaining_ms = Some(0);
    }
    let page = Page::opened(DESKTOP, Options::default(), over);
    assert_eq!(page.start_in_flight().unwrap().1.after, Some(2));
}

#[test]
fn two_tabs_share_one_code() {
    let mut page = with_code();
    page.answer_poll(code_shown(3, 2, OTHER_CODE));
    assert!(matches!(page.screen(), Screen::QrCode { code_url, .. } if code_url == OTHER_CODE));
    assert_eq!(page.start_in_flight(), None);

    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    page.refuse_start(ErrorCode::AttemptSuperseded, Some(code_shown(2, 1, CODE)));
    page.expect_screen("qr");
}

#[test]
fn an_attempt_in_doubt_is_retried_and_never_becomes_a_second_attempt() {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    page.refuse_start(ErrorCode::AttemptInDoubt, None);
    page.expect_screen("starting");
    assert_eq!(page.start_in_flight(), None, "not before its time");
    page.pass(10_000);
    assert_eq!(
        page.start_in_flight().unwrap().1.after,
        Some(0),
        "the same compare-and-set"
    );
    for _ in 0..3 {
        page.refuse_start(ErrorCode::AttemptInDoubt, None);
        page.pass(20_000);
    }
    page.expect_screen("problem");
    assert_eq!(page.problems(), ["ATTEMPT_IN_DOUBT"]);
    page.want(Intent::Start);
    assert!(page.start_in_flight().is_some(), "the buyer may try again");
}

#[test]
fn an_unreachable_backend_is_retried_and_the_buyer_is_told() {
    let mut page = with_code();
    for _ in 0..3 {
        let (id, _) = page.poll_in_flight().unwrap();
        page.fail(id, Failure::Unreachable);
        page.pass(10_000);
    }
    let view = page.machine.view(page.now_ms);
    assert_eq!(view.connection, Connection::Reconnecting);
    page.expect_screen("qr");
    assert!(page.problems().is_empty());
    page.answer_poll(code_shown(2, 1, CODE));
    assert_eq!(
        page.machine.view(page.now_ms).connection,
        Connection::Steady
    );
}

/// The likeliest mistakes in a new integration: another origin, a wrong host, a content policy.
#[test]
fn a_backend_that_is_never_reached_is_reported_once_and_polled_on() {
    let unreachable = |page: &mut Page| {
        until_polled(page);
        let (id, _) = page.poll_in_flight().unwrap();
        page.fail(id, Failure::Unreachable);
    };
    let silent = |page: &mut Page| page.pass(15_000);
    let ways: [&dyn Fn(&mut Page); 2] = [&unreachable, &silent];
    for fail in ways {
        let mut page = Page::new(DESKTOP, Options::default());
        page.happen(Event::Connected);
        assert!(page.problems().is_empty(), "one failure is not reported");
        for _ in 0..6 {
            fail(&mut page);
        }
        assert_eq!(page.problems(), ["UNREACHABLE"]);
        page.expect_screen("loading");
        until_polled(&mut page);
        page.answer_poll(code_shown(1, 1, CODE));
        page.expect_screen("qr");
    }
}

fn until_polled(page: &mut Page) {
    while page.poll_in_flight().is_none() {
        page.pass(1_000);
    }
}

#[test]
fn a_poll_without_an_answer_is_aborted_and_repeated() {
    let mut page = with_code();
    let (id, _) = page.poll_in_flight().unwrap();
    page.pass(40_000);
    let (next, _) = page.poll_in_flight().unwrap();
    assert_ne!(id, next);
    assert_eq!(page.polls_in_flight(), 1);
}

#[test]
fn a_hidden_page_polls_never_and_a_page_that_becomes_visible_polls_once() {
    let mut page = with_code();
    page.happen(Event::Hidden);
    assert_eq!(page.polls_in_flight(), 0);
    page.pass(60_000);
    assert_eq!(page.polls_in_flight(), 0);
    page.happen(Event::Resumed);
    page.happen(Event::Resumed);
    page.happen(Event::Online);
    assert_eq!(page.polls_in_flight(), 1);
    assert_eq!(page.poll_in_flight().unwrap().1.wait_s, Some(25));
}

#[test]
fn after_success_the_page_navigates_to_the_shop_only_by_a_checked_address() {
    let answer = |url: &str| CheckoutAnswer {
        success_url: Some(url.into()),
        ..paid(3)
    };
    let mut page = with_code();
    page.answer_poll(answer("https://shop.example/thanks"));
    assert!(
        page.navigations().is_empty(),
        "the buyer sees the success first"
    );
    page.pass(3_000);
    assert_eq!(page.navigations(), ["https://shop.example/thanks"]);

    let mut page = with_code();
    page.answer_poll(answer("javascript:alert(1)"));
    page.pass(10_000);
    assert!(page.navigations().is_empty());
    assert_eq!(page.problems(), ["SUCCESS_URL_REFUSED"]);
    page.expect_screen("paid");
}

#[test]
fn a_code_on_the_phone_itself_asks_for_another_device_to_scan_it() {
    let options = Options {
        product: Some(Product::Native),
        ..Options::default()
    };
    let mut page = Page::opened(PHONE, options, open_order(1));
    page.answer_start(code_shown(2, 1, CODE));
    assert!(matches!(
        page.screen(),
        Screen::QrCode {
            is_handheld: true,
            ..
        }
    ));
}

#[test]
fn an_order_that_is_paid_already_is_shown_as_paid_at_once() {
    let page = Page::opened(DESKTOP, Options::default(), paid(7));
    page.expect_screen("paid");
    assert_eq!(page.paid_count(), 1);
    assert!(page.is_quiet());
}

#[test]
fn paid_counts_even_in_a_stale_version() {
    let mut page = with_code();
    page.answer_poll(CheckoutAnswer {
        state: OrderState::Paid,
        ..open_order(1)
    });
    page.expect_screen("paid");
}
