//! Code pay: the merchant scans the buyer's code.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Harness, send};

const CODE_PAY: &str = "/v3/pay/transactions/codepay";

async fn shown_code(harness: &Harness) -> String {
    let (_, answer) = harness
        .post_json("/_simulator/auth_code", &json!({ "payer": 2 }))
        .await;
    answer["auth_code"].as_str().unwrap().to_owned()
}

fn order(harness: &Harness, number: &str, auth_code: &str, total: i64) -> String {
    let merchant = harness.merchant();
    json!({
        "appid": merchant.appid, "mchid": merchant.mchid, "description": "一壶茶",
        "out_trade_no": number, "amount": { "total": total },
        "payer": { "auth_code": auth_code }, "scene_info": { "store_info": { "id": "1" } },
    })
    .to_string()
}

async fn reverse(harness: &Harness, number: &str) -> (u16, String, Value) {
    let merchant = harness.merchant();
    let body = json!({ "appid": merchant.appid, "mchid": merchant.mchid }).to_string();
    let path = format!("/v3/pay/transactions/out-trade-no/{number}/reverse");
    harness.call(Method::POST, &path, &body).await
}

#[tokio::test]
async fn a_scanned_code_pays_at_once_and_only_once() {
    let harness = Harness::new();
    let code = shown_code(&harness).await;
    assert!(code.len() == 18 && code.starts_with("13"), "{code}");
    let first = order(&harness, "T00001", &code, 100);
    let (status, _, paid) = harness.call(Method::POST, CODE_PAY, &first).await;
    assert_eq!((status, &paid["trade_state"]), (200, &json!("SUCCESS")));
    assert_eq!(paid["trade_type"], "MICROPAY");
    let payer = harness.simulator.openid_of(2, &harness.merchant().appid);
    assert_eq!(paid["payer"]["openid"], payer.as_str());
    let second = order(&harness, "T00002", &code, 100);
    assert_eq!(
        harness.call(Method::POST, CODE_PAY, &second).await.1,
        "AUTHCODEEXPIRE"
    );
    let nobodys = order(&harness, "T00002", "130000000000000000", 100);
    assert_eq!(
        harness.call(Method::POST, CODE_PAY, &nobodys).await.1,
        "AUTH_CODE_INVALID"
    );
    let late = order(&harness, "T00003", &shown_code(&harness).await, 100);
    harness.advance(60);
    assert_eq!(
        harness.call(Method::POST, CODE_PAY, &late).await.1,
        "AUTHCODEEXPIRE"
    );
}

#[tokio::test]
async fn a_large_amount_waits_for_the_password_on_the_buyers_phone() {
    let harness = Harness::new();
    let body = order(&harness, "T00001", &shown_code(&harness).await, 100_000);
    let (_, _, waiting) = harness.call(Method::POST, CODE_PAY, &body).await;
    assert_eq!(waiting["trade_state"], "USERPAYING");
    let phone = http::Request::get("/phone")
        .header("cookie", "simulator_payer=2")
        .body(axum::body::Body::empty())
        .unwrap();
    let page = send(harness.simulator.app(), phone).await;
    assert!(crate::harness::text(&page).contains("/phone/password"));
    let mchid = harness.merchant().mchid.clone();
    let paying = json!({ "mchid": mchid, "out_trade_no": "T00001", "outcome": "success" });
    assert_eq!(harness.pay(paying).await.1["trade_state"], "SUCCESS");
}

#[tokio::test]
async fn code_pay_is_reversed_and_not_closed() {
    let harness = Harness::new();
    let body = order(&harness, "T00001", &shown_code(&harness).await, 100_000);
    harness.call(Method::POST, CODE_PAY, &body).await;
    let closing = json!({ "mchid": harness.merchant().mchid }).to_string();
    let path = "/v3/pay/transactions/out-trade-no/T00001/close";
    assert_eq!(
        harness.call(Method::POST, path, &closing).await.1,
        "INVALID_REQUEST"
    );
    for _ in 0..2 {
        assert_eq!(reverse(&harness, "T00001").await.0, 200);
    }
    let view = harness.simulator.ledger_view(None);
    assert_eq!(view.orders[0].trade_state.as_str(), "REVOKED");
    harness.native("T00002").await;
    assert_eq!(reverse(&harness, "T00002").await.1, "INVALID_REQUEST");
    assert_eq!(reverse(&harness, "T00009").await.1, "ORDER_NOT_EXIST");
}

#[tokio::test]
async fn a_failed_code_payment_stays_an_error() {
    let harness = Harness::new();
    let body = order(&harness, "T00001", &shown_code(&harness).await, 100_000);
    harness.call(Method::POST, CODE_PAY, &body).await;
    let mchid = harness.merchant().mchid.clone();
    let failing = json!({ "mchid": mchid, "out_trade_no": "T00001", "outcome": "fail" });
    assert_eq!(harness.pay(failing).await.1["trade_state"], "PAYERROR");
}

#[tokio::test]
async fn a_mini_program_gets_the_openid_of_its_buyer() {
    let harness = Harness::new();
    let (_, login) = harness
        .post_json("/_simulator/login", &json!({ "payer": 3 }))
        .await;
    let merchant = harness.merchant();
    let path = format!(
        "/sns/jscode2session?appid={}&secret={}&js_code={}&grant_type=authorization_code",
        merchant.mini_program_appid,
        merchant.mini_program_secret,
        login["code"].as_str().unwrap()
    );
    let answer: Value = serde_json::from_slice(harness.get(&path).await.body()).unwrap();
    let openid = harness.simulator.openid_of(3, &merchant.mini_program_appid);
    assert_eq!(answer["openid"], openid.as_str());
    assert!(answer["session_key"].is_string());
    let again: Value = serde_json::from_slice(harness.get(&path).await.body()).unwrap();
    assert_eq!(again["errcode"], 40163);
}
