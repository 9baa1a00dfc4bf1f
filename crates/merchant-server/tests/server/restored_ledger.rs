//! A copy of the database that is restored: an older state. What WeChat did since comes back by
//! `reconcile`, for every order that is in the copy. PostgreSQL's copy is made with pg_dump.

use std::path::Path;
use std::process::Command;

use merchant_server::{Config, back_up};

use crate::cluster;
use crate::test_server::{TestServer, configuration};

/// Copies the database beside the running server; returns the address of a database that has the copy.
async fn restored_copy(server: &TestServer, folder: &Path) -> String {
    let copy = folder.join("copy");
    if cluster::is_used() {
        let from = cluster::address(server.folder.path()).await;
        let to = cluster::empty(folder).await;
        run(
            "pg_dump",
            &["--format=custom", "--file", text(&copy), &from],
        );
        run(
            "pg_restore",
            &[
                "--exit-on-error",
                "--no-owner",
                "--dbname",
                &to,
                text(&copy),
            ],
        );
        return to;
    }
    let config = Config::parse(&configuration(""), server.folder.path()).unwrap();
    assert_eq!(back_up(&config, &copy).await.unwrap(), 2);
    text(&copy).to_owned()
}

fn run(program: &str, arguments: &[&str]) {
    let done = Command::new(cluster::programs().join(program))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program}: {said}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn a_restored_copy_learns_by_reconciling_what_happened_since() {
    let server = TestServer::open().await;
    for order_no in ["tea-0001", "tea-0002"] {
        let token = server
            .order(serde_json::json!({
                "order_no": order_no, "total_fen": 1990, "description": "tea",
            }))
            .await;
        server.attempt(&token, &[("product", "native")]).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = restored_copy(&server, folder.path()).await;
    server.pay("tea-0001").await;
    for notification in server.take_notifications() {
        server.deliver(&notification).await;
    }
    assert_eq!(server.shown("/tea-0001").await.string("state"), "paid");

    let restored = server.on_database(&copy).await;
    assert_eq!(restored.shown("/tea-0001").await.string("state"), "open");
    let reconciled = restored.inner.reconcile(0).await.unwrap();
    assert_eq!(reconciled.asked, 2);
    let findings: Vec<_> = { reconciled.findings.iter() }
        .map(|finding| (finding.number.as_str(), finding.here.as_str()))
        .collect();
    assert_eq!(findings, [("tea-0001", "open")]);
    assert_eq!(restored.shown("/tea-0001").await.string("state"), "paid");
    // Its backend is told again: the same event has the same id on both databases.
    let list = restored.read_private("/v1/webhooks").await;
    assert_eq!(list.json["webhooks"][0]["type"], "payment.succeeded");
    let before = server.read_private("/v1/webhooks").await;
    assert_eq!(
        list.json["webhooks"][0]["id"],
        before.json["webhooks"][0]["id"]
    );
    let again = restored.inner.reconcile(0).await.unwrap();
    assert!(again.findings.is_empty(), "{:?}", again.findings);
}
