//! Code pay (付款码): the till scans, the buyer may have to type a password, nobody notifies.

use http::StatusCode;
use serde_json::{Value, json};

use crate::house::{Answer, House};
use crate::wechat_line::Meddling;

const TILL: &str = r#"products = ["native", "code_pay"]"#;

/// A house with a till, and an order of `total_fen` for it.
async fn till(total_fen: u64) -> (House, String) {
    let house = House::open_with(TILL).await;
    let token = house
        .order(json!({
            "order_no": "tea-0001", "total_fen": total_fen, "description": "一壶茶",
            "scene_info": {
                "payer_client_ip": "10.0.0.9", "device_id": "till 3", "store_info": {"id": "0001"},
            },
        }))
        .await;
    (house, token)
}

/// A code on the buyer's phone.
async fn shown_code(house: &House) -> String {
    let shown = house.simulate("auth_code", &json!({})).await;
    shown["auth_code"].as_str().unwrap().to_owned()
}

fn scan(auth_code: &str) -> Value {
    json!({ "product": "code_pay", "auth_code": auth_code })
}

async fn scanned(house: &House) -> Answer {
    let code = shown_code(house).await;
    house.backend_attempt("tea-0001", &scan(&code)).await
}

#[tokio::test]
async fn a_small_sum_is_paid_with_the_scan() {
    let (house, _) = till(1990).await;
    let paid = scanned(&house).await;
    assert_eq!(paid.status, StatusCode::OK, "{}", paid.json);
    assert_eq!(paid.word("state"), "paid");
    assert_eq!(paid.json["attempt"]["state"], "paid");
    assert_eq!(paid.json["attempt"]["product"], "code_pay");
    assert!(paid.json.get("poll_after_ms").is_none());
    let body = house.last_order();
    assert_eq!(body["scene_info"]["store_info"]["id"], "0001");
    assert_eq!(body["scene_info"]["device_id"], "till 3");
    assert_eq!(body["attach"], "tea-0001");
    let shown = house.shown("/tea-0001").await.json;
    assert_eq!(shown["state"], "paid");
    assert_eq!(shown["attempts"][0]["product"], "code_pay");
}

#[tokio::test]
async fn a_buyer_who_types_a_password_is_waited_for_and_asked_about() {
    let (house, token) = till(100_000).await;
    let waiting = scanned(&house).await;
    assert_eq!(waiting.word("state"), "open", "{}", waiting.json);
    assert_eq!(waiting.json["attempt"]["state"], "open");
    assert_eq!(waiting.number("poll_after_ms"), 2_000);
    // A page sees that somebody else is at it.
    let page = house.checkout(&token).await;
    assert_eq!((page.number("attempt"), page.word("product")), (1, "other"));
    house.line.take_sent();
    house.later(5_000).await;
    assert_eq!(house.line.take_kinds(), ["query"]);
    house.pay("tea-0001").await;
    house.later(5_000).await;
    assert_eq!(house.checkout(&token).await.word("state"), "paid");
    assert_eq!(house.trade_state("tea-0001").as_deref(), Some("SUCCESS"));
}

#[tokio::test]
async fn a_password_that_never_comes_is_reversed_and_the_next_code_has_its_own_number() {
    let (house, token) = till(100_000).await;
    scanned(&house).await;
    for _ in 0..6 {
        house.later(5_000).await;
    }
    assert_eq!(house.trade_state("tea-0001").as_deref(), Some("REVOKED"));
    let kinds = house.line.take_kinds();
    assert!(!kinds.contains(&"close"), "{kinds:?}");
    assert_eq!(house.checkout(&token).await.word("state"), "open");
    let next = scanned(&house).await;
    assert_eq!(next.json["attempt"]["number"], 2);
    assert_ne!(next.json["attempt"]["out_trade_no"], "tea-0001");
}

#[tokio::test]
async fn a_refused_payment_is_reversed_and_over() {
    let (house, token) = till(100_000).await;
    scanned(&house).await;
    let merchant = crate::house::merchant();
    let failing =
        json!({"mchid": merchant["mchid"], "out_trade_no": "tea-0001", "outcome": "fail"});
    house.simulate("pay", &failing).await;
    assert_eq!(house.trade_state("tea-0001").as_deref(), Some("PAYERROR"));
    house.later(5_000).await;
    assert_eq!(house.trade_state("tea-0001").as_deref(), Some("REVOKED"));
    let shown = house.shown("/tea-0001").await.json;
    assert_eq!(shown["attempts"][0]["state"], "closed");
    assert_eq!(house.checkout(&token).await.word("state"), "open");
}

#[tokio::test]
async fn a_wrong_or_spent_code_leaves_the_order_open_for_the_next_one() {
    let (house, _) = till(1990).await;
    for (code, wechat_code) in [
        ("130000000000000000", "AUTH_CODE_INVALID"),
        ("1200", ""),
        ("not a code", ""),
    ] {
        let refused = house.backend_attempt("tea-0001", &scan(code)).await;
        if wechat_code.is_empty() {
            assert_eq!(refused.code(), "INVALID_REQUEST");
            assert_eq!(refused.json["error"]["field"], "auth_code");
        } else {
            assert_eq!(refused.code(), "WECHAT_REFUSED", "{}", refused.json);
            assert_eq!(refused.json["error"]["wechat_code"], wechat_code);
        }
        assert!(!refused.text().contains(code), "{}", refused.json);
    }
    let paid = scanned(&house).await;
    assert_eq!(paid.word("state"), "paid", "{}", paid.json);
    assert_eq!(paid.json["attempt"]["number"], 2);
}

