//! Orders and attempts under any order of events: two devices that start and cancel, buyers who pay
//! in time, late, or twice, answers that get lost, notifications early, late and twice, closing,
//! time, and ends of the process.
//!
//! After each event, whatever it was: at most one attempt is alive, one at most has settled the
//! order, the backend was told of that once, one number has one body, and what is paid stays paid.
//! At the end, when nothing meddles any more, all money that WeChat took is here: one payment
//! settled the order, and each other one is surplus.

use std::collections::BTreeMap;

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use crate::house::{API_KEY, House, Letter, MINUTE_MS, backend, merchant, sign};
use crate::wechat_line::Meddling;
use merchant_server::Clock as _;

const CASES: u32 = 24;
const BACK: (&str, &str) = ("return_url", "http://127.0.0.1:8000/pay");

#[derive(Clone, Debug)]
enum Step {
    /// A device starts an attempt, having seen the current one or not.
    Start {
        product: &'static str,
        has_looked: bool,
    },
    /// A device ends what it sees.
    Cancel,
    /// The backend closes the order.
    Close,
    /// A buyer pays one of the attempts so far; `late` also where WeChat closed it.
    Pay {
        place: prop::sample::Index,
        late: bool,
    },
    /// What happens to the next call of a kind.
    Meddle { kind: &'static str, how: How },
    /// One of all notifications so far arrives, for the first time or again.
    Deliver { place: prop::sample::Index },
    /// A page asks WeChat.
    Ask,
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
}

impl How {
    fn meddling(self) -> Meddling {
        match self {
            Self::AnswerLost => Meddling::AnswerLost,
            Self::NotSent => Meddling::NotSent,
            Self::Unsigned500 => Meddling::Answered(500, ""),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let product = prop::sample::select(vec!["native", "h5"]);
    let kind = prop::sample::select(vec!["order", "query", "close"]);
    let how = prop::sample::select(vec![How::AnswerLost, How::NotSent, How::Unsigned500]);
    let by_ms = prop::sample::select(vec![1, 2_000, 30_000, 5 * MINUTE_MS, 31 * MINUTE_MS]);
    let place = any::<prop::sample::Index>;
    prop_oneof![
        5 => (product, any::<bool>())
            .prop_map(|(product, has_looked)| Step::Start { product, has_looked }),
        1 => Just(Step::Cancel),
        1 => Just(Step::Close),
        4 => (place(), any::<bool>()).prop_map(|(place, late)| Step::Pay { place, late }),
        3 => (kind, how).prop_map(|(kind, how)| Step::Meddle { kind, how }),
        3 => place().prop_map(|place| Step::Deliver { place }),
        1 => Just(Step::Ask),
        3 => by_ms.prop_map(|by_ms| Step::Later { by_ms }),
        1 => Just(Step::BeginAgain),
    ]
}

/// What was seen so far, against which each new look is held.
#[derive(Default)]
struct Seen {
    token: String,
    /// The one body that each number was ordered with.
    bodies: BTreeMap<String, Bytes>,
    /// Every notification that WeChat sent.
    letters: Vec<Letter>,
    version: u64,
    is_paid: bool,
}

proptest! {
    #![proptest_config(Config { cases: CASES, failure_persistence: None, ..Config::default() })]

    #[test]
    fn whatever_comes_in_whatever_order_an_order_is_fulfilled_once_and_no_money_is_lost(
        steps in prop::collection::vec(step(), 5..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live_through(steps));
    }
}

async fn live_through(steps: Vec<Step>) {
    let mut house = House::open().await;
    let mut seen = Seen {
        token: house.tea().await,
        ..Seen::default()
    };
    for step in steps {
        if matches!(step, Step::BeginAgain) {
            house = house.begin_again().await;
        } else {
            take(&house, &seen, &step).await;
        }
        house.simulator.run_due().await;
        seen.letters.extend(house.take_post());
        look(&house, &mut seen).await;
    }
    house.line.leave_alone();
    for _ in 0..8 {
        house.later(10 * MINUTE_MS).await;
        // WeChat goes on telling until it is heard.
        for letter in &seen.letters {
            deliver(&house, letter).await;
        }
        look(&house, &mut seen).await;
    }
    agree(&house, &seen).await;
}

async fn take(house: &House, seen: &Seen, step: &Step) {
    let path = format!("/v1/checkouts/{}", seen.token);
    let current = house.get(&path).await.number("attempt").to_string();
    match step {
        Step::Start {
            product,
            has_looked,
        } => {
            let after = if *has_looked { &*current } else { "0" };
            let wish = [("product", *product), BACK, ("after", after)];
            let answer = house.attempt(&seen.token, &wish).await;
            let known = [
                "",
                "ATTEMPT_SUPERSEDED",
                "ATTEMPT_IN_DOUBT",
                "WECHAT_UNAVAILABLE",
                "CHECKOUT_EXPIRED",
            ];
            assert!(known.contains(&answer.code()), "{}", answer.json);
        }
        Step::Cancel => {
            house
                .form(&format!("{path}/cancel"), &[("after", &current)])
                .await;
        }
        Step::Close => {
            let close = backend("/v1/orders/tea-0001/close", API_KEY, "");
            house.send(close).await;
        }
        Step::Pay { place, late } => {
            let shown = house.shown("/tea-0001").await.json;
            let attempts = shown["attempts"].as_array().unwrap();
            if !attempts.is_empty() {
                let paying = json!({
                    "mchid": merchant()["mchid"], "outcome": "success", "late": late,
                    "out_trade_no": place.get(attempts)["out_trade_no"],
                });
                house.simulate("pay", &paying).await;
            }
        }
        Step::Meddle { kind, how } => house.line.meddle(kind, how.meddling()),
        Step::Deliver { place } => {
            if !seen.letters.is_empty() {
                deliver(house, place.get(&seen.letters)).await;
            }
        }
        Step::Ask => {
            house.get(&format!("{path}?ask=1")).await;
        }
        Step::Later { by_ms } => house.later(*by_ms).await,
        Step::BeginAgain => {}
    }
}

/// One try of WeChat's: signed for its own moment.
async fn deliver(house: &House, letter: &Letter) {
    let letter = sign(letter.body.clone(), house.clock.now_ms());
    house.hand_in(&letter).await;
}

/// Looks at everything after an event.
async fn look(house: &House, seen: &mut Seen) {
    for sent in house.line.take_sent() {
        if sent.kind == "order" {
            let body: Value = serde_json::from_slice(&sent.body).unwrap();
            let number = body["out_trade_no"].as_str().unwrap().to_owned();
            let first = seen.bodies.entry(number).or_insert(sent.body.clone());
            assert_eq!(*first, sent.body, "one number, one body");
        }
    }
    let order = house.shown("/tea-0001").await.json;
    let states = states(&order);
    let count = |wanted: &[&str]| {
        let found = states.values().filter(|state| wanted.contains(&&***state));
        found.count()
    };
    assert!(count(&["prepared", "open"]) <= 1, "{states:?}");
    assert!(count(&["paid"]) <= 1, "{states:?}");
    let is_paid = order["state"] == "paid";
    assert_eq!(count(&["paid"]) == 1, is_paid, "{order}");
    assert!(is_paid || !seen.is_paid, "what is paid stays paid");
    assert_eq!(told_of_payment(house).await, usize::from(is_paid));
    let version = order["version"].as_u64().unwrap();
    assert!(version >= seen.version, "a version never falls");
    seen.is_paid = is_paid;
    seen.version = version;
}

/// How often the backend is told that the order is paid.
async fn told_of_payment(house: &House) -> usize {
    let request = Request::get("/v1/webhooks").header("authorization", format!("Bearer {API_KEY}"));
    let list = house.send(request.body(Body::empty()).unwrap()).await.json;
    let webhooks = list["webhooks"].as_array().unwrap().iter();
    webhooks
        .filter(|webhook| webhook["type"] == "payment.succeeded")
        .count()
}

/// Nothing meddles any more: all money that WeChat took is here.
async fn agree(house: &House, seen: &Seen) {
    assert_eq!(house.mismatches().await, []);
    let order = house.shown("/tea-0001").await.json;
    assert_ne!(order["state"], "open", "{order}");
    let states = states(&order);
    let here: Vec<_> = states
        .iter()
        .filter(|(_, state)| ["paid", "surplus"].contains(&&***state))
        .map(|(number, _)| number.clone())
        .collect();
    let there: Vec<_> = seen
        .bodies
        .keys()
        .filter(|number| {
            let state = house.trade_state(number);
            state.is_some_and(|state| ["SUCCESS", "REFUND"].contains(&&*state))
        })
        .cloned()
        .collect();
    assert_eq!(here, there, "{order}");
}

/// The state of each attempt, by its number at WeChat.
fn states(order: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let attempts = order["attempts"].as_array().unwrap().iter();
    attempts
        .map(|attempt| (text(&attempt["out_trade_no"]), text(&attempt["state"])))
        .collect()
}
