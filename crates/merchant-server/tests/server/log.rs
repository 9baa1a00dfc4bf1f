//! What the server writes to its log, and what it never does: a secret, a whole token, an openid, a
//! code that is good for something.

use std::cell::RefCell;
use std::io::Write;
use std::sync::LazyLock;

use http::StatusCode;
use merchant_server::Clock as _;
use serde_json::json;

use crate::house::{API_KEY, House, backend, configuration, letter, merchant, transaction};
use crate::oauth::{BACK, authorize_url, handle, through_wechat};
use crate::wechat_line::Meddling;

const PRODUCTS: &str = r#"products = ["native", "jsapi", "mini_program", "code_pay"]"#;
const TARGET_SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

#[tokio::test]
async fn no_log_line_holds_a_secret_a_whole_token_or_an_openid() {
    let log = Log::start();
    let house = House::open().await;
    let token = house.tea().await;
    house.attempt(&token, &[("product", "native")]).await;
    let letter = letter("n-1", &transaction("tea-0001", 1), house.clock.now_ms());
    house.hand_in(&letter).await;
    house.get(&format!("/c/{token}")).await;
    house.get("/v1/checkouts/AAAAAAAAAAAAAAAAAAAAAA").await;
    let text = log.text();
    assert!(text.contains("payment.mismatch"), "{text}");
    assert!(text.contains("CHECKOUT_UNKNOWN"), "{text}");
    assert!(text.contains(&token[..6]), "{text}");
    log.holds_none_of(&[&token, "AAAAAAAAAAAAAAAAAAAAAA", "oSecretOpenId"]);
}

/// All that a buyer, a backend or WeChat hands over and that somebody else could use.
#[tokio::test]
async fn no_log_line_holds_what_is_good_for_a_step() {
    let log = Log::start();
    let house = house_of_all_products().await;
    let mut handed_over = Vec::new();

    // The hop for the openid: taken, told twice, and lost on the way to WeChat.
    let token = house.tea().await;
    for meddling in [None, Some(Meddling::NotSent), Some(Meddling::AnswerLost)] {
        let is_lost = meddling.is_some();
        let back = through_wechat(&house, &authorize_url(&house, &token).await).await;
        let (_, query) = back.split_once('?').unwrap();
        handed_over.extend(query.split('&').map(|pair| value_of(pair).to_owned()));
        if let Some(meddling) = meddling {
            house.line.meddle("openid", meddling);
        }
        let answer = house.get(&back).await;
        house.get(&back).await;
        if !is_lost {
            let handle = handle(&answer);
            let payer = [("product", "jsapi"), ("payer", &*handle), BACK];
            let paying = house.attempt(&token, &payer).await;
            assert_eq!(paying.status, StatusCode::OK, "{}", paying.json);
            handed_over.push(handle);
        }
    }
    handed_over.push(token);

    // Codes: of a login, good and bad, and of a buyer's phone.
    let token = order(&house, "tea-0002").await;
    let login = house.simulate("login", &json!({})).await;
    for code in [login["code"].as_str().unwrap(), "madeUpLoginCode"] {
        let fields = [("product", "mini_program"), ("code", code)];
        house.attempt(&token, &fields).await;
        handed_over.push(code.to_owned());
    }
    handed_over.push(token);
    order(&house, "tea-0003").await;
    let shown = house.shown_code().await;
    for code in [&*shown, "139999999999999999"] {
        let scan = json!({
            "product": "code_pay", "auth_code": code,
            "scene_info": {"store_info": {"id": "0001"}},
        });
        let scanned = house.backend_attempt("tea-0003", &scan).await;
        assert_ne!(scanned.code(), "INVALID_REQUEST", "{}", scanned.json);
        handed_over.push(code.to_owned());
    }

    // The backend's words, right and refused, and its messages, which it does not take.
    order(&house, "tea-0004").await;
    let payer = json!({"product": "jsapi", "payer": {"openid": "oBackendsOpenId"}});
    house.backend_attempt("tea-0004", &payer).await;
    for body in [
        r#"{"order_no": "tea-0005", "payer": {"openid": "oRefusedOpenId"}, "total_fen": -1}"#,
        r#"{"payer": "oBrokenOpenId"#,
    ] {
        let refused = house.send(backend("/v1/orders", API_KEY, body)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }
    let stranger = backend("/v1/orders", "a-strangers-key", "{}");
    assert_eq!(house.send(stranger).await.status, StatusCode::UNAUTHORIZED);
    house.backend.answer(StatusCode::INTERNAL_SERVER_ERROR);
    house.call("POST", "/v1/orders/tea-0004/close").await;
    house.later(0).await;
    assert!(!house.backend.take().is_empty());

    let mut secrets: Vec<_> = handed_over.iter().map(String::as_str).collect();
    secrets.extend(["oBackendsOpenId", "oRefusedOpenId", "oBrokenOpenId"]);
    secrets.extend(["a-strangers-key", TARGET_SECRET]);
    let openid = house
        .simulator
        .openid(merchant()["appid"].as_str().unwrap());
    secrets.push(&openid);
    log.holds_none_of(&secrets);
}

async fn house_of_all_products() -> House {
    let hooks = format!(
        "mini_program_path = \"/pages/pay\"\n\
         [[webhooks]]\nurl = \"http://127.0.0.1:7000/hooks\"\nsecret = \"whsec_{TARGET_SECRET}\"\n"
    );
    House::open_configured(&(configuration(PRODUCTS) + &hooks)).await
}

async fn order(house: &House, order_no: &str) -> String {
    let order = json!({"order_no": order_no, "total_fen": 1990, "description": "tea"});
    house.order(order).await
}

fn value_of(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(_, value)| value)
}

/// What this thread logs from now on.
///
/// One subscriber serves the whole run: with one for each thread, a line whose place in the code
/// another thread came to first could be taken for switched off.
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

    /// None of these, nor what every house has and nobody may know.
    pub(crate) fn holds_none_of(&self, secrets: &[&str]) {
        let text = self.text();
        let merchant = merchant();
        let of_the_house = [
            "app_secret",
            "mini_program_secret",
            "api_v3_key",
            "api_v2_key",
        ];
        let of_the_house = of_the_house.map(|name| merchant[name].as_str().unwrap());
        for secret in secrets.iter().chain(&of_the_house).chain(&[API_KEY]) {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
