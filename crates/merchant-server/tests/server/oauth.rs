//! The hop for the openid.

use axum::body::Body;
use axum::http::Request;
use http::StatusCode;
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

#[tokio::test]
async fn a_state_is_good_once_and_for_ten_minutes() {
    let house = House::open().await;
    let token = house.tea().await;
    let url = authorize_url(&house, &token).await;
    let back = through_wechat(&house, &url).await;
    assert_eq!(house.get(&back).await.status, StatusCode::FOUND);
    house.line.take_sent();
    let again = house.get(&back).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.headers.get("location").is_none());

    let url = authorize_url(&house, &token).await;
    let back = through_wechat(&house, &url).await;
    house.clock.advance_ms(10 * MINUTE_MS);
    assert_eq!(house.get(&back).await.status, StatusCode::BAD_REQUEST);

    for query in ["", "?code=x", "?code=x&state=unknown"] {
        let answer = house.get(&format!("/wechat/oauth/callback{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
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
