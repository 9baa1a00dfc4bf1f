//! Combined orders of a service provider: each sub-order is a sub-merchant's.

use http::Method;
use serde_json::{Value, json};
use wechat_pay::{CombinedOrder, JsapiOrdered, OpenId, OpenIdOwner, ProductFields};

use super::{order, query, said};
use crate::harness::Harness;

fn partner_order(harness: &Harness, product: ProductFields) -> CombinedOrder {
    let mchid = harness.merchant().mchid.clone();
    let mut order = order(harness, "C20261", product);
    for (place, sub_order) in order.sub_orders.iter_mut().enumerate() {
        let place = u8::try_from(place).unwrap() + 1;
        let sub = harness.simulator.sub_merchant_of(place, &mchid);
        sub_order.sub_mchid = Some(sub.sub_mchid);
    }
    order
}

#[tokio::test]
async fn a_buyer_of_a_sub_merchant_pays_several_of_them_at_once() {
    let harness = Harness::with_settings(&[]);
    let sub = harness.simulator.sub_merchant(&harness.merchant().mchid);
    let openid = harness.simulator.openid(&sub.sub_appid);
    let product = ProductFields::Jsapi {
        openid: OpenId::parse(&openid).unwrap(),
    };
    let mut order = partner_order(&harness, product);
    order.sub_orders[0].sub_appid = Some(sub.sub_appid.clone());
    order.openid_owner = OpenIdOwner::SubMerchant;
    let reply = harness.send(order.request().unwrap()).await.unwrap();
    let prepay_id = reply.parse::<JsapiOrdered>().unwrap().prepay_id;
    let paying = json!({ "prepay_id": prepay_id, "outcome": "success" });
    assert_eq!(harness.pay(paying).await.0.as_u16(), 200);
    let paid = query(&harness, "C20261").await;
    let payer = paid.combine_payer_info.clone().unwrap();
    assert_eq!(payer.sub_openid.as_ref(), Some(&openid));
    let own = harness.simulator.openid(&harness.merchant().appid);
    assert_eq!(paid.openid(), Some(own.as_str()));
    let first = paid.transactions().remove(0);
    assert_eq!(first.mchid, harness.merchant().mchid);
    assert_eq!(first.sub_mchid.as_ref(), Some(&sub.sub_mchid));
    assert_eq!(first.sub_appid.as_ref(), Some(&sub.sub_appid));

    // A refund names the sub-merchant, as for an ordinary order.
    let refund = |refund_no: &str, sub_mchid: &str| {
        json!({
            "sub_mchid": sub_mchid, "out_trade_no": "C20261-1", "out_refund_no": refund_no,
            "amount": { "refund": 1990, "total": 1990, "currency": "CNY" },
        })
    };
    let path = "/v3/refund/domestic/refunds";
    let other = order.sub_orders[1].sub_mchid.clone().unwrap();
    let body = refund("R1", &other).to_string();
    assert_eq!(harness.call(Method::POST, path, &body).await.0, 404);
    let body = refund("R2", &sub.sub_mchid).to_string();
    assert_eq!(harness.call(Method::POST, path, &body).await.0, 200);
}

#[tokio::test]
async fn a_providers_rules_are_refused_with_wechats_code() {
    type Change = fn(&mut Value);
    let harness = Harness::new();
    let request = partner_order(&harness, ProductFields::Native)
        .request()
        .unwrap();
    let good: Value = serde_json::from_slice(&request.body).unwrap();
    let table: [(Change, u16, &str); 5] = [
        (
            |b| b["sub_orders"][1]["sub_mchid"] = json!("1600000001"),
            403,
            "NO_AUTH",
        ),
        (
            |b| b["sub_orders"][1]["sub_appid"] = json!("wx0000000000000000"),
            400,
            "APPID_MCHID_NOT_MATCH",
        ),
        (
            |b| {
                for place in 0..2 {
                    b["sub_orders"][place]["sub_appid"] = json!("wx0000000000000000");
                }
            },
            400,
            "PARAM_ERROR",
        ),
        (
            |b| b["sub_orders"][0]["mchid"] = json!("1600000001"),
            400,
            "PARAM_ERROR",
        ),
        (
            |b| b["sub_orders"] = json!(vec![b["sub_orders"][0].clone(); 51]),
            400,
            "PARAM_ERROR",
        ),
    ];
    for (change, status, code) in table {
        let mut changed = good.clone();
        change(&mut changed);
        let path = &request.path_and_query;
        let (got, said, answer) = harness.call(Method::POST, path, &changed.to_string()).await;
        assert_eq!((got, said.as_str()), (status, code), "{answer}");
    }
    // A single sub-order is enough.
    let mut single = partner_order(&harness, ProductFields::Native);
    single.sub_orders.truncate(1);
    assert!(harness.send(single.request().unwrap()).await.is_ok());
    let again = partner_order(&harness, ProductFields::Native);
    let refused = harness.send(again.request().unwrap()).await;
    assert_eq!(said(refused), (400, "INVALID_REQUEST".into()));
}
