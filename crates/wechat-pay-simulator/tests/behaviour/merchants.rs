//! Several merchants of one simulator, which are separate.

use http::Method;
use serde_json::{Value, json};

use crate::harness::Harness;

const NATIVE: &str = "/v3/pay/transactions/native";

/// Numbers of a merchant: mchid and appid.
pub(crate) async fn numbers(harness: &Harness, place: usize) -> (String, String) {
    let listed = harness.get("/_simulator/merchants").await;
    let listed: Value = serde_json::from_slice(listed.body()).unwrap();
    let text = |name: &str| listed[place][name].as_str().unwrap().to_owned();
    (text("mchid"), text("appid"))
}

async fn ordered(harness: &Harness, (mchid, appid): &(String, String)) -> (u16, String, Value) {
    let body = json!({
        "appid": appid, "mchid": mchid, "description": "一壶茶", "out_trade_no": "T00001",
        "notify_url": crate::harness::NOTIFY_URL, "amount": { "total": 1990 },
    });
    harness.call(Method::POST, NATIVE, &body.to_string()).await
}

#[tokio::test]
async fn merchants_can_use_the_same_number_and_see_only_their_own_orders() {
    let (first, second) = Harness::with_another_merchant();
    let (ours, theirs) = (numbers(&first, 0).await, numbers(&first, 1).await);
    assert_ne!(ours, theirs);
    let (status, _, answer) = ordered(&first, &ours).await;
    assert_eq!(status, 200, "{answer}");
    let code_url = answer["code_url"].as_str().unwrap().to_owned();
    let query = |mchid: &str| format!("/v3/pay/transactions/out-trade-no/T00001?mchid={mchid}");
    let (status, code, _) = second.call(Method::GET, &query(&theirs.0), "").await;
    assert_eq!((status, code.as_str()), (404, "ORDER_NOT_EXIST"));
    assert_eq!(ordered(&second, &theirs).await.0, 200, "the same number");

    // A merchant cannot sign for another one or use its application.
    let (status, code, _) = second.call(Method::GET, &query(&ours.0), "").await;
    assert_eq!((status, code.as_str()), (400, "PARAM_ERROR"));
    let mixed = (theirs.0.clone(), ours.1.clone());
    assert_eq!(ordered(&second, &mixed).await.1, "APPID_MCHID_NOT_MATCH");

    let paying = json!({ "code_url": code_url, "outcome": "success" });
    let (_, paid) = first.pay(paying).await;
    let id = paid["transaction_id"].as_str().unwrap();
    let by_id = |mchid: &str| format!("/v3/pay/transactions/id/{id}?mchid={mchid}");
    assert_eq!(first.call(Method::GET, &by_id(&ours.0), "").await.0, 200);
    assert_eq!(second.call(Method::GET, &by_id(&theirs.0), "").await.0, 404);
    let refund = json!({
        "transaction_id": id, "out_refund_no": "R1",
        "amount": { "refund": 1, "total": 1990, "currency": "CNY" },
    });
    let refunds = "/v3/refund/domestic/refunds";
    let refused = second
        .call(Method::POST, refunds, &refund.to_string())
        .await;
    assert_eq!(
        (refused.0, refused.1.as_str()),
        (404, "RESOURCE_NOT_EXISTS")
    );

    let bill = "/v3/bill/tradebill?bill_date=2026-01-01";
    let (_, _, ours_bill) = first.call(Method::GET, bill, "").await;
    let link = ours_bill["download_url"].as_str().unwrap();
    let link = link.strip_prefix(crate::harness::BASE_URL).unwrap();
    let (status, code, _) = second.call(Method::GET, link, "").await;
    assert_eq!((status, code.as_str()), (403, "NO_AUTH"));
    let (status, code, _) = second.call(Method::GET, bill, "").await;
    assert_eq!((status, code.as_str()), (400, "NO_STATEMENT_EXIST"));

    let ledger = |mchid: &str| first.simulator.ledger_view(Some(mchid)).orders;
    assert_eq!((ledger(&ours.0).len(), ledger(&theirs.0).len()), (1, 1));
}
