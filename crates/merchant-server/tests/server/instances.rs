//! Several servers on one PostgreSQL database, at the points where SQLite's one writer kept them apart.
//! With a file of SQLite these tests have nothing to show, and end at once.
//!
//! A test holds a lock of the database, as a slow transaction does, until all of its calls wait. Then
//! each has read what it decides by, unless the ledger makes it wait before.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tower::ServiceExt as _;

use crate::cluster;
use crate::oauth::{authorize_url, handle, through_wechat};
use crate::test_server::{
    API_KEY, Answer, MINUTE_MS, SentNotification, TestServer, backend, form, payment_notification,
    read, transaction,
};

/// A transaction of another program that holds a lock.
struct Lock(PgConnection);

impl Lock {
    async fn take(server: &TestServer, statement: &str) -> Self {
        let address = cluster::address(server.folder.path()).await;
        let mut connection = PgConnection::connect(&address).await.unwrap();
        let statement = AssertSqlSafe(format!("BEGIN; {statement}"));
        sqlx::raw_sql(statement)
            .execute(&mut connection)
            .await
            .unwrap();
        Self(connection)
    }

    /// Returns once so many transactions of this database wait for a lock.
    async fn until_waiting(&mut self, count: i64) {
        loop {
            // A transaction sees one state of the activity unless it asks for a new one.
            sqlx::raw_sql("SELECT pg_stat_clear_snapshot()")
                .execute(&mut self.0)
                .await
                .unwrap();
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'",
            )
            .fetch_one(&mut self.0)
            .await
            .unwrap();
            if waiting >= count {
                return;
            }
        }
    }

    async fn release(mut self) {
        sqlx::raw_sql("ROLLBACK")
            .execute(&mut self.0)
            .await
            .unwrap();
    }
}

fn delivery(notification: &SentNotification) -> Request<Body> {
    let mut request = Request::post("/wechat/notify/payment")
        .body(Body::from(notification.body.clone()))
        .unwrap();
    *request.headers_mut() = notification.headers.clone();
    request
}

/// Sends a request to each server; it runs beside the test.
fn send(server: &TestServer, request: Request<Body>) -> tokio::task::JoinHandle<Answer> {
    let app = server.app.clone();
    tokio::spawn(async move { read(app.oneshot(request).await.unwrap()).await })
}

async fn messages(server: &TestServer) -> Vec<String> {
    let list = server.read_private("/v1/webhooks").await;
    let list = list.json["webhooks"].as_array().unwrap().iter();
    let mut types: Vec<_> = list
        .map(|message| message["type"].as_str().unwrap().to_owned())
        .collect();
    types.sort();
    types
}

async fn ordered(server: &TestServer) -> String {
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    token
}

#[tokio::test]
async fn a_payment_that_two_servers_learn_of_at_once_is_no_duplicate() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    ordered(&server).await;
    let beside = server.beside().await;
    server.pay("tea-0001").await;
    let notification = server.take_notifications().remove(0);
    let mut lock = Lock::take(&server, "SELECT 1 FROM orders FOR UPDATE").await;
    let calls = [&server, &beside].map(|one| send(one, delivery(&notification)));
    lock.until_waiting(2).await;
    lock.release().await;
    for call in calls {
        assert_eq!(call.await.unwrap().status, StatusCode::NO_CONTENT);
    }
    let order = server.shown("/tea-0001").await;
    assert_eq!(order.string("state"), "paid");
    assert_eq!(order.json["attempts"][0]["state"], "paid");
    assert_eq!(messages(&server).await, ["payment.succeeded"]);
}

