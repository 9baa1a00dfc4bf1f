//! What operators see of the server, and what a page gets that calls too often.

use axum::body::Body;
use http::{Request, StatusCode};

use crate::test_server::{MINUTE_MS, TestServer, payment_notification, transaction};

const LIMITS: &str = "rate_limits = { token_per_minute = 3, address_per_minute = 5 }";

#[tokio::test]
async fn a_token_over_its_limit_has_to_wait_and_others_do_not() {
    let server = TestServer::open_with(LIMITS).await;
    let token = server.default_order().await;
    for _ in 0..3 {
        assert_eq!(server.checkout(&token).await.status, StatusCode::OK);
    }
    let refused = server.checkout(&token).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.code(), "RATE_LIMITED");
    let wait_ms = refused.json["error"]["retry_after_ms"].as_u64().unwrap();
    assert!((19_000..=20_001).contains(&wait_ms), "{wait_ms}");
    assert_eq!(refused.headers["retry-after"], "21");
    let page = server.get(&format!("/c/{token}")).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.text().contains("稍后再试"));
    server.clock.advance_ms(wait_ms);
    assert_eq!(server.checkout(&token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_address_that_guesses_tokens_is_limited_and_wechat_never_is() {
    let server = TestServer::open_with(LIMITS).await;
    for number in 0..5 {
        let answer = server.checkout(&format!("guess-{number}")).await;
        assert_eq!(answer.code(), "CHECKOUT_UNKNOWN");
    }
    assert_eq!(server.checkout("guess-5").await.code(), "RATE_LIMITED");
    let at_ms = crate::test_server::START_MS;
    for number in 0..20 {
        let id = format!("N{number}");
        let notification = payment_notification(&id, &transaction("unmatched-0001", 1), at_ms);
        assert_eq!(
            server.deliver(&notification).await.status,
            StatusCode::NO_CONTENT
        );
    }
    assert_eq!(server.read_private("/metrics").await.status, StatusCode::OK);
}

/// Peers guess tokens, one after the other. Returns after how many calls the first code other than
/// CHECKOUT_UNKNOWN comes.
async fn first_refusal(server: &TestServer, callers: &[(&str, &str)]) -> Option<usize> {
    for (number, (peer, forwarded_for)) in callers.iter().enumerate() {
        let path = format!("/v1/checkouts/guess-{number}/cancel");
        let fields = [("after", "0")];
        let answer = server.form_from(peer, forwarded_for, &path, &fields).await;
        match answer.code() {
            "CHECKOUT_UNKNOWN" => {}
            "RATE_LIMITED" => return Some(number),
            code => panic!("{code}"),
        }
    }
    None
}

/// An untrusted buyer's address must not be a way around the limit.
#[tokio::test]
async fn without_a_trusted_proxy_the_peers_address_is_counted() {
    for (peer, forwarded_for) in [
        // Another machine in our own network, which is not our proxy.
        ("192.168.0.7", ""),
        ("100.64.0.1", "198.51.100.1"),
        // Our proxy, without a readable address of the buyer.
        ("127.0.0.1", ""),
        ("127.0.0.1", "198.51.100.1, nonsense"),
    ] {
        let text = format!("{LIMITS}\n{}", crate::security::live_configuration());
        let server = TestServer::open_configured(&text).await;
        let callers = [(peer, forwarded_for); 6];
        assert_eq!(first_refusal(&server, &callers).await, Some(5), "{peer}");
    }
}

#[tokio::test]
async fn addresses_of_one_ipv6_network_count_together_and_others_do_not() {
    let callers = |third: &'static str| {
        [
            "2001:db8:0:1::1",
            "2001:db8:0:1::2",
            "2001:db8:0:1:ffff::3",
            "2001:db8:0:1:1:2:3:4",
            "2001:db8:0:1::5",
            third,
        ]
        .map(|buyer| ("127.0.0.1", buyer))
    };
    let server = TestServer::open_with(LIMITS).await;
    assert_eq!(
        first_refusal(&server, &callers("2001:db8:0:1::6")).await,
        Some(5)
    );
    let server = TestServer::open_with(LIMITS).await;
    assert_eq!(
        first_refusal(&server, &callers("2001:db8:0:2::6")).await,
        None
    );
}

#[tokio::test]
async fn metrics_count_calls_by_route_and_money_by_state_for_those_with_a_key() {
    let server = TestServer::open().await;
    assert_eq!(server.get("/metrics").await.code(), "UNAUTHORIZED");
    let token = server.default_order().await;
    server.checkout(&token).await;
    let at_ms = crate::test_server::START_MS;
    server
        .deliver(&payment_notification(
            "N1",
            &transaction("unmatched-0001", 1),
            at_ms,
        ))
        .await;
    let answer = server.read_private("/metrics").await;
    assert!(
        answer.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    let text = answer.text();
    for line in [
        "merchant_server_calls_total{route=\"/v1/checkouts/{token}\",method=\"GET\",status=\"200\"} 1",
        "merchant_server_calls_total{route=\"/wechat/notify/payment\",method=\"POST\",status=\"204\"} 1",
        "merchant_server_orders{state=\"open\"} 1",
        "merchant_server_webhooks{state=\"pending\"} 1",
        "merchant_server_mismatches 1",
        "merchant_server_due_work{kind=\"end_order\"} 1",
        "merchant_server_due_work{kind=\"query_mismatch\"} 1",
        "merchant_server_due_work{kind=\"send_webhook\"} 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains(&token));
    server.clock.advance_ms(MINUTE_MS);
    let late = "merchant_server_due_work_late_seconds 60.0\n";
    assert!(server.read_private("/metrics").await.text().contains(late));
}

#[tokio::test]
async fn readiness_ends_at_shutdown_and_health_does_not() {
    let server = TestServer::open().await;
    assert_eq!(server.get("/readyz").await.text(), "ok\n");
    server.inner.begin_shutdown();
    let ending = server.get("/readyz").await;
    assert_eq!(ending.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn each_call_has_a_request_id_that_the_caller_may_choose() {
    let server = TestServer::open().await;
    let named = async |id: &str| {
        let request = Request::get("/healthz").header("x-request-id", id);
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        answer.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(named("shop-7.a_b").await, "shop-7.a_b");
    let long = "x".repeat(65);
    let (first, second) = (named("no blanks").await, named(&long).await);
    assert!(first != second && first != "no blanks" && second != long);
}

#[tokio::test]
async fn only_wechats_verification_file_is_at_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("MP_verify_a1B2.txt");
    std::fs::write(&file, "a1B2").unwrap();
    let line = format!("verification_files = [\"{}\"]", file.display());
    let server = TestServer::open_with(&line).await;
    let answer = server.get("/MP_verify_a1B2.txt").await;
    assert_eq!(answer.text(), "a1B2");
    assert!(
        answer.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    for path in ["/MP_verify_other.txt", "/merchant-server.toml"] {
        assert_eq!(server.get(path).await.code(), "ROUTE_UNKNOWN", "{path}");
    }
    let written = Request::put("/MP_verify_a1B2.txt").body(Body::empty());
    let refused = server.send(written.unwrap()).await;
    assert_eq!(refused.code(), "METHOD_NOT_ALLOWED");
    assert_eq!(refused.headers["allow"], "GET,HEAD");
}

#[tokio::test]
async fn a_buyers_address_is_sent_to_wechat_without_its_port() {
    let server = TestServer::open().await;
    for (place, (forwarded_for, address)) in [
        ("203.0.113.9:52114", "203.0.113.9"),
        ("[2001:db8::1]:443, ", "2001:db8::1"),
        ("\"198.51.100.7\"", "198.51.100.7"),
    ]
    .into_iter()
    .enumerate()
    {
        let order = serde_json::json!({
            "order_no": format!("tea-000{place}"), "total_fen": 1, "description": "tea",
        });
        let token = server.order(order).await;
        server.wechat.take_sent();
        let path = format!("/v1/checkouts/{token}/attempts");
        let h5 = [
            ("product", "h5"),
            ("return_url", "http://127.0.0.1:8000/pay"),
        ];
        let answer = server
            .form_from("127.0.0.1", forwarded_for, &path, &h5)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        let sent = server.last_order();
        assert_eq!(sent["scene_info"]["payer_client_ip"], address);
    }
}

#[tokio::test]
async fn an_unreadable_address_is_logged_once_by_its_form() {
    let log = crate::log::Log::start();
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let path = format!("/v1/checkouts/{token}/attempts");
    let native = [("product", "native")];
    for forwarded_for in ["secretive:80", "hideaways:443", "203.0.113.9, hideaways:80"] {
        server
            .form_from("127.0.0.1", forwarded_for, &path, &native)
            .await;
    }
    assert_eq!(log.count("buyer_address.unread"), 1);
    assert!(log.text().contains("w:n"), "{}", log.text());
    log.holds_none_of(&["secretive", "hideaways"]);
    // A header of another form is logged as another fault.
    server.form_from("127.0.0.1", "_x", &path, &native).await;
    assert_eq!(log.count("buyer_address.unread"), 2);
}
