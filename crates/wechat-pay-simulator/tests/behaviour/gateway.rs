//! The gateway: the order of its checks, and its answers to invalid requests.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use proptest::prelude::*;
use serde_json::{Value, json};
use wechat_pay::{
    Account, Authorization, OutTradeNo, ProductFields, Reply, ReplyError, RequestParts, Stamp,
    query_by_out_trade_no,
};

use crate::harness::{Harness, start};

const NATIVE: &str = "/v3/pay/transactions/native";

fn native_request(harness: &Harness) -> RequestParts {
    let order = harness.order("T20260101", ProductFields::Native);
    order.request().unwrap()
}

fn is_signed(reply: &Reply) -> bool {
    reply
        .headers
        .keys()
        .any(|name| name.as_str().starts_with("wechatpay-"))
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

#[tokio::test]
async fn a_wrong_method_is_refused_before_anything_else() {
    let harness = Harness::new();
    for (method, path, status) in [
        ("POST", "/v3/certificates", 405),
        ("GET", "/v3/refund/domestic/refunds", 405),
        ("GET", NATIVE, 405),
        ("HEAD", NATIVE, 405),
        (
            "DELETE",
            "/v3/pay/transactions/out-trade-no/T20260101/close",
            405,
        ),
        ("POST", "/v3/pay/transactions/out-trade-no/T20260101", 405),
        ("POST", "/v3/pay/transactions/id/42", 405),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        let reply = harness.send_raw(request).await;
        assert_eq!(reply.status.as_u16(), status, "{method} {path}");
        assert!(
            reply.body.is_empty() && !is_signed(&reply),
            "{method} {path}"
        );
    }
}

type Change = fn(&mut Authorization);

#[tokio::test]
async fn errors_before_a_valid_signature_are_401_and_unsigned() {
    let harness = Harness::new();
    let now_s = start().as_second();
    let format = "签名信息错误，验签失败";
    let time = "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟";
    let table: Vec<(&str, i64, Change, &str)> = vec![
        ("late", now_s - 301, |_| {}, time),
        ("early", now_s + 301, |_| {}, time),
        ("no number", now_s, |a| a.timestamp = "soon".into(), time),
        // The time is checked before the signature.
        (
            "late and wrong",
            now_s - 301,
            |a| a.signature = "AA==".into(),
            time,
        ),
        (
            "other merchant",
            now_s,
            |a| a.mchid = "1900000000".into(),
            "商户未申请过证书",
        ),
        (
            "other serial",
            now_s,
            |a| a.serial_no = "00".into(),
            "商户证书序列号有误。请使用签名私钥匹配的证书序列号",
        ),
        (
            "wrong signature",
            now_s,
            |a| a.signature = "AA==".into(),
            "签名错误",
        ),
        (
            "changed nonce",
            now_s,
            |a| a.nonce_str.push('0'),
            "签名错误",
        ),
        ("no nonce", now_s, |a| a.nonce_str.clear(), format),
    ];
    for (what, timestamp_s, change, message) in table {
        let stamp = Stamp::new(timestamp_s, [1; 16]);
        let signed = native_request(&harness)
            .sign(&harness.key, &stamp, None)
            .unwrap();
        let mut request = signed.into_http("").unwrap().map(Body::from);
        let text = request.headers()[header::AUTHORIZATION].to_str().unwrap();
        let mut authorization = Authorization::parse(text).unwrap();
        change(&mut authorization);
        request.headers_mut().insert(
            header::AUTHORIZATION,
            authorization.to_header_text().parse().unwrap(),
        );
        let reply = harness.send_raw(request).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what}");
        assert_eq!(json_of(&reply)["code"], "SIGN_ERROR", "{what}");
        assert_eq!(json_of(&reply)["message"], message, "{what}");
        assert!(!is_signed(&reply), "{what}");
        assert!(!reply.headers.contains_key("request-id"), "{what}");
    }
}

