//! The list of orders, and the page that tells an order's story.

use http::StatusCode;
use serde_json::json;

use super::{LOOK_KEY, Person, REFUND_KEY, paid_order, server};
use crate::cluster;
use crate::test_server::{MINUTE_MS, TestServer};
use crate::webhooks::{SECRET, TARGET};

/// The numbers of the orders in a list, in their order.
fn listed(page: &str) -> Vec<String> {
    let links = page.split("href=\"/desk/orders/").skip(1);
    links
        .map(|rest| rest.split_once('"').unwrap().0.to_owned())
        .collect()
}

async fn open_order(server: &TestServer, order_no: &str) {
    let order = json!({ "order_no": order_no, "total_fen": 5, "description": "tea" });
    server.order(order).await;
}

#[tokio::test]
async fn orders_are_found_by_number_state_scene_and_day() {
    let server = server("").await;
    paid_order(&server).await;
    open_order(&server, "tea-0002").await;
    open_order(&server, "cup-0001").await;
    let transaction = server.order_at_wechat("tea-0001")["transaction_id"].clone();
    let person = Person::with(&server, LOOK_KEY).await;
    let by_transaction = format!("search={}", transaction.as_str().unwrap());
    for (query, expected) in [
        ("", vec!["cup-0001", "tea-0002", "tea-0001"]),
        ("search=tea", vec!["tea-0002", "tea-0001"]),
        ("search=tea-0001", vec!["tea-0001"]),
        ("search=+tea-0001+", vec!["tea-0001"]),
        (&by_transaction, vec!["tea-0001"]),
        ("search=42", vec![]),
        ("search=TEA", vec![]),
        ("state=paid", vec!["tea-0001"]),
        ("state=open&search=tea", vec!["tea-0002"]),
        ("scene=native", vec!["tea-0001"]),
        ("scene=jsapi", vec![]),
        ("day=2026-11-21", vec!["cup-0001", "tea-0002", "tea-0001"]),
        ("day=2026-11-20", vec![]),
        (
            "search=&state=&scene=&day=",
            vec!["cup-0001", "tea-0002", "tea-0001"],
        ),
    ] {
        let page = person.page(&format!("/desk/orders?{query}")).await;
        assert_eq!(listed(&page), expected, "{query}");
    }
}

#[tokio::test]
async fn a_second_attempt_is_found_by_its_own_number_at_wechat() {
    let server = server("").await;
    let token = server.default_order().await;
    for after in ["0", "1"] {
        let fields = [("product", "native"), ("after", after)];
        server.attempt(&token, &fields).await;
        server.clock.advance_ms(60 * MINUTE_MS);
    }
    let attempts = server.shown("/tea-0001").await.json["attempts"].clone();
    let person = Person::with(&server, LOOK_KEY).await;
    for attempt in attempts.as_array().unwrap() {
        let number = attempt["out_trade_no"].as_str().unwrap();
        let page = person.page(&format!("/desk/orders?search={number}")).await;
        assert_eq!(listed(&page), ["tea-0001"], "{number}");
    }
}

