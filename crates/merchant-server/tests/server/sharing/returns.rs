//! Shared money that comes back.

use http::StatusCode;
use serde_json::json;

use super::{COURIER, news, share_body, sold, sold_by, to_supplier};
use crate::fault_injector::Fault;
use crate::test_server::{Owner, TestServer};

/// The supplier got 800 fen by `P-1`.
async fn shared(owner: Owner) -> TestServer {
    let server = sold_by(owner).await;
    server.ask_share(&share_body("P-1", 800)).await;
    server.settled().await;
    server.share_messages().await;
    server.wechat.take_sent();
    server
}

#[tokio::test]
async fn a_merchant_returns_what_it_got_in_parts_and_the_backend_is_told() {
    for owner in Owner::BOTH {
        let server = shared(owner).await;
        let asked = server.ask_return("P-1", "Z-1", 300).await;
        assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.json);
        assert_eq!(asked.string("kind"), "return");
        assert_eq!(asked.string("share_no"), "P-1");
        assert_eq!(asked.string("return_no"), "Z-1");
        let same = server.ask_return("P-1", "Z-1", 300).await;
        assert_eq!(same.status, StatusCode::OK);
        let too_much = server.ask_return("P-1", "Z-2", 501).await;
        assert_eq!(too_much.code(), "SHARE_TOO_MUCH");
        assert_eq!(too_much.json["error"]["field"], "amount_fen");
        let said = too_much.json["error"]["message"].as_str().unwrap();
        assert!(
            said.contains("501 fen, and 500 fen can be returned"),
            "{said}"
        );
        server.settled().await;
        assert_eq!(server.share_state("Z-1").await, "finished");
        let told = server.share_messages().await;
        assert_eq!(told, [news("share.returned", "Z-1", 300)], "{owner:?}");
        server.ask_return("P-1", "Z-2", 500).await;
        server.settled().await;
        assert_eq!(server.share_state("Z-2").await, "finished");
    }
}

#[tokio::test]
async fn a_return_that_fails_frees_its_amount_for_another_number() {
    let server = shared(Owner::Merchant).await;
    let closed = json!({ "share_outcome": "closed" }).to_string();
    server.control("PATCH", "settings", &closed).await;
    server.ask_return("P-1", "Z-1", 800).await;
    server.settled().await;
    let returned = server.share("Z-1").await;
    assert_eq!(returned["receivers"][0]["fail_reason"], "TIME_OUT_CLOSED");
    let told = server.share_messages().await;
    assert_eq!(told, [news("share.return_failed", "Z-1", 0)]);
    let again = server.ask_return("P-1", "Z-1", 800).await;
    assert_eq!(again.string("state"), "finished", "a number is used once");
    let other = server.ask_return("P-1", "Z-2", 800).await;
    assert_eq!(other.status, StatusCode::CREATED, "{}", other.json);
}

#[tokio::test]
async fn only_a_merchant_that_has_its_part_returns_it() {
    let server = sold().await;
    let body = json!({
        "share_no": "P-1",
        "receivers": [
            to_supplier(800),
            { "type": "PERSONAL_OPENID", "account": COURIER, "amount_fen": 190, "reason": "x" },
        ],
    });
    server.ask_share(&body).await;
    let early = server.ask_return("P-1", "Z-1", 1).await;
    assert_eq!(early.code(), "SHARE_TOO_MUCH", "it is not finished");
    server.settled().await;
    let nobodys = json!({
        "return_no": "Z-1", "account": "1900000999", "amount_fen": 1, "reason": "x",
    });
    let refused = server.private("/v1/shares/P-1/returns", &nobodys).await;
    assert_eq!(refused.code(), "SHARE_TOO_MUCH");
    let unknown = server.ask_return("P-9", "Z-1", 1).await;
    assert_eq!(unknown.code(), "SHARE_UNKNOWN");
    server.ask_return("P-1", "Z-1", 1).await;
    let of_a_return = server.ask_return("Z-1", "Z-2", 1).await;
    assert_eq!(of_a_return.code(), "SHARE_UNKNOWN");
    let used = server.ask_return("P-1", "P-1", 1).await;
    assert_eq!(used.code(), "SHARE_NO_USED");
    assert_eq!(used.json["error"]["field"], "return_no");
    let broken = server.ask_return("P-1", "Z|2", 1).await;
    assert_eq!(broken.json["error"]["field"], "return_no");
}

#[tokio::test]
async fn a_return_in_doubt_is_queried_and_never_sent_twice() {
    let server = shared(Owner::Merchant).await;
    server.wechat.inject("share_return", Fault::AnswerLost);
    let asked = server.ask_return("P-1", "Z-1", 300).await;
    assert_eq!(asked.string("state"), "requested");
    server.later(5_000).await;
    assert_eq!(server.wechat.take_kinds(), ["share_return", "share_query"]);
    assert_eq!(server.share_state("Z-1").await, "finished");
}

#[tokio::test]
async fn a_return_that_wechat_refuses_is_told_and_can_be_asked_for_again() {
    let server = shared(Owner::Merchant).await;
    let refusal = json!([
        { "route": "share_return", "kind": "refused", "code": "NOT_ENOUGH", "rate": 1.0, "count": 1 },
    ]);
    server.share_faults(&refusal).await;
    let refused = server.ask_return("P-1", "Z-1", 300).await;
    assert_eq!(refused.code(), "WECHAT_REFUSED");
    assert_eq!(refused.json["error"]["wechat_code"], "NOT_ENOUGH");
    let told = server.share_messages().await;
    assert_eq!(told, [news("share.return_failed", "Z-1", 0)]);
    let again = server.ask_return("P-1", "Z-1", 300).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.json);
    assert_eq!(again.string("state"), "processing");
}
