//! A day's bill compared with the ledger: what agrees, what differs, and which files are not
//! trusted.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Response, StatusCode};
use merchant_server::Clock as _;
use serde_json::{Value, json};

use crate::fault_injector::Fault;
use crate::test_server::{
    API_KEY, Answer, START_MS, TestServer, backend, payment_notification, transaction,
};

pub(crate) const DAY: &str = "2026-11-21";
pub(crate) const HOUR_MS: u64 = 3_600_000;

pub(crate) async fn bill(server: &TestServer, path: &str) -> Answer {
    server.read_private(&format!("/v1/bills/{path}")).await
}

/// A buyer has paid at WeChat; the notification is not delivered.
async fn paid(server: &TestServer, order_no: &str, total_fen: u64) {
    let order = json!({ "order_no": order_no, "total_fen": total_fen, "description": "tea" });
    let token = server.order(order).await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay(order_no).await;
}

pub(crate) async fn notified(server: &TestServer, order_no: &str, total_fen: u64) {
    paid(server, order_no, total_fen).await;
    for notification in server.take_notifications() {
        assert_eq!(
            server.deliver(&notification).await.status,
            StatusCode::NO_CONTENT
        );
    }
}

/// The shop refunds an amount, and WeChat has accepted the refund.
pub(crate) async fn refunded(
    server: &TestServer,
    order_no: &str,
    refund_no: &str,
    amount_fen: u64,
) {
    let body = json!({ "refund_no": refund_no, "amount_fen": amount_fen });
    let path = format!("/v1/orders/{order_no}/refunds");
    let asked = server.send(backend(&path, API_KEY, body.to_string())).await;
    assert!(asked.status.is_success(), "{}", asked.json);
    assert_eq!(asked.string("state"), "processing");
}

/// From 17:20 in Shanghai to half past ten the next morning.
pub(crate) fn the_next_morning(server: &TestServer) {
    server.clock.advance_ms(17 * HOUR_MS + HOUR_MS / 6);
    server.wechat.take_sent();
}

#[tokio::test]
async fn a_day_whose_payments_all_came_in_agrees_with_wechats_bill() {
    let server = TestServer::open().await;
    notified(&server, "tea-0001", 1990).await;
    // The notification of this payment was lost, so the server queried WeChat.
    paid(&server, "tea-0002", 5).await;
    server.take_notifications();
    server.later(5_000).await;
    the_next_morning(&server);
    let answer = bill(&server, DAY).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    assert_eq!(
        answer.json,
        json!({
            "day": DAY, "live": false,
            "payments": { "count": 2, "total_fen": 1995 },
            "refunds": { "count": 0, "total_fen": 0 },
            "differences": [],
        })
    );
    assert_eq!(server.wechat.take_kinds(), ["bill", "bill_file"]);
}

#[tokio::test]
async fn a_refund_that_both_sides_know_agrees_to_the_fen() {
    let server = TestServer::open().await;
    notified(&server, "tea-0001", 1990).await;
    refunded(&server, "tea-0001", "back-1", 333).await;
    server.later(HOUR_MS).await;
    the_next_morning(&server);
    let answer = bill(&server, DAY).await;
    assert_eq!(answer.json["differences"], json!([]), "{}", answer.json);
    assert_eq!(
        answer.json["refunds"],
        json!({ "count": 1, "total_fen": 333 })
    );
}

