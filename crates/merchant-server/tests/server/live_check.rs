//! The lines of `check-config --live` about right and wrong values, for each secret.

use std::sync::Arc;

use axum::Router;
use http::{HeaderValue, StatusCode, header};
use merchant_server::{
    Config, LiveReport, ManualClock, OrderCheck, Proof, SeededRandomness, ServiceTransport,
    Surroundings, Verdict, WechatTransport, check_live,
};
use tempfile::TempDir;
use wechat_pay_simulator::{Keyring, Random, Simulator};

use crate::fault_injector::Fault;
use crate::test_server::{
    KEYS, START_MS, TestServer, WECHAT, configuration, merchant, sub_merchant_table,
};

const REFUND_NOTIFY: &str = "http://127.0.0.1:8080/wechat/notify/refund";

/// The keys of a merchant that this simulator does not know.
fn strange_keys() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::from_millisecond(START_MS).unwrap();
    Keyring::load_or_create(folder.path(), WECHAT, now, &Random::system()).unwrap();
    folder
}

/// A merchant from before 2024, with platform certificates beside the public key.
async fn with_certificates() -> TestServer {
    let server = TestServer::open().await;
    let switch = r#"{"trust":"certificates"}"#;
    server.control("PATCH", "settings", switch).await;
    server
}

/// The good configuration with more lines in `[merchant]`.
fn with_merchant(lines: &str) -> String {
    configuration("").replace("from_file =", &format!("{lines}\nfrom_file ="))
}

struct Checked<'a> {
    server: &'a TestServer,
    now_ms: i64,
    orders: OrderCheck,
    /// The server that answers at the notify address.
    notify: Arc<dyn WechatTransport>,
}

impl<'a> Checked<'a> {
    fn at(server: &'a TestServer) -> Self {
        Self {
            server,
            now_ms: START_MS,
            orders: OrderCheck::Skip,
            notify: Arc::new(ServiceTransport::new(server.app.clone())),
        }
    }

    async fn report(&self, configuration: &str) -> LiveReport {
        let folder = self.server.folder.path();
        let configuration = crate::cluster::configured(configuration, folder).await;
        let config = Config::parse(&configuration, folder).unwrap();
        let surroundings = Surroundings {
            clock: Arc::new(ManualClock::new(self.now_ms)),
            randomness: Arc::new(SeededRandomness::new(7)),
            wechat: Arc::new(self.server.wechat.clone()),
            webhooks: self.notify.clone(),
        };
        check_live(&config, &surroundings, self.orders)
            .await
            .unwrap()
    }
}

/// The only line about a subject.
fn about<'a>(report: &'a LiveReport, subject: &str) -> &'a Proof {
    let found: Vec<_> = report
        .proofs
        .iter()
        .filter(|proof| proof.subject.starts_with(subject))
        .collect();
    let [proof] = *found else {
        panic!("{subject} in {:#?}", report.proofs)
    };
    proof
}

fn of(verdict: Verdict, report: &LiveReport) -> Vec<&str> {
    let proofs = report.proofs.iter();
    proofs
        .filter(|proof| proof.verdict == verdict)
        .map(|proof| &*proof.subject)
        .collect()
}

