//! WeChat's notifications, forged notifications, and unmatched payments.

use http::{HeaderValue, StatusCode};
use merchant_server::Clock as _;
use serde_json::{Value, json};

use crate::log::Log;
use crate::test_server::{
    MINUTE_MS, SentNotification, TestServer, payment_notification, sign, transaction,
};

async fn ordered(server: &TestServer) -> String {
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    token
}

fn with_header(
    notification: &SentNotification,
    name: &'static str,
    value: &str,
) -> SentNotification {
    let mut changed = notification.clone();
    changed
        .headers
        .insert(name, HeaderValue::from_str(value).unwrap());
    changed
}

#[tokio::test]
async fn a_payment_is_recorded_once_and_acknowledged_each_time() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    server.pay("tea-0001").await;
    let post = server.take_notifications();
    assert_eq!(post.len(), 1);
    let answer = server.deliver(&post[0]).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(answer.body.is_empty());
    let paid = server.checkout(&token).await;
    assert_eq!(paid.string("state"), "paid");
    assert_eq!(
        server.deliver(&post[0]).await.status,
        StatusCode::NO_CONTENT
    );
    // The same payment with the id of another notification.
    let mut again = transaction("tea-0001", 1990);
    let ledger = serde_json::to_value(server.simulator.ledger_view(None)).unwrap();
    again["transaction_id"] = ledger["orders"][0]["transaction_id"].clone();
    let again = payment_notification("other-id", &again, server.clock.now_ms());
    assert_eq!(server.deliver(&again).await.status, StatusCode::NO_CONTENT);
    assert_eq!(server.checkout(&token).await.json, paid.json);
    assert_eq!(server.mismatches().await, []);
}

#[tokio::test]
async fn an_unsigned_notification_changes_nothing() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let before = server.checkout(&token).await.json;
    let now_ms = server.clock.now_ms();
    let good = payment_notification("n-1", &transaction("tea-0001", 1990), now_ms);
    let mut altered = good.clone();
    altered.body = [&altered.body[..], b" "].concat().into();
    let unsigned = SentNotification {
        headers: http::HeaderMap::new(),
        body: good.body.clone(),
    };
    let mut twice = good.clone();
    let serial = twice.headers["wechatpay-serial"].clone();
    twice.headers.append("wechatpay-serial", serial);
    let minutes = i64::try_from(6 * MINUTE_MS).unwrap();
    let cases = [
        ("unsigned", unsigned),
        ("another body", altered),
        (
            "another signature",
            with_header(&good, "wechatpay-signature", "AAAA"),
        ),
        (
            "an unknown serial",
            with_header(&good, "wechatpay-serial", "PUB_KEY_ID_9"),
        ),
        (
            "a probe",
            with_header(&good, "wechatpay-signature", "WECHATPAY/SIGNTEST/AAAA"),
        ),
        ("a header that comes twice", twice),
        (
            "too old",
            payment_notification("n-1", &transaction("tea-0001", 1990), now_ms - minutes),
        ),
        (
            "from the future",
            payment_notification("n-1", &transaction("tea-0001", 1990), now_ms + minutes),
        ),
    ];
    for (what, notification) in cases {
        let refused = server.deliver(&notification).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{what}");
        assert_eq!(refused.json["code"], "FAIL", "{what}");
        assert_eq!(server.checkout(&token).await.json, before, "{what}");
    }
    assert_eq!(server.deliver(&good).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn an_unreadable_signed_notification_is_refused_so_that_wechat_repeats_it() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let now_ms = server.clock.now_ms();
    let mut unpaid = transaction("tea-0001", 1990);
    unpaid["trade_state"] = "NOTPAY".into();
    let sealed = payment_notification("n-1", &transaction("tea-0001", 1990), now_ms).body;
    let mut other_key: Value = serde_json::from_slice(&sealed).unwrap();
    other_key["resource"]["nonce"] = "210987654321".into();
    let cases = [
        (sign("<xml/>", now_ms), 400),
        (sign("{}", now_ms), 400),
        (payment_notification("n-2", &json!({"x": 1}), now_ms), 400),
        (payment_notification("n-3", &unpaid, now_ms), 400),
        (sign(other_key.to_string(), now_ms), 500),
    ];
    for (notification, status) in cases {
        let answer = server.deliver(&notification).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json["code"], "FAIL");
    }
    let huge = sign("a".repeat(300_000), now_ms);
    assert_eq!(
        server.deliver(&huge).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(server.checkout(&token).await.string("state"), "open");
}

