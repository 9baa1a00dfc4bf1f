//! The shop's pages with a stub of the merchant server on loopback: the requests that the shop
//! sends, the pages that the buyer's browser gets, and what happens when the merchant server fails.

#![expect(
    clippy::unwrap_used,
    reason = "the stub and the visitor are test code too: a panic is the report"
)]

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use demo_shop::{ApiKey, GOODS, ShopConfig, app};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::test]
async fn the_catalogue_offers_every_item_with_its_price() {
    let shop = Shop::open(Merchant::default()).await;
    let page = shop.get("/").await;
    assert_eq!(page.status, 200);
    for item in GOODS {
        assert!(page.body.contains(item.name), "{}", item.name);
        let price = format!("{}.{:02}", item.price_fen / 100, item.price_fen % 100);
        assert!(page.body.contains(&price), "{price}");
        assert!(page.body.contains(&format!("value=\"{}\"", item.id)));
    }
}

#[tokio::test]
async fn the_gallery_is_linked_frames_its_own_pages_and_loads_the_merchants_bundle() {
    let shop = Shop::open(Merchant::default()).await;
    assert!(shop.get("/").await.body.contains(r#"href="/gallery/""#));
    let index = shop.get("/gallery/").await;
    assert_eq!(index.status, 200);
    for file in [
        "gallery.css",
        "gallery.js",
        "state.html",
        "state.js",
        "states.js",
    ] {
        assert_eq!(
            shop.get(&format!("/gallery/{file}")).await.status,
            200,
            "{file}"
        );
    }
    assert_eq!(shop.get("/gallery/other").await.status, 404);
    let bundle = shop.get("/dist/wechat-pay.js").await;
    let expected = format!("{}/dist/wechat-pay.js", shop.merchant_address);
    assert_eq!((bundle.status, bundle.location), (307, expected));
}

#[tokio::test]
async fn buying_creates_an_order_and_redirects_to_a_page_with_the_element() {
    let merchant = Merchant::default();
    let shop = Shop::open(merchant.clone()).await;
    let bought = shop.buy("coffee", &[]).await;
    assert_eq!(bought.status, 303);
    let (authorization, order) = merchant.orders()[0].clone();
    assert_eq!(authorization, "Bearer test-api-key");
    assert_eq!(order["total_fen"], 6_910);
    assert_eq!(order["description"], "云南小粒咖啡");
    assert_eq!(order["payee"], "山坡小铺");
    let order_no = order["order_no"].as_str().unwrap();
    assert!(
        bought
            .location
            .starts_with(&format!("/pay/{order_no}?key="))
    );
    let page_url = format!("{}{}", shop.address, bought.location);
    assert_eq!(order["return_url"], page_url);
    assert_eq!(
        order.get("success_url"),
        None,
        "the page would reload itself"
    );

    let page = shop.get(&bought.location).await;
    assert_eq!(page.status, 200);
    let merchant_server = &shop.merchant_address;
    for expected in [
        format!(
            r#"<wechat-pay token="token-of-{order_no}" merchant-api="{merchant_server}/v1" checkout-url="#
        ),
        format!(r#"<script type="module" src="{merchant_server}/dist/wechat-pay.js">"#),
        r#"data-order-state="open""#.to_owned(),
        r#"role="status" hidden"#.to_owned(),
        "测试环境".to_owned(),
        "69.10".to_owned(),
    ] {
        assert!(page.body.contains(&expected), "{expected}\n{}", page.body);
    }
    assert!(!page.body.contains("test-api-key"));
}

#[tokio::test]
async fn a_page_opened_again_after_the_payment_shows_paid() {
    let merchant = Merchant::default();
    let shop = Shop::open(merchant.clone()).await;
    let location = shop.buy("tea", &[]).await.location;
    let state = location.replacen('?', "/state?", 1);
    assert_eq!(shop.get(&state).await.body, r#"{"paid":false}"#);
    merchant.set_state("paid");
    assert_eq!(shop.get(&state).await.body, r#"{"paid":true}"#);
    let page = shop.get(&location).await;
    assert!(page.body.contains(r#"data-order-state="paid""#));
    assert!(page.body.contains(r#"role="status">"#), "{}", page.body);
}

#[tokio::test]
async fn only_the_known_wechat_browser_changes_the_return_address() {
    let merchant = Merchant::default();
    let shop = Shop::open(merchant.clone()).await;
    shop.buy("tea", &[("x-forwarded-host", "127.0.0.1:9411")])
        .await;
    shop.buy("tea", &[("x-forwarded-host", "evil.example")])
        .await;
    let return_url = |n: usize| {
        merchant.orders()[n].1["return_url"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(return_url(0).starts_with("http://127.0.0.1:9411/pay/"));
    assert!(return_url(1).starts_with(&format!("{}/pay/", shop.address)));
}

#[tokio::test]
async fn an_order_is_not_shown_without_its_key() {
    let shop = Shop::open(Merchant::default()).await;
    let location = shop.buy("tea", &[]).await.location;
    let (path, key) = location.split_once("?key=").unwrap();
    for address in [
        path.to_owned(),
        format!("{path}?key="),
        format!("{path}?key={}", key.to_lowercase()),
        format!("{path}/state"),
        format!("/pay/SHOP-0000000000000000?key={key}"),
        "/assets/../Cargo.toml".to_owned(),
        "/nothing".to_owned(),
    ] {
        let page = shop.get(&address).await;
        assert_eq!(page.status, 404, "{address}");
        assert!(!page.body.contains("token-of-"), "{address}");
    }
}

#[tokio::test]
async fn an_unknown_item_is_not_ordered() {
    let merchant = Merchant::default();
    let shop = Shop::open(merchant.clone()).await;
    assert_eq!(shop.buy("a-house", &[]).await.status, 422);
    assert!(merchant.orders().is_empty());
}

#[tokio::test]
async fn an_error_of_the_merchant_server_shows_an_error_page_without_its_message() {
    let answers = [
        (
            401,
            r#"{"error":{"code":"UNAUTHORIZED","message":"internal message"}}"#,
        ),
        (502, "internal message"),
        (201, "internal message"),
        (201, r#"{"order_no":"internal message"}"#),
        (302, "internal message"),
    ];
    for (status, body) in answers {
        let merchant = Merchant::default();
        merchant.always_answer(status, body);
        let page = Shop::open(merchant).await.buy("tea", &[]).await;
        assert_eq!(page.status, 502, "{status} {body}");
        assert!(page.body.contains("没有扣款") && !page.body.contains("internal message"));
    }
}

#[tokio::test]
async fn an_unreachable_merchant_server_shows_an_error_page_and_keeps_a_payment_page() {
    let merchant = Merchant::default();
    let shop = Shop::open(merchant.clone()).await;
    let location = shop.buy("tea", &[]).await.location;
    merchant.always_answer(503, "");
    assert_eq!(shop.get(&location).await.status, 200);
    assert_eq!(shop.buy("tea", &[]).await.status, 502);
}

#[tokio::test]
async fn every_page_forbids_foreign_and_inline_scripts() {
    let shop = Shop::open(Merchant::default()).await;
    for address in ["/", "/assets/shop.css", "/nothing"] {
        let page = shop.get(address).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        let scripts = format!(
            "script-src 'self' {} 'wasm-unsafe-eval';",
            shop.merchant_address
        );
        assert!(policy.contains(&scripts), "{policy}");
        assert!(!policy.contains("unsafe-inline"));
        assert_eq!(
            page.headers["referrer-policy"],
            "strict-origin-when-cross-origin"
        );
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.headers["cache-control"], "no-store");
        assert!(!page.body.contains(" style=") && !page.body.contains("<script>"));
    }
    assert_eq!(shop.get("/healthz").await.body, "ok");
}

/// The stub of the merchant server: what it recorded, and what it answers.
#[derive(Clone, Default)]
struct Merchant(Arc<Mutex<MerchantState>>);

#[derive(Default)]
struct MerchantState {
    orders: Vec<(String, Value)>,
    order_state: Option<&'static str>,
    always: Option<(u16, &'static str)>,
}

impl Merchant {
    fn orders(&self) -> Vec<(String, Value)> {
        self.0.lock().unwrap().orders.clone()
    }

    fn set_state(&self, state: &'static str) {
        self.0.lock().unwrap().order_state = Some(state);
    }

    fn always_answer(&self, status: u16, body: &'static str) {
        self.0.lock().unwrap().always = Some((status, body));
    }

    fn router(self) -> Router {
        Router::new()
            .route("/v1/orders", post(create))
            .route("/v1/checkouts/{token}", get(look))
            .with_state(self)
    }
}

type Answer = (StatusCode, String);

async fn create(
    State(merchant): State<Merchant>,
    headers: HeaderMap,
    Json(order): Json<Value>,
) -> Answer {
    let mut state = merchant.0.lock().unwrap();
    if let Some((status, body)) = state.always {
        return (StatusCode::from_u16(status).unwrap(), body.to_owned());
    }
    let authorization = headers["authorization"].to_str().unwrap().to_owned();
    let order_no = order["order_no"].as_str().unwrap().to_owned();
    let created = json!({
        "order_no": order_no,
        "token": format!("token-of-{order_no}"),
        "checkout_url": format!("http://127.0.0.1:8080/c/token-of-{order_no}"),
        "total_fen": order["total_fen"],
        "remaining_ms": 1_800_000,
        "live": false,
    });
    state.orders.push((authorization, order));
    (StatusCode::CREATED, created.to_string())
}

async fn look(State(merchant): State<Merchant>, Path(_): Path<String>) -> Answer {
    let state = merchant.0.lock().unwrap();
    if let Some((status, body)) = state.always {
        return (StatusCode::from_u16(status).unwrap(), body.to_owned());
    }
    let answer = json!({
        "state": state.order_state.unwrap_or("open"),
        "order_no": "SHOP-1", "total_fen": 12_800, "attempt": 0, "live": false,
    });
    (StatusCode::OK, answer.to_string())
}

/// The shop on its own port, and a visitor that follows no redirect.
struct Shop {
    address: String,
    merchant_address: String,
    visitor: reqwest::Client,
}

struct Page {
    status: u16,
    location: String,
    headers: reqwest::header::HeaderMap,
    body: String,
}

impl Shop {
    async fn open(merchant: Merchant) -> Self {
        let merchant_address = serve(merchant.router()).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = app(ShopConfig {
            merchant_server: merchant_address.parse().unwrap(),
            api_key: ApiKey::new("test-api-key"),
            public_origin: address.parse().unwrap(),
            wechat_origin: Some("http://127.0.0.1:9411".parse().unwrap()),
        })
        .unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let visitor = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            address,
            merchant_address,
            visitor,
        }
    }

    async fn get(&self, path: &str) -> Page {
        read(self.visitor.get(format!("{}{path}", self.address))).await
    }

    async fn buy(&self, item: &str, headers: &[(&str, &str)]) -> Page {
        let mut request = self
            .visitor
            .post(format!("{}/buy", self.address))
            .form(&[("item", item)]);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request).await
    }
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

async fn read(request: reqwest::RequestBuilder) -> Page {
    let response = request.send().await.unwrap();
    let headers = response.headers().clone();
    let location = headers
        .get("location")
        .map(|location| location.to_str().unwrap().to_owned());
    Page {
        status: response.status().as_u16(),
        location: location.unwrap_or_default(),
        headers,
        body: response.text().await.unwrap(),
    }
}
