//! Refunds that were made elsewhere, in WeChat's portal or by another program. The server learns of
//! them by a notification, also in the form of version 2, or because WeChat reports a payment as
//! refunded.

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{HOOKS, REFUNDS, bought, refund_body};
use crate::fault_injector::Fault;
use crate::inbox::Message;
use crate::test_server::{MINUTE_MS, Owner, SentNotification, TestServer, merchant};

const PORTAL_URL: &str = "http://127.0.0.1:8080/wechat/notify/refund";

/// A refund is made in WeChat's portal; returns its number and the notifications.
pub(crate) async fn by_hand(
    server: &TestServer,
    amount_fen: i64,
) -> (String, Vec<SentNotification>) {
    let mut settings = (*server.simulator.settings()).clone();
    PORTAL_URL.clone_into(&mut settings.portal_notify_url);
    server.simulator.set_settings(settings);
    let body = json!({
        "mchid": merchant()["mchid"], "sub_mchid": server.order_at_wechat("tea-0001")["sub_mchid"],
        "out_trade_no": "tea-0001", "refund": amount_fen,
    });
    let made = server.at_wechat("/_simulator/refund", &body).await;
    let number = made.string("out_refund_no").to_owned();
    (number, server.results().await)
}

fn xml(body: &str) -> SentNotification {
    SentNotification {
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
    }
}

#[tokio::test]
async fn a_refund_of_the_portal_is_recorded_and_counts() {
    let (server, token) = bought().await;
    let (number, notifications) = by_hand(&server, 1000).await;
    assert!(notifications[0].body.starts_with(b"<xml>"));
    for _ in 0..2 {
        let answer = server.deliver_refund(&notifications[0]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.text().contains("SUCCESS"), "{}", answer.text());
    }
    assert_eq!(
        server.refund(&number).await.code(),
        "REFUND_UNKNOWN",
        "unsigned: it is queried first"
    );
    server.later(0).await;
    assert_eq!(server.wechat.take_kinds(), ["refund_query"]);
    let refund = server.refund(&number).await;
    assert_eq!(refund.string("state"), "succeeded");
    assert_eq!(refund.string("origin"), "external");
    assert_eq!(server.checkout(&token).await.number("refunded_fen"), 1000);
    assert_eq!(server.refund_messages().await, ["refund.succeeded"]);

    server.deliver_refund(&notifications[0]).await;
    server.later(0).await;
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0], "it is known");
    let refused = server.ask_refund(refund_body("R-1", 991)).await;
    assert_eq!(refused.code(), "REFUND_TOO_MUCH");
    server.later(MINUTE_MS).await;
    let rest = server.ask_refund(refund_body("R-1", 990)).await;
    assert_eq!(rest.string("state"), "processing");
}

#[tokio::test]
async fn a_notification_of_version_2_counts_only_after_wechat_confirms_it() {
    let (server, token) = bought().await;
    let before = server.checkout(&token).await.json;
    let merchant = merchant();
    let draft = wechat_pay::v2::RefundNotificationDraft {
        refund: wechat_pay::v2::RefundNotification {
            appid: merchant["appid"].as_str().map(str::to_owned),
            mch_id: merchant["mchid"].as_str().map(str::to_owned),
            transaction_id: Some("4200000000".into()),
            out_trade_no: Some("tea-0001".into()),
            refund_id: Some("5000000000".into()),
            out_refund_no: "never-made".into(),
            total_fee: wechat_pay::Fen::new(1990).ok(),
            refund_fee: wechat_pay::Fen::new(1990).ok(),
            settlement_refund_fee: None,
            refund_status: Some(wechat_pay::v2::RefundStatus::Success),
            success_time: None,
            user_received_account: None,
        },
        nonce_str: "n".into(),
        refund_request_source: "VENDOR_PLATFORM".into(),
    };
    let key = merchant["api_v2_key"].as_str().unwrap();
    let sealed = draft
        .seal(&wechat_pay::v2::ApiV2Key::parse(key).unwrap())
        .unwrap();
    let notification = xml(std::str::from_utf8(&sealed).unwrap());
    assert_eq!(
        server.deliver_refund(&notification).await.status,
        StatusCode::OK
    );
    server.later(0).await;
    assert_eq!(server.wechat.take_kinds(), ["refund_query"]);
    assert_eq!(server.refund("never-made").await.code(), "REFUND_UNKNOWN");
    assert_eq!(server.checkout(&token).await.json, before);
    // The first queries may have come too early; after a day the answer is final.
    for minutes in [1, 10, 60, 6 * 60] {
        server.later(minutes * MINUTE_MS).await;
        assert_eq!(server.wechat.take_kinds(), ["refund_query"], "{minutes}");
    }
    server.later(24 * 60 * MINUTE_MS).await;
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
    assert_eq!(
        server.checkout(&token).await.json["refunded_fen"],
        json!(null)
    );
}

