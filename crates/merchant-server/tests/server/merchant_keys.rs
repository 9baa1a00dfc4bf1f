//! Two merchant certificates at once: which one signs, and which configurations are refused at the
//! start.

use std::path::Path;
use std::sync::LazyLock;

use http::StatusCode;
use jiff::{Timestamp, ToSpan as _};
use merchant_server::Config;
use tempfile::TempDir;
use wechat_pay::certificate_serial;
use wechat_pay_simulator::{Keyring, Random};

use crate::test_server::{KEYS, START_MS, TestServer, WECHAT, configuration, merchant};

/// A certificate that begins a day later than the merchant's, and that WeChat does not know.
static NEWER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let later = Timestamp::from_millisecond(START_MS).unwrap() + 24.hours();
    Keyring::load_or_create(folder.path(), WECHAT, later, &Random::system()).unwrap();
    folder
});

fn other_key(folder: &Path, certificate: &Path) -> String {
    format!(
        "{}[[merchant.other_keys]]\n\
         private_key_file = \"{}/apiclient_key.pem\"\n\
         certificate_file = \"{}/apiclient_cert.pem\"\n",
        configuration(""),
        folder.display(),
        certificate.display()
    )
}

fn serial_of(folder: &Path) -> String {
    let pem = std::fs::read(folder.join("apiclient_cert.pem")).unwrap();
    certificate_serial(&pem).unwrap()
}

fn refusal(text: &str) -> String {
    let error = Config::parse(text, Path::new(".")).unwrap_err();
    error.to_string()
}

#[tokio::test]
async fn the_newest_certificate_signs_and_a_refused_certificate_is_skipped() {
    let server = TestServer::open_configured(&other_key(NEWER.path(), NEWER.path())).await;
    server.clock.advance_ms(24 * 3_600_000);
    let token = server.default_order().await;
    let answer = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    let ours = merchant()["serial_no"].as_str().unwrap().to_owned();
    let newer = serial_of(NEWER.path());
    assert_eq!(signed_by(&server), [newer.clone(), ours.clone()]);
    // For an hour the server does not try the refused certificate again; then WeChat may know it.
    server.later(5_000).await;
    assert_eq!(signed_by(&server), std::slice::from_ref(&ours));
    server.clock.advance_ms(3_600_000);
    server.get(&format!("/v1/checkouts/{token}?ask=1")).await;
    assert_eq!(signed_by(&server), [newer, ours]);
}

/// The serials with which the calls to WeChat since the last look were signed.
fn signed_by(server: &TestServer) -> Vec<String> {
    let sent = server.wechat.take_sent();
    sent.iter()
        .map(|sent| {
            let (_, rest) = sent.authorization.split_once("serial_no=\"").unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_reloaded_certificate_signs_the_next_call() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    let ours = merchant()["serial_no"].as_str().unwrap().to_owned();
    assert_eq!(signed_by(&server), std::slice::from_ref(&ours));
    let server = server
        .reloaded_as(&other_key(NEWER.path(), NEWER.path()))
        .await;
    server.clock.advance_ms(24 * 3_600_000);
    server.get(&format!("/v1/checkouts/{token}?ask=1")).await;
    // WeChat does not know the newer certificate yet, so both certificates are used.
    assert_eq!(signed_by(&server), [serial_of(NEWER.path()), ours.clone()]);
    // The first certificate signs again when the configuration no longer names the other.
    let server = server.reloaded_as(&configuration("")).await;
    server.clock.advance_ms(3_600_000);
    server.get(&format!("/v1/checkouts/{token}?ask=1")).await;
    assert_eq!(signed_by(&server), [ours]);
}

#[tokio::test]
async fn if_wechat_refuses_every_certificate_each_is_tried_once() {
    let folder = tempfile::tempdir().unwrap();
    let now = Timestamp::from_millisecond(START_MS).unwrap();
    Keyring::load_or_create(folder.path(), WECHAT, now, &Random::system()).unwrap();
    let text = other_key(NEWER.path(), NEWER.path()).replace(
        "from_file =",
        &format!(
            "private_key_file = \"{0}/apiclient_key.pem\"\n\
             certificate_file = \"{0}/apiclient_cert.pem\"\n\
             serial_no = \"{1}\"\nfrom_file =",
            folder.path().display(),
            serial_of(folder.path())
        ),
    );
    let server = TestServer::open_configured(&text).await;
    let token = server.default_order().await;
    let answer = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(answer.code(), "WECHAT_REFUSED", "{}", answer.json);
    assert_eq!(server.wechat.take_kinds(), ["order", "order"]);
}

#[test]
fn keys_that_do_not_match_their_certificates_are_refused() {
    let cases = [
        (
            other_key(NEWER.path(), KEYS.path()),
            "merchant.other_keys.private_key_file: is not the key of the certificate",
        ),
        (
            other_key(KEYS.path(), KEYS.path()),
            "merchant.other_keys.serial_no: must be another one",
        ),
        (
            other_key(NEWER.path(), NEWER.path()).replace(
                "[[merchant.other_keys]]",
                "[[merchant.other_keys]]\nserial_no = \"AB\"",
            ),
            "merchant.other_keys.serial_no: is not that of the certificate",
        ),
        (
            other_key(NEWER.path(), NEWER.path())
                .replace("from_file =", "serial_no = \"AB\"\nfrom_file ="),
            "merchant.certificate_file: is missing",
        ),
        (
            other_key(NEWER.path(), Path::new("/nowhere")),
            "merchant.other_keys.certificate_file: cannot read",
        ),
    ];
    for (text, expected) in cases {
        let refusal = refusal(&text);
        assert!(refusal.starts_with(expected), "{expected} in {refusal}");
    }
}

#[test]
fn a_certificate_that_expires_soon_causes_a_warning_until_a_newer_one_signs() {
    let parse = |text: &str| Config::parse(text, Path::new(".")).unwrap();
    let alone = parse(&configuration(""));
    let facts = alone.merchant.certificate.facts.clone().unwrap();
    let day_s = 24 * 3_600;
    let at = |config: &Config, days_before: i64| {
        let warnings = config.warnings(facts.not_after_s - days_before * day_s);
        let own = warnings
            .into_iter()
            .filter(|warning| warning.contains(&facts.serial_no));
        own.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(at(&alone, 30), "");
    assert!(at(&alone, 29).contains("ends in 29 days: apply for a new one"));
    assert!(at(&alone, -1).contains("has ended: apply for a new one"));
    let both = parse(&other_key(NEWER.path(), NEWER.path()));
    assert!(
        at(&both, 1).contains("another one takes over"),
        "{}",
        at(&both, 1)
    );
    let unknown = configuration("").replace("from_file =", "serial_no = \"AB\"\nfrom_file =");
    let warnings = parse(&unknown).warnings(facts.not_before_s);
    assert!(
        warnings[0].contains("merchant.certificate_file"),
        "{warnings:?}"
    );
}
