//! The merchant server's own page in a browser that runs scripts but has no element: the bundle is
//! not available, or its WebAssembly does not load. The page's own short script does the rest.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::scanner::scan;
use payment_tests::servers::{Servers, bundle_dir};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::gallery::keep;

in_browsers! {
    a_code_is_paid_and_the_page_shows_it_by_itself: chromium firefox webkit;
    the_page_returns_if_the_elements_webassembly_does_not_load: chromium firefox webkit;
    a_buyer_inside_wechat_pays_in_the_cashier_that_the_page_opens: chromium firefox webkit;
    a_buyer_who_closes_the_cashier_can_pay_again: chromium firefox webkit;
}

async fn a_code_is_paid_and_the_page_shows_it_by_itself(engine: Engine) {
    let servers = Servers::start_with_bundle(None).await;
    let token = servers.order(tea()).await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        open(&servers, desk, &token).await;
        pay_by_code(&servers, desk, &token).await;
    })
    .await;
}

async fn the_page_returns_if_the_elements_webassembly_does_not_load(engine: Engine) {
    let script_alone = tempfile::tempdir().expect("a folder");
    let script = "wechat-pay.js";
    std::fs::copy(bundle_dir().join(script), script_alone.path().join(script)).expect("a copy");
    let servers = Servers::start_with_bundle(Some(script_alone.path().to_owned())).await;
    let token = servers.order(tea()).await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        open(&servers, desk, &token).await;
        desk.until(
            "!!document.querySelector('wechat-pay').shadowRoot?.querySelector('[part=fallback]')",
        )
        .await;
        keep(desk, "without-webassembly").await;
        // Only the page's own card is shown, without a message about the failure.
        let notice = "return document.querySelector('wechat-pay').shadowRoot.querySelector('[part=fallback]').getClientRects().length";
        assert_eq!(desk.look(notice, vec![]).await, json!(0));
        pay_by_code(&servers, desk, &token).await;
    })
    .await;
}

async fn a_buyer_inside_wechat_pays_in_the_cashier_that_the_page_opens(engine: Engine) {
    let servers = Servers::start_inside_wechat(None).await;
    let token = servers.order(tea()).await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        open(&servers, wechat, &token).await;
        // WeChat identifies the buyer; back on the page, the same button opens the cashier.
        wechat.click(START).await;
        wechat.until_at("wechat_pay_payer").await;
        wechat.click(START).await;
        answer(wechat, "success").await;
        // The cashier's result proves nothing; the page waits for the server's answer.
        wechat.until(IS_PAID).await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
    })
    .await;
}

async fn a_buyer_who_closes_the_cashier_can_pay_again(engine: Engine) {
    let servers = Servers::start_inside_wechat(None).await;
    let token = servers.order_of_buyer(tea()).await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        open(&servers, wechat, &token).await;
        wechat.click(START).await;
        answer(wechat, "cancel").await;
        wechat.until_at("wechat_pay_return").await;
        assert_eq!(servers.wechat.trade_states(), ["NOTPAY"]);
        wechat.click("a.lesser").await;
        wechat.click(START).await;
        answer(wechat, "success").await;
        wechat.until(IS_PAID).await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"], "one order");
    })
    .await;
}

const START: &str = "form[action$='/start'] button";
const IS_PAID: &str = "!!document.querySelector('.mark.good')";

fn tea() -> Value {
    json!({"order_no": "NO-ELEMENT-0001", "total_fen": 1_990, "description": "手冲壶"})
}

async fn open(servers: &Servers, browser: &Browser, token: &str) {
    browser
        .open(&format!("{}/c/{token}", servers.merchant))
        .await;
}

/// The page has its own code, and changes when it is paid, without the buyer's action.
async fn pay_by_code(servers: &Servers, desk: &Browser, token: &str) {
    desk.until("!!document.querySelector('.code svg')?.getClientRects().length")
        .await;
    let checkout = servers.checkout(token).await;
    let code_url = checkout["code_url"].as_str().expect("a code");
    assert_eq!(scan(&desk.screenshot().await), [code_url]);
    servers.wechat.pay(&checkout["code_url"]).await;
    desk.until(IS_PAID).await;
    assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
}

async fn answer(wechat: &Browser, outcome: &str) {
    let button = format!("[data-outcome='{outcome}']");
    wechat.click_in("#wechat-cashier", &button).await;
}