#[tokio::test]
async fn a_refund_of_the_portal_that_wechat_does_not_find_yet_is_queried_again() {
    let (server, token) = bought().await;
    let (number, notifications) = by_hand(&server, 1000).await;
    server.deliver_refund(&notifications[0]).await;
    let not_there = r#"{"code":"RESOURCE_NOT_EXISTS","message":""}"#;
    server
        .wechat
        .inject("refund_query", Fault::Answered(404, not_there));
    server.later(0).await;
    assert_eq!(server.refund(&number).await.code(), "REFUND_UNKNOWN");
    server.later(MINUTE_MS).await;
    assert_eq!(server.refund(&number).await.string("state"), "succeeded");
    assert_eq!(server.checkout(&token).await.number("refunded_fen"), 1000);
}

#[tokio::test]
async fn invalid_xml_is_refused_in_xml() {
    let (server, _) = bought().await;
    for body in [
        "<xml/>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><xml><return_code>&a;</return_code></xml>",
        "<xml><return_code>SUCCESS</return_code><req_info>AAAA</req_info></xml>",
        "<",
    ] {
        let refused = server.deliver_refund(&xml(body)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(refused.text().contains("FAIL"), "{}", refused.text());
        assert!(
            refused.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/xml")
        );
    }
    server.later(0).await;
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
}

#[tokio::test]
async fn without_the_version_2_key_its_notifications_are_refused_so_that_wechat_repeats_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = merchant();
    let key_files = ["private_key_file", "certificate_file", "public_key_file"];
    for name in key_files.into_iter().chain(["platform_certificate_file"]) {
        let path = crate::test_server::KEYS
            .path()
            .join(file[name].as_str().unwrap());
        file[name] = path.to_str().unwrap().into();
    }
    file.as_object_mut().unwrap().remove("api_v2_key");
    let path = folder.path().join("merchant.json");
    write_private(&path, &file);
    let configuration = crate::test_server::configuration("").replace(
        &crate::test_server::KEYS
            .path()
            .join("merchant.json")
            .display()
            .to_string(),
        &path.display().to_string(),
    );
    let server = TestServer::open_configured(&configuration).await;
    super::buy(&server).await;
    let (_, notifications) = by_hand(&server, 1000).await;
    let answer = server.deliver_refund(&notifications[0]).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.text().contains("FAIL"), "{}", answer.text());
}

fn write_private(path: &std::path::Path, json: &Value) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, json.to_string()).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_payment_in_state_refund_is_paid_and_has_its_refunds_queried() {
    let server = TestServer::open_with_end(HOOKS).await;
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    let (number, notifications) = by_hand(&server, 1000).await;
    // Neither notification was delivered; the planned query of the order finds the payment.
    server.later(5_000).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    let order = server.read_private("/v1/orders/tea-0001").await;
    let attempt = &order.json["attempts"][0];
    assert!(attempt["refund_seen_at"].is_string(), "{attempt}");
    assert_eq!(order.number("refunded_fen"), 0);
    server.later(0).await;
    let messages = server.backend.take();
    let bodies: Vec<_> = messages.iter().map(Message::json).collect();
    let paid = bodies
        .iter()
        .find(|body| body["type"] == "payment.succeeded");
    assert_eq!(paid.unwrap()["data"]["refund_seen"], true, "{bodies:?}");
    let notification = notifications
        .iter()
        .find(|notification| notification.body.starts_with(b"<"));
    server.deliver_refund(notification.unwrap()).await;
    server.later(0).await;
    assert_eq!(server.state_of(&number).await, "succeeded");
    let list = server.read_private(REFUNDS).await;
    assert_eq!(list.number("refunded_fen"), 1000);
    assert_eq!(list.number("refundable_fen"), 990);
}

#[tokio::test]
async fn a_refund_reported_before_its_payment_has_the_payment_queried() {
    for owner in Owner::BOTH {
        let server = TestServer::open_configured(&(owner.configuration("", "") + HOOKS)).await;
        let token = server.default_order().await;
        server.attempt(&token, &[("product", "native")]).await;
        server.pay("tea-0001").await;
        let (_, notifications) = by_hand(&server, 1000).await;
        let notification = notifications
            .iter()
            .find(|notification| notification.body.starts_with(b"<"));
        server.deliver_refund(notification.unwrap()).await;
        server.later(0).await;
        let checkout = server.checkout(&token).await;
        assert_eq!(checkout.string("state"), "paid", "{owner:?}");
        assert_eq!(checkout.number("refunded_fen"), 1000);
    }
}

#[tokio::test]
async fn a_refund_that_only_the_bill_has_is_recorded() {
    let (server, _) = bought().await;
    let (number, notifications) = by_hand(&server, 1000).await;
    drop(notifications);
    // The time is half past ten on the next morning in Shanghai.
    server.later(17 * 60 * MINUTE_MS + 10 * MINUTE_MS).await;
    let bill = server.read_private("/v1/bills/2026-11-21").await;
    let differences = bill.json["differences"].to_string();
    assert!(differences.contains("refund_missing_here"), "{}", bill.json);
    server.later(0).await;
    let refund = server.refund(&number).await;
    assert_eq!(refund.string("state"), "succeeded");
    assert_eq!(refund.string("origin"), "external");
    let bill = server.read_private("/v1/bills/2026-11-21").await;
    assert_eq!(bill.json["differences"], json!([]));
}
