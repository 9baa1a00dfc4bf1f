//! A removed element leaves nothing behind. Elements also move, come back, or share a page with
//! other elements.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::wait::until;
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::plain_backend::until_started;
use crate::test_pages::{TestPages, at_rest, bare, left, press};

in_browsers! {
    an_element_that_is_moved_continues_without_a_new_start: chromium firefox webkit;
    two_elements_on_one_page_do_not_affect_each_other: chromium firefox webkit;
    an_element_that_waits_for_the_bridge_leaves_nothing_behind: chromium firefox webkit;
    an_element_that_is_removed_leaves_no_timer_no_listener_and_no_request: chromium firefox webkit;
    the_search_for_the_bridge_ends: chromium firefox webkit;
    an_element_that_comes_back_starts_again_and_emits_paid_once: chromium firefox webkit;
    an_element_removed_while_the_widget_loads_takes_its_request_along: chromium firefox webkit;
    an_element_with_another_token_shows_the_other_order: chromium firefox webkit;
}

const WECHAT: &str = "Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP4A.250205.002; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0.7204.180 Mobile Safari/537.36 XWEB/1380215 MMWEBSDK/20250503 MicroMessenger/8.0.61.2880(0x28003D5B) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64";
/// The listeners of `define` for all elements together, none of which belongs to a removed element.
const LISTENERS_OF_ALL: [&str; 2] = ["window error", "window unhandledrejection"];

