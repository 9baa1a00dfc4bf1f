//! A widget that cannot run or stops: the buyer still has a way to pay, the page learns the cause,
//! and nothing keeps running.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::test_pages::{TestPages, at_rest, bare, left};

in_browsers! {
    a_widget_that_cannot_load_leaves_the_buyer_another_way_to_pay: chromium firefox webkit;
    a_load_that_stalls_leaves_another_way_to_pay_until_the_widget_arrives: chromium firefox webkit;
    a_file_that_did_not_arrive_is_fetched_once_more: chromium firefox webkit;
    a_widget_that_becomes_available_is_loaded_by_the_buyers_button: chromium firefox webkit;
    a_widget_of_another_version_than_its_script_leaves_another_way_to_pay: chromium firefox webkit;
    a_trap_leaves_another_way_to_pay_and_stops_everything: chromium firefox webkit;
}

async fn a_widget_that_cannot_load_leaves_the_buyer_another_way_to_pay(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "broken").await;
        pages.put(browser, "pay", &token).await;
        until_another_way(browser).await;
        assert_eq!(reported(browser).await, json!(["WIDGET_UNAVAILABLE"]));
    })
    .await;
}

async fn a_load_that_stalls_leaves_another_way_to_pay_until_the_widget_arrives(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let page = pages.page_of(&token, &[("checkout-url", "https://shop.example/c/1")]);
        browser.open(&page.replace("/ready/", "/stalled/")).await;
        // The place is held, and nothing is reported yet.
        browser.until("pay.offsetHeight > 500").await;
        assert_eq!(reported(browser).await, json!([]));
        until_another_way(browser).await;
        assert_eq!(reported(browser).await, json!(["WIDGET_LATE"]));
        pages.release();
        browser.until("stateOf('pay') === 'qr'").await;
        assert_eq!(reported(browser).await, json!(["WIDGET_LATE"]));
        assert_eq!(pages.posts_about(&token), 1);
        pages.pay(&token).await;
        browser.until("stateOf('pay') === 'paid'").await;
    })
    .await;
}

async fn a_file_that_did_not_arrive_is_fetched_once_more(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for way in ["refused-once", "cut-once"] {
            let token = pages.order().await;
            pages.open(browser, way).await;
            pages.put(browser, "pay", &token).await;
            browser.until("stateOf('pay') === 'qr'").await;
            assert_eq!(reported(browser).await, json!([]), "{way}");
            assert_eq!(pages.posts_about(&token), 1, "{way}");
        }
    })
    .await;
}

/// As during a deployment. The merchant's page is never reloaded automatically.
async fn a_widget_that_becomes_available_is_loaded_by_the_buyers_button(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let page = pages.page_of(&token, &[("checkout-url", "https://shop.example/c/1")]);
        browser.open(&page.replace("/ready/", "/broken/")).await;
        until_another_way(browser).await;
        pages.repair();
        browser.click_in("#pay", "[part=fallback] button").await;
        browser.until("stateOf('pay') === 'qr'").await;
    })
    .await;
}

/// A file that somebody replaced by hand: the names carry a version, so that caches never mix two.
async fn a_widget_of_another_version_than_its_script_leaves_another_way_to_pay(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "outdated").await;
        pages.put(browser, "pay", &token).await;
        until_another_way(browser).await;
        assert_eq!(reported(browser).await, json!(["WIDGET_UNAVAILABLE"]));
    })
    .await;
}

async fn a_trap_leaves_another_way_to_pay_and_stops_everything(engine: Engine) {
    let pages = TestPages::start().await;
    for way in ["trapping", "trapping-script"] {
        visit_in(engine, Visitor::Desktop, async |browser| {
            trap(&pages, browser, way).await;
        })
        .await;
    }
}

/// A trap of the widget as WebAssembly or as JavaScript.
async fn trap(pages: &TestPages, browser: &Browser, way: &str) {
    let token = pages.order().await;
    pages.open(browser, way).await;
    let bare = bare(browser).await;
    pages.put(browser, "pay", &token).await;
    browser.until("stateOf('pay') === 'qr'").await;
    // At the browser's next call, and only then, WebAssembly really traps.
    browser
        .look(
            "window.traps = 1; dispatchEvent(new Event('focus'))",
            vec![],
        )
        .await;
    until_another_way(browser).await;
    assert_eq!(reported(browser).await, json!(["WIDGET_STOPPED"]));
    browser.until(&at_rest(&bare)).await;
    assert_eq!(left(browser).await, bare);
    // The instance is not used again, and the order is unchanged.
    browser.look("pay.remove()", vec![]).await;
    pages.put(browser, "second", &token).await;
    let second =
        "document.getElementById('second').shadowRoot?.querySelector('[part=fallback] a')?.href";
    browser.until(second).await;
    pages.pay(&token).await;
}

async fn until_another_way(browser: &Browser) {
    let link =
        "document.getElementById('pay')?.shadowRoot?.querySelector('[part=fallback] a')?.href";
    assert_eq!(browser.until(link).await, json!("https://shop.example/c/1"));
}

/// The codes of the problems that the page received.
async fn reported(browser: &Browser) -> serde_json::Value {
    browser.look("return codes", vec![]).await
}
