//! Refunds: the request's fields, and the numbered fields of a query's answer.

use bytes::Bytes;
use http::StatusCode;
use payment_values::Fen;

use super::*;
use crate::v2::answer::{Answer, AnswerError};
use crate::v2::signature::SignType;
use crate::v2::test_messages::{key, merchant, provider, signed};

fn request() -> RefundRequest {
    RefundRequest::new(
        RefundOf::OutTradeNo(OutTradeNo::parse("1415757673").unwrap()),
        OutRefundNo::parse("1415701182").unwrap(),
        Fen::ONE,
        Fen::new(100).unwrap(),
    )
}

fn parse<T: ReadAnswer>(body: Bytes) -> Result<T, AnswerError> {
    let status = StatusCode::OK;
    Answer { status, body }.parse(&key(), SignType::Md5)
}

fn answered<T: ReadAnswer>(fields: &[(&str, &str)]) -> Result<T, AnswerError> {
    let codes = [("return_code", "SUCCESS"), ("result_code", "SUCCESS")];
    parse(signed(&[fields, &codes].concat(), SignType::Md5))
}

#[test]
fn a_request_has_the_fields_of_both_protocols() {
    let mut wanted = request();
    wanted.reason = Some("缺货".into());
    wanted.funds_account = Some(FundsAccount::Available);
    let sent = refund(&merchant(), &wanted).unwrap();
    assert!(sent.route().needs_certificate());
    let fields: Vec<_> = sent.fields().iter().collect();
    assert_eq!(
        fields,
        [
            ("appid", "wx2421b1c4370ec43b"),
            ("mch_id", "10000100"),
            ("op_user_id", "10000100"),
            ("out_refund_no", "1415701182"),
            ("out_trade_no", "1415757673"),
            ("refund_account", "REFUND_SOURCE_RECHARGE_FUNDS"),
            ("refund_desc", "缺货"),
            ("refund_fee", "1"),
            ("total_fee", "100"),
        ]
    );
}

#[test]
fn what_version_2_does_not_have_is_refused_and_not_left_out() {
    type Change = fn(&mut RefundRequest);
    let table: [(Change, &str); 5] = [
        (|r| r.refund = Fen::ZERO, "amount.refund"),
        (|r| r.refund = Fen::new(101).unwrap(), "amount.refund"),
        (
            |r| r.funds_account = Some(FundsAccount::Operation),
            "funds_account",
        ),
        (|r| r.sub_mchid = Some("124".into()), "sub_mchid"),
        (
            |r| {
                r.from = vec![crate::RefundFrom {
                    account: FundsAccount::Available,
                    amount: Fen::ONE,
                }];
            },
            "amount.from",
        ),
    ];
    for (change, field) in table {
        let mut changed = request();
        change(&mut changed);
        assert_eq!(refund(&merchant(), &changed).unwrap_err().field, field);
    }
    let mut of_provider = request();
    of_provider.sub_mchid = Some("124".into());
    assert!(refund(&provider(), &of_provider).is_ok());
}

#[test]
fn an_accepted_refund_is_in_work() {
    let read: Refund = answered(&[
        ("transaction_id", "1008450740201411110005820873"),
        ("out_trade_no", "1415757673"),
        ("out_refund_no", "1415701182"),
        ("refund_id", "2008450740201411110000174436"),
        ("refund_fee", "1"),
        ("total_fee", "100"),
        ("cash_fee", "90"),
    ])
    .unwrap();
    assert_eq!(read.status, RefundStatusV3::Processing);
    assert_eq!(read.refund_id, "2008450740201411110000174436");
    assert_eq!(read.amount.payer_total.map(Fen::get), Some(90));
    for missing in ["refund_id", "refund_fee", "total_fee"] {
        let fields = [
            ("transaction_id", "1"),
            ("out_trade_no", "1415757673"),
            ("out_refund_no", "1415701182"),
            ("refund_id", "2"),
            ("refund_fee", "1"),
            ("total_fee", "100"),
        ];
        let rest: Vec<_> = fields.into_iter().filter(|(n, _)| *n != missing).collect();
        let error = answered::<Refund>(&rest).unwrap_err();
        assert_eq!(error, AnswerError::Malformed(Unreadable::missing(missing)));
    }
}

