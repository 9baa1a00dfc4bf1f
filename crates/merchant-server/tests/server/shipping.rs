//! Shipping information of payments in mini-programs (发货信息管理).

use http::StatusCode;
use serde_json::{Value, json};

use crate::app_and_mini_program::login_code;
use crate::fault_injector::Fault;
use crate::log::Log;
use crate::test_server::{API_KEY, Answer, MINUTE_MS, TestServer, backend, merchant};

const HOUR_MS: u64 = 60 * MINUTE_MS;

/// `tea-0001` is paid in the mini-program. `lines` are added to the merchant's table.
pub(crate) async fn sold(lines: &str) -> TestServer {
    let products = r#"products = ["native", "mini_program"]"#;
    let server = TestServer::open_with_merchant(products, lines).await;
    let token = server.default_order().await;
    let code = login_code(&server).await;
    let fields = [("product", "mini_program"), ("code", &*code)];
    let started = server.attempt(&token, &fields).await;
    assert_eq!(started.status, StatusCode::OK, "{}", started.json);
    server.pay("tea-0001").await;
    for notification in server.take_notifications() {
        server.deliver(&notification).await;
    }
    server.wechat.take_sent();
    server
}

/// A shipping without a parcel that travels.
pub(crate) fn picked_up() -> Value {
    json!({
        "logistics_type": "self_pickup", "delivery_mode": "unified",
        "shipping_list": [{ "item_desc": "一壶茶*1" }],
    })
}

fn by_express() -> Value {
    json!({
        "logistics_type": "express", "delivery_mode": "unified",
        "shipping_list": [{
            "tracking_no": "SF1234567890", "express_company": "SF", "item_desc": "一壶茶*1",
            "receiver_contact": "13912341234",
        }],
    })
}

fn parts(numbers: &[&str], is_all_delivered: bool) -> Value {
    let parcel = |number: &&str| {
        json!({
            "tracking_no": number, "express_company": "ZTO", "item_desc": "茶",
        })
    };
    json!({
        "logistics_type": "express", "delivery_mode": "split",
        "is_all_delivered": is_all_delivered,
        "shipping_list": numbers.iter().map(parcel).collect::<Vec<_>>(),
    })
}

async fn ship(server: &TestServer, given: &Value) -> Answer {
    let path = "/v1/orders/tea-0001/shipping";
    server.send(backend(path, API_KEY, given.to_string())).await
}

async fn shippings(server: &TestServer) -> Vec<Value> {
    let order = server.read_private("/v1/orders/tea-0001").await;
    order.json["shippings"].as_array().unwrap().clone()
}

#[tokio::test]
async fn wechat_gets_what_was_sent_and_the_order_shows_it() {
    let log = Log::start();
    let server = sold("").await;
    let created = ship(&server, &by_express()).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.json);
    assert_eq!(created.string("state"), "uploaded");
    assert_eq!(server.wechat.take_kinds(), ["token", "shipping"]);
    let mut expected = by_express();
    expected["shipping_list"][0]["receiver_contact"] = "139****1234".into();
    expected["number"] = 1.into();
    expected["state"] = "uploaded".into();
    expected["state_since"] = "2026-11-21T09:20:00Z".into();
    expected["upload_time"] = "2026-11-21T17:20:00.000+08:00".into();
    assert_eq!(shippings(&server).await, [expected]);
    let appid = merchant()["mini_program_appid"]
        .as_str()
        .unwrap()
        .to_owned();
    log.holds_none_of(&["13912341234", &server.simulator.openid(&appid)]);
}

#[tokio::test]
async fn the_same_shipping_is_uploaded_once_and_a_later_one_uses_the_same_token() {
    let server = sold("").await;
    ship(&server, &parts(&["Z1"], false)).await;
    server.wechat.take_sent();
    let again = ship(&server, &parts(&["Z1"], false)).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.json);
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
    let next = ship(&server, &parts(&["Z1", "Z2"], true)).await;
    assert_eq!(next.status, StatusCode::CREATED, "{}", next.json);
    assert_eq!(next.string("state"), "uploaded");
    assert_eq!(next.number("number"), 2);
    assert_eq!(server.wechat.take_kinds(), ["shipping"]);
    let times: Vec<_> = shippings(&server)
        .await
        .iter()
        .map(|it| it["upload_time"].as_str().unwrap().to_owned())
        .collect();
    assert!(times[0] < times[1], "{times:?}");
}

