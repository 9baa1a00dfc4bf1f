//! Mismatches: listed with WeChat's report, and an alarm until they are resolved.

use http::StatusCode;
use serde_json::json;

use crate::test_server::{
    API_KEY, Answer, MINUTE_MS, START_MS, TestServer, backend, payment_notification, transaction,
};

/// WeChat sends a notification of a payment whose number is not ours.
async fn notify_payment(server: &TestServer, id: &str, out_trade_no: &str) {
    let mut payment = transaction(out_trade_no, 1990);
    payment["transaction_id"] = format!("42000000002026112100000{id}").into();
    let answer = server
        .deliver(&payment_notification(id, &payment, START_MS))
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}

async fn done(server: &TestServer, no: &str, body: &str) -> Answer {
    let path = format!("/v1/mismatches/{no}/done");
    server.send(backend(&path, API_KEY, body.to_owned())).await
}

async fn listed(server: &TestServer, query: &str) -> Vec<u64> {
    let answer = server.read_private(&format!("/v1/mismatches{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    let mismatches = answer.json["mismatches"].as_array().unwrap();
    mismatches
        .iter()
        .map(|mismatch| mismatch["no"].as_u64().unwrap())
        .collect()
}

async fn gauge(server: &TestServer) -> u64 {
    let text = server.read_private("/metrics").await.text();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("merchant_server_mismatches "));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_mismatch_is_an_alarm_until_it_is_marked_as_resolved() {
    let server = TestServer::open().await;
    notify_payment(&server, "N1001", "unmatched-0001").await;
    notify_payment(&server, "N1002", "unmatched-0002").await;
    assert_eq!(gauge(&server).await, 2);
    server.later(0).await;
    let list = server.read_private("/v1/mismatches?state=open").await;
    let first = &list.json["mismatches"][1];
    assert_eq!(first["no"], 1);
    assert_eq!(first["kind"], "payment");
    assert_eq!(first["out_trade_no"], "unmatched-0001");
    assert_eq!(first["reason"], "number");
    assert_eq!(first["received_at"], "2026-11-21T09:20:00Z");
    assert_eq!(first["told"]["amount"]["total"], 1990);
    assert_eq!(first["answer"], "ORDER_NOT_EXIST");
    assert_eq!(first.get("done_at"), None);

    server.clock.advance_ms(MINUTE_MS);
    let note = json!({ "note": "给回了" }).to_string();
    let answer = done(&server, "1", &note).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    assert_eq!(answer.string("done_at"), "2026-11-21T09:21:00Z");
    assert_eq!(answer.string("note"), "给回了");
    assert_eq!(gauge(&server).await, 1);
    assert_eq!(listed(&server, "").await, [2, 1]);
    assert_eq!(listed(&server, "?state=open").await, [2]);
    assert_eq!(listed(&server, "?state=done").await, [1]);

    // A repeated call keeps the first time and the note.
    server.clock.advance_ms(MINUTE_MS);
    for body in ["", "{}"] {
        assert_eq!(done(&server, "1", body).await.json, answer.json);
    }
    // WeChat sends the notification again, which is not a new alarm.
    notify_payment(&server, "N1001", "unmatched-0001").await;
    assert_eq!(gauge(&server).await, 1);
}

#[tokio::test]
async fn mismatches_are_listed_page_by_page_and_unknown_parameters_are_refused() {
    let server = TestServer::open().await;
    for number in 1001..=1005 {
        notify_payment(
            &server,
            &format!("N{number}"),
            &format!("unmatched-{number}"),
        )
        .await;
    }
    let page = server.read_private("/v1/mismatches?limit=2").await;
    assert_eq!(page.json["mismatches"][1]["no"], 4);
    assert_eq!(page.json["next_before"], 4);
    assert_eq!(listed(&server, "?limit=2&before=4").await, [3, 2]);
    let last = server.read_private("/v1/mismatches?limit=2&before=2").await;
    assert_eq!(last.json["mismatches"].as_array().unwrap().len(), 1);
    assert_eq!(last.json.get("next_before"), None);
    for (query, field) in [
        ("?state=closed", "state"),
        ("?limit=0", "limit"),
        ("?before=x", "before"),
        ("?stat=open", "stat"),
        ("?state=open&state=done", "state"),
    ] {
        let refused = server.read_private(&format!("/v1/mismatches{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(refused.json["error"]["field"], field, "{query}");
    }
    for no in ["6", "0", "-1", "x", "99999999999999999999"] {
        let refused = done(&server, no, "{}").await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{no}");
        assert_eq!(refused.code(), "MISMATCH_UNKNOWN");
    }
    let long = json!({ "note": "x".repeat(501) }).to_string();
    for body in [
        &*long,
        r#"{"note":""}"#,
        r#"{"note":"a\nb"}"#,
        r#"{"not":"x"}"#,
        "[]",
    ] {
        let refused = done(&server, "1", body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(listed(&server, "?state=done").await, [] as [u64; 0]);
}

#[tokio::test]
async fn no_list_says_who_paid() {
    let server = TestServer::open().await;
    let payment = transaction("unmatched-0001", 1990);
    let openid = payment["payer"]["openid"].as_str().unwrap().to_owned();
    notify_payment(&server, "N1001", "unmatched-0001").await;
    // WeChat's answer to a query names the payer, too.
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    for notification in server.take_notifications() {
        server.deliver(&notification).await;
    }
    notify_payment(&server, "N1002", "tea-0001").await;
    server.later(0).await;
    for path in ["/v1/mismatches", "/v1/orders", "/v1/webhooks"] {
        let answer = server.read_private(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let text = answer.text();
        assert!(!text.contains(&openid), "{path}: {text}");
        if path == "/v1/mismatches" {
            let masked = format!("{}…", &openid[..6]);
            assert!(text.contains(&masked), "{text}");
        }
    }
    let done = done(&server, "1", "").await;
    assert!(!done.text().contains(&openid), "{}", done.json);
}