const TWO: [(&str, &str); 19] = [
    ("transaction_id", "1008450740201411110005820873"),
    ("out_trade_no", "1415757673"),
    ("total_fee", "100"),
    ("refund_count", "2"),
    ("total_refund_count", "7"),
    ("out_refund_no_0", "R0"),
    ("refund_id_0", "50000000001"),
    ("refund_fee_0", "30"),
    ("refund_status_0", "SUCCESS"),
    ("refund_channel_0", "ORIGINAL"),
    ("refund_success_time_0", "2016-07-25 15:26:26"),
    ("refund_recv_accout_0", "招商银行信用卡0403"),
    ("coupon_refund_id_0_0", "C1"),
    ("coupon_refund_fee_0_0", "5"),
    ("out_refund_no_1", "R1"),
    ("refund_id_1", "50000000002"),
    ("refund_fee_1", "10"),
    ("refund_status_1", "NOTSURE"),
    ("refund_account_1", "REFUND_SOURCE_UNSETTLED_FUNDS"),
];

#[test]
fn each_refund_of_a_query_has_its_own_fields() {
    let read: Refunds = answered(&TWO).unwrap();
    assert_eq!((read.refunds.len(), read.total_count), (2, Some(7)));
    let first = &read.refunds[0];
    assert_eq!(first.refund.status, RefundStatusV3::Success);
    assert_eq!(first.refund.amount.refund.get(), 30);
    assert_eq!(
        first.refund.success_time.as_deref(),
        Some("2016-07-25T15:26:26+08:00")
    );
    assert_eq!(first.refund.promotion_detail[0]["refund_amount"], 5);
    let second = &read.refunds[1];
    assert_eq!(second.status, RefundStatus::NotSure);
    assert!(!second.refund.status.is_final());
    assert_eq!(second.refund.funds_account, Some(FundsAccount::Unsettled));
    assert!(second.refund.promotion_detail.is_empty());
}

#[test]
fn a_count_that_contradicts_the_refunds_is_refused() {
    for (count, field) in [
        ("1", "refund_count"),
        ("3", "refund_status_2"),
        ("999999999999", "refund_status_2"),
        ("-1", "refund_count"),
        ("", "refund_count"),
        ("99999999999999999999999", "refund_count"),
    ] {
        let fields: Vec<_> = TWO
            .into_iter()
            .map(|(name, value)| match name {
                "refund_count" => (name, count),
                _ => (name, value),
            })
            .collect();
        let error = answered::<Refunds>(&fields).unwrap_err();
        let AnswerError::Malformed(unreadable) = error else {
            panic!("{error}");
        };
        assert_eq!(unreadable.field, field, "{count}");
    }
}

#[test]
fn an_amount_with_a_decimal_point_is_no_amount() {
    let fields: Vec<_> = TWO
        .into_iter()
        .map(|(name, value)| match name {
            "refund_fee_1" => (name, "0.10"),
            _ => (name, value),
        })
        .collect();
    assert_eq!(
        answered::<Refunds>(&fields),
        Err(AnswerError::Malformed(Unreadable::undocumented_form(
            "refund_fee_1"
        )))
    );
}

#[test]
fn a_query_names_one_number() {
    let number = OutTradeNo::parse("1415757673").unwrap();
    for (query, name, value) in [
        (
            RefundQuery::OutTradeNo(number),
            "out_trade_no",
            "1415757673",
        ),
        (
            RefundQuery::TransactionId(TransactionId::parse("42").unwrap()),
            "transaction_id",
            "42",
        ),
        (
            RefundQuery::OutRefundNo(OutRefundNo::parse("R").unwrap()),
            "out_refund_no",
            "R",
        ),
        (
            RefundQuery::RefundId(RefundId::parse("50").unwrap()),
            "refund_id",
            "50",
        ),
    ] {
        let request = query_refunds(&merchant(), &query, Some(10)).unwrap();
        assert_eq!(request.fields().get(name), Some(value));
        assert_eq!(request.fields().get("offset"), Some("10"));
        assert_eq!(request.fields().iter().count(), 4);
    }
}
