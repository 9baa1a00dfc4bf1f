//! A page that is hidden, offline or frozen polls nothing, and polls once when it is back.

use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::plain_backend::{PlainBackend, until_polled};
use crate::test_pages::TestPages;

in_browsers! {
    an_element_in_a_background_tab_polls_nothing_until_it_is_visible: chromium firefox;
    a_hidden_tab_polls_nothing_and_then_once: chromium firefox;
    a_clock_that_jumps_changes_nothing_without_the_backends_confirmation: chromium firefox webkit;
}
// WebKit's MiniBrowser shows no tab bar under WebDriver, so a tab behind another counts as visible.

async fn an_element_in_a_background_tab_polls_nothing_until_it_is_visible(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let first = browser.window().await;
        pages.open(browser, "ready").await;
        let mount = "document.addEventListener('visibilitychange', () => {
                if (!document.hidden || document.getElementById('pay')) return;
                const element = make('pay', ...arguments);
                element.addEventListener('state-change', ({detail}) => localStorage.setItem('seen', detail.state));
                document.getElementById('left-side').append(element);
            })";
        let order = vec![json!(PlainBackend::TOKEN), json!(pages.plain_api("hidden"))];
        browser.look(mount, order).await;
        browser.open_tab().await;
        pages.open(browser, "ready").await;
        browser.until("localStorage.getItem('seen') === 'loading'").await;
        elsewhere_time_passes(&pages, browser).await;
        assert_eq!(pages.plain.polls_of("hidden"), 0);

        browser.switch_to(&first).await;
        browser.until("stateOf('pay') === 'qr'").await;
        let heard = browser.look("return heard", vec![]).await;
        assert_eq!(heard, json!([]));
    })
    .await;
}

async fn a_hidden_tab_polls_nothing_and_then_once(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let first = browser.window().await;
        pages.open(browser, "ready").await;
        pages.put_asking(browser, "hidden").await;
        until_polled(&pages.plain, "hidden", 3).await;
        browser.open_tab().await;
        pages.open(browser, "ready").await;
        let asked = pages.plain.polls_of("hidden");
        elsewhere_time_passes(&pages, browser).await;
        assert_eq!(pages.plain.polls_of("hidden"), asked);

        pages.plain.pay();
        browser.switch_to(&first).await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(pages.plain.polls_of("hidden"), asked + 1);
    })
    .await;
}

#[tokio::test]
async fn a_frozen_page_polls_once_when_it_resumes() {
    let pages = TestPages::start().await;
    visit(Visitor::Desktop, async |browser| {
        let first = browser.window().await;
        pages.open(browser, "ready").await;
        pages.put_asking(browser, "frozen").await;
        until_polled(&pages.plain, "frozen", 3).await;
        let record = "window.went = []; for (const name of ['freeze', 'resume']) document.addEventListener(name, () => went.push(name))";
        browser.look(record, vec![]).await;
        browser
            .command("Page.setWebLifecycleState", json!({"state": "frozen"}))
            .await;
        let asked = pages.plain.polls_of("frozen");
        browser.open_window().await;
        pages.open(browser, "ready").await;
        elsewhere_time_passes(&pages, browser).await;
        assert_eq!(pages.plain.polls_of("frozen"), asked);

        pages.plain.pay();
        browser.close_window(&first).await;
        browser
            .command("Page.setWebLifecycleState", json!({"state": "active"}))
            .await;
        // The page resumes hidden, as after a long time in the background.
        browser.open_tab().await;
        browser.switch_to(&first).await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(browser.look("return went", vec![]).await, json!(["freeze", "resume"]));
        assert_eq!(pages.plain.polls_of("frozen"), asked + 1);
    })
    .await;
}

#[tokio::test]
async fn an_offline_page_says_so_and_continues_with_one_poll() {
    let pages = TestPages::start().await;
    visit(Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        pages.put_asking(browser, "pay").await;
        until_polled(&pages.plain, "pay", 3).await;
        connect(browser, false).await;
        browser
            .until("document.querySelector('wechat-pay').shadowRoot.textContent.includes('网络')")
            .await;
        let text = browser.element_text().await;
        assert_eq!(browser.element_state().await.as_deref(), Some("qr"), "{text}");

        // An element that is added while offline knows that it is offline.
        let second = "document.getElementById('right-side').append(make('second', 'another-order-1', arguments[0]))";
        browser.look(second, vec![json!(pages.plain_api("second"))]).await;
        browser
            .until("document.getElementById('second').shadowRoot?.textContent.includes('网络')")
            .await;
        browser.look("second.remove()", vec![]).await;

        pages.plain.pay();
        let asked = pages.plain.polls_of("pay");
        connect(browser, true).await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(pages.plain.polls_of("pay"), asked + 1);
        assert_eq!(pages.plain.polls_of("second"), 0);
        assert_eq!(browser.look("return heard", vec![]).await, json!(["pay paid"]));
    })
    .await;
}

async fn a_clock_that_jumps_changes_nothing_without_the_backends_confirmation(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        pages.put_asking(browser, "pay").await;
        until_polled(&pages.plain, "pay", 3).await;
        // The clock is set; and a device sleeps, with and without the page's own clock running.
        for jump in [
            "const now = Date.now; Date.now = () => now() + 864e5",
            "const now = performance.now.bind(performance); performance.now = () => now() + 36e5",
            "const now = performance.now.bind(performance); performance.now = () => now() - 36e5",
        ] {
            browser.look(jump, vec![]).await;
            let asked = pages.plain.polls_of("pay");
            browser.look("document.getElementById('pay').resume()", vec![]).await;
            until_polled(&pages.plain, "pay", asked + 3).await;
            browser.until("stateOf('pay') === 'qr'").await;
            let countdown = "document.getElementById('pay').shadowRoot.querySelector('[part=countdown]')?.textContent";
            let shown = browser.until(countdown).await;
            let shown = shown.as_str().unwrap_or_default();
            assert!(shown == "10:00" || shown.starts_with("09:"), "{jump}: {shown}");
        }
        pages.plain.pay();
        browser.until("stateOf('pay') === 'paid'").await;
    })
    .await;
}

/// Waits as long as another element needs for several polls.
async fn elsewhere_time_passes(pages: &TestPages, browser: &Browser) {
    let script = "document.getElementById('right-side').append(make('elsewhere', 'another-order-1', arguments[0]))";
    browser
        .look(script, vec![json!(pages.plain_api("elsewhere"))])
        .await;
    until_polled(&pages.plain, "elsewhere", 6).await;
}

async fn connect(browser: &Browser, is_online: bool) {
    let conditions = json!({
        "offline": !is_online, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
    });
    browser.command("Network.enable", json!({})).await;
    browser
        .command("Network.emulateNetworkConditions", conditions)
        .await;
}
