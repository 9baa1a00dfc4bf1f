//! Starting and cancelling attempts: repeated, renewed, superseded, in doubt, refused.

use http::StatusCode;
use merchant_server::Clock as _;
use serde_json::{Value, json};

use crate::fault_injector::Fault;
use crate::test_server::{MINUTE_MS, SHOP, TestServer, payment_notification, transaction};

const NATIVE: (&str, &str) = ("product", "native");
const H5: (&str, &str) = ("product", "h5");
const JSAPI: (&str, &str) = ("product", "jsapi");
const BACK: (&str, &str) = ("return_url", "http://127.0.0.1:8000/pay?order=1#/cart");

async fn tea_of(server: &TestServer, more: Value) -> String {
    let mut order = json!({"order_no": "tea-0001", "total_fen": 1990, "description": "一壶茶"});
    for (name, value) in more.as_object().unwrap() {
        order[name] = value.clone();
    }
    server.order(order).await
}

#[tokio::test]
async fn native_gives_a_code_under_the_merchants_own_number() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let answer = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    assert!(answer.string("code_url").starts_with("weixin://"));
    assert_eq!(answer.number("attempt"), 1);
    assert_eq!(answer.string("out_trade_no"), "tea-0001");
    assert_eq!(answer.json["live"], false);
    assert_eq!(answer.number("remaining_ms"), 30 * MINUTE_MS);
    let sent = server.wechat.take_sent();
    let body: Value = serde_json::from_slice(&sent[0].body).unwrap();
    assert_eq!(body["attach"], "tea-0001");
    assert_eq!(body["time_expire"], "2026-11-21T17:50:00+08:00");
    assert_eq!(
        body["notify_url"],
        "http://127.0.0.1:8080/wechat/notify/payment"
    );
    let read = server.checkout(&token).await;
    assert_eq!(read.json["code_url"], answer.json["code_url"]);
}

#[tokio::test]
async fn the_same_request_while_fresh_gives_the_same_attempt_without_a_call_to_wechat() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let first = server.attempt(&token, &[NATIVE]).await;
    server.wechat.take_sent();
    for after in ["0", "1"] {
        let again = server.attempt(&token, &[NATIVE, ("after", after)]).await;
        assert_eq!(again.json, first.json);
    }
    assert_eq!(server.wechat.take_sent(), []);
}

#[tokio::test]
async fn a_stale_link_is_renewed_under_the_same_number_with_the_same_bytes() {
    let server = TestServer::open().await;
    let token = tea_of(&server, json!({"expires_in_ms": 3 * 60 * MINUTE_MS})).await;
    server.attempt(&token, &[NATIVE]).await;
    server.clock.advance_ms(116 * MINUTE_MS);
    let renewed = server.attempt(&token, &[NATIVE, ("after", "1")]).await;
    assert_eq!(renewed.number("attempt"), 1);
    assert_eq!(renewed.string("out_trade_no"), "tea-0001");
    assert_eq!(renewed.number("attempt_remaining_ms"), 64 * MINUTE_MS);
    let sent = server.wechat.take_sent();
    let kinds: Vec<_> = sent.iter().map(|sent| sent.kind).collect();
    assert_eq!(kinds, ["order", "order"]);
    assert_eq!(sent[0].body, sent[1].body);
}

#[tokio::test]
async fn another_product_queries_closes_and_takes_a_new_number() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    server.wechat.take_sent();
    let second = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
    assert_eq!(second.number("attempt"), 2);
    assert_eq!(second.string("product"), "h5");
    let number = second.string("out_trade_no").to_owned();
    assert_ne!(number, "tea-0001");
    assert_eq!(server.wechat.take_kinds(), ["query", "close", "order"]);
    assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
    assert_eq!(server.trade_state(&number).as_deref(), Some("NOTPAY"));
}

#[tokio::test]
async fn a_page_cannot_replace_an_attempt_that_it_has_not_seen() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    server.wechat.take_sent();
    for after in ["0", "2"] {
        let refused = server.attempt(&token, &[H5, BACK, ("after", after)]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert_eq!(refused.code(), "ATTEMPT_SUPERSEDED");
        assert_eq!(refused.json["error"]["retryable"], false);
        assert_eq!(refused.number("attempt"), 1);
        assert_eq!(refused.string("state"), "open");
        assert!(refused.json["code_url"].is_string());
    }
    let silent = server.attempt(&token, &[JSAPI, BACK, ("after", "0")]).await;
    assert_eq!(silent.code(), "ATTEMPT_SUPERSEDED");
    assert_eq!(server.wechat.take_sent(), []);
}

