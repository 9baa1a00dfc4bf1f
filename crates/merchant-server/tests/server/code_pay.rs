//! Code payments (付款码): the till scans, the buyer may have to type a password, and WeChat sends no
//! notification.

use http::StatusCode;
use merchant_server::Clock as _;
use serde_json::{Value, json};

use crate::bills::{DAY, bill, refunded, the_next_morning};
use crate::fault_injector::{Fault, Sent};
use crate::test_server::{
    Answer, TestServer, merchant, payment_notification, sub_merchant, sub_merchant_table,
};

const TILL: &str = r#"products = ["native", "code_pay"]"#;

/// A till of a merchant that sells for itself or of a service provider, and an order to pay there.
struct Till {
    server: TestServer,
    token: String,
    /// The sub-merchant for which the provider sells; `None` for a merchant that sells for itself.
    sub_mchid: Option<String>,
}

impl std::ops::Deref for Till {
    type Target = TestServer;

    fn deref(&self) -> &TestServer {
        &self.server
    }
}

/// A till of each kind. Both have the same order of `total_fen`; only the sub-merchant differs.
async fn tills(total_fen: u64) -> [Till; 2] {
    let own = TestServer::open_with(TILL).await;
    let sub = sub_merchant(1);
    let providers = TestServer::open_with_merchant(TILL, &sub_merchant_table(&sub)).await;
    [
        Till::with_order(own, None, total_fen).await,
        Till::with_order(providers, Some(sub.sub_mchid), total_fen).await,
    ]
}

impl Till {
    async fn with_order(server: TestServer, sub_mchid: Option<String>, total_fen: u64) -> Self {
        let mut order = json!({
            "order_no": "tea-0001", "total_fen": total_fen, "description": "一壶茶",
            "scene_info": {
                "payer_client_ip": "10.0.0.9", "device_id": "till 3", "store_info": {"id": "0001"},
            },
        });
        if let Some(sub_mchid) = &sub_mchid {
            order["sub_mchid"] = json!(sub_mchid);
        }
        let token = server.order(order).await;
        Self {
            server,
            token,
            sub_mchid,
        }
    }

    /// The buyer has typed the password, or the bank has refused the payment.
    async fn end(&self, outcome: &str) {
        self.simulate("pay", &self.visit("tea-0001", outcome)).await;
    }

    async fn state(&self) -> String {
        let checkout = self.checkout(&self.token).await;
        checkout.string("state").to_owned()
    }

    /// Whether every call used the routes of the till's mode.
    fn keeps_to_its_mode(&self, sent: &[Sent]) -> bool {
        let partners = sent.iter().all(|sent| sent.path.contains("/partner/"));
        let own = sent.iter().all(|sent| !sent.path.contains("/partner/"));
        if self.sub_mchid.is_some() {
            partners
        } else {
            own
        }
    }
}

fn scan(auth_code: &str) -> Value {
    json!({ "product": "code_pay", "auth_code": auth_code })
}

async fn scanned(server: &TestServer) -> Answer {
    let code = server.shown_code().await;
    server.backend_attempt("tea-0001", &scan(&code)).await
}

#[tokio::test]
async fn a_small_amount_is_paid_by_the_scan_alone() {
    for till in tills(1990).await {
        let paid = scanned(&till).await;
        assert_eq!(paid.status, StatusCode::OK, "{}", paid.json);
        assert_eq!(paid.string("state"), "paid");
        assert_eq!(paid.json["attempt"]["state"], "paid");
        assert_eq!(paid.json["attempt"]["product"], "code_pay");
        assert!(paid.json.get("poll_after_ms").is_none());
        let sent = till.wechat.take_sent();
        assert!(till.keeps_to_its_mode(&sent), "{sent:?}");
        let body: Value = serde_json::from_slice(&sent[0].body).unwrap();
        let merchant = merchant();
        match &till.sub_mchid {
            None => assert_eq!(body["mchid"], merchant["mchid"]),
            Some(sub_mchid) => {
                assert_eq!(body["sp_mchid"], merchant["mchid"]);
                assert_eq!(body["sub_mchid"], *sub_mchid);
                assert!(body.get("mchid").is_none() && body.get("notify_url").is_none());
            }
        }
        assert_eq!(body["scene_info"]["store_info"]["id"], "0001");
        assert_eq!(body["scene_info"]["device_id"], "till 3");
        assert_eq!(body["attach"], "tea-0001");
        let shown = till.shown("/tea-0001").await.json;
        assert_eq!(shown["state"], "paid");
        assert_eq!(shown["attempts"][0]["product"], "code_pay");
    }
}

