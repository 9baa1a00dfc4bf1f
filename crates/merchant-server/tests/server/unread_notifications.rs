//! Unusual notifications that WeChat signed: which of them the server still reads, and which it
//! keeps whole for a person.

use http::StatusCode;
use jiff::Timestamp;
use merchant_server::Clock as _;
use serde_json::{Value, json};
use wechat_pay::{ApiV3Key, NotificationDraft};

use crate::log::Log;
use crate::test_server::{MINUTE_MS, SentNotification, TestServer, merchant, sign, transaction};

/// A notification with any event, type and inside.
fn sealed(
    server: &TestServer,
    id: &str,
    event_type: &str,
    original_type: &str,
    inside: &str,
) -> SentNotification {
    let at_ms = server.clock.now_ms();
    let draft = NotificationDraft {
        id: id.to_owned(),
        create_time: Timestamp::from_millisecond(at_ms).unwrap(),
        event_type: event_type.to_owned(),
        summary: String::new(),
        original_type: original_type.to_owned(),
        plaintext: inside.as_bytes().to_vec(),
    };
    let merchant = merchant();
    let key = ApiV3Key::new(merchant["api_v3_key"].as_str().unwrap().as_bytes()).unwrap();
    sign(draft.seal(&key, "123456789012").unwrap(), at_ms)
}

/// The same with the envelope changed before it is signed.
fn with_envelope(
    server: &TestServer,
    notification: &SentNotification,
    change: fn(&mut Value),
) -> SentNotification {
    let mut envelope: Value = serde_json::from_slice(&notification.body).unwrap();
    change(&mut envelope);
    sign(envelope.to_string(), server.clock.now_ms())
}

async fn ordered(server: &TestServer) -> String {
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    token
}

async fn kept(server: &TestServer) -> Vec<Value> {
    let list = server.read_private("/v1/mismatches?state=open").await;
    let list = list.json["mismatches"].as_array().unwrap().clone();
    list.into_iter()
        .filter(|kept| kept["kind"] == "notification")
        .collect()
}

async fn gauge(server: &TestServer) -> String {
    let text = server.read_private("/metrics").await.text();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("merchant_server_kept_notifications "));
    line.unwrap().to_owned()
}

/// WeChat's report as the list shows it, with shortened openids.
fn as_shown(resource: &Value) -> Value {
    let mut shown = resource.clone();
    if let Some(openid) = shown.pointer_mut("/payer/openid") {
        *openid = json!("oSecre…");
    }
    shown
}

#[tokio::test]
async fn a_payment_is_recorded_although_unneeded_fields_of_the_envelope_are_missing() {
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 5] = [
        ("summary is null", |it| it["summary"] = Value::Null),
        ("no original_type", |it| {
            let resource = it["resource"].as_object_mut().unwrap();
            resource.remove("original_type");
        }),
        ("original_type is null", |it| {
            it["resource"]["original_type"] = Value::Null;
        }),
        ("no event_type", |it| {
            it.as_object_mut().unwrap().remove("event_type");
        }),
        ("no id", |it| it["id"] = Value::Null),
    ];
    for (what, change) in changes {
        let server = TestServer::open().await;
        let token = ordered(&server).await;
        let paid = transaction("tea-0001", 1990).to_string();
        let notification = sealed(&server, "n-1", "TRANSACTION.SUCCESS", "transaction", &paid);
        let notification = with_envelope(&server, &notification, change);
        let answer = server.deliver(&notification).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{what}");
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "paid",
            "{what}"
        );
        assert_eq!(kept(&server).await, [] as [Value; 0], "{what}");
    }
}

#[tokio::test]
async fn a_payment_under_a_later_events_name_is_a_payment() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let paid = transaction("tea-0001", 1990).to_string();
    let notification = sealed(&server, "n-1", "TRANSACTION.LATER", "transaction", &paid);
    assert_eq!(
        server.deliver(&notification).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
}

