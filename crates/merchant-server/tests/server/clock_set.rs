//! The machine's clock is set ahead and back. Each wait takes as long as it should, and a wrong
//! time ends nothing.

use axum::body::Body;
use http::{HeaderValue, Request, StatusCode};
use merchant_server::Refreshed;
use serde_json::json;
use tower::ServiceExt as _;

use crate::fault_injector::Fault;
use crate::oauth::{authorize_url, handle, through_wechat};
use crate::test_server::{MINUTE_MS, TestServer, read};
use crate::webhooks::{SECRET, TARGET, close};

const HOUR_MS: i64 = 3_600_000;
/// From a short time to much more than any plan of the server.
const AHEAD_MS: [i64; 3] = [40_000, HOUR_MS, 400 * 24 * HOUR_MS];

/// Does something while the clock is ahead for three seconds. Afterwards due work looks at the
/// clock, as it does each second.
async fn while_ahead(server: &TestServer, by_ms: i64, what: impl AsyncFnOnce()) {
    server.clock.set_ahead_ms(by_ms);
    what().await;
    server.later(3_000).await;
    server.clock.set_ahead_ms(-by_ms);
    server.inner.run_due().await.unwrap();
}

/// An order that does not expire within an hour.
async fn long_order(server: &TestServer) -> String {
    let order = json!({
        "order_no": "tea-0001", "total_fen": 1990, "description": "tea",
        "expires_in_ms": 7 * 24 * HOUR_MS,
    });
    server.order(order).await
}

#[tokio::test]
async fn a_limit_counts_every_call_and_none_for_too_long() {
    let limits = "rate_limits = { token_per_minute = 3, address_per_minute = 100 }";
    for by_ms in AHEAD_MS.into_iter().flat_map(|by_ms| [by_ms, -by_ms]) {
        let server = TestServer::open_with(limits).await;
        let token = server.default_order().await;
        while_ahead(&server, by_ms, async || {
            for _ in 0..3 {
                assert_eq!(server.checkout(&token).await.status, StatusCode::OK);
            }
            assert_eq!(server.checkout(&token).await.code(), "RATE_LIMITED");
        })
        .await;
        let refused = server.checkout(&token).await;
        assert_eq!(
            refused.code(),
            "RATE_LIMITED",
            "{by_ms}: a jump is no pause"
        );
        let wait_ms = refused.json["error"]["retry_after_ms"].as_u64().unwrap();
        assert!(wait_ms <= 20_000, "{by_ms}: {wait_ms}");
        server.clock.advance_ms(wait_ms);
        assert_eq!(
            server.checkout(&token).await.status,
            StatusCode::OK,
            "{by_ms}"
        );
    }
}

#[tokio::test]
async fn a_lost_payment_is_found_in_time_after_the_clock_was_corrected() {
    for by_ms in [40_000, HOUR_MS, 24 * HOUR_MS] {
        let server = TestServer::open().await;
        let token = long_order(&server).await;
        while_ahead(&server, by_ms, async || {
            server.attempt(&token, &[("product", "native")]).await;
        })
        .await;
        server.pay("tea-0001").await;
        server.later(5_000).await;
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "paid",
            "{by_ms}"
        );
    }
}

#[tokio::test]
async fn the_schedule_of_queries_continues_after_an_early_query() {
    for by_ms in [60_000, 20 * 60_000] {
        let server = TestServer::open().await;
        let token = server.default_order().await;
        server.attempt(&token, &[("product", "native")]).await;
        server.wechat.take_sent();
        while_ahead(&server, by_ms, async || {
            server.inner.run_due().await.unwrap();
        })
        .await;
        assert_eq!(
            server.wechat.take_kinds(),
            ["query"],
            "{by_ms}: early, and once"
        );
        server.later(30_000).await;
        assert_eq!(server.wechat.take_kinds(), ["query"], "{by_ms}");
        let asked = server.checkout(&token).await;
        assert_eq!(asked.number("checked_ms_ago"), 0, "{by_ms}");
        server.later(7_000).await;
        let later = server.checkout(&token).await;
        assert_eq!(later.number("checked_ms_ago"), 7_000, "{by_ms}");
    }
}

/// The opposite case: the clock is behind, and is corrected.
#[tokio::test]
async fn work_scheduled_by_a_slow_clock_is_done_at_once_and_none_is_lost() {
    for by_ms in AHEAD_MS {
        let server = TestServer::open().await;
        server.clock.set_ahead_ms(-by_ms);
        let token = server.default_order().await;
        server.attempt(&token, &[("product", "native")]).await;
        server.pay("tea-0001").await;
        server.clock.set_ahead_ms(by_ms);
        server.later(5_000).await;
        server.later(10_000).await;
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "paid",
            "{by_ms}"
        );
    }
}

