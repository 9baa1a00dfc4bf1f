//! Another program holds the database's write lock (a backup tool, somebody's shell): who reads does
//! not notice, who writes waits for a while, and the server is not ready meanwhile.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt as _;

use crate::house::{API_KEY, Answer, House, backend, read};

/// Calls that write, more than there are connections of any kind.
const WRITERS: usize = 12;

fn spawn(house: &House, request: Request<Body>) -> impl Future<Output = Answer> + Send + 'static {
    let app = house.app.clone();
    async move { read(app.oneshot(request).await.unwrap()).await }
}

#[tokio::test]
async fn reads_do_not_wait_for_a_foreign_write_lock_nor_for_those_who_do() {
    let house = House::open().await;
    let token = house.tea().await;
    let mut foreign = house.database().await.acquire().await.unwrap();
    let lock = sqlx::query("BEGIN IMMEDIATE").execute(&mut *foreign).await;
    lock.unwrap();
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let order_no = format!("tea-1{number:03}");
        let order = json!({ "order_no": order_no, "total_fen": 1, "description": "tea" });
        let request = backend("/v1/orders", API_KEY, order.to_string());
        writers.spawn(spawn(&house, request));
    }
    for path in ["", "/tea-0001", "/tea-0001/refunds"] {
        let answer = house.shown(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    assert_eq!(house.checkout(&token).await.word("state"), "open");
    assert_eq!(house.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(house.read_private("/metrics").await.status, StatusCode::OK);
    assert!(writers.try_join_next().is_none(), "they wait all the time");
    let unlock = sqlx::query("ROLLBACK").execute(&mut *foreign).await;
    unlock.unwrap();
    while let Some(answer) = writers.join_next().await {
        assert_eq!(answer.unwrap().status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn a_server_that_waits_for_a_foreign_write_lock_is_not_ready() {
    let house = House::open().await;
    assert_eq!(house.get("/readyz").await.status, StatusCode::OK);
    let mut foreign = house.database().await.acquire().await.unwrap();
    let lock = sqlx::query("BEGIN IMMEDIATE").execute(&mut *foreign).await;
    lock.unwrap();
    // What was found out holds for a second.
    assert_eq!(house.get("/readyz").await.status, StatusCode::OK);
    house.clock.advance_ms(1_000);
    let asked: JoinHandle<Answer> = tokio::spawn(spawn(
        &house,
        Request::get("/readyz").body(Body::empty()).unwrap(),
    ));
    house.clock.somebody_waits().await;
    house.clock.advance_ms(1_000);
    let answer = asked.await.unwrap();
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.text(), "the database takes no writes\n");
    let unlock = sqlx::query("ROLLBACK").execute(&mut *foreign).await;
    unlock.unwrap();
    house.clock.advance_ms(1_000);
    assert_eq!(house.get("/readyz").await.status, StatusCode::OK);
}
