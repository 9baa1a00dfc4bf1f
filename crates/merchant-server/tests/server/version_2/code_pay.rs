//! Payments by the buyer's code (付款码) in both versions: the till scans, the buyer may have to type a
//! password, and WeChat sends no notification. Version 2 answers a password with a refusal.

use http::StatusCode;
use serde_json::{Value, json};

use super::Api;
use crate::fault_injector::Fault;
use crate::test_server::{Answer, Owner, TestServer};

/// More than this needs the password.
const WITHOUT_PASSWORD_FEN: u64 = 1990;
const WITH_PASSWORD_FEN: u64 = 100_000;

/// A till of a merchant of this version, with an order to pay there.
async fn till(api: Api, owner: Owner, total_fen: u64) -> (TestServer, String) {
    let server = api.open_for(owner, "").await;
    let order = json!({
        "order_no": "tea-0001", "total_fen": total_fen, "description": "一壶茶",
        "scene_info": {"payer_client_ip": "10.0.0.9", "store_info": {"id": "0001"}},
    });
    let token = server.order(order).await;
    (server, token)
}

async fn each_till(total_fen: u64) -> Vec<(Api, TestServer, String)> {
    let mut tills = Vec::new();
    for api in Api::ALL {
        for owner in Owner::BOTH {
            let (server, token) = till(api, owner, total_fen).await;
            tills.push((api, server, token));
        }
    }
    tills
}

fn scan(auth_code: &str) -> Value {
    json!({ "product": "code_pay", "auth_code": auth_code })
}

async fn scanned(server: &TestServer) -> Answer {
    let code = server.shown_code().await;
    server.backend_attempt("tea-0001", &scan(&code)).await
}

async fn state(server: &TestServer, token: &str) -> String {
    server.checkout(token).await.string("state").to_owned()
}

#[tokio::test]
async fn a_small_amount_is_paid_by_the_scan_alone() {
    for (api, server, _) in each_till(WITHOUT_PASSWORD_FEN).await {
        let paid = scanned(&server).await;
        assert_eq!(paid.status, StatusCode::OK, "{api:?} {}", paid.json);
        assert_eq!(paid.string("state"), "paid");
        let sent = server.wechat.take_sent();
        assert_eq!(sent.len(), 1);
        assert!(api.is_of(&sent[0].path));
    }
}

#[tokio::test]
async fn the_server_queries_wechat_while_the_buyer_types_the_password() {
    for (api, server, token) in each_till(WITH_PASSWORD_FEN).await {
        let waiting = scanned(&server).await;
        assert_eq!(waiting.string("state"), "open", "{api:?} {}", waiting.json);
        assert_eq!(waiting.json["attempt"]["state"], "open");
        server.wechat.take_sent();
        server.later(5_000).await;
        assert_eq!(server.wechat.take_kinds(), ["query"]);
        let typed = server.visit("tea-0001", "success");
        server.simulate("pay", &typed).await;
        server.later(5_000).await;
        assert_eq!(state(&server, &token).await, "paid", "{api:?}");
    }
}

#[tokio::test]
async fn a_payment_without_its_password_is_reversed_and_the_next_code_is_another_attempt() {
    for (api, server, token) in each_till(WITH_PASSWORD_FEN).await {
        scanned(&server).await;
        server.wechat.take_sent();
        for _ in 0..6 {
            server.later(5_000).await;
        }
        assert_eq!(
            server.trade_state("tea-0001").as_deref(),
            Some("REVOKED"),
            "{api:?}"
        );
        let sent = server.wechat.take_sent();
        let reversal = sent.iter().find(|sent| sent.kind == "reverse").unwrap();
        assert_eq!(reversal.identity.is_some(), api != Api::V3);
        assert_eq!(state(&server, &token).await, "open");
        let next = scanned(&server).await;
        assert_eq!(next.json["attempt"]["number"], 2, "{}", next.json);
    }
}

#[tokio::test]
async fn a_payment_that_the_bank_refused_is_reversed_and_ends() {
    for (api, server, token) in each_till(WITH_PASSWORD_FEN).await {
        scanned(&server).await;
        let refused = server.visit("tea-0001", "fail");
        server.simulate("pay", &refused).await;
        server.later(5_000).await;
        assert_eq!(
            server.trade_state("tea-0001").as_deref(),
            Some("REVOKED"),
            "{api:?}"
        );
        let shown = server.shown("/tea-0001").await.json;
        assert_eq!(shown["attempts"][0]["state"], "closed");
        assert_eq!(state(&server, &token).await, "open");
    }
}

#[tokio::test]
async fn a_wrong_code_leaves_the_order_open_for_the_next_one_at_once() {
    for (api, server, _) in each_till(WITHOUT_PASSWORD_FEN).await {
        let wrong = scan("130000000000000000");
        let refused = server.backend_attempt("tea-0001", &wrong).await;
        assert_eq!(refused.code(), "WECHAT_REFUSED", "{api:?} {}", refused.json);
        assert_eq!(refused.json["error"]["wechat_code"], "AUTH_CODE_INVALID");
        let paid = scanned(&server).await;
        assert_eq!(paid.string("state"), "paid", "{api:?} {}", paid.json);
        assert_eq!(paid.json["attempt"]["number"], 2);
    }
}

#[tokio::test]
async fn after_a_lost_answer_wechat_is_queried_and_no_code_is_sent_twice() {
    for (api, server, _) in each_till(WITHOUT_PASSWORD_FEN).await {
        let code = server.shown_code().await;
        server.wechat.inject("order", Fault::AnswerLost);
        let doubt = server.backend_attempt("tea-0001", &scan(&code)).await;
        assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT", "{api:?} {}", doubt.json);
        server.wechat.take_sent();
        let found = server.backend_attempt("tea-0001", &scan(&code)).await;
        assert_eq!(found.string("state"), "paid", "{api:?} {}", found.json);
        assert_eq!(server.wechat.take_kinds(), ["query"]);
    }
}

#[tokio::test]
async fn a_scan_that_may_still_arrive_ends_in_version_2_only_after_a_while() {
    for api in Api::V2 {
        let (server, _) = till(api, Owner::Merchant, WITHOUT_PASSWORD_FEN).await;
        let code = server.shown_code().await;
        server.wechat.inject("order", Fault::Answered(500, "busy"));
        server.backend_attempt("tea-0001", &scan(&code)).await;
        let native = json!({"product": "native", "after": 1});
        let doubt = server.backend_attempt("tea-0001", &native).await;
        assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT", "{}", doubt.json);
        assert_eq!(doubt.json["error"]["retry_after_ms"], 15_000);
        server.clock.advance_ms(15_000);
        let next = server.backend_attempt("tea-0001", &native).await;
        assert_eq!(next.json["attempt"]["number"], 2, "{}", next.json);
    }
}

#[tokio::test]
async fn no_attempt_starts_while_a_reversal_is_in_doubt() {
    for api in Api::V2 {
        let (server, _) = till(api, Owner::Merchant, WITH_PASSWORD_FEN).await;
        scanned(&server).await;
        server.wechat.inject("reverse", Fault::AnswerLost);
        let native = json!({"product": "native", "after": 1});
        let doubt = server.backend_attempt("tea-0001", &native).await;
        assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT");
        let taken = server.backend_attempt("tea-0001", &native).await;
        assert_eq!(taken.json["attempt"]["number"], 2, "{}", taken.json);
        assert_eq!(server.trade_state("tea-0001").as_deref(), Some("REVOKED"));
    }
}