#[tokio::test]
async fn refunds_that_two_servers_record_at_once_never_exceed_the_payment() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    ordered(&server).await;
    server.pay("tea-0001").await;
    for notification in server.take_notifications() {
        server.deliver(&notification).await;
    }
    let beside = server.beside().await;
    let mut lock = Lock::take(&server, "SELECT 1 FROM orders FOR UPDATE").await;
    let ask = |one: &TestServer, refund_no: &str| {
        let refund = json!({ "refund_no": refund_no, "amount_fen": 1500 });
        let path = "/v1/orders/tea-0001/refunds";
        send(one, backend(path, API_KEY, refund.to_string()))
    };
    let calls = [ask(&server, "back-1"), ask(&beside, "back-2")];
    lock.until_waiting(2).await;
    lock.release().await;
    let mut codes = Vec::new();
    for call in calls {
        codes.push(call.await.unwrap().code().to_owned());
    }
    codes.sort();
    assert_eq!(codes, ["", "REFUND_TOO_MUCH"]);
    let order = server.shown("/tea-0001").await;
    assert_eq!(order.json["refunds"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn unmatched_payments_that_two_servers_record_at_once_are_both_kept() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let beside = server.beside().await;
    let strange = |id: &str| {
        let payment = transaction(&format!("unmatched-{id}"), 7);
        payment_notification(id, &payment, crate::test_server::START_MS)
    };
    // Tables can be read meanwhile, and not written.
    let mut lock = Lock::take(&server, "LOCK TABLE mismatches IN SHARE MODE").await;
    let calls =
        [(&server, "N1"), (&beside, "N2")].map(|(one, id)| send(one, delivery(&strange(id))));
    lock.until_waiting(2).await;
    lock.release().await;
    for call in calls {
        assert_eq!(call.await.unwrap().status, StatusCode::NO_CONTENT);
    }
    let kept = server.read_private("/v1/mismatches").await;
    let kept = kept.json["mismatches"].as_array().unwrap().iter();
    let numbers: Vec<_> = kept.map(|one| one["no"].clone()).collect();
    assert_eq!(numbers, [Value::from(2), Value::from(1)]);
}

#[tokio::test]
async fn the_same_order_that_two_servers_create_at_once_is_one_order() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let beside = server.beside().await;
    let order = json!({ "order_no": "tea-0001", "total_fen": 1990, "description": "tea" });
    let mut lock = Lock::take(&server, "LOCK TABLE orders IN SHARE MODE").await;
    let calls =
        [&server, &beside].map(|one| send(one, backend("/v1/orders", API_KEY, order.to_string())));
    lock.until_waiting(2).await;
    lock.release().await;
    let mut tokens = Vec::new();
    for call in calls {
        let answer = call.await.unwrap();
        assert!(answer.status.is_success(), "{}", answer.json);
        tokens.push(answer.string("token").to_owned());
    }
    assert_eq!(tokens[0], tokens[1]);
}

#[tokio::test]
async fn work_that_two_servers_look_for_at_once_is_done_once() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    for number in 1..=5 {
        let order = json!({
            "order_no": format!("tea-000{number}"), "total_fen": 1, "description": "tea",
        });
        let token = server.order(order).await;
        server.attempt(&token, &[("product", "native")]).await;
    }
    let beside = server.beside().await;
    server.wechat.take_sent();
    server.clock.advance_ms(MINUTE_MS);
    // Rows can be read and locked meanwhile, and not changed.
    let mut lock = Lock::take(&server, "LOCK TABLE due_work IN SHARE MODE").await;
    let [one, other] = [server.inner.clone(), beside.inner.clone()];
    let first = tokio::spawn(async move { one.run_due().await });
    lock.until_waiting(1).await;
    // The other one passes over what the first one has locked, and waits for nothing.
    other.run_due().await.unwrap();
    lock.release().await;
    first.await.unwrap().unwrap();
    let kinds = server.wechat.take_kinds();
    let queries = kinds.iter().filter(|kind| **kind == "query").count();
    assert_eq!(queries, 5, "{kinds:?}");
}

