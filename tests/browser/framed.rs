//! An element in a frame of another page, of the same and of another origin: the navigation to
//! WeChat leaves the frame, and the bridge belongs to the top window.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::test_pages::{TestPages, press};

in_browsers! {
    the_navigation_to_wechat_leaves_a_frame_with_the_whole_page: chromium firefox webkit;
    in_wechat_a_same_origin_frame_pays_by_the_top_windows_bridge: chromium firefox webkit;
    a_frame_that_may_not_navigate_the_page_shows_the_code: chromium firefox webkit;
}

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

async fn the_navigation_to_wechat_leaves_a_frame_with_the_whole_page(engine: Engine) {
    let pages = TestPages::start().await;
    let orders = [pages.order().await, pages.order().await];
    visit_in(engine, Visitor::Desktop, async |phone| {
        for (token, host) in orders.iter().zip(["127.0.0.1", "localhost"]) {
            let shop = pages.servers.stage.replace("127.0.0.1", host);
            phone.open(&format!("{shop}/ready/page")).await;
            // A phone only by its User-Agent: emulation stops at frames of another origin.
            framed(phone, &pages.page_of(token, &[("user-agent", PHONE)])).await;
            press(phone).await;
            phone.leave_frame().await;
            phone.until_at("/cgi-bin/mmpayweb-bin/checkmweb").await;
            phone.click("button[value='success']").await;
            phone.until_at("/ready/order").await;
            phone.until("stateOf('pay') === 'paid'").await;
        }
    })
    .await;
}

/// A sandbox keeps the page in its frame: the buyer gets a message, and pays by the code.
async fn a_frame_that_may_not_navigate_the_page_shows_the_code(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Phone, async |phone| {
        pages.open(phone, "ready").await;
        let script = "const frame = document.createElement('iframe');
            frame.sandbox = 'allow-scripts allow-same-origin';
            frame.src = arguments[0];
            document.body.prepend(frame)";
        phone
            .look(script, vec![json!(pages.page_of(&token, &[]))])
            .await;
        phone.enter_frame("iframe").await;
        press(phone).await;
        phone.until("stateOf('pay') === 'leaving'").await;
        phone.click_in("#pay", "[data-intent=start-fallback]").await;
        phone.until("stateOf('pay') === 'qr'").await;
        pages.pay(&token).await;
        phone.until("stateOf('pay') === 'paid'").await;
        phone.leave_frame().await;
        assert!(phone.address().await.path().ends_with("/ready/page"));
    })
    .await;
}

async fn in_wechat_a_same_origin_frame_pays_by_the_top_windows_bridge(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order_of_buyer().await;
    let inside = &pages.servers.stage_in_wechat;
    visit_in(engine, Visitor::Phone, async |wechat| {
        wechat.open(&format!("{inside}/ready/page")).await;
        let page = pages.servers.inside_wechat(&pages.page_of(&token, &[]));
        framed(wechat, &page).await;
        press(wechat).await;
        wechat.leave_frame().await;
        wechat
            .click_in("#wechat-cashier", "[data-outcome='success']")
            .await;
        wechat.enter_frame("iframe").await;
        wechat.until("stateOf('pay') === 'paid'").await;
    })
    .await;
}

/// Puts a page into a frame of this one, and switches to the frame.
async fn framed(browser: &Browser, address: &str) {
    let script = "const frame = document.createElement('iframe');
        Object.assign(frame, {src: arguments[0], width: 380, height: 700});
        document.body.prepend(frame)";
    browser.look(script, vec![json!(address)]).await;
    browser.enter_frame("iframe").await;
}
