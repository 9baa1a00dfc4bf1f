//! Lost answers, refusals, and processes that end in the middle: one request stays one refund.

use http::StatusCode;
use serde_json::{Value, json};

use super::{HOOKS, bought, buy, refund_body};
use crate::fault_injector::Fault;
use crate::test_server::{MINUTE_MS, TestServer};

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_queried_and_never_sent_twice() {
    let (server, _) = bought().await;
    server.wechat.inject("refund", Fault::AnswerLost);
    let asked = server.ask_refund(refund_body("R-1", 990)).await;
    assert_eq!(asked.status, StatusCode::CREATED);
    assert_eq!(asked.string("state"), "requested");
    server.later(5_000).await;
    assert_eq!(server.state_of("R-1").await, "succeeded");
    assert_eq!(server.wechat.take_kinds(), ["refund", "refund_query"]);
    assert_eq!(server.refunds_at_wechat().len(), 1);
}

#[tokio::test]
async fn a_refund_that_wechat_does_not_know_is_sent_again_with_the_same_bytes_a_minute_later() {
    let (server, _) = bought().await;
    server.wechat.inject("refund", Fault::NotSent);
    let asked = server.ask_refund(refund_body("R-1", 990)).await;
    assert_eq!(asked.string("state"), "requested");
    server.later(5_000).await;
    assert_eq!(server.wechat.take_kinds(), ["refund", "refund_query"]);
    server.later(54_999).await;
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
    server.later(1).await;
    let sent = server.wechat.take_sent();
    let kinds: Vec<_> = sent.iter().map(|sent| sent.kind).collect();
    assert_eq!(kinds, ["refund_query", "refund"], "asked first, again");
    assert_eq!(server.state_of("R-1").await, "processing");
    let same = server.ask_refund(refund_body("R-1", 990)).await;
    assert_eq!(same.status, StatusCode::OK);
    let body: Value = serde_json::from_slice(&sent[1].body).unwrap();
    assert_eq!(body["out_refund_no"], "R-1");
    assert_eq!(server.refunds_at_wechat().len(), 1);
}

#[tokio::test]
async fn every_try_sends_the_stored_bytes() {
    let (server, _) = bought().await;
    for _ in 0..2 {
        server.wechat.inject("refund", Fault::Answered(502, ""));
    }
    server.ask_refund(refund_body("R-1", 990)).await;
    for _ in 0..4 {
        server.later(MINUTE_MS).await;
    }
    let sent = server.wechat.take_sent();
    let tries: Vec<_> = sent.iter().filter(|sent| sent.kind == "refund").collect();
    assert_eq!(tries.len(), 3);
    assert!(tries.windows(2).all(|pair| pair[0].body == pair[1].body));
    assert_eq!(server.refunds_at_wechat().len(), 1);
}

#[tokio::test]
async fn a_refund_answered_with_429_may_have_been_accepted() {
    let (server, _) = bought().await;
    server
        .faults(
            json!([{ "route": "refund", "kind": "too_many_requests", "rate": 1.0, "count": 1 }]),
        )
        .await;
    let asked = server.ask_refund(refund_body("R-1", 990)).await;
    assert_eq!(asked.string("state"), "requested");
    assert_eq!(asked.string("wechat_code"), "FREQUENCY_LIMITED");
    server.later(5_000).await;
    assert_eq!(server.wechat.take_kinds(), ["refund", "refund_query"]);
    server.later(MINUTE_MS).await;
    assert_eq!(server.wechat.take_kinds(), ["refund_query", "refund"]);
    let refund = server.refund("R-1").await;
    assert_eq!(refund.string("state"), "processing");
    assert!(refund.json.get("wechat_code").is_none(), "{}", refund.json);
}

