//! Refunds that were made elsewhere, in WeChat's portal or by another program: learned in the
//! form of version 2, by a notification, or because WeChat calls a payment refunded.

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{HOOKS, REFUNDS, bought, wish};
use crate::house::{House, Letter, MINUTE_MS, Owner, merchant};
use crate::inbox::Message;
use crate::wechat_line::Meddling;

const PORTAL_URL: &str = "http://127.0.0.1:8080/wechat/notify/refund";

/// Somebody gives money back by hand, and WeChat tells of it; gives the number and the letters.
pub(crate) async fn by_hand(house: &House, amount_fen: i64) -> (String, Vec<Letter>) {
    let mut settings = (*house.simulator.settings()).clone();
    PORTAL_URL.clone_into(&mut settings.portal_notify_url);
    house.simulator.set_settings(settings);
    let wish = json!({
        "mchid": merchant()["mchid"], "sub_mchid": house.order_at_wechat("tea-0001")["sub_mchid"],
        "out_trade_no": "tea-0001", "refund": amount_fen,
    });
    let made = house.at_wechat("/_simulator/refund", &wish).await;
    let number = made.word("out_refund_no").to_owned();
    (number, house.results().await)
}

fn xml(body: &str) -> Letter {
    Letter {
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
    }
}

#[tokio::test]
async fn a_refund_of_the_portal_is_taken_in_and_counts() {
    let (house, token) = bought().await;
    let (number, letters) = by_hand(&house, 1000).await;
    assert!(letters[0].body.starts_with(b"<xml>"));
    for _ in 0..2 {
        let answer = house.hand_in_refund(&letters[0]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.text().contains("SUCCESS"), "{}", answer.text());
    }
    assert_eq!(
        house.refund(&number).await.code(),
        "REFUND_UNKNOWN",
        "nobody signed it: it is asked about first"
    );
    house.later(0).await;
    assert_eq!(house.line.take_kinds(), ["refund_query"]);
    let refund = house.refund(&number).await;
    assert_eq!(refund.word("state"), "succeeded");
    assert_eq!(refund.word("origin"), "external");
    assert_eq!(house.checkout(&token).await.number("refunded_fen"), 1000);
    assert_eq!(house.told().await, ["refund.succeeded"]);

    house.hand_in_refund(&letters[0]).await;
    house.later(0).await;
    assert_eq!(house.line.take_kinds(), [] as [&str; 0], "it is known");
    let refused = house.ask_refund(wish("R-1", 991)).await;
    assert_eq!(refused.code(), "REFUND_TOO_MUCH");
    house.later(MINUTE_MS).await;
    let rest = house.ask_refund(wish("R-1", 990)).await;
    assert_eq!(rest.word("state"), "processing");
}

#[tokio::test]
async fn what_the_older_form_claims_is_not_believed_before_wechat_says_so() {
    let (house, token) = bought().await;
    let before = house.checkout(&token).await.json;
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
    let letter = xml(std::str::from_utf8(&sealed).unwrap());
    assert_eq!(house.hand_in_refund(&letter).await.status, StatusCode::OK);
    house.later(0).await;
    assert_eq!(house.line.take_kinds(), ["refund_query"]);
    assert_eq!(house.refund("never-made").await.code(), "REFUND_UNKNOWN");
    assert_eq!(house.checkout(&token).await.json, before);
    // It may have been too early to ask; after a day it was not.
    for minutes in [1, 10, 60, 6 * 60] {
        house.later(minutes * MINUTE_MS).await;
        assert_eq!(house.line.take_kinds(), ["refund_query"], "{minutes}");
    }
    house.later(24 * 60 * MINUTE_MS).await;
    assert_eq!(house.line.take_kinds(), [] as [&str; 0]);
    assert_eq!(
        house.checkout(&token).await.json["refunded_fen"],
        json!(null)
    );
}

#[tokio::test]
async fn a_refund_of_the_portal_that_is_asked_about_too_early_is_not_forgotten() {
    let (house, token) = bought().await;
    let (number, letters) = by_hand(&house, 1000).await;
    house.hand_in_refund(&letters[0]).await;
    let not_there = r#"{"code":"RESOURCE_NOT_EXISTS","message":""}"#;
    house
        .line
        .meddle("refund_query", Meddling::Answered(404, not_there));
    house.later(0).await;
    assert_eq!(house.refund(&number).await.code(), "REFUND_UNKNOWN");
    house.later(MINUTE_MS).await;
    assert_eq!(house.refund(&number).await.word("state"), "succeeded");
    assert_eq!(house.checkout(&token).await.number("refunded_fen"), 1000);
}