#[tokio::test]
async fn what_only_one_side_has_is_reported_with_its_number_and_amount() {
    let server = TestServer::open().await;
    // The order is paid at WeChat, and the notification is lost.
    paid(&server, "tea-0001", 1990).await;
    server.take_notifications();
    // A notification with WeChat's signature, for a payment that WeChat's ledger does not have.
    let order = json!({ "order_no": "tea-0002", "total_fen": 7, "description": "tea" });
    let token = server.order(order).await;
    server.attempt(&token, &[("product", "native")]).await;
    let notification = payment_notification("N1", &transaction("tea-0002", 7), START_MS);
    assert_eq!(
        server.deliver(&notification).await.status,
        StatusCode::NO_CONTENT
    );
    // Refunded in WeChat's portal, and the notification is lost.
    notified(&server, "tea-0003", 100).await;
    let merchant = crate::test_server::merchant();
    let refund = json!({ "mchid": merchant["mchid"], "out_trade_no": "tea-0003", "refund": 40 });
    server.control("POST", "refund", &refund.to_string()).await;

    the_next_morning(&server);
    let answer = bill(&server, DAY).await;
    assert_eq!(
        answer.json["payments"],
        json!({ "count": 2, "total_fen": 2090 })
    );
    assert_eq!(
        answer.json["refunds"],
        json!({ "count": 1, "total_fen": 40 })
    );
    let mut differences = answer.json["differences"].as_array().unwrap().clone();
    for difference in &mut differences {
        // WeChat's portal chooses the refund's number.
        difference.as_object_mut().unwrap().remove("out_refund_no");
    }
    differences.sort_by_key(|difference| difference["out_trade_no"].to_string());
    assert_eq!(
        differences,
        [
            json!({ "kind": "payment_missing_here", "out_trade_no": "tea-0001", "here": "open", "there": "1990" }),
            json!({ "kind": "payment_missing_there", "out_trade_no": "tea-0002", "here": "7" }),
            json!({ "kind": "refund_missing_here", "out_trade_no": "tea-0003", "there": "40" }),
        ]
    );
}

#[tokio::test]
async fn a_day_without_business_has_no_bill_and_agrees() {
    let server = TestServer::open().await;
    the_next_morning(&server);
    let answer = bill(&server, DAY).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    assert_eq!(answer.json["differences"], json!([]));
}

/// The next file that WeChat sends is changed before it arrives.
pub(crate) fn change_the_file(server: &TestServer) {
    server.wechat.inject(
        "bill_file",
        Fault::Changed(Box::new(|answer| {
            let mut file = answer.body().to_vec();
            *file.last_mut().unwrap() ^= 1;
            *answer.body_mut() = Bytes::from(file);
        })),
    );
}

#[tokio::test]
async fn a_file_with_a_wrong_hash_is_refused() {
    let server = TestServer::open().await;
    notified(&server, "tea-0001", 1990).await;
    the_next_morning(&server);
    for path in [DAY, &format!("{DAY}/file")] {
        change_the_file(&server);
        let answer = bill(&server, path).await;
        assert_eq!(answer.code(), "WECHAT_UNAVAILABLE", "{}", answer.json);
        assert!(
            answer.text().contains("is not complete gzip"),
            "{}",
            answer.text()
        );

        // A complete file, but not the requested one.
        let other = another_file(&server).await;
        server.wechat.inject(
            "bill_file",
            Fault::Changed(Box::new(move |answer| *answer.body_mut() = other.clone())),
        );
        let answer = bill(&server, path).await;
        assert_eq!(answer.code(), "WECHAT_UNAVAILABLE", "{}", answer.json);
        let says = "does not have the hash that WeChat announced";
        assert!(answer.text().contains(says), "{}", answer.text());

        assert_eq!(bill(&server, path).await.status, StatusCode::OK);
    }
}

/// The fund flow of the same day, as WeChat sends it.
async fn another_file(server: &TestServer) -> Bytes {
    let seen = Arc::<Mutex<Bytes>>::default();
    let kept = seen.clone();
    let look = move |answer: &mut Response<Bytes>| *kept.lock().unwrap() = answer.body().clone();
    server
        .wechat
        .inject("bill_file", Fault::Changed(Box::new(look)));
    let flow = bill(server, &format!("{DAY}/file?fund_flow=basic")).await;
    assert_eq!(flow.status, StatusCode::OK, "{}", flow.json);
    let seen = seen.lock().unwrap();
    seen.clone()
}

