//! When the widget cannot run, or stops: the buyer is left a way to pay, the page is told why, and
//! nothing goes on in the background.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::stage::{Stage, at_rest, bare, left};

in_browsers! {
    a_widget_that_cannot_load_leaves_the_buyer_another_way_to_pay: chromium firefox webkit;
    a_widget_that_is_there_after_all_is_loaded_by_the_buyers_button: chromium;
    a_browser_without_webassembly_leaves_another_way_to_pay: chromium firefox webkit;
    a_widget_of_another_version_than_its_script_leaves_another_way_to_pay: chromium firefox webkit;
    a_trap_leaves_another_way_to_pay_and_nothing_that_goes_on: chromium firefox webkit;
}

async fn a_widget_that_cannot_load_leaves_the_buyer_another_way_to_pay(engine: Engine) {
    let stage = Stage::set().await;
    let token = stage.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        stage.open(browser, "broken").await;
        stage.put(browser, "pay", &token).await;
        until_another_way(browser).await;
        assert_eq!(told(browser).await, json!(["WIDGET_UNAVAILABLE"]));
    })
    .await;
}

/// As after a deployment that takes a moment. Nothing loads the merchant's page anew by itself.
async fn a_widget_that_is_there_after_all_is_loaded_by_the_buyers_button(engine: Engine) {
    let stage = Stage::set().await;
    let token = stage.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let page = stage.page_of(&token, &[("checkout-url", "https://shop.example/c/1")]);
        browser.open(&page.replace("/ready/", "/broken/")).await;
        until_another_way(browser).await;
        stage.mend();
        browser.click_in("#pay", "[part=fallback] button").await;
        browser.until("stateOf('pay') === 'qr'").await;
    })
    .await;
}

/// Lockdown Mode, Shield Mode and their like.
async fn a_browser_without_webassembly_leaves_another_way_to_pay(engine: Engine) {
    let stage = Stage::set().await;
    let token = stage.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let without = ("script", "delete window.WebAssembly");
        let page = stage.page_of(
            &token,
            &[("checkout-url", "https://shop.example/c/1"), without],
        );
        browser.open(&page).await;
        until_another_way(browser).await;
        assert_eq!(told(browser).await, json!(["WIDGET_UNAVAILABLE"]));
    })
    .await;
}

/// A script from a cache with a WebAssembly that is newer, or the other way round.
async fn a_widget_of_another_version_than_its_script_leaves_another_way_to_pay(engine: Engine) {
    let stage = Stage::set().await;
    let token = stage.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        stage.open(browser, "outdated").await;
        stage.put(browser, "pay", &token).await;
        until_another_way(browser).await;
        assert_eq!(told(browser).await, json!(["WIDGET_UNAVAILABLE"]));
    })
    .await;
}

async fn a_trap_leaves_another_way_to_pay_and_nothing_that_goes_on(engine: Engine) {
    let stage = Stage::set().await;
    let token = stage.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        stage.open(browser, "trapping").await;
        let bare = bare(browser).await;
        stage.put(browser, "pay", &token).await;
        browser.until("stateOf('pay') === 'qr'").await;
        // The next time that the browser calls in, WebAssembly really traps; and only then.
        browser
            .look("window.traps = 1; dispatchEvent(new Event('focus'))", vec![])
            .await;
        until_another_way(browser).await;
        assert_eq!(told(browser).await, json!(["WIDGET_STOPPED"]));
        browser.until(&at_rest(&bare)).await;
        assert_eq!(left(browser).await, bare);
        // The instance is not used again, and the order is as it was.
        browser.look("pay.remove()", vec![]).await;
        stage.put(browser, "second", &token).await;
        let second = "document.getElementById('second').shadowRoot?.querySelector('[part=fallback] a')?.href";
        browser.until(second).await;
        stage.pay(&token).await;
    })
    .await;
}

async fn until_another_way(browser: &Browser) {
    let link =
        "document.getElementById('pay')?.shadowRoot?.querySelector('[part=fallback] a')?.href";
    assert_eq!(browser.until(link).await, json!("https://shop.example/c/1"));
}

/// The codes of the problems that the page heard of.
async fn told(browser: &Browser) -> serde_json::Value {
    browser.look("return codes", vec![]).await
}
