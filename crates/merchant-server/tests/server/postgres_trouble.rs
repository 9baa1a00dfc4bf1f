//! A PostgreSQL that is slow, full, read-only or gone: calls are refused with 503 and a time to try
//! again, the server is not ready and says so in a metric, nothing is half written, and all of it ends
//! by itself. The same of a file of SQLite is in `full_disk.rs`.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use sqlx::AssertSqlSafe;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixStream};

use crate::cluster;
use crate::test_server::{API_KEY, Answer, TestServer, backend, configuration};

/// Half of what a call to the database and back takes longer.
const HALF_OF_50_MS: Duration = Duration::from_millis(25);

async fn execute(server: &TestServer, statement: &str) {
    let pool = server.database().await;
    let statement = AssertSqlSafe(statement.to_owned());
    sqlx::raw_sql(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

async fn order(server: &TestServer, order_no: &str) -> Answer {
    let order = json!({ "order_no": order_no, "total_fen": 1990, "description": "tea" });
    let request = backend("/v1/orders", API_KEY, order.to_string());
    server.send(request).await
}

/// Writing fails, reading works, and everybody can see why.
async fn assert_unwritable(server: &TestServer, token: &str) {
    let before = counts(server).await;
    let refused = order(server, "tea-0009").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.code(), "DATABASE_UNAVAILABLE");
    assert_eq!(refused.headers["retry-after"], "1");
    server.wechat.take_sent();
    let refused = server.attempt(token, &[("product", "native")]).await;
    assert_eq!(refused.code(), "DATABASE_UNAVAILABLE", "{}", refused.json);
    assert_eq!(server.wechat.take_kinds(), [""; 0], "WeChat is not called");
    assert_eq!(counts(server).await, before);
    assert_eq!(server.checkout(token).await.string("state"), "open");
    server.clock.advance_ms(1_000);
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    let metrics = server.read_private("/metrics").await.text();
    assert!(
        metrics.contains("\nmerchant_server_database_writable 0\n"),
        "{metrics}"
    );
}

/// The same order and attempt succeed now, without a restart.
async fn assert_recovered(server: &TestServer, token: &str) {
    assert_eq!(order(server, "tea-0009").await.status, StatusCode::CREATED);
    let started = server.attempt(token, &[("product", "native")]).await;
    assert_eq!(started.number("attempt"), 1);
    server.clock.advance_ms(1_000);
    assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
    let metrics = server.read_private("/metrics").await.text();
    assert!(
        metrics.contains("\nmerchant_server_database_writable 1\n"),
        "{metrics}"
    );
}

/// Rows of orders, attempts and due work.
async fn counts(server: &TestServer) -> Vec<i64> {
    let pool = server.database().await;
    let mut counts = Vec::new();
    for table in ["orders", "attempts", "due_work", "webhooks"] {
        let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        counts.push(sqlx::query_scalar(count).fetch_one(&pool).await.unwrap());
    }
    pool.close().await;
    counts
}

async fn name(server: &TestServer) -> String {
    let pool = server.database().await;
    let name = "SELECT CAST(current_database() AS TEXT)";
    sqlx::query_scalar(name).fetch_one(&pool).await.unwrap()
}

#[tokio::test]
async fn a_read_only_database_refuses_writes_with_503_until_it_may_be_written_again() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let token = server.default_order().await;
    let name = name(&server).await;
    execute(
        &server,
        &format!(
            "ALTER DATABASE {name} SET default_transaction_read_only = on;
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        ),
    )
    .await;
    assert_unwritable(&server, &token).await;
    execute(
        &server,
        &format!(
            "BEGIN READ WRITE;
             ALTER DATABASE {name} RESET default_transaction_read_only;
             COMMIT"
        ),
    )
    .await;
    assert_recovered(&server, &token).await;
}

