//! Notifications of version 2 that must not be believed, and those that come to the wrong merchant.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::json;
use wechat_pay::v2::{Fields, SignType, sign};

use super::{Api, NATIVE, api_v2_key, assert_accepted};
use crate::log::Log;
use crate::test_server::{Answer, SentNotification, TestServer, merchant};

const ROUTES: [&str; 2] = ["/wechat/notify/payment", "/wechat/notify/refund"];

fn sent(body: impl Into<Bytes>) -> SentNotification {
    SentNotification {
        headers: HeaderMap::new(),
        body: body.into(),
    }
}

/// The fields of a payment of `tea-0001`.
pub(crate) fn payment() -> Fields {
    let text = |name: &str| merchant()[name].as_str().unwrap().to_owned();
    let (appid, mchid) = (text("appid"), text("mchid"));
    let fields = [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", &*appid),
        ("mch_id", &*mchid),
        ("nonce_str", "b7ffb16a7150cf08639db472c5f5bdae"),
        ("openid", "oSecretOpenId"),
        ("trade_type", "NATIVE"),
        ("bank_type", "OTHERS"),
        ("total_fee", "1990"),
        ("cash_fee", "1990"),
        ("fee_type", "CNY"),
        ("transaction_id", "4200000000202611210000000001"),
        ("out_trade_no", "tea-0001"),
        ("time_end", "20261121172010"),
    ];
    fields.into_iter().collect()
}

pub(crate) fn signed(mut fields: Fields, kind: SignType) -> SentNotification {
    let signature = sign(fields.iter(), &api_v2_key(), kind);
    fields.set("sign", signature);
    sent(fields.to_xml())
}

async fn open_with_order(api: Api) -> (TestServer, String) {
    let server = api.open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    (server, token)
}

fn assert_refused(answer: &Answer, what: &str) {
    assert!(
        answer.status.is_client_error() || answer.status.is_server_error(),
        "{what}"
    );
    assert!(
        !answer.text().contains("SUCCESS"),
        "{what}: {}",
        answer.text()
    );
}

#[tokio::test]
async fn a_signed_payment_settles_its_order_once() {
    for (api, kind) in [
        (Api::V2Md5, SignType::Md5),
        (Api::V2Hmac, SignType::HmacSha256),
    ] {
        let (server, token) = open_with_order(api).await;
        for _ in 0..3 {
            let answer = server.deliver(&signed(payment(), kind)).await;
            assert_accepted(&answer);
        }
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "paid",
            "{api:?}"
        );
        let shown = server.shown("/tea-0001").await;
        assert_eq!(shown.string("success_time"), "2026-11-21T17:20:10+08:00");
    }
}

#[tokio::test]
async fn nothing_that_is_wrongly_signed_or_hostile_settles_an_order() {
    let kind = SignType::HmacSha256;
    let (server, token) = open_with_order(Api::V2Hmac).await;
    let valid = signed(payment(), kind);
    let text = String::from_utf8(valid.body.to_vec()).unwrap();
    let bomb = "<!DOCTYPE xml [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let file = "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    let mut not_utf8 = valid.body.to_vec();
    not_utf8[30] = 0xff;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("blank", b" \r\n".to_vec()),
        ("only a root", b"<xml></xml>".to_vec()),
        ("unsigned", payment().to_xml().to_vec()),
        (
            "the amount was changed",
            text.replace("1990", "1").into_bytes(),
        ),
        (
            "the signature was changed",
            text.replace("</sign>", "0</sign>").into_bytes(),
        ),
        (
            "the weaker kind",
            signed(payment(), SignType::Md5).body.to_vec(),
        ),
        ("no XML", b"return_code=SUCCESS&sign=0".to_vec()),
        ("cut off", valid.body[..valid.body.len() / 2].to_vec()),
        ("not UTF-8", not_utf8),
        ("entities", [bomb.as_bytes(), &valid.body].concat()),
        ("a file", [file.as_bytes(), &valid.body].concat()),
        ("nested", "<xml>".repeat(20_000).into_bytes()),
        (
            "a field twice",
            text.replace("<sign>", "<total_fee>1</total_fee><sign>")
                .into_bytes(),
        ),
        (
            "too long",
            text.replace("</xml>", &format!("<a>{}</a></xml>", "a".repeat(70_000)))
                .into_bytes(),
        ),
        ("far too long", vec![b'<'; 4 * 1024 * 1024]),
        ("another root", text.replace("xml>", "root>").into_bytes()),
    ];
    for route in ROUTES {
        for (what, body) in &cases {
            let log = Log::start();
            let answer = server.deliver_to(route, &sent(body.clone())).await;
            assert_refused(&answer, what);
            let text = log.text();
            assert_eq!(
                log.count("notification.refused"),
                1,
                "{route} {what}: {text}"
            );
            log.holds_none_of(&["oSecretOpenId"]);
        }
    }
    assert_eq!(server.checkout(&token).await.string("state"), "open");
    assert_eq!(server.mismatches().await, []);
    // The original still counts.
    assert_accepted(&server.deliver(&valid).await);
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
}

