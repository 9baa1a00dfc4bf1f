//! The till: its page, and what an API key of the scope `till` may do. The page itself is tested in
//! browsers.

use axum::body::Body;
use http::{Request, StatusCode};
use merchant_api::{ROUTES, RouteAccess, RouteMethod};
use serde_json::{Value, json};

use crate::fault_injector::Fault;
use crate::test_server::{
    API_KEY, Answer, TestServer, backend, configuration, sub_merchant, sub_merchant_table,
};

const TILL_KEY: &str = "a till's key";
/// A key with the scope `till` alone; its hash was made with another program.
const TILL_TABLE: &str = r#"
[[api_keys]]
name = "till 1"
sha256 = "a213dc6ed986a8731127b73d446e3afc14a4137343a11d140e493eb05e46693d"
scopes = ["till"]
"#;
const PRODUCTS: &str = r#"products = ["native", "code_pay"]"#;
const VERSIONS: [&str; 2] = ["", "api = \"v2\"\n"];
/// Less than this needs no password.
const WITHOUT_PASSWORD_FEN: u64 = 1990;
const WITH_PASSWORD_FEN: u64 = 100_000;
const SALE: &str = "T20261121AAAABBBB";

async fn till(merchant: &str) -> TestServer {
    TestServer::open_configured(&(configuration(PRODUCTS) + merchant + TILL_TABLE)).await
}

async fn get(server: &TestServer, key: &str, path: &str) -> Answer {
    let request = Request::get(path).header("authorization", format!("Bearer {key}"));
    server.send(request.body(Body::empty()).unwrap()).await
}

async fn post(server: &TestServer, path: &str, body: &Value) -> Answer {
    server.send(backend(path, TILL_KEY, body.to_string())).await
}

/// The page's two calls for a sale.
async fn sell(server: &TestServer, total_fen: u64, code: &str) -> Answer {
    let order = json!({
        "order_no": SALE, "total_fen": total_fen, "description": "门店消费", "products": ["code_pay"],
    });
    let ordered = post(server, "/v1/orders", &order).await;
    assert!(ordered.status.is_success(), "{}", ordered.json);
    scan(server, code, 0).await
}

async fn scan(server: &TestServer, code: &str, after: u64) -> Answer {
    let attempt = json!({
        "product": "code_pay", "auth_code": code, "after": after,
        "scene_info": {"store_info": {"out_id": "0001"}, "device_id": "1"},
    });
    post(server, &format!("/v1/orders/{SALE}/attempts"), &attempt).await
}

async fn state(server: &TestServer) -> String {
    let order = get(server, TILL_KEY, &format!("/v1/orders/{SALE}")).await;
    order.string("state").to_owned()
}

#[tokio::test]
async fn the_page_needs_no_key_holds_no_data_and_loads_only_its_own_files() {
    let server = TestServer::open().await;
    for (accepted, tag, title) in [("zh-CN", "zh-CN", "收银台"), ("en-GB", "en", "Till")] {
        let request = Request::get("/till").header("accept-language", accepted);
        let page = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(page.status, StatusCode::OK);
        let text = page.text();
        assert!(text.contains(&format!("<html lang=\"{tag}\">")), "{text}");
        assert!(text.contains(&format!("<title>{title}")), "{text}");
        // A field without a name is never sent by the browser itself.
        assert!(!text.contains(" name=\"key\""), "{text}");
        for (header, expected) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            (
                "content-security-policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
                 connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
        ] {
            assert_eq!(page.headers[header], expected);
        }
        let sources = text.split("src=\"").chain(text.split("href=\"")).skip(1);
        for source in sources.filter_map(|rest| rest.split('"').next()) {
            let is_own = source.starts_with("/till/") || source == "data:,";
            assert!(is_own || source.starts_with("<!DOCTYPE"), "{source}");
        }
    }
    for (path, kind) in [
        ("/till/till.js", "text/javascript; charset=utf-8"),
        ("/till/screen.js", "text/javascript; charset=utf-8"),
        ("/till/server.js", "text/javascript; charset=utf-8"),
        ("/till/values.js", "text/javascript; charset=utf-8"),
        ("/till/till.css", "text/css; charset=utf-8"),
    ] {
        let file = server.get(path).await;
        assert_eq!(file.headers["content-type"], kind, "{path}");
        assert_eq!(file.headers["cache-control"], "no-cache", "{path}");
    }
}

#[tokio::test]
async fn only_a_key_with_the_scope_till_and_no_other_opens_a_till() {
    let server = till("").await;
    let opened = get(&server, TILL_KEY, "/till/settings").await;
    let settings = json!({"offers_code_pay": true, "sub_mchids": []});
    assert_eq!(opened.json, settings);
    assert_eq!(opened.headers["cache-control"], "no-store");
    let unknown = get(&server, "nobody's", "/till/settings").await;
    assert_eq!(unknown.code(), "UNAUTHORIZED");
    // The shop's key has every scope: too much for a counter.
    let owner = get(&server, API_KEY, "/till/settings").await;
    assert_eq!(owner.code(), "FORBIDDEN");
    assert_eq!(owner.json["error"]["field"], "scopes");

    let reader = TILL_TABLE.replace("\"till\"]", "\"orders:read\"]");
    let server = TestServer::open_with_end(&reader).await;
    let lacking = get(&server, TILL_KEY, "/till/settings").await;
    assert_eq!(lacking.code(), "FORBIDDEN");
    assert!(lacking.text().contains("lacks the scope till"));
}

