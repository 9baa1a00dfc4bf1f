//! Requesting a refund: what is accepted, what is refused, and that a repeated request is one
//! refund.

use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::{HOOKS, REFUNDS, RESULT_MS, bought, refund_body};
use crate::log::Log;
use crate::test_server::{API_KEY, MINUTE_MS, TestServer, backend};

const READER: &str = "the reader's key";
/// SHA-256 of [`READER`], made with another program.
const READER_SHA256: &str = "961dc0904f9967aa41663732f5525c832792ce51fd227619d8e35ab58e1c44de";

#[tokio::test]
async fn a_refund_is_recorded_sent_once_and_reported_when_it_succeeds() {
    let (server, token) = bought().await;
    let before = server.checkout(&token).await;
    let asked = server.ask_refund(refund_body("R-1", 990)).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.json);
    assert_eq!(asked.string("state"), "processing");
    assert_eq!(asked.string("origin"), "merchant");
    assert_eq!(asked.string("out_trade_no"), "tea-0001");
    assert_eq!(server.wechat.take_kinds(), ["refund"]);
    let notifications = server.results().await;
    assert_eq!(notifications.len(), 1);
    for _ in 0..2 {
        let answer = server.deliver_refund(&notifications[0]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    let refund = server.refund("R-1").await;
    assert_eq!(refund.string("state"), "succeeded");
    assert_eq!(refund.string("success_time"), "2026-11-21T17:20:03+08:00");
    let after = server.checkout(&token).await;
    assert_eq!(after.string("state"), "paid", "a refund leaves it paid");
    assert_eq!(after.number("refunded_fen"), 990);
    assert!(after.number("version") > before.number("version"));
    assert!(before.json.get("refunded_fen").is_none());
    let messages = server.refund_messages().await;
    assert_eq!(messages, ["refund.succeeded"]);
    let order = server.read_private("/v1/orders/tea-0001").await;
    assert_eq!(order.number("refunded_fen"), 990);
    assert_eq!(order.json["refunds"][0]["refund_no"], "R-1");
    assert_eq!(server.inner.next_due_ms().await.unwrap(), None);
}

#[tokio::test]
async fn the_same_request_again_is_the_same_refund_and_causes_no_call_to_wechat() {
    let (server, _) = bought().await;
    let first = server.ask_refund(refund_body("R-1", 990)).await;
    server.wechat.take_sent();
    let again = server.ask_refund(refund_body("R-1", 990)).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.json, first.json);
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
    for other in [
        refund_body("R-1", 991),
        json!({ "refund_no": "R-1" }),
        json!({ "refund_no": "R-1", "amount_fen": 990, "reason": "冷了" }),
    ] {
        let refused = server.ask_refund(other).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert_eq!(refused.code(), "REFUND_NO_USED");
        assert_eq!(refused.json["error"]["field"], "refund_no");
    }
    server
        .order(json!({ "order_no": "tea-0002", "total_fen": 990, "description": "tea" }))
        .await;
    let elsewhere = backend(
        "/v1/orders/tea-0002/refunds",
        API_KEY,
        refund_body("R-1", 990).to_string(),
    );
    assert_eq!(server.send(elsewhere).await.code(), "ORDER_NOT_PAID");
    assert_eq!(server.refunds_at_wechat().len(), 1);
}

/// serde can read an object from a list, by the places of its values. `["R-1"]` would then refund
/// all that is left.
#[tokio::test]
async fn a_list_of_refunds_causes_no_refund() {
    let (server, _) = bought().await;
    for list in [
        json!(["R-1"]),
        json!([]),
        json!({ "refund_no": "R-1", "amount_fen": 1, "from": [["BASIC", 1]] }),
        json!({ "refund_no": "R-1", "goods_detail": [["tea", null, null, 1, 1, 1]] }),
    ] {
        let refused = server.ask_refund(list).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert_eq!(refused.code(), "INVALID_REQUEST");
    }
    assert_eq!(server.refund("R-1").await.code(), "REFUND_UNKNOWN");
    assert_eq!(server.refunds_at_wechat(), []);
}

#[tokio::test]
async fn the_log_names_the_key_that_requested_a_refund() {
    let log = Log::start();
    let (server, _) = bought().await;
    server.ask_refund(refund_body("R-1", 990)).await;
    let text = log.text();
    for event in ["order.created", "refund.requested"] {
        let named = format!("event=\"{event}\"");
        let line = text.lines().find(|line| line.contains(&named));
        let line = line.unwrap_or_else(|| panic!("{event} in {text}"));
        assert!(line.contains("api_key=\"shop\""), "{line}");
    }
    assert!(!text.contains(API_KEY));
}

