//! Which answers a page of another origin can read, so that the element can tell a wrong address
//! from an origin that is not allowed, and both from a server that is off.

use axum::body::Body;
use http::{Method, Request, StatusCode};

use crate::fault_injector::Fault;
use crate::test_server::{Answer, MERCHANT, SHOP, TestServer, form};

const STRANGER: &str = "https://shop.example";

/// What a page of this origin gets.
async fn call(server: &TestServer, origin: &str, mut request: Request<Body>) -> Answer {
    let origin = origin.parse().unwrap();
    request.headers_mut().insert("origin", origin);
    server.send(request).await
}

fn by(method: &str, path: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    request.body(Body::empty()).unwrap()
}

/// The origins that may read an answer. Browsers refuse two of these headers, so there is one.
#[track_caller]
fn readers(answer: &Answer) -> Option<&str> {
    let mut found = answer.headers.get_all("access-control-allow-origin").iter();
    let origin = found.next().map(|value| value.to_str().unwrap());
    assert_eq!(found.next(), None, "two headers");
    assert!(
        !answer
            .headers
            .contains_key("access-control-allow-credentials")
    );
    origin
}

#[tokio::test]
async fn every_page_can_read_that_an_address_or_a_method_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let server =
        TestServer::open_with(&format!("bundle_dir = \"{}\"", folder.path().display())).await;
    let token = server.default_order().await;
    // The calls of an element with a wrong `merchant-api`, and other mistakes of a page.
    let cases = [
        ("GET", format!("/checkouts/{token}"), 404),
        ("GET", format!("//v1/checkouts/{token}"), 404),
        ("GET", format!("/v2/checkouts/{token}"), 404),
        ("GET", format!("/V1/checkouts/{token}"), 404),
        ("GET", format!("/v1/v1/checkouts/{token}"), 404),
        ("GET", format!("/v1/orders/checkouts/{token}"), 404),
        ("GET", format!("/c/checkouts/{token}"), 404),
        ("GET", format!("/c/{token}/checkouts/{token}"), 404),
        ("POST", format!("/checkouts/{token}/attempts"), 404),
        ("GET", format!("/v1/checkouts/{token}/later"), 404),
        ("GET", "/".to_owned(), 404),
        ("GET", "/anything".to_owned(), 404),
        ("GET", "/dist/wechat_pay.js".to_owned(), 404),
        ("POST", "/dist/wechat-pay.js".to_owned(), 405),
        ("PUT", format!("/v1/checkouts/{token}"), 405),
        ("DELETE", format!("/v1/checkouts/{token}/cancel"), 405),
        ("PUT", format!("/c/{token}"), 405),
        ("DELETE", "/v1/orders".to_owned(), 405),
    ];
    for (method, path, status) in cases {
        let answer = call(&server, STRANGER, by(method, &path)).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        assert_eq!(readers(&answer), Some("*"), "{method} {path}");
        let answer = call(&server, SHOP, by(method, &path)).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        let expected = if path.starts_with("/v1/checkouts") && status == 405 {
            SHOP
        } else {
            "*"
        };
        assert_eq!(readers(&answer), Some(expected), "{method} {path}");
    }
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_can_read_the_refusal_and_nothing_of_the_order() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    for path in [
        format!("/v1/checkouts/{token}"),
        format!("/v1/checkouts/{token}?wait=25&seen=1"),
        "/v1/checkouts/nobody".to_owned(),
        // Also for a route that takes only POST: the engineer has to fix the origin first.
        format!("/v1/checkouts/{token}/attempts"),
    ] {
        for origin in [
            STRANGER,
            "null",
            "http://127.0.0.1:8001",
            "https://127.0.0.1:8000",
        ] {
            let answer = call(&server, origin, by("GET", &path)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin} {path}");
            assert_eq!(answer.code(), "ORIGIN_NOT_ALLOWED");
            assert_eq!(readers(&answer), Some("*"), "{origin} {path}");
            let message = answer.json["error"]["message"].as_str().unwrap();
            let expected = format!("the page's origin {origin} is not in allowed_origins");
            assert_eq!(message, expected);
            assert_eq!(answer.json.as_object().unwrap().len(), 1, "{}", answer.json);
            // No cache may give this answer to a page of the shop.
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert_eq!(answer.headers["vary"], "origin");
        }
    }
    let long = format!("https://{}.example", "a".repeat(5_000));
    let answer = call(&server, &long, by("GET", &format!("/v1/checkouts/{token}"))).await;
    assert!(answer.body.len() < 500, "{}", answer.body.len());
}

