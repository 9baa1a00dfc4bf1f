//! The merchant server's own page in a browser that runs no script: there is no element and no
//! WebAssembly, and the buyer can still pay.

use payment_tests::browser::{Visitor, visit_in};
use payment_tests::scanner::scan;
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;
use serde_json::json;

in_browsers! {
    a_buyer_without_script_scans_the_code_and_the_page_shows_the_payment: chromium firefox;
    a_buyer_on_a_phone_without_script_pays_in_wechat_and_returns: chromium firefox;
}

async fn a_buyer_without_script_scans_the_code_and_the_page_shows_the_payment(engine: Engine) {
    let servers = Servers::start().await;
    let token = order(&servers, "PLAIN-0001").await;
    visit_in(engine, Visitor::DesktopWithoutScript, async |desk| {
        desk.open(&format!("{}/c/{token}", servers.merchant)).await;
        desk.until("document.querySelector('.code svg')").await;
        let codes = scan(&desk.screenshot().await);
        let checkout = servers.checkout(&token).await;
        assert_eq!(codes, [checkout["code_url"].as_str().expect("a code")]);

        servers.wechat.pay(&checkout["code_url"]).await;
        // The frame reloads by itself; the page around it stays as the buyer left it.
        desk.look("window.isTheSamePage = true", vec![]).await;
        desk.until("!!document.querySelector('iframe').contentDocument.querySelector('a')")
            .await;
        assert_eq!(
            desk.look("return window.isTheSamePage", vec![]).await,
            json!(true)
        );
        desk.enter_frame("iframe").await;
        desk.click("a").await;
        desk.leave_frame().await;
        desk.until("document.querySelector('.mark.good')").await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_buyer_on_a_phone_without_script_pays_in_wechat_and_returns(engine: Engine) {
    let servers = Servers::start().await;
    let token = order(&servers, "PLAIN-0002").await;
    // Otherwise the order may be paid when the buyer returns, and then there is nothing to check.
    let unknown = [
        json!({"route": "notification", "kind": "dropped", "rate": 1}),
        json!({"route": "query", "kind": "error_before", "rate": 1}),
    ];
    servers.wechat.fail(&unknown).await;
    visit_in(engine, Visitor::PhoneWithoutScript, async |phone| {
        phone.open(&format!("{}/c/{token}", servers.merchant)).await;
        phone.click("form[action$='/start'] button").await;
        phone.until_at("/cgi-bin/mmpayweb-bin/checkmweb").await;
        phone.click("button[value='success']").await;
        phone.until_at("wechat_pay_return").await;
        phone
            .until("document.querySelector(\"form[action$='/check'] button\")")
            .await;
        servers.wechat.fail(&[]).await;
        phone.click("form[action$='/check'] button").await;
        phone.until("document.querySelector('.mark.good')").await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
    })
    .await;
}

async fn order(servers: &Servers, order_no: &str) -> String {
    servers
        .order(json!({"order_no": order_no, "total_fen": 1990, "description": "手冲壶"}))
        .await
}
