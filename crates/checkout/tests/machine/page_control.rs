//! What the page can control (start, resume, cancel, destroy), and what a click causes while offline.

use checkout::{BridgeReply, Connection, Effect, Event, Failure, Intent, Options, Request};
use merchant_api::{Action, CheckoutAnswer, ErrorCode, Malformed, Product};

use crate::page::{
    CODE, DESKTOP, H5_URL, MINI_PROGRAM, MINI_PROGRAM_PATH, OTHER_CODE, PHONE, Page, WECHAT,
    attempted, bridge_ready, code_shown, open_order, paid, pay_parameters,
};

fn with_code() -> Page {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    page.answer_start(code_shown(2, 1, CODE));
    page
}

#[test]
fn no_event_has_an_effect_after_destroy() {
    let mut page = with_code();
    let (reading, _) = page.poll_in_flight().unwrap();
    page.happen(Event::Destroyed);
    assert!(page.effects.contains(&Effect::Abort(reading)));
    assert!(page.is_quiet(), "no request and no timer is left");
    let before = page.effects.len();
    for event in [
        Event::Connected,
        Event::Woke,
        Event::Resumed,
        Event::Online,
        bridge_ready(),
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
fn destroy_aborts_an_attempt_in_flight() {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    let (starting, _) = page.start_in_flight().unwrap();
    page.happen(Event::Destroyed);
    assert!(page.effects.contains(&Effect::Abort(starting)));
    assert!(page.is_quiet());
}

/// On a slow network the page's own button is pressed before the order has arrived.
#[test]
fn a_start_before_the_first_answer_is_kept_and_starts_once() {
    let early = |place, intents: &[Intent]| {
        let mut page = Page::new(place, Options::default());
        page.happen(Event::Connected);
        for intent in intents {
            page.want(*intent);
        }
        assert_eq!(page.start_in_flight(), None, "nothing is known yet");
        page.answer_poll(open_order(1));
        page
    };
    let start = Intent::Start;
    for place in [PHONE, WECHAT, MINI_PROGRAM, DESKTOP] {
        let mut page = early(place, &[start, start]);
        page.expect_screen("starting");
        page.want(start);
        assert_eq!(page.open.len(), 1, "{place}");
    }
    early(PHONE, &[start, Intent::Cancel]).expect_screen("offer");

    // After a failure in the meantime, only another click starts again.
    let mut page = Page::new(PHONE, Options::default());
    page.happen(Event::Connected);
    page.want(start);
    let (id, _) = page.poll_in_flight().unwrap();
    page.fail(
        id,
        Failure::Malformed(Malformed::not("state", "is missing")),
    );
    page.expect_screen("problem");
    page.happen(Event::Resumed);
    page.pass(60_000);
    assert_eq!(page.start_in_flight(), None);
}

#[test]
fn resume_causes_one_poll_and_no_second_attempt() {
    let mut page = with_code();
    let (held, _) = page.poll_in_flight().unwrap();
    page.pass(5_000);
    page.want(Intent::Resume);
    let (asked, _) = page.poll_in_flight().unwrap();
    assert_ne!(asked, held, "polled again");
    page.want(Intent::Resume);
    page.happen(Event::Resumed);
    assert_eq!(page.poll_in_flight().unwrap().0, asked, "one poll for all");
    assert_eq!(page.start_in_flight(), None);
}

#[test]
fn a_page_that_brings_the_buyer_back_itself_gets_the_return_panel() {
    let mut page = Page::opened(PHONE, Options::default(), open_order(1));
    page.want(Intent::Start);
    let action = Some(Action::H5Url(H5_URL.into()));
    page.answer_start(attempted(2, 1, Product::H5, action));
    page.expect_screen("leaving");
    page.want(Intent::Resume);
    page.expect_screen("returned");
}

#[test]
fn resume_in_a_hidden_page_causes_no_poll() {
    let mut page = with_code();
    page.happen(Event::Hidden);
    page.want(Intent::Resume);
    assert_eq!(page.polls_in_flight(), 0);
}

fn gone_to_wechat() -> Page {
    let mut page = Page::opened(PHONE, Options::default(), open_order(1));
    page.want(Intent::Start);
    let action = Some(Action::H5Url(H5_URL.into()));
    page.answer_start(attempted(2, 1, Product::H5, action));
    page
}

/// The number of the attempt that a cancel was sent for.
fn cancelled(page: &Page) -> Option<u64> {
    page.open.iter().find_map(|(_, request)| match request {
        Request::Cancel(form) => Some(form.after),
        _ => None,
    })
}

#[test]
fn cancel_ends_the_attempt_wherever_the_buyer_left_to() {
    let back = |page: &mut Page| {
        page.happen(Event::Hidden);
        page.happen(Event::Resumed);
        page.expect_screen("returned");
    };
    let leaving = gone_to_wechat();
    let mut returned = gone_to_wechat();
    back(&mut returned);
    let mut asking = gone_to_wechat();
    back(&mut asking);
    asking.want(Intent::ReportTrouble);
    let options = Options {
        returned: true,
        ..Options::default()
    };
    let reloaded = Page::opened(PHONE, options, attempted(2, 1, Product::H5, None));
    let mut of_mini_program = Page::opened(MINI_PROGRAM, Options::default(), open_order(1));
    of_mini_program.want(Intent::Start);
    of_mini_program.answer_start(CheckoutAnswer {
        action: Some(Action::MiniProgramPath(MINI_PROGRAM_PATH.into())),
        ..open_order(1)
    });
    back(&mut of_mini_program);
    of_mini_program.answer_poll(attempted(2, 1, Product::MiniProgram, None));
    for mut page in [leaving, returned, asking, reloaded, of_mini_program] {
        page.want(Intent::Cancel);
        assert_eq!(cancelled(&page), Some(1));
        page.expect_screen("offer");
        assert!(page.effects.contains(&Effect::MarkDeparture(false)));
    }
}

#[test]
fn cancel_leaves_foreign_attempts_and_possible_payments_alone() {
    let options = Options {
        returned: true,
        ..Options::default()
    };
    let theirs = Page::opened(PHONE, options, code_shown(2, 1, CODE));
    let mut confirming = Page::opened(WECHAT, Options::default(), open_order(1));
    confirming.want(Intent::Start);
    let action = Some(Action::Jsapi(pay_parameters()));
    confirming.answer_start(attempted(2, 1, Product::Jsapi, action));
    confirming.happen(Event::BridgeReplied(BridgeReply {
        err_msg: "get_brand_wcpay_request:ok".into(),
        err_desc: None,
    }));
    for mut page in [theirs, confirming] {
        let screen = page.screen();
        page.want(Intent::Cancel);
        assert_eq!(cancelled(&page), None);
        assert_eq!(page.screen(), screen);
    }
}

/// Each state in which nothing can be sent, and the event that ends it.
const PAUSES: [(Event, Event); 2] = [
    (Event::Offline, Event::Online),
    (Event::Hidden, Event::Resumed),
];

#[test]
fn a_click_while_offline_is_sent_when_the_network_is_back() {
    let mut page = Page::opened(PHONE, Options::default(), open_order(1));
    page.happen(Event::Offline);
    page.want(Intent::Start);
    page.expect_screen("starting");
    assert_eq!(page.start_in_flight(), None);
    assert_eq!(
        page.machine.view(page.now_ms).connection,
        Connection::Offline
    );
    page.pass(600_000);
    assert_eq!(page.start_in_flight(), None);
    page.happen(Event::Online);
    assert_eq!(page.start_in_flight().unwrap().1.product, Product::H5);
}

#[test]
fn no_try_is_wasted_while_nothing_can_be_sent() {
    for (pause, end) in PAUSES {
        let mut page = Page::opened(PHONE, Options::default(), open_order(1));
        page.want(Intent::Start);
        let (first, _) = page.start_in_flight().unwrap();
        page.happen(pause);
        page.fail(first, Failure::Unreachable);
        page.pass(600_000);
        page.happen(Event::Woke);
        assert_eq!(page.start_in_flight(), None);
        page.expect_screen("starting");
        assert!(page.is_quiet(), "no timer runs for what cannot be sent");
        page.happen(end);
        assert!(page.start_in_flight().is_some());
        assert!(page.problems().is_empty());
    }
}

/// Between two tries the page polls, and may see an attempt that another device has started.
#[test]
fn a_retry_does_not_take_over_an_attempt_that_the_first_try_had_not_seen() {
    let mut page = Page::opened(DESKTOP, Options::default(), open_order(1));
    let (first, _) = page.start_in_flight().unwrap();
    page.fail(first, Failure::Unreachable);
    page.pass(1_000);
    page.answer_poll(attempted(2, 1, Product::H5, None));
    page.pass(5_000);
    assert_eq!(page.start_in_flight().unwrap().1.after, Some(0));
    let theirs = attempted(2, 1, Product::H5, None);
    page.refuse_start(ErrorCode::AttemptSuperseded, Some(theirs));
    page.expect_screen("elsewhere");
    page.want(Intent::TakeOver);
    assert_eq!(page.start_in_flight().unwrap().1.after, Some(1));
    page.answer_start(code_shown(3, 2, OTHER_CODE));
    page.expect_screen("qr");
}