#[tokio::test]
async fn jsapi_is_signed_again_for_the_same_attempt() {
    let server = TestServer::open().await;
    let token = tea_of(&server, json!({"payer": {"openid": "oBuyer"}})).await;
    let first = server.attempt(&token, &[JSAPI]).await;
    let second = server.attempt(&token, &[JSAPI, ("after", "1")]).await;
    assert_eq!(
        first.json["jsapi"]["package"],
        second.json["jsapi"]["package"]
    );
    assert_ne!(
        first.json["jsapi"]["nonceStr"],
        second.json["jsapi"]["nonceStr"]
    );
    assert_eq!(second.json["jsapi"]["signType"], "RSA");
    assert!(second.json["jsapi"]["timeStamp"].is_string());
    assert_eq!(server.wechat.take_kinds(), ["order"]);
    let read = server.checkout(&token).await;
    assert!(read.json["jsapi"].is_null(), "only its payer gets it");
}

#[tokio::test]
async fn h5_returns_to_the_page_with_a_handle_and_needs_an_allowed_address() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    for refused in [
        vec![H5],
        vec![H5, ("return_url", "https://evil.example/")],
        vec![H5, ("return_url", "http://127.0.0.1:8001/")],
        vec![H5, ("return_url", "/pay")],
        vec![H5, ("return_url", "javascript:alert(1)")],
    ] {
        let answer = server.attempt(&token, &refused).await;
        assert_eq!(answer.code(), "RETURN_URL_REFUSED", "{refused:?}");
        assert_eq!(answer.json["error"]["field"], "return_url");
    }
    let answer = server.attempt(&token, &[H5, BACK]).await;
    let url = url::Url::parse(answer.string("h5_url")).unwrap();
    let (_, back) = url
        .query_pairs()
        .find(|(name, _)| name == "redirect_url")
        .unwrap();
    let back = url::Url::parse(&back).unwrap();
    assert_eq!(back.origin().ascii_serialization(), SHOP);
    assert_eq!(back.fragment(), Some("/cart"));
    let handle = back
        .query_pairs()
        .find(|(name, _)| name == merchant_api::RETURN_PARAMETER)
        .unwrap()
        .1
        .into_owned();
    assert_eq!(handle.len(), 22);
    assert!(back.query().unwrap().starts_with("order=1&"));
    let read = server.checkout(&token).await;
    assert!(read.json["h5_url"].is_null(), "it belongs to one payer");
}

#[tokio::test]
async fn a_double_click_gets_the_same_h5_link_and_a_later_click_a_new_one() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[H5, BACK]).await;
    server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
    assert_eq!(server.wechat.take_kinds(), ["order"]);
    server.clock.advance_ms(MINUTE_MS);
    let later = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
    assert_eq!(later.number("attempt"), 1);
    assert_eq!(server.wechat.take_kinds(), ["order"]);
}

#[tokio::test]
async fn another_client_address_changes_the_body_and_needs_another_number() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let path = format!("/v1/checkouts/{token}/attempts");
    let first = server
        .form_from("127.0.0.1", "198.51.100.1", &path, &[H5, BACK])
        .await;
    assert_eq!(first.number("attempt"), 1);
    let body: Value = serde_json::from_slice(&server.wechat.take_sent()[0].body).unwrap();
    assert_eq!(body["scene_info"]["payer_client_ip"], "198.51.100.1");
    let moved = server
        .form_from(
            "127.0.0.1",
            "198.51.100.2",
            &path,
            &[H5, BACK, ("after", "1")],
        )
        .await;
    assert_eq!(moved.number("attempt"), 2);
    assert_eq!(server.wechat.take_kinds(), ["query", "close", "order"]);
    // A header of an untrusted client does not set the address.
    let forged = server
        .form_from(
            "198.51.100.2",
            "203.0.113.9",
            &path,
            &[H5, BACK, ("after", "2")],
        )
        .await;
    assert_eq!(forged.number("attempt"), 2);
}

#[tokio::test]
async fn an_order_without_answer_is_in_doubt_and_the_same_bytes_go_again() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.wechat.inject("order", Fault::AnswerLost);
    let doubt = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(doubt.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT");
    assert_eq!(doubt.json["error"]["retryable"], true);
    assert_eq!(doubt.json["error"]["retry_after_ms"], 2000);
    assert_eq!(doubt.headers["retry-after"], "2");
    let again = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(again.number("attempt"), 1);
    assert!(again.json["code_url"].is_string());
    let sent = server.wechat.take_sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].body, sent[1].body);
}

