//! Notifications of refunds: signed, matched, recorded once, in whatever order they come.

use http::StatusCode;
use jiff::Timestamp;
use merchant_server::Clock as _;
use serde_json::{Value, json};
use wechat_pay::NotificationDraft;

use super::{bought, wish};
use crate::house::{House, Letter, merchant, sign};

/// A notification as WeChat might send it.
pub(crate) fn notice(id: &str, refund: &Value, at_ms: i64) -> Letter {
    let state = refund["refund_status"].as_str().unwrap();
    let draft = NotificationDraft {
        id: id.to_owned(),
        create_time: Timestamp::from_millisecond(at_ms).unwrap(),
        event_type: format!("REFUND.{state}"),
        summary: "退款".to_owned(),
        original_type: "refund".to_owned(),
        plaintext: serde_json::to_vec(refund).unwrap(),
    };
    let merchant = merchant();
    let api_v3_key = merchant["api_v3_key"].as_str().unwrap();
    let key = wechat_pay::ApiV3Key::new(api_v3_key.as_bytes()).unwrap();
    sign(draft.seal(&key, "123456789012").unwrap(), at_ms)
}

/// What WeChat would tell of its only refund so far.
pub(crate) fn told(house: &House, state: &str) -> Value {
    let ledger = serde_json::to_value(house.simulator.ledger_view(None)).unwrap();
    let (order, refund) = (&ledger["orders"][0], &ledger["refunds"][0]);
    json!({
        "mchid": merchant()["mchid"], "out_trade_no": order["out_trade_no"],
        "transaction_id": order["transaction_id"],
        "out_refund_no": refund["out_refund_no"], "refund_id": refund["refund_id"],
        "refund_status": state, "user_received_account": "支付用户零钱",
        "amount": {
            "total": order["total"], "refund": refund["refund"],
            "payer_total": order["total"], "payer_refund": refund["refund"],
        },
    })
}

