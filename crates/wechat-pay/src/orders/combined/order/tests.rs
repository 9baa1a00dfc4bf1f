//! Combined orders: routes, bodies and rules, in both modes; closing.

use payment_values::OpenId;
use serde_json::json;

use super::*;
use crate::order_fields::Description;
use crate::orders::combined::closing::close_combined_order;
use crate::orders::combined::sub_order::SUB_ORDER_TOTAL_MAX;
use crate::orders::product::H5Type;

fn number(text: &str) -> OutTradeNo {
    OutTradeNo::parse(text).unwrap()
}

fn sub_order(mchid: &str, out_trade_no: &str, fen: i64) -> SubOrder {
    SubOrder::new(
        mchid,
        number(out_trade_no),
        Description::parse("茶").unwrap(),
        "shelf 4",
        Fen::new(fen).unwrap(),
    )
}

fn order(product: ProductFields) -> CombinedOrder {
    CombinedOrder::new(
        "wx8888888888888888",
        "1900007291",
        number("C2026|01*"),
        vec![
            sub_order("1900007291", "C2026-1", 1990),
            sub_order("1900007292", "C2026-2", 10),
        ],
        NotifyUrl::parse("https://shop.example/n").unwrap(),
        product,
    )
}

fn partner_order(product: ProductFields) -> CombinedOrder {
    let mut order = order(product);
    for (sub_order, sub_mchid) in order
        .sub_orders
        .iter_mut()
        .zip(["1600000001", "1600000002"])
    {
        sub_order.mchid = "1900007291".into();
        sub_order.sub_mchid = Some(sub_mchid.into());
    }
    order
}

fn jsapi() -> ProductFields {
    ProductFields::Jsapi {
        openid: OpenId::parse("oUpF8").unwrap(),
    }
}

fn body(order: &CombinedOrder) -> Value {
    serde_json::from_slice(&order.request().unwrap().body).unwrap()
}

#[test]
fn a_merchants_order_has_the_documented_body() {
    let order = order(ProductFields::Native);
    let request = order.request().unwrap();
    assert_eq!(request.path_and_query, "/v3/combine-transactions/native");
    assert_eq!(
        std::str::from_utf8(&request.body).unwrap(),
        concat!(
            r#"{"combine_appid":"wx8888888888888888","combine_mchid":"1900007291","combine_out_trade_no":"C2026|01*","#,
            r#""sub_orders":[{"mchid":"1900007291","attach":"shelf 4","amount":{"total_amount":1990,"currency":"CNY"},"#,
            r#""out_trade_no":"C2026-1","description":"茶"},{"mchid":"1900007292","attach":"shelf 4","#,
            r#""amount":{"total_amount":10,"currency":"CNY"},"out_trade_no":"C2026-2","description":"茶"}],"#,
            r#""notify_url":"https://shop.example/n"}"#
        )
    );
    assert_eq!(order.total(), Fen::new(2000).unwrap());
    let again = replay_combined_order(Product::Native, request.body.clone());
    assert_eq!(again, request);
}

#[test]
fn each_product_has_its_route_and_its_fields() {
    let with_openid = order(jsapi());
    let request = with_openid.request().unwrap();
    assert_eq!(request.path_and_query, "/v3/combine-transactions/jsapi");
    assert_eq!(
        body(&with_openid)["combine_payer_info"],
        json!({"openid": "oUpF8"})
    );
    let app = order(ProductFields::App).request().unwrap();
    assert_eq!(app.path_and_query, "/v3/combine-transactions/app");
    let mut h5 = order(ProductFields::H5 {
        payer_client_ip: "198.51.100.1".parse().unwrap(),
        h5_type: H5Type::Wap,
    });
    // Unlike an ordinary order.
    assert_eq!(
        h5.request().unwrap_err().to_string(),
        "scene_info.device_id: is required"
    );
    h5.scene_info = json!({"device_id": "till-0004"}).as_object().cloned();
    let request = h5.request().unwrap();
    assert_eq!(request.path_and_query, "/v3/combine-transactions/h5");
    assert_eq!(
        body(&h5)["scene_info"],
        json!({"device_id": "till-0004", "payer_client_ip": "198.51.100.1", "h5_info": {"type": "Wap"}})
    );
}

#[test]
fn optional_fields_are_sent_if_they_are_given() {
    let mut full = order(ProductFields::Native);
    full.time_expire = Some("2018-06-08T02:34:56Z".parse().unwrap());
    full.scene_info = json!({"payer_client_ip": "198.51.100.1", "device_id": "d"})
        .as_object()
        .cloned();
    full.sub_orders[0].goods_tag = Some("TAG".into());
    full.sub_orders[1].settle_info = Some(json!({"profit_sharing": true}));
    let body = body(&full);
    assert_eq!(body["time_expire"], "2018-06-08T10:34:56+08:00");
    assert_eq!(body["scene_info"]["device_id"], "d");
    assert_eq!(body["sub_orders"][0]["goods_tag"], "TAG");
    assert_eq!(body["sub_orders"][1]["settle_info"]["profit_sharing"], true);
}

