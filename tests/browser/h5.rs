//! A phone's own browser: to WeChat's middle page and back to the shop.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::test_pages::TestPages;

in_browsers! {
    a_buyer_on_a_phone_pays_in_wechat_and_returns_to_a_paid_page: chromium firefox webkit;
    a_buyer_who_returns_unpaid_reports_it_and_pays_again: chromium firefox webkit;
    going_back_after_a_payment_ends_at_a_paid_page: chromium firefox webkit;
    the_h5_url_is_opened_unchanged_and_going_back_shows_the_return_panel: chromium firefox webkit;
    a_single_page_shop_is_returned_to_its_route: chromium firefox webkit;
    a_page_that_sends_no_referrer_still_reaches_wechat: chromium firefox webkit;
}

async fn a_buyer_on_a_phone_pays_in_wechat_and_returns_to_a_paid_page(engine: Engine) {
    let servers = Servers::start().await;
    visit_in(engine, Visitor::Phone, async |phone| {
        buy(&servers, phone).await;
        go_to_wechat_and(phone, "success").await;
        // The page may be back before the notification: then it polls nothing by itself and still
        // learns of the payment.
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

async fn a_buyer_who_returns_unpaid_reports_it_and_pays_again(engine: Engine) {
    let servers = Servers::start().await;
    visit_in(engine, Visitor::Phone, async |phone| {
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

/// The buyer returns with the browser's own button: Chromium and WebKit restore the page, and
/// Firefox, which keeps no page under WebDriver, reloads it.
async fn the_h5_url_is_opened_unchanged_and_going_back_shows_the_return_panel(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Phone, async |phone| {
        phone.open(&pages.page_of(&token, &[("auto-start", "")])).await;
        // Only a click navigates; `auto-start` does not.
        phone.until_element_is(&["offer"]).await;
        assert_eq!(pages.posts_about(&token), 0);
        phone.look(KEEP_THE_H5_URL, vec![]).await;
        phone.click_intent("start").await;
        phone.until_at("/cgi-bin/mmpayweb-bin/checkmweb").await;
        let went_to = phone.address().await;
        assert_eq!(pages.posts_about(&token), 1);

        phone.back().await;
        phone.until_element_is(&["returned"]).await;
        let given = phone.look("return sessionStorage.h5_url", vec![]).await;
        assert_eq!(given, json!(went_to.as_str()));
        let restored = phone.look("return Boolean(window.isTheSamePage)", vec![]).await;
        if engine != Engine::Firefox {
            assert_eq!(restored, json!(true), "from the back-forward cache");
        }
        // A return proves nothing: WeChat is queried only at the buyer's request, and nothing
        // starts.
        let asks = |line: &String| line.contains("ask=1");
        assert!(!pages.requests_about(&token).iter().any(asks));
        assert_eq!(pages.posts_about(&token), 1);
        phone.click_intent("check-payment").await;
        phone
            .until("document.querySelector('wechat-pay').shadowRoot.querySelector('[data-intent=report-trouble]')")
            .await;
        assert!(pages.requests_about(&token).iter().any(asks));
        phone.click_intent("report-trouble").await;
        phone.until_element_is(&["offer"]).await;
        assert_eq!(phone.complaints().await, [""; 0]);
    })
    .await;
}

/// WeChat's redirect leaves the shop's page in the history twice, with WeChat's page in between.
/// Going back through all of it ends at the paid page and starts nothing.
async fn going_back_after_a_payment_ends_at_a_paid_page(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Phone, async |phone| {
        phone.open(&pages.page_of(&token, &[])).await;
        phone.pay_through_h5("/ready/order").await;
        phone.back().await;
        phone.until_at("/cgi-bin/mmpayweb-bin/checkmweb").await;
        phone.back().await;
        phone.until_at("/ready/order").await;
        phone.until_element_is(&["paid"]).await;
        assert_eq!(pages.posts_about(&token), 1);
        assert_eq!(pages.servers.wechat.trade_states(), ["SUCCESS"]);
    })
    .await;
}

async fn a_single_page_shop_is_returned_to_its_route(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Phone, async |phone| {
        let page = format!("{}#/orders/7?tab=pay", pages.page_of(&token, &[]));
        phone.open(&page).await;
        phone.pay_through_h5("/ready/order").await;
        assert_eq!(phone.address().await.as_str(), page);
        assert_eq!(phone.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_page_that_sends_no_referrer_still_reaches_wechat(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Phone, async |phone| {
        phone.open(&pages.page_of(&token, &[])).await;
        let policy = "document.head.append(Object.assign(document.createElement('meta'), {name: 'referrer', content: 'no-referrer'}))";
        phone.look(policy, vec![]).await;
        phone.until_element_is(&["offer"]).await;
        phone.click_intent("start").await;
        phone.until_at("/cgi-bin/mmpayweb-bin/checkmweb").await;
        // Without a Referer, WeChat's page would report a malformed link.
        phone.click("button[value='success']").await;
        phone.until_element_is(&["paid"]).await;
    })
    .await;
}

/// Stores the address that the backend returns, beyond the page's end.
const KEEP_THE_H5_URL: &str = "window.isTheSamePage = true;
    const really = window.fetch;
    window.fetch = async (...request) => {
        const response = await really(...request);
        const {h5_url} = await response.clone().json().catch(() => ({}));
        if (h5_url) sessionStorage.h5_url = h5_url;
        return response;
    }";

pub(crate) async fn buy(servers: &Servers, phone: &Browser) {
    phone.open(&servers.shop).await;
    phone.click("button[value='tea']").await;
    phone.until_element_is(&["offer"]).await;
    let width = "document.documentElement.scrollWidth <= innerWidth";
    phone.until(width).await;
}

/// Presses the button, and answers in WeChat.
pub(crate) async fn go_to_wechat_and(phone: &Browser, outcome: &str) {
    phone.click_intent("start").await;
    phone.until_at("/cgi-bin/mmpayweb-bin/checkmweb").await;
    phone.click(&format!("button[value='{outcome}']")).await;
    phone.until_at("/pay/").await;
}
