//! Each backend sells once: it creates an order, the simulator's buyer pays, and the shop knows it from a signed
//! webhook. It believes no other message.

use jiff::Timestamp;
use payment_tests::port::Port;
use payment_tests::servers::WEBHOOK_SECRET;
use reqwest::StatusCode;
use serde_json::json;
use standardwebhooks::Webhook;

use crate::backend::Backend;

/// Registers a scenario with each backend: each gets its own test, named for example `a_scenario::java`.
macro_rules! with_backends {
    ($($scenario:ident: $($name:ident)+;)+) => {$(
        mod $scenario {
            $(#[tokio::test]
            async fn $name() {
                super::$scenario(super::backend!($name)).await;
            })+
        }
    )+};
}

macro_rules! backend {
    (node) => {
        super::Backend::Node
    };
    (python) => {
        super::Backend::Python
    };
    (go) => {
        super::Backend::Go
    };
    (java) => {
        super::Backend::Java
    };
    (php) => {
        super::Backend::Php
    };
}
use backend;

with_backends! {
    an_order_is_created_paid_and_delivered_by_a_webhook: node python go java php;
    a_message_that_is_forged_or_old_is_refused: node python go java php;
    a_merchant_server_that_is_down_is_an_error_of_the_shop: node python go java php;
    // PHP reads its variables at each request.
    a_missing_variable_is_named_at_the_start: node python go java;
}

const ANOTHER_SECRET: &str = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

async fn an_order_is_created_paid_and_delivered_by_a_webhook(backend: Backend) {
    let (servers, shop) = backend.open().await;
    let (status, order) = shop.buy().await;
    assert_eq!(status, StatusCode::CREATED, "{order}");
    assert_eq!(order["merchant_api"], format!("{}/v1", servers.merchant));
    let (order_no, token) = (
        order["order_no"].as_str().unwrap(),
        order["token"].as_str().unwrap(),
    );
    assert_eq!(shop.is_paid(order_no).await, Some(false));
    assert_eq!(shop.is_paid("SHOP-OF-NOBODY").await, None);
    let page = shop.page().await;
    let element = format!("merchant-api=\"{}/v1\"", servers.merchant);
    assert!(page.contains(&element), "{page}");
    assert!(!page.contains("TOKEN"), "{page}");

    let started = servers.attempt(token, "native").await;
    servers.wechat.pay(&started["code_url"]).await;
    shop.until_paid(order_no).await;
    let (_, other) = shop.buy().await;
    let other = other["order_no"].as_str().unwrap();
    assert_eq!(shop.is_paid(other).await, Some(false), "one order is paid");
}

async fn a_message_that_is_forged_or_old_is_refused(backend: Backend) {
    let (_servers, shop) = backend.open().await;
    let (_, order) = shop.buy().await;
    let order_no = order["order_no"].as_str().unwrap();
    let body = json!({
        "type": "payment.succeeded",
        "data": {"order_no": order_no, "total_fen": 6_910},
        "timestamp": "2026-11-21T09:20:11Z",
    });
    let body = body.to_string();
    let now_s = Timestamp::now().as_second();
    let signed = |secret: &str, at_s: i64| {
        let webhook = Webhook::new(secret).unwrap();
        webhook.sign("msg_1", at_s, body.as_bytes()).unwrap()
    };
    let right = signed(WEBHOOK_SECRET, now_s);
    let (an_hour_ago, in_an_hour) = (now_s - 3_600, now_s + 3_600);
    for (what, at_s, signature) in [
        ("another secret", now_s, signed(ANOTHER_SECRET, now_s)),
        ("another time", now_s - 1, right.clone()),
        (
            "an hour ago",
            an_hour_ago,
            signed(WEBHOOK_SECRET, an_hour_ago),
        ),
        ("in an hour", in_an_hour, signed(WEBHOOK_SECRET, in_an_hour)),
        ("no signature", now_s, String::new()),
        (
            "no version",
            now_s,
            right.trim_start_matches("v1,").to_owned(),
        ),
        ("another version", now_s, right.replace("v1,", "v2,")),
        ("a part of it", now_s, right[..right.len() - 4].to_owned()),
    ] {
        let at_s = at_s.to_string();
        let headers = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", &*at_s),
            ("webhook-signature", &*signature),
        ];
        let status = shop.post_webhook(&headers, &body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}");
    }
    let at_s = now_s.to_string();
    let headers = |signature| {
        [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", &*at_s),
            ("webhook-signature", signature),
        ]
    };
    let changed = body.replace("6910", "1");
    let status = shop.post_webhook(&headers(&right), &changed).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "another body");
    let status = shop.post_webhook(&[], &body).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "no headers");
    assert_eq!(shop.is_paid(order_no).await, Some(false));

    // The same body with the right signature is accepted, so nothing else was wrong with it. It may come
    // twice, and with another secret's signature beside.
    let both = format!("{} {right}", signed(ANOTHER_SECRET, now_s));
    for signature in [&both, &right] {
        let status = shop.post_webhook(&headers(signature), &body).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert_eq!(shop.is_paid(order_no).await, Some(true));
    }
}

async fn a_merchant_server_that_is_down_is_an_error_of_the_shop(backend: Backend) {
    let nobody = Port::take().await.origin;
    let shop = backend.start(Port::take().await, &nobody).await;
    let (status, answer) = shop.buy().await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer["error"], "the order could not be created");
}

async fn a_missing_variable_is_named_at_the_start(backend: Backend) {
    for (variables, missing) in [
        (&[("WEBHOOK_SECRET", WEBHOOK_SECRET)][..], "KEY"),
        (&[("KEY", "key")], "WEBHOOK_SECRET"),
    ] {
        let said = backend.refusal(variables).await;
        assert!(said.contains(&format!("{missing} is not set")), "{said}");
    }
}
