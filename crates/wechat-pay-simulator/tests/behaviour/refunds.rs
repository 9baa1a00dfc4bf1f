//! Refunds: requests and results.

use http::Method;
use serde_json::{Value, json};
use wechat_pay::RequestParts;
use wechat_pay_simulator::Random;

use crate::harness::{Harness, opened_refund};

const REFUNDS: &str = "/v3/refund/domestic/refunds";

fn body(number: &str, refund: i64) -> Value {
    json!({
        "out_trade_no": "T00001", "out_refund_no": number, "reason": "cold tea",
        "notify_url": crate::harness::NOTIFY_URL,
        "amount": { "refund": refund, "total": 1990, "currency": "CNY" },
    })
}

/// Status, code if there is one, and the whole answer.
async fn ask(harness: &Harness, body: &Value) -> (u16, String, Value) {
    harness.call(Method::POST, REFUNDS, &body.to_string()).await
}

async fn status_of(harness: &Harness, number: &str) -> String {
    let path = format!("{REFUNDS}/{number}");
    let (status, _, answer) = harness.call(Method::GET, &path, "").await;
    assert_eq!(status, 200, "{answer}");
    answer["status"].as_str().unwrap().to_owned()
}

fn trade_state(harness: &Harness) -> String {
    let view = harness.simulator.ledger_view(None);
    view.orders[0].trade_state.to_string()
}

#[tokio::test]
async fn a_refund_is_accepted_first_and_gets_its_result_later() {
    let harness = Harness::new();
    let id = harness.pay_native("T00001").await;
    harness.simulator.run_due().await;
    let (status, _, answer) = ask(&harness, &body("R1", 990)).await;
    assert_eq!((status, &answer["status"]), (200, &json!("PROCESSING")));
    assert_eq!(answer["transaction_id"], id.as_str());
    assert_eq!(answer["amount"]["payer_refund"], 990);
    assert!(answer.get("success_time").is_none());
    assert_eq!(trade_state(&harness), "REFUND", "in part is enough");
    assert_eq!(status_of(&harness, "R1").await, "PROCESSING");
    harness.advance(3);
    assert_eq!(status_of(&harness, "R1").await, "SUCCESS");
    harness.simulator.run_due().await;
    let (event, refund) = opened_refund(&harness, 1);
    assert_eq!(event, "REFUND.SUCCESS");
    assert_eq!(refund["refund_status"], "SUCCESS");
    assert_eq!(refund["success_time"], "2026-01-01T12:00:03+08:00");
    assert!(refund.get("status").is_none() && refund.get("channel").is_none());
    assert_eq!(refund["amount"]["refund"], 990);
    let view = harness.simulator.ledger_view(None);
    assert_eq!(view.orders[0].refunded.get(), 990);
    assert_eq!(view.refunds[0].status, "SUCCESS");
}

#[tokio::test]
async fn the_same_refund_again_has_the_same_answer_and_another_with_its_number_is_refused() {
    let harness = Harness::new();
    harness.pay_native("T00001").await;
    let (_, _, first) = ask(&harness, &body("R1", 500)).await;
    let (status, _, again) = ask(&harness, &body("R1", 500)).await;
    assert_eq!((status, &again), (200, &first));
    let (status, code, _) = ask(&harness, &body("R1", 501)).await;
    assert_eq!((status, code.as_str()), (400, "INVALID_REQUEST"));
    assert_eq!(harness.simulator.ledger_view(None).refunds.len(), 1);
}

#[tokio::test]
async fn refunds_never_exceed_the_payment_and_need_a_minute_between_them() {
    let harness = Harness::new();
    harness.pay_native("T00001").await;
    assert_eq!(ask(&harness, &body("R1", 1000)).await.0, 200);
    harness.advance(59);
    let (status, code, _) = ask(&harness, &body("R2", 990)).await;
    assert_eq!((status, code.as_str()), (429, "FREQUENCY_LIMITED"));
    harness.advance(1);
    let (status, code, answer) = ask(&harness, &body("R2", 991)).await;
    assert_eq!((status, code.as_str()), (400, "INVALID_REQUEST"));
    assert_eq!(answer["message"], "累计退款金额大于支付金额");
    assert_eq!(ask(&harness, &body("R2", 990)).await.0, 200);
    harness.advance(60);
    assert_eq!(ask(&harness, &body("R3", 1)).await.0, 400);
}

