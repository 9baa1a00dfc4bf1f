//! The element's files as a server, a proxy or a service worker breaks them. The buyer can always pay,
//! and the console says what the merchant has to change.

use axum::Router;
use axum::body::{Body, to_bytes};
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
    a_wasm_file_that_is_cut_or_is_none_is_replaced_by_the_script: chromium firefox webkit;
    a_loader_that_the_browser_refuses_leaves_the_pages_own_way_to_pay: chromium firefox webkit;
    a_service_worker_with_the_whole_old_version_pays: chromium firefox webkit;
    a_service_worker_with_half_of_an_old_version_leaves_another_way_to_pay: chromium firefox webkit;
}

/// The page's own way to pay, between the tags, and the hosted page.
const OWN: &str = "https://shop.example/own";
const HOSTED: &str = "https://shop.example/c/1";

async fn a_wasm_file_that_is_cut_or_is_none_is_replaced_by_the_script(engine: Engine) {
    let servers = servers().await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        for way in ["cut", "index"] {
            let token = order(&servers).await;
            desk.open(&page(&servers, way, &token, "")).await;
            desk.until_element_is(&["qr"]).await;
            let checkout = servers.checkout(&token).await;
            servers.wechat.pay(&checkout["code_url"]).await;
            desk.until_element_is(&["paid"]).await;
            says(desk, engine, "WASM_UNAVAILABLE: CompileError").await;
        }
    })
    .await;
}

/// A lost file, a file of another content than `integrity` says, and a server that sends every file
/// as text. The element does not exist then, and what is between the tags stays.
async fn a_loader_that_the_browser_refuses_leaves_the_pages_own_way_to_pay(engine: Engine) {
    let servers = servers().await;
    let token = order(&servers).await;
    let other = "integrity=sha384-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    visit_in(engine, Visitor::Desktop, async |desk| {
        for (way, script, word) in [
            ("lost", "", "404"),
            ("untyped", "", "MIME"),
            ("whole", other, "integrity"),
        ] {
            desk.open(&page(&servers, way, &token, script)).await;
            // `onerror` of the script element comes after the browser has refused it.
            desk.until("window.refused").await;
            let own = "const link = document.getElementById('own');
                return [link.href, link.getBoundingClientRect().height > 0, !!customElements.get('wechat-pay')]";
            let own = desk.look(own, vec![]).await;
            assert_eq!(own, json!([OWN, true, false]), "{way}");
            says(desk, engine, word).await;
        }
    })
    .await;
}

/// The worker keeps the old loader and both of the old files: they belong together.
async fn a_service_worker_with_the_whole_old_version_pays(engine: Engine) {
    let servers = servers().await;
    let token = order(&servers).await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        open_with_worker(desk, &page(&servers, "old-whole", &token, "")).await;
        desk.until_element_is(&["qr"]).await;
        assert_eq!(
            desk.look("return window.loaded()", vec![]).await,
            json!(["wechat-pay-0.0.9-00000000.wasm"])
        );
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}

/// The server has the new version only, so the old loader finds none of its files. It never loads
/// those of the new one.
async fn a_service_worker_with_half_of_an_old_version_leaves_another_way_to_pay(engine: Engine) {
    let servers = servers().await;
    let token = order(&servers).await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        open_with_worker(desk, &page(&servers, "old-half", &token, "")).await;
        let link = "document.querySelector('wechat-pay')?.shadowRoot?.querySelector('[part=fallback] a')?.href";
        assert_eq!(desk.until(link).await, json!(HOSTED));
        let problem = desk.until("window.problem").await;
        let raw = problem["raw"].as_str().unwrap_or_default();
        // Both files that are missing.
        assert!(raw.contains("wechat-pay-0.0.9-00000000.wasm: 404"), "{raw}");
        assert!(raw.contains("wechat-pay-0.0.9-00000000.nowasm.js: not loaded"), "{raw}");
        says(desk, engine, "WIDGET_UNAVAILABLE").await;
    })
    .await;
}

/// Opens a page twice: the second time, its service worker answers.
async fn open_with_worker(browser: &Browser, page: &str) {
    browser.open(&format!("{page}&worker=register")).await;
    browser.until("window.isControlled").await;
    browser.open(page).await;
}

/// Only Chromium reports the console.
async fn says(browser: &Browser, engine: Engine, word: &str) {
    let console = browser.console().await;
    let is_said = console.iter().any(|line| line.contains(word));
    assert!(is_said || engine != Engine::Chromium, "{word}: {console:?}");
}

async fn servers() -> Servers {
    let pages = Router::new()
        .nest("/whole", files())
        .nest("/cut", files().layer(from_fn(cut_wasm)))
        .nest("/index", files().layer(from_fn(answer_index)))
        .nest("/lost", files().layer(from_fn(lose_loader)))
        .nest("/untyped", files().layer(from_fn(send_as_text)))
        .nest("/old-whole", files().layer(from_fn(serve_old_names)))
        .nest("/old-half", files());
    Servers::start_with_stage(pages).await
}

fn files() -> Router {
    Router::new()
        .route("/page", get(shop_page))
        .route("/worker.js", get(worker))
        .fallback_service(ServeDir::new(bundle_dir()))
}

