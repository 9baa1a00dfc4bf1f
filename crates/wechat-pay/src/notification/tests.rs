//! Notifications: valid ones, and refusals before the body is read.

use payment_values::Fen;
use proptest::prelude::*;

use super::*;
use crate::signing::stamp::Stamp;
use crate::test_keys;

const NOW_S: i64 = 1_700_000_000;
const PAID: &str = r#"{"appid":"wx1","mchid":"1900007291","out_trade_no":"T20260101",
        "transaction_id":"4200000001","trade_type":"NATIVE","trade_state":"SUCCESS",
        "trade_state_desc":"支付成功","bank_type":"OTHERS","attach":"","success_time":"2018-06-08T10:34:56+08:00",
        "payer":{"openid":"oUpF8"},"amount":{"total":100,"payer_total":90,"currency":"CNY","payer_currency":"CNY"}}"#;

fn api_v3_key() -> ApiV3Key {
    ApiV3Key::new(b"a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb").unwrap()
}

fn draft(plaintext: &str) -> NotificationDraft {
    NotificationDraft {
        id: "EV-1".into(),
        create_time: "2018-06-08T02:34:56Z".parse().unwrap(),
        event_type: TRANSACTION_SUCCESS.into(),
        summary: "支付成功".into(),
        original_type: "transaction".into(),
        plaintext: plaintext.as_bytes().to_vec(),
    }
}

fn sign(body: &[u8]) -> HeaderMap {
    let stamp = Stamp::new(NOW_S, [1; 16]);
    test_keys::platform_key()
        .sign_headers(&stamp, body)
        .unwrap()
}

fn open(headers: &HeaderMap, body: &[u8]) -> Result<Notification, NotificationError> {
    let keys = test_keys::trusted_keys();
    open_notification(headers, body, &keys, &api_v3_key(), NOW_S)
}

#[test]
fn a_sealed_and_signed_notification_is_opened() {
    let body = draft(PAID).seal(&api_v3_key(), "abcdefghijkl").unwrap();
    let opened = open(&sign(&body), &body).unwrap();
    assert_eq!(opened.id, "EV-1");
    assert_eq!(opened.create_time, "2018-06-08T10:34:56+08:00");
    let NotifiedResource::Transaction(paid) = opened.resource else {
        panic!("a transaction was sealed");
    };
    assert_eq!(paid.total(), Some(Fen::new(100).unwrap()));
    assert_eq!(paid.payer_total(), Some(Fen::new(90).unwrap()));
    assert_eq!(paid.openid(), Some("oUpF8"));
}

#[test]
fn nothing_is_parsed_before_the_signature_is_verified() {
    let good = draft(PAID).seal(&api_v3_key(), "abcdefghijkl").unwrap();
    let unsigned = open(&HeaderMap::new(), &good).unwrap_err();
    assert_eq!(unsigned.status(), StatusCode::UNAUTHORIZED);
    // The body is not JSON; the error is still about the signature.
    let error = open(&sign(&good), b"<xml/>").unwrap_err();
    assert_eq!(
        error,
        NotificationError::Signature(SignatureError::Mismatch)
    );
    let mut reserialised: serde_json::Value = serde_json::from_slice(&good).unwrap();
    reserialised["summary"] = "支付成功".into();
    let error = open(&sign(&good), reserialised.to_string().as_bytes()).unwrap_err();
    assert_eq!(
        error,
        NotificationError::Signature(SignatureError::Mismatch)
    );
}

#[test]
fn a_probe_fails_with_its_own_error() {
    let body = draft(PAID).seal(&api_v3_key(), "abcdefghijkl").unwrap();
    let mut headers = sign(&body);
    headers.insert(
        "wechatpay-signature",
        "WECHATPAY/SIGNTEST/AAAA".parse().unwrap(),
    );
    let error = open(&headers, &body).unwrap_err();
    assert!(error.is_probe());
    assert!(error.status().is_client_error());
}

