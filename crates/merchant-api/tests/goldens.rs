//! The contract as files: a change of the wire shows in review as a change of a golden.
//! `BLESS=1 cargo test -p merchant-api` writes them again.
#![expect(clippy::unwrap_used, reason = "a panic is the report of a test")]

use std::path::PathBuf;

use merchant_api::{
    Action, ApiError, AttemptProduct, CheckoutAnswer, CurrentAttempt, ErrorCode, Fields, OrderData,
    OrderState, PayParameters, PaymentData, PaymentMismatchData, PaymentPayer, Product,
    ReceiverRelation, ReceiverType, RefundData, RefundMismatchData, RefundOrigin, RefundState,
    ShareData, ShareKind, ShareResult, ShareState, SubOrderDetails, WebhookEvent, WebhookMessage,
    WechatEventData,
};
use payment_values::{Fen, OpenId, OrderNo, OutRefundNo, OutTradeNo, RefundId, TransactionId};
use serde_json::{Value, json};

#[track_caller]
fn check_golden(name: &str, value: &impl serde::Serialize) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("goldens")
        .join(name);
    let mut text = serde_json::to_string_pretty(value).unwrap();
    text.push('\n');
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{name} differs; BLESS=1 writes it again");
    serde_json::from_str(&golden).unwrap()
}

/// What is written is the golden, and what is read from the golden is what was written.
#[track_caller]
fn check_answer(name: &str, answer: &CheckoutAnswer) {
    let golden = check_golden(name, answer);
    assert_eq!(CheckoutAnswer::read(&golden).as_ref(), Ok(answer), "{name}");
}

fn open_order() -> CheckoutAnswer {
    CheckoutAnswer {
        state: OrderState::Open,
        version: Some(1),
        order_no: "SHOP-20261121-7".into(),
        description: Some("云南小粒咖啡 250g".into()),
        total_fen: 6910,
        currency: Some("CNY".into()),
        remaining_ms: Some(1_800_000),
        poll_after_ms: Some(2_000),
        products: Some(vec![Product::Jsapi, Product::H5, Product::Native]),
        live: false,
        ..CheckoutAnswer::default()
    }
}

fn attempt(number: u64, product: Product) -> CurrentAttempt {
    CurrentAttempt {
        number,
        product: Some(product),
        out_trade_no: Some("SHOP-20261121-7".into()),
        remaining_ms: Some(290_000),
    }
}

fn pay_parameters() -> PayParameters {
    PayParameters {
        app_id: "wx2421b1c4370ec43b".into(),
        time_stamp: "1554208460".into(),
        nonce_str: "593BEC0C930BF1AFEB40B4A08C8FB242".into(),
        package: "prepay_id=wx201410272009395522657a690389285100".into(),
        sign_type: "RSA".into(),
        pay_sign: "bm90IGEgc2lnbmF0dXJl".into(),
    }
}

#[test]
fn an_answer_for_each_moment_of_a_payment_has_its_golden() {
    check_answer("answer-no-attempt.json", &open_order());
    let started = |number, product, action| CheckoutAnswer {
        version: Some(2),
        attempt: Some(attempt(number, product)),
        action: Some(action),
        payee: Some("云岭茶铺".into()),
        ..open_order()
    };
    let cases = [
        (
            "answer-native.json",
            started(
                1,
                Product::Native,
                Action::CodeUrl("weixin://wxpay/bizpayurl?pr=JyC91EIz1".into()),
            ),
        ),
        (
            "answer-h5.json",
            started(
                1,
                Product::H5,
                Action::H5Url("https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2016121516420242444321ca0631331346&package=1405458241".into()),
            ),
        ),
        (
            "answer-jsapi.json",
            started(2, Product::Jsapi, Action::Jsapi(pay_parameters())),
        ),
        (
            "answer-mini-program.json",
            started(2, Product::MiniProgram, Action::MiniProgram(pay_parameters())),
        ),
        (
            "answer-mini-program-path.json",
            CheckoutAnswer {
                action: Some(Action::MiniProgramPath("/pages/pay/pay?token=t".into())),
                ..open_order()
            },
        ),
        (
            "answer-authorize.json",
            CheckoutAnswer {
                action: Some(Action::AuthorizeUrl("https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx2421b1c4370ec43b".into())),
                ..open_order()
            },
        ),
        (
            "answer-paid.json",
            CheckoutAnswer {
                state: OrderState::Paid,
                version: Some(3),
                payer_total_fen: Some(6410),
                success_time: Some("2026-11-21T10:34:56+08:00".into()),
                refunded_fen: Some(100),
                success_url: Some("https://shop.example/thanks".into()),
                attempt: Some(attempt(1, Product::Native)),
                live: true,
                ..open_order()
            },
        ),
        (
            "answer-closed.json",
            CheckoutAnswer {
                state: OrderState::Closed,
                version: Some(4),
                remaining_ms: Some(0),
                ..open_order()
            },
        ),
    ];
    for (name, answer) in cases {
        check_answer(name, &answer);
    }
}

