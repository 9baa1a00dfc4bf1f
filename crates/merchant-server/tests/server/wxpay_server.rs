//! The payment service (wxpayserver): a backend that was written against such a service orders, is
//! notified, queries and closes, by the names of its document.

mod access;
mod fields;
mod notifications;

use std::collections::BTreeMap;

use http::StatusCode;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use crate::inbox::Message;
use crate::test_server::{
    Answer, MERCHANT, MINUTE_MS, SHOP, TestServer, configuration, form, merchant,
};

const SERVICE_KEY: &str = "a key for the payment service";
/// SHA-256 of [`SERVICE_KEY`], made with another program.
const SERVICE_KEY_SHA256: &str = "9c8fc069a1af676aa01ac6fdd3775c4663b6c6533fde561738d134908e7f1f27";
const ORDERS_KEY: &str = "a key for orders alone";
/// SHA-256 of [`ORDERS_KEY`], made with another program.
const ORDERS_KEY_SHA256: &str = "eb913136312337a081b21d705f307ddc1a73dab51728c484200607b4c396cad8";
const NOTIFY_URL: &str = "http://127.0.0.1:8000/wxpay/notify";
const ACKNOWLEDGED: &str = "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";

const PARAMS: &str = "/v1/pay/params";
const UNIFIED: &str = "/v1/pay/unified";
const QUERY: &str = "/v1/pay/queryOrder";
const CLOSE: &str = "/v1/pay/closeOrder";
const ROUTES: [&str; 4] = [PARAMS, UNIFIED, QUERY, CLOSE];

/// The fields of an order, as the document has them.
const ORDER: [(&str, &str); 6] = [
    ("body", "一壶茶"),
    ("out_trade_no", "tea-0001"),
    ("total_fee", "1990"),
    ("spbill_create_ip", "203.0.113.7"),
    ("notify_url", NOTIFY_URL),
    ("openid", "oSecretOpenId"),
];
const NUMBER: [(&str, &str); 1] = [("out_trade_no", "tea-0001")];

type Fields<'a> = Vec<(&'a str, &'a str)>;

/// The order with one field changed or added.
fn with<'a>(name: &'a str, value: &'a str) -> Fields<'a> {
    let mut fields = without(name);
    fields.push((name, value));
    fields
}

fn without(name: &str) -> Fields<'static> {
    let others = ORDER.into_iter().filter(|(known, _)| *known != name);
    others.collect()
}

/// The order of `/v1/pay/unified` with a trade type.
fn unified(trade_type: &str) -> Fields<'_> {
    with("trade_type", trade_type)
}

fn table(lines: &str) -> String {
    format!(
        "[wxpay_server]\n{lines}\n\
         [[api_keys]]\nname = \"service\"\nsha256 = \"{SERVICE_KEY_SHA256}\"\nscopes = [\"wxpay_server\"]\n\
         [[api_keys]]\nname = \"orders\"\nsha256 = \"{ORDERS_KEY_SHA256}\"\nscopes = [\"orders:read\", \"orders:write\"]\n"
    )
}

fn service_table() -> String {
    table(&format!(
        "notify_urls = [\"https://www.shop.example/notify\", \"{NOTIFY_URL}\"]\nreturn_url = \"{SHOP}/orders\""
    ))
}

async fn service() -> TestServer {
    TestServer::open_with_end(&service_table()).await
}

async fn call_with(server: &TestServer, key: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = form(path, fields);
    let key = format!("Bearer {key}").parse().unwrap();
    request.headers_mut().insert("authorization", key);
    server.send(request).await
}