/// The next bill is this text, with a hash that WeChat signed.
fn next_bill(server: &TestServer, text: impl Into<String>) {
    let text = text.into().into_bytes();
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &text);
    let hash = hash.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let now_ms = server.clock.now_ms();
    let signed_hash = move |answer: &mut Response<Bytes>| {
        let mut ticket: Value = serde_json::from_slice(answer.body()).unwrap();
        ticket["hash_value"] = hash.clone().into();
        let signed = crate::test_server::sign(ticket.to_string(), now_ms);
        *answer.headers_mut() = signed.headers;
        *answer.body_mut() = signed.body;
    };
    let line = &server.wechat;
    line.inject("bill", Fault::Changed(Box::new(signed_hash)));
    let packed = move |answer: &mut Response<Bytes>| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&text).unwrap();
        *answer.body_mut() = gzip.finish().unwrap().into();
    };
    line.inject("bill_file", Fault::Changed(Box::new(packed)));
}

/// A day with two payments and a refund that both sides know, and its bill.
async fn a_days_bill() -> (TestServer, String) {
    let server = TestServer::open().await;
    notified(&server, "tea-0001", 1990).await;
    notified(&server, "tea-0002", 5).await;
    refunded(&server, "tea-0001", "back-1", 333).await;
    server.later(HOUR_MS).await;
    the_next_morning(&server);
    let text = bill(&server, &format!("{DAY}/file")).await.text();
    (server, text)
}

/// The names of today's columns, each with what stood there before 2018.
const OLDER_NAMES: [(&str, &str); 11] = [
    ("特约商户号", "子商户号"),
    ("应结订单总金额", "总交易额"),
    ("充值券退款总金额", "总代金券或立减优惠退款金额"),
    ("退款总金额", "总退款金额"),
    ("应结订单金额", "总金额"),
    ("代金券金额", "代金券或立减优惠金额"),
    ("充值券退款金额", "代金券或立减优惠退款金额"),
    // The columns that WeChat added in 2018.
    ("订单金额", "新列一"),
    ("申请退款金额", "新列二"),
    ("订单总金额", "新列三"),
    ("申请退款总金额", "新列四"),
];

/// What a comparison found, in short.
fn found(answer: &Answer) -> Vec<(String, String, String)> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    let word =
        |difference: &Value, name: &str| difference[name].as_str().unwrap_or_default().to_owned();
    let differences = answer.json["differences"].as_array().unwrap().iter();
    differences
        .map(|one| {
            (
                word(one, "kind"),
                word(one, "out_trade_no"),
                word(one, "there"),
            )
        })
        .collect()
}

#[tokio::test]
async fn an_unreadable_line_is_reported_and_all_others_are_compared() {
    let (server, text) = a_days_bill().await;
    let line_of = |part: &str| {
        let lines = text.lines();
        lines.clone().position(|line| line.contains(part)).unwrap() + 1
    };
    let payment = line_of("`tea-0002,");
    let sums = text.lines().count();
    let damaged = |at: usize, change: &dyn Fn(&str) -> String| {
        let lines = text.lines().enumerate();
        let lines: Vec<_> = lines
            .map(|(place, line)| {
                if place + 1 == at {
                    change(line)
                } else {
                    line.to_owned()
                }
            })
            .collect();
        lines.join("\n")
    };
    let cases = [
        (
            damaged(payment, &|line| line.replace("`0.05", "`0.0x")),
            "tea-0002",
            format!("line {payment} of the bill, 应结订单金额: an amount"),
        ),
        (
            damaged(payment, &|line| format!("{line},`more")),
            "tea-0002",
            format!("line {payment} of the bill has 28 cells and not 27"),
        ),
        (
            damaged(payment, &|line| line.replace('`', "")),
            "tea-0002",
            format!("line {payment} of the bill has 0 cells and not 27"),
        ),
        (
            damaged(sums, &|line| line.replacen("`3", "`three", 1)),
            "",
            format!("line {sums} of the bill, 总交易单数: not a count"),
        ),
        (
            text.lines().take(sums - 2).collect::<Vec<_>>().join("\n"),
            "",
            "the bill has no summary".to_owned(),
        ),
        (
            format!("{}\n`more,`lines", text.trim_end()),
            "",
            format!("line {} of the bill comes after its summary", sums + 1),
        ),
    ];
    for (text, number, says) in cases {
        next_bill(&server, text);
        let found = found(&bill(&server, DAY).await);
        assert_eq!(found.len(), 1, "{found:?}");
        let (kind, out_trade_no, there) = &found[0];
        assert_eq!(
            (&**kind, &**out_trade_no),
            ("line_unreadable", number),
            "{there}"
        );
        assert!(there.starts_with(&says), "{there}");
    }
}

