//! Refunds of a combined order: each sub-order has its own, and its own limit.

use http::StatusCode;
use serde_json::{Value, json};

use super::{HOOKS, ORDER_NO, ask_refund, buy, deliver_all, message_types, numbers, set};
use crate::test_server::{MINUTE_MS, TestServer, merchant};

async fn bought() -> TestServer {
    let server = TestServer::open_with_end(HOOKS).await;
    buy(&server, set()).await;
    server.later(0).await;
    server.backend.take();
    server.wechat.take_sent();
    server
}

/// WeChat decides what is due and reports it.
async fn results(server: &TestServer) {
    server.clock.advance_ms(3_000);
    server.simulator.run_due().await;
    deliver_all(server).await;
}

/// What can still be refunded of the pot and of the cup.
async fn left(server: &TestServer) -> [u64; 2] {
    let list = server.read_private("/v1/orders/set-0001/refunds").await;
    let of = |place: usize, no: &str| {
        let left = &list.json["sub_orders"][place];
        assert_eq!(left["sub_order_no"], no, "{}", list.json);
        left["refundable_fen"].as_u64().unwrap()
    };
    let left = [of(0, "pot"), of(1, "cup")];
    assert_eq!(list.number("refundable_fen"), left[0] + left[1]);
    left
}

#[tokio::test]
async fn a_sub_order_is_refunded_up_to_its_own_amount() {
    let server = bought().await;
    let pot = numbers(&server.shown("/set-0001").await, 0, "pot").0;
    let refund =
        |no: &str, fen: u64| json!({ "refund_no": no, "sub_order_no": "pot", "amount_fen": fen });
    let first = ask_refund(&server, ORDER_NO, &refund("R-1", 990)).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.json);
    assert_eq!(first.string("sub_order_no"), "pot");
    assert_eq!(first.string("out_trade_no"), pot);
    let sent = server.wechat.take_sent();
    let body: Value = serde_json::from_slice(&sent[0].body).unwrap();
    assert_eq!(body["out_trade_no"], *pot);
    assert_eq!(body["amount"]["total"], 1990);
    assert_eq!(body["amount"]["refund"], 990);
    assert_eq!(left(&server).await, [1000, 10]);
    // 1001 fen of the order are left, and 1000 of the sub-order.
    let refused = ask_refund(&server, ORDER_NO, &refund("R-2", 1001)).await;
    assert_eq!(refused.code(), "REFUND_TOO_MUCH", "{}", refused.json);
    results(&server).await;
    server.clock.advance_ms(MINUTE_MS);
    let rest = json!({ "refund_no": "R-3", "sub_order_no": "pot" });
    let rest = ask_refund(&server, ORDER_NO, &rest).await;
    assert_eq!(rest.number("amount_fen"), 1000, "{}", rest.json);
    assert_eq!(left(&server).await, [0, 10]);
    let refused = ask_refund(&server, ORDER_NO, &refund("R-4", 1)).await;
    assert_eq!(refused.code(), "REFUND_TOO_MUCH", "{}", refused.json);
    results(&server).await;
    server.later(0).await;
    let order = server.shown("/set-0001").await;
    assert_eq!(order.number("refunded_fen"), 1990);
    assert_eq!(order.json["sub_orders"][0]["refunded_fen"], 1990);
    assert_eq!(order.json["sub_orders"][1]["refunded_fen"], 0);
    let messages = server.backend.take();
    let told: Vec<_> = messages
        .iter()
        .map(|message| message.json()["data"]["sub_order_no"].clone())
        .collect();
    assert_eq!(told, ["pot", "pot"]);
}

