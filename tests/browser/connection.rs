//! The connection to the merchant API: a broken answer is requested again, and an API that is never
//! reached is reported to the page, with a link to the shop's support.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;
use tokio::net::TcpListener;

use crate::plain_backend::{PlainBackend, until_polled};
use crate::test_pages::TestPages;

in_browsers! {
    a_broken_answer_is_requested_again: chromium firefox webkit;
    an_unreachable_merchant_api_is_reported_once_and_polled_on: chromium firefox webkit;
}

/// As in a tunnel. The start has taken effect, and a second request for it does not repeat it.
async fn a_broken_answer_is_requested_again(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        put(browser, &pages.breaking_api("tunnel")).await;
        browser.until("stateOf('pay') === 'qr'").await;
        assert_eq!(
            pages.broken(),
            [
                "POST /breaking/tunnel/checkouts/plain-order-0001/attempts",
                "GET /breaking/tunnel/checkouts/plain-order-0001"
            ]
        );
        assert_eq!(pages.plain.starts_of("tunnel"), 1);
        assert_eq!(browser.look("return codes", vec![]).await, json!([]));
    })
    .await;
}

/// One server does not exist, and one does not allow the page's origin.
async fn an_unreachable_merchant_api_is_reported_once_and_polled_on(engine: Engine) {
    let pages = TestPages::start().await;
    let nobody = {
        let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        format!("http://{}/v1", gone.local_addr().expect("its address"))
    };
    let elsewhere = pages
        .plain_api("elsewhere")
        .replace("127.0.0.1", "localhost");
    visit_in(engine, Visitor::Desktop, async |browser| {
        for api in [&nobody, &elsewhere] {
            pages.open(browser, "ready").await;
            put(browser, api).await;
            let problem = browser.until("codes[0]").await;
            assert_eq!(problem, "UNREACHABLE", "{api}");
            let help =
                "document.getElementById('pay').shadowRoot.querySelector('[part=support]')?.href";
            assert_eq!(
                browser.until(help).await,
                json!("https://shop.example/help")
            );
            assert_eq!(
                browser.look("return stateOf('pay')", vec![]).await,
                json!("loading")
            );
        }
        let so_far = pages.plain.polls_of("elsewhere");
        until_polled(&pages.plain, "elsewhere", so_far + 1).await;
        assert_eq!(
            browser.look("return codes", vec![]).await,
            json!(["UNREACHABLE"])
        );
    })
    .await;
}

/// Puts an element on the page that polls an API for the plain backend's order.
async fn put(browser: &Browser, api: &str) {
    let script = "const element = make('pay', ...arguments);
        element.supportUrl = 'https://shop.example/help';
        document.getElementById('left-side').append(element)";
    let arguments = vec![json!(PlainBackend::TOKEN), json!(api)];
    browser.look(script, arguments).await;
}
