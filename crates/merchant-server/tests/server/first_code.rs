//! The hosted page that brings its code along: who gets it, what it starts, and what it leaves alone.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buyer_words::{CONTACT_SHOP, PROBLEM_OF_SYSTEM, PROBLEM_OF_WECHAT, SHOW_CODE, Words};
use futures_util::future::join_all;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use merchant_api::Action;
use merchant_core::attempts;
use serde_json::json;
use tower::ServiceExt as _;

use crate::cluster;
use crate::fault_injector::Fault;
use crate::test_server::{Answer, MINUTE_MS, TestServer};

const WINDOWS: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0";
const MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
const PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/111.0.0.0 Mobile Safari/537.36";
const TABLET: &str = "Mozilla/5.0 (Linux; Android 13; SM-X200) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/111.0.0.0 Safari/537.36";
const WECHAT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.61(0x18003d39) Language/zh_CN";
const WECHAT_ON_WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/81.0.4044.138 Safari/537.36 NetType/WIFI MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat";
const WECOM_ON_WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/78.0.3904.62 wxwork/4.1.22 (MicroMessenger/6.2) WindowsWechat";
const BOT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36";

type Headers<'a> = &'a [(&'a str, &'a str)];

/// What a browser sends when a person opens a page.
const NAVIGATION: Headers<'_> = &[
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "cross-site"),
];

