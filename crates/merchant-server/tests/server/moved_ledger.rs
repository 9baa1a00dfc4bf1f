//! `merchant-server migrate --from sqlite:… --to postgres://…`: every row arrives, or none, and nobody
//! works on either side meanwhile.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use merchant_server::{
    Config, MerchantServer, Moved, NotMoved, Surroundings, SystemRandomness, move_ledger,
    show_order,
};
use serde_json::{Value, json};
use sqlx::{AnyPool, AssertSqlSafe};
use tempfile::TempDir;

use crate::cluster;
use crate::oauth::{authorize_url, handle, through_wechat};
use crate::test_server::{
    API_KEY, MINUTE_MS, START_MS, TestServer, backend, configuration, payment_notification,
    transaction,
};
use crate::webhooks::{SECRET, TARGET};

const FILE: &str = "ledger.sqlite3";
/// Characters that a line of COPY escapes, in a column that anybody's text may reach.
const ODD: &str = "a\tb\\N\r\n\u{b}\u{8}茶\u{1f375}\\.";
/// What no test reaches in a few calls. The refund has a state of its own.
const RARE: [&str; 15] = [
    "INSERT INTO refund_mismatches (out_refund_no, refund_id, reason, resource, received_ms, no)
     VALUES ('R-9', '5030', 'amount', '{}', 1, 900)",
    "INSERT INTO kept_notifications (id, event_type, reason, resource, received_ms, no)
     VALUES ('N-9', 'TRANSACTION.NEW', 'event_type', '{}', 1, 901)",
    "INSERT INTO product_codes (merchant, product_id, name, price_fen, created_ms, nonce)
     VALUES (1, 'tea-1', 'tea', 1990, 1, 'nonce')",
    "INSERT INTO product_scans (merchant, id, product_id, buyer, order_id, scanned_ms)
     SELECT 1, 'scan', 'tea-1', 'buyer', MIN(id), 1 FROM orders",
    "INSERT INTO desk_sessions (token_sha256, merchant, key_mark, begun_ms, seen_ms)
     VALUES ('00', 1, '01', 1, 2)",
    "INSERT INTO desk_actions (merchant, at_ms, key_name, action, order_no, subject, outcome)
     VALUES (1, 1, 'clerk', 'refund', 'tea-0001', 'R-1', 'done')",
    "INSERT INTO shippings (merchant, order_id, number, request, body, state, created_ms, state_ms,
                            upload_ms)
     SELECT 1, MIN(id), 1, '{\"logistics_type\":\"virtual\",\"delivery_mode\":\"unified\",\"shipping_list\":[]}',
            x'00', 'uploaded', 1, 1, 1 FROM orders",
    "INSERT INTO payment_links (merchant, id, link_no, request, uses_max, created_ms, expires_ms)
     VALUES (1, 'AAAAAAAAAAAAAAAAAAAAAA', 'table-7', '{\"description\":\"tea\",\"total_fen\":1}', 1, 1, 2)",
    "UPDATE orders SET link_id = 'AAAAAAAAAAAAAAAAAAAAAA', note = ?",
    "INSERT INTO shares (merchant, number, kind, order_id, out_trade_no, transaction_id, amount_fen,
                         receivers, request, body, state, created_ms, state_ms)
     SELECT 1, 'P-9', 'share', MIN(id), 'tea-0001', '42', 800, '[]', '{}', x'00', 'finished', 1, 1
     FROM orders",
    "INSERT INTO sub_orders (merchant, order_id, place, sub_order_no, amount_fen, description)
     SELECT 1, MIN(id), 1, 'stall-7', 1990, 'tea' FROM orders",
    "INSERT INTO sub_payments (merchant, order_id, attempt, place, out_trade_no, transaction_id)
     SELECT 1, MIN(id), 1, 1, 'sub-0001', '43' FROM orders",
    "INSERT INTO buyer_problems (merchant, day_ms, code, count) VALUES (1, 0, 'RATE_LIMITED', 2)",
    "UPDATE orders SET description = ?, shown_ms = 7",
    "UPDATE webhooks SET last_outcome = ?",
];

