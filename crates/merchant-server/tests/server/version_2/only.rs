//! A merchant that has no key of version 3, as an older merchant has none.

use std::sync::Arc;

use http::StatusCode;
use merchant_server::{
    Config, OrderCheck, SeededRandomness, ServiceTransport, Surroundings, Verdict, check_live,
};
use serde_json::json;

use super::{NATIVE, buy};
use crate::test_server::{
    API_KEY, KEYS, MINUTE_MS, TestServer, WECHAT, backend, configuration, merchant,
};

/// The configuration with the fields of `merchant.json` written out, without some of them.
pub(super) fn without(configuration: &str, left_out: &[&str]) -> String {
    /// What `merchant.json` has for other readers, or once more in another form.
    const UNREAD: [&str; 3] = [
        "base_url",
        "platform_serial_no",
        "platform_certificate_file",
    ];
    let merchant = merchant();
    let mut fields = vec!["[merchant]".to_owned()];
    for (name, value) in merchant.as_object().unwrap() {
        if UNREAD.contains(&&**name) || left_out.contains(&&**name) {
            continue;
        }
        let text = value.as_str().unwrap();
        let value = if name.ends_with("_file") {
            KEYS.path().join(text).display().to_string()
        } else {
            text.to_owned()
        };
        fields.push(format!("{name} = \"{value}\""));
    }
    let (head, tail) = configuration.split_once("[merchant]").unwrap();
    let tail = tail.lines().filter(|line| !line.contains("from_file"));
    let gateway = format!("base_url = \"{WECHAT}\"\ntries = 1");
    let lines = [head.replace("tries = 1", &gateway)];
    let lines = lines.into_iter().chain(fields);
    let lines: Vec<_> = lines.chain(tail.map(str::to_owned)).collect();
    lines.join("\n") + "\n"
}

fn of_version_2() -> String {
    let left_out = [
        "api_v3_key",
        "public_key_id",
        "public_key_file",
        "serial_no",
    ];
    without(&configuration(""), &left_out) + "api = \"v2\"\n"
}

pub(crate) async fn open() -> TestServer {
    TestServer::open_configured(&of_version_2()).await
}

#[tokio::test]
async fn it_is_ready_and_never_calls_version_3() {
    let server = open().await;
    assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
    assert_eq!(
        server.inner.refresh_certificates_if_due().await.unwrap(),
        Some(merchant_server::Refreshed::NotNeeded)
    );
    buy(&server).await;
    let refund = json!({"refund_no": "R-1", "amount_fen": 100});
    let path = "/v1/orders/tea-0001/refunds";
    let asked = server
        .send(backend(path, API_KEY, refund.to_string()))
        .await;
    assert_eq!(asked.string("state"), "processing", "{}", asked.json);
    server.clock.advance_ms(3_000);
    server.simulator.run_due().await;
    server.later(MINUTE_MS).await;
    let refund = server.read_private("/v1/refunds/R-1").await;
    assert_eq!(refund.string("state"), "succeeded");
    let sent = server.wechat.take_sent();
    assert!(!sent.is_empty());
    for call in sent {
        assert!(!call.path.starts_with("/v3/"), "{}", call.path);
    }
}

#[tokio::test]
async fn an_abnormal_refund_is_a_matter_for_the_portal() {
    let server = open().await;
    buy(&server).await;
    let path = "/v1/orders/tea-0001/refunds";
    let refund = json!({"refund_no": "R-1"}).to_string();
    server.send(backend(path, API_KEY, refund)).await;
    server.decide("R-1", "abnormal").await;
    server.later(MINUTE_MS).await;
    let shown = server.read_private("/v1/refunds/R-1").await;
    assert_eq!(shown.string("state"), "abnormal");
    let body = json!({"type": "MERCHANT_BANK_CARD"}).to_string();
    let path = "/v1/refunds/R-1/apply-abnormal-refund";
    let applied = server.send(backend(path, API_KEY, body)).await;
    assert_eq!(applied.code(), "WECHAT_REFUSED", "{}", applied.json);
    let message = applied.json["error"]["message"].as_str().unwrap();
    assert!(message.contains("version 3"), "{message}");
    assert_eq!(
        server.read_private("/v1/refunds/R-1").await.string("state"),
        "abnormal"
    );
}

