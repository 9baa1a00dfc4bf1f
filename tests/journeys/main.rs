//! Journeys: a payment from the shop's order to *paid* on the page, with the real machine, the
//! real merchant server and the simulator in one process. One clock that the journey moves, no
//! socket, no sleeping; every signature is made and checked on the way, in both directions.

#![expect(
    clippy::unwrap_used,
    reason = "all of it is test code: a panic is the report"
)]

mod calls;
mod clock;
mod combined;
mod h5;
mod journey_page;
mod jsapi;
mod native;
mod notifications;
mod product_codes;
mod sequences;
mod servers;

use std::sync::Arc;

use journey_page::JourneyPage;
use payment_tests::buyer_browser::BuyerBrowser;
use serde_json::json;
use servers::JourneyServers;

const TOTAL_FEN: u64 = 6_910;

/// Servers with one order, and a page that shows it.
async fn page_with_an_order(browser: BuyerBrowser) -> JourneyPage {
    page_with(browser, 30 * 60_000).await
}

/// The same with an order that expires after this time.
async fn page_with(browser: BuyerBrowser, expires_in_ms: u64) -> JourneyPage {
    let servers = Arc::new(JourneyServers::new().await);
    let token = servers
        .order(json!({
            "order_no": ORDER_NO,
            "total_fen": TOTAL_FEN,
            "description": "云南小粒咖啡",
            "expires_in_ms": expires_in_ms,
        }))
        .await;
    JourneyPage::open(&servers, browser, &token).await
}

const ORDER_NO: &str = "JOURNEY-1";