#[tokio::test]
async fn an_unreadable_bill_is_a_permanent_error_with_its_own_code() {
    let (server, text) = a_days_bill().await;
    let cases = [
        (String::new(), "line 1 of the bill does not name columns"),
        (
            "`1,`2\n".to_owned(),
            "line 1 of the bill does not name columns",
        ),
        (
            text.replacen("商户号", "公众账号ID", 1),
            "line 1 of the bill names a column twice",
        ),
        (
            text.replacen("商户订单号", "另一个名字", 1),
            "the bill has no column 商户订单号",
        ),
    ];
    for (text, says) in cases {
        next_bill(&server, text);
        let answer = bill(&server, DAY).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
        assert_eq!(answer.code(), "BILL_UNREADABLE", "{}", answer.json);
        assert_eq!(answer.json["error"]["retryable"], false);
        assert_eq!(answer.json["error"]["message"], says);
        assert!(answer.headers.get("retry-after").is_none());
    }
    // A signed answer without a hash: another try gets the same answer.
    let now_ms = server.clock.now_ms();
    let no_hash = move |answer: &mut Response<Bytes>| {
        let signed = crate::test_server::sign(r#"{"download_url":"https://a/b"}"#, now_ms);
        *answer.headers_mut() = signed.headers;
        *answer.body_mut() = signed.body;
    };
    server
        .wechat
        .inject("bill", Fault::Changed(Box::new(no_hash)));
    let answer = bill(&server, DAY).await;
    assert_eq!(answer.code(), "BILL_UNREADABLE", "{}", answer.json);
    assert!(answer.text().contains("hash_value is missing"));
}

/// The bill with the columns of an older one.
pub(crate) fn with_older_names(text: &str) -> String {
    let newer = text.to_owned();
    OLDER_NAMES
        .iter()
        .fold(newer, |text, (new, old)| text.replace(new, old))
}

/// The bill with back-ticks before the columns' names too.
pub(crate) fn ticked(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| match line.trim_start_matches('\u{feff}') {
            line if line.starts_with('`') => format!("{line}\r\n"),
            names => format!("`{}\r\n", names.replace(',', ",`")),
        });
    lines.collect()
}

#[tokio::test]
async fn a_bill_with_older_columns_or_other_spelling_is_compared() {
    let (server, text) = a_days_bill().await;
    let older = with_older_names(&text);
    for text in [
        older.clone(),
        ticked(&text),
        ticked(&older),
        text.replace("\r\n", "\n"),
    ] {
        next_bill(&server, text);
        let answer = bill(&server, DAY).await;
        assert_eq!(found(&answer), [], "{}", answer.json);
        assert_eq!(
            answer.json["payments"],
            json!({ "count": 2, "total_fen": 1995 })
        );
    }
}

#[tokio::test]
async fn a_number_that_the_bill_names_twice_and_another_currency_are_differences() {
    let (server, text) = a_days_bill().await;
    let payment = text.lines().find(|line| line.contains("`tea-0002,"));
    let payment = format!("{}\r\n", payment.unwrap());
    let sums = text.lines().nth_back(1).unwrap();
    next_bill(&server, text.replacen(sums, &format!("{payment}{sums}"), 1));
    let repeated = found(&bill(&server, DAY).await);
    let kinds: Vec<_> = repeated
        .iter()
        .map(|(kind, number, _)| (&**kind, &**number))
        .collect();
    assert_eq!(kinds[0], ("payment_repeated", "tea-0002"), "{repeated:?}");
    // The last line counts it once.
    assert!(
        kinds[1..].iter().all(|(kind, _)| *kind == "summary"),
        "{repeated:?}"
    );

    let other = payment.replacen("`CNY", "`HKD", 1);
    next_bill(&server, text.replacen(&payment, &other, 1));
    let found = found(&bill(&server, DAY).await);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "bill_currency");
    assert_eq!(found[0].2, "HKD");
}

