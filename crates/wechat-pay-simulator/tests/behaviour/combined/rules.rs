//! Combined orders: numbers, deadlines and closing, and what WeChat refuses.

use http::Method;
use serde_json::{Value, json};
use wechat_pay::{
    NativeOrdered, ProductFields, ReplyError, TradeState, TransactionId, close,
    query_by_out_trade_no, query_by_transaction_id, query_combined_order,
};

use super::{native, number, order, pay, query, said};
use crate::harness::{Harness, h5_fields};

const NATIVE: &str = "/v3/combine-transactions/native";

fn body(harness: &Harness, text: &str, product: ProductFields) -> Value {
    let request = order(harness, text, product).request().unwrap();
    serde_json::from_slice(&request.body).unwrap()
}

#[tokio::test]
async fn the_same_order_again_gets_a_new_link_and_other_parameters_are_refused() {
    let harness = Harness::new();
    let first = native(&harness, "C20261").await;
    let second = native(&harness, "C20261").await;
    assert_ne!(first, second);
    let mut changed = order(&harness, "C20261", ProductFields::Native);
    changed.sub_orders[1].settle_info = Some(json!({ "profit_sharing": true }));
    let refused = harness.send(changed.request().unwrap()).await;
    assert_eq!(said(refused), (400, "INVALID_REQUEST".into()));
    let other = order(&harness, "C20261", h5_fields());
    let refused = harness.send(other.request().unwrap()).await;
    assert_eq!(said(refused), (403, "OUT_TRADE_NO_USED".into()));
    pay(&harness, &second).await;
    let again = order(&harness, "C20261", ProductFields::Native);
    let refused = harness.send(again.request().unwrap()).await;
    assert_eq!(said(refused), (400, "ORDERPAID".into()));
}

#[tokio::test]
async fn a_sub_orders_number_is_used_once_and_may_be_the_combined_number() {
    let harness = Harness::new();
    harness.native("T00001").await;
    let mut taken = order(&harness, "C20261", ProductFields::Native);
    taken.sub_orders[1].out_trade_no = number("T00001");
    let refused = harness.send(taken.request().unwrap()).await;
    assert_eq!(said(refused), (403, "OUT_TRADE_NO_USED".into()));
    // Nothing of it was recorded.
    let refused = harness.send(query_combined_order(&number("C20261"))).await;
    assert_eq!(said(refused), (404, "ORDER_NOT_EXIST".into()));

    let mut same = order(&harness, "C20261", ProductFields::Native);
    same.sub_orders[0].out_trade_no = number("C20261");
    harness.send(same.request().unwrap()).await.unwrap();
    let ordinary = harness.order("C20261", ProductFields::Native);
    let refused = harness.send(ordinary.request().unwrap()).await;
    assert_eq!(said(refused), (403, "OUT_TRADE_NO_USED".into()));
    // A second attempt needs other numbers, also after the first was closed.
    super::close(&harness, &same).await.unwrap();
    let mut second = same.clone();
    second.combine_out_trade_no = number("C20262");
    let refused = harness.send(second.request().unwrap()).await;
    assert_eq!(said(refused), (403, "OUT_TRADE_NO_USED".into()));
}

#[tokio::test]
async fn the_routes_of_ordinary_orders_do_not_know_a_combined_one() {
    let harness = Harness::new();
    let code_url = native(&harness, "C20261").await;
    for text in ["C20261", "C20261-1"] {
        let request = query_by_out_trade_no(&harness.account(), &number(text));
        let refused = harness.send(request).await;
        assert_eq!(said(refused), (404, "ORDER_NOT_EXIST".into()), "{text}");
    }
    let refused = harness
        .send(close(&harness.account(), &number("C20261-1")))
        .await;
    assert_eq!(said(refused), (400, "INVALID_REQUEST".into()));
    let ids = pay(&harness, &code_url).await;
    let id = TransactionId::parse(&ids[0]).unwrap();
    let request = query_by_transaction_id(&harness.account(), &id);
    assert_eq!(
        said(harness.send(request).await),
        (404, "ORDER_NOT_EXIST".into())
    );
}

