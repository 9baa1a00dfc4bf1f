//! All optional fields of WeChat's order: passed on unchanged, refused by field and rule before
//! anything is stored, shown in answers, and found in lists.

use http::StatusCode;
use serde_json::{Value, json};

use crate::test_server::{API_KEY, MINUTE_MS, TestServer, backend};

/// WeChat's own sample of everything.
pub(crate) fn everything() -> Value {
    json!({
        "order_no": "tea-0001", "total_fen": 1990, "description": "一壶茶",
        "attach": "cart 7", "goods_tag": "WXG", "limit_pay": ["no_credit"], "support_fapiao": true,
        "detail": {
            "cost_price": 2990, "invoice_id": "微信123",
            "goods_detail": [{
                "merchant_goods_id": "1246464644", "wechatpay_goods_id": "1001",
                "goods_name": "iPhoneX 256G", "quantity": 1, "unit_price": 1990,
            }],
        },
        "scene_info": {
            "payer_client_ip": "14.23.150.211", "device_id": "013467007045764",
            "store_info": {
                "id": "0001", "name": "腾讯大厦分店", "area_code": "440305",
                "address": "广东省深圳市南山区科技中一道10000号",
            },
        },
        "settle_info": { "profit_sharing": false },
    })
}

#[tokio::test]
async fn wechat_gets_every_field_unchanged_and_order_no_before_attach() {
    let server = TestServer::open().await;
    let given = everything();
    let token = server.order(given.clone()).await;
    server.attempt(&token, &[("product", "native")]).await;
    let body = server.last_order();
    for field in [
        "goods_tag",
        "limit_pay",
        "support_fapiao",
        "detail",
        "scene_info",
        "settle_info",
    ] {
        assert_eq!(body[field], given[field], "{field}");
    }
    assert_eq!(body["attach"], "tea-0001 cart 7");

    // A later attempt has its own number, and the same fields.
    let back = ("return_url", "http://127.0.0.1:8000/pay");
    let h5 = server
        .attempt(&token, &[("product", "h5"), back, ("after", "1")])
        .await;
    assert_eq!(h5.status, StatusCode::OK, "{}", h5.json);
    let body = server.last_order();
    assert_ne!(body["out_trade_no"], "tea-0001");
    assert_eq!(body["attach"], "tea-0001 cart 7");
    // The address that the server itself sees is the buyer's.
    assert_eq!(body["scene_info"]["payer_client_ip"], "127.0.0.1");
    assert_eq!(
        body["scene_info"]["store_info"],
        given["scene_info"]["store_info"]
    );
    assert_eq!(body["scene_info"]["h5_info"]["type"], "Wap");
}

#[tokio::test]
async fn an_order_is_shown_as_it_was_created_with_wechats_report_of_its_payment() {
    let server = TestServer::open().await;
    let given = everything();
    let token = server.order(given.clone()).await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    let shown = server.shown("/tea-0001").await.json;
    for (field, value) in given.as_object().unwrap() {
        assert_eq!(shown[field], *value, "{field}");
    }
    assert_eq!(shown["currency"], "CNY");
    assert_eq!(shown["bank_type"], "OTHERS");
    assert_eq!(shown["payer_total_fen"], 1990);
    assert!(shown["transaction_id"].is_string(), "{shown}");
    assert!(
        shown.get("promotion_detail").is_none(),
        "no coupon was used"
    );
    assert_eq!(shown["attempts"][0]["payer_total_fen"], 1990);
    assert!(shown["attempts"][0]["success_time"].is_string());
}

#[tokio::test]
async fn coupons_are_stored_as_wechat_sends_them() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    let coupon = json!({
        "coupon_id": "109519", "name": "单品惠-6", "scope": "SINGLE", "type": "CASH",
        "amount": 100, "stock_id": "931386", "merchant_contribute": 100, "currency": "CNY",
    });
    let mut payment = crate::test_server::transaction("tea-0001", 1990);
    payment["promotion_detail"] = json!([coupon]);
    payment["amount"]["payer_total"] = 1890.into();
    let notification =
        crate::test_server::payment_notification("n-1", &payment, crate::test_server::START_MS);
    server.deliver(&notification).await;
    let shown = server.shown("/tea-0001").await.json;
    assert_eq!(shown["promotion_detail"], json!([coupon]));
    assert_eq!(shown["payer_total_fen"], 1890);
    assert_eq!(shown["attempts"][0]["promotion_detail"], json!([coupon]));
}

