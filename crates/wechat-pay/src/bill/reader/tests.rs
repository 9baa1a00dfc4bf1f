//! Bills: read exactly, and refused if they are inconsistent.

use std::io::Write;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use flate2::Compression;
use flate2::write::GzEncoder;
use payment_values::{Fen, YuanTextError};
use proptest::prelude::*;

use super::*;
use crate::bill::{FundFlowRow, FundFlowSummary, TradeBillRow, TradeBillSummary};
use crate::hex::upper_hex;

const ALL: &str = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n\
`2026-01-02 05:01:46,`wx8888888888888888,`1900000001,`0,`till-7,`4200000000000000000000000001,`T20260102-1,`oBuyer1,`NATIVE,`SUCCESS,`OTHERS,`CNY,`69.10,`0.00,`0,`0,`0.00,`0.00,`,`,`茶, a comma\\ and more,`,`0.41460,`0.60%,`69.10,`0.00,`\r\n\
`2026-01-02 06:01:46,`wx8888888888888888,`1900000001,`0,`,`4200000000000000000000000001,`T20260102-1,`oBuyer1,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`50000000000000000000000000001,`R1,`0.29,`0.00,`ORIGINAL,`SUCCESS,`茶,`data,`-0.00174,`0.60%,`0.00,`0.29,`\r\n\
总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n\
`2.0,`69.10,`0.29,`0.0,`0.41286,`69.10,`0.29\r\n";

const FLOW: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额（元）,账户结余（元）,资金变更提交申请人,备注,业务凭证号\n\
`2026-01-02 04:21:23,`50000305742018020103387128253,`1900009231201802015884652186,`退款,`退款,`支出,`0.02,`-0.17,`system,`缺货,`R2\n\
资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\n\
`20,`17,`0.35,`3,`0.18";

fn ticket(unpacked: &[u8]) -> BillTicket {
    BillTicket {
        hash_type: "SHA1".into(),
        hash_value: upper_hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, unpacked).as_ref()),
        download_url: "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a".into(),
    }
}

fn read(text: &str) -> Result<Bill, BillError> {
    read_bill(text.as_bytes(), Packing::Plain, &ticket(text.as_bytes()))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_trade_bill_is_read_to_the_fen() {
    let bill = read(ALL).unwrap();
    let rows: Vec<TradeBillRow> = bill
        .rows
        .iter()
        .map(|row| TradeBillRow::read(row).unwrap())
        .collect();
    let fen = |fen| Fen::new(fen).unwrap();
    assert_eq!(rows[0].total, Some(fen(6910)));
    assert_eq!(rows[0].fee_milli_fen, Some(41_460));
    assert_eq!(rows[0].description, "茶, a comma\\ and more");
    assert_eq!((&rows[0].sub_mchid, &rows[0].refund), (&None, &None));
    assert_eq!(rows[0].device_id.as_deref(), Some("till-7"));
    let refund = rows[1].refund.as_ref().unwrap();
    assert_eq!(
        (
            refund.out_refund_no.as_str(),
            refund.refund,
            refund.requested
        ),
        ("R1", fen(29), Some(fen(29)))
    );
    assert_eq!(rows[1].fee_milli_fen, Some(-174));
    assert_eq!(
        TradeBillSummary::read(&bill.summary).unwrap(),
        TradeBillSummary {
            count: 2,
            settlement_total: fen(6910),
            refund_total: fen(29),
            coupon_refund_total: fen(0),
            fee_milli_fen: Some(41_286),
            total: Some(fen(6910)),
            requested_refund_total: Some(fen(29)),
        }
    );
}

#[test]
fn a_fund_flow_bill_is_read_with_either_kind_of_brackets() {
    for text in [FLOW.to_owned(), FLOW.replace('（', "(").replace('）', ")")] {
        let bill = read(&text).unwrap();
        let row = FundFlowRow::read(&bill.rows[0]).unwrap();
        assert_eq!((row.amount.get(), row.balance_fen), (2, -17));
        let summary = FundFlowSummary::read(&bill.summary).unwrap();
        assert_eq!((summary.count, summary.in_total.get()), (20, 35));
    }
}

#[test]
fn columns_are_found_by_name_in_any_position() {
    let bill = read("B,新列,A\n`2,`x,`1\n数,和\n`1,`2\n").unwrap();
    assert_eq!(bill.rows[0].get("A"), Some("1"));
    assert_eq!(bill.rows[0].get("B"), Some("2"));
    assert_eq!(bill.rows[0].get("C"), None);
    assert_eq!(bill.rows[0].line(), 2);
    assert_eq!(
        bill.summary.cells().collect::<Vec<_>>(),
        [("和", "2"), ("数", "1")]
    );
    assert_eq!(
        TradeBillRow::read(&bill.rows[0]),
        Err(BillError::ColumnMissing("微信订单号"))
    );
}

