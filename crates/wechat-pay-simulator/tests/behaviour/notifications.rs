//! Notifications: their content, their receiver, and their schedule.

use http::StatusCode;
use serde_json::json;
use wechat_pay::{Fen, NotifiedResource, Stamp, TradeState};
use wechat_pay_simulator::OutgoingError;

use crate::harness::{Harness, start};

const WAITS_S: [u32; 15] = [
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600,
];

fn tries(harness: &Harness) -> (usize, bool) {
    let view = harness.simulator.ledger_view(None);
    let notification = &view.orders[0].notifications[0];
    (notification.tries, notification.acked)
}

#[tokio::test]
async fn a_payment_is_notified_once_and_opens_with_the_merchants_keys() {
    let harness = Harness::new();
    let transaction_id = harness.pay_native("T00001").await;
    assert!(
        harness.notified().is_empty(),
        "nothing is sent before it is run"
    );
    harness.simulator.run_due().await;
    harness.simulator.run_due().await;
    let notified = harness.notified();
    assert_eq!(notified.len(), 1);
    assert_eq!(notified[0].event_type, "TRANSACTION.SUCCESS");
    let NotifiedResource::Transaction(paid) = &notified[0].resource else {
        panic!("a payment was made");
    };
    assert_eq!(paid.transaction_id, Some(transaction_id));
    assert_eq!(paid.trade_state, TradeState::Success);
    assert_eq!(paid.out_trade_no, "T00001");
    assert_eq!(paid.payer_total(), Some(Fen::new(1990).unwrap()));
    assert_eq!(tries(&harness), (1, true));
    assert_eq!(harness.simulator.next_due(), None);
}

#[tokio::test]
async fn cancel_and_failure_are_not_notified_and_leave_the_order_unpaid() {
    let harness = Harness::new();
    let code_url = harness.native("T00001").await;
    for outcome in ["cancel", "fail"] {
        let (status, answer) = harness
            .pay(json!({ "code_url": code_url, "outcome": outcome }))
            .await;
        assert_eq!(
            (status.as_u16(), answer),
            (200, json!({ "trade_state": "NOTPAY" }))
        );
    }
    harness.simulator.run_due().await;
    assert!(harness.notified().is_empty());
}

#[tokio::test]
async fn refused_notifications_are_retried_on_wechats_schedule_and_then_stop() {
    let harness = Harness::new();
    harness.answer_notifications(Ok(StatusCode::INTERNAL_SERVER_ERROR));
    harness.pay_native("T00001").await;
    harness.simulator.run_due().await;
    for (index, wait_s) in WAITS_S.into_iter().enumerate() {
        assert_eq!(tries(&harness), (index + 1, false));
        harness.advance(wait_s - 1);
        harness.simulator.run_due().await;
        assert_eq!(tries(&harness).0, index + 1, "too early: {wait_s}");
        harness.advance(1);
        harness.simulator.run_due().await;
    }
    assert_eq!(tries(&harness), (16, false));
    harness.advance(30 * 24 * 3600);
    harness.simulator.run_due().await;
    assert_eq!(tries(&harness), (16, false));
    let ids: std::collections::BTreeSet<String> =
        harness.notified().into_iter().map(|n| n.id).collect();
    assert_eq!(ids.len(), 1, "each try carries the same id");
}

#[tokio::test]
async fn a_jump_of_the_clock_runs_all_due_work() {
    let harness = Harness::new();
    harness.answer_notifications(Err(OutgoingError::TimedOut));
    harness.pay_native("T00001").await;
    let (status, answer) = harness
        .post_json("/_simulator/clock", &json!({ "advance_s": 60 }))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer, json!({ "now": "2026-01-01T12:01:00+08:00" }));
    // At 0, 15, 30 and 60 seconds.
    assert_eq!(tries(&harness), (4, false));
    harness.answer_notifications(Ok(StatusCode::OK));
    harness.advance(180);
    harness.simulator.run_due().await;
    assert_eq!(tries(&harness), (5, true));
}

#[tokio::test]
async fn each_try_has_a_new_signature_with_the_systems_time() {
    let harness = Harness::new();
    harness.answer_notifications(Ok(StatusCode::BAD_REQUEST));
    harness.pay_native("T00001").await;
    harness.simulator.run_due().await;
    harness.advance(15);
    harness.simulator.run_due().await;
    // Opening checks the time of the signature against a clock that was not advanced.
    assert_eq!(harness.notified().len(), 2);
    let inbox = harness.inbox.lock().unwrap();
    let signature = |index: usize| &inbox.received[index].0["wechatpay-signature"];
    assert_ne!(signature(0), signature(1));
}

#[tokio::test]
async fn a_merchant_that_requests_the_public_key_is_notified_with_it() {
    let harness = Harness::new();
    let id = harness.merchant().public_key_id.clone();
    let order = harness.order("T00001", wechat_pay::ProductFields::Native);
    let stamp = Stamp::new(start().as_second(), [2; 16]);
    let signed = order
        .request()
        .unwrap()
        .sign(&harness.key, &stamp, Some(&id))
        .unwrap();
    harness
        .send_raw(signed.into_http("").unwrap().map(axum::body::Body::from))
        .await;
    let mchid = harness.merchant().mchid.clone();
    harness
        .pay(json!({ "mchid": mchid, "out_trade_no": "T00001", "outcome": "success" }))
        .await;
    harness.simulator.run_due().await;
    assert_eq!(harness.notified().len(), 1);
    let inbox = harness.inbox.lock().unwrap();
    assert_eq!(inbox.received[0].0["wechatpay-serial"], id.as_str());
}

#[tokio::test]
async fn any_other_event_is_sent_on_command_and_opens_with_the_merchants_keys() {
    let harness = Harness::new();
    let event = json!({
        "url": "http://127.0.0.1:8080/wechat/notify/payment", "event_type": "COUPON.USE", "original_type": "coupon",
        "id": "EV-1", "summary": "代金券核销通知", "resource": { "coupon_id": "98674556" },
    });
    for _ in 0..2 {
        let (status, answer) = harness.post_json("/_simulator/event", &event).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer, json!({ "id": "EV-1", "status": 204 }));
    }
    let notified = harness.notified();
    assert_eq!(notified.len(), 2, "the same id again is a retry");
    for notification in notified {
        assert_eq!(notification.id, "EV-1");
        assert_eq!(notification.event_type, "COUPON.USE");
        assert_eq!(notification.summary, "代金券核销通知");
        assert_eq!(notification.plaintext, br#"{"coupon_id":"98674556"}"#);
        let NotifiedResource::Other { original_type } = notification.resource else {
            panic!("no payment and no refund");
        };
        assert_eq!(original_type, "coupon");
    }
    for (field, value) in [
        ("event_type", json!("")),
        ("mchid", json!("1")),
        ("url", json!("not a url")),
    ] {
        let mut wrong = event.clone();
        wrong[field] = value;
        let (status, answer) = harness.post_json("/_simulator/event", &wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{field} {answer}");
        assert_eq!(answer["error"]["field"], field);
    }
}
