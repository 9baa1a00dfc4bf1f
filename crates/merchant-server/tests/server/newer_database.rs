//! A newer program migrates the database while a server of this version works on it. The server
//! continues with any new columns of the tables. If the newer program removes or renames columns, the
//! server must be stopped first.

use http::StatusCode;
use merchant_server::Clock as _;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::bills::{DAY, HOUR_MS, bill, the_next_morning};
use crate::cluster;
use crate::oauth::{BACK, JSAPI, authorize_url, handle, through_wechat};
use crate::test_server::{
    API_KEY, Answer, MINUTE_MS, TestServer, backend, merchant, payment_notification, transaction,
};

const TARGET: &str = "[[webhooks]]\nurl = \"http://127.0.0.1:7000/hooks\"\n\
                      secret = \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"\n";

async fn call(server: &TestServer, path: &str, body: &Value) -> Answer {
    let answer = server.send(backend(path, API_KEY, body.to_string())).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.json);
    answer
}

async fn look(server: &TestServer, path: &str) -> Answer {
    let answer = server.read_private(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.json);
    answer
}

async fn deliver_post(server: &TestServer) {
    for notification in server.take_notifications() {
        assert_eq!(
            server.deliver(&notification).await.status,
            StatusCode::NO_CONTENT
        );
    }
}

/// Everything that a shop does, so that the server has read and written each of its tables: an order
/// that is paid in the cashier and refunded in part, by the server and in WeChat's portal; a closed
/// order; an unmatched payment.
async fn business(server: &TestServer, name: &str) {
    let order_no = format!("{name}-paid");
    let body = json!({ "order_no": order_no, "total_fen": 1990, "description": "tea" });
    let token = call(server, "/v1/orders", &body).await;
    assert_eq!(
        call(server, "/v1/orders", &body).await.status,
        StatusCode::OK
    );
    let token = token.string("token").to_owned();
    let redirect = authorize_url(server, &token).await;
    let payer = handle(&server.get(&through_wechat(server, &redirect).await).await);
    let paying = server
        .attempt(&token, &[JSAPI, BACK, ("payer", &payer)])
        .await;
    assert_eq!(paying.number("attempt"), 1, "{}", paying.json);
    server.pay(&order_no).await;
    deliver_post(server).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");

    let path = format!("/v1/orders/{order_no}/refunds");
    let refund_no = format!("{name}-back");
    let body = json!({ "refund_no": refund_no, "amount_fen": 333 });
    for _ in 0..2 {
        let refund = call(server, &path, &body).await;
        assert_eq!(refund.string("state"), "processing");
    }
    // WeChat requires a minute between two refunds of one payment.
    server.clock.advance_ms(MINUTE_MS);
    let portal =
        json!({ "mchid": merchant()["mchid"], "out_trade_no": order_no, "refund": 40 }).to_string();
    server.control("POST", "refund", &portal).await;

    let order_no = format!("{name}-closed");
    let body = json!({ "order_no": order_no, "total_fen": 1, "description": "tea" });
    let token = call(server, "/v1/orders", &body).await;
    server
        .attempt(token.string("token"), &[("product", "native")])
        .await;
    let closed = call(server, &format!("/v1/orders/{order_no}/close"), &json!({})).await;
    assert_eq!(closed.string("state"), "closed");

    let strange = payment_notification(
        name,
        &transaction(&format!("{name}-unmatched"), 7),
        server.clock.now_ms(),
    );
    assert_eq!(
        server.deliver(&strange).await.status,
        StatusCode::NO_CONTENT
    );
    server.later(HOUR_MS).await;
    // WeChat's notifications of the refunds are lost.
    server.simulator.run_due().await;
    server.take_notifications();
    let kept = look(server, "/v1/mismatches").await.json["mismatches"][0].clone();
    assert_eq!(kept["out_trade_no"], format!("{name}-unmatched"));
    let path = format!("/v1/mismatches/{}/done", kept["no"]);
    call(server, &path, &json!({ "note": "seen" })).await;
}