#[tokio::test]
async fn the_server_queries_wechat_while_the_buyer_enters_the_password() {
    for till in tills(100_000).await {
        let waiting = scanned(&till).await;
        assert_eq!(waiting.string("state"), "open", "{}", waiting.json);
        assert_eq!(waiting.json["attempt"]["state"], "open");
        assert_eq!(waiting.number("poll_after_ms"), 2_000);
        // A page sees that another attempt is under way.
        let page = till.checkout(&till.token).await;
        assert_eq!(
            (page.number("attempt"), page.string("product")),
            (1, "other")
        );
        till.wechat.take_sent();
        till.later(5_000).await;
        assert_eq!(till.wechat.take_kinds(), ["query"]);
        till.end("success").await;
        till.later(5_000).await;
        assert_eq!(till.state().await, "paid");
        assert_eq!(till.trade_state("tea-0001").as_deref(), Some("SUCCESS"));
    }
}

#[tokio::test]
async fn a_payment_without_its_password_is_reversed_and_the_next_code_has_its_own_number() {
    for till in tills(100_000).await {
        scanned(&till).await;
        for _ in 0..6 {
            till.later(5_000).await;
        }
        assert_eq!(till.trade_state("tea-0001").as_deref(), Some("REVOKED"));
        let sent = till.wechat.take_sent();
        assert!(till.keeps_to_its_mode(&sent), "{sent:?}");
        assert!(sent.iter().any(|sent| sent.kind == "reverse"));
        assert!(!sent.iter().any(|sent| sent.kind == "close"), "{sent:?}");
        assert_eq!(till.state().await, "open");
        let next = scanned(&till).await;
        assert_eq!(next.json["attempt"]["number"], 2);
        assert_ne!(next.json["attempt"]["out_trade_no"], "tea-0001");
    }
}

#[tokio::test]
async fn a_refused_payment_is_reversed_and_ends() {
    for till in tills(100_000).await {
        scanned(&till).await;
        till.end("fail").await;
        assert_eq!(till.trade_state("tea-0001").as_deref(), Some("PAYERROR"));
        till.later(5_000).await;
        assert_eq!(till.trade_state("tea-0001").as_deref(), Some("REVOKED"));
        let shown = till.shown("/tea-0001").await.json;
        assert_eq!(shown["attempts"][0]["state"], "closed");
        assert_eq!(till.state().await, "open");
    }
}

#[tokio::test]
async fn a_wrong_or_used_code_leaves_the_order_open_for_the_next_code() {
    for till in tills(1990).await {
        for (code, wechat_code) in [
            ("130000000000000000", "AUTH_CODE_INVALID"),
            ("1200", ""),
            ("not a code", ""),
        ] {
            let refused = till.backend_attempt("tea-0001", &scan(code)).await;
            if wechat_code.is_empty() {
                assert_eq!(refused.code(), "INVALID_REQUEST");
                assert_eq!(refused.json["error"]["field"], "auth_code");
            } else {
                assert_eq!(refused.code(), "WECHAT_REFUSED", "{}", refused.json);
                assert_eq!(refused.json["error"]["wechat_code"], wechat_code);
            }
            assert!(!refused.text().contains(code), "{}", refused.json);
        }
        let paid = scanned(&till).await;
        assert_eq!(paid.string("state"), "paid", "{}", paid.json);
        assert_eq!(paid.json["attempt"]["number"], 2);
    }
}

