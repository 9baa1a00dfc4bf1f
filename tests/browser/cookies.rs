//! The token in the address is the only thing that identifies a buyer: no request of the element
//! carries a cookie, not even to the page's own origin (`credentials: omit`).

use payment_tests::browser::{Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::plain_backend::{PlainBackend, until_polled};
use crate::test_pages::TestPages;

in_browsers! {
    the_shops_cookies_stay_with_the_shop: chromium firefox webkit;
}

async fn the_shops_cookies_stay_with_the_shop(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        browser
            .look("document.cookie = 'shop=the-buyer; path=/'", vec![])
            .await;
        pages.put_asking(browser, "element").await;
        browser.until("stateOf('pay') === 'qr'").await;
        pages.plain.pay();
        browser.until("stateOf('pay') === 'paid'").await;
        assert!(!pages.plain.has_cookie_of("element"));

        // The page itself would send the cookie to the same place, so there is one to leave out.
        let of_the_page = pages.plain_api("page");
        let ask = "fetch(`${arguments[0]}/checkouts/${arguments[1]}`)";
        browser
            .look(ask, vec![json!(of_the_page), json!(PlainBackend::TOKEN)])
            .await;
        until_polled(&pages.plain, "page", 1).await;
        assert!(pages.plain.has_cookie_of("page"));
    })
    .await;
}
