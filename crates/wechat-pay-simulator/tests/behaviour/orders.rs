//! Orders: the same number again, other parameters, expiry, and closing.

use serde_json::json;
use wechat_pay::{
    Fen, NativeOrdered, OutTradeNo, ProductFields, ReplyError, TradeState, TradeType, Transaction,
    TransactionId, close, query_by_out_trade_no, query_by_transaction_id,
};

use crate::harness::{Harness, h5_fields, start};

fn number(text: &str) -> OutTradeNo {
    OutTradeNo::parse(text).unwrap()
}

async fn query(harness: &Harness, text: &str) -> Transaction {
    let request = query_by_out_trade_no(&harness.account(), &number(text));
    harness.send(request).await.unwrap().parse().unwrap()
}

/// Status and code of a refusal.
fn said(result: Result<impl std::fmt::Debug, ReplyError>) -> (u16, String) {
    let error = result.unwrap_err();
    let said = error.wechat().unwrap();
    (said.status, said.code.clone())
}

#[tokio::test]
async fn each_product_answers_with_its_own_link() {
    let harness = Harness::new();
    let code_url = harness.native("T00001").await;
    assert!(
        code_url.starts_with("weixin://wxpay/bizpayurl?pr="),
        "{code_url}"
    );
    let prepay_id = harness.prepay_id("T00002").await;
    assert!(prepay_id.starts_with("wx20260101120000"), "{prepay_id}");
    let h5_url = harness.h5("T00003").await;
    let beginning = "http://127.0.0.1:9410/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2026";
    assert!(h5_url.starts_with(beginning), "{h5_url}");
    assert!(h5_url.contains("&package="), "{h5_url}");
}

#[tokio::test]
async fn an_unpaid_order_has_neither_payment_nor_payer() {
    let harness = Harness::new();
    harness.native("T00001").await;
    let order = query(&harness, "T00001").await;
    assert_eq!(order.trade_state, TradeState::NotPay);
    assert_eq!(order.total(), Some(Fen::new(1990).unwrap()));
    assert_eq!(
        (
            order.transaction_id,
            order.trade_type,
            order.payer,
            order.success_time
        ),
        (None, None, None, None)
    );
}

#[tokio::test]
async fn a_paid_order_is_found_by_both_numbers() {
    let harness = Harness::new();
    let id = harness.pay_native("T00001").await;
    let by_number = query(&harness, "T00001").await;
    assert_eq!(by_number.trade_state, TradeState::Success);
    assert_eq!(by_number.trade_type, Some(TradeType::Native));
    assert_eq!(by_number.payer_total(), Some(Fen::new(1990).unwrap()));
    assert_eq!(by_number.success_time(), Some(start()));
    assert_eq!(
        by_number.openid(),
        Some(harness.simulator.openid(&harness.merchant().appid).as_str())
    );
    let id = TransactionId::parse(id).unwrap();
    let request = query_by_transaction_id(&harness.account(), &id);
    let by_id: Transaction = harness.send(request).await.unwrap().parse().unwrap();
    assert_eq!(by_id, by_number);
    let unknown = TransactionId::parse("42").unwrap();
    let request = query_by_transaction_id(&harness.account(), &unknown);
    assert_eq!(
        said(harness.send(request).await),
        (404, "ORDER_NOT_EXIST".into())
    );
}

#[tokio::test]
async fn the_same_order_again_gets_a_new_code_and_the_old_one_expires() {
    let harness = Harness::new();
    let first = harness.native("T00001").await;
    let second = harness.native("T00001").await;
    assert_ne!(first, second);
    let (status, answer) = harness
        .pay(json!({ "code_url": first, "outcome": "success" }))
        .await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (409, &json!("LINK_EXPIRED"))
    );
    let (status, _) = harness
        .pay(json!({ "code_url": second, "outcome": "success" }))
        .await;
    assert_eq!(status.as_u16(), 200);
}

#[tokio::test]
async fn an_older_prepay_id_stays_valid() {
    let harness = Harness::new();
    let first = harness.prepay_id("T00001").await;
    let second = harness.prepay_id("T00001").await;
    assert_ne!(first, second);
    let (status, _) = harness
        .pay(json!({ "prepay_id": first, "outcome": "success" }))
        .await;
    assert_eq!(status.as_u16(), 200);
}

#[tokio::test]
async fn a_known_number_refuses_other_parameters_and_other_products() {
    let harness = Harness::new();
    harness.native("T00001").await;
    let mut changed = harness.order("T00001", ProductFields::Native);
    changed.total = Fen::new(1991).unwrap();
    let refused = harness.send(changed.request().unwrap()).await;
    assert_eq!(
        refused.unwrap_err().wechat().unwrap().message,
        "请求重入时，参数与首次请求时不一致"
    );
    let other = harness.order("T00001", h5_fields());
    let refused = harness.send(other.request().unwrap()).await;
    assert_eq!(said(refused), (403, "OUT_TRADE_NO_USED".into()));
    // Neither has changed the order.
    assert_eq!(
        query(&harness, "T00001").await.total(),
        Some(Fen::new(1990).unwrap())
    );
}

#[tokio::test]
async fn a_paid_number_can_be_neither_ordered_nor_closed() {
    let harness = Harness::new();
    harness.pay_native("T00001").await;
    let again = harness.order("T00001", ProductFields::Native);
    let refused = harness.send(again.request().unwrap()).await;
    assert_eq!(said(refused), (400, "ORDERPAID".into()));
    let refused = harness
        .send(close(&harness.account(), &number("T00001")))
        .await;
    assert_eq!(said(refused), (400, "ORDERPAID".into()));
    assert_eq!(
        query(&harness, "T00001").await.trade_state,
        TradeState::Success
    );
}

