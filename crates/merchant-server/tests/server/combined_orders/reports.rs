//! WeChat's reports of a combined payment: every sub-order is compared, and one difference settles nothing.

use http::StatusCode;
use merchant_server::Clock as _;
use serde_json::{Value, json};

use super::{HOOKS, NATIVE, ORDER_NO, deliver_all, message_types, numbers, set};
use crate::test_server::{
    SentNotification, TestServer, merchant, payment_notification, transaction,
};

/// A report of a paid set, as WeChat might send it.
async fn report(server: &TestServer) -> Value {
    let order = server.shown("/set-0001").await;
    let merchant = merchant();
    let sub_order = |no: &str, fen: u64, id: &str| {
        json!({
            "mchid": merchant["mchid"], "trade_type": "NATIVE", "trade_state": "SUCCESS",
            "bank_type": "OTHERS", "attach": "", "success_time": "2026-11-21T17:20:10+08:00",
            "transaction_id": id, "out_trade_no": numbers(&order, 0, no).0,
            "amount": {
                "total_amount": fen, "payer_amount": fen, "currency": "CNY", "payer_currency": "CNY",
            },
        })
    };
    json!({
        "combine_appid": merchant["appid"], "combine_mchid": merchant["mchid"],
        "combine_out_trade_no": ORDER_NO, "combine_payer_info": { "openid": "oSecretOpenId" },
        "sub_orders": [
            sub_order("pot", 1990, "4200000000202611210000000001"),
            sub_order("cup", 10, "4200000000202611210000000002"),
        ],
    })
}

fn notification(server: &TestServer, id: &str, content: &Value) -> SentNotification {
    payment_notification(id, content, server.clock.now_ms())
}

async fn started() -> (TestServer, String) {
    let server = TestServer::open_with_end(HOOKS).await;
    let token = server.order(set()).await;
    server.attempt(&token, &[NATIVE]).await;
    (server, token)
}

type Change = fn(&mut Value);

/// Each difference, with the reason of its mismatch.
const DIFFERENCES: [(Change, &str); 14] = [
    (|it| it["combine_mchid"] = "1900000109".into(), "mchid"),
    (
        |it| it["combine_appid"] = "wx0000000000000001".into(),
        "appid",
    ),
    (
        |it| it["sub_orders"][1]["mchid"] = "1900000109".into(),
        "mchid",
    ),
    (
        |it| it["sub_orders"][1]["sub_mchid"] = "1900000109".into(),
        "sub_mchid",
    ),
    (
        |it| it["sub_orders"][1]["sub_appid"] = "wx0000000000000001".into(),
        "sub_appid",
    ),
    (
        |it| it["sub_orders"][1]["amount"]["total_amount"] = 9.into(),
        "amount",
    ),
    (
        |it| {
            it["sub_orders"][1]["amount"] = Value::Null;
        },
        "amount",
    ),
    (
        // The sum is right, and neither of the amounts.
        |it| {
            it["sub_orders"][0]["amount"]["total_amount"] = 1989.into();
            it["sub_orders"][1]["amount"]["total_amount"] = 11.into();
        },
        "amount",
    ),
    (
        |it| it["sub_orders"][0]["amount"]["currency"] = "USD".into(),
        "currency",
    ),
    (
        |it| it["sub_orders"][1]["out_trade_no"] = "somebodys-0001".into(),
        "sub_orders",
    ),
    (
        |it| it["sub_orders"][1] = it["sub_orders"][0].clone(),
        "sub_orders",
    ),
    (
        |it| drop(it["sub_orders"].as_array_mut().unwrap().pop()),
        "sub_orders",
    ),
    (
        |it| {
            let mut third = it["sub_orders"][0].clone();
            third["out_trade_no"] = "somebodys-0001".into();
            it["sub_orders"].as_array_mut().unwrap().push(third);
        },
        "sub_orders",
    ),
    (
        |it| {
            it["sub_orders"][1]["transaction_id"] = it["sub_orders"][0]["transaction_id"].clone();
        },
        "transaction_id",
    ),
];

#[tokio::test]
async fn a_report_that_differs_in_one_sub_order_settles_nothing_and_is_kept_whole() {
    for (change, reason) in DIFFERENCES {
        let (server, token) = started().await;
        let mut content = report(&server).await;
        change(&mut content);
        let notification = notification(&server, "N1", &content);
        for _ in 0..2 {
            let answer = server.deliver(&notification).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{reason}");
        }
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "open",
            "{reason}"
        );
        let expected = (ORDER_NO.to_owned(), reason.to_owned());
        assert_eq!(server.mismatches().await, [expected]);
        let kept = server.read_private("/v1/mismatches").await;
        let told = &kept.json["mismatches"][0]["told"];
        assert_eq!(told["sub_orders"], content["sub_orders"], "{reason}");
        let openid = told["combine_payer_info"]["openid"].as_str().unwrap();
        assert_ne!(openid, "oSecretOpenId", "an openid is masked");
        server.later(0).await;
        assert_eq!(message_types(&server), ["payment.mismatch"], "{reason}");
        // The right report still counts.
        let right = report(&server).await;
        let right = payment_notification("N2", &right, server.clock.now_ms());
        server.deliver(&right).await;
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "paid",
            "{reason}"
        );
    }
}