#[tokio::test]
async fn every_secret_and_id_of_a_good_configuration_is_reported_as_proved_or_not_proved() {
    let server = with_certificates().await;
    let text = configuration("") + &hooks();
    let report = Checked::at(&server).report(&text).await;
    let merchant = merchant();
    let word = |field: &str| merchant[field].as_str().unwrap();
    assert_eq!(
        of(Verdict::Proved, &report),
        [
            "this machine's clock".to_owned(),
            format!("merchant.mchid {}", word("mchid")),
            format!("merchant.serial_no {}", word("serial_no")),
            "merchant.private_key_file".to_owned(),
            format!("merchant.public_key_id {}", word("public_key_id")),
            "merchant.public_key_file".to_owned(),
            format!(
                "merchant.platform_certificate_files, serial {}",
                word("platform_serial_no")
            ),
            "merchant.api_v3_key".to_owned(),
            format!("merchant.appid {}", word("appid")),
            "merchant.app_secret".to_owned(),
            format!("merchant.mini_program_appid {}", word("mini_program_appid")),
            "merchant.mini_program_secret".to_owned(),
            "http://127.0.0.1:8080/wechat/notify/payment, from this machine".to_owned(),
            format!("{REFUND_NOTIFY}, from this machine"),
        ]
    );
    assert_eq!(
        of(Verdict::NotProved, &report),
        [
            format!(
                "merchant.appid {} belongs to mchid {}",
                word("appid"),
                word("mchid")
            ),
            format!(
                "merchant.mini_program_appid {} belongs to mchid {}",
                word("mini_program_appid"),
                word("mchid")
            ),
            "notify addresses, from WeChat's network".to_owned(),
            "merchant.api_v2_key".to_owned(),
            "webhooks.secret of http://127.0.0.1:7000/hooks".to_owned(),
        ]
    );
    assert!(!report.has_failed());
    let kinds = server.wechat.take_kinds();
    assert!(
        !kinds.contains(&"order"),
        "no order unless it is asked for: {kinds:?}"
    );
    let shown = format!("{report:?}");
    for secret in [
        "api_v3_key",
        "api_v2_key",
        "app_secret",
        "mini_program_secret",
    ] {
        assert!(!shown.contains(word(secret)), "{secret}");
    }
}

fn hooks() -> String {
    format!(
        "[[webhooks]]\nurl = \"{}\"\nsecret = \"{}\"\n",
        crate::webhooks::TARGET,
        crate::webhooks::SECRET
    )
}

#[tokio::test]
async fn a_wrong_value_is_reported_by_its_name() {
    let server = with_certificates().await;
    let strange = strange_keys();
    let folder = strange.path().display();
    let id = merchant()["public_key_id"].as_str().unwrap().to_owned();
    let serial_no = merchant()["serial_no"].as_str().unwrap().to_owned();
    let cases = [
        (
            "api_v3_key = \"01234567890123456789012345678901\"".to_owned(),
            "merchant.api_v3_key",
            "do not open with it",
        ),
        (
            "app_secret = \"00000000000000000000000000000000\"".to_owned(),
            "merchant.app_secret",
            "(errcode 40125)",
        ),
        (
            "mini_program_appid = \"wx0000000000000001\"\nmini_program_secret = \"00000000000000000000000000000000\"".to_owned(),
            "merchant.mini_program_appid wx0000000000000001",
            "(errcode 40013)",
        ),
        (
            format!(
                "mini_program_appid = \"{}\"\nmini_program_secret = \"00000000000000000000000000000000\"",
                merchant()["mini_program_appid"].as_str().unwrap()
            ),
            "merchant.mini_program_secret",
            "(errcode 40125)",
        ),
        (
            "appid = \"wx0000000000000001\"".to_owned(),
            "merchant.appid wx0000000000000001",
            "(errcode 40013)",
        ),
        ("mchid = \"1900000009\"".to_owned(), "merchant.mchid 1900000009", "商户未申请过证书"),
        (
            "serial_no = \"4080\"".to_owned(),
            "merchant.serial_no 4080",
            "WeChat does not know it for mchid",
        ),
        (
            format!("private_key_file = \"{folder}/apiclient_key.pem\"\nserial_no = \"{serial_no}\""),
            "merchant.private_key_file",
            "the signature is not of its key",
        ),
        (
            format!("public_key_id = \"{id}\"\npublic_key_file = \"{folder}/pub_key.pem\""),
            "merchant.public_key_file",
            "it is not the key of this id",
        ),
        (
            format!(
                "public_key_id = \"PUB_KEY_ID_0119000000010000000000000000000000\"\npublic_key_file = \"{}/pub_key.pem\"",
                KEYS.path().display()
            ),
            "merchant.public_key_id",
            "WeChat does not know it for this merchant",
        ),
    ];
    for (lines, subject, words) in cases {
        let report = Checked::at(&server).report(&with_merchant(&lines)).await;
        let exact: Vec<_> = report
            .proofs
            .iter()
            .filter(|proof| proof.verdict == Verdict::Wrong)
            .collect();
        let [wrong] = *exact else {
            panic!("{lines}: one thing is wrong, not {exact:#?}")
        };
        assert!(wrong.subject.starts_with(subject), "{lines}: {wrong:?}");
        assert!(wrong.explanation.contains(words), "{lines}: {wrong:?}");
        assert!(report.has_failed(), "{lines}");
    }
}

