//! The clauses of the contract for pages that no other module here tests: what an answer says and
//! to which caller, what a token can do, and what each refusal means.

use axum::body::Body;
use http::{Request, StatusCode};
use merchant_api::{ErrorCode, is_order_no};
use serde_json::{Value, json};

use crate::fault_injector::Fault;
use crate::security::live;
use crate::test_server::{
    API_KEY, Answer, MINUTE_MS, SHOP, TestServer, backend, configuration, form,
};

const NATIVE: (&str, &str) = ("product", "native");
const H5: (&str, &str) = ("product", "h5");
const JSAPI: (&str, &str) = ("product", "jsapi");
const BACK: (&str, &str) = ("return_url", "http://127.0.0.1:8000/pay");

/// Every action of the contract.
const ACTIONS: [&str; 6] = [
    "code_url",
    "h5_url",
    "jsapi",
    "mini_program_path",
    "mini_program",
    "authorize_url",
];

/// The actions in an answer.
fn actions(answer: &Answer) -> Vec<&'static str> {
    let mut found = ACTIONS.to_vec();
    found.retain(|action| !answer.json[action].is_null());
    found
}

async fn tea_with(server: &TestServer, changes: Value) -> String {
    let mut order = json!({"order_no": "tea-0001", "total_fen": 1990, "description": "一壶茶"});
    for (name, value) in changes.as_object().unwrap() {
        order[name] = value.clone();
    }
    server.order(order).await
}

async fn cancel(server: &TestServer, token: &str, after: &str) -> Answer {
    let path = format!("/v1/checkouts/{token}/cancel");
    server.form(&path, &[("after", after)]).await
}

async fn close(server: &TestServer) -> Answer {
    server
        .send(backend("/v1/orders/tea-0001/close", API_KEY, ""))
        .await
}

async fn pay_and_tell(server: &TestServer, out_trade_no: &str) {
    server.pay(out_trade_no).await;
    for notification in server.take_notifications() {
        server.deliver(&notification).await;
    }
}

#[tokio::test]
async fn an_answer_has_the_contracts_fields_and_no_others() {
    let server = TestServer::open().await;
    let more = json!({
        "products": ["native", "h5"], "success_url": "http://127.0.0.1:8000/thanks",
    });
    let token = tea_with(&server, more).await;
    let fresh = server.checkout(&token).await;
    let mut expected = json!({
        "state": "open", "version": fresh.number("version"),
        "order_no": "tea-0001", "description": "一壶茶", "total_fen": 1990, "currency": "CNY",
        "remaining_ms": 30 * MINUTE_MS, "poll_after_ms": 2000,
        "products": ["native", "h5"], "live": false, "attempt": 0,
        "success_url": "http://127.0.0.1:8000/thanks",
    });
    assert_eq!(fresh.json, expected);

    let begun = server.attempt(&token, &[NATIVE]).await;
    expected["version"] = begun.number("version").into();
    expected["attempt"] = 1.into();
    expected["product"] = "native".into();
    expected["out_trade_no"] = "tea-0001".into();
    expected["attempt_remaining_ms"] = (30 * MINUTE_MS).into();
    expected["code_url"] = begun.string("code_url").into();
    assert_eq!(begun.json, expected);

    pay_and_tell(&server, "tea-0001").await;
    let paid = server.checkout(&token).await;
    for gone in ["remaining_ms", "attempt_remaining_ms", "code_url"] {
        expected.as_object_mut().unwrap().remove(gone);
    }
    expected["state"] = "paid".into();
    expected["version"] = paid.number("version").into();
    expected["payer_total_fen"] = 1990.into();
    expected["success_time"] = "2026-11-21T17:20:00+08:00".into();
    assert_eq!(paid.json, expected);
}

#[tokio::test]
async fn a_gateway_for_real_money_is_live() {
    let server = live().await;
    let token = server.default_order().await;
    assert_eq!(server.checkout(&token).await.json["live"], true);
}

