//! The headers of every page and answer, which addresses are trusted, and what is never shown.

use axum::body::Body;
use http::{Request, StatusCode};
use merchant_server::Config;

use crate::test_server::{API_KEY, Answer, KEYS, TestServer, backend, configuration, form};

const LIMITS: &str = "rate_limits = { token_per_minute = 5, address_per_minute = 100 }";

#[tokio::test]
async fn every_page_has_a_policy_for_what_it_loads_and_forbids_frames() {
    let server = TestServer::open_with(LIMITS).await;
    let token = server.default_order().await;
    let pages = [
        server.get(&format!("/c/{token}")).await,
        server
            .form(
                &format!("/c/{token}/start"),
                &[("product", "native"), ("after", "0")],
            )
            .await,
        server
            .form(&format!("/c/{token}/start"), &[("product", "nonsense")])
            .await,
        server.form(&format!("/c/{token}/check"), &[]).await,
        server.get(&format!("/c/{token}")).await,
        // This call is above the limit.
        server.get(&format!("/c/{token}")).await,
        server.get("/c/AAAAAAAAAAAAAAAAAAAAAA").await,
        server.get("/p").await,
        server.get("/wechat/oauth/callback?code=x&state=y").await,
        server.get("/wechat/oauth/callback").await,
    ];
    for page in pages {
        is_strict(&page);
    }
}

#[tokio::test]
async fn an_internal_error_shows_a_page_with_the_same_policy() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let database = server.database().await;
    for table in ["orders", "attempts", "oauth_states"] {
        // The table keeps the new name, so the ledger cannot answer from now on.
        let rename = format!("ALTER TABLE {table} RENAME TO {table}_gone");
        sqlx::query(sqlx::AssertSqlSafe(rename))
            .execute(&database)
            .await
            .unwrap();
    }
    let receipt = format!(
        "/wechat/receipt?sub_mch_id=1&out_trade_no=2&check_code={}",
        "0".repeat(32)
    );
    let pages = [
        server.get(&format!("/c/{token}")).await,
        server.get(&format!("/c/{token}/status?seen=1")).await,
        server
            .form(&format!("/c/{token}/start"), &[("product", "native")])
            .await,
        server.form(&format!("/c/{token}/check"), &[]).await,
        server.get("/wechat/oauth/callback?code=x&state=y").await,
        server.get(&receipt).await,
    ];
    for page in pages {
        assert_eq!(
            page.status,
            StatusCode::INTERNAL_SERVER_ERROR,
            "{}",
            page.text()
        );
        assert!(page.text().contains("支付系统出现异常"), "{}", page.text());
        is_strict(&page);
    }
}

/// The headers of every page.
fn is_strict(page: &Answer) {
    let shown = (page.status, page.text());
    let header = |name: &str| {
        page.headers
            .get(name)
            .unwrap_or_else(|| panic!("{name} in {shown:?}"))
            .to_str()
            .unwrap()
    };
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("referrer-policy"), "strict-origin-when-cross-origin");
    if page.status.is_redirection() {
        return;
    }
    let policy = header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(rule), "{rule} in {policy}");
    }
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    assert!(!page.text().contains("style=\""), "{shown:?}");
}

#[tokio::test]
async fn no_answer_can_be_read_as_another_type() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let answers = [
        server.checkout(&token).await,
        server.checkout("unknown").await,
        server.get("/v1/orders").await,
        server.get("/openapi.json").await,
        server.get("/healthz").await,
        server.get("/c.css").await,
        server.get("/nowhere").await,
    ];
    for answer in answers {
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{answer:?}"
        );
    }
}

/// A server with WeChat's real host names. Its calls still go to the simulator.
pub(crate) async fn live() -> TestServer {
    TestServer::open_configured(&live_configuration()).await
}

pub(crate) fn live_configuration() -> String {
    configuration("")
        .replace("http://127.0.0.1:8080", "https://pay.shop.example")
        .replace("http://127.0.0.1:8000", "https://www.shop.example")
        .replace(
            "environment = \"simulator\"",
            "environment = \"wechat\"\nbase_url = \"https://api.mch.weixin.qq.com\"",
        )
}

async fn h5(server: &TestServer, token: &str, peer: &str, forwarded_for: &str) -> Answer {
    let fields = [
        ("product", "h5"),
        ("return_url", "https://www.shop.example/thanks"),
    ];
    let path = format!("/v1/checkouts/{token}/attempts");
    server.form_from(peer, forwarded_for, &path, &fields).await
}

