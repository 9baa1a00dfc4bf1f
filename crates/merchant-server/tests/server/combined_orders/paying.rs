//! A combined order from its attempt to its payment, or to its end without one.

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Value, json};

use super::{HOOKS, NATIVE, ORDER_NO, buy, deliver_all, message_types, numbers, set};
use crate::app_and_mini_program::login_code;
use crate::fault_injector::{Fault, Sent};
use crate::oauth::BACK;
use crate::test_server::{MINUTE_MS, TestServer, merchant};
use crate::version_2::Api;

const H5: (&str, &str) = ("product", "h5");

fn json_of(sent: &Sent) -> Value {
    serde_json::from_slice(&sent.body).unwrap()
}

#[tokio::test]
async fn a_code_pays_every_sub_order_at_once() {
    let server = TestServer::open_with_end(HOOKS).await;
    let token = server.order(set()).await;
    let started = server.attempt(&token, &[NATIVE]).await;
    assert!(
        started.string("code_url").starts_with("weixin://"),
        "{}",
        started.json
    );
    assert_eq!(started.string("out_trade_no"), ORDER_NO);
    let sent = server.wechat.take_sent();
    assert_eq!(sent[0].path, "/v3/combine-transactions/native");
    let order = server.shown("/set-0001").await;
    let [pot, cup] = ["pot", "cup"].map(|no| numbers(&order, 0, no).0);
    let mchid = &merchant()["mchid"];
    assert_eq!(
        json_of(&sent[0])["sub_orders"],
        json!([
            {
                "mchid": mchid, "attach": "set-0001 pot stall 7",
                "amount": { "total_amount": 1990, "currency": "CNY" },
                "out_trade_no": pot, "description": "一只壶",
            },
            {
                "mchid": mchid, "attach": "set-0001 cup",
                "amount": { "total_amount": 10, "currency": "CNY" },
                "out_trade_no": cup, "description": "一只杯",
            },
        ])
    );
    server.pay(ORDER_NO).await;
    deliver_all(&server).await;
    server.later(0).await;
    let checkout = server.checkout(&token).await;
    assert_eq!(checkout.string("state"), "paid");
    assert_eq!(checkout.number("total_fen"), 2000);
    assert_eq!(
        checkout.json.get("sub_orders"),
        None,
        "the buyer sees the whole"
    );

    let order = server.shown("/set-0001").await;
    let ids = ["pot", "cup"].map(|no| numbers(&order, 0, no).1.unwrap());
    assert_ne!(ids[0], ids[1]);
    for (number, id) in [(&pot, &ids[0]), (&cup, &ids[1])] {
        let at_wechat = server.order_at_wechat(number);
        assert_eq!(at_wechat["transaction_id"], **id);
    }
    assert_eq!(order.string("transaction_id"), ids[0]);
    let sub_order = |no: &str, fen: u64, what: &str, number: &str, id: &str| {
        json!({
            "sub_order_no": no, "mchid": mchid, "amount_fen": fen, "description": what,
            "out_trade_no": number, "transaction_id": id, "payer_total_fen": fen, "refunded_fen": 0,
        })
    };
    let mut first = sub_order("pot", 1990, "一只壶", &pot, &ids[0]);
    first["attach"] = "stall 7".into();
    let expected = json!([first, sub_order("cup", 10, "一只杯", &cup, &ids[1])]);
    assert_eq!(order.json["sub_orders"], expected);
    assert_eq!(order.number("payer_total_fen"), 2000);
    let messages = server.backend.take();
    let [message] = &*messages else {
        panic!("{messages:?}")
    };
    let message = message.json();
    assert_eq!(message["type"], "payment.succeeded");
    assert_eq!(message["data"]["sub_orders"], expected);
    assert_eq!(message["data"]["out_trade_no"], ORDER_NO);
    assert_eq!(message["data"]["transaction_id"], *ids[0]);
}

