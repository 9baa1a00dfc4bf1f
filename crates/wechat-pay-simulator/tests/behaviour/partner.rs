//! Partners, who act for their own merchants and nobody else.

use http::Method;
use serde_json::{Value, json};

use crate::stage::{Stage, opened_refund};

const PARTNER: &str = "/v3/pay/partner/transactions";

fn order(stage: &Stage, product: &str) -> Value {
    let merchant = stage.merchant();
    let sub = stage.simulator.sub_merchant(&merchant.mchid);
    let mut body = json!({
        "sp_appid": merchant.appid, "sp_mchid": merchant.mchid,
        "sub_appid": sub.sub_appid, "sub_mchid": sub.sub_mchid,
        "description": "一壶茶", "out_trade_no": "T00001",
        "notify_url": crate::stage::NOTIFY_URL, "amount": { "total": 1990 },
    });
    if product == "jsapi" {
        body["payer"] = json!({ "sub_openid": stage.simulator.openid(&sub.sub_appid) });
    }
    body
}

async fn place(stage: &Stage, product: &str, body: &Value) -> (u16, String, Value) {
    stage
        .call(
            Method::POST,
            &format!("{PARTNER}/{product}"),
            &body.to_string(),
        )
        .await
}

#[tokio::test]
async fn a_partner_orders_queries_refunds_and_closes_for_another_merchant() {
    let stage = Stage::with_settings(&[]);
    let merchant = stage.merchant().clone();
    let sub = stage.simulator.sub_merchant(&merchant.mchid);
    let (status, _, answer) = place(&stage, "jsapi", &order(&stage, "jsapi")).await;
    assert_eq!(status, 200, "{answer}");
    let paying = json!({ "prepay_id": answer["prepay_id"], "outcome": "success" });
    let (status, answer) = stage.pay(paying).await;
    assert_eq!(status.as_u16(), 200, "{answer}");
    let query = format!(
        "{PARTNER}/out-trade-no/T00001?sp_mchid={}&sub_mchid={}",
        merchant.mchid, sub.sub_mchid
    );
    let (_, _, paid) = stage.call(Method::GET, &query, "").await;
    assert_eq!(paid["trade_state"], "SUCCESS");
    assert_eq!(paid["sub_mchid"], sub.sub_mchid.as_str());
    assert_eq!(
        paid["payer"]["sub_openid"],
        stage.simulator.openid(&sub.sub_appid)
    );
    assert_eq!(
        paid["payer"]["sp_openid"],
        stage.simulator.openid(&merchant.appid)
    );
    assert!(paid.get("mchid").is_none() && paid.get("appid").is_none());
    stage.simulator.run_due().await;
    assert_eq!(
        opened_refund(&stage, 0).1["sp_mchid"],
        merchant.mchid.as_str()
    );

    let refund = json!({
        "sub_mchid": sub.sub_mchid, "out_trade_no": "T00001", "out_refund_no": "R1",
        "amount": { "refund": 1, "total": 1990, "currency": "CNY" },
    });
    let (status, _, answer) = stage
        .call(
            Method::POST,
            "/v3/refund/domestic/refunds",
            &refund.to_string(),
        )
        .await;
    assert_eq!(status, 200, "{answer}");
    let path = "/v3/refund/domestic/refunds/R1";
    assert_eq!(
        stage.call(Method::GET, path, "").await.0,
        404,
        "not its own"
    );
    let path = format!("{path}?sub_mchid={}", sub.sub_mchid);
    assert_eq!(stage.call(Method::GET, &path, "").await.0, 200);

    let mut other = order(&stage, "native");
    other["out_trade_no"] = "T00002".into();
    assert_eq!(place(&stage, "native", &other).await.0, 200);
    let closing = json!({ "sp_mchid": merchant.mchid, "sub_mchid": sub.sub_mchid }).to_string();
    let path = format!("{PARTNER}/out-trade-no/T00002/close");
    assert_eq!(stage.call(Method::POST, &path, &closing).await.0, 204);
}

#[tokio::test]
async fn a_partner_acts_for_its_own_merchants_and_buyers_alone() {
    let stage = Stage::with_settings(&[]);
    let own = stage.simulator.openid(&stage.merchant().appid);
    for (pointer, value, expected) in [
        ("/sub_mchid", json!("1600000000"), (403, "NO_AUTH")),
        (
            "/sub_appid",
            json!("wx0000000000000000"),
            (400, "APPID_MCHID_NOT_MATCH"),
        ),
        ("/sp_mchid", json!("1900000000"), (400, "PARAM_ERROR")),
        ("/payer", json!({}), (400, "PARAM_ERROR")),
        ("/payer", json!({ "sub_openid": own }), (400, "PARAM_ERROR")),
        ("/payer", json!({ "openid": own }), (400, "PARAM_ERROR")),
    ] {
        let mut body = order(&stage, "jsapi");
        *body.pointer_mut(pointer).unwrap() = value;
        let (status, code, answer) = place(&stage, "jsapi", &body).await;
        assert_eq!((status, code.as_str()), expected, "{pointer} {answer}");
    }
}

#[tokio::test]
async fn a_buyer_of_another_application_is_refused_as_an_invalid_openid() {
    let stage = Stage::with_settings(&[]);
    let mut own = stage.order("T00001", stage.jsapi());
    let foreign = stage.simulator.openid(&stage.merchant().mini_program_appid);
    own.product = wechat_pay::ProductFields::Jsapi {
        openid: wechat_pay::OpenId::parse(foreign).unwrap(),
    };
    let error = stage.send(own.request().unwrap()).await.unwrap_err();
    let said = error.wechat().unwrap();
    assert_eq!(
        (said.code.as_str(), said.message.as_str()),
        ("PARAM_ERROR", "无效的openid")
    );
}

#[tokio::test]
async fn a_code_belongs_to_the_buyer_who_opened_it_first() {
    let stage = Stage::new();
    let code_url = stage.native("T00001").await;
    let visit = |payer: u8, outcome: &str| json!({ "code_url": code_url, "payer": payer, "outcome": outcome });
    assert_eq!(stage.pay(visit(2, "cancel")).await.0.as_u16(), 200);
    let (status, answer) = stage.pay(visit(1, "success")).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (409, &json!("PAYER_MISMATCH"))
    );
    assert_eq!(stage.pay(visit(2, "success")).await.0.as_u16(), 200);
}

#[tokio::test]
async fn money_can_land_after_an_order_was_closed() {
    let stage = Stage::new();
    stage.native("T00001").await;
    let mchid = stage.merchant().mchid.clone();
    let number = wechat_pay::OutTradeNo::parse("T00001").unwrap();
    stage
        .send(wechat_pay::close(&number, &mchid))
        .await
        .unwrap();
    let mut late = json!({ "mchid": mchid, "out_trade_no": "T00001", "outcome": "success" });
    assert_eq!(stage.pay(late.clone()).await.0.as_u16(), 409);
    late["late"] = true.into();
    let (status, answer) = stage.pay(late).await;
    assert_eq!(
        (status.as_u16(), &answer["trade_state"]),
        (200, &json!("SUCCESS"))
    );
}