fn request(method: &str, path: &str, user_agent: &str, headers: Headers<'_>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("user-agent", user_agent);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

/// A person opens the page at a computer.
async fn open(server: &TestServer, token: &str) -> Answer {
    open_at(server, &format!("/c/{token}")).await
}

async fn open_at(server: &TestServer, path: &str) -> Answer {
    let page = server.send(request("GET", path, WINDOWS, NAVIGATION)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    page
}

/// The same without waiting for the body.
async fn begin(server: &TestServer, token: &str) -> Response<Body> {
    let request = request("GET", &format!("/c/{token}"), WINDOWS, NAVIGATION);
    server.app.clone().oneshot(request).await.unwrap()
}

async fn next_part(response: &mut Response<Body>) -> String {
    let frame = response.body_mut().frame().await.unwrap().unwrap();
    String::from_utf8(frame.into_data().unwrap_or_default().to_vec()).unwrap()
}

/// The picture in the page.
fn code_in(page: &str) -> Option<&str> {
    let from = page.find("<svg")?;
    page[from..].split_inclusive("</svg>").next()
}

/// The picture of the order's code.
async fn code_of(server: &TestServer, token: &str) -> String {
    let checkout = server.checkout(token).await;
    let code = qr_code::QrCode::encode(checkout.string("code_url")).unwrap();
    code.svg(buyer_words::CODE_LABEL.zh_cn)
}

#[tokio::test]
async fn a_person_who_opens_the_page_at_a_computer_gets_the_code_with_it() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let page = open(&server, &token).await;
    assert_eq!(server.wechat.take_kinds(), ["order"]);
    let text = page.text();
    assert_eq!(
        code_in(&text),
        Some(&*code_of(&server, &token).await),
        "{text}"
    );
    for expected in [
        "<html lang=\"zh-CN\"><head>",
        "¥19.90",
        "请在 <span role=\"timer\" data-remaining-ms=\"1800000\">30:00</span> 内完成支付",
        "<div class=\"served\"><div class=\"card\">",
        &*format!("<wechat-pay class=\"for-code\" token=\"{token}\" merchant-api=\"/v1\">"),
        &*format!("action=\"/c/{token}/check\""),
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(text.ends_with("</body></html>"), "{text}");
    assert!(!text.contains("/start"), "{text}");
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["x-accel-buffering"], "no");
    assert!(!page.headers.contains_key("content-length"));
}

#[tokio::test]
async fn only_a_navigation_in_a_computers_browser_starts_the_attempt() {
    let server = TestServer::open_with(
        "rate_limits = { token_per_minute = 1000, address_per_minute = 1000 }",
    )
    .await;
    let with = |more: (&'static str, &'static str)| [NAVIGATION, &[more]].concat();
    let frame = [
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-site", "same-origin"),
    ];
    let navigation = NAVIGATION.to_vec();
    let cases = [
        ("GET", WINDOWS, navigation.clone(), true),
        ("GET", MAC, navigation.clone(), true),
        ("GET", LINUX, navigation.clone(), true),
        ("GET", WINDOWS, with(("sec-fetch-user", "?1")), true),
        ("GET", WINDOWS, vec![], false),
        ("HEAD", WINDOWS, navigation.clone(), false),
        ("GET", WINDOWS, frame.to_vec(), false),
        ("GET", WINDOWS, with(("sec-purpose", "prefetch")), false),
        (
            "GET",
            WINDOWS,
            with(("sec-purpose", "prefetch;prerender")),
            false,
        ),
        ("GET", WINDOWS, with(("purpose", "prefetch")), false),
        ("GET", WINDOWS, with(("x-moz", "prefetch")), false),
        ("GET", WINDOWS, with(("x-purpose", "preview")), false),
        ("GET", PHONE, navigation.clone(), false),
        ("GET", TABLET, navigation.clone(), false),
        ("GET", WECHAT, navigation.clone(), false),
        ("GET", WECHAT_ON_WINDOWS, navigation.clone(), false),
        ("GET", WECOM_ON_WINDOWS, navigation.clone(), false),
        ("GET", BOT, navigation.clone(), false),
        ("GET", "curl/8.5.0", navigation.clone(), false),
        ("GET", "", navigation, false),
    ];
    for (number, (method, user_agent, headers, expected)) in cases.into_iter().enumerate() {
        let order = json!({
            "order_no": format!("tea-{number:04}"), "total_fen": 1990, "description": "一壶茶",
        });
        let token = server.order(order).await;
        let request = request(method, &format!("/c/{token}"), user_agent, &headers);
        let page = server.send(request).await;
        let case = format!("{method} {user_agent} {headers:?}");
        assert_eq!(page.status, StatusCode::OK, "{case}");
        assert_eq!(page.text().contains("<svg"), expected, "{case}");
        let orders = server.wechat.take_kinds();
        assert_eq!(orders, ["order"][usize::from(!expected)..], "{case}");
        let attempts = server.checkout(&token).await.number("attempt");
        assert_eq!(attempts, u64::from(expected), "{case}");
        let varies = page.headers["vary"].to_str().unwrap();
        for name in [
            "accept-language",
            "user-agent",
            "sec-fetch-mode",
            "sec-fetch-dest",
            "sec-purpose",
        ] {
            assert!(varies.contains(name), "{case}: {varies}");
        }
    }
}

#[tokio::test]
async fn an_order_that_allows_no_code_or_is_over_starts_nothing() {
    let server = TestServer::open().await;
    let without_code = server
        .order(json!({
            "order_no": "tea-0002", "total_fen": 1990, "description": "茶", "products": ["h5"],
        }))
        .await;
    open(&server, &without_code).await;
    let token = server.default_order().await;
    for after_step in ["checked=1", "superseded=1", "wechat_pay_return=x", "code=1"] {
        open_at(&server, &format!("/c/{token}?{after_step}")).await;
    }
    server.clock.advance_ms(31 * MINUTE_MS);
    assert!(
        open(&server, &token)
            .await
            .text()
            .contains("支付超时，订单已失效")
    );
    server.later(1).await;
    assert!(open(&server, &token).await.text().contains("订单已关闭"));
    assert_eq!(server.wechat.take_kinds(), [""; 0]);
    let unknown = request("GET", "/c/AAAAAAAAAAAAAAAAAAAAAA", WINDOWS, NAVIGATION);
    assert_eq!(server.send(unknown).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_head_is_on_its_way_before_wechat_answers_and_its_style_is_allowed_by_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"new URL("./wechat-pay-0.1.0-1a2b3c4d.wasm", import.meta.url)"#;
    std::fs::write(folder.path().join("wechat-pay.js"), script).unwrap();
    let lines = format!("bundle_dir = \"{}\"", folder.path().display());
    let server = TestServer::open_with(&lines).await;
    let token = server.default_order().await;
    server.wechat.slow_down(&server.clock, 100);
    let mut response = begin(&server, &token).await;
    assert_eq!(response.status(), StatusCode::OK);
    let head = next_part(&mut response).await;
    assert!(head.ends_with("</head>"), "{head}");
    for expected in [
        "<link rel=\"modulepreload\" href=\"/dist/wechat-pay.js\" fetchpriority=\"low\">",
        "href=\"/dist/wechat-pay-0.1.0-1a2b3c4d.wasm\" crossorigin",
        "<script src=\"/c.js\" defer>",
    ] {
        assert!(head.contains(expected), "{expected} in {head}");
    }
    let style = head.split("<style>").nth(1).unwrap();
    let style = style.split("</style>").next().unwrap();
    let hash = STANDARD.encode(digest(&SHA256, style.as_bytes()));
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(
        policy.contains(&format!("style-src 'self' 'sha256-{hash}';")),
        "{policy}"
    );
    assert_eq!(server.wechat.answered(), 0, "WeChat has not answered yet");
    server.wechat.let_pass(1, &server.clock, 100).await;
    let body = next_part(&mut response).await;
    assert!(body.starts_with("<body>"), "{body}");
    assert_eq!(code_in(&body), Some(&*code_of(&server, &token).await));
}

#[tokio::test]
async fn pages_that_are_opened_at_the_same_time_share_one_attempt() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.wechat.slow_down(&server.clock, 100);
    let pages = join_all((0..6).map(|_| open(&server, &token)));
    let (pages, ()) = tokio::join!(pages, server.wechat.let_pass(1, &server.clock, 100));
    let code = code_of(&server, &token).await;
    let texts = pages.iter().map(Answer::text);
    let texts: Vec<_> = texts.collect();
    let shown: Vec<_> = texts.iter().filter_map(|text| code_in(text)).collect();
    assert!(shown.iter().all(|shown| *shown == code), "{texts:?}");
    // With PostgreSQL a page may come so late that the attempt is there and its code is not. Its
    // element shows the code.
    assert!(!shown.is_empty() && (shown.len() == 6 || cluster::is_used()));
    assert_eq!(server.wechat.take_kinds(), ["order"]);
    assert_eq!(server.checkout(&token).await.number("attempt"), 1);
}

#[tokio::test]
async fn two_processes_on_one_ledger_make_one_attempt() {
    let server = TestServer::open().await;
    let other = server.beside().await;
    let token = server.default_order().await;
    let (one, another) = tokio::join!(open(&server, &token), open(&other, &token));
    assert_eq!(server.checkout(&token).await.number("attempt"), 1);
    let shown = server.shown("/tea-0001").await;
    assert_eq!(shown.json["attempts"].as_array().unwrap().len(), 1);
    let code = code_of(&server, &token).await;
    for page in [one, another] {
        // The page of the slower process may have no code; it never has another one.
        assert!(code_in(&page.text()).is_none_or(|shown| shown == code));
    }
}

#[tokio::test]
async fn a_reload_shows_the_same_code_and_calls_nothing() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let first = open(&server, &token).await.text();
    server.wechat.take_sent();
    server.clock.advance_ms(MINUTE_MS);
    let again = open(&server, &token).await;
    assert_eq!(code_in(&again.text()), code_in(&first));
    assert!(again.text().contains(">29:00</span>"), "{}", again.text());
    assert!(again.headers.contains_key("content-length"), "sent at once");
    // The element's own request gets the same attempt again.
    let fields = [("product", "native"), ("after", "0")];
    let attempt = server.attempt(&token, &fields).await;
    assert_eq!(attempt.number("attempt"), 1);
    assert_eq!(server.wechat.take_kinds(), [""; 0]);
}

