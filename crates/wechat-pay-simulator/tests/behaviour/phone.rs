//! The phone page: scanning, and the buyer's three choices.

use axum::body::Body;
use http::{Request, StatusCode};
use url::form_urlencoded;

use crate::harness::{Harness, send, text};

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn answer(harness: &Harness, code_url: &str, outcome: &str) -> (StatusCode, String) {
    let form = format!("code_url={}&outcome={outcome}", encode(code_url));
    let request = Request::post("/phone/pay")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    let response = send(harness.simulator.app(), request).await;
    (response.status(), text(&response).to_owned())
}

#[tokio::test]
async fn the_phone_lists_open_codes_and_says_that_it_is_a_simulator() {
    let harness = Harness::new();
    let code_url = harness.native("T00001").await;
    harness.pay_native("T00002").await;
    let home = harness.get("/phone").await;
    let page = text(&home);
    assert!(page.contains("T00001") && page.contains("¥19.90"));
    assert!(!page.contains("T00002"), "it is paid");
    assert!(page.contains("模拟器") && page.contains("No money moves"));
    assert!(page.contains(&format!("/phone/scan?code_url={}", encode(&code_url))));
    let policy = home.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"));
    let first = harness.get("/").await;
    assert!(text(&first).contains("href=\"/phone\""));
    for file in ["/assets/simulator.css", "/assets/phone.js"] {
        assert_eq!(harness.get(file).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_scanned_code_shows_the_order_and_accepts_the_buyers_choice() {
    let harness = Harness::new();
    let code_url = harness.native("T00001").await;
    let cashier = harness
        .get(&format!("/phone/scan?code_url=%20{}", encode(&code_url)))
        .await;
    let page = text(&cashier);
    for shown in ["¥19.90", "一壶茶", "T00001", &harness.merchant().mchid] {
        assert!(page.contains(shown), "{shown}");
    }
    for outcome in ["success", "cancel", "fail"] {
        assert!(page.contains(&format!("value=\"{outcome}\"")));
    }
    assert!(
        answer(&harness, &code_url, "fail")
            .await
            .1
            .contains("支付失败")
    );
    assert!(
        answer(&harness, &code_url, "cancel")
            .await
            .1
            .contains("已取消支付")
    );
    assert!(
        answer(&harness, &code_url, "success")
            .await
            .1
            .contains("支付成功")
    );
    let (status, page) = answer(&harness, &code_url, "success").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("该订单已支付"));
}

#[tokio::test]
async fn wrong_codes_get_an_error_page() {
    let harness = Harness::new();
    for code_url in [
        "",
        "https://shop.example",
        "weixin://wxpay/bizpayurl?pr=none",
        "<script>",
    ] {
        let response = harness
            .get(&format!("/phone/scan?code_url={}", encode(code_url)))
            .await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{code_url}");
        assert!(!text(&response).contains("<script>"));
    }
    assert_eq!(
        harness.get("/phone/scan").await.status(),
        StatusCode::NOT_FOUND
    );
    let code_url = harness.native("T00001").await;
    assert_eq!(
        answer(&harness, &code_url, "steal").await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn the_merchants_texts_are_shown_as_text_and_never_as_markup() {
    let harness = Harness::new();
    let mut order = harness.order("T00001", wechat_pay::ProductFields::Native);
    order.description = wechat_pay::Description::parse("<b>\"tea\"&").unwrap();
    harness.send(order.request().unwrap()).await.unwrap();
    let home = harness.get("/phone").await;
    assert!(text(&home).contains("&lt;b&gt;"));
    assert!(!text(&home).contains("<b>"));
}
