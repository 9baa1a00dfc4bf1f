//! How a call to WeChat is sent: fresh signatures, the second host, pauses, which answers are never
//! trusted, and which calls are never sent again.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::fault_injector::Fault;
use crate::test_server::{Answer, TestServer};

const TWO_HOSTS: &str = "tries = 3\nsecond_base_url = \"http://127.0.0.2:9410\"";
const FIRST: &str = "127.0.0.1";
const SECOND: &str = "127.0.0.2";

async fn native(server: &TestServer, token: &str) -> Answer {
    server.attempt(token, &[("product", "native")]).await
}

fn hosts(server: &TestServer) -> Vec<(&'static str, String)> {
    let sent = server.wechat.take_sent();
    sent.into_iter()
        .map(|sent| (sent.kind, sent.host))
        .collect()
}

/// An unsigned answer, as of a server other than WeChat.
fn unsigned(status: u16, retry_after_s: Option<u32>) -> Fault {
    Fault::Changed(Box::new(move |answer| {
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        answer.headers_mut().clear();
        if let Some(seconds) = retry_after_s {
            answer
                .headers_mut()
                .insert("retry-after", HeaderValue::from(seconds));
        }
        *answer.body_mut() = Bytes::from_static(b"{}");
    }))
}

fn signature(text: &'static str) -> Fault {
    Fault::Changed(Box::new(move |answer| {
        answer
            .headers_mut()
            .insert("wechatpay-signature", HeaderValue::from_static(text));
    }))
}

#[tokio::test]
async fn an_order_whose_answer_is_lost_is_sent_again_with_the_same_bytes_and_a_fresh_signature() {
    let server = TestServer::open_with_gateway(TWO_HOSTS).await;
    let token = server.default_order().await;
    server.wechat.inject("order", Fault::AnswerLost);
    let answer = native(&server, &token).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    assert!(answer.string("code_url").starts_with("weixin://"));
    let sent = server.wechat.take_sent();
    let [first, second] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(first.body, second.body);
    assert_ne!(first.authorization, second.authorization);
    // The host that did not answer may fail again, so the second host gets the call.
    assert_eq!((first.host.as_str(), second.host.as_str()), (FIRST, SECOND));
}

#[tokio::test]
async fn an_unreachable_host_is_skipped_for_a_minute() {
    let server = TestServer::open_with_gateway(TWO_HOSTS).await;
    let token = server.default_order().await;
    server.wechat.inject("order", Fault::NotSent);
    let answer = native(&server, &token).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    let to = |kind, host: &str| (kind, host.to_owned());
    assert_eq!(hosts(&server), [to("order", FIRST), to("order", SECOND)]);
    server.later(5_000).await;
    assert_eq!(hosts(&server), [to("query", SECOND)]);
    server.later(55_000).await;
    assert_eq!(hosts(&server), [to("query", FIRST)]);
}

#[tokio::test]
async fn if_no_host_is_reachable_the_page_learns_that_nothing_was_sent() {
    let server = TestServer::open_with_gateway(TWO_HOSTS).await;
    let token = server.default_order().await;
    server.wechat.inject("order", Fault::NotSent);
    server.wechat.inject("order", Fault::NotSent);
    let answer = native(&server, &token).await;
    assert_eq!(answer.code(), "WECHAT_UNAVAILABLE");
    assert_eq!(server.wechat.take_kinds(), ["order", "order"]);
}

#[tokio::test]
async fn a_signature_probe_is_refused_and_the_call_is_repeated() {
    let server = TestServer::open_with_gateway("tries = 3").await;
    let token = server.default_order().await;
    server
        .wechat
        .inject("order", signature("WECHATPAY/SIGNTEST/AAAA"));
    let (answer, ()) = tokio::join!(native(&server, &token), async {
        server.clock.somebody_waits().await;
        server.clock.advance_ms(1_000);
    });
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    assert_eq!(server.wechat.take_kinds(), ["order", "order"]);
}

#[tokio::test]
async fn an_unsigned_answer_is_a_doubt_and_nothing_is_repeated() {
    let server = TestServer::open_with_gateway(TWO_HOSTS).await;
    let token = server.default_order().await;
    server.wechat.inject("order", signature("AAAA"));
    let answer = native(&server, &token).await;
    assert_eq!(answer.code(), "ATTEMPT_IN_DOUBT");
    assert_eq!(server.wechat.take_kinds(), ["order"]);
}

#[tokio::test]
async fn an_order_that_fails_inside_wechat_is_sent_three_times_and_is_then_in_doubt() {
    let server = TestServer::open_with_gateway(TWO_HOSTS).await;
    let token = server.default_order().await;
    for _ in 0..3 {
        server.wechat.inject("order", unsigned(502, None));
    }
    let (answer, ()) = tokio::join!(native(&server, &token), async {
        for _ in 0..2 {
            server.clock.somebody_waits().await;
            server.clock.advance_ms(1_000);
        }
    });
    assert_eq!(answer.code(), "ATTEMPT_IN_DOUBT");
    assert_eq!(server.wechat.take_kinds(), ["order", "order", "order"]);
}

#[tokio::test]
async fn tries_end_with_the_time_of_the_whole_call() {
    let server = TestServer::open_with_gateway("tries = 5").await;
    let token = server.default_order().await;
    for _ in 0..5 {
        let clock = server.clock.clone();
        server.wechat.inject(
            "order",
            Fault::Changed(Box::new(move |answer| {
                clock.advance_ms(5_500);
                *answer.status_mut() = StatusCode::BAD_GATEWAY;
                answer.headers_mut().clear();
            })),
        );
    }
    let (answer, ()) = tokio::join!(native(&server, &token), async {
        server.clock.somebody_waits().await;
        server.clock.advance_ms(1_000);
    });
    assert_eq!(answer.code(), "ATTEMPT_IN_DOUBT");
    assert_eq!(server.wechat.take_kinds(), ["order", "order"]);
}

#[tokio::test]
async fn after_too_many_requests_wechat_is_not_called_for_the_time_that_it_states() {
    let server = TestServer::open_with_gateway(TWO_HOSTS).await;
    let token = server.default_order().await;
    server.wechat.inject("order", unsigned(429, Some(20)));
    assert_eq!(native(&server, &token).await.code(), "WECHAT_UNAVAILABLE");
    assert_eq!(server.wechat.take_kinds(), ["order"]);
    server.clock.advance_ms(19_999);
    assert_eq!(native(&server, &token).await.code(), "WECHAT_UNAVAILABLE");
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
    server.clock.advance_ms(1);
    assert_eq!(native(&server, &token).await.status, StatusCode::OK);
    assert_eq!(server.wechat.take_kinds(), ["order"]);
}

#[tokio::test]
async fn metrics_count_the_results_of_calls_to_wechat() {
    let server = TestServer::open_with_gateway(TWO_HOSTS).await;
    let token = server.default_order().await;
    server.wechat.inject("order", Fault::NotSent);
    server.wechat.inject("order", Fault::AnswerLost);
    native(&server, &token).await;
    let text = server.read_private("/metrics").await.text();
    for line in [
        "merchant_server_wechat_calls_total{operation=\"order\",outcome=\"not_sent\"} 1",
        "merchant_server_wechat_calls_total{operation=\"order\",outcome=\"no_answer\"} 1",
        "merchant_server_wechat_calls_total{operation=\"order\",outcome=\"ok\"} 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let expiry = "merchant_server_merchant_certificate_expires_timestamp_seconds{serial=\"";
    assert!(text.contains(expiry), "{text}");
}
