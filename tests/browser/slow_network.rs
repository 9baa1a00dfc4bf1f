//! A slow network: the buyer gets a calm message, and nothing is started twice.

use payment_tests::browser::{Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::plain_backend::until_started;
use crate::test_pages::TestPages;

in_browsers! {
    the_pages_own_content_is_shown_until_the_widget_has_loaded:
        chromium firefox webkit;
    a_button_pressed_before_the_widget_has_loaded_counts: chromium firefox webkit;
    while_the_backend_is_slow_the_buyer_is_told_and_no_click_starts_a_second_attempt:
        chromium firefox webkit;
}

async fn the_pages_own_content_is_shown_until_the_widget_has_loaded(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let words = ("script", "pay.textContent = '正在打开收银台'");
        let page = pages.page_of(&token, &[words]);
        browser.open(&page.replace("/ready/", "/held/")).await;
        browser.until("!!customElements.get('wechat-pay')").await;
        // The content between the tags stays until the element has something to show.
        browser
            .until("pay.innerText === '正在打开收银台' && !pay.shadowRoot")
            .await;
        // The page's own button is pressed too early, and the start is withdrawn.
        let pressed = browser
            .look("return [pay.start(), pay.cancel()]", vec![])
            .await;
        assert_eq!(pressed, json!([true, false]));

        pages.release();
        browser.until("stateOf('pay') === 'qr'").await;
        let text = browser.element_text().await;
        assert!(text.contains("¥69.10"), "{text}");
        assert_eq!(pages.posts_about(&token), 1);
        assert_eq!(browser.look("return heard", vec![]).await, json!([]));
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_button_pressed_before_the_widget_has_loaded_counts(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Phone, async |phone| {
        let page = pages.page_of(&token, &[]).replace("/ready/", "/held/");
        phone.open(&page).await;
        phone.until("!!customElements.get('wechat-pay')").await;
        let pressed = "return [pay.start(), pay.start()]";
        assert_eq!(phone.look(pressed, vec![]).await, json!([true, true]));
        assert_eq!(pages.posts_about(&token), 0);
        pages.release();
        phone.until_at("/cgi-bin/mmpayweb-bin/checkmweb").await;
        assert_eq!(pages.posts_about(&token), 1);
    })
    .await;
}

async fn while_the_backend_is_slow_the_buyer_is_told_and_no_click_starts_a_second_attempt(
    engine: Engine,
) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        pages.plain.hold();
        pages.put_asking(browser, "slow").await;
        browser.until("stateOf('pay') === 'loading'").await;
        let text = browser.element_text().await;
        assert!(text.contains("正在加载"), "{text}");
        until_started(&pages.plain, "slow").await;
        pages.plain.release();
        browser.until("stateOf('pay') === 'qr'").await;
        assert_eq!(pages.plain.starts_of("slow"), 1);

        // The buyer loses patience and clicks again.
        pages.plain.hold();
        browser.look("pay.cancel()", vec![]).await;
        browser.until("stateOf('pay') === 'offer'").await;
        browser.click_in("#pay", "[data-intent='start']").await;
        browser.until("stateOf('pay') === 'starting'").await;
        browser.look("pay.start(); pay.start()", vec![]).await;
        let text = browser.element_text().await;
        assert!(text.contains("正在发起支付"), "{text}");
        pages.plain.release();
        browser.until("stateOf('pay') === 'qr'").await;
        assert_eq!(pages.plain.starts_of("slow"), 2);
        assert_eq!(browser.look("return heard", vec![]).await, json!([]));
    })
    .await;
}
