//! The same payments by both versions of WeChat Pay's API: orders, doubt, duplicate payments, closing,
//! refunds, lost notifications. Where a rule of version 2 differs, the test says how.

mod bills;
mod code_pay;
mod migration;
pub(crate) mod notifications;
pub(crate) mod only;
mod refunds;

use http::StatusCode;
use merchant_server::Config;
use serde_json::{Value, json};
use wechat_pay::v2::{ApiV2Key, Fields, app_payment_verifies, jsapi_payment_verifies};
use wechat_pay::{AppPayment, JsapiPayment};

use crate::app_and_mini_program::login_code;
use crate::fault_injector::Fault;
use crate::test_server::{Answer, MINUTE_MS, Owner, TestServer, merchant};

const NATIVE: (&str, &str) = ("product", "native");
const H5: (&str, &str) = ("product", "h5");
const BACK: (&str, &str) = ("return_url", "http://127.0.0.1:8000/pay");
const PRODUCTS: &str = r#"products = ["native", "h5", "jsapi", "mini_program", "app", "code_pay"]"#;

/// A version of the API, as lines of `[merchant]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    V3,
    V2Md5,
    V2Hmac,
}

impl Api {
    pub(crate) const ALL: [Self; 3] = [Self::V3, Self::V2Md5, Self::V2Hmac];
    pub(crate) const V2: [Self; 2] = [Self::V2Md5, Self::V2Hmac];

    fn lines(self) -> &'static str {
        match self {
            Self::V3 => "",
            Self::V2Md5 => "api = \"v2\"\nv2_sign_type = \"MD5\"\n",
            Self::V2Hmac => "api = \"v2\"\n",
        }
    }

    fn sign_type(self) -> &'static str {
        match self {
            Self::V3 => "RSA",
            Self::V2Md5 => "MD5",
            Self::V2Hmac => "HMAC-SHA256",
        }
    }

    /// The path of an order.
    fn is_of(self, path: &str) -> bool {
        path.starts_with("/v3/") == (self == Self::V3)
    }

    /// A server whose merchant orders by this version, with all products.
    pub(crate) async fn open(self) -> TestServer {
        self.open_for(Owner::Merchant, "").await
    }

    async fn open_for(self, owner: Owner, end: &str) -> TestServer {
        let appid = merchant()["appid"].as_str().unwrap().to_owned();
        let lines = format!("{}app_appid = \"{appid}\"\n", self.lines());
        let configuration = owner.configuration(PRODUCTS, &lines) + end;
        TestServer::open_configured(&configuration).await
    }
}

pub(crate) fn api_v2_key() -> ApiV2Key {
    ApiV2Key::parse(merchant()["api_v2_key"].as_str().unwrap()).unwrap()
}

/// WeChat's notifications are delivered and accepted, each in the form of its version.
async fn deliver_all(server: &TestServer) {
    for notification in server.take_notifications() {
        let answer = server.deliver_to(notification.path(), &notification).await;
        assert_accepted(&answer);
    }
}

fn assert_accepted(answer: &Answer) {
    match answer.status {
        StatusCode::NO_CONTENT => {}
        StatusCode::OK => {
            let fields = Fields::read(&answer.body).unwrap();
            assert_eq!(fields.get("return_code"), Some("SUCCESS"));
            assert_eq!(answer.headers["content-type"], "text/xml; charset=utf-8");
        }
        other => panic!("{other}: {}", answer.text()),
    }
}

