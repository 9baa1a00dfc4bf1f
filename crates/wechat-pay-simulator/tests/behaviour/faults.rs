//! Faults on demand: each kind has its effect on its route.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use wechat_pay::{NotifiedResource, ProductFields, ReplyError, SignatureError};

use crate::harness::{Harness, start};

const NATIVE: &str = "/v3/pay/transactions/native";

async fn set(harness: &Harness, route: &str, kind: &str, more: &Value) {
    let mut rule = json!({ "route": route, "kind": kind, "rate": 1, "count": 1 });
    for (name, value) in more.as_object().unwrap() {
        rule[name] = value.clone();
    }
    let (status, answer) = harness
        .post_json("/_simulator/faults", &json!([rule]))
        .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

async fn order(harness: &Harness, number: &str) -> Result<(), ReplyError> {
    let order = harness.order(number, ProductFields::Native);
    harness.send(order.request().unwrap()).await.map(drop)
}

fn known(harness: &Harness) -> usize {
    harness.simulator.ledger_view(None).orders.len()
}

#[tokio::test]
async fn errors_come_before_or_after_the_request_is_executed() {
    for (kind, status, code, done) in [
        ("too_many_requests", 429, "FREQUENCY_LIMITED", 0),
        ("error_before", 500, "SYSTEM_ERROR", 0),
        ("error_after", 500, "SYSTEM_ERROR", 1),
        ("timeout_after", 504, "", 1),
    ] {
        let harness = Harness::new();
        set(&harness, "order", kind, &json!({ "delay_ms": 0 })).await;
        let error = order(&harness, "T00001").await.unwrap_err();
        let said = error.wechat().unwrap();
        assert_eq!(
            (said.status, said.code.as_str(), known(&harness)),
            (status, code, done),
            "{kind}"
        );
        assert!(
            error.is_retryable() && error.may_have_taken_effect(),
            "{kind}"
        );
        assert_eq!(
            order(&harness, "T00001").await,
            Ok(()),
            "once is enough: {kind}"
        );
    }
}

#[tokio::test]
async fn replies_can_be_late_accepted_forged_or_probes() {
    let harness = Harness::new();
    set(&harness, "order", "accepted", &json!({})).await;
    assert_eq!(order(&harness, "T00001").await, Err(ReplyError::NotYet));
    assert_eq!(known(&harness), 0);
    for (kind, more, expected) in [
        ("wrong_signature", json!({}), SignatureError::Mismatch),
        ("signtest", json!({}), SignatureError::Probe),
    ] {
        set(&harness, "order", kind, &more).await;
        assert_eq!(
            order(&harness, "T00001").await,
            Err(ReplyError::Signature(expected))
        );
    }
    set(&harness, "order", "clock_skew", &json!({ "seconds": 301 })).await;
    assert!(matches!(
        order(&harness, "T00001").await,
        Err(ReplyError::Signature(_))
    ));
    set(&harness, "order", "clock_skew", &json!({ "seconds": 299 })).await;
    assert_eq!(order(&harness, "T00001").await, Ok(()));
    set(&harness, "order", "latency", &json!({ "delay_ms": 1 })).await;
    assert_eq!(order(&harness, "T00001").await, Ok(()));
}

#[tokio::test]
async fn every_documented_refusal_can_be_requested() {
    let refunds = "/v3/refund/domestic/refunds";
    let shares = "/v3/profitsharing/orders";
    let query = "/v3/pay/transactions/out-trade-no/T00001?mchid=1";
    for (route, code, status, method, path) in [
        ("order", "RULE_LIMIT", 403, Method::POST, NATIVE),
        ("order", "BANK_ERROR", 500, Method::POST, NATIVE),
        ("order", "SERVICE_UNAVAILABLE", 503, Method::POST, NATIVE),
        ("order", "MCH_NOT_EXISTS", 400, Method::POST, NATIVE),
        ("query", "TRADE_ERROR", 403, Method::GET, query),
        ("refund", "NOT_ENOUGH", 403, Method::POST, refunds),
        ("refund", "MCH_NOT_EXISTS", 404, Method::POST, refunds),
        ("share", "RULE_LIMIT", 403, Method::POST, shares),
        ("*", "USER_ACCOUNT_ABNORMAL", 403, Method::POST, refunds),
        ("*", "RATELIMIT_EXCEEDED", 429, Method::POST, refunds),
    ] {
        let harness = Harness::new();
        set(&harness, route, "refused", &json!({ "code": code })).await;
        let (got, said, _) = harness.call(method, path, "{}").await;
        assert_eq!((got, said.as_str()), (status, code), "{route}");
    }
    // Errors before a valid signature are not signed, also by a fault.
    let harness = Harness::new();
    set(
        &harness,
        "order",
        "refused",
        &json!({ "code": "SIGN_ERROR" }),
    )
    .await;
    let error = order(&harness, "T00001").await.unwrap_err();
    let said = error.wechat().unwrap();
    assert_eq!(
        (said.status, said.trusted, known(&harness)),
        (401, false, 0)
    );
}

#[tokio::test]
async fn a_close_can_fail_before_or_after_the_order_was_closed() {
    for (kind, state) in [("error_before", "NOTPAY"), ("error_after", "CLOSED")] {
        let harness = Harness::new();
        harness.native("T00001").await;
        set(&harness, "close", kind, &json!({})).await;
        let body = json!({ "mchid": harness.merchant().mchid }).to_string();
        let path = "/v3/pay/transactions/out-trade-no/T00001/close";
        assert_eq!(harness.call(Method::POST, path, &body).await.0, 500);
        let view = harness.simulator.ledger_view(None);
        assert_eq!(view.orders[0].trade_state.as_str(), state, "{kind}");
    }
}

#[tokio::test]
async fn random_faults_repeat_with_their_seed() {
    let run = async |seed: u64| {
        let harness = Harness::new();
        let rules = json!([{ "route": "*", "kind": "error_after", "rate": 0.5, "seed": seed }]);
        harness.post_json("/_simulator/faults", &rules).await;
        let mut failed = Vec::new();
        for number in 10..40 {
            failed.push(order(&harness, &format!("T000{number}")).await.is_err());
        }
        failed
    };
    let first = run(7).await;
    assert!(first.contains(&true) && first.contains(&false));
    assert_eq!(run(7).await, first);
    assert_ne!(run(8).await, first);
}

#[tokio::test]
async fn a_close_can_answer_204_and_the_order_can_still_be_paid() {
    let harness = Harness::new();
    let code_url = harness.native("T00001").await;
    set(&harness, "close", "close_lies", &json!({})).await;
    let body = json!({ "mchid": harness.merchant().mchid }).to_string();
    let path = "/v3/pay/transactions/out-trade-no/T00001/close";
    assert_eq!(harness.call(Method::POST, path, &body).await.0, 204);
    let paying = json!({ "code_url": code_url, "outcome": "success" });
    assert_eq!(harness.pay(paying).await.0, StatusCode::OK);
}

/// How often the merchant was notified of a payment with one fault.
async fn received(kind: &str, advance_s: u32) -> (Harness, usize) {
    let harness = Harness::new();
    set(&harness, "notification", kind, &json!({})).await;
    harness.pay_native("T00001").await;
    harness.simulator.run_due().await;
    harness.advance(advance_s);
    harness.simulator.run_due().await;
    let received = harness.inbox.lock().unwrap().received.len();
    (harness, received)
}

#[tokio::test]
async fn notifications_are_dropped_repeated_reordered_and_late() {
    for (kind, advance_s, expected) in [
        ("dropped", 14, 0),
        ("dropped", 15, 1),
        ("repeated", 0, 2),
        ("reordered", 29, 0),
        ("reordered", 30, 1),
        ("late", 3599, 0),
        ("late", 3600, 1),
    ] {
        let (harness, received) = received(kind, advance_s).await;
        assert_eq!(received, expected, "{kind} {advance_s}");
        assert_eq!(
            harness.notified().len(),
            expected,
            "{kind}: each of them opens"
        );
    }
}

#[tokio::test]
async fn a_reordered_notification_lets_the_next_one_go_first() {
    let harness = Harness::new();
    set(&harness, "notification", "reordered", &json!({})).await;
    harness.pay_native("T00001").await;
    harness.simulator.run_due().await;
    harness.pay_native("T00002").await;
    harness.simulator.run_due().await;
    harness.advance(30);
    harness.simulator.run_due().await;
    let numbers: Vec<String> = harness
        .notified()
        .into_iter()
        .map(|notification| match notification.resource {
            NotifiedResource::Transaction(paid) => paid.out_trade_no,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, ["T00002", "T00001"]);
}

#[tokio::test]
async fn changed_notifications_and_probes_do_not_verify() {
    for kind in ["tampered", "wrong_signature", "signtest", "clock_skew"] {
        let (harness, received) = received(kind, 0).await;
        assert_eq!(received, 1);
        let inbox = harness.inbox.lock().unwrap();
        let (headers, body) = &inbox.received[0];
        let key = harness.simulator.keyring().api_v3_key();
        let opened =
            wechat_pay::open_notification(headers, body, &harness.keys, key, start().as_second());
        assert!(opened.is_err(), "{kind}");
    }
}

#[tokio::test]
async fn rules_are_listed_replaced_and_cleared() {
    let harness = Harness::new();
    let rules = json!([{ "route": "*", "kind": "latency", "rate": 0.5, "seed": 7, "delay_ms": 0 }]);
    harness.post_json("/_simulator/faults", &rules).await;
    let (status, answer) = harness
        .post_json(
            "/_simulator/faults",
            &json!([{ "route": "x", "kind": "late", "rate": 2 }]),
        )
        .await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["field"]),
        (400, &json!("route"))
    );
    let listed = harness.get("/_simulator/faults").await;
    let listed: Value = serde_json::from_slice(listed.body()).unwrap();
    assert_eq!(
        (&listed[0]["seed"], &listed[0]["hits"]),
        (&json!(7), &json!(0))
    );
    let clearing = http::Request::delete("/_simulator/faults");
    let clearing = clearing.body(axum::body::Body::empty()).unwrap();
    let cleared = crate::harness::send(harness.simulator.app(), clearing).await;
    assert_eq!(&cleared.body()[..], b"[]");
}
