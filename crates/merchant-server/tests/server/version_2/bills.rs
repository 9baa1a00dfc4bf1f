//! The day's bill of a merchant that has only version 2: the file itself, without a hash.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Response, StatusCode};
use serde_json::json;

use super::{NATIVE, deliver_all};
use crate::bills::{DAY, HOUR_MS, bill, refunded, the_next_morning, ticked, with_older_names};
use crate::fault_injector::Fault;
use crate::test_server::TestServer;

async fn open() -> TestServer {
    super::only::open().await
}

async fn paid(server: &TestServer, order_no: &str, total_fen: u64) {
    let order = json!({"order_no": order_no, "total_fen": total_fen, "description": "tea"});
    let token = server.order(order).await;
    server.attempt(&token, &[NATIVE]).await;
    server.pay(order_no).await;
}

#[tokio::test]
async fn a_day_agrees_and_what_differs_is_named() {
    let server = open().await;
    paid(&server, "tea-0001", 1990).await;
    deliver_all(&server).await;
    refunded(&server, "tea-0001", "back-1", 333).await;
    server.later(HOUR_MS).await;
    paid(&server, "tea-0002", 5).await;
    server.take_notifications();
    the_next_morning(&server);
    let answer = bill(&server, DAY).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    assert_eq!(
        answer.json["payments"],
        json!({"count": 2, "total_fen": 1995})
    );
    assert_eq!(
        answer.json["refunds"],
        json!({"count": 1, "total_fen": 333})
    );
    let differences = answer.json["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert_eq!(differences[0]["out_trade_no"], "tea-0002");
    let sent = server.wechat.take_sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].path, "/pay/downloadbill");
    let file = bill(&server, &format!("{DAY}/file")).await;
    assert_eq!(file.status, StatusCode::OK);
    assert!(file.text().contains("tea-0001"), "{}", file.text());
}

#[tokio::test]
async fn a_day_without_payments_has_no_bill_and_a_bill_in_the_making_has_a_time() {
    let server = open().await;
    the_next_morning(&server);
    let empty = bill(&server, DAY).await;
    assert_eq!(empty.status, StatusCode::OK, "{}", empty.json);
    assert_eq!(empty.json["payments"]["count"], 0);
    paid(&server, "tea-0001", 1990).await;
    deliver_all(&server).await;
    // Two o'clock in the night after: WeChat makes the bill from nine on.
    server.clock.advance_ms(16 * HOUR_MS);
    let making = bill(&server, "2026-11-22").await;
    assert_eq!(making.code(), "WECHAT_UNAVAILABLE", "{}", making.json);
    assert_eq!(making.json["error"]["retry_after_ms"], 1_800_000);
    assert_eq!(making.json["error"]["wechat_code"], "20002");
}

#[tokio::test]
async fn a_file_that_is_cut_off_is_not_compared() {
    let server = open().await;
    paid(&server, "tea-0001", 1990).await;
    deliver_all(&server).await;
    the_next_morning(&server);
    let cut = Fault::Changed(Box::new(|answer| {
        let body = answer.body().clone();
        *answer.body_mut() = body.slice(..body.len() / 2);
    }));
    server.wechat.inject("bill", cut);
    let refused = bill(&server, DAY).await;
    assert_ne!(refused.status, StatusCode::OK, "{}", refused.json);
    let page = Fault::Answered(200, "<html>captive portal</html>");
    server.wechat.inject("bill", page);
    let refused = bill(&server, DAY).await;
    assert_eq!(refused.code(), "WECHAT_UNAVAILABLE", "{}", refused.json);
    assert_eq!(bill(&server, DAY).await.status, StatusCode::OK);
}

/// The next bill is this text, packed if WeChat packs it.
fn next_bill(server: &TestServer, text: String, is_packed: bool) {
    let change = move |answer: &mut Response<Bytes>| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        let packed = gzip.finish().unwrap();
        let plain = text.clone().into_bytes();
        *answer.body_mut() = if is_packed { packed } else { plain }.into();
    };
    server
        .wechat
        .inject("bill", Fault::Changed(Box::new(change)));
}

/// A day with two payments and a refund that both sides know, and its bill.
async fn a_days_bill() -> (TestServer, String) {
    let server = open().await;
    for (order_no, total_fen) in [("tea-0001", 1990), ("tea-0002", 5)] {
        paid(&server, order_no, total_fen).await;
        deliver_all(&server).await;
    }
    refunded(&server, "tea-0001", "back-1", 333).await;
    server.later(HOUR_MS).await;
    the_next_morning(&server);
    let text = bill(&server, &format!("{DAY}/file")).await.text();
    (server, text)
}

#[tokio::test]
async fn a_bill_of_each_age_and_packing_is_compared() {
    let (server, text) = a_days_bill().await;
    let older = with_older_names(&text);
    for text in [text.clone(), older.clone(), ticked(&text), ticked(&older)] {
        for is_packed in [true, false] {
            next_bill(&server, text.clone(), is_packed);
            let answer = bill(&server, DAY).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
            assert_eq!(answer.json["differences"], json!([]), "{text}");
            let payments = json!({"count": 2, "total_fen": 1995});
            assert_eq!(answer.json["payments"], payments);
        }
    }
}

#[tokio::test]
async fn an_odd_line_is_named_and_a_bill_that_cannot_be_read_is_a_permanent_error() {
    let (server, text) = a_days_bill().await;
    let mut lines = text.lines();
    let odd = lines.position(|line| line.contains("`tea-0002,")).unwrap() + 1;
    next_bill(&server, text.replacen("`0.05", "`0.0x", 1), true);
    let answer = bill(&server, DAY).await;
    let differences = answer.json["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert_eq!(differences[0]["kind"], "line_unreadable");
    assert_eq!(differences[0]["out_trade_no"], "tea-0002");
    let there = differences[0]["there"].as_str().unwrap();
    assert!(there.starts_with(&format!("line {odd} of")), "{there}");

    for (text, is_packed) in [
        (String::new(), true),
        ("no bill at all".to_owned(), true),
        ("`1,`2\r\n".to_owned(), false),
        (text.replacen("商户订单号", "另一个名字", 1), true),
    ] {
        next_bill(&server, text, is_packed);
        let answer = bill(&server, DAY).await;
        assert_eq!(answer.code(), "BILL_UNREADABLE", "{}", answer.json);
        assert_eq!(answer.json["error"]["retryable"], false);
        assert!(answer.headers.get("retry-after").is_none());
    }
}

#[tokio::test]
async fn the_flow_of_funds_needs_version_3() {
    let server = open().await;
    the_next_morning(&server);
    let refused = bill(&server, &format!("{DAY}/file?fund_flow=basic")).await;
    assert_eq!(refused.code(), "WECHAT_REFUSED", "{}", refused.json);
    let message = refused.json["error"]["message"].as_str().unwrap();
    assert!(message.contains("version 3"), "{message}");
}