#[tokio::test]
async fn a_full_disk_of_the_database_server_refuses_writes_with_503_until_there_is_space() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let token = server.default_order().await;
    // What PostgreSQL says if a table cannot grow. The ledger's first write of a call may succeed.
    execute(
        &server,
        "CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN RAISE EXCEPTION ''could not extend file'' USING ERRCODE = ''53100''; END';
         CREATE TRIGGER no_space BEFORE INSERT OR UPDATE ON owner
             EXECUTE FUNCTION no_space();
         CREATE TRIGGER no_space BEFORE INSERT OR UPDATE ON due_work
             EXECUTE FUNCTION no_space();",
    )
    .await;
    assert_unwritable(&server, &token).await;
    execute(&server, "DROP FUNCTION no_space CASCADE").await;
    assert_recovered(&server, &token).await;
}

#[tokio::test]
async fn a_database_that_is_gone_is_reported_and_used_again_once_it_is_back() {
    if !cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let token = server.default_order().await;
    cluster::take_away(server.folder.path()).await;
    for answer in [
        order(&server, "tea-0009").await,
        server.checkout(&token).await,
        server.attempt(&token, &[("product", "native")]).await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.code(), "DATABASE_UNAVAILABLE");
    }
    server.clock.advance_ms(1_000);
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    // Without the ledger there are no counts, and the rest is still there.
    let metrics = server.read_private("/metrics").await;
    assert_eq!(metrics.status, StatusCode::OK);
    let metrics = metrics.text();
    assert!(
        metrics.contains("merchant_server_database_writable 0"),
        "{metrics}"
    );
    assert!(!metrics.contains("merchant_server_orders"), "{metrics}");
    assert!(server.inner.run_due().await.is_err());
    cluster::give_back(server.folder.path()).await;
    assert_recovered(&server, &token).await;
}

/// A network that gives every piece to the other side later.
async fn slow_network(socket: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = UnixStream::connect(&socket).await.unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(carry(from_client, to_server));
            tokio::spawn(carry(from_server, to_client));
        }
    });
    port
}

async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let mut piece = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        // This is the network's delay, and nothing waits for it to have passed.
        tokio::time::sleep(HALF_OF_50_MS).await;
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_slow_database_makes_a_payment_slow_and_nothing_else() {
    if !cluster::is_used() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let address = cluster::address(folder.path()).await;
    let (rest, socket) = address.split_once("?host=").unwrap();
    let port = slow_network(Path::new(socket).join(".s.PGSQL.5432")).await;
    let slow = rest.replace("@localhost", &format!("@127.0.0.1:{port}"));
    let server = TestServer::open_with(&format!("database = \"{slow}\"")).await;
    let token = server.default_order().await;
    let (one, other) = tokio::join!(
        server.attempt(&token, &[("product", "native")]),
        server.attempt(&token, &[("product", "native")]),
    );
    assert_eq!((one.number("attempt"), other.number("attempt")), (1, 1));
    server.pay("tea-0001").await;
    let notifications = server.take_notifications();
    let (first, second) = tokio::join!(
        server.deliver(&notifications[0]),
        server.deliver(&notifications[0]),
    );
    assert_eq!(first.status, StatusCode::NO_CONTENT);
    assert_eq!(second.status, StatusCode::NO_CONTENT);
    let refund = json!({ "refund_no": "R-0001", "amount_fen": 90 }).to_string();
    let path = "/v1/orders/tea-0001/refunds";
    let refund = server.send(backend(path, API_KEY, refund)).await;
    assert!(refund.status.is_success(), "{}", refund.json);
    let order = server.shown("/tea-0001").await;
    assert_eq!(order.string("state"), "paid");
    assert_eq!(order.json["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_at_the_start_is_tried_for_a_while_and_never_shows_its_password()
 {
    if !cluster::is_used() {
        return;
    }
    // Port 9 of this machine: nobody listens.
    let unreachable = "postgres://till:hushhush@127.0.0.1:9/ledger";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.toml");
    let lines = format!("listen = \"127.0.0.1:0\"\ndatabase = \"{unreachable}\"");
    std::fs::write(&file, configuration(&lines)).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_merchant-server"));
    command.args(["serve", "--config"]).arg(&file).env_clear();
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    let ended = ended.await.unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(
        said.matches("waiting for the database").count() > 5,
        "{said}"
    );
    assert!(said.contains("the database cannot be reached"), "{said}");
    assert!(!said.contains("hushhush"), "{said}");
}
