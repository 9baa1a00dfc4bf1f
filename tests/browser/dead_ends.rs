//! States in which a buyer could be stuck: each has a next step. The gallery's fixtures reach them, with
//! its own clock.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::gallery::Gallery;
use crate::test_pages::TestPages;

in_browsers! {
    each_difficult_state_says_what_to_do_next: chromium firefox webkit;
    a_scene_that_nobody_can_pay_in_is_reported_and_the_code_is_shown: chromium firefox webkit;
}

/// The sentences, the intents of the buttons, and the links of the state that is shown.
async fn next_steps(browser: &Browser) -> Value {
    let look = "const root = document.querySelector('wechat-pay').shadowRoot;
        const all = (selector) => [...root.querySelectorAll(selector)];
        return [
            all('.lead, .advice').map((node) => node.textContent),
            all('button').map((node) => node.dataset.intent),
            all('a').map((node) => node.getAttribute('part')),
        ]";
    browser.look(look, vec![]).await
}

async fn each_difficult_state_says_what_to_do_next(engine: Engine) {
    let gallery = Gallery::open().await;
    let cases = [
        (
            "loading-late",
            vec![buyer_words::PROBLEM_OF_NETWORK],
            json!(["resume"]),
            json!(["checkout", "support"]),
        ),
        (
            "offer-h5-after-trouble",
            vec![buyer_words::NOT_PAID_YET, buyer_words::SAME_NETWORK],
            json!(["check-payment", "start"]),
            json!([]),
        ),
        (
            "leaving-authorize-stuck",
            vec![buyer_words::TRY_THEN_CONTACT],
            json!(["start"]),
            json!([]),
        ),
        (
            "problem-order-unknown",
            vec![buyer_words::ORDER_UNKNOWN],
            json!([]),
            json!(["support"]),
        ),
        (
            "problem-payment-failed",
            vec![buyer_words::PAYMENT_FAILED],
            json!(["start"]),
            json!(["support"]),
        ),
        (
            "problem-mini-program",
            vec![buyer_words::TRY_THEN_CONTACT],
            json!(["start"]),
            json!(["support"]),
        ),
        (
            "unavailable-mini-program-alone",
            vec![buyer_words::OPEN_MINI_PROGRAM],
            json!([]),
            json!(["support"]),
        ),
        (
            "unavailable-no-product",
            vec![buyer_words::NOTHING_FITS],
            json!([]),
            json!(["support"]),
        ),
    ];
    visit_in(engine, Visitor::Desktop, async |browser| {
        for (name, sentences, intents, links) in &cases {
            // Only Chromium lets the gallery stop the navigation to WeChat.
            if name.starts_with("leaving") && !matches!(engine, Engine::Chromium) {
                continue;
            }
            gallery.show(browser, name, "zh-CN", "light").await;
            let sentences: Vec<_> = sentences.iter().map(|words| words.zh_cn).collect();
            let expected = json!([sentences, intents, links]);
            assert_eq!(next_steps(browser).await, expected, "{name}");
        }
    })
    .await;
}

async fn a_scene_that_nobody_can_pay_in_is_reported_and_the_code_is_shown(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        browser
            .open(&pages.page_of(&token, &[("scene", "jsapi")]))
            .await;
        browser.until("stateOf('pay') === 'qr'").await;
        let codes = browser.look("return codes", vec![]).await;
        assert_eq!(codes, json!(["SCENE_IMPOSSIBLE"]));
    })
    .await;
}
