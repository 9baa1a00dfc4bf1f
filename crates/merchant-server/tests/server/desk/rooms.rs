//! Bills, keys and the list for going live.

use std::sync::Arc;

use http::StatusCode;
use tokio::sync::Notify;

use super::{LOOK_KEY, Person, paid_order, server};
use crate::bills::{DAY, HOUR_MS, the_next_morning};
use crate::fault_injector::Fault;
use crate::test_server::{START_MS, payment_notification, transaction};

#[tokio::test]
async fn a_days_bill_is_compared_and_its_differences_are_listed() {
    let server = server("").await;
    paid_order(&server).await;
    // WeChat's signature, and yet no line of the bill.
    let stray = payment_notification("N1", &transaction("unmatched-0001", 7), START_MS);
    server.deliver(&stray).await;
    the_next_morning(&server);
    let person = Person::with(&server, LOOK_KEY).await;
    let days = person.page("/desk/bills").await;
    assert!(days.contains(&format!("/desk/bills/{DAY}")), "{days}");
    let page = person.page(&format!("/desk/bills/{DAY}")).await;
    for part in ["CN¥19.90</span> · 1", "The bill and the ledger agree"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let pool = server.database().await;
    sqlx::query("UPDATE orders SET total_fen = 1991")
        .execute(&pool)
        .await
        .unwrap();
    let page = person.page(&format!("/desk/bills/{DAY}")).await;
    for part in ["payment_amount", "tea-0001", "1991", "1990"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[tokio::test]
async fn a_day_that_is_none_and_a_bill_that_does_not_come_are_refused_with_the_reason() {
    let server = server("").await;
    let person = Person::with(&server, LOOK_KEY).await;
    for path in [
        "/desk/bills/today",
        "/desk/bills/2026-11-31",
        "/desk/bills?day=x",
        "/desk/bills?x=1",
    ] {
        let refused = person.get(path).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
    }
    the_next_morning(&server);
    server.clock.advance_ms(HOUR_MS);
    server.wechat.inject("bill", Fault::NotSent);
    let person = Person::with(&server, LOOK_KEY).await;
    let refused = person.get(&format!("/desk/bills/{DAY}")).await;
    assert_eq!(
        refused.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        refused.text()
    );
    assert!(
        refused.text().contains("WECHAT_UNAVAILABLE"),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn the_keys_are_listed_with_their_ends() {
    let server = server("").await;
    let person = Person::with(&server, LOOK_KEY).await;
    let page = person.page("/desk/keys").await;
    for part in ["Merchant certificate", "WeChat Pay public key", " days"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[tokio::test]
async fn the_list_for_going_live_has_each_point_in_green_or_red_and_asks_wechat_only_when_told() {
    let server = server("").await;
    let person = Person::with(&server, LOOK_KEY).await;
    server.wechat.take_sent();
    let page = person.page("/desk/checklist").await;
    for part in [
        "No money moves",
        "The database takes writes",
        "✓ right",
        "✕ wrong",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(server.wechat.take_kinds(), [""; 0]);
    let asked = person.post("/desk/checklist", &[]).await;
    assert_eq!(asked.status, StatusCode::OK);
    let text = asked.text();
    for part in ["merchant.private_key", "merchant.api_v3_key"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!server.wechat.take_sent().is_empty());
}

#[tokio::test]
async fn a_check_that_gets_no_answer_is_a_point_of_the_list_and_the_page_is_there() {
    let server = server("").await;
    let person = Person::with(&server, LOOK_KEY).await;
    let reached = Arc::new(Notify::new());
    server.wechat.cut(1, false, reached.clone());
    let (asked, ()) = tokio::join!(person.post("/desk/checklist", &[]), async {
        reached.notified().await;
        server.clock.advance_ms(20_000);
    });
    assert_eq!(asked.status, StatusCode::OK);
    assert!(
        asked.text().contains("Not finished in 20 seconds"),
        "{}",
        asked.text()
    );
}

#[tokio::test]
async fn a_bill_that_does_not_come_does_not_hold_the_page() {
    let server = server("").await;
    the_next_morning(&server);
    let person = Person::with(&server, LOOK_KEY).await;
    let reached = Arc::new(Notify::new());
    server.wechat.cut(1, false, reached.clone());
    let path = format!("/desk/bills/{DAY}");
    let (late, ()) = tokio::join!(person.get(&path), async {
        reached.notified().await;
        server.clock.advance_ms(60_000);
    });
    assert_eq!(late.status, StatusCode::GATEWAY_TIMEOUT);
}
