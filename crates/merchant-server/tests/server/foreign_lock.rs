//! Another program holds the database's write lock (a backup tool, a shell). Calls that read do not
//! notice, calls that write wait for a while, and the server is not ready meanwhile.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt as _;

use crate::cluster;
use crate::test_server::{API_KEY, Answer, TestServer, backend, read};

/// The number of calls that write: more than the server has connections to the database.
const WRITERS: usize = 12;

fn spawn(
    server: &TestServer,
    request: Request<Body>,
) -> impl Future<Output = Answer> + Send + 'static {
    let app = server.app.clone();
    async move { read(app.oneshot(request).await.unwrap()).await }
}

#[tokio::test]
async fn reads_wait_neither_for_a_foreign_write_lock_nor_for_calls_that_wait_for_it() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let mut foreign = server.database().await.acquire().await.unwrap();
    let lock = sqlx::query("BEGIN IMMEDIATE").execute(&mut *foreign).await;
    lock.unwrap();
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let order_no = format!("tea-1{number:03}");
        let order = json!({ "order_no": order_no, "total_fen": 1, "description": "tea" });
        let request = backend("/v1/orders", API_KEY, order.to_string());
        writers.spawn(spawn(&server, request));
    }
    for path in ["", "/tea-0001", "/tea-0001/refunds"] {
        let answer = server.shown(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    assert_eq!(server.checkout(&token).await.string("state"), "open");
    assert_eq!(server.get("/healthz").await.status, StatusCode::OK);
    assert!(writers.try_join_next().is_none(), "they wait all the time");
    let unlock = sqlx::query("ROLLBACK").execute(&mut *foreign).await;
    unlock.unwrap();
    while let Some(answer) = writers.join_next().await {
        assert_eq!(answer.unwrap().status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn a_server_that_waits_for_a_foreign_write_lock_is_not_ready() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
    let mut foreign = server.database().await.acquire().await.unwrap();
    let lock = sqlx::query("BEGIN IMMEDIATE").execute(&mut *foreign).await;
    lock.unwrap();
    // The result of the last check is kept for a second.
    assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
    server.clock.advance_ms(1_000);
    let asked: JoinHandle<Answer> = tokio::spawn(spawn(
        &server,
        Request::get("/readyz").body(Body::empty()).unwrap(),
    ));
    server.clock.somebody_waits().await;
    server.clock.advance_ms(1_000);
    let answer = asked.await.unwrap();
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.text(), "the database takes no writes\n");
    // The metrics have the result of the same check.
    let metrics = server.read_private("/metrics").await;
    assert_eq!(metrics.status, StatusCode::OK);
    let metrics = metrics.text();
    assert!(
        metrics.contains("merchant_server_database_writable 0\n"),
        "{metrics}"
    );
    let unlock = sqlx::query("ROLLBACK").execute(&mut *foreign).await;
    unlock.unwrap();
    server.clock.advance_ms(1_000);
    assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
}