#[tokio::test]
async fn a_filter_that_is_not_valid_is_refused_with_its_rule() {
    let server = server("").await;
    let person = Person::with(&server, LOOK_KEY).await;
    for (query, rule) in [
        ("state=lost", "state must be open, paid or closed"),
        ("scene=palm", "scene must be one of the products"),
        ("day=2026-11-31", "day must be a day in Asia/Shanghai"),
        ("day=today", "day must be a day in Asia/Shanghai"),
        ("search=%25", "search must be 1 to 64 characters"),
        ("search=%00", "search must be 1 to 64 characters"),
        ("before=tea-9999", "before names no order"),
        ("colour=red", "colour is not a filter of this list"),
        ("state=paid&state=open", "state must not come twice"),
    ] {
        let refused = person.get(&format!("/desk/orders?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(refused.text().contains(rule), "{query}: {}", refused.text());
    }
}

#[tokio::test]
async fn a_page_of_orders_is_not_moved_by_new_ones() {
    let server = server("").await;
    for number in 0..55 {
        open_order(&server, &format!("tea-{number:04}")).await;
    }
    let person = Person::with(&server, LOOK_KEY).await;
    let first = person.page("/desk/orders?search=tea").await;
    assert_eq!(listed(&first).len(), 50);
    let (_, next) = first.split_once("rel=\"next\" href=\"").unwrap();
    let next = next.split_once('"').unwrap().0.replace("&amp;", "&");
    assert_eq!(next, "/desk/orders?search=tea&before=tea-0005");
    let before = listed(&person.page(&next).await);
    open_order(&server, "tea-9999").await;
    let after = listed(&person.page(&next).await);
    assert_eq!(before, after);
    assert_eq!(
        after,
        ["tea-0004", "tea-0003", "tea-0002", "tea-0001", "tea-0000"]
    );
}

#[tokio::test]
async fn the_page_of_an_order_tells_its_whole_story_in_its_order() {
    let server = server(&format!(
        "[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\n"
    ))
    .await;
    paid_order(&server).await;
    server.later(MINUTE_MS).await;
    let person = Person::with(&server, REFUND_KEY).await;
    let fields = person.refund_fields("tea-0001", "3.33", "cold").await;
    let [refund_no, amount_fen, reason] = fields.each_ref().map(String::as_str);
    let fields = [
        ("refund_no", refund_no),
        ("amount_fen", amount_fen),
        ("reason", reason),
    ];
    person.post("/desk/orders/tea-0001/refunds", &fields).await;
    server.decide(refund_no, "success").await;
    for notification in server.take_notifications() {
        server.deliver_to(notification.path(), &notification).await;
    }
    server.later(MINUTE_MS).await;
    let page = person.page("/desk/orders/tea-0001").await;
    let (_, story) = page.split_once("<ol class=\"timeline\">").unwrap();
    let transaction = server.order_at_wechat("tea-0001")["transaction_id"].clone();
    for part in [
        "Order created",
        "QR code (Native)",
        "WeChat accepted the attempt",
        "TRANSACTION.SUCCESS",
        transaction.as_str().unwrap(),
        "payment.succeeded",
        "delivered",
        "CN¥3.33",
        refund_no,
        "cold",
        "by the merchant",
        "REFUND.SUCCESS",
        "succeeded",
        "refund.succeeded",
        "cashier",
    ] {
        assert!(story.contains(part), "{part} in {story}");
    }
    let times: Vec<_> = story
        .split("<time>")
        .skip(1)
        .map(|rest| rest.split_once('<').unwrap().0)
        .collect();
    assert!(times.is_sorted() && times.len() >= 10, "{times:?}");
    assert!(times[0].starts_with("2026-11-21 17:20:00"), "{times:?}");
    assert!(!page.contains("oSecretOpenId"), "no openid is shown");
}

#[tokio::test]
async fn an_order_that_is_not_there_is_refused_as_unknown() {
    let server = server("").await;
    let person = Person::with(&server, LOOK_KEY).await;
    for order_no in ["tea-9999", "%00", "%FF", "..%2F..", "<b>"] {
        let refused = person
            .get(&format!(
                "/desk/orders/{}",
                order_no.replace('<', "%3C").replace('>', "%3E")
            ))
            .await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{order_no}");
        assert!(refused.text().contains("ORDER_UNKNOWN"), "{order_no}");
    }
}

#[tokio::test]
async fn text_from_outside_is_never_markup() {
    const MARKUP: &str = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>";
    let server = server("").await;
    let order = json!({
        "order_no": "a|b*c-_1", "total_fen": 1990, "description": MARKUP, "attach": MARKUP,
    });
    server.order(order).await;
    let fields = [
        "UPDATE orders SET state = 'paid', success_time = $1, sub_mchid = $1",
        "INSERT INTO kept_notifications (id, event_type, reason, field, out_trade_no, resource,
                                         received_ms, query_answer, no)
         VALUES ('n', $1, $1, $1, $1, $1, 1, $1, 1)",
        "INSERT INTO webhooks (id, event_type, body, created_ms, state, last_outcome)
         VALUES ('msg_1', $1, '{}', 1, 'failed', $1)",
        "INSERT INTO desk_actions (merchant, at_ms, key_name, action, order_no, subject, outcome)
         VALUES (1, 1, $1, $1, $1, $1, $1)",
        "INSERT INTO attempts (order_id, number, product, out_trade_no, appid, body, state,
                               created_ms, return_handle, transaction_id, bank_type, success_time)
         SELECT id, 1, 'native', 'a|b*c-_1', 'wx', '{}', 'paid', 1, 'h', '42', $1, $1 FROM orders",
        "INSERT INTO refunds (out_refund_no, order_id, attempt, out_trade_no, origin, amount_fen,
                              reason, state, created_ms, state_ms, user_received_account,
                              wechat_message)
         SELECT 'R-1', id, 1, 'a|b*c-_1', 'external', 1, $1, 'abnormal', 1, 1, $1, $1 FROM orders",
        "INSERT INTO notifications (id, received_ms, event_type, out_trade_no, out_refund_no, outcome)
         VALUES ('n', 1, $1, 'a|b*c-_1', $1, $1)",
    ];
    let pool = server.database().await;
    for statement in fields {
        let kind = if cluster::is_used() { "BYTEA" } else { "BLOB" };
        let statement = statement.replace("'{}'", &format!("CAST('{{}}' AS {kind})"));
        let statement = sqlx::AssertSqlSafe(statement);
        sqlx::query(statement)
            .bind(MARKUP)
            .execute(&pool)
            .await
            .unwrap();
    }
    let person = Person::with(&server, super::OWNER_KEY).await;
    for path in [
        "/desk",
        "/desk/orders",
        "/desk/orders/a%7Cb%2Ac-_1",
        "/desk/tasks",
        "/desk/refunds/R-1/settle",
        "/desk/webhooks",
        "/desk/journal",
        "/desk/orders/a%7Cb%2Ac-_1?said=%3Cscript%3E",
        "/desk/sign-in?to=%22%3E%3Cscript%3E&reason=%3Cscript%3E",
    ] {
        let page = person.page(path).await;
        assert!(
            !page.contains("<script") && !page.contains("<img"),
            "{path}: {page}"
        );
    }
    let shown = person.page("/desk/orders/a%7Cb%2Ac-_1").await;
    assert!(shown.contains("&lt;img src=x"), "{shown}");
    let fields = [
        ("refund_no", "desk-AAAAAAAAAAAAAAAAAAAAAA"),
        ("amount", "9.90"),
        ("reason", MARKUP),
    ];
    let asked = person
        .post("/desk/orders/a%7Cb%2Ac-_1/refund", &fields)
        .await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
    assert!(!asked.text().contains("<script") && asked.text().contains("&lt;script"));
}
