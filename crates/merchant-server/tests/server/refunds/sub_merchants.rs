//! A service provider's refunds that were made elsewhere. The server queries each refund for the
//! sub-merchant of the payment. A sub-merchant whose queries fail does not hide the refunds of
//! another.

use serde_json::{Value, json};
use wechat_pay_simulator::SubMerchant;

use super::outside::by_hand;
use super::{HOOKS, pay_for};
use crate::fault_injector::Fault;
use crate::test_server::{
    MINUTE_MS, START_MS, TestServer, configuration, sub_merchant, sub_merchant_table,
};

const REFUSED: Fault = Fault::Answered(403, r#"{"code":"NO_AUTH","message":"x"}"#);

/// The server of a provider with these sub-merchants.
fn provider(subs: &[SubMerchant]) -> String {
    let tables: String = subs.iter().map(sub_merchant_table).collect();
    configuration("") + &tables + HOOKS
}

/// `tea-0001` was bought from the second of two sub-merchants.
async fn bought_from_the_second() -> (TestServer, String) {
    let subs = [1, 2].map(sub_merchant);
    let server = TestServer::open_configured(&provider(&subs)).await;
    let token = server
        .order(json!({
            "order_no": "tea-0001", "total_fen": 1990, "description": "一壶茶",
            "sub_mchid": subs[1].sub_mchid,
        }))
        .await;
    pay_for(&server, &token).await;
    (server, token)
}

#[tokio::test]
async fn a_refund_of_the_portal_is_queried_for_the_sub_merchant_of_its_payment() {
    let (server, token) = bought_from_the_second().await;
    let (number, notifications) = by_hand(&server, 1000).await;
    server.deliver_refund(&notifications[0]).await;
    server.later(0).await;
    assert_eq!(server.wechat.take_kinds(), ["refund_query"]);
    assert_eq!(server.state_of(&number).await, "succeeded");
    assert_eq!(server.checkout(&token).await.number("refunded_fen"), 1000);
}

#[tokio::test]
async fn a_sub_merchant_whose_query_is_refused_hides_no_refund_of_the_others() {
    let (server, _) = bought_from_the_second().await;
    let (number, notifications) = by_hand(&server, 1000).await;
    // The server cannot know whose payment it is, because this ledger has lost the attempt.
    let pool = server.database().await;
    sqlx::query("UPDATE attempts SET out_trade_no = 'another'")
        .execute(&pool)
        .await
        .unwrap();
    server.wechat.inject("refund_query", REFUSED);
    server.deliver_refund(&notifications[0]).await;
    server.later(0).await;
    assert_eq!(server.wechat.take_kinds()[..2], ["refund_query"; 2]);
    let kept = server.read_private("/v1/mismatches").await.json;
    let kept = &kept["mismatches"][0];
    assert_eq!(kept["refund_no"], Value::from(number), "{kept}");
    assert_eq!(kept["reason"], "number");
}

#[tokio::test]
async fn a_refund_counts_as_unknown_only_after_the_answers_for_all_sub_merchants() {
    let (server, _) = bought_from_the_second().await;
    let (_, notifications) = by_hand(&server, 1000).await;
    let pool = server.database().await;
    sqlx::query("UPDATE attempts SET out_trade_no = 'another'")
        .execute(&pool)
        .await
        .unwrap();
    let not_there = r#"{"code":"RESOURCE_NOT_EXISTS","message":""}"#;
    server.wechat.inject("refund_query", REFUSED);
    server
        .wechat
        .inject("refund_query", Fault::Answered(404, not_there));
    server.deliver_refund(&notifications[0]).await;
    server.later(0).await;
    assert_eq!(server.wechat.take_kinds(), ["refund_query"; 2]);
    // The queries are repeated as failed work is, and not as for a refund that does not exist.
    server.later(5_000).await;
    assert_eq!(server.wechat.take_kinds()[..2], ["refund_query"; 2]);
}

#[tokio::test]
async fn a_refund_of_a_removed_sub_merchant_is_still_compared() {
    let (server, _) = bought_from_the_second().await;
    let path = "/v1/orders/tea-0001/refunds";
    let body = super::refund_body("R-1", 1000).to_string();
    let asked = server
        .send(crate::test_server::backend(
            path,
            crate::test_server::API_KEY,
            body,
        ))
        .await;
    assert_eq!(asked.string("state"), "processing", "{}", asked.json);
    for notification in server.results().await {
        server.deliver_refund(&notification).await;
    }
    let server = server.restart_with(&provider(&[sub_merchant(1)])).await;
    server.later(MINUTE_MS).await;
    let reconciled = server.inner.reconcile(START_MS).await.unwrap();
    assert_eq!(reconciled.findings, []);
}
