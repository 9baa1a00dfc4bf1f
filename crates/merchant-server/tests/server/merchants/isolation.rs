//! What one merchant's key, token or number says about another merchant: nothing.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{OTHER_TARGET, TARGET, open, ordered, paid};
use crate::log::Log;
use crate::test_server::{Answer, TestServer, form};

/// An answer without its id, to compare it with another one.
fn compared(answer: &Answer) -> (StatusCode, Value) {
    (answer.status, answer.json.clone())
}

async fn call(server: &TestServer, method: &str, path: &str, body: &Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {}", server.api_key))
        .header("content-type", "application/json");
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    server.send(request.body(body).unwrap()).await
}

/// Two merchants, and the id of a message. The second merchant has a paid order with a refund, an
/// unmatched payment, and that message.
async fn furnished() -> ([TestServer; 2], String) {
    let [first, second] = open("").await;
    paid(&second, "tea-0001").await;
    let refund = json!({ "refund_no": "back-0001", "amount_fen": 100 });
    let refunded = call(&second, "POST", "/v1/orders/tea-0001/refunds", &refund).await;
    assert_eq!(refunded.status, StatusCode::CREATED, "{}", refunded.json);
    second.later(0).await;
    let messages = second.read_private("/v1/webhooks").await;
    let id = messages.json["webhooks"][0]["id"].as_str().unwrap();

    let unmatched = "INSERT INTO mismatches (merchant, out_trade_no, transaction_id, reason, resource,
                                             received_ms, no)
                     SELECT no, 'lost-0001', '42', 'number', '{}', 0, 1 FROM owner WHERE mchid = $1";
    let kept = sqlx::query(unmatched).bind(&second.mchid);
    // The database is the first one's, like that of the whole process.
    kept.execute(&first.database().await).await.unwrap();
    let id = id.to_owned();
    ([first, second], id)
}

#[tokio::test]
async fn a_key_gets_the_same_answer_for_anothers_order_as_for_an_unknown_one() {
    let ([first, second], id) = furnished().await;
    let refund = json!({ "refund_no": "back-0001", "amount_fen": 100 });
    let resend = format!("/v1/webhooks/{id}/resend");
    let before = format!("/v1/webhooks?before={id}");
    let attempt = json!({ "product": "native" });
    let abnormal = json!({
        "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT",
        "bank_account": "6222020000001234", "real_name": "张三丰",
    });
    let (none, empty) = (Value::Null, json!({}));
    let calls = [
        ("GET", "/v1/orders/tea-0001", &none, "ORDER_UNKNOWN"),
        ("POST", "/v1/orders/tea-0001/close", &none, "ORDER_UNKNOWN"),
        (
            "POST",
            "/v1/orders/tea-0001/attempts",
            &attempt,
            "ORDER_UNKNOWN",
        ),
        (
            "POST",
            "/v1/orders/tea-0001/refunds",
            &refund,
            "ORDER_UNKNOWN",
        ),
        ("GET", "/v1/orders/tea-0001/refunds", &none, "ORDER_UNKNOWN"),
        ("GET", "/v1/refunds/back-0001", &none, "REFUND_UNKNOWN"),
        (
            "POST",
            "/v1/refunds/back-0001/apply-abnormal-refund",
            &abnormal,
            "REFUND_UNKNOWN",
        ),
        (
            "GET",
            "/v1/orders?before=tea-0001",
            &none,
            "INVALID_REQUEST",
        ),
        ("POST", &resend, &none, "WEBHOOK_UNKNOWN"),
        ("GET", &before, &none, "INVALID_REQUEST"),
        ("POST", "/v1/mismatches/1/done", &empty, "MISMATCH_UNKNOWN"),
    ];
    let known = ["tea-0001", "back-0001", &id, "mismatches/1"];
    let unknown = ["none-0001", "none-0002", "msg_0", "mismatches/9"];
    for (method, theirs, body, code) in calls {
        let names = known.iter().zip(unknown);
        let unknown = names.fold(theirs.to_owned(), |path, (known, unknown)| {
            path.replace(known, unknown)
        });
        let found = call(&first, method, theirs, body).await;
        let expected = call(&first, method, &unknown, body).await;
        assert_eq!(expected.code(), code, "{unknown}: {}", expected.json);
        assert_eq!(compared(&found), compared(&expected), "{method} {theirs}");
        let own = call(&second, method, theirs, body).await;
        assert_ne!(
            own.code(),
            code,
            "{method} {theirs}: it is there for its own merchant"
        );
    }
}

