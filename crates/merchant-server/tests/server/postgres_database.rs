//! A PostgreSQL database that is not for this program, or not for this version of it. The same rules for
//! a file of SQLite are in `database.rs`.

use std::path::Path;

use ledger_database::{Migration, Server, Writer};
use merchant_server::{Config, list_mismatches, migrate, show_order};
use sqlx::AssertSqlSafe;

use crate::cluster;
use crate::test_server::{TestServer, configuration, merchant};

fn config(address: &str) -> Config {
    let text = configuration(&format!("database = \"{address}\""));
    Config::parse(&text, Path::new(".")).unwrap()
}

async fn change(address: &str, statement: &str) {
    let statement = AssertSqlSafe(statement.to_owned());
    let pool = cluster::opened(address).await;
    sqlx::raw_sql(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn a_database_that_is_not_for_this_program_is_refused_with_the_reason() {
    if !cluster::is_used() {
        return;
    }
    for (statement, reason) in [
        (
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'of the future', TRUE, '', 0)",
            "is at version 9999, and this program knows versions up to",
        ),
        (
            "UPDATE _sqlx_migrations SET checksum = '' WHERE version = 22",
            "migration 22 of the database differs",
        ),
        (
            "UPDATE owner SET mchid = '1900000001'",
            "merchant.mchid must be 1900000001",
        ),
        (
            "UPDATE owner SET environment = 'wechat'",
            "gateway.environment \"wechat\"",
        ),
    ] {
        let server = TestServer::open().await;
        let address = cluster::address(server.folder.path()).await;
        change(&address, statement).await;
        let config = config(&address);
        let shown = show_order(&config, "tea-0001").await.unwrap_err();
        for refusal in [
            shown.to_string(),
            migrate(&config).await.unwrap_err().to_string(),
        ] {
            assert!(refusal.contains(reason), "{refusal}");
        }
    }
}

#[tokio::test]
async fn a_database_with_foreign_tables_is_refused_and_left_unchanged() {
    if !cluster::is_used() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let address = cluster::empty(folder.path()).await;
    change(&address, "CREATE TABLE guests (name TEXT)").await;
    let refusal = migrate(&config(&address)).await.unwrap_err().to_string();
    assert!(
        refusal.contains("none that merchant-server made"),
        "{refusal}"
    );
    change(&address, "DROP TABLE guests").await;
    let version = migrate(&config(&address)).await.unwrap();
    assert!(version >= 22);
}

#[tokio::test]
async fn a_command_beside_a_server_does_not_migrate_and_two_programs_may_migrate_at_once() {
    if !cluster::is_used() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let address = cluster::empty(folder.path()).await;
    let config = config(&address);
    let refusal = show_order(&config, "tea-0001")
        .await
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("lacks migration 22"), "{refusal}");
    let both = tokio::join!(migrate(&config), migrate(&config));
    assert_eq!(both.0.unwrap(), both.1.unwrap());
    assert_eq!(show_order(&config, "tea-0001").await.unwrap(), None);
}

/// The migrations from before there were several merchants.
const OF_ONE_MERCHANT: [Migration; 3] = [
    Migration {
        version: 22,
        description: "all tables",
        statements: include_str!("../../../merchant-core/migrations/postgres/0022_all_tables.sql"),
    },
    Migration {
        version: 24,
        description: "which API made it",
        statements: include_str!("../../../merchant-core/migrations/postgres/0024_which_api.sql"),
    },
    Migration {
        version: 31,
        description: "notify_url of an order",
        statements: include_str!("../../../merchant-core/migrations/postgres/0031_notify_url.sql"),
    },
];