#[tokio::test]
async fn the_settings_name_the_sub_merchants_and_whether_codes_are_taken() {
    let sub = sub_merchant(1);
    let server = till(&sub_merchant_table(&sub)).await;
    let settings = get(&server, TILL_KEY, "/till/settings").await;
    assert_eq!(settings.json["sub_mchids"], json!([sub.sub_mchid]));
    let server = TestServer::open_with_end(TILL_TABLE).await;
    let settings = get(&server, TILL_KEY, "/till/settings").await;
    assert_eq!(settings.json["offers_code_pay"], false);
}

#[tokio::test]
async fn a_tills_key_may_use_four_routes_of_the_contract_and_no_other() {
    let server = till("").await;
    let allowed = [
        ("POST", "/orders"),
        ("GET", "/orders/{order_no}"),
        ("POST", "/orders/{order_no}/attempts"),
        ("POST", "/orders/{order_no}/close"),
    ];
    let mut refused = 0;
    for route in ROUTES {
        let RouteAccess::ApiKey { .. } = route.access else {
            continue;
        };
        let path = route
            .path
            .replace("{order_no}", SALE)
            .replace("{day}", "2026-11-20")
            .replace(['{', '}'], "");
        let path = format!("/v1{path}");
        let answer = match route.method {
            RouteMethod::Get => get(&server, TILL_KEY, &path).await,
            RouteMethod::Post => post(&server, &path, &json!({})).await,
        };
        let is_allowed = allowed.contains(&(route.method.as_str(), route.path));
        let is_forbidden = answer.code() == "FORBIDDEN";
        assert_eq!(is_forbidden, !is_allowed, "{path}: {}", answer.json);
        refused += usize::from(is_forbidden);
    }
    assert!(refused > 8, "{refused}");
    assert_eq!(get(&server, TILL_KEY, "/metrics").await.code(), "FORBIDDEN");
}

#[tokio::test]
async fn a_tills_key_starts_attempts_by_code_and_no_others() {
    let server = till("").await;
    server.default_order().await;
    for attempt in [
        json!({"product": "native"}),
        json!({"product": "h5", "payer_client_ip": "10.0.0.1"}),
        json!({"product": "jsapi", "payer": {"openid": "oAnyone"}}),
    ] {
        let answer = post(&server, "/v1/orders/tea-0001/attempts", &attempt).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{attempt}: {}", answer.json);
        assert!(answer.text().contains("lacks the scope orders:write"));
    }
    assert_eq!(server.wechat.take_sent(), []);
}

#[tokio::test]
async fn a_sale_that_is_sent_again_and_again_charges_once() {
    for version in VERSIONS {
        let server = till(version).await;
        let code = server.shown_code().await;
        let first = sell(&server, WITHOUT_PASSWORD_FEN, &code).await;
        assert_eq!(first.string("state"), "paid", "{version} {}", first.json);
        for _ in 0..3 {
            let again = sell(&server, WITHOUT_PASSWORD_FEN, &code).await;
            assert_eq!(again.string("state"), "paid", "{version} {}", again.json);
        }
        // Even a fresh code charges nothing more.
        let other = server.shown_code().await;
        let other = sell(&server, WITHOUT_PASSWORD_FEN, &other).await;
        assert_eq!(other.string("state"), "paid", "{}", other.json);
        assert_eq!(server.wechat.take_kinds(), ["order"], "{version}");
    }
}

#[tokio::test]
async fn a_code_whose_answer_was_lost_is_followed_and_another_code_is_not_sent() {
    for version in VERSIONS {
        let server = till(version).await;
        let code = server.shown_code().await;
        server.wechat.inject("order", Fault::AnswerLost);
        let doubt = sell(&server, WITHOUT_PASSWORD_FEN, &code).await;
        assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT", "{version} {}", doubt.json);
        // The page reloads and does not know of the attempt.
        let other = server.shown_code().await;
        let other = scan(&server, &other, 0).await;
        assert_eq!(other.code(), "ATTEMPT_SUPERSEDED", "{}", other.json);
        server.later(5_000).await;
        assert_eq!(state(&server).await, "paid", "{version}");
        let sent = server.wechat.take_kinds();
        let orders = sent.iter().filter(|kind| **kind == "order").count();
        assert_eq!(orders, 1, "{sent:?}");
    }
}

#[tokio::test]
async fn a_cancelled_sale_is_taken_back_and_cannot_be_paid_any_more() {
    for version in VERSIONS {
        let server = till(version).await;
        let code = server.shown_code().await;
        let waiting = sell(&server, WITH_PASSWORD_FEN, &code).await;
        assert_eq!(waiting.string("state"), "open", "{}", waiting.json);
        let path = format!("/v1/orders/{SALE}/close");
        let mut closed = post(&server, &path, &json!({})).await;
        if closed.code() == "ATTEMPT_IN_DOUBT" {
            let wait_ms = closed.json["error"]["retry_after_ms"].as_u64().unwrap();
            server.later(wait_ms).await;
            closed = post(&server, &path, &json!({})).await;
        }
        assert_eq!(
            closed.string("state"),
            "closed",
            "{version} {}",
            closed.json
        );
        assert_eq!(server.trade_state(SALE).as_deref(), Some("REVOKED"));
        let late = server.shown_code().await;
        let late = scan(&server, &late, 1).await;
        assert_eq!(late.string("state"), "closed", "{}", late.json);
        assert_eq!(state(&server).await, "closed");
    }
}
