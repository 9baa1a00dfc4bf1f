//! A page that Vite has built with our package as npm publishes it: the element works, and the hint
//! of a problem opens. The page is built from `tests/browser/vite` before the tests run.

use std::path::PathBuf;

use axum::Router;
use payment_tests::browser::{Visitor, visit};
use payment_tests::servers::Servers;
use serde_json::json;
use tower_http::services::{ServeDir, ServeFile};

#[tokio::test]
async fn after_a_build_by_vite_the_element_pays_and_the_hint_of_a_problem_opens() {
    let built = PathBuf::from(std::env::var("VITE_PAGE").unwrap_or_default());
    let pages = Router::new()
        .route_service("/built", ServeFile::new(built.join("index.html")))
        .nest_service("/assets", ServeDir::new(built.join("assets")));
    let servers = Servers::start_with_stage(pages).await;
    let order = json!({"total_fen": 6_910, "description": "云南小粒咖啡"});
    let token = servers.order(order).await;
    visit(Visitor::Desktop, async |browser| {
        let (stage, merchant) = (&servers.stage, &servers.merchant);
        let page = format!("{stage}/built?token={token}&merchant-api={merchant}/v1&theme=drak");
        browser.open(&page).await;
        let shown = "document.getElementById('pay')?.shadowRoot?.querySelector('[part~=base]')?.dataset.state";
        browser.until(&format!("{shown} === 'qr'")).await;
        let problem = browser.until("window.problems?.[0]").await;
        assert_eq!(problem["code"], "THEME_INVALID");
        assert_eq!(problem["explained"]["cause"], "theme is none of auto, light, dark");
        assert_eq!(browser.complaints().await, [""; 0]);
        let hint = problem["hint"].as_str().unwrap_or_default();
        assert!(hint.starts_with(&format!("{stage}/assets/problems-")), "{hint}");
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
