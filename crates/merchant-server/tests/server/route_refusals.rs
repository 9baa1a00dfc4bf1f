//! Compares the contract's table of routes with the handlers. No route gives a refusal that the
//! table does not have; every call of every test here checks this. Each route gives every refusal
//! that the table has for it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use http::Request;
use merchant_api::{ErrorCode, ROUTES, Route, RouteAccess, RouteMethod};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::app_and_mini_program::login_code;
use crate::bills::{DAY, bill, change_the_file, the_next_morning};
use crate::cluster;
use crate::fault_injector::Fault;
use crate::test_server::{API_KEY, Answer, MINUTE_MS, TestServer, backend, read};

const METRICS_KEY: &str = "a key for metrics";
/// SHA-256 of [`METRICS_KEY`], made with another program.
const METRICS_KEY_SHA256: &str = "34bef3fa50c4cb06571d4ed38f5d9361e02a8fb530ef1413a023efa540eccab9";
const NATIVE: (&str, &str) = ("product", "native");

/// A bill's file and receivers need no ledger. Such a route fails by our fault only if a request to
/// WeChat cannot be signed, and no test here can cause that.
const WITHOUT_LEDGER: [&str; 3] = ["/bills/{day}/file", "/receivers", "/receivers/delete"];
/// Only a database server can be away from all routes.
const UNAVAILABLE: &str = "DATABASE_UNAVAILABLE";

