//! Notifications of refunds: signed, matched, recorded once, in whatever order they come.

use http::StatusCode;
use jiff::Timestamp;
use merchant_server::Clock as _;
use serde_json::{Value, json};
use wechat_pay::NotificationDraft;

use super::{bought, refund_body};
use crate::test_server::{SentNotification, TestServer, merchant, sign};

/// A notification as WeChat might send it.
pub(crate) fn notice(id: &str, refund: &Value, at_ms: i64) -> SentNotification {
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

/// WeChat's report about its only refund so far.
pub(crate) fn refund_resource(server: &TestServer, state: &str) -> Value {
    let ledger = serde_json::to_value(server.simulator.ledger_view(None)).unwrap();
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

async fn refund_mismatches(server: &TestServer) -> Vec<(String, String, Option<String>)> {
    let pool = server.database().await;
    sqlx::query_as(
        "SELECT out_refund_no, reason, query_answer FROM refund_mismatches ORDER BY rowid",
    )
    .fetch_all(&pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn each_state_is_reported_and_the_final_state_stays_in_any_order_of_notifications() {
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
        let (server, _) = bought().await;
        server.ask_refund(refund_body("R-1", 990)).await;
        for (number, state) in states.iter().enumerate() {
            let id = format!("n-{number}");
            let notification = notice(&id, &refund_resource(&server, state), server.clock.now_ms());
            for _ in 0..2 {
                let answer = server.deliver_refund(&notification).await;
                assert_eq!(answer.status, StatusCode::NO_CONTENT, "{states:?}");
            }
        }
        assert_eq!(server.state_of("R-1").await, end, "{states:?}");
        assert_eq!(server.refund_messages().await, messages, "{states:?}");
        assert_eq!(refund_mismatches(&server).await, [], "{states:?}");
    }
}

#[tokio::test]
async fn a_contradiction_of_a_final_state_is_stored_reported_and_queried() {
    for (first, second, end) in [
        ("SUCCESS", "CLOSED", "succeeded"),
        ("CLOSED", "SUCCESS", "closed"),
    ] {
        let (server, _) = bought().await;
        server.ask_refund(refund_body("R-1", 990)).await;
        let at_ms = server.clock.now_ms();
        server
            .deliver_refund(&notice("n-1", &refund_resource(&server, first), at_ms))
            .await;
        server.wechat.take_sent();
        let contradiction = notice("n-2", &refund_resource(&server, second), at_ms);
        for _ in 0..2 {
            let answer = server.deliver_refund(&contradiction).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT);
        }
        assert_eq!(server.state_of("R-1").await, end);
        let messages = server.refund_messages().await;
        let mismatches = messages.iter().filter(|word| *word == "refund.mismatch");
        assert_eq!(mismatches.count(), 1, "{messages:?}");
        assert_eq!(server.wechat.take_kinds(), ["refund_query"]);
        let kept = refund_mismatches(&server).await;
        assert_eq!(kept.len(), 1);
        assert_eq!((&*kept[0].0, &*kept[0].1), ("R-1", "state"));
        let answer = kept[0].2.as_deref().unwrap();
        assert!(answer.contains("PROCESSING"), "{answer}");
        assert_eq!(server.state_of("R-1").await, end, "final is final");
    }
}

#[tokio::test]
async fn a_verified_refund_update_that_matches_nothing_is_stored_acknowledged_and_changes_nothing()
{
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
        let (server, token) = bought().await;
        server.ask_refund(refund_body("R-1", 990)).await;
        let before = server.checkout(&token).await.json;
        let mut refund = refund_resource(&server, "SUCCESS");
        *refund.pointer_mut(pointer).unwrap() = value;
        let at_ms = server.clock.now_ms();
        for id in ["n-1", "n-1", "n-2"] {
            let answer = server.deliver_refund(&notice(id, &refund, at_ms)).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{reason}");
        }
        assert_eq!(server.state_of("R-1").await, "processing", "{reason}");
        assert_eq!(server.checkout(&token).await.json, before, "{reason}");
        let kept = refund_mismatches(&server).await;
        assert_eq!(kept.len(), 1, "{reason}");
        assert_eq!((&*kept[0].0, &*kept[0].1), ("R-1", reason));
        assert_eq!(
            server.refund_messages().await,
            ["refund.mismatch"],
            "{reason}"
        );
    }
}

#[tokio::test]
async fn a_refund_whose_numbers_no_column_can_hold_is_kept_as_it_was_reported() {
    for (reason, out_refund_no, refund_id) in [
        ("out_refund_no", "退款 1", "50000000000000000000000000001"),
        ("refund_id", "outside-1", "5/0"),
    ] {
        let (server, _) = bought().await;
        server.ask_refund(refund_body("R-1", 990)).await;
        let before = server.read_private("/v1/orders/tea-0001").await.json;
        let mut refund = refund_resource(&server, "SUCCESS");
        refund["out_refund_no"] = json!(out_refund_no);
        refund["refund_id"] = json!(refund_id);
        let notification = notice("n-1", &refund, server.clock.now_ms());
        let answer = server.deliver_refund(&notification).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{reason}");
        let after = server.read_private("/v1/orders/tea-0001").await.json;
        assert_eq!(after, before, "{reason}");
        let kept = server.read_private("/v1/mismatches").await.json;
        let kept = &kept["mismatches"][0];
        assert_eq!(kept["reason"], reason, "{kept}");
        assert_eq!(kept["refund_no"], out_refund_no, "{kept}");
        assert_eq!(kept["refund_id"], refund_id, "{kept}");
        assert_eq!(server.refund_messages().await, ["refund.mismatch"]);
    }
}

#[tokio::test]
async fn an_unsigned_notification_changes_nothing() {
    let (server, _) = bought().await;
    server.ask_refund(refund_body("R-1", 990)).await;
    let at_ms = server.clock.now_ms();
    let good = notice("n-1", &refund_resource(&server, "SUCCESS"), at_ms);
    let mut unsigned = good.clone();
    unsigned.headers.clear();
    let mut altered = good.clone();
    altered.body = [&altered.body[..], b" "].concat().into();
    for notification in [unsigned, altered] {
        let refused = server.deliver_refund(&notification).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.state_of("R-1").await, "processing");
    }
    // Both notify addresses accept the notification of a refund.
    assert_eq!(server.deliver(&good).await.status, StatusCode::NO_CONTENT);
    assert_eq!(server.state_of("R-1").await, "succeeded");
}

#[tokio::test]
async fn an_update_before_the_answer_is_not_undone_by_the_answer() {
    let (server, _) = bought().await;
    server
        .wechat
        .inject("refund", crate::fault_injector::Fault::AnswerLost);
    server.ask_refund(refund_body("R-1", 990)).await;
    let at_ms = server.clock.now_ms();
    server
        .deliver_refund(&notice("n-1", &refund_resource(&server, "SUCCESS"), at_ms))
        .await;
    assert_eq!(server.state_of("R-1").await, "succeeded");
    server.wechat.take_sent();
    server.later(24 * 3_600_000).await;
    assert_eq!(
        server.wechat.take_kinds(),
        [] as [&str; 0],
        "nothing is left to ask"
    );
    let same = server.ask_refund(refund_body("R-1", 990)).await;
    assert_eq!(same.string("state"), "succeeded");
}