#[test]
fn the_smallest_valid_answer_is_read() {
    let bare = json!({
        "state": "open", "order_no": "A-0001", "total_fen": 1,
        "attempt": 1, "product": "native", "code_url": "weixin://wxpay/bizpayurl?pr=1"
    });
    check_golden("answer-bare-minimum.json", &bare);
    let answer = CheckoutAnswer::read(&bare).unwrap();
    assert!(
        answer.live,
        "a backend that says nothing is taken at its word: live"
    );
    assert_eq!(answer.version, None);
    assert_eq!(answer.attempt.unwrap().number, 1);
}

#[test]
fn words_of_a_later_contract_are_not_an_error() {
    let later = json!({
        "state": "settling", "order_no": "A-0001", "total_fen": 1, "attempt": 1,
        "product": "palm", "products": ["palm", "native", 7], "unknown": {"deep": []}
    });
    let answer = CheckoutAnswer::read(&later).unwrap();
    assert_eq!(answer.state, OrderState::Open);
    assert_eq!(answer.products, Some(vec![Product::Native]));
    assert_eq!(answer.attempt.unwrap().product, None);
}

#[test]
fn a_malformed_answer_names_the_field_that_breaks_the_contract() {
    let whole = json!({"state": "open", "order_no": "A-0001", "total_fen": 1, "attempt": 0});
    let cases = [
        ("state", Value::Null),
        ("state", json!(7)),
        ("order_no", Value::Null),
        ("order_no", json!("x".repeat(4000))),
        ("total_fen", json!(-1)),
        ("total_fen", json!(69.1)),
        ("total_fen", json!("100")),
        ("total_fen", json!(9_007_199_254_740_993_i64)),
        ("attempt", json!("1")),
        ("remaining_ms", json!(-5)),
        ("live", json!(1)),
        ("products", json!("native")),
        ("jsapi", json!("prepay_id=1")),
        ("code_url", json!(["weixin://"])),
    ];
    for (field, bad) in cases {
        let mut answer = whole.clone();
        answer[field] = bad.clone();
        let found = CheckoutAnswer::read(&answer).map_err(|malformed| malformed.field);
        assert_eq!(found, Err(field), "{field} = {bad}");
    }
}

#[test]
fn two_actions_at_once_are_refused() {
    let both = json!({
        "state": "open", "order_no": "A-0001", "total_fen": 1, "attempt": 1, "product": "native",
        "code_url": "weixin://a", "h5_url": "https://wx.tenpay.com/"
    });
    let found = CheckoutAnswer::read(&both).map_err(|malformed| malformed.field);
    assert_eq!(found, Err("action"));
}

#[test]
fn an_error_is_written_and_read_as_one_envelope() {
    let error = ApiError {
        retry_after_ms: Some(3_000),
        wechat_code: Some("FREQUENCY_LIMITED".into()),
        ..ApiError::new(ErrorCode::WechatUnavailable, "WeChat asks to slow down")
            .with_field("product")
    };
    let golden = check_golden("error.json", &error);
    assert_eq!(ApiError::read(&golden), Ok(error));
}

#[test]
fn an_error_code_of_a_later_contract_keeps_its_retryability() {
    let later = json!({"error": {"code": "MOON_PHASE", "message": "wait", "retryable": true}});
    let error = ApiError::read(&later).unwrap();
    assert_eq!((error.code, error.retryable), (None, true));
    assert!(later.object("error").unwrap().is_some());
}

