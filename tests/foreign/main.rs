//! Foreign clients against the simulator; only its address is changed in them. Without them,
//! simulator and server could agree with each other and with no other program.
//!
//! `cargo xtask test --only foreign` installs the clients, pinned, and gives this test their paths.
//! The installation uses the registries; the clients themselves connect to this machine only.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "in a test a panic is the report, and each client's own words are too"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use payment_tests::simulator::LiveSimulator;
use wechat_pay_simulator::Settings;

/// What every client shows, besides what only some clients show: the words after `holds:`.
const SHOWN_BY_ALL: [&str; 9] = [
    "order",
    "query",
    "close",
    "refund",
    "refund query",
    "notification received and opened",
    "bill downloaded, with its digest",
    "a wrong merchant key is refused",
    "a reply that the client's key does not fit is not believed",
];

/// The same for a client of version 2, over HTTPS and with the merchant's certificate.
const SHOWN_IN_VERSION_2: [&str; 12] = [
    "order",
    "query",
    "close",
    "refund",
    "refund query",
    "notification received and verified",
    "notification of the refund opened",
    "code pay",
    "reverse",
    "bill downloaded",
    "a refund without the merchant's certificate is refused",
    "a wrong merchant key is refused",
];

#[tokio::test(flavor = "multi_thread")]
async fn wechatpayv3_from_pypi_passes() {
    let mut python = Command::new(place("FOREIGN_PYTHON"));
    // Its first part fetches the certificates; its second asks for the public key.
    let client = python.arg(source("wechatpayv3/client.py"));
    pass(client, "certificates", &SHOWN_BY_ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wechatpay_axios_plugin_from_npm_passes() {
    // The client has its verification key from the start, so it works with both kinds of trust.
    for trust in ["public_key", "certificates"] {
        let mut node = Command::new("node");
        node.arg(source("axios-plugin/client.js"))
            .env("NODE_PATH", place("FOREIGN_NODE_MODULES"));
        pass(&mut node, trust, &SHOWN_BY_ALL).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wechatpay_axios_plugin_from_npm_passes_in_version_2() {
    let mut node = Command::new("node");
    node.arg(source("axios-plugin/client_v2.js"))
        .env("NODE_PATH", place("FOREIGN_NODE_MODULES"));
    pass(&mut node, "public_key", &SHOWN_IN_VERSION_2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wechatpy_from_pypi_passes_in_version_2() {
    let mut python = Command::new(place("FOREIGN_PYTHON"));
    let client = python.arg(source("wechatpy/client.py"));
    pass(client, "public_key", &SHOWN_IN_VERSION_2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wxpay_rs_from_crates_io_passes() {
    // This client lists the certificates too.
    let mut client = Command::new(place("FOREIGN_WXPAY_RS"));
    pass(&mut client, "certificates", &SHOWN_BY_ALL).await;
}

/// Runs the client against a simulator of its own, with bills of today and this switch of trust.
/// The client's output is this test's report.
async fn pass(client: &mut Command, trust: &str, wanted: &[&str]) {
    let live = LiveSimulator::start().await;
    let settings = Settings::default().with("bills_at_once=true").unwrap();
    let settings = settings.with(&format!("trust={trust}")).unwrap();
    live.simulator.set_settings(settings);
    let merchant_json = live.merchant_json();
    let (https, authority) = live.serve_tls().await;
    client.env("FOREIGN_HTTPS", https);
    // Each client reads the authorities that it trusts from its own place.
    for name in ["REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
        client.env(name, &authority);
    }
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
    for wanted in wanted {
        let shown = said
            .lines()
            .filter_map(|line| line.strip_prefix("holds: "))
            // A client that runs in two ways names the way before a colon.
            .any(|what| what.rsplit(": ").next() == Some(*wanted));
        assert!(shown, "it does not say that this holds: {wanted}\n{said}");
    }
}

fn place(variable: &str) -> PathBuf {
    let place = std::env::var_os(variable);
    PathBuf::from(
        place.unwrap_or_else(|| {
            panic!("{variable} is not set: run `cargo xtask test --only foreign`")
        }),
    )
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("foreign")
        .join(name)
}