#[tokio::test]
async fn an_attempt_that_exists_is_left_as_it_is() {
    let server = TestServer::open().await;
    let products = [
        ("h5", "NOTPAY", false),
        ("jsapi", "NOTPAY", false),
        ("native", "NOTPAY", true),
        ("cancelled", "CLOSED", false),
    ];
    for (product, trade_state, has_code) in products {
        let order_no = format!("tea-{product}");
        let order = json!({
            "order_no": order_no, "total_fen": 1990, "description": "茶",
            "payer": {"openid": "oBuyer"},
        });
        let token = server.order(order).await;
        let fields = [
            ("product", product.replace("cancelled", "native")),
            ("after", "0".to_owned()),
            ("return_url", "http://127.0.0.1:8000/pay".to_owned()),
        ];
        let fields = fields.each_ref().map(|(name, value)| (*name, &**value));
        let begun = server.attempt(&token, &fields).await;
        assert_eq!(begun.status, StatusCode::OK, "{}", begun.json);
        if product == "cancelled" {
            server
                .form(&format!("/v1/checkouts/{token}/cancel"), &[("after", "1")])
                .await;
        }
        let before = server.checkout(&token).await;
        server.wechat.take_sent();
        let page = open(&server, &token).await.text();
        assert_eq!(page.contains("<svg"), has_code, "{product}: {page}");
        // The race: the page was asked for before that attempt was recorded.
        let raced = attempts::start_first_code(&server.inner, &token).await;
        let action = raced.unwrap().action;
        assert_eq!(
            matches!(action, Some(Action::CodeUrl(_))),
            has_code,
            "{product}"
        );
        assert_eq!(server.wechat.take_kinds(), [""; 0], "{product}");
        assert_eq!(server.trade_state(&order_no).as_deref(), Some(trade_state));
        let after = server.checkout(&token).await;
        assert_eq!(after.number("version"), before.number("version"));
        assert_eq!(after.number("attempt"), 1, "{product}");
    }
}