/// A refusal as a row of the table: method, path, code.
type Row = (&'static str, &'static str, &'static str);

thread_local! {
    /// The rows that this test has seen: a test has a thread of its own.
    static SEEN: RefCell<BTreeSet<Row>> = const { RefCell::new(BTreeSet::new()) };
}

/// Panics where a route of the contract refuses for a reason that the table does not have.
#[track_caller]
pub(crate) fn check(method: &str, path: &str, answer: &Answer) {
    let Some(path) = path.strip_prefix("/v1") else {
        return;
    };
    let Some(route) = ROUTES.iter().find(|route| route.takes(method, path)) else {
        return;
    };
    let code = answer.code();
    if code.is_empty() {
        return;
    }
    let mut refusals = route.refusals();
    let Some(refusal) = refusals.find(|refusal| refusal.code.as_str() == code) else {
        panic!("{method} {path} answered {code}: add it to the table of routes of merchant-api");
    };
    let row = (route.method.as_str(), route.path, refusal.code.as_str());
    SEEN.with_borrow_mut(|seen| seen.insert(row));
}

#[tokio::test]
async fn every_route_gives_every_refusal_of_the_table() {
    refuse_fields_of_other_products_and_large_bodies().await;
    refuse_too_many_calls().await;
    refuse_unknown_resources().await;
    refuse_wrong_values().await;
    refuse_attempts().await;
    refuse_attempts_of_the_backend().await;
    refuse_by_state_of_the_order().await;
    refuse_refunds().await;
    refuse_abnormal_refunds().await;
    refuse_bills().await;
    refuse_shippings().await;
    refuse_links().await;
    refuse_shares().await;
    refuse_receivers().await;
    refuse_calls_for_a_busy_order().await;
    crate::overload::refuse_new_orders().await;
    fail_without_a_ledger().await;
    refuse_without_a_database().await;
    let rows = ROUTES.iter().flat_map(|route| {
        let codes = route.refusals().map(|refusal| refusal.code.as_str());
        codes.map(|code| (route.method.as_str(), route.path, code))
    });
    let seen = SEEN.take();
    let never: Vec<_> = rows
        .filter(|row| !seen.contains(row) && !is_out_of_reach(row))
        .collect();
    assert!(never.is_empty(), "no call was refused so: {never:#?}");
}

fn is_out_of_reach(row: &Row) -> bool {
    let has_no_ledger = WITHOUT_LEDGER.contains(&row.1);
    let needs_a_database = !has_no_ledger && cluster::is_used();
    (has_no_ledger && row.2 == "INTERNAL") || (row.2 == UNAVAILABLE && !needs_a_database)
}

/// A valid call of a route, with an API key.
fn call(route: &Route, token: &str, key: &str) -> Request<Body> {
    call_with(route, token, key, body_of(route))
}

fn call_with(route: &Route, token: &str, key: &str, body: String) -> Request<Body> {
    let path = route
        .path
        .replace("{token}", token)
        .replace("{order_no}", "tea-0001")
        .replace("{refund_no}", "R-1")
        .replace("{share_no}", "P-1")
        .replace("{id}", "nobodys")
        .replace("{no}", "7")
        .replace("{day}", DAY);
    let query = match route.path {
        "/webhooks/resend" => "?state=failed",
        path if path.starts_with("/exports/") => {
            "?from=2026-11-21T00:00:00Z&to=2026-11-22T00:00:00Z"
        }
        _ => "",
    };
    let (body, content_type) = match route.access {
        RouteAccess::Token => (body, "application/x-www-form-urlencoded"),
        RouteAccess::ApiKey { .. } => (body, "application/json"),
    };
    Request::builder()
        .method(route.method.as_str())
        .uri(format!("/v1{path}{query}"))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", content_type)
        .body(Body::from(body))
        .unwrap()
}

/// A body that the route takes; empty if it takes none.
fn body_of(route: &Route) -> String {
    let json = match route.path {
        "/checkouts/{token}/attempts" => return "product=native".to_owned(),
        "/checkouts/{token}/cancel" => return "after=1".to_owned(),
        "/orders" | "/links" => json!({ "total_fen": 1, "description": "tea" }),
        "/orders/{order_no}/attempts" => json!({ "product": "native" }),
        "/orders/{order_no}/refunds" => json!({ "refund_no": "R-1" }),
        "/orders/{order_no}/shares" => crate::sharing::share_body("P-1", 800),
        "/orders/{order_no}/unfreeze" => json!({ "share_no": "F-1", "reason": "done" }),
        "/shares/{share_no}/returns" => json!({
            "return_no": "Z-1", "account": "86693852", "amount_fen": 1, "reason": "back",
        }),
        "/receivers" => json!({
            "type": "PERSONAL_OPENID", "account": "oCourier", "relation_type": "STAFF",
        }),
        "/receivers/delete" => json!({ "type": "PERSONAL_OPENID", "account": "oCourier" }),
        "/orders/{order_no}/shipping" => crate::shipping::picked_up(),
        "/refunds/{refund_no}/apply-abnormal-refund" => json!({
            "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT",
            "bank_account": "6222020000001234", "real_name": "张三丰",
        }),
        "/mismatches/{no}/done" => json!({}),
        _ => return String::new(),
    };
    json.to_string()
}

fn takes_a_body(route: &Route) -> bool {
    let too_large = ErrorCode::TooLarge;
    route.refusals().any(|refusal| refusal.code == too_large)
}

async fn refuse_fields_of_other_products_and_large_bodies() {
    let metrics_key = format!(
        "[[api_keys]]\nname = \"monitoring\"\nsha256 = \"{METRICS_KEY_SHA256}\"\nscopes = [\"metrics\"]\n"
    );
    let server = TestServer::open_with_end(&metrics_key).await;
    let token = server.default_order().await;
    for route in ROUTES {
        if let RouteAccess::ApiKey { .. } = route.access {
            let stranger = server.send(call(route, &token, "nobody's")).await;
            assert_eq!(stranger.code(), "UNAUTHORIZED", "{}", route.path);
            let forbidden = server.send(call(route, &token, METRICS_KEY)).await;
            assert_eq!(forbidden.code(), "FORBIDDEN", "{}", route.path);
        }
        if takes_a_body(route) {
            let large = "x".repeat(300 * 1024);
            let answer = server.send(call_with(route, &token, API_KEY, large)).await;
            assert_eq!(answer.code(), "TOO_LARGE", "{}", route.path);
        }
    }
    for rest in ["", "/code.svg", "/code.png"] {
        let elsewhere = Request::get(format!("/v1/checkouts/{token}{rest}"));
        let elsewhere = elsewhere.header("origin", "https://evil.example");
        let refused = server.send(elsewhere.body(Body::empty()).unwrap()).await;
        assert_eq!(refused.code(), "ORIGIN_NOT_ALLOWED", "{rest}");
    }
}

async fn refuse_too_many_calls() {
    let limits = "rate_limits = { token_per_minute = 1, address_per_minute = 100 }";
    for route in ROUTES {
        if route.access == RouteAccess::Token {
            let server = TestServer::open_with(limits).await;
            let token = server.default_order().await;
            server.send(call(route, &token, "")).await;
            let refused = server.send(call(route, &token, "")).await;
            assert_eq!(refused.code(), "RATE_LIMITED", "{}", route.path);
        }
    }
}

async fn refuse_unknown_resources() {
    let server = TestServer::open().await;
    for route in ROUTES {
        let request = call(route, "AAAAAAAAAAAAAAAAAAAAAA", API_KEY);
        let answer = server.send(request).await;
        let is_of_what_is_there = answer.status.is_success() || route.path.starts_with("/bills");
        assert!(
            is_of_what_is_there || answer.status == 404,
            "{}",
            route.path
        );
    }
}

async fn refuse_wrong_values() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    for route in ROUTES {
        let request = match (route.method, takes_a_body(route)) {
            (RouteMethod::Get, _) | (_, false) => {
                let path = call(route, &token, API_KEY).uri().path().to_owned();
                Request::builder()
                    .method(route.method.as_str())
                    .uri(format!("{path}?wait=x&unknown=1"))
                    .header("authorization", format!("Bearer {API_KEY}"))
                    .body(Body::empty())
                    .unwrap()
            }
            (RouteMethod::Post, true) => call_with(route, &token, API_KEY, "[]".to_owned()),
        };
        server.send(request).await;
    }
    let order = json!({ "order_no": "tea-0002", "total_fen": 1, "description": "tea" });
    for (field, value, code) in [
        ("products", json!([]), "INVALID_REQUEST"),
        ("total_fen", json!(0), "AMOUNT_INVALID"),
        ("description", json!(""), "DESCRIPTION_INVALID"),
        ("order_no", json!("1"), "ORDER_NO_INVALID"),
        ("order_no", json!("tea-0001"), "ORDER_NO_USED"),
        (
            "return_url",
            json!("https://evil.example/"),
            "RETURN_URL_REFUSED",
        ),
    ] {
        let mut order = order.clone();
        order[field] = value;
        assert_eq!(server.post_order(&order).await.code(), code, "{field}");
    }
}

