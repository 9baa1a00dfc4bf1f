//! Profit sharing: receivers, shares, releases, returns, and what is left.

use http::Method;
use serde_json::{Value, json};
use wechat_pay::{
    NotifiedResource, ProductFields, PublicKey, Receiver, ReceiverRelation, ReceiverType, Sharer,
};

use crate::harness::{Harness, NOTIFY_URL};

const SHARES: &str = "/v3/profitsharing/orders";
const RETURNS: &str = "/v3/profitsharing/return-orders";
const REFUNDS: &str = "/v3/refund/domestic/refunds";
const SUPPLIER: &str = "86693852";

/// `T00001` is paid, and its money is held. Returns WeChat's number of the payment.
async fn held(harness: &Harness) -> String {
    let mut order = harness.order("T00001", ProductFields::Native);
    order.settle_info = Some(json!({ "profit_sharing": true }));
    let reply = harness.send(order.request().unwrap()).await.unwrap();
    let code_url = reply.parse::<wechat_pay::NativeOrdered>().unwrap().code_url;
    let paid = json!({ "code_url": code_url, "outcome": "success" });
    let (_, answer) = harness.pay(paid).await;
    harness.simulator.run_due().await;
    answer["transaction_id"].as_str().unwrap().to_owned()
}

/// A receiver as the merchant's program sends it.
async fn add(harness: &Harness, account: &str) -> Result<(), wechat_pay::ReplyError> {
    let receiver = Receiver {
        sharer: Sharer {
            appid: harness.merchant().appid.clone(),
            sub_mchid: None,
            sub_appid: None,
        },
        kind: ReceiverType::Merchant,
        account: account.to_owned(),
        name: Some("某某茶行".to_owned()),
        relation: ReceiverRelation::Supplier,
        custom_relation: None,
    };
    let (serial, key): (&str, &PublicKey) = harness.keys.sealing_key(0).unwrap();
    let sealed = receiver.seal(serial, key).unwrap();
    let serial = sealed.serial().to_owned();
    let mut request = harness.signed(sealed.parts().clone());
    let headers = request.headers_mut();
    headers.insert("wechatpay-serial", serial.parse().unwrap());
    let reply = harness.send_raw(request).await;
    let now_s = crate::harness::start().as_second();
    reply.verify(&harness.keys, now_s).map(drop)
}

fn share(harness: &Harness, id: &str, number: &str, amount: u64) -> Value {
    json!({
        "appid": harness.merchant().appid, "transaction_id": id, "out_order_no": number,
        "receivers": [{
            "type": "MERCHANT_ID", "account": SUPPLIER, "amount": amount, "description": "货款",
        }],
        "unfreeze_unsplit": false,
    })
}

async fn post(harness: &Harness, path: &str, body: &Value) -> (u16, String, Value) {
    harness.call(Method::POST, path, &body.to_string()).await
}