#[tokio::test]
async fn closing_names_every_sub_order_and_closes_them_together() {
    let harness = Harness::new();
    let whole = order(&harness, "C20261", ProductFields::Native);
    let refused = super::close(&harness, &whole).await;
    assert_eq!(said(refused), (404, "ORDER_NOT_EXIST".into()));
    let code_url = native(&harness, "C20261").await;
    let mut part = whole.clone();
    part.sub_orders.truncate(1);
    let mut other = whole.clone();
    other.sub_orders[1].out_trade_no = number("C20269");
    let mut wrong = whole.clone();
    wrong.combine_appid = "wx0000000000000000".into();
    for order in [part, other, wrong] {
        let refused = super::close(&harness, &order).await;
        assert_eq!(said(refused), (400, "INVALID_REQUEST".into()));
    }
    assert_eq!(
        query(&harness, "C20261").await.trade_state(),
        Some(TradeState::NotPay)
    );
    let mut reversed = whole.clone();
    reversed.sub_orders.reverse();
    for order in [&whole, &reversed] {
        assert_eq!(super::close(&harness, order).await, Ok(204));
    }
    assert_eq!(
        query(&harness, "C20261").await.trade_state(),
        Some(TradeState::Closed)
    );
    let paying = json!({ "code_url": code_url, "outcome": "success" });
    let (status, answer) = harness.pay(paying).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (409, &json!("ORDER_CLOSED"))
    );
    let refused = harness.send(whole.request().unwrap()).await;
    assert_eq!(said(refused), (400, "ORDER_CLOSED".into()));
    // Money can still arrive, as for ordinary orders: for all of it.
    let late = json!({
        "mchid": harness.merchant().mchid, "combine_out_trade_no": "C20261",
        "outcome": "success", "late": true,
    });
    assert_eq!(harness.pay(late).await.0.as_u16(), 200);
    assert!(query(&harness, "C20261").await.is_paid());
    let refused = super::close(&harness, &whole).await;
    assert_eq!(said(refused), (400, "ORDERPAID".into()));
}

#[tokio::test]
async fn the_deadline_stops_payment_and_an_unpaid_order_closes_by_itself() {
    let harness = Harness::new();
    let mut order = order(&harness, "C20261", ProductFields::Native);
    order.time_expire = Some("2026-01-01T04:05:00Z".parse().unwrap());
    let request = order.request().unwrap();
    let reply = harness.send(request.clone()).await.unwrap();
    let code_url = reply.parse::<NativeOrdered>().unwrap().code_url;
    harness.advance(300);
    let paying = json!({ "code_url": code_url, "outcome": "success" });
    let (status, answer) = harness.pay(paying).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (409, &json!("ORDER_EXPIRED"))
    );
    assert_eq!(
        said(harness.send(request).await),
        (400, "INVALID_REQUEST".into())
    );
    assert_eq!(
        query(&harness, "C20261").await.trade_state(),
        Some(TradeState::NotPay)
    );
    harness.advance(7 * 24 * 3600 - 300);
    assert_eq!(
        query(&harness, "C20261").await.trade_state(),
        Some(TradeState::Closed)
    );
}

