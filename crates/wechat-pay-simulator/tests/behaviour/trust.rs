//! Certificates and the public key: listing, rotation, migration.

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use wechat_pay::{SealedResource, TrustedKeys, open};

use crate::harness::{Harness, start};

const CERTIFICATES: &str = "/v3/certificates";

fn with_certificates() -> Harness {
    Harness::with_settings(&["trust=certificates"])
}

async fn listed(harness: &Harness) -> Vec<Value> {
    let (status, _, answer) = harness.call(Method::GET, CERTIFICATES, "").await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].as_array().unwrap().clone()
}

/// The validity of a certificate.
fn validity(harness: &Harness, listed: &Value) -> (Timestamp, Timestamp) {
    let sealed: SealedResource =
        serde_json::from_value(listed["encrypt_certificate"].clone()).unwrap();
    let pem = open(harness.simulator.keyring().api_v3_key(), &sealed).unwrap();
    let (_, block) = x509_parser::pem::parse_x509_pem(&pem).unwrap();
    let certificate = block.parse_x509().unwrap();
    let validity = certificate.validity();
    let moment =
        |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).unwrap();
    (moment(validity.not_before), moment(validity.not_after))
}

/// The keys of a merchant after it downloaded all certificates.
fn opened(harness: &Harness, listed: &[Value]) -> TrustedKeys {
    let mut keys = TrustedKeys::new();
    for certificate in listed {
        let sealed = certificate["encrypt_certificate"].clone();
        let sealed: SealedResource = serde_json::from_value(sealed).unwrap();
        let pem = open(harness.simulator.keyring().api_v3_key(), &sealed).unwrap();
        keys.add_certificate_pem(&pem).unwrap();
    }
    keys
}

#[tokio::test]
async fn certificates_are_encrypted_for_the_merchant_and_have_their_serial() {
    let harness = with_certificates();
    let listed = listed(&harness).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        listed[0]["serial_no"],
        harness.merchant().platform_serial_no.as_str()
    );
    assert_eq!(
        listed[0]["encrypt_certificate"]["associated_data"],
        "certificate"
    );
    assert_eq!(listed[0]["effective_time"], "2026-01-01T12:00:00+08:00");
    opened(&harness, &listed);
}

#[tokio::test]
async fn a_rotated_certificate_is_listed_then_signs_beside_the_old_one_and_then_alone() {
    let harness = with_certificates();
    let (status, answer) = harness
        .post_json("/_simulator/certificates/rotate", &json!({}))
        .await;
    assert_eq!(status.as_u16(), 200);
    let new = answer["serial_no"].as_str().unwrap().to_owned();
    let old = harness.merchant().platform_serial_no.clone();
    let both = listed(&harness).await;
    assert_eq!(both.len(), 2);
    let keys = opened(&harness, &both);
    let mut now_h = 0;
    for (hour, expected) in [(11, vec![&old]), (12, vec![&old, &new]), (24, vec![&new])] {
        harness.advance((hour - now_h) * 3600);
        now_h = hour;
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..40 {
            let request = wechat_pay::RequestParts {
                method: Method::GET,
                path_and_query: "/v3/pay/transactions/id/1?mchid=1".into(),
                body: "".into(),
            };
            let reply = harness.send_raw(harness.signed(request)).await;
            seen.insert(
                reply.headers["wechatpay-serial"]
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
            let verified = reply.verify(&keys, start().as_second()).unwrap_err();
            assert!(verified.wechat().is_some(), "{verified}");
        }
        let expected: std::collections::BTreeSet<String> = expected.into_iter().cloned().collect();
        assert_eq!(seen, expected, "after {hour} h");
    }
}

#[tokio::test]
async fn a_certificate_made_after_an_advance_of_the_time_is_valid_by_the_clock_of_the_signatures() {
    for advanced_days in [0, 2, 400] {
        let harness = with_certificates();
        harness.advance(advanced_days * 24 * 3600);
        for _ in 0..2 {
            let (status, _) = harness
                .post_json("/_simulator/certificates/rotate", &json!({}))
                .await;
            assert_eq!(status.as_u16(), 200);
        }
        // The signature of this answer was verified with the system's time.
        let listed = listed(&harness).await;
        assert_eq!(listed.len(), 3, "{advanced_days}");
        let mut begins: Vec<Timestamp> = Vec::new();
        for certificate in &listed {
            let (not_before, not_after) = validity(&harness, certificate);
            let said =
                |name: &str| -> Timestamp { certificate[name].as_str().unwrap().parse().unwrap() };
            assert_eq!(
                (said("effective_time"), said("expire_time")),
                (not_before, not_after),
                "{advanced_days}"
            );
            // Two within one second are dated a second apart.
            let latest = start()
                .checked_add(jiff::SignedDuration::from_secs(2))
                .unwrap();
            assert!(not_before <= latest, "{advanced_days}: {not_before}");
            assert!(not_after > start(), "{advanced_days}: {not_after}");
            begins.push(not_before);
        }
        let mut in_order = begins.clone();
        in_order.sort_unstable();
        in_order.dedup();
        assert_eq!(begins, in_order, "clients encrypt for the latest one");
    }
}

#[tokio::test]
async fn over_seven_days_notifications_move_to_the_public_key() {
    let harness = with_certificates();
    let id = harness.merchant().public_key_id.clone();
    harness
        .post_json("/_simulator/certificates/migrate", &json!({}))
        .await;
    harness.advance(6 * 24 * 3600);
    harness.pay_native("T00001").await;
    harness.simulator.run_due().await;
    let inbox = harness.inbox.lock().unwrap();
    assert_eq!(inbox.received[0].0["wechatpay-serial"], id.as_str());
}

#[tokio::test]
async fn a_merchant_with_only_the_public_key_has_no_certificates() {
    let harness = Harness::new();
    let (status, code, _) = harness.call(Method::GET, CERTIFICATES, "").await;
    assert_eq!((status, code.as_str()), (404, "RESOURCE_NOT_EXISTS"));
}

#[tokio::test]
async fn routes_other_than_orders_require_both_headers_and_have_other_messages() {
    let harness = Harness::new();
    let request = wechat_pay::RequestParts {
        method: Method::GET,
        path_and_query: CERTIFICATES.into(),
        body: "".into(),
    };
    let mut bare = harness.signed(request);
    bare.headers_mut().remove("accept");
    let reply = harness.send_raw(bare).await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(reply.status.as_u16(), 400);
    assert_eq!(
        body,
        json!({ "code": "INVALID_REQUEST", "message": "Http头缺少Accept或User-Agent" })
    );
    assert!(reply.headers.contains_key("request-id"));
    let unsigned = http::Request::get(CERTIFICATES)
        .header("accept", "*/*")
        .header("user-agent", "x")
        .body(axum::body::Body::empty())
        .unwrap();
    let reply = harness.send_raw(unsigned).await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(
        body["message"],
        "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"
    );
}
