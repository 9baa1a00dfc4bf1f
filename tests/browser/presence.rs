//! A page that is not looked at, has no network or was asleep: it asks nothing, and one question
//! when it is back.

use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::plain_backend::{PlainBackend, until_asked};
use crate::stage::Stage;

in_browsers! {
    an_element_in_a_tab_that_nobody_sees_asks_nothing_until_it_is_seen: chromium firefox;
    a_tab_that_is_hidden_asks_nothing_and_then_once: chromium firefox;
}
// WebKit's MiniBrowser shows no tab bar under WebDriver: a tab behind another counts as visible.

async fn an_element_in_a_tab_that_nobody_sees_asks_nothing_until_it_is_seen(engine: Engine) {
    let stage = Stage::set().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let first = browser.window().await;
        stage.open(browser, "ready").await;
        let mount = "document.addEventListener('visibilitychange', () => {
                if (!document.hidden || document.getElementById('pay')) return;
                const element = make('pay', ...arguments);
                element.addEventListener('state-change', ({detail}) => localStorage.setItem('seen', detail.state));
                document.getElementById('left-side').append(element);
            })";
        let order = vec![json!(PlainBackend::TOKEN), json!(stage.plain_api("hidden"))];
        browser.look(mount, order).await;
        browser.open_tab().await;
        stage.open(browser, "ready").await;
        browser.until("localStorage.getItem('seen') === 'loading'").await;
        elsewhere_time_passes(&stage, browser).await;
        assert_eq!(stage.plain.questions_of("hidden"), 0);

        browser.turn_to(&first).await;
        browser.until("stateOf('pay') === 'qr'").await;
        let heard = browser.look("return heard", vec![]).await;
        assert_eq!(heard, json!([]));
    })
    .await;
}

async fn a_tab_that_is_hidden_asks_nothing_and_then_once(engine: Engine) {
    let stage = Stage::set().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let first = browser.window().await;
        stage.open(browser, "ready").await;
        stage.put_asking(browser, "hidden").await;
        until_asked(&stage.plain, "hidden", 3).await;
        browser.open_tab().await;
        stage.open(browser, "ready").await;
        let asked = stage.plain.questions_of("hidden");
        elsewhere_time_passes(&stage, browser).await;
        assert_eq!(stage.plain.questions_of("hidden"), asked);

        stage.plain.pay();
        browser.turn_to(&first).await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(stage.plain.questions_of("hidden"), asked + 1);
    })
    .await;
}

#[tokio::test]
async fn a_page_that_was_frozen_asks_once_and_knows() {
    let stage = Stage::set().await;
    visit(Visitor::Desktop, async |browser| {
        let first = browser.window().await;
        stage.open(browser, "ready").await;
        stage.put_asking(browser, "frozen").await;
        until_asked(&stage.plain, "frozen", 3).await;
        let record = "window.went = []; for (const name of ['freeze', 'resume']) document.addEventListener(name, () => went.push(name))";
        browser.look(record, vec![]).await;
        browser
            .command("Page.setWebLifecycleState", json!({"state": "frozen"}))
            .await;
        let asked = stage.plain.questions_of("frozen");
        browser.open_window().await;
        stage.open(browser, "ready").await;
        elsewhere_time_passes(&stage, browser).await;
        assert_eq!(stage.plain.questions_of("frozen"), asked);

        stage.plain.pay();
        browser.close_window(&first).await;
        browser
            .command("Page.setWebLifecycleState", json!({"state": "active"}))
            .await;
        // It wakes hidden, as after a long time behind others.
        browser.open_tab().await;
        browser.turn_to(&first).await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(browser.look("return went", vec![]).await, json!(["freeze", "resume"]));
        assert_eq!(stage.plain.questions_of("frozen"), asked + 1);
    })
    .await;
}

#[tokio::test]
async fn a_page_without_network_says_so_asks_nothing_and_goes_on_with_one_question() {
    let stage = Stage::set().await;
    visit(Visitor::Desktop, async |browser| {
        stage.open(browser, "ready").await;
        stage.put_asking(browser, "pay").await;
        until_asked(&stage.plain, "pay", 3).await;
        connect(browser, false).await;
        browser
            .until("document.querySelector('wechat-pay').shadowRoot.textContent.includes('网络')")
            .await;
        let text = browser.element_text().await;
        assert_eq!(browser.element_state().await.as_deref(), Some("qr"), "{text}");

        // One that comes without a network knows that it has none.
        let second = "document.getElementById('right-side').append(make('second', 'another-order-1', arguments[0]))";
        browser.look(second, vec![json!(stage.plain_api("second"))]).await;
        browser
            .until("document.getElementById('second').shadowRoot?.textContent.includes('网络')")
            .await;
        browser.look("second.remove()", vec![]).await;

        stage.plain.pay();
        let asked = stage.plain.questions_of("pay");
        connect(browser, true).await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(stage.plain.questions_of("pay"), asked + 1);
        assert_eq!(stage.plain.questions_of("second"), 0);
        assert_eq!(browser.look("return heard", vec![]).await, json!(["pay paid"]));
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_jumps_changes_nothing_that_the_backend_does_not_confirm() {
    let stage = Stage::set().await;
    visit(Visitor::Desktop, async |browser| {
        stage.open(browser, "ready").await;
        stage.put_asking(browser, "pay").await;
        until_asked(&stage.plain, "pay", 3).await;
        // Somebody sets the clock; and a device sleeps while the page's own clock goes on, or not.
        for jump in [
            "const now = Date.now; Date.now = () => now() + 864e5",
            "const now = performance.now.bind(performance); performance.now = () => now() + 36e5",
            "const now = performance.now.bind(performance); performance.now = () => now() - 36e5",
        ] {
            browser.look(jump, vec![]).await;
            let asked = stage.plain.questions_of("pay");
            browser.look("document.getElementById('pay').resume()", vec![]).await;
            until_asked(&stage.plain, "pay", asked + 3).await;
            browser.until("stateOf('pay') === 'qr'").await;
            let countdown = "document.getElementById('pay').shadowRoot.querySelector('[part=countdown]')?.textContent";
            let shown = browser.until(countdown).await;
            let shown = shown.as_str().unwrap_or_default();
            assert!(shown == "10:00" || shown.starts_with("09:"), "{jump}: {shown}");
        }
        stage.plain.pay();
        browser.until("stateOf('pay') === 'paid'").await;
    })
    .await;
}

/// Lets as much time pass as another element needs for several questions.
async fn elsewhere_time_passes(stage: &Stage, browser: &Browser) {
    let script = "document.getElementById('right-side').append(make('elsewhere', 'another-order-1', arguments[0]))";
    browser
        .look(script, vec![json!(stage.plain_api("elsewhere"))])
        .await;
    until_asked(&stage.plain, "elsewhere", 6).await;
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
