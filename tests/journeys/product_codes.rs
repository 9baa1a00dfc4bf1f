//! A printed product code (Native mode 1): the buyer scans it, WeChat calls the merchant server back, the
//! cashier opens with the order that the server made, and the payment arrives by its notification.

use axum::body::Body;
use http::{Request, StatusCode};
use merchant_server::product_codes;
use payment_tests::in_process::{MERCHANT, WECHAT};
use payment_tests::merchant_config::API_KEY;
use serde_json::{Value, json};

use crate::TOTAL_FEN;
use crate::servers::{Delivery, JourneyServers};

#[tokio::test]
async fn a_printed_code_is_scanned_and_paid_again_and_again() {
    let servers = JourneyServers::new().await;
    let link = printed(&servers).await;
    for bought in 1..=2 {
        let prepay_id = scanned(&servers, &link).await;
        let paid = servers.in_the_cashier("prepay_id", &prepay_id, "success");
        assert_eq!(paid.await, "SUCCESS");
        servers.run_due().await;
        assert_eq!(states(&servers).await, vec!["paid"; bought]);
    }
}

#[tokio::test]
async fn a_buyer_who_leaves_the_cashier_and_scans_again_pays_the_same_order() {
    let servers = JourneyServers::new().await;
    let link = printed(&servers).await;
    let first = scanned(&servers, &link).await;
    servers.in_the_cashier("prepay_id", &first, "cancel").await;
    let second = scanned(&servers, &link).await;
    assert_eq!(second, first);
    servers.set_delivery(Delivery::Lost);
    servers
        .in_the_cashier("prepay_id", &second, "success")
        .await;
    // Without the notification, the server's own query finds the payment.
    servers.clock_passes_ms(10_000);
    servers.run_due().await;
    assert_eq!(states(&servers).await, ["paid"]);
}

/// The link of a code of this merchant, whose callback address WeChat knows.
async fn printed(servers: &JourneyServers) -> String {
    let callback = format!("{MERCHANT}/wechat/notify/native");
    let setting = json!({ "native_callback_url": callback });
    let request = Request::patch(format!("{WECHAT}/_simulator/settings"))
        .body(Body::from(setting.to_string()));
    let (status, answer) = servers.send_json(request.expect("a request")).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let config = servers.config();
    product_codes::add(config, "coffee-1", "云南小粒咖啡", Some(TOTAL_FEN))
        .await
        .expect("a code");
    let links = product_codes::links(config, &[]).await.expect("its link");
    links[0].1.clone()
}

/// A buyer scans the link. Returns the `prepay_id` of the cashier that opens.
async fn scanned(servers: &JourneyServers, link: &str) -> String {
    let (status, answer) = servers
        .at_wechat("native_link", &json!({ "link": link }))
        .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer["prepay_id"]
        .as_str()
        .expect("a prepay_id")
        .to_owned()
}

/// The states of all orders.
async fn states(servers: &JourneyServers) -> Vec<String> {
    let request = Request::get(format!("{MERCHANT}/v1/orders"))
        .header("authorization", format!("Bearer {API_KEY}"))
        .body(Body::empty());
    let (_, list) = servers.send_json(request.expect("a request")).await;
    let state = |order: &Value| order["state"].as_str().unwrap_or_default().to_owned();
    let orders = list["orders"].as_array().expect("orders");
    orders.iter().map(state).collect()
}
