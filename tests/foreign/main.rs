//! Foreign clients against the simulator, unchanged but for its address: what keeps simulator
//! and server from agreeing with each other and with nobody else.
//!
//! Each client is installed with pinned versions into a folder of its own that later runs use
//! again (`WECHAT_PAY_FOREIGN`, by default one beside the build). The installing goes to the
//! registries; the clients themselves speak to this machine alone.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "in a test a panic is the report, and each client's own words are too"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use payment_tests::simulator::LiveSimulator;
use wechat_pay_simulator::Settings;

#[tokio::test(flavor = "multi_thread")]
async fn wechatpayv3_from_pypi_passes() {
    let cache = cache("wechatpayv3");
    let python = cache.join("venv/bin/python");
    let requirements = source("wechatpayv3/requirements.txt");
    install_once(&cache, &requirements, || {
        run(Command::new("python3")
            .args(["-m", "venv"])
            .arg(cache.join("venv")));
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(&requirements));
    });
    let simulator = simulator().await;
    pass(
        Command::new(&python).arg(source("wechatpayv3/client.py")),
        &simulator,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wechatpay_axios_plugin_from_npm_passes() {
    let cache = cache("axios-plugin");
    let lock = source("axios-plugin/package-lock.json");
    install_once(&cache, &lock, || {
        for file in ["package.json", "package-lock.json"] {
            let from = source("axios-plugin").join(file);
            std::fs::copy(from, cache.join(file)).unwrap();
        }
        run(Command::new("npm").arg("ci").current_dir(&cache));
    });
    let simulator = simulator().await;
    let mut node = Command::new("node");
    node.arg(source("axios-plugin/client.js"))
        .env("NODE_PATH", cache.join("node_modules"));
    pass(&mut node, &simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wxpay_rs_from_crates_io_passes() {
    let cache = cache("wxpay-rs");
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "--locked", "--manifest-path"])
        .arg(source("wxpay-rs/Cargo.toml"))
        .arg("--target-dir")
        .arg(&cache);
    run(&mut build);
    let simulator = simulator().await;
    let client = cache.join("debug/foreign-wxpay-rs");
    pass(&mut Command::new(client), &simulator).await;
}

/// With bills of today, which the clients fetch.
async fn simulator() -> LiveSimulator {
    let live = LiveSimulator::start().await;
    let settings = Settings::default().with("bills_at_once=true").unwrap();
    live.simulator.set_settings(settings);
    live
}

/// The client runs through; what it says is this test's report.
async fn pass(client: &mut Command, simulator: &LiveSimulator) {
    let merchant_json = simulator.merchant_json();
    client.arg(merchant_json.parent().unwrap());
    for name in [
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "all_proxy",
    ] {
        client.env_remove(name);
    }
    let mut client = tokio::process::Command::from(std::mem::replace(client, Command::new("")));
    let output = client.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.ends_with("all holds\n"), "{said}\n{complained}");
}

/// Installs unless the very same pins are installed already.
fn install_once(cache: &Path, pins: &Path, install: impl FnOnce()) {
    static TURN: OnceLock<std::sync::Mutex<()>> = OnceLock::new();
    let turn = TURN.get_or_init(std::sync::Mutex::default).lock();
    let wanted = std::fs::read(pins).unwrap();
    let mark = cache.join("installed");
    if std::fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return;
    }
    install();
    std::fs::write(&mark, wanted).unwrap();
    drop(turn);
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("foreign")
        .join(name)
}

fn cache(name: &str) -> PathBuf {
    let root = std::env::var_os("WECHAT_PAY_FOREIGN").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("foreign"),
        PathBuf::from,
    );
    let folder = root.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
