//! Requests of other clients that WeChat accepts: empty headers, serial numbers in lower case, unknown
//! paths.

use axum::body::Body;
use http::{HeaderValue, Method, Request, header};
use serde_json::{Value, json};
use wechat_pay::{
    Authorization, ProductFields, Reply, RequestParts, SealedResource, Stamp, TrustedKeys, close,
    open,
};

use crate::harness::{Harness, start};

const CERTIFICATES: &str = "/v3/certificates";
const SERIAL: &str = "wechatpay-serial";

fn get(path: &str) -> RequestParts {
    RequestParts {
        method: Method::GET,
        path_and_query: path.to_owned(),
        body: "".into(),
    }
}

/// Signed, with the headers that WeChat requires for all routes but orders.
fn signed(harness: &Harness, parts: RequestParts) -> Request<Body> {
    let mut request = harness.signed(parts);
    let headers = request.headers_mut();
    headers.insert(header::USER_AGENT, HeaderValue::from_static("tests"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    request
}

fn order(harness: &Harness, number: &str) -> RequestParts {
    harness
        .order(number, ProductFields::Native)
        .request()
        .unwrap()
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

#[tokio::test]
async fn an_empty_serial_requests_no_key() {
    for trust in ["trust=certificates", "trust=public_key"] {
        let harness = Harness::with_settings(&[trust]);
        for (number, empty) in [
            ("T00001", &[""][..]),
            ("T00002", &["  "]),
            ("T00003", &["", ""]),
        ] {
            for parts in [get(CERTIFICATES), order(&harness, number)] {
                let path = parts.path_and_query.clone();
                let without = harness.send_raw(signed(&harness, parts.clone())).await;
                let mut request = signed(&harness, parts);
                for value in empty {
                    let value = HeaderValue::from_static(value);
                    request.headers_mut().append(SERIAL, value);
                }
                let reply = harness.send_raw(request).await;
                let what = format!("{trust} {path} {empty:?}");
                assert_eq!(reply.status, without.status, "{what}");
                assert_eq!(reply.headers[SERIAL], without.headers[SERIAL], "{what}");
                let verified = reply.verify(&harness.keys, start().as_second());
                let is_signed = verified.is_ok_and(|_| true);
                assert_eq!(is_signed, without.status.is_success(), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn an_sdk_without_a_key_of_wechats_downloads_the_certificates() {
    let harness = Harness::with_settings(&["trust=certificates"]);
    let mut request = signed(&harness, get(CERTIFICATES));
    request
        .headers_mut()
        .insert(SERIAL, HeaderValue::from_static(""));
    let reply = harness.send_raw(request).await;
    let sealed = json_of(&reply)["data"][0]["encrypt_certificate"].clone();
    let sealed: SealedResource = serde_json::from_value(sealed).unwrap();
    let pem = open(harness.simulator.keyring().api_v3_key(), &sealed).unwrap();
    let mut keys = TrustedKeys::new();
    keys.add_certificate_pem(&pem).unwrap();
    assert!(reply.verify(&keys, start().as_second()).is_ok());
}

#[tokio::test]
async fn a_serial_that_is_not_ascii_or_is_given_twice_is_refused() {
    let harness = Harness::new();
    let id = HeaderValue::from_str(&harness.merchant().public_key_id).unwrap();
    for values in [
        vec![id.clone(), id],
        vec![HeaderValue::from_bytes(b"\xff").unwrap()],
        vec![HeaderValue::from_static("0")],
    ] {
        let mut request = signed(&harness, order(&harness, "T00001"));
        for value in &values {
            request.headers_mut().append(SERIAL, value.clone());
        }
        let reply = harness.send_raw(request).await;
        assert_eq!(reply.status.as_u16(), 400, "{values:?}");
        assert_eq!(json_of(&reply)["code"], "PARAM_ERROR", "{values:?}");
    }
}

#[tokio::test]
async fn serial_numbers_are_accepted_in_lower_case() {
    for trust in ["trust=certificates", "trust=public_key"] {
        let harness = Harness::with_settings(&[trust]);
        let merchant = harness.merchant().clone();
        for asked in [&merchant.platform_serial_no, &merchant.public_key_id] {
            let stamp = Stamp::new(start().as_second(), [1; 16]);
            let request = order(&harness, "T00001")
                .sign(&harness.key, &stamp, None)
                .unwrap();
            let mut request = request.into_http("").unwrap().map(Body::from);
            let text = request.headers()[header::AUTHORIZATION].to_str().unwrap();
            let mut authorization = Authorization::parse(text).unwrap();
            authorization.serial_no = merchant.serial_no.to_ascii_lowercase();
            let text = authorization.to_header_text().parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, text);
            let small = asked.to_ascii_lowercase().parse().unwrap();
            request.headers_mut().insert(SERIAL, small);
            let reply = harness.send_raw(request).await;
            assert_eq!(reply.status.as_u16(), 200, "{trust} {asked}");
            // WeChat's own header keeps WeChat's spelling.
            let expected = match trust {
                "trust=certificates" => asked,
                _ => &merchant.public_key_id,
            };
            assert_eq!(reply.headers[SERIAL], expected.as_str(), "{trust} {asked}");
        }
    }
}

#[tokio::test]
async fn a_rotated_certificate_can_be_requested_in_lower_case() {
    let harness = Harness::with_settings(&["trust=certificates"]);
    let (_, answer) = harness
        .post_json("/_simulator/certificates/rotate", &json!({}))
        .await;
    let serial = answer["serial_no"].as_str().unwrap().to_ascii_lowercase();
    let mut request = signed(&harness, order(&harness, "T00001"));
    request
        .headers_mut()
        .insert(SERIAL, serial.parse().unwrap());
    assert_eq!(harness.send_raw(request).await.status.as_u16(), 200);
}

#[tokio::test]
async fn accept_can_have_several_lines_and_must_not_be_empty() {
    let harness = Harness::with_settings(&["trust=certificates"]);
    for (lines, status) in [
        (&["application/json", "text/plain"][..], 200),
        (&["", "*/*"], 200),
        (&[""], 400),
        (&[" ", ""], 400),
    ] {
        let mut request = signed(&harness, get(CERTIFICATES));
        request.headers_mut().remove(header::ACCEPT);
        for line in lines {
            let value = HeaderValue::from_static(line);
            request.headers_mut().append(header::ACCEPT, value);
        }
        let reply = harness.send_raw(request).await;
        assert_eq!(reply.status.as_u16(), status, "{lines:?}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_has_a_content_type() {
    let harness = Harness::new();
    harness.native("T00001").await;
    let number = wechat_pay::OutTradeNo::parse("T00001").unwrap();
    let parts = close(&harness.account(), &number);
    let reply = harness.send_raw(harness.signed(parts)).await;
    assert_eq!(reply.status.as_u16(), 204);
    assert_eq!(
        reply.headers[header::CONTENT_TYPE],
        "application/json; charset=utf-8"
    );
    assert!(reply.verify(&harness.keys, start().as_second()).is_ok());
}

#[tokio::test]
async fn an_unknown_path_is_answered_with_a_body_and_a_request_id() {
    let harness = Harness::new();
    for (method, path) in [
        ("GET", "/v3"),
        ("GET", "/v3/"),
        ("POST", "/v3/nothing"),
        ("GET", "/v3/merchant/fund/balance/BASIC?x=1"),
        ("GET", "/v3/pay/transactions/miniprogram"),
        ("POST", "/v3/pay/transactions/native/"),
        ("DELETE", "/v3/certificates/1"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let reply = harness.send_raw(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status.as_u16(), 404, "{method} {path}");
        assert_eq!(
            reply.headers[header::CONTENT_TYPE],
            "application/json; charset=utf-8",
            "{path}"
        );
        assert_eq!(
            json_of(&reply),
            json!({"code": "RESOURCE_NOT_EXISTS", "message": "请求的资源不存在"}),
            "{path}"
        );
        assert!(reply.headers.contains_key("request-id"), "{path}");
        assert!(!reply.headers.contains_key("wechatpay-signature"), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_path_can_be_answered_without_a_body() {
    let harness = Harness::with_settings(&["unknown_route=empty"]);
    let request = Request::get("/v3/nothing").body(Body::empty()).unwrap();
    let reply = harness.send_raw(request).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (404, 0));
    assert!(!reply.headers.contains_key("request-id"));
}