#[tokio::test]
async fn the_result_of_a_server_leaves_the_work_to_another_one_that_has_taken_it_since() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    ordered(&server).await;
    server.clock.advance_ms(MINUTE_MS);
    // The server has taken the work, and waits for the attempt that the work is about.
    let lock = "LOCK TABLE attempts IN ACCESS EXCLUSIVE MODE";
    let mut lock = Lock::take(&server, lock).await;
    let one = server.inner.clone();
    let first = tokio::spawn(async move { one.run_due().await });
    lock.until_waiting(1).await;
    // Ten seconds later the work was scheduled again, which sets its tries to zero, and another server took it.
    server.clock.advance_ms(10_000);
    let database = server.database().await;
    let taken =
        "UPDATE due_work SET set_ms = set_ms + 10000, due_ms = due_ms + 10000 WHERE tries = 1";
    let taken = sqlx::query(taken).execute(&database).await.unwrap();
    assert_eq!(taken.rows_affected(), 1);
    let leases = "SELECT set_ms, due_ms FROM due_work WHERE tries = 1";
    let read = async || {
        sqlx::query_as::<_, (i64, i64)>(leases)
            .fetch_all(&database)
            .await
    };
    let before = read().await.unwrap();
    lock.release().await;
    first.await.unwrap().unwrap();
    assert_eq!(read().await.unwrap(), before);
}

#[tokio::test]
async fn pages_of_two_servers_that_ask_at_once_cause_one_query() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let beside = server.beside().await;
    server.clock.advance_ms(MINUTE_MS);
    server.wechat.take_sent();
    let mut lock = Lock::take(&server, "SELECT 1 FROM orders FOR UPDATE").await;
    let calls = [&server, &beside].map(|one| {
        let path = format!("/v1/checkouts/{token}?ask=1");
        send(one, Request::get(path).body(Body::empty()).unwrap())
    });
    lock.until_waiting(2).await;
    lock.release().await;
    for call in calls {
        assert_eq!(call.await.unwrap().string("state"), "open");
    }
    assert_eq!(server.wechat.take_kinds(), ["query"]);
}

#[tokio::test]
async fn a_return_from_wechat_that_two_servers_get_at_once_uses_the_code_once() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let beside = server.beside().await;
    let url = authorize_url(&server, &token).await;
    let back = through_wechat(&server, &url).await;
    server.wechat.take_sent();
    let mut lock = Lock::take(&server, "SELECT 1 FROM oauth_states FOR UPDATE").await;
    let calls = [&server, &beside].map(|one| {
        let request = Request::get(&back).body(Body::empty()).unwrap();
        send(one, request)
    });
    lock.until_waiting(2).await;
    lock.release().await;
    let mut handles = Vec::new();
    for call in calls {
        handles.push(handle(&call.await.unwrap()));
    }
    assert_eq!(handles[0], handles[1]);
    assert_ne!(handles[0], merchant_api::PAYER_UNAVAILABLE_HANDLE);
    assert_eq!(server.wechat.take_kinds(), ["openid"]);
}

#[tokio::test]
async fn an_attempt_that_two_servers_start_at_once_is_one_order_at_wechat() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let beside = server.beside().await;
    server.wechat.take_sent();
    let mut lock = Lock::take(&server, "SELECT 1 FROM orders FOR UPDATE").await;
    let path = format!("/v1/checkouts/{token}/attempts");
    let calls = [&server, &beside].map(|one| send(one, form(&path, &[("product", "native")])));
    lock.until_waiting(2).await;
    lock.release().await;
    for call in calls {
        let answer = call.await.unwrap();
        assert_eq!(answer.number("attempt"), 1, "{}", answer.json);
    }
    // The second one may send the same bytes under the same number again.
    let sent = server.wechat.take_sent();
    let first = &sent.iter().find(|sent| sent.kind == "order").unwrap().body;
    for sent in &sent {
        assert_eq!((sent.kind, &sent.body), ("order", first));
    }
}

#[tokio::test]
async fn cancelling_on_one_server_and_starting_on_another_leaves_at_most_one_attempt_to_pay() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let beside = server.beside().await;
    let mut lock = Lock::take(&server, "SELECT 1 FROM orders FOR UPDATE").await;
    let address = |what: &str| format!("/v1/checkouts/{token}/{what}");
    let calls = [
        send(&server, form(&address("cancel"), &[("after", "1")])),
        // The shop's app takes the payment over: query, close, and a new number.
        send(&beside, {
            let wanted = json!({
                "product": "h5", "after": 1, "payer_client_ip": "203.0.113.7",
                "return_url": "http://127.0.0.1:8000/pay",
            });
            let path = "/v1/orders/tea-0001/attempts";
            backend(path, API_KEY, wanted.to_string())
        }),
    ];
    lock.until_waiting(2).await;
    lock.release().await;
    for call in calls {
        let answer = call.await.unwrap();
        assert!(answer.status.is_success(), "{}", answer.json);
    }
    let order = server.shown("/tea-0001").await;
    let attempts = order.json["attempts"].as_array().unwrap();
    let states: Vec<_> = attempts.iter().map(|attempt| &attempt["state"]).collect();
    assert_eq!(states, ["closed", "open"], "{}", order.json);
    assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
}

