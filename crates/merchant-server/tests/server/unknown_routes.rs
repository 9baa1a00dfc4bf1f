//! Answers to an unknown route, to a method that the route does not take, and to a name that is not
//! UTF-8.

use axum::body::Body;
use http::{Request, StatusCode};

use crate::test_server::{Answer, SHOP, TestServer};

/// The headers of every answer of this kind.
#[track_caller]
fn check_headers(answer: &Answer, path: &str) {
    assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert!(answer.headers.contains_key("x-request-id"), "{path}");
}

#[tokio::test]
async fn an_unknown_path_is_refused_in_the_contracts_envelope() {
    let server = TestServer::open().await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/v1"),
        ("POST", "/v1"),
        ("GET", "/v2/orders"),
        ("GET", "/v1/orders/"),
        ("GET", "/v1/orders/tea-0001/refund"),
        ("DELETE", "/v1/checkouts/token/attempts/1"),
        ("GET", "/favicon.ico"),
        ("POST", "/wechat/notify"),
        ("GET", "/%FF"),
    ] {
        let refused = server.call(method, path).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{method} {path}");
        assert_eq!(refused.code(), "ROUTE_UNKNOWN", "{method} {path}");
        assert_eq!(refused.json["error"]["retryable"], false);
        check_headers(&refused, path);
    }
}

#[tokio::test]
async fn an_unsupported_method_is_refused_with_the_list_of_supported_ones() {
    let server = TestServer::open().await;
    for (method, path, allow) in [
        ("DELETE", "/v1/orders", "GET,HEAD,POST"),
        ("PUT", "/v1/orders/tea-0001", "GET,HEAD"),
        ("GET", "/v1/orders/tea-0001/close", "POST"),
        ("PATCH", "/v1/checkouts/token", "GET,HEAD"),
        ("GET", "/v1/checkouts/token/attempts", "POST"),
        ("GET", "/wechat/notify/payment", "POST"),
        ("POST", "/healthz", "GET,HEAD"),
    ] {
        let refused = server.call(method, path).await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(refused.code(), "METHOD_NOT_ALLOWED", "{path}");
        let named = refused.headers["allow"].to_str().unwrap();
        let mut named: Vec<_> = named.split(',').collect();
        named.sort_unstable();
        assert_eq!(named.join(","), allow, "{path}");
        check_headers(&refused, path);
    }
}

#[tokio::test]
async fn a_missing_file_of_the_element_is_refused_in_the_envelope_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wechat-pay.js"), "export {}").unwrap();
    let server =
        TestServer::open_with(&format!("bundle_dir = \"{}\"", folder.path().display())).await;
    let long = format!("/dist/{}.js", "a".repeat(5_000));
    let deep = format!("/dist{}", "/a".repeat(1_000));
    for path in [
        "/dist",
        "/dist/",
        "/dist/missing.js",
        "/dist/%FF",
        "/dist/%00",
        "/dist/wechat-pay.js%00",
        "/dist/a%0A.js",
        "/dist/..%2F..%2Fetc",
        "/dist/wechat-pay.js/more",
        &long,
        &deep,
    ] {
        let refused = server.call("GET", path).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(refused.code(), "ROUTE_UNKNOWN", "{path}");
        check_headers(&refused, path);
    }
    for path in ["/dist/wechat-pay.js", "/dist/missing.js"] {
        let refused = server.call("POST", path).await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(refused.code(), "METHOD_NOT_ALLOWED", "{path}");
        assert_eq!(refused.headers["allow"], "GET,HEAD", "{path}");
        check_headers(&refused, path);
    }
}

#[tokio::test]
async fn on_the_buyers_paths_a_refusal_is_a_page() {
    let server = TestServer::open().await;
    for (method, path, status) in [
        ("GET", "/c", StatusCode::NOT_FOUND),
        ("GET", "/c/", StatusCode::NOT_FOUND),
        ("GET", "/c/token/pay", StatusCode::NOT_FOUND),
        ("GET", "/c/%FF", StatusCode::NOT_FOUND),
        ("GET", "/c/token/start", StatusCode::METHOD_NOT_ALLOWED),
        ("PUT", "/c/token", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/p", StatusCode::NOT_FOUND),
        ("GET", "/p/", StatusCode::NOT_FOUND),
        ("PUT", "/p/nobodys", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let page = server.call(method, path).await;
        assert_eq!(page.status, status, "{method} {path}");
        assert!(page.text().starts_with("<!DOCTYPE html>"), "{path}");
        let is_link = path.starts_with("/p") && status == StatusCode::NOT_FOUND;
        let way = if is_link {
            "联系商家"
        } else {
            "返回商家页面"
        };
        assert!(page.text().contains(way), "{path}");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'"), "{policy}");
        check_headers(&page, path);
    }
}

#[tokio::test]
async fn a_path_that_is_not_utf8_is_answered_as_an_unknown_path() {
    let server = TestServer::open().await;
    for (method, path, code) in [
        ("GET", "/v1/checkouts/%FF", "CHECKOUT_UNKNOWN"),
        ("POST", "/v1/orders/%C0%80/close", "ORDER_UNKNOWN"),
        ("GET", "/v1/orders/%FF", "ORDER_UNKNOWN"),
        ("GET", "/v1/orders/%FF/refunds", "ORDER_UNKNOWN"),
        ("GET", "/v1/refunds/%FF", "REFUND_UNKNOWN"),
        ("POST", "/v1/webhooks/%FF/resend", "WEBHOOK_UNKNOWN"),
        ("GET", "/v1/links/%FF", "LINK_UNKNOWN"),
        ("GET", "/v1/bills/%FF", "INVALID_REQUEST"),
    ] {
        let refused = server.call(method, path).await;
        assert_eq!(refused.code(), code, "{method} {path}");
        check_headers(&refused, path);
    }
}

#[tokio::test]
async fn a_browsers_preflight_request_is_answered() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let request = Request::options(format!("/v1/checkouts/{token}/attempts"))
        .header("origin", SHOP)
        .header("access-control-request-method", "POST");
    let ahead = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(ahead.status, StatusCode::OK);
    assert_eq!(ahead.headers["access-control-allow-origin"], SHOP);
}
