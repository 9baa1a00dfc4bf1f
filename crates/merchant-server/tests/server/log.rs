//! What the server writes to its log, and what it never writes: a secret, a whole token, an openid,
//! or a code that can still be used.

use std::cell::RefCell;
use std::io::Write;
use std::sync::LazyLock;

use http::StatusCode;
use merchant_server::Clock as _;
use serde_json::json;

use crate::fault_injector::Fault;
use crate::oauth::{BACK, authorize_url, handle, through_wechat};
use crate::test_server::{
    API_KEY, TestServer, backend, configuration, merchant, payment_notification, transaction,
};

const PRODUCTS: &str = r#"products = ["native", "jsapi", "mini_program", "code_pay"]"#;
const TARGET_SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

#[tokio::test]
async fn no_log_line_contains_a_secret_a_whole_token_or_an_openid() {
    let log = Log::start();
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    let notification =
        payment_notification("n-1", &transaction("tea-0001", 1), server.clock.now_ms());
    server.deliver(&notification).await;
    server.get(&format!("/c/{token}")).await;
    server.get("/v1/checkouts/AAAAAAAAAAAAAAAAAAAAAA").await;
    let text = log.text();
    assert!(text.contains("payment.mismatch"), "{text}");
    assert!(text.contains("CHECKOUT_UNKNOWN"), "{text}");
    assert!(text.contains(&token[..6]), "{text}");
    log.holds_none_of(&[&token, "AAAAAAAAAAAAAAAAAAAAAA", "oSecretOpenId"]);
}

/// Hands over every value of a buyer, a backend or WeChat that another person could use.
#[tokio::test]
async fn no_log_line_contains_a_code_a_handle_or_a_token() {
    let log = Log::start();
    let server = server_of_all_products().await;
    let mut handed_over = Vec::new();

    // The redirect for the openid: accepted, called twice, and lost on the way to WeChat.
    let token = server.default_order().await;
    for fault in [None, Some(Fault::NotSent), Some(Fault::AnswerLost)] {
        let is_lost = fault.is_some();
        let back = through_wechat(&server, &authorize_url(&server, &token).await).await;
        let (_, query) = back.split_once('?').unwrap();
        handed_over.extend(query.split('&').map(|pair| value_of(pair).to_owned()));
        if let Some(fault) = fault {
            server.wechat.inject("openid", fault);
        }
        let answer = server.get(&back).await;
        server.get(&back).await;
        if !is_lost {
            let handle = handle(&answer);
            let payer = [("product", "jsapi"), ("payer", &*handle), BACK];
            let paying = server.attempt(&token, &payer).await;
            assert_eq!(paying.status, StatusCode::OK, "{}", paying.json);
            handed_over.push(handle);
        }
    }
    handed_over.push(token);

    // Codes: valid and invalid login codes, and the code on a buyer's phone.
    let token = order(&server, "tea-0002").await;
    let login = server.simulate("login", &json!({})).await;
    for code in [login["code"].as_str().unwrap(), "madeUpLoginCode"] {
        let fields = [("product", "mini_program"), ("code", code)];
        server.attempt(&token, &fields).await;
        handed_over.push(code.to_owned());
    }
    handed_over.push(token);
    order(&server, "tea-0003").await;
    let shown = server.shown_code().await;
    for code in [&*shown, "139999999999999999"] {
        let scan = json!({
            "product": "code_pay", "auth_code": code,
            "scene_info": {"store_info": {"id": "0001"}},
        });
        let scanned = server.backend_attempt("tea-0003", &scan).await;
        assert_ne!(scanned.code(), "INVALID_REQUEST", "{}", scanned.json);
        handed_over.push(code.to_owned());
    }

    // The backend's calls, accepted and refused, and webhooks that the backend does not accept.
    order(&server, "tea-0004").await;
    let payer = json!({"product": "jsapi", "payer": {"openid": "oBackendsOpenId"}});
    server.backend_attempt("tea-0004", &payer).await;
    for body in [
        r#"{"order_no": "tea-0005", "payer": {"openid": "oRefusedOpenId"}, "total_fen": -1}"#,
        r#"{"payer": "oBrokenOpenId"#,
    ] {
        let refused = server.send(backend("/v1/orders", API_KEY, body)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }
    let stranger = backend("/v1/orders", "a-strangers-key", "{}");
    assert_eq!(server.send(stranger).await.status, StatusCode::UNAUTHORIZED);
    server.backend.answer(StatusCode::INTERNAL_SERVER_ERROR);
    server.call("POST", "/v1/orders/tea-0004/close").await;
    server.later(0).await;
    assert!(!server.backend.take().is_empty());

    let mut secrets: Vec<_> = handed_over.iter().map(String::as_str).collect();
    secrets.extend(["oBackendsOpenId", "oRefusedOpenId", "oBrokenOpenId"]);
    secrets.extend(["a-strangers-key", TARGET_SECRET]);
    let openid = server
        .simulator
        .openid(merchant()["appid"].as_str().unwrap());
    secrets.push(&openid);
    log.holds_none_of(&secrets);
}

async fn server_of_all_products() -> TestServer {
    let hooks = format!(
        "mini_program_path = \"/pages/pay\"\n\
         [[webhooks]]\nurl = \"http://127.0.0.1:7000/hooks\"\nsecret = \"whsec_{TARGET_SECRET}\"\n"
    );
    TestServer::open_configured(&(configuration(PRODUCTS) + &hooks)).await
}

async fn order(server: &TestServer, order_no: &str) -> String {
    let order = json!({"order_no": order_no, "total_fen": 1990, "description": "tea"});
    server.order(order).await
}

fn value_of(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(_, value)| value)
}

/// The lines that this thread logs from now on.
///
/// One subscriber serves the whole run. With a subscriber for each thread, `tracing` could treat a
/// line as disabled because another thread reached it first.
pub(crate) struct Log;

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

static SUBSCRIBED: LazyLock<()> = LazyLock::new(|| {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(|| Lines)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
});

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(crate) fn start() -> Self {
        LazyLock::force(&SUBSCRIBED);
        LINES.with_borrow_mut(Vec::clear);
        Self
    }

    #[expect(clippy::unused_self, reason = "only who started it may read it")]
    pub(crate) fn text(&self) -> String {
        LINES.with_borrow(|lines| String::from_utf8(lines.clone()).unwrap())
    }

    pub(crate) fn count(&self, word: &str) -> usize {
        self.text().matches(word).count()
    }

    /// Checks that the log holds none of these secrets, and no secret of the configuration.
    pub(crate) fn holds_none_of(&self, secrets: &[&str]) {
        let text = self.text();
        let merchant = merchant();
        let configured = [
            "app_secret",
            "mini_program_secret",
            "api_v3_key",
            "api_v2_key",
        ];
        let configured = configured.map(|name| merchant[name].as_str().unwrap());
        for secret in secrets.iter().chain(&configured).chain(&[API_KEY]) {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
