//! A restart with the stored state.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use wechat_pay_simulator::{Outgoing, Settings, Simulator, SimulatorOptions};

use crate::harness::Harness;

async fn opened(path: &std::path::Path) -> Harness {
    let harness = Harness::new();
    let options = SimulatorOptions {
        settings: Settings::default().with("trust=certificates").unwrap(),
        ..SimulatorOptions::default()
    };
    let simulator = Simulator::open(harness.parts(), options, path)
        .await
        .unwrap();
    Harness {
        simulator,
        ..harness
    }
}

#[tokio::test]
async fn a_restart_keeps_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/simulator.sqlite3");
    let before = opened(&path).await;
    before.answer_notifications(Ok(StatusCode::INTERNAL_SERVER_ERROR));
    before.pay_native("T00001").await;
    let code_url = before.native("T00002").await;
    let mchid = before.merchant().mchid.clone();
    before
        .post_json("/_simulator/certificates/rotate", &json!({}))
        .await;
    before.simulator.run_due().await;
    before
        .post_json("/_simulator/clock", &json!({ "advance_s": 100 }))
        .await;
    let refund = json!({ "mchid": mchid, "out_trade_no": "T00001", "refund": 90 });
    before.post_json("/_simulator/refund", &refund).await;
    let number = wechat_pay::OutTradeNo::parse("T00009").unwrap();
    before
        .send(wechat_pay::close(
            &wechat_pay::Account::new(&mchid, None),
            &number,
        ))
        .await
        .unwrap();
    let view = before.simulator.ledger_view(None);
    assert_eq!(view.orders[0].notifications[0].tries, 4);

    let after = opened(&path).await;
    assert_eq!(after.simulator.ledger_view(None), view);
    assert_eq!(
        after.simulator.clock().now(),
        before.simulator.clock().now()
    );
    // The next delivery is due as before, and the refund gets its result.
    after.advance(140);
    after.simulator.run_due().await;
    let view = after.simulator.ledger_view(None);
    assert!(view.orders[0].notifications[0].acked);
    assert_eq!(view.refunds[0].status, "SUCCESS");
    let paying = json!({ "code_url": code_url, "outcome": "success" });
    assert_eq!(after.pay(paying).await.0, StatusCode::OK);
    let (_, _, listed) = after.call(Method::GET, "/v3/certificates", "").await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    let burnt = after.order("T00009", wechat_pay::ProductFields::Native);
    assert!(after.send(burnt.request().unwrap()).await.is_err());
}

/// Cancels a caller at every point while its changes are saved.
#[tokio::test]
async fn a_cancelled_caller_loses_no_change_that_others_have_seen() {
    for polls in 1.. {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("simulator.sqlite3");
        let before = opened(&path).await;
        let code_url = before.native("T00001").await;
        let paying = json!({ "code_url": code_url, "outcome": "success" });
        let was_cut = cut_off(polls, before.pay(paying)).await;
        let shown: Value =
            serde_json::from_slice(before.get("/_simulator/ledger").await.body()).unwrap();
        let after = opened(&path).await;
        let kept = json!(after.simulator.ledger_view(None));
        assert_eq!(kept, shown, "after {polls} polls");
        if !was_cut {
            return assert!(polls > 1, "no point was tried");
        }
    }
}

#[tokio::test]
async fn no_merchant_is_notified_of_a_state_that_a_restart_would_lose() {
    for polls in 1.. {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("simulator.sqlite3");
        let harness = Harness::new();
        let known_when_told = Arc::default();
        let mut parts = harness.parts();
        parts.notifications = look_into(path.clone(), Arc::clone(&known_when_told));
        let simulator = Simulator::open(parts, SimulatorOptions::default(), &path)
            .await
            .unwrap();
        let before = Harness {
            simulator,
            ..harness
        };
        let code_url = before.native("T00001").await;
        let paying = json!({ "code_url": code_url, "outcome": "success" });
        let was_cut = cut_off(polls, before.pay(paying)).await;
        before.simulator.run_due().await;
        let is_paid = before.simulator.ledger_view(None).orders[0]
            .transaction_id
            .is_some();
        let known: Vec<bool> = known_when_told.lock().unwrap().clone();
        assert_eq!(
            known,
            vec![true; usize::from(is_paid)],
            "after {polls} polls"
        );
        if !was_cut {
            return assert!(polls > 1 && is_paid, "no point was tried");
        }
    }
}

/// Polls a future this many times and drops it; returns whether it was still pending.
async fn cut_off(polls: usize, operation: impl Future) -> bool {
    let mut operation = pin!(operation);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if operation.as_mut().poll(context).is_ready() {
            return Poll::Ready(false);
        }
        left -= 1;
        if left == 0 {
            Poll::Ready(true)
        } else {
            Poll::Pending
        }
    })
    .await
}

/// A merchant that acknowledges, and records for each notification whether the file has the
/// payment.
fn look_into(path: PathBuf, known: Arc<Mutex<Vec<bool>>>) -> Outgoing {
    Outgoing::from_fn(move |_: Request<Bytes>| {
        let (path, known) = (path.clone(), known.clone());
        async move {
            let kept = opened(&path).await.simulator.ledger_view(None);
            known
                .lock()
                .unwrap()
                .push(kept.orders[0].transaction_id.is_some());
            Ok(Response::new(Body::empty()))
        }
    })
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused_and_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("simulator.sqlite3");
    std::fs::write(&path, "a letter, and no database at all, of some length").unwrap();
    let harness = Harness::new();
    let opened = Simulator::open(harness.parts(), SimulatorOptions::default(), &path).await;
    assert!(opened.is_err());
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .starts_with("a letter")
    );
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_can_read_the_state() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("simulator.sqlite3");
    let harness = opened(&path).await;
    harness.native("T00001").await;
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let _: Router = harness.simulator.app();
}
