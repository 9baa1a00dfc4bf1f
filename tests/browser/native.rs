//! On a desktop: the code is read from the screen, and paid on the simulator's phone page.

use payment_tests::browser::{Browser, Visitor, visit_together_in};
use payment_tests::scanner::scan;
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;

in_browsers! {
    a_code_on_the_shops_page_is_scanned_and_paid_and_the_page_shows_it_without_a_reload: chromium firefox webkit;
    a_buyer_who_cancels_on_the_phone_can_scan_the_same_code_again: chromium firefox webkit;
}

async fn a_code_on_the_shops_page_is_scanned_and_paid_and_the_page_shows_it_without_a_reload(
    engine: Engine,
) {
    let servers = Servers::start().await;
    visit_together_in(engine, Visitor::Desktop, Visitor::Phone, async |desk, phone| {
        let code_url = buy(&servers, desk).await;
        answer_on_the_phone(&servers, phone, &code_url, "success").await;
        desk.until_element_is(&["paid"]).await;
        desk.until("!document.querySelector('.thanks').hidden").await;
        let page = "[window.isTheSamePage, document.querySelector('[data-order-state]').dataset.orderState]";
        let page = desk.look(&format!("return {page}"), vec![]).await;
        assert_eq!(page, serde_json::json!([true, "paid"]));
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_buyer_who_cancels_on_the_phone_can_scan_the_same_code_again(engine: Engine) {
    let servers = Servers::start().await;
    visit_together_in(
        engine,
        Visitor::Desktop,
        Visitor::Phone,
        async |desk, phone| {
            let code_url = buy(&servers, desk).await;
            for outcome in ["cancel", "fail"] {
                answer_on_the_phone(&servers, phone, &code_url, outcome).await;
                assert_eq!(servers.wechat.trade_states(), ["NOTPAY"], "{outcome}");
            }
            assert_eq!(desk.element_state().await.as_deref(), Some("qr"));
            answer_on_the_phone(&servers, phone, &code_url, "success").await;
            desk.until_element_is(&["paid"]).await;
            assert_eq!(desk.complaints().await, [""; 0]);
        },
    )
    .await;
}

/// Buys in the shop, and reads the code from the screen.
pub(crate) async fn buy(servers: &Servers, desk: &Browser) -> String {
    desk.open(&servers.shop).await;
    desk.click("button[value='coffee']").await;
    desk.until_element_is(&["qr"]).await;
    desk.look("window.isTheSamePage = true", vec![]).await;
    let token = desk
        .until("document.querySelector('wechat-pay').token")
        .await;
    let checkout = servers.checkout(token.as_str().expect("a token")).await;
    let codes = scan(&desk.screenshot().await);
    assert_eq!(codes, [checkout["code_url"].as_str().expect("a code")]);
    let text = desk.element_text().await;
    assert!(text.contains("¥69.10"), "{text}");
    let is_clock = |word: &str| word.len() == 5 && word.as_bytes()[2] == b':';
    assert!(text.split_whitespace().any(is_clock), "{text}");
    codes.into_iter().next().expect("one code")
}

/// The buyer scans on the simulator's phone page and pays or cancels.
pub(crate) async fn answer_on_the_phone(
    servers: &Servers,
    phone: &Browser,
    code_url: &str,
    outcome: &str,
) {
    phone
        .open(&format!("{}/phone", servers.wechat.address))
        .await;
    phone.type_into("#code_url", code_url).await;
    phone.click("form[action='/phone/scan'] button").await;
    phone.click(&format!("button[value='{outcome}']")).await;
    phone.until("document.querySelector('[role=status]')").await;
}
