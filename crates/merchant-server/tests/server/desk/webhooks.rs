//! The messages to the merchant's backend: their health, and sending one again.

use http::StatusCode;

use super::{Person, SETTLE_KEY, location, paid_order, server};
use crate::test_server::{MINUTE_MS, TestServer};
use crate::webhooks::{SECRET, TARGET};

async fn with_target() -> TestServer {
    server(&format!(
        "[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\n"
    ))
    .await
}

#[tokio::test]
async fn a_message_is_sent_again_once_however_often_the_form_is_sent() {
    let server = with_target().await;
    paid_order(&server).await;
    server.later(0).await;
    assert_eq!(server.backend.take().len(), 1);
    let person = Person::with(&server, SETTLE_KEY).await;
    let page = person.page("/desk/webhooks?state=delivered").await;
    assert!(page.contains("payment.succeeded"), "{page}");
    let (_, rest) = page.split_once("action=\"/desk/webhooks/").unwrap();
    let path = format!("/desk/webhooks/{}", rest.split_once('"').unwrap().0);
    assert_eq!(super::hidden(&page, "tries"), "1");
    let form = [("tries", "1"), ("to", "list")];
    for _ in 0..2 {
        let sent = person.post(&path, &form).await;
        assert_eq!(location(&sent), "/desk/webhooks?said=resent");
    }
    server.later(0).await;
    assert_eq!(server.backend.take().len(), 1);
    let replayed = person.post(&path, &form).await;
    assert_eq!(location(&replayed), "/desk/webhooks?said=repeated");
    server.later(MINUTE_MS).await;
    assert_eq!(server.backend.take().len(), 0);
    let form = [("tries", "2"), ("to", "order")];
    let sent = person.post(&path, &form).await;
    assert_eq!(location(&sent), "/desk/orders/tea-0001?said=resent");
    server.later(0).await;
    assert_eq!(server.backend.take().len(), 1);
}

#[tokio::test]
async fn the_health_of_the_target_is_shown_with_the_last_result() {
    let server = with_target().await;
    paid_order(&server).await;
    server.backend.answer(StatusCode::INTERNAL_SERVER_ERROR);
    server.later(0).await;
    let person = Person::with(&server, SETTLE_KEY).await;
    let page = person.page("/desk/webhooks").await;
    for part in [
        "127.0.0.1:7000/hooks",
        "pending</span> 1",
        "failed</span> 0",
        "500",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[tokio::test]
async fn a_message_that_is_not_there_and_a_filter_that_is_not_valid_are_refused() {
    let server = with_target().await;
    let person = Person::with(&server, SETTLE_KEY).await;
    let unknown = person
        .post("/desk/webhooks/msg_0/resend", &[("tries", "0")])
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let without = person.post("/desk/webhooks/msg_0/resend", &[]).await;
    assert!(
        without.text().contains("tries must be"),
        "{}",
        without.text()
    );
    for query in ["state=lost", "before=msg_0", "x=1"] {
        let refused = person.get(&format!("/desk/webhooks?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
}
