//! Why some scenarios run in Chromium alone: what the other browsers or their drivers cannot do. When one of
//! these tests fails, the browser can do it now, and the scenarios of that reason should run there too. The table
//! is in `tests/README.md`.

use payment_tests::browser::{Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::test_pages::TestPages;

in_browsers! {
    the_driver_emulates_no_network_no_media_and_no_screen: firefox webkit;
    no_layout_shift_is_measured: firefox webkit;
    the_window_is_never_as_narrow_as_a_small_screen: firefox webkit;
    a_tab_behind_another_counts_as_visible: webkit;
    there_is_no_navigation_api: webkit;
    the_driver_reports_no_console: firefox webkit;
    chinese_that_is_kept_together_breaks_after_no_punctuation: webkit;
}

async fn the_driver_emulates_no_network_no_media_and_no_screen(engine: Engine) {
    visit_in(engine, Visitor::Desktop, async |browser| {
        // All that the commands need, so that a driver that has one would follow it.
        let screen = json!({"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": false});
        let network = json!({"offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        for (command, parameters) in [
            ("Network.emulateNetworkConditions", network),
            ("Emulation.setEmulatedMedia", json!({})),
            ("Emulation.setDeviceMetricsOverride", screen),
            ("Emulation.setUserAgentOverride", json!({"userAgent": "a browser"})),
            ("Page.setWebLifecycleState", json!({"state": "active"})),
        ] {
            let answer = browser.try_command(command, parameters).await;
            assert!(answer.is_err(), "{command}: {answer:?}");
        }
    })
    .await;
}

async fn no_layout_shift_is_measured(engine: Engine) {
    visit_in(engine, Visitor::Desktop, async |browser| {
        let measures = "return PerformanceObserver.supportedEntryTypes.includes('layout-shift')";
        assert_eq!(browser.look(measures, vec![]).await, json!(false));
    })
    .await;
}

async fn the_window_is_never_as_narrow_as_a_small_screen(engine: Engine) {
    visit_in(engine, Visitor::Desktop, async |browser| {
        let width = browser.narrow_window(320).await;
        assert!(width > 320, "{width} px");
    })
    .await;
}

async fn a_tab_behind_another_counts_as_visible(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let first = browser.window().await;
        pages.open(browser, "ready").await;
        let record = "window.hid = document.hidden; document.addEventListener('visibilitychange', () => { hid = true })";
        browser.look(record, vec![]).await;
        browser.open_tab().await;
        browser.switch_to(&first).await;
        assert_eq!(browser.look("return hid", vec![]).await, json!(false));
    })
    .await;
}

/// With it, the gallery stays where it is when a state leaves for WeChat.
async fn there_is_no_navigation_api(engine: Engine) {
    visit_in(engine, Visitor::Desktop, async |browser| {
        let has_it = "return 'navigation' in window";
        assert_eq!(browser.look(has_it, vec![]).await, json!(false));
    })
    .await;
}

async fn the_driver_reports_no_console(engine: Engine) {
    visit_in(engine, Visitor::Desktop, async |browser| {
        browser.look("console.error('a line')", vec![]).await;
        let answer = browser.try_console().await;
        assert!(answer.is_err(), "{answer:?}");
    })
    .await;
}

/// Each of the other browsers breaks after the comma.
async fn chinese_that_is_kept_together_breaks_after_no_punctuation(engine: Engine) {
    visit_in(engine, Visitor::Desktop, async |browser| {
        let lines = "
            document.body.innerHTML =
                '<p lang=zh style=\"font: 20px/20px sans-serif; width: 100px; word-break: keep-all\">一二三，四五六</p>';
            return document.querySelector('p').offsetHeight / 20";
        assert_eq!(browser.look(lines, vec![]).await, json!(1));
    })
    .await;
}
