//! The overview: what was paid, by scene, day and hour, and how far orders got.

use serde_json::json;

use super::{LOOK_KEY, Person, REFUND_KEY, paid_order, server};
use crate::bills::HOUR_MS;
use crate::test_server::MINUTE_MS;

#[tokio::test]
async fn an_empty_ledger_has_an_overview_too() {
    let server = server("").await;
    let page = Person::with(&server, LOOK_KEY).await.page("/desk").await;
    for part in ["CN¥0.00", "No payment yet", "are not counted"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[tokio::test]
async fn todays_takings_and_the_conversion_are_those_of_the_ledger() {
    let server = server("").await;
    paid_order(&server).await;
    // One order that nobody pays, and one whose payment begins.
    for order_no in ["tea-0002", "tea-0003"] {
        let order = json!({ "order_no": order_no, "total_fen": 5, "description": "tea" });
        let token = server.order(order).await;
        if order_no == "tea-0003" {
            server.attempt(&token, &[("product", "native")]).await;
        }
    }
    let person = Person::with(&server, REFUND_KEY).await;
    let fields = person.refund_fields("tea-0001", "3.33", "").await;
    let form = [("refund_no", &*fields[0]), ("amount_fen", &*fields[1])];
    person.post("/desk/orders/tea-0001/refunds", &form).await;
    server.decide(&fields[0], "success").await;
    for notification in server.take_notifications() {
        server.deliver_to(notification.path(), &notification).await;
    }
    let page = person.page("/desk").await;
    for part in [
        "<p class=\"large\"><span class=\"money\">CN¥19.90</span>",
        "CN¥3.33</span> · 1",
        "<dt>Created</dt><dd>3</dd>",
        "<dt>Payment begun</dt><dd>2 <span class=\"quiet\">66.6 %</span>",
        "<dt>Paid</dt><dd>1 <span class=\"quiet\">33.3 %</span>",
        "<dt>Never shown</dt><dd>1 ",
        "<dt>Shown, payment never begun</dt><dd>0 ",
        "<dt>Waiting for the buyer</dt><dd>1 ",
        "role=\"img\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // The table beside the plot has the same: 17:20 in Shanghai on the 21st.
    let row = |heading: &str, name: &str| {
        let (_, rest) = page
            .split_once(&format!("<td data-label=\"{heading}\"><div>{name}</div>"))
            .unwrap_or_else(|| panic!("{name}: {page}"));
        rest.split_once("</tr>")
            .unwrap()
            .0
            .contains("CN¥19.90</span> · 1")
    };
    assert!(row("Day", "11-21") && !row("Day", "11-20"));
    assert!(row("Hour", "17") && !row("Hour", "09"));
}

#[tokio::test]
async fn a_payment_is_of_yesterday_after_midnight_in_shanghai() {
    let server = server("").await;
    paid_order(&server).await;
    server.clock.advance_ms(7 * HOUR_MS);
    let person = Person::with(&server, LOOK_KEY).await;
    let page = person.page("/desk").await;
    assert!(
        page.contains("<p class=\"large\"><span class=\"money\">CN¥0.00"),
        "{page}"
    );
    assert!(page.contains("<div>11-22</div>"), "{page}");
    server.clock.advance_ms(30 * 24 * HOUR_MS);
    let person = Person::with(&server, LOOK_KEY).await;
    let page = person.page("/desk").await;
    assert!(page.contains("No payment yet"), "{page}");
}

#[tokio::test]
async fn an_order_is_shown_once_and_a_page_that_is_refused_is_counted_with_its_sentence() {
    let server = server("").await;
    let order = |order_no| json!({ "order_no": order_no, "total_fen": 5, "description": "tea" });
    let seen = server.order(order("tea-0001")).await;
    let refused = server.order(order("tea-0002")).await;
    server.order(order("tea-0003")).await;
    for _ in 0..2 {
        server.checkout(&seen).await;
        server.later(MINUTE_MS).await;
    }
    server.checkout(&refused).await;
    for _ in 0..2 {
        let answer = server.attempt(&refused, &[("product", "jsapi")]).await;
        assert_eq!(answer.json["error"]["code"], "RETURN_URL_REFUSED");
    }
    server.later(0).await;
    let person = Person::with(&server, LOOK_KEY).await;
    let page = person.page("/desk").await;
    for part in [
        "<dt>Created</dt><dd>3</dd>",
        "<dt>Shown to a buyer</dt><dd>2 ",
        "<dt>Payment begun</dt><dd>0 ",
        "<dt>Never shown</dt><dd>1 ",
        "<dt>Shown, payment never begun</dt><dd>2 ",
        "<code>RETURN_URL_REFUSED</code>",
        "<td data-label=\"Times\"><div>2</div>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let story = person.page("/desk/orders/tea-0001").await;
    assert_eq!(
        story.matches("A page showed the order to a buyer").count(),
        1
    );
    assert!(
        !person
            .page("/desk/orders/tea-0003")
            .await
            .contains("A page showed")
    );
    // The figures of a month end with it.
    server.clock.advance_ms(31 * 24 * HOUR_MS);
    let page = Person::with(&server, LOOK_KEY).await.page("/desk").await;
    assert!(!page.contains("RETURN_URL_REFUSED"), "{page}");
}