#[test]
fn a_providers_order_names_a_sub_merchant_in_each_sub_order() {
    let mut order = partner_order(jsapi());
    order.sub_orders[1].sub_appid = Some("wxsub".into());
    order.openid_owner = OpenIdOwner::SubMerchant;
    let sent = body(&order);
    assert_eq!(sent["combine_payer_info"], json!({"sub_openid": "oUpF8"}));
    assert_eq!(sent["sub_orders"][0]["sub_mchid"], "1600000001");
    assert_eq!(sent["sub_orders"][1]["sub_appid"], "wxsub");
    order.sub_orders[1].sub_appid = None;
    assert_eq!(
        order.request().unwrap_err().to_string(),
        "sub_appid: is required"
    );
    let mut single = partner_order(ProductFields::Native);
    single.sub_orders.truncate(1);
    assert!(single.request().is_ok());
}

#[test]
fn invalid_values_are_refused_before_sending() {
    type Change = fn(&mut CombinedOrder);
    let table: [(Change, &str); 13] = [
        (
            |o| o.combine_appid.clear(),
            "combine_appid: must not be empty",
        ),
        (
            |o| o.combine_mchid = "1 9".into(),
            "combine_mchid: may only have characters of [0-9a-zA-Z]",
        ),
        (
            |o| o.sub_orders.truncate(1),
            "sub_orders: must be a list of 2 to 10 sub-orders",
        ),
        (
            |o| {
                o.sub_orders = (0..11)
                    .map(|i| sub_order("1", &format!("C-2026{i}"), 1))
                    .collect();
            },
            "sub_orders: must be a list of 2 to 10 sub-orders",
        ),
        (
            |o| o.sub_orders[1].sub_mchid = Some("1600000001".into()),
            "sub_mchid: must be given in every sub-order or in none",
        ),
        (
            |o| o.sub_orders[1].sub_appid = Some("wxsub".into()),
            "sub_mchid: is required",
        ),
        (
            |o| o.sub_orders[1].out_trade_no = number("C2026-1"),
            "out_trade_no: must be a number that no other sub-order of the order has",
        ),
        (
            |o| o.sub_orders[0].total = Fen::ZERO,
            "amount.total_amount: must be at least 1",
        ),
        (
            |o| o.sub_orders[0].total = SUB_ORDER_TOTAL_MAX.saturating_add(Fen::ONE),
            "amount.total_amount: must be at most 1000000000",
        ),
        (
            |o| o.sub_orders[0].attach.clear(),
            "attach: must not be empty",
        ),
        (
            |o| o.sub_orders[0].goods_tag = Some("a".repeat(33)),
            "goods_tag: must be at most 32 bytes of UTF-8, is 33",
        ),
        (
            |o| o.sub_orders[0].settle_info = Some(json!({"subsidy_amount": 1})),
            "settle_info: has a name in it that APIv3 does not document",
        ),
        (
            |o| {
                o.scene_info = json!({"payer_client_ip": "1", "store_info": {"id": "1"}})
                    .as_object()
                    .cloned();
            },
            "scene_info: has a name in it that APIv3 does not document",
        ),
    ];
    for (change, message) in table {
        let mut changed = order(ProductFields::Native);
        change(&mut changed);
        assert_eq!(changed.request().unwrap_err().to_string(), message);
    }
    let mut other = partner_order(ProductFields::Native);
    other.sub_orders[1].mchid = "1900007292".into();
    assert_eq!(
        other.request().unwrap_err().to_string(),
        "mchid: must be the service provider's own number in partner mode"
    );
    let mut twice = partner_order(ProductFields::Native);
    for sub_order in &mut twice.sub_orders {
        sub_order.sub_appid = Some("wxsub".into());
    }
    assert_eq!(
        twice.request().unwrap_err().to_string(),
        "sub_appid: must be given in one sub-order at most"
    );
}

#[test]
fn numbers_in_a_path_are_encoded_before_they_are_signed() {
    assert_eq!(
        query_combined_order(&number("C2026|01*")).path_and_query,
        "/v3/combine-transactions/out-trade-no/C2026%7C01%2A"
    );
}

#[test]
fn an_order_is_closed_with_the_names_of_its_stored_body() {
    let mut order = partner_order(ProductFields::Native);
    order.sub_orders[0].sub_appid = Some("wxsub".into());
    let stored = order.request().unwrap().body;
    let closing = CombinedClosing::of_order(&stored).unwrap();
    assert_eq!(closing, order.closing());
    let request = close_combined_order(&order.combine_out_trade_no, &closing);
    assert_eq!(
        request.path_and_query,
        "/v3/combine-transactions/out-trade-no/C2026%7C01%2A/close"
    );
    assert_eq!(
        std::str::from_utf8(&request.body).unwrap(),
        concat!(
            r#"{"combine_appid":"wx8888888888888888","sub_orders":["#,
            r#"{"mchid":"1900007291","out_trade_no":"C2026-1","sub_mchid":"1600000001","sub_appid":"wxsub"},"#,
            r#"{"mchid":"1900007291","out_trade_no":"C2026-2","sub_mchid":"1600000002"}]}"#
        )
    );
    assert_eq!(
        CombinedClosing::of_order(b"{\"combine_appid\":\"wx\"}")
            .unwrap_err()
            .to_string(),
        "sub_orders is missing"
    );
}
