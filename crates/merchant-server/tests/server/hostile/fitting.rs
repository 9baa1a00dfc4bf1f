//! Valid bodies of each route; the tests put wrong values into them.

use serde_json::{Value, json};

use super::routes::Route;
use crate::order_forms::everything;
use crate::test_server::transaction;

/// The number of an unmatched payment.
pub(super) const UNMATCHED: &str = "unmatched-0001";

/// A valid body of this route, for a sub-merchant if given; `number` makes each body different.
pub(super) fn fitting(route: &Route, sub_mchid: Option<&str>, number: usize) -> Value {
    match &*route.path {
        "/v1/orders" if number % 4 == 3 => combined_order(sub_mchid, number),
        "/v1/orders" => order(sub_mchid, number),
        "/v1/links" => link(sub_mchid, number),
        "/p/{id}" => json!({
            "key": format!("{number:022}"), "amount": "12.50", "note": "窗边",
        }),
        "/v1/orders/{order_no}/attempts" => {
            let after = number / 8 % 4;
            match number % 6 {
                0 => json!({
                    "product": "code_pay", "auth_code": "134567890123456789", "after": after,
                }),
                1 => json!({
                    "product": "jsapi", "payer": {"openid": "oHostile"}, "after": after,
                }),
                2 => json!({
                    "product": "mini_program", "payer": {"openid": "oHostile"}, "after": after,
                }),
                3 => json!({
                    "product": "h5", "return_url": "http://127.0.0.1:8000/pay", "after": after,
                    "payer_client_ip": "10.0.0.9",
                }),
                4 => json!({"product": "app", "after": after}),
                _ => json!({"product": "native", "after": after}),
            }
        }
        "/v1/orders/{order_no}/refunds" => json!({
            "refund_no": format!("H-{number}"), "amount_fen": 1, "reason": "凉了",
            "funds_account": "AVAILABLE", "from": [{"account": "AVAILABLE", "amount_fen": 1}],
            "goods_detail": [{
                "merchant_goods_id": "G", "unit_price_fen": 1, "refund_amount_fen": 1,
                "refund_quantity": 1,
            }],
        }),
        "/v1/orders/{order_no}/shares" => json!({
            "share_no": format!("S-{number}"), "unfreeze_rest": number.is_multiple_of(16),
            "receivers": [{
                "type": "MERCHANT_ID", "account": "86693852", "amount_fen": 1, "reason": "货款",
            }],
        }),
        "/v1/orders/{order_no}/unfreeze" => json!({
            "share_no": format!("F-{number}"), "reason": "订单完成",
        }),
        "/v1/shares/{share_no}/returns" => json!({
            "return_no": format!("Z-{number}"), "account": "86693852", "amount_fen": 1,
            "reason": "退货",
        }),
        "/v1/receivers" => json!({
            "type": "MERCHANT_ID", "account": "86693852", "name": "某某茶行",
            "relation_type": "CUSTOM", "custom_relation": "长期合作", "sub_mchid": sub_mchid,
        }),
        "/v1/receivers/delete" => json!({
            "type": "MERCHANT_ID", "account": "86693852", "sub_mchid": sub_mchid,
        }),
        "/v1/orders/{order_no}/shipping" => json!({
            "logistics_type": "express", "delivery_mode": "split", "is_all_delivered": true,
            "shipping_list": [{
                "tracking_no": format!("T{number}"), "express_company": "SF", "item_desc": "茶",
                "receiver_contact": "13912341234", "consignor_contact": "****1234",
            }],
        }),
        "/v1/pay/params" => paid_by_service(number),
        "/v1/pay/unified" => {
            let mut order = paid_by_service(number);
            order["trade_type"] = json!(["JSAPI", "NATIVE", "APP", "MWEB"][number / 8 % 4]);
            order
        }
        "/v1/pay/queryOrder" | "/v1/pay/closeOrder" => json!({
            "out_trade_no": format!("hostile-{}", number % 16),
        }),
        "/v1/refunds/{refund_no}/apply-abnormal-refund" => json!({
            "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT",
            "bank_account": "6222020000001234", "real_name": "张三丰",
        }),
        // A payment that belongs to no order, so it must settle none of the orders.
        path if path.starts_with("/wechat/notify/") => payment_resource(UNMATCHED, sub_mchid),
        _ => {
            let products = ["native", "h5", "jsapi", "mini_program"];
            json!({
                "product": products[number % 4], "after": number / 8 % 4,
                "return_url": "http://127.0.0.1:8000/pay",
            })
        }
    }
}