async fn refuse_attempts() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let to_nowhere = [("product", "h5"), ("return_url", "https://evil.example/")];
    let unavailable = [
        ("product", "jsapi"),
        ("return_url", "http://127.0.0.1:8000/pay"),
        ("payer", merchant_api::PAYER_UNAVAILABLE_HANDLE),
    ];
    let nobody = [
        ("product", "jsapi"),
        ("return_url", "http://127.0.0.1:8000/pay"),
        ("payer", "nobody"),
    ];
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&to_nowhere, "RETURN_URL_REFUSED"),
        (&unavailable, "PAYER_UNAVAILABLE"),
        (&nobody, "PAYER_INVALID"),
        (&[("product", "mini_program")], "PRODUCT_UNAVAILABLE"),
        (&[NATIVE, ("after", "1")], "ATTEMPT_SUPERSEDED"),
    ];
    for (fields, code) in cases {
        let refused = server.attempt(&token, fields).await;
        assert_eq!(refused.code(), code, "{fields:?}");
    }
    for (fault, code) in failing_orders() {
        server.wechat.inject("order", fault);
        assert_eq!(server.attempt(&token, &[NATIVE]).await.code(), code);
        // After WeChat has asked for a pause, the server does not call it for a while.
        server.clock.advance_ms(MINUTE_MS);
    }
    server.clock.advance_ms(30 * MINUTE_MS);
    let late = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(late.code(), "CHECKOUT_EXPIRED");

    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    let cancel = format!("/v1/checkouts/{token}/cancel");
    let stale = server.form(&cancel, &[("after", "0")]).await;
    assert_eq!(stale.code(), "ATTEMPT_SUPERSEDED");
    server.wechat.inject("query", Fault::NotSent);
    let doubt = server.form(&cancel, &[("after", "1")]).await;
    assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT");
}

