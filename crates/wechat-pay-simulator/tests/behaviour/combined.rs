//! Combined orders: one payment for several sub-orders, in the cashier, the query, and the notification.

mod faults;
mod money;
mod partner;
mod rules;

use http::StatusCode;
use serde_json::{Value, json};
use wechat_pay::{
    AppOrdered, CombinedOrder, CombinedTransaction, Description, Fen, H5Ordered, JsapiOrdered,
    NativeOrdered, NotifiedResource, NotifyUrl, OutTradeNo, ProductFields, ReplyError, SubOrder,
    TradeState, close_combined_order, query_combined_order,
};

use crate::harness::{Harness, NOTIFY_URL, h5_fields, start};

fn number(text: &str) -> OutTradeNo {
    OutTradeNo::parse(text).unwrap()
}

fn sub_order(mchid: &str, number: OutTradeNo, description: &str, fen: i64) -> SubOrder {
    let description = Description::parse(description).unwrap();
    SubOrder::new(
        mchid,
        number,
        description,
        "shelf 4",
        Fen::new(fen).unwrap(),
    )
}

/// Two sub-orders of 19.90 and 0.10 yuan, `-1` and `-2` behind the order's own number.
fn order(harness: &Harness, text: &str, product: ProductFields) -> CombinedOrder {
    let merchant = harness.merchant();
    let mut order = CombinedOrder::new(
        merchant.appid.clone(),
        merchant.mchid.clone(),
        number(text),
        vec![
            sub_order(
                &merchant.mchid,
                number(&format!("{text}-1")),
                "一壶茶",
                1990,
            ),
            sub_order(&merchant.mchid, number(&format!("{text}-2")), "一只杯", 10),
        ],
        NotifyUrl::parse(NOTIFY_URL).unwrap(),
        product,
    );
    if order.product == h5_fields() {
        order.scene_info = json!({ "device_id": "till-04" }).as_object().cloned();
    }
    order
}

async fn native(harness: &Harness, text: &str) -> String {
    let request = order(harness, text, ProductFields::Native).request();
    let reply = harness.send(request.unwrap()).await.unwrap();
    reply.parse::<NativeOrdered>().unwrap().code_url
}

/// Pays; returns WeChat's numbers of the sub-orders.
async fn pay(harness: &Harness, code_url: &str) -> Vec<String> {
    let paying = json!({ "code_url": code_url, "outcome": "success" });
    let (status, answer) = harness.pay(paying).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    serde_json::from_value(answer["transaction_ids"].clone()).unwrap()
}

async fn query(harness: &Harness, text: &str) -> CombinedTransaction {
    let request = query_combined_order(&number(text));
    harness.send(request).await.unwrap().parse().unwrap()
}

async fn close(harness: &Harness, order: &CombinedOrder) -> Result<u16, ReplyError> {
    let request = close_combined_order(&order.combine_out_trade_no, &order.closing());
    let reply = harness.send(request).await?;
    Ok(reply.status().as_u16())
}

/// Status and code of a refusal.
fn said(result: Result<impl std::fmt::Debug, ReplyError>) -> (u16, String) {
    let error = result.unwrap_err();
    let said = error.wechat().unwrap();
    assert!(said.trusted);
    (said.status, said.code.clone())
}

#[tokio::test]
async fn each_product_answers_with_its_own_link() {
    let harness = Harness::new();
    for (text, product) in [
        ("C20261", ProductFields::Native),
        ("C20262", h5_fields()),
        ("C20263", harness.jsapi()),
        ("C20264", ProductFields::App),
    ] {
        let request = order(&harness, text, product.clone()).request().unwrap();
        let reply = harness.send(request).await.unwrap();
        let link = match product {
            ProductFields::Native => reply.parse::<NativeOrdered>().unwrap().code_url,
            ProductFields::H5 { .. } => reply.parse::<H5Ordered>().unwrap().h5_url,
            ProductFields::Jsapi { .. } => reply.parse::<JsapiOrdered>().unwrap().prepay_id,
            ProductFields::App => reply.parse::<AppOrdered>().unwrap().prepay_id,
        };
        let name = match product {
            ProductFields::Native => "code_url",
            ProductFields::H5 { .. } => "h5_url",
            _ => "prepay_id",
        };
        let paying = json!({ name: link, "outcome": "success" });
        assert_eq!(harness.pay(paying).await.0, StatusCode::OK, "{text}");
        assert!(query(&harness, text).await.is_paid(), "{text}");
    }
}

