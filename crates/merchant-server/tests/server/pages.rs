//! The hosted page, the element's files, and the health checks.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::test_server::{SHOP, TestServer};

#[tokio::test]
async fn the_hosted_page_shows_the_order_and_holds_the_element() {
    let server = TestServer::open().await;
    let token = server
        .order(json!({
            "order_no": "tea-0001", "total_fen": 1990, "description": "<b>一壶茶</b> & \"cup\"",
        }))
        .await;
    let page = server.get(&format!("/c/{token}")).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    for expected in [
        "<html lang=\"zh-CN\">",
        "&lt;b&gt;一壶茶&lt;/b&gt; &amp;",
        "¥19.90",
        "tea-0001",
        &*format!("<wechat-pay class=\"for-code\" token=\"{token}\" merchant-api=\"/v1\">"),
        "<script type=\"module\" src=\"/dist/wechat-pay.js\">",
        "测试环境",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "connect-src 'self'",
        "form-action 'self' https://wx.tenpay.com",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{rule} in {policy}");
    }
    assert_eq!(
        page.headers["referrer-policy"],
        "strict-origin-when-cross-origin"
    );
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(server.wechat.take_sent(), [], "looking orders nothing");
    for (path, kind) in [
        ("/c.css", "text/css; charset=utf-8"),
        ("/c.js", "text/javascript; charset=utf-8"),
    ] {
        assert_eq!(server.get(path).await.headers["content-type"], kind);
    }
}

#[tokio::test]
async fn an_unknown_token_has_a_page_of_its_own() {
    let server = TestServer::open().await;
    let page = server.get("/c/AAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text().contains("未找到"));
    assert!(!page.text().contains("wechat-pay"));
}

#[tokio::test]
async fn the_elements_files_have_their_types_and_load_across_origins() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wechat-pay.js"), "export {}").unwrap();
    std::fs::write(folder.path().join("wechat-pay.wasm"), b"\0asm").unwrap();
    std::fs::write(folder.path().parent().unwrap().join("outside.txt"), "x").unwrap();
    let lines = format!("bundle_dir = \"{}\"", folder.path().display());
    let server = TestServer::open_with(&lines).await;
    for (path, kind) in [
        ("/dist/wechat-pay.js", "text/javascript"),
        ("/dist/wechat-pay.wasm", "application/wasm"),
    ] {
        let request = Request::get(path).header("origin", SHOP);
        let file = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        assert_eq!(file.headers["content-type"], kind);
        assert_eq!(file.headers["access-control-allow-origin"], "*");
        assert_eq!(file.headers["cross-origin-resource-policy"], "cross-origin");
        assert_eq!(file.headers["x-content-type-options"], "nosniff");
    }
    for path in [
        "/dist/",
        "/dist/missing.js",
        "/dist/../outside.txt",
        "/dist/%2e%2e/outside.txt",
    ] {
        assert_eq!(
            server.get(path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_elements_files_are_compressed_for_browsers_that_accept_it() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "wechat-pay.wasm",
        "wechat-pay.wasm.br",
        "wechat-pay.wasm.gz",
    ] {
        std::fs::write(folder.path().join(name), name).unwrap();
    }
    std::fs::write(folder.path().join("problems.js"), "problems.js").unwrap();
    let lines = format!("bundle_dir = \"{}\"", folder.path().display());
    let server = TestServer::open_with(&lines).await;
    for (path, accepted, sent, encoding) in [
        (
            "wechat-pay.wasm",
            "gzip, deflate, br, zstd",
            "wechat-pay.wasm.br",
            Some("br"),
        ),
        (
            "wechat-pay.wasm",
            "gzip, deflate",
            "wechat-pay.wasm.gz",
            Some("gzip"),
        ),
        (
            "wechat-pay.wasm",
            "br;q=0, gzip;q=0.5",
            "wechat-pay.wasm.gz",
            Some("gzip"),
        ),
        ("wechat-pay.wasm", "identity", "wechat-pay.wasm", None),
        // It has no compressed form.
        ("problems.js", "gzip, deflate, br", "problems.js", None),
    ] {
        let request = Request::get(format!("/dist/{path}")).header("accept-encoding", accepted);
        let file = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(file.status, StatusCode::OK, "{path} {accepted}");
        assert_eq!(file.text(), sent, "{path} {accepted}");
        let given = file.headers.get("content-encoding");
        let given = given.map(|value| value.to_str().unwrap());
        assert_eq!(given, encoding, "{path} {accepted}");
        assert_eq!(file.headers["vary"], "accept-encoding", "{path} {accepted}");
    }
    let request = Request::get("/dist/wechat-pay.wasm").header("accept-encoding", "br");
    let file = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(file.headers["content-type"], "application/wasm");
}

#[tokio::test]
async fn only_the_elements_files_with_a_digest_in_their_name_are_kept_without_asking() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["wechat-pay.js", "wechat-pay-0.1.0-1a2b3c4d.wasm"];
    for name in names {
        std::fs::write(folder.path().join(name), name).unwrap();
    }
    let lines = format!("bundle_dir = \"{}\"", folder.path().display());
    let server = TestServer::open_with(&lines).await;
    for (name, policy) in [
        (names[0], "no-cache"),
        (names[1], "public, max-age=31536000, immutable"),
    ] {
        let file = server.get(&format!("/dist/{name}")).await;
        assert_eq!(file.status, StatusCode::OK, "{name}");
        assert_eq!(file.headers["cache-control"], policy, "{name}");
        assert_eq!(file.headers["vary"], "accept-encoding", "{name}");
        assert!(file.headers.contains_key("etag"), "{name}");
        assert!(!file.headers.contains_key("last-modified"), "{name}");
    }
    // A file of another version: a cache must not keep that it is missing.
    let missing = server.get("/dist/wechat-pay-0.1.0-4d3c2b1a.wasm").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn health_is_reported() {
    let server = TestServer::open().await;
    assert_eq!(server.get("/healthz").await.text(), "ok\n");
}
