//! Lost answers, refusals, and processes that end in the middle: one call stays one share.

use http::StatusCode;
use serde_json::{Value, json};

use super::{news, share_body, sold};
use crate::fault_injector::Fault;
use crate::test_server::MINUTE_MS;

#[tokio::test]
async fn a_share_whose_answer_is_lost_is_queried_and_never_sent_twice() {
    let server = sold().await;
    server.wechat.inject("share", Fault::AnswerLost);
    let asked = server.ask_share(&share_body("P-1", 800)).await;
    assert_eq!(asked.status, StatusCode::CREATED);
    assert_eq!(asked.string("state"), "requested");
    server.later(5_000).await;
    assert_eq!(server.wechat.take_kinds(), ["share", "share_query"]);
    assert_eq!(server.share_state("P-1").await, "finished");
    assert_eq!(server.shares_at_wechat().len(), 1);
}

#[tokio::test]
async fn a_share_that_wechat_does_not_know_is_sent_again_with_the_same_bytes() {
    let server = sold().await;
    server.wechat.inject("share", Fault::NotSent);
    server.ask_share(&share_body("P-1", 800)).await;
    server.later(5_000).await;
    let sent = server.wechat.take_sent();
    let kinds: Vec<_> = sent.iter().map(|sent| sent.kind).collect();
    assert_eq!(kinds, ["share", "share_query", "share"], "asked first");
    assert_eq!(sent[0].body, sent[2].body);
    assert_eq!(server.share_state("P-1").await, "processing");
    assert_eq!(server.shares_at_wechat().len(), 1);
}

#[tokio::test]
async fn every_fault_of_wechats_ends_in_one_share() {
    for kind in [
        "error_before",
        "error_after",
        "timeout_after",
        "accepted",
        "too_many_requests",
        "wrong_signature",
        "signtest",
    ] {
        let server = sold().await;
        let rules = json!([
            { "route": "share", "kind": kind, "rate": 1.0, "count": 2, "delay_ms": 1 },
            { "route": "share_query", "kind": "error_before", "rate": 1.0, "count": 1 },
        ]);
        server.share_faults(&rules).await;
        server.ask_share(&share_body("P-1", 800)).await;
        for _ in 0..20 {
            server.later(MINUTE_MS / 2).await;
        }
        assert_eq!(server.share_state("P-1").await, "finished", "{kind}");
        assert_eq!(
            server.shares_at_wechat(),
            [("P-1".to_owned(), "FINISHED".to_owned(), 800)],
            "{kind}"
        );
        let told = server.share_messages().await;
        assert_eq!(told, [news("share.finished", "P-1", 800)], "{kind}");
    }
}

#[tokio::test]
async fn a_signed_refusal_frees_the_amount_and_the_same_call_tries_again() {
    let server = sold().await;
    let refusal = json!([
        { "route": "share", "kind": "refused", "code": "RULE_LIMIT", "rate": 1.0, "count": 1 },
    ]);
    server.share_faults(&refusal).await;
    let refused = server.ask_share(&share_body("P-1", 800)).await;
    assert_eq!(refused.code(), "WECHAT_REFUSED", "{}", refused.json);
    assert_eq!(refused.json["error"]["wechat_code"], "RULE_LIMIT");
    assert_eq!(server.wechat.take_kinds(), ["share", "share_query"]);
    assert_eq!(server.share_state("P-1").await, "refused");
    assert_eq!(server.shares().await.number("shareable_fen"), 1_990);
    let told = server.share_messages().await;
    assert_eq!(told, [news("share.refused", "P-1", 0)]);
    let again = server.ask_share(&share_body("P-1", 800)).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.json);
    assert_eq!(again.string("state"), "processing");
    assert_eq!(server.shares().await.number("shareable_fen"), 1_190);
}

#[tokio::test]
async fn an_unsigned_refusal_proves_nothing() {
    let server = sold().await;
    let forged = Fault::Answered(403, r#"{"code":"NO_AUTH","message":"x"}"#);
    server.wechat.inject("share", forged);
    let asked = server.ask_share(&share_body("P-1", 800)).await;
    assert_eq!(asked.string("state"), "requested");
    server.settled().await;
    assert_eq!(server.share_state("P-1").await, "finished");
}

#[tokio::test]
async fn an_answer_about_another_share_has_no_effect() {
    for (field, value) in [
        ("out_order_no", json!("P-9")),
        ("transaction_id", json!("4200000009")),
        ("receivers", json!([])),
        ("state", json!("LATER")),
    ] {
        let server = sold().await;
        let now_ms = merchant_server::Clock::now_ms(&server.clock);
        let change = move |answer: &mut http::Response<bytes::Bytes>| {
            let mut json: Value = serde_json::from_slice(answer.body()).unwrap();
            json[field] = value.clone();
            let signed = crate::test_server::sign(json.to_string(), now_ms);
            *answer.headers_mut() = signed.headers;
            *answer.body_mut() = signed.body;
        };
        server
            .wechat
            .inject("share", Fault::Changed(Box::new(change)));
        let asked = server.ask_share(&share_body("P-1", 800)).await;
        assert_eq!(asked.string("state"), "requested", "{field}");
        for _ in 0..4 {
            server.settled().await;
        }
        assert_eq!(server.share_state("P-1").await, "finished", "{field}");
        assert_eq!(server.shares_at_wechat().len(), 1, "{field}");
    }
}

#[tokio::test]
async fn another_process_completes_what_one_left_unfinished() {
    let server = sold().await;
    server.wechat.inject("share", Fault::AnswerLost);
    server.ask_share(&share_body("P-1", 800)).await;
    let server = server.restart().await;
    assert_eq!(server.share_state("P-1").await, "requested");
    server.settled().await;
    assert_eq!(server.share_state("P-1").await, "finished");
    assert_eq!(server.shares_at_wechat().len(), 1);
}