#[tokio::test]
async fn h5_without_a_usable_client_address_is_refused_with_the_reason() {
    let server = live().await;
    let token = server.default_order().await;
    // peer, X-Forwarded-For. 127.0.0.1 is the trusted proxy.
    for (peer, forwarded_for) in [
        ("127.0.0.1", ""),
        ("127.0.0.1", "10.1.2.3"),
        ("127.0.0.1", "100.64.0.1"),
        ("192.168.0.7", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, nonsense"),
    ] {
        let refused = h5(&server, &token, peer, forwarded_for).await;
        assert_eq!(
            refused.code(),
            "PRODUCT_UNAVAILABLE",
            "{peer} {forwarded_for}"
        );
        let message = refused.json["error"]["message"].as_str().unwrap();
        assert!(message.contains("trusted_proxies"), "{message}");
    }
    assert_eq!(server.wechat.take_sent(), []);
    // An address that the buyer writes into the header is not used.
    let answer = h5(&server, &token, "127.0.0.1", "203.0.113.66, 198.51.100.1").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    let sent = server.wechat.take_sent();
    let body = String::from_utf8(sent[0].body.to_vec()).unwrap();
    assert!(
        body.contains("\"payer_client_ip\":\"198.51.100.1\""),
        "{body}"
    );
}

#[tokio::test]
async fn a_buyer_is_redirected_only_to_allowed_origins() {
    let server = live().await;
    let token = server.default_order().await;
    for return_url in [
        "https://evil.example/thanks",
        "https://www.shop.example.evil.example/",
        "https://www.shop.example@evil.example/",
        "http://www.shop.example/thanks",
        "https://www.shop.example:8443/thanks",
        "javascript:alert(1)",
        "//evil.example",
        "https://www.shop.example\\.evil.example/",
    ] {
        let fields = [("product", "h5"), ("return_url", return_url)];
        let path = format!("/v1/checkouts/{token}/attempts");
        let refused = server.form_from("198.51.100.1", "", &path, &fields).await;
        assert_eq!(refused.code(), "RETURN_URL_REFUSED", "{return_url}");
    }
    assert_eq!(server.wechat.take_sent(), []);
}

#[test]
fn a_printed_configuration_shows_no_secret() {
    let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let text = configuration("").replace(
        "[gateway]",
        &format!(
            "[[webhooks]]\nurl = \"http://127.0.0.1:7000/\"\nsecret = \"{secret}\"\n[gateway]"
        ),
    );
    let config = Config::parse(&text, std::path::Path::new(".")).unwrap();
    let shown = format!("{config:?} {config:#?}");
    let key = std::fs::read_to_string(KEYS.path().join("apiclient_key.pem")).unwrap();
    let key_line = key.lines().nth(1).unwrap();
    let merchant = crate::test_server::merchant();
    for hidden in [
        merchant["app_secret"].as_str().unwrap(),
        merchant["api_v3_key"].as_str().unwrap(),
        key_line,
        &secret[6..],
        "48, 49, 50, 51",
    ] {
        assert!(!shown.contains(hidden));
    }
    assert!(shown.contains("redacted"));
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_by_every_route() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let large = "x".repeat(300 * 1024);
    let attempts = format!("/v1/checkouts/{token}/attempts");
    let requests = [
        form(&attempts, &[("product", &large)]),
        form(
            &format!("/v1/checkouts/{token}/cancel"),
            &[("after", &large)],
        ),
        form(&format!("/c/{token}/start"), &[("product", &large)]),
        form(&format!("/c/{token}/check"), &[("x", &large)]),
        backend("/v1/orders", API_KEY, large.clone()),
        backend("/v1/orders/tea-0001/close", API_KEY, large.clone()),
        Request::post("/wechat/notify/payment")
            .body(Body::from(large))
            .unwrap(),
    ];
    for request in requests {
        let path = request.uri().path().to_owned();
        let answer = server.send(request).await;
        // A route that does not read its body does not limit its length either.
        let is_unread = path.ends_with("/close") || path.ends_with("/check");
        if !is_unread {
            assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        }
    }
    assert_eq!(server.wechat.take_sent(), []);
}

#[tokio::test]
async fn a_token_in_another_spelling_has_the_same_quota() {
    let server = TestServer::open_with(LIMITS).await;
    let token = server.default_order().await;
    let spelt = format!("%{:02X}{}", token.as_bytes()[0], &token[1..]);
    let mut statuses = Vec::new();
    for number in 0..8 {
        let token = if number % 2 == 0 { &token } else { &spelt };
        let answer = server.get(&format!("/v1/checkouts/{token}")).await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429]);
}