/// The scan before may still be on its way.
#[tokio::test]
async fn a_refused_scan_ends_only_after_a_query_and_a_reversal() {
    for till in tills(1990).await {
        till.wechat.take_sent();
        let refused = till
            .backend_attempt("tea-0001", &scan("130000000000000000"))
            .await;
        assert_eq!(refused.code(), "WECHAT_REFUSED", "{}", refused.json);
        let kinds = till.wechat.take_kinds();
        assert_eq!(kinds, ["order", "query", "reverse", "close"]);
    }
}

#[tokio::test]
async fn the_server_waits_for_a_buyer_who_has_to_enter_a_password() {
    for till in tills(100_000).await {
        let code = till.shown_code().await;
        till.wechat.inject("order", Fault::AnswerLost);
        till.backend_attempt("tea-0001", &scan(&code)).await;
        let rule = json!([{"route": "order", "kind": "refused", "code": "USERPAYING", "rate": 1, "count": 1}]);
        till.simulate("faults", &rule).await;
        let waits = till.backend_attempt("tea-0001", &scan(&code)).await;
        assert_eq!(waits.status, StatusCode::OK, "{}", waits.json);
        assert_eq!(waits.json["attempt"]["number"], 1);
        till.end("success").await;
        till.later(5_000).await;
        assert_eq!(till.state().await, "paid");
    }
}

#[tokio::test]
async fn after_a_lost_answer_wechat_is_queried_and_no_code_is_sent_twice() {
    for till in tills(1990).await {
        let code = till.shown_code().await;
        till.wechat.inject("order", Fault::AnswerLost);
        let doubt = till.backend_attempt("tea-0001", &scan(&code)).await;
        assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT", "{}", doubt.json);
        till.wechat.take_sent();
        let found = till.backend_attempt("tea-0001", &scan(&code)).await;
        assert_eq!(found.string("state"), "paid", "{}", found.json);
        assert_eq!(till.wechat.take_kinds(), ["query"]);
    }
    // The scan never arrived. Only in this case is the same request sent again.
    for till in tills(1990).await {
        let code = till.shown_code().await;
        till.wechat.inject("order", Fault::Answered(500, "{}"));
        till.backend_attempt("tea-0001", &scan(&code)).await;
        let sent = till.wechat.take_sent();
        let paid = till.backend_attempt("tea-0001", &scan(&code)).await;
        assert_eq!(paid.string("state"), "paid", "{}", paid.json);
        let again = till.wechat.take_sent();
        assert_eq!((again[0].kind, again[1].kind), ("query", "order"));
        assert_eq!(again[1].body, sent[0].body);
    }
}

#[tokio::test]
async fn due_work_alone_finds_the_result_after_a_lost_answer() {
    for till in tills(1990).await {
        till.wechat.inject("order", Fault::AnswerLost);
        scanned(&till).await;
        till.later(5_000).await;
        assert_eq!(till.state().await, "paid");
    }
    // The scan never arrived and was never repeated. The server reverses and closes the number, so
    // that the scan cannot arrive later.
    for till in tills(1990).await {
        till.wechat.inject("order", Fault::Answered(500, "{}"));
        scanned(&till).await;
        till.wechat.take_sent();
        for _ in 0..6 {
            till.later(5_000).await;
        }
        let sent = till.wechat.take_sent();
        assert!(till.keeps_to_its_mode(&sent), "{sent:?}");
        let kinds: Vec<_> = sent.iter().map(|sent| sent.kind).collect();
        assert_eq!(kinds[kinds.len() - 3..], ["query", "reverse", "close"]);
        let next = scanned(&till).await;
        assert_eq!(next.string("state"), "paid", "{}", next.json);
    }
}

#[tokio::test]
async fn a_payment_just_before_its_reversal_is_returned_and_settles_nothing() {
    for till in tills(100_000).await {
        scanned(&till).await;
        till.pay_just_before("reverse", "tea-0001");
        let native = json!({"product": "native", "after": 1});
        let next = till.backend_attempt("tea-0001", &native).await;
        assert_eq!(next.json["attempt"]["number"], 2, "{}", next.json);
        assert_eq!(till.trade_state("tea-0001").as_deref(), Some("REVOKED"));
        let shown = till.shown("/tea-0001").await.json;
        assert_eq!(shown["attempts"][0]["state"], "closed");
        assert_eq!(till.state().await, "open");
    }
}

