//! Where WebAssembly is not, the same widget runs as JavaScript: the browser has none, the page's
//! policy forbids it, its file is missing. Every way to pay works.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::test_pages::TestPages;

in_browsers! {
    a_buyer_without_webassembly_pays_at_a_desk: chromium firefox webkit;
    a_buyer_without_webassembly_pays_on_a_phone: chromium firefox webkit;
    a_buyer_without_webassembly_pays_inside_wechat: chromium firefox webkit;
    a_wasm_file_that_is_missing_is_replaced_by_the_script: chromium firefox webkit;
    without_webassembly_and_script_the_buyer_has_another_way_to_pay: chromium firefox webkit;
}

/// Lockdown Mode, Shield Mode and similar modes.
const WITHOUT: (&str, &str) = ("script", "delete window.WebAssembly");

async fn a_buyer_without_webassembly_pays_at_a_desk(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        desk.open(&pages.page_of(&token, &[WITHOUT])).await;
        desk.until_element_is(&["qr"]).await;
        pages.pay(&token).await;
        desk.until_element_is(&["paid"]).await;
        assert_eq!(desk.look("return heard", vec![]).await, json!(["pay paid"]));
        until_nothing_of_the_script_is_left(desk).await;
    })
    .await;
}

async fn a_buyer_without_webassembly_pays_on_a_phone(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Phone, async |phone| {
        phone.open(&pages.page_of(&token, &[WITHOUT])).await;
        phone.pay_through_h5("/ready/order").await;
        assert_eq!(phone.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_buyer_without_webassembly_pays_inside_wechat(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order_of_buyer().await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        let page = pages.page_of(&token, &[WITHOUT]);
        wechat.open(&pages.servers.inside_wechat(&page)).await;
        wechat.pay_in_the_cashier().await;
        assert_eq!(wechat.complaints().await, [""; 0]);
    })
    .await;
}

/// A file that a deployment lost. The merchant reads in the console which one.
async fn a_wasm_file_that_is_missing_is_replaced_by_the_script(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        pages.open(desk, "wasmless").await;
        pages.put(desk, "pay", &token).await;
        desk.until_element_is(&["qr"]).await;
        pages.pay(&token).await;
        desk.until_element_is(&["paid"]).await;
        let console = desk.console().await;
        let line = console
            .iter()
            .find(|line| line.contains("WASM_UNAVAILABLE"));
        let names_file = line.is_some_and(|line| line.contains(".wasm: 404"));
        assert!(names_file || engine != Engine::Chromium, "{console:?}");
        assert_eq!(desk.look("return codes", vec![]).await, json!([]));
    })
    .await;
}

async fn without_webassembly_and_script_the_buyer_has_another_way_to_pay(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let page = pages.page_of(
            &token,
            &[("checkout-url", "https://shop.example/c/1"), WITHOUT],
        );
        browser.open(&page.replace("/ready/", "/broken/")).await;
        let link =
            "document.getElementById('pay')?.shadowRoot?.querySelector('[part=fallback] a')?.href";
        assert_eq!(browser.until(link).await, json!("https://shop.example/c/1"));
        let codes = browser.look("return codes", vec![]).await;
        assert_eq!(codes, json!(["WIDGET_UNAVAILABLE"]));
        until_nothing_of_the_script_is_left(browser).await;
    })
    .await;
}

/// The script's element is gone, whether it was loaded or not.
async fn until_nothing_of_the_script_is_left(browser: &Browser) {
    browser
        .until("![...document.scripts].some(({src}) => src.includes('nowasm'))")
        .await;
}