#[tokio::test]
async fn a_report_in_which_a_sub_order_is_not_paid_settles_nothing_and_is_kept_whole() {
    for state in ["NOTPAY", "CLOSED", "LATER"] {
        let (server, token) = started().await;
        let mut content = report(&server).await;
        content["sub_orders"][1]["trade_state"] = state.into();
        let notification = notification(&server, "N1", &content);
        server.deliver(&notification).await;
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "open",
            "{state}"
        );
        let kept = server.read_private("/v1/mismatches").await;
        let kept = kept.json["mismatches"].as_array().unwrap();
        assert_eq!(kept.len(), 1, "{state}: {kept:?}");
        assert_eq!(kept[0]["kind"], "notification", "{state}");
        assert_eq!(kept[0]["out_trade_no"], ORDER_NO, "{state}");
        assert_eq!(
            kept[0]["told"]["sub_orders"], content["sub_orders"],
            "{state}"
        );
        // WeChat is queried, and knows better.
        server.wechat.take_sent();
        server.pay(ORDER_NO).await;
        server.later(0).await;
        assert!(server.wechat.asks(ORDER_NO), "{state}");
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "paid",
            "{state}"
        );
    }
}

#[tokio::test]
async fn a_report_of_the_other_kind_settles_nothing() {
    // A report of an ordinary payment that names the combined order, or a sub-order.
    let (server, token) = started().await;
    let pot = numbers(&server.shown("/set-0001").await, 0, "pot").0;
    for (id, content, reason) in [
        ("N1", transaction(ORDER_NO, 2000), "sub_orders"),
        ("N2", transaction(&pot, 1990), "number"),
    ] {
        server.deliver(&notification(&server, id, &content)).await;
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "open",
            "{id}"
        );
        assert_eq!(server.mismatches().await.last().unwrap().1, reason);
    }
    // A report of a combined payment that names an ordinary order.
    let tea = server.default_order().await;
    server.attempt(&tea, &[NATIVE]).await;
    let mut content = report(&server).await;
    content["combine_out_trade_no"] = "tea-0001".into();
    content["sub_orders"][0]["out_trade_no"] = "tea-0001".into();
    server.deliver(&notification(&server, "N3", &content)).await;
    assert_eq!(server.checkout(&tea).await.string("state"), "open");
    assert_eq!(server.mismatches().await.last().unwrap().1, "sub_orders");
    // WeChat is asked about each, and knows better.
    server.later(0).await;
    for token in [token, tea] {
        assert_eq!(server.checkout(&token).await.string("state"), "open");
    }
}

#[tokio::test]
async fn a_combined_payment_that_is_no_order_of_ours_is_queried_as_a_combined_one() {
    let (server, _) = started().await;
    let mut content = report(&server).await;
    content["combine_out_trade_no"] = "somebodys-0001".into();
    server.deliver(&notification(&server, "N1", &content)).await;
    server.wechat.take_sent();
    server.later(0).await;
    let sent = server.wechat.take_sent();
    let paths: Vec<_> = sent.iter().map(|sent| &*sent.path).collect();
    let combined = "/v3/combine-transactions/out-trade-no/somebodys-0001";
    assert_eq!(paths, [combined]);
    let kept = server.read_private("/v1/mismatches").await;
    assert_eq!(kept.json["mismatches"][0]["answer"], "ORDER_NOT_EXIST");
}

#[tokio::test]
async fn repeated_and_reordered_notifications_settle_each_order_once() {
    let server = TestServer::open_with_end(HOOKS).await;
    let mut notifications = Vec::new();
    for order_no in ["set-0001", "set-0002"] {
        let mut order = set();
        order["order_no"] = order_no.into();
        let token = server.order(order).await;
        server.attempt(&token, &[NATIVE]).await;
        server.pay(order_no).await;
        notifications.extend(server.take_notifications());
    }
    assert_eq!(notifications.len(), 2);
    for notification in notifications.iter().rev().chain(&notifications) {
        let answer = server.deliver(notification).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    server.later(60_000).await;
    assert_eq!(message_types(&server), ["payment.succeeded"; 2]);
    assert_eq!(server.mismatches().await, []);
}

#[tokio::test]
async fn a_forged_notification_is_refused_and_the_original_still_counts() {
    let (server, token) = started().await;
    server.pay(ORDER_NO).await;
    let original = server.take_notifications().remove(0);
    let mut forged = original.clone();
    forged.body = String::from_utf8(original.body.to_vec())
        .unwrap()
        .replacen("TRANSACTION.SUCCESS", "TRANSACTION.SUCCESs", 1)
        .into();
    assert_ne!(forged.body, original.body);
    let refused = server.deliver(&forged).await;
    assert_eq!(
        refused.status,
        StatusCode::UNAUTHORIZED,
        "{}",
        refused.text()
    );
    assert_eq!(server.checkout(&token).await.string("state"), "open");
    let answer = server.deliver(&original).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
}

#[tokio::test]
async fn who_paid_is_told_to_those_who_may_know() {
    let target = format!("{HOOKS}with_payer = true\n");
    let server = TestServer::open_with_end(&target).await;
    super::buy(&server, set()).await;
    server.later(0).await;
    let message = server.backend.take().remove(0).json();
    let payer = &message["data"]["payer"];
    assert_eq!(payer["appid"], merchant()["appid"], "{message}");
    assert!(payer["openid"].is_string(), "{message}");
    deliver_all(&server).await;
}