pub(crate) async fn order(servers: &Servers) -> String {
    let order = json!({"total_fen": 6_910, "description": "云南小粒咖啡"});
    servers.order(order).await
}

pub(crate) fn page(servers: &Servers, way: &str, token: &str, script: &str) -> String {
    let (pages, merchant) = (&servers.stage, &servers.merchant);
    format!("{pages}/{way}/page?merchant={merchant}&token={token}&{script}")
}

pub(crate) async fn shop_page(RawQuery(query): RawQuery) -> Html<String> {
    let query = query.unwrap_or_default();
    let value = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(key, _)| key == name);
        found.map_or_else(String::new, |(_, value)| value.into_owned())
    };
    let (merchant, token, integrity) = (value("merchant"), value("token"), value("integrity"));
    let integrity = if integrity.is_empty() {
        String::new()
    } else {
        format!("integrity='{integrity}'")
    };
    let (script, worker) = if value("worker").is_empty() {
        (
            format!(
                "<script type=module src=wechat-pay.js {integrity} onerror='window.refused = true'></script>"
            ),
            "",
        )
    } else {
        (
            String::new(),
            "<script>navigator.serviceWorker.addEventListener('controllerchange', () => { window.isControlled = true });
             navigator.serviceWorker.register('worker.js')</script>",
        )
    };
    Html(format!(
        "<!doctype html><html lang=zh-CN><meta charset=utf-8><title>shop</title><link rel=icon href='data:,'>
         <script>addEventListener('problem', ({{detail}}) => {{ window.problem = detail }});
         window.loaded = () => performance.getEntriesByType('resource').map(({{name}}) => name.split('/').pop()).filter((name) => /[.]wasm$/.test(name));
         </script>{worker}
         <wechat-pay token='{token}' merchant-api='{merchant}/v1' checkout-url='{HOSTED}'><a id=own href='{OWN}'>pay</a></wechat-pay>
         {script}"
    ))
}

/// A service worker that answers with the loader of an older version, as from its cache.
async fn worker() -> Response {
    let loader = std::fs::read_to_string(bundle_dir().join("wechat-pay.js"));
    let loader = json!(old(&loader.expect("the bundle is built")));
    let script = format!(
        "addEventListener('install', () => skipWaiting());
         addEventListener('activate', (event) => event.waitUntil(clients.claim()));
         const old = () => new Response({loader}, {{headers: {{'content-type': 'text/javascript'}}}});
         addEventListener('fetch', (event) => {{
           if (event.request.url.endsWith('/wechat-pay.js')) event.respondWith(old());
         }});"
    );
    ([(header::CONTENT_TYPE, "text/javascript")], script).into_response()
}

/// A loader with the names of files of another version.
fn old(loader: &str) -> String {
    let mut old = loader.to_owned();
    for (name, ending) in versioned() {
        old = old.replace(&name, &format!("wechat-pay-0.0.9-00000000.{ending}"));
    }
    assert_ne!(old, loader, "the loader names its files");
    old
}

/// The names of the two forms of the widget, with their endings.
fn versioned() -> Vec<(String, String)> {
    let files = std::fs::read_dir(bundle_dir()).expect("the bundle is built");
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let found: Vec<_> = names
        .filter_map(|name| {
            let (_, rest) = name.strip_prefix("wechat-pay-")?.split_once('-')?;
            let ending = rest.split_once('.')?.1.to_owned();
            matches!(&*ending, "wasm" | "nowasm.js").then_some((name, ending))
        })
        .collect();
    assert_eq!(found.len(), 2, "{found:?}");
    found
}

/// A server that also has the files of the old version.
async fn serve_old_names(mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    for (name, ending) in versioned() {
        if path.ends_with(&format!("/wechat-pay-0.0.9-00000000.{ending}")) {
            *request.uri_mut() = format!("/{name}").parse().expect("a path");
            break;
        }
    }
    next.run(request).await
}

async fn cut_wasm(request: Request, next: Next) -> Response {
    let is_wasm = is_wasm(&request);
    let response = next.run(request).await;
    if !is_wasm {
        return response;
    }
    let whole = to_bytes(response.into_body(), usize::MAX).await;
    let whole = whole.expect("a file");
    let half = whole.slice(..whole.len() / 2);
    (
        [(header::CONTENT_TYPE, "application/wasm")],
        Body::from(half),
    )
        .into_response()
}

/// A server that answers the address of the WebAssembly with its index page.
async fn answer_index(request: Request, next: Next) -> Response {
    if is_wasm(&request) {
        return Html("<!doctype html>").into_response();
    }
    next.run(request).await
}

async fn lose_loader(request: Request, next: Next) -> Response {
    if request.uri().path().ends_with("/wechat-pay.js") {
        return StatusCode::NOT_FOUND.into_response();
    }
    assert!(!is_script(&request), "nothing else is loaded");
    next.run(request).await
}

async fn send_as_text(request: Request, next: Next) -> Response {
    let is_loader = request.uri().path().ends_with("/wechat-pay.js");
    let mut response = next.run(request).await;
    if is_loader {
        let text = HeaderValue::from_static("text/plain");
        response.headers_mut().insert(header::CONTENT_TYPE, text);
    }
    response
}
