//! At a desk: a code on the screen, a phone in the hand.

use checkout::{Intent, Screen};
use payment_tests::buyer_browser::BuyerBrowser;

use crate::journey_page::JourneyPage;
use crate::servers::Delivery;
use crate::{ORDER_NO, page_with, page_with_an_order};

const LINK_LIFE_MS: u64 = 2 * 3_600_000;

#[tokio::test]
async fn a_code_is_scanned_and_paid_and_the_page_knows_at_once() {
    let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
    page.until("qr").await;
    assert_eq!(scan(&page, "success").await, "SUCCESS");
    page.servers.run_due().await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
    assert!(page.problems().is_empty(), "{:?}", page.problems());
    assert_eq!(
        page.servers.trade_state(ORDER_NO).as_deref(),
        Some("SUCCESS")
    );
}

#[tokio::test]
async fn a_buyer_who_cancels_or_fails_on_the_phone_can_pay_with_the_same_code() {
    for first in ["cancel", "fail"] {
        let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
        page.until("qr").await;
        let code_url = page.code_url();
        assert_eq!(scan(&page, first).await, "NOTPAY");
        page.pass_ms(60_000).await;
        assert_eq!(
            page.code_url(),
            code_url,
            "{first} changes nothing on the page"
        );
        assert!(page.problems().is_empty(), "{:?}", page.problems());
        assert_eq!(scan(&page, "success").await, "SUCCESS");
        page.servers.run_due().await;
        page.until("paid").await;
        assert_eq!(page.times_paid(), 1);
    }
}

#[tokio::test]
async fn an_expired_code_is_replaced_in_place_and_the_new_one_is_paid() {
    let mut page = page_with(BuyerBrowser::Desktop, 3 * LINK_LIFE_MS).await;
    page.until("qr").await;
    let old = page.code_url();
    page.pass_ms(LINK_LIFE_MS + 5_000).await;
    assert_eq!(page.screen().name(), "qr-expired");
    page.click(Intent::Refresh).await;
    page.until("qr").await;
    assert_ne!(page.code_url(), old);
    assert_eq!(
        page.servers.trade_state(ORDER_NO).as_deref(),
        Some("NOTPAY"),
        "the same number continues: only its link was stale"
    );
    assert_eq!(scan(&page, "success").await, "SUCCESS");
    page.servers.run_due().await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
}

#[tokio::test]
async fn an_expired_order_is_queried_once_more_and_then_closed_at_wechat() {
    let mut page = page_with(BuyerBrowser::Desktop, 10 * 60_000).await;
    page.until("qr").await;
    page.pass_ms(10 * 60_000 - 1_000).await;
    let Screen::QrCode { remaining_ms, .. } = page.screen() else {
        panic!("{:?}", page.screen())
    };
    assert_eq!(remaining_ms, Some(1_000));
    page.pass_ms(6_000).await;
    page.until("closed").await;
    assert_eq!(
        page.servers.trade_state(ORDER_NO).as_deref(),
        Some("CLOSED")
    );
    assert_eq!(page.times_paid(), 0);
}

#[tokio::test]
async fn an_order_that_expires_in_its_first_minutes_is_expired_on_the_page_and_closed_later() {
    let mut page = page_with(BuyerBrowser::Desktop, 2 * 60_000).await;
    page.until("qr").await;
    page.pass_ms(2 * 60_000 + 6_000).await;
    page.until("expired").await;
    assert_ne!(
        page.servers.trade_state(ORDER_NO).as_deref(),
        Some("CLOSED")
    );
    page.pass_ms(5 * 60_000).await;
    assert_eq!(
        page.servers.trade_state(ORDER_NO).as_deref(),
        Some("CLOSED")
    );
    assert_eq!(page.times_paid(), 0);
}

#[tokio::test]
async fn a_payment_in_the_last_second_without_a_notification_is_found_by_the_last_query() {
    let mut page = page_with(BuyerBrowser::Desktop, 10 * 60_000).await;
    page.until("qr").await;
    page.pass_ms(10 * 60_000 - 500).await;
    page.servers.set_delivery(Delivery::Lost);
    assert_eq!(scan(&page, "success").await, "SUCCESS");
    page.pass_ms(6_000).await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
}

#[tokio::test]
async fn a_page_that_slept_past_the_deadline_shows_a_late_payment_when_it_wakes() {
    let mut page = page_with(BuyerBrowser::Desktop, 10 * 60_000).await;
    page.until("qr").await;
    let code_url = page.code_url();
    page.hide().await;
    page.pass_ms(9 * 60_000).await;
    page.servers.set_delivery(Delivery::Lost);
    let paid = page
        .servers
        .in_the_cashier("code_url", &code_url, "success");
    assert_eq!(paid.await, "SUCCESS");
    page.pass_ms(5 * 60_000).await;
    page.show().await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
}

#[tokio::test]
async fn two_pages_of_one_order_show_the_same_code_and_both_show_the_payment() {
    let mut first = page_with_an_order(BuyerBrowser::Desktop).await;
    first.until("qr").await;
    let mut second = first.opened_again().await;
    second.until("qr").await;
    assert_eq!(first.code_url(), second.code_url());
    assert_eq!(scan(&first, "success").await, "SUCCESS");
    first.servers.run_due().await;
    for page in [&mut first, &mut second] {
        page.until("paid").await;
        assert_eq!(page.times_paid(), 1);
    }
}

/// The buyer's phone scans the code that the page shows.
async fn scan(page: &JourneyPage, outcome: &str) -> String {
    let code_url = page.code_url();
    page.servers
        .in_the_cashier("code_url", &code_url, outcome)
        .await
}