#[tokio::test]
async fn each_product_has_its_own_link_and_is_paid() {
    let openid = || async {
        let server = Api::V3.open().await;
        server
            .simulator
            .openid(merchant()["appid"].as_str().unwrap())
    };
    let openid = openid().await;
    for (product, route, link) in [
        ("native", "native", "code_url"),
        ("h5", "h5", "h5_url"),
        ("jsapi", "jsapi", "jsapi"),
        ("mini_program", "jsapi", "mini_program"),
        ("app", "app", "app"),
    ] {
        let server = Api::V3.open().await;
        let token = server.order(set()).await;
        let mut asked = json!({ "product": product });
        match product {
            "h5" => {
                asked["payer_client_ip"] = "10.0.0.9".into();
                asked["return_url"] = "http://127.0.0.1:8000/pay".into();
            }
            "jsapi" => asked["payer"] = json!({ "openid": openid }),
            "mini_program" => asked["code"] = login_code(&server).await.into(),
            _ => {}
        }
        let started = server.backend_attempt(ORDER_NO, &asked).await;
        assert_eq!(
            started.status,
            StatusCode::OK,
            "{product}: {}",
            started.json
        );
        assert!(
            started.json.get(link).is_some(),
            "{product}: {}",
            started.json
        );
        let sent = server.wechat.take_sent();
        let order = sent.iter().find(|sent| sent.kind == "order").unwrap();
        assert_eq!(order.path, format!("/v3/combine-transactions/{route}"));
        server.pay(ORDER_NO).await;
        deliver_all(&server).await;
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "paid",
            "{product}"
        );
    }
}

#[tokio::test]
async fn without_a_notification_a_query_settles_it() {
    let server = TestServer::open_with_end(HOOKS).await;
    let token = server.order(set()).await;
    server.attempt(&token, &[NATIVE]).await;
    server.pay(ORDER_NO).await;
    server.take_notifications();
    server.wechat.take_sent();
    server.later(5_000).await;
    let sent = server.wechat.take_sent();
    let path = "/v3/combine-transactions/out-trade-no/set-0001";
    assert_eq!(sent.iter().map(|it| &*it.path).collect::<Vec<_>>(), [path]);
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    assert_eq!(message_types(&server), ["payment.succeeded"]);
    let order = server.shown("/set-0001").await;
    assert!(numbers(&order, 0, "cup").1.is_some(), "{}", order.json);
}

#[tokio::test]
async fn another_device_gets_other_numbers_after_the_first_ones_are_closed() {
    let server = TestServer::open().await;
    let token = server.order(set()).await;
    server.attempt(&token, &[NATIVE]).await;
    server.wechat.take_sent();
    let second = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
    assert_eq!(second.number("attempt"), 2, "{}", second.json);
    let sent = server.wechat.take_sent();
    let kinds: Vec<_> = sent.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, ["query", "close", "order"]);
    assert_eq!(
        sent[1].path,
        "/v3/combine-transactions/out-trade-no/set-0001/close"
    );
    let order = server.shown("/set-0001").await;
    let all: BTreeSet<_> = [0, 1]
        .into_iter()
        .flat_map(|attempt| ["pot", "cup"].map(|no| numbers(&order, attempt, no).0))
        .collect();
    assert_eq!(all.len(), 4, "{}", order.json);
    let closed: Vec<_> = ["pot", "cup"]
        .map(|no| json!({ "mchid": merchant()["mchid"], "out_trade_no": numbers(&order, 0, no).0 }))
        .into();
    assert_eq!(json_of(&sent[1])["sub_orders"], json!(closed));
    assert_eq!(server.combined_at_wechat(ORDER_NO)["trade_state"], "CLOSED");
    // Until a payment is known, the order shows what can be paid now.
    assert_eq!(
        order.json["sub_orders"][0]["out_trade_no"],
        *numbers(&order, 1, "pot").0
    );
}

#[tokio::test]
async fn while_the_end_of_the_old_attempt_is_unclear_no_new_one_starts() {
    let server = TestServer::open().await;
    let token = server.order(set()).await;
    server.attempt(&token, &[NATIVE]).await;
    for kind in ["query", "close"] {
        server.wechat.take_sent();
        server.wechat.inject(kind, Fault::AnswerLost);
        let refused = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
        assert_eq!(
            refused.code(),
            "ATTEMPT_IN_DOUBT",
            "{kind}: {}",
            refused.json
        );
        assert!(!server.wechat.take_kinds().contains(&"order"), "{kind}");
        server.clock.advance_ms(MINUTE_MS);
    }
    let second = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
    assert_eq!(second.number("attempt"), 2, "{}", second.json);
}

#[tokio::test]
async fn a_payment_just_before_the_close_settles_the_order() {
    let server = TestServer::open().await;
    let token = server.order(set()).await;
    server.attempt(&token, &[NATIVE]).await;
    server.wechat.take_sent();
    server.pay_just_before("close", ORDER_NO);
    let answer = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
    assert_eq!(answer.string("state"), "paid", "{}", answer.json);
    assert_eq!(server.wechat.take_kinds(), ["query", "close", "query"]);
}

