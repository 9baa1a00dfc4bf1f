//! In a phone's own browser: to WeChat and back.

use checkout::{Destination, Intent, Notice, Screen};
use merchant_api::{Product, RETURN_PARAMETER};
use payment_tests::buyer_browser::BuyerBrowser;
use payment_tests::in_process::SHOP;
use url::Url;

use crate::journey_page::JourneyPage;
use crate::servers::Delivery;
use crate::{ORDER_NO, page_with_an_order};

#[tokio::test]
async fn a_buyer_goes_to_wechat_pays_and_returns_to_a_page_that_shows_it() {
    let mut page = page_with_an_order(BuyerBrowser::Phone).await;
    let h5_url = leave_for_wechat(&mut page).await;
    assert_eq!(in_wechat(&page, &h5_url, "success").await, "SUCCESS");
    page.servers.run_due().await;
    let mut back = page.comes_back_at(&return_address(&h5_url)).await;
    back.until("paid").await;
    assert_eq!(back.times_paid(), 1);
    assert_eq!(
        back.servers.trade_state(ORDER_NO).as_deref(),
        Some("SUCCESS")
    );
}

#[tokio::test]
async fn a_buyer_who_returns_before_the_notification_sees_no_result_unasked() {
    let mut page = page_with_an_order(BuyerBrowser::Phone).await;
    let h5_url = leave_for_wechat(&mut page).await;
    page.servers.set_delivery(Delivery::Lost);
    assert_eq!(in_wechat(&page, &h5_url, "success").await, "SUCCESS");
    let mut back = page.comes_back_at(&return_address(&h5_url)).await;
    assert_eq!(returned(&back), (None, false));
    back.click(Intent::CheckPayment).await;
    back.until("paid").await;
    assert_eq!(back.times_paid(), 1);
}

#[tokio::test]
async fn a_buyer_who_comes_back_unpaid_is_asked_and_can_go_again() {
    let mut page = page_with_an_order(BuyerBrowser::Phone).await;
    let h5_url = leave_for_wechat(&mut page).await;
    assert_eq!(in_wechat(&page, &h5_url, "cancel").await, "NOTPAY");
    let mut back = page.comes_back_at(&return_address(&h5_url)).await;
    back.pass_ms(10_000).await;
    assert_eq!(
        returned(&back),
        (None, false),
        "not paid is never said unasked"
    );
    back.click(Intent::CheckPayment).await;
    back.pass_ms(2_500).await;
    assert_eq!(returned(&back), (Some(Notice::NotPaidYet), false));
    back.click(Intent::ReportTrouble).await;
    let again = leave_for_wechat(&mut back).await;
    assert_eq!(in_wechat(&back, &again, "success").await, "SUCCESS");
    back.servers.run_due().await;
    let mut home = back.comes_back_at(&return_address(&again)).await;
    home.until("paid").await;
    assert_eq!(home.times_paid(), 1);
}

#[tokio::test]
async fn a_page_that_stayed_open_shows_the_payment_after_the_return() {
    let mut page = page_with_an_order(BuyerBrowser::Phone).await;
    let h5_url = leave_for_wechat(&mut page).await;
    assert_eq!(in_wechat(&page, &h5_url, "success").await, "SUCCESS");
    page.servers.run_due().await;
    page.show().await;
    // A page that becomes visible polls at once, but no more than once a second.
    page.pass_ms(1_000).await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
}

#[tokio::test]
async fn a_return_by_the_back_button_is_recognised_by_the_mark_in_the_browser() {
    let mut page = page_with_an_order(BuyerBrowser::Phone).await;
    leave_for_wechat(&mut page).await;
    let back = page.comes_back_at(&format!("{SHOP}/pay")).await;
    assert_eq!(returned(&back), (None, false));
    let elsewhere = page.opened_again().await;
    assert_eq!(
        elsewhere.screen().name(),
        "offer",
        "no mark in another browser"
    );
}

/// The buyer presses the button, and the page leaves for WeChat's middle page.
async fn leave_for_wechat(page: &mut JourneyPage) -> Url {
    let Screen::Offer { product, .. } = page.screen() else {
        panic!("nothing leaves without a gesture: {:?}", page.screen())
    };
    assert_eq!(product, Product::H5);
    page.click(Intent::Start).await;
    let Destination::H5(h5_url) = page.left_for() else {
        panic!("{:?}", page.left_for())
    };
    Url::parse(h5_url.as_str()).unwrap()
}

async fn in_wechat(page: &JourneyPage, h5_url: &Url, outcome: &str) -> String {
    page.servers
        .in_the_cashier("h5_url", h5_url.as_str(), outcome)
        .await
}

/// The address to which WeChat sends the buyer back; the merchant server put it there, with a
/// handle.
fn return_address(h5_url: &Url) -> String {
    let mut pairs = h5_url.query_pairs();
    let address = pairs.find(|(name, _)| name == "redirect_url").unwrap().1;
    assert!(address.contains(RETURN_PARAMETER), "{address}");
    address.into_owned()
}

fn returned(page: &JourneyPage) -> (Option<Notice>, bool) {
    match page.screen() {
        Screen::Returned { notice, is_asking } => (notice, is_asking),
        other => panic!("{other:?}"),
    }
}
