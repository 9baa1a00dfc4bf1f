//! The notification of a payment at the order's `notify_url`.

use http::StatusCode;
use serde_json::json;

use super::{
    ACKNOWLEDGED, NOTIFY_URL, NUMBER, ORDER, PARAMS, QUERY, data, notified, pay_and_report,
    read_notification, refused, service, service_table, table,
};
use crate::inbox::Message;
use crate::test_server::{TestServer, configuration};

#[tokio::test]
async fn a_notification_is_sent_until_the_backend_acknowledges_it_as_wechat_wants_it() {
    let mut server = service().await;
    data(&server, PARAMS, &ORDER).await;
    server
        .backend
        .answer_body("<xml><return_code><![CDATA[FAIL]]></return_code></xml>");
    pay_and_report(&server).await;
    let first = notified(&server);
    assert_eq!(first.len(), 1);
    // The order is paid whatever the backend answers.
    assert_eq!(
        data(&server, QUERY, &NUMBER).await["trade_state"],
        "SUCCESS"
    );
    server.backend.answer_body("ok");
    server = server.restart().await;
    server.later(5_000).await;
    let second = notified(&server);
    assert_eq!(second.len(), 1);
    let number =
        |messages: &[Message]| read_notification(&messages[0].body)["transaction_id"].clone();
    assert_eq!(number(&first), number(&second));
    server.backend.answer(StatusCode::INTERNAL_SERVER_ERROR);
    server.later(300_000).await;
    assert_eq!(notified(&server).len(), 1);
    server.backend.answer(StatusCode::OK);
    server.backend.answer_body(ACKNOWLEDGED);
    server.later(1_800_000).await;
    assert_eq!(notified(&server).len(), 1);
    server.later(86_400_000).await;
    assert!(notified(&server).is_empty());
    let listed = server
        .read_private("/v1/webhooks?type=wxpay_server.notification")
        .await
        .json;
    assert_eq!(listed["webhooks"][0]["state"], "delivered");
    assert_eq!(listed["webhooks"][0]["tries"], 4);
}

#[tokio::test]
async fn a_notification_goes_to_its_own_address_and_not_to_the_targets_of_webhooks() {
    let hooks = "http://127.0.0.1:7000/hooks";
    let target = format!(
        "[[webhooks]]\nurl = \"{hooks}\"\nsecret = \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"\n"
    );
    let server = TestServer::open_with_end(&(target + &service_table())).await;
    server.backend.answer_body(ACKNOWLEDGED);
    data(&server, PARAMS, &ORDER).await;
    pay_and_report(&server).await;
    let messages = server.backend.take();
    let at = |url: &str| -> Vec<&Message> {
        messages
            .iter()
            .filter(|message| message.url == url)
            .collect()
    };
    assert_eq!((at(hooks).len(), at(NOTIFY_URL).len()), (1, 1));
    assert_eq!(at(hooks)[0].json()["type"], "payment.succeeded");
    assert_eq!(messages.len(), 2);
}

#[tokio::test]
async fn an_address_that_was_taken_off_the_list_is_not_called() {
    let server = service().await;
    server.backend.answer_body(ACKNOWLEDGED);
    data(&server, PARAMS, &ORDER).await;
    let other = table("notify_urls = [\"https://www.shop.example/notify\"]");
    let server = server.reloaded_as(&(configuration("") + &other)).await;
    pay_and_report(&server).await;
    assert!(server.backend.take().is_empty());
    let listed = server
        .read_private("/v1/webhooks?state=unaddressed&type=wxpay_server.notification")
        .await
        .json;
    assert_eq!(listed["webhooks"].as_array().unwrap().len(), 1);
    // Back on the list, the message can be sent.
    let server = server
        .reloaded_as(&(configuration("") + &service_table()))
        .await;
    server
        .call(
            "POST",
            "/v1/webhooks/resend?state=unaddressed&type=wxpay_server.notification",
        )
        .await;
    server.later(0).await;
    assert_eq!(notified(&server).len(), 1);
}

#[tokio::test]
async fn the_backend_knows_the_order_by_its_own_number_also_after_a_second_attempt() {
    let server = service().await;
    server.backend.answer_body(ACKNOWLEDGED);
    let rule = json!([{"route": "order", "kind": "refused", "code": "OUT_TRADE_NO_USED", "rate": 1, "count": 1}]);
    server.simulate("faults", &rule).await;
    assert_eq!(
        refused(&server, PARAMS, &ORDER).await.0,
        "OUT_TRADE_NO_USED"
    );
    data(&server, PARAMS, &ORDER).await;
    let shown = server.shown("/tea-0001").await.json;
    let number = shown["attempts"][1]["out_trade_no"].as_str().unwrap();
    assert_ne!(number, "tea-0001");
    server.pay(number).await;
    server.deliver(&server.take_notifications()[0]).await;
    server.later(0).await;
    let fields = read_notification(&notified(&server)[0].body);
    assert_eq!(fields["out_trade_no"], "tea-0001");
    assert_eq!(
        data(&server, QUERY, &NUMBER).await["out_trade_no"],
        "tea-0001"
    );
}
