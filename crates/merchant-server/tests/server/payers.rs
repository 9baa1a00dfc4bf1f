//! Who paid: shown to keys with the scope `payers:read` and to webhook targets with `with_payer`, and
//! to nobody else.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::log::Log;
use crate::test_server::{
    Answer, TestServer, configuration, merchant, sub_merchant, sub_merchant_table,
};
use crate::webhooks::SECRET;

const READER: &str = "a key that may only look";
/// SHA-256 of [`READER`], made with another program.
const READER_SHA256: &str = "d9105107801031fd49cf2d037669396121a2ad53e79694e7c39903aee975ec69";
const WITH_PAYER: &str = "http://127.0.0.1:7000/with-payer";
const WITHOUT: &str = "http://127.0.0.1:7000/without";

/// A server whose second key has these scopes, with a webhook target of each kind.
async fn server_with(scopes: &str) -> TestServer {
    let end = format!(
        "[[webhooks]]\nurl = \"{WITH_PAYER}\"\nsecret = \"{SECRET}\"\nwith_payer = true\n\
         [[webhooks]]\nurl = \"{WITHOUT}\"\nsecret = \"{SECRET}\"\n\
         [[api_keys]]\nname = \"reader\"\nsha256 = \"{READER_SHA256}\"\nscopes = [{scopes}]\n"
    );
    TestServer::open_with_end(&end).await
}

async fn read_as(server: &TestServer, key: &str, path: &str) -> Answer {
    let request = Request::get(path).header("authorization", format!("Bearer {key}"));
    server.send(request.body(Body::empty()).unwrap()).await
}

async fn buy(server: &TestServer, order: Value) -> String {
    let order_no = order["order_no"].as_str().unwrap().to_owned();
    let token = server.order(order).await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay(&order_no).await;
    for notification in server.take_notifications() {
        server.deliver(&notification).await;
    }
    token
}

fn own_openid(server: &TestServer) -> (String, String) {
    let appid = merchant()["appid"].as_str().unwrap().to_owned();
    (server.simulator.openid(&appid), appid)
}

#[tokio::test]
async fn only_a_key_with_its_scope_sees_who_paid() {
    for (scopes, sees) in [
        (r#""orders:read""#, false),
        (r#""till""#, false),
        (r#""orders:read", "payers:read""#, true),
    ] {
        let server = server_with(scopes).await;
        let (openid, appid) = own_openid(&server);
        buy(
            &server,
            json!({"order_no": "tea-0001", "total_fen": 1990, "description": "tea"}),
        )
        .await;
        let order = read_as(&server, READER, "/v1/orders/tea-0001").await;
        assert_eq!(order.status, StatusCode::OK, "{scopes}: {}", order.json);
        assert_eq!(order.text().contains(&openid), sees, "{scopes}");
        let payer = if sees {
            json!({"openid": openid, "appid": appid})
        } else {
            Value::Null
        };
        assert_eq!(order.json["payer"], payer, "{scopes}");
        assert_eq!(order.json["attempts"][0]["payer"], payer, "{scopes}");
    }
    let server = server_with(r#""payers:read""#).await;
    buy(
        &server,
        json!({"order_no": "tea-0001", "total_fen": 1990, "description": "tea"}),
    )
    .await;
    let alone = read_as(&server, READER, "/v1/orders/tea-0001").await;
    assert_eq!(alone.code(), "FORBIDDEN", "the scope opens no order");
}

#[tokio::test]
async fn a_message_names_the_payer_for_the_targets_that_get_it_and_for_no_other() {
    let log = Log::start();
    let server = server_with(r#""orders:read""#).await;
    let (openid, appid) = own_openid(&server);
    buy(
        &server,
        json!({"order_no": "tea-0001", "total_fen": 1990, "description": "tea"}),
    )
    .await;
    server.later(0).await;
    let messages = server.backend.take();
    assert_eq!(messages.len(), 2);
    let mut ids = Vec::new();
    for message in &messages {
        let mut body = message.json();
        assert_eq!(body["type"], "payment.succeeded");
        let payer = body["data"].as_object_mut().unwrap().remove("payer");
        let expected =
            (message.url == WITH_PAYER).then(|| json!({"openid": openid, "appid": appid}));
        assert_eq!(payer, expected, "{}", message.url);
        let foreign = standardwebhooks::Webhook::new(SECRET).unwrap();
        let signature = foreign.sign(
            message.header("webhook-id"),
            message.header("webhook-timestamp").parse().unwrap(),
            &message.body,
        );
        assert_eq!(message.header("webhook-signature"), signature.unwrap());
        ids.push((message.header("webhook-id").to_owned(), body));
    }
    assert_eq!(ids[0], ids[1], "the rest is the same");
    log.holds_none_of(&[&openid]);
}

#[tokio::test]
async fn a_service_provider_gets_each_openid_beside_its_application() {
    let sub = sub_merchant(1);
    let server = TestServer::open_with_merchant("", &sub_merchant_table(&sub)).await;
    let openid = server.simulator.openid(&sub.sub_appid);
    let token = server
        .order(json!({
            "order_no": "tea-0001", "total_fen": 1990, "description": "tea",
            "sub_mchid": sub.sub_mchid, "payer": {"sub_openid": openid},
        }))
        .await;
    server.attempt(&token, &[("product", "jsapi")]).await;
    server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    let order = server.read_private("/v1/orders/tea-0001").await;
    let payer = &order.json["payer"];
    assert_eq!(payer["sub_openid"], openid.as_str(), "{}", order.json);
    assert_eq!(payer["sub_appid"], sub.sub_appid.as_str());
    let (openid, appid) = own_openid(&server);
    assert_eq!(payer["openid"], openid.as_str(), "{}", order.json);
    assert_eq!(payer["appid"], appid.as_str());
}

#[tokio::test]
async fn a_payment_that_was_recorded_without_its_payer_gets_it_from_the_next_report() {
    let server = TestServer::open().await;
    let (openid, _) = own_openid(&server);
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    let notifications = server.take_notifications();
    server.deliver(&notifications[0]).await;
    let database = server.database().await;
    sqlx::query("UPDATE attempts SET payer_openid = NULL")
        .execute(&database)
        .await
        .unwrap();
    database.close().await;
    let order = server.read_private("/v1/orders/tea-0001").await;
    assert_eq!(order.json["payer"], Value::Null);
    server.deliver(&notifications[0]).await;
    let order = server.read_private("/v1/orders/tea-0001").await;
    assert_eq!(order.json["payer"]["openid"], openid.as_str());
}

#[test]
fn a_scan_target_is_not_configured_with_payers() {
    let text = configuration("")
        + &format!(
            "[scan_webhook]\nurl = \"{WITHOUT}\"\nsecret = \"{SECRET}\"\nwith_payer = true\n"
        );
    let folder = std::path::Path::new(".");
    let refused = merchant_server::Config::parse(&text, folder).unwrap_err();
    let message = refused.to_string();
    assert!(
        message.starts_with("scan_webhook.with_payer: "),
        "{message}"
    );
}