fn order_data() -> OrderData {
    OrderData {
        order_no: OrderNo::parse("SHOP-20261121-7").unwrap(),
        total_fen: Fen::saturating(6910),
        description: "云南小粒咖啡 250g".into(),
        attach: Some("cart 7".into()),
        sub_mchid: None,
        link_id: None,
        note: None,
    }
}

fn payment_data() -> PaymentData {
    PaymentData {
        order: order_data(),
        out_trade_no: OutTradeNo::parse("SHOP-20261121-7").unwrap(),
        transaction_id: TransactionId::parse("4200000000202611210000000001").unwrap(),
        payer_total_fen: Some(Fen::saturating(6910)),
        success_time: Some("2026-11-21T17:20:10+08:00".into()),
        refund_seen: None,
        payer: None,
        sub_orders: None,
    }
}

fn refund_data(state: RefundState) -> RefundData {
    let is_done = state == RefundState::Succeeded;
    let is_refused = state == RefundState::Refused;
    RefundData {
        order: order_data(),
        refund_no: OutRefundNo::parse("R-1").unwrap(),
        refund_id: (!is_refused).then(|| RefundId::parse("50000000012026112100000000001").unwrap()),
        out_trade_no: OutTradeNo::parse("SHOP-20261121-7").unwrap(),
        sub_order_no: None,
        origin: RefundOrigin::Merchant,
        state,
        amount_fen: Fen::saturating(990),
        reason: Some("凉了".into()),
        success_time: is_done.then(|| "2026-11-21T18:00:03+08:00".into()),
        wechat_code: is_refused.then(|| "NOT_ENOUGH".into()),
    }
}

fn share_data(kind: ShareKind, state: ShareState) -> ShareData {
    let is_refused = state == ShareState::Refused;
    ShareData {
        order: order_data(),
        share_no: "P-1".into(),
        return_no: (kind == ShareKind::Return).then(|| "Z-1".into()),
        kind,
        state,
        amount_fen: Fen::saturating(800),
        succeeded_fen: if is_refused {
            Fen::ZERO
        } else {
            Fen::saturating(800)
        },
        fail_reason: None,
        wechat_code: is_refused.then(|| "RULE_LIMIT".into()),
    }
}

#[test]
fn each_message_to_the_backend_has_its_golden() {
    let events = [
        WebhookEvent::PaymentSucceeded(payment_data()),
        WebhookEvent::PaymentSurplus(PaymentData {
            out_trade_no: OutTradeNo::parse("0123456789abcdef0123456789abcdef").unwrap(),
            transaction_id: TransactionId::parse("4200000000202611210000000002").unwrap(),
            ..payment_data()
        }),
        WebhookEvent::PaymentMismatch(PaymentMismatchData {
            out_trade_no: "nobodys-0001".into(),
            transaction_id: "4200000000202611210000000003".into(),
            reason: "number".into(),
        }),
        WebhookEvent::OrderClosed(OrderData {
            sub_mchid: Some("1900000109".into()),
            ..order_data()
        }),
        WebhookEvent::RefundSucceeded(refund_data(RefundState::Succeeded)),
        WebhookEvent::RefundClosed(refund_data(RefundState::Closed)),
        WebhookEvent::RefundAbnormal(refund_data(RefundState::Abnormal)),
        WebhookEvent::RefundRefused(refund_data(RefundState::Refused)),
        WebhookEvent::RefundMismatch(RefundMismatchData {
            refund_no: "nobodys-R-1".into(),
            refund_id: "50000000012026112100000000002".into(),
            out_trade_no: "nobodys-0001".into(),
            amount_fen: Fen::ONE,
            reason: "number".into(),
        }),
        WebhookEvent::ShareFinished(share_data(ShareKind::Share, ShareState::Finished)),
        WebhookEvent::ShareRefused(share_data(ShareKind::Share, ShareState::Refused)),
        WebhookEvent::ShareReturned(share_data(ShareKind::Return, ShareState::Finished)),
        WebhookEvent::ShareReturnFailed(ShareData {
            succeeded_fen: Fen::ZERO,
            fail_reason: Some("TIME_OUT_CLOSED".into()),
            ..share_data(ShareKind::Return, ShareState::Finished)
        }),
        WebhookEvent::WechatEvent(WechatEventData {
            id: "EV-2018022511223320873".into(),
            event_type: "COUPON.USE".into(),
            original_type: Some("coupon".into()),
            create_time: Some("2026-11-21T17:20:10+08:00".into()),
            summary: Some("代金券核销通知".into()),
            resource: json!({"stock_id": "9865888", "coupon_id": "98674556", "status": "USED"}),
        }),
    ];
    let types: Vec<_> = events.iter().map(WebhookEvent::event_type).collect();
    assert_eq!(types, WebhookEvent::TYPES);
    for event in events {
        let event_type = event.event_type();
        let golden = check_golden(
            &format!("webhook-{}.json", event_type.replace('.', "-")),
            &WebhookMessage {
                event,
                timestamp: "2026-11-21T09:20:11Z".into(),
            },
        );
        assert_eq!(golden["type"], event_type);
        let document = serde_json::to_value(merchant_api::openapi_document()).unwrap();
        assert_has_schema(&document, event_type, &golden["data"]);
    }
}

