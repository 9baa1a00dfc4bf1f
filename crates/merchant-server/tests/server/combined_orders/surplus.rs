//! A combined order that was paid twice: every sub-order of the second payment is refunded, once.

use super::{HOOKS, NATIVE, ORDER_NO, deliver_all, message_types, numbers, set};
use crate::fault_injector::Fault;
use crate::test_server::{MINUTE_MS, TestServer};

/// The set is paid by its second attempt, and late by its first one, too. Returns the numbers of the first
/// attempt's sub-orders.
async fn paid_twice(server: &TestServer) -> [String; 2] {
    let token = server.order(set()).await;
    server.attempt(&token, &[NATIVE]).await;
    let cancel = format!("/v1/checkouts/{token}/cancel");
    server.form(&cancel, &[("after", "1")]).await;
    let second = server.attempt(&token, &[NATIVE, ("after", "1")]).await;
    server.pay(second.string("out_trade_no")).await;
    server.pay_late(ORDER_NO).await;
    let notifications = deliver_all(server).await;
    assert_eq!(notifications.len(), 2);
    for notification in &notifications {
        server.deliver(notification).await;
    }
    let order = server.shown("/set-0001").await;
    assert_eq!(
        order.json["attempts"][0]["state"], "surplus",
        "{}",
        order.json
    );
    assert_eq!(order.json["attempts"][1]["state"], "paid", "{}", order.json);
    // The order shows the payment that settled it.
    let settled = numbers(&order, 1, "pot");
    assert_eq!(order.json["sub_orders"][0]["out_trade_no"], *settled.0);
    ["pot", "cup"].map(|no| numbers(&order, 0, no).0)
}

/// WeChat's refunds: number, amount in fen, state.
fn at_wechat(server: &TestServer) -> Vec<(String, u64, String)> {
    let ledger = serde_json::to_value(server.simulator.ledger_view(None)).unwrap();
    let refunds = ledger["refunds"].as_array().unwrap().iter();
    let mut refunds: Vec<_> = refunds
        .map(|refund| {
            let text = |name: &str| refund[name].as_str().unwrap().to_owned();
            (
                text("out_refund_no"),
                refund["refund"].as_u64().unwrap(),
                text("status"),
            )
        })
        .collect();
    refunds.sort_by_key(|refund| refund.1);
    refunds
}

fn expected([pot, cup]: [String; 2]) -> Vec<(String, u64, String)> {
    vec![
        (format!("surplus@{cup}"), 10, "SUCCESS".to_owned()),
        (format!("surplus@{pot}"), 1990, "SUCCESS".to_owned()),
    ]
}

async fn results(server: &TestServer) {
    server.clock.advance_ms(3_000);
    server.simulator.run_due().await;
    deliver_all(server).await;
}

#[tokio::test]
async fn every_sub_order_of_a_second_payment_is_refunded_once_and_the_order_stays_paid() {
    let server = TestServer::open_with_end(HOOKS).await;
    let numbers = paid_twice(&server).await;
    server.later(0).await;
    results(&server).await;
    server.later(60 * MINUTE_MS).await;
    assert_eq!(at_wechat(&server), expected(numbers));
    assert_eq!(
        message_types(&server),
        [
            "payment.succeeded",
            "payment.surplus",
            "refund.succeeded",
            "refund.succeeded"
        ]
    );
    let order = server.shown("/set-0001").await;
    assert_eq!(order.string("state"), "paid");
    assert_eq!(
        order.number("refunded_fen"),
        0,
        "what settled it is all there"
    );
    // The two are begun at the same time, in either order.
    let mut of: Vec<_> = order.json["refunds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refund| ["sub_order_no", "origin"].map(|field| refund[field].as_str().unwrap()))
        .collect();
    of.sort_unstable();
    assert_eq!(of, [["cup", "surplus"], ["pot", "surplus"]]);
}

#[tokio::test]
async fn a_second_payment_is_refunded_once_despite_lost_answers_and_restarts() {
    let mut server = TestServer::open_with_end(HOOKS).await;
    let numbers = paid_twice(&server).await;
    for fault in [
        Fault::AnswerLost,
        Fault::NotSent,
        Fault::AnswerLost,
        Fault::NotSent,
    ] {
        server.wechat.inject("refund", fault);
    }
    for _ in 0..12 {
        server.later(MINUTE_MS / 2).await;
        server = server.restart().await;
    }
    server.simulator.run_due().await;
    assert_eq!(at_wechat(&server), expected(numbers));
}
