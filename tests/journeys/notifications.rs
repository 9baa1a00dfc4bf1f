//! Notifications: WeChat's own, forged and replayed ones, and those that never arrive.

use http::StatusCode;
use payment_tests::buyer_browser::BuyerBrowser;

use crate::journey_page::JourneyPage;
use crate::page_with_an_order;
use crate::servers::{Delivery, Notification};

type Change = fn(&mut Notification);

#[tokio::test]
async fn the_servers_own_query_replaces_a_lost_notification() {
    let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
    page.until("qr").await;
    page.servers.set_delivery(Delivery::Lost);
    pay(&page).await;
    page.pass_ms(10_000).await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
    assert!(
        !page.servers.notifications().is_empty(),
        "it was sent, and lost"
    );
}

#[tokio::test]
async fn a_changed_or_replayed_notification_is_refused_and_the_original_still_counts() {
    let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
    page.until("qr").await;
    page.servers.set_delivery(Delivery::Lost);
    pay(&page).await;
    page.servers.simulator.run_due().await;
    let notification = page.servers.notifications().remove(0);
    let changes: [(&str, Change); 5] = [
        ("another body", |notification| notification.body[10] ^= 1),
        ("no body", |notification| notification.body.clear()),
        ("another moment", |notification| {
            notification
                .headers
                .insert("wechatpay-timestamp", "1".parse().unwrap());
        }),
        ("no signature", |notification| {
            notification.headers.remove("wechatpay-signature");
        }),
        ("another key", |notification| {
            notification
                .headers
                .insert("wechatpay-serial", "PUB_KEY_ID_0".parse().unwrap());
        }),
    ];
    for (what, change) in changes {
        let mut forged = notification.clone();
        change(&mut forged);
        let status = page.servers.send_notification(&forged).await;
        assert!(status.is_client_error(), "{what}: {status}");
        assert_eq!(page.screen().name(), "qr", "{what}");
    }
    for _ in 0..3 {
        assert_eq!(
            page.servers.send_notification(&notification).await,
            StatusCode::NO_CONTENT
        );
    }
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1, "repeated ones change nothing");
}

#[tokio::test]
async fn a_notification_replayed_after_six_minutes_is_refused() {
    let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
    page.until("qr").await;
    page.servers.set_delivery(Delivery::Lost);
    pay(&page).await;
    page.servers.simulator.run_due().await;
    let notification = page.servers.notifications().remove(0);
    page.servers.clock_passes_ms(6 * 60_000);
    assert!(
        page.servers
            .send_notification(&notification)
            .await
            .is_client_error()
    );
}

#[tokio::test]
async fn an_unacknowledged_notification_is_sent_again() {
    let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
    page.until("qr").await;
    page.servers.set_delivery(Delivery::Lost);
    pay(&page).await;
    page.servers.simulator.run_due().await;
    page.servers.set_delivery(Delivery::Delivered);
    page.pass_ms(16_000).await;
    page.until("paid").await;
    assert_eq!(page.servers.notifications().len(), 2);
    page.pass_ms(600_000).await;
    assert_eq!(
        page.servers.notifications().len(),
        2,
        "acknowledged is acknowledged"
    );
    assert_eq!(page.times_paid(), 1);
}

#[tokio::test]
async fn a_payment_with_an_unknown_number_is_acknowledged_and_fulfils_no_order() {
    let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
    page.until("qr").await;
    let foreign = page.servers.order_past_the_server("FOREIGN-1", 6_910).await;
    let state = page.servers.in_the_cashier("code_url", &foreign, "success");
    assert_eq!(state.await, "SUCCESS");
    page.pass_ms(60_000).await;
    assert_eq!(
        page.servers.notifications().len(),
        1,
        "acknowledged: not sent again"
    );
    assert_eq!(page.screen().name(), "qr");
    pay(&page).await;
    page.servers.run_due().await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
}

async fn pay(page: &JourneyPage) {
    let code_url = page.code_url();
    let state = page
        .servers
        .in_the_cashier("code_url", &code_url, "success");
    assert_eq!(state.await, "SUCCESS");
}
