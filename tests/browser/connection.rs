//! The line to the merchant API: an answer that breaks off is asked for again.

use crate::plain_backend::PlainBackend;
use crate::stage::Stage;
use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

in_browsers! {
    an_answer_that_breaks_off_is_asked_for_again: chromium firefox webkit;
}

/// As in a tunnel. The start has had its effect, and is not made twice by being asked for twice.
async fn an_answer_that_breaks_off_is_asked_for_again(engine: Engine) {
    let stage = Stage::set().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        stage.open(browser, "ready").await;
        put(browser, &stage.breaking_api("tunnel")).await;
        browser.until("stateOf('pay') === 'qr'").await;
        assert_eq!(
            stage.broken(),
            [
                "GET /breaking/tunnel/checkouts/plain-order-0001",
                "POST /breaking/tunnel/checkouts/plain-order-0001/attempts"
            ]
        );
        assert_eq!(browser.look("return codes", vec![]).await, json!([]));
    })
    .await;
}

/// Puts an element on the page that asks an API for the plain backend's order.
async fn put(browser: &Browser, api: &str) {
    let script = "const element = make('pay', ...arguments);
        element.supportUrl = 'https://shop.example/help';
        document.getElementById('left-side').append(element)";
    let arguments = vec![json!(PlainBackend::TOKEN), json!(api)];
    browser.look(script, arguments).await;
}
