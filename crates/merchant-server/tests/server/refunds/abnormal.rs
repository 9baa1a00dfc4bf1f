//! Refunds that the buyer's account does not take, and sending them another way.

use http::StatusCode;
use serde_json::{Value, json};

use super::{bought, wish};
use crate::house::{API_KEY, Answer, House, MINUTE_MS, backend};
use crate::log::Log;
use crate::wechat_line::Meddling;

const CARD: &str = "6222020000001234";
const NAME: &str = "张三丰";

/// A refund of everything that came to be abnormal.
async fn abnormal() -> House {
    let (house, _) = bought().await;
    house.ask_refund(wish("R-1", 1990)).await;
    house.decide("R-1", "abnormal").await;
    for letter in house.take_post() {
        house.hand_in_refund(&letter).await;
    }
    assert_eq!(house.state_of("R-1").await, "abnormal");
    house.line.take_sent();
    house
}

async fn apply(house: &House, body: Value) -> Answer {
    let path = "/v1/refunds/R-1/apply-abnormal-refund";
    house.send(backend(path, API_KEY, body.to_string())).await
}

fn to_card() -> Value {
    json!({
        "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT", "bank_account": CARD,
        "real_name": NAME,
    })
}

#[tokio::test]
async fn the_money_goes_to_another_card_and_no_place_here_ever_holds_its_number() {
    let log = Log::start();
    let house = abnormal().await;
    assert_eq!(house.told().await, ["refund.abnormal"]);
    let applied = apply(&house, to_card()).await;
    assert_eq!(applied.status, StatusCode::OK, "{}", applied.json);
    assert_eq!(applied.word("state"), "processing");
    let sent = house.line.take_sent();
    assert_eq!(sent[0].kind, "abnormal_refund");
    let body = String::from_utf8(sent[0].body.to_vec()).unwrap();
    assert!(!body.contains(CARD) && !body.contains(NAME), "{body}");
    house.later(10_000).await;
    let refund = house.refund("R-1").await;
    assert_eq!(refund.word("state"), "succeeded");
    assert_eq!(refund.word("user_received_account"), "ICBC_DEBIT1234");
    assert_eq!(house.told().await, ["refund.succeeded"]);
    let text = log.text();
    assert!(text.contains("refund.abnormal"), "{text}");
    assert!(!text.contains(CARD) && !text.contains(NAME), "{text}");
    for entry in std::fs::read_dir(house.folder.path()).unwrap() {
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
async fn an_abnormal_refund_holds_its_money_until_it_has_ended() {
    let house = abnormal().await;
    assert_eq!(
        house.ask_refund(wish("R-2", 1)).await.code(),
        "REFUND_TOO_MUCH"
    );
    let to_merchant = json!({ "type": "MERCHANT_BANK_CARD" });
    assert_eq!(apply(&house, to_merchant.clone()).await.status, 200);
    let again = apply(&house, to_merchant).await;
    assert_eq!(
        (again.status, again.code()),
        (StatusCode::CONFLICT, "REFUND_NOT_ABNORMAL")
    );
}

#[tokio::test]
async fn abnormal_again_after_another_way_is_news_again() {
    let house = abnormal().await;
    apply(&house, to_card()).await;
    house.decide("R-1", "abnormal").await;
    for letter in house.take_post() {
        house.hand_in_refund(&letter).await;
    }
    assert_eq!(house.state_of("R-1").await, "abnormal");
    assert_eq!(house.told().await, ["refund.abnormal", "refund.abnormal"]);
}

#[tokio::test]
async fn an_application_whose_answer_is_lost_is_found_by_asking() {
    let house = abnormal().await;
    house.line.meddle("abnormal_refund", Meddling::AnswerLost);
    let doubt = apply(&house, to_card()).await;
    assert_eq!(
        (doubt.status, doubt.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "REFUND_IN_DOUBT")
    );
    assert_eq!(doubt.json["error"]["retryable"], true);
    house.later(1).await;
    assert_eq!(house.state_of("R-1").await, "processing");
    house.later(MINUTE_MS).await;
    assert_eq!(house.state_of("R-1").await, "succeeded");
}

/// Nothing is known here of the way round that it was sent but WeChat's word.
#[tokio::test]
async fn abnormal_again_after_a_way_round_that_was_taken_elsewhere_is_news_again() {
    let house = abnormal().await;
    house.line.meddle("abnormal_refund", Meddling::AnswerLost);
    apply(&house, to_card()).await;
    house.later(1).await;
    assert_eq!(house.state_of("R-1").await, "processing");
    house.decide("R-1", "abnormal").await;
    for letter in house.take_post() {
        house.hand_in_refund(&letter).await;
    }
    assert_eq!(house.state_of("R-1").await, "abnormal");
    assert_eq!(house.told().await, ["refund.abnormal", "refund.abnormal"]);
}

#[tokio::test]
async fn an_application_that_never_arrived_can_be_made_again() {
    let house = abnormal().await;
    house.line.meddle("abnormal_refund", Meddling::NotSent);
    assert_eq!(apply(&house, to_card()).await.code(), "REFUND_IN_DOUBT");
    house.later(1).await;
    assert_eq!(house.state_of("R-1").await, "abnormal");
    assert_eq!(apply(&house, to_card()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_bad_application_names_its_field_and_never_its_value() {
    let house = abnormal().await;
    let without = |field: &str| {
        let mut wish = to_card();
        wish.as_object_mut().unwrap().remove(field);
        wish
    };
    let with = |field: &str, value: Value| {
        let mut wish = to_card();
        wish[field] = value;
        wish
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
    for (wish, field) in cases {
        let refused = apply(&house, wish).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{field}");
        assert_eq!(refused.json["error"]["field"], field, "{}", refused.json);
        assert!(!refused.text().contains(CARD), "{}", refused.text());
    }
    assert!(!log.text().contains(CARD), "{}", log.text());
    assert_eq!(house.line.take_kinds(), [] as [&str; 0]);
    let unknown = backend(
        "/v1/refunds/nobody/apply-abnormal-refund",
        API_KEY,
        to_card().to_string(),
    );
    assert_eq!(house.send(unknown).await.code(), "REFUND_UNKNOWN");
}
