//! The database between programs of different ages, and its copies.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use merchant_server::{
    Config, MerchantServer, SeededRandomness, Surroundings, SystemClock, back_up, migrate,
    show_order,
};
use sqlx::AssertSqlSafe;

use crate::house::{House, configuration};

/// The same files, as another program would be told of them.
fn config(house: &House) -> Config {
    Config::parse(&configuration(""), house.folder.path()).unwrap()
}

async fn change(house: &House, statement: &'static str) {
    let done = sqlx::query(AssertSqlSafe(statement))
        .execute(&house.database().await)
        .await
        .unwrap();
    assert!(done.rows_affected() > 0, "{statement}");
}

async fn refusal(house: &House) -> String {
    let surroundings = Surroundings {
        clock: Arc::new(SystemClock),
        randomness: Arc::new(SeededRandomness::new(1)),
        wechat: Arc::new(house.line.clone()),
        webhooks: Arc::new(house.line.clone()),
    };
    match MerchantServer::open(config(house), surroundings).await {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_database_that_a_newer_program_has_worked_on_is_refused_and_left_alone() {
    let house = House::open().await;
    change(
        &house,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of the future', 1, x'00', 0)",
    )
    .await;
    let refusal = refusal(&house).await;
    assert!(refusal.contains("is at version 9999"), "{refusal}");
    assert!(refusal.contains("knows versions up to"), "{refusal}");
}

#[tokio::test]
async fn a_migration_that_was_changed_after_it_was_released_is_refused() {
    let house = House::open().await;
    change(
        &house,
        "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1",
    )
    .await;
    let refusal = refusal(&house).await;
    assert!(
        refusal.starts_with("migration 1 of the database differs"),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_command_beside_a_server_does_not_bring_the_database_up_to_date_by_itself() {
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
async fn what_is_answered_is_on_the_disk() {
    let house = House::open().await;
    let (mode,): (String,) = sqlx::query_as("PRAGMA journal_mode")
        .fetch_one(&house.database().await)
        .await
        .unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_backup_of_a_working_server_is_whole_private_and_never_put_over_another_file() {
    let house = House::open().await;
    house.tea().await;
    let to = house.folder.path().join("copy.sqlite3");
    // What an interrupted backup left behind.
    std::fs::write(house.folder.path().join("copy.sqlite3.part"), "half").unwrap();
    assert_eq!(back_up(&config(&house), &to).await.unwrap(), 1);
    let mode = std::fs::metadata(&to).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let names = names_in(house.folder.path());
    assert!(names.contains(&"copy.sqlite3".to_owned()), "{names:?}");
    assert!(
        !names
            .iter()
            .any(|name| name.starts_with("copy.sqlite3.") || name.starts_with("copy.sqlite3-")),
        "{names:?}"
    );

    let again = back_up(&config(&house), &to).await.unwrap_err().to_string();
    assert!(again.contains("is there already"), "{again}");

    // What came after the copy is not in it, and a server works on it.
    house
        .order(serde_json::json!({
            "order_no": "tea-0002", "total_fen": 1, "description": "tea",
        }))
        .await;
    let lines = format!("database = \"{}\"", to.display());
    let restored = Config::parse(&configuration(&lines), house.folder.path()).unwrap();
    let shown = show_order(&restored, "tea-0001").await.unwrap();
    assert!(shown.unwrap().contains("1990"));
    assert_eq!(show_order(&restored, "tea-0002").await.unwrap(), None);
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