/// The server does not know that the payment was reversed: WeChat reversed the payment, and the answer
/// was lost.
#[tokio::test]
async fn a_notification_before_the_answer_to_the_reversal_settles_nothing() {
    let [_, till] = tills(100_000).await;
    scanned(&till).await;
    till.wechat.inject("reverse", Fault::AnswerLost);
    till.later(30_000).await;
    assert_eq!(till.trade_state("tea-0001").as_deref(), Some("REVOKED"));
    let shown = till.shown("/tea-0001").await.json;
    assert_eq!(shown["attempts"][0]["state"], "open", "in doubt");
    let sub_mchid = till.sub_mchid.clone().unwrap();
    let notification = payment_notification("N1", &payment_of(&sub_mchid), till.clock.now_ms());
    assert_eq!(
        till.deliver(&notification).await.status,
        StatusCode::NO_CONTENT
    );
    till.later(5_000).await;
    let shown = till.shown("/tea-0001").await.json;
    assert_eq!(shown["attempts"][0]["state"], "closed");
    assert_eq!(till.state().await, "open");
}

/// The notification was signed at the time of the payment and arrives late: the payment is reversed
/// meanwhile.
#[tokio::test]
async fn a_late_notification_of_a_reversed_code_payment_settles_nothing() {
    let [_, till] = tills(100_000).await;
    scanned(&till).await;
    till.pay_just_before("reverse", "tea-0001");
    let native = json!({"product": "native", "after": 1});
    till.backend_attempt("tea-0001", &native).await;
    let sub_mchid = till.sub_mchid.clone().unwrap();
    let late = payment_notification("N1", &payment_of(&sub_mchid), till.clock.now_ms());
    assert_eq!(till.deliver(&late).await.status, StatusCode::NO_CONTENT);
    till.later(0).await;
    assert_eq!(till.state().await, "open");
    let kept = till.mismatches().await;
    assert_eq!(kept, [("tea-0001".to_owned(), "reversed".to_owned())]);
}

#[tokio::test]
async fn no_attempt_starts_while_a_reversal_is_in_doubt() {
    for till in tills(100_000).await {
        scanned(&till).await;
        till.wechat.inject("reverse", Fault::AnswerLost);
        let native = json!({"product": "native", "after": 1});
        let doubt = till.backend_attempt("tea-0001", &native).await;
        assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT");
        let taken = till.backend_attempt("tea-0001", &native).await;
        assert_eq!(taken.json["attempt"]["number"], 2, "{}", taken.json);
        assert!(taken.string("code_url").starts_with("weixin://"));
        assert_eq!(till.trade_state("tea-0001").as_deref(), Some("REVOKED"));
    }
}

