//! The calls of each scene in order, from the shop's order to its webhook. The diagrams of the documents are drawn from
//! the golden that this test compares with; `BLESS=1` writes it, and `cargo xtask docs` draws.

use std::path::Path;

use checkout::{Destination, Intent};
use payment_tests::buyer_browser::BuyerBrowser;
use payment_tests::in_process::MERCHANT;
use url::Url;

use crate::calls::Party;
use crate::journey_page::JourneyPage;
use crate::page_with_an_order;
use crate::servers::Delivery;

const GOLDEN: &str = "journeys/goldens/sequences.tsv";

#[tokio::test]
async fn each_scene_has_the_calls_that_its_diagram_shows() {
    let mut lines = Vec::new();
    for (scene, page) in [
        ("desk", at_a_desk(Delivery::Delivered).await),
        ("wechat", inside_wechat().await),
        ("phone", in_a_phones_browser().await),
        ("lost-notification", at_a_desk(Delivery::Lost).await),
    ] {
        assert_eq!(page.times_paid(), 1, "{scene}");
        let calls = page.servers.calls.lines();
        lines.extend(calls.iter().map(|line| format!("{scene}\t{line}\n")));
    }
    let found = lines.concat();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &found).unwrap();
    }
    let known = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(found, known, "{GOLDEN}: BLESS=1 writes it");
}

/// A code on the screen, a phone in the hand.
async fn at_a_desk(delivery: Delivery) -> JourneyPage {
    let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
    page.servers.set_delivery(delivery);
    page.until("qr").await;
    acts(&page, "pays");
    let code_url = page.code_url();
    let servers = page.servers.clone();
    servers
        .in_the_cashier("code_url", &code_url, "success")
        .await;
    match delivery {
        Delivery::Delivered => servers.run_due().await,
        // The server queries by itself.
        Delivery::Lost => page.pass_ms(120_000).await,
    }
    page.until("paid").await;
    page
}

/// The redirect for the openid, then the cashier over the page.
async fn inside_wechat() -> JourneyPage {
    let mut page = page_with_an_order(BuyerBrowser::Wechat).await;
    acts(&page, "presses");
    page.click(Intent::Start).await;
    let Destination::Authorize(address) = page.left_for() else {
        panic!("{:?}", page.left_for())
    };
    let back_at = page.servers.follow_to_the_shop(address.as_str()).await;
    let mut page = page.comes_back_at(&back_at).await;
    let servers = page.servers.clone();
    servers
        .calls
        .act(Party::Page, Party::Wechat, "getBrandWCPayRequest");
    acts(&page, "pays");
    let prepay_id = page.prepay_id();
    servers
        .in_the_cashier("prepay_id", &prepay_id, "success")
        .await;
    servers.run_due().await;
    let says = "get_brand_wcpay_request:ok";
    servers.calls.act(Party::Wechat, Party::Page, says);
    page.cashier_closes(says).await;
    page.until("paid").await;
    page
}

/// To WeChat and back.
async fn in_a_phones_browser() -> JourneyPage {
    let mut page = page_with_an_order(BuyerBrowser::Phone).await;
    acts(&page, "presses");
    page.click(Intent::Start).await;
    let Destination::H5(h5_url) = page.left_for() else {
        panic!("{:?}", page.left_for())
    };
    let servers = page.servers.clone();
    servers.calls.act(Party::Page, Party::Wechat, "h5_url");
    acts(&page, "pays");
    servers
        .in_the_cashier("h5_url", h5_url.as_str(), "success")
        .await;
    servers.run_due().await;
    servers
        .calls
        .act(Party::Wechat, Party::Page, "redirect_url");
    let h5_url = Url::parse(h5_url.as_str()).unwrap();
    let mut pairs = h5_url.query_pairs();
    let (_, back_at) = pairs.find(|(name, _)| name == "redirect_url").unwrap();
    assert!(!back_at.starts_with(MERCHANT), "{back_at}");
    let mut page = page.comes_back_at(&back_at).await;
    page.until("paid").await;
    page
}

/// The buyer pays at WeChat, or uses the page.
fn acts(page: &JourneyPage, what: &str) {
    let to = if what == "pays" {
        Party::Wechat
    } else {
        Party::Page
    };
    page.servers.calls.act(Party::Buyer, to, what);
}