#[tokio::test]
async fn a_refused_refund_names_its_reason() {
    let harness = Harness::new();
    harness.native("T00001").await;
    let (status, code, _) = ask(&harness, &body("R1", 1)).await;
    assert_eq!(
        (status, code.as_str()),
        (404, "RESOURCE_NOT_EXISTS"),
        "unpaid"
    );
    let path = format!("{REFUNDS}/R1");
    let (status, code, _) = harness.call(Method::GET, &path, "").await;
    assert_eq!((status, code.as_str()), (404, "RESOURCE_NOT_EXISTS"));
    harness.advance(1);
    let changes: [(&str, Value); 6] = [
        ("/amount/currency", Value::Null),
        ("/amount/refund", json!(0)),
        ("/out_refund_no", json!("a b")),
        ("/out_refund_no", json!("a".repeat(65))),
        ("/reason", json!("茶".repeat(27))),
        ("/out_trade_no", Value::Null),
    ];
    for (pointer, value) in changes {
        let mut wrong = body("R1", 1);
        *wrong.pointer_mut(pointer).unwrap() = value;
        let (status, code, answer) = ask(&harness, &wrong).await;
        assert_eq!(
            (status, code.as_str()),
            (400, "PARAM_ERROR"),
            "{pointer} {answer}"
        );
    }
    let mut other_total = body("R2", 1);
    harness.pay_native("T00009").await;
    other_total["out_trade_no"] = "T00009".into();
    other_total["amount"]["total"] = 1991.into();
    harness.advance(1);
    assert_eq!(ask(&harness, &other_total).await.0, 400);
    harness.advance(366 * 24 * 3600);
    other_total["amount"]["total"] = 1990.into();
    let (_, _, answer) = ask(&harness, &other_total).await;
    assert_eq!(answer["message"], "订单已超过可退款的最大期限");
}

#[tokio::test]
async fn too_many_errors_in_a_second_are_429() {
    let harness = Harness::new();
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(ask(&harness, &body("R1", 1)).await.0);
    }
    assert_eq!(statuses, [404, 404, 404, 404, 404, 404, 429]);
    harness.advance(1);
    assert_eq!(ask(&harness, &body("R1", 1)).await.0, 404);
}

#[tokio::test]
async fn more_than_300_queries_in_a_second_are_429() {
    let harness = Harness::new();
    let path = format!("{REFUNDS}/R1");
    for _ in 0..300 {
        assert_eq!(harness.call(Method::GET, &path, "").await.0, 404);
    }
    assert_eq!(harness.call(Method::GET, &path, "").await.0, 429);
    harness.advance(1);
    assert_eq!(harness.call(Method::GET, &path, "").await.0, 404);
}

#[tokio::test]
async fn a_failed_refund_can_be_sent_to_another_account_and_a_closed_one_frees_its_amount() {
    let harness = Harness::new();
    harness.pay_native("T00001").await;
    let mchid = harness.merchant().mchid.clone();
    let decide = |number: &str, outcome: &str| json!({ "mchid": mchid, "out_refund_no": number, "outcome": outcome });
    let outcome = "/_simulator/refund/outcome";
    let (_, _, refund) = ask(&harness, &body("R1", 1990)).await;
    harness.post_json(outcome, &decide("R1", "abnormal")).await;
    assert_eq!(status_of(&harness, "R1").await, "ABNORMAL");
    let path = format!(
        "{REFUNDS}/{}/apply-abnormal-refund",
        refund["refund_id"].as_str().unwrap()
    );
    let to_merchant = json!({ "out_refund_no": "R1", "type": "MERCHANT_BANK_CARD" });
    let (status, _, sent) = harness
        .call(Method::POST, &path, &to_merchant.to_string())
        .await;
    assert_eq!(
        (status, &sent["status"]),
        (200, &json!("PROCESSING")),
        "{sent}"
    );
    let (status, code, _) = harness
        .call(Method::POST, &path, &to_merchant.to_string())
        .await;
    assert_eq!(
        (status, code.as_str()),
        (400, "INVALID_REQUEST"),
        "only once"
    );
    harness.post_json(outcome, &decide("R1", "closed")).await;
    assert_eq!(status_of(&harness, "R1").await, "CLOSED");
    assert_eq!(trade_state(&harness), "SUCCESS", "nothing was refunded");
    harness.simulator.run_due().await;
    assert_eq!(opened_refund(&harness, 1).0, "REFUND.ABNORMAL");
    assert_eq!(opened_refund(&harness, 2).0, "REFUND.CLOSED");
    let (status, answer) = harness.post_json(outcome, &decide("R1", "success")).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (404, &json!("REFUND_UNKNOWN"))
    );
}

#[tokio::test]
async fn a_card_number_must_be_encrypted_for_a_named_key() {
    let harness = Harness::new();
    harness.pay_native("T00001").await;
    let (_, _, refund) = ask(&harness, &body("R1", 1990)).await;
    let path = format!(
        "{REFUNDS}/{}/apply-abnormal-refund",
        refund["refund_id"].as_str().unwrap()
    );
    let card = json!({
        "out_refund_no": "R1", "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT",
        "bank_account": "AAAA", "real_name": "AAAA",
    });
    let (_, _, answer) = harness.call(Method::POST, &path, &card.to_string()).await;
    assert_eq!(
        answer["message"],
        "HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)"
    );
}

