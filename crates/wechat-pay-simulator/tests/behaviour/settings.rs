//! Settings for points on which the documents contradict each other.

use http::Method;
use serde_json::json;
use wechat_pay::{Fen, ProductFields};

use crate::harness::Harness;

const NATIVE: &str = "/v3/pay/transactions/native";

fn order(harness: &Harness, description: &str) -> String {
    let merchant = harness.merchant();
    json!({
        "appid": merchant.appid, "mchid": merchant.mchid, "description": description,
        "out_trade_no": "T00001", "notify_url": crate::harness::NOTIFY_URL, "amount": { "total": 1 },
    })
    .to_string()
}

#[tokio::test]
async fn a_descriptions_limit_counts_bytes_or_characters() {
    for (line, length, expected) in [
        ("description_limit=bytes", 42, 200),
        ("description_limit=bytes", 43, 400),
        ("description_limit=characters", 127, 200),
        ("description_limit=characters", 128, 400),
    ] {
        let harness = Harness::with_settings(&[line]);
        let body = order(&harness, &"茶".repeat(length));
        let (status, ..) = harness.call(Method::POST, NATIVE, &body).await;
        assert_eq!(status, expected, "{line} {length}");
    }
}

#[tokio::test]
async fn a_changed_order_has_two_answers_and_a_paid_one_two_codes() {
    for (line, changed, paid) in [
        ("payers=3", (400, "INVALID_REQUEST"), (400, "ORDERPAID")),
        (
            "changed_order=out_trade_no_used",
            (403, "OUT_TRADE_NO_USED"),
            (400, "ORDERPAID"),
        ),
        (
            "paid_code=ORDER_PAID",
            (400, "INVALID_REQUEST"),
            (400, "ORDER_PAID"),
        ),
    ] {
        let harness = Harness::with_settings(&[line]);
        harness.native("T00001").await;
        let mut other = harness.order("T00001", ProductFields::Native);
        other.total = Fen::new(1991).unwrap();
        let error = harness.send(other.request().unwrap()).await.unwrap_err();
        let said = error.wechat().unwrap();
        assert_eq!((said.status, said.code.as_str()), changed, "{line}");
        harness.pay_native("T00001").await;
        let again = harness.order("T00001", ProductFields::Native);
        let error = harness.send(again.request().unwrap()).await.unwrap_err();
        let said = error.wechat().unwrap();
        assert_eq!((said.status, said.code.as_str()), paid, "{line}");
    }
}

#[tokio::test]
async fn code_pay_and_the_path_of_bills_can_be_switched_off() {
    let harness = Harness::with_settings(&[
        "code_pay=false",
        "bill_path=/v3/bill/downloadurl",
        "unknown_route=empty",
    ]);
    for (method, path) in [
        ("POST", "/v3/pay/transactions/codepay"),
        ("POST", "/v3/pay/transactions/out-trade-no/T00001/reverse"),
        ("GET", "/v3/billdownload/file"),
    ] {
        let request = http::Request::builder().method(method).uri(path);
        let reply = harness
            .send_raw(request.body(axum::body::Body::empty()).unwrap())
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.body.len()),
            (404, 0),
            "{path}"
        );
    }
}