#[tokio::test]
async fn a_close_is_204_also_when_repeated_and_the_number_cannot_be_used_again() {
    let harness = Harness::new();
    harness.native("T00001").await;
    for _ in 0..2 {
        let closed = harness
            .send(close(&harness.account(), &number("T00001")))
            .await
            .unwrap();
        assert_eq!((closed.status().as_u16(), closed.body().len()), (204, 0));
    }
    assert_eq!(
        query(&harness, "T00001").await.trade_state,
        TradeState::Closed
    );
    let again = harness.order("T00001", ProductFields::Native);
    let refused = harness.send(again.request().unwrap()).await;
    assert_eq!(said(refused), (400, "ORDER_CLOSED".into()));
}

#[tokio::test]
async fn a_number_without_an_order_can_be_closed_and_cannot_be_used_then() {
    let harness = Harness::new();
    let closing = close(&harness.account(), &number("T|0000*"));
    assert!(harness.send(closing).await.is_ok());
    let order = harness.order("T|0000*", ProductFields::Native);
    let refused = harness.send(order.request().unwrap()).await;
    assert_eq!(said(refused), (400, "ORDER_CLOSED".into()));
}

#[tokio::test]
async fn a_closed_order_cannot_be_paid() {
    let harness = Harness::new();
    let code_url = harness.native("T00001").await;
    harness
        .send(close(&harness.account(), &number("T00001")))
        .await
        .unwrap();
    let (status, answer) = harness
        .pay(json!({ "code_url": code_url, "outcome": "success" }))
        .await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (409, &json!("ORDER_CLOSED"))
    );
}

#[tokio::test]
async fn the_deadline_stops_payment_and_does_not_close() {
    let harness = Harness::new();
    let mut order = harness.order("T00001", ProductFields::Native);
    order.time_expire = Some("2026-01-01T04:05:00Z".parse().unwrap());
    let request = order.request().unwrap();
    let reply = harness.send(request.clone()).await.unwrap();
    let code_url = reply.parse::<NativeOrdered>().unwrap().code_url;
    harness.advance(299);
    let cancelled = json!({ "code_url": code_url, "outcome": "cancel" });
    assert_eq!(harness.pay(cancelled.clone()).await.0.as_u16(), 200);
    harness.advance(1);
    let (status, answer) = harness.pay(cancelled).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (409, &json!("ORDER_EXPIRED"))
    );
    assert_eq!(
        query(&harness, "T00001").await.trade_state,
        TradeState::NotPay
    );
    assert_eq!(
        said(harness.send(request).await),
        (400, "INVALID_REQUEST".into())
    );
    assert!(
        harness
            .send(close(&harness.account(), &number("T00001")))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_deadline_that_is_too_near_is_moved_to_a_minute_from_now() {
    let harness = Harness::new();
    let mut order = harness.order("T00001", ProductFields::Native);
    order.time_expire = Some(start());
    let reply = harness.send(order.request().unwrap()).await.unwrap();
    let code_url = reply.parse::<NativeOrdered>().unwrap().code_url;
    harness.advance(59);
    let paid = harness
        .pay(json!({ "code_url": code_url, "outcome": "success" }))
        .await;
    assert_eq!(paid.0.as_u16(), 200);
}

#[tokio::test]
async fn each_kind_of_link_expires_at_its_time() {
    let harness = Harness::new();
    let code_url = harness.native("T00001").await;
    let prepay_id = harness.prepay_id("T00002").await;
    let h5_url = harness.h5("T00003").await;
    let cancel = |name: &str, value: &str| json!({ name: value, "outcome": "cancel" });
    let links = [
        (cancel("h5_url", &h5_url), 5 * 60),
        (cancel("code_url", &code_url), 2 * 60 * 60),
        (cancel("prepay_id", &prepay_id), 2 * 60 * 60),
    ];
    let mut now_s = 0;
    for moment_s in [299, 300, 7199, 7200] {
        harness.advance(moment_s - now_s);
        now_s = moment_s;
        for (body, lifetime_s) in &links {
            let status = harness.pay(body.clone()).await.0.as_u16();
            let expected = if moment_s < *lifetime_s { 200 } else { 409 };
            assert_eq!(status, expected, "{body} after {moment_s} s");
        }
    }
    // The order outlives its links: it gets a new one under the same number.
    let fresh = harness.native("T00001").await;
    assert_eq!(
        harness.pay(cancel("code_url", &fresh)).await.0.as_u16(),
        200
    );
}

#[tokio::test]
async fn after_seven_days_an_unpaid_order_closes_by_itself() {
    let harness = Harness::new();
    harness.native("T00001").await;
    harness.advance(7 * 24 * 3600 - 1);
    assert_eq!(
        query(&harness, "T00001").await.trade_state,
        TradeState::NotPay
    );
    harness.advance(1);
    assert_eq!(
        query(&harness, "T00001").await.trade_state,
        TradeState::Closed
    );
}

#[tokio::test]
async fn an_application_of_another_merchant_is_refused() {
    let harness = Harness::new();
    let mut order = harness.order("T00001", ProductFields::Native);
    order.orderer.appid = "wx0000000000000000".into();
    let refused = harness.send(order.request().unwrap()).await;
    assert_eq!(said(refused), (400, "APPID_MCHID_NOT_MATCH".into()));
}