/// A ledger of SQLite with rows in every table.
struct Source {
    /// The folder that the ledger is in.
    server: TestServer,
}

impl Source {
    async fn fill() -> Self {
        let lines = format!("database = \"{FILE}\"");
        let target = format!("[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\n");
        let text = configuration(&lines) + &target;
        let server = TestServer::open_configured(&text).await;
        let token = server.default_order().await;
        let url = authorize_url(&server, &token).await;
        let payer = handle(&server.get(&through_wechat(&server, &url).await).await);
        let fields = [
            ("product", "jsapi"),
            ("return_url", "http://127.0.0.1:8000/pay"),
            ("payer", &payer),
        ];
        let started = server.attempt(&token, &fields).await;
        assert_eq!(started.number("attempt"), 1, "{}", started.json);
        server.pay("tea-0001").await;
        for notification in server.take_notifications() {
            server.deliver(&notification).await;
        }
        let refund = json!({ "refund_no": "R-0001", "amount_fen": 90 }).to_string();
        server
            .send(backend("/v1/orders/tea-0001/refunds", API_KEY, refund))
            .await;
        let stray = payment_notification("N1", &transaction("unmatched-0001", 7), START_MS);
        server.deliver(&stray).await;
        let open = json!({ "order_no": "tea-0002", "total_fen": 5, "description": "tea" });
        let open = server.order(open).await;
        server.attempt(&open, &[("product", "native")]).await;
        server.later(MINUTE_MS).await;
        let source = Self { server };
        for statement in RARE {
            source.change(statement).await;
        }
        for (table, rows) in source.rows().await {
            assert!(
                rows > 0,
                "{table} has no row, so nothing of it would be moved"
            );
        }
        source
    }

    fn file(&self) -> PathBuf {
        self.server.folder.path().join(FILE)
    }

    async fn pool(&self) -> AnyPool {
        cluster::opened(&format!("sqlite://{}", self.file().display())).await
    }

    async fn change(&self, statement: &str) {
        let pool = self.pool().await;
        let binds = usize::from(statement.contains('?'));
        let statement = AssertSqlSafe(statement.to_owned());
        let mut statement = sqlx::query(statement);
        if binds > 0 {
            statement = statement.bind(ODD);
        }
        statement.execute(&pool).await.unwrap();
        pool.close().await;
    }

    async fn rows(&self) -> Vec<(String, i64)> {
        let pool = self.pool().await;
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
               AND name <> '_sqlx_migrations' ORDER BY name",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        let mut rows = Vec::new();
        for name in names {
            let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {name}"));
            let count: i64 = sqlx::query_scalar(count).fetch_one(&pool).await.unwrap();
            rows.push((name, count));
        }
        pool.close().await;
        rows
    }

    /// The server ends; its file stays.
    async fn end(self) -> Ended {
        let file = self.file();
        let rows = self.rows().await;
        let shown = shown(&config(FILE, self.server.folder.path())).await;
        let TestServer {
            folder, inner, app, ..
        } = self.server;
        drop((inner, app));
        Ended {
            _folder: folder,
            file,
            rows,
            shown,
        }
    }
}

/// A ledger whose server has ended.
struct Ended {
    _folder: TempDir,
    file: PathBuf,
    rows: Vec<(String, i64)>,
    /// Its orders, as the command line shows them.
    shown: Vec<Value>,
}

fn config(database: &str, folder: &Path) -> Config {
    Config::parse(
        &configuration(&format!("database = \"{database}\"")),
        folder,
    )
    .unwrap()
}

async fn shown(config: &Config) -> Vec<Value> {
    let mut shown = Vec::new();
    for order_no in ["tea-0001", "tea-0002"] {
        let order = show_order(config, order_no).await.unwrap().unwrap();
        shown.push(serde_json::from_str(&order).unwrap());
    }
    shown
}

