//! Notifications that are neither a payment's nor a refund's: each is verified, opened, kept, and handed
//! to the backend once.

use http::StatusCode;
use serde_json::{Value, json};

use crate::log::Log;
use crate::test_server::{SentNotification, TestServer};
use crate::webhooks::{SECRET, TARGET};

const PAYMENTS: &str = "http://127.0.0.1:8080/wechat/notify/payment";
const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

/// WeChat's events by kind, with contents of WeChat's forms. Nobody knows the last one.
fn events() -> [(&'static str, &'static str, Value); 6] {
    [
        (
            "FAPIAO.USER_APPLIED",
            "FAPIAO_USER_APPLIED",
            json!({"mchid": "1900000109", "fapiao_apply_id": "4200000444201910177461284488",
                   "apply_time": "2026-11-21T17:20:10+08:00"}),
        ),
        (
            "COMPLAINT.CREATE",
            "complaint",
            json!({"complaint_id": "200201820200101080076610000", "action_type": "CREATE_COMPLAINT"}),
        ),
        (
            "COUPON.USE",
            "coupon",
            json!({"stock_id": "9865888", "coupon_id": "98674556", "status": "USED",
                   "consume_information": {"transaction_id": "4200000752201407033233368018"}}),
        ),
        (
            "TRANSACTION.SUCCESS",
            "profitsharing",
            json!({"mchid": "1900000100", "order_id": "1217752501201407033233368018",
                   "transaction_id": "4200000752201407033233368018",
                   "receiver": {"type": "MERCHANT_ID", "account": "1900000100", "amount": 888}}),
        ),
        (
            "PAYSCORE.USER_PAID",
            "payscore",
            json!({"state": "DONE", "total_amount": 40_000, "collection": {"state": "USER_PAID"}}),
        ),
        ("MOON.FULL", "", json!({"phase": [1, 2.5, null, "满"]})),
    ]
}

async fn server_with(target: &str) -> TestServer {
    TestServer::open_with_end(&format!(
        "[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\n{target}"
    ))
    .await
}

/// WeChat sends an event.
async fn sent(server: &TestServer, event: Value) -> SentNotification {
    let answer = server.simulate("event", &event).await;
    assert_eq!(answer["status"], 204, "{answer}");
    server.take_notifications().remove(0)
}

async fn open_mismatches(server: &TestServer) -> usize {
    let list = server.read_private("/v1/mismatches?state=open").await;
    list.json["mismatches"].as_array().unwrap().len()
}

#[tokio::test]
async fn each_kind_of_event_reaches_the_backend_once_with_its_content() {
    let server = server_with("").await;
    for (place, (event_type, original_type, resource)) in events().into_iter().enumerate() {
        let id = format!("EV-{place}");
        let event = json!({
            "url": PAYMENTS, "id": id, "event_type": event_type, "original_type": original_type,
            "summary": "通知", "resource": resource,
        });
        for _ in 0..2 {
            let notification = sent(&server, event.clone()).await;
            let answer = server
                .deliver_to("/wechat/notify/payment", &notification)
                .await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{event_type}");
            server.later(0).await;
        }
        let messages = server.backend.take();
        assert_eq!(messages.len(), 1, "{event_type}");
        let body = messages[0].json();
        assert_eq!(body["type"], "wechat.event");
        let mut data = body["data"].clone();
        let create_time = data["create_time"].take();
        assert!(create_time.is_string(), "{data}");
        let mut expected = json!({
            "id": id, "event_type": event_type, "create_time": null, "summary": "通知",
            "resource": resource,
        });
        if !original_type.is_empty() {
            expected["original_type"] = original_type.into();
        }
        assert_eq!(data, expected);
        assert_eq!(open_mismatches(&server).await, 0, "{event_type}");
    }
}

#[tokio::test]
async fn an_event_is_kept_where_no_target_is_configured_and_can_be_sent_later() {
    let server = TestServer::open().await;
    let event =
        json!({"url": PAYMENTS, "id": "EV-1", "event_type": "MOON.FULL", "resource": {"a": 1}});
    let notification = sent(&server, event).await;
    server
        .deliver_to("/wechat/notify/payment", &notification)
        .await;
    server.later(0).await;
    let list = server.read_private("/v1/webhooks?type=wechat.event").await;
    assert_eq!(
        list.json["webhooks"][0]["state"], "unaddressed",
        "{}",
        list.json
    );

    let end = format!("[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\n");
    let configured = crate::test_server::configuration("") + &end;
    let server = server.restart_with(&configured).await;
    let path = "/v1/webhooks/resend?state=unaddressed";
    assert_eq!(server.call("POST", path).await.number("resent"), 1);
    server.later(0).await;
    let messages = server.backend.take();
    let [message] = &*messages else {
        panic!("{messages:?}")
    };
    assert_eq!(message.json()["data"]["resource"], json!({"a": 1}));
}

#[tokio::test]
async fn an_openid_in_an_event_is_whole_only_for_targets_that_get_payers() {
    for (target, shown) in [("", "oUpF8u…"), ("with_payer = true\n", OPENID)] {
        let log = Log::start();
        let server = server_with(target).await;
        let event = json!({
            "url": PAYMENTS, "event_type": "COUPON.USE", "original_type": "coupon",
            "resource": {"coupon_id": "1", "payer_openid": OPENID, "user": {"openid": OPENID}},
        });
        let notification = sent(&server, event).await;
        server
            .deliver_to("/wechat/notify/payment", &notification)
            .await;
        server.later(0).await;
        let message = server.backend.take().remove(0).json();
        let resource = &message["data"]["resource"];
        assert_eq!(resource["payer_openid"], shown, "{target}");
        assert_eq!(resource["user"]["openid"], shown, "{target}");
        assert_eq!(log.count("wechat.event"), 1, "it is logged by type and id");
        log.holds_none_of(&[OPENID]);
    }
}

#[tokio::test]
async fn an_event_that_may_be_money_is_handed_on_and_kept_for_a_person() {
    let server = server_with("").await;
    let event = json!({
        "url": PAYMENTS, "id": "EV-1", "event_type": "TRANSACTION.NEW_KIND",
        "original_type": "new_kind", "resource": {"out_trade_no": "unmatched-0001"},
    });
    for _ in 0..2 {
        let notification = sent(&server, event.clone()).await;
        server
            .deliver_to("/wechat/notify/payment", &notification)
            .await;
    }
    server.later(0).await;
    let types: Vec<_> = server
        .backend
        .take()
        .iter()
        .map(|it| it.json()["type"].clone())
        .collect();
    assert_eq!(types, ["wechat.event"]);
    assert_eq!(open_mismatches(&server).await, 1);
}

#[tokio::test]
async fn an_event_that_wechat_did_not_sign_is_refused_and_not_kept() {
    let server = server_with("").await;
    let event = json!({"url": PAYMENTS, "event_type": "COUPON.USE", "resource": {"a": 1}});
    let mut notification = sent(&server, event).await;
    let mut body = notification.body.to_vec();
    let middle = body.len() / 2;
    body[middle] ^= 1;
    notification.body = body.into();
    let refused = server
        .deliver_to("/wechat/notify/payment", &notification)
        .await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    server.later(0).await;
    assert_eq!(server.backend.take().len(), 0);
}