#[tokio::test]
async fn a_lost_answer_is_followed_by_the_same_bytes_until_wechat_confirms() {
    for fault in [Fault::AnswerLost, Fault::NotSent] {
        let server = sold("").await;
        server.wechat.inject("shipping", fault);
        let created = ship(&server, &by_express()).await;
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.json);
        assert_eq!(created.string("state"), "requested");
        let first = server.wechat.take_sent();
        server.later(MINUTE_MS).await;
        let second = server.wechat.take_sent();
        assert_eq!(second.len(), 1);
        assert_eq!(first.last().unwrap().body, second[0].body);
        let shown = shippings(&server).await;
        assert_eq!(shown[0]["state"], "uploaded");
        assert_eq!(shown[0].get("wechat_code"), None, "{shown:?}");
        server.later(HOUR_MS).await;
        assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
    }
}

#[tokio::test]
async fn a_void_token_is_renewed_once() {
    let server = sold("").await;
    ship(&server, &parts(&["Z1"], false)).await;
    server.wechat.take_sent();
    let void = Fault::Answered(200, r#"{"errcode":42001,"errmsg":"access_token expired"}"#);
    server.wechat.inject("shipping", void);
    let next = ship(&server, &parts(&["Z2"], true)).await;
    assert_eq!(next.string("state"), "uploaded", "{}", next.json);
    assert_eq!(
        server.wechat.take_kinds(),
        ["shipping", "token", "shipping"]
    );
}

#[tokio::test]
async fn a_refusal_says_why_and_what_to_do_and_the_same_call_tries_again() {
    for (kind, answer, code, advice) in [
        (
            "token",
            r#"{"errcode":40125,"errmsg":"invalid appsecret"}"#,
            "40125",
            "mini_program_secret",
        ),
        (
            "token",
            r#"{"errcode":40164,"errmsg":"invalid ip"}"#,
            "40164",
            "IP白名单",
        ),
        (
            "shipping",
            r#"{"errcode":10060003,"errmsg":"used"}"#,
            "10060003",
            "console",
        ),
        (
            "shipping",
            r#"{"errcode":48001,"errmsg":"api unauthorized"}"#,
            "48001",
            "发货信息管理",
        ),
    ] {
        let server = sold("").await;
        server.wechat.inject(kind, Fault::Answered(200, answer));
        let refused = ship(&server, &by_express()).await;
        assert_eq!(refused.code(), "WECHAT_REFUSED", "{}", refused.json);
        assert_eq!(refused.json["error"]["wechat_code"], code);
        assert!(refused.text().contains(advice), "{}", refused.text());
        let shown = shippings(&server).await;
        assert_eq!(shown[0]["state"], "refused");
        assert_eq!(shown[0]["wechat_code"], code);
        server.wechat.take_sent();
        server.later(HOUR_MS).await;
        assert_eq!(
            server.wechat.take_kinds(),
            [] as [&str; 0],
            "a person is needed"
        );
        let again = ship(&server, &by_express()).await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.json);
        assert_eq!(again.string("state"), "uploaded");
        assert_eq!(again.number("number"), 1);
    }
}

