//! The strictest page that a shop can serve: nothing by default, scripts only with a nonce, no
//! style, and no text that a browser would parse as HTML. Every way to pay works here too.

use axum::Router;
use axum::extract::{RawQuery, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::servers::{Servers, bundle_dir};
use payment_tests::webdriver::Engine;
use serde_json::json;
use tower_http::services::ServeDir;

use crate::test_pages::{is_script, is_wasm};

in_browsers! {
    the_element_pays_under_a_policy_of_nonces_and_trusted_types: chromium firefox webkit;
    a_buyer_on_a_phone_goes_to_wechat_from_a_strict_page: chromium firefox webkit;
    a_buyer_inside_wechat_pays_on_a_strict_page: chromium firefox webkit;
    a_mini_programs_page_opens_from_a_strict_page: chromium firefox webkit;
    a_policy_that_forbids_webassembly_and_the_script_leaves_a_way_to_pay: chromium firefox webkit;
    a_strict_page_whose_widget_does_not_load_leaves_a_way_to_pay: chromium firefox webkit;
    a_strict_page_whose_server_sends_no_content_type_pays: chromium firefox webkit;
    a_browser_without_constructed_sheets_gets_its_style_by_the_pages_nonce: chromium firefox webkit;
}

/// A policy without WebAssembly, which lists the policy of Trusted Types by which the element loads
/// its script.
const WITHOUT_WASM: &str = "wasm=no&types=wechat-pay";

const EXECUTES: &str = "<img src=x onerror=alert(1)>";

async fn the_element_pays_under_a_policy_of_nonces_and_trusted_types(engine: Engine) {
    let servers = servers().await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        for more in ["", WITHOUT_WASM] {
            let token = order(&servers).await;
            desk.open(&strict(&servers, &token, more)).await;
            desk.until_element_is(&["qr"]).await;
            let text = desk.element_text().await;
            assert!(text.contains(EXECUTES), "{text}");
            // The style sheet applies, although the policy allows none.
            assert_eq!(width(desk).await, "420px");
            let checkout = servers.checkout(&token).await;
            servers.wechat.pay(&checkout["code_url"]).await;
            desk.until_element_is(&["paid"]).await;
            assert_eq!(unexpected(desk, more).await, [""; 0]);
        }
    })
    .await;
}

async fn a_buyer_on_a_phone_goes_to_wechat_from_a_strict_page(engine: Engine) {
    let servers = servers().await;
    visit_in(engine, Visitor::Phone, async |phone| {
        for more in ["", WITHOUT_WASM] {
            let token = order(&servers).await;
            phone.open(&strict(&servers, &token, more)).await;
            phone.pay_through_h5("/strict/page").await;
            assert_eq!(unexpected(phone, more).await, [""; 0]);
        }
    })
    .await;
}

async fn a_buyer_inside_wechat_pays_on_a_strict_page(engine: Engine) {
    let servers = servers().await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        for more in ["", WITHOUT_WASM] {
            let token = order(&servers).await;
            let page = servers.inside_wechat(&strict(&servers, &token, more));
            wechat.open(&page).await;
            wechat.pay_in_the_cashier().await;
            assert_eq!(unexpected(wechat, more).await, [""; 0]);
        }
    })
    .await;
}

async fn a_mini_programs_page_opens_from_a_strict_page(engine: Engine) {
    let servers = servers().await;
    let token = order(&servers).await;
    let before = "before=Object.defineProperty(navigator, 'userAgent', {get: () => 'Mozilla/5.0 (Linux; Android 12; RMX3562; wv) AppleWebKit/537.36 Mobile MicroMessenger/8.0.50.2701 miniProgram/wx476ba9475c801433'});
        window.called = [];
        window.WeixinJSBridge = {invoke: (name, values, callback) => {
            called.push(values.arg.url);
            callback({err_msg: 'invokeMiniProgramAPI:ok'});
        }}";
    visit_in(engine, Visitor::Phone, async |web_view| {
        web_view.open(&strict(&servers, &token, before)).await;
        web_view.until_element_is(&["offer"]).await;
        web_view.click_intent("start").await;
        web_view.until("called.length > 0").await;
        let path = format!("/pages/wechat-pay/wechat-pay?token={token}");
        assert_eq!(web_view.look("return called", vec![]).await, json!([path]));
        // The mini-program's page would pay; the test pays instead, and the buyer returns.
        let code = servers.attempt(&token, "native").await;
        servers.wechat.pay(&code["code_url"]).await;
        web_view
            .look("document.querySelector('wechat-pay').resume()", vec![])
            .await;
        web_view.until_element_is(&["paid"]).await;
        assert_eq!(web_view.complaints().await, [""; 0]);
    })
    .await;
}

/// A page's policy applies to a style element, and its nonce also allows this one.
async fn a_browser_without_constructed_sheets_gets_its_style_by_the_pages_nonce(engine: Engine) {
    let servers = servers().await;
    let token = order(&servers).await;
    visit_in(engine, Visitor::Desktop, async |desk| {
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

async fn a_policy_that_forbids_webassembly_and_the_script_leaves_a_way_to_pay(engine: Engine) {
    let servers = servers().await;
    let token = order(&servers).await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        desk.open(&strict(&servers, &token, "wasm=no&script=no"))
            .await;
        until_another_way(desk).await;
    })
    .await;
}

/// As after a deployment that lost a file, or on a server that answers every address with its index
/// page.
async fn a_strict_page_whose_widget_does_not_load_leaves_a_way_to_pay(engine: Engine) {
    let servers = servers().await;
    let token = order(&servers).await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        for folder in ["/lost/", "/index/"] {
            let page = strict(&servers, &token, "types=wechat-pay");
            desk.open(&page.replace("/strict/", folder)).await;
            until_another_way(desk).await;
            // The fallback's style applies, and the policy reports no violation.
            let complaints = desk.complaints().await;
            let of_policy = complaints.iter().filter(|line| line.contains("Policy"));
            assert_eq!(of_policy.count(), 0, "{folder}: {complaints:?}");
        }
    })
    .await;
}

