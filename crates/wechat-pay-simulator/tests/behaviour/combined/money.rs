//! The money of a combined order: refunds, shares and bills know its sub-orders alone.

use http::Method;
use serde_json::{Value, json};
use wechat_pay::bill::{BillTicket, Packing, TradeBillRow, read_bill};
use wechat_pay::{
    Fen, NativeOrdered, OutRefundNo, ProductFields, RefundOf, RefundRequest, ReplyError,
    TransactionId,
};

use super::{native, number, order, pay, query, said};
use crate::harness::{Harness, NOTIFY_URL, file_of, opened_refund};

const SHARES: &str = "/v3/profitsharing/orders";

async fn refund(
    harness: &Harness,
    payment: RefundOf,
    refund_no: &str,
    [amount, total]: [i64; 2],
) -> Result<(), ReplyError> {
    let fen = |fen| Fen::new(fen).unwrap();
    let out_refund_no = OutRefundNo::parse(refund_no).unwrap();
    let mut request = RefundRequest::new(payment, out_refund_no, fen(amount), fen(total));
    request.notify_url = Some(wechat_pay::NotifyUrl::parse(NOTIFY_URL).unwrap());
    harness
        .send_with_agent(request.request().unwrap())
        .await
        .map(drop)
}

fn by_number(text: &str) -> RefundOf {
    RefundOf::OutTradeNo(number(text))
}

#[tokio::test]
async fn a_refund_names_a_sub_order_and_is_limited_by_its_amount() {
    let harness = Harness::new();
    let code_url = native(&harness, "C20261").await;
    let ids = pay(&harness, &code_url).await;
    harness.simulator.run_due().await;
    let whole = refund(&harness, by_number("C20261"), "R1", [1, 2000]).await;
    assert_eq!(said(whole), (404, "RESOURCE_NOT_EXISTS".into()));
    for (refund_no, amounts) in [("R2", [1, 2000]), ("R3", [11, 11])] {
        let refused = refund(&harness, by_number("C20261-2"), refund_no, amounts).await;
        assert_eq!(
            said(refused),
            (400, "INVALID_REQUEST".into()),
            "{refund_no}"
        );
    }
    let by_id = RefundOf::TransactionId(TransactionId::parse(&ids[1]).unwrap());
    assert_eq!(refund(&harness, by_id, "R4", [10, 10]).await, Ok(()));
    // The other sub-order has its own minute and its own rest.
    let other = by_number("C20261-1");
    assert_eq!(refund(&harness, other, "R5", [500, 1990]).await, Ok(()));
    harness.advance(61);
    let too_much = refund(&harness, by_number("C20261-2"), "R6", [1, 10]).await;
    assert_eq!(said(too_much), (400, "INVALID_REQUEST".into()));

    let refunded = query(&harness, "C20261").await;
    assert!(refunded.is_paid());
    let states = refunded
        .sub_orders
        .iter()
        .map(|sub| sub.trade_state.as_str());
    assert_eq!(states.collect::<Vec<_>>(), ["REFUND", "REFUND"]);
    let view = harness.simulator.ledger_view(None);
    let refunds = view.orders.iter().map(|order| order.refunded.get());
    assert_eq!(refunds.collect::<Vec<_>>(), [500, 10]);
    assert_eq!(view.combined[0].trade_state.as_str(), "SUCCESS");

    harness.simulator.run_due().await;
    let (event, content) = opened_refund(&harness, 1);
    assert_eq!(event, "REFUND.SUCCESS");
    assert_eq!(content["out_trade_no"], "C20261-1");
    assert_eq!(content["amount"]["total"], 1990);
}

