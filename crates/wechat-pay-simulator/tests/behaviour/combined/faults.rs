//! Faults reach combined orders as they reach ordinary ones; a restart keeps them.

use http::StatusCode;
use serde_json::json;
use wechat_pay::{NotifiedResource, ProductFields, ReplyError, TradeState, query_combined_order};
use wechat_pay_simulator::{Simulator, SimulatorOptions};

use super::{close, native, order, pay, query, said};
use crate::harness::Harness;

async fn set(harness: &Harness, route: &str, kind: &str, code: Option<&str>) {
    let mut rule = json!({ "route": route, "kind": kind, "rate": 1, "count": 1 });
    if let Some(code) = code {
        rule["code"] = code.into();
    }
    if kind == "timeout_after" {
        rule["delay_ms"] = 0.into();
    }
    let (status, answer) = harness
        .post_json("/_simulator/faults", &json!([rule]))
        .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

async fn place(harness: &Harness) -> Result<(), ReplyError> {
    let request = order(harness, "C20261", ProductFields::Native).request();
    harness.send(request.unwrap()).await.map(drop)
}

#[tokio::test]
async fn an_answer_can_be_lost_before_or_after_the_order_is_recorded() {
    for (kind, code, status, recorded) in [
        ("error_before", None, 500, 0),
        ("error_after", None, 500, 1),
        ("timeout_after", None, 504, 1),
        ("too_many_requests", None, 429, 0),
        ("refused", Some("RULE_LIMIT"), 403, 0),
        ("refused", Some("ACCOUNT_ERROR"), 403, 0),
    ] {
        let harness = Harness::new();
        set(&harness, "order", kind, code).await;
        let error = place(&harness).await.unwrap_err();
        assert_eq!(error.wechat().unwrap().status, status, "{kind}");
        let known = harness.simulator.ledger_view(None).combined.len();
        assert_eq!(known, recorded, "{kind}");
        assert_eq!(place(&harness).await, Ok(()), "{kind}");
    }
}

#[tokio::test]
async fn a_close_can_lie_fail_or_be_accepted_while_the_buyer_pays() {
    let harness = Harness::new();
    let code_url = native(&harness, "C20261").await;
    let whole = order(&harness, "C20261", ProductFields::Native);
    set(&harness, "close", "close_lies", None).await;
    assert_eq!(close(&harness, &whole).await, Ok(204));
    set(&harness, "close", "accepted", None).await;
    assert_eq!(close(&harness, &whole).await, Err(ReplyError::NotYet));
    set(&harness, "close", "refused", Some("ORDER_NOT_EXIST")).await;
    assert_eq!(
        said(close(&harness, &whole).await),
        (404, "ORDER_NOT_EXIST".into())
    );
    set(&harness, "query", "error_before", None).await;
    let asked = query_combined_order(&whole.combine_out_trade_no);
    assert_eq!(
        said(harness.send(asked).await),
        (500, "SYSTEM_ERROR".into())
    );
    assert_eq!(
        query(&harness, "C20261").await.trade_state(),
        Some(TradeState::NotPay)
    );
    pay(&harness, &code_url).await;
}

#[tokio::test]
async fn the_notification_is_lost_repeated_reordered_or_late_as_any_other() {
    for (kind, advance_s, expected) in [
        ("dropped", 14, 0),
        ("dropped", 15, 1),
        ("repeated", 0, 2),
        ("reordered", 29, 0),
        ("reordered", 30, 1),
        ("late", 3600, 1),
    ] {
        let harness = Harness::new();
        set(&harness, "notification", kind, None).await;
        let code_url = native(&harness, "C20261").await;
        pay(&harness, &code_url).await;
        harness.simulator.run_due().await;
        harness.advance(advance_s);
        harness.simulator.run_due().await;
        let notified = harness.notified();
        assert_eq!(notified.len(), expected, "{kind} {advance_s}");
        for notification in notified {
            let NotifiedResource::Combined(paid) = notification.resource else {
                panic!("{kind}");
            };
            assert!(paid.is_paid());
        }
    }
}

#[tokio::test]
async fn a_restart_keeps_a_combined_order_and_its_link() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("simulator.sqlite3");
    let opened = async || {
        let harness = Harness::new();
        let options = SimulatorOptions::default();
        let simulator = Simulator::open(harness.parts(), options, &path)
            .await
            .unwrap();
        Harness {
            simulator,
            ..harness
        }
    };
    let before = opened().await;
    let code_url = native(&before, "C20261").await;
    before.simulator.run_due().await;
    let after = opened().await;
    assert_eq!(
        after.simulator.ledger_view(None),
        before.simulator.ledger_view(None)
    );
    let ids = pay(&after, &code_url).await;
    after.simulator.run_due().await;
    let again = opened().await;
    let paid = query(&again, "C20261").await;
    assert!(paid.is_paid());
    let kept = paid
        .sub_orders
        .iter()
        .filter_map(|sub| sub.transaction_id.clone());
    assert_eq!(kept.collect::<Vec<_>>(), ids);
}
