//! A combined order (合单支付) in each scene: for the buyer it is one payment, and WeChat has one for each
//! sub-order.

use std::sync::Arc;

use checkout::{Destination, Intent};
use payment_tests::buyer_browser::BuyerBrowser;
use serde_json::json;
use url::Url;

use crate::journey_page::JourneyPage;
use crate::servers::{Delivery, JourneyServers};
use crate::{ORDER_NO, TOTAL_FEN};

/// A page with an order of two sub-orders.
async fn page_with_a_combined_order(browser: BuyerBrowser) -> JourneyPage {
    let servers = Arc::new(JourneyServers::new().await);
    let token = servers
        .order(json!({
            "order_no": ORDER_NO, "total_fen": TOTAL_FEN, "description": "咖啡和牛奶",
            "sub_orders": [
                { "sub_order_no": "coffee", "amount_fen": 6_000, "description": "云南小粒咖啡" },
                { "sub_order_no": "milk", "amount_fen": 910, "description": "牛奶" },
            ],
        }))
        .await;
    JourneyPage::open(&servers, browser, &token).await
}

/// The page says *paid*, once, and WeChat has a payment of each sub-order.
#[track_caller]
fn assert_paid(page: &JourneyPage) {
    assert_eq!(page.times_paid(), 1);
    assert!(page.problems().is_empty(), "{:?}", page.problems());
    let view = page.servers.simulator.ledger_view(None);
    let paid: Vec<_> = view
        .orders
        .iter()
        .map(|order| {
            assert!(order.transaction_id.is_some(), "{order:?}");
            assert_eq!(order.combine_out_trade_no.as_deref(), Some(ORDER_NO));
            order.total.count()
        })
        .collect();
    assert_eq!(paid.iter().sum::<u64>(), TOTAL_FEN);
    assert_eq!(paid.len(), 2);
}

#[tokio::test]
async fn a_code_at_a_desk_pays_all_sub_orders() {
    for delivery in [Delivery::Delivered, Delivery::Lost] {
        let mut page = page_with_a_combined_order(BuyerBrowser::Desktop).await;
        page.servers.set_delivery(delivery);
        page.until("qr").await;
        let code_url = page.code_url();
        let paying = page
            .servers
            .in_the_cashier("code_url", &code_url, "success");
        assert_eq!(paying.await, "SUCCESS");
        match delivery {
            Delivery::Delivered => page.servers.run_due().await,
            // The server queries by itself.
            Delivery::Lost => page.pass_ms(120_000).await,
        }
        page.until("paid").await;
        assert_paid(&page);
    }
}

#[tokio::test]
async fn the_cashier_inside_wechat_pays_all_sub_orders() {
    let mut page = page_with_a_combined_order(BuyerBrowser::Wechat).await;
    page.click(Intent::Start).await;
    let Destination::Authorize(url) = page.left_for() else {
        panic!("{:?}", page.left_for())
    };
    let back_at = page.servers.follow_to_the_shop(url.as_str()).await;
    let mut back = page.comes_back_at(&back_at).await;
    let prepay_id = back.prepay_id();
    let paying = back
        .servers
        .in_the_cashier("prepay_id", &prepay_id, "success");
    assert_eq!(paying.await, "SUCCESS");
    back.servers.run_due().await;
    back.cashier_closes("get_brand_wcpay_request:ok").await;
    back.until("paid").await;
    assert_paid(&back);
}

#[tokio::test]
async fn a_phones_browser_goes_to_wechat_and_pays_all_sub_orders() {
    let mut page = page_with_a_combined_order(BuyerBrowser::Phone).await;
    page.click(Intent::Start).await;
    let Destination::H5(h5_url) = page.left_for() else {
        panic!("{:?}", page.left_for())
    };
    let h5_url = Url::parse(h5_url.as_str()).unwrap();
    let paying = page
        .servers
        .in_the_cashier("h5_url", h5_url.as_str(), "success");
    assert_eq!(paying.await, "SUCCESS");
    page.servers.run_due().await;
    let mut pairs = h5_url.query_pairs();
    let back_at = pairs.find(|(name, _)| name == "redirect_url").unwrap().1;
    let mut back = page.comes_back_at(&back_at).await;
    back.until("paid").await;
    assert_paid(&back);
}

#[tokio::test]
async fn an_expired_combined_order_is_closed_with_all_its_sub_orders() {
    let mut page = page_with_a_combined_order(BuyerBrowser::Desktop).await;
    page.until("qr").await;
    page.pass_ms(40 * 60_000).await;
    page.until("closed").await;
    let view = page.servers.simulator.ledger_view(None);
    let states: Vec<_> = view
        .orders
        .iter()
        .map(|it| it.trade_state.as_str())
        .collect();
    assert_eq!(states, ["CLOSED", "CLOSED"]);
    assert_eq!(page.times_paid(), 0);
}