#[tokio::test]
async fn the_answer_offers_the_products_of_both_order_and_merchant() {
    let server = TestServer::open_with(r#"products = ["native", "jsapi"]"#).await;
    let all = server.default_order().await;
    let one = tea_with(
        &server,
        json!({"order_no": "tea-0002", "products": ["native"]}),
    )
    .await;
    let products = async |server: &TestServer, token: &str| {
        let answer = server.checkout(token).await;
        answer.json["products"].clone()
    };
    assert_eq!(products(&server, &all).await, json!(["native", "jsapi"]));
    assert_eq!(products(&server, &one).await, json!(["native"]));
    // The merchant stops offering codes; orders that allowed codes still exist.
    let server = server
        .restart_with(&configuration(r#"products = ["jsapi"]"#))
        .await;
    assert_eq!(products(&server, &all).await, json!(["jsapi"]));
    assert_eq!(products(&server, &one).await, json!([]));
    let refused = server.attempt(&one, &[NATIVE]).await;
    assert_eq!(refused.code(), "PRODUCT_UNAVAILABLE");
}

#[tokio::test]
async fn the_version_grows_with_every_change_and_with_nothing_else() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let version = async || server.checkout(&token).await.number("version");
    let mut seen = version().await;
    let mut grows = async |change: &str| {
        let now = version().await;
        assert!(now > seen, "{change}");
        seen = now;
    };
    server.attempt(&token, &[NATIVE]).await;
    grows("an attempt").await;
    cancel(&server, &token, "1").await;
    grows("its end").await;
    server.attempt(&token, &[NATIVE, ("after", "1")]).await;
    grows("the next one").await;
    server.attempt(&token, &[H5, BACK, ("after", "2")]).await;
    grows("a take-over").await;

    let still = version().await;
    server.attempt(&token, &[H5, BACK, ("after", "3")]).await;
    server.attempt(&token, &[NATIVE, ("after", "2")]).await;
    server.attempt(&token, &[JSAPI, BACK, ("after", "3")]).await;
    cancel(&server, &token, "2").await;
    server.get(&format!("/v1/checkouts/{token}?ask=1")).await;
    server.clock.advance_ms(MINUTE_MS);
    assert_eq!(version().await, still, "nothing has changed");

    let third = server.checkout(&token).await;
    pay_and_tell(&server, third.string("out_trade_no")).await;
    let paid = server.checkout(&token).await;
    assert_eq!(paid.string("state"), "paid");
    assert!(paid.number("version") > still);

    let server = TestServer::open().await;
    let token = server.default_order().await;
    let open = server.checkout(&token).await.number("version");
    assert!(close(&server).await.number("version") > open);
    assert_eq!(server.checkout(&token).await.string("state"), "closed");
}

#[tokio::test]
async fn paid_or_closed_is_an_answer_and_never_an_error() {
    for end in ["paid", "closed"] {
        let server = TestServer::open().await;
        let token = server.default_order().await;
        server.attempt(&token, &[NATIVE]).await;
        if end == "paid" {
            pay_and_tell(&server, "tea-0001").await;
        } else {
            close(&server).await;
        }
        server.wechat.take_sent();
        let path = format!("/v1/checkouts/{token}");
        let answers = [
            server.get(&path).await,
            server.get(&format!("{path}?ask=1")).await,
            server.get(&format!("{path}?wait=25&seen=0")).await,
            server.attempt(&token, &[NATIVE, ("after", "1")]).await,
            // Calls that each break one rule, and that an open order refuses.
            server.attempt(&token, &[NATIVE, ("after", "9")]).await,
            server.attempt(&token, &[H5]).await,
            server.attempt(&token, &[JSAPI, ("payer", "x")]).await,
            server.attempt(&token, &[("product", "mini_program")]).await,
            cancel(&server, &token, "1").await,
            cancel(&server, &token, "9").await,
        ];
        for answer in answers {
            assert_eq!(answer.status, StatusCode::OK, "{end}: {}", answer.json);
            assert_eq!(answer.string("state"), end);
            assert_eq!(actions(&answer), Vec::<&str>::new(), "{end}");
            assert!(answer.json["remaining_ms"].is_null(), "{end}");
        }
        assert_eq!(server.wechat.take_sent(), [], "{end}");
    }
}

#[tokio::test]
async fn a_token_is_long_opens_one_checkout_and_cannot_close_the_order() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let other = tea_with(&server, json!({"order_no": "tea-0002"})).await;
    assert_ne!(token, other);
    // 128 bits at six a character.
    assert_eq!((token.len(), other.len()), (22, 22));
    assert_eq!(server.checkout(&other).await.string("order_no"), "tea-0002");
    let swapped: String = token
        .chars()
        .map(|notification| {
            if notification.is_ascii_lowercase() {
                notification.to_ascii_uppercase()
            } else {
                notification.to_ascii_lowercase()
            }
        })
        .collect();
    let longer = format!("{token}A");
    for near in [&token[..21], &longer, &swapped, "tea-0001", "%25"] {
        let answer = server.checkout(near).await;
        let found = (answer.status.as_u16(), answer.code());
        assert_eq!(found, (404, "CHECKOUT_UNKNOWN"), "{near}");
    }
    for path in [
        "/v1/orders",
        "/v1/orders/tea-0001/close",
        "/v1/orders/tea-0001/attempts",
        "/v1/orders/tea-0001/refunds",
    ] {
        let answer = server.send(backend(path, &token, "{}")).await;
        assert_eq!(answer.code(), "UNAUTHORIZED", "{path}");
    }
    let close = server
        .form(&format!("/v1/checkouts/{token}/close"), &[])
        .await;
    assert_eq!(close.status, StatusCode::NOT_FOUND);
    assert_eq!(server.checkout(&token).await.string("state"), "open");
}

#[tokio::test]
async fn no_answer_is_cached_or_sets_a_cookie_and_allowed_pages_can_read_all() {
    let limits = "rate_limits = { token_per_minute = 6, address_per_minute = 100 }";
    let server = TestServer::open_with(limits).await;
    let token = server.default_order().await;
    let path = format!("/v1/checkouts/{token}");
    let attempts = format!("{path}/attempts");
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let huge = "a".repeat(9_000);
    let calls = [
        (get(&path), 200),
        (get(&format!("{path}?wait=x")), 400),
        (get("/v1/checkouts/nobody"), 404),
        (form(&attempts, &[NATIVE, ("after", "7")]), 409),
        (form(&attempts, &[("product", &huge)]), 413),
        (form(&attempts, &[H5]), 422),
        (form(&format!("{path}/cancel"), &[("after", "0")]), 200),
        // This call is above the limit.
        (get(&path), 429),
    ];
    for (mut request, status) in calls {
        let headers = request.headers_mut();
        headers.insert("origin", SHOP.parse().unwrap());
        headers.insert("cookie", "session=stale".parse().unwrap());
        let answer = server.send(request).await;
        assert_eq!(answer.status, status, "{}", answer.json);
        let header = |name: &str| {
            answer
                .headers
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(header("cache-control"), Some("no-store"), "{status}");
        assert_eq!(header("set-cookie"), None, "{status}");
        assert_eq!(
            header("access-control-allow-origin"),
            Some(SHOP),
            "{status}"
        );
        assert_eq!(header("access-control-allow-credentials"), None, "{status}");
        assert_eq!(header("access-control-expose-headers"), Some("retry-after"));
        assert_eq!(header("retry-after").is_some(), status == 429, "{status}");
    }
}

#[tokio::test]
async fn fields_of_a_later_contract_are_ignored() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let path = format!("/v1/checkouts/{token}");
    let read = server.get(&format!("{path}?later=1&later=2&seen=")).await;
    assert_eq!(read.code(), "INVALID_REQUEST", "a known one is not");
    let read = server.get(&format!("{path}?later=1&later=2")).await;
    assert_eq!(read.status, StatusCode::OK);
    let begun = server
        .attempt(&token, &[("later", "x"), NATIVE, ("total_fen", "1")])
        .await;
    assert_eq!(begun.number("attempt"), 1);
    assert_eq!(begun.number("total_fen"), 1990);
    assert_eq!(server.last_order()["amount"]["total"], 1990);
    let cancelled = server
        .form(&format!("{path}/cancel"), &[("after", "1"), ("later", "x")])
        .await;
    assert_eq!(cancelled.number("attempt_remaining_ms"), 0);
}

#[test]
fn each_code_has_its_status_and_says_whether_a_retry_helps() {
    // code, status, retryable
    let contract = [
        ("INVALID_REQUEST", 400, false),
        ("CHECKOUT_UNKNOWN", 404, false),
        ("CHECKOUT_EXPIRED", 410, false),
        ("ATTEMPT_SUPERSEDED", 409, false),
        ("PRODUCT_UNAVAILABLE", 409, false),
        ("PAYER_UNAVAILABLE", 409, false),
        ("PAYER_INVALID", 422, false),
        ("RETURN_URL_REFUSED", 422, false),
        ("TOO_LARGE", 413, false),
        ("RATE_LIMITED", 429, true),
        ("WECHAT_REFUSED", 502, false),
        ("ATTEMPT_IN_DOUBT", 503, true),
        ("WECHAT_UNAVAILABLE", 503, true),
        ("DATABASE_UNAVAILABLE", 503, true),
        ("INTERNAL", 500, true),
        ("UNAUTHORIZED", 401, false),
        ("ORDER_NO_USED", 409, false),
    ];
    for (word, status, is_retryable) in contract {
        let code = ErrorCode::from_word(word).unwrap();
        let found = (code.status(), code.is_retryable());
        assert_eq!(found, (status, is_retryable), "{word}");
    }
}

#[tokio::test]
async fn our_own_error_is_internal_and_shows_no_detail() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    sqlx::query("ALTER TABLE orders RENAME TO elsewhere")
        .execute(&server.database().await)
        .await
        .unwrap();
    let answers = [
        server.checkout(&token).await,
        server.attempt(&token, &[NATIVE]).await,
        cancel(&server, &token, "0").await,
    ];
    for answer in answers {
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.code(), "INTERNAL");
        assert_eq!(answer.json["error"]["retryable"], true);
        let text = answer.text();
        for inside in ["sql", "SQL", "table", "orders", &*token] {
            assert!(!text.contains(inside), "{inside} in {text}");
        }
    }
}

