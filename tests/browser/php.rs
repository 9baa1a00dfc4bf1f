//! The element with a foreign backend: the PHP example, which implements only the minimum.

use payment_tests::browser::{Visitor, visit_together_in};
use payment_tests::php::PhpExample;
use payment_tests::scanner::scan;
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;

in_browsers! {
    the_element_takes_a_payment_with_a_backend_in_one_php_file: chromium firefox webkit;
}

async fn the_element_takes_a_payment_with_a_backend_in_one_php_file(engine: Engine) {
    if !PhpExample::is_possible() {
        return;
    }
    let servers = Servers::start().await;
    let script = format!("{}/dist/wechat-pay.js", servers.stage);
    let shop = PhpExample::start(&servers.wechat.merchant_json(), &script).await;
    visit_together_in(
        engine,
        Visitor::Desktop,
        Visitor::Phone,
        async |desk, phone| {
            desk.open(shop.address()).await;
            desk.until_element_is(&["qr"]).await;
            let codes = scan(&desk.screenshot().await);
            assert_eq!(codes.len(), 1, "{codes:?}");
            phone
                .open(&format!("{}/phone", servers.wechat.address))
                .await;
            phone.type_into("#code_url", &codes[0]).await;
            phone.click("form[action='/phone/scan'] button").await;
            phone.click("button[value='success']").await;
            desk.until_element_is(&["paid"]).await;
            assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
            assert_eq!(
                servers.requests.seen(),
                [""; 0],
                "our own server is not involved"
            );
            assert_eq!(desk.complaints().await, [""; 0]);
        },
    )
    .await;
}