#[tokio::test]
async fn an_order_in_doubt_is_ended_before_another_product_begins() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    // The order never arrived. The server closes the number all the same, so that the order
    // cannot arrive later.
    server
        .wechat
        .inject("order", Fault::Answered(500, r#"{"code":"SYSTEM_ERROR"}"#));
    let doubt = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT");
    assert_eq!(doubt.json["error"]["wechat_code"], "SYSTEM_ERROR");
    server.wechat.take_sent();
    let second = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
    assert_eq!(second.number("attempt"), 2);
    assert_eq!(server.wechat.take_kinds(), ["query", "close", "order"]);
}

#[tokio::test]
async fn no_attempt_starts_while_a_query_or_close_is_in_doubt() {
    for kind in ["query", "close"] {
        for fault in [
            || Fault::AnswerLost,
            || Fault::NotSent,
            || Fault::Answered(500, r#"{"code":"SYSTEM_ERROR","message":""}"#),
            // Unsigned, so nothing is concluded from it.
            || Fault::Answered(200, r#"{"trade_state":"CLOSED"}"#),
            || Fault::Answered(204, ""),
        ] {
            let server = TestServer::open().await;
            let token = server.default_order().await;
            server.attempt(&token, &[NATIVE]).await;
            server.wechat.inject(kind, fault());
            let form = [H5, BACK, ("after", "1")];
            let doubt = server.attempt(&token, &form).await;
            assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT", "{kind}");
            assert_eq!(server.checkout(&token).await.number("attempt"), 1);
            let second = server.attempt(&token, &form).await;
            assert_eq!(second.number("attempt"), 2, "{kind}");
        }
    }
}

#[tokio::test]
async fn an_earlier_payment_is_found_before_a_new_attempt_starts() {
    // Paid before the query.
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    server.pay("tea-0001").await;
    server.wechat.take_sent();
    let answer = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
    assert_eq!(answer.string("state"), "paid");
    assert_eq!(server.wechat.take_kinds(), ["query"]);

    // Paid between query and close.
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    server.wechat.take_sent();
    server.pay_just_before("close", "tea-0001");
    let answer = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
    assert_eq!(answer.string("state"), "paid");
    assert_eq!(answer.number("attempt"), 1);
    assert_eq!(server.wechat.take_kinds(), ["query", "close", "query"]);
}

#[tokio::test]
async fn wechats_refusals_each_have_their_answer() {
    // status, WeChat's body, our status and code
    let cases = [
        (
            403,
            r#"{"code":"NO_AUTH","message":"x"}"#,
            502,
            "WECHAT_REFUSED",
        ),
        (
            400,
            r#"{"code":"PARAM_ERROR","message":"x"}"#,
            502,
            "WECHAT_REFUSED",
        ),
        (
            401,
            r#"{"code":"SIGN_ERROR","message":"x"}"#,
            502,
            "WECHAT_REFUSED",
        ),
        (
            403,
            r#"{"code":"OUT_TRADE_NO_USED","message":"x"}"#,
            502,
            "WECHAT_REFUSED",
        ),
        (
            429,
            r#"{"code":"FREQUENCY_LIMITED","message":"x"}"#,
            503,
            "WECHAT_UNAVAILABLE",
        ),
        (
            500,
            r#"{"code":"SYSTEM_ERROR","message":"x"}"#,
            503,
            "ATTEMPT_IN_DOUBT",
        ),
        (502, "<html>", 503, "ATTEMPT_IN_DOUBT"),
        (302, "", 503, "ATTEMPT_IN_DOUBT"),
        (
            200,
            r#"{"code_url":"weixin://forged"}"#,
            503,
            "ATTEMPT_IN_DOUBT",
        ),
    ];
    for (status, body, our_status, code) in cases {
        let server = TestServer::open().await;
        let token = server.default_order().await;
        server.wechat.inject("order", Fault::Answered(status, body));
        let answer = server.attempt(&token, &[NATIVE]).await;
        assert_eq!(answer.status, our_status, "{status} {body}");
        assert_eq!(answer.code(), code, "{status} {body}");
        let retryable = &answer.json["error"]["retryable"];
        assert_eq!(*retryable, our_status == 503, "{status} {body}");
    }
}

#[tokio::test]
async fn a_refusal_names_wechats_code_and_the_same_request_can_be_repeated() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server
        .wechat
        .inject("order", Fault::Answered(403, r#"{"code":"NO_AUTH"}"#));
    let refused = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(refused.json["error"]["wechat_code"], "NO_AUTH");
    let granted = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(granted.number("attempt"), 1);
    server.wechat.inject("order", Fault::NotSent);
    let token = server
        .order(json!({"order_no": "tea-0009", "total_fen": 1, "description": "tea"}))
        .await;
    let unreachable = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(unreachable.code(), "WECHAT_UNAVAILABLE");
}

#[tokio::test]
async fn a_number_that_is_called_closed_is_queried_and_closed_before_the_next() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let closed = r#"{"code":"ORDER_CLOSED","message":""}"#;
    server.wechat.inject("order", Fault::Answered(403, closed));
    let answer = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(answer.number("attempt"), 2);
    assert_ne!(answer.string("out_trade_no"), "tea-0001");
    let kinds = server.wechat.take_kinds();
    assert_eq!(kinds, ["order", "query", "close", "order"]);
}

#[tokio::test]
async fn a_published_code_is_closed_before_the_next_attempt() {
    for code in ["ORDER_CLOSED", "OUT_TRADE_NO_USED"] {
        let server = TestServer::open().await;
        let token = tea_of(&server, json!({"expires_in_ms": 3 * 60 * MINUTE_MS})).await;
        server.attempt(&token, &[NATIVE]).await;
        server.clock.advance_ms(116 * MINUTE_MS);
        server.wechat.take_sent();
        let body = match code {
            "ORDER_CLOSED" => r#"{"code":"ORDER_CLOSED","message":""}"#,
            _ => r#"{"code":"OUT_TRADE_NO_USED","message":""}"#,
        };
        // The refusal is not true, and not signed.
        server.wechat.inject("order", Fault::Answered(403, body));
        let answer = server.attempt(&token, &[NATIVE, ("after", "1")]).await;
        assert_eq!(answer.number("attempt"), 2, "{code}");
        let kinds = server.wechat.take_kinds();
        assert_eq!(kinds, ["order", "query", "close", "order"], "{code}");
        assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
    }
}

#[tokio::test]
async fn a_code_that_was_paid_before_it_was_called_closed_pays_the_order() {
    let server = TestServer::open().await;
    let token = tea_of(&server, json!({"expires_in_ms": 3 * 60 * MINUTE_MS})).await;
    server.attempt(&token, &[NATIVE]).await;
    server.clock.advance_ms(116 * MINUTE_MS);
    server.pay("tea-0001").await;
    let closed = r#"{"code":"ORDER_CLOSED","message":""}"#;
    server.wechat.inject("order", Fault::Answered(403, closed));
    let answer = server.attempt(&token, &[NATIVE, ("after", "1")]).await;
    assert_eq!(answer.string("state"), "paid");
    assert_eq!(answer.number("attempt"), 1);
}

/// No buyer ever got a code for this number: closing the number would close another program's
/// order.
#[tokio::test]
async fn a_number_of_another_program_is_left_unchanged() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let rule = json!([{"route": "order", "kind": "refused", "code": "OUT_TRADE_NO_USED", "rate": 1, "count": 1}]);
    server.simulate("faults", &rule).await;
    let refused = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(refused.code(), "WECHAT_REFUSED");
    let answer = server.attempt(&token, &[NATIVE, ("after", "1")]).await;
    assert_eq!(answer.number("attempt"), 2);
    assert_ne!(answer.string("out_trade_no"), "tea-0001");
    assert_eq!(server.wechat.take_kinds(), ["order", "order"]);
}

#[tokio::test]
async fn an_unsigned_answer_to_close_ends_nothing() {
    for body in [
        r#"{"code":"ORDER_CLOSED","message":""}"#,
        r#"{"code":"ORDER_NOT_EXIST","message":""}"#,
    ] {
        let server = TestServer::open().await;
        let token = server.default_order().await;
        server.attempt(&token, &[NATIVE]).await;
        server.wechat.inject("close", Fault::Answered(404, body));
        let doubt = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
        assert_ne!(doubt.status, StatusCode::OK, "{}", doubt.json);
        assert_eq!(server.checkout(&token).await.number("attempt"), 1);
        let second = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
        assert_eq!(second.number("attempt"), 2);
        assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
    }
}

#[tokio::test]
async fn an_attempt_that_cannot_start_is_refused_with_the_reason() {
    let server = TestServer::open().await;
    let unknown = server.attempt("AAAAAAAAAAAAAAAAAAAAAA", &[NATIVE]).await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.code()),
        (404, "CHECKOUT_UNKNOWN")
    );
    let token = tea_of(&server, json!({"products": ["native"]})).await;
    let cases = [
        (vec![("product", "cash")], 400, "INVALID_REQUEST"),
        (vec![], 400, "INVALID_REQUEST"),
        (vec![NATIVE, ("after", "x")], 400, "INVALID_REQUEST"),
        (vec![H5, BACK], 409, "PRODUCT_UNAVAILABLE"),
        (
            vec![("product", "mini_program")],
            409,
            "PRODUCT_UNAVAILABLE",
        ),
    ];
    for (fields, status, code) in cases {
        let answer = server.attempt(&token, &fields).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (status, code),
            "{fields:?}"
        );
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let huge = "a".repeat(9000);
    let answer = server
        .attempt(&token, &[NATIVE, ("return_url", &huge)])
        .await;
    assert_eq!(answer.code(), "TOO_LARGE");
    server.clock.advance_ms(30 * MINUTE_MS);
    let expired = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(
        (expired.status.as_u16(), expired.code()),
        (410, "CHECKOUT_EXPIRED")
    );
    assert_eq!(server.checkout(&token).await.number("remaining_ms"), 0);
}