#[tokio::test]
async fn an_unmatched_payment_is_stored_reported_once_and_settles_nothing() {
    let cases = [
        ("amount", "/amount/total", json!(1)),
        ("currency", "/amount/currency", json!("USD")),
        ("mchid", "/mchid", json!("1900000001")),
        ("appid", "/appid", json!("wx0000000000000001")),
        ("number", "/out_trade_no", json!("never-ordered")),
        // Not a number of WeChat's by any rule: the payment is recorded all the same.
        ("transaction_id", "/transaction_id", json!("42 / 流水")),
    ];
    for (reason, pointer, value) in cases {
        let log = Log::start();
        let server = TestServer::open().await;
        let token = ordered(&server).await;
        let before = server.checkout(&token).await.json;
        server.wechat.take_sent();
        let mut transaction = transaction("tea-0001", 1990);
        *transaction.pointer_mut(pointer).unwrap() = value;
        let number = transaction["out_trade_no"].as_str().unwrap().to_owned();
        for id in ["n-1", "n-1", "n-2"] {
            let notification = payment_notification(id, &transaction, server.clock.now_ms());
            let answer = server.deliver(&notification).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{reason}");
        }
        assert_eq!(server.checkout(&token).await.json, before, "{reason}");
        assert_eq!(
            server.mismatches().await,
            [(number.clone(), reason.to_owned())]
        );
        assert_eq!(log.count("payment.mismatch"), 1, "{reason}");
        server.later(1).await;
        let sent = server.wechat.take_sent();
        assert_eq!(sent.len(), 1, "{reason}");
        assert!(sent[0].path.ends_with(&number), "{reason}");
        server.later(1).await;
        assert_eq!(server.wechat.take_sent(), [], "{reason}");
    }
}

#[tokio::test]
async fn a_payment_under_a_longer_number_than_wechat_documents_settles_its_order() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let long = "4200000000".repeat(5);
    let mut payment = transaction("tea-0001", 1990);
    payment["transaction_id"] = json!(long);
    let notification = payment_notification("n-1", &payment, server.clock.now_ms());
    let answer = server.deliver(&notification).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    let shown = server.read_private("/v1/orders/tea-0001").await.json;
    assert_eq!(shown["transaction_id"], json!(long));
    assert_eq!(server.mismatches().await, []);
}

#[tokio::test]
async fn surplus_is_reported_once() {
    let log = Log::start();
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let path = format!("/v1/checkouts/{token}/cancel");
    server.form(&path, &[("after", "1")]).await;
    let form = [("product", "native"), ("after", "1")];
    let second = server.attempt(&token, &form).await;
    server.pay(second.string("out_trade_no")).await;
    server.deliver(&server.take_notifications()[0]).await;
    for id in ["n-1", "n-2"] {
        let late = payment_notification(id, &transaction("tea-0001", 1990), server.clock.now_ms());
        server.deliver(&late).await;
    }
    assert_eq!(log.count("payment.settled"), 1);
    assert_eq!(log.count("payment.surplus"), 1);
}

#[tokio::test]
async fn a_late_payment_makes_a_closed_order_paid() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    server.pay("tea-0001").await;
    let post = server.take_notifications();
    let server2 = TestServer::open().await;
    let token2 = ordered(&server2).await;
    server2.later(31 * MINUTE_MS).await;
    assert_eq!(server2.checkout(&token2).await.string("state"), "closed");
    let late = payment_notification(
        "late",
        &transaction("tea-0001", 1990),
        server2.clock.now_ms(),
    );
    server2.deliver(&late).await;
    assert_eq!(server2.checkout(&token2).await.string("state"), "paid");
    // Deliver the notification as usual.
    server.deliver(&post[0]).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
}
