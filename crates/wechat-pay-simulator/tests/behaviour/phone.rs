//! The phone page: scanning, and the three answers.

use axum::body::Body;
use http::{Request, StatusCode};
use url::form_urlencoded;

use crate::stage::{Stage, send, text};

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn answer(stage: &Stage, code_url: &str, outcome: &str) -> (StatusCode, String) {
    let form = format!("code_url={}&outcome={outcome}", encode(code_url));
    let request = Request::post("/phone/pay")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    let response = send(stage.simulator.app(), request).await;
    (response.status(), text(&response).to_owned())
}

#[tokio::test]
async fn the_phone_lists_open_codes_and_says_that_it_is_a_simulator() {
    let stage = Stage::new();
    let code_url = stage.native("T00001").await;
    stage.pay_native("T00002").await;
    let home = stage.get("/phone").await;
    let page = text(&home);
    assert!(page.contains("T00001") && page.contains("¥19.90"));
    assert!(!page.contains("T00002"), "it is paid");
    assert!(page.contains("模拟器") && page.contains("No money moves"));
    assert!(page.contains(&format!("/phone/scan?code_url={}", encode(&code_url))));
    let policy = home.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"));
    let first = stage.get("/").await;
    assert!(text(&first).contains("href=\"/phone\""));
    for file in ["/assets/simulator.css", "/assets/phone.js"] {
        assert_eq!(stage.get(file).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_scanned_code_shows_what_is_to_be_paid_and_takes_the_answer() {
    let stage = Stage::new();
    let code_url = stage.native("T00001").await;
    let cashier = stage
        .get(&format!("/phone/scan?code_url=%20{}", encode(&code_url)))
        .await;
    let page = text(&cashier);
    for shown in ["¥19.90", "一壶茶", "T00001", &stage.merchant().mchid] {
        assert!(page.contains(shown), "{shown}");
    }
    for outcome in ["success", "cancel", "fail"] {
        assert!(page.contains(&format!("value=\"{outcome}\"")));
    }
    assert!(
        answer(&stage, &code_url, "fail")
            .await
            .1
            .contains("支付失败")
    );
    assert!(
        answer(&stage, &code_url, "cancel")
            .await
            .1
            .contains("已取消支付")
    );
    assert!(
        answer(&stage, &code_url, "success")
            .await
            .1
            .contains("支付成功")
    );
    let (status, page) = answer(&stage, &code_url, "success").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("该订单已支付"));
}

#[tokio::test]
async fn codes_that_are_none_get_a_page_that_says_so() {
    let stage = Stage::new();
    for code_url in [
        "",
        "https://shop.example",
        "weixin://wxpay/bizpayurl?pr=none",
        "<script>",
    ] {
        let response = stage
            .get(&format!("/phone/scan?code_url={}", encode(code_url)))
            .await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{code_url}");
        assert!(!text(&response).contains("<script>"));
    }
    assert_eq!(
        stage.get("/phone/scan").await.status(),
        StatusCode::NOT_FOUND
    );
    let code_url = stage.native("T00001").await;
    assert_eq!(
        answer(&stage, &code_url, "steal").await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn what_the_merchant_wrote_is_text_and_never_markup() {
    let stage = Stage::new();
    let mut order = stage.order("T00001", wechat_pay::ProductFields::Native);
    order.description = wechat_pay::Description::parse("<b>\"tea\"&").unwrap();
    stage.send(order.request().unwrap()).await.unwrap();
    let home = stage.get("/phone").await;
    assert!(text(&home).contains("&lt;b&gt;"));
    assert!(!text(&home).contains("<b>"));
}