/// A server whose last call has ended may hold its lock for a moment.
async fn moved(file: &Path, to: &str) -> Result<Moved, NotMoved> {
    loop {
        match move_ledger(file, to).await {
            Err(NotMoved::TargetInUse) => tokio::task::yield_now().await,
            outcome => return outcome,
        }
    }
}

async fn execute(address: &str, statement: &str) {
    let pool = cluster::opened(address).await;
    let statement = AssertSqlSafe(statement.to_owned());
    sqlx::raw_sql(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

async fn tables(address: &str) -> i64 {
    let pool = cluster::opened(address).await;
    let count = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
    let count = sqlx::query_scalar(count).fetch_one(&pool).await.unwrap();
    pool.close().await;
    count
}

#[tokio::test]
async fn a_moved_ledger_has_every_row_and_goes_on_counting() {
    if !cluster::is_used() {
        return;
    }
    let source = Source::fill().await.end().await;
    let folder = tempfile::tempdir().unwrap();
    let to = cluster::empty(folder.path()).await;
    let moved = moved(&source.file, &to).await.unwrap();
    let mut rows: Vec<_> = { moved.tables.iter() }
        .map(|table| (table.name.clone(), i64::try_from(table.rows).unwrap()))
        .collect();
    rows.sort();
    assert_eq!(rows, source.rows);
    assert_eq!(moved.sums.ordered_fen, 1995);
    assert_eq!(moved.sums.paid_fen, 1990);
    assert_eq!(moved.sums.refunds_fen, 90);
    assert_eq!(shown(&config(&to, folder.path())).await, source.shown);
    // Rows that are made afterwards get numbers of their own.
    let mut server = TestServer::open_with(&format!("database = \"{to}\"")).await;
    // The tests' own random numbers begin again, and would give tokens that are in the ledger.
    let surroundings = Surroundings {
        clock: Arc::new(server.clock.clone()),
        randomness: Arc::new(SystemRandomness),
        wechat: Arc::new(server.wechat.clone()),
        webhooks: Arc::new(server.backend.clone()),
    };
    let inner = MerchantServer::open(config(&to, folder.path()), surroundings).await;
    server.app = merchant_server::app(inner.unwrap());
    let token = server
        .order(json!({ "order_no": "tea-0003", "total_fen": 5, "description": "tea" }))
        .await;
    let started = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(started.number("attempt"), 1);
    let stray = payment_notification("N2", &transaction("unmatched-0002", 7), START_MS);
    assert!(server.deliver(&stray).await.status.is_success());
}

#[tokio::test]
async fn a_ledger_is_moved_into_an_empty_database_of_its_own_owner_only() {
    if !cluster::is_used() {
        return;
    }
    let source = Source::fill().await.end().await;
    let folder = tempfile::tempdir().unwrap();
    let to = cluster::empty(folder.path()).await;
    merchant_server::migrate(&config(&to, folder.path()))
        .await
        .unwrap();
    execute(&to, "UPDATE owner SET mchid = '1900000001'").await;
    let refused = moved(&source.file, &to).await;
    assert!(matches!(refused, Err(NotMoved::OtherOwner)), "{refused:?}");
    execute(&to, "DELETE FROM owner").await;
    moved(&source.file, &to).await.unwrap();
    let refused = moved(&source.file, &to).await;
    assert!(matches!(refused, Err(NotMoved::NotEmpty(_))), "{refused:?}");
}

#[tokio::test]
async fn nothing_is_moved_while_a_server_works_on_either_side() {
    if !cluster::is_used() {
        return;
    }
    let source = Source::fill().await;
    let folder = tempfile::tempdir().unwrap();
    let to = cluster::empty(folder.path()).await;
    let file = source.file();
    let refused = move_ledger(&file, &to).await;
    assert!(
        matches!(refused, Err(NotMoved::FileInUse(_))),
        "{refused:?}"
    );
    let source = source.end().await;
    let server = TestServer::open_with(&format!("database = \"{to}\"")).await;
    let refused = move_ledger(&file, &to).await;
    assert!(matches!(refused, Err(NotMoved::TargetInUse)), "{refused:?}");
    drop(server);
    moved(&source.file, &to).await.unwrap();
}

#[tokio::test]
async fn a_move_that_fails_at_a_late_row_leaves_the_target_as_it_was() {
    if !cluster::is_used() {
        return;
    }
    let source = Source::fill().await;
    // A row that the target does not take, in a table that comes late.
    let pool = source.pool().await;
    sqlx::raw_sql("PRAGMA ignore_check_constraints = ON; UPDATE refunds SET amount_fen = 0")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    let source = source.end().await;
    let folder = tempfile::tempdir().unwrap();
    let to = cluster::empty(folder.path()).await;
    let failed = moved(&source.file, &to).await.unwrap_err().to_string();
    assert!(
        failed.contains("the target: database: (code: 23"),
        "{failed}"
    );
    assert_eq!(tables(&to).await, 0, "not even the tables");
}

#[tokio::test]
async fn sides_that_cannot_be_moved_are_refused_with_the_reason() {
    if !cluster::is_used() {
        return;
    }
    let source = Source::fill().await.end().await;
    let folder = tempfile::tempdir().unwrap();
    let foreign = cluster::empty(folder.path()).await;
    execute(&foreign, "CREATE TABLE guests (name TEXT)").await;
    let folder = tempfile::tempdir().unwrap();
    let newer = cluster::empty(folder.path()).await;
    merchant_server::migrate(&config(&newer, folder.path()))
        .await
        .unwrap();
    execute(
        &newer,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of the future', TRUE, '', 0)",
    )
    .await;
    let folder = tempfile::tempdir().unwrap();
    let to = cluster::empty(folder.path()).await;
    let no_ledger = folder.path().join("text");
    std::fs::write(&no_ledger, "no database").unwrap();
    let missing = folder.path().join("missing");
    for (file, to, reason) in [
        (&source.file, &foreign, "none that merchant-server made"),
        (&source.file, &newer, "is at version 9999"),
        (
            &source.file,
            &"mysql://secret@x/y".to_owned(),
            "must begin with postgres://",
        ),
        (&missing, &to, "there is no file"),
        (&no_ledger, &to, "the file: database:"),
    ] {
        let refused = moved(file, to).await.unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");
    }
    let pool = cluster::opened(&format!("sqlite://{}", source.file.display())).await;
    let older = "DELETE FROM _sqlx_migrations WHERE version >= 31";
    sqlx::query(older).execute(&pool).await.unwrap();
    pool.close().await;
    let refused = moved(&source.file, &to).await.unwrap_err().to_string();
    assert!(refused.contains("lacks migration 31"), "{refused}");
    assert_eq!(tables(&to).await, 0);
}

fn run(from: &str, to: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_merchant-server"));
    command.args(["migrate", "--from", from, "--to", to]);
    command.env_clear().output().unwrap()
}

#[tokio::test]
async fn the_command_prints_what_it_moved_and_never_the_password() {
    if !cluster::is_used() {
        return;
    }
    let source = Source::fill().await.end().await;
    let folder = tempfile::tempdir().unwrap();
    let to = cluster::empty(folder.path()).await;
    let to = to.replace("postgres@localhost", "postgres:hushhush@localhost");
    let from = format!("sqlite:{}", source.file.display());
    let done = run(&from, &to);
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(
        said.contains("orders                         2 rows"),
        "{said}"
    );
    assert!(said.contains("of which 1990 fen are paid"), "{said}");
    assert!(!said.contains("hushhush"), "{said}");
    for (from, to, code, reason) in [
        (&*from, &*to, 1, "into an empty database only"),
        ("mysql:x", &*to, 2, "--from must be sqlite:FILE"),
        (
            &*from,
            "postgres://me:hushhush@host",
            2,
            "must name a database",
        ),
    ] {
        let refused = run(from, to);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(code), "{said}");
        assert!(said.contains(reason), "{said}");
        assert!(!said.contains("hushhush"), "{said}");
    }
}