/// The backend's webhooks by type; each message is sent again afterwards.
async fn message_types(server: &TestServer) -> Vec<String> {
    let mut types: Vec<_> = server
        .backend
        .take()
        .iter()
        .map(|message| message.json()["type"].as_str().unwrap().to_owned())
        .collect();
    types.sort();
    let newest = look(server, "/v1/webhooks").await.json["webhooks"][0].clone();
    assert_eq!(newest["state"], "delivered");
    let id = newest["id"].as_str().unwrap();
    call(server, &format!("/v1/webhooks/{id}/resend"), &json!({})).await;
    call(server, "/v1/webhooks/resend?state=failed", &json!({})).await;
    server.later(0).await;
    assert_eq!(server.backend.take().len(), 1);
    types
}

/// Adds to each table every column of all other tables, and a new column. This covers every name
/// that a newer version may choose, and no statement may read the column of another table by
/// mistake.
async fn widen_every_table(server: &TestServer) -> usize {
    let pool = server.database().await;
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT tables.name, columns.name
         FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name <> '_sqlx_migrations'
         ORDER BY 1, 2",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut tables: Vec<_> = columns.iter().map(|(table, _)| table.clone()).collect();
    tables.dedup();
    let mut names: Vec<_> = columns.iter().map(|(_, name)| &**name).collect();
    names.push("of_the_future");
    names.sort_unstable();
    names.dedup();
    for table in &tables {
        for name in &names {
            if columns.contains(&(table.clone(), (*name).to_owned())) {
                continue;
            }
            let statement = format!("ALTER TABLE {table} ADD COLUMN \"{name}\" ANY DEFAULT 'new'");
            let widened = sqlx::query(AssertSqlSafe(statement)).execute(&pool).await;
            widened.unwrap();
        }
    }
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of the future', 1, x'00', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    tables.len()
}

#[tokio::test]
async fn a_running_server_continues_while_every_table_gets_more_columns() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open_with_end(TARGET).await;
    business(&server, "before").await;
    let all = [
        "order.closed",
        "payment.mismatch",
        "payment.succeeded",
        "refund.succeeded",
    ];
    assert_eq!(message_types(&server).await, all);

    assert_eq!(widen_every_table(&server).await, 23);

    business(&server, "after").await;
    assert_eq!(message_types(&server).await, all);
    for name in ["before", "after"] {
        let order = server.shown(&format!("/{name}-paid")).await;
        assert_eq!(order.string("state"), "paid", "{}", order.json);
        assert_eq!(order.number("total_fen"), 1990);
        assert_eq!(order.number("refunded_fen"), 333);
        assert_eq!(order.json["refunds"][0]["state"], "succeeded");
    }
    let list = look(&server, "/v1/orders?state=paid").await;
    assert_eq!(list.json["orders"].as_array().unwrap().len(), 2);
    look(&server, "/metrics").await;

    // WeChat's bill names the refunds that were made in its portal, so the server queries them.
    the_next_morning(&server);
    let compared = bill(&server, DAY).await;
    assert_eq!(compared.status, StatusCode::OK, "{}", compared.json);
    server.later(MINUTE_MS).await;
    for name in ["before", "after"] {
        let order = server.shown(&format!("/{name}-paid")).await;
        assert_eq!(
            order.json["refunds"][1]["origin"], "external",
            "{}",
            order.json
        );
    }
    assert_eq!(
        message_types(&server).await,
        ["refund.succeeded", "refund.succeeded"]
    );
}

/// Covers the statements that the day above does not reach.
#[test]
fn every_statement_names_its_columns() {
    let ledger = concat!(env!("CARGO_MANIFEST_DIR"), "/../merchant-core/src/ledger");
    for file in std::fs::read_dir(ledger).unwrap() {
        let file = file.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        for careless in ["SELECT *", "RETURNING *", ".*,", ".* FROM"] {
            assert!(!text.contains(careless), "{careless} in {}", file.display());
        }
    }
}