#[test]
fn what_is_missing_is_named() {
    for (left_out, lines, error) in [
        (
            &["api_v3_key", "public_key_id", "public_key_file"][..],
            "",
            "merchant.api_v3_key: is missing",
        ),
        (
            &[
                "api_v3_key",
                "public_key_id",
                "public_key_file",
                "api_v2_key",
            ],
            "api = \"v2\"",
            "merchant.api_v2_key: is missing",
        ),
        (
            &[
                "api_v3_key",
                "public_key_id",
                "public_key_file",
                "certificate_file",
            ],
            "api = \"v2\"",
            "merchant.certificate_file: is missing",
        ),
        // The keys of version 3 come together or not at all.
        (
            &["api_v3_key"],
            "api = \"v2\"",
            "merchant.api_v3_key: is missing",
        ),
        (
            &["public_key_id", "public_key_file"],
            "api = \"v2\"",
            "merchant.public_key_file: is missing",
        ),
    ] {
        let text = without(&configuration(""), left_out) + lines;
        let refused = merchant_server::Config::parse(&text, std::path::Path::new("."));
        let refused = refused.map(drop).unwrap_err().to_string();
        assert!(refused.starts_with(error), "{refused}");
    }
}

#[tokio::test]
async fn a_native_order_is_paid_by_its_code() {
    let server = open().await;
    let token = server.default_order().await;
    let answer = server.attempt(&token, &[NATIVE]).await;
    let paying = json!({"code_url": answer.string("code_url"), "outcome": "success"});
    server.simulate("pay", &paying).await;
    server.later(5_000).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
}

#[tokio::test]
async fn the_live_check_proves_each_appid_by_an_order_of_one_fen() {
    let server = open().await;
    let merchant = merchant();
    let appid = merchant["appid"].as_str().unwrap();
    let stranger = "wx0000000000000000";
    for (text, verdict, says) in [
        (of_version_2(), Verdict::Proved, "ends by itself within"),
        (
            of_version_2().replace(appid, stranger),
            Verdict::Wrong,
            "AppID 账号管理",
        ),
    ] {
        let config = Config::parse(&text, server.folder.path()).unwrap();
        let checked = check_live(&config, &around(&server), OrderCheck::PlaceAndClose).await;
        let proofs = checked.unwrap().proofs;
        let of_appid = proofs
            .iter()
            .find(|proof| {
                proof.subject.starts_with("merchant.appid") && proof.subject.contains("belongs to")
            })
            .unwrap();
        assert_eq!(of_appid.verdict, verdict, "{}", of_appid.explanation);
        assert!(of_appid.explanation.contains(says), "{of_appid:?}");
        let sent = server.wechat.take_sent();
        assert!(sent.iter().any(|call| call.path == "/pay/unifiedorder"));
        assert!(!sent.iter().any(|call| call.path.starts_with("/v3/")));
    }
    // Nothing is ordered unless the caller asks for it.
    let config = Config::parse(&of_version_2(), server.folder.path()).unwrap();
    check_live(&config, &around(&server), OrderCheck::Skip)
        .await
        .unwrap();
    let sent = server.wechat.take_sent();
    assert!(!sent.iter().any(|call| call.path == "/pay/unifiedorder"));
}

fn around(server: &TestServer) -> Surroundings {
    Surroundings {
        clock: Arc::new(server.clock.clone()),
        randomness: Arc::new(SeededRandomness::new(7)),
        wechat: Arc::new(server.wechat.clone()),
        webhooks: Arc::new(ServiceTransport::new(server.app.clone())),
    }
}

#[tokio::test]
async fn the_live_check_proves_the_key_of_version_2_and_calls_no_other() {
    let server = open().await;
    let other = "a".repeat(32);
    for (text, verdict) in [
        (of_version_2(), Verdict::Proved),
        (
            of_version_2().replace(merchant()["api_v2_key"].as_str().unwrap(), &other),
            Verdict::Wrong,
        ),
    ] {
        let config = Config::parse(&text, server.folder.path()).unwrap();
        let checked = check_live(&config, &around(&server), OrderCheck::Skip).await;
        let proofs = checked.unwrap().proofs;
        let of_key: Vec<_> = proofs
            .iter()
            .filter(|proof| proof.subject == "merchant.api_v2_key")
            .collect();
        assert_eq!(of_key.len(), 1);
        assert_eq!(of_key[0].verdict, verdict, "{}", of_key[0].explanation);
        assert!(
            !format!("{proofs:?}").contains(&other),
            "no secret is repeated"
        );
        let sent = server.wechat.take_sent();
        assert!(sent.iter().any(|call| call.path == "/pay/orderquery"));
        assert!(!sent.iter().any(|call| call.path.starts_with("/v3/")));
    }
}