#[test]
fn the_hash_covers_the_unpacked_bytes_and_is_checked_first() {
    let packed = gzip(ALL.as_bytes());
    let bill = read_bill(&packed, Packing::Gzip, &ticket(ALL.as_bytes())).unwrap();
    assert_eq!(bill, read(ALL).unwrap());
    assert_eq!(
        read_bill(&packed, Packing::Gzip, &ticket(&packed)),
        Err(BillError::Digest)
    );
    // Not a bill; the error is still about the hash.
    assert_eq!(
        read_bill(b"junk", Packing::Plain, &ticket(b"other")),
        Err(BillError::Digest)
    );
    let mut reader = BillReader::new(Packing::Plain, &ticket(b"other")).unwrap();
    assert_eq!(reader.push(ALL.as_bytes()).unwrap().len(), 2);
    assert_eq!(reader.finish().unwrap_err(), BillError::Digest);
}

#[test]
fn broken_gzip_is_refused() {
    let packed = gzip(ALL.as_bytes());
    let mut flipped = packed.clone();
    flipped[packed.len() / 2] ^= 1;
    for file in [
        &packed[..packed.len() - 1],
        &packed[..20],
        &b""[..],
        ALL.as_bytes(),
        &flipped,
        &[&packed[..], b"tail"].concat(),
    ] {
        let read = read_bill(file, Packing::Gzip, &ticket(ALL.as_bytes()));
        assert_eq!(read, Err(BillError::Gzip));
    }
}

#[test]
fn a_line_with_a_wrong_number_of_cells_is_reported() {
    let long = format!("A\n`{}\n", "a".repeat(MAX_LINE_BYTES));
    let table = [
        ("", BillError::NoColumns { line: 1 }),
        ("`1,`2\n", BillError::NoColumns { line: 1 }),
        ("A,A\n", BillError::ColumnTwice { line: 1 }),
        (
            "A,B\n`1\n",
            BillError::CellCount {
                line: 2,
                expected: 2,
                got: 1,
            },
        ),
        (
            "A,B\n`1,2\n",
            BillError::CellCount {
                line: 2,
                expected: 2,
                got: 1,
            },
        ),
        (
            "A\n`1,`2\n",
            BillError::CellCount {
                line: 2,
                expected: 1,
                got: 2,
            },
        ),
        ("A\n`1\n", BillError::NoSummary),
        (
            "A\n`1\n数\n",
            BillError::CellCount {
                line: 4,
                expected: 1,
                got: 0,
            },
        ),
        ("A\n`1\n数\n`1\n`1\n", BillError::AfterSummary { line: 5 }),
        (
            "<html>\n</html>\n",
            BillError::CellCount {
                line: 3,
                expected: 1,
                got: 0,
            },
        ),
        (&long, BillError::LineTooLong { line: 2 }),
    ];
    for (text, expected) in table {
        let shown: String = text.chars().take(40).collect();
        assert_eq!(read(text), Err(expected), "{shown}");
    }
    let file = b"A\n`\xff\n";
    assert_eq!(
        read_bill(file, Packing::Plain, &ticket(file)),
        Err(BillError::NotUtf8 { line: 2 })
    );
}

