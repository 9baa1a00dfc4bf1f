//! In a phone's own browser: over to WeChat's middle page and back to the shop.

use payment_tests::browser::{Browser, Visitor, visit};
use payment_tests::servers::Servers;

#[tokio::test]
async fn a_buyer_on_a_phone_goes_to_wechat_pays_and_comes_back_to_a_paid_page() {
    let servers = Servers::start().await;
    visit(Visitor::Phone, async |phone| {
        buy(&servers, phone).await;
        go_to_wechat_and(phone, "success").await;
        // The page may be back before the notification: then it asks nothing and is told.
        phone.until_element_is(&["paid"]).await;
        phone
            .until("!document.querySelector('.thanks').hidden")
            .await;
        let address = phone.address().await;
        assert!(address.as_str().starts_with(&servers.shop), "{address}");
        let query = address.query().unwrap_or_default();
        assert!(!query.contains("wechat_pay_return"), "{address}");
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
        assert_eq!(phone.complaints().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_buyer_who_comes_back_unpaid_says_so_and_goes_again() {
    let servers = Servers::start().await;
    visit(Visitor::Phone, async |phone| {
        buy(&servers, phone).await;
        go_to_wechat_and(phone, "cancel").await;
        phone.until_element_is(&["returned"]).await;
        phone.click_intent("check-payment").await;
        phone.click_intent("report-trouble").await;
        phone.until_element_is(&["offer"]).await;
        go_to_wechat_and(phone, "success").await;
        phone.until_element_is(&["paid"]).await;
        assert_eq!(phone.complaints().await, [""; 0]);
    })
    .await;
}

async fn buy(servers: &Servers, phone: &Browser) {
    phone.open(&servers.shop).await;
    phone.click("button[value='tea']").await;
    phone.until_element_is(&["offer"]).await;
    let width = "document.documentElement.scrollWidth <= innerWidth";
    phone.until(width).await;
}

/// Presses the button, and answers in WeChat.
async fn go_to_wechat_and(phone: &Browser, outcome: &str) {
    phone.click_intent("start").await;
    phone.until_at("/cgi-bin/mmpayweb-bin/checkmweb").await;
    phone.click(&format!("button[value='{outcome}']")).await;
    phone.until_at("/pay/").await;
}
