//! The control interface: pay, read the ledger, advance the clock.

use http::StatusCode;
use serde_json::{Value, json};
use wechat_pay::{Fen, ProductFields, TradeState};

use crate::harness::Harness;

#[tokio::test]
async fn an_order_can_be_paid_by_each_of_its_ids() {
    let harness = Harness::new();
    let mchid = harness.merchant().mchid.clone();
    harness.native("T00004").await;
    let names = [
        json!({ "code_url": harness.native("T00001").await }),
        json!({ "prepay_id": harness.prepay_id("T00002").await }),
        json!({ "h5_url": format!("{}&redirect_url=http%3A%2F%2Fx", harness.h5("T00003").await) }),
        json!({ "mchid": mchid, "out_trade_no": "T00004" }),
    ];
    for mut body in names {
        body["outcome"] = "success".into();
        let (status, answer) = harness.pay(body.clone()).await;
        assert_eq!(status, StatusCode::OK, "{body} {answer}");
        assert_eq!(answer["trade_state"], "SUCCESS");
        assert_eq!(answer["transaction_id"].as_str().unwrap().len(), 28);
        let (status, answer) = harness.pay(body).await;
        assert_eq!(
            (status.as_u16(), &answer["error"]["code"]),
            (409, &json!("ORDER_PAID"))
        );
    }
}

#[tokio::test]
async fn only_the_buyer_of_a_jsapi_order_can_pay_it() {
    let harness = Harness::new();
    let prepay_id = harness.prepay_id("T00001").await;
    let mut body = json!({ "prepay_id": prepay_id, "outcome": "success", "openid": "oSomebody" });
    let (status, answer) = harness.pay(body.clone()).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (409, &json!("PAYER_MISMATCH"))
    );
    body["openid"] = harness.simulator.openid(&harness.merchant().appid).into();
    assert_eq!(harness.pay(body).await.0, StatusCode::OK);
}

#[tokio::test]
async fn any_buyer_can_pay_a_code() {
    let harness = Harness::new();
    let code_url = harness.native("T00001").await;
    harness
        .pay(json!({ "code_url": code_url, "outcome": "success", "openid": "oSomebody" }))
        .await;
    harness.simulator.run_due().await;
    let wechat_pay::NotifiedResource::Transaction(paid) = harness.notified().remove(0).resource
    else {
        panic!("a payment was made");
    };
    assert_eq!(paid.openid(), Some("oSomebody"));
}