#[tokio::test]
async fn one_payment_pays_every_sub_order_under_a_number_of_its_own() {
    let harness = Harness::new();
    let code_url = native(&harness, "C20261").await;
    let unpaid = query(&harness, "C20261").await;
    assert_eq!(unpaid.trade_state(), Some(TradeState::NotPay));
    assert_eq!(unpaid.openid(), None);
    assert_eq!(unpaid.sub_orders[0].transaction_id, None);
    let ids = pay(&harness, &code_url).await;
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);

    let paid = query(&harness, "C20261").await;
    assert!(paid.is_paid());
    assert_eq!(paid.combine_mchid, harness.merchant().mchid);
    assert_eq!(paid.total(), Some(Fen::new(2000).unwrap()));
    let buyer = harness.simulator.openid(&harness.merchant().appid);
    assert_eq!(paid.openid(), Some(buyer.as_str()));
    for (place, (text, fen)) in [("C20261-1", 1990), ("C20261-2", 10)].iter().enumerate() {
        let transaction = &paid.transactions()[place];
        assert_eq!(transaction.out_trade_no, *text);
        assert_eq!(transaction.transaction_id.as_ref(), Some(&ids[place]));
        assert_eq!(transaction.payer_total().map(Fen::get), Some(*fen));
        assert_eq!(transaction.attach.as_deref(), Some("shelf 4"));
        assert_eq!(transaction.success_time(), Some(start()));
    }

    harness.simulator.run_due().await;
    let mut notified = harness.notified();
    assert_eq!(notified.len(), 1, "one payment is one notification");
    let NotifiedResource::Combined(told) = notified.remove(0).resource else {
        panic!("a combined order was paid");
    };
    assert_eq!(*told, paid);
}

#[tokio::test]
async fn the_ledger_shows_the_sub_orders_as_orders_and_the_whole_beside_them() {
    let harness = Harness::new();
    let code_url = native(&harness, "C20261").await;
    pay(&harness, &code_url).await;
    harness.simulator.run_due().await;
    let view = harness.simulator.ledger_view(None);
    let whole = &view.combined[0];
    assert_eq!(whole.combine_out_trade_no, "C20261");
    assert_eq!(whole.sub_orders, ["C20261-1", "C20261-2"]);
    assert_eq!(whole.total.get(), 2000);
    assert_eq!((whole.attempts.len(), whole.notifications.len()), (1, 1));
    assert!(whole.notifications[0].acked);
    let numbers = view.orders.iter().map(|order| {
        let whole = order.combine_out_trade_no.as_deref();
        (order.out_trade_no.as_str(), whole, order.total.get())
    });
    assert_eq!(
        numbers.collect::<Vec<_>>(),
        [
            ("C20261-1", Some("C20261"), 1990),
            ("C20261-2", Some("C20261"), 10)
        ]
    );
    // The fields are those of the description.
    let described = harness.get("/_simulator/openapi.json").await;
    let described: Value = serde_json::from_slice(described.body()).unwrap();
    let described = &described["components"]["schemas"]["LedgerCombined"]["properties"];
    let shown = serde_json::to_value(whole).unwrap();
    let names =
        |json: &Value| -> Vec<String> { json.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(names(&shown), names(described));
}

#[tokio::test]
async fn a_sub_order_is_paid_with_its_whole_order_and_never_alone() {
    let harness = Harness::new();
    for (text, named) in [
        ("C20261", json!({ "out_trade_no": "C20261-2" })),
        ("C20262", json!({ "combine_out_trade_no": "C20262" })),
    ] {
        native(&harness, text).await;
        let mut paying = named;
        paying["mchid"] = harness.merchant().mchid.clone().into();
        paying["outcome"] = "success".into();
        assert_eq!(
            harness.pay(paying.clone()).await.0,
            StatusCode::OK,
            "{text}"
        );
        assert!(query(&harness, text).await.is_paid(), "{text}");
        let (status, answer) = harness.pay(paying).await;
        assert_eq!(
            (status.as_u16(), &answer["error"]["code"]),
            (409, &json!("ORDER_PAID"))
        );
    }
}

#[tokio::test]
async fn each_cashier_shows_the_total_and_the_sub_orders() {
    let harness = Harness::new();
    let code_url = native(&harness, "C20261").await;
    let encoded: String = url::form_urlencoded::byte_serialize(code_url.as_bytes()).collect();
    let phone = harness
        .get(&format!("/phone/scan?code_url={encoded}"))
        .await;

    let request = order(&harness, "C20262", h5_fields()).request().unwrap();
    let reply = harness.send(request).await.unwrap();
    let h5_url = reply.parse::<H5Ordered>().unwrap().h5_url;
    let path = h5_url.strip_prefix(crate::harness::BASE_URL).unwrap();
    let request = http::Request::get(path).header("referer", "http://127.0.0.1:8000/");
    let request = request.body(axum::body::Body::empty()).unwrap();
    let h5 = crate::harness::send(harness.simulator.app(), request).await;
    for page in [crate::harness::text(&phone), crate::harness::text(&h5)] {
        for shown in ["¥20.00", "一壶茶", "¥19.90", "一只杯", "¥0.10"] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
    }

    let request = order(&harness, "C20263", harness.jsapi())
        .request()
        .unwrap();
    let reply = harness.send(request).await.unwrap();
    let prepay_id = reply.parse::<JsapiOrdered>().unwrap().prepay_id;
    let params = crate::browser::params_of(&harness, &prepay_id);
    let opened = crate::browser::ask(&harness, "/_wechat/cashier", &params).await;
    assert_eq!(
        opened["sheet"]["sub_orders"],
        json!(["一壶茶 ¥19.90", "一只杯 ¥0.10"])
    );
    assert_eq!(opened["sheet"]["amount"], "20.00");
}