#[tokio::test]
async fn a_phone_that_begins_while_the_page_waits_keeps_its_payment() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.wechat.slow_down(&server.clock, 100);
    let fields = [
        ("product", "h5"),
        ("after", "0"),
        ("return_url", "http://127.0.0.1:8000/pay"),
    ];
    let phone = server.attempt(&token, &fields);
    let desk = attempts::start_first_code(&server.inner, &token);
    let both = async { tokio::join!(biased; phone, desk) };
    let ((phone, desk), ()) = tokio::join!(both, server.wechat.let_pass(1, &server.clock, 100));
    assert_eq!(phone.status, StatusCode::OK, "{}", phone.json);
    assert_eq!(desk.unwrap().action, None);
    assert_eq!(server.wechat.take_kinds(), ["order"]);
    assert_eq!(server.trade_state("tea-0001").as_deref(), Some("NOTPAY"));
}

#[tokio::test]
async fn a_failure_after_the_head_is_a_sentence_on_the_page_and_the_button_goes_on() {
    let refused = r#"{"code":"NO_AUTH","message":"x"}"#;
    let failing = r#"{"code":"SYSTEM_ERROR","message":"x"}"#;
    let cases: [(Fault, Words); 3] = [
        (Fault::NotSent, PROBLEM_OF_WECHAT),
        (Fault::Answered(403, refused), CONTACT_SHOP),
        (Fault::Answered(500, failing), buyer_words::MAKING_SURE),
    ];
    for (fault, words) in cases {
        let server = TestServer::open().await;
        let token = server.default_order().await;
        server.wechat.inject("order", fault);
        let page = open(&server, &token).await.text();
        let notice = format!("role=\"status\">{}</p>", words.zh_cn);
        assert!(page.contains(&notice), "{} in {page}", words.zh_cn);
        assert!(page.contains(SHOW_CODE.zh_cn), "{page}");
        assert!(!page.contains("<svg"), "{page}");
        let after = server.checkout(&token).await.number("attempt");
        let path = format!("/c/{token}/start");
        let fields = [("product", "native"), ("after", &*after.to_string())];
        let started = server.form(&path, &fields).await;
        assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.text());
        assert!(open(&server, &token).await.text().contains("<svg"));
        let shown = server.shown("/tea-0001").await;
        assert_eq!(shown.json["attempts"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_ledger_that_fails_after_the_head_ends_the_page_with_a_sentence() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.wechat.slow_down(&server.clock, 100);
    let mut response = begin(&server, &token).await;
    next_part(&mut response).await;
    until_wechat_is_called(&server).await;
    let database = server.database().await;
    sqlx::query("ALTER TABLE orders RENAME TO orders_gone")
        .execute(&database)
        .await
        .unwrap();
    server.wechat.let_pass(1, &server.clock, 100).await;
    let body = next_part(&mut response).await;
    assert!(body.contains(PROBLEM_OF_SYSTEM.zh_cn), "{body}");
    assert!(body.ends_with("</body></html>"), "{body}");
}

#[tokio::test]
async fn a_page_does_not_wait_for_a_slow_wechat_and_the_attempt_goes_on() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.wechat.slow_down(&server.clock, 5_000);
    let mut response = begin(&server, &token).await;
    next_part(&mut response).await;
    let (body, ()) = tokio::join!(next_part(&mut response), async {
        // The attempt and the body wait, in either order.
        until_wechat_is_called(&server).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        server.clock.advance_ms(2_000);
    });
    assert!(!body.contains("<svg"), "{body}");
    assert!(body.contains(SHOW_CODE.zh_cn), "{body}");
    assert!(!body.contains("class=\"notice\""), "{body}");
    server.wechat.let_pass(1, &server.clock, 3_000).await;
    until_there_is_a_code(&server, &token).await;
    assert_eq!(server.checkout(&token).await.number("attempt"), 1);
}

#[tokio::test]
async fn a_browser_that_leaves_does_not_leave_half_an_attempt() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.wechat.slow_down(&server.clock, 100);
    let mut response = begin(&server, &token).await;
    next_part(&mut response).await;
    drop(response);
    server.wechat.let_pass(1, &server.clock, 100).await;
    until_there_is_a_code(&server, &token).await;
    assert_eq!(server.checkout(&token).await.number("attempt"), 1);
    assert_eq!(server.wechat.take_kinds(), ["order"]);
}

