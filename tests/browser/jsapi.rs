//! Inside WeChat, as the simulator's WeChat browser shows the shop: the OAuth redirect for the
//! openid, then the cashier over the page.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;

in_browsers! {
    a_buyer_inside_wechat_pays_in_the_cashier_and_the_page_shows_it: chromium firefox webkit;
    a_buyer_who_closes_the_cashier_gets_the_offer_again_and_pays: chromium firefox webkit;
    a_payment_that_fails_is_shown_as_a_problem_with_a_retry: chromium firefox webkit;
}

async fn a_buyer_inside_wechat_pays_in_the_cashier_and_the_page_shows_it(engine: Engine) {
    let servers = Servers::start().await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        open_the_cashier(&servers, wechat).await;
        answer(wechat, "success").await;
        wechat.until_element_is(&["paid"]).await;
        wechat
            .until("!document.querySelector('.thanks').hidden")
            .await;
        let address = wechat.address().await;
        assert!(
            address.as_str().starts_with(&servers.wechat_browser),
            "{address}"
        );
        let query = address.query().unwrap_or_default();
        assert!(!query.contains("wechat_pay_payer"), "{address}");
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
        assert_eq!(wechat.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_buyer_who_closes_the_cashier_gets_the_offer_again_and_pays(engine: Engine) {
    let servers = Servers::start().await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        open_the_cashier(&servers, wechat).await;
        answer(wechat, "cancel").await;
        wechat.until_element_is(&["offer"]).await;
        assert_eq!(servers.wechat.trade_states(), ["NOTPAY"]);
        wechat.click_intent("start").await;
        wechat
            .until("document.querySelector('#wechat-cashier')")
            .await;
        answer(wechat, "success").await;
        wechat.until_element_is(&["paid"]).await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"], "one order");
        assert_eq!(wechat.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_payment_that_fails_is_shown_as_a_problem_with_a_retry(engine: Engine) {
    let servers = Servers::start().await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        open_the_cashier(&servers, wechat).await;
        answer(wechat, "fail").await;
        wechat.until_element_is(&["problem"]).await;
        assert_eq!(servers.wechat.trade_states(), ["NOTPAY"]);
    })
    .await;
}

/// Buys in the shop inside WeChat, presses the button, and returns with an openid.
pub(crate) async fn open_the_cashier(servers: &Servers, wechat: &Browser) {
    wechat.open(&servers.wechat_browser).await;
    wechat.click("button[value='notebook']").await;
    wechat.until_element_is(&["offer"]).await;
    wechat.click_intent("start").await;
    wechat
        .until("document.querySelector('#wechat-cashier')")
        .await;
}

pub(crate) async fn answer(wechat: &Browser, outcome: &str) {
    let button = format!("[data-outcome='{outcome}']");
    wechat.click_in("#wechat-cashier", &button).await;
}
