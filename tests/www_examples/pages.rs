//! Each page takes a payment in Chromium: the page orders at the shop, the element shows the code, a phone scans it, and
//! page and shop know that it is paid.

use std::process::Command;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use payment_tests::browser::{Browser, Visitor, visit};
use payment_tests::example_program::ExampleProgram;
use payment_tests::merchant_config::API_KEY;
use payment_tests::port::Port;
use payment_tests::scanner::scan;
use payment_tests::servers::{PAYMENT_SERVICE_KEY, Servers, WEBHOOK_SECRET};
use serde_json::json;
use tower_http::services::ServeDir;

use crate::backend::{Backend, Shop, examples, shop_program};

const THANKS: &str = "已支付，谢谢！";

#[tokio::test]
async fn the_plain_page_of_a_backend_takes_a_payment() {
    let (servers, shop) = Backend::Node.open().await;
    visit(Visitor::Desktop, async |desk| {
        desk.open(shop.address()).await;
        pay(&servers, &shop, desk).await;
    })
    .await;
}

#[tokio::test]
async fn the_page_with_react_takes_a_payment() {
    the_built_page_takes_a_payment("react").await;
}

#[tokio::test]
async fn the_page_with_vue_takes_a_payment() {
    the_built_page_takes_a_payment("vue").await;
}

#[tokio::test]
async fn the_page_with_svelte_takes_a_payment() {
    the_built_page_takes_a_payment("svelte").await;
}

#[tokio::test]
async fn the_shop_with_next_renders_its_page_and_takes_a_payment() {
    let port = Port::take().await;
    let servers = Servers::start_for_shop(shop_program(&port, &port)).await;
    let next = ExampleProgram::start(port, |port, _| {
        let mut next = program_of("next", "next");
        next.args(["start", "--hostname=127.0.0.1", &format!("--port={port}")])
            .env("NEXT_TELEMETRY_DISABLED", "1")
            .env("KEY", API_KEY)
            .env("WEBHOOK_SECRET", WEBHOOK_SECRET)
            .env("MERCHANT_SERVER", &servers.merchant);
        next
    });
    let shop = Shop::at(next.await);
    let page = shop.page().await;
    assert!(page.contains("<h1>云南小粒咖啡 ¥69.10</h1>"), "{page}");
    let forged = [("webhook-signature", "v1,AAAA")];
    assert_eq!(shop.post_webhook(&forged, "{}").await, 401);
    visit(Visitor::Desktop, async |desk| {
        desk.open(shop.address()).await;
        pay(&servers, &shop, desk).await;
    })
    .await;
}

#[tokio::test]
async fn the_page_with_leptos_takes_a_payment() {
    const SHOWN: &str =
        "document.querySelector('#payment > div')?.shadowRoot?.querySelector('[part~=base]')";
    let folder = examples().join("leptos");
    let port = Port::take().await;
    let servers = Servers::start_for_shop(shop_program(&port, &port)).await;
    let order = json!({ "order_no": "LEPTOS-1", "total_fen": 6910, "description": "云南小粒咖啡" });
    let token = servers.order(order).await;
    let page = std::fs::read_to_string(folder.join("index.html")).unwrap();
    let page = page
        .replace("TOKEN", &token)
        .replace("https://pay.shop.example", &servers.merchant);
    let page = Router::new().route("/", get(async || Html(page)));
    port.serve(page.fallback_service(ServeDir::new(folder)));
    visit(Visitor::Desktop, async |desk| {
        desk.open(&port.origin).await;
        desk.until(&format!("{SHOWN}?.dataset.state === 'qr'"))
            .await;
        let codes = scan(&desk.screenshot().await);
        assert_eq!(codes.len(), 1, "{codes:?}");
        servers.wechat.pay(&json!(codes[0])).await;
        desk.until(&format!("{SHOWN}.dataset.state === 'paid'"))
            .await;
        desk.until(&format!("document.body.innerText.includes('{THANKS}')"))
            .await;
        assert_eq!(servers.checkout(&token).await["state"], "paid");
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn the_shop_with_endpoints_of_its_own_takes_a_payment_through_the_pages_transport() {
    let port = Port::take().await;
    let notify_url = format!("{}/wxpay/notify", port.origin);
    let servers = Servers::start_as_payment_service(&notify_url).await;
    let shop = ExampleProgram::start(port, |port, _| {
        let mut node = Command::new("node");
        node.arg("shop.js")
            .current_dir(examples().join("transport"))
            .env("PORT", port.to_string())
            .env("KEY", PAYMENT_SERVICE_KEY)
            .env("PAYMENT_SERVICE", &servers.merchant);
        node
    })
    .await;
    visit(Visitor::Desktop, async |desk| {
        desk.open(shop.address()).await;
        pay_by_phone(&servers, desk).await;
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}

/// The page as Vite builds and serves it, in front of the backend on Node.
async fn the_built_page_takes_a_payment(name: &str) {
    let (page, backend) = (Port::take().await, Port::take().await);
    let servers = Servers::start_for_shop(shop_program(&backend, &page)).await;
    let shop = Backend::Node.start(backend, &servers.merchant).await;
    let page = ExampleProgram::start(page, |port, _| {
        let mut vite = program_of(name, "vite");
        vite.args(["preview", "--host=127.0.0.1", "--strictPort"])
            .arg(format!("--port={port}"))
            .env("SHOP", shop.address());
        vite
    })
    .await;
    visit(Visitor::Desktop, async |desk| {
        desk.open(page.address()).await;
        desk.click("button").await;
        pay(&servers, &shop, desk).await;
    })
    .await;
}

/// The buyer pays the order of the page; page and shop then know it.
async fn pay(servers: &Servers, shop: &Shop, desk: &Browser) {
    pay_by_phone(servers, desk).await;
    desk.until(&format!("document.body.innerText.includes('{THANKS}')"))
        .await;
    let token = "return document.querySelector('wechat-pay').token";
    let token = desk.look(token, vec![]).await;
    let checkout = servers.checkout(token.as_str().unwrap()).await;
    let order_no = checkout["order_no"].as_str().unwrap();
    shop.until_paid(order_no).await;
    assert_eq!(desk.complaints().await, [""; 0]);
}

/// The buyer's phone pays the code on the page, and the element shows it.
async fn pay_by_phone(servers: &Servers, desk: &Browser) {
    desk.until_element_is(&["qr"]).await;
    let codes = scan(&desk.screenshot().await);
    assert_eq!(codes.len(), 1, "{codes:?}");
    servers.wechat.pay(&json!(codes[0])).await;
    desk.until_element_is(&["paid"]).await;
    assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
}

/// A program of an example's own packages, in the example's folder.
fn program_of(example: &str, program: &str) -> Command {
    let folder = examples().join(example);
    let mut command = Command::new(folder.join("node_modules/.bin").join(program));
    command.current_dir(folder);
    command
}
