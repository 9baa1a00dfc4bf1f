//! The database between programs of different ages, and its copies.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use merchant_server::{
    Config, MerchantServer, SeededRandomness, Surroundings, SystemClock, back_up, migrate,
    show_order,
};
use sqlx::AssertSqlSafe;

use crate::cluster;
use crate::test_server::{TestServer, configuration, merchant};

/// The same files, as the configuration of another program names them.
fn config(server: &TestServer) -> Config {
    Config::parse(&configuration(""), server.folder.path()).unwrap()
}

async fn change(server: &TestServer, statement: &'static str) {
    let done = sqlx::query(AssertSqlSafe(statement))
        .execute(&server.database().await)
        .await
        .unwrap();
    assert!(done.rows_affected() > 0, "{statement}");
}

async fn refusal(server: &TestServer) -> String {
    let surroundings = Surroundings {
        clock: Arc::new(SystemClock),
        randomness: Arc::new(SeededRandomness::new(1)),
        wechat: Arc::new(server.wechat.clone()),
        webhooks: Arc::new(server.wechat.clone()),
    };
    match MerchantServer::open(config(server), surroundings).await {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused_and_left_unchanged() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    change(
        &server,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of the future', 1, x'00', 0)",
    )
    .await;
    let refusal = refusal(&server).await;
    assert!(refusal.contains("is at version 9999"), "{refusal}");
    assert!(refusal.contains("knows versions up to"), "{refusal}");
}

#[tokio::test]
async fn a_database_belongs_to_its_first_merchant_and_is_refused_to_every_other() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let owner: (String, String) = sqlx::query_as("SELECT mchid, environment FROM owner")
        .fetch_one(&server.database().await)
        .await
        .unwrap();
    let mchid = merchant()["mchid"].as_str().unwrap().to_owned();
    assert_eq!(owner, (mchid, "simulator".to_owned()));
    assert_eq!(refusal(&server).await, "", "the same one again");
    for (statement, names) in [
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
        change(&server, statement).await;
        let shown = show_order(&config(&server), "tea-0001").await;
        let migrated = migrate(&config(&server)).await;
        for refusal in [
            refusal(&server).await,
            shown.unwrap_err().to_string(),
            migrated.unwrap_err().to_string(),
        ] {
            assert!(refusal.contains(names), "{refusal}");
        }
    }
}

#[tokio::test]
async fn a_database_without_an_owner_gets_the_configured_merchant() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    change(&server, "DELETE FROM owner").await;
    assert_eq!(refusal(&server).await, "");
    change(&server, "UPDATE owner SET mchid = '1900000001'").await;
    assert_ne!(refusal(&server).await, "");
}

#[tokio::test]
async fn a_migration_that_changed_after_its_release_is_refused() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    change(
        &server,
        "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1",
    )
    .await;
    let refusal = refusal(&server).await;
    assert!(
        refusal.starts_with("migration 1 of the database differs"),
        "{refusal}"
    );
}

/// Each migration with its SHA-384, made with another program. A change of one of these files
/// breaks every existing database.
const RELEASED: [(i64, &str); 7] = [
    (
        1,
        "247c4478a89464caa08ff080d8651cbfb17d76e1d816602aff04789bb221503e726e39913441f98cc1782053abc040f7",
    ),
    (
        2,
        "f73e206eaba349761ca09443daf579753b1733de0c1fd08f20dd917d34c16d86ef8fd48c2a8d8982e2bde18c96396167",
    ),
    (
        3,
        "0983e3eaf19d221dc55dc1528e5994a71557140da8fc2b256638c782410da37eaf20f9152c39f4aa517aeb4ef1e9ff20",
    ),
    (
        4,
        "c89cd6c3be20f80e8bfed6221b71c8f3449e57997d15de42edba260ce68b16521c2020b0fc6ddc49b08ddcef9a84be2e",
    ),
    (
        5,
        "4a03424ddf2ef805e68db787d9ff88410e0135804206f813e3b54a5d7bfe721be1f3004ed30cfc8725e6433dc463b980",
    ),
    (
        6,
        "61963dda50bc9c383720d26915d7896bb8e351589aca61a71366ffd8f911f41df242d67040ccf488967853181d31a3d5",
    ),
    (
        8,
        "274e9c473564ed416207ba29af8047492f25aeb3c85479904fdcaf6830d575899b135cb1cbab322510eb5e1745fcb28e",
    ),
];

