//! Reconciliation: which differences are resolved, and which are reported to a person.

use merchant_server::Finding;
use serde_json::json;

use crate::bills::{DAY, bill, notified, refunded, the_next_morning};
use crate::fault_injector::Fault;
use crate::test_server::{MINUTE_MS, START_MS, TestServer, payment_notification, transaction};

async fn findings(server: &TestServer) -> Vec<(String, String, String, &'static str)> {
    let reconciled = server.inner.reconcile(START_MS).await.unwrap();
    let findings = reconciled.findings.into_iter();
    findings
        .map(|finding| {
            let Finding {
                number,
                here,
                there,
                done,
            } = finding;
            (number, here, there, done)
        })
        .collect()
}

fn finding(
    number: &str,
    here: &str,
    there: &str,
    done: &'static str,
) -> (String, String, String, &'static str) {
    (number.into(), here.into(), there.into(), done)
}

async fn ordered(server: &TestServer, order_no: &str) {
    let order = json!({
        "order_no": order_no, "total_fen": 1990, "description": "tea",
        "expires_in_ms": 7 * 24 * 3_600_000_u64,
    });
    let token = server.order(order).await;
    let answer = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}

#[tokio::test]
async fn an_unreported_payment_is_recorded_and_sent_to_the_backend() {
    let server = TestServer::open().await;
    ordered(&server, "tea-0001").await;
    server.pay("tea-0001").await;
    let found = finding("tea-0001", "open", "paid", "the order is paid now");
    assert_eq!(findings(&server).await, [found]);
    assert_eq!(findings(&server).await, []);
}

#[tokio::test]
async fn matching_orders_are_no_finding_and_earlier_orders_are_not_queried() {
    let server = TestServer::open().await;
    ordered(&server, "tea-0001").await;
    notified(&server, "tea-0002", 5).await;
    assert_eq!(findings(&server).await, []);
    server.wechat.take_sent();
    let later = server.inner.reconcile(START_MS + 1).await.unwrap();
    assert_eq!((later.asked, later.findings), (0, Vec::new()));
    assert_eq!(server.wechat.take_sent(), []);
}

/// The refund was made by hand in the portal, and its only notification was lost.
#[tokio::test]
async fn an_unreported_refund_stays_a_finding_until_a_bill_names_it() {
    let server = TestServer::open().await;
    notified(&server, "tea-0001", 1990).await;
    assert_eq!(findings(&server).await, []);
    let body = json!({
        "mchid": crate::test_server::merchant()["mchid"], "out_trade_no": "tea-0001", "refund": 1990,
    });
    server.simulate("refund", &body).await;
    server.simulator.run_due().await;
    server.take_notifications();
    let there = "refunded, by a refund that only the bill of its day names";
    for _ in 0..2 {
        let found = finding("tea-0001", "paid", there, "");
        assert_eq!(findings(&server).await, [found]);
    }
    let order = server.shown("/tea-0001").await;
    assert!(order.json["attempts"][0]["refund_seen_at"].is_string());

    the_next_morning(&server);
    bill(&server, DAY).await;
    server.later(0).await;
    assert_eq!(findings(&server).await, []);
    assert_eq!(server.shown("/tea-0001").await.number("refunded_fen"), 1990);
}

#[tokio::test]
async fn an_order_that_wechat_closed_by_itself_is_closed_here_too() {
    let server = TestServer::open().await;
    ordered(&server, "tea-0001").await;
    server.clock.advance_ms(8 * 24 * 60 * MINUTE_MS);
    let found = finding("tea-0001", "open", "closed", "closed here, too");
    assert_eq!(findings(&server).await, [found]);
    assert_eq!(findings(&server).await, []);
}

#[tokio::test]
async fn a_payment_that_wechat_does_not_know_stays_a_finding() {
    let server = TestServer::open().await;
    ordered(&server, "tea-0001").await;
    let notification = payment_notification("N1", &transaction("tea-0001", 1990), START_MS);
    assert_eq!(server.deliver(&notification).await.status, 204);
    let found = finding("tea-0001", "paid", "not paid", "");
    assert_eq!(findings(&server).await, std::slice::from_ref(&found));
    assert_eq!(findings(&server).await, [found], "nothing was made of it");
}

#[tokio::test]
async fn an_unanswered_query_is_a_finding_and_the_next_queries_follow() {
    let server = TestServer::open().await;
    ordered(&server, "tea-0001").await;
    ordered(&server, "tea-0002").await;
    server.wechat.inject("query", Fault::NotSent);
    let found = findings(&server).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].2.contains("could not be reached"), "{found:?}");
}

#[tokio::test]
async fn a_pause_that_wechat_requires_is_kept_and_no_order_is_skipped() {
    let server = TestServer::open().await;
    for number in ["tea-0001", "tea-0002"] {
        ordered(&server, number).await;
        server.pay(number).await;
    }
    let refusal = r#"{"code":"FREQUENCY_LIMITED","message":"x"}"#;
    server.wechat.inject("query", Fault::Answered(429, refusal));
    let clock = server.clock.clone();
    let reconcile = findings(&server);
    let time = async {
        loop {
            tokio::task::yield_now().await;
            clock.advance_ms(1_000);
        }
    };
    let found = tokio::select! {
        found = reconcile => found,
        () = time => unreachable!("time goes on forever"),
    };
    let paid = |number| finding(number, "open", "paid", "the order is paid now");
    assert_eq!(found, [paid("tea-0001"), paid("tea-0002")]);
}

#[tokio::test]
async fn an_unreported_result_of_a_refund_is_recorded_and_a_missing_refund_stays_a_finding() {
    let server = TestServer::open().await;
    notified(&server, "tea-0001", 1990).await;
    refunded(&server, "tea-0001", "back-1", 333).await;
    server.clock.advance_ms(24 * 60 * MINUTE_MS);
    let found = finding("back-1", "processing", "succeeded", "recorded");
    assert_eq!(findings(&server).await, [found]);
    assert_eq!(findings(&server).await, []);
    let not_there = r#"{"code":"RESOURCE_NOT_EXISTS","message":""}"#;
    let answer = Fault::Answered(404, not_there);
    server.wechat.inject("refund_query", answer);
    let found = finding("back-1", "succeeded", "unknown", "");
    assert_eq!(findings(&server).await, [found]);
}
