//! Refunds under any order of events: wishes, lost answers, notifications early, late and twice,
//! time, ends of the process, and decisions at WeChat's side.
//!
//! After each event, whatever it was: no more was ever sent than came, one number is one refund
//! with one body, and what was final is as it was. At the end, when nothing meddles any more, this
//! ledger and WeChat's agree.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::{REFUNDS, bought, wish};
use crate::house::{House, Letter, MINUTE_MS};
use crate::wechat_line::Meddling;

const PAID_FEN: u64 = 1990;
const CASES: u32 = 24;

#[derive(Clone, Debug)]
enum Step {
    /// The backend asks; often again under a number that it used.
    Ask { number: u8, amount_fen: u64 },
    /// What happens to the next call of a kind.
    Meddle { kind: &'static str, how: How },
    /// WeChat comes to a result.
    Decide { number: u8, outcome: &'static str },
    /// One of all notifications so far arrives, for the first time or again.
    Deliver { place: prop::sample::Index },
    /// Time goes by, and what is due is done.
    Later { by_ms: u64 },
    /// The process ends, and another one begins.
    BeginAgain,
}

#[derive(Clone, Copy, Debug)]
enum How {
    AnswerLost,
    NotSent,
    Unsigned500,
    Unsigned403,
}

impl How {
    fn meddling(self) -> Meddling {
        match self {
            Self::AnswerLost => Meddling::AnswerLost,
            Self::NotSent => Meddling::NotSent,
            Self::Unsigned500 => Meddling::Answered(500, ""),
            Self::Unsigned403 => Meddling::Answered(403, r#"{"code":"NOT_ENOUGH"}"#),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0..4_u8;
    let how = prop::sample::select(vec![
        How::AnswerLost,
        How::NotSent,
        How::Unsigned500,
        How::Unsigned403,
    ]);
    let kind = prop::sample::select(vec!["refund", "refund_query"]);
    let amount_fen = prop::sample::select(vec![1, 600, 995, PAID_FEN]);
    let outcome = prop::sample::select(vec!["success", "closed", "abnormal"]);
    let by_ms = prop::sample::select(vec![0, 3_000, 5_000, 30_000, MINUTE_MS, 30 * MINUTE_MS]);
    prop_oneof![
        4 => (number.clone(), amount_fen)
            .prop_map(|(number, amount_fen)| Step::Ask { number, amount_fen }),
        3 => (kind, how).prop_map(|(kind, how)| Step::Meddle { kind, how }),
        2 => (number, outcome).prop_map(|(number, outcome)| Step::Decide { number, outcome }),
        3 => any::<prop::sample::Index>().prop_map(|place| Step::Deliver { place }),
        4 => by_ms.prop_map(|by_ms| Step::Later { by_ms }),
        1 => Just(Step::BeginAgain),
    ]
}

/// What was seen so far, against which each new look is held.
#[derive(Default)]
struct Seen {
    /// The one body that each number was sent with.
    bodies: BTreeMap<String, Value>,
    /// The last state of each refund that had one.
    ends: BTreeMap<String, String>,
    /// Every notification that WeChat sent.
    letters: Vec<Letter>,
    /// The numbers that were taken down.
    taken: BTreeSet<String>,
}

proptest! {
    #![proptest_config(Config { cases: CASES, failure_persistence: None, ..Config::default() })]

    #[test]
    fn whatever_comes_in_whatever_order_a_wish_is_one_refund(
        steps in prop::collection::vec(step(), 5..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live_through(steps));
    }
}

async fn live_through(steps: Vec<Step>) {
    let (mut house, _) = bought().await;
    let mut seen = Seen::default();
    for step in steps {
        if matches!(step, Step::BeginAgain) {
            house = house.begin_again().await;
        } else {
            take(&house, &mut seen, &step).await;
        }
        house.simulator.run_due().await;
        seen.letters.extend(house.take_post());
        look(&house, &mut seen).await;
    }
    house.line.leave_alone();
    for _ in 0..60 {
        house.later(MINUTE_MS).await;
        look(&house, &mut seen).await;
    }
    house.later(7 * 60 * MINUTE_MS).await;
    look(&house, &mut seen).await;
    agree(&house, &seen).await;
}

async fn take(house: &House, seen: &mut Seen, step: &Step) {
    match step {
        Step::Ask { number, amount_fen } => {
            let number = format!("R-{number}");
            let answer = house.ask_refund(wish(&number, *amount_fen)).await;
            if answer.status == StatusCode::CREATED {
                assert!(seen.taken.insert(number), "taken down twice");
            } else {
                let known = ["", "REFUND_NO_USED", "REFUND_TOO_MUCH"];
                assert!(known.contains(&answer.code()), "{}", answer.json);
            }
        }
        Step::Meddle { kind, how } => house.line.meddle(kind, how.meddling()),
        Step::Decide { number, outcome } => {
            let number = format!("R-{number}");
            let is_under_way = house
                .refunds_at_wechat()
                .iter()
                .any(|(known, _, state)| *known == number && state == "PROCESSING");
            if is_under_way {
                house.decide(&number, outcome).await;
            }
        }
        Step::Deliver { place } => {
            if !seen.letters.is_empty() {
                let letter = &seen.letters[place.index(seen.letters.len())];
                let answer = house.hand_in_refund(letter).await;
                // Too old to be believed, or taken; never in between.
                let known = [StatusCode::NO_CONTENT, StatusCode::UNAUTHORIZED];
                assert!(known.contains(&answer.status), "{}", answer.json);
            }
        }
        Step::Later { by_ms } => house.later(*by_ms).await,
        Step::BeginAgain => {}
    }
}

async fn look(house: &House, seen: &mut Seen) {
    for sent in house.line.take_sent() {
        if sent.kind != "refund" {
            continue;
        }
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        let number = body["out_refund_no"].as_str().unwrap().to_owned();
        let first = seen.bodies.entry(number).or_insert_with(|| body.clone());
        assert_eq!(*first, body, "one number, one body");
    }
    let at_wechat = house.refunds_at_wechat();
    let numbers: BTreeSet<_> = at_wechat.iter().map(|(number, ..)| number).collect();
    assert_eq!(numbers.len(), at_wechat.len());
    assert!(numbers.iter().all(|number| seen.taken.contains(*number)));
    let list = house.read_private(REFUNDS).await;
    let refunds = list.json["refunds"].as_array().unwrap().clone();
    let mut counted = 0;
    for refund in &refunds {
        let number = refund["refund_no"].as_str().unwrap().to_owned();
        let state = refund["state"].as_str().unwrap().to_owned();
        if state != "closed" && state != "refused" {
            counted += refund["amount_fen"].as_u64().unwrap();
        }
        if let Some(end) = seen.ends.get(&number) {
            assert_eq!(*end, state, "{number}: what is final stays");
        } else if state == "succeeded" || state == "closed" {
            seen.ends.insert(number, state);
        }
    }
    assert!(counted <= PAID_FEN, "{counted} of {PAID_FEN}: {refunds:?}");
    assert_eq!(list.number("refundable_fen"), PAID_FEN - counted);
}

/// Both ledgers say the same of every refund, and none is left in between.
async fn agree(house: &House, seen: &Seen) {
    let list = house.read_private(REFUNDS).await;
    let ours: BTreeMap<String, (i64, String)> = list.json["refunds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refund| {
            let state = match refund["state"].as_str().unwrap() {
                "succeeded" => "SUCCESS",
                "closed" => "CLOSED",
                "abnormal" => "ABNORMAL",
                other => panic!("left {other}: {refund}"),
            };
            (
                refund["refund_no"].as_str().unwrap().to_owned(),
                (refund["amount_fen"].as_i64().unwrap(), state.to_owned()),
            )
        })
        .collect();
    let theirs: BTreeMap<_, _> = house
        .refunds_at_wechat()
        .into_iter()
        .map(|(number, amount, state)| (number, (amount, state)))
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), seen.taken.len());
    let refunded: i64 = theirs
        .values()
        .filter(|(_, state)| state == "SUCCESS")
        .map(|(amount, _)| amount)
        .sum();
    assert_eq!(list.json["refunded_fen"], json!(refunded));
}
