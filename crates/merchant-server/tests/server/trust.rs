//! Which keys the server trusts while WeChat changes its keys: platform certificates that replace
//! each other, the move to the public key, and clients that invent serials.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use merchant_server::Refreshed;
use wechat_pay::{PlatformKey, SigningKey, Stamp};

use crate::fault_injector::Fault;
use crate::test_server::{
    KEYS, START_MS, SentNotification, TestServer, configuration, merchant, payment_notification,
    transaction,
};

const HOUR_MS: u64 = 3_600_000;

/// A merchant of WeChat's older kind: platform certificates, and no public key.
fn with_certificates() -> String {
    let line = format!(
        "platform_certificate_files = [\"{}/wechatpay_cert.pem\"]\nfrom_file =",
        KEYS.path().display()
    );
    configuration("").replace("from_file =", &line)
}

/// From now on WeChat signs with certificates and lets the merchant download them, as for a
/// merchant from before 2024.
async fn sign_with_certificates(server: &TestServer) {
    let switch = r#"{"trust":"certificates"}"#;
    server.control("PATCH", "settings", switch).await;
}

/// A day later, only a new certificate signs, and the server has not downloaded it yet.
async fn after_a_rotation() -> TestServer {
    let server = TestServer::open_configured(&with_certificates()).await;
    sign_with_certificates(&server).await;
    server.control("POST", "certificates/rotate", "{}").await;
    server.clock.advance_ms(24 * HOUR_MS);
    server
}

#[tokio::test]
async fn an_answer_signed_by_a_new_certificate_counts_once_it_is_downloaded() {
    let server = after_a_rotation().await;
    let token = server.default_order().await;
    let answer = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    // The server sent the order once, and verified the same answer again.
    assert_eq!(server.wechat.take_kinds(), ["order", "certificates"]);
    server.later(5_000).await;
    assert_eq!(server.wechat.take_kinds(), ["query"]);
}

