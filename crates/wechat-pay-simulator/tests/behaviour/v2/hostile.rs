//! What the gateway of version 2 refuses, in which order and in which words.

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use proptest::prelude::*;
use wechat_pay::ProductFields;
use wechat_pay::v2::{Fields, MAX_XML_BYTES, Route, SignType, bill_reader, sign};

use super::V2;
use crate::harness::{send, text};

const ORDER: &str = "/pay/unifiedorder";

/// The fields of a good Native order of the harness's merchant.
fn good(v2: &V2) -> Fields {
    let mut fields = v2.order("T00001", ProductFields::Native).fields().clone();
    fields.set("nonce_str", "n");
    fields
}

fn signed(v2: &V2, mut fields: Fields) -> Bytes {
    let signature = sign(fields.iter(), &v2.key, SignType::Md5);
    fields.set("sign", signature);
    fields.to_xml()
}

async fn refused(v2: &V2, body: Bytes) -> String {
    let answer = v2.post(ORDER, body).await;
    assert_eq!(answer.status, StatusCode::OK);
    let fields = Fields::read(&answer.body).unwrap();
    assert_eq!(fields.get("return_code"), Some("FAIL"), "{fields:?}");
    assert_eq!(fields.get("sign"), None);
    fields.get("return_msg").unwrap().to_owned()
}

