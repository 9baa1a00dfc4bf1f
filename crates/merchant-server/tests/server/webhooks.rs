//! Webhooks to the merchant's backend: signed, one for each change, sent until accepted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use http::{Request, StatusCode};
use merchant_server::{HttpTransport, WechatTransport as _};
use serde_json::json;
use tokio::net::TcpListener;

use crate::test_server::{MINUTE_MS, TestServer, configuration, payment_notification, transaction};

pub(crate) const TARGET: &str = "http://127.0.0.1:7000/hooks";
pub(crate) const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

async fn server() -> TestServer {
    let target = format!("[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\n");
    TestServer::open_with_end(&target).await
}

/// `tea-0001` is ordered by code and paid; the notification is delivered.
async fn buy_tea(server: &TestServer) {
    let token = server
        .order(json!({
            "order_no": "tea-0001", "total_fen": 1990, "description": "tea", "attach": "cart 7",
        }))
        .await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    let notification = &server.take_notifications()[0];
    for _ in 0..2 {
        let answer = server.deliver(notification).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn a_payment_is_one_webhook_that_a_foreign_library_verifies() {
    let server = server().await;
    buy_tea(&server).await;
    assert_eq!(server.backend.take().len(), 0, "WeChat is answered first");
    server.later(0).await;
    server.later(MINUTE_MS).await;
    let messages = server.backend.take();
    let [message] = &*messages else {
        panic!("{messages:?}")
    };
    assert_eq!(message.url, TARGET);
    let body = message.json();
    assert_eq!(body["type"], "payment.succeeded");
    assert_eq!(body["timestamp"], "2026-11-21T09:20:00Z");
    assert_eq!(body["data"]["order_no"], "tea-0001");
    assert_eq!(body["data"]["total_fen"], 1990);
    assert_eq!(body["data"]["attach"], "cart 7");
    assert!(body["data"]["transaction_id"].is_string(), "{body}");

    let foreign = standardwebhooks::Webhook::new(SECRET).unwrap();
    let expected = foreign.sign(
        message.header("webhook-id"),
        message.header("webhook-timestamp").parse().unwrap(),
        &message.body,
    );
    assert_eq!(message.header("webhook-signature"), expected.unwrap());
}

#[tokio::test]
async fn during_a_rotation_both_secrets_verify_a_message() {
    const NEW: &str = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";
    let target = format!(
        "[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\nother_secret = \"{NEW}\"\n"
    );
    let server = TestServer::open_with_end(&target).await;
    buy_tea(&server).await;
    server.later(0).await;
    let message = server.backend.take().remove(0);
    let signatures = message.header("webhook-signature").to_owned();
    let signatures: Vec<_> = signatures.split(' ').collect();
    assert_eq!(signatures.len(), 2, "{signatures:?}");
    for (secret, signature) in [SECRET, NEW].into_iter().zip(signatures) {
        let foreign = standardwebhooks::Webhook::new(secret).unwrap();
        let expected = foreign.sign(
            message.header("webhook-id"),
            message.header("webhook-timestamp").parse().unwrap(),
            &message.body,
        );
        assert_eq!(signature, expected.unwrap());
    }
}

#[tokio::test]
async fn each_change_has_its_event_type() {
    let server = server().await;
    server.default_order().await;
    let at_ms = crate::test_server::START_MS;
    server
        .deliver(&payment_notification(
            "N1",
            &transaction("unmatched-0001", 1),
            at_ms,
        ))
        .await;
    server.later(31 * MINUTE_MS).await;
    let messages = server.backend.take();
    let mut types: Vec<_> = messages.iter().map(|m| m.json()["type"].clone()).collect();
    types.sort_by_key(ToString::to_string);
    assert_eq!(types, ["order.closed", "payment.mismatch"]);
}

#[tokio::test]
async fn an_undelivered_message_is_retried_at_growing_intervals_with_the_same_id() {
    let server = server().await;
    server.backend.answer(StatusCode::INTERNAL_SERVER_ERROR);
    buy_tea(&server).await;
    server.later(0).await;
    let first = server.backend.take().remove(0);
    server.later(4_999).await;
    assert_eq!(server.backend.take().len(), 0);
    server.later(1).await;
    let second = server.backend.take().remove(0);
    assert_eq!(second.header("webhook-id"), first.header("webhook-id"));
    assert_eq!(second.body, first.body);
    assert_ne!(
        second.header("webhook-signature"),
        first.header("webhook-signature"),
        "each try has its own time"
    );
    server.backend.answer(StatusCode::OK);
    server.later(5 * MINUTE_MS).await;
    assert_eq!(server.backend.take().len(), 1);
    server.later(60 * MINUTE_MS).await;
    assert_eq!(server.backend.take().len(), 0);
    let list = server.read_private("/v1/webhooks").await;
    let shown = &list.json["webhooks"][0];
    assert_eq!(shown["id"], first.header("webhook-id"));
    assert_eq!(shown["state"], "delivered");
    assert_eq!(shown["tries"], 3);
}

#[tokio::test]
async fn a_failed_message_is_listed_and_can_be_sent_again() {
    let server = server().await;
    server.backend.answer(StatusCode::BAD_GATEWAY);
    buy_tea(&server).await;
    for _ in 0..10 {
        server.later(24 * 60 * MINUTE_MS).await;
    }
    assert_eq!(server.backend.take().len(), 10);
    let list = server.read_private("/v1/webhooks").await;
    let shown = &list.json["webhooks"][0];
    assert_eq!(shown["state"], "failed");
    assert_eq!(shown["last_outcome"], "answered 502");

    server.backend.answer(StatusCode::OK);
    let path = format!("/v1/webhooks/{}/resend", shown["id"].as_str().unwrap());
    let again = server.call("POST", &path).await;
    assert_eq!(again.string("state"), "pending");
    server.later(0).await;
    assert_eq!(server.backend.take().len(), 1);
    let unknown = server.call("POST", "/v1/webhooks/msg_0/resend").await;
    assert_eq!(unknown.code(), "WEBHOOK_UNKNOWN");
}

/// Every message in the list, newest first, over all pages.
pub(crate) async fn all_pages(server: &TestServer, query: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut before = String::new();
    loop {
        let path = format!("/v1/webhooks?limit=90{query}{before}");
        let page = server.read_private(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.json);
        let webhooks = page.json["webhooks"].as_array().unwrap();
        ids.extend(
            webhooks
                .iter()
                .map(|shown| shown["id"].as_str().unwrap().to_owned()),
        );
        match page.json["next_before"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return ids,
        }
    }
}

/// Creates an order and closes it at once, which makes one message.
pub(crate) async fn close(server: &TestServer, number: usize) {
    let order_no = format!("tea-{number:04}");
    server
        .order(json!({ "order_no": order_no, "total_fen": 1, "description": "tea" }))
        .await;
    let path = format!("/v1/orders/{order_no}/close");
    let closed = server.call("POST", &path).await;
    assert_eq!(closed.status, StatusCode::OK, "{}", closed.json);
}

/// Creates orders and closes them at once, so that each order makes one message.
async fn close_many(server: &TestServer, count: usize) {
    for number in 0..count {
        close(server, number).await;
        // Several messages have the same time, and a page may end among them.
        if number % 3 == 0 {
            server.clock.advance_ms(1);
        }
    }
}

#[tokio::test]
async fn the_oldest_of_many_messages_is_found_and_all_that_failed_are_sent_again() {
    let server = server().await;
    close_many(&server, 215).await;
    let ids = all_pages(&server, "").await;
    assert_eq!(ids.len(), 215);
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 215, "none twice");

    server.backend.answer(StatusCode::BAD_GATEWAY);
    for _ in 0..10 {
        server.later(24 * 60 * MINUTE_MS).await;
    }
    server.backend.take();
    server.backend.answer(StatusCode::OK);
    assert_eq!(all_pages(&server, "&state=failed").await, ids);
    assert_eq!(
        all_pages(&server, "&state=failed&type=order.closed").await,
        ids
    );
    assert_eq!(all_pages(&server, "&type=payment.succeeded").await.len(), 0);

    let none = server
        .call("POST", "/v1/webhooks/resend?state=unaddressed")
        .await;
    assert_eq!(none.json, json!({ "resent": 0 }));
    let path = "/v1/webhooks/resend?state=failed&type=refund.closed";
    assert_eq!(server.call("POST", path).await.json["resent"], 0);
    let again = server
        .call("POST", "/v1/webhooks/resend?state=failed")
        .await;
    assert_eq!(again.json, json!({ "resent": 215 }));
    server.later(0).await;
    let mut sent: Vec<_> = server
        .backend
        .take()
        .iter()
        .map(|message| message.header("webhook-id").to_owned())
        .collect();
    sent.sort();
    assert_eq!(sent, unique);
    assert_eq!(all_pages(&server, "&state=delivered").await.len(), 215);
}

#[tokio::test]
async fn an_invalid_message_query_is_refused_with_the_name_of_the_parameter() {
    let server = server().await;
    for (method, path, field) in [
        ("GET", "/v1/webhooks?stat=failed", "stat"),
        ("GET", "/v1/webhooks?state=lost", "state"),
        ("GET", "/v1/webhooks?type=payment.paid", "type"),
        ("GET", "/v1/webhooks?limit=201", "limit"),
        ("GET", "/v1/webhooks?before=msg_0", "before"),
        ("POST", "/v1/webhooks/resend", "state"),
        ("POST", "/v1/webhooks/resend?state=delivered", "state"),
        ("POST", "/v1/webhooks/resend?state=failed&limit=1", "limit"),
    ] {
        let refused = server.call(method, path).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(refused.json["error"]["field"], field, "{path}");
    }
}

/// Messages without a target have not failed; they are kept for a later target.
#[tokio::test]
async fn a_message_without_a_target_is_kept_and_can_be_resent_once_there_is_one() {
    let server = TestServer::open().await;
    buy_tea(&server).await;
    server.later(0).await;
    let list = server.read_private("/v1/webhooks?state=unaddressed").await;
    let shown = &list.json["webhooks"][0];
    assert_eq!(shown["type"], "payment.succeeded");
    assert_eq!(shown["last_outcome"], "no target is configured");
    let text = server.read_private("/metrics").await.text();
    assert!(
        text.contains("merchant_server_webhooks{state=\"unaddressed\"} 1"),
        "{text}"
    );
    assert!(!text.contains("{state=\"failed\"}"), "{text}");
    assert_eq!(server.inner.next_due_ms().await.unwrap(), None);

    let target = format!("[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\n");
    let server = server.restart_with(&(configuration("") + &target)).await;
    let again = server
        .call("POST", "/v1/webhooks/resend?state=unaddressed")
        .await;
    assert_eq!(again.json, json!({ "resent": 1 }));
    server.later(0).await;
    assert_eq!(server.backend.take().len(), 1);
    let list = server.read_private("/v1/webhooks?state=delivered").await;
    assert_eq!(list.json["webhooks"][0]["id"], shown["id"]);
}

#[tokio::test]
async fn a_foreign_library_verifies_a_message_and_refuses_a_changed_one() {
    // The library compares the time of the message with the machine's own clock.
    let target = format!("[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\n");
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let server = TestServer::open_at(now_ms, &(configuration("") + &target)).await;
    server.default_order().await;
    let closed = server.call("POST", "/v1/orders/tea-0001/close").await;
    assert_eq!(closed.status, StatusCode::OK, "{}", closed.json);
    server.later(0).await;
    let message = server.backend.take().remove(0);
    let foreign = standardwebhooks::Webhook::new(SECRET).unwrap();
    foreign.verify(&message.body, &message.headers).unwrap();
    let mut changed = message.body.to_vec();
    changed[10] ^= 1;
    assert!(foreign.verify(&changed, &message.headers).is_err());
    let other =
        standardwebhooks::Webhook::new("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZQ==");
    assert!(
        other
            .unwrap()
            .verify(&message.body, &message.headers)
            .is_err()
    );
}

#[tokio::test]
async fn a_targets_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = elsewhere.local_addr().unwrap();
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = visits.clone();
    let inside = Router::new().fallback(move || async move {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    tokio::spawn(async move { axum::serve(elsewhere, inside).await });
    for status in [301, 302, 303, 307, 308] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let location = format!("http://{address}/admin");
        let target_routes = Router::new().fallback(move || async move {
            (
                StatusCode::from_u16(status).unwrap(),
                [("location", location)],
            )
        });
        tokio::spawn(async move { axum::serve(listener, target_routes).await });
        let request = Request::post(format!("http://{target}/hooks"))
            .body(bytes::Bytes::from_static(b"{}"))
            .unwrap();
        let answer = HttpTransport::new(true)
            .unwrap()
            .call(request)
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), status);
    }
    assert_eq!(visits.load(Ordering::Relaxed), 0);
}