/// How often two servers are given the time to tell each other. Each time is another order.
const ROUNDS: usize = 50;

#[tokio::test]
async fn the_attempts_of_an_order_are_limited_at_all_servers_together() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open_with(
        "rate_limits = { token_per_minute = 100000, address_per_minute = 100000 }",
    )
    .await;
    let beside = server.beside().await;
    let allowed = async |at: &TestServer, token: &str| {
        let mut allowed = 0;
        let mut seen = at.checkout(token).await.number("attempt");
        loop {
            let product = ["native", "h5"][allowed % 2];
            let fields = [
                ("product", product),
                ("after", &*seen.to_string()),
                ("return_url", "http://127.0.0.1:8000/pay"),
            ];
            let request = form(&format!("/v1/checkouts/{token}/attempts"), &fields);
            let answer = at.send(request).await;
            if answer.code() == "RATE_LIMITED" {
                return allowed;
            }
            seen = answer.number("attempt");
            allowed += 1;
        }
    };
    for round in 0..ROUNDS {
        let order = json!({
            "order_no": format!("tea-1{round:03}"), "total_fen": 1, "description": "tea",
        });
        let token = server.order(order).await;
        assert_eq!(allowed(&server, &token).await, 12);
        // Twelve if nothing is told.
        if allowed(&beside, &token).await < 6 {
            return;
        }
    }
    panic!("the other server never learned what was used here");
}

#[tokio::test]
async fn the_calls_of_a_page_are_limited_at_all_servers_together() {
    if !cluster::is_used() {
        return;
    }
    let lines = "rate_limits = { token_per_minute = 240, address_per_minute = 100000 }";
    let server = TestServer::open_with(lines).await;
    let beside = server.beside().await;
    let allowed = async |at: &TestServer, token: &str| {
        let mut allowed = 0;
        while at.checkout(token).await.code() != "RATE_LIMITED" {
            allowed += 1;
        }
        allowed
    };
    for round in 0..ROUNDS {
        let order = json!({
            "order_no": format!("tea-1{round:03}"), "total_fen": 1, "description": "tea",
        });
        let token = server.order(order).await;
        assert_eq!(allowed(&server, &token).await, 240);
        // 240 if nothing is told.
        if allowed(&beside, &token).await < 180 {
            return;
        }
    }
    panic!("the other server never learned what was used here");
}

#[tokio::test]
async fn a_held_poll_is_answered_by_whichever_server_has_the_notification() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let beside = server.beside().await;
    let seen = server.checkout(&token).await.number("version");
    let path = format!("/v1/checkouts/{token}?wait=25&seen={seen}");
    let poll = send(&beside, Request::get(path).body(Body::empty()).unwrap());
    beside.clock.somebody_waits().await;
    server.pay("tea-0001").await;
    for notification in server.take_notifications() {
        server.deliver(&notification).await;
    }
    // The clock stands still, so the poll has not ended by itself.
    assert_eq!(poll.await.unwrap().string("state"), "paid");
}

#[tokio::test]
async fn a_held_poll_is_answered_although_the_word_about_the_change_was_lost() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let seen = server.checkout(&token).await.number("version");
    let path = format!("/v1/checkouts/{token}?wait=25&seen={seen}");
    let poll = send(&server, Request::get(path).body(Body::empty()).unwrap());
    server.clock.somebody_waits().await;
    // Another program changes the order and says nothing.
    sqlx::query("UPDATE orders SET version = version + 1")
        .execute(&server.database().await)
        .await
        .unwrap();
    assert_eq!(poll.await.unwrap().number("version"), seen + 1);
}