#[tokio::test]
async fn a_payment_is_shared_if_its_sub_order_asked_for_it() {
    let harness = Harness::new();
    let mut order = order(&harness, "C20261", ProductFields::Native);
    order.sub_orders[0].settle_info = Some(json!({ "profit_sharing": true }));
    let reply = harness.send(order.request().unwrap()).await.unwrap();
    let code_url = reply.parse::<NativeOrdered>().unwrap().code_url;
    let ids = pay(&harness, &code_url).await;
    let share = async |id: &str, share_no: &str| -> (u16, Value) {
        // To the merchant itself: it needs no relation.
        let body = json!({
            "appid": harness.merchant().appid, "transaction_id": id, "out_order_no": share_no,
            "receivers": [{
                "type": "MERCHANT_ID", "account": harness.merchant().mchid, "amount": 5,
                "description": "货款",
            }],
            "unfreeze_unsplit": false,
        });
        let (status, _, answer) = harness.call(Method::POST, SHARES, &body.to_string()).await;
        (status, answer)
    };
    let (status, answer) = share(&ids[0], "P1").await;
    assert_eq!((status, &answer["state"]), (200, &json!("PROCESSING")));
    let (status, answer) = share(&ids[1], "P2").await;
    assert_eq!(
        (status, &answer["message"]),
        (400, &json!("非分账订单不支持分账"))
    );
    let left = format!("/v3/profitsharing/transactions/{}/amounts", ids[0]);
    let (_, _, answer) = harness.call(Method::GET, &left, "").await;
    assert_eq!(answer["unsplit_amount"], 1985);
}

/// The rows of the trade bill: number, yuan.
async fn bill_of(harness: &Harness) -> Vec<(String, String)> {
    let path = "/v3/bill/tradebill?bill_date=2026-01-01";
    let (status, code, answer) = harness.call(Method::GET, path, "").await;
    assert_eq!(status, 200, "{code}");
    let file = file_of(harness, &answer).await;
    let ticket: BillTicket = serde_json::from_value(answer).unwrap();
    let bill = read_bill(&file, Packing::Plain, &ticket).unwrap();
    let mut rows: Vec<(String, String)> = bill
        .rows
        .iter()
        .map(|row| {
            let row = TradeBillRow::read(row).unwrap();
            let yuan = row.total.map(Fen::to_yuan_text).unwrap_or_default();
            (row.out_trade_no, yuan)
        })
        .collect();
    rows.sort();
    rows
}

#[tokio::test]
async fn a_bill_has_a_row_for_each_sub_order_and_none_for_the_whole() {
    let harness = Harness::with_settings(&["bills_at_once=true"]);
    let code_url = native(&harness, "C20261").await;
    pay(&harness, &code_url).await;
    harness.pay_native("T00001").await;
    let row = |number: &str, yuan: &str| (number.to_owned(), yuan.to_owned());
    assert_eq!(
        bill_of(&harness).await,
        [
            row("C20261-1", "19.90"),
            row("C20261-2", "0.10"),
            row("T00001", "19.90")
        ]
    );
}

#[tokio::test]
async fn the_money_of_another_merchants_sub_order_is_that_merchants() {
    let (first, second) = Harness::with_another_merchant();
    let (theirs, _) = crate::merchants::numbers(&first, 1).await;
    let mut order = order(&first, "C20261", ProductFields::Native);
    order.sub_orders[1].mchid = theirs;
    let reply = first.send(order.request().unwrap()).await.unwrap();
    let code_url = reply.parse::<NativeOrdered>().unwrap().code_url;
    pay(&first, &code_url).await;
    first.simulator.run_due().await;
    assert_eq!(
        first.notified().len(),
        1,
        "the combining merchant is notified"
    );

    let own = by_number("C20261-2");
    let refused = refund(&first, own.clone(), "R1", [10, 10]).await;
    assert_eq!(said(refused), (404, "RESOURCE_NOT_EXISTS".into()));
    assert_eq!(refund(&second, own, "R1", [10, 10]).await, Ok(()));
    let rows = bill_of(&first).await;
    assert_eq!(rows, [("C20261-1".to_owned(), "19.90".to_owned())]);
    let theirs = bill_of(&second).await;
    assert!(theirs.iter().all(|(number, _)| number == "C20261-2"));
    assert_eq!(theirs.len(), 2, "a payment and its refund");
}
