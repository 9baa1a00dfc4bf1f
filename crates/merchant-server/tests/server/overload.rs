//! More than the server can record: what is new is refused with a time for the next try, and what is
//! under way keeps its place. The test holds the database's write lock, so that nothing depends on how
//! fast this machine is.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;
use sqlx::pool::PoolConnection;
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tower::ServiceExt as _;

use crate::cluster;
use crate::merchants::{OTHER_TARGET, first_table, ordered, paid, table, top};
use crate::test_server::{
    API_KEY, Answer, KEYS, SentNotification, TestServer, backend, form, read,
};

/// With so many merchants each has few places.
const MERCHANTS: usize = 16;
/// The places of each of them: four are in the ledger, and four wait for each of these.
const PLACES: usize = 4 + 16;
const FLOOD: usize = PLACES + 10;

fn key_of(number: usize) -> String {
    format!("the key of shop {number}")
}

fn sha256_of(text: &str) -> String {
    let mut hex = String::new();
    for byte in digest(&SHA256, text.as_bytes()).as_ref() {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

/// A server with many merchants; the test's own is the first of them.
async fn open() -> TestServer {
    let file = KEYS.path().join("merchant.json").display().to_string();
    let others = (1..MERCHANTS).map(|number| {
        let mchid = format!("mchid = \"19000000{number:02}\"");
        table(&file, &mchid, &sha256_of(&key_of(number)), OTHER_TARGET)
    });
    let others: String = others.collect();
    TestServer::open_configured(&(top("") + &first_table("") + &others)).await
}

/// The database's write lock, held by another program.
struct WriteLock(PoolConnection<sqlx::Any>);

impl WriteLock {
    async fn take(server: &TestServer) -> Self {
        let mut connection = server.database().await.acquire().await.unwrap();
        let begin = if cluster::is_used() {
            "BEGIN; LOCK TABLE orders IN EXCLUSIVE MODE"
        } else {
            "BEGIN IMMEDIATE"
        };
        sqlx::raw_sql(begin)
            .execute(&mut *connection)
            .await
            .unwrap();
        Self(connection)
    }

    async fn release(mut self) {
        sqlx::raw_sql("ROLLBACK")
            .execute(&mut *self.0)
            .await
            .unwrap();
    }
}

fn send(server: &TestServer, request: Request<Body>) -> JoinHandle<Answer> {
    let app = server.app.clone();
    tokio::spawn(async move { read(app.oneshot(request).await.unwrap()).await })
}

fn new_order(key: &str, number: usize) -> Request<Body> {
    let order_no = format!("flood-{number:04}");
    let order = json!({ "order_no": order_no, "total_fen": 1990, "description": "tea" });
    backend("/v1/orders", key, order.to_string())
}

fn delivery(notification: &SentNotification) -> Request<Body> {
    let mut request = Request::post("/wechat/notify/payment")
        .body(Body::from(notification.body.clone()))
        .unwrap();
    *request.headers_mut() = notification.headers.clone();
    request
}

/// Sends more new orders than there are places; returns those that wait. The others were refused.
async fn flood(server: &TestServer) -> JoinSet<Answer> {
    let mut orders = JoinSet::new();
    for number in 0..FLOOD {
        let (app, request) = (server.app.clone(), new_order(API_KEY, number));
        orders.spawn(async move { read(app.oneshot(request).await.unwrap()).await });
    }
    for _ in 0..FLOOD - PLACES {
        let refused = orders.join_next().await.unwrap().unwrap();
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.code(), "RATE_LIMITED");
        assert_eq!(refused.json["error"]["retryable"], true);
        assert_eq!(refused.headers["retry-after"], "1");
    }
    orders
}

#[tokio::test]
async fn new_orders_are_refused_and_what_is_under_way_goes_on() {
    let server = open().await;
    let bought = paid(&server, "tea-0001").await;
    let waiting = ordered(&server, "tea-0002").await;
    let fresh = server
        .order(json!({ "order_no": "tea-0003", "total_fen": 1990, "description": "tea" }))
        .await;
    server.pay("tea-0002").await;
    let notification = server.take_notifications().remove(0);

    let lock = WriteLock::take(&server).await;
    let mut orders = flood(&server).await;
    let notified = send(&server, delivery(&notification));
    let refund = json!({ "refund_no": "back-0001", "amount_fen": 1990 }).to_string();
    let refunded = send(
        &server,
        backend("/v1/orders/tea-0001/refunds", API_KEY, refund),
    );
    let others = send(&server, new_order(&key_of(1), 0));
    // The pages of a paid order read, and a page of an order without an attempt is new.
    assert_eq!(server.checkout(&bought).await.string("state"), "paid");
    let path = format!("/v1/checkouts/{fresh}/attempts");
    let attempt = read(
        server
            .app
            .clone()
            .oneshot(form(&path, &[("product", "native")]))
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(attempt.code(), "RATE_LIMITED", "{}", attempt.json);
    assert_eq!(attempt.headers["retry-after"], "1");
    yield_now().await;
    assert!(orders.try_join_next().is_none(), "these have their places");
    for (call, what) in [
        (&notified, "notification"),
        (&refunded, "refund"),
        (&others, "order"),
    ] {
        assert!(!call.is_finished(), "a {what} waits, and is not refused");
    }

    lock.release().await;
    assert_eq!(notified.await.unwrap().status, StatusCode::NO_CONTENT);
    assert_eq!(server.checkout(&waiting).await.string("state"), "paid");
    assert_eq!(refunded.await.unwrap().status, StatusCode::CREATED);
    assert_eq!(
        others.await.unwrap().status,
        StatusCode::CREATED,
        "another merchant's"
    );
    while let Some(answer) = orders.join_next().await {
        assert_eq!(answer.unwrap().status, StatusCode::CREATED);
    }
    let metrics = server.read_private("/metrics").await.text();
    let refusals = format!(
        "merchant_server_overload_refusals_total{{merchant=\"{}\"}} {}",
        server.mchid,
        FLOOD - PLACES + 1
    );
    assert!(metrics.contains(&refusals), "{metrics}");
    // It comes back by itself: the same page, and the orders that were refused.
    let attempt = server.attempt(&fresh, &[("product", "native")]).await;
    assert_eq!(attempt.status, StatusCode::OK, "{}", attempt.json);
    for number in 0..FLOOD {
        let answer = server.send(new_order(API_KEY, number)).await;
        assert!(answer.status.is_success(), "{}", answer.json);
    }
    let shown = server.read_private("/v1/orders?limit=200").await;
    assert_eq!(shown.json["orders"].as_array().unwrap().len(), FLOOD + 3);
}

#[tokio::test]
async fn a_new_order_waits_for_a_place_no_longer_than_two_seconds() {
    let server = open().await;
    let lock = WriteLock::take(&server).await;
    let mut orders = flood(&server).await;
    server.clock.advance_ms(2_000);
    // Those that wait are refused, and those that are in the ledger wait for the lock.
    for _ in 4..PLACES {
        let refused = orders.join_next().await.unwrap().unwrap();
        assert_eq!(refused.code(), "RATE_LIMITED");
    }
    assert!(orders.try_join_next().is_none());
    lock.release().await;
    while let Some(answer) = orders.join_next().await {
        assert_eq!(answer.unwrap().status, StatusCode::CREATED);
    }
}

/// The refusal of a new order, for the table of refusals.
pub(crate) async fn refuse_new_orders() {
    let server = open().await;
    let lock = WriteLock::take(&server).await;
    let mut orders = flood(&server).await;
    server.send(new_order(API_KEY, FLOOD)).await;
    lock.release().await;
    while orders.join_next().await.is_some() {}
}