/// A row in each table whose keys count within one merchant from then on.
const ROWS: &str = "
    INSERT INTO orders (id, order_no, token, request, total_fen, description, products, created_ms,
                        expires_ms, current_attempt)
    VALUES (7, 'tea-0001', 'token', '{}', 1990, 'tea', 'native', 0, 0, 1);
    INSERT INTO attempts (order_id, number, product, out_trade_no, appid, body, state, created_ms,
                          return_handle)
    VALUES (7, 1, 'native', 'tea-0001', 'wx', '', 'open', 0, 'handle');
    INSERT INTO refunds (out_refund_no, order_id, attempt, out_trade_no, origin, amount_fen, state,
                         created_ms, state_ms)
    VALUES ('back-0001', 7, 1, 'tea-0001', 'merchant', 1, 'requested', 0, 0);
    INSERT INTO notifications (id, received_ms, event_type, outcome) VALUES ('n', 0, 'e', 'known');
    INSERT INTO mismatches (out_trade_no, transaction_id, reason, resource, received_ms, no)
    VALUES ('lost', '42', 'number', '{}', 0, 1);
    INSERT INTO refund_mismatches (out_refund_no, refund_id, reason, resource, received_ms, no)
    VALUES ('lost', '50', 'number', '{}', 0, 2);
    INSERT INTO kept_notifications (id, event_type, reason, resource, received_ms, no)
    VALUES ('k', 'e', 'unreadable', '{}', 0, 3);
    INSERT INTO webhooks (id, event_type, body, created_ms) VALUES ('msg_1', 'e', '', 0);
    INSERT INTO due_work (kind, subject, due_ms) VALUES ('end_order', '7', 0)";

#[tokio::test]
async fn the_rows_of_a_database_of_one_merchant_stay_that_merchants() {
    if !cluster::is_used() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let address = cluster::empty(folder.path()).await;
    let writer = Writer::of_server(&Server::parse(&address).unwrap());
    writer.migrate(&OF_ONE_MERCHANT).await.unwrap();
    let mchid = merchant()["mchid"].as_str().unwrap().to_owned();
    let owner = format!("INSERT INTO owner VALUES (1, '{mchid}', 'simulator')");
    change(&address, &format!("{ROWS}; {owner}")).await;
    let config = config(&address);
    assert!(migrate(&config).await.unwrap() >= 50);
    let shown = show_order(&config, "tea-0001").await.unwrap().unwrap();
    assert!(shown.contains("back-0001"), "{shown}");
    let mismatches = list_mismatches(&config, true).await.unwrap();
    assert_eq!(mismatches.len(), 3);
    let pool = cluster::opened(&address).await;
    for table in [
        "orders",
        "attempts",
        "refunds",
        "notifications",
        "webhooks",
        "due_work",
    ] {
        let count = format!("SELECT COUNT(*) FROM {table} WHERE merchant = 1");
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(count))
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(count, 1, "{table}");
    }
}

#[tokio::test]
async fn a_role_without_rights_is_refused_with_postgresqls_own_reason() {
    if !cluster::is_used() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let address = cluster::empty(folder.path()).await;
    // Roles belong to the whole server, and tests run at the same time.
    let role = "guest_of_a_ledger";
    change(&address, &format!("CREATE ROLE {role} LOGIN")).await;
    change(&address, "REVOKE CREATE ON SCHEMA public FROM PUBLIC").await;
    let as_guest = config(&address.replace("//postgres@", &format!("//{role}@")));
    let refusal = migrate(&as_guest).await.unwrap_err().to_string();
    assert!(
        refusal.contains("permission denied for schema public"),
        "{refusal}"
    );
    migrate(&config(&address)).await.unwrap();
    let refusal = show_order(&as_guest, "tea-0001")
        .await
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("permission denied for table"), "{refusal}");
    change(&address, &format!("DROP ROLE {role}")).await;
}

#[tokio::test]
async fn migrations_do_not_depend_on_the_servers_default_isolation() {
    if !cluster::is_used() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let address = cluster::empty(folder.path()).await;
    let (before, _) = address.split_once('?').unwrap();
    let (_, name) = before.rsplit_once('/').unwrap();
    let set = format!("ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'");
    change(&address, &set).await;
    let config = config(&address);
    let all = tokio::join!(migrate(&config), migrate(&config), migrate(&config));
    for version in [all.0, all.1, all.2] {
        assert!(version.unwrap() >= 22);
    }
}