#[tokio::test]
async fn a_refund_without_notify_url_is_notified_in_the_form_of_version_2() {
    let harness =
        Harness::with_settings(&[&format!("portal_notify_url={}", crate::harness::NOTIFY_URL)]);
    harness.pay_native("T00001").await;
    harness.simulator.run_due().await;
    let mut silent = body("R1", 6);
    silent.as_object_mut().unwrap().remove("notify_url");
    assert_eq!(ask(&harness, &silent).await.0, 200);
    harness.advance(3);
    harness.simulator.run_due().await;
    let xml = {
        let inbox = harness.inbox.lock().unwrap();
        let (headers, body) = &inbox.received[1];
        assert_eq!(headers["content-type"], "text/xml");
        assert!(!headers.contains_key("wechatpay-signature"));
        String::from_utf8(body.to_vec()).unwrap()
    };
    for part in [
        "<return_code><![CDATA[SUCCESS]]>",
        "<req_info><![CDATA[",
        "<mch_id>",
    ] {
        assert!(xml.contains(part), "{xml}");
    }
    // 204 does not acknowledge the XML form: it is retried.
    let view = harness.simulator.ledger_view(None);
    assert!(!view.orders[0].notifications[1].acked);
}

#[tokio::test]
async fn a_refund_made_in_the_portal_is_in_the_ledger_under_wechats_number() {
    let harness = Harness::new();
    harness.pay_native("T00001").await;
    let mchid = harness.merchant().mchid.clone();
    let by_hand = json!({ "mchid": mchid, "out_trade_no": "T00001", "refund": 90 });
    let (status, answer) = harness.post_json("/_simulator/refund", &by_hand).await;
    assert_eq!(status.as_u16(), 200, "{answer}");
    let number = answer["out_refund_no"].as_str().unwrap();
    assert_eq!(status_of(&harness, number).await, "PROCESSING");
    let too_much = json!({ "mchid": mchid, "out_trade_no": "T00001", "refund": 0 });
    let (status, answer) = harness.post_json("/_simulator/refund", &too_much).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["field"]),
        (400, &json!("refund"))
    );
}

#[tokio::test]
async fn hostile_refunds_are_refused_and_never_panic() {
    let harness = Harness::new();
    for hostile in [
        "",
        "[]",
        "{}",
        "{\"amount\":[]}",
        "\u{0}",
        "{\"out_trade_no\":{}}",
    ] {
        harness.advance(1);
        let request = RequestParts {
            method: Method::POST,
            path_and_query: REFUNDS.into(),
            body: hostile.into(),
        };
        let error = harness.send_with_agent(request).await.unwrap_err();
        assert_eq!(error.wechat().unwrap().code, "PARAM_ERROR", "{hostile}");
    }
}

#[tokio::test]
async fn a_card_number_that_was_encrypted_for_the_named_key_is_taken() {
    use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256};

    for (line, algorithm, status) in [
        ("oaep=sha1", &OAEP_SHA1_MGF1SHA1, 200),
        ("oaep=sha256", &OAEP_SHA256_MGF1SHA256, 200),
        ("oaep=sha256", &OAEP_SHA1_MGF1SHA1, 400),
    ] {
        let harness = Harness::with_settings(&[line]);
        let (got, answer) = send_on_to_a_card(&harness, algorithm).await;
        assert_eq!(got, status, "{line} {answer}");
        if status == 200 {
            assert_eq!(answer["user_received_account"], "ICBC_DEBIT1234");
        }
    }
}

async fn send_on_to_a_card(
    harness: &Harness,
    algorithm: &'static aws_lc_rs::rsa::OaepAlgorithm,
) -> (u16, Value) {
    use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    harness.pay_native("T00001").await;
    let (_, _, refund) = ask(harness, &body("R1", 1990)).await;
    let mchid = harness.merchant().mchid.clone();
    let abnormal = json!({ "mchid": mchid, "out_refund_no": "R1", "outcome": "abnormal" });
    harness
        .post_json("/_simulator/refund/outcome", &abnormal)
        .await;
    let folder = tempfile::tempdir().unwrap();
    harness
        .simulator
        .keyring()
        .write(folder.path(), &Random::system())
        .unwrap();
    let pem = std::fs::read_to_string(folder.path().join("pub_key.pem")).unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let key = PublicEncryptingKey::from_der(&STANDARD.decode(base64).unwrap()).unwrap();
    let key = OaepPublicEncryptingKey::new(key).unwrap();
    let seal = |text: &str| {
        let mut sealed = vec![0; key.ciphertext_size()];
        let sealed = key.encrypt(algorithm, text.as_bytes(), &mut sealed, None);
        STANDARD.encode(sealed.unwrap())
    };
    let card = json!({
        "out_refund_no": "R1", "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT",
        "bank_account": seal("6222020000001234"), "real_name": seal("张三"),
    });
    let refund_id = refund["refund_id"].as_str().unwrap();
    let mut request = harness.signed(RequestParts {
        method: Method::POST,
        path_and_query: format!("{REFUNDS}/{refund_id}/apply-abnormal-refund"),
        body: card.to_string().into(),
    });
    let serial = harness.merchant().public_key_id.clone();
    for (name, value) in [
        ("user-agent", "tests"),
        ("accept", "*/*"),
        ("wechatpay-serial", &serial),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let reply = harness.send_raw(request).await;
    (
        reply.status.as_u16(),
        serde_json::from_slice(&reply.body).unwrap(),
    )
}
