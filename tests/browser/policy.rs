//! The strictest page that a shop can serve: nothing by default, scripts by nonce alone, no style,
//! and no text that the browser would take for HTML. Everything that pays elsewhere pays here.

use axum::Router;
use axum::extract::RawQuery;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::servers::{Servers, bundle_dir};
use payment_tests::webdriver::Engine;
use serde_json::json;
use tower_http::services::ServeDir;

in_browsers! {
    the_element_pays_under_a_policy_of_nonces_and_trusted_types: chromium firefox webkit;
    a_buyer_on_a_phone_goes_to_wechat_from_a_strict_page: chromium webkit;
    a_buyer_inside_wechat_pays_on_a_strict_page: chromium firefox webkit;
    a_policy_that_forbids_webassembly_leaves_a_way_to_pay: chromium firefox webkit;
}

const EXECUTES: &str = "<img src=x onerror=alert(1)>";

async fn the_element_pays_under_a_policy_of_nonces_and_trusted_types(engine: Engine) {
    let servers = servers().await;
    let token = order(&servers).await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        desk.open(&strict(&servers, &token, "")).await;
        desk.until_element_is(&["qr"]).await;
        let text = desk.element_text().await;
        assert!(text.contains(EXECUTES), "{text}");
        // The style sheet is there, though the policy allows none.
        assert_eq!(width(desk).await, "420px");
        let checkout = servers.checkout(&token).await;
        servers.wechat.pay(&checkout["code_url"]).await;
        desk.until_element_is(&["paid"]).await;
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_buyer_on_a_phone_goes_to_wechat_from_a_strict_page(engine: Engine) {
    let servers = servers().await;
    let token = order(&servers).await;
    visit_in(engine, Visitor::Phone, async |phone| {
        phone.open(&strict(&servers, &token, "")).await;
        phone.until_element_is(&["offer"]).await;
        phone.click_intent("start").await;
        phone.until_at("/cgi-bin/mmpayweb-bin/checkmweb").await;
        phone.click("button[value='success']").await;
        phone.until_at("/strict/page").await;
        phone.until_element_is(&["paid"]).await;
        assert_eq!(phone.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_buyer_inside_wechat_pays_on_a_strict_page(engine: Engine) {
    let servers = servers().await;
    let token = order(&servers).await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        let page = servers.inside_wechat(&strict(&servers, &token, ""));
        wechat.open(&page).await;
        wechat.until_element_is(&["offer"]).await;
        wechat.click_intent("start").await;
        wechat
            .click_in("#wechat-cashier", "[data-outcome='success']")
            .await;
        wechat.until_element_is(&["paid"]).await;
        assert_eq!(wechat.complaints().await, [""; 0]);
    })
    .await;
}

/// A page's policy counts for a style element, and its nonce is good for this one too.
#[tokio::test]
async fn a_browser_without_constructed_sheets_has_its_looks_by_the_pages_nonce() {
    let servers = servers().await;
    let token = order(&servers).await;
    visit(Visitor::Desktop, async |desk| {
        desk.open(&strict(&servers, &token, "before=delete window.CSSStyleSheet"))
            .await;
        desk.until_element_is(&["qr"]).await;
        assert_eq!(width(desk).await, "420px");
        let sheets = "return document.querySelector('wechat-pay').shadowRoot.querySelectorAll('style').length";
        assert_eq!(desk.look(sheets, vec![]).await, json!(1));
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_policy_that_forbids_webassembly_leaves_a_way_to_pay(engine: Engine) {
    let servers = servers().await;
    let token = order(&servers).await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        desk.open(&strict(&servers, &token, "wasm=no")).await;
        let link = "document.querySelector('wechat-pay').shadowRoot?.querySelector('[part=fallback] a')?.href";
        assert_eq!(desk.until(link).await, json!("https://shop.example/c/1"));
        let problem = desk.until("window.problem").await;
        assert_eq!(problem["code"], "WIDGET_UNAVAILABLE", "{problem}");
        let font = "return getComputedStyle(document.querySelector('wechat-pay').shadowRoot.querySelector('[part=fallback]')).maxWidth";
        assert_eq!(desk.look(font, vec![]).await, json!("420px"));
    })
    .await;
}

async fn servers() -> Servers {
    let pages = Router::new()
        .route("/strict/page", get(strict_page))
        .route("/favicon.ico", get(StatusCode::NO_CONTENT))
        .nest_service("/strict", ServeDir::new(bundle_dir()));
    Servers::start_with_stage(pages).await
}

async fn order(servers: &Servers) -> String {
    servers
        .order(json!({"total_fen": 6_910, "description": EXECUTES}))
        .await
}

fn strict(servers: &Servers, token: &str, more: &str) -> String {
    let (stage, merchant) = (&servers.stage, &servers.merchant);
    format!("{stage}/strict/page?merchant={merchant}&token={token}&{more}")
}

async fn width(browser: &Browser) -> String {
    let width = "return getComputedStyle(document.querySelector('wechat-pay').shadowRoot.querySelector('[part~=base]')).maxWidth";
    let width = browser.look(width, vec![]).await;
    width.as_str().unwrap_or_default().to_owned()
}

/// `merchant`, `token`; `wasm=no` forbids WebAssembly, `before` is a script that runs first.
async fn strict_page(RawQuery(query): RawQuery) -> impl IntoResponse {
    let query = query.unwrap_or_default();
    let value = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(key, _)| key == name);
        found.map_or_else(String::new, |(_, value)| value.into_owned())
    };
    let (merchant, token, before) = (value("merchant"), value("token"), value("before"));
    let wasm = if value("wasm") == "no" {
        ""
    } else {
        "'wasm-unsafe-eval'"
    };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-r4nd0m' {wasm}; style-src 'nonce-r4nd0m'; \
         connect-src 'self' {merchant}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    );
    let page = format!(
        "<!doctype html><html lang=zh-CN><meta charset=utf-8><title>strict</title>\
         <script nonce=r4nd0m>{before};\
         addEventListener('problem', ({{detail}}) => {{ window.problem = {{code: detail.code}}; }})</script>\
         <wechat-pay token='{token}' merchant-api='{merchant}/v1' \
         checkout-url='https://shop.example/c/1'></wechat-pay>\
         <script type=module nonce=r4nd0m src=wechat-pay.js></script>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, page)
}
