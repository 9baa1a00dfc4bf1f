//! If an order was paid twice, the server refunds the second payment by itself, once.

use http::StatusCode;
use serde_json::{Value, json};

use super::HOOKS;
use crate::fault_injector::Fault;
use crate::test_server::{MINUTE_MS, TestServer};

/// `tea-0001` is paid by its second attempt, and late by its first attempt, too.
pub(super) async fn paid_twice(server: &TestServer) -> String {
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    let cancel = format!("/v1/checkouts/{token}/cancel");
    server.form(&cancel, &[("after", "1")]).await;
    let form = [("product", "native"), ("after", "1")];
    let second = server.attempt(&token, &form).await;
    server.pay(second.string("out_trade_no")).await;
    server.pay_late("tea-0001").await;
    let post = server.take_notifications();
    assert_eq!(post.len(), 2);
    for notification in post.iter().chain(&post) {
        let answer = server.deliver(notification).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    server.wechat.take_sent();
    token
}

fn types(server: &TestServer) -> Vec<Value> {
    let messages = server.backend.take();
    messages.iter().map(|m| m.json()["type"].clone()).collect()
}

#[tokio::test]
async fn a_duplicate_payment_is_refunded_once_and_the_order_stays_paid() {
    let server = TestServer::open_with_end(HOOKS).await;
    let token = paid_twice(&server).await;
    server.later(0).await;
    assert_eq!(server.state_of("surplus@tea-0001").await, "processing");
    for notification in server.results().await {
        assert_eq!(server.deliver_refund(&notification).await.status, 204);
    }
    server.later(60 * MINUTE_MS).await;
    let at_wechat = server.refunds_at_wechat();
    let expected = ("surplus@tea-0001".to_owned(), 1990, "SUCCESS".to_owned());
    assert_eq!(at_wechat, [expected]);
    let mut messages = types(&server);
    messages.sort_by_key(ToString::to_string);
    assert_eq!(
        messages,
        ["payment.succeeded", "payment.surplus", "refund.succeeded"]
    );
    let checkout = server.checkout(&token).await;
    assert_eq!(checkout.string("state"), "paid");
    assert!(
        checkout.json.get("refunded_fen").is_none(),
        "what settled the order is all there"
    );
    let refund = server.refund("surplus@tea-0001").await;
    assert_eq!(refund.string("origin"), "surplus");
    assert_eq!(refund.number("amount_fen"), 1990);
}

#[tokio::test]
async fn a_duplicate_payment_is_refunded_once_despite_lost_answers_and_restarts() {
    let server = TestServer::open_with_end(HOOKS).await;
    paid_twice(&server).await;
    let mut server = server.restart().await;
    for fault in [Fault::AnswerLost, Fault::NotSent, Fault::AnswerLost] {
        server.wechat.inject("refund", fault);
    }
    for _ in 0..10 {
        server.later(MINUTE_MS / 2).await;
        server = server.restart().await;
    }
    assert_eq!(server.refunds_at_wechat().len(), 1);
    assert_eq!(server.state_of("surplus@tea-0001").await, "succeeded");
}

#[tokio::test]
async fn a_refused_refund_of_a_duplicate_payment_is_retried_on_schedule() {
    let server = TestServer::open_with_end(HOOKS).await;
    paid_twice(&server).await;
    server
        .faults(json!([
            { "route": "refund", "kind": "refused", "code": "NOT_ENOUGH", "rate": 1.0, "count": 2 },
        ]))
        .await;
    server.later(0).await;
    let refund = server.refund("surplus@tea-0001").await;
    assert_eq!(refund.string("state"), "requested");
    assert_eq!(refund.string("wechat_code"), "NOT_ENOUGH");
    server.later(10 * MINUTE_MS).await;
    assert_eq!(server.state_of("surplus@tea-0001").await, "requested");
    server.later(60 * MINUTE_MS).await;
    assert_eq!(server.state_of("surplus@tea-0001").await, "processing");
    assert_eq!(server.refunds_at_wechat().len(), 1);
}

#[tokio::test]
async fn a_duplicate_payments_refund_that_wechat_keeps_refusing_is_retried_daily_and_reported_once()
{
    const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
    let server = TestServer::open_with_end(HOOKS).await;
    paid_twice(&server).await;
    server
        .faults(json!([
            { "route": "refund", "kind": "refused", "code": "NOT_ENOUGH", "rate": 1.0 },
        ]))
        .await;
    for _ in 0..10 {
        server.later(DAY_MS).await;
        assert_eq!(server.state_of("surplus@tea-0001").await, "requested");
    }
    let mut messages = server.refund_messages().await;
    assert_eq!(messages, [] as [&str; 0], "no person is needed yet");
    for _ in 0..3 {
        server.wechat.take_sent();
        server.later(DAY_MS).await;
        assert_eq!(server.state_of("surplus@tea-0001").await, "refused");
        assert!(server.wechat.take_kinds().contains(&"refund"));
        messages.extend(server.refund_messages().await);
    }
    assert_eq!(messages, ["refund.refused"]);

    server.faults(json!([])).await;
    server.later(DAY_MS).await;
    assert_eq!(server.state_of("surplus@tea-0001").await, "processing");
    let at_wechat = server.refunds_at_wechat();
    assert_eq!(at_wechat.len(), 1);
    assert_eq!(at_wechat[0].0, "surplus@tea-0001");
}

#[tokio::test]
async fn a_failed_refund_of_a_duplicate_payment_is_repeated_with_another_number_a_day_later() {
    let server = TestServer::open_with_end(HOOKS).await;
    paid_twice(&server).await;
    server.later(0).await;
    server.decide("surplus@tea-0001", "closed").await;
    for notification in server.take_notifications() {
        server.deliver_refund(&notification).await;
    }
    server.later(23 * 60 * MINUTE_MS).await;
    assert_eq!(server.refunds_at_wechat().len(), 1);
    server.later(60 * MINUTE_MS).await;
    assert_eq!(server.state_of("surplus@tea-0001@2").await, "processing");
}

#[tokio::test]
async fn the_merchant_can_refund_the_payment_of_the_order_and_not_its_duplicate() {
    let server = TestServer::open_with_end(HOOKS).await;
    paid_twice(&server).await;
    server.later(0).await;
    let asked = server.ask_refund(json!({ "refund_no": "R-1" })).await;
    assert_eq!(asked.number("amount_fen"), 1990);
    assert_ne!(asked.string("out_trade_no"), "tea-0001");
    assert_eq!(
        asked.string("state"),
        "processing",
        "another payment, another minute"
    );
    assert_eq!(server.refunds_at_wechat().len(), 2);
}
