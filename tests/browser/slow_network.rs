//! A network that takes its time: the buyer is told something calm, and nothing is begun twice.

use payment_tests::browser::{Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::plain_backend::until_asked;
use crate::stage::Stage;

in_browsers! {
    while_the_widget_comes_the_page_shows_its_own_and_then_one_payment_begins:
        chromium firefox webkit;
    a_button_that_is_pressed_before_the_widget_is_there_is_not_lost: chromium firefox webkit;
    while_the_backend_is_slow_the_buyer_reads_so_and_no_click_starts_a_second_attempt:
        chromium firefox webkit;
}

async fn while_the_widget_comes_the_page_shows_its_own_and_then_one_payment_begins(engine: Engine) {
    let stage = Stage::set().await;
    let token = stage.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let words = ("script", "pay.textContent = '正在打开收银台'");
        let page = stage.page_of(&token, &[words]);
        browser.open(&page.replace("/ready/", "/held/")).await;
        browser.until("!!customElements.get('wechat-pay')").await;
        // What the page put between the tags stays until there is something better.
        browser
            .until("pay.innerText === '正在打开收银台' && !pay.shadowRoot")
            .await;
        // A button of the page's own that is pressed too early, and taken back.
        let pressed = browser
            .look("return [pay.start(), pay.cancel()]", vec![])
            .await;
        assert_eq!(pressed, json!([true, false]));
        assert_eq!(stage.requests_about(&token), [""; 0]);

        stage.let_go();
        browser.until("stateOf('pay') === 'qr'").await;
        let text = browser.element_text().await;
        assert!(text.contains("¥69.10"), "{text}");
        assert_eq!(stage.posts_about(&token), 1);
        assert_eq!(browser.look("return heard", vec![]).await, json!([]));
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_button_that_is_pressed_before_the_widget_is_there_is_not_lost(engine: Engine) {
    let stage = Stage::set().await;
    let token = stage.order().await;
    visit_in(engine, Visitor::Phone, async |phone| {
        let page = stage.page_of(&token, &[]).replace("/ready/", "/held/");
        phone.open(&page).await;
        phone.until("!!customElements.get('wechat-pay')").await;
        let pressed = "return [pay.start(), pay.start()]";
        assert_eq!(phone.look(pressed, vec![]).await, json!([true, true]));
        assert_eq!(stage.requests_about(&token), [""; 0]);
        stage.let_go();
        phone.until_at("/cgi-bin/mmpayweb-bin/checkmweb").await;
        assert_eq!(stage.posts_about(&token), 1);
    })
    .await;
}

async fn while_the_backend_is_slow_the_buyer_reads_so_and_no_click_starts_a_second_attempt(
    engine: Engine,
) {
    let stage = Stage::set().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        stage.open(browser, "ready").await;
        stage.plain.hold();
        stage.put_asking(browser, "slow").await;
        until_asked(&stage.plain, "slow", 1).await;
        browser.until("stateOf('pay') === 'loading'").await;
        let text = browser.element_text().await;
        assert!(text.contains("正在加载"), "{text}");
        stage.plain.let_go();
        browser.until("stateOf('pay') === 'qr'").await;
        assert_eq!(stage.plain.starts_of("slow"), 1);

        // Once more by the buyer's own hand, who loses patience.
        stage.plain.hold();
        browser.look("pay.cancel()", vec![]).await;
        browser.until("stateOf('pay') === 'offer'").await;
        browser.click_in("#pay", "[data-intent='start']").await;
        browser.until("stateOf('pay') === 'starting'").await;
        browser.look("pay.start(); pay.start()", vec![]).await;
        let text = browser.element_text().await;
        assert!(text.contains("正在发起支付"), "{text}");
        stage.plain.let_go();
        browser.until("stateOf('pay') === 'qr'").await;
        assert_eq!(stage.plain.starts_of("slow"), 2);
        assert_eq!(browser.look("return heard", vec![]).await, json!([]));
    })
    .await;
}