#[test]
fn signed_invalid_content_is_refused_with_the_field_and_the_rule() {
    let sealed = |plaintext| {
        draft(plaintext)
            .seal(&api_v3_key(), "abcdefghijkl")
            .unwrap()
    };
    let other_key = ApiV3Key::new(&[1; 32]).unwrap();
    let table: Vec<(Vec<u8>, &str)> = vec![
        (
            b"".to_vec(),
            "envelope cannot be read: the body is not JSON",
        ),
        (
            b"[]".to_vec(),
            "envelope cannot be read: the body is not a JSON object",
        ),
        (
            b"{\"id\":\"1\"}".to_vec(),
            "envelope cannot be read: resource is missing",
        ),
        (
            b"{\"resource\":{\"nonce\":\"a\"}}".to_vec(),
            "envelope cannot be read: resource.ciphertext is missing",
        ),
        (
            draft(PAID).seal(&other_key, "abcdefghijkl").unwrap(),
            "resource cannot be opened: the ciphertext does not open with this APIv3 key",
        ),
        (
            sealed("[]"),
            "resource cannot be read: the body is not a JSON object",
        ),
        (
            sealed("{}"),
            "resource cannot be read: out_trade_no is missing",
        ),
        (
            sealed(&PAID.replace("\"mchid\"", "\"mch_id\"")),
            "resource cannot be read: mchid is missing",
        ),
        (
            sealed(&PAID.replace("100", "-100")),
            "resource cannot be read: amount.total is not in the documented form",
        ),
        (
            sealed(&PAID.replace("SUCCESS", "NOTPAY")),
            "event and its resource contradict each other: \
             trade_state contradicts the notification's event",
        ),
    ];
    for (body, says) in table {
        let error = open(&sign(&body), &body).unwrap_err();
        assert_eq!(error.to_string(), format!("the notification's {says}"));
    }
}

#[test]
fn unreadable_content_is_returned_whole_and_hidden_in_debug() {
    let plaintext = PAID.replace("\"total\":100,", "");
    let body = draft(&plaintext)
        .seal(&api_v3_key(), "abcdefghijkl")
        .unwrap();
    let NotificationError::Resource(unread) = open(&sign(&body), &body).unwrap_err() else {
        panic!("the amount is missing");
    };
    assert_eq!(unread.id, "EV-1");
    assert_eq!(unread.event_type, TRANSACTION_SUCCESS);
    assert_eq!(unread.plaintext, plaintext.as_bytes());
    assert_eq!(unread.problem.field, "amount.total");
    assert!(!format!("{unread:?}").contains("oUpF8"));
}

#[test]
fn an_envelope_needs_its_resource_and_nothing_else() {
    let good = draft(PAID).seal(&api_v3_key(), "abcdefghijkl").unwrap();
    let good: serde_json::Value = serde_json::from_slice(&good).unwrap();
    let fields = [
        ("/id", false),
        ("/create_time", false),
        ("/resource_type", false),
        ("/event_type", false),
        ("/summary", false),
        ("/resource", true),
        ("/resource/original_type", false),
        ("/resource/algorithm", false),
        ("/resource/ciphertext", true),
        ("/resource/nonce", true),
    ];
    for (pointer, is_required) in fields {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let mut absent = good.clone();
        let parent = absent.pointer_mut(parent).unwrap();
        parent.as_object_mut().unwrap().remove(name);
        let mut null = good.clone();
        *null.pointer_mut(pointer).unwrap() = serde_json::Value::Null;
        let mut odd = good.clone();
        *odd.pointer_mut(pointer).unwrap() = serde_json::json!(7);
        for body in [absent, null, odd] {
            let body = body.to_string().into_bytes();
            let opened = open(&sign(&body), &body);
            if is_required {
                assert!(opened.is_err(), "{pointer}");
                continue;
            }
            let opened = opened.unwrap();
            assert!(
                matches!(opened.resource, NotifiedResource::Transaction(_)),
                "{pointer}"
            );
            assert!(!opened.id.is_empty(), "{pointer}");
        }
    }
    // The body begins with the byte order mark that some editors write.
    let body = [b"\xef\xbb\xbf", good.to_string().as_bytes()].concat();
    assert_eq!(open(&sign(&body), &body).unwrap().id, "EV-1");
}

#[test]
fn a_notification_without_an_id_gets_the_same_id_on_every_try() {
    let stand_in = |nonce: &str| {
        let body = draft(PAID).seal(&api_v3_key(), nonce).unwrap();
        let mut body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        body["id"] = serde_json::Value::Null;
        let body = body.to_string().into_bytes();
        open(&sign(&body), &body).unwrap().id
    };
    let id = stand_in("abcdefghijkl");
    assert!(id.starts_with("content-") && id.len() == 40, "{id}");
    assert_eq!(id, stand_in("lkjihgfedcba"));
}

