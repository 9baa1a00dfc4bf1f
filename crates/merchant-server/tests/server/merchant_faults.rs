//! WeChat refuses an order because of the merchant's own settings: the page reports who has to act, in
//! both versions of WeChat's API.

use checkout::{Actor, ProblemCode};
use merchant_api::ErrorCode;
use serde_json::json;

use crate::fault_injector::Fault;
use crate::test_server::TestServer;

/// Refusals that WeChat signs, by their codes in both versions.
const BY_CODE: [(&str, &str, &str); 2] = [
    ("NO_AUTH", "NO_AUTH", "NOAUTH"),
    (
        "APPID_MCHID_NOT_MATCH",
        "APPID_MCHID_NOT_MATCH",
        "APPID_MCHID_NOT_MATCH",
    ),
];

async fn both() -> [TestServer; 2] {
    [
        TestServer::open().await,
        crate::version_2::only::open().await,
    ]
}

/// The page's own decision about the backend's code.
fn assert_is_the_merchants(code: &str) {
    assert_eq!(code, ErrorCode::WechatRefused.as_str());
    let problem = ProblemCode::Refused(ErrorCode::WechatRefused);
    assert_eq!(problem.actor(), Actor::Merchant);
    assert!(!problem.is_recoverable());
}

#[tokio::test]
async fn a_product_that_is_not_open_and_an_unbound_appid_are_the_merchants_to_fix() {
    for (server, place) in both().await.iter().zip(0..) {
        for (fault, of_v3, of_v2) in BY_CODE {
            let rule = json!([{ "route": "order", "kind": "refused", "code": fault, "rate": 1 }]);
            server.control("POST", "faults", &rule.to_string()).await;
            let order = json!({ "order_no": format!("tea-{fault}").to_lowercase(), "total_fen": 5, "description": "t" });
            let token = server.order(order).await;
            let refused = server.attempt(&token, &[("product", "native")]).await;
            assert_is_the_merchants(refused.code());
            let code = [of_v3, of_v2][place];
            assert_eq!(refused.json["error"]["wechat_code"], code);
            assert_eq!(refused.json["error"]["retryable"], false);
        }
    }
}

#[tokio::test]
async fn a_wrong_key_is_the_merchants_to_fix_and_its_reason_is_in_the_answer() {
    let of_v3 = r#"{"code":"SIGN_ERROR","message":"签名错误"}"#;
    let of_v2 = "<xml><return_code><![CDATA[FAIL]]></return_code>\
                 <return_msg><![CDATA[签名错误]]></return_msg></xml>";
    let refusals = [(401, of_v3), (200, of_v2)];
    for (server, (status, body)) in both().await.iter().zip(refusals) {
        let token = server.default_order().await;
        server.wechat.inject("order", Fault::Answered(status, body));
        let refused = server.attempt(&token, &[("product", "native")]).await;
        assert_is_the_merchants(refused.code());
        let message = refused.json["error"]["message"].as_str().unwrap();
        assert!(message.contains("签名错误"), "{message}");
        // WeChat gives no code for it in version 2, and an empty one explains nothing.
        let code = refused.json["error"]["wechat_code"].as_str();
        assert_eq!(code, (status == 401).then_some("SIGN_ERROR"));
    }
}