#[tokio::test]
async fn a_value_that_depends_on_a_wrong_value_is_not_reported_as_wrong() {
    let server = with_certificates().await;
    let report = Checked::at(&server)
        .report(&with_merchant("appid = \"wx0000000000000001\""))
        .await;
    let secret = about(&report, "merchant.app_secret");
    assert_eq!(secret.verdict, Verdict::NotProved, "{secret:?}");
    let report = Checked::at(&server)
        .report(&with_merchant("serial_no = \"4080\""))
        .await;
    for subject in ["merchant.mchid", "merchant.private_key_file"] {
        assert_eq!(about(&report, subject).verdict, Verdict::NotProved);
    }
}

#[tokio::test]
async fn an_account_that_wechat_cannot_check_now_is_not_proved() {
    let server = with_certificates().await;
    let cases = [
        // WeChat checks only the code, so its refusal does not prove the secret.
        (
            &[40_029, 40_029][..],
            Verdict::NotProved,
            "before it looks at the secret",
        ),
        (
            &[40_163, 40_125][..],
            Verdict::Proved,
            "a made-up secret as such (40125)",
        ),
        (
            &[40_029, 40_001][..],
            Verdict::Proved,
            "a made-up secret as such (40001)",
        ),
        (&[40_029, -1][..], Verdict::NotProved, "(errcode -1)"),
        (&[41_004][..], Verdict::Wrong, "(errcode 41004)"),
        (&[40_001][..], Verdict::Wrong, "(errcode 40001)"),
        (&[-1][..], Verdict::NotProved, "busy"),
        (&[45_011][..], Verdict::NotProved, "busy"),
        (&[40_164][..], Verdict::NotProved, "IP 白名单"),
        (&[48_001][..], Verdict::NotProved, "refused the account"),
        (&[99_999][..], Verdict::NotProved, "(errcode 99999)"),
    ];
    for (errcodes, verdict, words) in cases {
        for errcode in errcodes {
            let body = format!("{{\"errcode\":{errcode},\"errmsg\":\"no\"}}");
            server
                .wechat
                .inject("openid", Fault::Answered(200, body.leak()));
        }
        let report = Checked::at(&server).report(&configuration("")).await;
        let secret = about(&report, "merchant.app_secret");
        assert_eq!(secret.verdict, verdict, "{errcodes:?}: {secret:?}");
        assert!(
            secret.explanation.contains(words),
            "{errcodes:?}: {secret:?}"
        );
        // The mini-program was checked afterwards, and the simulator answered that check.
        let other = about(&report, "merchant.mini_program_secret");
        assert_eq!(other.verdict, Verdict::Proved, "{other:?}");
    }
}

