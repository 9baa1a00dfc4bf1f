//! Two applications of a kind: an order names the one that it is paid in.

use http::StatusCode;
use serde_json::json;

use crate::oauth::{BACK, JSAPI, authorize_url, handle, through_wechat};
use crate::test_server::{TestServer, merchant, text_of};

const ALL: &str = r#"products = ["native", "jsapi", "mini_program", "app"]"#;
/// WeChat's simulator does not know this one, so no order under it succeeds.
const THIRD: &str = "wx00000000000000aa";

/// A merchant with two official accounts, the second of which is the simulator's second application;
/// and with two mini-programs and two apps.
async fn open() -> (TestServer, String, String) {
    let (first, second) = (
        text_of(&merchant(), "appid"),
        text_of(&merchant(), "mini_program_appid"),
    );
    let secret = text_of(&merchant(), "mini_program_secret");
    let more = format!(
        r#"
        mini_program_appid = "wx00000000000000bb"
        app_appid = "{THIRD}"
        [[merchant.applications]]
        kind = "official_account"
        appid = "{second}"
        secret = "{secret}"
        [[merchant.applications]]
        kind = "mini_program"
        appid = "wx00000000000000cc"
        path = "/pages/pay/other"
        [[merchant.applications]]
        kind = "app"
        appid = "wx00000000000000dd"
        "#
    );
    let server = TestServer::open_with_merchant(ALL, &more).await;
    (server, first, second)
}

fn order(order_no: &str, appids: &[&str]) -> serde_json::Value {
    json!({
        "order_no": order_no, "total_fen": 1990, "description": "tea", "appids": appids,
    })
}

#[tokio::test]
async fn an_order_is_paid_in_the_official_account_that_it_names() {
    let (server, first, second) = open().await;
    let unnamed = server.default_order().await;
    let named = server.order(order("tea-0002", &[&second])).await;
    for (token, appid) in [(&unnamed, &first), (&named, &second)] {
        let url = authorize_url(&server, token).await;
        assert!(url.as_str().contains(&format!("?appid={appid}&")), "{url}");
    }
    // The simulator's second application has no page for the openid, so the backend names it.
    let mut known = order("tea-0003", &[&second]);
    known["payer"] = json!({ "openid": "oBuyerOfTheSecond" });
    let known = server.order(known).await;
    let url = authorize_url(&server, &unnamed).await;
    let payer = handle(&server.get(&through_wechat(&server, &url).await).await);
    for (token, payer, appid) in [(&unnamed, &*payer, &first), (&known, "unused", &second)] {
        let fields = [JSAPI, BACK, ("payer", payer)];
        let started = server.attempt(token, &fields).await;
        assert_eq!(started.status, StatusCode::OK, "{}", started.json);
        assert_eq!(started.json["jsapi"]["appId"], **appid);
        assert_eq!(server.last_order()["appid"], **appid);
    }
    server.pay("tea-0003").await;
    let settled = server.deliver(&server.take_notifications()[0]).await;
    assert_eq!(settled.status, StatusCode::NO_CONTENT);
    let shown = server.shown("/tea-0003").await;
    assert_eq!(
        shown.json["state"], "paid",
        "compared with the attempt's own appid"
    );
}

#[tokio::test]
async fn an_attempt_of_the_backend_names_its_application() {
    let (server, first, second) = open().await;
    let appids = [second.as_str(), "wx00000000000000cc", "wx00000000000000dd"];
    server.order(order("tea-0001", &appids)).await;
    let attempts = [
        (json!({ "product": "native" }), &*second),
        (
            json!({ "product": "native", "appid": first, "after": 1 }),
            &*first,
        ),
        (json!({ "product": "app" }), "wx00000000000000dd"),
        (json!({ "product": "app", "appid": THIRD }), THIRD),
        (
            json!({ "product": "mini_program", "payer": { "openid": "oBuyer" } }),
            "wx00000000000000cc",
        ),
    ];
    for (attempt, appid) in attempts {
        let known = server.shown("/tea-0001").await;
        let mut wanted = attempt.clone();
        wanted["after"] = known.json["attempts"].as_array().unwrap().len().into();
        server.backend_attempt("tea-0001", &wanted).await;
        assert_eq!(server.last_order()["appid"], appid, "{attempt}");
    }
    for (attempt, field) in [
        (json!({ "product": "app", "appid": first }), "appid"),
        (
            json!({ "product": "native", "appid": "wx9999999999999999" }),
            "appid",
        ),
    ] {
        let refused = server.backend_attempt("tea-0001", &attempt).await;
        assert_eq!(refused.code(), "INVALID_REQUEST", "{attempt}");
        assert_eq!(refused.json["error"]["field"], field);
    }
}

#[tokio::test]
async fn a_web_view_gets_the_page_of_the_mini_program_that_the_order_names() {
    let (server, ..) = open().await;
    let token = server
        .order(order("tea-0001", &["wx00000000000000cc"]))
        .await;
    let answer = server.attempt(&token, &[("product", "mini_program")]).await;
    assert_eq!(
        answer.string("mini_program_path"),
        format!("/pages/pay/other?token={token}")
    );
}

#[tokio::test]
async fn an_order_names_known_applications_and_one_of_a_kind() {
    let (server, first, second) = open().await;
    for (appids, rule) in [
        (json!([]), "at least one"),
        (json!(["wx9999999999999999"]), "that are configured"),
        (json!([first, second]), "at most one official account"),
        (json!([second, second]), "at most one official account"),
    ] {
        let mut order = order("tea-0009", &[]);
        order["appids"] = appids.clone();
        let refused = server.post_order(&order).await;
        assert_eq!(refused.json["error"]["field"], "appids", "{appids}");
        let message = refused.json["error"]["message"].as_str().unwrap();
        assert!(message.contains(rule), "{message}");
    }
}

#[tokio::test]
async fn an_order_of_an_application_that_is_gone_starts_nothing() {
    let (server, _, second) = open().await;
    let token = server.order(order("tea-0001", &[&second])).await;
    let plain = crate::test_server::configuration(ALL).replace(r#", "mini_program", "app""#, "");
    let server = server.reloaded_as(&plain).await;
    // The simulator's second application is this configuration's mini-program, so take it away, too.
    let without = plain + "mini_program_appid = \"wx00000000000000bb\"\n";
    let server = server.reloaded_as(&without).await;
    let refused = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(refused.code(), "PRODUCT_UNAVAILABLE", "{}", refused.json);
    assert_eq!(server.wechat.take_kinds(), Vec::<&str>::new());
}