/// A payment in the form of WeChat's notification to this merchant.
pub(super) fn payment_resource(out_trade_no: &str, sub_mchid: Option<&str>) -> Value {
    let mut payment = transaction(out_trade_no, 1990);
    if let Some(sub_mchid) = sub_mchid {
        let fields = payment.as_object_mut().unwrap();
        for name in ["appid", "mchid"] {
            let value = fields.remove(name).unwrap();
            fields.insert(format!("sp_{name}"), value);
        }
        fields.insert("sub_mchid".to_owned(), sub_mchid.into());
        fields["payer"] = json!({"sp_openid": "oSecretOpenId"});
    }
    payment
}

/// An order with every field.
fn order(sub_mchid: Option<&str>, number: usize) -> Value {
    let mut order = everything();
    let more = json!({
        "order_no": format!("hostile-{number}"), "sub_mchid": sub_mchid,
        "expires_in_ms": 600_000, "payee": "云岭茶铺", "products": ["native", "h5"], "payer": {"openid": "oHostile"},
        "return_url": "http://127.0.0.1:8000/pay", "success_url": "http://127.0.0.1:8000/done",
    });
    for (name, value) in more.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

/// A combined order with every field that it can have.
fn combined_order(sub_mchid: Option<&str>, number: usize) -> Value {
    let sub_order = |no: &str, amount_fen: u64| {
        let mut sub_order = json!({
            "sub_order_no": no, "amount_fen": amount_fen, "description": "茶", "attach": "a",
        });
        if let Some(sub_mchid) = sub_mchid {
            sub_order["sub_mchid"] = sub_mchid.into();
        }
        sub_order
    };
    json!({
        "order_no": format!("hostile-{number}"), "total_fen": 1990, "description": "一套茶具",
        "sub_orders": [sub_order("pot", 1980), sub_order("cup", 10)],
        "expires_in_ms": 600_000, "payee": "云岭茶铺", "products": ["native", "h5"],
        "payer": {"openid": "oHostile"}, "return_url": "http://127.0.0.1:8000/pay",
        "success_url": "http://127.0.0.1:8000/done",
        "scene_info": {"payer_client_ip": "10.0.0.9", "device_id": "till-04"},
    })
}

/// A payment link.
fn link(sub_mchid: Option<&str>, number: usize) -> Value {
    let mut link = json!({
        "link_no": format!("hostile-{}", number % 64), "description": "茶", "min_fen": 1,
        "max_fen": 1990, "uses_max": 3, "expires_at": "2027-01-01T00:00:00Z", "note_max_chars": 9,
        "order_expires_in_ms": 600_000, "return_url": "http://127.0.0.1:8000/pay",
        "success_url": "http://127.0.0.1:8000/done", "products": ["native", "h5"], "attach": "a",
    });
    if let Some(sub_mchid) = sub_mchid {
        link["sub_mchid"] = sub_mchid.into();
    }
    link
}

/// An order of the payment service.
fn paid_by_service(number: usize) -> Value {
    json!({
        "body": "茶", "out_trade_no": format!("hostile-{}", number % 16), "total_fee": 1990,
        "spbill_create_ip": "10.0.0.9", "notify_url": "http://127.0.0.1:7000/notify",
        "openid": "oHostile",
    })
}

/// The bytes of a body: pages and callers of the payment
/// service post forms, other backends and WeChat post JSON.
pub(super) fn written(route: &Route, body: &Value) -> Vec<u8> {
    let forms = ["/v1/checkouts/", "/v1/pay/", "/c/", "/p/"];
    let is_form = forms.iter().any(|begin| route.path.starts_with(begin));
    if !is_form {
        return body.to_string().into_bytes();
    }
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in body.as_object().unwrap() {
        match value.as_str() {
            Some(text) => form.append_pair(name, text),
            None => form.append_pair(name, &value.to_string()),
        };
    }
    form.finish().into_bytes()
}
