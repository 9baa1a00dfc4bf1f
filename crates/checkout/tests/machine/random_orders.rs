//! Random sequences of everything that can happen, far longer than the exhaustive walk (`walk.rs`)
//! can be, with pauses of any length.

use checkout::{
    BridgeReply, Effect, Event, Failure, Intent, Occurrence, Options, PeerMessage, Request,
};
use merchant_api::{Action, CheckoutAnswer, ErrorCode, Product};
use proptest::prelude::*;

use crate::page::{
    AUTHORIZE_URL, CODE, DESKTOP, H5_URL, MINI_PROGRAM, OTHER_CODE, PHONE, Page, WECHAT, WECOM,
    attempted, bridge_ready, closed, code_shown, open_order, paid, pay_parameters,
};

#[derive(Clone, Debug)]
enum Step {
    Event(Event),
    AnswerRead(CheckoutAnswer),
    AnswerStart(CheckoutAnswer),
    RefuseStart(ErrorCode),
    FailRead,
    FailStart,
    Pass(u64),
}

fn answers() -> Vec<CheckoutAnswer> {
    let mut answers = Vec::new();
    for version in [1, 2, 5, 9] {
        answers.push(open_order(version));
        answers.push(code_shown(version, 1, CODE));
        answers.push(code_shown(version, 2, OTHER_CODE));
        answers.push(attempted(
            version,
            2,
            Product::H5,
            Some(Action::H5Url(H5_URL.into())),
        ));
        answers.push(attempted(
            version,
            3,
            Product::Jsapi,
            Some(Action::Jsapi(pay_parameters())),
        ));
        let redirect = Some(Action::AuthorizeUrl(AUTHORIZE_URL.into()));
        answers.push(CheckoutAnswer {
            action: redirect,
            ..open_order(version)
        });
        answers.push(CheckoutAnswer {
            remaining_ms: Some(0),
            ..open_order(version)
        });
        answers.push(CheckoutAnswer {
            version: None,
            ..code_shown(version, 1, CODE)
        });
        answers.push(closed(version));
        answers.push(paid(version));
    }
    answers
}

fn peer(rank: u64, message: PeerMessage) -> Event {
    Event::FromPeer { rank, message }
}

fn step() -> impl Strategy<Value = Step> {
    let events = vec![
        Event::Woke,
        Event::Resumed,
        Event::Hidden,
        Event::Online,
        Event::Offline,
        bridge_ready(),
        Event::MiniProgramFailed("navigateTo:fail".into()),
        peer(1, PeerMessage::Polling(25_000)),
        peer(9, PeerMessage::Polling(25_000)),
        peer(1, PeerMessage::Stopped),
        peer(9, PeerMessage::Changed),
    ];
    let replies = [
        "ok",
        "cancel",
        "fail",
        "system:access_denied",
        "x:nosupport",
    ];
    let reply = proptest::sample::select(replies.to_vec()).prop_map(|err_msg| {
        Step::Event(Event::BridgeReplied(BridgeReply {
            err_msg: err_msg.into(),
            err_desc: None,
        }))
    });
    prop_oneof![
        2 => proptest::sample::select(events).prop_map(Step::Event),
        1 => reply,
        3 => proptest::sample::select(Intent::ALL.to_vec())
            .prop_map(|intent| Step::Event(Event::Intent(intent))),
        4 => proptest::sample::select(answers()).prop_map(Step::AnswerRead),
        4 => proptest::sample::select(answers()).prop_map(Step::AnswerStart),
        1 => proptest::sample::select(ErrorCode::ALL.to_vec()).prop_map(Step::RefuseStart),
        1 => Just(Step::FailRead),
        1 => Just(Step::FailStart),
        3 => (0_u64..200_000).prop_map(Step::Pass),
    ]
}

fn take(page: &mut Page, step: Step) {
    match step {
        Step::Event(event) => page.happen(event),
        Step::AnswerRead(answer) if page.poll_in_flight().is_some() => page.answer_poll(answer),
        Step::AnswerStart(answer) if page.start_in_flight().is_some() => page.answer_start(answer),
        Step::RefuseStart(code) if page.start_in_flight().is_some() => {
            page.refuse_start(code, Some(code_shown(6, 4, OTHER_CODE)));
        }
        Step::FailRead => {
            if let Some((id, _)) = page.poll_in_flight() {
                page.fail(id, Failure::Unreachable);
            }
        }
        Step::FailStart => {
            if let Some((id, _)) = page.start_in_flight() {
                page.fail(id, Failure::Unreachable);
            }
        }
        Step::Pass(ms) => page.pass(ms),
        _ => {}
    }
}

fn is_settled(page: &Page) -> bool {
    page.screen().name() == "paid"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_invariants_hold_for_every_random_sequence(
        user_agent in proptest::sample::select(vec![DESKTOP, PHONE, WECHAT, WECOM, MINI_PROGRAM]),
        payer in proptest::option::of(Just("handle-1".to_owned())),
        returned in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let options = Options { payer, returned, auto_start: true, ..Options::default() };
        let mut page = Page::new(user_agent, options);
        page.happen(Event::Connected);
        let mut was_paid = false;
        for step in steps {
            let before = page.effects.len();
            take(&mut page, step);
            let new = &page.effects[before..];
            prop_assert!(page.open.len() <= 1, "two requests in flight: {:?}", page.open);
            prop_assert!(page.paid_count() <= 1, "paid was emitted twice");
            prop_assert!(page.count(|what| matches!(what, Occurrence::Closed)) <= 1);
            prop_assert!(!was_paid || is_settled(&page), "paid was taken back");
            if was_paid {
                let starts = new.iter().any(|effect| matches!(
                    effect,
                    Effect::Send { .. } | Effect::InvokeCashier(_)
                ));
                prop_assert!(!starts, "something was started after paid: {new:?}");
            }
            was_paid = is_settled(&page);
            prop_assert_eq!(was_paid, page.paid_count() == 1, "paid is shown if and only if it was emitted");
        }
    }

    #[test]
    fn no_second_attempt_is_requested_while_one_is_in_flight(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut page = Page::new(DESKTOP, Options::default());
        page.happen(Event::Connected);
        for step in steps {
            let under_way = page.start_in_flight().map(|(id, _)| id);
            let before = page.effects.len();
            take(&mut page, step);
            let new = &page.effects[before..];
            let is_sent = new.iter().any(|effect| matches!(
                effect,
                Effect::Send { request: Request::Start(_), .. }
            ));
            let still = under_way.is_some() && page.start_in_flight().map(|(id, _)| id) == under_way;
            prop_assert!(!(is_sent && still), "{new:?}");
        }
    }
}