#[tokio::test]
async fn refusals_before_authentication_are_signed_if_the_setting_says_so() {
    for (line, signed) in [("payers=3", false), ("sign_refusals=true", true)] {
        let harness = Harness::with_settings(&[line]);
        let request = http::Request::post(NATIVE)
            .body(axum::body::Body::empty())
            .unwrap();
        let reply = harness.send_raw(request).await;
        assert_eq!(reply.status.as_u16(), 401);
        assert_eq!(
            reply.headers.contains_key("wechatpay-signature"),
            signed,
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_certificates_times_can_have_the_blank_of_the_documented_sample() {
    let harness = Harness::with_settings(&["certificate_blank_key=true", "trust=certificates"]);
    let (_, _, answer) = harness.call(Method::GET, "/v3/certificates", "").await;
    let read: Result<wechat_pay::SealedCertificates, _> = serde_json::from_value(answer.clone());
    assert!(read.is_ok(), "{answer}");
    for name in ["effective_time ", "expire_time "] {
        assert!(answer["data"][0].get(name).is_some(), "{answer}");
    }
}

#[tokio::test]
async fn too_many_calls_have_two_codes() {
    for (line, code) in [
        ("rate_code=FREQUENCY_LIMITED", "FREQUENCY_LIMITED"),
        ("rate_code=RATELIMIT_EXCEEDED", "RATELIMIT_EXCEEDED"),
    ] {
        let harness = Harness::with_settings(&[line]);
        let rules = json!([{ "route": "order", "kind": "too_many_requests", "rate": 1 }]);
        harness.post_json("/_simulator/faults", &rules).await;
        let (status, said, _) = harness.call(Method::POST, NATIVE, "{}").await;
        assert_eq!((status, said.as_str()), (429, code));
    }
}

#[tokio::test]
async fn a_bills_link_has_two_paths_and_two_lifetimes() {
    for (link_s, path) in [(30, "/v3/bill/downloadurl"), (300, "/v3/billdownload/file")] {
        let lines = [
            "bills_at_once=true".to_owned(),
            format!("bill_link_s={link_s}"),
            format!("bill_path={path}"),
        ];
        let harness = Harness::with_settings(&lines.each_ref().map(String::as_str));
        harness.pay_native("T00001").await;
        let trade = "/v3/bill/tradebill?bill_date=2026-01-01";
        let (_, _, bill) = harness.call(Method::GET, trade, "").await;
        let link = bill["download_url"].as_str().unwrap();
        let link = link.strip_prefix(crate::harness::BASE_URL).unwrap();
        assert!(link.starts_with(&format!("{path}?token=")), "{link}");
        harness.advance(link_s - 1);
        assert!(!crate::harness::file_of(&harness, &bill).await.is_empty());
        harness.advance(1);
        let (status, code, _) = harness.call(Method::GET, link, "").await;
        assert_eq!(
            (status, code.as_str()),
            (400, "INVALID_REQUEST"),
            "{link_s}"
        );
    }
}

#[tokio::test]
async fn refunds_get_the_result_of_the_setting_at_its_time() {
    for (outcome, status) in [
        ("success", "SUCCESS"),
        ("abnormal", "ABNORMAL"),
        ("closed", "CLOSED"),
    ] {
        let result = format!("refund_outcome={outcome}");
        let harness = Harness::with_settings(&[&result, "refund_after_s=60"]);
        harness.pay_native("T00001").await;
        let refund = json!({
            "out_trade_no": "T00001", "out_refund_no": "R1",
            "amount": { "refund": 1, "total": 1990, "currency": "CNY" },
        });
        let path = "/v3/refund/domestic/refunds";
        harness.call(Method::POST, path, &refund.to_string()).await;
        let shown = || harness.simulator.ledger_view(None).refunds[0].status;
        harness.advance(59);
        assert_eq!(shown(), "PROCESSING");
        harness.advance(1);
        assert_eq!(shown(), status);
    }
}

#[tokio::test]
async fn an_unknown_openid_is_accepted_if_the_setting_allows_it() {
    for (line, taken) in [
        ("unknown_openids=false", false),
        ("unknown_openids=true", true),
    ] {
        let harness = Harness::with_settings(&[line]);
        let mut order = harness.order("T00001", ProductFields::Native);
        order.product = ProductFields::Jsapi {
            openid: wechat_pay::OpenId::parse("oNobody").unwrap(),
        };
        let answered = harness.send(order.request().unwrap()).await;
        assert_eq!(answered.is_ok(), taken, "{line}");
    }
}

#[tokio::test]
async fn settings_can_be_changed_at_run_time() {
    let harness = Harness::new();
    let request = http::Request::patch("/_simulator/settings")
        .body(axum::body::Body::from(
            json!({ "payers": 5, "code_pay": false }).to_string(),
        ))
        .unwrap();
    let answer = crate::harness::send(harness.simulator.app(), request).await;
    let settings: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(
        (&settings["payers"], &settings["code_pay"]),
        (&json!(5), &json!(false))
    );
    let wrong = http::Request::patch("/_simulator/settings")
        .body(axum::body::Body::from(json!({ "payers": 0 }).to_string()))
        .unwrap();
    let answer = crate::harness::send(harness.simulator.app(), wrong).await;
    assert_eq!(answer.status().as_u16(), 400);
    assert_eq!(harness.simulator.settings().payers, 5);
}

#[tokio::test]
async fn goods_of_more_than_6144_bytes_are_refused() {
    let harness = Harness::new();
    let mut body: serde_json::Value = serde_json::from_str(&order(&harness, "茶")).unwrap();
    let goods = json!({ "merchant_goods_id": "1", "quantity": 1, "unit_price": 1 });
    body["detail"] = json!({ "goods_detail": vec![goods; 120] });
    let (status, code, answer) = harness.call(Method::POST, NATIVE, &body.to_string()).await;
    assert_eq!((status, code.as_str()), (400, "PARAM_ERROR"));
    assert!(answer["message"].as_str().unwrap().contains("6144"));
}

#[tokio::test]
async fn a_deadline_is_capped_at_seven_or_fifteen_days() {
    for (line, day, open) in [
        ("deadline_cap_days=7", 6, true),
        ("deadline_cap_days=7", 8, false),
        ("deadline_cap_days=15", 14, true),
        ("deadline_cap_days=15", 15, false),
    ] {
        let harness = Harness::with_settings(&[line]);
        let mut order = harness.order(
            "T00001",
            ProductFields::Jsapi {
                openid: wechat_pay::OpenId::parse(
                    harness.simulator.openid(&harness.merchant().appid),
                )
                .unwrap(),
            },
        );
        order.time_expire = Some("2026-03-01T00:00:00Z".parse().unwrap());
        harness.send(order.request().unwrap()).await.unwrap();
        harness.advance(day * 24 * 3600);
        let mchid = harness.merchant().mchid.clone();
        let paying = json!({ "mchid": mchid, "out_trade_no": "T00001", "outcome": "success" });
        let paid = harness.pay(paying).await.0.as_u16();
        assert_eq!(paid == 200, open, "{line} {day}");
    }
}
