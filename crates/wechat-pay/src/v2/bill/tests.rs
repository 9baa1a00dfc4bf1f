//! Bills of version 2, in the column sets of 2014, of before 2018, and of today.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::StatusCode;
use jiff::civil::date;
use payment_values::{Fen, YuanTextError};

use super::*;
use crate::bill::{BillError, BillRow, TradeBillRow, TradeBillSummary};
use crate::retry::{Operation, RetryWith};
use crate::v2::answer::{Answer, AnswerError};
use crate::v2::signature::SignType;
use crate::v2::test_messages::{key, merchant};

/// The columns of section 4.9 of WeChat's document V3.3.5.
const OF_2014: &str = "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,现金券金额,微信退款单号,商户退款单号,退款金额,现金券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率\r\n\
`2014-11-10 16:33:45,`wx2421b1c4370ec43b,`10000100,`0,`1000,`1001690740201411100005734289,`1415640626,`085e9858e3ba5186aafcbaed1,`MICROPAY,`SUCCESS,`CFT,`CNY,`69.10,`0.10,`0,`0,`0,`0,`,`,`被扫支付测试,`订单额外描述,`0.41460,`0.60%\r\n\
`2014-11-10 16:46:14,`wx2421b1c4370ec43b,`10000100,`0,`1000,`1002780740201411100005729794,`1415635270,`085e9858e90ca40c0b5aee463,`MICROPAY,`REFUND,`CFT,`CNY,`0.00,`0.0,`2001690740201411100005734290,`R1,`0.29,`0.00,`ORIGINAL,`SUCCESS,`被扫支付测试,`,`0,`0.60%\r\n\
总交易单数,总交易额,总退款金额,总现金券退款金额,手续费总金额\r\n\
`2,`69.10,`0.29,`0.00,`0.41460\r\n";

/// As some bills of today are: with a back-tick before the columns' names too.
const OF_TODAY: &str = "\u{feff}`交易时间,`公众账号ID,`商户号,`特约商户号,`设备号,`微信订单号,`商户订单号,`用户标识,`交易类型,`交易状态,`付款银行,`货币种类,`应结订单金额,`代金券金额,`商品名称,`商户数据包,`手续费,`费率,`订单金额,`费率备注\n\
`2026-01-02 05:01:46,`wx8888888888888888,`1900000001,`0,`,`4200000000000000000000000001,`T20260102-1,`oBuyer1,`NATIVE,`SUCCESS,`OTHERS,`CNY,`69.10,`0.00,`茶, a comma,`,`0.41460,`0.60%,`69.10,`\n\
`总交易单数,`应结订单总金额,`退款总金额,`充值券退款总金额,`手续费总金额,`订单总金额,`申请退款总金额\n\
`1.0,`69.10,`0.00,`0.00,`0.41460,`69.10,`0.00\n";

fn read(file: &[u8]) -> Result<(Vec<BillRow>, BillRow), BillError> {
    let mut reader = bill_reader(file).unwrap();
    let mut rows = Vec::new();
    for piece in file.chunks(7) {
        rows.extend(reader.push(piece)?);
    }
    let (rest, summary) = reader.finish()?;
    rows.extend(rest);
    Ok((rows, summary))
}

#[test]
fn each_set_of_columns_is_read_to_the_fen() {
    for (text, rows, total, refund) in [
        (OF_2014, 2, None, Some((29, "R1"))),
        (OF_TODAY, 1, Some(6910), None),
    ] {
        let (read_rows, summary) = read(text.as_bytes()).unwrap();
        let read_rows: Vec<_> = read_rows
            .iter()
            .map(|row| TradeBillRow::read(row).unwrap())
            .collect();
        assert_eq!(read_rows.len(), rows);
        assert_eq!(read_rows[0].settlement_total.get(), 6910);
        assert_eq!(read_rows[0].total.map(Fen::get), total);
        assert_eq!(read_rows[0].fee_milli_fen, Some(41_460));
        let last = read_rows[rows - 1].refund.as_ref();
        let found = last.map(|refund| (refund.refund.get(), refund.out_refund_no.as_str()));
        assert_eq!(found, refund);
        let summary = TradeBillSummary::read(&summary).unwrap();
        assert_eq!(summary.settlement_total.get(), 6910);
    }
    let (rows, _) = read(OF_2014.as_bytes()).unwrap();
    assert_eq!(TradeBillRow::read(&rows[0]).unwrap().coupon.get(), 10);
}

