//! Due work in parallel: while one order, one buyer or one kind of work waits, the others continue.

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tower::ServiceExt as _;

use crate::test_server::{Answer, MINUTE_MS, TestServer, form, read};

/// How long WeChat takes for an answer.
const WECHAT_TAKES_MS: u64 = 500;

async fn ordered(server: &TestServer, order_no: &str) -> String {
    let order = json!({ "order_no": order_no, "total_fen": 1990, "description": "tea" });
    let token = server.order(order).await;
    let answer = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    token
}

fn attempt_of(server: &TestServer, token: &str) -> impl Future<Output = Answer> + Send + 'static {
    let app = server.app.clone();
    let path = format!("/v1/checkouts/{token}/attempts");
    async move {
        let fields = [("product", "native")];
        read(app.oneshot(form(&path, &fields)).await.unwrap()).await
    }
}

/// A page starts an attempt that WeChat does not answer, so the attempt holds its order.
async fn hang(server: &TestServer, token: &str) -> JoinHandle<Answer> {
    let reached = Arc::new(Notify::new());
    server.wechat.cut(1, false, reached.clone());
    let page = tokio::spawn(attempt_of(server, token));
    reached.notified().await;
    page
}

#[tokio::test]
async fn due_work_does_not_wait_for_an_order_that_a_page_holds() {
    let server = TestServer::open().await;
    let other = ordered(&server, "tea-0002").await;
    let held = server
        .order(json!({ "order_no": "tea-0001", "total_fen": 1990, "description": "tea" }))
        .await;
    let page = hang(&server, &held).await;
    server.pay("tea-0002").await;
    // All due work is done, although the page still waits.
    server.later(5_000).await;
    assert_eq!(server.checkout(&other).await.string("state"), "paid");
    assert!(!page.is_finished());
    server.wechat.take_sent();
    page.abort();
    let _ = page.await;
    server.later(2_000).await;
    assert_eq!(server.wechat.take_kinds(), ["query"], "it is tried again");
}

#[tokio::test]
async fn too_many_pages_of_one_order_get_a_retry_time() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let first = hang(&server, &token).await;
    let mut others = JoinSet::new();
    for _ in 0..40 {
        others.spawn(attempt_of(&server, &token));
    }
    // One call works on the order and eight calls wait.
    for _ in 0..32 {
        let refused = others.join_next().await.unwrap().unwrap();
        assert_eq!(refused.code(), "RATE_LIMITED");
        assert_eq!(refused.json["error"]["retryable"], true);
        assert_eq!(refused.headers["retry-after"], "2");
    }
    let asked = server.get(&format!("/v1/checkouts/{token}?ask=1")).await;
    assert_eq!(asked.string("state"), "open", "a page reads what is known");
    first.abort();
    server.wechat.repair();
    while let Some(answer) = others.join_next().await {
        assert_eq!(answer.unwrap().status, StatusCode::OK);
    }
}

/// Copies an order in the database, with attempts that WeChat does not know. Creating the orders
/// through the routes takes a minute.
async fn multiply(server: &TestServer, order_no: &str, count: u32) {
    let pool = server.database().await;
    let copies = "WITH RECURSIVE copies (n) AS
        (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < $1)";
    for insert in [
        "INSERT INTO orders (id, order_no, token, request, total_fen, description, products,
                             created_ms, expires_ms, current_attempt)
         SELECT 1000 + n, 'copy-' || n, 'copy-' || n, request, total_fen, description, products,
                created_ms, expires_ms, current_attempt
         FROM orders, copies WHERE order_no = $2",
        "INSERT INTO attempts (order_id, number, product, out_trade_no, appid, body, state,
                               created_ms, return_handle)
         SELECT 1000 + n, number, product, 'copy-' || n, appid, body, state, created_ms,
                return_handle
         FROM attempts, copies WHERE out_trade_no = $2",
        "INSERT INTO due_work (kind, subject, due_ms, set_ms)
         SELECT due_work.kind, CAST(1000 + n AS TEXT), due_ms - 1, set_ms
         FROM due_work, copies, orders
         WHERE order_no = $2 AND subject = CAST(orders.id AS TEXT)",
    ] {
        let statement = sqlx::AssertSqlSafe(format!("{copies} {insert}"));
        let done = sqlx::query(statement).bind(i64::from(count)).bind(order_no);
        let done = done.execute(&pool).await.unwrap();
        assert!(done.rows_affected() >= u64::from(count));
    }
}

/// Runs all due work in its own task.
fn begin_due(server: &TestServer) -> JoinHandle<usize> {
    let inner = server.inner.clone();
    tokio::spawn(async move { inner.run_due().await.unwrap() })
}

/// Lets WeChat's time for an answer pass again and again until an order is paid. Returns how long
/// that took, in milliseconds. Before each step, `under_way` calls are under way, or all that are
/// left.
async fn until_paid(server: &TestServer, token: &str, calls: usize, under_way: usize) -> u64 {
    let mut waited_ms = 0;
    while server.checkout(token).await.string("state") != "paid" {
        let left = calls - server.wechat.answered();
        if left == 0 {
            // All calls are answered, and the rest of the work needs no call.
            yield_now().await;
            continue;
        }
        let under_way = under_way.min(left);
        let passes = server
            .wechat
            .let_pass(under_way, &server.clock, WECHAT_TAKES_MS);
        passes.await;
        waited_ms += WECHAT_TAKES_MS;
    }
    waited_ms
}

const NO_LIMITS: &str = "rate_limits = { token_per_minute = 10000, address_per_minute = 10000 }";

#[tokio::test]
async fn a_lost_payment_among_two_thousand_open_orders_is_known_within_fifteen_seconds() {
    let server = TestServer::open_with(NO_LIMITS).await;
    let token = ordered(&server, "tea-0001").await;
    multiply(&server, "tea-0001", 2_000).await;
    server.pay("tea-0001").await;
    server.clock.advance_ms(5_000);
    server.wechat.slow_down(&server.clock, WECHAT_TAKES_MS);
    // The other orders are due before this order.
    let work = begin_due(&server);
    let waited_ms = until_paid(&server, &token, 2_001, 80).await;
    work.abort();
    assert!(waited_ms <= 15_000, "{waited_ms} ms");
}

#[tokio::test]
async fn orders_that_expire_delay_no_query() {
    let server = TestServer::open_with(NO_LIMITS).await;
    ordered(&server, "tea-0001").await;
    multiply(&server, "tea-0001", 200).await;
    server.later(30 * MINUTE_MS - 5_000).await;
    server.clock.advance_ms(2_000);
    let token = ordered(&server, "tea-0002").await;
    server.pay("tea-0002").await;
    // All other orders expire now, at the same time. The query of this order is due in two seconds.
    server.clock.advance_ms(3_000);
    server.wechat.slow_down(&server.clock, WECHAT_TAKES_MS);
    let ends = begin_due(&server);
    for _ in 0..4 {
        let passes = server.wechat.let_pass(20, &server.clock, WECHAT_TAKES_MS);
        passes.await;
    }
    let question = begin_due(&server);
    while !server.wechat.asks("tea-0002") {
        yield_now().await;
    }
    server.clock.advance_ms(WECHAT_TAKES_MS);
    while server.checkout(&token).await.string("state") != "paid" {
        yield_now().await;
    }
    assert!(!ends.is_finished(), "the ends are not over yet");
    ends.abort();
    question.abort();
}