async fn an_element_that_is_removed_leaves_no_timer_no_listener_and_no_request(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        // The first element also loads the widget, which stays.
        let bare = bare_page(&pages, browser).await;
        pages.put(browser, "gone", &token).await;
        browser.until("stateOf('gone') === 'qr'").await;
        until_held(&pages, &token).await;
        // The counts change for a working element, or the zero below would prove nothing.
        let busy = left(browser).await;
        let timers = |counts: &Value| counts["timers"].as_u64();
        assert_eq!(timers(&busy), timers(&bare).map(|timers| timers + 1));
        assert_eq!(busy["fetches"], 1);
        assert!(
            busy["listeners"].as_array().map(Vec::len) > Some(2),
            "{busy}"
        );
        browser
            .look("document.getElementById('gone').remove()", vec![])
            .await;
        until_nothing_is_left(browser, &bare).await;
        let asked = pages.requests_about(&token).len();

        // The payment still arrives. The page gets no event, because the element is removed.
        pages.pay(&token).await;
        until("the server to record the payment", async || {
            let checkout = pages.servers.checkout(&token).await;
            if checkout["state"] == "paid" {
                Ok(())
            } else {
                Err(checkout.to_string())
            }
        })
        .await;
        assert_eq!(browser.look("return heard", vec![]).await, json!([]));
        assert_eq!(left(browser).await, bare);
        assert_eq!(pages.requests_about(&token).len(), asked);
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

/// The search for the bridge holds the payment, so it must end with the element: before the click,
/// and while the cashier waits for the bridge.
async fn an_element_that_waits_for_the_bridge_leaves_nothing_behind(engine: Engine) {
    let pages = TestPages::start().await;
    let orders = [pages.order_of_buyer().await, pages.order_of_buyer().await];
    visit_in(engine, Visitor::Phone, async |wechat| {
        pages.open_as(wechat, WECHAT).await;
        pages
            .put(wechat, "warm", &pages.order_of_buyer().await)
            .await;
        wechat.until("stateOf('warm') === 'offer'").await;
        wechat
            .look("document.getElementById('warm').remove()", vec![])
            .await;
        wechat.until("left().fetches === 0").await;
        let bare = left(wechat).await;
        assert_eq!(bare["listeners"], json!(LISTENERS_OF_ALL));
        for (token, state) in orders.iter().zip(["offer", "cashier"]) {
            pages.put(wechat, "pay", token).await;
            if state == "cashier" {
                press(wechat).await;
            }
            wechat.until(&format!("stateOf('pay') === '{state}'")).await;
            let busy = left(wechat).await;
            let listeners = busy["listeners"].to_string();
            assert!(listeners.contains("document WeixinJSBridgeReady"), "{busy}");
            wechat
                .look("document.getElementById('pay').remove()", vec![])
                .await;
            until_nothing_is_left(wechat, &bare).await;
            // A bridge that appears now has no listener.
            let come = "window.called = 0;
                window.WeixinJSBridge = {invoke() { called += 1 }};
                document.dispatchEvent(new Event('WeixinJSBridgeReady'));
                delete window.WeixinJSBridge;
                return called";
            assert_eq!(wechat.look(come, vec![]).await, json!(0));
        }
        assert_eq!(wechat.complaints().await, [""; 0]);
    })
    .await;
}

/// A page that requires the cashier outside WeChat must not search for the bridge forever.
async fn the_search_for_the_bridge_ends(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order_of_buyer().await;
    // An app's own browser, which may be WeChat's kind of web-view. Time runs a hundred times faster for
    // the search.
    let hasten = "const app = navigator.userAgent + ' QQ/8.4.18.4945';
        Object.defineProperty(navigator, 'userAgent', {get: () => app});
        const really = window.setInterval;
        window.setInterval = (callback, ms, ...rest) => really(callback, ms / 100, ...rest)";
    visit_in(engine, Visitor::Desktop, async |desk| {
        let attributes = [("scene", "jsapi"), ("script", hasten)];
        desk.open(&pages.page_of(&token, &attributes)).await;
        desk.until("stateOf('pay') === 'offer'").await;
        let looks = "left().listeners.includes('document WeixinJSBridgeReady')";
        desk.until(&format!("!{looks}")).await;
        // The buyer's click searches again.
        press(desk).await;
        desk.until("stateOf('pay') === 'cashier'").await;
        desk.look(
            "window.WeixinJSBridge = {invoke() { window.isCalled = true }}",
            vec![],
        )
        .await;
        desk.until("window.isCalled").await;
    })
    .await;
}

async fn an_element_that_comes_back_starts_again_and_emits_paid_once(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let is_at_rest = at_rest(&bare(browser).await);
        pages.put(browser, "back", &token).await;
        browser.until("stateOf('back') === 'qr'").await;
        let remove = "window.kept = document.getElementById('back'); kept.remove()";
        browser.look(remove, vec![]).await;
        browser.until(&is_at_rest).await;
        browser
            .look("document.getElementById('right-side').append(kept)", vec![])
            .await;
        browser.until("stateOf('back') === 'qr'").await;
        pages.pay(&token).await;
        browser.until("stateOf('back') === 'paid'").await;
        assert_eq!(
            browser.look("return heard", vec![]).await,
            json!(["back paid"])
        );
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn an_element_that_is_moved_continues_without_a_new_start(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        pages.put(browser, "moved", &token).await;
        browser.until("stateOf('moved') === 'qr'").await;
        let mark = "window.base = document.getElementById('moved').shadowRoot.querySelector('[part~=base]')";
        browser.look(mark, vec![]).await;
        let moving = "document.getElementById('right-side').append(document.getElementById('moved'))";
        browser.look(moving, vec![]).await;
        let is_same = "return base.isConnected && stateOf('moved') === 'qr'";
        assert_eq!(browser.look(is_same, vec![]).await, json!(true));
        let starts = pages.requests_about(&token);
        let starts = starts.iter().filter(|line| line.starts_with("POST")).count();
        assert_eq!(starts, 1);
        pages.pay(&token).await;
        browser.until("stateOf('moved') === 'paid'").await;
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn two_elements_on_one_page_do_not_affect_each_other(engine: Engine) {
    let pages = TestPages::start().await;
    let (first, second) = (pages.order().await, pages.order().await);
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        pages.put(browser, "first", &first).await;
        pages.put(browser, "second", &second).await;
        browser
            .until("stateOf('first') === 'qr' && stateOf('second') === 'qr'")
            .await;
        pages.pay(&first).await;
        browser.until("stateOf('first') === 'paid'").await;
        assert_eq!(
            browser.look("return stateOf('second')", vec![]).await,
            json!("qr")
        );
        browser
            .look("document.getElementById('first').remove()", vec![])
            .await;
        pages.pay(&second).await;
        browser.until("stateOf('second') === 'paid'").await;
        let heard = browser.look("return heard", vec![]).await;
        assert_eq!(heard, json!(["first paid", "second paid"]));
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn an_element_removed_while_the_widget_loads_takes_its_request_along(engine: Engine) {
    let pages = TestPages::start().await;
    let stays = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "held").await;
        let before = left(browser).await;
        pages.plain.hold();
        pages.put_asking(browser, "gone").await;
        until_started(&pages.plain, "gone").await;
        browser.look("pay.remove()", vec![]).await;
        until_nothing_is_left(browser, &before).await;
        pages.put(browser, "stays", &stays).await;
        pages.release();
        browser.until("stateOf('stays') === 'qr'").await;
        assert_eq!(pages.plain.polls_of("gone"), 0);
        assert_eq!(pages.plain.starts_of("gone"), 1);
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn an_element_with_another_token_shows_the_other_order(engine: Engine) {
    let pages = TestPages::start().await;
    let (before, after) = (pages.order().await, pages.order().await);
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        pages.put(browser, "pay", &before).await;
        browser.until("stateOf('pay') === 'qr'").await;
        let change = "document.getElementById('pay').token = arguments[0]";
        browser.look(change, vec![json!(after)]).await;
        until("the other order to be started", async || {
            let requests = pages.requests_about(&after);
            let is_started = requests.iter().any(|line| line.starts_with("POST"));
            if is_started {
                Ok(())
            } else {
                Err(format!("{requests:?}"))
            }
        })
        .await;
        browser.until("stateOf('pay') === 'qr'").await;
        pages.pay(&before).await;
        pages.pay(&after).await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(
            browser.look("return heard", vec![]).await,
            json!(["pay paid"])
        );
    })
    .await;
}

/// The page with the widget loaded and no element: the state that every teardown must return to.
async fn bare_page(pages: &TestPages, browser: &Browser) -> Value {
    let token = pages.order().await;
    let is_at_rest = at_rest(&bare(browser).await);
    pages.put(browser, "warm", &token).await;
    browser.until("stateOf('warm') === 'qr'").await;
    browser
        .look("document.getElementById('warm').remove()", vec![])
        .await;
    browser.until(&is_at_rest).await;
    let bare = left(browser).await;
    assert_eq!(bare["listeners"], json!(LISTENERS_OF_ALL));
    assert_eq!(bare["frames"], 0);
    bare
}

/// Waits until the merchant server holds a long poll of the page.
async fn until_held(pages: &TestPages, token: &str) {
    until("a long poll", async || {
        let requests = pages.requests_about(token);
        let is_held = requests.iter().any(|line| line.contains("wait="));
        if is_held {
            Ok(())
        } else {
            Err(format!("{requests:?}"))
        }
    })
    .await;
}

async fn until_nothing_is_left(browser: &Browser, bare: &Value) {
    until("nothing to be left on the page", async || {
        let left = left(browser).await;
        if &left == bare {
            Ok(())
        } else {
            Err(left.to_string())
        }
    })
    .await;
}