#[test]
fn the_original_type_decides_the_kind_and_the_event_only_without_one() {
    let refund = r#"{"out_refund_no":"R","refund_id":"5","out_trade_no":"T","transaction_id":"4",
                     "refund_status":"SUCCESS","amount":{"total":1,"refund":1}}"#;
    let table = [
        (TRANSACTION_SUCCESS, "", PAID, "payment"),
        ("", "transaction", PAID, "payment"),
        ("TRANSACTION.LATER", "", PAID, "payment"),
        ("REFUND.SUCCESS", "", refund, "refund"),
        ("", "refund", refund, "refund"),
        // Profit sharing is notified with the event of a payment.
        (TRANSACTION_SUCCESS, "profitsharing", PAID, "other"),
        ("COUPON.USE", "", PAID, "other"),
    ];
    for (event_type, original_type, plaintext, expected) in table {
        let read = opened(event_type, original_type, plaintext).unwrap();
        let kind = match read.resource {
            NotifiedResource::Transaction(_) => "payment",
            NotifiedResource::Refund(_) => "refund",
            _ => "other",
        };
        assert_eq!(kind, expected, "{event_type} {original_type}");
        assert_eq!(read.plaintext, plaintext.as_bytes());
    }
}

fn opened(
    event_type: &str,
    original_type: &str,
    plaintext: &str,
) -> Result<Notification, NotificationError> {
    let body = NotificationDraft {
        event_type: event_type.into(),
        original_type: original_type.into(),
        ..draft(plaintext)
    }
    .seal(&api_v3_key(), "abcdefghijkl")
    .unwrap();
    open(&sign(&body), &body)
}

#[test]
fn other_resources_are_returned_decrypted() {
    let opened = opened("COUPON.USE", "coupon", "{\"coupon_id\":\"1\"}").unwrap();
    assert_eq!(
        opened.resource,
        NotifiedResource::Other {
            original_type: "coupon".into(),
        }
    );
    assert_eq!(opened.plaintext, b"{\"coupon_id\":\"1\"}");
}

#[test]
fn a_refunds_result_is_read_and_must_match_its_event() {
    let refund = |status: &str| {
        format!(
            r#"{{"mchid":"1900007291","transaction_id":"4200000001","out_trade_no":"T20260101",
                "refund_id":"50000000382019052709732678859","out_refund_no":"R1",
                "refund_status":"{status}","success_time":"2018-06-08T10:34:56+08:00",
                "user_received_account":"招商银行信用卡0403",
                "amount":{{"total":100,"refund":40,"payer_total":100,"payer_refund":40}}}}"#
        )
    };
    for word in ["SUCCESS", "ABNORMAL", "CLOSED"] {
        let event = format!("REFUND.{word}");
        let NotifiedResource::Refund(notice) =
            opened(&event, "refund", &refund(word)).unwrap().resource
        else {
            panic!("a refund was sealed");
        };
        assert_eq!(notice.refund_status.as_str(), word);
        assert_eq!(notice.amount.payer_refund.map(Fen::get), Some(40));
        let error = opened(&event, "refund", &refund("PROCESSING")).unwrap_err();
        assert!(matches!(error, NotificationError::Contradiction(_)));
    }
    // A query names the state differently than a notification.
    let queried = refund("SUCCESS").replace("refund_status", "status");
    let error = opened("REFUND.SUCCESS", "refund", &queried).unwrap_err();
    let NotificationError::Resource(unread) = error else {
        panic!("{error}");
    };
    assert_eq!(unread.problem.field, "refund_status");
}

#[test]
fn a_payment_for_a_sub_merchant_keeps_both_merchants() {
    let paid = PAID.replace(
        r#""appid":"wx1","mchid":"1900007291""#,
        r#""sp_appid":"wx1","sp_mchid":"1900007291","sub_mchid":"1900000109""#,
    );
    let NotifiedResource::Transaction(read) = opened(TRANSACTION_SUCCESS, "transaction", &paid)
        .unwrap()
        .resource
    else {
        panic!("a payment for a sub-merchant was sealed");
    };
    assert_eq!(
        (read.mchid.as_str(), read.sub_mchid.as_deref()),
        ("1900007291", Some("1900000109"))
    );
    let unpaid = paid.replace("SUCCESS", "NOTPAY");
    assert!(matches!(
        opened(TRANSACTION_SUCCESS, "transaction", &unpaid),
        Err(NotificationError::Contradiction(_))
    ));
}

#[test]
fn a_refusal_is_the_json_that_wechat_documents() {
    assert_eq!(
        &failure_body("no \"signature\"")[..],
        br#"{"code":"FAIL","message":"no \"signature\""}"#
    );
}

