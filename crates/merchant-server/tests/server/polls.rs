//! Reading a checkout: held polls, queries to WeChat, and which origins may read.

use axum::body::Body;
use http::Request;
use merchant_server::Clock as _;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use crate::bills::refunded;
use crate::test_server::{Answer, MINUTE_MS, SHOP, TestServer, read};

async fn ordered(server: &TestServer) -> String {
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    token
}

/// Starts a poll; returns when the server holds the poll.
async fn hold(server: &TestServer, token: &str, seen: u64) -> JoinHandle<Answer> {
    let request = Request::get(format!("/v1/checkouts/{token}?wait=25&seen={seen}"))
        .body(Body::empty())
        .unwrap();
    let app = server.app.clone();
    let poll = tokio::spawn(async move { read(app.oneshot(request).await.unwrap()).await });
    server.clock.somebody_waits().await;
    assert!(!poll.is_finished());
    poll
}

#[tokio::test]
async fn a_held_poll_ends_with_the_change() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let seen = server.checkout(&token).await.number("version");
    let poll = hold(&server, &token, seen).await;
    server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    let answer = poll.await.unwrap();
    assert_eq!(answer.string("state"), "paid");
    assert!(answer.number("version") > seen);
}

/// A backup was restored while pages were open: without a limit, each page would poll again and
/// again without a pause.
#[tokio::test]
async fn a_poll_with_a_higher_version_is_held_until_the_next_change() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let poll = hold(&server, &token, 999).await;
    server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    assert_eq!(poll.await.unwrap().string("state"), "paid");
}

#[tokio::test]
async fn a_held_poll_ends_when_its_wait_is_over() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let seen = server.checkout(&token).await.number("version");
    let poll = hold(&server, &token, seen).await;
    server.clock.advance_ms(25_000);
    let answer = poll.await.unwrap();
    assert_eq!(answer.number("version"), seen);
    assert_eq!(answer.number("poll_after_ms"), 0);
    assert_eq!(answer.number("remaining_ms"), 30 * MINUTE_MS - 25_000);
}

#[tokio::test]
async fn a_change_by_another_process_is_answered_at_the_end_of_the_poll_at_the_latest() {
    let server = TestServer::open().await;
    let beside = server.beside().await;
    let token = ordered(&server).await;
    let seen = server.checkout(&token).await.number("version");
    let poll = hold(&server, &token, seen).await;
    server.pay("tea-0001").await;
    server.take_notifications();
    // The command `reconcile` does the same.
    let found = beside.inner.reconcile(crate::test_server::START_MS).await;
    assert_eq!(found.unwrap().findings.len(), 1);
    server.clock.advance_ms(25_000);
    let paid = poll.await.unwrap();
    assert_eq!(paid.string("state"), "paid");
    assert!(paid.number("version") > seen);

    // The command `refund` does the same. This poll begins when the other process has finished.
    refunded(&beside, "tea-0001", "back-0001", 333).await;
    beside.later(3_600_000).await;
    let seen = paid.number("version");
    let path = format!("/v1/checkouts/{token}?wait=25&seen={seen}");
    assert_eq!(server.get(&path).await.number("refunded_fen"), 333);
}

#[tokio::test]
async fn shutdown_ends_every_held_poll() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let seen = server.checkout(&token).await.number("version");
    let polls = [
        hold(&server, &token, seen).await,
        hold(&server, &token, seen).await,
    ];
    server.inner.begin_shutdown();
    for poll in polls {
        let answer = poll.await.unwrap();
        assert_eq!(answer.number("version"), seen);
        assert_eq!(answer.number("poll_after_ms"), 1000);
    }
}

#[tokio::test]
async fn a_poll_with_an_older_version_or_without_a_wait_is_answered_at_once() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    for query in [
        "",
        "?wait=25",
        "?seen=3",
        "?wait=25&seen=1",
        "?wait=0&seen=3",
    ] {
        let answer = server.get(&format!("/v1/checkouts/{token}{query}")).await;
        assert_eq!(answer.string("state"), "open", "{query}");
    }
    let refused = server.get(&format!("/v1/checkouts/{token}?ask=2")).await;
    assert_eq!(refused.code(), "INVALID_REQUEST");
    assert_eq!(refused.json["error"]["field"], "ask");
}

#[tokio::test]
async fn many_pages_that_query_cause_one_query_at_wechat() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    server.wechat.take_sent();
    let path = format!("/v1/checkouts/{token}?ask=1");
    let answers = tokio::join!(
        server.get(&path),
        server.get(&path),
        server.get(&path),
        server.get(&path)
    );
    assert_eq!(answers.0.number("checked_ms_ago"), 0);
    assert_eq!(answers.3.number("checked_ms_ago"), 0);
    assert_eq!(server.wechat.take_kinds(), ["query"]);
    server.clock.advance_ms(1_999);
    assert_eq!(server.get(&path).await.number("checked_ms_ago"), 1_999);
    assert_eq!(server.wechat.take_sent(), []);
    server.clock.advance_ms(1);
    server.pay("tea-0001").await;
    assert_eq!(server.get(&path).await.string("state"), "paid");
    assert_eq!(server.wechat.take_kinds(), ["query"]);
    // A paid order causes no query any more.
    server.clock.advance_ms(10_000);
    server.get(&path).await;
    assert_eq!(server.wechat.take_sent(), []);
}

/// The machine's clock was an hour ahead, and has been corrected.
#[tokio::test]
async fn a_query_that_is_due_later_delays_no_other() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    sqlx::query("UPDATE orders SET asked_ms = $1")
        .bind(server.clock.now_ms() + 3_600_000)
        .execute(&server.database().await)
        .await
        .unwrap();
    server.pay("tea-0001").await;
    let answer = server.get(&format!("/v1/checkouts/{token}?ask=1")).await;
    assert_eq!(answer.string("state"), "paid");
}

#[tokio::test]
async fn an_unanswered_query_changes_nothing() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    server
        .wechat
        .inject("query", crate::fault_injector::Fault::NotSent);
    let answer = server.get(&format!("/v1/checkouts/{token}?ask=1")).await;
    assert_eq!(answer.string("state"), "open");
    assert!(answer.json["checked_ms_ago"].is_null());
    assert!(server.clock.now_ms() > 0);
}

#[tokio::test]
async fn only_allowed_origins_can_read_and_none_can_read_private_routes() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let path = format!("/v1/checkouts/{token}");
    let attempts = format!("{path}/attempts");
    let allowed = [
        (&*path, SHOP, Some(SHOP)),
        // A page of another origin can read only the refusal: see cross_origin.rs.
        (&path, "https://evil.example", Some("*")),
        // Errors can be read as well.
        ("/v1/checkouts/unknown", SHOP, Some(SHOP)),
        ("/v1/orders", SHOP, None),
    ];
    for (path, origin, expected) in allowed {
        let request = Request::get(path).header("origin", origin);
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        let found = answer
            .headers
            .get("access-control-allow-origin")
            .map(|value| value.to_str().unwrap());
        assert_eq!(found, expected, "{path} {origin}");
        let credentials = answer.headers.get("access-control-allow-credentials");
        assert_eq!(credentials, None, "{path} {origin}");
    }
    let preflight = Request::options(&attempts)
        .header("origin", SHOP)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let answer = server.send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.headers["access-control-allow-origin"], SHOP);
    let headers = answer.headers["access-control-allow-headers"]
        .to_str()
        .unwrap();
    assert!(headers.contains("content-type"));
}
