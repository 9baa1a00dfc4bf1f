//! How often a link is used: an order holds a use, gives it back, keeps it, and never shares it.

use buyer_words::{BACK_TO_ORDER, LINK_IN_USE, LINK_USED_UP, RETRY};
use http::StatusCode;
use serde_json::json;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::{Buyer, link, order_no, orders, pay, shown, tea, token_of, uses};
use crate::cluster;
use crate::test_server::{API_KEY, MINUTE_MS, TestServer, backend, read};
use crate::webhooks::{SECRET, TARGET};

fn state(word: &str, open: u64, paid: u64) -> (String, u64, u64) {
    (word.to_owned(), open, paid)
}

#[tokio::test]
async fn an_open_order_holds_the_use_and_gives_it_back_when_it_expires_or_is_closed() {
    let server = TestServer::open().await;
    let id = link(&server, tea(&json!({ "uses_max": 1 }))).await;
    let mut first = Buyer::of(&server, &id);
    let mut second = Buyer::of(&server, &id);
    let late = second.key().await;
    let token = first.order(&[]).await;
    assert_eq!(uses(&server, &id).await, state("used_up", 1, 0));

    // Another buyer waits; the first one has the way back to the order.
    for answer in [second.open().await, second.send(&late, &[]).await] {
        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
        let page = answer.text();
        for words in [LINK_IN_USE, RETRY] {
            assert!(page.contains(words.zh_cn), "{page}");
        }
        assert!(!page.contains(BACK_TO_ORDER.zh_cn), "{page}");
    }
    let page = first.open().await.text();
    assert!(page.contains(&format!("href=\"/c/{token}\"")), "{page}");
    assert_eq!(orders(&server).await, 1);

    server.later(31 * MINUTE_MS).await;
    assert_eq!(server.checkout(&token).await.string("state"), "closed");
    assert_eq!(uses(&server, &id).await, state("active", 0, 0));
    let token = second.order(&[]).await;
    let order_no = order_no(&server, &token).await;
    let close = backend(&format!("/v1/orders/{order_no}/close"), API_KEY, "");
    assert_eq!(server.send(close).await.string("state"), "closed");
    assert_eq!(uses(&server, &id).await, state("active", 0, 0));

    let token = first.order(&[]).await;
    pay(&server, &token).await;
    assert_eq!(uses(&server, &id).await, state("used_up", 0, 1));
    let page = second.open().await;
    assert_eq!(page.status, StatusCode::GONE);
    assert!(page.text().contains(LINK_USED_UP.zh_cn), "{}", page.text());
}

#[tokio::test]
async fn a_refund_gives_no_use_back() {
    let server = TestServer::open().await;
    let id = link(&server, tea(&json!({ "uses_max": 1 }))).await;
    let token = Buyer::of(&server, &id).order(&[]).await;
    pay(&server, &token).await;
    let path = format!("/v1/orders/{}/refunds", order_no(&server, &token).await);
    let refund = json!({ "refund_no": "R-1", "amount_fen": 1990 }).to_string();
    let refunded = server.send(backend(&path, API_KEY, refund)).await;
    assert_eq!(refunded.status, StatusCode::CREATED, "{}", refunded.json);
    server.later(MINUTE_MS).await;
    assert_eq!(uses(&server, &id).await, state("used_up", 0, 1));
}

#[tokio::test]
async fn a_form_that_is_sent_again_is_one_order_in_every_state() {
    let server = TestServer::open().await;
    let given =
        json!({ "description": "tea", "max_fen": 5000, "uses_max": 2, "note_max_chars": 9 });
    let id = link(&server, given).await;
    let buyer = Buyer::of(&server, &id);
    let key = buyer.key().await;
    let fields = [("amount", "5"), ("note", "hello")];
    let mut sending = JoinSet::new();
    for _ in 0..8 {
        let (app, request) = (server.app.clone(), buyer.request(&key, &fields));
        sending.spawn(async move { read(app.oneshot(request).await.unwrap()).await });
    }
    let mut tokens: Vec<_> = sending.join_all().await.iter().map(token_of).collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    let token = tokens.remove(0);
    assert_eq!(uses(&server, &id).await, state("active", 1, 0));
    // The same amount, written in another way.
    let same = buyer
        .send(&key, &[("amount", "5.00"), ("note", " hello ")])
        .await;
    assert_eq!(token_of(&same), token);
    // A buyer who goes back and changes the form means another order.
    let other = buyer
        .send(&key, &[("amount", "6"), ("note", "hello")])
        .await;
    assert_ne!(token_of(&other), token);
    assert_eq!(uses(&server, &id).await, state("used_up", 2, 0));
    pay(&server, &token).await;
    assert_eq!(token_of(&buyer.send(&key, &fields).await), token, "paid");
    super::disable(&server, &id).await;
    assert_eq!(
        token_of(&buyer.send(&key, &fields).await),
        token,
        "disabled"
    );
    assert_eq!(orders(&server).await, 2);
}

