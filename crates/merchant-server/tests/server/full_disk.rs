//! A database that cannot be written. The server never acts after a write that failed, reports that
//! it is not ready, and works again as soon as there is space.
//!
//! The tests use two ways, and neither needs a full disk. A disk that can only be read all of a sudden
//! looks the same to SQLite as a full one: the operating system refuses the bytes. A deferred constraint makes SQLite refuse
//! the commit and not the statement, as a full disk does. A limit on the size of files makes the
//! operating system refuse the bytes.

use std::process::Command;

use http::StatusCode;
use serde_json::json;

use crate::cluster;
use crate::oauth::{authorize_url, handle, through_wechat};
use crate::process::Process;
use crate::test_server::{API_KEY, MINUTE_MS, TestServer};
use crate::webhooks::{SECRET, TARGET, close};

/// From this call on, no change of a table can be committed.
async fn refuse_commits(server: &TestServer, table: &str) {
    let pool = server.database().await;
    let trigger = if cluster::is_used() {
        format!(
            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN INSERT INTO filled VALUES (1); RETURN NULL; END';
             CREATE TRIGGER no_space AFTER UPDATE ON {table}
                 FOR EACH ROW EXECUTE FUNCTION fill()"
        )
    } else {
        format!(
            "CREATE TRIGGER no_space AFTER UPDATE ON {table}
             BEGIN INSERT INTO filled VALUES (1); END"
        )
    };
    for statement in [
        "CREATE TABLE no_rows (id INTEGER PRIMARY KEY)".to_owned(),
        "CREATE TABLE filled (id INTEGER REFERENCES no_rows (id) DEFERRABLE INITIALLY DEFERRED)"
            .to_owned(),
        trigger,
    ] {
        let statement = sqlx::AssertSqlSafe(statement);
        sqlx::raw_sql(statement).execute(&pool).await.unwrap();
    }
}

async fn commit_again(server: &TestServer) {
    let pool = server.database().await;
    let gone = sqlx::query(if cluster::is_used() {
        "DROP FUNCTION fill CASCADE"
    } else {
        "DROP TRIGGER no_space"
    });
    gone.execute(&pool).await.unwrap();
}

#[tokio::test]
async fn a_message_is_not_sent_if_its_lease_cannot_be_committed() {
    let target = format!("[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\n");
    let server = TestServer::open_with_end(&target).await;
    close(&server, 1).await;
    refuse_commits(&server, "due_work").await;
    for _ in 0..20 {
        server.clock.advance_ms(MINUTE_MS);
        assert!(server.inner.run_due().await.is_err());
    }
    assert_eq!(server.backend.count(TARGET), 0);
    commit_again(&server).await;
    server.later(0).await;
    assert_eq!(server.backend.count(TARGET), 1);
    server.later(60 * MINUTE_MS).await;
    assert_eq!(server.backend.count(TARGET), 1);
}

#[tokio::test]
async fn wechat_is_not_queried_if_the_querys_lease_cannot_be_committed() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    server.wechat.take_sent();
    refuse_commits(&server, "due_work").await;
    server.clock.advance_ms(MINUTE_MS);
    for _ in 0..20 {
        assert!(server.inner.run_due().await.is_err());
    }
    assert_eq!(server.wechat.take_kinds(), [""; 0]);
}

#[tokio::test]
async fn a_failed_commit_does_not_use_up_the_return_from_the_oauth_redirect() {
    let line = "app_secret = \"0123456789abcdef0123456789abcdef\"";
    let server = TestServer::open_with_merchant("", line).await;
    let token = server.default_order().await;
    let url = authorize_url(&server, &token).await;
    let back = through_wechat(&server, &url).await;
    refuse_commits(&server, "oauth_states").await;
    server.wechat.take_sent();
    let failed = server.get(&back).await;
    assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        server.wechat.take_kinds(),
        [""; 0],
        "the code is still good"
    );
    commit_again(&server).await;
    assert!(!handle(&server.get(&back).await).is_empty());
}

/// Bounds the size of every file that a process writes; `None`: no bound.
fn limit_files(process: &Process, bytes: Option<u64>) {
    let bytes = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let pid = process.id().to_string();
    let done = Command::new("prlimit")
        .args(["--pid", &pid, &format!("--fsize={bytes}:")])
        .status()
        .unwrap();
    assert!(done.success());
}

async fn status(process: &Process, path: &str) -> u16 {
    let answer = reqwest::get(format!("{}{path}", process.origin())).await;
    answer.unwrap().status().as_u16()
}

async fn order(process: &Process) -> u16 {
    let order = json!({ "total_fen": 1990, "description": "tea" });
    let answer = reqwest::Client::new()
        .post(format!("{}/v1/orders", process.origin()))
        .bearer_auth(API_KEY)
        .header("content-type", "application/json")
        .body(order.to_string())
        .send()
        .await;
    answer.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_server_on_a_full_disk_is_healthy_but_not_ready_and_recovers() {
    if cluster::is_used() {
        return;
    }
    // Without this, a write beyond the limit would end the process.
    let process = Process::start_through(&["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    assert_eq!(order(&process).await, 201);
    assert_eq!(status(&process, "/readyz").await, 200);
    let written = process.folder().join("merchant-server.sqlite3-wal");
    limit_files(&process, Some(std::fs::metadata(written).unwrap().len()));
    // More orders than connections to the database: each connection must still work after a failed
    // write.
    for _ in 0..12 {
        assert_eq!(order(&process).await, 503);
    }
    process.said("a call failed by our fault");
    let mut ready = status(&process, "/readyz").await;
    while ready == 200 {
        // The answer from before the disk was full is kept for a second.
        ready = status(&process, "/readyz").await;
    }
    assert_eq!(ready, 503);
    assert_eq!(status(&process, "/healthz").await, 200);
    limit_files(&process, None);
    for _ in 0..12 {
        assert_eq!(order(&process).await, 201);
    }
    while status(&process, "/readyz").await != 200 {}
    process.said("the database takes writes again");
}
