//! Refunds by both versions. In version 2 the connection presents the merchant's certificate, and
//! the notification is only a hint.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Api, BACK, NATIVE, buy, deliver_all, until_closable};
use crate::fault_injector::{Fault, Sent};
use crate::test_server::{API_KEY, Answer, KEYS, MINUTE_MS, Owner, TestServer, backend, merchant};

const RESULT_MS: u64 = 3_000;

async fn ask(server: &TestServer, body: Value) -> Answer {
    let path = "/v1/orders/tea-0001/refunds";
    server.send(backend(path, API_KEY, body.to_string())).await
}

async fn state(server: &TestServer, refund_no: &str) -> String {
    let refund = server
        .read_private(&format!("/v1/refunds/{refund_no}"))
        .await;
    refund.string("state").to_owned()
}

/// WeChat decides the refunds; their notifications are delivered or lost.
async fn results(server: &TestServer, are_delivered: bool) {
    server.clock.advance_ms(RESULT_MS);
    server.simulator.run_due().await;
    if are_delivered {
        deliver_all(server).await;
    } else {
        server.take_notifications();
    }
}

/// Version 2's refund presents the merchant's certificate; version 3's presents none.
fn check_certificate(api: Api, sent: &[Sent]) {
    let refund = sent.iter().find(|sent| sent.kind == "refund").unwrap();
    match (&refund.identity, api) {
        (None, Api::V3) => {}
        (Some(identity), Api::V2Md5 | Api::V2Hmac) => {
            assert_eq!(refund.path, "/secapi/pay/refund");
            let file = merchant()["certificate_file"].as_str().unwrap().to_owned();
            let pem = std::fs::read_to_string(KEYS.path().join(file)).unwrap();
            assert!(identity.pem().contains(pem.replace('\r', "").trim()));
        }
        other => panic!("{other:?}"),
    }
    let others = sent.iter().filter(|sent| sent.kind != "refund");
    assert_eq!(others.filter(|sent| sent.identity.is_some()).count(), 0);
}

#[tokio::test]
async fn a_refund_is_sent_decided_and_reported() {
    for owner in Owner::BOTH {
        for api in Api::ALL {
            for is_notified in [true, false] {
                let server = api.open_for(owner, "").await;
                let token = buy(&server).await;
                let asked = ask(&server, json!({"refund_no": "R-1", "amount_fen": 990})).await;
                assert_eq!(asked.status, StatusCode::CREATED, "{api:?} {}", asked.json);
                assert_eq!(asked.string("state"), "processing");
                check_certificate(api, &server.wechat.take_sent());
                results(&server, is_notified).await;
                if api != Api::V3 && is_notified {
                    assert_eq!(
                        state(&server, "R-1").await,
                        "processing",
                        "a hint proves nothing"
                    );
                }
                let wait_ms = if is_notified { 0 } else { MINUTE_MS };
                server.later(wait_ms).await;
                assert_eq!(
                    state(&server, "R-1").await,
                    "succeeded",
                    "{api:?} {is_notified}"
                );
                let checkout = server.checkout(&token).await;
                assert_eq!(checkout.number("refunded_fen"), 990);
                let rest = ask(&server, json!({"refund_no": "R-2"})).await;
                assert_eq!(rest.number("amount_fen"), 1000);
            }
        }
    }
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_one_refund() {
    for api in Api::ALL {
        for fault in [Fault::AnswerLost, Fault::NotSent] {
            let server = api.open().await;
            buy(&server).await;
            server.wechat.inject("refund", fault);
            let asked = ask(&server, json!({"refund_no": "R-1"})).await;
            assert_eq!(asked.string("state"), "requested", "{api:?}");
            for _ in 0..6 {
                server.later(MINUTE_MS).await;
                server.simulator.run_due().await;
            }
            assert_eq!(state(&server, "R-1").await, "succeeded");
            let ledger = serde_json::to_value(server.simulator.ledger_view(None)).unwrap();
            assert_eq!(ledger["refunds"].as_array().unwrap().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_refund_that_only_version_3_has_is_refused_before_it_is_sent() {
    for api in Api::V2 {
        let server = api.open().await;
        buy(&server).await;
        let from = json!([{"account": "AVAILABLE", "amount_fen": 100}]);
        let goods = json!([{
            "merchant_goods_id": "T1", "unit_price_fen": 100, "refund_amount_fen": 100,
            "refund_quantity": 1,
        }]);
        for (field, value) in [
            ("from", from),
            ("goods_detail", goods),
            ("funds_account", json!("OPERATION")),
        ] {
            let body = json!({"refund_no": "R-1", "amount_fen": 100, field: value});
            let refused = ask(&server, body).await;
            assert_eq!(refused.code(), "INVALID_REQUEST", "{field}");
            assert_eq!(refused.json["error"]["field"], field);
            let message = refused.json["error"]["message"].as_str().unwrap();
            assert!(message.contains("version 2"), "{message}");
        }
        assert_eq!(server.wechat.take_kinds(), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn a_duplicate_payment_is_refunded_once() {
    for api in Api::ALL {
        let server = api.open().await;
        let token = server.default_order().await;
        server.attempt(&token, &[NATIVE]).await;
        until_closable(&server).await;
        let form = [("product", "h5"), BACK, ("after", "1")];
        let second = server.attempt(&token, &form).await;
        server.pay(second.string("out_trade_no")).await;
        server.pay_late("tea-0001").await;
        deliver_all(&server).await;
        server.wechat.take_sent();
        server.later(0).await;
        check_certificate(api, &server.wechat.take_sent());
        results(&server, true).await;
        server.later(MINUTE_MS).await;
        assert_eq!(
            state(&server, "surplus@tea-0001").await,
            "succeeded",
            "{api:?}"
        );
        assert_eq!(server.checkout(&token).await.string("state"), "paid");
    }
}

#[tokio::test]
async fn a_refund_that_wechat_refuses_is_refused_with_its_code() {
    for api in Api::ALL {
        let server = api.open().await;
        buy(&server).await;
        // The money went back in WeChat's portal, and this server was not notified of it.
        let body = json!({
            "mchid": merchant()["mchid"], "sub_mchid": Value::Null,
            "out_trade_no": "tea-0001", "refund": 1990,
        });
        server.simulate("refund", &body).await;
        server.clock.advance_ms(2 * MINUTE_MS);
        let refused = ask(&server, json!({"refund_no": "R-1"})).await;
        assert_eq!(refused.code(), "WECHAT_REFUSED", "{api:?} {}", refused.json);
        assert!(refused.json["error"]["wechat_code"].is_string());
        assert_eq!(state(&server, "R-1").await, "refused");
    }
}
