//! Orders of version 2: their fields, and the answers to them.

use bytes::Bytes;
use http::StatusCode;
use payment_values::{Fen, OpenId, OutTradeNo};
use serde_json::json;

use super::*;
use crate::order_fields::{Description, NotifyUrl};
use crate::orders::product::H5Type;
use crate::v2::answer::{Answer, AnswerError};
use crate::v2::signature::SignType;
use crate::v2::test_messages::{key, merchant, provider, signed};

fn order(product: ProductFields) -> UnifiedOrder {
    let order = Order::new(
        merchant(),
        OutTradeNo::parse("1415659990").unwrap(),
        Description::parse("支付测试").unwrap(),
        Fen::new(6910).unwrap(),
        NotifyUrl::parse("https://shop.example/wechat/notify").unwrap(),
        product,
    );
    UnifiedOrder::new(order, "14.23.150.211".parse().unwrap())
}

fn jsapi() -> UnifiedOrder {
    order(ProductFields::Jsapi {
        openid: OpenId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").unwrap(),
    })
}

fn h5() -> UnifiedOrder {
    order(ProductFields::H5 {
        payer_client_ip: "2001:db8::1".parse().unwrap(),
        h5_type: H5Type::Wap,
    })
}

#[test]
fn each_product_has_its_own_fields() {
    let scene = r#"{"h5_info":{"type":"Wap"}}"#;
    let table = [
        (
            jsapi(),
            "JSAPI",
            "14.23.150.211",
            Some("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
            None,
            None,
        ),
        (
            order(ProductFields::Native),
            "NATIVE",
            "14.23.150.211",
            None,
            Some("1415659990"),
            None,
        ),
        (h5(), "MWEB", "2001:db8::1", None, None, Some(scene)),
        (
            order(ProductFields::App),
            "APP",
            "14.23.150.211",
            None,
            None,
            None,
        ),
    ];
    for (order, trade_type, ip, openid, product_id, scene) in table {
        let request = order.request().unwrap();
        let fields = request.fields();
        assert_eq!(fields.get("trade_type"), Some(trade_type));
        assert_eq!(fields.get("spbill_create_ip"), Some(ip), "{trade_type}");
        assert_eq!(fields.get("openid"), openid, "{trade_type}");
        assert_eq!(fields.get("product_id"), product_id, "{trade_type}");
        assert_eq!(fields.get("scene_info"), scene, "{trade_type}");
        assert_eq!(fields.get("total_fee"), Some("6910"));
        assert_eq!(fields.get("body"), Some("支付测试"));
    }
}

#[test]
fn optional_fields_are_sent_in_the_form_of_version_2() {
    let mut order = order(ProductFields::Native);
    order.product_id = Some("P1".into());
    order.order.no_credit = true;
    order.time_start = Some("2009-12-25T01:10:10Z".parse().unwrap());
    order.order.time_expire = Some("2009-12-27T01:10:10.9Z".parse().unwrap());
    order.order.attach = Some("深圳分店".into());
    order.order.goods_tag = Some("WXG".into());
    order.order.support_fapiao = Some(true);
    order.order.settle_info = Some(json!({"profit_sharing": true}));
    order.order.detail = Some(json!({"cost_price": 1}));
    let scene =
        json!({"payer_client_ip": "1.1.1.1", "device_id": "till", "store_info": {"id": "S"}});
    order.order.scene_info = scene.as_object().cloned();
    let request = order.request().unwrap();
    for (name, value) in [
        ("product_id", "P1"),
        ("limit_pay", "no_credit"),
        ("time_start", "20091225091010"),
        ("time_expire", "20091227091010"),
        ("attach", "深圳分店"),
        ("goods_tag", "WXG"),
        ("receipt", "Y"),
        ("profit_sharing", "Y"),
        ("detail", r#"{"cost_price":1}"#),
        ("device_info", "till"),
        ("scene_info", r#"{"store_info":{"id":"S"}}"#),
    ] {
        assert_eq!(request.fields().get(name), Some(value), "{name}");
    }
}

#[test]
fn a_providers_order_names_both_merchants_and_the_owner_of_the_openid() {
    let mut order = jsapi();
    order.order.orderer = provider();
    order.order.openid_owner = OpenIdOwner::SubMerchant;
    let request = order.request().unwrap();
    let fields = request.fields();
    assert_eq!(fields.get("sub_mch_id"), Some("124"));
    assert_eq!(fields.get("sub_appid"), Some("wxsub"));
    assert_eq!(fields.get("openid"), None);
    assert!(fields.get("sub_openid").is_some());
    order.order.orderer = merchant();
    assert_eq!(order.request().unwrap_err().field, "payer.sub_openid");
}

#[test]
fn what_wechat_would_refuse_is_refused_before_sending() {
    type Change = fn(&mut UnifiedOrder);
    let table: [(Change, &str); 5] = [
        (|o| o.order.total = Fen::ZERO, "amount.total"),
        (|o| o.order.attach = Some("a".repeat(128)), "attach"),
        (|o| o.product_id = Some("p".repeat(33)), "product_id"),
        (|o| o.order.orderer.appid.clear(), "appid"),
        (|o| o.order.detail = Some(json!([])), "detail"),
    ];
    for (change, field) in table {
        let mut changed = order(ProductFields::Native);
        change(&mut changed);
        assert_eq!(changed.request().unwrap_err().field, field);
    }
}

fn answered<T: ReadAnswer>(fields: &[(&str, &str)]) -> Result<T, AnswerError> {
    let codes = [("return_code", "SUCCESS"), ("result_code", "SUCCESS")];
    let body: Bytes = signed(&[fields, &codes].concat(), SignType::Md5);
    let status = StatusCode::OK;
    Answer { status, body }.parse(&key(), SignType::Md5)
}

#[test]
fn each_answer_is_read_as_that_of_version_3() {
    let prepay = ("prepay_id", "wx201411101639507cbf6ffd8b0779950874");
    let jsapi: JsapiOrdered = answered(&[prepay, ("trade_type", "JSAPI")]).unwrap();
    assert_eq!(jsapi.prepay_id, prepay.1);
    let app: AppOrdered = answered(&[prepay, ("trade_type", "APP")]).unwrap();
    assert_eq!(app.prepay_id, prepay.1);
    let code = ("code_url", "weixin://wxpay/s/An4baqw");
    let native = [prepay, code, ("trade_type", "NATIVE")];
    let mode_2: NativeOrdered = answered(&native).unwrap();
    assert_eq!(mode_2.code_url, code.1);
    let mode_1: NativePrepared = answered(&native).unwrap();
    assert_eq!(mode_1.prepay_id, prepay.1);
    let page = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2";
    let h5: H5Ordered = answered(&[prepay, ("mweb_url", page)]).unwrap();
    assert_eq!(h5.h5_url, page);
}

#[test]
fn an_answer_without_its_link_or_for_another_product_is_refused() {
    let missing = |name| AnswerError::Malformed(Unreadable::missing(name));
    assert_eq!(answered::<JsapiOrdered>(&[]), Err(missing("prepay_id")));
    let prepay = ("prepay_id", "wx1");
    assert_eq!(
        answered::<NativeOrdered>(&[prepay]),
        Err(missing("code_url"))
    );
    assert_eq!(answered::<H5Ordered>(&[prepay]), Err(missing("mweb_url")));
    let other = answered::<JsapiOrdered>(&[prepay, ("trade_type", "APP")]);
    let expected = Unreadable::unexpected("trade_type");
    assert_eq!(other, Err(AnswerError::Malformed(expected)));
}
