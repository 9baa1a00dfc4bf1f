//! Commands of the program beside a simulator on a port of its own: what they print, and what
//! they exit with.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use jiff::Timestamp;
use jiff::tz::Offset;
use merchant_server::{Config, MerchantServer, surroundings};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use wechat_pay_simulator::{Keyring, Outgoing, Random, Simulator, SimulatorParts, Tls, serve_tls};

use crate::cluster;
use crate::test_server::{backend, configuration, form, read};

/// Longer than any command takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A merchant and WeChat on sockets, in real time, whose notifications are all lost.
struct Shop {
    folder: TempDir,
    app: axum::Router,
    simulator: Simulator,
    mchid: String,
}

impl Shop {
    async fn open() -> Self {
        Self::open_with("").await
    }

    /// The same with more lines of `[merchant]`.
    async fn open_with(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wechat = format!("http://{}", listener.local_addr().unwrap());
        let keys = folder.path().join("keys");
        let keyring =
            Keyring::load_or_create(&keys, &wechat, Timestamp::now(), &Random::system()).unwrap();
        let mchid = keyring.merchant().mchid.clone();
        let notifications =
            Outgoing::from_fn(|_| async { Ok(http::Response::new(Body::from("lost on its way"))) });
        let simulator = Simulator::new(SimulatorParts::new(keyring, notifications));
        let gateway = simulator.app();
        tokio::spawn(async move { axum::serve(listener, gateway).await });
        let text = configuration("");
        let place = text.find("from_file").unwrap();
        let text = format!(
            "{}from_file = \"{}\"\n{lines}",
            &text[..place],
            keys.join("merchant.json").display()
        );
        let text = cluster::configured(&text, folder.path()).await;
        let file = folder.path().join("s.toml");
        std::fs::write(&file, &text).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let config = Config::load(&file).unwrap();
        let around = surroundings(&config).unwrap();
        let server = MerchantServer::open(config, around).await.unwrap();
        let shop = Self {
            folder,
            app: merchant_server::app(server),
            simulator,
            mchid,
        };
        shop.control(
            "PATCH",
            "settings",
            &json!({ "bills_at_once": true, "trust": "certificates" }),
        )
        .await;
        shop
    }

    async fn control(&self, method: &str, path: &str, body: &serde_json::Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/_simulator/{path}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        let answer = self.simulator.app().oneshot(request).await.unwrap();
        assert!(answer.status().is_success(), "{path}");
    }

    /// From this call on, the merchant is a service provider with this sub-merchant.
    async fn act_for(&mut self, sub_mchid: &str) {
        let file = self.folder.path().join("s.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let table = format!("[[merchant.sub_merchants]]\nsub_mchid = \"{sub_mchid}\"\n");
        std::fs::write(&file, text + &table).unwrap();
        let config = Config::load(&file).unwrap();
        let around = surroundings(&config).unwrap();
        let server = MerchantServer::open(config, around).await.unwrap();
        self.app = merchant_server::app(server);
    }

    /// A buyer pays, and the notification is lost.
    async fn sell(&self, order_no: &str) {
        self.sell_for(order_no, None).await;
    }

    /// The same for an order of a sub-merchant.
    async fn sell_for(&self, order_no: &str, sub_mchid: Option<&str>) {
        let mut order = json!({ "order_no": order_no, "total_fen": 1990, "description": "tea" });
        if let Some(sub_mchid) = sub_mchid {
            order["sub_mchid"] = sub_mchid.into();
        }
        let request = backend("/v1/orders", crate::test_server::API_KEY, order.to_string());
        let made = read(self.app.clone().oneshot(request).await.unwrap()).await;
        let token = made.string("token");
        let attempts = format!("/v1/checkouts/{token}/attempts");
        let request = form(&attempts, &[("product", "native")]);
        let begun = read(self.app.clone().oneshot(request).await.unwrap()).await;
        assert_eq!(begun.status, 200, "{}", begun.json);
        let pay = json!({
            "mchid": self.mchid, "sub_mchid": sub_mchid, "out_trade_no": order_no,
            "outcome": "success",
        });
        self.control("POST", "pay", &pay).await;
    }