#[test]
fn an_invalid_amount_is_reported_with_line_and_column() {
    let bill = read(&ALL.replace("`69.10,`0.00,`0,", "`69.105,`0.00,`0,")).unwrap();
    assert_eq!(
        TradeBillRow::read(&bill.rows[0]),
        Err(BillError::Amount {
            line: 2,
            column: "应结订单金额",
            error: YuanTextError::TooPrecise { max: 2, got: 3 },
        })
    );
    let bill = read(&ALL.replace("`2.0,", "`2.5,")).unwrap();
    assert_eq!(
        TradeBillSummary::read(&bill.summary),
        Err(BillError::Count {
            line: 5,
            column: "总交易单数"
        })
    );
}

/// The columns from before 2018, from WeChat's documents of that time.
const OLD: &str = "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,代金券或立减优惠金额,微信退款单号,商户退款单号,退款金额,代金券或立减优惠退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率\n\
`2017-11-10 16:33:45,`wx2421b1c4370ec43b,`10000100,`0,`1000,`1001690740201411100005734289,`1415640626,`085e9858e,`MICROPAY,`SUCCESS,`CFT,`CNY,`0.01,`0.0,`0,`0,`0,`0,`,`,`被扫支付测试,`订单额外描述,`0,`0.60%\n\
`2017-11-10 16:46:14,`wx2421b1c4370ec43b,`10000100,`10000200,`1000,`1002780740201411100005729794,`1415635270,`085e9858e,`JSAPI,`REFUND,`CFT,`CNY,`0.00,`0.0,`50000,`R1,`0.02,`0.01,`ORIGINAL,`SUCCESS,`茶,`,`0,`0.60%\n\
总交易单数,总交易额,总退款金额,总代金券或立减优惠退款金额,手续费总金额\n\
`2,`0.01,`0.02,`0.01,`0\n";

#[test]
fn the_columns_of_before_2018_are_read() {
    let fen = |fen| Fen::new(fen).unwrap();
    let older = OLD
        .replace("代金券或立减优惠金额", "企业红包金额")
        .replace("代金券或立减优惠退款金额", "企业红包退款金额");
    // Columns that were added in between, and the new names of some.
    let between = OLD.replace("总金额,代金券", "应结订单金额,代金券");
    for text in [OLD, &older, &between] {
        let bill = read(text).unwrap();
        let paid = TradeBillRow::read(&bill.rows[0]).unwrap();
        assert_eq!((paid.settlement_total, paid.total), (fen(1), None));
        let row = TradeBillRow::read(&bill.rows[1]).unwrap();
        assert_eq!(row.sub_mchid.as_deref(), Some("10000200"));
        let refund = row.refund.unwrap();
        assert_eq!((refund.refund, refund.coupon_refund), (fen(2), fen(1)));
        let summary = TradeBillSummary::read(&bill.summary).unwrap();
        assert_eq!((summary.count, summary.settlement_total), (2, fen(1)));
        assert_eq!(
            (summary.refund_total, summary.coupon_refund_total),
            (fen(2), fen(1))
        );
    }
}

#[test]
fn back_ticks_byte_order_marks_and_line_ends_make_no_difference() {
    let plain = read(ALL).unwrap();
    let ticked = |text: &str| {
        let with_ticks = |line: &str| format!("`{}", line.replace(',', ",`"));
        let lines = text.split("\r\n").map(|line| match line {
            line if line.starts_with('总') => with_ticks(line),
            line => match line.strip_prefix('\u{feff}') {
                Some(line) => format!("\u{feff}{}", with_ticks(line)),
                None => line.to_owned(),
            },
        });
        lines.collect::<Vec<_>>().join("\r\n")
    };
    let variants = [
        ticked(ALL),
        ALL.replace("\r\n", "\n"),
        ALL.trim_start_matches('\u{feff}').to_owned(),
        ALL.trim_end().to_owned(),
        format!("{ALL}\r\n\r\n"),
        ALL.replace("总交易单数", " 总交易单数 "),
    ];
    for text in variants {
        let bill = read(&text).unwrap();
        for (found, expected) in bill.rows.iter().zip(&plain.rows) {
            assert_eq!(TradeBillRow::read(found), TradeBillRow::read(expected));
        }
        let summary = TradeBillSummary::read(&bill.summary);
        assert_eq!(summary, TradeBillSummary::read(&plain.summary));
    }
}