#[tokio::test]
async fn a_key_lists_nothing_of_another_merchant() {
    let ([first, second], _) = furnished().await;
    for (list, name) in [
        ("/v1/orders", "orders"),
        ("/v1/webhooks", "webhooks"),
        ("/v1/mismatches", "mismatches"),
    ] {
        let list = first.read_private(list).await;
        assert_eq!(list.json[name], json!([]), "{name}");
    }
    let order = second.read_private("/v1/orders/tea-0001").await;
    assert_eq!(order.json["state"], "paid");
    assert_eq!(order.json["refunds"][0]["refund_no"], "back-0001");
}

#[tokio::test]
async fn the_payment_service_serves_each_key_its_own_merchant() {
    let service = "wxpay_server = { notify_urls = [\"http://127.0.0.1:7000/notify\"] }";
    let configuration = super::top("") + &super::first_table("") + &super::second_table(service);
    let keys = [super::KEY, super::OTHER_KEY];
    let [first, second] = TestServer::open_pair(&configuration, keys).await;
    ordered(&first, "tea-0001").await;
    ordered(&second, "tea-0002").await;
    let query = async |server: &TestServer, order_no: &str| {
        let mut request = form("/v1/pay/queryOrder", &[("out_trade_no", order_no)]);
        let key = format!("Bearer {}", server.api_key);
        request
            .headers_mut()
            .insert("authorization", key.parse().unwrap());
        server.send(request).await
    };
    let own = query(&second, "tea-0002").await;
    assert!(own.json["data"].is_object(), "{}", own.json);
    let theirs = query(&second, "tea-0001").await;
    assert_eq!(
        compared(&theirs),
        compared(&query(&second, "none-0001").await)
    );
    assert!(theirs.json["data"].is_null(), "{}", theirs.json);
    // The first merchant has no such service.
    let without = query(&first, "tea-0001").await;
    assert!(without.json["data"].is_null(), "{}", without.json);
    assert!(
        without.text().contains("no payment service"),
        "{}",
        without.json
    );
}

#[tokio::test]
async fn the_same_number_is_an_order_of_each_merchant() {
    let [first, second] = open("").await;
    let token = ordered(&first, "tea-0001").await;
    let other = ordered(&second, "tea-0001").await;
    assert_ne!(token, other);
    second.pay("tea-0001").await;
    let notification = &second.take_notifications()[0];
    let path = super::path_of(&second, "payment");
    assert_eq!(second.deliver_to(&path, notification).await.status, 204);
    assert_eq!(first.checkout(&token).await.string("state"), "open");
    assert_eq!(second.checkout(&other).await.string("state"), "paid");

    first.pay("tea-0001").await;
    first.later(6_000).await;
    assert_eq!(
        first.checkout(&token).await.string("state"),
        "paid",
        "by a query"
    );
    first.later(0).await;
    let messages = first.backend.take();
    let sent = |target: &str| {
        let of_target = messages.iter().filter(|message| message.url == target);
        let ids: Vec<_> = of_target
            .map(|message| {
                assert_eq!(message.json()["type"], "payment.succeeded");
                assert_eq!(message.json()["data"]["order_no"], "tea-0001");
                message.header("webhook-id").to_owned()
            })
            .collect();
        ids
    };
    let (ours, theirs) = (sent(TARGET), sent(OTHER_TARGET));
    assert_eq!((ours.len(), theirs.len()), (1, 1), "each to its own target");
    assert_ne!(ours, theirs);

    for server in [&first, &second] {
        let refund = json!({ "refund_no": "back-0001", "amount_fen": 1990 });
        let refunded = call(server, "POST", "/v1/orders/tea-0001/refunds", &refund).await;
        assert_eq!(refunded.status, StatusCode::CREATED, "{}", refunded.json);
        let again = call(server, "POST", "/v1/orders/tea-0001/refunds", &refund).await;
        assert_eq!(
            again.status,
            StatusCode::OK,
            "the same refund of the same merchant"
        );
    }
}

