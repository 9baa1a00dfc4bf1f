//! Receivers: added with an encrypted name, deleted, and stored nowhere.

use http::StatusCode;
use serde_json::{Value, json};

use super::{COURIER, SUPPLIER, share_body, sold, to_supplier};
use crate::fault_injector::Fault;
use crate::log::Log;
use crate::test_server::{Owner, TestServer, sub_merchant};

fn supplier() -> Value {
    json!({
        "type": "MERCHANT_ID", "account": SUPPLIER, "name": "某某茶行",
        "relation_type": "CUSTOM", "custom_relation": "长期合作",
    })
}

#[tokio::test]
async fn a_receivers_name_is_encrypted_for_wechat_and_is_in_no_log() {
    let log = Log::start();
    let server = TestServer::open().await;
    let added = server.private("/v1/receivers", &supplier()).await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.json);
    assert_eq!(
        added.json,
        json!({ "type": "MERCHANT_ID", "account": SUPPLIER })
    );
    let sent = server.wechat.take_sent();
    assert_eq!(sent[0].path, "/v3/profitsharing/receivers/add");
    let body: Value = serde_json::from_slice(&sent[0].body).unwrap();
    assert_eq!(body["custom_relation"], "长期合作");
    assert!(body["name"].as_str().unwrap().len() > 300, "sealed");
    let again = server.private("/v1/receivers", &supplier()).await;
    assert_eq!(again.status, StatusCode::OK, "it is the same receiver");
    let person = json!({
        "type": "PERSONAL_OPENID", "account": COURIER, "name": "张三", "relation_type": "STAFF",
    });
    server.private("/v1/receivers", &person).await;
    log.holds_none_of(&["某某茶行", "张三", COURIER]);
}

#[tokio::test]
async fn a_wrong_receiver_is_refused_by_its_field_before_it_is_sent() {
    let server = TestServer::open().await;
    for (field, value, named, rule) in [
        ("name", Value::Null, "name", "is required"),
        ("account", json!("not a number"), "account", "[0-9]"),
        (
            "custom_relation",
            Value::Null,
            "custom_relation",
            "is required",
        ),
        (
            "custom_relation",
            json!("一二三四五六七八九十一"),
            "custom_relation",
            "at most 10 characters",
        ),
        (
            "relation_type",
            json!("STORE"),
            "custom_relation",
            "CUSTOM alone",
        ),
        ("type", json!("PERSONAL_SUB_OPENID"), "type", "sub_appid"),
        (
            "sub_mchid",
            json!("1900000999"),
            "sub_mchid",
            "is not a configured sub-merchant",
        ),
    ] {
        let mut receiver = supplier();
        let fields = receiver.as_object_mut().unwrap();
        if value.is_null() {
            fields.remove(field);
        } else {
            fields.insert(field.to_owned(), value);
        }
        let refused = server.private("/v1/receivers", &receiver).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{receiver}");
        assert_eq!(refused.json["error"]["field"], named, "{receiver}");
        let message = refused.json["error"]["message"].as_str().unwrap();
        assert!(message.contains(rule), "{message}");
    }
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_provider_adds_receivers_for_a_sub_merchant_and_its_application() {
    let server = TestServer::open_configured(&Owner::Provider.configuration("", "")).await;
    let sub = sub_merchant(1);
    let nobodys = server.private("/v1/receivers", &supplier()).await;
    assert_eq!(nobodys.json["error"]["field"], "sub_mchid");
    let person = json!({
        "type": "PERSONAL_SUB_OPENID", "account": "oOfTheSubMerchant", "relation_type": "USER",
        "sub_mchid": sub.sub_mchid,
    });
    let added = server.private("/v1/receivers", &person).await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.json);
    let sent = server.wechat.take_sent();
    let body: Value = serde_json::from_slice(&sent[0].body).unwrap();
    assert_eq!(body["sub_mchid"], *sub.sub_mchid);
    assert_eq!(body["sub_appid"], *sub.sub_appid);
}

#[tokio::test]
async fn a_deleted_receiver_gets_nothing() {
    let server = sold().await;
    server.ask_share(&share_body("P-1", 800)).await;
    let gone = json!({ "type": "MERCHANT_ID", "account": SUPPLIER });
    let deleted = server.private("/v1/receivers/delete", &gone).await;
    assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.json);
    server.settled().await;
    let share = server.share("P-1").await;
    assert_eq!(
        share["receivers"][0]["fail_reason"], "NO_RELATION",
        "{share}"
    );
    let body = json!({ "share_no": "P-2", "receivers": [to_supplier(1)] });
    let refused = server.ask_share(&body).await;
    assert_eq!(refused.code(), "WECHAT_REFUSED");
    let message = refused.json["error"]["message"].as_str().unwrap();
    assert!(message.contains("分账接收方关系不存在"), "{message}");
}

#[tokio::test]
async fn a_call_about_a_receiver_without_an_answer_can_be_repeated() {
    let server = TestServer::open().await;
    server.wechat.inject("receiver", Fault::AnswerLost);
    let lost = server.private("/v1/receivers", &supplier()).await;
    assert_eq!(lost.code(), "WECHAT_UNAVAILABLE", "{}", lost.json);
    assert_eq!(lost.json["error"]["retryable"], true);
    let again = server.private("/v1/receivers", &supplier()).await;
    assert_eq!(again.status, StatusCode::OK);
}
