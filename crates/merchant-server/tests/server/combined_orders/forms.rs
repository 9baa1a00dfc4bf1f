//! The form of a combined order: what is refused and by which name, and what a repetition gives.

use http::StatusCode;
use serde_json::{Value, json};

use super::set;
use crate::test_server::{TestServer, configuration, merchant, sub_merchant, sub_merchant_table};
use crate::version_2::Api;

const INVALID: &str = "INVALID_REQUEST";

/// Changes of a valid form, each with the code and the field of its refusal.
type Change = fn(&mut Value);

async fn refuses(server: &TestServer, valid: &Value, table: &[(Change, &str, &str)]) {
    for (place, (change, code, field)) in table.iter().enumerate() {
        let mut form = valid.clone();
        change(&mut form);
        let answer = server.post_order(&form).await;
        assert!(answer.status.is_client_error(), "{place}: {}", answer.json);
        assert_eq!(answer.code(), *code, "{place}: {}", answer.json);
        assert_eq!(
            answer.json["error"]["field"], *field,
            "{place}: {}",
            answer.json
        );
        let message = answer.json["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(field), "{place}: {message}");
    }
    let accepted = server.post_order(valid).await;
    assert_eq!(accepted.status, StatusCode::CREATED, "{}", accepted.json);
}

/// Each rule of the form, with the name of the field that breaks it.
const RULES: [(Change, &str, &str); 31] = [
    (|it| it["sub_orders"] = json!([]), INVALID, "sub_orders"),
    (
        |it| drop(it["sub_orders"].as_array_mut().unwrap().pop()),
        INVALID,
        "sub_orders",
    ),
    (
        |it| it["sub_orders"] = vec![it["sub_orders"][0].clone(); 11].into(),
        INVALID,
        "sub_orders",
    ),
    (|it| it["sub_orders"] = json!({}), INVALID, "sub_orders"),
    (|it| it["sub_orders"] = Value::Null, INVALID, "sub_orders"),
    (
        |it| it["sub_orders"][1]["sub_order_no"] = "pot".into(),
        INVALID,
        "sub_orders[1].sub_order_no",
    ),
    (
        |it| it["sub_orders"][1]["sub_order_no"] = "a cup".into(),
        INVALID,
        "sub_orders[1].sub_order_no",
    ),
    (
        |it| it["sub_orders"][0]["sub_order_no"] = "p".repeat(33).into(),
        INVALID,
        "sub_orders[0].sub_order_no",
    ),
    (
        |it| {
            it["sub_orders"][0]
                .as_object_mut()
                .unwrap()
                .remove("sub_order_no");
        },
        INVALID,
        "sub_orders[0].sub_order_no",
    ),
    (
        |it| it["sub_orders"][1]["mchid"] = "1900000109".into(),
        INVALID,
        "sub_orders[1].mchid",
    ),
    (
        |it| it["sub_orders"][0]["sub_mchid"] = "1900000109".into(),
        INVALID,
        "sub_orders[0].sub_mchid",
    ),
    (
        |it| it["sub_orders"][0]["amount_fen"] = 0.into(),
        INVALID,
        "sub_orders[0].amount_fen",
    ),
    (
        |it| it["sub_orders"][0]["amount_fen"] = 1_000_000_001_u64.into(),
        INVALID,
        "sub_orders[0].amount_fen",
    ),
    (
        |it| it["sub_orders"][0]["amount_fen"] = (-5).into(),
        INVALID,
        "sub_orders[0].amount_fen",
    ),
    (
        |it| it["sub_orders"][0]["description"] = "茶".repeat(43).into(),
        INVALID,
        "sub_orders[0].description",
    ),
    (
        |it| it["sub_orders"][1]["description"] = "".into(),
        INVALID,
        "sub_orders[1].description",
    ),
    (
        |it| it["sub_orders"][1]["attach"] = "a".repeat(63).into(),
        INVALID,
        "sub_orders[1].attach",
    ),
    (
        |it| it["sub_orders"][1]["goods_tag"] = "tea".into(),
        INVALID,
        "sub_orders[1].goods_tag",
    ),
    (
        |it| it["sub_orders"][1]["profit_sharing"] = true.into(),
        INVALID,
        "sub_orders[1].profit_sharing",
    ),
    (
        |it| it["total_fen"] = 2001.into(),
        "AMOUNT_INVALID",
        "total_fen",
    ),
    (
        |it| it["total_fen"] = 1990.into(),
        "AMOUNT_INVALID",
        "total_fen",
    ),
    (
        |it| it["sub_mchid"] = "1900000109".into(),
        INVALID,
        "sub_mchid",
    ),
    (|it| it["attach"] = "cart 7".into(), INVALID, "attach"),
    (|it| it["goods_tag"] = "tea".into(), INVALID, "goods_tag"),
    (
        |it| it["limit_pay"] = json!(["no_credit"]),
        INVALID,
        "limit_pay",
    ),
    (
        |it| it["support_fapiao"] = false.into(),
        INVALID,
        "support_fapiao",
    ),
    (
        |it| it["detail"] = json!({"cost_price": 1}),
        INVALID,
        "detail",
    ),
    (
        |it| it["settle_info"] = json!({"profit_sharing": true}),
        INVALID,
        "settle_info",
    ),
    (
        |it| {
            let store = json!({"id": "0001"});
            it["scene_info"] = json!({"payer_client_ip": "10.0.0.9", "store_info": store});
        },
        INVALID,
        "scene_info.store_info",
    ),
    (
        // WeChat takes fewer characters of it than for an ordinary order.
        |it| {
            let device_id = "d".repeat(17);
            it["scene_info"] = json!({"payer_client_ip": "10.0.0.9", "device_id": device_id});
        },
        INVALID,
        "scene_info.device_id",
    ),
    (
        |it| it["payer"] = json!({"sub_openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}),
        INVALID,
        "payer.sub_openid",
    ),
];

#[tokio::test]
async fn each_field_that_breaks_a_rule_is_refused_by_its_name() {
    let server = TestServer::open().await;
    refuses(&server, &set(), &RULES).await;
}

#[tokio::test]
async fn the_longest_texts_that_are_accepted_are_accepted_by_wechat_too() {
    let server = TestServer::open().await;
    let order_no = "o".repeat(32);
    let sub_order = |letter: &str| {
        json!({
            "sub_order_no": letter.repeat(32), "amount_fen": 1, "attach": "茶".repeat(20) + "ab",
            "description": "茶".repeat(42), "mchid": merchant()["mchid"],
        })
    };
    let letters = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let sub_orders: Vec<_> = letters.map(sub_order).into();
    let order = json!({
        "order_no": order_no, "total_fen": 10, "description": "tea", "sub_orders": sub_orders,
        "scene_info": { "payer_client_ip": "10.0.0.9", "device_id": "till-04" },
    });
    let token = server.order(order).await;
    let started = server.attempt(&token, &[super::NATIVE]).await;
    assert!(
        started.string("code_url").starts_with("weixin://"),
        "{}",
        started.json
    );
    let sent = server.last_order();
    assert_eq!(sent["sub_orders"][9]["attach"].as_str().unwrap().len(), 128);
    assert_eq!(sent["scene_info"]["device_id"], "till-04");
}

#[tokio::test]
async fn a_till_cannot_take_a_combined_order() {
    let server = TestServer::open_with(r#"products = ["native", "code_pay"]"#).await;
    let mut asked = set();
    asked["products"] = json!(["code_pay"]);
    let refused = server.post_order(&asked).await;
    assert_eq!(
        refused.json["error"]["field"], "sub_orders",
        "{}",
        refused.json
    );
    server.order(set()).await;
    let scan = json!({ "product": "code_pay", "auth_code": server.shown_code().await });
    let refused = server.backend_attempt(super::ORDER_NO, &scan).await;
    assert_eq!(refused.code(), "PRODUCT_UNAVAILABLE", "{}", refused.json);

    let server = TestServer::open_with(r#"products = ["code_pay"]"#).await;
    let refused = server.post_order(&set()).await;
    assert_eq!(
        refused.json["error"]["field"], "sub_orders",
        "{}",
        refused.json
    );
}

#[tokio::test]
async fn version_2_combines_no_orders() {
    for api in Api::V2 {
        let server = api.open().await;
        let refused = server.post_order(&set()).await;
        assert_eq!(refused.code(), INVALID, "{}", refused.json);
        assert_eq!(refused.json["error"]["field"], "sub_orders");
    }
}

#[tokio::test]
async fn the_same_form_again_gives_the_same_order_and_another_one_is_refused() {
    let server = TestServer::open().await;
    let token = server.order(set()).await;
    let again = server.post_order(&set()).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.json);
    assert_eq!(again.string("token"), token);
    let changes: [Change; 4] = [
        |it| it["sub_orders"][0]["attach"] = "stall 8".into(),
        |it| it["sub_orders"].as_array_mut().unwrap().swap(0, 1),
        |it| drop(it.as_object_mut().unwrap().remove("sub_orders")),
        |it| {
            it["sub_orders"][0]["amount_fen"] = 1989.into();
            it["sub_orders"][1]["amount_fen"] = 11.into();
        },
    ];
    for change in changes {
        let mut other = set();
        change(&mut other);
        let refused = server.post_order(&other).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.json);
        assert_eq!(refused.code(), "ORDER_NO_USED");
    }
    assert_eq!(server.post_order(&set()).await.string("token"), token);
}

#[tokio::test]
async fn a_provider_names_one_of_its_sub_merchants_in_each_sub_order() {
    let sub = sub_merchant(1);
    let server =
        TestServer::open_configured(&(configuration("") + &sub_merchant_table(&sub))).await;
    let mut valid = set();
    for place in [0, 1] {
        valid["sub_orders"][place]["sub_mchid"] = sub.sub_mchid.as_str().into();
    }
    let table: [(Change, &str, &str); 3] = [
        (
            |it| {
                it["sub_orders"][1]
                    .as_object_mut()
                    .unwrap()
                    .remove("sub_mchid");
            },
            INVALID,
            "sub_orders[1].sub_mchid",
        ),
        (
            |it| it["sub_orders"][0]["sub_mchid"] = "1999999999".into(),
            INVALID,
            "sub_orders[0].sub_mchid",
        ),
        (
            |it| it["sub_mchid"] = it["sub_orders"][0]["sub_mchid"].clone(),
            INVALID,
            "sub_mchid",
        ),
    ];
    refuses(&server, &valid, &table).await;
}