#[tokio::test]
async fn no_more_is_refunded_than_was_paid() {
    let (server, _) = bought().await;
    server.ask_refund(refund_body("R-1", 1000)).await;
    for too_much in [991, 1990, 5000] {
        let refused = server.ask_refund(refund_body("R-2", too_much)).await;
        assert_eq!(refused.code(), "REFUND_TOO_MUCH");
        assert_eq!(refused.json["error"]["field"], "amount_fen");
        assert!(refused.text().contains("990 fen"), "{}", refused.text());
    }
    let rest = server.ask_refund(json!({ "refund_no": "R-2" })).await;
    assert_eq!(rest.number("amount_fen"), 990, "all that is left");
    let same = server.ask_refund(json!({ "refund_no": "R-2" })).await;
    assert_eq!(
        (same.status, same.number("amount_fen")),
        (StatusCode::OK, 990)
    );
    for nothing_left in [json!({ "refund_no": "R-3" }), refund_body("R-3", 1)] {
        assert_eq!(
            server.ask_refund(nothing_left).await.code(),
            "REFUND_TOO_MUCH"
        );
    }
    assert_eq!(server.refund("R-3").await.code(), "REFUND_UNKNOWN");
    let list = server.read_private(REFUNDS).await;
    assert_eq!(list.number("refundable_fen"), 0);
    assert_eq!(list.number("refunded_fen"), 0);
    assert_eq!(list.json["refunds"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn two_refunds_of_one_payment_are_a_minute_apart() {
    let (server, _) = bought().await;
    server.ask_refund(refund_body("R-1", 100)).await;
    let second = server.ask_refund(refund_body("R-2", 100)).await;
    assert_eq!(second.status, StatusCode::CREATED);
    assert_eq!(
        second.string("state"),
        "requested",
        "taken down, not sent yet"
    );
    assert_eq!(server.wechat.take_kinds(), ["refund"]);
    server.later(59_999).await;
    assert_eq!(server.state_of("R-2").await, "requested");
    server.later(1).await;
    assert_eq!(server.state_of("R-2").await, "processing");
    let numbers: Vec<_> = server
        .refunds_at_wechat()
        .into_iter()
        .map(|r| r.0)
        .collect();
    assert_eq!(numbers, ["R-1", "R-2"]);
}

#[tokio::test]
async fn a_payment_has_at_most_fifty_refunds() {
    let (server, _) = bought().await;
    for number in 0..50 {
        let asked = server
            .ask_refund(refund_body(&format!("R-{number}"), 1))
            .await;
        assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.json);
        server.later(MINUTE_MS).await;
    }
    let refused = server.ask_refund(refund_body("R-50", 1)).await;
    assert_eq!(refused.code(), "REFUND_TOO_MANY");
    let at_wechat = server.refunds_at_wechat();
    assert_eq!(at_wechat.len(), 50);
    assert!(at_wechat.iter().all(|(_, _, status)| status == "SUCCESS"));
    let list = server.read_private(REFUNDS).await;
    assert_eq!(list.number("refunded_fen"), 50);
}

#[tokio::test]
async fn an_invalid_request_is_refused_with_field_and_rule_and_nothing_is_stored() {
    let (server, _) = bought().await;
    let long = "x".repeat(65);
    let cases: Vec<(Value, &str, &str)> = vec![
        (json!({ "amount_fen": 1 }), "INVALID_REQUEST", "refund_no"),
        (refund_body("", 1), "INVALID_REQUEST", "refund_no"),
        (refund_body("R 1", 1), "INVALID_REQUEST", "refund_no"),
        (refund_body(&long, 1), "INVALID_REQUEST", "refund_no"),
        (
            refund_body("surplus@tea-0001", 1),
            "INVALID_REQUEST",
            "refund_no",
        ),
        (refund_body("R", 0), "AMOUNT_INVALID", "amount_fen"),
        (
            json!({ "refund_no": "R", "amount_fen": 1.5 }),
            "INVALID_REQUEST",
            "amount_fen",
        ),
        (
            json!({ "refund_no": "R", "amount": 1 }),
            "INVALID_REQUEST",
            "amount",
        ),
        (
            json!({ "refund_no": "R", "reason": "茶".repeat(27) }),
            "INVALID_REQUEST",
            "reason",
        ),
        (
            json!({ "refund_no": "R", "reason": "a\nb" }),
            "INVALID_REQUEST",
            "reason",
        ),
        (
            json!({ "refund_no": "R", "funds_account": "POCKET" }),
            "INVALID_REQUEST",
            "funds_account",
        ),
        (
            json!({ "refund_no": "R", "from": [{ "account": "AVAILABLE", "amount_fen": 1 }] }),
            "INVALID_REQUEST",
            "amount_fen",
        ),
        (
            json!({ "refund_no": "R", "amount_fen": 2,
                    "from": [{ "account": "AVAILABLE", "amount_fen": 1 }] }),
            "INVALID_REQUEST",
            "from",
        ),
        (
            json!({ "refund_no": "R", "goods_detail": [{
                "merchant_goods_id": "G", "unit_price_fen": 1, "refund_amount_fen": 1,
                "refund_quantity": 0,
            }] }),
            "INVALID_REQUEST",
            "goods_detail.refund_quantity",
        ),
    ];
    for (body, code, field) in cases {
        let refused = server.ask_refund(body.clone()).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(refused.code(), code, "{body}");
        assert_eq!(refused.json["error"]["field"], field, "{body}");
    }
    let list = server.read_private(REFUNDS).await;
    assert_eq!(list.json["refunds"], json!([]));
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
}

#[tokio::test]
async fn every_field_of_the_backend_reaches_wechat() {
    let (server, _) = bought().await;
    let asked = server
        .ask_refund(json!({
            "refund_no": "R-1", "amount_fen": 30, "reason": "凉了",
            "from": [{ "account": "AVAILABLE", "amount_fen": 10 },
                     { "account": "UNAVAILABLE", "amount_fen": 20 }],
            "goods_detail": [{
                "merchant_goods_id": "G1", "goods_name": "茶", "unit_price_fen": 30,
                "refund_amount_fen": 30, "refund_quantity": 1,
            }],
        }))
        .await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.json);
    let sent: Value = serde_json::from_slice(&server.wechat.take_sent()[0].body).unwrap();
    assert_eq!(
        sent,
        json!({
            "out_trade_no": "tea-0001", "out_refund_no": "R-1", "reason": "凉了",
            "notify_url": "http://127.0.0.1:8080/wechat/notify/refund",
            "amount": {
                "refund": 30, "total": 1990, "currency": "CNY",
                "from": [{ "account": "AVAILABLE", "amount": 10 },
                         { "account": "UNAVAILABLE", "amount": 20 }],
            },
            "goods_detail": [{
                "merchant_goods_id": "G1", "goods_name": "茶", "unit_price": 30,
                "refund_amount": 30, "refund_quantity": 1,
            }],
        })
    );
}

#[tokio::test]
async fn an_unpaid_order_cannot_be_refunded() {
    let server = TestServer::open_with_end(HOOKS).await;
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    let refused = server.ask_refund(refund_body("R-1", 1)).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::CONFLICT, "ORDER_NOT_PAID")
    );
    let unknown = backend(
        "/v1/orders/nobody/refunds",
        API_KEY,
        refund_body("R-1", 1).to_string(),
    );
    assert_eq!(server.send(unknown).await.code(), "ORDER_UNKNOWN");
    assert_eq!(server.refund("R-1").await.code(), "REFUND_UNKNOWN");
}