#[tokio::test]
async fn a_page_that_did_not_start_the_attempt_gets_only_a_code() {
    for (started, action) in [
        (vec![NATIVE], "code_url"),
        (vec![H5, BACK], "h5_url"),
        (vec![JSAPI], "jsapi"),
    ] {
        let server = TestServer::open().await;
        let token = tea_with(&server, json!({"payer": {"openid": "oBuyer"}})).await;
        let begun = server.attempt(&token, &started).await;
        assert_eq!(actions(&begun), [action]);
        let path = format!("/v1/checkouts/{token}");
        let other = if action == "code_url" {
            [H5, BACK]
        } else {
            [NATIVE, BACK]
        };
        let superseded = [
            server.attempt(&token, &other).await,
            cancel(&server, &token, "0").await,
        ];
        for answer in &superseded {
            assert_eq!(answer.code(), "ATTEMPT_SUPERSEDED", "{action}");
            assert_eq!(answer.number("attempt"), 1, "with the answer");
        }
        let answers = superseded.into_iter().chain([
            server.get(&path).await,
            server.get(&format!("{path}?wait=25&seen=0")).await,
            server.get(&format!("{path}?ask=1")).await,
        ]);
        for answer in answers {
            let expected = if action == "code_url" {
                vec![action]
            } else {
                vec![]
            };
            assert_eq!(actions(&answer), expected, "{}", answer.json);
        }
    }
}

