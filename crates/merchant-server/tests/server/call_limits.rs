//! Limits on calls to WeChat that any client can cause: attempts of one order, calls of the whole
//! server, queries because of receipt pages. Time is the test's clock.

use std::pin::pin;

use http::StatusCode;
use merchant_server::Clock as _;
use serde_json::json;

use crate::fault_injector::Fault;
use crate::test_server::{API_KEY, Answer, MINUTE_MS, TestServer, backend, configuration};

/// The result of a page that takes over from itself four times a second, with two products in turn.
struct Flood {
    attempts: usize,
    refused: usize,
    calls: usize,
}

/// The request of a page that has seen an attempt.
async fn start(server: &TestServer, token: &str, product: &str, seen: u64) -> Answer {
    let fields = [
        ("product", product),
        ("after", &*seen.to_string()),
        ("return_url", "http://127.0.0.1:8000/pay"),
    ];
    server.attempt(token, &fields).await
}

async fn flood_for_a_minute(server: &TestServer, token: &str) -> Flood {
    let mut flood = Flood {
        attempts: 0,
        refused: 0,
        calls: 0,
    };
    server.wechat.take_sent();
    let mut seen = 0;
    for _ in 0..240 {
        // The product alternates.
        let product = if seen % 2 == 0 { "native" } else { "h5" };
        let answer = start(server, token, product, seen).await;
        if answer.status == StatusCode::OK {
            flood.attempts += 1;
            seen = answer.number("attempt");
        } else {
            assert_eq!(answer.code(), "RATE_LIMITED", "{}", answer.json);
            assert!(
                (1..=10_000).contains(&answer.json["error"]["retry_after_ms"].as_u64().unwrap())
            );
            assert!(answer.headers.contains_key("retry-after"));
            flood.refused += 1;
        }
        server.clock.advance_ms(MINUTE_MS / 240);
    }
    flood.calls = server.wechat.take_sent().len();
    flood
}

/// A server without rate limits for pages.
async fn server_without_rate_limits() -> TestServer {
    TestServer::open_with(
        "rate_limits = { token_per_minute = 100000, address_per_minute = 100000 }",
    )
    .await
}

#[tokio::test]
async fn one_token_causes_a_limited_number_of_attempts_and_calls_a_minute() {
    let server = server_without_rate_limits().await;
    let token = server.default_order().await;
    let Flood {
        attempts,
        refused,
        calls,
    } = flood_for_a_minute(&server, &token).await;
    println!(
        "one token, 240 tries in a minute: {attempts} attempts, {refused} refused, {calls} calls to WeChat"
    );
    // The limit is twelve at once, and then one in ten seconds.
    assert!((12..=18).contains(&attempts), "{attempts}");
    // Each attempt costs a query, a close and an order.
    assert!(calls <= 3 * attempts, "{calls}");
    assert_eq!(attempts + refused, 240);
}

#[tokio::test]
async fn a_limited_token_can_still_poll_and_start_after_the_pause_and_delays_nobody() {
    let server = server_without_rate_limits().await;
    let token = server.default_order().await;
    let mut seen = 0;
    let mut turn = 0;
    let refused = loop {
        let answer = start(&server, &token, ["native", "h5"][turn % 2], seen).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        seen = answer.number("attempt");
        turn += 1;
    };
    assert_eq!(turn, 12);
    // Reading the order, or getting the same attempt again, is not a new attempt.
    assert_eq!(server.checkout(&token).await.status, StatusCode::OK);
    let same = start(&server, &token, ["native", "h5"][(turn - 1) % 2], seen).await;
    assert_eq!(same.status, StatusCode::OK, "{}", same.json);
    // The limit affects neither another order nor the backend.
    let another = order(&server, 2).await;
    let started = start(&server, &another, "native", 0).await;
    assert_eq!(started.status, StatusCode::OK, "{}", started.json);
    let wanted = json!({ "product": "native", "after": seen });
    let by_backend = server.backend_attempt("tea-0001", &wanted).await;
    assert_eq!(by_backend.status, StatusCode::OK, "{}", by_backend.json);
    let wait_ms = refused.json["error"]["retry_after_ms"].as_u64().unwrap();
    server.clock.advance_ms(wait_ms);
    let seen = server.checkout(&token).await.number("attempt");
    let again = start(&server, &token, "h5", seen).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.json);
}

#[tokio::test]
async fn a_buyer_who_changes_product_and_device_stays_below_the_limit() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let mut seen = 0;
    // The buyer changes the product five times in a minute, and loads each page twice.
    for product in ["native", "h5", "native", "h5", "native"] {
        for _ in 0..2 {
            let answer = start(&server, &token, product, seen).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
            seen = answer.number("attempt");
        }
        server.clock.advance_ms(MINUTE_MS / 5);
    }
    let cancel = [("after", &*seen.to_string())];
    let cancelled = server
        .form(&format!("/v1/checkouts/{token}/cancel"), &cancel)
        .await;
    assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.json);
}

#[tokio::test]
async fn retries_after_a_refusal_by_wechat_count_too() {
    let server = server_without_rate_limits().await;
    let token = server.default_order().await;
    for _ in 0..240 {
        server.wechat.inject(
            "order",
            Fault::Answered(500, r#"{"code":"SYSTEM_ERROR","message":"x"}"#),
        );
    }
    let mut codes = Vec::new();
    for _ in 0..40 {
        let answer = server.attempt(&token, &[("product", "native")]).await;
        codes.push(answer.code().to_owned());
        server.clock.advance_ms(50);
    }
    let orders = server.wechat.take_kinds();
    let orders = orders.iter().filter(|kind| **kind == "order").count();
    assert_eq!(orders, 12, "{codes:?}");
    assert_eq!(codes.last().unwrap(), "RATE_LIMITED");
}

/// Does the work. Whenever a task waits for the clock, moves the clock on by `step_ms`.
async fn meanwhile<Work: Future>(server: &TestServer, step_ms: u64, work: Work) -> Work::Output {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = server.clock.somebody_waits() => server.clock.advance_ms(step_ms),
        }
    }
}

