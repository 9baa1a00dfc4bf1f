//! Refunds that the buyer's account does not accept, and sending them another way.

use http::StatusCode;
use serde_json::{Value, json};

use super::{bought, refund_body};
use crate::fault_injector::Fault;
use crate::log::Log;
use crate::test_server::{API_KEY, Answer, MINUTE_MS, TestServer, backend};

const CARD: &str = "6222020000001234";
const NAME: &str = "张三丰";

/// A full refund that became abnormal.
async fn abnormal() -> TestServer {
    let (server, _) = bought().await;
    server.ask_refund(refund_body("R-1", 1990)).await;
    server.decide("R-1", "abnormal").await;
    for notification in server.take_notifications() {
        server.deliver_refund(&notification).await;
    }
    assert_eq!(server.state_of("R-1").await, "abnormal");
    server.wechat.take_sent();
    server
}

async fn apply(server: &TestServer, body: Value) -> Answer {
    let path = "/v1/refunds/R-1/apply-abnormal-refund";
    server.send(backend(path, API_KEY, body.to_string())).await
}

fn to_card() -> Value {
    json!({
        "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT", "bank_account": CARD,
        "real_name": NAME,
    })
}

#[tokio::test]
async fn an_abnormal_refund_goes_to_another_card_whose_number_is_stored_nowhere() {
    let log = Log::start();
    let server = abnormal().await;
    assert_eq!(server.refund_messages().await, ["refund.abnormal"]);
    let applied = apply(&server, to_card()).await;
    assert_eq!(applied.status, StatusCode::OK, "{}", applied.json);
    assert_eq!(applied.string("state"), "processing");
    let sent = server.wechat.take_sent();
    assert_eq!(sent[0].kind, "abnormal_refund");
    let body = String::from_utf8(sent[0].body.to_vec()).unwrap();
    assert!(!body.contains(CARD) && !body.contains(NAME), "{body}");
    server.later(10_000).await;
    let refund = server.refund("R-1").await;
    assert_eq!(refund.string("state"), "succeeded");
    assert_eq!(refund.string("user_received_account"), "ICBC_DEBIT1234");
    assert_eq!(server.refund_messages().await, ["refund.succeeded"]);
    let text = log.text();
    assert!(text.contains("refund.abnormal"), "{text}");
    assert!(!text.contains(CARD) && !text.contains(NAME), "{text}");
    for entry in std::fs::read_dir(server.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [CARD, NAME] {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret}");
        }
    }
}

#[tokio::test]
async fn an_abnormal_refund_reserves_its_amount_until_it_ends() {
    let server = abnormal().await;
    assert_eq!(
        server.ask_refund(refund_body("R-2", 1)).await.code(),
        "REFUND_TOO_MUCH"
    );
    let to_merchant = json!({ "type": "MERCHANT_BANK_CARD" });
    assert_eq!(apply(&server, to_merchant.clone()).await.status, 200);
    let again = apply(&server, to_merchant).await;
    assert_eq!(
        (again.status, again.code()),
        (StatusCode::CONFLICT, "REFUND_NOT_ABNORMAL")
    );
}

#[tokio::test]
async fn a_redirected_refund_that_becomes_abnormal_again_is_reported_again() {
    let server = abnormal().await;
    apply(&server, to_card()).await;
    server.decide("R-1", "abnormal").await;
    for notification in server.take_notifications() {
        server.deliver_refund(&notification).await;
    }
    assert_eq!(server.state_of("R-1").await, "abnormal");
    assert_eq!(
        server.refund_messages().await,
        ["refund.abnormal", "refund.abnormal"]
    );
}

#[tokio::test]
async fn an_application_whose_answer_is_lost_is_found_by_a_query() {
    let server = abnormal().await;
    server.wechat.inject("abnormal_refund", Fault::AnswerLost);
    let doubt = apply(&server, to_card()).await;
    assert_eq!(
        (doubt.status, doubt.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "REFUND_IN_DOUBT")
    );
    assert_eq!(doubt.json["error"]["retryable"], true);
    server.later(1).await;
    assert_eq!(server.state_of("R-1").await, "processing");
    server.later(MINUTE_MS).await;
    assert_eq!(server.state_of("R-1").await, "succeeded");
}

/// The server knows only from WeChat's report that the refund was sent another way.
#[tokio::test]
async fn a_refund_redirected_in_the_portal_that_becomes_abnormal_again_is_reported_again() {
    let server = abnormal().await;
    server.wechat.inject("abnormal_refund", Fault::AnswerLost);
    apply(&server, to_card()).await;
    server.later(1).await;
    assert_eq!(server.state_of("R-1").await, "processing");
    server.decide("R-1", "abnormal").await;
    for notification in server.take_notifications() {
        server.deliver_refund(&notification).await;
    }
    assert_eq!(server.state_of("R-1").await, "abnormal");
    assert_eq!(
        server.refund_messages().await,
        ["refund.abnormal", "refund.abnormal"]
    );
}

#[tokio::test]
async fn an_application_that_never_arrived_can_be_made_again() {
    let server = abnormal().await;
    server.wechat.inject("abnormal_refund", Fault::NotSent);
    assert_eq!(apply(&server, to_card()).await.code(), "REFUND_IN_DOUBT");
    server.later(1).await;
    assert_eq!(server.state_of("R-1").await, "abnormal");
    assert_eq!(apply(&server, to_card()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_bad_application_names_its_field_and_never_its_value() {
    let server = abnormal().await;
    let without = |field: &str| {
        let mut body = to_card();
        body.as_object_mut().unwrap().remove(field);
        body
    };
    let with = |field: &str, value: Value| {
        let mut body = to_card();
        body[field] = value;
        body
    };
    let log = Log::start();
    let cases = [
        (without("type"), "type"),
        (without("bank_type"), "bank_type"),
        (without("bank_account"), "bank_account"),
        (without("real_name"), "real_name"),
        (with("bank_type", json!("icbc")), "bank_type"),
        (with("bank_type", json!("A".repeat(17))), "bank_type"),
        (with("bank_account", json!("")), "bank_account"),
        (with("real_name", json!("名".repeat(72))), "real_name"),
        (
            with("bank_account", json!(6_222_020_000_001_234_i64)),
            "bank_account",
        ),
        (with("type", json!("MERCHANT_BANK_CARD")), "bank_type"),
        (with("type", json!(CARD)), "type"),
        (with("iban", json!(CARD)), "iban"),
    ];
    for (body, field) in cases {
        let refused = apply(&server, body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{field}");
        assert_eq!(refused.json["error"]["field"], field, "{}", refused.json);
        assert!(!refused.text().contains(CARD), "{}", refused.text());
    }
    assert!(!log.text().contains(CARD), "{}", log.text());
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
    let unknown = backend(
        "/v1/refunds/nobody/apply-abnormal-refund",
        API_KEY,
        to_card().to_string(),
    );
    assert_eq!(server.send(unknown).await.code(), "REFUND_UNKNOWN");
}