#[tokio::test]
async fn after_a_lost_answer_wechat_is_asked_and_nothing_is_scanned_twice() {
    let (house, _) = till(1990).await;
    let code = shown_code(&house).await;
    house.line.meddle("order", Meddling::AnswerLost);
    let doubt = house.backend_attempt("tea-0001", &scan(&code)).await;
    assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT", "{}", doubt.json);
    house.line.take_sent();
    let found = house.backend_attempt("tea-0001", &scan(&code)).await;
    assert_eq!(found.word("state"), "paid", "{}", found.json);
    assert_eq!(house.line.take_kinds(), ["query"]);

    // It never arrived: then, and only then, the same bytes go out again.
    let (house, _) = till(1990).await;
    let code = shown_code(&house).await;
    house.line.meddle("order", Meddling::Answered(500, "{}"));
    house.backend_attempt("tea-0001", &scan(&code)).await;
    let sent = house.line.take_sent();
    let paid = house.backend_attempt("tea-0001", &scan(&code)).await;
    assert_eq!(paid.word("state"), "paid", "{}", paid.json);
    let again = house.line.take_sent();
    assert_eq!((again[0].kind, again[1].kind), ("query", "order"));
    assert_eq!(again[1].body, sent[0].body);
}

#[tokio::test]
async fn an_answer_that_never_came_is_found_out_by_due_work_alone() {
    let (house, token) = till(1990).await;
    house.line.meddle("order", Meddling::AnswerLost);
    scanned(&house).await;
    house.later(5_000).await;
    assert_eq!(house.checkout(&token).await.word("state"), "paid");

    // Never arrived and never repeated: the number is burnt, so that it cannot arrive later.
    let (house, _) = till(1990).await;
    house.line.meddle("order", Meddling::Answered(500, "{}"));
    scanned(&house).await;
    house.line.take_sent();
    for _ in 0..6 {
        house.later(5_000).await;
    }
    let kinds = house.line.take_kinds();
    assert_eq!(kinds[kinds.len() - 3..], ["query", "reverse", "close"]);
    let next = scanned(&house).await;
    assert_eq!(next.word("state"), "paid", "{}", next.json);
}

#[tokio::test]
async fn money_that_lands_just_before_it_is_taken_back_goes_back_and_settles_nothing() {
    let (house, token) = till(100_000).await;
    scanned(&house).await;
    house.pay_just_before("reverse", "tea-0001");
    let native = json!({"product": "native", "after": 1});
    let next = house.backend_attempt("tea-0001", &native).await;
    assert_eq!(next.json["attempt"]["number"], 2, "{}", next.json);
    assert_eq!(house.trade_state("tea-0001").as_deref(), Some("REVOKED"));
    let shown = house.shown("/tea-0001").await.json;
    assert_eq!(shown["attempts"][0]["state"], "closed");
    assert_eq!(house.checkout(&token).await.word("state"), "open");
}

#[tokio::test]
async fn a_reversal_in_doubt_begins_nothing_new() {
    let (house, _) = till(100_000).await;
    scanned(&house).await;
    house.line.meddle("reverse", Meddling::AnswerLost);
    let native = json!({"product": "native", "after": 1});
    let doubt = house.backend_attempt("tea-0001", &native).await;
    assert_eq!(doubt.code(), "ATTEMPT_IN_DOUBT");
    let taken = house.backend_attempt("tea-0001", &native).await;
    assert_eq!(taken.json["attempt"]["number"], 2, "{}", taken.json);
    assert!(taken.word("code_url").starts_with("weixin://"));
    assert_eq!(house.trade_state("tea-0001").as_deref(), Some("REVOKED"));
}

#[tokio::test]
async fn nobody_scans_over_a_code_that_another_is_about_to_pay() {
    let (house, token) = till(100_000).await;
    house.attempt(&token, &[("product", "native")]).await;
    let silent = scanned(&house).await;
    assert_eq!(silent.status, StatusCode::CONFLICT);
    assert_eq!(silent.code(), "ATTEMPT_SUPERSEDED");
    let mut seen = scan(&shown_code(&house).await);
    seen["after"] = 1.into();
    house.line.take_sent();
    let begun = house.backend_attempt("tea-0001", &seen).await;
    assert_eq!(begun.json["attempt"]["number"], 2, "{}", begun.json);
    assert_eq!(house.line.take_kinds(), ["query", "close", "order"]);
    // The till's own wish again scans nothing.
    let again = house.backend_attempt("tea-0001", &seen).await;
    assert_eq!(again.json["attempt"]["number"], 2);
    assert_eq!(house.line.take_kinds(), Vec::<&str>::new());
}

#[tokio::test]
async fn what_a_till_must_say_is_asked_for() {
    let house = House::open_with(TILL).await;
    house.tea().await;
    let code = shown_code(&house).await;
    let no_store = house.backend_attempt("tea-0001", &scan(&code)).await;
    assert_eq!(no_store.code(), "INVALID_REQUEST");
    assert_eq!(no_store.json["error"]["field"], "scene_info.store_info.id");
    let mut with_store = scan(&code);
    with_store["scene_info"] = json!({"store_info": {"out_id": "north"}});
    let paid = house.backend_attempt("tea-0001", &with_store).await;
    assert_eq!(paid.word("state"), "paid", "{}", paid.json);
    // A page never scans.
    let token = house
        .order(json!({"order_no": "tea-0002", "total_fen": 1, "description": "tea"}))
        .await;
    let page = house.attempt(&token, &[("product", "code_pay")]).await;
    assert_eq!(page.code(), "INVALID_REQUEST");
    let products = house.checkout(&token).await.json["products"].clone();
    assert_eq!(products, json!(["native"]));
}
