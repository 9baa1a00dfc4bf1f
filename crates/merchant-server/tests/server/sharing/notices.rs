//! WeChat tells a merchant that receives (分账动账通知). The notice is handed to the backend, and a share of
//! ours is queried at once.

use http::StatusCode;
use serde_json::{Value, json};

use super::{SUPPLIER, own_mchid, share_body, sold, to_supplier};
use crate::test_server::TestServer;

const PAYMENTS: &str = "http://127.0.0.1:8080/wechat/notify/payment";

/// WeChat sends a notice with this `original_type`, and it is delivered.
async fn notice(server: &TestServer, original_type: &str, content: &Value) -> StatusCode {
    let event = json!({
        "url": PAYMENTS, "event_type": "TRANSACTION.SUCCESS", "original_type": original_type,
        "resource": content,
    });
    server.simulate("event", &event).await;
    let notification = server.take_notifications().remove(0);
    server.deliver(&notification).await.status
}

fn content(number: &str) -> Value {
    json!({
        "mchid": own_mchid(), "transaction_id": "4200000001", "order_id": "3008450740201411110007",
        "out_order_no": number, "success_time": "2026-11-21T17:23:00+08:00",
        "receiver": {
            "type": "MERCHANT_ID", "account": SUPPLIER, "amount": 800, "description": "茶叶货款",
        },
    })
}

#[tokio::test]
async fn a_notice_has_the_share_queried_and_reaches_the_backend() {
    for original_type in ["transaction", "profitsharing"] {
        let server = sold().await;
        server.ask_share(&share_body("P-1", 800)).await;
        server.clock.advance_ms(3_000);
        server.wechat.take_sent();
        let status = notice(&server, original_type, &content("P-1")).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{original_type}");
        server.later(0).await;
        assert_eq!(server.wechat.take_kinds(), ["share_query"]);
        assert_eq!(server.share_state("P-1").await, "finished");
        server.later(0).await;
        let messages = server.backend.take();
        let types: Vec<_> = messages
            .iter()
            .map(|message| message.json()["type"].as_str().unwrap().to_owned())
            .collect();
        assert!(types.contains(&"wechat.event".to_owned()), "{types:?}");
        assert!(types.contains(&"share.finished".to_owned()), "{types:?}");
    }
}

#[tokio::test]
async fn a_notice_of_another_merchants_share_is_news_and_nothing_else() {
    let server = sold().await;
    let status = notice(&server, "transaction", &content("theirs-1")).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    server.later(0).await;
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
    let list = server.read_private("/v1/mismatches?state=open").await;
    assert_eq!(list.json["mismatches"], json!([]));
}

#[tokio::test]
async fn a_merchant_that_shares_with_itself_is_told_by_wechat() {
    let server = sold().await;
    let settings = json!({ "share_notify_url": PAYMENTS }).to_string();
    server.control("PATCH", "settings", &settings).await;
    let mut to_us = to_supplier(90);
    to_us["account"] = own_mchid().into();
    let body = json!({ "share_no": "P-1", "receivers": [to_us] });
    server.ask_share(&body).await;
    server.clock.advance_ms(3_000);
    server.simulator.run_due().await;
    let notifications = server.take_notifications();
    assert_eq!(notifications.len(), 1);
    let answer = server.deliver(&notifications[0]).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    server.later(0).await;
    assert_eq!(server.share_state("P-1").await, "finished");
}
