//! A combined order in lists, exports and the comparison with WeChat's bill: by its sub-orders' numbers.

use serde_json::{Value, json};

use super::{NATIVE, ORDER_NO, ask_refund, buy, deliver_all, numbers, set};
use crate::bills::{DAY, HOUR_MS, bill, the_next_morning};
use crate::test_server::TestServer;

const SPAN: &str = "from=2026-11-21T00:00:00%2B08:00&to=2026-11-22T00:00:00%2B08:00";

#[tokio::test]
async fn it_is_found_by_the_numbers_of_each_sub_order_in_each_attempt() {
    let server = TestServer::open().await;
    server.default_order().await;
    let token = server.order(set()).await;
    server.attempt(&token, &[NATIVE]).await;
    let cancel = format!("/v1/checkouts/{token}/cancel");
    server.form(&cancel, &[("after", "1")]).await;
    let second = server.attempt(&token, &[NATIVE, ("after", "1")]).await;
    server.pay(second.string("out_trade_no")).await;
    deliver_all(&server).await;
    let order = server.shown("/set-0001").await;
    let (closed, none) = numbers(&order, 0, "cup");
    assert_eq!(none, None);
    let (paid, id) = numbers(&order, 1, "cup");
    let (_, first_id) = numbers(&order, 1, "pot");
    let (id, first_id) = (id.unwrap(), first_id.unwrap());
    let whole = second.string("out_trade_no");
    for (query, is_found) in [
        (format!("out_trade_no={closed}"), true),
        (format!("out_trade_no={paid}"), true),
        (format!("out_trade_no={whole}"), true),
        (format!("transaction_id={id}"), true),
        (format!("transaction_id={first_id}"), true),
        (format!("transaction_id={id}&out_trade_no={paid}"), true),
        (format!("transaction_id={id}&out_trade_no={whole}"), true),
        (format!("transaction_id={id}&out_trade_no=tea-0001"), false),
    ] {
        let list = server.read_private(&format!("/v1/orders?{query}")).await;
        let found: Vec<_> = list.json["orders"]
            .as_array()
            .unwrap_or_else(|| panic!("{query}: {}", list.json))
            .iter()
            .map(|order| order["order_no"].as_str().unwrap())
            .collect();
        let expected: &[&str] = if is_found { &[ORDER_NO] } else { &[] };
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn an_export_has_a_row_for_each_sub_orders_payment() {
    let server = TestServer::open().await;
    crate::bills::notified(&server, "tea-0001", 5).await;
    buy(&server, set()).await;
    let body = json!({ "refund_no": "R-1", "sub_order_no": "cup" });
    ask_refund(&server, ORDER_NO, &body).await;
    let order = server.shown("/set-0001").await;
    let export = async |kind: &str| {
        let text = server
            .read_private(&format!("/v1/exports/{kind}?{SPAN}"))
            .await
            .text();
        let lines = text.trim_end().trim_start_matches('\u{feff}').split("\r\n");
        lines
            .map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let payments = export("payments").await;
    let column = |name: &str| payments[0].iter().position(|it| it == name).unwrap();
    let rows: Vec<_> = payments[1..]
        .iter()
        .map(|row| {
            [
                "out_trade_no",
                "transaction_id",
                "order_no",
                "total_fen",
                "sub_order_no",
            ]
            .map(|name| row[column(name)].trim_start_matches('`').to_owned())
        })
        .collect();
    assert_eq!(rows.len(), 3, "{payments:?}");
    assert_eq!(
        [&*rows[0][0], &rows[0][3], &rows[0][4]],
        ["tea-0001", "5", ""]
    );
    for (row, (no, fen)) in rows[1..].iter().zip([("pot", "1990"), ("cup", "10")]) {
        let (number, id) = numbers(&order, 0, no);
        assert_eq!(
            *row,
            [number, id.unwrap(), ORDER_NO.into(), fen.into(), no.into()]
        );
    }
    let refunds = export("refunds").await;
    assert_eq!(refunds[0].last().unwrap(), "sub_order_no");
    assert_eq!(refunds[1].last().unwrap(), "`cup");
    assert_eq!(export("orders").await.len(), 3, "an order stays one row");
}

#[tokio::test]
async fn a_day_with_a_combined_order_agrees_with_wechats_bill() {
    let server = TestServer::open().await;
    crate::bills::notified(&server, "tea-0001", 5).await;
    buy(&server, set()).await;
    let body = json!({ "refund_no": "R-1", "sub_order_no": "pot", "amount_fen": 333 });
    ask_refund(&server, ORDER_NO, &body).await;
    server.later(HOUR_MS).await;
    the_next_morning(&server);
    let answer = bill(&server, DAY).await;
    assert_eq!(
        answer.json,
        json!({
            "day": DAY, "live": false,
            "payments": { "count": 3, "total_fen": 2005 },
            "refunds": { "count": 1, "total_fen": 333 },
            "differences": [],
        })
    );
}

#[tokio::test]
async fn each_sub_order_that_only_one_side_has_is_a_difference() {
    // Paid at WeChat, and the notification is lost.
    let server = TestServer::open().await;
    let token = server.order(set()).await;
    server.attempt(&token, &[NATIVE]).await;
    server.pay(ORDER_NO).await;
    server.take_notifications();
    let order = server.shown("/set-0001").await;
    the_next_morning(&server);
    let found = differences(&bill(&server, DAY).await.json);
    let expected = |kind: &str| {
        let mut rows = ["pot", "cup"].map(|no| (kind.to_owned(), numbers(&order, 0, no).0));
        rows.sort();
        rows
    };
    assert_eq!(found, expected("payment_missing_here"));

    // Settled by a notification with WeChat's signature that WeChat's ledger does not have.
    let server = TestServer::open().await;
    let token = server.order(set()).await;
    server.attempt(&token, &[NATIVE]).await;
    let order = server.shown("/set-0001").await;
    let paid = |no: &str, fen: u64, id: &str| {
        json!({
            "mchid": server.mchid, "trade_state": "SUCCESS", "transaction_id": id,
            "out_trade_no": numbers(&order, 0, no).0, "success_time": "2026-11-21T17:20:10+08:00",
            "amount": { "total_amount": fen, "currency": "CNY" },
        })
    };
    let content = json!({
        "combine_mchid": server.mchid, "combine_out_trade_no": ORDER_NO,
        "sub_orders": [paid("pot", 1990, "42001"), paid("cup", 10, "42002")],
    });
    let at_ms = crate::test_server::START_MS;
    let notification = crate::test_server::payment_notification("N1", &content, at_ms);
    server.deliver(&notification).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    the_next_morning(&server);
    let found = differences(&bill(&server, DAY).await.json);
    let mut expected =
        ["pot", "cup"].map(|no| ("payment_missing_there".to_owned(), numbers(&order, 0, no).0));
    expected.sort();
    assert_eq!(found, expected);
}

/// The kind and the number of each difference, sorted.
fn differences(compared: &Value) -> Vec<(String, String)> {
    let found = compared["differences"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found: Vec<_> = found
        .map(|it| (text(&it["kind"]), text(&it["out_trade_no"])))
        .collect();
    found.sort();
    found
}
