//! The redirect to WeChat for the openid, and the callback.

use std::future::{Future as _, poll_fn};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::Request;
use http::StatusCode;
use serde_json::json;
use tower::ServiceExt as _;
use url::Url;

use crate::fault_injector::Fault;
use crate::test_server::{Answer, MERCHANT, MINUTE_MS, TestServer, WECHAT, read};

pub(crate) const JSAPI: (&str, &str) = ("product", "jsapi");
pub(crate) const BACK: (&str, &str) = ("return_url", "http://127.0.0.1:8000/pay?order=1#/cart");

/// The address that the buyer is sent to.
pub(crate) async fn authorize_url(server: &TestServer, token: &str) -> Url {
    let answer = server.attempt(token, &[JSAPI, BACK]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    Url::parse(answer.string("authorize_url")).unwrap()
}

/// The buyer goes to WeChat; returns our address that WeChat sends the buyer back to.
pub(crate) async fn through_wechat(server: &TestServer, authorize_url: &Url) -> String {
    let request = Request::get(authorize_url.as_str())
        .body(Body::empty())
        .unwrap();
    let answer = read(server.simulator.app().oneshot(request).await.unwrap()).await;
    let back = answer.headers["location"].to_str().unwrap();
    back.strip_prefix(MERCHANT).unwrap().to_owned()
}

/// The handle in the address that an answer redirects to, for an attempt that leads to [`BACK`].
pub(crate) fn handle(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
    assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    let to = Url::parse(answer.headers["location"].to_str().unwrap()).unwrap();
    assert_eq!(to.path(), "/pay");
    assert_eq!(to.fragment(), Some("/cart"));
    let mut pairs = to.query_pairs();
    assert_eq!(pairs.next().unwrap().0, "order");
    let (name, value) = pairs.next().unwrap();
    assert_eq!(name, merchant_api::PAYER_PARAMETER);
    value.into_owned()
}

#[tokio::test]
async fn the_oauth_redirect_returns_a_payer_and_starts_no_attempt() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let before = server.checkout(&token).await.json;
    let url = authorize_url(&server, &token).await;
    assert_eq!(server.checkout(&token).await.json, before);
    assert!(
        url.as_str()
            .starts_with(&format!("{WECHAT}/connect/oauth2/authorize?appid=wx"))
    );
    assert_eq!(url.fragment(), Some("wechat_redirect"));
    let back = through_wechat(&server, &url).await;
    let handle = handle(&server.get(&back).await);
    let paying = server
        .attempt(&token, &[JSAPI, BACK, ("payer", &handle)])
        .await;
    assert_eq!(paying.number("attempt"), 1);
    assert!(
        paying.json["jsapi"]["package"]
            .as_str()
            .unwrap()
            .starts_with("prepay_id=")
    );
}

/// The whole address that an answer redirects to.
fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
    answer.headers["location"].to_str().unwrap()
}

/// The page that the buyer left, without our parameters.
const PAGE: &str = "http://127.0.0.1:8000/pay?order=1#/cart";

#[tokio::test]
async fn a_repeated_callback_gets_the_same_answer_and_uses_the_code_once() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let url = authorize_url(&server, &token).await;
    let back = through_wechat(&server, &url).await;
    server.wechat.take_sent();
    let first = server.get(&back).await;
    let handle = handle(&first);
    for _ in 0..2 {
        server.clock.advance_ms(4 * MINUTE_MS);
        let again = server.get(&back).await;
        assert_eq!(location(&again), location(&first));
        assert_eq!(again.headers["cache-control"], "no-store");
    }
    assert_eq!(server.wechat.take_kinds(), ["openid"]);
    let paying = server
        .attempt(&token, &[JSAPI, BACK, ("payer", &handle)])
        .await;
    assert_eq!(paying.number("attempt"), 1, "{}", paying.json);
    // The state has expired: the buyer returns to the page, which starts again.
    server.clock.advance_ms(3 * MINUTE_MS);
    assert_eq!(location(&server.get(&back).await), PAGE);
}