#[tokio::test]
async fn another_payer_changes_the_body_and_replaces_only_a_seen_attempt() {
    let server = TestServer::open().await;
    server.default_order().await;
    let jsapi = |openid: &str, after: u64| json!({"product": "jsapi", "payer": {"openid": openid}, "after": after});
    server.backend_attempt("tea-0001", &jsapi("oOne", 0)).await;
    server.wechat.take_sent();
    let refused = server.backend_attempt("tea-0001", &jsapi("oTwo", 0)).await;
    assert_eq!(refused.code(), "ATTEMPT_SUPERSEDED");
    assert_eq!(server.wechat.take_sent(), []);
    let second = server.backend_attempt("tea-0001", &jsapi("oTwo", 1)).await;
    assert_eq!(second.json["attempt"]["number"], 2, "{}", second.json);
    let sent = server.wechat.take_sent();
    let kinds: Vec<_> = sent.iter().map(|sent| sent.kind).collect();
    assert_eq!(kinds, ["query", "close", "order"]);
    let body: Value = serde_json::from_slice(&sent[2].body).unwrap();
    assert_eq!(body["payer"]["openid"], "oTwo");
}

#[tokio::test]
async fn every_attempt_names_the_order_and_expires_with_it() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let mut numbers = Vec::new();
    let forms = [
        vec![NATIVE],
        vec![H5, BACK, ("after", "1")],
        vec![NATIVE, ("after", "2")],
    ];
    for (minutes, form) in (0..).step_by(7).zip(forms) {
        let answer = server.attempt(&token, &form).await;
        assert_eq!(answer.number("remaining_ms"), (30 - minutes) * MINUTE_MS);
        let body = server.last_order();
        assert_eq!(body["attach"], "tea-0001");
        assert_eq!(body["time_expire"], "2026-11-21T17:50:00+08:00");
        assert_eq!(body["out_trade_no"], answer.json["out_trade_no"]);
        numbers.push(answer.string("out_trade_no").to_owned());
        server.clock.advance_ms(7 * MINUTE_MS);
    }
    assert_eq!(numbers[0], "tea-0001");
    assert!(numbers.iter().all(|number| is_order_no(number)));
    assert_ne!(numbers[1], numbers[2]);
    assert_eq!(server.checkout(&token).await.string("order_no"), "tea-0001");
}

