//! Orders: routes, bodies and rules of each product.

use payment_values::OpenId;
use serde_json::json;

use super::*;
use crate::orders::product::H5Type;

fn order(product: ProductFields) -> Order {
    Order::new(
        Orderer::merchant("wx8888888888888888", "1900007291"),
        OutTradeNo::parse("T2026|01*").unwrap(),
        Description::parse("茶").unwrap(),
        Fen::new(1990).unwrap(),
        NotifyUrl::parse("https://shop.example/n").unwrap(),
        product,
    )
}

fn body(order: &Order) -> Value {
    serde_json::from_slice(&order.request().unwrap().body).unwrap()
}

#[test]
fn each_product_has_its_route_and_its_fields() {
    let native = order(ProductFields::Native);
    assert_eq!(
        native.request().unwrap().path_and_query,
        "/v3/pay/transactions/native"
    );
    assert!(body(&native).get("payer").is_none());
    assert!(body(&native).get("scene_info").is_none());

    let h5 = order(ProductFields::H5 {
        payer_client_ip: "2001:db8::1".parse().unwrap(),
        h5_type: H5Type::Wap,
    });
    assert_eq!(
        h5.request().unwrap().path_and_query,
        "/v3/pay/transactions/h5"
    );
    assert_eq!(
        body(&h5)["scene_info"],
        json!({"payer_client_ip": "2001:db8::1", "h5_info": {"type": "Wap"}})
    );

    let jsapi = order(ProductFields::Jsapi {
        openid: OpenId::parse("oUpF8").unwrap(),
    });
    assert_eq!(
        jsapi.request().unwrap().path_and_query,
        "/v3/pay/transactions/jsapi"
    );
    assert_eq!(body(&jsapi)["payer"]["openid"], "oUpF8");

    let app = order(ProductFields::App);
    assert_eq!(
        app.request().unwrap().path_and_query,
        "/v3/pay/transactions/app"
    );
    assert!(body(&app).get("payer").is_none());
}

#[test]
fn optional_fields_are_sent_if_they_are_given() {
    let mut full = order(ProductFields::Native);
    full.time_expire = Some("2018-06-08T02:34:56Z".parse().unwrap());
    full.attach = Some("order 1".into());
    full.goods_tag = Some("TAG".into());
    full.support_fapiao = Some(true);
    full.detail = Some(json!({"cost_price": 1, "goods_detail": []}));
    full.settle_info = Some(json!({"profit_sharing": false}));
    full.scene_info = json!({"payer_client_ip": "198.51.100.1", "device_id": "d"})
        .as_object()
        .cloned();
    let body = body(&full);
    assert_eq!(body["time_expire"], "2018-06-08T10:34:56+08:00");
    assert_eq!(body["attach"], "order 1");
    assert_eq!(body["goods_tag"], "TAG");
    assert_eq!(body["support_fapiao"], true);
    assert_eq!(body["detail"]["cost_price"], 1);
    assert_eq!(body["settle_info"]["profit_sharing"], false);
    assert_eq!(body["scene_info"]["device_id"], "d");
}

#[test]
fn invalid_values_are_refused_before_sending() {
    type Change = fn(&mut Order);
    let table: [(Change, &str); 8] = [
        (|o| o.total = Fen::ZERO, "amount.total: must be at least 1"),
        (|o| o.orderer.appid.clear(), "appid: must not be empty"),
        (
            |o| o.orderer.appid = "wx 1".into(),
            "appid: may only have characters of [0-9a-zA-Z]",
        ),
        (
            |o| o.orderer.account = Account::new(&"1".repeat(33), None),
            "mchid: must be at most 32 bytes of UTF-8, is 33",
        ),
        (
            |o| o.attach = Some("a".repeat(129)),
            "attach: must be at most 128 bytes of UTF-8, is 129",
        ),
        (
            |o| o.attach = Some(String::new()),
            "attach: must not be empty",
        ),
        (
            |o| o.goods_tag = Some("a".repeat(33)),
            "goods_tag: must be at most 32 bytes of UTF-8, is 33",
        ),
        (
            |o| o.detail = Some(json!("a".repeat(6143))),
            "detail: must be at most 6144 bytes of UTF-8, is 6145",
        ),
    ];
    for (change, message) in table {
        let mut changed = order(ProductFields::Native);
        change(&mut changed);
        assert_eq!(changed.request().unwrap_err().to_string(), message);
    }
}