#[tokio::test]
async fn an_unsigned_no_such_order_proves_nothing() {
    let server = with_certificates().await;
    let answer = Fault::Answered(404, r#"{"code":"ORDER_NOT_EXIST","message":"no"}"#);
    server.wechat.inject("query", answer);
    let report = Checked::at(&server).report(&configuration("")).await;
    assert!(!report.has_signed_answer);
    assert!(report.has_failed());
    for subject in [
        "merchant.mchid",
        "merchant.serial_no",
        "merchant.private_key_file",
    ] {
        assert_eq!(
            about(&report, subject).verdict,
            Verdict::NotProved,
            "{subject}"
        );
    }
}

#[tokio::test]
async fn the_clock_is_compared_with_wechats_in_seconds() {
    let server = with_certificates().await;
    let cases = [
        (0, Verdict::Proved, "agrees to the second"),
        (40, Verdict::Proved, "is 40 s ahead"),
        (-290, Verdict::Proved, "is 290 s behind"),
        (301, Verdict::Wrong, "is 301 s ahead, by the Date"),
        (-3600, Verdict::Wrong, "is 3600 s behind, by the Date"),
    ];
    for (ahead_s, verdict, words) in cases {
        // WeChat puts a date on every answer. A refusal before the answer is signed has no other
        // time.
        let dated = |answer: &mut http::Response<bytes::Bytes>| {
            let date = HeaderValue::from_static("Sat, 21 Nov 2026 09:20:00 GMT");
            answer.headers_mut().insert(header::DATE, date);
        };
        server
            .wechat
            .inject("query", Fault::Changed(Box::new(dated)));
        let check = Checked {
            now_ms: START_MS + ahead_s * 1000,
            ..Checked::at(&server)
        };
        let report = check.report(&configuration("")).await;
        let clock = about(&report, "this machine's clock");
        assert_eq!(clock.verdict, verdict, "{clock:?}");
        assert!(clock.explanation.contains(words), "{clock:?}");
        server.wechat.clear_faults();
    }
}

#[tokio::test]
async fn without_platform_certificates_a_notification_alone_shows_the_api_v3_key() {
    let server = TestServer::open().await;
    let text = configuration("");
    let before = Checked::at(&server).report(&text).await;
    let key = about(&before, "merchant.api_v3_key");
    assert_eq!(key.verdict, Verdict::NotProved);
    assert!(key.explanation.contains("none has opened"), "{key:?}");

    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    let notification = server.take_notifications().remove(0);
    server.deliver(&notification).await;
    let after = Checked::at(&server).report(&text).await;
    let key = about(&after, "merchant.api_v3_key");
    assert_eq!(key.verdict, Verdict::NotProved);
    assert!(
        key.explanation.contains("opened at 2026-11-21T09:20:00Z"),
        "{key:?}"
    );
}

#[tokio::test]
async fn an_order_of_one_fen_shows_that_an_appid_belongs_to_the_merchant_and_is_closed() {
    let server = with_certificates().await;
    let check = Checked {
        orders: OrderCheck::PlaceAndClose,
        ..Checked::at(&server)
    };
    let report = check.report(&configuration("")).await;
    for field in ["merchant.appid", "merchant.mini_program_appid"] {
        let appid = merchant()[&field["merchant.".len()..]]
            .as_str()
            .unwrap()
            .to_owned();
        let bound = about(&report, &format!("{field} {appid} belongs to"));
        assert_eq!(bound.verdict, Verdict::Proved, "{bound:?}");
        assert!(bound.explanation.ends_with("which is closed"), "{bound:?}");
    }
    assert!(!report.has_failed());
    let ledger = serde_json::to_value(server.simulator.ledger_view(None)).unwrap();
    let orders = ledger["orders"].as_array().unwrap();
    assert_eq!(orders.len(), 2);
    for order in orders {
        assert_eq!(order["trade_state"], "CLOSED", "{order}");
    }

    let foreign = with_merchant("appid = \"wx0000000000000001\"");
    let report = check.report(&foreign).await;
    let bound = about(&report, "merchant.appid wx0000000000000001 belongs to");
    assert_eq!(bound.verdict, Verdict::Wrong, "{bound:?}");
    assert!(
        bound.explanation.contains("APPID_MCHID_NOT_MATCH"),
        "{bound:?}"
    );
}

#[tokio::test]
async fn an_order_that_may_have_been_made_is_closed_and_proves_nothing() {
    let server = with_certificates().await;
    server.wechat.inject("order", Fault::AnswerLost);
    let check = Checked {
        orders: OrderCheck::PlaceAndClose,
        ..Checked::at(&server)
    };
    let report = check.report(&configuration("")).await;
    let appid = merchant()["appid"].as_str().unwrap().to_owned();
    let bound = about(&report, &format!("merchant.appid {appid} belongs to"));
    assert_eq!(bound.verdict, Verdict::NotProved, "{bound:?}");
    let ledger = serde_json::to_value(server.simulator.ledger_view(None)).unwrap();
    for order in ledger["orders"].as_array().unwrap() {
        assert_eq!(order["trade_state"], "CLOSED", "{order}");
    }
}

#[tokio::test]
async fn a_service_provider_proves_each_sub_merchant_by_an_order_for_it() {
    let server = with_certificates().await;
    let mchid = merchant()["mchid"].as_str().unwrap().to_owned();
    let [own, mut foreign] = [1, 2].map(|place| server.simulator.sub_merchant_of(place, &mchid));
    foreign.sub_appid = "wx0000000000000001".to_owned();
    let text = configuration("") + &sub_merchant_table(&own) + &sub_merchant_table(&foreign);
    let check = Checked {
        orders: OrderCheck::PlaceAndClose,
        ..Checked::at(&server)
    };
    let report = check.report(&text).await;
    let line = |sub_mchid: &str| {
        about(
            &report,
            &format!("merchant.sub_merchants {sub_mchid} acts under"),
        )
        .verdict
    };
    assert_eq!(line(&own.sub_mchid), Verdict::Proved);
    assert_eq!(line(&foreign.sub_mchid), Verdict::Wrong);
    let asked = about(
        &report,
        &format!("merchant.sub_merchants.sub_mchid {}", own.sub_mchid),
    );
    assert_eq!(asked.verdict, Verdict::NotProved);
}

#[tokio::test]
async fn the_secret_of_a_sub_merchants_own_account_is_proved_like_the_others() {
    let server = with_certificates().await;
    let mchid = merchant()["mchid"].as_str().unwrap().to_owned();
    let sub = server.simulator.sub_merchant_of(1, &mchid);
    let right = Simulator::sub_app_secret(&sub.sub_appid);
    for (secret, verdict) in [
        (&*right, Verdict::Proved),
        ("0123456789abcdef0123456789abcdef", Verdict::Wrong),
    ] {
        let table = sub_merchant_table(&sub) + &format!("sub_app_secret = \"{secret}\"\n");
        let text = configuration("") + &table;
        let report = Checked::at(&server).report(&text).await;
        let field = format!("merchant.sub_merchants {}, sub_app_secret", sub.sub_mchid);
        assert_eq!(about(&report, &field).verdict, verdict);
    }
}

#[tokio::test]
async fn each_of_two_merchant_keys_has_its_own_lines() {
    let server = with_certificates().await;
    let strange = strange_keys();
    let text = format!(
        "{}[[merchant.other_keys]]\nprivate_key_file = \"{1}/apiclient_key.pem\"\n\
         certificate_file = \"{1}/apiclient_cert.pem\"\n",
        configuration(""),
        strange.path().display()
    );
    let report = Checked::at(&server).report(&text).await;
    let first = about(&report, "merchant.private_key_file");
    assert_eq!(first.verdict, Verdict::Proved, "{first:?}");
    let other = about(&report, "merchant.other_keys[0].serial_no");
    assert_eq!(other.verdict, Verdict::Wrong, "{other:?}");
    // The other checks use the key that works.
    assert_eq!(
        about(&report, "merchant.api_v3_key").verdict,
        Verdict::Proved
    );
    assert!(report.has_failed());
}

#[tokio::test]
async fn the_notify_address_is_proved_only_if_this_server_answers_there() {
    let server = with_certificates().await;
    let answering = |status: StatusCode, body: &'static str| {
        let router = Router::new().fallback(move || async move { (status, body) });
        Arc::new(ServiceTransport::new(router)) as Arc<dyn WechatTransport>
    };
    let silent = crate::fault_injector::FaultInjector::new(Router::new());
    silent.inject("order", Fault::NotSent);
    silent.inject("order", Fault::NotSent);
    let cases = [
        (
            answering(StatusCode::OK, "<html>log in</html>"),
            Verdict::Wrong,
            "not as this server does",
        ),
        (
            answering(StatusCode::FOUND, ""),
            Verdict::Wrong,
            "follows no redirects",
        ),
        (
            answering(StatusCode::UNAUTHORIZED, "{}"),
            Verdict::Wrong,
            "not as this server does",
        ),
        (
            answering(StatusCode::NOT_FOUND, ""),
            Verdict::Wrong,
            "not as this server does",
        ),
        (
            Arc::new(silent) as Arc<dyn WechatTransport>,
            Verdict::NotProved,
            "start the server",
        ),
    ];
    for (notify, verdict, words) in cases {
        let check = Checked {
            notify,
            ..Checked::at(&server)
        };
        let report = check.report(&configuration("")).await;
        let line = about(&report, REFUND_NOTIFY);
        assert_eq!(line.verdict, verdict, "{line:?}");
        assert!(line.explanation.contains(words), "{line:?}");
    }
    let far = with_merchant("notify_base_url = \"https://no-such-name.invalid\"");
    let report = Checked::at(&server).report(&far).await;
    let line = about(
        &report,
        "https://no-such-name.invalid/wechat/notify/payment",
    );
    assert_eq!(line.verdict, Verdict::Wrong, "{line:?}");
    assert!(
        line.explanation.contains("its name is not found"),
        "{line:?}"
    );
}
