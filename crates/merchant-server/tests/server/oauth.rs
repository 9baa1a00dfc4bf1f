//! The hop for the openid.

use std::future::{Future as _, poll_fn};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::Request;
use http::StatusCode;
use serde_json::json;
use tower::ServiceExt as _;
use url::Url;

use crate::house::{Answer, House, MERCHANT, MINUTE_MS, WECHAT, read};
use crate::wechat_line::Meddling;

pub(crate) const JSAPI: (&str, &str) = ("product", "jsapi");
pub(crate) const BACK: (&str, &str) = ("return_url", "http://127.0.0.1:8000/pay?order=1#/cart");

/// The address that the buyer is sent to.
pub(crate) async fn authorize_url(house: &House, token: &str) -> Url {
    let answer = house.attempt(token, &[JSAPI, BACK]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    Url::parse(answer.word("authorize_url")).unwrap()
}

/// The buyer goes to WeChat; gives the address of ours that WeChat sends them back to.
pub(crate) async fn through_wechat(house: &House, authorize_url: &Url) -> String {
    let request = Request::get(authorize_url.as_str())
        .body(Body::empty())
        .unwrap();
    let answer = read(house.simulator.app().oneshot(request).await.unwrap()).await;
    let back = answer.headers["location"].to_str().unwrap();
    back.strip_prefix(MERCHANT).unwrap().to_owned()
}

/// The handle in the address that an answer redirects to, where the attempt was to lead [`BACK`].
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
async fn the_hop_brings_a_payer_and_is_no_attempt_by_itself() {
    let house = House::open().await;
    let token = house.tea().await;
    let before = house.checkout(&token).await.json;
    let url = authorize_url(&house, &token).await;
    assert_eq!(house.checkout(&token).await.json, before);
    assert!(
        url.as_str()
            .starts_with(&format!("{WECHAT}/connect/oauth2/authorize?appid=wx"))
    );
    assert_eq!(url.fragment(), Some("wechat_redirect"));
    let back = through_wechat(&house, &url).await;
    let handle = handle(&house.get(&back).await);
    let paying = house
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

/// Where an answer leads, as a whole address.
fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
    answer.headers["location"].to_str().unwrap()
}

/// The page that the buyer left, without anything of ours.
const PAGE: &str = "http://127.0.0.1:8000/pay?order=1#/cart";

#[tokio::test]
async fn a_callback_that_comes_twice_gets_the_same_answer_and_spends_the_code_once() {
    let house = House::open().await;
    let token = house.tea().await;
    let url = authorize_url(&house, &token).await;
    let back = through_wechat(&house, &url).await;
    house.line.take_sent();
    let first = house.get(&back).await;
    let handle = handle(&first);
    for _ in 0..2 {
        house.clock.advance_ms(4 * MINUTE_MS);
        let again = house.get(&back).await;
        assert_eq!(location(&again), location(&first));
        assert_eq!(again.headers["cache-control"], "no-store");
    }
    assert_eq!(house.line.take_kinds(), ["openid"]);
    let paying = house
        .attempt(&token, &[JSAPI, BACK, ("payer", &handle)])
        .await;
    assert_eq!(paying.number("attempt"), 1, "{}", paying.json);
    // The state's time is over: back to the page, which begins anew.
    house.clock.advance_ms(3 * MINUTE_MS);
    assert_eq!(location(&house.get(&back).await), PAGE);
}

#[tokio::test]
async fn two_calls_at_the_same_time_get_the_same_answer() {
    let house = House::open().await;
    let token = house.tea().await;
    let back = through_wechat(&house, &authorize_url(&house, &token).await).await;
    house.line.take_sent();
    let (one, other) = tokio::join!(house.get(&back), house.get(&back));
    assert_eq!(location(&one), location(&other));
    assert_ne!(handle(&one), merchant_api::PAYER_UNAVAILABLE_HANDLE);
    assert_eq!(house.line.take_kinds(), ["openid"]);
}

#[tokio::test]
async fn a_first_call_that_the_browser_drops_is_answered_to_the_second() {
    let house = House::open().await;
    let token = house.tea().await;
    let back = through_wechat(&house, &authorize_url(&house, &token).await).await;
    house.line.take_sent();
    // Dropped once WeChat has the code, and before the answer is written down.
    let mut dropped = Box::pin(house.get(&back));
    while house.line.take_kinds().is_empty() {
        let poll = |context: &mut Context<'_>| Poll::Ready(dropped.as_mut().poll(context));
        assert!(poll_fn(poll).await.is_pending(), "it is still under way");
        tokio::task::yield_now().await;
    }
    drop(dropped);
    let second = house.get(&back).await;
    assert_ne!(handle(&second), merchant_api::PAYER_UNAVAILABLE_HANDLE);
    assert_eq!(house.line.take_sent(), [], "the code is spent once");
}

#[tokio::test]
async fn another_code_gets_nothing_of_the_first_ones() {
    let house = House::open().await;
    let token = house.tea().await;
    let back = through_wechat(&house, &authorize_url(&house, &token).await).await;
    handle(&house.get(&back).await);
    house.line.take_sent();
    let (_, state) = back.split_once("state=").unwrap();
    let state = state.split('&').next().unwrap();
    for query in [
        format!("code=other&state={state}"),
        format!("state={state}"),
    ] {
        let answer = house.get(&format!("/wechat/oauth/callback?{query}")).await;
        assert_eq!(location(&answer), PAGE, "{query}");
    }
    assert_eq!(
        house.line.take_sent(),
        [],
        "no code is spent on a used state"
    );
}

#[tokio::test]
async fn a_code_that_another_process_has_spent_leads_back_to_the_page() {
    let house = House::open().await;
    let token = house.tea().await;
    let back = through_wechat(&house, &authorize_url(&house, &token).await).await;
    // The other process has begun, and its answer is not there yet.
    let database = house.database().await;
    sqlx::query("UPDATE oauth_states SET used_ms = 1")
        .execute(&database)
        .await
        .unwrap();
    let used = r#"{"errcode":40163,"errmsg":"code been used"}"#;
    house.line.meddle("openid", Meddling::Answered(200, used));
    assert_eq!(location(&house.get(&back).await), PAGE);
    // And the answer of another process on the same files is the same.
    let beside = house.beside().await;
    let first = house.get(&back).await;
    assert_eq!(location(&beside.get(&back).await), location(&first));
}

#[tokio::test]
async fn a_call_that_did_not_reach_wechat_may_come_again() {
    let house = House::open().await;
    let token = house.tea().await;
    let back = through_wechat(&house, &authorize_url(&house, &token).await).await;
    house.line.meddle("openid", Meddling::NotSent);
    let first = house.get(&back).await;
    assert_eq!(handle(&first), merchant_api::PAYER_UNAVAILABLE_HANDLE);
    let second = house.get(&back).await;
    assert_ne!(handle(&second), merchant_api::PAYER_UNAVAILABLE_HANDLE);
}

#[tokio::test]
async fn a_state_that_is_too_old_leads_back_for_a_day_and_an_unknown_one_to_the_shop() {
    let house = House::open().await;
    let token = house.tea().await;
    let back = through_wechat(&house, &authorize_url(&house, &token).await).await;
    house.line.take_sent();
    for minutes in [10, 23 * 60] {
        house.clock.advance_ms(minutes * MINUTE_MS);
        assert_eq!(location(&house.get(&back).await), PAGE);
        // Others are made meanwhile, and forget those that are older than a day.
        let other = json!({
            "order_no": format!("tea-1{minutes:03}"), "total_fen": 1, "description": "tea",
        });
        authorize_url(&house, &house.order(other).await).await;
    }
    house.clock.advance_ms(24 * 60 * MINUTE_MS);
    let other = json!({ "order_no": "tea-0009", "total_fen": 1, "description": "tea" });
    authorize_url(&house, &house.order(other).await).await;
    let (_, query) = back.split_once('?').unwrap();
    for query in ["", "code=x", "code=x&state=unknown", query] {
        let answer = house.get(&format!("/wechat/oauth/callback?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.headers.get("location").is_none());
        let link = format!("href=\"{}\"", crate::house::SHOP);
        assert!(answer.text().contains(&link), "{}", answer.text());
    }
    assert_eq!(
        house.line.take_sent(),
        [],
        "no code is spent on a wrong state"
    );
}

#[tokio::test]
async fn a_handle_is_good_for_its_own_order_and_its_own_attempt() {
    let house = House::open().await;
    let token = house.tea().await;
    let other = house
        .order(serde_json::json!({"order_no": "tea-0002", "total_fen": 1, "description": "tea"}))
        .await;
    let url = authorize_url(&house, &token).await;
    let handle = handle(&house.get(&through_wechat(&house, &url).await).await);
    let wish = [JSAPI, BACK, ("payer", &*handle), ("after", "1")];
    let stolen = house.attempt(&other, &wish).await;
    assert_eq!(
        (stolen.status.as_u16(), stolen.code()),
        (422, "PAYER_INVALID")
    );

    let first = house
        .attempt(&token, &[JSAPI, BACK, ("payer", &handle)])
        .await;
    assert_eq!(first.number("attempt"), 1);
    // The answer was lost, or the cashier was dismissed: the same payer, the same attempt.
    let again = house.attempt(&token, &wish).await;
    assert_eq!(again.number("attempt"), 1);
    // Somebody else has taken over: the handle is used up.
    let desk = house
        .attempt(&token, &[("product", "native"), ("after", "1")])
        .await;
    assert_eq!(desk.number("attempt"), 2);
    let used = house
        .attempt(&token, &[JSAPI, BACK, ("payer", &handle), ("after", "2")])
        .await;
    assert_eq!(used.code(), "PAYER_INVALID");
    let unknown = house
        .attempt(&token, &[JSAPI, BACK, ("payer", "nobody"), ("after", "2")])
        .await;
    assert_eq!(unknown.code(), "PAYER_INVALID");
}

#[tokio::test]
async fn a_handle_is_too_old_after_ten_minutes() {
    let house = House::open().await;
    let token = house.tea().await;
    let url = authorize_url(&house, &token).await;
    let handle = handle(&house.get(&through_wechat(&house, &url).await).await);
    house.clock.advance_ms(10 * MINUTE_MS);
    let late = house
        .attempt(&token, &[JSAPI, BACK, ("payer", &handle)])
        .await;
    assert_eq!(late.code(), "PAYER_INVALID");
}

#[tokio::test]
async fn without_an_openid_the_page_is_told_so_and_asks_no_second_time() {
    let meddlings = [
        || Meddling::Answered(200, r#"{"errcode":40029,"errmsg":"invalid code"}"#),
        || Meddling::Answered(200, r#"{"openid":"o with blanks"}"#),
        || Meddling::Answered(200, "<html>"),
        || Meddling::NotSent,
    ];
    for meddling in meddlings {
        let house = House::open().await;
        let token = house.tea().await;
        let url = authorize_url(&house, &token).await;
        let back = through_wechat(&house, &url).await;
        house.line.meddle("openid", meddling());
        let handle = handle(&house.get(&back).await);
        assert_eq!(handle, merchant_api::PAYER_UNAVAILABLE_HANDLE);
        let answer = house
            .attempt(&token, &[JSAPI, BACK, ("payer", &handle)])
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (409, "PAYER_UNAVAILABLE")
        );
    }
    // The buyer declined: WeChat comes back without a code.
    let house = House::open().await;
    let token = house.tea().await;
    let url = authorize_url(&house, &token).await;
    let (_, state) = url.query_pairs().find(|(name, _)| name == "state").unwrap();
    let answer = house
        .get(&format!("/wechat/oauth/callback?state={state}"))
        .await;
    assert_eq!(handle(&answer), merchant_api::PAYER_UNAVAILABLE_HANDLE);
}

#[tokio::test]
async fn the_buyer_is_sent_nowhere_that_is_not_allowed() {
    let house = House::open().await;
    let token = house.tea().await;
    for fields in [
        vec![JSAPI],
        vec![JSAPI, ("return_url", "https://evil.example/")],
    ] {
        let answer = house.attempt(&token, &fields).await;
        assert_eq!(answer.code(), "RETURN_URL_REFUSED", "{fields:?}");
    }
}