#[tokio::test]
async fn no_released_migration_has_changed() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let done: Vec<(i64, String)> = sqlx::query_as(
        "SELECT version, lower(hex(checksum)) FROM _sqlx_migrations ORDER BY version",
    )
    .fetch_all(&server.database().await)
    .await
    .unwrap();
    for (version, checksum) in RELEASED {
        assert!(done.contains(&(version, checksum.to_owned())), "{version}");
    }
}

/// Makes a database of an older version from its dump.
async fn older_database(file: &Path, dump: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        // A dump is sorted by the names of tables, so a row can come before the row that it
        // refers to.
        .foreign_keys(false);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(dump))
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
}

#[tokio::test]
async fn a_database_of_version_4_is_migrated_with_all_its_data() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let file = server.folder.path().join("old.sqlite3");
    older_database(&file, include_str!("../fixtures/database_at_version_4.sql")).await;
    let lines = format!("database = \"{}\"", file.display());
    let server = server.restart_with(&configuration(&lines)).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();

    let order = server.shown("/tea-0001").await;
    assert_eq!(order.string("state"), "paid");
    assert_eq!(order.string("success_time"), "2026-11-21T17:20:10+08:00");
    assert_eq!(order.number("refunded_fen"), 500);
    assert_eq!(order.json["attempts"][0]["state"], "paid");
    assert_eq!(order.json["attempts"][1]["state"], "surplus");
    assert_eq!(order.json["refunds"][0]["refund_no"], "R-1");
    assert_eq!(server.shown("/tea-0002").await.string("state"), "open");

    // 8: the payment that settled the order has its time, and the surplus payment has none.
    let moments: Vec<(String, Option<i64>)> =
        sqlx::query_as("SELECT state, success_ms FROM attempts ORDER BY number")
            .fetch_all(&pool)
            .await
            .unwrap();
    let paid_ms = crate::test_server::START_MS + 10_000;
    assert_eq!(
        moments,
        [
            ("paid".to_owned(), Some(paid_ms)),
            ("surplus".to_owned(), None)
        ]
    );

    // 5: a surplus payment from before the migration is refunded in full, too.
    server.later(0).await;
    let order = server.shown("/tea-0001").await;
    let surplus = &order.json["refunds"][1];
    assert_eq!(surplus["origin"], "surplus", "{}", order.json);
    assert_eq!(surplus["amount_fen"], 1990);
    assert_eq!(surplus["out_trade_no"], "0123456789abcdef0123456789abcdef");

    // 13: mismatches have numbers, payments first.
    let mismatches = server.read_private("/v1/mismatches").await;
    let shown = &mismatches.json["mismatches"];
    assert_eq!(
        (&shown[0]["no"], &shown[0]["kind"]),
        (&2.into(), &"refund".into())
    );
    assert_eq!(
        (&shown[1]["no"], &shown[1]["kind"]),
        (&1.into(), &"payment".into())
    );
    assert_eq!(shown[1]["told"]["amount"]["total"], 1);

    // 14: a message for which no target was configured has not failed.
    let messages: Vec<(String, String)> = sqlx::query_as(
        "SELECT event_type, state FROM webhooks WHERE id LIKE 'msg_0000%' ORDER BY created_ms",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let message = |event_type: &str, state: &str| (event_type.to_owned(), state.to_owned());
    assert_eq!(
        messages,
        [
            message("payment.succeeded", "delivered"),
            message("payment.surplus", "failed"),
            message("payment.mismatch", "unaddressed"),
        ]
    );
    let deliveries = sqlx::query("SELECT * FROM webhook_deliveries")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(deliveries.len(), 1);

    let strays = sqlx::query("PRAGMA foreign_key_check")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(strays.len(), 0);
}

