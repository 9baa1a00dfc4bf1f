//! Refunds under any order of events: requests, lost answers, notifications early, late and twice,
//! time, ends of the process, and decisions at WeChat's side.
//!
//! After each event: no more money was ever refunded than was paid, one number is one refund with
//! one body, and a final state has not changed. At the end, without further faults, this ledger and
//! WeChat's agree. All of it is tried for a merchant that sells for itself, and for a provider.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use serde_json::{Value, json};

use super::{REFUNDS, bought_of, refund_body};
use crate::event_orders::{How, Subject, hold};
use crate::test_server::{MINUTE_MS, Owner, SentNotification, TestServer};

const PAID_FEN: u64 = 1990;

#[test]
fn in_any_order_of_events_a_request_is_one_refund() {
    hold::<Refunds>();
}

#[derive(Clone, Debug)]
enum Step {
    /// The backend requests a refund, often again with a number that it has used.
    Ask { number: u8, amount_fen: u64 },
    /// WeChat decides a refund.
    Decide { number: u8, outcome: &'static str },
}

/// The observations so far, with which each new observation is compared.
#[derive(Default)]
struct Refunds {
    /// The one body with which each number was sent.
    bodies: BTreeMap<String, Value>,
    /// The final state of each refund that has reached one.
    ends: BTreeMap<String, String>,
    /// The numbers that the server has recorded, each with its amount.
    taken: BTreeMap<String, u64>,
}

impl Subject for Refunds {
    /// The kind of merchant that the server runs for.
    type Setting = Owner;
    type Step = Step;

    const CASES: u32 = 24;
    const KINDS: &[&str] = &["refund", "refund_query"];
    const HOWS: &[How] = &[
        How::AnswerLost,
        How::NotSent,
        How::Unsigned500,
        How::Unsigned403,
    ];
    const TIMES_MS: &[u64] = &[0, 3_000, 5_000, 30_000, MINUTE_MS, 30 * MINUTE_MS];

    fn settings() -> BoxedStrategy<Owner> {
        prop::sample::select(&Owner::BOTH[..]).boxed()
    }

    fn steps() -> BoxedStrategy<Step> {
        let number = 0..4_u8;
        let amount_fen = prop::sample::select(vec![1, 600, 995, PAID_FEN]);
        let outcome = prop::sample::select(vec!["success", "closed", "abnormal"]);
        prop_oneof![
            2 => (number.clone(), amount_fen)
                .prop_map(|(number, amount_fen)| Step::Ask { number, amount_fen }),
            1 => (number, outcome).prop_map(|(number, outcome)| Step::Decide { number, outcome }),
        ]
        .boxed()
    }

    async fn begin(owner: &Owner) -> (TestServer, Self) {
        (bought_of(*owner).await.0, Self::default())
    }

    async fn take(&mut self, server: &TestServer, step: &Step) {
        match step {
            Step::Ask { number, amount_fen } => {
                let number = format!("R-{number}");
                let answer = server.ask_refund(refund_body(&number, *amount_fen)).await;
                if answer.status == StatusCode::CREATED {
                    let before = self.taken.insert(number, *amount_fen);
                    assert_eq!(before, None, "taken down twice");
                } else if self
                    .taken
                    .get(&number)
                    .is_some_and(|taken| taken != amount_fen)
                {
                    assert_eq!(answer.code(), "REFUND_NO_USED", "{}", answer.json);
                } else {
                    let known = ["", "REFUND_NO_USED", "REFUND_TOO_MUCH"];
                    assert!(known.contains(&answer.code()), "{}", answer.json);
                }
            }
            Step::Decide { number, outcome } => {
                let number = format!("R-{number}");
                let is_under_way = server
                    .refunds_at_wechat()
                    .iter()
                    .any(|(known, _, state)| *known == number && state == "PROCESSING");
                if is_under_way {
                    server.decide(&number, outcome).await;
                }
            }
        }
    }

    async fn hear(&self, server: &TestServer, notification: &SentNotification) {
        let answer = server.deliver_refund(notification).await;
        // The notification is accepted, or refused because it is too old.
        let known = [StatusCode::NO_CONTENT, StatusCode::UNAUTHORIZED];
        assert!(known.contains(&answer.status), "{}", answer.json);
    }

    async fn look(&mut self, server: &TestServer) {
        for sent in server.wechat.take_sent() {
            if sent.kind != "refund" {
                continue;
            }
            let body: Value = serde_json::from_slice(&sent.body).unwrap();
            let number = body["out_refund_no"].as_str().unwrap().to_owned();
            let first = self.bodies.entry(number).or_insert_with(|| body.clone());
            assert_eq!(*first, body, "one number, one body");
        }
        let at_wechat = server.refunds_at_wechat();
        let numbers: BTreeSet<_> = at_wechat.iter().map(|(number, ..)| number).collect();
        assert_eq!(numbers.len(), at_wechat.len());
        assert!(
            numbers
                .iter()
                .all(|number| self.taken.contains_key(*number))
        );
        let list = server.read_private(REFUNDS).await;
        let refunds = list.json["refunds"].as_array().unwrap().clone();
        let mut counted = 0;
        for refund in &refunds {
            let number = refund["refund_no"].as_str().unwrap().to_owned();
            let state = refund["state"].as_str().unwrap().to_owned();
            if state != "closed" && state != "refused" {
                counted += refund["amount_fen"].as_u64().unwrap();
            }
            if let Some(end) = self.ends.get(&number) {
                assert_eq!(*end, state, "{number}: what is final stays");
            } else if state == "succeeded" || state == "closed" {
                self.ends.insert(number, state);
            }
        }
        assert!(counted <= PAID_FEN, "{counted} of {PAID_FEN}: {refunds:?}");
        assert_eq!(list.number("refundable_fen"), PAID_FEN - counted);
    }

    async fn settle(&mut self, server: &TestServer, _: &[SentNotification]) {
        for _ in 0..60 {
            server.later(MINUTE_MS).await;
            self.look(server).await;
        }
        server.later(7 * 60 * MINUTE_MS).await;
    }

    /// Both ledgers agree on every refund, and no refund is left unfinished.
    async fn agree(&self, server: &TestServer) {
        let list = server.read_private(REFUNDS).await;
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
        let theirs: BTreeMap<_, _> = server
            .refunds_at_wechat()
            .into_iter()
            .map(|(number, amount, state)| (number, (amount, state)))
            .collect();
        assert_eq!(ours, theirs);
        assert_eq!(ours.len(), self.taken.len());
        let refunded: i64 = theirs
            .values()
            .filter(|(_, state)| state == "SUCCESS")
            .map(|(amount, _)| amount)
            .sum();
        assert_eq!(list.json["refunded_fen"], json!(refunded));
    }
}