#[tokio::test]
async fn bad_requests_name_what_is_wrong() {
    let harness = Harness::new();
    let (pay, clock) = ("/_simulator/pay", "/_simulator/clock");
    // Without a field the error is about the whole body.
    let table = [
        (pay, r"{}", None),
        (pay, r#"{"outcome":"success"}"#, None),
        (pay, r#"{"outcome":"win","code_url":"x"}"#, None),
        (
            pay,
            r#"{"outcome":"success","code_url":"x","prepay_id":"y"}"#,
            None,
        ),
        (
            pay,
            r#"{"outcome":"success","code_url":"x","more":1}"#,
            None,
        ),
        (
            pay,
            r#"{"outcome":"success","mchid":"1"}"#,
            Some("out_trade_no"),
        ),
        (
            pay,
            r#"{"outcome":"success","out_trade_no":"1"}"#,
            Some("mchid"),
        ),
        (pay, r#"{"outcome":"success","h5_url":"x"}"#, Some("h5_url")),
        (clock, r#"{"advance_s":-1}"#, Some("advance_s")),
        (clock, r#"{"advance_s":1000000000}"#, Some("advance_s")),
        (clock, r#"{"advance_s":1.5}"#, None),
        (clock, r"{}", None),
    ];
    for (path, body, field) in table {
        let body: Value = serde_json::from_str(body).unwrap();
        let (status, answer) = harness.post_json(path, &body).await;
        let error = &answer["error"];
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(error["code"], "INVALID_REQUEST", "{body}");
        assert_eq!(error["field"].as_str(), field, "{body}");
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
    let nobodys = json!({ "outcome": "success", "code_url": "x" });
    let (status, answer) = harness.pay(nobodys).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (StatusCode::NOT_FOUND, &json!("ORDER_UNKNOWN"))
    );
}

#[tokio::test]
async fn the_ledger_shows_every_order_of_a_merchant() {
    let harness = Harness::new();
    harness.pay_native("T00001").await;
    harness.h5("T00002").await;
    harness.simulator.run_due().await;
    let mchid = &harness.merchant().mchid;
    let response = harness
        .get(&format!("/_simulator/ledger?mchid={mchid}"))
        .await;
    let mut ledger: Value = serde_json::from_slice(response.body()).unwrap();
    let paid = ledger["orders"][0].take();
    let id = &paid["notifications"][0]["id"];
    assert!(id.is_string() && paid["transaction_id"].is_string());
    assert_eq!(
        paid,
        json!({
            "mchid": mchid, "out_trade_no": "T00001", "transaction_id": paid["transaction_id"],
            "created_at": "2026-01-01T12:00:00+08:00",
            "trade_state": "SUCCESS", "total": 1990, "payer_total": 1990, "refunded": 0,
            "attempts": [{
                "at": "2026-01-01T12:00:00+08:00", "by": "code_url", "result": "PAID",
                "openid": harness.simulator.openid(&harness.merchant().appid),
            }],
            "notifications": [{
                "id": id, "event_type": "TRANSACTION.SUCCESS", "tries": 1, "acked": true,
                "log": [{ "due_at": "2026-01-01T12:00:00+08:00", "status": 204 }],
            }],
        })
    );
    assert_eq!(
        ledger["orders"][1],
        json!({
            "mchid": mchid, "out_trade_no": "T00002", "transaction_id": null,
            "created_at": "2026-01-01T12:00:00+08:00",
            "trade_state": "NOTPAY", "total": 1990, "payer_total": null, "refunded": 0,
            "attempts": [], "notifications": [],
        })
    );
    assert_eq!(ledger["refunds"], json!([]));
    let response = harness.get("/_simulator/ledger?mchid=1").await;
    assert_eq!(
        response.body(),
        &br#"{"orders":[],"combined":[],"refunds":[],"shares":[]}"#[..]
    );
}

#[tokio::test]
async fn the_ledger_shows_every_attempt_to_pay_and_why_it_failed() {
    let harness = Harness::new();
    let first = harness.native("T00001").await;
    let second = harness.native("T00001").await;
    let visit = |code: &str, payer: u8, outcome: &str| json!({ "code_url": code, "payer": payer, "outcome": outcome });
    for body in [
        visit(&first, 1, "success"),
        visit(&second, 2, "cancel"),
        visit(&second, 1, "success"),
        visit(&second, 2, "fail"),
        visit(&second, 2, "success"),
        visit(&second, 2, "success"),
    ] {
        harness.pay(body).await;
    }
    let order = harness.simulator.ledger_view(None).orders.remove(0);
    let appid = harness.merchant().appid.clone();
    let told: Vec<(String, &str)> = order
        .attempts
        .iter()
        .map(|attempt| (attempt.openid.clone(), attempt.result))
        .collect();
    let expected: Vec<(String, &str)> = [
        (1, "LINK_EXPIRED"),
        (2, "CANCELLED"),
        (1, "PAYER_MISMATCH"),
        (2, "FAILED"),
        (2, "PAID"),
        (2, "ORDER_PAID"),
    ]
    .map(|(payer, result)| (harness.simulator.openid_of(payer, &appid), result))
    .to_vec();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn the_ledger_is_the_same_for_callers_in_process() {
    let harness = Harness::new();
    let order = harness.order("T00001", ProductFields::Native);
    harness.send(order.request().unwrap()).await.unwrap();
    let view = harness
        .simulator
        .ledger_view(Some(&harness.merchant().mchid));
    assert_eq!(view.orders.len(), 1);
    assert_eq!(view.orders[0].trade_state, TradeState::NotPay);
    assert_eq!(view.orders[0].total, Fen::new(1990).unwrap());
}