#[test]
fn an_unreadable_line_does_not_hide_the_others() {
    let bad = ALL.split("\r\n").nth(1).unwrap();
    let long = format!("{bad}{}", "x".repeat(MAX_LINE_BYTES));
    let table: [(Vec<u8>, BillError); 6] = [
        (
            format!("{bad},`more").into_bytes(),
            BillError::CellCount {
                line: 2,
                expected: 27,
                got: 28,
            },
        ),
        (
            bad.replace(",`till-7", "").into_bytes(),
            BillError::CellCount {
                line: 2,
                expected: 27,
                got: 26,
            },
        ),
        (
            bad.replace('`', "").into_bytes(),
            BillError::CellCount {
                line: 2,
                expected: 27,
                got: 0,
            },
        ),
        (
            [bad.as_bytes(), b"\xff"].concat(),
            BillError::NotUtf8 { line: 2 },
        ),
        (long.into_bytes(), BillError::LineTooLong { line: 2 }),
        (
            bad.replace("`69.10,`0.00,`0,", "`-,`0.00,`0,").into_bytes(),
            BillError::Amount {
                line: 2,
                column: "应结订单金额",
                error: YuanTextError::Negative,
            },
        ),
    ];
    for (line, expected) in table {
        let mut lines: Vec<&[u8]> = ALL.split("\r\n").map(str::as_bytes).collect();
        lines[1] = &line;
        let file = lines.join(&b"\r\n"[..]);
        let mut reader = BillReader::new(Packing::Plain, &ticket(&file)).unwrap();
        let mut rows = Vec::new();
        for piece in file.chunks(1000) {
            rows.extend(reader.push(piece).unwrap());
        }
        let (rest, summary) = reader.finish().unwrap();
        rows.extend(rest);
        assert_eq!(TradeBillRow::read(&rows[0]), Err(expected.clone()));
        assert!(TradeBillRow::read(&rows[1]).is_ok(), "{expected}");
        assert!(TradeBillSummary::read(&summary).is_ok(), "{expected}");
        if !line.starts_with(b"`2026-01-02 05:01:46,`wx8888888888888888,`1900000001,`0,`4200") {
            let number = rows[0].get("商户订单号");
            assert_eq!(number, Some("T20260102-1"), "{expected}");
        }
    }
}

#[test]
fn an_unreadable_fee_hides_no_payment() {
    let bill = read(&ALL.replace("`0.41460,", "`--,").replace("`0.41286,", "`,")).unwrap();
    assert_eq!(
        TradeBillRow::read(&bill.rows[0]).unwrap().fee_milli_fen,
        None
    );
    let summary = TradeBillSummary::read(&bill.summary).unwrap();
    assert_eq!(summary.fee_milli_fen, None);
}

#[test]
fn a_bill_without_a_summary_has_its_rows() {
    let cut = ALL.split("总交易单数").next().unwrap();
    let mut reader = BillReader::new(Packing::Plain, &ticket(cut.as_bytes())).unwrap();
    assert_eq!(reader.push(cut.as_bytes()).unwrap().len(), 2);
    let (_, summary) = reader.finish().unwrap();
    assert_eq!(TradeBillSummary::read(&summary), Err(BillError::NoSummary));
}

proptest! {
    #[test]
    fn the_chunks_of_a_file_make_no_difference(
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        packed in any::<bool>(),
    ) {
        let (file, packing) = if packed {
            (gzip(ALL.as_bytes()), Packing::Gzip)
        } else {
            (ALL.as_bytes().to_vec(), Packing::Plain)
        };
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(file.len())).collect();
        cuts.extend([0, file.len()]);
        cuts.sort_unstable();
        let mut reader = BillReader::new(packing, &ticket(ALL.as_bytes())).unwrap();
        let mut rows = Vec::new();
        for piece in cuts.windows(2) {
            rows.extend(reader.push(&file[piece[0]..piece[1]]).unwrap());
        }
        let (rest, summary) = reader.finish().unwrap();
        rows.extend(rest);
        prop_assert_eq!(Bill { rows, summary }, read(ALL).unwrap());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for packing in [Packing::Plain, Packing::Gzip] {
            let _ = read_bill(&bytes, packing, &ticket(&bytes));
        }
    }
}