#[tokio::test]
async fn h5_returns_to_the_orders_page_if_the_request_names_none() {
    let server = TestServer::open().await;
    let token = tea_with(&server, json!({"return_url": "http://127.0.0.1:8000/cart"})).await;
    for (form, path) in [(vec![H5], "/cart"), (vec![H5, BACK], "/pay")] {
        let answer = server.attempt(&token, &form).await;
        let h5_url = url::Url::parse(answer.string("h5_url")).unwrap();
        let mut pairs = h5_url.query_pairs();
        let back = pairs.find(|(name, _)| name == "redirect_url").unwrap().1;
        assert_eq!(url::Url::parse(&back).unwrap().path(), path);
        // WeChat's order does not hold the address that the buyer returns to.
        assert_eq!(answer.number("attempt"), 1);
    }
    assert_eq!(server.wechat.take_kinds(), ["order"]);
}

#[tokio::test]
async fn an_attempt_lasts_as_long_as_its_link_and_never_longer_than_the_order() {
    // product, the order's minutes, the attempt's
    let cases = [
        (H5, 30, 5),
        (H5, 4, 4),
        (NATIVE, 30, 30),
        (NATIVE, 300, 120),
    ];
    for (product, order, attempt) in cases {
        let server = TestServer::open().await;
        let token = tea_with(&server, json!({"expires_in_ms": order * MINUTE_MS})).await;
        let begun = server.attempt(&token, &[product, BACK]).await;
        let case = format!("{product:?} {order}");
        assert_eq!(
            begun.number("attempt_remaining_ms"),
            attempt * MINUTE_MS,
            "{case}"
        );
        server.clock.advance_ms(3 * MINUTE_MS);
        let read = server.checkout(&token).await;
        assert_eq!(
            read.number("attempt_remaining_ms"),
            (attempt - 3) * MINUTE_MS,
            "{case}"
        );
        assert_eq!(
            read.number("remaining_ms"),
            (order - 3) * MINUTE_MS,
            "{case}"
        );
    }
}

#[tokio::test]
async fn the_oauth_redirect_supersedes_nothing() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    let before = server.checkout(&token).await;
    server.wechat.take_sent();
    let redirect = server.attempt(&token, &[JSAPI, BACK, ("after", "1")]).await;
    assert_eq!(actions(&redirect), ["authorize_url"], "{}", redirect.json);
    assert_eq!(redirect.number("attempt"), 1);
    assert_eq!(server.checkout(&token).await.json, before.json);
    assert_eq!(server.wechat.take_sent(), []);
    assert_eq!(server.trade_state("tea-0001").as_deref(), Some("NOTPAY"));
}

#[tokio::test]
async fn cancelling_finds_a_payment_first_and_concludes_nothing_in_doubt() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let nothing = cancel(&server, &token, "0").await;
    assert_eq!(
        (nothing.string("state"), nothing.number("attempt")),
        ("open", 0)
    );
    server.attempt(&token, &[NATIVE]).await;
    server.wechat.take_sent();
    for kind in ["query", "close"] {
        server.wechat.inject(kind, Fault::AnswerLost);
        let doubt = cancel(&server, &token, "1").await;
        assert_eq!(doubt.status, StatusCode::SERVICE_UNAVAILABLE, "{kind}");
        assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT", "{kind}");
        let read = server.checkout(&token).await;
        assert_eq!(actions(&read), ["code_url"], "{kind}");
    }
    assert_eq!(cancel(&server, &token, "1").await.string("state"), "open");
    server.wechat.take_sent();
    let again = cancel(&server, &token, "1").await;
    assert_eq!(again.number("attempt_remaining_ms"), 0);
    assert_eq!(
        server.wechat.take_sent(),
        [],
        "an ended attempt is not queried"
    );

    let second = server.attempt(&token, &[NATIVE, ("after", "1")]).await;
    server.pay(second.string("out_trade_no")).await;
    let paid = cancel(&server, &token, "2").await;
    assert_eq!(
        (paid.status, paid.string("state")),
        (StatusCode::OK, "paid")
    );
}