#[tokio::test]
async fn notifications_of_a_new_certificate_share_one_download() {
    let server = after_a_rotation().await;
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    let notification = server.take_notifications().remove(0);
    let server = server.restart_with(&with_certificates()).await;
    server.wechat.take_sent();
    let (a, b, c) = tokio::join!(
        server.deliver(&notification),
        server.deliver(&notification),
        server.deliver(&notification)
    );
    for answer in [a, b, c] {
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(server.wechat.take_kinds(), ["certificates"]);
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
}

#[tokio::test]
async fn invented_serial_numbers_cause_one_download_a_minute() {
    let server = TestServer::open().await;
    let mut strange = payment_notification("N1", &transaction("unmatched-0001", 1), START_MS);
    for number in 0..5 {
        let serial = HeaderValue::from_str(&format!("{number:040X}")).unwrap();
        strange.headers.insert("wechatpay-serial", serial);
        let answer = server.deliver(&strange).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
    }
    assert_eq!(server.wechat.take_kinds(), ["certificates"]);
    server.clock.advance_ms(60_000);
    server.deliver(&strange).await;
    assert_eq!(server.wechat.take_kinds(), ["certificates"]);
    assert_eq!(server.mismatches().await, []);
}

#[tokio::test]
async fn a_failed_download_removes_no_certificate() {
    let server = after_a_rotation().await;
    let failures = [
        Fault::NotSent,
        Fault::AnswerLost,
        Fault::Answered(500, r#"{"code":"SYSTEM_ERROR"}"#),
        Fault::Answered(200, r#"{"data":[]}"#),
        Fault::Changed(Box::new(|answer| {
            answer
                .headers_mut()
                .insert("wechatpay-signature", HeaderValue::from_static("AAAA"));
        })),
    ];
    for failure in failures {
        server.wechat.inject("certificates", failure);
        assert!(server.inner.refresh_certificates_if_due().await.is_err());
        // The server tries again ten minutes after a failure, not before.
        assert_eq!(
            server.inner.refresh_certificates_if_due().await.unwrap(),
            None
        );
        server.clock.advance_ms(600_000);
    }
    let old = notification_of_the_first_certificate(&server, "N1");
    assert_eq!(server.deliver(&old).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn with_configured_issuers_a_certificate_of_another_issuer_is_refused() {
    let text = with_certificates().replace(
        "from_file =",
        &format!(
            "platform_issuer_files = [\"{}/wechatpay_cert.pem\"]\nfrom_file =",
            KEYS.path().display()
        ),
    );
    let server = TestServer::open_configured(&text).await;
    sign_with_certificates(&server).await;
    // On the first day WeChat lists the same certificate that the configuration names.
    let refreshed = server.inner.refresh_certificates_if_due().await.unwrap();
    assert_eq!(refreshed, Some(Refreshed::Taken));
    server.control("POST", "certificates/rotate", "{}").await;
    server.clock.advance_ms(12 * HOUR_MS);
    let error = server
        .inner
        .refresh_certificates_if_due()
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("none of the configured issuers"),
        "{error}"
    );
    let old = notification_of_the_first_certificate(&server, "N1");
    assert_eq!(server.deliver(&old).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn certificates_are_downloaded_at_the_start_and_every_eleven_hours() {
    let server = TestServer::open().await;
    sign_with_certificates(&server).await;
    let refresh = async || server.inner.refresh_certificates_if_due().await.unwrap();
    assert_eq!(refresh().await, Some(Refreshed::Taken));
    assert_eq!(refresh().await, None);
    server.clock.advance_ms(11 * HOUR_MS - 1);
    assert_eq!(refresh().await, None);
    server.clock.advance_ms(1);
    assert_eq!(refresh().await, Some(Refreshed::Taken));
}

#[tokio::test]
async fn a_merchant_with_only_the_public_key_needs_no_certificates() {
    let server = TestServer::open().await;
    let refreshed = server.inner.refresh_certificates_if_due().await.unwrap();
    assert_eq!(refreshed, Some(Refreshed::PublicKeyOnly));
    assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_reload_removes_keys_that_are_no_longer_configured_and_no_downloaded_ones() {
    let server = TestServer::open().await;
    sign_with_certificates(&server).await;
    let by_public_key = |server: &TestServer, id: &str| {
        let now_ms = merchant_server::Clock::now_ms(&server.clock);
        payment_notification(id, &transaction("unmatched-0001", 1), now_ms)
    };
    let first = by_public_key(&server, "N1");
    assert_eq!(server.deliver(&first).await.status, StatusCode::NO_CONTENT);
    server.control("POST", "certificates/rotate", "{}").await;
    server.clock.advance_ms(24 * HOUR_MS);
    let refreshed = server.inner.refresh_certificates_if_due().await.unwrap();
    assert_eq!(refreshed, Some(Refreshed::Taken));
    server.wechat.take_sent();

    let server = server.reloaded_as(&with_certificates()).await;
    let second = by_public_key(&server, "N2");
    let refused = server.deliver(&second).await;
    assert!(refused.status.is_client_error(), "{}", refused.status);
    server.wechat.take_sent();
    // A signature of the new certificate needs no download.
    let token = server.default_order().await;
    let answer = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    assert_eq!(server.wechat.take_kinds(), ["order"]);
}

#[tokio::test]
async fn during_the_migration_both_kinds_of_keys_verify() {
    let server = TestServer::open().await;
    let by_public_key = payment_notification("N1", &transaction("unmatched-0001", 1), START_MS);
    let by_certificate = notification_of_the_first_certificate(&server, "N2");
    for notification in [by_public_key, by_certificate] {
        assert_eq!(
            server.deliver(&notification).await.status,
            StatusCode::NO_CONTENT
        );
    }
    assert_eq!(server.wechat.take_kinds(), ["query"; 0]);
}

#[tokio::test]
async fn a_server_without_certificates_is_not_ready_until_it_has_downloaded_them() {
    let lines = format!(
        "mchid = \"{0}\"\nappid = \"{1}\"\nserial_no = \"{2}\"\napi_v3_key = \"{3}\"\n\
         private_key_file = \"{4}/apiclient_key.pem\"\ndownload_certificates = true\n",
        merchant()["mchid"].as_str().unwrap(),
        merchant()["appid"].as_str().unwrap(),
        merchant()["serial_no"].as_str().unwrap(),
        merchant()["api_v3_key"].as_str().unwrap(),
        KEYS.path().display(),
    );
    let text = configuration("");
    let place = text.find("from_file").unwrap();
    let text = format!("{}{lines}", &text[..place]).replace(
        "tries = 1",
        "tries = 1\nbase_url = \"http://127.0.0.1:9410\"",
    );
    let server = TestServer::open_configured(&text).await;
    sign_with_certificates(&server).await;
    assert_eq!(
        server.get("/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let refreshed = server.inner.refresh_certificates_if_due().await.unwrap();
    assert_eq!(refreshed, Some(Refreshed::Taken));
    assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
    let notification = notification_of_the_first_certificate(&server, "N1");
    assert_eq!(
        server.deliver(&notification).await.status,
        StatusCode::NO_CONTENT
    );
}

/// A notification that the certificate of the first day has signed.
fn notification_of_the_first_certificate(server: &TestServer, id: &str) -> SentNotification {
    let now_ms = merchant_server::Clock::now_ms(&server.clock);
    let pem = std::fs::read(KEYS.path().join("wechat_private/wechatpay_key.pem")).unwrap();
    let serial = merchant()["platform_serial_no"]
        .as_str()
        .unwrap()
        .to_owned();
    let key = PlatformKey::new(serial, SigningKey::from_pem(&pem).unwrap()).unwrap();
    let body: Bytes = payment_notification(id, &transaction("unmatched-0002", 1), now_ms).body;
    let stamp = Stamp::new(now_ms / 1000, [8; 16]);
    SentNotification {
        headers: key.sign_headers(&stamp, &body).unwrap(),
        body,
    }
}
