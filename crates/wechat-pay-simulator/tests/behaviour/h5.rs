//! The H5 page: its conditions, its lifetime, and its redirects.

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use url::{Url, form_urlencoded};
use wechat_pay::TradeState;

use crate::harness::{BASE_URL, Harness, send, text};

const BACK: &str = "http://127.0.0.1:8000/order/1?h=abc";

async fn open(harness: &Harness, h5_url: &str, referer: Option<&str>) -> Response<Bytes> {
    let path = h5_url.strip_prefix(BASE_URL).unwrap();
    let mut request = Request::get(path);
    if let Some(referer) = referer {
        request = request.header(header::REFERER, referer);
    }
    send(
        harness.simulator.app(),
        request.body(Body::empty()).unwrap(),
    )
    .await
}

async fn answer(
    harness: &Harness,
    h5_url: &str,
    redirect_url: Option<&str>,
    outcome: &str,
) -> Response<Bytes> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(Url::parse(h5_url).unwrap().query_pairs())
        .append_pair("outcome", outcome);
    if let Some(redirect_url) = redirect_url {
        form.append_pair("redirect_url", redirect_url);
    }
    let request = Request::post("/cgi-bin/mmpayweb-bin/outcome")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.finish()))
        .unwrap();
    send(harness.simulator.app(), request).await
}

fn with_redirect(h5_url: &str, redirect_url: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(redirect_url.as_bytes()).collect();
    format!("{h5_url}&redirect_url={encoded}")
}

#[tokio::test]
async fn the_page_opens_wechat_and_every_answer_returns_to_the_shop() {
    for (outcome, state) in [
        ("success", TradeState::Success),
        ("cancel", TradeState::NotPay),
        ("fail", TradeState::NotPay),
    ] {
        let harness = Harness::new();
        let h5_url = harness.h5("T00001").await;
        let full = with_redirect(&h5_url, BACK);
        let page = open(&harness, &full, Some("http://127.0.0.1:8000/")).await;
        for shown in ["正在打开微信", "¥19.90", "一壶茶", "模拟器"] {
            assert!(text(&page).contains(shown), "{shown}");
        }
        let answered = answer(&harness, &h5_url, Some(BACK), outcome).await;
        assert_eq!(answered.status(), StatusCode::SEE_OTHER);
        assert_eq!(answered.headers()["location"], BACK);
        let view = harness.simulator.ledger_view(None);
        assert_eq!(view.orders[0].trade_state, state, "{outcome}");
    }
}

#[tokio::test]
async fn without_redirect_url_the_page_says_what_happened() {
    let harness = Harness::new();
    let h5_url = harness.h5("T00001").await;
    let answered = answer(&harness, &h5_url, None, "success").await;
    assert_eq!(answered.status(), StatusCode::OK);
    assert!(text(&answered).contains("支付成功"));
}

#[tokio::test]
async fn referer_and_redirect_url_must_be_of_a_registered_domain() {
    let harness = Harness::new();
    let plain = harness.h5("T00001").await;
    let malformed = "商家参数格式有误，请联系商家解决";
    let unregistered = "商家存在未配置的参数，请联系商家解决";
    let opens = "正在打开微信";
    for (redirect_url, referer, expected) in [
        (None, None, malformed),
        (None, Some(""), malformed),
        (None, Some("https://evil.example/"), unregistered),
        (None, Some("about:blank"), unregistered),
        (None, Some("https://shop.example/cart"), opens),
        (None, Some("http://localhost:8000/"), opens),
        (
            Some("https://evil.example/"),
            Some("https://shop.example/"),
            unregistered,
        ),
        (
            Some("https://shop.example.evil.example/"),
            Some("https://shop.example/"),
            unregistered,
        ),
        (
            Some("javascript:alert(1)"),
            Some("https://shop.example/"),
            unregistered,
        ),
        (
            Some("https://shop.example/back"),
            Some("https://shop.example/"),
            opens,
        ),
    ] {
        let url = redirect_url.map_or_else(|| plain.clone(), |to| with_redirect(&plain, to));
        let page = open(&harness, &url, referer).await;
        assert!(
            text(&page).contains(expected),
            "{redirect_url:?} {referer:?}"
        );
    }
    // The form is checked as well: it can be sent without the page.
    let answered = answer(&harness, &plain, Some("https://evil.example/"), "cancel").await;
    assert!(text(&answered).contains(unregistered));
    assert!(!answered.headers().contains_key(header::LOCATION));
}

#[tokio::test]
async fn the_link_expires_after_five_minutes_and_a_new_one_opens() {
    let harness = Harness::new();
    let h5_url = harness.h5("T00001").await;
    let referer = Some("http://127.0.0.1:8000/");
    harness.advance(300);
    let void = "支付请求已失效";
    assert!(text(&open(&harness, &h5_url, referer).await).contains(void));
    assert!(text(&answer(&harness, &h5_url, None, "success").await).contains(void));
    let fresh = harness.h5("T00001").await;
    assert!(text(&open(&harness, &fresh, referer).await).contains("正在打开微信"));
}

#[tokio::test]
async fn the_page_belongs_to_the_buyer_who_opened_it_first() {
    let harness = Harness::new();
    let h5_url = harness.h5("T00001").await;
    let path = h5_url.strip_prefix(BASE_URL).unwrap();
    let visit = async |payer: u8| {
        let request = Request::get(path)
            .header(header::REFERER, "http://127.0.0.1:8000/")
            .header(header::COOKIE, format!("simulator_payer={payer}"));
        let page = send(
            harness.simulator.app(),
            request.body(Body::empty()).unwrap(),
        )
        .await;
        text(&page).contains("正在打开微信")
    };
    assert!(visit(2).await);
    assert!(!visit(1).await, "another buyer");
    assert!(visit(2).await, "the same again");
    let paying = serde_json::json!({ "h5_url": h5_url, "payer": 1, "outcome": "success" });
    let (status, answer) = harness.pay(paying).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (409, &serde_json::json!("PAYER_MISMATCH"))
    );
}

#[tokio::test]
async fn an_altered_address_opens_no_cashier() {
    let harness = Harness::new();
    let h5_url = harness.h5("T00001").await;
    let referer = Some("http://127.0.0.1:8000/");
    for altered in [
        format!("{h5_url}0"),
        h5_url.replace("prepay_id=wx", "prepay_id=xx"),
        h5_url.split('&').next().unwrap().to_owned(),
        format!("{BASE_URL}/cgi-bin/mmpayweb-bin/checkmweb"),
    ] {
        let page = open(&harness, &altered, referer).await;
        assert!(!text(&page).contains("正在打开微信"), "{altered}");
    }
}
