//! Several merchants in one server: each has its orders, its keys, its notifications and its due work,
//! and none of them sees or slows another.

mod applications;
mod fairness;
mod isolation;
mod notifications;
mod owners;
mod refused_configurations;

use serde_json::json;

use crate::test_server::{KEYS, MERCHANT, OTHER_KEYS, SHOP, TestServer};

pub(crate) const KEY: &str = crate::test_server::API_KEY;
pub(crate) const OTHER_KEY: &str = "the other shop's key";
/// SHA-256 of [`KEY`] and [`OTHER_KEY`], made with another program.
pub(crate) const SHA256: &str = "c80d81b34fabf08a6f7109408af749a65d014045243f952276ffecdbd9ad3888";
pub(crate) const OTHER_SHA256: &str =
    "b285bf888666e0d8675296659305e0bba738653ea526a85b86052f40508029a5";

pub(crate) const TARGET: &str = "http://127.0.0.1:7000/hooks";
pub(crate) const OTHER_TARGET: &str = "http://127.0.0.1:7001/hooks";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// The top of a configuration with several merchants.
pub(crate) fn top(lines: &str) -> String {
    format!(
        r#"
        {lines}
        public_base_url = "{MERCHANT}"
        allowed_origins = ["{SHOP}"]
        trusted_proxies = ["127.0.0.1/32"]
        [gateway]
        environment = "simulator"
        tries = 1
        "#
    )
}

/// The table of a merchant with the keys of a folder. More lines of it follow before its API keys.
pub(crate) fn table(from_file: &str, lines: &str, sha256: &str, target: &str) -> String {
    format!(
        r#"
        [[merchants]]
        from_file = "{from_file}"
        return_origins = ["{SHOP}"]
        {lines}
        [[merchants.api_keys]]
        name = "shop"
        sha256 = "{sha256}"
        [[merchants.webhooks]]
        url = "{target}"
        secret = "{SECRET}"
        "#
    )
}

/// The tables of the first merchant, and of the second.
pub(crate) fn first_table(lines: &str) -> String {
    let file = KEYS.path().join("merchant.json");
    table(&file.display().to_string(), lines, SHA256, TARGET)
}

pub(crate) fn second_table(lines: &str) -> String {
    let file = OTHER_KEYS.path().join("merchant.json");
    table(
        &file.display().to_string(),
        lines,
        OTHER_SHA256,
        OTHER_TARGET,
    )
}

/// Both merchants in one server, as each of them sees it.
pub(crate) async fn open(lines: &str) -> [TestServer; 2] {
    let configuration = top(lines) + &first_table("") + &second_table("");
    TestServer::open_pair(&configuration, [KEY, OTHER_KEY]).await
}

/// A merchant's order with an open code, under this number.
pub(crate) async fn ordered(server: &TestServer, order_no: &str) -> String {
    let order = json!({ "order_no": order_no, "total_fen": 1990, "description": "tea" });
    let token = server.order(order).await;
    let answer = server.attempt(&token, &[("product", "native")]).await;
    assert!(answer.status.is_success(), "{}", answer.json);
    token
}

/// The address of a merchant's notifications.
pub(crate) fn path_of(server: &TestServer, kind: &str) -> String {
    format!("/wechat/notify/{}/{kind}", server.mchid)
}

/// A merchant's order that is paid, and whose notification was delivered.
pub(crate) async fn paid(server: &TestServer, order_no: &str) -> String {
    let token = ordered(server, order_no).await;
    server.pay(order_no).await;
    for notification in server.take_notifications() {
        let answer = server
            .deliver_to(&path_of(server, "payment"), &notification)
            .await;
        assert_eq!(answer.status, 204, "{}", answer.json);
    }
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    token
}