/// Faults of an order on its way to WeChat, each with the caller's code. The last fault leaves the
/// order in doubt, so no other fault can follow.
fn failing_orders() -> [(Fault, &'static str); 3] {
    [
        (
            Fault::Answered(403, r#"{"code":"NO_AUTH","message":"x"}"#),
            "WECHAT_REFUSED",
        ),
        (
            Fault::Answered(429, r#"{"code":"FREQUENCY_LIMITED","message":"x"}"#),
            "WECHAT_UNAVAILABLE",
        ),
        (Fault::AnswerLost, "ATTEMPT_IN_DOUBT"),
    ]
}

async fn refuse_attempts_of_the_backend() {
    let products = r#"products = ["native", "h5", "mini_program"]"#;
    let server = TestServer::open_with(products).await;
    server.default_order().await;
    let spent = login_code(&server).await;
    server
        .wechat
        .inject("openid", Fault::Answered(200, r#"{"errcode":40125}"#));
    for (wanted, code) in [
        (
            json!({ "product": "mini_program", "code": spent }),
            "PAYER_UNAVAILABLE",
        ),
        (
            json!({ "product": "mini_program", "code": "nobodys" }),
            "PAYER_INVALID",
        ),
        (json!({ "product": "app" }), "PRODUCT_UNAVAILABLE"),
        (
            json!({
                "product": "h5", "payer_client_ip": "198.51.100.7",
                "return_url": "https://evil.example/",
            }),
            "RETURN_URL_REFUSED",
        ),
        (
            json!({ "product": "native", "after": 1 }),
            "ATTEMPT_SUPERSEDED",
        ),
    ] {
        let refused = server.backend_attempt("tea-0001", &wanted).await;
        assert_eq!(refused.code(), code, "{wanted}");
    }
    let native = json!({ "product": "native" });
    for (fault, code) in failing_orders() {
        server.wechat.inject("order", fault);
        assert_eq!(
            server.backend_attempt("tea-0001", &native).await.code(),
            code
        );
        server.clock.advance_ms(MINUTE_MS);
    }
    server.clock.advance_ms(30 * MINUTE_MS);
    let late = server.backend_attempt("tea-0001", &native).await;
    assert_eq!(late.code(), "CHECKOUT_EXPIRED");
}

async fn refuse_by_state_of_the_order() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    server.wechat.inject("query", Fault::NotSent);
    server.wechat.inject("close", Fault::NotSent);
    let close = "/v1/orders/tea-0001/close";
    let doubt = server.send(backend(close, API_KEY, "")).await;
    assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT");
    let unpaid = refund(&server, json!({ "refund_no": "R-1" })).await;
    assert_eq!(unpaid.code(), "ORDER_NOT_PAID");
    let paid = bought().await;
    let too_late = paid.send(backend(close, API_KEY, "")).await;
    assert_eq!(too_late.code(), "ORDER_PAID");
}

/// `tea-0001` is paid.
async fn bought() -> TestServer {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    server.pay("tea-0001").await;
    for notification in server.take_notifications() {
        server.deliver(&notification).await;
    }
    server
}

async fn refund(server: &TestServer, wanted: Value) -> Answer {
    let path = "/v1/orders/tea-0001/refunds";
    server
        .send(backend(path, API_KEY, wanted.to_string()))
        .await
}

async fn refuse_refunds() {
    let server = bought().await;
    server.control("POST", "faults", &json!([
        { "route": "refund", "kind": "refused", "code": "NOT_ENOUGH", "rate": 1.0, "count": 1 },
    ]).to_string()).await;
    for number in 0..=50 {
        let wanted = json!({ "refund_no": format!("R-{number}"), "amount_fen": 1 });
        refund(&server, wanted).await;
        server.later(MINUTE_MS).await;
    }
    for (wanted, code) in [
        (
            json!({ "refund_no": "R-51", "amount_fen": 0 }),
            "AMOUNT_INVALID",
        ),
        (
            json!({ "refund_no": "R-1", "amount_fen": 2 }),
            "REFUND_NO_USED",
        ),
        (
            json!({ "refund_no": "R-51", "amount_fen": 1991 }),
            "REFUND_TOO_MUCH",
        ),
        (
            json!({ "refund_no": "R-51", "amount_fen": 1 }),
            "REFUND_TOO_MANY",
        ),
    ] {
        let refused = refund(&server, wanted.clone()).await;
        assert_eq!(refused.code(), code, "{wanted}");
    }
}

async fn refuse_abnormal_refunds() {
    let server = bought().await;
    refund(&server, json!({ "refund_no": "R-1" })).await;
    let path = "/refunds/{refund_no}/apply-abnormal-refund";
    let route = ROUTES.iter().find(|route| route.path == path).unwrap();
    let early = server.send(call(route, "", API_KEY)).await;
    assert_eq!(early.code(), "REFUND_NOT_ABNORMAL");
    server.decide("R-1", "abnormal").await;
    for notification in server.take_notifications() {
        server
            .deliver_to("/wechat/notify/refund", &notification)
            .await;
    }
    let refusal = json!([
        { "route": "abnormal_refund", "kind": "refused", "code": "NO_AUTH", "rate": 1.0, "count": 1 },
    ]);
    server.control("POST", "faults", &refusal.to_string()).await;
    let refused = server.send(call(route, "", API_KEY)).await;
    assert_eq!(refused.code(), "WECHAT_REFUSED", "{}", refused.json);
    server.wechat.inject("abnormal_refund", Fault::AnswerLost);
    let doubt = server.send(call(route, "", API_KEY)).await;
    assert_eq!(doubt.code(), "REFUND_IN_DOUBT", "{}", doubt.json);
}

async fn refuse_bills() {
    let server = bought().await;
    the_next_morning(&server);
    for path in [DAY, &format!("{DAY}/file")] {
        change_the_file(&server);
        assert_eq!(bill(&server, path).await.code(), "WECHAT_UNAVAILABLE");
        let refused = Fault::Answered(403, r#"{"code":"NO_AUTH","message":"m"}"#);
        server.wechat.inject("bill", refused);
        assert_eq!(bill(&server, path).await.code(), "WECHAT_REFUSED");
        let now_ms = merchant_server::Clock::now_ms(&server.clock);
        let without_hash = move |answer: &mut http::Response<bytes::Bytes>| {
            let signed = crate::test_server::sign(r#"{"download_url":"https://a/b"}"#, now_ms);
            *answer.headers_mut() = signed.headers;
            *answer.body_mut() = signed.body;
        };
        server
            .wechat
            .inject("bill", Fault::Changed(Box::new(without_hash)));
        assert_eq!(bill(&server, path).await.code(), "BILL_UNREADABLE");
    }
}

async fn refuse_shippings() {
    let is_shipping = |route: &&Route| route.path == "/orders/{order_no}/shipping";
    let route = ROUTES.iter().find(is_shipping).unwrap();
    let server = bought().await;
    let elsewhere = server.send(call(route, "", API_KEY)).await;
    assert_eq!(elsewhere.code(), "PRODUCT_UNAVAILABLE");
    let server = TestServer::open().await;
    server.default_order().await;
    let unpaid = server.send(call(route, "", API_KEY)).await;
    assert_eq!(unpaid.code(), "ORDER_NOT_PAID");
    let server = crate::shipping::sold("").await;
    let refusal = Fault::Answered(200, r#"{"errcode":48001,"errmsg":"api unauthorized"}"#);
    server.wechat.inject("shipping", refusal);
    let refused = server.send(call(route, "", API_KEY)).await;
    assert_eq!(refused.code(), "WECHAT_REFUSED", "{}", refused.json);
    crowd(&server, route.path, route).await;
}

async fn refuse_links() {
    let server = TestServer::open().await;
    let link = json!({ "link_no": "table-7", "total_fen": 1, "description": "tea" });
    crate::links::link(&server, link.clone()).await;
    for (field, value, code) in [
        ("total_fen", json!(0), "AMOUNT_INVALID"),
        ("description", json!(""), "DESCRIPTION_INVALID"),
        ("uses_max", json!(1), "LINK_NO_USED"),
        (
            "return_url",
            json!("https://evil.example/"),
            "RETURN_URL_REFUSED",
        ),
    ] {
        let mut link = link.clone();
        link[field] = value;
        let refused = crate::links::post_link(&server, &link).await;
        assert_eq!(refused.code(), code, "{field}");
    }
}

fn sharing(path: &str, method: RouteMethod) -> &'static Route {
    let is_it = |route: &&Route| route.path == path && route.method == method;
    ROUTES.iter().find(is_it).unwrap()
}

async fn refuse_shares() {
    let post = |path| sharing(path, RouteMethod::Post);
    let (share, release) = (
        post("/orders/{order_no}/shares"),
        post("/orders/{order_no}/unfreeze"),
    );
    let give_back = post("/shares/{share_no}/returns");
    let frozen = sharing("/orders/{order_no}/frozen", RouteMethod::Get);
    let v2 = crate::version_2::only::open().await;
    v2.default_order().await;
    let unpaid = TestServer::open().await;
    unpaid.default_order().await;
    for route in [share, release, frozen] {
        let refused = v2.send(call(route, "", API_KEY)).await;
        assert_eq!(refused.code(), "PRODUCT_UNAVAILABLE", "{}", route.path);
        let refused = unpaid.send(call(route, "", API_KEY)).await;
        assert_eq!(refused.code(), "ORDER_NOT_PAID", "{}", route.path);
    }
    let unflagged = bought().await;
    for route in [share, release] {
        let refused = unflagged.send(call(route, "", API_KEY)).await;
        assert_eq!(refused.code(), "ORDER_NOT_FROZEN", "{}", route.path);
    }
    let server = crate::sharing::sold().await;
    refuse_by_wechat(&server, "share", share).await;
    server.send(call(share, "", API_KEY)).await;
    server.later(10_000).await;
    server.later(10_000).await;
    refuse_by_wechat(&server, "share_return", give_back).await;
    refuse_by_wechat(&server, "share_query", frozen).await;
    server.wechat.inject("share_query", Fault::NotSent);
    let away = server.send(call(frozen, "", API_KEY)).await;
    assert_eq!(away.code(), "WECHAT_UNAVAILABLE");
    let amount = |share_no: &str, amount_fen: u64| crate::sharing::share_body(share_no, amount_fen);
    for (body, code) in [
        (amount("P-1", 1), "SHARE_NO_USED"),
        (amount("P-2", 1_191), "SHARE_TOO_MUCH"),
    ] {
        let refused = server.ask_share(&body).await;
        assert_eq!(refused.code(), code);
    }
    for number in 2..=50 {
        server.ask_share(&amount(&format!("P-{number}"), 1)).await;
    }
    let refused = server.ask_share(&amount("P-51", 1)).await;
    assert_eq!(refused.code(), "SHARE_TOO_MANY");
    for (return_no, amount_fen, code) in
        [("P-1", 1, "SHARE_NO_USED"), ("Z-2", 801, "SHARE_TOO_MUCH")]
    {
        let body = json!({
            "return_no": return_no, "account": "86693852", "amount_fen": amount_fen,
            "reason": "back",
        });
        let call = call_with(give_back, "", API_KEY, body.to_string());
        assert_eq!(server.send(call).await.code(), code);
    }
    let used = json!({ "share_no": "P-1", "reason": "done" }).to_string();
    let used = server.send(call_with(release, "", API_KEY, used)).await;
    assert_eq!(used.code(), "SHARE_NO_USED");
    let server = crate::sharing::sold().await;
    refuse_by_wechat(&server, "share", release).await;
    for (holder, route) in [(share, share), (release, release)] {
        let server = crate::sharing::sold().await;
        crowd(&server, holder.path, route).await;
    }
    let server = crate::sharing::sold().await;
    server.send(call(share, "", API_KEY)).await;
    server.later(10_000).await;
    server.later(10_000).await;
    crowd(&server, give_back.path, give_back).await;
}

/// WeChat refuses the next call of this kind.
async fn refuse_by_wechat(server: &TestServer, kind: &str, route: &Route) {
    let refusal = json!([
        { "route": kind, "kind": "refused", "code": "INVALID_REQUEST", "rate": 1.0, "count": 1 },
    ]);
    server.control("POST", "faults", &refusal.to_string()).await;
    let refused = server.send(call(route, "", API_KEY)).await;
    assert_eq!(
        refused.code(),
        "WECHAT_REFUSED",
        "{}: {}",
        route.path,
        refused.json
    );
}

async fn refuse_receivers() {
    let v2 = crate::version_2::only::open().await;
    let server = TestServer::open().await;
    for path in ["/receivers", "/receivers/delete"] {
        let route = sharing(path, RouteMethod::Post);
        let refused = v2.send(call(route, "", API_KEY)).await;
        assert_eq!(refused.code(), "PRODUCT_UNAVAILABLE");
        refuse_by_wechat(&server, "receiver", route).await;
        server.wechat.inject("receiver", Fault::NotSent);
        let away = server.send(call(route, "", API_KEY)).await;
        assert_eq!(away.code(), "WECHAT_UNAVAILABLE");
    }
}

/// More calls of the backend than may wait for one order.
const TOO_MANY: usize = 40;

async fn refuse_calls_for_a_busy_order() {
    for path in ["/orders/{order_no}/close", "/orders/{order_no}/attempts"] {
        let server = TestServer::open().await;
        server.default_order().await;
        let route = ROUTES.iter().find(|route| route.path == path).unwrap();
        crowd(&server, "/orders/{order_no}/attempts", route).await;
    }
    let refunds = ROUTES.iter().find(|route| {
        route.path == "/orders/{order_no}/refunds" && route.method == RouteMethod::Post
    });
    let server = bought().await;
    crowd(&server, "/orders/{order_no}/refunds", refunds.unwrap()).await;
    let server = bought().await;
    refund(&server, json!({ "refund_no": "R-1" })).await;
    server.decide("R-1", "abnormal").await;
    for notification in server.take_notifications() {
        server
            .deliver_to("/wechat/notify/refund", &notification)
            .await;
    }
    let path = "/refunds/{refund_no}/apply-abnormal-refund";
    let route = ROUTES.iter().find(|route| route.path == path).unwrap();
    crowd(&server, path, route).await;
}

/// A call of `holder` gets no answer from WeChat and holds the order; then many come to `route`.
async fn crowd(server: &TestServer, holder: &str, route: &Route) {
    let is_holder = |route: &&Route| route.path == holder && route.method == RouteMethod::Post;
    let holder = ROUTES.iter().find(is_holder).unwrap();
    let reached = Arc::new(Notify::new());
    server.wechat.cut(1, false, reached.clone());
    let app = server.app.clone();
    let held = call(holder, "", API_KEY);
    let held = tokio::spawn(async move { app.oneshot(held).await });
    reached.notified().await;
    let mut others = JoinSet::new();
    for _ in 0..TOO_MANY {
        let (app, request) = (server.app.clone(), call(route, "", API_KEY));
        others.spawn(async move { read(app.oneshot(request).await.unwrap()).await });
    }
    let path = call(route, "", API_KEY).uri().path().to_owned();
    let refused = others.join_next().await.unwrap().unwrap();
    assert_eq!(refused.code(), "RATE_LIMITED", "{path}");
    check(route.method.as_str(), &path, &refused);
    held.abort();
}

async fn fail_without_a_ledger() {
    let server = bought().await;
    let token = server
        .post_order(&json!({ "total_fen": 1, "description": "tea" }))
        .await;
    let token = token.string("token").to_owned();
    the_next_morning(&server);
    let pool = server.database().await;
    let tables: Vec<String> = sqlx::query_scalar(if cluster::is_used() {
        "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    })
    .fetch_all(&pool)
    .await
    .unwrap();
    for table in tables {
        let rename = format!("ALTER TABLE {table} RENAME TO {table}_gone");
        let rename = sqlx::AssertSqlSafe(rename);
        sqlx::query(rename).execute(&pool).await.unwrap();
    }
    for route in ROUTES {
        if WITHOUT_LEDGER.contains(&route.path) {
            continue;
        }
        let answer = server.send(call(route, &token, API_KEY)).await;
        assert_eq!(answer.code(), "INTERNAL", "{}: {}", route.path, answer.json);
    }
}

/// The database is gone, as while its server restarts.
async fn refuse_without_a_database() {
    if !cluster::is_used() {
        return;
    }
    let server = bought().await;
    the_next_morning(&server);
    cluster::take_away(server.folder.path()).await;
    let needs_ledger = |route: &&Route| !WITHOUT_LEDGER.contains(&route.path);
    for route in ROUTES.iter().filter(needs_ledger) {
        let answer = server.send(call(route, "any", API_KEY)).await;
        assert_eq!(
            answer.code(),
            UNAVAILABLE,
            "{}: {}",
            route.path,
            answer.json
        );
    }
}
