//! Orders found by WeChat's numbers, and orders, payments and refunds exported as CSV.

use http::StatusCode;
use serde_json::json;

use crate::test_server::{API_KEY, TestServer, backend, sub_merchant, sub_merchant_table};

const DAY: &str = "from=2026-11-21T00:00:00%2B08:00&to=2026-11-22T00:00:00%2B08:00";

async fn buy(server: &TestServer, order_no: &str) {
    let order = json!({"order_no": order_no, "total_fen": 1990, "description": "tea"});
    let token = server.order(order).await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay(order_no).await;
    for notification in server.take_notifications() {
        server.deliver(&notification).await;
    }
}

/// The numbers of the orders that a query lists.
async fn listed(server: &TestServer, query: &str) -> Vec<String> {
    let list = server.read_private(&format!("/v1/orders?{query}")).await;
    assert_eq!(list.status, StatusCode::OK, "{query}: {}", list.json);
    let orders = list.json["orders"].as_array().unwrap().iter();
    orders
        .map(|order| order["order_no"].as_str().unwrap().to_owned())
        .collect()
}

/// The lines of an export, without the heading.
async fn lines(server: &TestServer, path: &str) -> Vec<String> {
    let answer = server.read_private(&format!("/v1/exports/{path}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    let text = answer.text();
    let text = text.strip_prefix('\u{feff}').unwrap();
    assert!(text.ends_with("\r\n"));
    text.trim_end_matches("\r\n")
        .split("\r\n")
        .skip(1)
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn an_order_is_found_by_the_number_of_its_payment_and_of_any_attempt() {
    let server = TestServer::open().await;
    buy(&server, "tea-0001").await;
    let order = server.read_private("/v1/orders/tea-0001").await;
    let transaction_id = order.string("transaction_id").to_owned();
    let token = server
        .order(json!({"order_no": "tea-0002", "total_fen": 5, "description": "tea"}))
        .await;
    server.attempt(&token, &[("product", "native")]).await;
    let back = ("return_url", "http://127.0.0.1:8000/pay");
    server
        .attempt(&token, &[("product", "h5"), back, ("after", "1")])
        .await;
    let second = server.read_private("/v1/orders/tea-0002").await;
    let later = second.json["attempts"][1]["out_trade_no"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(later, "tea-0002");
    for (query, expected) in [
        (
            format!("transaction_id={transaction_id}"),
            &["tea-0001"][..],
        ),
        ("out_trade_no=tea-0001".to_owned(), &["tea-0001"]),
        ("out_trade_no=tea-0002".to_owned(), &["tea-0002"]),
        (format!("out_trade_no={later}"), &["tea-0002"]),
        (format!("out_trade_no={later}&state=open"), &["tea-0002"]),
        (format!("out_trade_no={later}&state=paid"), &[]),
        (
            format!("transaction_id={transaction_id}&out_trade_no=tea-0001"),
            &["tea-0001"],
        ),
        (
            format!("transaction_id={transaction_id}&out_trade_no={later}"),
            &[],
        ),
        (
            "transaction_id=4200000000000000000000000000".to_owned(),
            &[],
        ),
        ("out_trade_no=nobodys-0001".to_owned(), &[]),
    ] {
        assert_eq!(listed(&server, &query).await, expected, "{query}");
    }
    for (query, field) in [
        ("transaction_id=4%202", "transaction_id"),
        ("transaction_id=", "transaction_id"),
        ("out_trade_no=abc", "out_trade_no"),
        ("out_trade_no=tea%2F0001", "out_trade_no"),
    ] {
        let refused = server.read_private(&format!("/v1/orders?{query}")).await;
        assert_eq!(refused.code(), "INVALID_REQUEST", "{query}");
        assert_eq!(refused.json["error"]["field"], field, "{query}");
    }
}

#[tokio::test]
async fn what_happened_on_a_day_is_exported_with_a_heading() {
    let server = TestServer::open().await;
    buy(&server, "tea-0001").await;
    let refund = json!({"refund_no": "R-0001", "amount_fen": 90, "reason": "凉了, \"cold\""});
    let path = "/v1/orders/tea-0001/refunds";
    server
        .send(backend(path, API_KEY, refund.to_string()))
        .await;
    let order = server.read_private("/v1/orders/tea-0001").await;
    let transaction_id = order.string("transaction_id").to_owned();
    let refund = server.read_private("/v1/refunds/R-0001").await;
    let refund_id = refund.string("refund_id").to_owned();
    for (kind, heading, line) in [
        (
            "orders",
            "order_no,state,total_fen,payer_total_fen,refunded_fen,description,attach,sub_mchid,\
             created_at,expires_at,success_time",
            "`tea-0001,paid,1990,1990,0,`tea,,,2026-11-21T09:20:00Z,2026-11-21T09:50:00Z,\
             `2026-11-21T17:20:00+08:00"
                .to_owned(),
        ),
        (
            "payments",
            "out_trade_no,transaction_id,order_no,state,product,total_fen,payer_total_fen,bank_type,\
             appid,sub_mchid,sub_appid,success_time,sub_order_no",
            format!(
                "`tea-0001,`{transaction_id},`tea-0001,paid,native,1990,1990,`OTHERS,`{},,,\
                 `2026-11-21T17:20:00+08:00,",
                crate::test_server::merchant()["appid"].as_str().unwrap()
            ),
        ),
        (
            "refunds",
            "refund_no,refund_id,order_no,out_trade_no,origin,state,amount_fen,payer_refund_fen,reason,\
             wechat_code,sub_mchid,created_at,success_time,sub_order_no",
            format!(
                "`R-0001,`{refund_id},`tea-0001,`tea-0001,merchant,processing,90,90,\
                 \"`凉了, \"\"cold\"\"\",,,2026-11-21T09:20:00Z,,"
            ),
        ),
    ] {
        let answer = server
            .read_private(&format!("/v1/exports/{kind}?{DAY}"))
            .await;
        assert_eq!(answer.text(), format!("\u{feff}{heading}\r\n{line}\r\n"));
        let name = format!("attachment; filename=\"{kind}.csv\"");
        assert_eq!(answer.headers["content-disposition"], name.as_str());
        assert_eq!(answer.headers["cache-control"], "no-store");
        // The span contains its beginning, and not its end.
        for (span, count) in [
            ("from=2026-11-21T09:20:00Z&to=2026-11-21T09:20:01Z", 1),
            ("from=2026-11-21T09:00:00Z&to=2026-11-21T09:20:00Z", 0),
            ("from=2026-11-21T09:20:01Z&to=2026-11-22T00:00:00Z", 0),
        ] {
            let lines = lines(&server, &format!("{kind}?{span}")).await;
            assert_eq!(lines.len(), count, "{kind} {span}");
        }
    }
}

#[tokio::test]
async fn no_cell_of_an_export_is_a_formula() {
    let server = TestServer::open().await;
    let order = json!({
        "order_no": "tea-0001", "total_fen": 5, "description": "=HYPERLINK(\"http://a\",\"b\")",
        "attach": "@SUM(A1)",
    });
    server.order(order).await;
    let lines = lines(&server, &format!("orders?{DAY}")).await;
    let expected = "`tea-0001,open,5,,0,\"`=HYPERLINK(\"\"http://a\"\",\"\"b\"\")\",`@SUM(A1),,\
                    2026-11-21T09:20:00Z,2026-11-21T09:50:00Z,";
    assert_eq!(lines, [expected]);
}

#[tokio::test]
async fn an_export_of_more_rows_than_are_read_at_once_has_each_row_once() {
    let server = TestServer::open().await;
    let database = server.database().await;
    sqlx::query(
        "INSERT INTO orders (order_no, token, request, total_fen, description, products, created_ms,
                             expires_ms)
         WITH RECURSIVE each_one(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each_one WHERE n < 2500)
         SELECT 'many-' || CAST(n AS TEXT), 'token-' || CAST(n AS TEXT), '{}', n, 'tea', 'native',
                1795252800000, 1795252800000 FROM each_one",
    )
    .execute(&database)
    .await
    .unwrap();
    database.close().await;
    let lines = lines(&server, &format!("orders?{DAY}")).await;
    let numbers = lines.iter().map(|line| line.split(',').next().unwrap());
    let expected: Vec<_> = (1..=2500).map(|n| format!("`many-{n}")).collect();
    assert!(
        numbers.eq(expected.iter().map(String::as_str)),
        "{}",
        lines.len()
    );
}

#[tokio::test]
async fn an_export_can_be_of_one_sub_merchant() {
    let sub = sub_merchant(1);
    let server = TestServer::open_with_merchant("", &sub_merchant_table(&sub)).await;
    let order = json!({
        "order_no": "tea-0001", "total_fen": 1990, "description": "tea", "sub_mchid": sub.sub_mchid,
    });
    let token = server.order(order).await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    for kind in ["orders", "payments"] {
        let path = format!("{kind}?{DAY}&sub_mchid={}", sub.sub_mchid);
        assert_eq!(lines(&server, &path).await.len(), 1, "{kind}");
        let path = format!("{kind}?{DAY}&sub_mchid=1");
        assert_eq!(lines(&server, &path).await.len(), 0, "{kind}");
    }
}

#[tokio::test]
async fn an_export_names_the_parameter_that_is_wrong() {
    let server = TestServer::open().await;
    for kind in ["orders", "payments", "refunds"] {
        for (query, field) in [
            ("", "from"),
            ("from=2026-11-21T00:00:00Z", "to"),
            ("from=yesterday&to=2026-11-21T00:00:00Z", "from"),
            ("from=2026-11-21T00:00:00Z&to=2026-11-21T00:00:00Z", "to"),
            ("from=2026-11-22T00:00:00Z&to=2026-11-21T00:00:00Z", "to"),
            ("form=2026-11-22T00:00:00Z", "form"),
            ("sub_mchid=x", "sub_mchid"),
        ] {
            let refused = server
                .read_private(&format!("/v1/exports/{kind}?{query}"))
                .await;
            assert_eq!(refused.code(), "INVALID_REQUEST", "{kind} {query}");
            assert_eq!(refused.json["error"]["field"], field, "{kind} {query}");
        }
    }
}
