//! Reading by the private API: one order, lists, scopes, and the OpenAPI document.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use merchant_api::ErrorCode;
use serde_json::{Value, json};

use crate::test_server::{API_KEY, Answer, MINUTE_MS, TestServer};

const READER: &str = "a key that may only look";
/// SHA-256 of [`READER`], made with another program.
const READER_SHA256: &str = "d9105107801031fd49cf2d037669396121a2ad53e79694e7c39903aee975ec69";

async fn call(server: &TestServer, method: Method, key: &str, path: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {key}"));
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn an_order_is_shown_with_its_attempts_and_without_secrets() {
    let server = TestServer::open().await;
    let token = server
        .order(json!({
            "order_no": "tea-0001", "total_fen": 1990, "description": "tea", "attach": "cart 7",
            "payer": {"openid": "oSecretOpenId"},
        }))
        .await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    let shown = server.read_private("/v1/orders/tea-0001").await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.json);
    assert_eq!(shown.headers["cache-control"], "no-store");
    let order = &shown.json;
    assert_eq!(order["state"], "paid");
    assert_eq!(order["attach"], "cart 7");
    assert_eq!(order["payer_total_fen"], 1990);
    assert_eq!(order["created_at"], "2026-11-21T09:20:00Z");
    assert_eq!(order["expires_at"], "2026-11-21T09:50:00Z");
    assert_eq!(order["live"], false);
    let attempt = &order["attempts"][0];
    assert_eq!(attempt["out_trade_no"], "tea-0001");
    assert_eq!(attempt["state"], "paid");
    assert!(attempt["bank_type"].is_string(), "{attempt}");
    assert!(attempt["transaction_id"].is_string(), "{attempt}");
    assert!(!shown.text().contains("oSecretOpenId") && !shown.text().contains(&token));
    let unknown = server.read_private("/v1/orders/tea-0002").await;
    assert_eq!(unknown.code(), "ORDER_UNKNOWN");
}

#[tokio::test]
async fn orders_are_listed_newest_first_page_by_page_and_by_state_and_time() {
    let server = TestServer::open().await;
    for number in 1..=5 {
        let order_no = format!("list-{number:04}");
        let order = json!({"order_no": order_no, "total_fen": number, "description": "x"});
        server.post_order(&order).await;
        server.clock.advance_ms(MINUTE_MS);
    }
    server.call("POST", "/v1/orders/list-0002/close").await;

    let numbers = |list: &Value| -> Vec<u64> {
        let orders = list["orders"].as_array().unwrap().iter();
        orders
            .map(|order| order["total_fen"].as_u64().unwrap())
            .collect()
    };
    let cases: [(&str, &[u64]); 6] = [
        ("", &[5, 4, 3, 2, 1]),
        ("?state=closed", &[2]),
        ("?state=open&limit=2", &[5, 4]),
        ("?before=list-0003", &[2, 1]),
        (
            "?created_from=2026-11-21T17:21:00%2B08:00&created_to=2026-11-21T09:23:00Z",
            &[3, 2],
        ),
        ("?state=paid", &[]),
    ];
    for (query, expected) in cases {
        let list = server.read_private(&format!("/v1/orders{query}")).await;
        assert_eq!(list.status, StatusCode::OK, "{query}: {}", list.json);
        assert_eq!(numbers(&list.json), expected, "{query}");
    }
    let mut pages = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = server.read_private(&format!("/v1/orders{query}")).await;
        pages.push(numbers(&page.json));
        match page.json["next_before"].as_str() {
            Some(before) => query = format!("?limit=2&before={before}"),
            None => break,
        }
    }
    assert_eq!(pages, [vec![5, 4], vec![3, 2], vec![1]]);
}

#[tokio::test]
async fn an_invalid_list_query_is_refused_with_the_name_of_the_parameter() {
    let server = TestServer::open().await;
    for (query, field) in [
        ("stat=open", "stat"),
        ("state=done", "state"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=2&limit=3", "limit"),
        ("created_from=yesterday", "created_from"),
        ("before=nobody-knows", "before"),
    ] {
        let refused = server.read_private(&format!("/v1/orders?{query}")).await;
        assert_eq!(refused.code(), "INVALID_REQUEST", "{query}");
        assert_eq!(refused.json["error"]["field"], field, "{query}");
    }
    let nameless = server.read_private("/v1/orders?=open").await;
    assert_eq!(nameless.code(), "INVALID_REQUEST");
    let message = &nameless.json["error"]["message"];
    assert_eq!(message, "the query has a value without a name");
}

#[tokio::test]
async fn a_key_allows_exactly_what_its_scopes_name() {
    // The default configuration's own key follows in the list.
    let server = TestServer::open_with_end(&format!(
        "[[api_keys]]\nname = \"reader\"\nsha256 = \"{READER_SHA256}\"\nscopes = [\"orders:read\"]\n"
    ))
    .await;
    server.default_order().await;
    let cases = [
        (Method::GET, "/v1/orders", None),
        (Method::GET, "/v1/orders/tea-0001", None),
        (Method::POST, "/v1/orders", Some("orders:write")),
        (
            Method::POST,
            "/v1/orders/tea-0001/close",
            Some("orders:write"),
        ),
        (Method::GET, "/v1/bills/2026-11-20", Some("bills")),
    ];
    for (method, path, lacks) in cases {
        let answer = call(&server, method.clone(), READER, path).await;
        match lacks {
            None => assert_eq!(answer.status, 200, "{method} {path}"),
            Some(scope) => {
                assert_eq!(answer.code(), "FORBIDDEN", "{method} {path}");
                let says = format!("lacks the scope {scope}");
                assert!(answer.text().contains(&says), "{}", answer.text());
            }
        }
        let stranger = call(&server, method.clone(), "nobody's", path).await;
        assert_eq!(stranger.code(), "UNAUTHORIZED", "{method} {path}");
    }
}

#[tokio::test]
async fn the_document_names_every_route_and_every_code() {
    let server = TestServer::open().await;
    let document = server.get("/openapi.json").await;
    assert!(document.string("openapi").starts_with("3.1"));
    assert_eq!(document.json["servers"][0]["url"], "/v1");
    let text = document.text();
    for code in ErrorCode::ALL {
        assert!(text.contains(code.as_str()), "{}", code.as_str());
    }
    // The server serves each path of the document: no answer is the answer to an unknown route.
    for (path, item) in document.json["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = format!("/v1{}", path.replace(['{', '}'], ""));
            let answer = call(&server, method.clone(), API_KEY, &path).await;
            let is_served = answer.status.is_success() || !answer.code().is_empty();
            assert!(is_served, "{method} {path}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn a_backend_may_write_bearer_in_any_case_and_a_byte_order_mark_before_json() {
    let server = TestServer::open().await;
    for (place, scheme) in ["Bearer", "bearer", "BEARER", "Bearer "].iter().enumerate() {
        let order = json!({
            "order_no": format!("tea-000{place}"), "total_fen": 1, "description": "tea",
        });
        let request = Request::post("/v1/orders")
            .header("authorization", format!("{scheme} {API_KEY}"))
            .body(Body::from(format!("\u{feff}{order}")));
        let answer = server.send(request.unwrap()).await;
        assert_eq!(
            answer.status,
            StatusCode::CREATED,
            "{scheme}: {}",
            answer.json
        );
    }
    for scheme in ["Basic", "Bearer:", "bear"] {
        let request =
            Request::get("/v1/orders").header("authorization", format!("{scheme} {API_KEY}"));
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.code(), "UNAUTHORIZED", "{scheme}");
    }
}
