//! Combined orders (合单支付): the buyer pays once, and each sub-order is a payment of its own. What holds for
//! ordinary orders holds for them: one body for one number, one settlement, no lost money.

mod crash;
mod desk;
mod forms;
mod partner;
mod paying;
mod records;
mod refunding;
mod reports;
mod surplus;

use http::StatusCode;
use serde_json::{Value, json};

use crate::test_server::{API_KEY, Answer, SentNotification, TestServer, backend};

const HOOKS: &str = "[[webhooks]]\nurl = \"http://127.0.0.1:7000/hooks\"\nsecret = \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"\n";
const NATIVE: (&str, &str) = ("product", "native");
const ORDER_NO: &str = "set-0001";

/// A pot for 19.90 yuan and a cup for 0.10 yuan.
fn set() -> Value {
    json!({
        "order_no": ORDER_NO, "total_fen": 2000, "description": "一套茶具",
        "sub_orders": [
            { "sub_order_no": "pot", "amount_fen": 1990, "description": "一只壶", "attach": "stall 7" },
            { "sub_order_no": "cup", "amount_fen": 10, "description": "一只杯" },
        ],
    })
}

/// The numbers of a sub-order in an attempt, counted from 0: at WeChat, and of its payment.
#[track_caller]
fn numbers(order: &Answer, attempt: usize, sub_order_no: &str) -> (String, Option<String>) {
    let sub_orders = order.json["attempts"][attempt]["sub_orders"].as_array();
    let mut sub_orders = sub_orders
        .unwrap_or_else(|| panic!("{}", order.json))
        .iter();
    let found = sub_orders.find(|it| it["sub_order_no"] == sub_order_no);
    let found = found.unwrap_or_else(|| panic!("{sub_order_no} in {}", order.json));
    (
        found["out_trade_no"].as_str().unwrap().to_owned(),
        found["transaction_id"].as_str().map(str::to_owned),
    )
}

async fn deliver_all(server: &TestServer) -> Vec<SentNotification> {
    let notifications = server.take_notifications();
    for notification in &notifications {
        let answer = server.deliver_to(notification.path(), notification).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }
    notifications
}

/// The set is paid by a code, and WeChat's notification was delivered. Returns the page's token.
async fn buy(server: &TestServer, order: Value) -> String {
    let token = server.order(order).await;
    let started = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(started.status, StatusCode::OK, "{}", started.json);
    server.pay(started.string("out_trade_no")).await;
    deliver_all(server).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    token
}

async fn ask_refund(server: &TestServer, order_no: &str, body: &Value) -> Answer {
    let path = format!("/v1/orders/{order_no}/refunds");
    server.send(backend(&path, API_KEY, body.to_string())).await
}

/// The types of the messages that the backend has received since the last look, in alphabetical order.
fn message_types(server: &TestServer) -> Vec<String> {
    let messages = server.backend.take();
    let mut types: Vec<_> = messages
        .iter()
        .map(|message| message.json()["type"].as_str().unwrap().to_owned())
        .collect();
    types.sort();
    types
}