#[tokio::test]
async fn a_wrong_signature_is_answered_byte_for_byte_as_wechat_answers_it() {
    let v2 = V2::new(SignType::Md5);
    let mut fields = good(&v2);
    fields.set("sign", "0".repeat(32));
    let request = Request::post(ORDER)
        .body(Body::from(fields.to_xml()))
        .unwrap();
    let response = send(v2.harness.simulator.app(), request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(
        text(&response),
        "<xml><return_code><![CDATA[FAIL]]></return_code>\n\
         <return_msg><![CDATA[签名错误]]></return_msg>\n</xml>"
    );
}

#[tokio::test]
async fn the_checks_come_in_wechats_order() {
    let v2 = V2::new(SignType::Md5);
    let unknown = {
        let mut fields = good(&v2);
        fields.set("mch_id", "1999999999");
        signed(&v2, fields)
    };
    let mut other_kind = good(&v2);
    other_kind.set("sign_type", "HMAC-SHA256");
    let mut lacking = good(&v2);
    lacking.remove("body");
    for (body, message) in [
        (Bytes::new(), "post数据为空"),
        (Bytes::from_static(b" \n"), "post数据为空"),
        (
            Bytes::from_static(b"<xml>\xff</xml>"),
            "编码格式错误，请使用UTF-8编码格式",
        ),
        (Bytes::from_static(b"{}"), "XML格式错误"),
        (
            Bytes::from_static(
                b"<!DOCTYPE xml [<!ENTITY a \"b\">]><xml><mch_id>&a;</mch_id></xml>",
            ),
            "XML格式错误",
        ),
        (
            Bytes::from_static(b"<xml><mch_id>1</mch_id><mch_id>2</mch_id></xml>"),
            "XML格式错误",
        ),
        (Bytes::from("<a>".repeat(9000)), "XML格式错误"),
        (Bytes::from(vec![b'<'; MAX_XML_BYTES + 1]), "XML格式错误"),
        (Bytes::from_static(b"<xml><sign>1</sign></xml>"), "缺少参数"),
        (
            Bytes::from_static(b"<xml><mch_id>1</mch_id></xml>"),
            "缺少参数",
        ),
        (unknown, "MCHID不存在"),
        (signed(&v2, other_kind), "签名错误"),
        (signed(&v2, lacking), "缺少参数"),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(refused(&v2, body).await, message, "{shown}");
    }
}

#[tokio::test]
async fn a_field_that_breaks_its_rule_is_named() {
    let v2 = V2::new(SignType::Md5);
    let long = "a".repeat(128);
    for (name, value, message) in [
        ("total_fee", "19.90", "invalid total_fee"),
        ("total_fee", "0", "invalid total_fee"),
        ("total_fee", "-1", "invalid total_fee"),
        ("total_fee", "99999999999999999999", "invalid total_fee"),
        ("time_expire", "2026-01-01 12:00", "invalid time_expire"),
        ("time_expire", "20260230120000", "invalid time_expire"),
        ("time_start", "2026", "invalid time_start"),
        ("spbill_create_ip", "localhost", "invalid spbill_create_ip"),
        ("trade_type", "native", "invalid trade_type"),
        ("trade_type", "JSAPI", "JSAPI支付必须传openid"),
        ("trade_type", "MWEB", "MWEB支付必须传scene_info"),
        ("product_id", "", "NATIVE支付必须传product_id"),
        ("out_trade_no", "T 1", "invalid out_trade_no"),
        ("attach", &long, "invalid attach"),
    ] {
        let mut fields = good(&v2);
        fields.set(name, value);
        let said = refused(&v2, signed(&v2, fields)).await;
        assert_eq!(said, message, "{name} {value}");
    }
    let mut unknown_field = good(&v2);
    unknown_field.set("later", "new");
    let answer = v2.post(ORDER, signed(&v2, unknown_field)).await;
    assert!(answer.verify(&v2.key, SignType::Md5).is_ok());
}

#[tokio::test]
async fn only_post_and_only_known_paths_are_served() {
    let v2 = V2::new(SignType::Md5);
    let app = || v2.harness.simulator.app();
    let get = Request::get(ORDER).body(Body::empty()).unwrap();
    assert!(text(&send(app(), get).await).contains("请使用post方法"));
    for path in ["/pay/unknown", "/secapi/pay/unknown", "/pay/refund"] {
        let request = Request::builder().method(Method::POST).uri(path);
        let response = send(app(), request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

const HOSTILE: [&str; 18] = [
    "",
    "0",
    "-1",
    "19.90",
    "69.105",
    "9223372036854775807",
    "9223372036854775808",
    "99999999999999",
    "20260230250000",
    "]]><a/><![CDATA[",
    "&amp;",
    "茶🍵",
    "\r\n",
    "T00001",
    "HMAC-SHA256",
    "130000000000000000",
    "{\"h5_info\":{\"type\":1}}",
    "weixin://wxpay/bizpayurl?%zz",
];

/// The fields of all requests together, each with a good value.
fn everything(v2: &V2) -> Fields {
    let mut fields = good(v2);
    for (name, value) in [
        ("transaction_id", "4200000001"),
        ("out_refund_no", "R1"),
        ("refund_id", "50000000001"),
        ("refund_fee", "1"),
        ("offset", "0"),
        ("auth_code", "130000000000000000"),
        ("bill_date", "20260101"),
        ("bill_type", "ALL"),
        ("tar_type", "GZIP"),
        ("long_url", "weixin://wxpay/bizpayurl?a=1"),
        ("scene_info", "{}"),
        ("openid", "oA"),
        ("sub_openid", "oB"),
        ("sub_appid", "wxsub"),
        ("sub_mch_id", "1600000001"),
        ("sign_type", "MD5"),
        ("time_start", "20260101120000"),
        ("time_expire", "20260101130000"),
    ] {
        fields.set(name, value);
    }
    fields
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn no_signed_request_makes_a_route_panic_or_answer_in_another_form(
        route in proptest::sample::select(&Route::ALL[..]),
        places in proptest::collection::vec((any::<proptest::sample::Index>(), 0..HOSTILE.len()), 0..6),
        removed in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let v2 = V2::new(SignType::Md5);
        let mut fields = everything(&v2);
        let names: Vec<String> = fields.iter().map(|(name, _)| name.to_owned()).collect();
        for (place, value) in places {
            fields.set(&names[place.index(names.len())], HOSTILE[value]);
        }
        for place in removed {
            fields.remove(&names[place.index(names.len())]);
        }
        let body = signed(&v2, fields);
        let answer = runtime.block_on(async {
            v2.paid("T00001").await;
            v2.post(route.path(), body).await
        });
        prop_assert_eq!(answer.status, StatusCode::OK);
        if let Ok(fields) = Fields::read(&answer.body) {
            prop_assert!(fields.get("return_code").is_some(), "{:?}", fields);
        } else {
            prop_assert_eq!(route, Route::DownloadBill);
            prop_assert!(bill_reader(&answer.body).is_some());
        }
    }
}
