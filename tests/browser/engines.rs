//! The element outside Chromium: a code is scanned and paid in Firefox and in WebKit, and the
//! removed element leaves nothing behind. A browser that is not installed is skipped.

use payment_tests::browser::{Visitor, visit_in};
use payment_tests::scanner::scan;
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::test_pages::{TestPages, at_rest, bare, left};

in_browsers! {
    a_code_is_shown_scanned_paid_and_removed: firefox webkit;
}

async fn a_code_is_shown_scanned_paid_and_removed(engine: Engine) {
    let pages = TestPages::start().await;
    let (gone, paid) = (pages.order().await, pages.order().await);
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let bare = bare(browser).await;
        pages.put(browser, "gone", &gone).await;
        browser.until("stateOf('gone') === 'qr'").await;
        browser
            .look("document.getElementById('gone').remove()", vec![])
            .await;
        browser.until(&at_rest(&bare)).await;
        assert_eq!(left(browser).await, bare);

        pages.put(browser, "paid", &paid).await;
        browser.until("stateOf('paid') === 'qr'").await;
        let codes = scan(&browser.screenshot().await);
        let checkout = pages.servers.checkout(&paid).await;
        assert_eq!(codes, [checkout["code_url"].as_str().expect("a code")]);
        let text = browser.element_text().await;
        assert!(text.contains("¥69.10"), "{text}");
        pages.pay(&paid).await;
        browser.until("stateOf('paid') === 'paid'").await;
        let heard = browser.look("return heard", vec![]).await;
        assert_eq!(heard, json!(["paid paid"]));
    })
    .await;
}
