//! Mini-programs: the stable token, and 发货信息管理 with WeChat's rules and codes.

use http::StatusCode;
use serde_json::{Value, json};
use wechat_pay::{JsapiOrdered, OpenId, ProductFields};

use crate::harness::Harness;

const UPLOAD: &str = "/wxa/sec/order/upload_shipping_info";

async fn token_with(harness: &Harness, force_refresh: bool) -> Value {
    let merchant = harness.merchant();
    let request = json!({
        "grant_type": "client_credential", "appid": merchant.mini_program_appid,
        "secret": merchant.mini_program_secret, "force_refresh": force_refresh,
    });
    harness.post_json("/cgi-bin/stable_token", &request).await.1
}

async fn token(harness: &Harness) -> String {
    let answer = token_with(harness, false).await;
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn advance(harness: &Harness, advance_s: u32) {
    let (status, _) = harness
        .post_json("/_simulator/clock", &json!({ "advance_s": advance_s }))
        .await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_stable_token_stays_the_same_until_its_last_minutes_and_then_both_are_valid() {
    let harness = Harness::new();
    let first = token(&harness).await;
    assert_eq!(token(&harness).await, first);
    advance(&harness, 6_899).await;
    assert_eq!(token(&harness).await, first);
    advance(&harness, 2).await;
    let second = token(&harness).await;
    assert_ne!(second, first);
    for valid in [&first, &second] {
        let path = format!("{UPLOAD}?access_token={valid}");
        let (_, answer) = harness.post_json(&path, &json!({})).await;
        assert_eq!(answer["errcode"], 47_001, "the token is not the problem");
    }
    let forced = token_with(&harness, true).await;
    let forced = forced["access_token"].as_str().unwrap();
    for (token, errcode) in [(&*second, 40_001), (forced, 47_001)] {
        let path = format!("{UPLOAD}?access_token={token}");
        let (_, answer) = harness.post_json(&path, &json!({})).await;
        assert_eq!(answer["errcode"], errcode);
    }
}

#[tokio::test]
async fn a_token_needs_the_mini_programs_own_secret() {
    let harness = Harness::new();
    let merchant = harness.merchant();
    let good = json!({
        "grant_type": "client_credential", "appid": merchant.mini_program_appid,
        "secret": merchant.mini_program_secret,
    });
    for (field, value, errcode) in [
        ("grant_type", "code", 40_002),
        ("appid", "", 41_002),
        ("appid", "wx0000000000000000", 40_013),
        ("secret", "", 41_004),
        ("secret", "nobodys", 40_125),
    ] {
        let mut request = good.clone();
        request[field] = value.into();
        let (status, answer) = harness.post_json("/cgi-bin/stable_token", &request).await;
        assert_eq!(status, StatusCode::OK, "WeChat answers errors with 200");
        assert_eq!(answer["errcode"], errcode, "{field}={value}");
    }
}

/// A payment in the mini-program: WeChat's number and the payer.
async fn paid(harness: &Harness) -> (String, String) {
    let merchant = harness.merchant();
    let openid = harness.simulator.openid(&merchant.mini_program_appid);
    let payer = OpenId::parse(openid.clone()).unwrap();
    let mut order = harness.order("T00001", ProductFields::Jsapi { openid: payer });
    order.orderer.appid.clone_from(&merchant.mini_program_appid);
    let reply = harness.send(order.request().unwrap()).await.unwrap();
    let prepay_id = reply.parse::<JsapiOrdered>().unwrap().prepay_id;
    let pay = json!({ "prepay_id": prepay_id, "outcome": "success" });
    let (_, visit) = harness.pay(pay).await;
    (visit["transaction_id"].as_str().unwrap().to_owned(), openid)
}

#[tokio::test]
async fn a_shipping_is_taken_by_wechats_rules() {
    let harness = Harness::new();
    let (transaction_id, openid) = paid(&harness).await;
    let path = format!("{UPLOAD}?access_token={}", token(&harness).await);
    let good = json!({
        "order_key": { "order_number_type": 2, "transaction_id": transaction_id },
        "logistics_type": 1, "delivery_mode": 1,
        "shipping_list": [{
            "tracking_no": "323244567777", "express_company": "DHL", "item_desc": "微信红包抱枕*1个",
            "contact": { "consignor_contact": "189****1234" },
        }],
        "upload_time": "2026-01-01T12:00:00.120+08:00", "payer": { "openid": openid },
    });
    let cases = [
        ("/order_key/order_number_type", json!(3), 268_485_194),
        ("/order_key/transaction_id", json!(""), 268_485_195),
        ("/order_key/order_number_type", json!(1), 268_485_196),
        ("/order_key/transaction_id", json!("42"), 10_060_001),
        ("/logistics_type", json!(5), 10_060_005),
        ("/delivery_mode", json!(3), 268_485_224),
        ("/delivery_mode", json!(2), 10_060_007),
        ("/shipping_list", json!([]), 268_485_228),
        ("/shipping_list", json!({}), 47_001),
        ("/shipping_list/0/item_desc", json!(""), 10_060_008),
        (
            "/shipping_list/0/item_desc",
            json!("茶".repeat(121)),
            10_060_009,
        ),
        ("/shipping_list/0/tracking_no", json!(""), 268_485_226),
        ("/shipping_list/0/express_company", json!(""), 268_485_227),
        (
            "/shipping_list/0/contact/consignor_contact",
            json!("18912341234"),
            10_060_014,
        ),
        ("/upload_time", json!("yesterday"), 268_485_216),
        ("/payer/openid", json!("oNobody"), 10_060_031),
    ];
    for (pointer, value, errcode) in cases {
        let mut wrong = good.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        let (_, answer) = harness.post_json(&path, &wrong).await;
        assert_eq!(answer["errcode"], errcode, "{pointer} {answer}");
    }
    let mut other = good.clone();
    other["shipping_list"][0]["tracking_no"] = "1".into();
    let later = |mut it: Value, second: u32| {
        it["upload_time"] = format!("2026-01-01T12:00:{second:02}+08:00").into();
        it
    };
    for (body, errcode) in [
        (good.clone(), 0),
        // The same again changes nothing, at whatever time.
        (good.clone(), 10_060_023),
        (later(good.clone(), 9), 10_060_023),
        (later(other.clone(), 10), 0),
        (
            later(
                json!({
                    "shipping_list": [{ "tracking_no": "2", "express_company": "DHL", "item_desc": "x" }],
                    "order_key": good["order_key"], "logistics_type": 1, "delivery_mode": 1,
                    "payer": good["payer"],
                }),
                11,
            ),
            10_060_003,
        ),
    ] {
        let (_, answer) = harness.post_json(&path, &body).await;
        assert_eq!(answer["errcode"], errcode, "{body} {answer}");
    }
}