#[tokio::test]
async fn a_day_of_more_than_a_page_is_compared_to_its_last_entry() {
    const MANY: u32 = 1_103;
    let server = TestServer::open().await;
    notified(&server, "tea-0001", 1990).await;
    // Copies of this payment, which WeChat does not have.
    let pool = server.database().await;
    for copy in 2..=MANY {
        for statement in [
            "INSERT INTO orders (id, order_no, token, request, total_fen, description, products,
                created_ms, expires_ms, state, current_attempt)
             SELECT id + $1, order_no || $1, token || $1, request, total_fen, description, products,
                created_ms, expires_ms, state, current_attempt FROM orders WHERE order_no = 'tea-0001'",
            "INSERT INTO attempts (order_id, number, product, out_trade_no, appid, body, state,
                created_ms, return_handle, transaction_id, success_ms)
             SELECT order_id + $1, number, product, out_trade_no || $1, appid, body, state,
                created_ms, return_handle || $1, transaction_id, success_ms
             FROM attempts WHERE out_trade_no = 'tea-0001'",
        ] {
            let made = sqlx::query(statement).bind(i64::from(copy));
            made.execute(&pool).await.unwrap();
        }
    }
    the_next_morning(&server);
    let answer = bill(&server, DAY).await;
    let found = found(&answer);
    assert_eq!(found.len(), usize::try_from(MANY).unwrap() - 1);
    assert!(
        found
            .iter()
            .all(|(kind, ..)| kind == "payment_missing_there")
    );
    let numbers: std::collections::BTreeSet<_> =
        found.iter().map(|(_, number, _)| number).collect();
    assert_eq!(numbers.len(), found.len(), "each is named once");
    assert_eq!(
        answer.headers["content-length"],
        *answer.body.len().to_string()
    );
}

#[tokio::test]
async fn a_firewalls_page_does_not_count_as_a_refusal_by_wechat() {
    let (server, _) = a_days_bill().await;
    for status in [403, 404, 407] {
        let page = Fault::Answered(status, "<html>blocked</html>");
        server.wechat.inject("bill", page);
        let answer = bill(&server, DAY).await;
        assert_eq!(answer.code(), "WECHAT_UNAVAILABLE", "{}", answer.json);
        assert_eq!(answer.json["error"]["retryable"], true);

        let order =
            json!({ "order_no": format!("pot-{status}"), "total_fen": 5, "description": "t" });
        let token = server.order(order).await;
        let page = Fault::Answered(status, "<html>blocked</html>");
        server.wechat.inject("order", page);
        let refused = server.attempt(&token, &[("product", "native")]).await;
        assert_eq!(refused.code(), "ATTEMPT_IN_DOUBT", "{}", refused.json);
        let again = server.attempt(&token, &[("product", "native")]).await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.json);
    }
    // WeChat's own error code is final, signed or not.
    let said = Fault::Answered(403, r#"{"code":"NO_AUTH","message":"m"}"#);
    server.wechat.inject("bill", said);
    assert_eq!(bill(&server, DAY).await.code(), "WECHAT_REFUSED");
}

#[tokio::test]
async fn a_bills_file_is_returned_unchanged() {
    let server = TestServer::open().await;
    notified(&server, "tea-0001", 1990).await;
    server.later(0).await;
    the_next_morning(&server);
    for (query, name, holds) in [
        ("", "tradebill-2026-11-21.csv", "`tea-0001"),
        (
            "?fund_flow=basic",
            "fundflowbill-basic-2026-11-21.csv",
            "`19.90",
        ),
    ] {
        let file = bill(&server, &format!("{DAY}/file{query}")).await;
        assert_eq!(file.status, StatusCode::OK, "{}", file.json);
        assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
        let disposition = format!("attachment; filename=\"{name}\"");
        assert_eq!(file.headers["content-disposition"], *disposition);
        assert_eq!(file.headers["content-length"], *file.body.len().to_string());
        assert_eq!(file.headers["cache-control"], "no-store");
        let text = file.text();
        assert!(text.contains(holds), "{text}");
        // The last line of the bill itself, so the file is complete.
        assert_eq!(text.lines().last().unwrap().chars().next(), Some('`'));
    }
    let kinds = ["bill", "bill_file", "bill", "bill_file"];
    assert_eq!(server.wechat.take_kinds(), kinds);
    assert_eq!(
        server.inner.next_due_ms().await.unwrap(),
        None,
        "a file is only read"
    );
}

