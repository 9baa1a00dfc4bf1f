//! What PostgreSQL has to do for an attempt, in its own counts: a measurement for `docs/en/databases.md`,
//! and a test that the number of transactions does not grow unseen. It says nothing about time.

use serde_json::json;
use sqlx::{Connection as _, PgConnection, Row as _};
use tower::ServiceExt as _;

use crate::cluster;
use crate::test_server::{API_KEY, TestServer, backend, form, read};

/// How many orders are made, with an attempt each.
const ORDERS: usize = 500;
/// How many of them at once.
const AT_ONCE: usize = 16;
/// The most transactions of an order and its first attempt. More would be a regression.
const TRANSACTIONS_MAX: i64 = 8;

#[derive(Clone, Copy, Debug)]
struct Counts {
    commits: i64,
    rows_written: i64,
    wal_records: i64,
    wal_bytes: i64,
    wal_syncs: i64,
}

async fn counts(admin: &mut PgConnection) -> Counts {
    // A session sees counts of the others once these have sent them: at the end of a transaction, and
    // at most once a second.
    sqlx::raw_sql("SELECT pg_stat_clear_snapshot()")
        .execute(&mut *admin)
        .await
        .unwrap();
    let row = sqlx::query(
        "SELECT xact_commit, tup_inserted + tup_updated + tup_deleted AS rows_written,
                wal_records, CAST(wal_bytes AS BIGINT) AS wal_bytes, wal_sync
         FROM pg_stat_database, pg_stat_wal WHERE datname = current_database()",
    )
    .fetch_one(&mut *admin)
    .await
    .unwrap();
    Counts {
        commits: row.get(0),
        rows_written: row.get(1),
        wal_records: row.get(2),
        wal_bytes: row.get(3),
        wal_syncs: row.get(4),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_with_its_attempt_needs_a_bounded_number_of_transactions() {
    if !cluster::is_used() {
        return;
    }
    // The clock stands still, and so would the budget of calls.
    let server = TestServer::open_with_gateway("tries = 1\ncalls_per_second = 100000").await;
    let address = cluster::address(server.folder.path()).await;
    let mut admin = PgConnection::connect(&address).await.unwrap();
    let before = counts(&mut admin).await;
    let mut tasks = Vec::new();
    for task in 0..AT_ONCE {
        let app = server.app.clone();
        tasks.push(tokio::spawn(async move {
            for number in (task..ORDERS).step_by(AT_ONCE) {
                let order = json!({
                    "order_no": format!("tea-{number:05}"), "total_fen": 1990, "description": "tea",
                });
                let request = backend("/v1/orders", API_KEY, order.to_string());
                let created = read(app.clone().oneshot(request).await.unwrap()).await;
                let token = created.string("token").to_owned();
                let path = format!("/v1/checkouts/{token}/attempts");
                let request = form(&path, &[("product", "native")]);
                let started = read(app.clone().oneshot(request).await.unwrap()).await;
                assert_eq!(started.number("attempt"), 1, "{}", started.json);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    // Its sessions end, and so their counts are complete.
    let TestServer { inner, app, .. } = server;
    drop((inner, app));
    let orders = i64::try_from(ORDERS).unwrap();
    let after = loop {
        let others: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .fetch_one(&mut admin)
        .await
        .unwrap();
        let after = counts(&mut admin).await;
        if others == 0 && after.commits - before.commits >= 3 * orders {
            break after;
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let each = |after: i64, before: i64| (after - before) as f64 / orders as f64;
    println!(
        "an order and its first attempt, of {ORDERS} with {AT_ONCE} at once: {:.1} transactions, \
         {:.1} rows written, {:.1} WAL records, {:.0} WAL bytes, {:.2} WAL syncs",
        each(after.commits, before.commits),
        each(after.rows_written, before.rows_written),
        each(after.wal_records, before.wal_records),
        each(after.wal_bytes, before.wal_bytes),
        each(after.wal_syncs, before.wal_syncs),
    );
    assert!(after.commits - before.commits <= TRANSACTIONS_MAX * orders);
}
