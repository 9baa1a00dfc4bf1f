//! A bill of any length is read in the same memory: a day of a large merchant has a million lines.
//!
//! The number of lines is small, so that the suite is fast;
//! `BILL_LINES=1000000 cargo test --release -p wechat-pay --test bill_memory` runs more.
#![cfg(target_os = "linux")]

use std::fs;

use wechat_pay::bill::{BillReader, Packing, TradeBillRow, TradeBillSummary};

const HEAD: &str =
    "交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,总金额,现金券金额\r\n";
const ROWS_IN_A_PIECE: u64 = 1_000;
/// What the process may grow by while it reads, in KiB. The bill of the small run has 11 MB.
const MOST_GROWTH_KIB: u64 = 4_096;

#[test]
fn a_bill_of_any_length_is_read_in_the_same_memory() {
    let lines: u64 = std::env::var("BILL_LINES").map_or(100_000, |text| {
        text.parse().expect("BILL_LINES is a number of lines")
    });
    let mut reader = BillReader::without_hash(Packing::Plain);
    assert!(reader.push(HEAD.as_bytes()).unwrap().is_empty());
    let mut total_fen = 0;
    let mut count = 0;
    // The first pieces fill the allocator's own caches.
    let mut before_kib = None;
    for first in (0..lines).step_by(1_000) {
        if first == 10 * ROWS_IN_A_PIECE {
            before_kib = Some(largest_kib());
        }
        let piece: String = (first..first + ROWS_IN_A_PIECE).map(row).collect();
        for row in reader.push(piece.as_bytes()).unwrap() {
            count += 1;
            assert_eq!(row.line(), count + 1);
            total_fen += TradeBillRow::read(&row).unwrap().settlement_total.get();
        }
    }
    let grown_kib = largest_kib() - before_kib.expect("more than ten pieces");
    assert!(grown_kib < MOST_GROWTH_KIB, "grew by {grown_kib} KiB");
    let end = format!("总交易单数,总交易额,总退款金额\r\n`{lines},`{lines}.00,`0.00\r\n");
    assert!(reader.push(end.as_bytes()).unwrap().is_empty());
    let (rest, summary) = reader.finish().unwrap();
    let summary = TradeBillSummary::read(&summary).unwrap();
    assert_eq!((count, rest.len()), (lines, 0));
    assert_eq!(
        (summary.count, summary.settlement_total.get()),
        (lines, total_fen)
    );
}

fn row(number: u64) -> String {
    format!(
        "`2014-11-10 16:33:45,`wx2421b1c4370ec43b,`10000100,`42{number:026},`T{number:09},\
         `SUCCESS,`1.00,`0.00\r\n"
    )
}

/// The largest memory that this process has used, in KiB.
fn largest_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("Linux counts it");
    let digits = line.trim().trim_end_matches(" kB");
    digits.parse().expect("a number of KiB")
}