#[tokio::test]
async fn a_live_server_fetches_no_file_from_a_host_that_is_not_wechats() {
    let server = crate::security::live().await;
    paid(&server, "tea-0001", 1990).await;
    the_next_morning(&server);
    for path in [DAY, &format!("{DAY}/file")] {
        // The simulator signs its own address.
        let refused = bill(&server, path).await;
        assert_eq!(refused.code(), "BILL_UNREADABLE", "{}", refused.json);
        let message = "the bill's download_url is not at one of WeChat Pay's hosts";
        assert_eq!(refused.json["error"]["message"], message);
    }
    assert_eq!(server.wechat.take_kinds(), ["bill", "bill"]);
}

#[tokio::test]
async fn a_day_without_business_has_no_file() {
    let server = TestServer::open().await;
    the_next_morning(&server);
    let file = bill(&server, &format!("{DAY}/file")).await;
    assert_eq!(file.status, StatusCode::NO_CONTENT, "{}", file.json);
    assert_eq!(file.body.len(), 0);
}

#[tokio::test]
async fn a_bill_that_is_not_ready_and_an_invalid_day_are_refused_with_the_reason() {
    let server = TestServer::open().await;
    notified(&server, "tea-0001", 1990).await;
    let today = bill(&server, DAY).await;
    assert_eq!(today.code(), "WECHAT_REFUSED");
    assert_eq!(today.json["error"]["wechat_code"], "INVALID_REQUEST");
    server.clock.advance_ms(15 * HOUR_MS);
    for path in [DAY, &format!("{DAY}/file")] {
        let early = bill(&server, path).await;
        assert_eq!(early.code(), "WECHAT_UNAVAILABLE");
        assert_eq!(early.json["error"]["wechat_code"], "STATEMENT_CREATING");
        assert_eq!(early.json["error"]["retry_after_ms"], 1_800_000);
    }
    server.wechat.take_sent();
    for day in ["2026-11-31", "yesterday", "20261121", "2026-1-1"] {
        for path in [day, &format!("{day}/file")] {
            let answer = bill(&server, path).await;
            assert_eq!(answer.code(), "INVALID_REQUEST", "{path}");
            assert_eq!(answer.json["error"]["field"], "day");
        }
    }
    assert_eq!(server.wechat.take_sent(), []);
}

#[tokio::test]
async fn a_merchant_without_sub_merchants_has_no_sub_merchant_bill() {
    let server = TestServer::open().await;
    the_next_morning(&server);
    for (query, field, says) in [
        (
            "sub_mchid=1600000000",
            "sub_mchid",
            "is for service providers",
        ),
        ("sub_mchid=", "sub_mchid", "is for service providers"),
        (
            "sub_mchid=1&sub_mchid=1",
            "sub_mchid",
            "must not come twice",
        ),
        ("sub_mch_id=1", "sub_mch_id", "is not a parameter of a bill"),
        (
            "fund_flow=BASIC",
            "fund_flow",
            "must be basic, operation or fees",
        ),
    ] {
        for path in [format!("{DAY}?{query}"), format!("{DAY}/file?{query}")] {
            let refused = bill(&server, &path).await;
            assert_eq!(refused.code(), "INVALID_REQUEST", "{path}");
            assert_eq!(refused.json["error"]["field"], field, "{path}");
            assert!(refused.text().contains(says), "{path}: {}", refused.json);
        }
    }
    let compared = bill(&server, &format!("{DAY}?fund_flow=basic")).await;
    assert_eq!(compared.json["error"]["field"], "fund_flow");
    assert_eq!(server.wechat.take_sent(), []);
}
