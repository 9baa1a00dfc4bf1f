//! Everything that can happen to a page of the walk.

use checkout::{BridgeReply, Event, Failure, Injected, Intent, PeerMessage, Request};
use merchant_api::{Action, ApiError, CheckoutAnswer, ErrorCode, Malformed, Product};

use crate::page::{
    AUTHORIZE_URL, CODE, H5_URL, MINI_PROGRAM_PATH, OTHER_CODE, Page, attempted, closed,
    code_shown, open_order, paid, pay_parameters,
};

#[expect(clippy::large_enum_variant, reason = "one at a time")]
pub(super) enum Step {
    Wake,
    Event(Event),
    /// An answer to the one request in flight.
    Answer(CheckoutAnswer),
    Fail(Failure),
}

/// The steps that are possible in this state.
pub(super) fn steps(page: &Page, has_called: bool) -> Vec<(&'static str, Step)> {
    let mut steps = vec![
        ("hidden", Step::Event(Event::Hidden)),
        ("resumed", Step::Event(Event::Resumed)),
        ("offline", Step::Event(Event::Offline)),
        ("online", Step::Event(Event::Online)),
        ("woken early", Step::Event(Event::Woke)),
        ("destroyed", Step::Event(Event::Destroyed)),
    ];
    if page.wake_at_ms.is_some() {
        steps.push(("woken", Step::Wake));
    }
    for intent in Intent::ALL {
        steps.push((intent.as_str(), Step::Event(Event::Intent(intent))));
    }
    steps.extend(peers());
    steps.extend(wechat(has_called));
    match page.open.first() {
        Some((_, Request::Read(_))) => steps.extend(read_answers()),
        Some((_, Request::Start(form))) => {
            steps.extend(start_answers(form.product, form.after.unwrap_or(0)));
        }
        Some((_, Request::Cancel(_))) => steps.extend(cancel_answers()),
        None => {}
    }
    steps
}

fn peers() -> Vec<(&'static str, Step)> {
    let speaks = |rank, message| Step::Event(Event::FromPeer { rank, message });
    vec![
        ("a peer polls", speaks(1, PeerMessage::Polling(25_000))),
        ("a peer stops", speaks(1, PeerMessage::Stopped)),
        ("a peer reports a change", speaks(9, PeerMessage::Changed)),
    ]
}

/// The cashier replies only after it was called; then at any time, and more than once.
fn wechat(has_called: bool) -> Vec<(&'static str, Step)> {
    let cashier = |err_msg: &str| {
        Step::Event(Event::BridgeReplied(BridgeReply {
            err_msg: err_msg.into(),
            err_desc: None,
        }))
    };
    let injected = |mini_program| {
        Step::Event(Event::Injected(Injected {
            bridge: true,
            sdk: true,
            mini_program,
        }))
    };
    let mut steps = vec![
        ("the bridge is ready", injected(false)),
        ("it is a mini-program", injected(true)),
        (
            "the mini-program does not open",
            Step::Event(Event::MiniProgramFailed("navigateTo:fail".into())),
        ),
    ];
    let replies = [
        ("the cashier says ok", cashier("get_brand_wcpay_request:ok")),
        (
            "the cashier says cancel",
            cashier("get_brand_wcpay_request:cancel"),
        ),
        ("the cashier is denied", cashier("system:access_denied")),
        (
            "there is no cashier",
            cashier("getBrandWCPayRequest:fail_nosupport"),
        ),
    ];
    if has_called {
        steps.extend(replies);
    }
    steps
}

fn read_answers() -> Vec<(&'static str, Step)> {
    let checked = |answer| CheckoutAnswer {
        checked_ms_ago: Some(0),
        ..answer
    };
    let before = |answer| CheckoutAnswer {
        checked_ms_ago: Some(3_600_000),
        ..answer
    };
    let over = CheckoutAnswer {
        remaining_ms: Some(0),
        ..open_order(2)
    };
    let later = Failure::Status {
        status: 503,
        retry_after_ms: Some(1_000),
    };
    let h5 = attempted(2, 2, Product::H5, None);
    vec![
        ("read: open", Step::Answer(open_order(1))),
        (
            "read: open, changed and checked",
            Step::Answer(checked(open_order(2))),
        ),
        ("read: a code", Step::Answer(code_shown(1, 1, CODE))),
        (
            "read: another device's code",
            Step::Answer(code_shown(2, 2, OTHER_CODE)),
        ),
        ("read: another device's h5", Step::Answer(checked(h5))),
        ("read: time is up", Step::Answer(checked(over.clone()))),
        (
            "read: time is up, checked before",
            Step::Answer(before(over)),
        ),
        ("read: paid", Step::Answer(paid(2))),
        ("read: paid, an old version", Step::Answer(paid(1))),
        ("read: closed", Step::Answer(closed(2))),
        ("read: refused for now", Step::Fail(later)),
        (
            "read: malformed",
            Step::Fail(Failure::Malformed(Malformed::not("state", "is missing"))),
        ),
        (
            "read: expired",
            Step::Fail(refused(ErrorCode::CheckoutExpired, None)),
        ),
    ]
}

fn start_answers(product: Product, after: u64) -> Vec<(&'static str, Step)> {
    let number = (after + 1).min(3);
    let action = |text: &str| match product {
        Product::Native => Action::CodeUrl(text.into()),
        Product::H5 => Action::H5Url(text.into()),
        _ => Action::MiniProgramPath(text.into()),
    };
    let good = match product {
        Product::Native => action(CODE),
        Product::H5 => action(H5_URL),
        Product::Jsapi => Action::Jsapi(pay_parameters()),
        Product::MiniProgram => action(MINI_PROGRAM_PATH),
    };
    let oauth = Action::AuthorizeUrl(AUTHORIZE_URL.into());
    let hostile = action("javascript:alert(1)");
    let answer = |action| Step::Answer(attempted(2, number, product, Some(action)));
    let theirs = code_shown(2, 2, OTHER_CODE);
    vec![
        ("start: done", answer(good)),
        ("start: the payer is not known", answer(oauth)),
        ("start: a hostile address", answer(hostile)),
        ("start: no action", Step::Answer(open_order(2))),
        ("start: an older version", Step::Answer(open_order(0))),
        ("start: paid", Step::Answer(paid(2))),
        ("start: closed", Step::Answer(closed(2))),
        (
            "start: superseded",
            Step::Fail(refused(ErrorCode::AttemptSuperseded, Some(theirs))),
        ),
        (
            "start: in doubt",
            Step::Fail(refused(ErrorCode::AttemptInDoubt, None)),
        ),
        (
            "start: refused",
            Step::Fail(refused(ErrorCode::WechatRefused, None)),
        ),
        (
            "start: expired",
            Step::Fail(refused(ErrorCode::CheckoutExpired, None)),
        ),
        ("start: unreachable", Step::Fail(Failure::Unreachable)),
    ]
}

fn cancel_answers() -> Vec<(&'static str, Step)> {
    vec![
        ("cancel: done", Step::Answer(open_order(2))),
        ("cancel: paid", Step::Answer(paid(2))),
        (
            "cancel: not offered",
            Step::Fail(Failure::Status {
                status: 404,
                retry_after_ms: None,
            }),
        ),
    ]
}

fn refused(code: ErrorCode, answer: Option<CheckoutAnswer>) -> Failure {
    Failure::Refused {
        error: ApiError::new(code, "no"),
        answer: answer.map(Box::new),
    }
}
