//! Due work: lost notifications, deadlines, a restarted process.

use http::StatusCode;
use serde_json::json;

use crate::fault_injector::Fault;
use crate::test_server::{MINUTE_MS, TestServer};

async fn ordered(server: &TestServer) -> String {
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    server.wechat.take_sent();
    token
}

#[tokio::test]
async fn a_payment_whose_notification_is_lost_is_found_by_a_query() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    server.pay("tea-0001").await;
    server.later(4_999).await;
    assert_eq!(server.checkout(&token).await.string("state"), "open");
    server.later(1).await;
    let paid = server.checkout(&token).await;
    assert_eq!(paid.string("state"), "paid");
    assert_eq!(paid.number("checked_ms_ago"), 0);
    assert_eq!(server.wechat.take_kinds(), ["query"]);
    assert_eq!(server.inner.next_due_ms().await.unwrap(), None);
}

#[tokio::test]
async fn queries_follow_wechats_schedule_until_the_deadline() {
    let server = TestServer::open().await;
    ordered(&server).await;
    let mut asked_at_s = Vec::new();
    for second in 1..=40 * 60 {
        server.clock.advance_ms(1_000);
        if server.inner.run_due().await.unwrap() > 0 {
            asked_at_s.extend(
                server
                    .wechat
                    .take_kinds()
                    .iter()
                    .map(|kind| (second, *kind)),
            );
        }
    }
    // Queries after 5 s, then 30 s, 1 min, 3 min, 5 min and 10 min later; at the deadline a query
    // and a close.
    let query = "query";
    assert_eq!(
        asked_at_s,
        [
            (5, query),
            (35, query),
            (95, query),
            (275, query),
            (575, query),
            (1175, query),
            (1800, query),
            (1800, "close")
        ]
    );
}

#[tokio::test]
async fn an_expired_order_is_closed_at_wechat_and_then_closed() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    server.later(30 * MINUTE_MS).await;
    assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
    let closed = server.checkout(&token).await;
    assert_eq!(closed.string("state"), "closed");
    assert!(closed.json["remaining_ms"].is_null());
    let answer = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.string("state"), "closed");
}

#[tokio::test]
async fn an_order_without_an_attempt_is_closed_without_a_call_to_wechat() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.later(30 * MINUTE_MS).await;
    assert_eq!(server.checkout(&token).await.string("state"), "closed");
    assert_eq!(server.wechat.take_sent(), []);
}

#[tokio::test]
async fn a_short_order_is_not_closed_in_its_first_minutes() {
    let server = TestServer::open().await;
    let token = server
        .order(json!({
            "order_no": "tea-0001", "total_fen": 1, "description": "tea", "expires_in_ms": 60_000,
        }))
        .await;
    server.attempt(&token, &[("product", "native")]).await;
    server.later(4 * MINUTE_MS).await;
    let waiting = server.checkout(&token).await;
    assert_eq!(waiting.string("state"), "open");
    assert_eq!(waiting.number("remaining_ms"), 0);
    assert!(waiting.json["code_url"].is_null());
    server.later(MINUTE_MS).await;
    assert_eq!(server.checkout(&token).await.string("state"), "closed");
}

#[tokio::test]
async fn an_expired_order_in_doubt_stays_open_until_wechat_answers() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    server.wechat.inject("query", Fault::NotSent);
    server.wechat.inject("query", Fault::NotSent);
    server.later(30 * MINUTE_MS).await;
    assert_eq!(server.checkout(&token).await.string("state"), "open");
    server.later(MINUTE_MS).await;
    assert_eq!(server.checkout(&token).await.string("state"), "closed");
}

#[tokio::test]
async fn a_payment_at_the_last_moment_is_found_by_the_last_query() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    server.clock.advance_ms(29 * MINUTE_MS);
    server.pay("tea-0001").await;
    server.later(MINUTE_MS).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
}

#[tokio::test]
async fn a_restarted_process_continues_the_work_of_the_last_one() {
    let first = TestServer::open().await;
    let token = first.default_order().await;
    // The order arrives at WeChat, and the process ends before the answer arrives.
    first.wechat.inject("order", Fault::AnswerLost);
    first.attempt(&token, &[("product", "native")]).await;
    let second = first.restart().await;
    let answer = second.attempt(&token, &[("product", "native")]).await;
    assert_eq!(answer.number("attempt"), 1);
    let sent = second.wechat.take_sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].body, sent[1].body);
    second.pay("tea-0001").await;
    let third = second.restart().await;
    third.later(5_000).await;
    assert_eq!(third.checkout(&token).await.string("state"), "paid");
}