/// Calls as the backend does.
async fn call(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> Answer {
    call_with(server, SERVICE_KEY, path, fields).await
}

/// The `data` of a call that succeeds.
async fn data(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> Value {
    let answer = call(server, path, fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(answer.json["data"].is_object(), "{}", answer.json);
    assert_eq!(answer.json.as_object().unwrap().len(), 1, "{}", answer.json);
    assert_eq!(answer.headers["cache-control"], "no-store");
    answer.json["data"].clone()
}

/// The code and the message of a call that is refused.
async fn refused(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> (String, String) {
    let answer = call(server, path, fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let error = answer.json["error"].as_object().unwrap();
    assert_eq!(answer.json.as_object().unwrap().len(), 1, "{}", answer.json);
    assert_eq!(error.len(), 2, "{}", answer.json);
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (text("code"), text("message"))
}

/// The buyer pays, WeChat notifies the server, and the server's due work runs.
async fn pay_and_report(server: &TestServer) {
    server.pay("tea-0001").await;
    for notification in server.take_notifications() {
        let answer = server.deliver(&notification).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    server.later(0).await;
}

/// The messages that the backend received at its `notify_url`.
fn notified(server: &TestServer) -> Vec<Message> {
    let mut messages = server.backend.take();
    messages.retain(|message| message.url == NOTIFY_URL);
    messages
}

/// Reads a notification as a backend of that time does, and checks its signature by WeChat's rule
/// with another implementation than the server's.
fn read_notification(body: &[u8]) -> BTreeMap<String, String> {
    let text = std::str::from_utf8(body).unwrap();
    let mut fields = BTreeMap::new();
    for line in text.lines() {
        let line = line.trim_start_matches("<xml>");
        let Some((name, rest)) = line.strip_prefix('<').and_then(|line| line.split_once('>'))
        else {
            continue;
        };
        let Some((value, _)) = rest.split_once("</") else {
            continue;
        };
        let value = value
            .trim_start_matches("<![CDATA[")
            .trim_end_matches("]]>");
        fields.insert(name.to_owned(), value.to_owned());
    }
    let mut signed = Vec::new();
    for (name, value) in fields
        .iter()
        .filter(|(name, value)| *name != "sign" && !value.is_empty())
    {
        signed.push(format!("{name}={value}"));
    }
    let key = merchant()["api_v2_key"].as_str().unwrap().to_owned();
    signed.push(format!("key={key}"));
    let digest = Md5::digest(signed.join("&").as_bytes());
    let digest = wechat_pay::lower_hex(&digest).to_ascii_uppercase();
    assert_eq!(fields["sign"], digest, "{text}");
    fields
}

#[tokio::test]
async fn a_backend_of_the_document_orders_is_notified_queries_and_closes() {
    let server = service().await;
    server.backend.answer_body(ACKNOWLEDGED);
    let parameters = data(&server, PARAMS, &ORDER).await;
    let names = [
        "appId",
        "timeStamp",
        "nonceStr",
        "package",
        "signType",
        "paySign",
    ];
    let parameters = parameters.as_object().unwrap();
    assert_eq!(parameters.len(), names.len());
    assert!(names.iter().all(|name| parameters[*name].is_string()));
    assert_eq!(parameters["appId"], merchant()["appid"]);
    assert!(
        parameters["package"]
            .as_str()
            .unwrap()
            .starts_with("prepay_id=")
    );
    let sent = server.last_order();
    assert_eq!(sent["amount"]["total"], 1990);
    assert_eq!(sent["description"], "一壶茶");
    assert_eq!(sent["payer"]["openid"], "oSecretOpenId");
    assert_eq!(sent["scene_info"]["payer_client_ip"], "203.0.113.7");
    // WeChat notifies the server, never the backend's address.
    assert_eq!(
        sent["notify_url"],
        format!("{MERCHANT}/wechat/notify/payment")
    );

    let open = data(&server, QUERY, &NUMBER).await;
    assert_eq!(open["trade_state"], "NOTPAY");
    assert!(open.get("transaction_id").is_none() && open.get("time_end").is_none());
    assert!(notified(&server).is_empty());

    pay_and_report(&server).await;
    let messages = notified(&server);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].header("content-type"), "text/xml");
    let fields = read_notification(&messages[0].body);
    let paid = data(&server, QUERY, &NUMBER).await;
    for (name, value) in [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("out_trade_no", "tea-0001"),
        ("openid", "oSecretOpenId"),
        ("is_subscribe", "N"),
        ("trade_type", "JSAPI"),
        ("total_fee", "1990"),
        ("cash_fee", "1990"),
        ("fee_type", "CNY"),
    ] {
        assert_eq!(fields[name], value, "{name}");
    }
    assert_eq!(fields["mch_id"], merchant()["mchid"].as_str().unwrap());
    assert!(!fields.contains_key("attach"), "the backend gave none");
    for name in [
        "appid",
        "mch_id",
        "transaction_id",
        "trade_type",
        "bank_type",
        "time_end",
    ] {
        assert_eq!(paid[name], fields[name], "{name}");
    }
    assert_eq!(paid["trade_state"], "SUCCESS");
    assert_eq!(
        (&paid["total_fee"], &paid["cash_fee"]),
        (&json!(1990), &json!(1990))
    );

    let transaction_id = fields["transaction_id"].as_str();
    let both = [NUMBER[0], ("transaction_id", transaction_id)];
    assert_eq!(data(&server, QUERY, &both).await, paid);
    assert_eq!(refused(&server, CLOSE, &both).await.0, "ORDERPAID");
    assert_eq!(refused(&server, PARAMS, &ORDER).await.0, "ORDERPAID");
}

#[tokio::test]
async fn an_unpaid_order_is_closed_and_stays_closed() {
    let server = service().await;
    data(&server, PARAMS, &ORDER).await;
    let closed = data(&server, CLOSE, &NUMBER).await;
    assert_eq!(closed["result_code"], "SUCCESS");
    assert_eq!(closed["out_trade_no"], "tea-0001");
    assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
    assert_eq!(data(&server, CLOSE, &NUMBER).await, closed);
    assert_eq!(data(&server, QUERY, &NUMBER).await["trade_state"], "CLOSED");
    assert_eq!(refused(&server, PARAMS, &ORDER).await.0, "ORDERCLOSED");
}

#[tokio::test]
async fn each_trade_type_has_its_link() {
    let app = r#"products = ["jsapi", "native", "h5", "app"]"#;
    let configuration =
        configuration(app) + &format!("app_appid = {}\n", merchant()["appid"]) + &service_table();
    for (trade_type, name, begins) in [
        ("JSAPI", "prepay_id", "wx"),
        ("NATIVE", "code_url", "weixin://"),
        ("MWEB", "mweb_url", "http"),
        ("APP", "prepay_id", "wx"),
    ] {
        let server = TestServer::open_configured(&configuration).await;
        let made = data(&server, UNIFIED, &unified(trade_type)).await;
        let link = made[name].as_str().unwrap_or_else(|| panic!("{made}"));
        assert!(link.starts_with(begins), "{trade_type}: {link}");
        assert_eq!(made["trade_type"], trade_type);
        assert_eq!(made["result_code"], "SUCCESS");
        assert_eq!(made["mch_id"], merchant()["mchid"]);
        assert_eq!(
            data(&server, UNIFIED, &unified(trade_type)).await[name],
            link
        );
        let state = data(&server, QUERY, &NUMBER).await;
        assert_eq!(
            (&state["trade_type"], &state["appid"]),
            (&made["trade_type"], &made["appid"])
        );
    }
}

#[tokio::test]
async fn only_jsapi_needs_an_openid() {
    let server = service().await;
    let mut native = without("openid");
    native.push(("trade_type", "NATIVE"));
    data(&server, UNIFIED, &native).await;
    native.push(("openid", ""));
    data(&server, UNIFIED, &native).await;
}

#[tokio::test]
async fn a_repeated_call_is_the_same_order_and_other_values_are_refused() {
    let server = service().await;
    let first = data(&server, PARAMS, &ORDER).await;
    server.wechat.take_sent();
    let again = data(&server, PARAMS, &ORDER).await;
    assert_eq!(again["package"], first["package"]);
    assert_eq!(
        data(&server, UNIFIED, &unified("JSAPI")).await["trade_type"],
        "JSAPI"
    );
    assert!(server.wechat.take_kinds().is_empty());
    for (name, value) in [
        ("body", "两壶茶"),
        ("total_fee", "1991"),
        ("spbill_create_ip", "203.0.113.8"),
        ("notify_url", "https://www.shop.example/notify"),
        ("openid", "oAnotherOpenId"),
    ] {
        let (code, message) = refused(&server, PARAMS, &with(name, value)).await;
        assert_eq!(code, "OUT_TRADE_NO_USED", "{name}");
        assert_eq!(message, "out_trade_no is in use with other values");
    }
    let (code, _) = refused(&server, UNIFIED, &unified("NATIVE")).await;
    assert_eq!(code, "OUT_TRADE_NO_USED");
    assert!(server.wechat.take_kinds().is_empty());
    // The number of an order of the contract is in use as well.
    server
        .post_order(&json!({"order_no": "tea-0002", "total_fen": 1990, "description": "一壶茶"}))
        .await;
    let (code, _) = refused(&server, PARAMS, &with("out_trade_no", "tea-0002")).await;
    assert_eq!(code, "OUT_TRADE_NO_USED");
}

#[tokio::test]
async fn a_refusal_of_the_business_has_wechats_own_word() {
    let server = service().await;
    for path in [QUERY, CLOSE] {
        assert_eq!(refused(&server, path, &NUMBER).await.0, "ORDERNOTEXIST");
    }
    data(&server, PARAMS, &ORDER).await;
    for path in [QUERY, CLOSE] {
        let other = [
            NUMBER[0],
            ("transaction_id", "4200000000202611210000000009"),
        ];
        assert_eq!(refused(&server, path, &other).await.0, "ORDERNOTEXIST");
    }
    assert_eq!(data(&server, QUERY, &NUMBER).await["trade_state"], "NOTPAY");
    let mut app = unified("APP");
    app[1].1 = "tea-0002";
    let (code, message) = refused(&server, UNIFIED, &app).await;
    assert_eq!(code, "NOAUTH", "{message}");
    let rule =
        json!([{"route": "order", "kind": "refused", "code": "NO_AUTH", "rate": 1, "count": 1}]);
    server.simulate("faults", &rule).await;
    let (code, _) = refused(&server, PARAMS, &with("out_trade_no", "tea-0003")).await;
    assert_eq!(code, "NO_AUTH");
    server.clock.advance_ms(31 * MINUTE_MS);
    let (code, _) = refused(&server, PARAMS, &ORDER).await;
    assert_eq!(code, "ORDERCLOSED");
}

#[tokio::test]
async fn an_unclear_outcome_is_a_system_error_and_the_same_call_succeeds_later() {
    let server = service().await;
    server
        .wechat
        .inject("order", crate::fault_injector::Fault::AnswerLost);
    assert_eq!(refused(&server, PARAMS, &ORDER).await.0, "SYSTEMERROR");
    data(&server, PARAMS, &ORDER).await;
    server
        .wechat
        .inject("query", crate::fault_injector::Fault::AnswerLost);
    assert_eq!(refused(&server, QUERY, &NUMBER).await.0, "SYSTEMERROR");
    server.clock.advance_ms(5_000);
    assert_eq!(data(&server, QUERY, &NUMBER).await["trade_state"], "NOTPAY");
}