#[tokio::test]
async fn a_signed_payment_that_fits_no_order_is_kept_and_settles_nothing() {
    let kind = SignType::HmacSha256;
    for (field, value, reason) in [
        ("out_trade_no", "other-0001", "number"),
        ("total_fee", "1989", "amount"),
        ("mch_id", "1900000001", "mchid"),
        ("appid", "wx0000000000000009", "appid"),
        ("fee_type", "USD", "currency"),
    ] {
        let (server, token) = open_with_order(Api::V2Hmac).await;
        let mut fields = payment();
        fields.set(field, value);
        assert_accepted(&server.deliver(&signed(fields, kind)).await);
        let number = if field == "out_trade_no" {
            value
        } else {
            "tea-0001"
        };
        assert_eq!(
            server.mismatches().await,
            [(number.to_owned(), reason.to_owned())]
        );
        assert_eq!(server.checkout(&token).await.string("state"), "open");
        let kept = server.read_private("/v1/mismatches").await;
        let told = &kept.json["mismatches"][0]["told"];
        assert_eq!(told["out_trade_no"], number);
        assert!(!kept.text().contains("oSecretOpenId"), "openids are cut");
    }
}

#[tokio::test]
async fn a_signed_payment_that_cannot_be_read_is_kept_for_a_person_and_queried() {
    let kind = SignType::HmacSha256;
    let (server, token) = open_with_order(Api::V2Hmac).await;
    server.pay("tea-0001").await;
    server.take_notifications();
    let mut fields = payment();
    fields.set("total_fee", "19.90");
    for _ in 0..2 {
        assert_refused(
            &server.deliver(&signed(fields.clone(), kind)).await,
            "an amount in yuan",
        );
    }
    let kept = server.read_private("/v1/mismatches").await;
    assert_eq!(kept.json["mismatches"].as_array().unwrap().len(), 1);
    assert_eq!(kept.json["mismatches"][0]["field"], "total_fee");
    server.later(0).await;
    assert_eq!(
        server.checkout(&token).await.string("state"),
        "paid",
        "by the query"
    );
}

#[tokio::test]
async fn a_failure_that_wechat_reports_is_acknowledged_and_changes_nothing() {
    let (server, token) = open_with_order(Api::V2Hmac).await;
    let mut fields = payment();
    fields.set("result_code", "FAIL");
    fields.set("err_code", "SYSTEMERROR");
    assert_accepted(&server.deliver(&signed(fields, SignType::HmacSha256)).await);
    assert_eq!(server.checkout(&token).await.string("state"), "open");
}

#[tokio::test]
async fn a_refunds_notification_that_does_not_open_is_refused() {
    let (server, _) = open_with_order(Api::V2Md5).await;
    for req_info in ["", "no base64", "AAAAAAAAAAAAAAAAAAAAAA==", "AAAA"] {
        let mut fields = Fields::new();
        fields.set("return_code", "SUCCESS");
        fields.set("req_info", req_info);
        let answer = server.deliver_to(ROUTES[1], &sent(fields.to_xml())).await;
        assert_refused(&answer, req_info);
    }
    assert_eq!(server.wechat.take_kinds(), ["order"]);
}

#[tokio::test]
async fn a_notification_for_the_other_version_is_refused() {
    // Version 2 to a merchant that has only version 3.
    let configuration = crate::test_server::configuration("");
    let server = TestServer::open_configured(&configuration).await;
    let merchant_of_3 = super::only::without(&configuration, &["api_v2_key"]);
    let server = server.restart_with(&merchant_of_3).await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    let answer = server
        .deliver(&signed(payment(), SignType::HmacSha256))
        .await;
    assert_refused(&answer, "version 2");
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    // An order of version 3 is never notified in the weaker kind, even with the right key.
    let (server, token_of_3) = open_with_order(Api::V3).await;
    let answer = server.deliver(&signed(payment(), SignType::Md5)).await;
    assert_refused(&answer, "the weaker kind");
    assert_eq!(server.checkout(&token_of_3).await.string("state"), "open");
    // Version 3 to a merchant that has only version 2.
    let server = super::only::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    let transaction = crate::test_server::transaction("tea-0001", 1990);
    let at_ms = crate::test_server::START_MS;
    let notification = crate::test_server::payment_notification("N-1", &transaction, at_ms);
    for route in ROUTES {
        assert_refused(&server.deliver_to(route, &notification).await, "version 3");
    }
    assert_eq!(server.checkout(&token).await.string("state"), "open");
    assert_eq!(server.mismatches().await, []);
    assert_eq!(
        json!([]),
        server.read_private("/v1/mismatches").await.json["mismatches"]
    );
}