#[tokio::test]
async fn buyers_who_come_at_once_never_share_a_use() {
    const BUYERS: usize = 20;
    let server = TestServer::open().await;
    let id = link(&server, tea(&json!({ "uses_max": 3 }))).await;
    // With PostgreSQL, two servers share the database.
    let beside = if cluster::is_used() {
        Some(server.beside().await)
    } else {
        None
    };
    let buyer = Buyer::of(&server, &id);
    // All have the form before the first one sends it: a link that is in use shows none.
    let mut requests = Vec::new();
    for _ in 0..BUYERS {
        requests.push(buyer.request(&buyer.key().await, &[]));
    }
    let mut sending = JoinSet::new();
    for (number, request) in requests.into_iter().enumerate() {
        let of = beside.as_ref().filter(|_| number % 2 == 0);
        let app = of.unwrap_or(&server).app.clone();
        sending.spawn(async move { read(app.oneshot(request).await.unwrap()).await });
    }
    let answers = sending.join_all().await;
    let count = |status: StatusCode| {
        let found = answers.iter().filter(|answer| answer.status == status);
        found.count()
    };
    assert_eq!(count(StatusCode::SEE_OTHER), 3);
    assert_eq!(count(StatusCode::CONFLICT), BUYERS - 3);
    assert_eq!(uses(&server, &id).await, state("used_up", 3, 0));
    assert_eq!(orders(&server).await, 3);
}

#[tokio::test]
async fn a_late_payment_whose_use_another_order_has_is_refunded() {
    let target = format!("[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\n");
    let server = TestServer::open_with_end(&target).await;
    let id = link(&server, tea(&json!({ "uses_max": 1 }))).await;
    let late = Buyer::of(&server, &id).order(&[]).await;
    server.attempt(&late, &[("product", "native")]).await;
    server.later(31 * MINUTE_MS).await;
    assert_eq!(server.checkout(&late).await.string("state"), "closed");
    let token = Buyer::of(&server, &id).order(&[]).await;
    pay(&server, &token).await;

    let number = order_no(&server, &late).await;
    server.pay_late(&number).await;
    let notifications = server.take_notifications();
    for notification in notifications.iter().chain(&notifications) {
        let answer = server.deliver(notification).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    server.later(0).await;
    // The simulator gives a refund its result after three seconds.
    server.clock.advance_ms(3_000);
    server.simulator.run_due().await;
    for notification in server.take_notifications() {
        server.deliver_to(notification.path(), &notification).await;
    }
    server.later(60 * MINUTE_MS).await;
    let order = server.shown(&format!("/{number}")).await;
    assert_eq!(order.string("state"), "closed", "{}", order.json);
    assert_eq!(order.json["attempts"][0]["state"], "surplus");
    assert_eq!(
        order.json["refunds"][0]["origin"], "surplus",
        "{}",
        order.json
    );
    assert_eq!(order.json["refunds"][0]["amount_fen"], 1990);
    assert_eq!(
        order.json["refunds"][0]["state"], "succeeded",
        "{}",
        order.json
    );
    assert_eq!(uses(&server, &id).await, state("used_up", 0, 1));
    let messages = server.backend.take();
    let of_late = messages.iter().map(crate::inbox::Message::json);
    let mut of_late: Vec<_> = of_late
        .filter(|message| message["data"]["order_no"] == *number)
        .map(|message| message["type"].as_str().unwrap().to_owned())
        .collect();
    of_late.sort();
    assert_eq!(
        of_late,
        ["order.closed", "payment.surplus", "refund.succeeded"]
    );
}

#[tokio::test]
async fn a_late_payment_takes_the_use_again_where_it_is_still_there() {
    let server = TestServer::open().await;
    for given in [json!({ "uses_max": 1 }), json!({})] {
        let id = link(&server, tea(&given)).await;
        let late = Buyer::of(&server, &id).order(&[]).await;
        server.attempt(&late, &[("product", "native")]).await;
        server.later(31 * MINUTE_MS).await;
        server.pay_late(&order_no(&server, &late).await).await;
        for notification in server.take_notifications() {
            server.deliver(&notification).await;
        }
        assert_eq!(server.checkout(&late).await.string("state"), "paid");
        assert_eq!(shown(&server, &id).await.number("uses_paid"), 1);
    }
}

#[tokio::test]
async fn an_order_ends_with_its_link_and_has_a_minute_at_least() {
    let server = TestServer::open().await;
    let given = tea(&json!({ "expires_at": "2026-11-21T09:30:00Z" }));
    let id = link(&server, given).await;
    for (after_ms, remaining_ms) in [(0, 10 * MINUTE_MS), (9 * MINUTE_MS + 30_000, MINUTE_MS)] {
        server.clock.advance_ms(after_ms);
        let token = Buyer::of(&server, &id).order(&[]).await;
        let checkout = server.checkout(&token).await;
        assert_eq!(checkout.number("remaining_ms"), remaining_ms);
    }
    server.clock.advance_ms(30_000);
    let page = Buyer::of(&server, &id).open().await;
    assert_eq!(page.status, StatusCode::GONE);
}
