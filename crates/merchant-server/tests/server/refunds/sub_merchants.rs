//! A service provider's refunds that were made elsewhere: WeChat is asked about each for the
//! sub-merchant whose payment it is, and one that WeChat does not answer for hides no other's.

use serde_json::{Value, json};
use wechat_pay_simulator::SubMerchant;

use super::outside::by_hand;
use super::{HOOKS, pay_for};
use crate::house::{House, MINUTE_MS, START_MS, configuration, sub_merchant, sub_merchant_table};
use crate::wechat_line::Meddling;

const REFUSED: Meddling = Meddling::Answered(403, r#"{"code":"NO_AUTH","message":"x"}"#);

/// A provider's with these sub-merchants.
fn provider(subs: &[SubMerchant]) -> String {
    let tables: String = subs.iter().map(sub_merchant_table).collect();
    configuration("") + &tables + HOOKS
}

/// `tea-0001` was bought from the second of two.
async fn bought_from_the_second() -> (House, String) {
    let subs = [1, 2].map(sub_merchant);
    let house = House::open_configured(&provider(&subs)).await;
    let token = house
        .order(json!({
            "order_no": "tea-0001", "total_fen": 1990, "description": "一壶茶",
            "sub_mchid": subs[1].sub_mchid,
        }))
        .await;
    pay_for(&house, &token).await;
    (house, token)
}

#[tokio::test]
async fn a_refund_of_the_portal_is_asked_about_for_the_sub_merchant_whose_payment_it_is() {
    let (house, token) = bought_from_the_second().await;
    let (number, letters) = by_hand(&house, 1000).await;
    house.hand_in_refund(&letters[0]).await;
    house.later(0).await;
    assert_eq!(house.line.take_kinds(), ["refund_query"]);
    assert_eq!(house.state_of(&number).await, "succeeded");
    assert_eq!(house.checkout(&token).await.number("refunded_fen"), 1000);
}

#[tokio::test]
async fn a_sub_merchant_that_wechat_refuses_to_answer_for_hides_no_refund_of_the_others() {
    let (house, _) = bought_from_the_second().await;
    let (number, letters) = by_hand(&house, 1000).await;
    // Whose payment it is cannot be known: this ledger has lost its attempt.
    let pool = house.database().await;
    sqlx::query("UPDATE attempts SET out_trade_no = 'another'")
        .execute(&pool)
        .await
        .unwrap();
    house.line.meddle("refund_query", REFUSED);
    house.hand_in_refund(&letters[0]).await;
    house.later(0).await;
    assert_eq!(house.line.take_kinds()[..2], ["refund_query"; 2]);
    let kept = house.read_private("/v1/mismatches").await.json;
    let kept = &kept["mismatches"][0];
    assert_eq!(kept["refund_no"], Value::from(number), "{kept}");
    assert_eq!(kept["reason"], "number");
}

#[tokio::test]
async fn that_nobody_knows_a_refund_is_concluded_only_when_all_were_answered_for() {
    let (house, _) = bought_from_the_second().await;
    let (_, letters) = by_hand(&house, 1000).await;
    let pool = house.database().await;
    sqlx::query("UPDATE attempts SET out_trade_no = 'another'")
        .execute(&pool)
        .await
        .unwrap();
    let not_there = r#"{"code":"RESOURCE_NOT_EXISTS","message":""}"#;
    house.line.meddle("refund_query", REFUSED);
    house
        .line
        .meddle("refund_query", Meddling::Answered(404, not_there));
    house.hand_in_refund(&letters[0]).await;
    house.later(0).await;
    assert_eq!(house.line.take_kinds(), ["refund_query"; 2]);
    // As work that failed, and not by the plan for what is not there.
    house.later(5_000).await;
    assert_eq!(house.line.take_kinds()[..2], ["refund_query"; 2]);
}

#[tokio::test]
async fn a_refund_for_one_who_left_the_configuration_is_compared_as_before() {
    let (house, _) = bought_from_the_second().await;
    let path = "/v1/orders/tea-0001/refunds";
    let wish = super::wish("R-1", 1000).to_string();
    let asked = house
        .send(crate::house::backend(path, crate::house::API_KEY, wish))
        .await;
    assert_eq!(asked.word("state"), "processing", "{}", asked.json);
    for letter in house.results().await {
        house.hand_in_refund(&letter).await;
    }
    let house = house.begin_again_as(&provider(&[sub_merchant(1)])).await;
    house.later(MINUTE_MS).await;
    let reconciled = house.server.reconcile(START_MS).await.unwrap();
    assert_eq!(reconciled.findings, []);
}