async fn refund_mismatches(house: &House) -> Vec<(String, String, Option<String>)> {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(house.folder.path().join("merchant-server.sqlite3"));
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query_as(
        "SELECT out_refund_no, reason, query_answer FROM refund_mismatches ORDER BY rowid",
    )
    .fetch_all(&pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn each_state_is_told_and_the_last_word_stays_in_whatever_order_they_come() {
    let cases: [(&[&str], &str, &[&str]); 6] = [
        (&["SUCCESS"], "succeeded", &["refund.succeeded"]),
        (&["CLOSED"], "closed", &["refund.closed"]),
        (&["ABNORMAL"], "abnormal", &["refund.abnormal"]),
        (
            &["ABNORMAL", "SUCCESS", "ABNORMAL", "SUCCESS"],
            "succeeded",
            &["refund.abnormal", "refund.succeeded"],
        ),
        (&["SUCCESS", "ABNORMAL"], "succeeded", &["refund.succeeded"]),
        (&["CLOSED", "ABNORMAL"], "closed", &["refund.closed"]),
    ];
    for (states, end, messages) in cases {
        let (house, _) = bought().await;
        house.ask_refund(wish("R-1", 990)).await;
        for (number, state) in states.iter().enumerate() {
            let id = format!("n-{number}");
            let letter = notice(&id, &told(&house, state), house.clock.now_ms());
            for _ in 0..2 {
                let answer = house.hand_in_refund(&letter).await;
                assert_eq!(answer.status, StatusCode::NO_CONTENT, "{states:?}");
            }
        }
        assert_eq!(house.state_of("R-1").await, end, "{states:?}");
        assert_eq!(house.told().await, messages, "{states:?}");
        assert_eq!(refund_mismatches(&house).await, [], "{states:?}");
    }
}

#[tokio::test]
async fn what_contradicts_the_last_word_is_kept_reported_and_asked_about() {
    for (first, second, end) in [
        ("SUCCESS", "CLOSED", "succeeded"),
        ("CLOSED", "SUCCESS", "closed"),
    ] {
        let (house, _) = bought().await;
        house.ask_refund(wish("R-1", 990)).await;
        let at_ms = house.clock.now_ms();
        house
            .hand_in_refund(&notice("n-1", &told(&house, first), at_ms))
            .await;
        house.line.take_sent();
        let contradiction = notice("n-2", &told(&house, second), at_ms);
        for _ in 0..2 {
            let answer = house.hand_in_refund(&contradiction).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT);
        }
        assert_eq!(house.state_of("R-1").await, end);
        let messages = house.told().await;
        let mismatches = messages.iter().filter(|word| *word == "refund.mismatch");
        assert_eq!(mismatches.count(), 1, "{messages:?}");
        assert_eq!(house.line.take_kinds(), ["refund_query"]);
        let kept = refund_mismatches(&house).await;
        assert_eq!(kept.len(), 1);
        assert_eq!((&*kept[0].0, &*kept[0].1), ("R-1", "state"));
        let answer = kept[0].2.as_deref().unwrap();
        assert!(answer.contains("PROCESSING"), "{answer}");
        assert_eq!(house.state_of("R-1").await, end, "final is final");
    }
}

#[tokio::test]
async fn real_news_that_fit_nothing_are_kept_acknowledged_and_change_nothing() {
    let cases = [
        ("amount", "/amount/refund", json!(991)),
        ("total", "/amount/total", json!(1991)),
        ("mchid", "/mchid", json!("1900000001")),
        ("number", "/out_trade_no", json!("never-ordered")),
        (
            "refund_id",
            "/refund_id",
            json!("50000000000000000000000000000"),
        ),
        (
            "transaction_id",
            "/transaction_id",
            json!("4200000000000000000000000000"),
        ),
    ];
    for (reason, pointer, value) in cases {
        let (house, token) = bought().await;
        house.ask_refund(wish("R-1", 990)).await;
        let before = house.checkout(&token).await.json;
        let mut refund = told(&house, "SUCCESS");
        *refund.pointer_mut(pointer).unwrap() = value;
        let at_ms = house.clock.now_ms();
        for id in ["n-1", "n-1", "n-2"] {
            let answer = house.hand_in_refund(&notice(id, &refund, at_ms)).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{reason}");
        }
        assert_eq!(house.state_of("R-1").await, "processing", "{reason}");
        assert_eq!(house.checkout(&token).await.json, before, "{reason}");
        let kept = refund_mismatches(&house).await;
        assert_eq!(kept.len(), 1, "{reason}");
        assert_eq!((&*kept[0].0, &*kept[0].1), ("R-1", reason));
        assert_eq!(house.told().await, ["refund.mismatch"], "{reason}");
    }
}

#[tokio::test]
async fn what_wechat_did_not_sign_changes_nothing() {
    let (house, _) = bought().await;
    house.ask_refund(wish("R-1", 990)).await;
    let at_ms = house.clock.now_ms();
    let good = notice("n-1", &told(&house, "SUCCESS"), at_ms);
    let mut unsigned = good.clone();
    unsigned.headers.clear();
    let mut altered = good.clone();
    altered.body = [&altered.body[..], b" "].concat().into();
    for letter in [unsigned, altered] {
        let refused = house.hand_in_refund(&letter).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(house.state_of("R-1").await, "processing");
    }
    // Whichever of our two addresses WeChat was told.
    assert_eq!(house.hand_in(&good).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.state_of("R-1").await, "succeeded");
}

#[tokio::test]
async fn news_that_overtake_the_answer_are_not_undone_by_it() {
    let (house, _) = bought().await;
    house
        .line
        .meddle("refund", crate::wechat_line::Meddling::AnswerLost);
    house.ask_refund(wish("R-1", 990)).await;
    let at_ms = house.clock.now_ms();
    house
        .hand_in_refund(&notice("n-1", &told(&house, "SUCCESS"), at_ms))
        .await;
    assert_eq!(house.state_of("R-1").await, "succeeded");
    house.line.take_sent();
    house.later(24 * 3_600_000).await;
    assert_eq!(
        house.line.take_kinds(),
        [] as [&str; 0],
        "nothing is left to ask"
    );
    let same = house.ask_refund(wish("R-1", 990)).await;
    assert_eq!(same.word("state"), "succeeded");
}