#[tokio::test]
async fn other_authorizations_are_refused() {
    let harness = Harness::new();
    for values in [
        vec![],
        vec!["Bearer x"],
        vec!["WECHATPAY2-SHA256-RSA2048 mchid=\"1\""],
        vec!["a", "b"],
    ] {
        let mut request = Request::post(NATIVE);
        for value in &values {
            request = request.header(header::AUTHORIZATION, *value);
        }
        let reply = harness.send_raw(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{values:?}");
        assert_eq!(
            json_of(&reply)["message"],
            "签名信息错误，验签失败",
            "{values:?}"
        );
    }
}

#[tokio::test]
async fn a_wrong_signature_is_answered_with_the_checked_message() {
    let harness = Harness::new();
    let mut request = harness.signed(native_request(&harness));
    *request.body_mut() = Body::from("{}");
    let reply = harness.send_raw(request).await;
    let signed = &json_of(&reply)["detail"]["sign_information"];
    assert_eq!(
        (&signed["method"], &signed["url"]),
        (&json!("POST"), &json!(NATIVE))
    );
    let shown = signed["truncated_sign_message"].as_str().unwrap();
    assert!(
        shown.starts_with("POST\n/v3/pay/transactions/native\n"),
        "{shown}"
    );
    assert!(shown.ends_with("\n{}\n"), "{shown}");
}

#[tokio::test]
async fn after_a_good_signature_everything_is_signed_refusals_too() {
    let harness = Harness::new();
    let mut broken = native_request(&harness);
    broken.body = "{}".into();
    let error = harness.send(broken).await.unwrap_err();
    let said = error.wechat().unwrap();
    assert!(said.trusted);
    assert_eq!((said.status, said.code.as_str()), (400, "PARAM_ERROR"));
    assert!(said.request_id.as_ref().unwrap().ends_with("-268435461"));

    let unknown = OutTradeNo::parse("T404040").unwrap();
    let missing = query_by_out_trade_no(&harness.account(), &unknown);
    let error = harness.send(missing).await.unwrap_err();
    let said = error.wechat().unwrap();
    assert_eq!(
        (said.status, said.code.as_str(), said.trusted),
        (404, "ORDER_NOT_EXIST", true)
    );
}

#[tokio::test]
async fn a_success_has_wechats_headers_and_is_signed_by_the_requested_key() {
    let harness = Harness::new();
    let reply = harness
        .send_raw(harness.signed(native_request(&harness)))
        .await;
    for (name, value) in [
        ("content-type", "application/json; charset=utf-8"),
        ("cache-control", "no-cache, must-revalidate"),
        ("x-content-type-options", "nosniff"),
        ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048"),
        (
            "wechatpay-serial",
            harness.merchant().public_key_id.as_str(),
        ),
    ] {
        assert_eq!(reply.headers[name], value);
    }
    assert!(
        reply.headers["request-id"]
            .to_str()
            .unwrap()
            .ends_with("-0")
    );

    let harness = Harness::with_settings(&["trust=certificates"]);
    let serial = harness.merchant().platform_serial_no.as_str();
    let reply = harness
        .send_raw(harness.signed(native_request(&harness)))
        .await;
    assert_eq!(reply.headers["wechatpay-serial"], serial);
    let id = harness.merchant().public_key_id.clone();
    let stamp = Stamp::new(start().as_second(), [2; 16]);
    let signed = native_request(&harness)
        .sign(&harness.key, &stamp, Some(&id))
        .unwrap();
    let request = signed.into_http("").unwrap().map(Body::from);
    let reply = harness.send_raw(request).await;
    assert_eq!(reply.headers["wechatpay-serial"], id.as_str());
    assert!(reply.verify(&harness.keys, start().as_second()).is_ok());
}

#[tokio::test]
async fn an_unknown_key_is_refused() {
    let harness = Harness::new();
    let stamp = Stamp::new(start().as_second(), [2; 16]);
    let signed = native_request(&harness)
        .sign(&harness.key, &stamp, Some("PUB_KEY_ID_00"))
        .unwrap();
    let reply = harness
        .send_raw(signed.into_http("").unwrap().map(Body::from))
        .await;
    let error = reply
        .verify(&harness.keys, start().as_second())
        .unwrap_err();
    assert_eq!(
        error.wechat().unwrap().message,
        "平台证书序列号Wechatpay-Serial错误"
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let harness = Harness::new();
    let request = Request::post(NATIVE)
        .body(Body::from(vec![b' '; 1024 * 1024 + 1]))
        .unwrap();
    let reply = harness.send_raw(request).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn the_merchant_must_be_the_same_in_header_body_and_query() {
    let harness = Harness::new();
    let mut other = harness.order("T20260101", ProductFields::Native);
    other.orderer.account = Account::new("1900000000", None);
    let number = OutTradeNo::parse("T20260101").unwrap();
    for request in [
        other.request().unwrap(),
        query_by_out_trade_no(&Account::new("1900000000", None), &number),
        wechat_pay::close(&Account::new("1900000000", None), &number),
    ] {
        let error = harness.send(request).await.unwrap_err();
        let said = error.wechat().unwrap();
        assert_eq!((said.status, said.code.as_str()), (400, "PARAM_ERROR"));
        assert_eq!(
            said.message,
            "http header中的mchid与post payload中的mchid不匹配"
        );
    }
    let without_mchid = RequestParts {
        method: Method::GET,
        path_and_query: "/v3/pay/transactions/out-trade-no/T20260101".into(),
        body: "".into(),
    };
    let error = harness.send(without_mchid).await.unwrap_err();
    assert!(error.wechat().unwrap().message.contains("/query/mchid"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn signed_hostile_bodies_are_refused_and_never_panic(
        body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "[\\[\\]{}\",:0-9a-z ]{0,100}".prop_map(String::into_bytes),
        ],
        path in prop_oneof![
            Just("/v3/pay/transactions/jsapi"),
            Just("/v3/pay/transactions/h5"),
            Just(NATIVE),
            Just("/v3/pay/transactions/out-trade-no/T20260101/close"),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let refused = runtime.block_on(async {
            let harness = Harness::new();
            let request = RequestParts {
                method: Method::POST,
                path_and_query: path.into(),
                body: body.into(),
            };
            harness.send(request).await
        });
        prop_assert!(matches!(refused, Err(ReplyError::Wechat(said)) if said.status == 400));
    }
}