#[test]
fn numbers_in_a_path_are_encoded_before_they_are_signed() {
    let number = OutTradeNo::parse("T2026|01*").unwrap();
    let account = Account::new("1900", None);
    assert_eq!(
        query_by_out_trade_no(&account, &number).path_and_query,
        "/v3/pay/transactions/out-trade-no/T2026%7C01%2A?mchid=1900"
    );
    let closing = close(&account, &number);
    assert_eq!(
        closing.path_and_query,
        "/v3/pay/transactions/out-trade-no/T2026%7C01%2A/close"
    );
    assert_eq!(&closing.body[..], br#"{"mchid":"1900"}"#);
    let id = TransactionId::parse("4200000001").unwrap();
    assert_eq!(
        query_by_transaction_id(&Account::new("19&00", None), &id).path_and_query,
        "/v3/pay/transactions/id/4200000001?mchid=19%2600"
    );
}

#[test]
fn a_renewal_repeats_the_body_byte_for_byte() {
    for order in [
        order(ProductFields::Native),
        partner_order(ProductFields::Native),
    ] {
        let request = order.request().unwrap();
        let account = &order.orderer.account;
        let again = replay_order(account, Product::Native, request.body.clone());
        assert_eq!(again, request);
    }
}

fn partner_order(product: ProductFields) -> Order {
    let mut order = order(product);
    order.orderer.account = Account::new("1900007291", Some("1900000109"));
    order
}

#[test]
fn a_providers_order_names_both_merchants_and_no_appid_without_a_prefix() {
    let request = partner_order(ProductFields::Native).request().unwrap();
    assert_eq!(
        request.path_and_query,
        "/v3/pay/partner/transactions/native"
    );
    assert_eq!(
        std::str::from_utf8(&request.body).unwrap(),
        r#"{"sp_appid":"wx8888888888888888","sp_mchid":"1900007291","sub_mchid":"1900000109","description":"茶","out_trade_no":"T2026|01*","notify_url":"https://shop.example/n","amount":{"total":1990,"currency":"CNY"}}"#
    );
}

#[test]
fn an_openid_is_sent_in_the_field_of_its_application() {
    let jsapi = ProductFields::Jsapi {
        openid: OpenId::parse("oUpF8").unwrap(),
    };
    let mut own = order(jsapi.clone());
    own.openid_owner = OpenIdOwner::SubMerchant;
    assert_eq!(own.request().unwrap_err().field, "payer.sub_openid");
    let mut order = partner_order(jsapi);
    assert_eq!(body(&order)["payer"], json!({"sp_openid": "oUpF8"}));
    order.openid_owner = OpenIdOwner::SubMerchant;
    assert_eq!(
        order.request().unwrap_err().to_string(),
        "sub_appid: is required"
    );
    order.orderer.sub_appid = Some("wxsub".into());
    assert_eq!(body(&order)["payer"], json!({"sub_openid": "oUpF8"}));
    assert_eq!(body(&order)["sub_appid"], "wxsub");
}

#[test]
fn a_providers_order_has_the_same_rules_with_its_own_field_names() {
    type Change = fn(&mut Order);
    let table: [(Change, &str); 5] = [
        (|o| o.orderer.appid.clear(), "sp_appid: must not be empty"),
        (
            |o| o.orderer.account = Account::new("1 9", Some("2")),
            "sp_mchid: may only have characters of [0-9a-zA-Z]",
        ),
        (
            |o| o.orderer.account = Account::new("1", Some("")),
            "sub_mchid: must not be empty",
        ),
        (
            |o| o.orderer.sub_appid = Some(String::new()),
            "sub_appid: must not be empty",
        ),
        (|o| o.total = Fen::ZERO, "amount.total: must be at least 1"),
    ];
    for (change, message) in table {
        let mut changed = partner_order(ProductFields::App);
        change(&mut changed);
        assert_eq!(changed.request().unwrap_err().to_string(), message);
    }
    let mut own = order(ProductFields::App);
    own.orderer.sub_appid = Some("wxsub".into());
    assert_eq!(own.request().unwrap_err().field, "sub_appid");
}

#[test]
fn a_providers_queries_and_closing_name_both_merchants() {
    let account = Account::new("1", Some("2"));
    let number = OutTradeNo::parse("T2026|01*").unwrap();
    assert_eq!(
        query_by_out_trade_no(&account, &number).path_and_query,
        "/v3/pay/partner/transactions/out-trade-no/T2026%7C01%2A?sp_mchid=1&sub_mchid=2"
    );
    let id = TransactionId::parse("4200000001").unwrap();
    assert_eq!(
        query_by_transaction_id(&account, &id).path_and_query,
        "/v3/pay/partner/transactions/id/4200000001?sp_mchid=1&sub_mchid=2"
    );
    let closing = close(&account, &number);
    assert_eq!(
        closing.path_and_query,
        "/v3/pay/partner/transactions/out-trade-no/T2026%7C01%2A/close"
    );
    assert_eq!(&closing.body[..], br#"{"sp_mchid":"1","sub_mchid":"2"}"#);
}