#[tokio::test]
async fn two_calls_at_the_same_time_get_the_same_answer() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let back = through_wechat(&server, &authorize_url(&server, &token).await).await;
    server.wechat.take_sent();
    let (one, other) = tokio::join!(server.get(&back), server.get(&back));
    assert_eq!(location(&one), location(&other));
    assert_ne!(handle(&one), merchant_api::PAYER_UNAVAILABLE_HANDLE);
    assert_eq!(server.wechat.take_kinds(), ["openid"]);
}

#[tokio::test]
async fn a_first_call_that_the_browser_drops_is_answered_to_the_second() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let back = through_wechat(&server, &authorize_url(&server, &token).await).await;
    server.wechat.take_sent();
    // The call is dropped after WeChat has the code, and before the answer is stored.
    let mut dropped = Box::pin(server.get(&back));
    while server.wechat.take_kinds().is_empty() {
        let poll = |context: &mut Context<'_>| Poll::Ready(dropped.as_mut().poll(context));
        assert!(poll_fn(poll).await.is_pending(), "it is still under way");
        tokio::task::yield_now().await;
    }
    drop(dropped);
    let second = server.get(&back).await;
    assert_ne!(handle(&second), merchant_api::PAYER_UNAVAILABLE_HANDLE);
    assert_eq!(server.wechat.take_sent(), [], "the code is spent once");
}

#[tokio::test]
async fn another_code_does_not_get_the_first_codes_answer() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let back = through_wechat(&server, &authorize_url(&server, &token).await).await;
    handle(&server.get(&back).await);
    server.wechat.take_sent();
    let (_, state) = back.split_once("state=").unwrap();
    let state = state.split('&').next().unwrap();
    for query in [
        format!("code=other&state={state}"),
        format!("state={state}"),
    ] {
        let answer = server.get(&format!("/wechat/oauth/callback?{query}")).await;
        assert_eq!(location(&answer), PAGE, "{query}");
    }
    assert_eq!(
        server.wechat.take_sent(),
        [],
        "no code is spent on a used state"
    );
}

#[tokio::test]
async fn a_code_that_another_process_has_used_leads_back_to_the_page() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let back = through_wechat(&server, &authorize_url(&server, &token).await).await;
    // The other process has begun, and has not stored its answer yet.
    let database = server.database().await;
    sqlx::query("UPDATE oauth_states SET used_ms = 1")
        .execute(&database)
        .await
        .unwrap();
    let used = r#"{"errcode":40163,"errmsg":"code been used"}"#;
    server.wechat.inject("openid", Fault::Answered(200, used));
    assert_eq!(location(&server.get(&back).await), PAGE);
    // Another process on the same files gives the same answer.
    let beside = server.beside().await;
    let first = server.get(&back).await;
    assert_eq!(location(&beside.get(&back).await), location(&first));
}

#[tokio::test]
async fn a_call_that_did_not_reach_wechat_can_be_repeated() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let back = through_wechat(&server, &authorize_url(&server, &token).await).await;
    server.wechat.inject("openid", Fault::NotSent);
    let first = server.get(&back).await;
    assert_eq!(handle(&first), merchant_api::PAYER_UNAVAILABLE_HANDLE);
    let second = server.get(&back).await;
    assert_ne!(handle(&second), merchant_api::PAYER_UNAVAILABLE_HANDLE);
}

