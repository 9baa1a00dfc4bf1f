//! Inside WeChat: the redirect for the openid, then the cashier over the page.

use std::sync::Arc;

use checkout::{Destination, Intent, Notice, Screen};
use merchant_api::PAYER_PARAMETER;
use payment_tests::buyer_browser::BuyerBrowser;
use serde_json::json;

use crate::journey_page::JourneyPage;
use crate::servers::{Delivery, JourneyServers};
use crate::{ORDER_NO, page_with_an_order};

#[tokio::test]
async fn a_buyer_whose_openid_comes_from_the_redirect_pays_in_the_cashier() {
    let mut page = with_the_cashier_open().await;
    assert_eq!(in_the_cashier(&page, "success").await, "SUCCESS");
    page.servers.run_due().await;
    page.cashier_closes("get_brand_wcpay_request:ok").await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
    assert_eq!(
        page.servers.trade_state(ORDER_NO).as_deref(),
        Some("SUCCESS")
    );
}

#[tokio::test]
async fn an_ok_without_a_notification_is_confirmed_by_a_query() {
    let mut page = with_the_cashier_open().await;
    page.servers.set_delivery(Delivery::Lost);
    assert_eq!(in_the_cashier(&page, "success").await, "SUCCESS");
    page.cashier_closes("get_brand_wcpay_request:ok").await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
}

/// A partner's page is closed after a payment, and receives no reply of the cashier (点金计划).
#[tokio::test]
async fn a_partners_page_that_wechat_closed_after_the_payment_is_paid_when_it_is_opened_again() {
    let page = with_the_cashier_open().await;
    assert_eq!(in_the_cashier(&page, "success").await, "SUCCESS");
    page.servers.run_due().await;
    let mut again = page.closed_and_opened_again(true).await;
    assert_eq!(again.screen().name(), "paid");
    again.pass_ms(60_000).await;
    assert_eq!(again.times_paid(), 1);
    assert!(!again.has_cashier(), "not even with auto-start");
}

#[tokio::test]
async fn a_page_closed_before_the_payment_is_known_shows_it_once_it_is_open_again() {
    let page = with_the_cashier_open().await;
    page.servers.set_delivery(Delivery::Lost);
    assert_eq!(in_the_cashier(&page, "success").await, "SUCCESS");
    let mut again = page.closed_and_opened_again(false).await;
    assert_eq!(again.screen().name(), "offer");
    again.pass_ms(120_000).await;
    assert_eq!(again.screen().name(), "paid");
    assert_eq!(again.times_paid(), 1);
    assert_eq!(
        again.servers.trade_state(ORDER_NO).as_deref(),
        Some("SUCCESS")
    );
}

/// The page starts by itself, and its backend knows the buyer: there is no click and no redirect.
#[tokio::test]
async fn a_page_that_starts_by_itself_once_more_before_its_payment_is_known_charges_once() {
    let servers = Arc::new(JourneyServers::new().await);
    let simulator = &servers.simulator;
    let openid = simulator.openid(&simulator.keyring().merchant().appid);
    let order = json!({
        "order_no": ORDER_NO, "total_fen": 6_910, "description": "咖啡",
        "payer": {"openid": openid},
    });
    let token = servers.order(order).await;
    let first = JourneyPage::open(&servers, BuyerBrowser::Wechat, &token).await;
    let page = first.closed_and_opened_again(true).await;
    assert_eq!(page.screen().name(), "cashier");
    servers.set_delivery(Delivery::Lost);
    assert_eq!(in_the_cashier(&page, "success").await, "SUCCESS");

    let mut again = page.closed_and_opened_again(true).await;
    assert_eq!(again.screen().name(), "cashier", "no notification yet");
    let prepay_id = again.prepay_id();
    let refused = servers
        .refused_by_the_cashier("prepay_id", &prepay_id)
        .await;
    assert_eq!(refused, "ORDER_PAID");
    let says = again.cashier_says("get_brand_wcpay_request:fail", Some("该订单已支付"));
    says.await;
    again.until("paid").await;
    again.pass_ms(120_000).await;
    assert_eq!(again.times_paid(), 1);
    assert!(again.problems().is_empty(), "{:?}", again.problems());
    assert_eq!(servers.visits_of_the_cashier(), ["PAID", "ORDER_PAID"]);
}

