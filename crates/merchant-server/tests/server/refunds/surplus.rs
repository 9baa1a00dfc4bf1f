//! An order that was paid twice gives the second payment back by itself, once.

use http::StatusCode;
use serde_json::{Value, json};

use super::HOOKS;
use crate::house::{House, MINUTE_MS};
use crate::wechat_line::Meddling;

/// `tea-0001` is paid by its second attempt, and late by its first one, too.
pub(super) async fn paid_twice(house: &House) -> String {
    let token = house.tea().await;
    house.attempt(&token, &[("product", "native")]).await;
    let cancel = format!("/v1/checkouts/{token}/cancel");
    house.form(&cancel, &[("after", "1")]).await;
    let wish = [("product", "native"), ("after", "1")];
    let second = house.attempt(&token, &wish).await;
    house.pay(second.word("out_trade_no")).await;
    house.pay_late("tea-0001").await;
    let post = house.take_post();
    assert_eq!(post.len(), 2);
    for letter in post.iter().chain(&post) {
        let answer = house.hand_in(letter).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    house.line.take_sent();
    token
}

fn types(house: &House) -> Vec<Value> {
    let messages = house.backend.take();
    messages.iter().map(|m| m.json()["type"].clone()).collect()
}

#[tokio::test]
async fn money_that_came_twice_goes_back_once_and_the_order_stays_paid() {
    let house = House::open_with_end(HOOKS).await;
    let token = paid_twice(&house).await;
    house.later(0).await;
    assert_eq!(house.state_of("surplus@tea-0001").await, "processing");
    for letter in house.results().await {
        assert_eq!(house.hand_in_refund(&letter).await.status, 204);
    }
    house.later(60 * MINUTE_MS).await;
    let at_wechat = house.refunds_at_wechat();
    let expected = ("surplus@tea-0001".to_owned(), 1990, "SUCCESS".to_owned());
    assert_eq!(at_wechat, [expected]);
    let mut told = types(&house);
    told.sort_by_key(ToString::to_string);
    assert_eq!(
        told,
        ["payment.succeeded", "payment.surplus", "refund.succeeded"]
    );
    let checkout = house.checkout(&token).await;
    assert_eq!(checkout.word("state"), "paid");
    assert!(
        checkout.json.get("refunded_fen").is_none(),
        "what settled the order is all there"
    );
    let refund = house.refund("surplus@tea-0001").await;
    assert_eq!(refund.word("origin"), "surplus");
    assert_eq!(refund.number("amount_fen"), 1990);
}

#[tokio::test]
async fn surplus_goes_back_once_through_lost_answers_and_new_processes() {
    let house = House::open_with_end(HOOKS).await;
    paid_twice(&house).await;
    let mut house = house.begin_again().await;
    for meddling in [
        Meddling::AnswerLost,
        Meddling::NotSent,
        Meddling::AnswerLost,
    ] {
        house.line.meddle("refund", meddling);
    }
    for _ in 0..10 {
        house.later(MINUTE_MS / 2).await;
        house = house.begin_again().await;
    }
    assert_eq!(house.refunds_at_wechat().len(), 1);
    assert_eq!(house.state_of("surplus@tea-0001").await, "succeeded");
}

#[tokio::test]
async fn surplus_that_wechat_does_not_take_is_sent_again_by_plan() {
    let house = House::open_with_end(HOOKS).await;
    paid_twice(&house).await;
    house
        .faults(json!([
            { "route": "refund", "kind": "refused", "code": "NOT_ENOUGH", "rate": 1.0, "count": 2 },
        ]))
        .await;
    house.later(0).await;
    let refund = house.refund("surplus@tea-0001").await;
    assert_eq!(refund.word("state"), "requested");
    assert_eq!(refund.word("wechat_code"), "NOT_ENOUGH");
    house.later(10 * MINUTE_MS).await;
    assert_eq!(house.state_of("surplus@tea-0001").await, "requested");
    house.later(60 * MINUTE_MS).await;
    assert_eq!(house.state_of("surplus@tea-0001").await, "processing");
    assert_eq!(house.refunds_at_wechat().len(), 1);
}

#[tokio::test]
async fn surplus_that_wechat_goes_on_refusing_is_sent_again_each_day_and_told_of_once() {
    const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
    let house = House::open_with_end(HOOKS).await;
    paid_twice(&house).await;
    house
        .faults(json!([
            { "route": "refund", "kind": "refused", "code": "NOT_ENOUGH", "rate": 1.0 },
        ]))
        .await;
    for _ in 0..10 {
        house.later(DAY_MS).await;
        assert_eq!(house.state_of("surplus@tea-0001").await, "requested");
    }
    let mut told = house.told().await;
    assert_eq!(told, [] as [&str; 0], "nobody is needed yet");
    for _ in 0..3 {
        house.line.take_sent();
        house.later(DAY_MS).await;
        assert_eq!(house.state_of("surplus@tea-0001").await, "refused");
        assert!(house.line.take_kinds().contains(&"refund"));
        told.extend(house.told().await);
    }
    assert_eq!(told, ["refund.refused"]);

    house.faults(json!([])).await;
    house.later(DAY_MS).await;
    assert_eq!(house.state_of("surplus@tea-0001").await, "processing");
    let at_wechat = house.refunds_at_wechat();
    assert_eq!(at_wechat.len(), 1);
    assert_eq!(at_wechat[0].0, "surplus@tea-0001");
}

#[tokio::test]
async fn surplus_whose_refund_was_given_up_goes_back_under_another_number_a_day_later() {
    let house = House::open_with_end(HOOKS).await;
    paid_twice(&house).await;
    house.later(0).await;
    house.decide("surplus@tea-0001", "closed").await;
    for letter in house.take_post() {
        house.hand_in_refund(&letter).await;
    }
    house.later(23 * 60 * MINUTE_MS).await;
    assert_eq!(house.refunds_at_wechat().len(), 1);
    house.later(60 * MINUTE_MS).await;
    assert_eq!(house.state_of("surplus@tea-0001@2").await, "processing");
}

#[tokio::test]
async fn the_merchant_gives_back_what_settled_the_order_and_not_the_surplus() {
    let house = House::open_with_end(HOOKS).await;
    paid_twice(&house).await;
    house.later(0).await;
    let asked = house.ask_refund(json!({ "refund_no": "R-1" })).await;
    assert_eq!(asked.number("amount_fen"), 1990);
    assert_ne!(asked.word("out_trade_no"), "tea-0001");
    assert_eq!(
        asked.word("state"),
        "processing",
        "another payment, another minute"
    );
    assert_eq!(house.refunds_at_wechat().len(), 2);
}