#[test]
fn a_packed_bill_is_recognised_by_its_first_bytes() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(OF_2014.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(read(&packed), read(OF_2014.as_bytes()));
    let cut = read(&packed[..packed.len() - 9]);
    assert_eq!(cut, Err(BillError::Gzip));
}

#[test]
fn one_odd_line_is_named_by_its_number_and_the_others_are_read() {
    let odd = OF_2014.replacen("`69.10", "`69.105", 1);
    let (rows, summary) = read(odd.as_bytes()).unwrap();
    assert_eq!(
        TradeBillRow::read(&rows[0]),
        Err(BillError::Amount {
            line: 2,
            column: "总金额",
            error: YuanTextError::TooPrecise { max: 2, got: 3 },
        })
    );
    assert!(TradeBillRow::read(&rows[1]).is_ok());
    assert!(TradeBillSummary::read(&summary).is_ok());
    let short = OF_2014.replacen(",`0.60%\r\n`2014", "\r\n`2014", 1);
    let (rows, _) = read(short.as_bytes()).unwrap();
    let (line, expected, got) = (2, 24, 23);
    assert_eq!(
        TradeBillRow::read(&rows[0]),
        Err(BillError::CellCount {
            line,
            expected,
            got
        })
    );
    assert!(TradeBillRow::read(&rows[1]).is_ok());
}

#[test]
fn a_bill_that_cannot_be_read_is_a_permanent_fault_with_a_name() {
    for (file, expected) in [
        ("", BillError::NoColumns { line: 1 }),
        (
            "`2014-11-10 16:33:45,`wx\n",
            BillError::NoColumns { line: 1 },
        ),
        ("交易时间,交易时间\n", BillError::ColumnTwice { line: 1 }),
    ] {
        let error = read(file.as_bytes()).unwrap_err();
        assert_eq!(error, expected);
        assert!(!error.is_transient());
    }
    let (head, _) = OF_2014.split_once("总交易单数").unwrap();
    let (rows, summary) = read(head.as_bytes()).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(summary.check(), Err(BillError::NoSummary));
}

#[test]
fn a_refusal_is_xml_and_its_verdict_is_that_of_a_bill() {
    let refusal = |message: &str, code: &str| {
        format!(
            "<xml><return_code><![CDATA[FAIL]]></return_code>\n\
             <return_msg><![CDATA[{message}]]></return_msg>\n\
             <error_code><![CDATA[{code}]]></error_code>\n</xml>"
        )
    };
    for (message, code, expected) in [
        ("No Bill Exist", "20002", RetryWith::AfterFix),
        (
            "Bill Creating",
            "20002",
            RetryWith::SameRequest { after_s: 1_800 },
        ),
        (
            "SYSTEMERROR",
            "20003",
            RetryWith::SameRequest { after_s: 1 },
        ),
        ("invalid bill_type", "20001", RetryWith::AfterFix),
    ] {
        let body = refusal(message, code);
        assert!(bill_reader(body.as_bytes()).is_none());
        let answer = Answer {
            status: StatusCode::OK,
            body: Bytes::from(body),
        };
        let error = answer.verify(&key(), SignType::Md5).unwrap_err();
        assert_eq!(error.retry_with(Operation::Bill), expected, "{message}");
        assert_eq!(error.refusal().unwrap().code, code);
    }
    let portal = Answer {
        status: StatusCode::OK,
        body: Bytes::from_static(b"<html><body>login</body></html>"),
    };
    let error = portal.verify(&key(), SignType::Md5).unwrap_err();
    assert!(matches!(error, AnswerError::Xml(_)));
}

#[test]
fn each_bill_has_its_fields() {
    let mut bill = DownloadBill {
        bill_date: date(2014, 6, 3),
        bill_type: BillType::All,
        packing: Packing::Plain,
        device_info: None,
    };
    let fields = |bill: &DownloadBill| {
        let request = bill.request(&merchant()).unwrap();
        let get = |name| request.fields().get(name).map(str::to_owned);
        (get("bill_date"), get("bill_type"), get("tar_type"))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(fields(&bill), (text("20140603"), text("ALL"), None));
    for kind in [
        BillType::Success,
        BillType::Refund,
        BillType::RechargeRefund,
    ] {
        bill.bill_type = kind;
        bill.packing = Packing::Gzip;
        let expected = (text("20140603"), text(kind.as_str()), text("GZIP"));
        assert_eq!(fields(&bill), expected);
    }
    bill.device_info = Some("d".repeat(33));
    assert_eq!(bill.request(&merchant()).unwrap_err().field, "device_info");
}