#[tokio::test]
async fn a_refund_requires_the_scope_for_refunds() {
    let server = TestServer::open_with_end(&format!(
        "[[api_keys]]\nname = \"reader\"\nsha256 = \"{READER_SHA256}\"\nscopes = [\"orders:write\", \"refunds:read\"]\n"
    ))
    .await;
    super::buy(&server).await;
    let refused = server
        .send(backend(REFUNDS, READER, refund_body("R-1", 1).to_string()))
        .await;
    assert_eq!(refused.code(), "FORBIDDEN");
    assert!(refused.text().contains("refunds:write"));
    let path = "/v1/refunds/R-1/apply-abnormal-refund";
    let refused = server.send(backend(path, READER, "{}")).await;
    assert_eq!(refused.code(), "FORBIDDEN");
    let list = Request::builder()
        .method(Method::GET)
        .uri(REFUNDS)
        .header("authorization", format!("Bearer {READER}"))
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(server.send(list).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_held_poll_is_answered_when_a_refund_changes() {
    let (server, token) = bought().await;
    server.ask_refund(refund_body("R-1", 990)).await;
    let seen = server.checkout(&token).await.number("version");
    let notifications = server.results().await;
    let path = format!("/v1/checkouts/{token}?wait=25&seen={seen}");
    let (poll, _) = tokio::join!(server.get(&path), async {
        server.clock.somebody_waits().await;
        server.deliver_refund(&notifications[0]).await
    });
    assert_eq!(poll.number("refunded_fen"), 990);
    assert_eq!(poll.number("version"), seen + 1);
}

#[tokio::test]
async fn a_refund_whose_notification_is_lost_is_found_by_a_query() {
    let (server, _) = bought().await;
    server.ask_refund(refund_body("R-1", 990)).await;
    server.wechat.take_sent();
    server.later(RESULT_MS).await;
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
    server.later(10_000 - RESULT_MS).await;
    assert_eq!(server.wechat.take_kinds(), ["refund_query"]);
    assert_eq!(server.state_of("R-1").await, "succeeded");
    assert_eq!(server.refund_messages().await, ["refund.succeeded"]);
    server.later(24 * 60 * MINUTE_MS).await;
    assert_eq!(
        server.wechat.take_kinds(),
        [] as [&str; 0],
        "no word follows the last"
    );
}

/// Both calls may share one commit. Each answer comes after it, so the refund can be read at once.
#[tokio::test]
async fn two_equal_calls_at_once_are_answered_after_the_refund_is_recorded() {
    let (server, _) = bought().await;
    let refunded = async || {
        let asked = server.ask_refund(refund_body("R-1", 990)).await;
        assert!(asked.status.is_success(), "{}", asked.json);
        server.refund("R-1").await
    };
    let (one, other) = tokio::join!(refunded(), refunded());
    assert_eq!((one.status, other.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(server.simulator.ledger_view(None).refunds.len(), 1);
}
