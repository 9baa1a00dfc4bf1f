//! Attempts of an app and of a mini-program: each has its own appid, and each call is signed again.

use http::StatusCode;
use serde_json::{Value, json};
use wechat_pay::{AppPayment, JsapiPayment, PublicKey};

use crate::fault_injector::Fault;
use crate::test_server::{KEYS, MINUTE_MS, TestServer, merchant};

const ALL: &str = r#"products = ["native", "h5", "jsapi", "mini_program", "app"]"#;
const MINI_PROGRAM: (&str, &str) = ("product", "mini_program");

/// A server with an app (under the simulator's one application) and a mini-program.
async fn open() -> TestServer {
    let appid = merchant()["appid"].as_str().unwrap().to_owned();
    let more =
        format!("app_appid = \"{appid}\"\nmini_program_path = \"/pages/pay/pay?from=web\"\n");
    TestServer::open_with_merchant(ALL, &more).await
}

/// The merchant's public key, to check what it signed.
fn merchants_key() -> PublicKey {
    let file = merchant()["certificate_file"].as_str().unwrap().to_owned();
    let pem = std::fs::read(KEYS.path().join(file)).unwrap();
    PublicKey::from_certificate_pem(&pem).unwrap().1
}

pub(crate) async fn login_code(server: &TestServer) -> String {
    let login = server.simulate("login", &json!({})).await;
    login["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_app_gets_its_seven_strings_signed_again_for_the_same_order() {
    let server = open().await;
    server.default_order().await;
    let app = json!({"product": "app"});
    let first = server.backend_attempt("tea-0001", &app).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.json);
    let second = server.backend_attempt("tea-0001", &app).await;
    let read = |answer: &crate::test_server::Answer| -> AppPayment {
        serde_json::from_value(answer.json["app"].clone()).unwrap()
    };
    let (first, second) = (read(&first), read(&second));
    assert_eq!(first.prepayid, second.prepayid);
    assert_ne!(first.noncestr, second.noncestr);
    assert!(!first.prepayid.contains('='), "no prefix in an app");
    assert_eq!(first.partnerid, merchant()["mchid"].as_str().unwrap());
    assert!(first.verifies(&merchants_key()) && second.verifies(&merchants_key()));
    assert_eq!(server.wechat.take_kinds(), ["order"]);
    // A second device or a shop's desk takes over: the same rules as for any other attempt.
    let desk = server
        .backend_attempt("tea-0001", &json!({"product": "native", "after": 1}))
        .await;
    assert_eq!(desk.json["attempt"]["number"], 2, "{}", desk.json);
    assert!(desk.string("code_url").starts_with("weixin://"));
}

#[tokio::test]
async fn a_web_view_gets_the_path_and_nothing_changes() {
    let server = open().await;
    let token = server.default_order().await;
    let before = server.checkout(&token).await.json;
    let answer = server.attempt(&token, &[MINI_PROGRAM]).await;
    assert_eq!(
        answer.string("mini_program_path"),
        format!("/pages/pay/pay?from=web&token={token}")
    );
    assert_eq!(answer.number("attempt"), 0);
    assert_eq!(server.checkout(&token).await.json, before);
    assert_eq!(server.wechat.take_kinds(), Vec::<&str>::new());
    assert!(
        before["products"]
            .as_array()
            .unwrap()
            .contains(&json!("mini_program"))
    );
    assert!(
        !before["products"]
            .as_array()
            .unwrap()
            .contains(&json!("app"))
    );
}

#[tokio::test]
async fn a_mini_program_pays_with_its_login_code_under_its_own_appid() {
    let server = open().await;
    let token = server.default_order().await;
    let code = login_code(&server).await;
    let paying = server
        .attempt(&token, &[MINI_PROGRAM, ("code", &code)])
        .await;
    assert_eq!(paying.status, StatusCode::OK, "{}", paying.json);
    assert_eq!(paying.string("product"), "mini_program");
    let merchant = merchant();
    let signed: JsapiPayment = serde_json::from_value(paying.json["mini_program"].clone()).unwrap();
    assert_eq!(
        signed.app_id,
        merchant["mini_program_appid"].as_str().unwrap()
    );
    assert!(signed.verifies(&merchants_key()));
    let body = server.last_order();
    assert_eq!(body["appid"], merchant["mini_program_appid"]);
    let read = server.checkout(&token).await;
    assert!(
        read.json["mini_program"].is_null(),
        "only its payer gets it"
    );
    server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    assert_eq!(server.mismatches().await, []);
}

#[tokio::test]
async fn the_same_buyer_with_another_login_code_has_the_same_attempt() {
    let server = open().await;
    let token = server.default_order().await;
    let first = login_code(&server).await;
    server
        .attempt(&token, &[MINI_PROGRAM, ("code", &first)])
        .await;
    // The buyer closed the cashier, or the answer was lost: the page logs in again.
    let second = login_code(&server).await;
    let form = [MINI_PROGRAM, ("code", &*second), ("after", "1")];
    let again = server.attempt(&token, &form).await;
    assert_eq!(again.number("attempt"), 1, "{}", again.json);
    assert_eq!(server.wechat.take_kinds(), ["openid", "order", "openid"]);
}

#[tokio::test]
async fn a_login_code_is_used_once_even_if_another_attempt_is_ended_first() {
    let server = open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    server.wechat.take_sent();
    let code = login_code(&server).await;
    let form = [MINI_PROGRAM, ("code", &*code), ("after", "1")];
    let begun = server.attempt(&token, &form).await;
    assert_eq!(begun.number("attempt"), 2, "{}", begun.json);
    assert_eq!(
        server.wechat.take_kinds(),
        ["openid", "query", "close", "order"]
    );
    // Do not redirect a page whose `after` is stale: answer ATTEMPT_SUPERSEDED first.
    let silent = server
        .attempt(&token, &[("product", "native"), ("after", "1")])
        .await;
    assert_eq!(silent.code(), "ATTEMPT_SUPERSEDED");
}

