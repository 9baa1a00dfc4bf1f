//! Pages that Vite and webpack have built with our package as npm publishes it: the element works,
//! also without WebAssembly, and the hint of a problem opens. The pages are built from
//! `tests/browser/vite` before the tests run. Vite's dev server runs for one test.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use axum::Router;
use payment_tests::browser::{Visitor, visit_in};
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;
use serde_json::json;
use tokio::net::TcpListener;
use tower_http::services::{ServeDir, ServeFile};

in_browsers! {
    after_a_build_by_vite_the_element_pays_and_the_hint_of_a_problem_opens: chromium firefox webkit;
    after_a_build_by_webpack_the_element_pays_and_the_hint_of_a_problem_opens: chromium firefox webkit;
    after_a_build_by_vite_or_webpack_the_element_also_pays_without_webassembly: chromium firefox webkit;
    in_vites_dev_server_the_element_runs: chromium firefox webkit;
}

async fn after_a_build_by_vite_the_element_pays_and_the_hint_of_a_problem_opens(engine: Engine) {
    pays_and_explains(engine, "VITE_PAGE").await;
}

async fn after_a_build_by_webpack_the_element_pays_and_the_hint_of_a_problem_opens(engine: Engine) {
    pays_and_explains(engine, "WEBPACK_PAGE").await;
}

async fn after_a_build_by_vite_or_webpack_the_element_also_pays_without_webassembly(
    engine: Engine,
) {
    for page in ["VITE_PAGE", "WEBPACK_PAGE"] {
        let servers = serve(page).await;
        let token = order(&servers).await;
        visit_in(engine, Visitor::Desktop, async |browser| {
            let (pages, merchant) = (&servers.stage, &servers.merchant);
            let without = "?before=delete+window.WebAssembly";
            let page = format!("{pages}/built{without}&token={token}&merchant-api={merchant}/v1");
            browser.open(&page).await;
            browser.until(&format!("{SHOWN} === 'qr'")).await;
            let missing = browser
                .look("return typeof window.WebAssembly", vec![])
                .await;
            assert_eq!(missing, json!("undefined"));
            assert_eq!(browser.complaints().await, [""; 0]);
        })
        .await;
    }
}

/// The dev server's origin is not one of the merchant server's, and the widget reports that: it has
/// loaded, and its request has arrived.
async fn in_vites_dev_server_the_element_runs(engine: Engine) {
    let servers = Servers::start().await;
    let token = order(&servers).await;
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let _server = DevServer::start(port);
    visit_in(engine, Visitor::Desktop, async |browser| {
        let merchant = &servers.merchant;
        let page = format!("http://127.0.0.1:{port}/?token={token}&merchant-api={merchant}/v1");
        payment_tests::wait::until("Vite listens", async || {
            let address = ("127.0.0.1", port);
            let connected = tokio::net::TcpStream::connect(address).await;
            connected.map(drop).map_err(|error| error.to_string())
        })
        .await;
        browser.open(&page).await;
        let problem = browser.until("window.problems?.[0]").await;
        assert_eq!(problem["code"], "ORIGIN_NOT_ALLOWED", "{problem}");
        browser.until(&format!("{SHOWN} === 'problem'")).await;
    })
    .await;
}

const SHOWN: &str =
    "document.getElementById('pay')?.shadowRoot?.querySelector('[part~=base]')?.dataset.state";

/// Vite's dev server, which ends with the test.
struct DevServer(Child);

impl DevServer {
    fn start(port: u16) -> Self {
        let variable = |name| std::env::var(name).unwrap_or_default();
        let server = Command::new(variable("VITE"))
            .args(["--host=127.0.0.1", "--strictPort", "--logLevel=warn"])
            .arg(format!("--port={port}"))
            .current_dir(variable("VITE_SOURCE"))
            .stdin(Stdio::null())
            .spawn();
        Self(server.expect("Vite starts"))
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The servers, with the page that a bundler built.
async fn serve(page: &str) -> Servers {
    let built = PathBuf::from(std::env::var(page).unwrap_or_default());
    let pages = Router::new()
        .route_service("/built", ServeFile::new(built.join("index.html")))
        .route_service("/main.js", ServeFile::new(built.join("main.js")))
        .nest_service("/assets", ServeDir::new(built.join("assets")));
    Servers::start_with_stage(pages).await
}

async fn order(servers: &Servers) -> String {
    let order = json!({"total_fen": 6_910, "description": "云南小粒咖啡"});
    servers.order(order).await
}

async fn pays_and_explains(engine: Engine, page: &str) {
    let servers = serve(page).await;
    let token = order(&servers).await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let (stage, merchant) = (&servers.stage, &servers.merchant);
        let page = format!("{stage}/built?token={token}&merchant-api={merchant}/v1&theme=drak");
        browser.open(&page).await;
        browser.until(&format!("{SHOWN} === 'qr'")).await;
        let problem = browser.until("window.problems?.[0]").await;
        assert_eq!(problem["code"], "THEME_INVALID");
        assert_eq!(
            problem["explained"]["cause"],
            "theme is none of auto, light, dark"
        );
        assert_eq!(browser.complaints().await, [""; 0]);
        let hint = problem["hint"].as_str().unwrap_or_default();
        assert!(
            hint.starts_with(&format!("{stage}/assets/problems-")),
            "{hint}"
        );
        browser.open(hint).await;
        // The row exists and is in view, without a script.
        let row = browser
            .until("document.querySelector('tr:target')?.innerText")
            .await;
        let row = row.as_str().unwrap_or_default();
        assert!(row.contains("theme is none of auto, light, dark"), "{row}");
        let scripts = browser.look("return document.scripts.length", vec![]).await;
        assert_eq!(scripts, json!(0));
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}