#[tokio::test]
async fn xml_that_cannot_be_meant_is_refused_in_xml() {
    let (house, _) = bought().await;
    for body in [
        "<xml/>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><xml><return_code>&a;</return_code></xml>",
        "<xml><return_code>SUCCESS</return_code><req_info>AAAA</req_info></xml>",
        "<",
    ] {
        let refused = house.hand_in_refund(&xml(body)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(refused.text().contains("FAIL"), "{}", refused.text());
        assert!(
            refused.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/xml")
        );
    }
    house.later(0).await;
    assert_eq!(house.line.take_kinds(), [] as [&str; 0]);
}

#[tokio::test]
async fn without_the_older_key_the_older_form_is_told_again_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = merchant();
    let key_files = ["private_key_file", "certificate_file", "public_key_file"];
    for name in key_files.into_iter().chain(["platform_certificate_file"]) {
        let path = crate::house::KEYS.path().join(file[name].as_str().unwrap());
        file[name] = path.to_str().unwrap().into();
    }
    file.as_object_mut().unwrap().remove("api_v2_key");
    let path = folder.path().join("merchant.json");
    write_private(&path, &file);
    let configuration = crate::house::configuration("").replace(
        &crate::house::KEYS
            .path()
            .join("merchant.json")
            .display()
            .to_string(),
        &path.display().to_string(),
    );
    let house = House::open_configured(&configuration).await;
    super::buy(&house).await;
    let (_, letters) = by_hand(&house, 1000).await;
    let answer = house.hand_in_refund(&letters[0]).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.text().contains("FAIL"), "{}", answer.text());
}

fn write_private(path: &std::path::Path, json: &Value) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, json.to_string()).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_payment_that_wechat_calls_refunded_is_paid_and_says_that_more_is_to_be_learned() {
    let house = House::open_with_end(HOOKS).await;
    let token = house.tea().await;
    house.attempt(&token, &[("product", "native")]).await;
    house.pay("tea-0001").await;
    let (number, letters) = by_hand(&house, 1000).await;
    // Neither was delivered; the plan asks about the order.
    house.later(5_000).await;
    assert_eq!(house.checkout(&token).await.word("state"), "paid");
    let order = house.read_private("/v1/orders/tea-0001").await;
    let attempt = &order.json["attempts"][0];
    assert!(attempt["refund_seen_at"].is_string(), "{attempt}");
    assert_eq!(order.number("refunded_fen"), 0);
    house.later(0).await;
    let messages = house.backend.take();
    let bodies: Vec<_> = messages.iter().map(Message::json).collect();
    let paid = bodies
        .iter()
        .find(|body| body["type"] == "payment.succeeded");
    assert_eq!(paid.unwrap()["data"]["refund_seen"], true, "{bodies:?}");
    let letter = letters.iter().find(|letter| letter.body.starts_with(b"<"));
    house.hand_in_refund(letter.unwrap()).await;
    house.later(0).await;
    assert_eq!(house.state_of(&number).await, "succeeded");
    let list = house.read_private(REFUNDS).await;
    assert_eq!(list.number("refunded_fen"), 1000);
    assert_eq!(list.number("refundable_fen"), 990);
}

#[tokio::test]
async fn a_refund_that_is_told_before_its_payment_brings_the_payment_along() {
    for owner in Owner::BOTH {
        let house = House::open_configured(&(owner.configuration("", "") + HOOKS)).await;
        let token = house.tea().await;
        house.attempt(&token, &[("product", "native")]).await;
        house.pay("tea-0001").await;
        let (_, letters) = by_hand(&house, 1000).await;
        let letter = letters.iter().find(|letter| letter.body.starts_with(b"<"));
        house.hand_in_refund(letter.unwrap()).await;
        house.later(0).await;
        let checkout = house.checkout(&token).await;
        assert_eq!(checkout.word("state"), "paid", "{owner:?}");
        assert_eq!(checkout.number("refunded_fen"), 1000);
    }
}

#[tokio::test]
async fn a_refund_that_only_the_bill_knows_is_taken_in() {
    let (house, _) = bought().await;
    let (number, letters) = by_hand(&house, 1000).await;
    drop(letters);
    // Half past ten on the next morning in Shanghai.
    house.later(17 * 60 * MINUTE_MS + 10 * MINUTE_MS).await;
    let bill = house.read_private("/v1/bills/2026-11-21").await;
    let differences = bill.json["differences"].to_string();
    assert!(differences.contains("refund_missing_here"), "{}", bill.json);
    house.later(0).await;
    let refund = house.refund(&number).await;
    assert_eq!(refund.word("state"), "succeeded");
    assert_eq!(refund.word("origin"), "external");
    let bill = house.read_private("/v1/bills/2026-11-21").await;
    assert_eq!(bill.json["differences"], json!([]));
}
