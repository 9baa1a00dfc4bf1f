//! OAuth: codes that are usable once.

use http::StatusCode;
use serde_json::Value;
use url::Url;

use crate::harness::{Harness, text};

const BACK: &str = "http%3A%2F%2F127.0.0.1%3A8080%2Fwechat%2Foauth%3Fa%3D1";

async fn code(harness: &Harness) -> String {
    let appid = &harness.merchant().appid;
    let response = harness
        .get(&format!(
            "/connect/oauth2/authorize?appid={appid}&redirect_uri={BACK}&response_type=code&scope=snsapi_base&state=s%201"
        ))
        .await;
    assert_eq!(response.status(), StatusCode::FOUND);
    let location = Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    assert!(
        location
            .as_str()
            .starts_with("http://127.0.0.1:8080/wechat/oauth?a=1&code=")
    );
    let value = |name| {
        location
            .query_pairs()
            .find(|(key, _)| key == name)
            .unwrap()
            .1
            .into_owned()
    };
    assert_eq!(value("state"), "s 1");
    value("code")
}

async fn redeem(harness: &Harness, code: &str) -> Value {
    let merchant = harness.merchant();
    access_token(
        harness,
        &merchant.appid,
        &merchant.app_secret,
        code,
        "authorization_code",
    )
    .await
}

async fn access_token(
    harness: &Harness,
    appid: &str,
    secret: &str,
    code: &str,
    kind: &str,
) -> Value {
    let response = harness
        .get(&format!(
            "/sns/oauth2/access_token?appid={appid}&secret={secret}&code={code}&grant_type={kind}"
        ))
        .await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/plain");
    serde_json::from_slice(response.body()).unwrap()
}

#[tokio::test]
async fn a_code_returns_the_buyers_openid_once() {
    let harness = Harness::new();
    let code = code(&harness).await;
    let answer = redeem(&harness, &code).await;
    assert_eq!(
        answer["openid"],
        harness.simulator.openid(&harness.merchant().appid)
    );
    assert_eq!(answer["scope"], "snsapi_base");
    assert_eq!(answer["expires_in"], 7200);
    assert!(answer["access_token"].is_string() && answer["refresh_token"].is_string());
    assert_eq!(redeem(&harness, &code).await["errcode"], 40163);
}

#[tokio::test]
async fn a_code_is_valid_for_five_minutes() {
    let harness = Harness::new();
    let (first, second) = (code(&harness).await, code(&harness).await);
    harness.advance(299);
    assert!(redeem(&harness, &first).await["openid"].is_string());
    harness.advance(1);
    assert_eq!(redeem(&harness, &second).await["errcode"], 42003);
}

#[tokio::test]
async fn wrong_credentials_get_wechats_error_codes_and_do_not_use_the_code() {
    let harness = Harness::new();
    let code = code(&harness).await;
    let (appid, secret) = (&harness.merchant().appid, &harness.merchant().app_secret);
    let kind = "authorization_code";
    for (appid, secret, code, kind, expected) in [
        ("wx0", secret.as_str(), code.as_str(), kind, 40013),
        (appid, "0", &code, kind, 40125),
        (appid, secret, "nobody's", kind, 40029),
        (appid, secret, &code, "code", 40002),
        ("", secret, &code, kind, 41002),
        (appid, "", &code, kind, 41004),
        (appid, secret, "", kind, 41008),
    ] {
        let answer = access_token(&harness, appid, secret, code, kind).await;
        assert_eq!(answer["errcode"], expected);
        assert!(answer["errmsg"].as_str().unwrap().contains("rid: "));
    }
    assert!(redeem(&harness, &code).await["openid"].is_string());
}

#[tokio::test]
async fn a_wrong_address_shows_wechats_error_page_and_redirects_nowhere() {
    let harness = Harness::new();
    let appid = harness.merchant().appid.clone();
    let good = format!("appid={appid}&redirect_uri={BACK}&response_type=code&scope=snsapi_base");
    for (from, to, number) in [
        (appid.as_str(), "wx0", "10013"),
        (BACK, "https%3A%2F%2Fevil.example%2F", "10003"),
        (BACK, "javascript%3Aalert(1)", "10003"),
        (BACK, "%2Frelative", "10003"),
        (BACK, "", "10011"),
        ("snsapi_base", "snsapi_userinfo", "10005"),
        ("snsapi_base", "", "10010"),
        ("response_type=code", "response_type=token", "10004"),
    ] {
        let query = good.replace(from, to);
        let response = harness
            .get(&format!("/connect/oauth2/authorize?{query}"))
            .await;
        assert!(!response.headers().contains_key("location"), "{query}");
        assert!(text(&response).contains(number), "{query}");
    }
    let registered = good.replace(BACK, "https%3A%2F%2FShop.example%2Fback");
    let response = harness
        .get(&format!("/connect/oauth2/authorize?{registered}"))
        .await;
    assert_eq!(response.status(), StatusCode::FOUND);
}
