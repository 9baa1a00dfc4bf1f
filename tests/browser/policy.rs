//! The strictest page that a shop can serve: nothing by default, scripts by nonce alone, no style,
//! and no text that the browser would take for HTML.

use axum::Router;
use axum::extract::Query;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use payment_tests::browser::{Visitor, visit};
use payment_tests::servers::{Servers, bundle_dir};
use serde_json::json;
use std::collections::HashMap;
use tower_http::services::ServeDir;

#[tokio::test]
async fn the_element_pays_under_a_policy_of_nonces_and_trusted_types() {
    let pages = Router::new()
        .route("/strict/page", get(strict_page))
        .nest_service("/strict", ServeDir::new(bundle_dir()));
    let servers = Servers::start_with_stage(pages).await;
    let order = json!({"total_fen": 6_910, "description": "<img src=x onerror=alert(1)>"});
    let token = servers.order(order).await;
    visit(Visitor::Desktop, async |desk| {
        let (stage, merchant) = (&servers.stage, &servers.merchant);
        desk.open(&format!("{stage}/strict/page?merchant={merchant}&token={token}"))
            .await;
        desk.until_element_is(&["qr"]).await;
        let text = desk.element_text().await;
        assert!(text.contains("<img src=x onerror=alert(1)>"), "{text}");
        // The style sheet is there, though the policy allows none.
        let width = "return getComputedStyle(document.querySelector('wechat-pay').shadowRoot.querySelector('[part~=base]')).maxWidth";
        assert_eq!(desk.look(width, vec![]).await, json!("420px"));
        let checkout = servers.checkout(&token).await;
        servers.wechat.pay(&checkout["code_url"]).await;
        desk.until_element_is(&["paid"]).await;
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}

async fn strict_page(Query(query): Query<HashMap<String, String>>) -> impl IntoResponse {
    let (merchant, token) = (&query["merchant"], &query["token"]);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-r4nd0m' 'wasm-unsafe-eval'; \
         connect-src 'self' {merchant}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    );
    let page = format!(
        "<!doctype html><html lang=zh-CN><meta charset=utf-8><title>strict</title>\
         <wechat-pay token='{token}' merchant-api='{merchant}/v1'></wechat-pay>\
         <script type=module nonce=r4nd0m src=wechat-pay.js></script>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, page)
}
