//! Pages that React renders on a server and takes over in the browser (hydration), with React 18
//! and 19: `messages` and `transport` are objects, which HTML cannot hold. The pages are built from
//! `tests/browser/hydration` before the tests run (`cargo xtask test --only browser`).

use std::collections::HashMap;
use std::path::PathBuf;

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::Html;
use axum::routing::get;
use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;
use serde_json::json;
use tower_http::services::ServeFile;

in_browsers! {
    without_the_component_react_sets_no_object_on_an_element_that_it_hydrates: chromium firefox webkit;
    the_component_pays_over_the_merchant_api_too: chromium firefox webkit;
    objects_and_handlers_arrive_on_a_page_that_react_hydrates: chromium firefox webkit;
}

const VERSIONS: [&str; 2] = ["18", "19"];
const STATE: &str = "document.getElementById('pay')?.shadowRoot?.querySelector('[part~=base]')";

async fn objects_and_handlers_arrive_on_a_page_that_react_hydrates(engine: Engine) {
    let servers = Servers::start_with_stage(pages()).await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for version in VERSIONS {
            // `paid` is emitted once for an order and tab, so each version has its own order.
            let token = format!("order-of-react-{version}");
            open(browser, &servers, version, "own", &token).await;
            let before = "return [document.getElementById('help')?.innerText, document.querySelector('wechat-pay')]";
            assert_eq!(browser.look(before, vec![]).await, json!(["help", null]), "as rendered");
            browser.look("hydrate()", vec![]).await;
            browser.until(&format!("{STATE}?.dataset.state === 'qr'")).await;
            browser.until(&format!("{STATE}.innerText.includes('扫我')")).await;
            // A new style, new messages and a new handler; the element and its payment stay.
            browser.look(&format!("window.base = {STATE}"), vec![]).await;
            browser.look("setLanguage('en'); setMessages({scan: 'Scan me'})", vec![]).await;
            browser.until("base.isConnected && base.lang === 'en' && base.innerText.includes('Scan me')").await;
            browser.look("payOwn()", vec![]).await;
            browser.until(&format!("{STATE}.dataset.state === 'paid'")).await;
            // No problem, and no difference between the server's page and the browser's.
            let heard = browser.look("return [heardByReact, referred]", vec![]).await;
            assert_eq!(heard, json!([["paid OWN-0001 en"], "wechat-pay"]), "React {version}");
            assert_eq!(browser.complaints().await, [""; 0]);
        }
    })
    .await;
}

async fn the_component_pays_over_the_merchant_api_too(engine: Engine) {
    let servers = Servers::start_with_stage(pages()).await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for version in VERSIONS {
            let order = json!({"total_fen": 6_910, "description": "云南小粒咖啡"});
            let token = servers.order(order).await;
            open(browser, &servers, version, "api", &token).await;
            browser.look("hydrate()", vec![]).await;
            browser
                .until(&format!("{STATE}?.dataset.state === 'qr'"))
                .await;
            browser
                .until(&format!("{STATE}.innerText.includes('扫我')"))
                .await;
            let checkout = servers.checkout(&token).await;
            servers.wechat.pay(&checkout["code_url"]).await;
            browser.until("heardByReact[0]").await;
            let heard = browser.look("return heardByReact", vec![]).await;
            let order_no = checkout["order_no"].as_str().unwrap_or_default();
            assert_eq!(
                heard,
                json!([format!("paid {order_no} zh-CN")]),
                "React {version}"
            );
        }
    })
    .await;
}

/// The reason for the component. Once React passes objects on, its pages need no component.
async fn without_the_component_react_sets_no_object_on_an_element_that_it_hydrates(engine: Engine) {
    let servers = Servers::start_with_stage(pages()).await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for version in VERSIONS {
            open(browser, &servers, version, "bare", "order-of-our-own").await;
            browser
                .until("pay.shadowRoot?.querySelector('[part=fallback]')")
                .await;
            browser.look("hydrate()", vec![]).await;
            browser
                .until("Object.keys(pay).some((name) => name.startsWith('__reactProps'))")
                .await;
            let objects = browser
                .look("return [pay.transport, pay.messages]", vec![])
                .await;
            assert_eq!(objects, json!([null, null]), "React {version}");
        }
    })
    .await;
}

/// Opens one of the pages with the element's class defined and React not yet started.
async fn open(browser: &Browser, servers: &Servers, version: &str, page: &str, token: &str) {
    let (stage, merchant) = (&servers.stage, &servers.merchant);
    let address = format!(
        "{stage}/hydration/react-{version}-{page}.html?token={token}&merchant_api={merchant}/v1"
    );
    browser.open(&address).await;
    browser
        .until("window.hydrate && !!customElements.get('wechat-pay')")
        .await;
    let read = browser.look("return reactVersion", vec![]).await;
    let read = read.as_str().unwrap_or_default();
    assert!(read.starts_with(version), "React {read}");
}

/// The pages, with the order's values instead of the rendered ones.
fn pages() -> Router {
    let folder = PathBuf::from(std::env::var("REACT_PAGES").unwrap_or_default());
    let script = |version| ServeFile::new(folder.join(format!("react-{version}.js")));
    Router::new()
        .route_service("/hydration/react-18.js", script("18"))
        .route_service("/hydration/react-19.js", script("19"))
        .route(
            "/hydration/{page}",
            get(
                async move |Path(page): Path<String>,
                            Query(order): Query<HashMap<String, String>>| {
                    let rendered = std::fs::read_to_string(folder.join(page))
                        .expect("REACT_PAGES is the folder with the pages that React has rendered");
                    let rendered = rendered
                        .replace("ORDER_TOKEN", &order["token"])
                        .replace("MERCHANT_API", &order["merchant_api"]);
                    Html(format!(
                        "<!doctype html><meta charset=utf-8><link rel=icon href=data:,>
                    <script type=module src=/dist/wechat-pay.js></script>{rendered}"
                    ))
                },
            ),
        )
}