#[tokio::test]
async fn a_false_ok_is_never_shown_as_paid() {
    let mut page = with_the_cashier_open().await;
    page.cashier_closes("get_brand_wcpay_request:ok").await;
    assert_eq!(page.screen().name(), "confirming");
    page.pass_ms(30_000).await;
    let notice = Some(Notice::NotPaidYet);
    assert_eq!(
        page.screen(),
        Screen::Returned {
            notice,
            is_asking: false
        }
    );
    assert_eq!(page.times_paid(), 0);
}

#[tokio::test]
async fn a_buyer_who_closed_the_cashier_can_open_it_again_and_pay() {
    let mut page = with_the_cashier_open().await;
    assert_eq!(in_the_cashier(&page, "cancel").await, "NOTPAY");
    page.cashier_closes("get_brand_wcpay_request:cancel").await;
    let Screen::Offer { notice, .. } = page.screen() else {
        panic!("{:?}", page.screen())
    };
    assert_eq!(notice, Some(Notice::Cancelled));
    assert!(page.problems().is_empty(), "{:?}", page.problems());
    page.click(Intent::Start).await;
    assert_eq!(
        page.screen().name(),
        "cashier",
        "no second redirect for the openid"
    );
    assert_eq!(in_the_cashier(&page, "success").await, "SUCCESS");
    page.servers.run_due().await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
}

#[tokio::test]
async fn a_payment_that_wechat_reports_as_cancelled_is_shown_as_paid() {
    let mut page = with_the_cashier_open().await;
    assert_eq!(in_the_cashier(&page, "success").await, "SUCCESS");
    page.cashier_closes("get_brand_wcpay_request:cancel").await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
}

#[tokio::test]
async fn a_failed_payment_is_reported_as_a_problem_and_can_be_tried_again() {
    let mut page = with_the_cashier_open().await;
    assert_eq!(in_the_cashier(&page, "fail").await, "NOTPAY");
    page.cashier_closes("get_brand_wcpay_request:fail").await;
    assert_eq!(page.screen().name(), "problem");
    assert_eq!(page.problems().len(), 1);
    page.click(Intent::Start).await;
    assert_eq!(in_the_cashier(&page, "success").await, "SUCCESS");
    page.servers.run_due().await;
    page.until("paid").await;
    assert_eq!(page.times_paid(), 1);
}

#[tokio::test]
async fn an_oauth_handle_is_invalid_for_another_order() {
    let mut page = page_with_an_order(BuyerBrowser::Wechat).await;
    let back_at = follow_oauth(&mut page).await;
    let other = page
        .servers
        .order(json!({"total_fen": 1, "description": "茶"}));
    let stranger = page.comes_back_with(&other.await, &back_at).await;
    assert_eq!(stranger.screen().name(), "problem");
    let owner = page.comes_back_at(&back_at).await;
    assert_eq!(owner.screen().name(), "cashier");
}

/// From the shop's page over the redirect for the openid to the cashier.
async fn with_the_cashier_open() -> JourneyPage {
    let mut page = page_with_an_order(BuyerBrowser::Wechat).await;
    let back_at = follow_oauth(&mut page).await;
    let back = page.comes_back_at(&back_at).await;
    assert_eq!(back.screen().name(), "cashier");
    back
}

/// The buyer presses the button; WeChat returns a code, and the merchant server a handle.
async fn follow_oauth(page: &mut JourneyPage) -> String {
    assert_eq!(page.screen().name(), "offer");
    page.click(Intent::Start).await;
    let Destination::Authorize(url) = page.left_for() else {
        panic!("{:?}", page.left_for())
    };
    let back_at = page.servers.follow_to_the_shop(url.as_str()).await;
    assert!(back_at.contains(PAYER_PARAMETER), "{back_at}");
    back_at
}

async fn in_the_cashier(page: &JourneyPage, outcome: &str) -> String {
    let prepay_id = page.prepay_id();
    page.servers
        .in_the_cashier("prepay_id", &prepay_id, outcome)
        .await
}