#[test]
fn a_message_with_the_payer_has_its_golden_and_is_in_the_schema() {
    let event = WebhookEvent::PaymentSucceeded(PaymentData {
        payer: Some(PaymentPayer {
            openid: Some(OpenId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").unwrap()),
            appid: Some("wxd678efh567hg6787".into()),
            sub_openid: None,
            sub_appid: None,
        }),
        ..payment_data()
    });
    let golden = check_golden(
        "webhook-payment-succeeded-with-payer.json",
        &WebhookMessage {
            event,
            timestamp: "2026-11-21T09:20:11Z".into(),
        },
    );
    let document = serde_json::to_value(merchant_api::openapi_document()).unwrap();
    assert_has_schema(&document, "payment.succeeded", &golden["data"]);
    collect_payer(&document, &golden["data"]["payer"]);
}

#[test]
fn messages_about_a_combined_order_have_their_goldens_and_are_in_the_schema() {
    let sub_order = |sub_order_no: &str, amount_fen, out_trade_no: &str, transaction_id: &str| {
        SubOrderDetails {
            sub_order_no: sub_order_no.into(),
            mchid: "1900000100".into(),
            sub_mchid: None,
            amount_fen: Fen::saturating(amount_fen),
            description: "云南小粒咖啡 250g".into(),
            attach: None,
            out_trade_no: Some(OutTradeNo::parse(out_trade_no).unwrap()),
            transaction_id: Some(TransactionId::parse(transaction_id).unwrap()),
            payer_total_fen: Some(Fen::saturating(amount_fen)),
            refunded_fen: Fen::ZERO,
        }
    };
    let paid = WebhookEvent::PaymentSucceeded(PaymentData {
        order: OrderData {
            attach: None,
            ..order_data()
        },
        sub_orders: Some(vec![
            SubOrderDetails {
                sub_mchid: Some("1900000109".into()),
                attach: Some("stall 7".into()),
                ..sub_order(
                    "coffee",
                    6000,
                    "0123456789abcdef0123456789abcde1",
                    "4200000000202611210000000001",
                )
            },
            sub_order(
                "milk",
                910,
                "0123456789abcdef0123456789abcde2",
                "4200000000202611210000000002",
            ),
        ]),
        ..payment_data()
    });
    let refunded = WebhookEvent::RefundSucceeded(RefundData {
        out_trade_no: OutTradeNo::parse("0123456789abcdef0123456789abcde2").unwrap(),
        sub_order_no: Some("milk".into()),
        ..refund_data(RefundState::Succeeded)
    });
    let document = serde_json::to_value(merchant_api::openapi_document()).unwrap();
    for (name, event) in [
        ("webhook-payment-succeeded-combined.json", paid),
        ("webhook-refund-succeeded-of-sub-order.json", refunded),
    ] {
        let event_type = event.event_type();
        let message = WebhookMessage {
            event,
            timestamp: "2026-11-21T09:20:11Z".into(),
        };
        let golden = check_golden(name, &message);
        assert_has_schema(&document, event_type, &golden["data"]);
    }
}

#[test]
fn a_message_about_an_order_of_a_link_has_its_golden_and_is_in_the_schema() {
    let event = WebhookEvent::OrderClosed(OrderData {
        attach: None,
        link_id: Some("Zk3vbm9uY2Utb2YtYS1saW".into()),
        note: Some("7 号桌".into()),
        ..order_data()
    });
    let golden = check_golden(
        "webhook-order-closed-of-link.json",
        &WebhookMessage {
            event,
            timestamp: "2026-11-21T09:20:11Z".into(),
        },
    );
    let document = serde_json::to_value(merchant_api::openapi_document()).unwrap();
    assert_has_schema(&document, "order.closed", &golden["data"]);
}

fn collect_payer(document: &Value, payer: &Value) {
    let (mut known, mut required) = (Vec::new(), Vec::new());
    let schema = &document["components"]["schemas"]["PaymentPayer"];
    collect(document, schema, &mut known, &mut required);
    assert_eq!(known, ["appid", "openid", "sub_appid", "sub_openid"]);
    assert!(required.is_empty(), "{required:?}");
    for field in payer.as_object().unwrap().keys() {
        assert!(known.contains(field), "{field}");
    }
}

/// Every field of a message is in the document's schema of it, and every one that must be there is.
fn assert_has_schema(document: &Value, event_type: &str, data: &Value) {
    let message = &document["webhooks"][event_type]["post"]["requestBody"]["content"];
    let schema = &message["application/json"]["schema"];
    assert_eq!(schema["properties"]["type"]["const"], event_type);
    let mut known = Vec::new();
    let mut required = Vec::new();
    collect(
        document,
        &schema["properties"]["data"],
        &mut known,
        &mut required,
    );
    let fields: Vec<_> = data.as_object().unwrap().keys().collect();
    for field in &fields {
        assert!(known.contains(field), "{event_type}: {field} in {known:?}");
    }
    for field in &required {
        assert!(fields.contains(&field), "{event_type}: {field} is required");
    }
    assert!(!required.is_empty(), "{event_type}");
}

/// The names of a schema's fields, and of those that are required.
fn collect(document: &Value, schema: &Value, known: &mut Vec<String>, required: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
        return collect(document, schema, known, required);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect(document, part, known, required);
    }
    if let Some(fields) = schema["properties"].as_object() {
        known.extend(fields.keys().cloned());
    }
    let names = schema["required"].as_array().into_iter().flatten();
    required.extend(names.map(|name| name.as_str().unwrap().to_owned()));
}