#[tokio::test]
async fn invalid_fields_are_refused_with_field_and_rule_and_nothing_is_stored() {
    let server = TestServer::open().await;
    let cases = [
        ("/attach", json!("")),
        ("/attach", json!("a".repeat(96))),
        ("/attach", json!("🍵")),
        ("/goods_tag", json!("")),
        ("/goods_tag", json!("a".repeat(33))),
        ("/limit_pay", json!("no_credit")),
        ("/limit_pay", json!([])),
        ("/limit_pay", json!(["no_credit", "no_credit"])),
        ("/support_fapiao", json!("yes")),
        ("/detail", json!([])),
        ("/detail/cost_price", json!(-1)),
        ("/detail/invoice_id", json!("a".repeat(33))),
        ("/detail/good_detail", json!([])),
        ("/detail/goods_detail/0/quantity", json!(0)),
        ("/detail/goods_detail/0/unit_price", json!(1.5)),
        ("/detail/goods_detail/0/goods_name", json!("a".repeat(257))),
        ("/scene_info/payer_client_ip", Value::Null),
        ("/scene_info/store_info/id", json!("")),
        ("/scene_info/store_info/town", json!("x")),
        ("/settle_info/profit_sharing", json!(1)),
        ("/sub_mchid", json!("1900000109")),
        ("/payer", json!({})),
        ("/payer", json!({"openid": "o1", "sub_openid": "o2"})),
        ("/payer/sub_openid", json!("o2")),
    ];
    for (pointer, value) in cases {
        let mut order = everything();
        if pointer.starts_with("/payer/") {
            order["payer"] = json!({});
        }
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = order.pointer_mut(parent).unwrap();
        match name.parse::<usize>() {
            Ok(place) => parent[place] = value.clone(),
            Err(_) if value.is_null() => {
                parent.as_object_mut().unwrap().remove(name);
            }
            Err(_) => parent[name] = value.clone(),
        }
        let refused = server.post_order(&order).await;
        assert_eq!(
            refused.code(),
            "INVALID_REQUEST",
            "{pointer} {}",
            refused.json
        );
        let field = refused.json["error"]["field"].as_str().unwrap();
        let expected = pointer[1..].replace("/0/", "[0].").replace('/', ".");
        // WeChat's own rules name the field of a list; our rules also name the place in the list.
        let is_named = field == expected || field == expected.replace("[0]", "");
        assert!(is_named, "{pointer}: {}", refused.json);
    }
    assert_eq!(server.shown("").await.json["orders"], json!([]));
    // The longest `attach` that WeChat allows beside the longest order_no.
    let mut longest = everything();
    longest["attach"] = "a".repeat(95).into();
    longest["order_no"] = "t".repeat(32).into();
    assert_eq!(
        server.post_order(&longest).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn an_unknown_limit_is_refused_with_the_names_of_the_known_ones() {
    let server = TestServer::open().await;
    let mut order = everything();
    order["limit_pay"] = json!(["no_balance"]);
    let refused = server.post_order(&order).await;
    assert_eq!(refused.code(), "INVALID_REQUEST", "{}", refused.json);
    let text = refused.text();
    assert!(text.contains("limit_pay"), "{text}");
    assert!(text.contains("no_credit"), "{text}");
}

#[tokio::test]
async fn code_pay_of_version_3_is_not_offered_where_credit_cards_are_refused() {
    let server = TestServer::open_with(r#"products = ["native", "code_pay"]"#).await;
    let mut order = everything();
    order["products"] = json!(["native", "code_pay"]);
    let refused = server.post_order(&order).await;
    assert_eq!(refused.code(), "INVALID_REQUEST", "{}", refused.json);
    assert_eq!(refused.json["error"]["field"], "limit_pay");
    let token = server.order(everything()).await;
    let scan = json!({
        "product": "code_pay", "auth_code": server.shown_code().await,
        "scene_info": {"store_info": {"id": "0001"}},
    });
    let refused = server.backend_attempt("tea-0001", &scan).await;
    assert_eq!(refused.code(), "PRODUCT_UNAVAILABLE", "{}", refused.json);
    let native = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(native.status, StatusCode::OK, "{}", native.json);
}

#[tokio::test]
async fn a_used_order_number_with_other_goods_is_refused() {
    let server = TestServer::open().await;
    server.order(everything()).await;
    assert_eq!(
        server.post_order(&everything()).await.status,
        StatusCode::OK
    );
    for (pointer, value) in [
        ("/attach", json!("cart 8")),
        ("/detail/goods_detail/0/quantity", json!(2)),
        ("/settle_info/profit_sharing", json!(true)),
    ] {
        let mut other = everything();
        *other.pointer_mut(pointer).unwrap() = value;
        assert_eq!(server.post_order(&other).await.code(), "ORDER_NO_USED");
    }
}

#[tokio::test]
async fn orders_are_found_by_the_prefix_of_their_number_on_stable_pages() {
    let server = TestServer::open().await;
    for order_no in ["tea-0001", "tea-0002", "cup*0001", "tea-0003"] {
        let order = json!({"order_no": order_no, "total_fen": 1, "description": "x"});
        server.post_order(&order).await;
        server.clock.advance_ms(MINUTE_MS);
    }
    let numbers = |list: &Value| -> Vec<String> {
        let orders = list["orders"].as_array().unwrap().iter();
        orders
            .map(|order| order["order_no"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = server.shown("?order_no_prefix=tea-&limit=2").await.json;
    assert_eq!(numbers(&first), ["tea-0003", "tea-0002"]);
    let later = json!({"order_no": "tea-0004", "total_fen": 1, "description": "x"});
    server.post_order(&later).await;
    let before = first["next_before"].as_str().unwrap();
    let path = format!("?order_no_prefix=tea-&limit=2&before={before}");
    let second = server.shown(&path).await.json;
    assert_eq!(numbers(&second), ["tea-0001"]);
    assert!(second.get("next_before").is_none());
    // A character that a database might treat as a wildcard.
    assert_eq!(
        numbers(&server.shown("?order_no_prefix=cup*").await.json),
        ["cup*0001"]
    );
    for prefix in ["%25", "tea_", "c*0001"] {
        let none = server.shown(&format!("?order_no_prefix={prefix}")).await;
        let found = none.json["orders"].as_array().map(Vec::len);
        assert!(
            found == Some(0) || none.code() == "INVALID_REQUEST",
            "{prefix}"
        );
    }
}

#[tokio::test]
async fn an_invalid_body_is_refused_with_the_reason_and_without_its_content() {
    let server = TestServer::open().await;
    server.default_order().await;
    let path = "/v1/orders/tea-0001/attempts";
    for (body, field) in [
        ("", None),
        ("product=app", None),
        ("[]", None),
        (r#"{"product":"native"} {}"#, None),
        (r#"{"product":"cash"}"#, Some("product")),
        (r#"{"product":"native","product":"h5"}"#, Some("product")),
        (r#"{"product":"native","afte":1}"#, Some("afte")),
        (r#"{"after":1}"#, Some("product")),
        (
            r#"{"product":"code_pay","auth_code":130061098828009406}"#,
            Some("auth_code"),
        ),
    ] {
        let refused = server.send(backend(path, API_KEY, body)).await;
        assert_eq!(refused.code(), "INVALID_REQUEST", "{body}");
        let named = refused.json["error"]["field"].as_str();
        assert_eq!(named, field, "{body} {}", refused.json);
        assert!(
            !refused.text().contains("130061098828009406"),
            "{}",
            refused.json
        );
    }
}