/// Only streaming compilation requires the WebAssembly content type.
async fn a_strict_page_whose_server_sends_no_content_type_pays(engine: Engine) {
    let servers = servers().await;
    let token = order(&servers).await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        let page = strict(&servers, &token, "");
        desk.open(&page.replace("/strict/", "/untyped/")).await;
        desk.until_element_is(&["qr"]).await;
        let checkout = servers.checkout(&token).await;
        servers.wechat.pay(&checkout["code_url"]).await;
        desk.until_element_is(&["paid"]).await;
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}

/// The complaints, without the browser's own about WebAssembly where the policy forbids it.
async fn unexpected(browser: &Browser, more: &str) -> Vec<String> {
    let mut complaints = browser.complaints().await;
    if more == WITHOUT_WASM {
        complaints.retain(|line| !line.contains("WebAssembly"));
    }
    complaints
}

async fn until_another_way(desk: &Browser) {
    let link = "document.querySelector('wechat-pay')?.shadowRoot?.querySelector('[part=fallback] a')?.href";
    assert_eq!(desk.until(link).await, json!("https://shop.example/c/1"));
    let problem = desk.until("window.problem").await;
    assert_eq!(problem["code"], "WIDGET_UNAVAILABLE", "{problem}");
    let width = "return getComputedStyle(document.querySelector('wechat-pay').shadowRoot.querySelector('[part=fallback]')).maxWidth";
    assert_eq!(desk.look(width, vec![]).await, json!("420px"));
}

async fn servers() -> Servers {
    let pages = Router::new()
        .route("/favicon.ico", get(StatusCode::NO_CONTENT))
        .nest("/strict", pages())
        .nest("/lost", pages().layer(from_fn(answer_404)))
        .nest("/index", pages().layer(from_fn(answer_index)))
        .nest("/untyped", pages().layer(from_fn(without_type)));
    Servers::start_with_stage(pages).await
}

/// The strict page and the bundle.
fn pages() -> Router {
    Router::new()
        .route("/page", get(strict_page))
        .fallback_service(ServeDir::new(bundle_dir()))
}

/// The widget is missing in both of its forms.
async fn answer_404(request: Request, next: Next) -> Response {
    if is_wasm(&request) || is_script(&request) {
        return StatusCode::NOT_FOUND.into_response();
    }
    next.run(request).await
}

/// A server that answers every unknown address with its index page.
async fn answer_index(request: Request, next: Next) -> Response {
    if is_wasm(&request) || is_script(&request) {
        return Html("<!doctype html>").into_response();
    }
    next.run(request).await
}

async fn without_type(request: Request, next: Next) -> Response {
    let is_wasm = is_wasm(&request);
    let mut response = next.run(request).await;
    if is_wasm {
        let headers = response.headers_mut();
        let bytes = HeaderValue::from_static("application/octet-stream");
        headers.insert(header::CONTENT_TYPE, bytes);
        let nosniff = HeaderValue::from_static("nosniff");
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    }
    response
}

async fn order(servers: &Servers) -> String {
    servers
        .order(json!({"total_fen": 6_910, "description": EXECUTES}))
        .await
}

fn strict(servers: &Servers, token: &str, more: &str) -> String {
    let (stage, merchant) = (&servers.stage, &servers.merchant);
    format!("{stage}/strict/page?stage={stage}&merchant={merchant}&token={token}&{more}")
}

async fn width(browser: &Browser) -> String {
    let width = "return getComputedStyle(document.querySelector('wechat-pay').shadowRoot.querySelector('[part~=base]')).maxWidth";
    let width = browser.look(width, vec![]).await;
    width.as_str().unwrap_or_default().to_owned()
}

/// Reads `merchant` and `token` from the query; `wasm=no` forbids WebAssembly, `script=no` every
/// script that is not the loader, `types` lists policies of Trusted Types, `before` is a script that
/// runs first.
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
    let types = if value("types").is_empty() {
        "'none'".to_owned()
    } else {
        value("types")
    };
    // The loader alone is allowed, by its address, and no element has the nonce any more.
    let (loader, nonce, remove) = if value("script") == "no" {
        (
            format!("{}/strict/wechat-pay.js", value("stage")),
            "",
            "document.currentScript.remove()",
        )
    } else {
        (String::new(), "nonce=r4nd0m", "")
    };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-r4nd0m' {loader} {wasm}; style-src 'nonce-r4nd0m'; \
         connect-src 'self' {merchant}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types {types}"
    );
    let page = format!(
        "<!doctype html><html lang=zh-CN><meta charset=utf-8><title>strict</title>\
         <script nonce=r4nd0m>{before};{remove};\
         addEventListener('problem', ({{detail}}) => {{ window.problem = {{code: detail.code}}; }})</script>\
         <wechat-pay token='{token}' merchant-api='{merchant}/v1' \
         checkout-url='https://shop.example/c/1'></wechat-pay>\
         <script type=module {nonce} src=wechat-pay.js></script>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, page)
}
