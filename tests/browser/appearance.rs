//! What a page looks like where it is tightest: a phone of 320 px.

use payment_tests::browser::{Visitor, visit};
use payment_tests::scanner::scan;
use payment_tests::servers::Servers;
use serde_json::json;

#[tokio::test]
async fn on_the_smallest_screen_nothing_is_cut_off_and_the_code_keeps_its_size() {
    let servers = Servers::start().await;
    visit(Visitor::SmallDesktop, async |browser| {
        browser.open(&servers.shop).await;
        let fits = "return document.documentElement.scrollWidth <= 320 && innerWidth === 320";
        assert_eq!(browser.look(fits, vec![]).await, json!(true));
        browser.click("button[value='coffee']").await;
        browser.until_element_is(&["qr"]).await;
        assert_eq!(browser.look(fits, vec![]).await, json!(true));
        let side = "return document.querySelector('wechat-pay').shadowRoot.querySelector('[part=qr]').getBoundingClientRect().width";
        let side = browser.look(side, vec![]).await.as_f64().expect("a width");
        assert!(side >= 240.0, "{side} px");
        browser
            .look("document.querySelector('wechat-pay').scrollIntoView()", vec![])
            .await;
        assert_eq!(scan(&browser.screenshot().await).len(), 1);
    })
    .await;
}