#[test]
fn the_openapi_document_is_a_golden() {
    let document = merchant_api::openapi_document();
    let golden = check_golden("openapi.json", &document);
    assert!(golden["openapi"].as_str().unwrap().starts_with("3.1"));
    // 405 is of no route in it: what is not there is answered so.
    let codes = ErrorCode::ALL.iter();
    let codes = codes.filter(|code| **code != ErrorCode::MethodNotAllowed);
    for status in codes.map(|code| code.status()) {
        let text = golden.to_string();
        assert!(
            text.contains(&format!("\"{status}\"")),
            "{status} is in the document"
        );
    }
}

#[test]
fn the_openapi_document_has_the_names_of_the_wire_format() {
    let document = serde_json::to_value(merchant_api::openapi_document()).unwrap();
    let words_of = |name: &str| document["components"]["schemas"][name]["enum"].clone();
    let table = [
        ("RefundState", serde_json::to_value(RefundState::ALL)),
        ("RefundOrigin", serde_json::to_value(RefundOrigin::ALL)),
        ("AttemptProduct", serde_json::to_value(AttemptProduct::ALL)),
        ("ReceiverType", serde_json::to_value(ReceiverType::ALL)),
        (
            "ReceiverRelation",
            serde_json::to_value(ReceiverRelation::ALL),
        ),
        ("ShareKind", serde_json::to_value(ShareKind::ALL)),
        ("ShareState", serde_json::to_value(ShareState::ALL)),
        ("ShareResult", serde_json::to_value(ShareResult::ALL)),
    ];
    for (name, wire) in table {
        assert_eq!(words_of(name), wire.unwrap(), "{name}");
    }
}
