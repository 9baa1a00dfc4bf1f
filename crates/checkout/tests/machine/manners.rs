//! What the page may ask for in the buyer's name, and the end of an element.

use checkout::{BridgeReply, Connection, Effect, Event, Failure, Intent, Options, Request};
use merchant_api::{Action, CheckoutAnswer, ErrorCode, Malformed, Product};

use crate::page::{
    CODE, DESK, H5_URL, MINI_PROGRAM, MINI_PROGRAM_PATH, OTHER_CODE, PHONE, Page, WECHAT,
    attempted, bridge_ready, code_shown, open_order, paid, pay_parameters,
};

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
fn the_end_gives_up_an_attempt_that_is_under_way() {
    let mut page = Page::opened(DESK, Options::default(), open_order(1));
    let (starting, _) = page.starting().unwrap();
    page.happen(Event::Destroyed);
    assert!(page.effects.contains(&Effect::Abort(starting)));
    assert!(page.is_quiet());
}

/// On a slow network a page's own button is pressed before the order is there.
#[test]
fn a_start_before_the_first_answer_is_kept_until_then_and_starts_once() {
    let early = |place, intents: &[Intent]| {
        let mut page = Page::new(place, Options::default());
        page.happen(Event::Connected);
        for intent in intents {
            page.want(*intent);
        }
        assert_eq!(page.starting(), None, "nothing is known yet");
        page.answer_read(open_order(1));
        page
    };
    let start = Intent::Start;
    for place in [PHONE, WECHAT, MINI_PROGRAM, DESK] {
        let mut page = early(place, &[start, start]);
        page.expect_screen("starting");
        page.want(start);
        assert_eq!(page.open.len(), 1, "{place}");
    }
    early(PHONE, &[start, Intent::Cancel]).expect_screen("offer");

    // What failed meanwhile is begun again by another click alone.
    let mut page = Page::new(PHONE, Options::default());
    page.happen(Event::Connected);
    page.want(start);
    let (id, _) = page.reading().unwrap();
    page.fail(
        id,
        Failure::Malformed(Malformed::not("state", "is missing")),
    );
    page.expect_screen("problem");
    page.happen(Event::Resumed);
    page.pass(60_000);
    assert_eq!(page.starting(), None);
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

fn gone_to_wechat() -> Page {
    let mut page = Page::opened(PHONE, Options::default(), open_order(1));
    page.want(Intent::Start);
    let action = Some(Action::H5Url(H5_URL.into()));
    page.answer_start(attempted(2, 1, Product::H5, action));
    page
}

/// The attempt that a cancel was sent for.
fn cancelled(page: &Page) -> Option<u64> {
    page.open.iter().find_map(|(_, request)| match request {
        Request::Cancel(form) => Some(form.after),
        _ => None,
    })
}

#[test]
fn cancel_ends_the_attempt_wherever_the_buyer_has_gone_with_it() {
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
    let anew = Page::opened(PHONE, options, attempted(2, 1, Product::H5, None));
    let mut of_mini_program = Page::opened(MINI_PROGRAM, Options::default(), open_order(1));
    of_mini_program.want(Intent::Start);
    of_mini_program.answer_start(CheckoutAnswer {
        action: Some(Action::MiniProgramPath(MINI_PROGRAM_PATH.into())),
        ..open_order(1)
    });
    back(&mut of_mini_program);
    of_mini_program.answer_read(attempted(2, 1, Product::MiniProgram, None));
    for mut page in [leaving, returned, asking, anew, of_mini_program] {
        page.want(Intent::Cancel);
        assert_eq!(cancelled(&page), Some(1));
        page.expect_screen("offer");
        assert!(page.effects.contains(&Effect::MarkDeparture(false)));
    }
}

#[test]
fn cancel_leaves_alone_what_is_not_this_pages_or_may_be_paid() {
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

/// Each way in which nothing can be sent, and the event that ends it.
const PAUSES: [(Event, Event); 2] = [
    (Event::Offline, Event::Online),
    (Event::Hidden, Event::Resumed),
];

#[test]
fn a_click_without_network_is_held_and_sent_when_it_is_back() {
    let mut page = Page::opened(PHONE, Options::default(), open_order(1));
    page.happen(Event::Offline);
    page.want(Intent::Start);
    page.expect_screen("starting");
    assert_eq!(page.starting(), None);
    assert_eq!(
        page.machine.view(page.now_ms).connection,
        Connection::Offline
    );
    page.pass(600_000);
    assert_eq!(page.starting(), None);
    page.happen(Event::Online);
    assert_eq!(page.starting().unwrap().1.product, Product::H5);
}

#[test]
fn tries_are_not_spent_while_nothing_can_arrive() {
    for (pause, end) in PAUSES {
        let mut page = Page::opened(PHONE, Options::default(), open_order(1));
        page.want(Intent::Start);
        let (first, _) = page.starting().unwrap();
        page.happen(pause);
        page.fail(first, Failure::Unreachable);
        page.pass(600_000);
        page.happen(Event::Woke);
        assert_eq!(page.starting(), None);
        page.expect_screen("starting");
        assert!(page.is_quiet(), "no timer runs for what cannot be sent");
        page.happen(end);
        assert!(page.starting().is_some());
        assert!(page.problems().is_empty());
    }
}

/// Between two tries the page asks on, and may see what another device has begun meanwhile.
#[test]
fn a_second_try_takes_over_nothing_that_the_first_has_not_seen() {
    let mut page = Page::opened(DESK, Options::default(), open_order(1));
    let (first, _) = page.starting().unwrap();
    page.fail(first, Failure::Unreachable);
    page.pass(1_000);
    page.answer_read(attempted(2, 1, Product::H5, None));
    page.pass(5_000);
    assert_eq!(page.starting().unwrap().1.after, Some(0));
    let theirs = attempted(2, 1, Product::H5, None);
    page.refuse_start(ErrorCode::AttemptSuperseded, Some(theirs));
    page.expect_screen("elsewhere");
    page.want(Intent::TakeOver);
    assert_eq!(page.starting().unwrap().1.after, Some(1));
    page.answer_start(code_shown(3, 2, OTHER_CODE));
    page.expect_screen("qr");
}