#[tokio::test]
async fn an_odd_optional_field_hides_no_payment_and_is_logged_by_its_path_alone() {
    let log = Log::start();
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let mut paid = transaction("tea-0001", 1990);
    paid["amount"]["payer_total"] = json!("19.90 secret");
    paid["success_time"] = json!(1_700_000_000);
    paid["attach"] = Value::Null;
    let notification = sealed(
        &server,
        "n-1",
        "TRANSACTION.SUCCESS",
        "transaction",
        &paid.to_string(),
    );
    assert_eq!(
        server.deliver(&notification).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    assert_eq!(log.count("notification.left_out"), 1);
    let text = log.text();
    for shown in ["n-1", "tea-0001", "amount.payer_total", "success_time"] {
        assert!(text.contains(shown), "{shown}");
    }
    log.holds_none_of(&["19.90 secret", "oSecretOpenId"]);
}

#[tokio::test]
async fn an_unreadable_notification_is_repeated_by_wechat_stored_whole_once_and_queried() {
    let log = Log::start();
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    server.pay("tea-0001").await;
    server.take_notifications();
    let mut paid = transaction("tea-0001", 1990);
    paid["amount"]["total"] = Value::Null;
    let notification = sealed(
        &server,
        "n-1",
        "TRANSACTION.SUCCESS",
        "transaction",
        &paid.to_string(),
    );
    for _ in 0..2 {
        let answer = server.deliver(&notification).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json["code"], "FAIL");
    }
    let list = kept(&server).await;
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["notification_id"], "n-1");
    assert_eq!(list[0]["event_type"], "TRANSACTION.SUCCESS");
    assert_eq!(list[0]["reason"], "unreadable");
    assert_eq!(list[0]["field"], "amount.total");
    assert_eq!(list[0]["out_trade_no"], "tea-0001");
    assert_eq!(list[0]["told"], as_shown(&paid), "it is kept whole");
    let text = log.text();
    for shown in ["notification.unreadable", "n-1", "tea-0001", "amount.total"] {
        assert!(text.contains(shown), "{shown}");
    }
    log.holds_none_of(&["oSecretOpenId"]);
    // The server queries WeChat, and the answer settles the order.
    server.wechat.take_sent();
    server.later(0).await;
    assert_eq!(server.wechat.take_kinds(), ["query"]);
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    assert!(kept(&server).await[0]["answer"].as_str().is_some());
    server.later(MINUTE_MS).await;
    assert_eq!(
        server.wechat.take_kinds(),
        [] as [&str; 0],
        "it is asked once"
    );
}

#[tokio::test]
async fn a_notification_that_is_understood_at_a_later_try_is_resolved() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    let paid = transaction("tea-0001", 1990);
    let mut odd = paid.clone();
    odd.as_object_mut().unwrap().remove("mchid");
    for (inside, status) in [(odd, 400), (paid, 204)] {
        let inside = inside.to_string();
        let notification = sealed(
            &server,
            "n-1",
            "TRANSACTION.SUCCESS",
            "transaction",
            &inside,
        );
        assert_eq!(server.deliver(&notification).await.status, status);
    }
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    assert_eq!(kept(&server).await, [] as [Value; 0]);
    let list = server.read_private("/v1/mismatches?state=done").await;
    assert_eq!(list.json["mismatches"][0]["note"], "understood later");
}

#[tokio::test]
async fn nothing_that_is_acknowledged_is_lost() {
    let open_refund = json!({
        "mchid": merchant()["mchid"], "out_trade_no": "tea-0001", "transaction_id": "42",
        "out_refund_no": "R-1", "refund_id": "50", "refund_status": "LATER",
        "amount": { "total": 1990, "refund": 1 },
    });
    let mut unpaid = transaction("tea-0001", 1990);
    unpaid["trade_state"] = "LATER".into();
    // event, type, content, reason, field, queries to WeChat
    let cases = [
        (
            "TRANSACTION.NEW_KIND",
            "new_kind",
            json!({ "mchid": "1", "out_trade_no": "tea-0001", "transaction_id": "42" }),
            "unknown_kind",
            None,
            vec!["query"],
        ),
        (
            "TRANSACTION.LATER",
            "transaction",
            unpaid,
            "not_paid",
            Some("trade_state"),
            vec!["query"],
        ),
        (
            "REFUND.LATER",
            "refund",
            open_refund,
            "unknown_word",
            Some("refund_status"),
            vec!["refund_query"],
        ),
    ];
    for (event_type, original_type, inside, reason, field, asked) in cases {
        let server = TestServer::open().await;
        let token = ordered(&server).await;
        let before = server.checkout(&token).await.json;
        server.wechat.take_sent();
        let text = inside.to_string();
        for _ in 0..2 {
            let notification = sealed(&server, "n-1", event_type, original_type, &text);
            let answer = server.deliver(&notification).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{event_type}");
        }
        let list = kept(&server).await;
        assert_eq!(list.len(), 1, "{event_type}");
        assert_eq!(list[0]["reason"], reason, "{event_type}");
        assert_eq!(list[0].get("field").and_then(Value::as_str), field);
        assert_eq!(list[0]["event_type"], event_type);
        assert_eq!(list[0]["told"], as_shown(&inside), "{event_type}");
        assert_eq!(gauge(&server).await, "1");
        server.later(0).await;
        assert_eq!(server.wechat.take_kinds(), asked, "{event_type}");
        assert_eq!(server.checkout(&token).await.json, before, "{event_type}");

        let no = list[0]["no"].as_u64().unwrap();
        let done = server
            .call("POST", &format!("/v1/mismatches/{no}/done"))
            .await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.json);
        assert_eq!(gauge(&server).await, "0");
    }
}

