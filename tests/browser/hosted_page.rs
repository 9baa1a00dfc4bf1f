//! The merchant server's own page, for shops that embed nothing: its strict policy lets the element
//! work and nothing else.

use payment_tests::browser::{Visitor, visit_in};
use payment_tests::scanner::scan;
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;
use serde_json::json;

in_browsers! {
    a_buyer_pays_on_the_hosted_page_under_its_strict_policy: chromium firefox webkit;
    a_buyer_pays_a_sub_merchants_order_on_the_hosted_page: chromium firefox webkit;
}

async fn a_buyer_pays_on_the_hosted_page_under_its_strict_policy(engine: Engine) {
    let servers = Servers::start().await;
    let token = servers
        .order(json!({"order_no": "HOSTED-0001", "total_fen": 1990, "description": "手冲壶"}))
        .await;
    pay_on_a_desktop(engine, &servers, &token).await;
}

async fn a_buyer_pays_a_sub_merchants_order_on_the_hosted_page(engine: Engine) {
    let (servers, sub_mchid) = Servers::start_as_partner().await;
    let order = json!({
        "order_no": "HOSTED-0002", "total_fen": 1990, "description": "手冲壶", "sub_mchid": sub_mchid,
    });
    let token = servers.order(order).await;
    pay_on_a_desktop(engine, &servers, &token).await;
}

async fn pay_on_a_desktop(engine: Engine, servers: &Servers, token: &str) {
    visit_in(engine, Visitor::Desktop, async |desk| {
        desk.open(&format!("{}/c/{token}", servers.merchant)).await;
        desk.until_element_is(&["qr"]).await;
        let text = desk.element_text().await;
        assert!(text.contains("Test mode"), "{text}");
        let codes = scan(&desk.screenshot().await);
        let checkout = servers.checkout(token).await;
        assert_eq!(codes, [checkout["code_url"].as_str().expect("a code")]);

        servers.wechat.pay(&checkout["code_url"]).await;
        desk.until_element_is(&["paid"]).await;
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}