#[tokio::test]
async fn a_token_opens_the_pages_of_its_merchant() {
    let lines = |contact: &str| format!("service_contact = {{ text = \"{contact}\" }}");
    let configuration = super::top("")
        + &super::first_table(&lines("tea shop"))
        + &super::second_table(&lines("coffee bar"));
    let keys = [super::KEY, super::OTHER_KEY];
    let [first, second] = TestServer::open_pair(&configuration, keys).await;
    let token = ordered(&first, "tea-0001").await;
    let other = ordered(&second, "tea-0001").await;
    for (token, contact, theirs) in [
        (token, "tea shop", "coffee bar"),
        (other, "coffee bar", "tea shop"),
    ] {
        let page = first.get(&format!("/c/{token}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains(contact) && !page.text().contains(theirs));
        let status = first.get(&format!("/c/{token}/status?seen=1")).await;
        assert_eq!(status.status, StatusCode::OK);
        let cancelled = first
            .form(&format!("/v1/checkouts/{token}/cancel"), &[("after", "1")])
            .await;
        assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.json);
    }
    let unknown = first.get("/v1/checkouts/no-such-token").await;
    assert_eq!(unknown.code(), "CHECKOUT_UNKNOWN");
    assert_eq!(
        first.wechat.take_kinds(),
        ["order", "query", "close"],
        "each at its own WeChat"
    );
    assert_eq!(second.wechat.take_kinds(), ["order", "query", "close"]);
}

#[tokio::test]
async fn metrics_say_whose_and_show_a_key_its_own_merchant() {
    const MONITORING: &str = "the monitoring's key";
    /// SHA-256 of [`MONITORING`], made with another program.
    const MONITORING_SHA256: &str =
        "afbcf2b0722742601ab8f9075d2bf6c21176d490f91836f5c8d485c22f22d818";
    let configuration = super::top("").replace(
        "[gateway]",
        &format!(
            "[[api_keys]]\nname = \"monitoring\"\nsha256 = \"{MONITORING_SHA256}\"\nscopes = [\"metrics\"]\n[gateway]"
        ),
    ) + &super::first_table("")
        + &super::second_table("");
    let keys = [super::KEY, super::OTHER_KEY];
    let [first, mut second] = TestServer::open_pair(&configuration, keys).await;
    ordered(&first, "tea-0001").await;
    paid(&second, "tea-0001").await;
    let open = format!(
        "merchant_server_orders{{state=\"open\",merchant=\"{}\"}} 1",
        first.mchid
    );
    let paid = format!(
        "merchant_server_orders{{state=\"paid\",merchant=\"{}\"}} 1",
        second.mchid
    );
    let none = format!(
        "merchant_server_mismatches{{merchant=\"{}\"}} 0",
        second.mchid
    );
    let shown = first.read_private("/metrics").await.text();
    assert!(shown.contains(&open), "{shown}");
    assert!(!shown.contains(&second.mchid), "{shown}");
    let theirs = second.read_private("/metrics").await.text();
    assert!(theirs.contains(&paid) && theirs.contains(&none), "{theirs}");
    assert!(!theirs.contains(&first.mchid));
    second.api_key = MONITORING;
    let all = second.read_private("/metrics").await.text();
    assert!(all.contains(&open) && all.contains(&paid), "{all}");
    let refused = second.read_private("/v1/orders").await;
    assert_eq!(refused.code(), "FORBIDDEN");
}

#[tokio::test]
async fn log_lines_of_calls_and_of_due_work_say_whose_they_are() {
    let log = Log::start();
    let [first, second] = open("").await;
    for server in [&first, &second] {
        ordered(server, "tea-0001").await;
        server.pay("tea-0001").await;
    }
    first.later(6_000).await;
    let text = log.text();
    for event in ["order.created", "payment.settled"] {
        let lines: Vec<_> = text.lines().filter(|line| line.contains(event)).collect();
        assert_eq!(lines.len(), 2, "{event}: {text}");
        for server in [&first, &second] {
            let theirs = lines.iter().filter(|line| line.contains(&server.mchid));
            assert_eq!(theirs.count(), 1, "{event}: {lines:?}");
        }
    }
}