#[tokio::test]
async fn a_scan_does_not_replace_a_code_that_another_buyer_may_pay() {
    for till in tills(100_000).await {
        till.attempt(&till.token, &[("product", "native")]).await;
        let silent = scanned(&till).await;
        assert_eq!(silent.status, StatusCode::CONFLICT);
        assert_eq!(silent.code(), "ATTEMPT_SUPERSEDED");
        let mut seen = scan(&till.shown_code().await);
        seen["after"] = 1.into();
        till.wechat.take_sent();
        let begun = till.backend_attempt("tea-0001", &seen).await;
        assert_eq!(begun.json["attempt"]["number"], 2, "{}", begun.json);
        assert_eq!(till.wechat.take_kinds(), ["query", "close", "order"]);
        // The till repeats its own request, which does not scan again.
        let again = till.backend_attempt("tea-0001", &seen).await;
        assert_eq!(again.json["attempt"]["number"], 2);
        assert_eq!(till.wechat.take_kinds(), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn the_fields_that_a_till_must_send_are_required() {
    let server = TestServer::open_with(TILL).await;
    server.default_order().await;
    let code = server.shown_code().await;
    let no_store = server.backend_attempt("tea-0001", &scan(&code)).await;
    assert_eq!(no_store.code(), "INVALID_REQUEST");
    assert_eq!(no_store.json["error"]["field"], "scene_info.store_info.id");
    let mut with_store = scan(&code);
    with_store["scene_info"] = json!({"store_info": {"out_id": "north"}});
    let paid = server.backend_attempt("tea-0001", &with_store).await;
    assert_eq!(paid.string("state"), "paid", "{}", paid.json);
    // A page never scans a code.
    let token = server
        .order(json!({"order_no": "tea-0002", "total_fen": 1, "description": "tea"}))
        .await;
    let page = server.attempt(&token, &[("product", "code_pay")]).await;
    assert_eq!(page.code(), "INVALID_REQUEST");
    let products = server.checkout(&token).await.json["products"].clone();
    assert_eq!(products, json!(["native"]));
}

#[tokio::test]
async fn a_reversed_payment_is_no_difference_in_the_days_bill() {
    for till in tills(100_000).await {
        scanned(&till).await;
        till.pay_just_before("reverse", "tea-0001");
        for _ in 0..6 {
            till.later(5_000).await;
        }
        assert_eq!(till.trade_state("tea-0001").as_deref(), Some("REVOKED"));
        assert_eq!(till.state().await, "open");
        the_next_morning(&till);
        let answer = bill(&till, DAY).await;
        assert_eq!(till.wechat.take_kinds(), ["bill", "bill_file"]);
        assert_eq!(answer.json["differences"], json!([]), "{}", answer.json);
        assert_eq!(answer.json["payments"]["count"], 0);
    }
}

#[tokio::test]
async fn a_code_payment_is_refunded_for_the_sub_merchant_that_took_it() {
    for till in tills(1990).await {
        scanned(&till).await;
        till.wechat.take_sent();
        refunded(&till, "tea-0001", "back-0001", 990).await;
        let sent = till.wechat.take_sent();
        let body: Value = serde_json::from_slice(&sent[0].body).unwrap();
        assert_eq!(body["sub_mchid"].as_str(), till.sub_mchid.as_deref());
        till.clock.advance_ms(60_000);
        till.later(1).await;
        let refunds = till.shown("/tea-0001/refunds").await.json;
        assert_eq!(refunds["refunds"][0]["state"], "succeeded", "{refunds}");
    }
}

/// WeChat's report about the provider's payment; it may omit the appids.
fn payment_of(sub_mchid: &str) -> Value {
    json!({
        "sp_mchid": merchant()["mchid"], "sub_mchid": sub_mchid, "out_trade_no": "tea-0001",
        "transaction_id": "4200000000202611210000000001", "trade_type": "MICROPAY",
        "trade_state": "SUCCESS", "trade_state_desc": "支付成功", "bank_type": "OTHERS",
        "success_time": "2026-11-21T17:20:10+08:00",
        "amount": {"total": 100_000, "payer_total": 100_000, "currency": "CNY"},
    })
}

#[tokio::test]
async fn a_notification_of_a_providers_code_payment_counts_only_for_its_own_sub_merchant() {
    let [_, till] = tills(100_000).await;
    scanned(&till).await;
    let now_ms = till.clock.now_ms();
    let mut stranger = payment_of("1999999999");
    stranger["transaction_id"] = json!("4200000000202611210000000009");
    let answer = till
        .deliver(&payment_notification("N1", &stranger, now_ms))
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(till.state().await, "open");
    let kept = till.mismatches().await;
    assert_eq!(kept, [("tea-0001".to_owned(), "sub_mchid".to_owned())]);

    let sub_mchid = till.sub_mchid.clone().unwrap();
    till.end("success").await;
    let notification = payment_notification("N2", &payment_of(&sub_mchid), now_ms);
    let answer = till.deliver(&notification).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(till.state().await, "open", "queried first");
    till.later(0).await;
    assert_eq!(till.state().await, "paid");
}