#[tokio::test]
async fn an_unreadable_signed_envelope_is_stored_as_text() {
    let server = TestServer::open().await;
    for (body, field) in [
        ("<xml/>", "the body"),
        (r#"{"id":"n-9","event_type":"X"}"#, "resource"),
    ] {
        let notification = sign(body, server.clock.now_ms());
        for _ in 0..2 {
            assert_eq!(
                server.deliver(&notification).await.status,
                StatusCode::BAD_REQUEST
            );
        }
        let list = kept(&server).await;
        assert_eq!(list[0]["field"], field, "{body}");
        let resource = &list[0]["told"];
        let json = serde_json::from_str(body).unwrap_or(Value::from(body));
        assert_eq!(*resource, json);
    }
    assert_eq!(kept(&server).await.len(), 2, "each is kept once");
}

#[tokio::test]
async fn an_unsigned_notification_is_not_stored() {
    let server = TestServer::open().await;
    let paid = transaction("tea-0001", 1990).to_string();
    let mut notification = sealed(&server, "n-1", "COUPON.USE", "coupon", &paid);
    notification.headers = http::HeaderMap::new();
    assert_eq!(
        server.deliver(&notification).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(kept(&server).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_refunds_answer_and_notification_need_only_numbers_amounts_and_state() {
    let server = TestServer::open().await;
    let token = ordered(&server).await;
    server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    // The answer to the refund lacks a field that the server does not use.
    server.wechat.inject(
        "refund",
        crate::fault_injector::Fault::Changed(Box::new(|answer| {
            let mut resource: Value = serde_json::from_slice(answer.body()).unwrap();
            let fields = resource.as_object_mut().unwrap();
            fields.remove("channel");
            fields.insert("create_time".to_owned(), Value::Null);
            fields.insert("user_received_account".to_owned(), json!(7));
            let amount = resource["amount"].as_object_mut().unwrap();
            amount.remove("payer_total");
            amount.insert("payer_refund".to_owned(), Value::Null);
            let signed = sign(resource.to_string(), crate::test_server::START_MS);
            *answer.headers_mut() = signed.headers;
            *answer.body_mut() = signed.body;
        })),
    );
    let body = json!({ "refund_no": "R-1", "amount_fen": 40 }).to_string();
    let path = "/v1/orders/tea-0001/refunds";
    let asked = server
        .send(crate::test_server::backend(
            path,
            crate::test_server::API_KEY,
            body,
        ))
        .await;
    assert_eq!(asked.string("state"), "processing", "{}", asked.json);
    let ledger = serde_json::to_value(server.simulator.ledger_view(None)).unwrap();
    let (order, refund) = (&ledger["orders"][0], &ledger["refunds"][0]);
    let notice = json!({
        "mchid": merchant()["mchid"], "out_trade_no": "tea-0001",
        "transaction_id": order["transaction_id"], "out_refund_no": "R-1",
        "refund_id": refund["refund_id"], "refund_status": "SUCCESS",
        "amount": { "total": 1990, "refund": 40, "payer_total": null },
    });
    let notification = sealed(&server, "n-2", "REFUND.SUCCESS", "", &notice.to_string());
    let notification = with_envelope(&server, &notification, |it| {
        it["resource"]["original_type"] = Value::Null;
    });
    let answer = server
        .deliver_to("/wechat/notify/refund", &notification)
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let shown = server.read_private("/v1/refunds/R-1").await;
    assert_eq!(shown.string("state"), "succeeded", "{}", shown.json);
    assert_eq!(server.checkout(&token).await.number("refunded_fen"), 40);
}