#[tokio::test]
async fn after_a_lost_answer_the_same_bytes_are_sent_again() {
    let server = TestServer::open().await;
    let token = server.order(set()).await;
    server.wechat.inject("order", Fault::AnswerLost);
    let refused = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(refused.code(), "ATTEMPT_IN_DOUBT", "{}", refused.json);
    let server = server.restart().await;
    let started = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(started.number("attempt"), 1, "{}", started.json);
    let sent = server.wechat.take_sent();
    let bodies: BTreeSet<_> = sent
        .iter()
        .filter(|sent| sent.kind == "order")
        .map(|sent| sent.body.clone())
        .collect();
    assert_eq!(bodies.len(), 1);
}

#[tokio::test]
async fn the_backend_closes_it_and_a_late_payment_still_counts() {
    let server = TestServer::open_with_end(HOOKS).await;
    let token = server.order(set()).await;
    server.attempt(&token, &[NATIVE]).await;
    let closed = server.call("POST", "/v1/orders/set-0001/close").await;
    assert_eq!(closed.string("state"), "closed", "{}", closed.json);
    server.later(0).await;
    assert_eq!(message_types(&server), ["order.closed"]);
    server.pay_late(ORDER_NO).await;
    deliver_all(&server).await;
    server.later(0).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    assert_eq!(message_types(&server), ["payment.succeeded"]);
    assert_eq!(server.mismatches().await, []);
}

#[tokio::test]
async fn an_expired_order_is_closed_whether_or_not_wechat_ever_had_it() {
    for fault in [None, Some(Fault::NotSent)] {
        let server = TestServer::open().await;
        let token = server.order(set()).await;
        let arrives = fault.is_none();
        if let Some(fault) = fault {
            // Both hosts: the call never arrives.
            server.wechat.inject("order", fault);
            server.wechat.inject("order", Fault::NotSent);
        }
        server.attempt(&token, &[NATIVE]).await;
        server.later(40 * MINUTE_MS).await;
        assert_eq!(server.checkout(&token).await.string("state"), "closed");
        let at_wechat = server.combined_at_wechat(ORDER_NO);
        assert_eq!(at_wechat["trade_state"] == "CLOSED", arrives, "{at_wechat}");
    }
}

#[tokio::test]
async fn an_unsigned_claim_that_the_number_is_used_ends_nothing() {
    let server = TestServer::open().await;
    let token = server.order(set()).await;
    let claim = r#"{"code":"OUT_TRADE_NO_USED","message":"used"}"#;
    server.wechat.inject("order", Fault::Answered(403, claim));
    let refused = server.attempt(&token, &[NATIVE]).await;
    assert!(!refused.status.is_success(), "{}", refused.json);
    assert!(!server.wechat.take_kinds().contains(&"close"));
    let started = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(started.number("attempt"), 1, "{}", started.json);
}

#[tokio::test]
async fn reconciling_finds_a_payment_whose_notification_was_lost() {
    let server = TestServer::open_with_end(HOOKS).await;
    let token = server.order(set()).await;
    server.attempt(&token, &[NATIVE]).await;
    server.pay(ORDER_NO).await;
    server.take_notifications();
    let reconciled = server.inner.reconcile(0).await.unwrap();
    assert_eq!(reconciled.asked, 1);
    assert_eq!(reconciled.findings[0].done, "the order is paid now");
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    assert_eq!(server.inner.reconcile(0).await.unwrap().findings, []);
}

#[tokio::test]
async fn what_needs_one_payment_is_refused_for_a_combined_order() {
    let server = Api::V3.open().await;
    buy(&server, set()).await;
    for (path, body) in [
        ("shipping", crate::shipping::picked_up()),
        ("shares", crate::sharing::share_body("P-1", 1)),
        ("unfreeze", json!({ "share_no": "P-2", "reason": "done" })),
    ] {
        let path = format!("/v1/orders/set-0001/{path}");
        let request = crate::test_server::backend(&path, server.api_key, body.to_string());
        let refused = server.send(request).await;
        assert_eq!(
            refused.code(),
            "PRODUCT_UNAVAILABLE",
            "{path}: {}",
            refused.json
        );
    }
    let frozen = server.read_private("/v1/orders/set-0001/frozen").await;
    assert_eq!(frozen.code(), "PRODUCT_UNAVAILABLE", "{}", frozen.json);
    let list = server.read_private("/v1/orders/set-0001/shares").await;
    assert_eq!(list.json["frozen"], false, "{}", list.json);
}