#[tokio::test]
async fn a_paid_order_answers_paid_to_every_request() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    for fields in [vec![NATIVE], vec![H5, ("after", "9")]] {
        let answer = server.attempt(&token, &fields).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.string("state"), "paid");
        assert_eq!(answer.number("payer_total_fen"), 1990);
        assert!(answer.json["code_url"].is_null());
    }
}

#[tokio::test]
async fn cancelling_ends_the_attempt_and_never_the_order() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let path = format!("/v1/checkouts/{token}/cancel");
    server.attempt(&token, &[NATIVE]).await;
    assert_eq!(
        server.form(&path, &[("after", "0")]).await.code(),
        "ATTEMPT_SUPERSEDED"
    );
    assert_eq!(server.form(&path, &[]).await.code(), "INVALID_REQUEST");
    let cancelled = server.form(&path, &[("after", "1")]).await;
    assert_eq!(cancelled.string("state"), "open");
    assert_eq!(cancelled.number("attempt_remaining_ms"), 0);
    assert!(cancelled.json["code_url"].is_null());
    assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
    let next = server.attempt(&token, &[NATIVE, ("after", "1")]).await;
    assert_eq!(next.number("attempt"), 2);
}

#[tokio::test]
async fn of_two_paid_attempts_the_first_settles_and_the_second_is_a_duplicate() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    let second = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
    server.pay(second.string("out_trade_no")).await;
    server.deliver(&server.take_notifications()[0]).await;
    let paid = server.checkout(&token).await;
    // WeChat signs a payment of the closed number. This cannot happen, but the payment must not
    // be lost if it does.
    let late = payment_notification(
        "late-1",
        &transaction("tea-0001", 1990),
        server.clock.now_ms(),
    );
    assert_eq!(server.deliver(&late).await.status, StatusCode::NO_CONTENT);
    let after = server.checkout(&token).await;
    assert_eq!(after.string("state"), "paid");
    assert_eq!(after.json["success_time"], paid.json["success_time"]);
    assert_eq!(after.number("version"), paid.number("version") + 1);
    server.deliver(&late).await;
    assert_eq!(
        server.checkout(&token).await.number("version"),
        after.number("version")
    );
    assert_eq!(server.mismatches().await, []);
}

#[tokio::test]
async fn a_payment_of_an_earlier_attempt_ends_the_open_one() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    let second = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
    let number = second.string("out_trade_no").to_owned();
    let late = payment_notification(
        "late-1",
        &transaction("tea-0001", 1990),
        server.clock.now_ms(),
    );
    server.deliver(&late).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    server.later(1).await;
    assert_eq!(server.trade_state(&number).as_deref(), Some("CLOSED"));
}

#[tokio::test]
async fn of_two_devices_at_the_same_moment_only_one_starts_even_on_two_servers() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let other = server.beside().await;
    let (native, h5) = tokio::join!(
        server.attempt(&token, &[NATIVE, ("after", "0")]),
        other.attempt(&token, &[H5, BACK, ("after", "0")])
    );
    let mut outcomes = [native.status.as_u16(), h5.status.as_u16()];
    outcomes.sort_unstable();
    assert_eq!(outcomes, [200, 409], "{} {}", native.json, h5.json);
    let checkout = server.checkout(&token).await;
    assert_eq!(checkout.number("attempt"), 1);
    assert_eq!(server.wechat.take_kinds(), ["order"]);
}
