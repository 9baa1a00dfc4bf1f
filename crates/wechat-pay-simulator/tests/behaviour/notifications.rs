//! Notifications: what is told, to whom, and how often.

use http::StatusCode;
use serde_json::json;
use wechat_pay::{Fen, NotifiedResource, Stamp, TradeState};
use wechat_pay_simulator::OutgoingError;

use crate::stage::{Stage, start};

const WAITS_S: [u32; 15] = [
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600,
];

fn tries(stage: &Stage) -> (usize, bool) {
    let view = stage.simulator.ledger_view(None);
    let notification = &view.orders[0].notifications[0];
    (notification.tries, notification.acked)
}

#[tokio::test]
async fn a_payment_is_notified_once_and_opens_with_the_merchants_keys() {
    let stage = Stage::new();
    let transaction_id = stage.pay_native("T00001").await;
    assert!(
        stage.notified().is_empty(),
        "nothing is sent before it is run"
    );
    stage.simulator.run_due().await;
    stage.simulator.run_due().await;
    let notified = stage.notified();
    assert_eq!(notified.len(), 1);
    assert_eq!(notified[0].event_type, "TRANSACTION.SUCCESS");
    let NotifiedResource::Transaction(paid) = &notified[0].resource else {
        panic!("a payment was made");
    };
    assert_eq!(paid.transaction_id, Some(transaction_id));
    assert_eq!(paid.trade_state, TradeState::Success);
    assert_eq!(paid.out_trade_no, "T00001");
    assert_eq!(paid.payer_total(), Some(Fen::new(1990).unwrap()));
    assert_eq!(tries(&stage), (1, true));
    assert_eq!(stage.simulator.next_due(), None);
}

#[tokio::test]
async fn cancel_and_failure_are_not_notified_and_leave_the_order_unpaid() {
    let stage = Stage::new();
    let code_url = stage.native("T00001").await;
    for outcome in ["cancel", "fail"] {
        let (status, answer) = stage
            .pay(json!({ "code_url": code_url, "outcome": outcome }))
            .await;
        assert_eq!(
            (status.as_u16(), answer),
            (200, json!({ "trade_state": "NOTPAY" }))
        );
    }
    stage.simulator.run_due().await;
    assert!(stage.notified().is_empty());
}

#[tokio::test]
async fn refused_notifications_come_again_on_wechats_schedule_and_then_stop() {
    let stage = Stage::new();
    stage.answer_notifications(Ok(StatusCode::INTERNAL_SERVER_ERROR));
    stage.pay_native("T00001").await;
    stage.simulator.run_due().await;
    for (index, wait_s) in WAITS_S.into_iter().enumerate() {
        assert_eq!(tries(&stage), (index + 1, false));
        stage.advance(wait_s - 1);
        stage.simulator.run_due().await;
        assert_eq!(tries(&stage).0, index + 1, "too early: {wait_s}");
        stage.advance(1);
        stage.simulator.run_due().await;
    }
    assert_eq!(tries(&stage), (16, false));
    stage.advance(30 * 24 * 3600);
    stage.simulator.run_due().await;
    assert_eq!(tries(&stage), (16, false));
    let ids: std::collections::BTreeSet<String> =
        stage.notified().into_iter().map(|n| n.id).collect();
    assert_eq!(ids.len(), 1, "each try carries the same id");
}

#[tokio::test]
async fn a_jump_of_the_clock_makes_up_for_all_that_was_due() {
    let stage = Stage::new();
    stage.answer_notifications(Err(OutgoingError::TimedOut));
    stage.pay_native("T00001").await;
    let (status, answer) = stage
        .post_json("/_simulator/clock", &json!({ "advance_s": 60 }))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer, json!({ "now": "2026-01-01T12:01:00+08:00" }));
    // At 0, 15, 30 and 60 seconds.
    assert_eq!(tries(&stage), (4, false));
    stage.answer_notifications(Ok(StatusCode::OK));
    stage.advance(180);
    stage.simulator.run_due().await;
    assert_eq!(tries(&stage), (5, true));
}

#[tokio::test]
async fn each_try_is_signed_afresh_and_by_the_walls_clock() {
    let stage = Stage::new();
    stage.answer_notifications(Ok(StatusCode::BAD_REQUEST));
    stage.pay_native("T00001").await;
    stage.simulator.run_due().await;
    stage.advance(15);
    stage.simulator.run_due().await;
    // Opening checks the time of the signature against a clock that was not advanced.
    assert_eq!(stage.notified().len(), 2);
    let inbox = stage.inbox.lock().unwrap();
    let signature = |index: usize| &inbox.received[index].0["wechatpay-signature"];
    assert_ne!(signature(0), signature(1));
}

#[tokio::test]
async fn who_asked_for_the_public_key_is_notified_with_it() {
    let stage = Stage::new();
    let id = stage.merchant().public_key_id.clone();
    let order = stage.order("T00001", wechat_pay::ProductFields::Native);
    let stamp = Stamp::new(start().as_second(), [2; 16]);
    let signed = order
        .request()
        .unwrap()
        .sign(&stage.key, &stamp, Some(&id))
        .unwrap();
    stage
        .send_raw(signed.into_http("").unwrap().map(axum::body::Body::from))
        .await;
    let mchid = stage.merchant().mchid.clone();
    stage
        .pay(json!({ "mchid": mchid, "out_trade_no": "T00001", "outcome": "success" }))
        .await;
    stage.simulator.run_due().await;
    assert_eq!(stage.notified().len(), 1);
    let inbox = stage.inbox.lock().unwrap();
    assert_eq!(inbox.received[0].0["wechatpay-serial"], id.as_str());
}