#[tokio::test]
async fn a_message_is_retried_in_time_also_by_the_next_process() {
    for restarts in [false, true] {
        let target = format!("[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\n");
        let mut server = TestServer::open_with_end(&target).await;
        server.backend.answer(StatusCode::BAD_GATEWAY);
        close(&server, 1).await;
        while_ahead(&server, HOUR_MS, async || {
            server.inner.run_due().await.unwrap();
        })
        .await;
        assert_eq!(server.backend.count(TARGET), 1);
        if restarts {
            server = server.restart().await;
        }
        server.inner.run_due().await.unwrap();
        server.later(5_000).await;
        assert_eq!(server.backend.count(TARGET), 2, "{restarts}");
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_for_a_moment_closes_no_order() {
    for by_ms in [31 * 60_000, HOUR_MS, 400 * 24 * HOUR_MS] {
        let server = TestServer::open().await;
        let token = server.default_order().await;
        server.inner.run_due().await.unwrap();
        while_ahead(&server, by_ms, async || {
            server.inner.run_due().await.unwrap();
        })
        .await;
        server.later(10_000).await;
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "open",
            "{by_ms}"
        );
        server.later(29 * MINUTE_MS).await;
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "open",
            "{by_ms}"
        );
        server.later(MINUTE_MS).await;
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "closed",
            "{by_ms}"
        );
    }
}

#[tokio::test]
async fn a_clock_that_stays_ahead_closes_expired_orders_a_little_later() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.inner.run_due().await.unwrap();
    server.clock.set_ahead_ms(HOUR_MS);
    server.inner.run_due().await.unwrap();
    assert_eq!(server.checkout(&token).await.string("state"), "open");
    server.later(10_000).await;
    assert_eq!(server.checkout(&token).await.string("state"), "closed");
}

#[tokio::test]
async fn a_pause_that_wechat_requires_ends_in_time() {
    let server = TestServer::open().await;
    let token = long_order(&server).await;
    while_ahead(&server, HOUR_MS, async || {
        server.wechat.inject(
            "order",
            Fault::Changed(Box::new(|answer| {
                *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
                answer.headers_mut().clear();
                *answer.body_mut() = "{}".into();
                let seconds = HeaderValue::from_static("20");
                answer.headers_mut().insert("retry-after", seconds);
            })),
        );
        let refused = server.attempt(&token, &[("product", "native")]).await;
        assert_eq!(refused.code(), "WECHAT_UNAVAILABLE", "{}", refused.json);
    })
    .await;
    let paused = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(paused.code(), "WECHAT_UNAVAILABLE");
    server.clock.advance_ms(20_000);
    let answer = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
}

#[tokio::test]
async fn certificates_are_downloaded_in_time() {
    for by_ms in [HOUR_MS, -HOUR_MS] {
        let server = TestServer::open().await;
        server.clock.set_ahead_ms(by_ms);
        let first = server.inner.refresh_certificates_if_due().await.unwrap();
        assert!(first.is_some());
        server.clock.set_ahead_ms(-by_ms);
        server.clock.advance_ms(11 * HOUR_MS.unsigned_abs() - 1);
        let early = server.inner.refresh_certificates_if_due().await.unwrap();
        assert_eq!(early, None, "{by_ms}");
        server.clock.advance_ms(1);
        let again = server.inner.refresh_certificates_if_due().await.unwrap();
        assert!(again.is_some_and(|refreshed| refreshed != Refreshed::TooSoon));
    }
}

#[tokio::test]
async fn a_poll_is_held_for_the_time_that_it_requested() {
    for by_ms in [HOUR_MS, -HOUR_MS] {
        let server = TestServer::open().await;
        let token = server.default_order().await;
        let seen = server.checkout(&token).await.number("version");
        let request = Request::get(format!("/v1/checkouts/{token}?wait=25&seen={seen}"));
        let app = server.app.clone();
        let poll = tokio::spawn(async move {
            let request = request.body(Body::empty()).unwrap();
            read(app.oneshot(request).await.unwrap()).await
        });
        server.clock.somebody_waits().await;
        server.clock.set_ahead_ms(by_ms);
        server.clock.advance_ms(24_999);
        tokio::task::yield_now().await;
        assert!(!poll.is_finished(), "{by_ms}");
        server.clock.advance_ms(1);
        assert_eq!(poll.await.unwrap().status, StatusCode::OK, "{by_ms}");
    }
}

#[tokio::test]
async fn a_buyer_during_the_oauth_redirect_returns_to_the_page() {
    let line = "app_secret = \"0123456789abcdef0123456789abcdef\"";
    let server = TestServer::open_with_merchant("", line).await;
    let token = long_order(&server).await;
    let url = authorize_url(&server, &token).await;
    let back = through_wechat(&server, &url).await;
    while_ahead(&server, HOUR_MS, async || {
        // The call of another buyer makes the ledger delete what has expired.
        authorize_url(&server, &token).await;
    })
    .await;
    assert!(!handle(&server.get(&back).await).is_empty());
}