async fn until_wechat_is_called(server: &TestServer) {
    while server.wechat.take_kinds().is_empty() {
        tokio::task::yield_now().await;
    }
}

/// The task of an attempt ends a moment after its last call.
async fn until_there_is_a_code(server: &TestServer, token: &str) {
    for _ in 0..10_000 {
        if server.checkout(token).await.json["code_url"].is_string() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("no code");
}

#[tokio::test]
async fn the_rate_limit_of_attempts_holds_for_the_page_too() {
    let server =
        TestServer::open_with("rate_limits = { token_per_minute = 2, address_per_minute = 100 }")
            .await;
    let token = server.default_order().await;
    for _ in 0..2 {
        let path = format!("/c/{token}");
        server.send(request("GET", &path, PHONE, NAVIGATION)).await;
    }
    let path = format!("/c/{token}");
    let limited = server
        .send(request("GET", &path, WINDOWS, NAVIGATION))
        .await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(server.wechat.take_kinds(), [""; 0]);
}

#[tokio::test]
async fn a_server_at_its_limit_of_calls_sends_the_page_without_a_code() {
    let configuration = crate::test_server::configuration("")
        .replace("tries = 1", "tries = 1\ncalls_per_second = 1");
    let server = TestServer::open_configured(&configuration).await;
    let mut pages = Vec::new();
    for number in 0..12 {
        let order = json!({
            "order_no": format!("tea-{number:04}"), "total_fen": 1, "description": "茶",
        });
        let token = server.order(order).await;
        pages.push(open(&server, &token).await.text());
    }
    let with_code = pages.iter().filter(|page| page.contains("<svg")).count();
    assert!((1..12).contains(&with_code), "{with_code}");
    assert_eq!(server.wechat.take_kinds().len(), with_code);
    for page in pages.iter().filter(|page| !page.contains("<svg")) {
        assert!(page.contains(SHOW_CODE.zh_cn), "{page}");
    }
}