#[tokio::test]
async fn a_command_beside_a_server_does_not_migrate_the_database() {
    if cluster::is_used() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = Config::parse(&configuration(""), folder.path()).unwrap();
    std::fs::write(folder.path().join("merchant-server.sqlite3"), "").unwrap();
    let error = show_order(&config, "tea-0001")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("lacks migration 1"), "{error}");
    assert!(error.contains("merchant-server migrate"), "{error}");
    migrate(&config).await.unwrap();
    assert_eq!(show_order(&config, "tea-0001").await.unwrap(), None);
}

#[tokio::test]
async fn what_was_answered_is_on_the_disk() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let (mode,): (String,) = sqlx::query_as("PRAGMA journal_mode")
        .fetch_one(&server.database().await)
        .await
        .unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_backup_of_a_running_server_is_complete_private_and_overwrites_no_file() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    server.default_order().await;
    let to = server.folder.path().join("copy.sqlite3");
    // A file that an interrupted backup has left.
    std::fs::write(server.folder.path().join("copy.sqlite3.part"), "half").unwrap();
    assert_eq!(back_up(&config(&server), &to).await.unwrap(), 1);
    let mode = std::fs::metadata(&to).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let names = names_in(server.folder.path());
    assert!(names.contains(&"copy.sqlite3".to_owned()), "{names:?}");
    assert!(
        !names
            .iter()
            .any(|name| name.starts_with("copy.sqlite3.") || name.starts_with("copy.sqlite3-")),
        "{names:?}"
    );

    let again = back_up(&config(&server), &to)
        .await
        .unwrap_err()
        .to_string();
    assert!(again.contains("exists already"), "{again}");

    // The copy lacks what came later, and a server works on the copy.
    server
        .order(serde_json::json!({
            "order_no": "tea-0002", "total_fen": 1, "description": "tea",
        }))
        .await;
    let lines = format!("database = \"{}\"", to.display());
    let restored = Config::parse(&configuration(&lines), server.folder.path()).unwrap();
    let shown = show_order(&restored, "tea-0001").await.unwrap();
    assert!(shown.unwrap().contains("1990"));
    assert_eq!(show_order(&restored, "tea-0002").await.unwrap(), None);
}

/// `reconcile` cannot query orders that the copy does not have; the bill names them.
#[tokio::test]
async fn after_a_restore_the_bill_lists_what_is_missing_and_reconcile_records_it() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    let copy = server.folder.path().join("copy.sqlite3");
    back_up(&config(&server), &copy).await.unwrap();
    // After the copy, its order is paid, and another order is created and paid.
    server.pay("tea-0001").await;
    crate::bills::notified(&server, "tea-0002", 5).await;

    let lines = format!("database = \"{}\"", copy.display());
    let server = server.restart_with(&configuration(&lines)).await;
    let reconciled = server
        .inner
        .reconcile(crate::test_server::START_MS)
        .await
        .unwrap();
    assert_eq!(reconciled.asked, 1, "of what is in the copy alone");
    assert_eq!(reconciled.findings[0].number, "tea-0001");
    assert_eq!(server.shown("/tea-0001").await.string("state"), "paid");
    assert_eq!(server.shown("/tea-0002").await.code(), "ORDER_UNKNOWN");

    crate::bills::the_next_morning(&server);
    let bill = crate::bills::bill(&server, crate::bills::DAY).await;
    let differences = bill.json["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{}", bill.json);
    assert_eq!(differences[0]["kind"], "payment_missing_here");
    assert_eq!(differences[0]["out_trade_no"], "tea-0002");
    assert_eq!(differences[0]["there"], "5");
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