#[tokio::test]
async fn the_servers_own_pages_and_programs_without_an_origin_are_answered() {
    let server = TestServer::open().await;
    let path = format!("/v1/checkouts/{}", server.default_order().await);
    let read = async |headers: &[(&str, &str)]| {
        let mut request = by("GET", &path);
        for (name, value) in headers {
            let name = http::HeaderName::try_from(*name).unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        server.send(request).await.status.as_u16()
    };
    assert_eq!(read(&[]).await, 200, "no browser");
    assert_eq!(read(&[("origin", SHOP)]).await, 200);
    assert_eq!(
        read(&[("origin", MERCHANT)]).await,
        200,
        "its public address"
    );
    let own = [("origin", STRANGER), ("host", "shop.example")];
    assert_eq!(read(&own).await, 200, "another name of this server");
    let own = [("origin", STRANGER), ("sec-fetch-site", "same-origin")];
    assert_eq!(read(&own).await, 200, "behind a proxy of the shop's");
    let other = [("origin", STRANGER), ("sec-fetch-site", "same-site")];
    assert_eq!(read(&other).await, 403);
    let other = [("origin", STRANGER), ("host", "pay.shop.example")];
    assert_eq!(read(&other).await, 403);
    let other = [("origin", "null"), ("host", "")];
    assert_eq!(read(&other).await, 403);
}

#[tokio::test]
async fn a_shop_that_puts_this_api_under_its_own_address_needs_no_allowed_origin() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    // Browsers send the origin with every POST, also with a POST to the page's own server.
    let attempts = format!("/v1/checkouts/{token}/attempts");
    let request = form(&attempts, &[("product", "native"), ("after", "0")]);
    let started = call(&server, STRANGER, request).await;
    assert_eq!(started.status, StatusCode::OK);
    assert_eq!(readers(&started), None, "another page cannot read it");
}

#[tokio::test]
async fn the_shops_page_can_read_every_error() {
    let limits = "rate_limits = { token_per_minute = 3, address_per_minute = 100 }";
    let server = TestServer::open_with(limits).await;
    let start = |token: &str, product: &str| {
        let path = format!("/v1/checkouts/{token}/attempts");
        form(&path, &[("product", product), ("after", "0")])
    };
    let token = server.default_order().await;
    let path = format!("/v1/checkouts/{token}");
    server.wechat.inject("order", Fault::NotSent);
    let too_long = "a".repeat(9_000);
    for (request, status) in [
        (by("GET", "/v1/checkouts/nobody"), 404),
        (by("PATCH", &path), 405),
        (start(&token, &too_long), 413),
        (start(&token, "native"), 503),
        (by("GET", &path), 429),
    ] {
        let answer = call(&server, SHOP, request).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.json);
        assert_eq!(readers(&answer), Some(SHOP), "{status}");
        assert_eq!(
            answer.headers["access-control-expose-headers"],
            "retry-after"
        );
    }
    let drop_table = sqlx::query("ALTER TABLE orders RENAME TO gone");
    drop_table.execute(&server.database().await).await.unwrap();
    let answer = call(&server, SHOP, by("GET", "/v1/checkouts/another-token")).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(readers(&answer), Some(SHOP));
}

#[tokio::test]
async fn every_page_can_load_the_element() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wechat-pay.js"), "export {}").unwrap();
    std::fs::write(folder.path().join("wechat-pay.wasm"), b"\0asm").unwrap();
    let server =
        TestServer::open_with(&format!("bundle_dir = \"{}\"", folder.path().display())).await;
    for path in ["/dist/wechat-pay.js", "/dist/wechat-pay.wasm"] {
        for origin in [SHOP, STRANGER, "null"] {
            let file = call(&server, origin, by("GET", path)).await;
            assert_eq!(file.status, StatusCode::OK, "{path} {origin}");
            assert_eq!(readers(&file), Some("*"), "{path} {origin}");
        }
        let mut ahead = by(Method::OPTIONS.as_str(), path);
        let headers = ahead.headers_mut();
        headers.insert("access-control-request-method", "GET".parse().unwrap());
        let ahead = call(&server, STRANGER, ahead).await;
        assert_eq!((ahead.status, readers(&ahead)), (StatusCode::OK, Some("*")));
    }
}