#[tokio::test]
async fn a_failed_payer_lookup_is_refused_with_its_code() {
    let server = open().await;
    let token = server.default_order().await;
    let spent = login_code(&server).await;
    server
        .attempt(&token, &[MINI_PROGRAM, ("code", &spent)])
        .await;
    for code in [&*spent, "nobodys"] {
        let refused = server
            .attempt(&token, &[MINI_PROGRAM, ("code", code), ("after", "1")])
            .await;
        assert_eq!(refused.status.as_u16(), 422, "{}", refused.json);
        assert_eq!(refused.code(), "PAYER_INVALID");
        assert_eq!(refused.json["error"]["field"], "code");
    }
    server
        .wechat
        .inject("openid", Fault::Answered(200, r#"{"errcode":40125}"#));
    let code = login_code(&server).await;
    let refused = server
        .attempt(&token, &[MINI_PROGRAM, ("code", &code), ("after", "1")])
        .await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (409, "PAYER_UNAVAILABLE")
    );
    let handle = server
        .attempt(&token, &[MINI_PROGRAM, ("payer", "handle"), ("after", "1")])
        .await;
    assert_eq!(handle.code(), "PAYER_INVALID");
}

#[tokio::test]
async fn the_backend_can_name_the_payer_only_where_the_product_has_one() {
    let server = open().await;
    server.default_order().await;
    let merchant = merchant();
    let openid = server
        .simulator
        .openid(merchant["mini_program_appid"].as_str().unwrap());
    let wanted = json!({"product": "mini_program", "payer": {"openid": openid}});
    let paying = server.backend_attempt("tea-0001", &wanted).await;
    assert!(
        paying.json["mini_program"]["paySign"].is_string(),
        "{}",
        paying.json
    );
    let cases = [
        (json!({"product": "app", "payer": {"openid": "o"}}), "payer"),
        (json!({"product": "jsapi", "code": "c"}), "code"),
        (json!({"product": "jsapi"}), "payer"),
        (json!({"product": "mini_program"}), "payer"),
        (json!({"product": "native", "auth_code": "1"}), "auth_code"),
        (
            json!({"product": "native", "return_url": "https://x"}),
            "return_url",
        ),
        (
            json!({"product": "h5", "payer_client_ip": "home"}),
            "payer_client_ip",
        ),
        (json!({"product": "mini_program", "payer": {}}), "payer"),
        (
            json!({"product": "mini_program", "payer": {"openid": "o"}, "code": "c"}),
            "code",
        ),
    ];
    for (wanted, field) in cases {
        let refused = server.backend_attempt("tea-0001", &wanted).await;
        assert_eq!(refused.code(), "INVALID_REQUEST", "{wanted}");
        assert_eq!(refused.json["error"]["field"], field, "{wanted}");
    }
}

#[tokio::test]
async fn the_backend_starts_h5_and_jsapi_for_pages_of_its_own() {
    let server = open().await;
    server.default_order().await;
    let h5 = json!({
        "product": "h5", "payer_client_ip": "198.51.100.7",
        "return_url": "http://127.0.0.1:8000/pay",
    });
    let answer = server.backend_attempt("tea-0001", &h5).await;
    assert!(
        answer.string("h5_url").contains("redirect_url="),
        "{}",
        answer.json
    );
    assert_eq!(
        server.last_order()["scene_info"]["payer_client_ip"],
        "198.51.100.7"
    );
    let openid = server
        .simulator
        .openid(merchant()["appid"].as_str().unwrap());
    let jsapi = json!({"product": "jsapi", "after": 1, "payer": {"openid": openid}});
    let answer = server.backend_attempt("tea-0001", &jsapi).await;
    assert!(
        answer.json["jsapi"]["paySign"].is_string(),
        "{}",
        answer.json
    );
    assert_eq!(answer.json["attempt"]["number"], 2);
}

#[tokio::test]
async fn the_backend_gets_the_reason_why_an_attempt_cannot_start() {
    let server = open().await;
    let token = server.default_order().await;
    let unknown = server
        .backend_attempt("nobodys", &json!({"product": "app"}))
        .await;
    assert_eq!(unknown.code(), "ORDER_UNKNOWN");
    let till = json!({"product": "code_pay", "auth_code": "130061098828009406"});
    let refused = server.backend_attempt("tea-0001", &till).await;
    assert_eq!(refused.code(), "PRODUCT_UNAVAILABLE", "{}", refused.json);
    let narrow = json!({
        "order_no": "tea-0002", "total_fen": 1, "description": "tea", "products": ["native"],
    });
    server.order(narrow).await;
    let refused = server
        .backend_attempt("tea-0002", &json!({"product": "app"}))
        .await;
    assert_eq!(refused.code(), "PRODUCT_UNAVAILABLE");
    server.clock.advance_ms(30 * MINUTE_MS);
    let expired = server
        .backend_attempt("tea-0001", &json!({"product": "app"}))
        .await;
    assert_eq!(expired.code(), "CHECKOUT_EXPIRED");
    server.later(1).await;
    let closed = server
        .backend_attempt("tea-0001", &json!({"product": "app"}))
        .await;
    assert_eq!(closed.string("state"), "closed");
    assert_eq!(closed.json.get("app"), None::<&Value>);
    assert_eq!(server.checkout(&token).await.string("state"), "closed");
}