#[tokio::test]
async fn every_fault_of_wechats_ends_in_one_refund() {
    for kind in [
        "error_before",
        "error_after",
        "timeout_after",
        "accepted",
        "wrong_signature",
        "signtest",
    ] {
        let (server, _) = bought().await;
        server
            .faults(json!([
                { "route": "refund", "kind": kind, "rate": 1.0, "count": 2, "delay_ms": 1 },
                { "route": "refund_query", "kind": "error_before", "rate": 1.0, "count": 1 },
            ]))
            .await;
        server.ask_refund(refund_body("R-1", 990)).await;
        for _ in 0..20 {
            server.later(MINUTE_MS / 2).await;
        }
        assert_eq!(server.state_of("R-1").await, "succeeded", "{kind}");
        let at_wechat = server.refunds_at_wechat();
        assert_eq!(
            at_wechat,
            [("R-1".to_owned(), 990, "SUCCESS".to_owned())],
            "{kind}"
        );
        assert_eq!(
            server.refund_messages().await,
            ["refund.succeeded"],
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_signed_refusal_frees_the_amount_and_the_same_call_tries_again() {
    let (server, _) = bought().await;
    server
        .faults(json!([
            { "route": "refund", "kind": "refused", "code": "NOT_ENOUGH", "rate": 1.0, "count": 1 },
        ]))
        .await;
    let refused = server.ask_refund(refund_body("R-1", 1990)).await;
    assert_eq!(refused.status, StatusCode::BAD_GATEWAY, "{}", refused.json);
    assert_eq!(refused.code(), "WECHAT_REFUSED");
    assert_eq!(refused.json["error"]["wechat_code"], "NOT_ENOUGH");
    assert_eq!(
        server.wechat.take_kinds(),
        ["refund", "refund_query"],
        "a refusal is believed when WeChat does not know the number, too"
    );
    let refund = server.refund("R-1").await;
    assert_eq!(refund.string("state"), "refused");
    assert_eq!(refund.string("wechat_code"), "NOT_ENOUGH");
    assert_eq!(server.refund_messages().await, ["refund.refused"]);
    let list = server.read_private(super::REFUNDS).await;
    assert_eq!(list.number("refundable_fen"), 1990);
    server.later(60 * MINUTE_MS).await;
    assert_eq!(
        server.wechat.take_kinds(),
        [] as [&str; 0],
        "it waits for the merchant"
    );

    let again = server.ask_refund(refund_body("R-1", 1990)).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.json);
    assert_eq!(again.string("state"), "processing");
    assert_eq!(server.wechat.take_kinds(), ["refund_query", "refund"]);
    assert_eq!(server.refunds_at_wechat().len(), 1);
}

#[tokio::test]
async fn a_refused_refund_does_not_reserve_its_amount() {
    let (server, _) = bought().await;
    server
        .faults(json!([
            { "route": "refund", "kind": "refused", "code": "NOT_ENOUGH", "rate": 1.0, "count": 1 },
        ]))
        .await;
    server.ask_refund(refund_body("R-1", 1990)).await;
    server.later(MINUTE_MS).await;
    let other = server.ask_refund(refund_body("R-2", 1000)).await;
    assert_eq!(other.string("state"), "processing");
    let again = server.ask_refund(refund_body("R-1", 1990)).await;
    assert_eq!(again.code(), "REFUND_TOO_MUCH");
    assert_eq!(server.state_of("R-1").await, "refused");
}

#[tokio::test]
async fn an_unsigned_refusal_concludes_nothing() {
    let (server, _) = bought().await;
    let body = r#"{"code":"NOT_ENOUGH","message":"m"}"#;
    server.wechat.inject("refund", Fault::Answered(403, body));
    let asked = server.ask_refund(refund_body("R-1", 1990)).await;
    assert_eq!(asked.status, StatusCode::CREATED);
    assert_eq!(asked.string("state"), "requested");
    assert_eq!(asked.string("wechat_code"), "NOT_ENOUGH");
    assert_eq!(
        server.ask_refund(refund_body("R-2", 1)).await.code(),
        "REFUND_TOO_MUCH"
    );
    server.later(MINUTE_MS).await;
    assert_eq!(server.state_of("R-1").await, "processing");
}

#[tokio::test]
async fn a_stored_refund_of_a_process_that_ended_is_sent_by_the_next_one() {
    for fault in [Fault::NotSent, Fault::AnswerLost] {
        let (server, _) = bought().await;
        server.wechat.inject("refund", fault);
        server.ask_refund(refund_body("R-1", 990)).await;
        let server = server.restart().await;
        for _ in 0..4 {
            server.later(MINUTE_MS / 2).await;
        }
        assert_eq!(server.state_of("R-1").await, "succeeded");
        assert_eq!(server.refunds_at_wechat().len(), 1);
        let same = server.ask_refund(refund_body("R-1", 990)).await;
        assert_eq!(same.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn two_processes_with_the_same_request_send_it_once() {
    let server = TestServer::open_with_end(HOOKS).await;
    buy(&server).await;
    let beside = server.beside().await;
    let (one, other) = tokio::join!(
        server.ask_refund(refund_body("R-1", 1990)),
        beside.ask_refund(refund_body("R-1", 1990)),
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 201]);
    let sent = server.wechat.take_kinds();
    assert_eq!(sent.iter().filter(|kind| **kind == "refund").count(), 1);
    let (one, other) = tokio::join!(
        server.ask_refund(refund_body("R-2", 1)),
        beside.ask_refund(refund_body("R-3", 1)),
    );
    assert_eq!(
        (one.code(), other.code()),
        ("REFUND_TOO_MUCH", "REFUND_TOO_MUCH")
    );
}

#[tokio::test]
async fn a_closed_refund_frees_its_amount_and_its_number_is_used_up() {
    let (server, _) = bought().await;
    server.ask_refund(refund_body("R-1", 1990)).await;
    server.decide("R-1", "closed").await;
    for notification in server.take_notifications() {
        server.deliver_refund(&notification).await;
    }
    assert_eq!(server.state_of("R-1").await, "closed");
    assert_eq!(server.refund_messages().await, ["refund.closed"]);
    server.wechat.take_sent();
    let same = server.ask_refund(refund_body("R-1", 1990)).await;
    assert_eq!(
        (same.status, same.string("state")),
        (StatusCode::OK, "closed")
    );
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
    server.later(MINUTE_MS).await;
    let other = server.ask_refund(refund_body("R-2", 1990)).await;
    assert_eq!(other.string("state"), "processing");
}
