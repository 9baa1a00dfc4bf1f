//! Payments by code: their requests, and the loop around a buyer who types the password.

use bytes::Bytes;
use http::StatusCode;
use payment_values::Fen;

use super::*;
use crate::order_fields::Description;
use crate::orders::code_pay::CodePayScene;
use crate::v2::answer::Answer;
use crate::v2::signature::SignType;
use crate::v2::test_messages::{key, merchant, signed};

fn order() -> CodePayOrder {
    CodePayOrder {
        orderer: merchant(),
        out_trade_no: OutTradeNo::parse("1415757673").unwrap(),
        description: Description::parse("茶").unwrap(),
        total: Fen::ONE,
        auth_code: AuthCode::parse("120269300684844649").unwrap(),
        scene: CodePayScene::default(),
        attach: None,
        goods_tag: None,
        no_credit: false,
        support_fapiao: None,
        detail: None,
        settle_info: None,
    }
}

fn till() -> IpAddr {
    "14.17.22.52".parse().unwrap()
}

fn parse<T: ReadAnswer>(fields: &[(&str, &str)]) -> Result<T, AnswerError> {
    let body: Bytes = signed(fields, SignType::Md5);
    let status = StatusCode::OK;
    Answer { status, body }.parse(&key(), SignType::Md5)
}

fn answered<T: ReadAnswer>(fields: &[(&str, &str)]) -> Result<T, AnswerError> {
    let codes = [("return_code", "SUCCESS"), ("result_code", "SUCCESS")];
    parse(&[fields, &codes].concat())
}

fn refused(code: &str) -> AnswerError {
    parse::<Transaction>(&[
        ("return_code", "SUCCESS"),
        ("result_code", "FAIL"),
        ("err_code", code),
    ])
    .unwrap_err()
}

fn in_state(state: &str) -> Transaction {
    answered(&[
        ("mch_id", "10000100"),
        ("out_trade_no", "1415757673"),
        ("transaction_id", "42"),
        ("total_fee", "1"),
        ("trade_state", state),
    ])
    .unwrap()
}

