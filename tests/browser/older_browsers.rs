//! The oldest browsers: functions that they do not have are hidden from the element. Their
//! syntax and their WebAssembly are proved by `cargo xtask test --only floor`.

use payment_tests::browser::{Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::test_pages::TestPages;

in_browsers! {
    a_page_without_modules_pays_by_the_classic_script: chromium firefox webkit;
    an_older_browser_pays_at_a_desk_by_module_and_by_script: chromium firefox webkit;
    an_older_browser_pays_on_a_phone_by_script: chromium firefox webkit;
    an_older_browser_pays_inside_wechat_by_script: chromium firefox webkit;
    an_older_browser_without_webassembly_pays: chromium firefox webkit;
    the_module_finds_its_files_although_the_page_has_switched_stacks_off: chromium firefox webkit;
    an_older_browser_whose_widget_cannot_load_has_another_way_to_pay: chromium firefox webkit;
}

async fn a_page_without_modules_pays_by_the_classic_script(engine: Engine) {
    pay_at_a_desk(engine, &[("classic", "")]).await;
}

async fn an_older_browser_pays_at_a_desk_by_module_and_by_script(engine: Engine) {
    pay_at_a_desk(engine, &[("older-module", ""), ("older", "")]).await;
}

async fn an_older_browser_without_webassembly_pays(engine: Engine) {
    let script = "delete window.WebAssembly";
    pay_at_a_desk(engine, &[("older-module", script), ("older", script)]).await;
}

async fn the_module_finds_its_files_although_the_page_has_switched_stacks_off(engine: Engine) {
    let off = "Error.stackTraceLimit = 0";
    let own = "Error.prepareStackTrace = () => ({})";
    let none = "Error = class { get stack() { return undefined; } }";
    pay_at_a_desk(engine, &[("ready", off), ("ready", own), ("ready", none)]).await;
}

/// Each page, served in this way, runs this script first.
async fn pay_at_a_desk(engine: Engine, ways: &[(&str, &str)]) {
    let pages = TestPages::start().await;
    for (way, script) in ways {
        let token = pages.order().await;
        visit_in(engine, Visitor::Desktop, async |desk| {
            let page = pages.page_of(&token, &[("script", script)]);
            desk.open(&page.replace("/ready/", &format!("/{way}/")))
                .await;
            desk.until_element_is(&["qr"]).await;
            pages.pay(&token).await;
            desk.until_element_is(&["paid"]).await;
            assert_eq!(desk.look("return heard", vec![]).await, json!(["pay paid"]));
            assert_eq!(desk.complaints().await, [""; 0], "{way}");
            if way.starts_with("older") {
                let hidden = desk.look("return window.hidden > 30", vec![]).await;
                assert_eq!(hidden, json!(true));
            }
        })
        .await;
    }
}

async fn an_older_browser_pays_on_a_phone_by_script(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Phone, async |phone| {
        let page = pages.page_of(&token, &[]);
        phone.open(&page.replace("/ready/", "/older/")).await;
        phone.pay_through_h5("/older/order").await;
        assert_eq!(phone.complaints().await, [""; 0]);
    })
    .await;
}

async fn an_older_browser_pays_inside_wechat_by_script(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order_of_buyer().await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        let page = pages.page_of(&token, &[]);
        let page = page.replace("/ready/", "/older/");
        wechat.open(&pages.servers.inside_wechat(&page)).await;
        wechat.pay_in_the_cashier().await;
        assert_eq!(wechat.complaints().await, [""; 0]);
    })
    .await;
}

async fn an_older_browser_whose_widget_cannot_load_has_another_way_to_pay(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        let hosted = ("checkout-url", "https://shop.example/c/1");
        let page = pages.page_of(&token, &[hosted]);
        desk.open(&page.replace("/ready/", "/older-broken/")).await;
        let link =
            "document.getElementById('pay')?.shadowRoot?.querySelector('[part=fallback] a')?.href";
        assert_eq!(desk.until(link).await, json!("https://shop.example/c/1"));
    })
    .await;
}
