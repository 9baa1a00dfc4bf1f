//! The page's own address is restored byte for byte, whatever it holds: after WeChat's middle page,
//! and after the OAuth redirect. Only our own parameter is added and removed.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::test_pages::TestPages;

in_browsers! {
    an_address_survives_wechats_middle_page_byte_for_byte: chromium firefox webkit;
    an_address_survives_the_oauth_redirect_byte_for_byte: chromium firefox webkit;
}

/// What follows the page's path: signed, empty, without values, and a router's fragment.
const ENDS: [&str; 5] = [
    "?x=%2Fb%20c+d&flag&sig=a%2Bb/c==",
    "?#/pay/2",
    "#/pay/2",
    "?a=1&&b=&=&%E4%BA%91=%e5%8d%97&#/orders/7?tab=a+b%20c",
    "",
];

async fn an_address_survives_wechats_middle_page_byte_for_byte(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Phone, async |phone| {
        for end in ENDS {
            let page = format!("{}{end}", pages.page_at(&pages.order().await));
            phone.open("about:blank").await;
            phone.open(&page).await;
            phone.pay_through_h5("/ready/at/").await;
            assert_eq!(shown(phone).await, page);
        }
    })
    .await;
}

async fn an_address_survives_the_oauth_redirect_byte_for_byte(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        for end in ENDS {
            let page = format!("{}{end}", pages.page_at(&pages.order().await));
            let page = pages.servers.inside_wechat(&page);
            wechat.open("about:blank").await;
            wechat.open(&page).await;
            wechat.pay_in_the_cashier().await;
            assert_eq!(shown(wechat).await, page);
        }
    })
    .await;
}

/// The address in the page itself, which the driver does not parse.
async fn shown(browser: &Browser) -> String {
    let shown = browser.look("return location.href", vec![]).await;
    assert_ne!(shown, json!(null));
    shown.as_str().unwrap_or_default().to_owned()
}
