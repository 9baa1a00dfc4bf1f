//! Who may call the payment service, and when it exists.

use axum::body::Body;
use http::{Request, StatusCode};
use merchant_server::Config;

use super::{
    NOTIFY_URL, ORDER, ORDERS_KEY, PARAMS, ROUTES, SERVICE_KEY, call_with, service, table,
};
use crate::test_server::{API_KEY, TestServer, configuration, sub_merchant, sub_merchant_table};

#[tokio::test]
async fn a_call_without_a_key_or_with_another_scope_is_refused() {
    let server = service().await;
    for path in ROUTES {
        let nobody = server.form(path, &ORDER).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(nobody.code(), "UNAUTHORIZED");
        let wrong = call_with(&server, "another key", path, &ORDER).await;
        assert_eq!(wrong.code(), "UNAUTHORIZED");
        let orders = call_with(&server, ORDERS_KEY, path, &ORDER).await;
        assert_eq!(orders.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(orders.code(), "FORBIDDEN");
        assert!(orders.text().contains("lacks the scope wxpay_server"));
        let get = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(
            server.send(get).await.status,
            StatusCode::METHOD_NOT_ALLOWED
        );
    }
    // The key of the service opens nothing else, and a key without scopes opens the service too.
    let order = Request::get("/v1/orders").header("authorization", format!("Bearer {SERVICE_KEY}"));
    let order = server.send(order.body(Body::empty()).unwrap()).await;
    assert_eq!(order.code(), "FORBIDDEN");
    let answer = call_with(&server, API_KEY, PARAMS, &ORDER).await;
    assert!(answer.json["data"].is_object(), "{}", answer.json);
    assert_eq!(server.wechat.take_kinds(), ["order"]);
}

#[tokio::test]
async fn without_its_table_the_service_has_no_routes() {
    let server = TestServer::open().await;
    for path in ROUTES {
        let answer = call_with(&server, API_KEY, path, &ORDER).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.code(), "ROUTE_UNKNOWN");
    }
}

#[test]
fn an_invalid_table_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let parse = |text: &str| Config::parse(text, folder.path()).map_err(|error| error.to_string());
    let good = format!("notify_urls = [\"{NOTIFY_URL}\"]");
    assert!(parse(&(configuration("") + &table(&good))).is_ok());
    for (lines, rule) in [
        ("", "wxpay_server.notify_urls: must name at least one"),
        (
            "notify_urls = []",
            "wxpay_server.notify_urls: must name at least one",
        ),
        (
            "notify_urls = [\"http://www.shop.example/n\"]",
            "wxpay_server.notify_urls: must be https",
        ),
        (
            "notify_urls = [\"https://www.shop.example/n?a=1\"]",
            "wxpay_server.notify_urls: must not have a query",
        ),
        (
            "notify_urls = [\"https://a.example/n\", \"https://A.example/n\"]",
            "wxpay_server.notify_urls: must not name an address twice",
        ),
        (
            "notify_urls = [\"https://a.example/n\"]\nreturn_url = \"https://b.example/\"",
            "wxpay_server.return_url: must be an address on one of return_origins",
        ),
    ] {
        let refusal = parse(&(configuration("") + &table(lines))).unwrap_err();
        assert!(refusal.starts_with(rule), "{refusal}");
    }
    let provider = configuration("") + &sub_merchant_table(&sub_merchant(1)) + &table(&good);
    let refusal = parse(&provider).unwrap_err();
    assert!(
        refusal.starts_with("wxpay_server: is for a merchant that sells for itself"),
        "{refusal}"
    );
    let live = crate::security::live_configuration() + &table(&good);
    let refusal = parse(&live).unwrap_err();
    assert!(refusal.starts_with("wxpay_server"), "{refusal}");
}