#[tokio::test]
async fn each_rule_is_refused_with_wechats_code() {
    type Change = fn(&mut Value);
    let table: [(Change, u16, &str); 15] = [
        (
            |b| b["combine_mchid"] = json!("1900000001"),
            400,
            "PARAM_ERROR",
        ),
        (
            |b| b["combine_appid"] = json!("wx0000000000000000"),
            400,
            "APPID_MCHID_NOT_MATCH",
        ),
        (
            |b| b["combine_out_trade_no"] = json!("C1"),
            400,
            "PARAM_ERROR",
        ),
        (
            |b| b["sub_orders"] = json!([b["sub_orders"][0]]),
            400,
            "PARAM_ERROR",
        ),
        (
            |b| b["sub_orders"] = json!(vec![b["sub_orders"][0].clone(); 11]),
            400,
            "PARAM_ERROR",
        ),
        (
            |b| b["sub_orders"][1]["out_trade_no"] = b["sub_orders"][0]["out_trade_no"].clone(),
            400,
            "PARAM_ERROR",
        ),
        (
            |b| b["sub_orders"][1]["mchid"] = json!("1900000001"),
            400,
            "MCH_NOT_EXISTS",
        ),
        (
            |b| b["sub_orders"][1]["sub_mchid"] = json!("1600000001"),
            400,
            "PARAM_ERROR",
        ),
        (
            |b| b["sub_orders"][0]["amount"]["total_amount"] = json!(0),
            400,
            "PARAM_ERROR",
        ),
        (
            |b| b["sub_orders"][0]["amount"]["total_amount"] = json!(1_000_000_001),
            400,
            "PARAM_ERROR",
        ),
        (
            |b| b["sub_orders"][0]["amount"]["currency"] = json!("USD"),
            400,
            "PARAM_ERROR",
        ),
        (
            |b| b["sub_orders"][0]["attach"] = Value::Null,
            400,
            "PARAM_ERROR",
        ),
        (|b| b["support_fapiao"] = json!(true), 400, "PARAM_ERROR"),
        (
            |b| b["sub_orders"][0]["detail"] = json!("茶"),
            400,
            "PARAM_ERROR",
        ),
        (|b| b["total"] = json!(2000), 400, "PARAM_ERROR"),
    ];
    let harness = Harness::new();
    let good = body(&harness, "C20261", ProductFields::Native);
    for (change, status, code) in table {
        let mut changed = good.clone();
        change(&mut changed);
        let (got, said, answer) = harness
            .call(Method::POST, NATIVE, &changed.to_string())
            .await;
        assert_eq!((got, said.as_str()), (status, code), "{changed} {answer}");
    }
    let view = harness.simulator.ledger_view(None);
    assert!(view.orders.is_empty() && view.combined.is_empty());

    let mut h5 = body(&harness, "C20261", h5_fields());
    h5["scene_info"]["device_id"] = Value::Null;
    let path = "/v3/combine-transactions/h5";
    let (_, _, answer) = harness.call(Method::POST, path, &h5.to_string()).await;
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("/body/scene_info/device_id"), "{message}");
    let mut jsapi = body(&harness, "C20261", harness.jsapi());
    jsapi["combine_payer_info"] = json!({});
    let path = "/v3/combine-transactions/jsapi";
    let (_, _, answer) = harness.call(Method::POST, path, &jsapi.to_string()).await;
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.contains("/body/combine_payer_info/openid"),
        "{message}"
    );
}

#[tokio::test]
async fn an_openid_of_another_application_is_refused() {
    let harness = Harness::with_settings(&[]);
    let mut body = body(&harness, "C20261", harness.jsapi());
    body["combine_payer_info"]["openid"] = json!("oUnknown");
    let path = "/v3/combine-transactions/jsapi";
    let (status, code, _) = harness.call(Method::POST, path, &body.to_string()).await;
    assert_eq!((status, code.as_str()), (400, "PARAM_ERROR"));
}

#[tokio::test]
async fn a_request_without_a_valid_signature_changes_nothing() {
    let harness = Harness::new();
    let request = order(&harness, "C20261", ProductFields::Native)
        .request()
        .unwrap();
    let mut signed = harness.signed(request);
    *signed.uri_mut() = "/v3/combine-transactions/app".parse().unwrap();
    let reply = harness.send_raw(signed).await;
    let now_s = crate::harness::start().as_second();
    let error = reply.verify(&harness.keys, now_s).unwrap_err();
    let ReplyError::Wechat(said) = error else {
        panic!("{error}");
    };
    assert_eq!((said.status, said.code.as_str()), (401, "SIGN_ERROR"));
    assert!(harness.simulator.ledger_view(None).combined.is_empty());
}

#[tokio::test]
async fn another_merchants_orders_are_not_found() {
    let (first, second) = Harness::with_another_merchant();
    native(&first, "C20261").await;
    let refused = second.send(query_combined_order(&number("C20261"))).await;
    assert_eq!(said(refused), (404, "ORDER_NOT_EXIST".into()));
    // The same numbers are free below another merchant.
    let (mchid, appid) = crate::merchants::numbers(&first, 1).await;
    let mut order = order(&second, "C20261", ProductFields::Native);
    order.combine_appid = appid;
    order.combine_mchid.clone_from(&mchid);
    for sub_order in &mut order.sub_orders {
        sub_order.mchid.clone_from(&mchid);
    }
    assert!(second.send(order.request().unwrap()).await.is_ok());
}
