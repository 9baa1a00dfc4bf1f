//! What WeChat tells the merchant server, what others tell it in WeChat's name, and what happens
//! when nobody tells it anything.

use http::StatusCode;
use payment_tests::buyer_browser::BuyerBrowser;

use crate::page::Page;
use crate::page_with_an_order;
use crate::world::{Letter, Post};

type Change = fn(&mut Letter);

#[tokio::test]
async fn a_lost_notification_is_made_good_by_the_servers_own_question() {
    let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
    page.until("qr").await;
    page.world.set_post(Post::Lost);
    pay(&page).await;
    page.pass_ms(10_000).await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
    assert!(!page.world.letters().is_empty(), "it was sent, and lost");
}

#[tokio::test]
async fn a_notification_that_anybody_changed_or_kept_is_refused_and_the_true_one_still_counts() {
    let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
    page.until("qr").await;
    page.world.set_post(Post::Lost);
    pay(&page).await;
    page.world.simulator.run_due().await;
    let letter = page.world.letters().remove(0);
    let changes: [(&str, Change); 5] = [
        ("another body", |letter| letter.body[10] ^= 1),
        ("no body", |letter| letter.body.clear()),
        ("another moment", |letter| {
            letter
                .headers
                .insert("wechatpay-timestamp", "1".parse().unwrap());
        }),
        ("no signature", |letter| {
            letter.headers.remove("wechatpay-signature");
        }),
        ("another key", |letter| {
            letter
                .headers
                .insert("wechatpay-serial", "PUB_KEY_ID_0".parse().unwrap());
        }),
    ];
    for (what, change) in changes {
        let mut forged = letter.clone();
        change(&mut forged);
        let status = page.world.hand_in(&forged).await;
        assert!(status.is_client_error(), "{what}: {status}");
        assert_eq!(page.screen().name(), "qr", "{what}");
    }
    for _ in 0..3 {
        assert_eq!(page.world.hand_in(&letter).await, StatusCode::NO_CONTENT);
    }
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1, "repeated ones change nothing");
}

#[tokio::test]
async fn a_notification_that_somebody_kept_for_six_minutes_is_refused() {
    let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
    page.until("qr").await;
    page.world.set_post(Post::Lost);
    pay(&page).await;
    page.world.simulator.run_due().await;
    let letter = page.world.letters().remove(0);
    page.world.clock_passes_ms(6 * 60_000);
    assert!(page.world.hand_in(&letter).await.is_client_error());
}

#[tokio::test]
async fn what_was_not_acknowledged_is_sent_again_until_it_is() {
    let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
    page.until("qr").await;
    page.world.set_post(Post::Lost);
    pay(&page).await;
    page.world.simulator.run_due().await;
    page.world.set_post(Post::Delivered);
    page.pass_ms(16_000).await;
    page.until("paid").await;
    assert_eq!(page.world.letters().len(), 2);
    page.pass_ms(600_000).await;
    assert_eq!(
        page.world.letters().len(),
        2,
        "acknowledged is acknowledged"
    );
    assert_eq!(page.times_paid(), 1);
}

#[tokio::test]
async fn money_under_a_number_that_is_not_ours_is_acknowledged_and_ships_nothing() {
    let mut page = page_with_an_order(BuyerBrowser::Desktop).await;
    page.until("qr").await;
    let foreign = page.world.order_past_the_server("FOREIGN-1", 6_910).await;
    let state = page.world.in_the_cashier("code_url", &foreign, "success");
    assert_eq!(state.await, "SUCCESS");
    page.pass_ms(60_000).await;
    assert_eq!(
        page.world.letters().len(),
        1,
        "acknowledged: not sent again"
    );
    assert_eq!(page.screen().name(), "qr");
    pay(&page).await;
    page.world.run_due().await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
}

async fn pay(page: &Page) {
    let code_url = page.code_url();
    let state = page.world.in_the_cashier("code_url", &code_url, "success");
    assert_eq!(state.await, "SUCCESS");
}
