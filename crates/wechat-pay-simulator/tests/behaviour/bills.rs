//! Bills of a day, exact to the fen.

use aws_lc_rs::digest;
use http::Method;
use serde_json::{Value, json};

use crate::harness::{Harness, file_of};

const TRADE: &str = "/v3/bill/tradebill?bill_date=2026-01-01";

/// Cells without their backticks, by row.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let plain = csv.strip_prefix('\u{feff}').unwrap();
    plain
        .lines()
        .map(|row| {
            row.split(',')
                .map(|cell| cell.trim_start_matches('`').to_owned())
                .collect()
        })
        .collect()
}

fn fen(yuan: &str) -> i64 {
    let (whole, cents) = yuan.split_once('.').unwrap();
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    whole.parse::<i64>().unwrap() * 100 + sign * cents.parse::<i64>().unwrap()
}

async fn refund(harness: &Harness, order: &str, number: &str, fen: i64) {
    let body = json!({
        "out_trade_no": order, "out_refund_no": number,
        "amount": { "refund": fen, "total": 1990, "currency": "CNY" },
    });
    let (status, _, answer) = harness
        .call(
            Method::POST,
            "/v3/refund/domestic/refunds",
            &body.to_string(),
        )
        .await;
    assert_eq!(status, 200, "{answer}");
}

async fn day_of_business() -> Harness {
    let harness = Harness::with_settings(&["bills_at_once=true"]);
    for number in ["T00001", "T00002", "T00003"] {
        harness.pay_native(number).await;
    }
    harness.native("T00004").await;
    refund(&harness, "T00001", "R1", 333).await;
    refund(&harness, "T00002", "R2", 1990).await;
    harness.advance(61);
    refund(&harness, "T00001", "R3", 1657).await;
    harness
}

async fn asked(harness: &Harness, path: &str) -> Value {
    let (status, code, answer) = harness.call(Method::GET, path, "").await;
    assert_eq!(status, 200, "{path} {code} {answer}");
    answer
}

#[tokio::test]
async fn the_trade_bill_agrees_with_the_ledger_to_the_fen() {
    let harness = day_of_business().await;
    let answer = asked(&harness, TRADE).await;
    let csv = file_of(&harness, &answer).await;
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &csv);
    let hex: String = hash
        .as_ref()
        .iter()
        .flat_map(|b| format!("{b:02x}").into_bytes())
        .map(char::from)
        .collect();
    assert_eq!(
        (&answer["hash_type"], &answer["hash_value"]),
        (&json!("SHA1"), &json!(hex))
    );
    let csv = String::from_utf8(csv).unwrap();
    let rows = rows(&csv);
    let column = |name: &str| rows[0].iter().position(|cell| cell == name).unwrap();
    let data = &rows[1..rows.len() - 2];
    assert_eq!((rows[0].len(), data.len()), (27, 6));
    let sum = |name: &str| data.iter().map(|row| fen(&row[column(name)])).sum::<i64>();
    let view = harness.simulator.ledger_view(None);
    let paid: i64 = view
        .orders
        .iter()
        .filter_map(|o| o.payer_total)
        .map(wechat_pay::Fen::get)
        .sum();
    let refunded: i64 = view.orders.iter().map(|o| o.refunded.get()).sum();
    assert_eq!((sum("订单金额"), sum("退款金额")), (paid, refunded));
    // Two of three orders were refunded whole with their fees: 0.60 % of 19.90 is 12 fen.
    assert_eq!(sum("手续费"), 12);
    let sums = &rows[rows.len() - 1];
    assert_eq!(
        (
            sums[0].as_str(),
            fen(&sums[1]),
            fen(&sums[2]),
            fen(&sums[4])
        ),
        ("6", paid, refunded, 12)
    );
}

#[tokio::test]
async fn each_kind_of_trade_bill_has_its_own_rows_and_columns() {
    let harness = day_of_business().await;
    for (kind, count, has, lacks) in [
        ("SUCCESS", 3, "订单金额", "退款金额"),
        ("REFUND", 3, "退款成功时间", "结算"),
    ] {
        let answer = asked(&harness, &format!("{TRADE}&bill_type={kind}")).await;
        let csv = String::from_utf8(file_of(&harness, &answer).await).unwrap();
        let rows = rows(&csv);
        assert_eq!(rows.len() - 3, count, "{kind}");
        assert!(rows[0].iter().any(|cell| cell == has), "{kind}");
        assert!(rows[0].iter().all(|cell| cell != lacks), "{kind}");
        assert!(
            rows[1..rows.len() - 2]
                .iter()
                .all(|row| row.len() == rows[0].len())
        );
    }
}