/// `tea-0001` is paid by Native, and the notification was delivered.
async fn buy(server: &TestServer) -> String {
    let token = server.default_order().await;
    let answer = server.attempt(&token, &[NATIVE]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    server.pay("tea-0001").await;
    deliver_all(server).await;
    server.wechat.take_sent();
    token
}

/// Five minutes pass: from then on version 2 closes an order.
async fn until_closable(server: &TestServer) {
    server.clock.advance_ms(5 * MINUTE_MS);
}

#[tokio::test]
async fn each_product_is_ordered_paid_and_settled() {
    for owner in Owner::BOTH {
        for api in Api::ALL {
            let server = api.open_for(owner, "").await;
            let products = ["native", "h5", "jsapi", "mini_program", "app"];
            for (place, product) in products.into_iter().enumerate() {
                if owner == Owner::Provider && product == "app" {
                    continue;
                }
                let number = format!("tea-000{place}");
                let token = server
                    .order(json!({
                        "order_no": number, "total_fen": 1990, "description": "一壶茶",
                    }))
                    .await;
                let started = start(&server, product, &number, &token).await;
                assert_eq!(started.status, StatusCode::OK, "{api:?} {}", started.json);
                check_action(api, product, &started.json);
                let sent = server.wechat.take_sent();
                let order = sent.iter().find(|sent| sent.kind == "order").unwrap();
                assert!(api.is_of(&order.path), "{api:?}: {}", order.path);
                server.pay(&number).await;
                deliver_all(&server).await;
                let checkout = server.checkout(&token).await;
                assert_eq!(
                    checkout.string("state"),
                    "paid",
                    "{owner:?} {api:?} {product}"
                );
                assert_eq!(server.mismatches().await, []);
            }
            server.later(60 * MINUTE_MS).await;
            assert_eq!(
                server.wechat.take_kinds(),
                Vec::<&str>::new(),
                "nothing is left to do"
            );
        }
    }
}

async fn start(server: &TestServer, product: &'static str, number: &str, token: &str) -> Answer {
    match product {
        "app" => {
            let form = json!({"product": "app"});
            server.backend_attempt(number, &form).await
        }
        "jsapi" => {
            let payer = json!({"product": "jsapi", "payer": {"openid": "oBuyer"}});
            server.backend_attempt(number, &payer).await
        }
        "mini_program" => {
            let code = login_code(server).await;
            let form = [("product", "mini_program"), ("code", &code)];
            server.attempt(token, &form).await
        }
        product => server.attempt(token, &[("product", product), BACK]).await,
    }
}

/// The link of the product, or its parameters with a signature of the right kind.
fn check_action(api: Api, product: &str, answer: &Value) {
    match product {
        "native" => assert!(
            answer["code_url"]
                .as_str()
                .unwrap()
                .starts_with("weixin://")
        ),
        "h5" => {
            let url = answer["h5_url"].as_str().unwrap();
            assert!(url.contains("prepay_id=") && url.contains("&redirect_url="));
        }
        "app" => {
            let app: AppPayment = serde_json::from_value(answer["app"].clone()).unwrap();
            let is_v2 = app_payment_verifies(&app, &api_v2_key());
            assert_eq!(is_v2, api != Api::V3);
        }
        product => {
            let jsapi: JsapiPayment = serde_json::from_value(answer[product].clone()).unwrap();
            assert_eq!(jsapi.sign_type, api.sign_type());
            let is_v2 = jsapi_payment_verifies(&jsapi, &api_v2_key());
            assert_eq!(is_v2, api != Api::V3);
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_fields() {
    for api in Api::ALL {
        let server = api.open().await;
        let token = server.default_order().await;
        server.wechat.inject("order", Fault::AnswerLost);
        let lost = server.attempt(&token, &[NATIVE]).await;
        assert_eq!(lost.code(), "ATTEMPT_IN_DOUBT", "{api:?}");
        let again = server.attempt(&token, &[NATIVE, ("after", "1")]).await;
        assert_eq!(again.number("attempt"), 1);
        let sent = server.wechat.take_sent();
        let bodies: Vec<_> = sent.iter().map(|sent| signed_part(&sent.body)).collect();
        assert_eq!(bodies.len(), 2);
        assert_eq!(bodies[0], bodies[1], "{api:?}");
    }
}

/// A body without what is new for each try.
fn signed_part(body: &[u8]) -> Vec<(String, String)> {
    let Ok(fields) = Fields::read(body) else {
        return vec![(String::new(), String::from_utf8(body.to_vec()).unwrap())];
    };
    let is_new = |name: &str| matches!(name, "nonce_str" | "sign");
    let kept = fields.iter().filter(|(name, _)| !is_new(name));
    kept.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test]
async fn a_payment_whose_notification_is_lost_is_found_by_a_query() {
    for api in Api::ALL {
        let server = api.open().await;
        let token = server.default_order().await;
        server.attempt(&token, &[NATIVE]).await;
        server.pay("tea-0001").await;
        assert_eq!(server.take_notifications().len(), 1, "and it is lost");
        server.later(5_000).await;
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "paid",
            "{api:?}"
        );
        let shown = server.shown("/tea-0001").await;
        assert_eq!(shown.number("payer_total_fen"), 1990);
        assert!(
            shown
                .string("success_time")
                .starts_with("2026-11-21T17:20:")
        );
    }
}

#[tokio::test]
async fn another_product_first_closes_and_a_young_order_of_version_2_is_not_closed() {
    for api in Api::ALL {
        let server = api.open().await;
        let token = server.default_order().await;
        server.attempt(&token, &[NATIVE]).await;
        let wanted = [H5, BACK, ("after", "1")];
        if api != Api::V3 {
            server.clock.advance_ms(MINUTE_MS);
            let refused = server.attempt(&token, &wanted).await;
            assert_eq!(refused.code(), "ATTEMPT_IN_DOUBT");
            assert_eq!(refused.json["error"]["retry_after_ms"], 4 * MINUTE_MS);
            let checkout = server.checkout(&token).await;
            assert_eq!(checkout.number("attempt"), 1, "no second attempt");
            assert_eq!(server.trade_state("tea-0001").as_deref(), Some("NOTPAY"));
            // The buyer can still pay the first one.
            assert!(checkout.json["code_url"].is_string());
            server.clock.advance_ms(4 * MINUTE_MS);
        }
        let second = server.attempt(&token, &wanted).await;
        assert_eq!(second.number("attempt"), 2, "{api:?} {}", second.json);
        assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
    }
}

#[tokio::test]
async fn a_young_order_of_version_2_is_cancelled_once_it_is_old_enough() {
    for api in Api::V2 {
        let server = api.open().await;
        let token = server.default_order().await;
        server.attempt(&token, &[NATIVE]).await;
        let cancel = format!("/v1/checkouts/{token}/cancel");
        let refused = server.form(&cancel, &[("after", "1")]).await;
        assert_eq!(refused.code(), "ATTEMPT_IN_DOUBT");
        assert_eq!(refused.json["error"]["retry_after_ms"], 5 * MINUTE_MS);
        until_closable(&server).await;
        let cancelled = server.form(&cancel, &[("after", "1")]).await;
        assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.json);
        assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
    }
}

#[tokio::test]
async fn the_backend_closes_an_order_at_once_or_as_soon_as_version_2_lets_it() {
    for api in Api::ALL {
        let server = api.open().await;
        let token = server.default_order().await;
        server.attempt(&token, &[NATIVE]).await;
        let closed = server.call("POST", "/v1/orders/tea-0001/close").await;
        if api != Api::V3 {
            assert_eq!(closed.code(), "ATTEMPT_IN_DOUBT");
            assert_eq!(closed.json["error"]["retry_after_ms"], 5 * MINUTE_MS);
            let started = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
            assert_eq!(started.code(), "CHECKOUT_EXPIRED", "it is being closed");
            server.wechat.take_sent();
            for _ in 0..10 {
                server.later(MINUTE_MS / 2).await;
            }
            let kinds = server.wechat.take_kinds();
            let tries = kinds.iter().filter(|kind| **kind == "close").count();
            assert!(tries <= 2, "{tries} useless calls");
            server.later(MINUTE_MS).await;
        }
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "closed",
            "{api:?}"
        );
        assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
    }
}

#[tokio::test]
async fn an_order_that_never_arrived_leaves_its_place_at_once() {
    for api in Api::ALL {
        let server = api.open().await;
        let token = server.default_order().await;
        server.wechat.inject("order", Fault::NotSent);
        let lost = server.attempt(&token, &[NATIVE]).await;
        assert_eq!(lost.code(), "WECHAT_UNAVAILABLE");
        // No buyer can have its link, so nothing has to be waited for.
        let second = server.attempt(&token, &[H5, BACK, ("after", "1")]).await;
        assert_eq!(second.number("attempt"), 2, "{api:?} {}", second.json);
    }
}

#[tokio::test]
async fn an_order_that_nobody_pays_is_closed_after_its_time() {
    for api in Api::ALL {
        let server = api.open().await;
        let token = server.default_order().await;
        server.attempt(&token, &[NATIVE]).await;
        server.later(31 * MINUTE_MS).await;
        assert_eq!(
            server.checkout(&token).await.string("state"),
            "closed",
            "{api:?}"
        );
    }
}

#[tokio::test]
async fn wechats_refusal_of_an_order_has_the_same_meaning_in_both_versions() {
    for api in Api::ALL {
        for (rule, code) in [
            (
                json!({"kind": "refused", "code": "NO_AUTH"}),
                "WECHAT_REFUSED",
            ),
            (json!({"kind": "too_many_requests"}), "WECHAT_UNAVAILABLE"),
            (json!({"kind": "error_before"}), "ATTEMPT_IN_DOUBT"),
            (json!({"kind": "error_after"}), "ATTEMPT_IN_DOUBT"),
        ] {
            let server = api.open().await;
            let token = server.default_order().await;
            let mut rule = rule;
            rule["route"] = "order".into();
            rule["rate"] = 1.0.into();
            rule["count"] = 1.into();
            server.simulate("faults", &json!([rule])).await;
            let refused = server.attempt(&token, &[NATIVE]).await;
            assert_eq!(refused.code(), code, "{api:?} {rule} {}", refused.json);
            assert!(refused.json["error"]["wechat_code"].is_string());
            // The limit of calls ends after some seconds.
            server.clock.advance_ms(6_000);
            let again = server.attempt(&token, &[NATIVE, ("after", "1")]).await;
            assert_eq!(
                again.status,
                StatusCode::OK,
                "{api:?} {rule} {}",
                again.json
            );
        }
    }
}

#[test]
fn the_configuration_names_what_version_2_lacks() {
    let with = |lines: &str| {
        let configuration = crate::test_server::configuration("") + lines;
        Config::parse(&configuration, std::path::Path::new("."))
            .map(drop)
            .map_err(|error| error.to_string())
    };
    for (lines, error) in [
        ("api = \"v2\"", None),
        ("api = \"v3\"\nv2_sign_type = \"MD5\"", None),
        (
            "api = \"V2\"",
            Some("merchant.api: must be \"v3\" or \"v2\""),
        ),
        (
            "v2_sign_type = \"RSA\"",
            Some("merchant.v2_sign_type: must be \"HMAC-SHA256\" or \"MD5\""),
        ),
        (
            "api = \"v2\"\napi_v2_key = \"short\"",
            Some("merchant.api_v2_key: must be 32 letters and digits"),
        ),
    ] {
        let found = with(lines).err();
        assert_eq!(found.as_deref(), error, "{lines}");
    }
}
