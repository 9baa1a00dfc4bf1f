//! Combined orders of a service provider: each sub-order is a sub-merchant's.

use http::StatusCode;
use serde_json::{Value, json};
use wechat_pay_simulator::SubMerchant;

use super::{NATIVE, ORDER_NO, ask_refund, deliver_all, numbers, set};
use crate::bills::{DAY, HOUR_MS, bill, the_next_morning};
use crate::test_server::{TestServer, merchant, sub_merchant, sub_merchant_table};

const SPAN: &str = "from=2026-11-21T00:00:00%2B08:00&to=2026-11-22T00:00:00%2B08:00";

/// A provider has sold a set: the pot for its first sub-merchant, the cup for its second one.
async fn sold() -> (TestServer, [SubMerchant; 2]) {
    let subs = [1, 2].map(sub_merchant);
    let tables = subs.each_ref().map(sub_merchant_table);
    let server = TestServer::open_with_merchant("", &tables.concat()).await;
    let mut order = set();
    for (place, sub) in subs.iter().enumerate() {
        order["sub_orders"][place]["sub_mchid"] = sub.sub_mchid.as_str().into();
    }
    let answer = server.post_order(&order).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json);
    let token = answer.string("token").to_owned();
    server.attempt(&token, &[NATIVE]).await;
    let body = server.last_order();
    assert_eq!(body["combine_mchid"], merchant()["mchid"]);
    for (place, sub) in subs.iter().enumerate() {
        assert_eq!(body["sub_orders"][place]["mchid"], merchant()["mchid"]);
        assert_eq!(body["sub_orders"][place]["sub_mchid"], *sub.sub_mchid);
    }
    server.pay(ORDER_NO).await;
    deliver_all(&server).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    assert_eq!(server.mismatches().await, []);
    server.wechat.take_sent();
    (server, subs)
}

#[tokio::test]
async fn each_sub_order_is_paid_and_refunded_for_its_sub_merchant() {
    let (server, [_, second]) = sold().await;
    let body = json!({ "refund_no": "R-1", "sub_order_no": "cup", "amount_fen": 4 });
    let asked = ask_refund(&server, ORDER_NO, &body).await;
    assert_eq!(asked.string("state"), "processing", "{}", asked.json);
    let sent: Value = serde_json::from_slice(&server.wechat.take_sent()[0].body).unwrap();
    assert_eq!(sent["sub_mchid"], *second.sub_mchid);
    server.clock.advance_ms(3_000);
    server.simulator.run_due().await;
    deliver_all(&server).await;
    let order = server.shown("/set-0001").await;
    assert_eq!(
        order.json["sub_orders"][1]["refunded_fen"], 4,
        "{}",
        order.json
    );
    assert_eq!(order.json["sub_orders"][1]["sub_mchid"], *second.sub_mchid);
    assert!(order.json.get("sub_mchid").is_none(), "{}", order.json);
}

#[tokio::test]
async fn a_report_that_swaps_the_sub_merchants_settles_nothing() {
    let subs = [1, 2].map(sub_merchant);
    let tables = subs.each_ref().map(sub_merchant_table);
    let server = TestServer::open_with_merchant("", &tables.concat()).await;
    let mut order = set();
    for (place, sub) in subs.iter().enumerate() {
        order["sub_orders"][place]["sub_mchid"] = sub.sub_mchid.as_str().into();
    }
    let token = server.post_order(&order).await.string("token").to_owned();
    server.attempt(&token, &[NATIVE]).await;
    let order = server.shown("/set-0001").await;
    let paid = |no: &str, fen: u64, sub: &SubMerchant, id: u64| {
        json!({
            "mchid": merchant()["mchid"], "sub_mchid": sub.sub_mchid, "trade_state": "SUCCESS",
            "transaction_id": format!("42000000002026112100000000{id:02}"),
            "out_trade_no": numbers(&order, 0, no).0,
            "amount": { "total_amount": fen, "currency": "CNY" },
        })
    };
    let content = json!({
        "combine_mchid": merchant()["mchid"], "combine_out_trade_no": ORDER_NO,
        "sub_orders": [paid("pot", 1990, &subs[1], 1), paid("cup", 10, &subs[0], 2)],
    });
    let at_ms = crate::test_server::START_MS;
    let notification = crate::test_server::payment_notification("N1", &content, at_ms);
    server.deliver(&notification).await;
    assert_eq!(server.checkout(&token).await.string("state"), "open");
    let expected = (ORDER_NO.to_owned(), "sub_mchid".to_owned());
    assert_eq!(server.mismatches().await, [expected]);
}

#[tokio::test]
async fn the_bills_lists_and_exports_of_a_sub_merchant_have_its_sub_order_alone() {
    let (server, [first, second]) = sold().await;
    let body = json!({ "refund_no": "R-1", "sub_order_no": "cup", "amount_fen": 4 });
    ask_refund(&server, ORDER_NO, &body).await;
    server.later(HOUR_MS).await;
    let order = server.shown("/set-0001").await;
    for (sub, sub_order_no) in [(&first, "pot"), (&second, "cup")] {
        let path = format!("/v1/orders?sub_mchid={}", sub.sub_mchid);
        let list = server.read_private(&path).await;
        assert_eq!(
            list.json["orders"][0]["order_no"], ORDER_NO,
            "{}",
            list.json
        );
        let path = format!("/v1/exports/payments?{SPAN}&sub_mchid={}", sub.sub_mchid);
        let export = server.read_private(&path).await.text();
        let lines: Vec<_> = export.trim_end().split("\r\n").skip(1).collect();
        assert_eq!(lines.len(), 1, "{export}");
        let number = numbers(&order, 0, sub_order_no).0;
        assert!(lines[0].starts_with(&format!("`{number},")), "{export}");
        assert!(lines[0].ends_with(&format!(",`{sub_order_no}")), "{export}");
        let path = format!("/v1/exports/refunds?{SPAN}&sub_mchid={}", sub.sub_mchid);
        let export = server.read_private(&path).await.text();
        let has_refund = export.contains("`R-1");
        assert_eq!(has_refund, sub_order_no == "cup", "{export}");
    }
    the_next_morning(&server);
    for (path, payments, refunds) in [
        (DAY.to_owned(), (2, 2000), (1, 4)),
        (
            format!("{DAY}?sub_mchid={}", first.sub_mchid),
            (1, 1990),
            (0, 0),
        ),
        (
            format!("{DAY}?sub_mchid={}", second.sub_mchid),
            (1, 10),
            (1, 4),
        ),
    ] {
        let compared = bill(&server, &path).await.json;
        assert_eq!(compared["differences"], json!([]), "{path}: {compared}");
        let total = |(count, fen): (u64, u64)| json!({ "count": count, "total_fen": fen });
        assert_eq!(compared["payments"], total(payments), "{path}");
        assert_eq!(compared["refunds"], total(refunds), "{path}");
    }
}