    /// Runs the program; returns the exit code and the output.
    async fn run(&self, words: &[&str]) -> (i32, String) {
        self.run_in(words, &[]).await
    }

    /// The same in an environment.
    async fn run_in(&self, words: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
        let ended = tokio::process::Command::new(env!("CARGO_BIN_EXE_merchant-server"))
            .args(words)
            .args(["--config", "s.toml"])
            .current_dir(self.folder.path())
            .env_clear()
            .envs(environment.iter().copied())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, ended)
            .await
            .expect("a command that is not refused may serve forever")
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), format!("{said}{log}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_agrees_after_reconciliation() {
    let shop = Shop::open().await;
    shop.sell("tea-0001").await;
    let today = Offset::constant(8).to_datetime(Timestamp::now()).date();
    let today = today.to_string();

    let (code, said) = shop.run(&["bill", &today]).await;
    assert_eq!(code, 1, "{said}");
    let table = "kind                  out_trade_no  out_refund_no  here  there\n\
                 payment_missing_here  tea-0001                     open  1990\n";
    assert!(said.starts_with(table), "{said}");
    let (code, said) = shop.run(&["bill", &today, "--format", "csv"]).await;
    assert_eq!(code, 1, "{said}");
    let csv = "\u{feff}kind,out_trade_no,out_refund_no,here,there\r\n\
               payment_missing_here,`tea-0001,,`open,1990\r\n";
    // What follows is on the standard error.
    let rest = said.strip_prefix(csv).unwrap();
    assert!(rest.contains("1 differences"), "{said}");

    let since = ["reconcile", "--since", "2026-01-01T00:00:00+08:00"];
    let (code, said) = shop.run(&since).await;
    assert_eq!(code, 1, "{said}");
    assert!(
        said.starts_with(
            "number    here  done                   there\n\
             tea-0001  open  the order is paid now  paid\n"
        ),
        "{said}"
    );
    let (code, said) = shop.run(&since).await;
    assert_eq!(code, 0, "{said}");
    let csv = [&since[..], &["--format", "csv"]].concat();
    let (code, said) = shop.run(&csv).await;
    assert_eq!(code, 0, "{said}");
    let heading = "\u{feff}number,here,done,there\r\n1 attempts and refunds queried";
    assert!(said.starts_with(heading), "{said}");
    let (code, said) = shop.run(&since).await;
    assert_eq!(code, 0, "{said}");
    assert!(
        said.starts_with("1 attempts and refunds queried, 0 did not agree"),
        "{said}"
    );
    let (code, said) = shop.run(&["bill", &today]).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("1 payments of 1990 fen"), "{said}");

    let span = |to| ["--from", "2026-01-01T00:00:00Z", "--to", to];
    let words = [&["export", "payments"][..], &span("2999-01-01T00:00:00Z")].concat();
    let (code, said) = shop.run(&words).await;
    assert_eq!(code, 0, "{said}");
    assert!(
        said.starts_with("\u{feff}out_trade_no,transaction_id,"),
        "{said}"
    );
    assert!(said.contains("\r\n`tea-0001,`42"), "{said}");
    let words = [&["export", "payments"][..], &span("2026-01-01T00:00:00Z")].concat();
    let (code, said) = shop.run(&words).await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("--to must be later than --from"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bill_is_saved_once_and_wrong_arguments_are_refused() {
    let shop = Shop::open().await;
    shop.sell("tea-0001").await;
    let today = Offset::constant(8).to_datetime(Timestamp::now()).date();
    let today = today.to_string();
    let (code, said) = shop.run(&["bill", &today, "--save", "trade.csv"]).await;
    assert_eq!(code, 0, "{said}");
    let saved = std::fs::read_to_string(shop.folder.path().join("trade.csv")).unwrap();
    assert!(
        saved.contains("tea-0001") && saved.contains("19.90"),
        "{saved}"
    );
    let flow = ["bill", &today, "--save", "flow.csv", "--fund-flow", "basic"];
    assert_eq!(shop.run(&flow).await.0, 0);
    let (code, said) = shop.run(&["bill", &today, "--save", "trade.csv"]).await;
    assert_eq!(code, 1, "an older file is not written over: {said}");
    for day in ["someday", "2026-11-31", "20261121"] {
        let (code, said) = shop.run(&["bill", day]).await;
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("must be a day in Asia/Shanghai"), "{said}");
    }
    for more in [
        &[][..],
        &["--save", "s.csv"],
        &["--save", "s.csv", "--fund-flow", "fees"],
    ] {
        let words = [&["bill", &today, "--sub-mchid", "1600000000"], more].concat();
        let (code, said) = shop.run(&words).await;
        assert_eq!(code, 2, "{said}");
        let says = "sub_mchid is for service providers";
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(shop.run(&["reconcile", "--since", "someday"]).await.0, 2);

    let (code, said) = shop.run(&["keys", "list", "--live"]).await;
    assert_eq!(code, 0, "{said}");
    for kind in [
        "merchant certificate",
        "WeChat certificate",
        "WeChat public key",
    ] {
        assert_eq!(said.matches(kind).count(), 1, "{kind} in {said}");
    }
    let (code, said) = shop.run(&["check-config", "--live"]).await;
    assert_eq!(code, 0, "{said}");
    // The tests may be built before the element is.
    let mut warnings = said.lines().filter(|line| line.contains("warning"));
    assert!(
        warnings.all(|line| line.contains("built without the element")),
        "{said}"
    );
    let apis = "\napi          v3; v2 for what it made and for notifications\n";
    assert!(said.contains(apis), "{said}");
    assert!(
        said.contains("\nproved     merchant.api_v3_key: "),
        "{said}"
    );
    assert!(said.contains("\nnot proved merchant.appid wx"), "{said}");
    let (code, said) = shop.run(&["check-config", "--live", "--place-order"]).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(" belongs to mchid "), "{said}");
    assert!(!said.contains("\nnot proved merchant.appid"), "{said}");
    assert_eq!(shop.run(&["check-config", "--place-order"]).await.0, 2);
    let (code, said) = shop.run(&["mismatches", "list"]).await;
    assert_eq!((code, &*said), (0, "0 unresolved mismatches\n"));
    let (code, said) = shop.run(&["mismatches", "done", "1"]).await;
    assert_eq!(code, 1);
    assert!(said.contains("there is no mismatch 1"), "{said}");
    let long = "a".repeat(1_001);
    let (code, said) = shop
        .run(&["mismatches", "done", "1", "--note", &long])
        .await;
    assert_eq!(code, 2, "{said}");
    // PostgreSQL has programs of its own for copies.
    let first = i32::from(cluster::is_used());
    assert_eq!(shop.run(&["backup", "copy.sqlite3"]).await.0, first);
    assert_eq!(shop.run(&["backup", "copy.sqlite3"]).await.0, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_check_that_finds_an_error_exits_with_1_and_names_it() {
    let shop = Shop::open().await;
    let file = shop.folder.path().join("s.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    let secret = "app_secret = \"0123456789abcdef0123456789abcdef\"\nfrom_file =";
    std::fs::write(&file, good.replace("from_file =", secret)).unwrap();
    let (code, said) = shop.run(&["check-config", "--live"]).await;
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("\nwrong      merchant.app_secret: "),
        "{said}"
    );
    assert!(said.contains(" 1 wrong\n"), "{said}");
    assert!(!said.contains("0123456789abcdef"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_saves_a_sub_merchants_flow_of_funds() {
    let mut shop = Shop::open().await;
    let sub = shop.simulator.sub_merchant_of(1, &shop.mchid).sub_mchid;
    shop.act_for(&sub).await;
    shop.sell_for("tea-0001", Some(&sub)).await;
    let today = Offset::constant(8).to_datetime(Timestamp::now()).date();
    let today = today.to_string();
    let words = ["bill", &today, "--sub-mchid", &sub, "--save", "flow.csv"];
    let (code, said) = shop
        .run(&[&words[..], &["--fund-flow", "basic"]].concat())
        .await;
    assert_eq!(code, 0, "{said}");
    let saved = std::fs::read_to_string(shop.folder.path().join("flow.csv")).unwrap();
    assert!(
        saved.contains("`tea-0001") && saved.contains("`19.90"),
        "{saved}"
    );
    let words = ["bill", &today, "--sub-mchid", "1999999999"];
    let (code, said) = shop.run(&words).await;
    assert_eq!(code, 2, "{said}");
    let says = "is none of the configured sub-merchants";
    assert!(said.contains(says), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_another_merchants_database_every_command_is_refused() {
    let shop = Shop::open().await;
    let pool = cluster::opened(&cluster::address(shop.folder.path()).await).await;
    sqlx::query("UPDATE owner SET mchid = '1900000001'")
        .execute(&pool)
        .await
        .unwrap();
    for words in [
        &["serve"][..],
        &["migrate"],
        &["orders", "show", "tea-0001"],
        &["bill", "2026-11-21"],
        &["mismatches", "list"],
        &["mismatches", "done", "1"],
        &["reconcile", "--since", "2026-11-21T00:00:00Z"],
        &["backup", "copy.sqlite3"],
        &["codes", "list"],
        &["codes", "add", "tea-1", "--name", "茶", "--price-fen", "1"],
        &["codes", "print", "--to", "codes.pdf"],
    ] {
        let (code, said) = shop.run(words).await;
        assert_eq!(code, 2, "{words:?}: {said}");
        assert!(said.contains("merchant.mchid must be 1900000001"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_refund_command_refunds_once() {
    let shop = Shop::open().await;
    shop.sell("tea-0001").await;
    let all = ["refund", "tea-0001", "--all", "--refund-no", "R-1"];
    let (code, said) = shop.run(&all).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("ORDER_NOT_PAID"), "{said}");
    shop.run(&["reconcile", "--since", "2026-01-01T00:00:00+08:00"])
        .await;
    for _ in 0..2 {
        let (code, said) = shop.run(&all).await;
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("\"amount_fen\": 1990"), "{said}");
        assert!(said.contains("\"state\": \"processing\""), "{said}");
    }
    let refunds = shop.simulator.ledger_view(None).refunds;
    assert_eq!(refunds.len(), 1);
    let more = ["refund", "tea-0001", "--fen", "1", "--refund-no", "R-2"];
    let (code, said) = shop.run(&more).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("REFUND_TOO_MUCH"), "{said}");
    for usage in [
        &["refund", "tea-0001", "--refund-no", "R-3"][..],
        &[
            "refund",
            "tea-0001",
            "--all",
            "--fen",
            "1",
            "--refund-no",
            "R-3",
        ],
        &["refund", "tea-0001", "--all"],
        &["refund", "tea-0001", "--fen", "0.01", "--refund-no", "R-3"],
    ] {
        assert_eq!(shop.run(usage).await.0, 2, "{usage:?}");
    }
}

/// Over real TLS: WeChat refuses a refund of version 2 without the merchant's certificate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_of_version_2_presents_the_merchants_certificate() {
    let shop = Shop::open_with("api = \"v2\"\n").await;
    shop.sell("tea-0001").await;
    shop.sell("tea-0002").await;
    let since = ["reconcile", "--since", "2026-01-01T00:00:00+08:00"];
    shop.run(&since).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = format!("https://{}", listener.local_addr().unwrap());
    let keys = shop.folder.path().join("keys");
    let tls = Tls::load_or_create(&keys, &shop.simulator, &[]).unwrap();
    tokio::spawn(serve_tls(listener, shop.simulator.app(), tls));
    let authority = keys.join("tls_ca.pem").display().to_string();
    let at_gateway = ("MERCHANT_SERVER__GATEWAY__BASE_URL", &*gateway);

    // A gateway that nobody vouches for gets no call.
    let untrusted = ["refund", "tea-0001", "--fen", "1", "--refund-no", "R-1"];
    let (_, said) = shop.run_in(&untrusted, &[at_gateway]).await;
    assert!(said.contains("\"state\": \"requested\""), "{said}");
    assert_eq!(shop.simulator.ledger_view(None).refunds.len(), 0);

    let trusted = [at_gateway, ("SSL_CERT_FILE", &authority)];
    let refund = ["refund", "tea-0002", "--fen", "2", "--refund-no", "R-2"];
    let (code, said) = shop.run_in(&refund, &trusted).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("\"state\": \"processing\""), "{said}");
    assert_eq!(shop.simulator.ledger_view(None).refunds.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn product_codes_are_added_listed_printed_and_removed() {
    let shop = Shop::open().await;
    let add = [
        "codes",
        "add",
        "tea-1",
        "--name",
        "一壶茶",
        "--price-fen",
        "1990",
    ];
    assert_eq!(shop.run(&add).await.0, 0);
    let (code, said) = shop.run(&add).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("already"), "{said}");
    let (code, said) = shop.run(&["codes", "list"]).await;
    assert_eq!(code, 0, "{said}");
    let is_listed = said.contains("tea-1") && said.contains("1990 fen") && said.contains("一壶茶");
    assert!(is_listed, "{said}");
    for (file, begin, part) in [
        ("codes.pdf", "%PDF-1.4", "(tea-1) Tj"),
        ("codes.html", "<!DOCTYPE html>", "一壶茶"),
        ("codes.svg", "<?xml", "width=\"50mm\""),
    ] {
        let (code, said) = shop.run(&["codes", "print", "--to", file]).await;
        assert_eq!(code, 0, "{said}");
        let text = std::fs::read_to_string(shop.folder.path().join(file)).unwrap();
        assert!(text.starts_with(begin) && text.contains(part), "{file}");
        let (code, said) = shop.run(&["codes", "print", "--to", file]).await;
        assert_eq!(code, 1, "an older print stays: {said}");
    }
    for (words, expected, says) in [
        (
            &["codes", "print", "--to", "codes.doc"][..],
            1,
            "must end in",
        ),
        (&["codes", "print", "tea-9", "--to", "x.pdf"], 1, "tea-9"),
        (
            &["codes", "print", "--side-mm", "20", "--to", "x.pdf"],
            2,
            "30..=180",
        ),
        (
            &["codes", "add", "tea 2", "--name", "茶", "--price-fen", "1"],
            2,
            "product_id",
        ),
        (
            &["codes", "add", "tea-2", "--name", "茶"],
            2,
            "[scan_webhook]",
        ),
        (&["codes", "remove", "tea-1"], 0, "removed"),
        (&["codes", "remove", "tea-1"], 1, "tea-1"),
        (&["codes", "print", "--to", "x.pdf"], 1, "add one first"),
    ] {
        let (code, said) = shop.run(words).await;
        assert_eq!(code, expected, "{words:?}: {said}");
        assert!(said.contains(says), "{words:?}: {said}");
    }
}

#[test]
fn a_new_api_key_is_printed_with_the_hash_for_the_configuration() {
    let make = || {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_merchant-server"))
            .args(["keys", "new", "shop"])
            .env_clear()
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let said = make();
    assert_ne!(said, make());
    let key = said.lines().nth(1).unwrap().trim();
    assert_eq!(key.len(), 44);
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes());
    let digits = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
    let hex: String = digits.collect();
    let place = said.find("[[api_keys]]").unwrap();
    assert!(said[place..].contains(&hex), "{said}");
    let keys = said[place..].replace("  ", "");
    let text = configuration("").replace("[gateway]", &format!("{keys}\n[gateway]"));
    Config::parse(&text, Path::new(".")).unwrap();
}