#[tokio::test]
async fn a_busy_wechat_is_asked_again_later() {
    let server = sold("").await;
    let busy = Fault::Answered(200, r#"{"errcode":-1,"errmsg":"system error"}"#);
    server.wechat.inject("shipping", busy);
    let created = ship(&server, &by_express()).await;
    assert_eq!(created.string("state"), "requested", "{}", created.json);
    assert_eq!(created.string("wechat_code"), "-1");
    server.later(MINUTE_MS).await;
    assert_eq!(shippings(&server).await[0]["state"], "uploaded");
}

#[tokio::test]
async fn wechats_own_rule_of_one_change_reaches_the_backend() {
    let server = sold("").await;
    for (number, status) in [("SF1", 201), ("SF2", 201), ("SF3", 502)] {
        let mut given = by_express();
        given["shipping_list"][0]["tracking_no"] = number.into();
        let answer = ship(&server, &given).await;
        assert_eq!(answer.status.as_u16(), status, "{number}: {}", answer.json);
    }
    let states: Vec<_> = shippings(&server)
        .await
        .iter()
        .map(|it| it["state"].clone())
        .collect();
    assert_eq!(states, ["uploaded", "uploaded", "refused"]);
}

#[tokio::test]
async fn a_broken_rule_is_refused_by_its_field_before_anything_is_recorded() {
    let server = sold("").await;
    let parcel = "/shipping_list/0";
    for (base, pointer, value, field) in [
        (by_express(), "/shipping_list", json!([]), "shipping_list"),
        (parts(&["a"; 16], true), "", Value::Null, "shipping_list"),
        (
            by_express(),
            "/logistics_type",
            json!("pigeon"),
            "logistics_type",
        ),
        (
            by_express(),
            "/is_all_delivered",
            json!(true),
            "is_all_delivered",
        ),
        (
            parts(&["a"], true),
            "/is_all_delivered",
            Value::Null,
            "is_all_delivered",
        ),
        (
            picked_up(),
            "/delivery_mode",
            json!("split"),
            "delivery_mode",
        ),
        (
            by_express(),
            &*format!("{parcel}/tracking_no"),
            Value::Null,
            "shipping_list[0].tracking_no",
        ),
        (
            by_express(),
            &*format!("{parcel}/tracking_no"),
            json!("1".repeat(129)),
            "shipping_list[0].tracking_no",
        ),
        (
            by_express(),
            &*format!("{parcel}/express_company"),
            Value::Null,
            "shipping_list[0].express_company",
        ),
        (
            picked_up(),
            &*format!("{parcel}/express_company"),
            json!("SF"),
            "shipping_list[0].express_company",
        ),
        (
            by_express(),
            &*format!("{parcel}/item_desc"),
            json!("茶".repeat(121)),
            "shipping_list[0].item_desc",
        ),
        (
            by_express(),
            &*format!("{parcel}/receiver_contact"),
            Value::Null,
            "shipping_list[0].receiver_contact",
        ),
        (
            by_express(),
            &*format!("{parcel}/receiver_contact"),
            json!("home"),
            "shipping_list[0].receiver_contact",
        ),
        (
            by_express(),
            &*format!("{parcel}/consignor_contact"),
            json!("12"),
            "shipping_list[0].consignor_contact",
        ),
    ] {
        let mut given = base;
        if let Some((around, name)) = pointer.rsplit_once('/') {
            let around = given.pointer_mut(around).unwrap().as_object_mut().unwrap();
            around.remove(name);
            if !value.is_null() {
                around.insert(name.to_owned(), value);
            }
        }
        let refused = ship(&server, &given).await;
        assert_eq!(
            refused.code(),
            "INVALID_REQUEST",
            "{given}: {}",
            refused.json
        );
        assert_eq!(refused.json["error"]["field"], field, "{}", refused.json);
    }
    assert_eq!(shippings(&server).await, [] as [Value; 0]);
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_shipping_that_wechat_never_takes_is_given_up_after_three_days() {
    let server = sold("").await;
    for _ in 0..1_000 {
        let busy = Fault::Answered(200, r#"{"errcode":-1,"errmsg":"system error"}"#);
        server.wechat.inject("shipping", busy);
    }
    ship(&server, &by_express()).await;
    for _ in 0..80 {
        server.later(HOUR_MS).await;
    }
    let shown = shippings(&server).await;
    assert_eq!(shown[0]["state"], "refused", "{shown:?}");
    assert!(
        shown[0]["wechat_message"]
            .as_str()
            .unwrap()
            .contains("three days"),
        "{shown:?}"
    );
}
