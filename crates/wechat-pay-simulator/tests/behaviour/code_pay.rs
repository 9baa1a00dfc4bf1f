//! Code pay: the buyer shows, the merchant scans.

use http::Method;
use serde_json::{Value, json};

use crate::stage::{Stage, send};

const CODE_PAY: &str = "/v3/pay/transactions/codepay";

async fn shown_code(stage: &Stage) -> String {
    let (_, answer) = stage
        .post_json("/_simulator/auth_code", &json!({ "payer": 2 }))
        .await;
    answer["auth_code"].as_str().unwrap().to_owned()
}

fn order(stage: &Stage, number: &str, auth_code: &str, total: i64) -> String {
    let merchant = stage.merchant();
    json!({
        "appid": merchant.appid, "mchid": merchant.mchid, "description": "一壶茶",
        "out_trade_no": number, "amount": { "total": total },
        "payer": { "auth_code": auth_code }, "scene_info": { "store_info": { "id": "1" } },
    })
    .to_string()
}

async fn reverse(stage: &Stage, number: &str) -> (u16, String, Value) {
    let merchant = stage.merchant();
    let body = json!({ "appid": merchant.appid, "mchid": merchant.mchid }).to_string();
    let path = format!("/v3/pay/transactions/out-trade-no/{number}/reverse");
    stage.call(Method::POST, &path, &body).await
}

#[tokio::test]
async fn a_scanned_code_pays_at_once_and_is_good_once() {
    let stage = Stage::new();
    let code = shown_code(&stage).await;
    assert!(code.len() == 18 && code.starts_with("13"), "{code}");
    let first = order(&stage, "T00001", &code, 100);
    let (status, _, paid) = stage.call(Method::POST, CODE_PAY, &first).await;
    assert_eq!((status, &paid["trade_state"]), (200, &json!("SUCCESS")));
    assert_eq!(paid["trade_type"], "MICROPAY");
    let payer = stage.simulator.openid_of(2, &stage.merchant().appid);
    assert_eq!(paid["payer"]["openid"], payer.as_str());
    let second = order(&stage, "T00002", &code, 100);
    assert_eq!(
        stage.call(Method::POST, CODE_PAY, &second).await.1,
        "AUTHCODEEXPIRE"
    );
    let nobodys = order(&stage, "T00002", "130000000000000000", 100);
    assert_eq!(
        stage.call(Method::POST, CODE_PAY, &nobodys).await.1,
        "AUTH_CODE_INVALID"
    );
    let late = order(&stage, "T00003", &shown_code(&stage).await, 100);
    stage.advance(60);
    assert_eq!(
        stage.call(Method::POST, CODE_PAY, &late).await.1,
        "AUTHCODEEXPIRE"
    );
}

#[tokio::test]
async fn a_large_sum_waits_for_the_password_on_the_buyers_phone() {
    let stage = Stage::new();
    let body = order(&stage, "T00001", &shown_code(&stage).await, 100_000);
    let (_, _, waiting) = stage.call(Method::POST, CODE_PAY, &body).await;
    assert_eq!(waiting["trade_state"], "USERPAYING");
    let phone = http::Request::get("/phone")
        .header("cookie", "simulator_payer=2")
        .body(axum::body::Body::empty())
        .unwrap();
    let page = send(stage.simulator.app(), phone).await;
    assert!(crate::stage::text(&page).contains("/phone/password"));
    let mchid = stage.merchant().mchid.clone();
    let paying = json!({ "mchid": mchid, "out_trade_no": "T00001", "outcome": "success" });
    assert_eq!(stage.pay(paying).await.1["trade_state"], "SUCCESS");
}

#[tokio::test]
async fn code_pay_is_reversed_and_not_closed() {
    let stage = Stage::new();
    let body = order(&stage, "T00001", &shown_code(&stage).await, 100_000);
    stage.call(Method::POST, CODE_PAY, &body).await;
    let closing = json!({ "mchid": stage.merchant().mchid }).to_string();
    let path = "/v3/pay/transactions/out-trade-no/T00001/close";
    assert_eq!(
        stage.call(Method::POST, path, &closing).await.1,
        "INVALID_REQUEST"
    );
    for _ in 0..2 {
        assert_eq!(reverse(&stage, "T00001").await.0, 200);
    }
    let view = stage.simulator.ledger_view(None);
    assert_eq!(view.orders[0].trade_state.as_str(), "REVOKED");
    stage.native("T00002").await;
    assert_eq!(reverse(&stage, "T00002").await.1, "INVALID_REQUEST");
    assert_eq!(reverse(&stage, "T00009").await.1, "ORDER_NOT_EXIST");
}

#[tokio::test]
async fn a_failed_code_payment_is_an_error_for_good() {
    let stage = Stage::new();
    let body = order(&stage, "T00001", &shown_code(&stage).await, 100_000);
    stage.call(Method::POST, CODE_PAY, &body).await;
    let mchid = stage.merchant().mchid.clone();
    let failing = json!({ "mchid": mchid, "out_trade_no": "T00001", "outcome": "fail" });
    assert_eq!(stage.pay(failing).await.1["trade_state"], "PAYERROR");
}

#[tokio::test]
async fn a_mini_program_learns_who_its_buyer_is() {
    let stage = Stage::new();
    let (_, login) = stage
        .post_json("/_simulator/login", &json!({ "payer": 3 }))
        .await;
    let merchant = stage.merchant();
    let path = format!(
        "/sns/jscode2session?appid={}&secret={}&js_code={}&grant_type=authorization_code",
        merchant.mini_program_appid,
        merchant.mini_program_secret,
        login["code"].as_str().unwrap()
    );
    let answer: Value = serde_json::from_slice(stage.get(&path).await.body()).unwrap();
    let openid = stage.simulator.openid_of(3, &merchant.mini_program_appid);
    assert_eq!(answer["openid"], openid.as_str());
    assert!(answer["session_key"].is_string());
    let again: Value = serde_json::from_slice(stage.get(&path).await.body()).unwrap();
    assert_eq!(again["errcode"], 40163);
}