fn with_calls_per_second(calls: u32) -> String {
    let lines = "rate_limits = { token_per_minute = 100000, address_per_minute = 100000 }";
    configuration(lines).replace(
        "tries = 1",
        &format!("tries = 1\ncalls_per_second = {calls}"),
    )
}

async fn order(server: &TestServer, place: usize) -> String {
    let order =
        json!({ "order_no": format!("tea-{place:04}"), "total_fen": 1, "description": "茶" });
    server.order(order).await
}

/// Forty buyers change between two products, eight tries a second for a minute of the moved clock.
///
/// Returns the calls to WeChat, the seconds that passed in all, and the refusals.
async fn buyers_for_a_minute(server: &TestServer) -> (usize, usize, Vec<Answer>) {
    let mut tokens = Vec::new();
    for place in 1..=40 {
        tokens.push((order(server, place).await, 0));
    }
    server.wechat.take_sent();
    let (begin_ms, mut tries, mut refused) = (server.clock.now_ms(), 0, Vec::new());
    while server.clock.now_ms() < begin_ms + 60_000 {
        let (token, seen) = &mut tokens[tries % 40];
        let product = if *seen % 2 == 0 { "native" } else { "h5" };
        let answer = meanwhile(server, 1_000, start(server, token, product, *seen)).await;
        if answer.status == StatusCode::OK {
            *seen = answer.number("attempt");
        } else {
            refused.push(answer);
        }
        tries += 1;
        server.clock.advance_ms(125);
    }
    let passed_s = (server.clock.now_ms() - begin_ms) / 1_000;
    let passed_s = usize::try_from(passed_s).unwrap();
    (server.wechat.take_sent().len(), passed_s, refused)
}

#[tokio::test]
async fn all_buyers_together_stay_within_calls_per_second_and_get_a_retry_time() {
    let server = TestServer::open_configured(&with_calls_per_second(1_000)).await;
    let (unbounded, _, refused) = buyers_for_a_minute(&server).await;
    assert_eq!(refused.len(), 0);
    let server = TestServer::open_configured(&with_calls_per_second(2)).await;
    let (calls, passed_s, refused) = buyers_for_a_minute(&server).await;
    println!(
        "40 buyers in a minute: {unbounded} calls at 1000 a second, {calls} in {passed_s} s at 2 a second"
    );
    // The limit is what the buckets gain in the time, plus full buckets at its beginning.
    assert!(calls <= 2 * (passed_s + 1) + 4, "{calls}");
    assert!(unbounded > 1_000, "{unbounded}");
    assert!(!refused.is_empty());
    for answer in &refused {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        // If the query about the last attempt was refused, the server does not know whether that
        // attempt has ended.
        let codes = ["WECHAT_UNAVAILABLE", "ATTEMPT_IN_DOUBT"];
        assert!(codes.contains(&answer.code()), "{}", answer.json);
        let retry_after_ms = answer.json["error"]["retry_after_ms"].as_u64().unwrap();
        assert!(retry_after_ms >= 1_000, "{}", answer.json);
    }
    let metrics = server.read_private("/metrics").await.text();
    assert!(metrics.contains("outcome=\"over_budget\"}"), "{metrics}");
}

#[tokio::test]
async fn a_flood_of_buyers_does_not_use_the_share_of_due_work_and_the_backend() {
    let server = TestServer::open_configured(&with_calls_per_second(10)).await;
    let paying = server.default_order().await;
    server.attempt(&paying, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    server.take_notifications().clear();
    let mut tokens = Vec::new();
    for place in 2..=80 {
        tokens.push(order(&server, place).await);
    }
    // The clock stands still, so no share of the limit grows.
    let mut begun = 0;
    for token in &tokens {
        tokio::select! {
            biased;
            answer = server.attempt(token, &[("product", "native")]) => {
                begun += usize::from(answer.status == StatusCode::OK);
            }
            // The call waits for its turn, and the buyer leaves.
            () = server.clock.somebody_waits() => {}
        }
    }
    assert!(begun < tokens.len(), "{begun}");
    // The server still queries the order whose notification was lost, and still sends refunds.
    server.clock.advance_ms(5_000);
    let due = meanwhile(&server, 5_000, server.inner.run_due())
        .await
        .unwrap();
    assert!(due > 0);
    assert_eq!(server.checkout(&paying).await.string("state"), "paid");
    let refund = json!({ "refund_no": "R-1", "amount_fen": 1 }).to_string();
    let request = backend("/v1/orders/tea-0001/refunds", API_KEY, refund);
    let answer = meanwhile(&server, 5_000, server.send(request)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json);
}

#[tokio::test]
async fn a_changed_limit_applies_without_a_restart() {
    let server = TestServer::open_configured(&with_calls_per_second(1)).await;
    let mut tokens = Vec::new();
    for place in 1..=12 {
        tokens.push(order(&server, place).await);
    }
    let mut refused = Vec::new();
    for token in &tokens {
        let answer = server.attempt(token, &[("product", "native")]).await;
        refused.extend((answer.status != StatusCode::OK).then_some(token));
    }
    assert!(refused.len() >= 9, "{}", refused.len());
    let server = server.reloaded_as(&with_calls_per_second(1_000)).await;
    for token in refused {
        let answer = server.attempt(token, &[("product", "native")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    }
}
