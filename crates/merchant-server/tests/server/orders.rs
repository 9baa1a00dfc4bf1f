//! The private side: who may order, what may be ordered, and closing.

use http::StatusCode;
use serde_json::{Value, json};

use crate::fault_injector::Fault;
use crate::test_server::{API_KEY, TestServer, backend};

/// The order of `tea` with some fields changed; `null` takes one out.
fn tea_with(changes: &Value) -> Value {
    let mut order = json!({ "order_no": "tea-0002", "total_fen": 1990, "description": "一壶茶" });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            order.as_object_mut().unwrap().remove(name);
        } else {
            order[name] = value.clone();
        }
    }
    order
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table")]
async fn an_order_that_breaks_a_rule_is_refused_by_code_and_field() {
    let server = TestServer::open().await;
    let long = "茶".repeat(43);
    let cases = [
        (json!({"total_fen": 0}), "AMOUNT_INVALID", "total_fen"),
        (json!({"total_fen": -1}), "AMOUNT_INVALID", "total_fen"),
        (json!({"total_fen": 19.9}), "AMOUNT_INVALID", "total_fen"),
        (json!({"total_fen": 100.0}), "AMOUNT_INVALID", "total_fen"),
        (json!({"total_fen": "1990"}), "AMOUNT_INVALID", "total_fen"),
        (json!({"total_fen": null}), "AMOUNT_INVALID", "total_fen"),
        (
            json!({"total_fen": 1_000_000_001_u64}),
            "AMOUNT_INVALID",
            "total_fen",
        ),
        (
            json!({"description": ""}),
            "DESCRIPTION_INVALID",
            "description",
        ),
        (
            json!({"description": "  "}),
            "DESCRIPTION_INVALID",
            "description",
        ),
        (
            json!({"description": long}),
            "DESCRIPTION_INVALID",
            "description",
        ),
        (
            json!({"description": "tea\n"}),
            "DESCRIPTION_INVALID",
            "description",
        ),
        (
            json!({"description": "tea 🍵"}),
            "DESCRIPTION_INVALID",
            "description",
        ),
        (
            json!({"description": null}),
            "INVALID_REQUEST",
            "description",
        ),
        (json!({"order_no": "12345"}), "ORDER_NO_INVALID", "order_no"),
        (
            json!({"order_no": "tea 0002"}),
            "ORDER_NO_INVALID",
            "order_no",
        ),
        (
            json!({"order_no": "t".repeat(33)}),
            "ORDER_NO_INVALID",
            "order_no",
        ),
        (json!({"total_fem": 1}), "INVALID_REQUEST", "total_fem"),
        (
            json!({"expires_in_ms": 59_999}),
            "INVALID_REQUEST",
            "expires_in_ms",
        ),
        (
            json!({"expires_in_ms": 604_800_001}),
            "INVALID_REQUEST",
            "expires_in_ms",
        ),
        (
            json!({"payer": {"openid": "o x"}}),
            "INVALID_REQUEST",
            "payer.openid",
        ),
        (json!({"products": []}), "INVALID_REQUEST", "products"),
        (
            json!({"products": ["mini_program"]}),
            "INVALID_REQUEST",
            "products",
        ),
        (
            json!({"attach": "a".repeat(96)}),
            "INVALID_REQUEST",
            "attach",
        ),
        (
            json!({"return_url": "https://evil.example/"}),
            "RETURN_URL_REFUSED",
            "return_url",
        ),
        (
            json!({"success_url": "javascript:alert(1)"}),
            "RETURN_URL_REFUSED",
            "success_url",
        ),
        (
            json!({"success_url": "http://127.0.0.1:8000@evil.example/"}),
            "RETURN_URL_REFUSED",
            "success_url",
        ),
    ];
    for (changes, code, field) in cases {
        let answer = server.post_order(&tea_with(&changes)).await;
        assert_eq!(answer.code(), code, "{changes}");
        assert_eq!(answer.json["error"]["field"], field, "{changes}");
    }
    let longest = tea_with(&json!({"description": "茶".repeat(42)}));
    assert_eq!(
        server.post_order(&longest).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn a_body_that_is_no_order_is_refused() {
    let server = TestServer::open().await;
    let huge = format!("{{\"description\":\"{}\"}}", "a".repeat(70_000));
    let cases = [
        ("", "INVALID_REQUEST"),
        ("total_fen=1", "INVALID_REQUEST"),
        ("[]", "AMOUNT_INVALID"),
        (
            r#"{"total_fen":1,"total_fen":2,"description":"tea"}"#,
            "INVALID_REQUEST",
        ),
        (&*huge, "TOO_LARGE"),
    ];
    for (body, code) in cases {
        let answer = server
            .send(backend("/v1/orders", API_KEY, body.to_owned()))
            .await;
        assert_eq!(answer.code(), code, "{body:.40}");
    }
}

#[tokio::test]
async fn only_the_holder_of_a_key_can_create_or_close_an_order() {
    let server = TestServer::open().await;
    server.default_order().await;
    let body = tea_with(&json!({})).to_string();
    for path in ["/v1/orders", "/v1/orders/tea-0001/close"] {
        for key in ["", "another key", "the shop's key "] {
            let answer = server.send(backend(path, key, body.clone())).await;
            assert_eq!(answer.code(), "UNAUTHORIZED", "{path} {key:?}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn the_same_order_again_has_the_same_answer_and_other_values_are_refused() {
    let server = TestServer::open().await;
    let order = tea_with(&json!({}));
    let first = server.post_order(&order).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(first.json["live"], false);
    assert_eq!(
        first.string("checkout_url"),
        format!("http://127.0.0.1:8080/c/{}", first.string("token"))
    );
    let second = server.post_order(&order).await;
    assert_eq!(second.status, StatusCode::OK);
    assert_eq!(second.json["token"], first.json["token"]);
    for changes in [
        json!({"total_fen": 1991}),
        json!({"description": "茶"}),
        json!({"expires_in_ms": 600_000}),
        json!({"payer": {"openid": "o1"}}),
    ] {
        let other = server.post_order(&tea_with(&changes)).await;
        assert_eq!(other.code(), "ORDER_NO_USED", "{changes}");
    }
}

#[tokio::test]
async fn each_order_without_a_number_gets_one() {
    let server = TestServer::open().await;
    let order = tea_with(&json!({"order_no": null}));
    let first = server.post_order(&order).await;
    let second = server.post_order(&order).await;
    assert_eq!(second.status, StatusCode::CREATED);
    assert_ne!(first.json["order_no"], second.json["order_no"]);
    assert_ne!(first.json["token"], second.json["token"]);
}

#[tokio::test]
async fn an_order_is_closed_at_wechat_first_and_a_paid_order_stays_paid() {
    let server = TestServer::open().await;
    let close = |order_no: &str| {
        server.send(backend(
            &format!("/v1/orders/{order_no}/close"),
            API_KEY,
            "",
        ))
    };
    assert_eq!(close("unknown").await.code(), "ORDER_UNKNOWN");

    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    let closed = close("tea-0001").await;
    assert_eq!(closed.status, StatusCode::OK);
    assert_eq!(closed.json["state"], "closed");
    assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
    assert_eq!(close("tea-0001").await.json["state"], "closed");

    let token = server
        .order(json!({"order_no": "tea-0003", "total_fen": 1, "description": "tea"}))
        .await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay("tea-0003").await;
    assert_eq!(close("tea-0003").await.code(), "ORDER_PAID");
    assert_eq!(server.checkout(&token).await.json["state"], "paid");
}

#[tokio::test]
async fn a_close_in_doubt_is_finished_by_due_work_and_no_attempt_starts_before() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    server.wechat.inject("close", Fault::AnswerLost);
    let answer = server
        .send(backend("/v1/orders/tea-0001/close", API_KEY, ""))
        .await;
    assert_eq!(answer.code(), "ATTEMPT_IN_DOUBT");
    assert_eq!(server.checkout(&token).await.json["state"], "open");
    let begun = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(begun.code(), "CHECKOUT_EXPIRED");
    server.later(1).await;
    assert_eq!(server.checkout(&token).await.json["state"], "closed");
}

/// Both calls may share one commit. Each answer comes after it, so the token works at once.
#[tokio::test]
async fn two_equal_calls_at_once_are_answered_after_the_order_is_recorded() {
    let server = TestServer::open().await;
    let order = tea_with(&json!({}));
    let ordered = async || {
        let created = server.post_order(&order).await;
        let checkout = server.checkout(created.string("token")).await;
        assert_eq!(checkout.status, StatusCode::OK, "{}", checkout.json);
        created.string("token").to_owned()
    };
    let (one, other) = tokio::join!(ordered(), ordered());
    assert_eq!(one, other);
}