#[tokio::test]
async fn the_flow_of_funds_ends_with_what_the_merchant_has() {
    let harness = day_of_business().await;
    let path = "/v3/bill/fundflowbill?bill_date=2026-01-01";
    let answer = asked(&harness, path).await;
    let csv = String::from_utf8(file_of(&harness, &answer).await).unwrap();
    let rows = rows(&csv);
    let data = &rows[1..rows.len() - 2];
    // Three payments with three fees, and three refunds.
    assert_eq!(data.len(), 9);
    assert_eq!(
        fen(&data[8][7]),
        1990 - 12,
        "one payment is left, and its fee is gone"
    );
    let sums = &rows[rows.len() - 1];
    assert_eq!(fen(&sums[2]) - fen(&sums[4]), 1990 - 12);
    let (status, code, _) = harness
        .call(Method::GET, &format!("{path}&account_type=FEES"), "")
        .await;
    assert_eq!((status, code.as_str()), (400, "NO_STATEMENT_EXIST"));
}

#[tokio::test]
async fn a_packed_bill_is_the_same_bill() {
    let harness = day_of_business().await;
    let plain = asked(&harness, TRADE).await;
    let packed = asked(&harness, &format!("{TRADE}&tar_type=GZIP")).await;
    assert_eq!(plain["hash_value"], packed["hash_value"]);
    let bytes = file_of(&harness, &packed).await;
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut unpacked)
        .unwrap();
    assert_eq!(unpacked, file_of(&harness, &plain).await);
}

#[tokio::test]
async fn bills_are_ready_at_ten_on_the_next_day_and_their_links_expire_after_minutes() {
    let harness = Harness::new();
    harness.pay_native("T00001").await;
    let code = async || harness.call(Method::GET, TRADE, "").await.1;
    assert_eq!(code().await, "INVALID_REQUEST", "today");
    harness.advance(21 * 3600);
    assert_eq!(code().await, "STATEMENT_CREATING", "nine in the morning");
    harness.advance(3600);
    let answer = asked(&harness, TRADE).await;
    let url = answer["download_url"].as_str().unwrap();
    let path = url.strip_prefix(crate::harness::BASE_URL).unwrap();
    assert!(path.starts_with("/v3/billdownload/file?token="), "{path}");
    harness.advance(299);
    file_of(&harness, &answer).await;
    harness.advance(1);
    assert_eq!(
        harness.call(Method::GET, path, "").await.1,
        "INVALID_REQUEST"
    );
    harness.advance(100 * 24 * 3600);
    assert_eq!(code().await, "INVALID_REQUEST", "too old");
}

#[tokio::test]
async fn invalid_requests_for_bills_are_refused() {
    let harness = Harness::with_settings(&["bills_at_once=true"]);
    for (path, expected) in [
        ("/v3/bill/tradebill", "PARAM_ERROR"),
        ("/v3/bill/tradebill?bill_date=20260101", "PARAM_ERROR"),
        ("/v3/bill/tradebill?bill_date=2026-13-01", "PARAM_ERROR"),
        (
            "/v3/bill/tradebill?bill_date=2026-01-01&bill_type=SOME",
            "PARAM_ERROR",
        ),
        (
            "/v3/bill/tradebill?bill_date=2026-01-01&tar_type=ZIP",
            "PARAM_ERROR",
        ),
        (
            "/v3/bill/fundflowbill?bill_date=2026-01-01&account_type=X",
            "PARAM_ERROR",
        ),
        (
            "/v3/bill/tradebill?bill_date=2026-01-01",
            "NO_STATEMENT_EXIST",
        ),
        ("/v3/billdownload/file?token=nobodys", "PARAM_ERROR"),
    ] {
        let (status, code, _) = harness.call(Method::GET, path, "").await;
        assert_eq!((status, code.as_str()), (400, expected), "{path}");
    }
}