proptest! {
    #[test]
    fn signed_hostile_bodies_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(open(&sign(&body), &body).is_err());
    }

    #[test]
    fn sealed_hostile_resources_never_panic(plaintext in "\\PC{0,100}") {
        let body = draft(&plaintext).seal(&api_v3_key(), "abcdefghijkl").unwrap();
        prop_assert!(open(&sign(&body), &body).is_err());
    }
}

#[test]
fn a_notice_of_shares_is_known_by_its_content_whatever_its_words_are() {
    const SHARED: &str = r#"{"mchid":"1900000100","transaction_id":"4200000001","order_id":"3008450740201411110007820472",
        "out_order_no":"P20150806125346","receiver":{"type":"MERCHANT_ID","account":"1900000109","amount":888,
        "description":"运费"},"success_time":"2018-06-08T10:34:56+08:00"}"#;
    for (event_type, original_type) in [
        ("TRANSACTION.SUCCESS", "transaction"),
        ("TRANSACTION.SUCCESS", "profitsharing"),
        ("TRANSACTION.SUCCESS", ""),
        ("PROFITSHARING.RETURN", "encrypt-resource"),
    ] {
        let draft = NotificationDraft {
            event_type: event_type.into(),
            original_type: original_type.into(),
            ..draft(SHARED)
        };
        let body = draft.seal(&api_v3_key(), "abcdefghijkl").unwrap();
        let opened = open(&sign(&body), &body).unwrap();
        let NotifiedResource::Share(notice) = opened.resource else {
            panic!("{event_type} {original_type}: {:?}", opened.resource);
        };
        assert_eq!(notice.out_order_no, "P20150806125346");
        assert_eq!(notice.receiver.amount, Fen::new(888).unwrap());
    }
}

#[test]
fn a_notice_of_shares_that_cannot_be_read_is_one_of_the_other_kinds() {
    let draft = NotificationDraft {
        original_type: "profitsharing".into(),
        ..draft(r#"{"receiver":{}}"#)
    };
    let body = draft.seal(&api_v3_key(), "abcdefghijkl").unwrap();
    let opened = open(&sign(&body), &body).unwrap();
    let original_type = "profitsharing".to_owned();
    assert_eq!(opened.resource, NotifiedResource::Other { original_type });
}

const COMBINED: &str = r#"{"combine_appid":"wx1","combine_mchid":"1900007291","combine_out_trade_no":"C20260101",
    "combine_payer_info":{"openid":"oUpF8"},"sub_orders":[
    {"mchid":"1900007291","out_trade_no":"C2026-1","transaction_id":"4200000001","trade_state":"SUCCESS",
     "amount":{"total_amount":100,"payer_amount":100}},
    {"mchid":"1900007292","out_trade_no":"C2026-2","transaction_id":"4200000002","trade_state":"SUCCESS",
     "amount":{"total_amount":20,"payer_amount":20}}]}"#;

#[test]
fn the_payment_of_a_combined_order_is_known_by_its_content_whatever_its_words_are() {
    for (event_type, original_type) in [
        ("TRANSACTION.SUCCESS", "transaction"),
        ("TRANSACTION.SUCCESS", ""),
        ("", "transaction"),
    ] {
        let opened = opened(event_type, original_type, COMBINED).unwrap();
        let NotifiedResource::Combined(paid) = opened.resource else {
            panic!("{event_type} {original_type}: {:?}", opened.resource);
        };
        assert_eq!(paid.combine_out_trade_no, "C20260101");
        assert_eq!(paid.total(), Some(Fen::new(120).unwrap()));
    }
}

#[test]
fn a_combined_order_that_is_not_paid_as_a_whole_contradicts_its_event() {
    let half = COMBINED.replacen("SUCCESS", "NOTPAY", 1);
    let error = opened(TRANSACTION_SUCCESS, "transaction", &half).unwrap_err();
    let NotificationError::Contradiction(unread) = error else {
        panic!("{error}");
    };
    assert_eq!(unread.problem.field, "sub_orders");
    assert_eq!(unread.plaintext, half.as_bytes());
    // It is never read as an ordinary payment.
    for (broken, field) in [
        (
            COMBINED.replace("combine_out_trade_no", "out_trade_no"),
            "combine_out_trade_no",
        ),
        (COMBINED.replace("sub_orders", "sub_order"), "sub_orders"),
        (
            COMBINED.replace("\"total_amount\":20,", ""),
            "sub_orders[1].amount.total_amount",
        ),
    ] {
        let error = opened(TRANSACTION_SUCCESS, "transaction", &broken).unwrap_err();
        let NotificationError::Resource(unread) = error else {
            panic!("{error}");
        };
        assert_eq!(unread.problem.field, field);
    }
}