#[tokio::test]
async fn the_other_sub_order_can_be_refunded_at_the_same_time() {
    let server = bought().await;
    for (refund_no, sub_order_no) in [("R-1", "pot"), ("R-2", "cup")] {
        // One number is one refund: not of another sub-order.
        if refund_no == "R-2" {
            let other = json!({ "refund_no": "R-1", "sub_order_no": "cup" });
            let refused = ask_refund(&server, ORDER_NO, &other).await;
            assert_eq!(refused.code(), "REFUND_NO_USED", "{}", refused.json);
        }
        let body = json!({ "refund_no": refund_no, "sub_order_no": sub_order_no });
        let asked = ask_refund(&server, ORDER_NO, &body).await;
        assert_eq!(asked.string("state"), "processing", "{}", asked.json);
        let again = ask_refund(&server, ORDER_NO, &body).await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.json);
    }
    assert_eq!(server.wechat.take_kinds(), ["refund", "refund"]);
    results(&server).await;
    assert_eq!(server.shown("/set-0001").await.number("refunded_fen"), 2000);
}

#[tokio::test]
async fn a_refund_names_a_sub_order_of_a_combined_order_and_of_no_other() {
    let server = bought().await;
    server.default_order().await;
    for (order_no, body) in [
        (ORDER_NO, json!({ "refund_no": "R-1" })),
        (ORDER_NO, json!({ "refund_no": "R-1", "amount_fen": 10 })),
        (
            ORDER_NO,
            json!({ "refund_no": "R-1", "sub_order_no": "spoon" }),
        ),
        (ORDER_NO, json!({ "refund_no": "R-1", "sub_order_no": "" })),
        (
            "tea-0001",
            json!({ "refund_no": "R-1", "sub_order_no": "pot" }),
        ),
    ] {
        let refused = ask_refund(&server, order_no, &body).await;
        assert_eq!(
            refused.code(),
            "INVALID_REQUEST",
            "{body}: {}",
            refused.json
        );
        assert_eq!(refused.json["error"]["field"], "sub_order_no", "{body}");
    }
    assert_eq!(server.wechat.take_kinds(), [""; 0]);
}

#[tokio::test]
async fn an_unpaid_combined_order_has_nothing_to_refund() {
    let server = TestServer::open().await;
    server.order(set()).await;
    let body = json!({ "refund_no": "R-1", "sub_order_no": "pot" });
    let refused = ask_refund(&server, ORDER_NO, &body).await;
    assert_eq!(refused.code(), "ORDER_NOT_PAID", "{}", refused.json);
    let list = server.read_private("/v1/orders/set-0001/refunds").await;
    assert_eq!(list.number("refundable_fen"), 0);
}

#[tokio::test]
async fn a_refund_made_in_wechats_portal_counts_for_its_sub_order() {
    let server = bought().await;
    let cup = numbers(&server.shown("/set-0001").await, 0, "cup").0;
    let by_hand = json!({ "mchid": merchant()["mchid"], "out_trade_no": cup, "refund": 4 });
    server.control("POST", "refund", &by_hand.to_string()).await;
    // A payment's report says that something was refunded; the bill of the day says what.
    let answer = server.read_private("/v1/orders/set-0001").await;
    assert_eq!(answer.number("refunded_fen"), 0);
    let reconciled = server.inner.reconcile(0).await.unwrap();
    assert_eq!(reconciled.findings.len(), 1, "{reconciled:?}");
    crate::bills::the_next_morning(&server);
    let compared = crate::bills::bill(&server, crate::bills::DAY).await;
    let differences = compared.json["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{}", compared.json);
    assert_eq!(differences[0]["kind"], "refund_missing_here");
    assert_eq!(differences[0]["out_trade_no"], *cup);
    server.later(0).await;
    let order = server.shown("/set-0001").await;
    let refund = &order.json["refunds"][0];
    assert_eq!(refund["origin"], "external", "{}", order.json);
    assert_eq!(refund["sub_order_no"], "cup");
    assert_eq!(order.json["sub_orders"][1]["refunded_fen"], 4);
    assert_eq!(left(&server).await, [1990, 6]);
    assert_eq!(message_types(&server), ["refund.succeeded"]);
    assert_eq!(server.inner.reconcile(0).await.unwrap().findings, []);
}