#[test]
fn a_payment_carries_the_code_and_the_tills_address() {
    let request = code_pay(&order(), till()).unwrap();
    let fields: Vec<_> = request.fields().iter().collect();
    assert_eq!(
        fields,
        [
            ("appid", "wx2421b1c4370ec43b"),
            ("auth_code", "120269300684844649"),
            ("body", "茶"),
            ("mch_id", "10000100"),
            ("out_trade_no", "1415757673"),
            ("spbill_create_ip", "14.17.22.52"),
            ("total_fee", "1"),
        ]
    );
    let mut with_scene = order();
    with_scene.scene.device_ip = Some("10.0.0.1".into());
    with_scene.scene.device_id = Some("till-7".into());
    with_scene.scene.store_id = Some("S1".into());
    let request = code_pay(&with_scene, till()).unwrap();
    assert_eq!(request.fields().get("spbill_create_ip"), Some("10.0.0.1"));
    assert_eq!(request.fields().get("device_info"), Some("till-7"));
    assert_eq!(
        request.fields().get("scene_info"),
        Some(r#"{"store_info":{"id":"S1"}}"#)
    );
    assert!(!format!("{request:?}").contains("120269300684844649"));
}

#[test]
fn a_code_of_another_length_or_beginning_is_no_payment_code() {
    for bad in [
        "",
        "12026930068484464",
        "1202693006848446490",
        "020269300684844649",
        "16",
    ] {
        assert_eq!(AuthCode::parse(bad).unwrap_err().field, "payer.auth_code");
    }
    let mut free = order();
    free.total = Fen::ZERO;
    assert_eq!(code_pay(&free, till()).unwrap_err().field, "amount.total");
}

#[test]
fn reversal_and_the_owner_of_a_code_have_their_requests_and_answers() {
    let request = reverse(&merchant(), &order().out_trade_no).unwrap();
    assert!(request.route().needs_certificate());
    for (recall, expected) in [
        ("N", Some(false)),
        ("", Some(false)),
        ("Y", Some(true)),
        ("X", None),
    ] {
        let read = answered::<Reversed>(&[("recall", recall)]);
        assert_eq!(
            read.ok().map(|reversed| reversed.recall),
            expected,
            "{recall}"
        );
    }
    let request = code_owner(&merchant(), &order().auth_code).unwrap();
    assert_eq!(request.route(), Route::AuthCodeToOpenId);
    let owner: CodeOwner = answered(&[("openid", "oA"), ("sub_openid", "oB")]).unwrap();
    assert_eq!(
        (&*owner.openid, owner.sub_openid.as_deref()),
        ("oA", Some("oB"))
    );
    assert!(answered::<CodeOwner>(&[("openid", "")]).is_err());
}

const QUERY: CodePayStep = CodePayStep::Query { after_s: 5 };

#[test]
fn a_payment_ends_only_if_wechat_says_so_with_a_signature() {
    let after = CodePayStep::after_payment;
    assert_eq!(after(Ok(&in_state("SUCCESS"))), CodePayStep::Paid);
    assert_eq!(after(Err(None)), QUERY);
    for (code, expected) in [
        ("USERPAYING", QUERY),
        ("SYSTEMERROR", QUERY),
        ("BANKERROR", QUERY),
        ("ORDERPAID", QUERY),
        ("NOTENOUGH", CodePayStep::Ended),
        ("AUTHCODEEXPIRE", CodePayStep::Ended),
        ("AUTH_CODE_INVALID", CodePayStep::Ended),
        ("ORDERREVERSED", CodePayStep::Ended),
    ] {
        assert_eq!(after(Err(Some(&refused(code)))), expected, "{code}");
    }
    let unsigned = Answer {
        status: StatusCode::OK,
        body: Bytes::from_static(b"<xml><return_code>FAIL</return_code></xml>"),
    };
    let unsigned = unsigned.verify(&key(), SignType::Md5).unwrap_err();
    assert_eq!(after(Err(Some(&unsigned))), QUERY);
}

#[test]
fn a_buyer_has_half_a_minute_and_then_the_order_is_reversed() {
    const REVERSE: CodePayStep = CodePayStep::Reverse { after_s: 0 };
    let table = [
        ("SUCCESS", 5, CodePayStep::Paid),
        ("REFUND", 5, CodePayStep::Paid),
        ("SUCCESS", 600, CodePayStep::Paid),
        ("USERPAYING", 5, QUERY),
        ("USERPAYING", 29, QUERY),
        ("USERPAYING", 30, REVERSE),
        ("NOTPAY", 29, QUERY),
        ("NOTPAY", 30, REVERSE),
        ("LATER", 30, REVERSE),
        ("CLOSED", 5, CodePayStep::Ended),
        ("REVOKED", 5, CodePayStep::Ended),
        ("PAYERROR", 5, CodePayStep::Ended),
    ];
    for (state, waited_s, expected) in table {
        let step = CodePayStep::after_query(Ok(&in_state(state)), waited_s);
        assert_eq!(step, expected, "{state} {waited_s}");
    }
    let unknown = refused("ORDERNOTEXIST");
    for (answer, waited_s, expected) in [
        (None, 5, QUERY),
        (None, 30, REVERSE),
        (Some(&unknown), 5, QUERY),
        (Some(&unknown), 30, REVERSE),
    ] {
        assert_eq!(CodePayStep::after_query(Err(answer), waited_s), expected);
    }
}

#[test]
fn a_reversal_is_repeated_until_wechat_has_done_it() {
    let after = CodePayStep::after_reversal;
    let again = CodePayStep::Reverse { after_s: 5 };
    assert_eq!(after(Ok(&Reversed { recall: false })), CodePayStep::Ended);
    assert_eq!(after(Ok(&Reversed { recall: true })), again);
    assert_eq!(after(Err(None)), again);
    assert_eq!(after(Err(Some(&refused("SYSTEMERROR")))), again);
    let expired = refused("REVERSE_EXPIRE");
    assert_eq!(after(Err(Some(&expired))), CodePayStep::Unresolved);
}