async fn state_of(harness: &Harness, id: &str, number: &str) -> Value {
    let path = format!("{SHARES}/{number}?transaction_id={id}");
    let (status, _, answer) = harness.call(Method::GET, &path, "").await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn unsplit(harness: &Harness, id: &str) -> i64 {
    let path = format!("/v3/profitsharing/transactions/{id}/amounts");
    let (_, _, answer) = harness.call(Method::GET, &path, "").await;
    answer["unsplit_amount"].as_i64().unwrap()
}

fn refund(number: &str, amount: i64) -> Value {
    json!({
        "out_trade_no": "T00001", "out_refund_no": number, "notify_url": NOTIFY_URL,
        "amount": { "refund": amount, "total": 1990, "currency": "CNY" },
    })
}

#[tokio::test]
async fn a_share_is_accepted_first_and_carried_out_later() {
    let harness = Harness::new();
    let id = held(&harness).await;
    add(&harness, SUPPLIER).await.unwrap();
    let body = share(&harness, &id, "P1", 800);
    let (status, _, answer) = post(&harness, SHARES, &body).await;
    assert_eq!((status, &answer["state"]), (200, &json!("PROCESSING")));
    assert_eq!(answer["receivers"][0]["result"], "PENDING");
    assert_eq!(unsplit(&harness, &id).await, 1190);
    let (_, _, again) = post(&harness, SHARES, &body).await;
    assert_eq!(again, answer, "the same number is the same share");
    harness.advance(3);
    let answer = state_of(&harness, &id, "P1").await;
    assert_eq!(answer["state"], "FINISHED");
    assert_eq!(answer["receivers"][0]["result"], "SUCCESS");
    let view = harness.simulator.ledger_view(None);
    assert_eq!(view.shares[0].received.get(), 800);
}

type Change = fn(&mut Value);

#[tokio::test]
async fn each_rule_is_refused_with_wechats_code() {
    let harness = Harness::new();
    let id = held(&harness).await;
    let unknown = post(&harness, SHARES, &share(&harness, &id, "P1", 800)).await;
    assert_eq!((unknown.0, &*unknown.1), (400, "INVALID_REQUEST"));
    let message = unknown.2["message"].as_str().unwrap();
    assert!(message.starts_with("分账接收方关系不存在"), "{message}");
    add(&harness, SUPPLIER).await.unwrap();
    post(&harness, SHARES, &share(&harness, &id, "P1", 800)).await;
    let cases: [(Change, u16, &str); 5] = [
        (
            |b| b["receivers"][0]["amount"] = json!(1_191),
            403,
            "NOT_ENOUGH",
        ),
        (|b| b["out_order_no"] = json!("P1"), 400, "INVALID_REQUEST"),
        (
            |b| b["transaction_id"] = json!("42"),
            400,
            "INVALID_REQUEST",
        ),
        (|b| b["receivers"] = json!([]), 400, "PARAM_ERROR"),
        (|b| b["appid"] = json!("wx1"), 400, "INVALID_REQUEST"),
    ];
    for (change, status, code) in cases {
        let mut body = share(&harness, &id, "P2", 1);
        change(&mut body);
        let (got, said, answer) = post(&harness, SHARES, &body).await;
        assert_eq!((got, said.as_str()), (status, code), "{answer}");
    }
    let nobody = format!("{SHARES}/P9?transaction_id={id}");
    let (status, code, _) = harness.call(Method::GET, &nobody, "").await;
    assert_eq!((status, &*code), (404, "RESOURCE_NOT_EXISTS"));

    let harness = Harness::new();
    add(&harness, SUPPLIER).await.unwrap();
    let id = harness.pay_native("T00001").await;
    let (status, _, answer) = post(&harness, SHARES, &share(&harness, &id, "P1", 1)).await;
    assert_eq!(
        (status, &answer["message"]),
        (400, &json!("非分账订单不支持分账"))
    );
}

#[tokio::test]
async fn after_the_release_nothing_is_shared_and_a_refund_takes_all() {
    let harness = Harness::new();
    let id = held(&harness).await;
    add(&harness, SUPPLIER).await.unwrap();
    post(&harness, SHARES, &share(&harness, &id, "P1", 800)).await;
    let (status, code, answer) = post(&harness, REFUNDS, &refund("R1", 1_191)).await;
    assert_eq!((status, &*code), (403, "RULE_LIMIT"), "{answer}");
    let release = json!({ "transaction_id": id, "out_order_no": "F1", "description": "完结" });
    let path = "/v3/profitsharing/orders/unfreeze";
    assert_eq!(post(&harness, path, &release).await.0, 200);
    assert_eq!(post(&harness, REFUNDS, &refund("R1", 1_191)).await.0, 403);
    let (status, code, _) = post(&harness, SHARES, &share(&harness, &id, "P2", 1)).await;
    assert_eq!((status, &*code), (403, "NOT_ENOUGH"));
    harness.advance(3);
    let released = state_of(&harness, &id, "F1").await;
    assert_eq!(released["receivers"][0]["amount"], 1190);
    assert_eq!(
        released["receivers"][0]["account"],
        harness.merchant().mchid.as_str()
    );
    assert_eq!(post(&harness, REFUNDS, &refund("R1", 1_990)).await.0, 200);
}

#[tokio::test]
async fn a_merchant_returns_what_it_got_and_no_more() {
    let harness = Harness::new();
    let id = held(&harness).await;
    add(&harness, SUPPLIER).await.unwrap();
    post(&harness, SHARES, &share(&harness, &id, "P1", 800)).await;
    let body = |number: &str, amount: u64| {
        json!({
            "out_order_no": "P1", "out_return_no": number, "return_mchid": SUPPLIER,
            "amount": amount, "description": "退货",
        })
    };
    assert_eq!(
        post(&harness, RETURNS, &body("Z1", 1)).await.0,
        400,
        "early"
    );
    harness.advance(3);
    let (status, _, answer) = post(&harness, RETURNS, &body("Z1", 300)).await;
    assert_eq!((status, &answer["result"]), (200, &json!("PROCESSING")));
    assert_eq!(post(&harness, RETURNS, &body("Z1", 301)).await.0, 400);
    assert_eq!(post(&harness, RETURNS, &body("Z2", 501)).await.0, 400);
    harness.advance(3);
    let path = format!("{RETURNS}/Z1?out_order_no=P1");
    let (_, _, answer) = harness.call(Method::GET, &path, "").await;
    assert_eq!(answer["result"], "SUCCESS");
    assert_eq!(unsplit(&harness, &id).await, 1190, "it is not held again");
    let view = serde_json::to_value(harness.simulator.ledger_view(None)).unwrap();
    let shared = &view["shares"][0];
    assert_eq!(shared["returned"], 300);
    let got = json!([{ "account": SUPPLIER, "amount": 800, "result": "SUCCESS" }]);
    assert_eq!(shared["receivers"], got);
    let gave = json!([{
        "out_return_no": "Z1", "return_mchid": SUPPLIER, "amount": 300, "result": "SUCCESS",
    }]);
    assert_eq!(shared["returns"], gave);
}

#[tokio::test]
async fn a_receiver_is_added_with_its_name_and_deleted() {
    let harness = Harness::new();
    let id = held(&harness).await;
    add(&harness, SUPPLIER).await.unwrap();
    add(&harness, SUPPLIER).await.unwrap();
    let place = json!({
        "appid": harness.merchant().appid, "type": "MERCHANT_ID", "account": SUPPLIER,
    });
    let mut open = place.clone();
    open["relation_type"] = "SUPPLIER".into();
    let add_path = "/v3/profitsharing/receivers/add";
    let (status, code, _) = post(&harness, add_path, &open).await;
    assert_eq!((status, &*code), (400, "PARAM_ERROR"), "a name is missing");
    open["name"] = "某某茶行".into();
    let (status, code, _) = post(&harness, add_path, &open).await;
    assert_eq!((status, &*code), (400, "PARAM_ERROR"), "it is not sealed");
    let delete = "/v3/profitsharing/receivers/delete";
    assert_eq!(post(&harness, delete, &place).await.0, 200);
    let (status, ..) = post(&harness, SHARES, &share(&harness, &id, "P1", 1)).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_merchant_that_receives_is_told_with_the_event_of_a_payment() {
    let setting = format!("share_notify_url={NOTIFY_URL}");
    let harness = Harness::with_settings(&[&setting]);
    let id = held(&harness).await;
    let mut body = share(&harness, &id, "P1", 800);
    body["receivers"][0]["account"] = harness.merchant().mchid.clone().into();
    post(&harness, SHARES, &body).await;
    harness.advance(3);
    harness.simulator.run_due().await;
    let told = harness.notified().pop().unwrap();
    assert_eq!(told.event_type, "TRANSACTION.SUCCESS");
    let NotifiedResource::Share(notice) = told.resource else {
        panic!("{:?}", told.resource);
    };
    assert_eq!(notice.out_order_no, "P1");
    assert_eq!(notice.receiver.amount.get(), 800);
}

#[tokio::test]
async fn another_merchant_that_receives_is_told_by_its_own_keys() {
    let (first, second) = Harness::with_another_merchant();
    let setting = format!("share_notify_url={NOTIFY_URL}");
    let settings = wechat_pay_simulator::Settings::default();
    let settings = settings.with("trust=certificates").unwrap();
    first
        .simulator
        .set_settings(settings.with(&setting).unwrap());
    // The sharing merchant asks for the public key; the receiving one has asked for nothing.
    let (receiver, _) = crate::merchants::numbers(&first, 1).await;
    let mut order = first.order("T00001", ProductFields::Native);
    order.settle_info = Some(json!({ "profit_sharing": true }));
    let stamp = wechat_pay::Stamp::new(crate::harness::start().as_second(), [7; 16]);
    let asked = first.merchant().public_key_id.clone();
    let signed = order
        .request()
        .unwrap()
        .sign(&first.key, &stamp, Some(&asked));
    let request = signed.unwrap().into_http("").unwrap();
    let reply = first.send_raw(request.map(axum::body::Body::from)).await;
    let now_s = crate::harness::start().as_second();
    let reply = reply.verify(&first.keys, now_s).unwrap();
    let code_url = reply.parse::<wechat_pay::NativeOrdered>().unwrap().code_url;
    let paying = json!({ "code_url": code_url, "outcome": "success" });
    let (_, answer) = first.pay(paying).await;
    let id = answer["transaction_id"].as_str().unwrap().to_owned();
    first.simulator.run_due().await;
    add(&first, &receiver).await.unwrap();
    let mut body = share(&first, &id, "P1", 800);
    body["receivers"][0]["account"] = receiver.into();
    let (status, _, answer) = post(&first, SHARES, &body).await;
    assert_eq!(status, 200, "{answer}");
    first.advance(3);
    first.simulator.run_due().await;
    let inbox = first.inbox.lock().unwrap();
    let serial = |place: usize| inbox.received[place].0["wechatpay-serial"].clone();
    assert_eq!(serial(0), asked.as_str(), "the payment");
    assert!(!serial(1).to_str().unwrap().starts_with("PUB_KEY_ID_"));
    let (headers, _) = &inbox.received[1];
    assert!(
        second
            .keys
            .get(headers["wechatpay-serial"].to_str().unwrap())
            .is_some()
    );
}