#[tokio::test]
async fn an_expired_state_leads_back_to_the_page_for_a_day_and_an_unknown_one_to_the_shop() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let back = through_wechat(&server, &authorize_url(&server, &token).await).await;
    server.wechat.take_sent();
    for minutes in [10, 23 * 60] {
        server.clock.advance_ms(minutes * MINUTE_MS);
        assert_eq!(location(&server.get(&back).await), PAGE);
        // Other calls make new states meanwhile, and delete states older than a day.
        let other = json!({
            "order_no": format!("tea-1{minutes:03}"), "total_fen": 1, "description": "tea",
        });
        authorize_url(&server, &server.order(other).await).await;
    }
    server.clock.advance_ms(24 * 60 * MINUTE_MS);
    let other = json!({ "order_no": "tea-0009", "total_fen": 1, "description": "tea" });
    authorize_url(&server, &server.order(other).await).await;
    let (_, query) = back.split_once('?').unwrap();
    for query in ["", "code=x", "code=x&state=unknown", query] {
        let answer = server.get(&format!("/wechat/oauth/callback?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.headers.get("location").is_none());
        let link = format!("href=\"{}\"", crate::test_server::SHOP);
        assert!(answer.text().contains(&link), "{}", answer.text());
    }
    assert_eq!(
        server.wechat.take_sent(),
        [],
        "no code is spent on a wrong state"
    );
}

#[tokio::test]
async fn a_handle_is_valid_only_for_its_own_order_and_attempt() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let other = server
        .order(serde_json::json!({"order_no": "tea-0002", "total_fen": 1, "description": "tea"}))
        .await;
    let url = authorize_url(&server, &token).await;
    let handle = handle(&server.get(&through_wechat(&server, &url).await).await);
    let form = [JSAPI, BACK, ("payer", &*handle), ("after", "1")];
    let stolen = server.attempt(&other, &form).await;
    assert_eq!(
        (stolen.status.as_u16(), stolen.code()),
        (422, "PAYER_INVALID")
    );

    let first = server
        .attempt(&token, &[JSAPI, BACK, ("payer", &handle)])
        .await;
    assert_eq!(first.number("attempt"), 1);
    // The answer was lost, or the buyer closed the cashier: the same payer gets the same attempt.
    let again = server.attempt(&token, &form).await;
    assert_eq!(again.number("attempt"), 1);
    // Another page has taken over: the handle is used up.
    let desk = server
        .attempt(&token, &[("product", "native"), ("after", "1")])
        .await;
    assert_eq!(desk.number("attempt"), 2);
    let used = server
        .attempt(&token, &[JSAPI, BACK, ("payer", &handle), ("after", "2")])
        .await;
    assert_eq!(used.code(), "PAYER_INVALID");
    let unknown = server
        .attempt(&token, &[JSAPI, BACK, ("payer", "nobody"), ("after", "2")])
        .await;
    assert_eq!(unknown.code(), "PAYER_INVALID");
}

#[tokio::test]
async fn a_handle_expires_after_ten_minutes() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let url = authorize_url(&server, &token).await;
    let handle = handle(&server.get(&through_wechat(&server, &url).await).await);
    server.clock.advance_ms(10 * MINUTE_MS);
    let late = server
        .attempt(&token, &[JSAPI, BACK, ("payer", &handle)])
        .await;
    assert_eq!(late.code(), "PAYER_INVALID");
}

#[tokio::test]
async fn a_failed_openid_lookup_is_reported_to_the_page_and_not_repeated() {
    let faults = [
        || Fault::Answered(200, r#"{"errcode":40029,"errmsg":"invalid code"}"#),
        || Fault::Answered(200, r#"{"openid":"o with blanks"}"#),
        || Fault::Answered(200, "<html>"),
        || Fault::NotSent,
    ];
    for fault in faults {
        let server = TestServer::open().await;
        let token = server.default_order().await;
        let url = authorize_url(&server, &token).await;
        let back = through_wechat(&server, &url).await;
        server.wechat.inject("openid", fault());
        let handle = handle(&server.get(&back).await);
        assert_eq!(handle, merchant_api::PAYER_UNAVAILABLE_HANDLE);
        let answer = server
            .attempt(&token, &[JSAPI, BACK, ("payer", &handle)])
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (409, "PAYER_UNAVAILABLE")
        );
    }
    // The buyer declined: WeChat redirects without a code.
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let url = authorize_url(&server, &token).await;
    let (_, state) = url.query_pairs().find(|(name, _)| name == "state").unwrap();
    let answer = server
        .get(&format!("/wechat/oauth/callback?state={state}"))
        .await;
    assert_eq!(handle(&answer), merchant_api::PAYER_UNAVAILABLE_HANDLE);
}

#[tokio::test]
async fn the_buyer_is_redirected_only_to_allowed_addresses() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    for fields in [
        vec![JSAPI],
        vec![JSAPI, ("return_url", "https://evil.example/")],
    ] {
        let answer = server.attempt(&token, &fields).await;
        assert_eq!(answer.code(), "RETURN_URL_REFUSED", "{fields:?}");
    }
}
