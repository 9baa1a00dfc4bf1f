//! Payment links: what the backend creates, and what buyers do with it.

mod backend;
mod page;
mod uses;

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::test_server::{API_KEY, Answer, MERCHANT, TestServer, backend, form};

/// The backend creates a link.
pub(crate) async fn post_link(server: &TestServer, link: &Value) -> Answer {
    let request = backend("/v1/links", server.api_key, link.to_string());
    server.send(request).await
}

/// The same; returns its id.
pub(crate) async fn link(server: &TestServer, link: Value) -> String {
    let answer = post_link(server, &link).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json);
    let id = answer.string("id").to_owned();
    assert_eq!(answer.string("url"), format!("{MERCHANT}/p/{id}"));
    id
}

/// A pot of tea for 19.90 yuan, with more fields.
fn tea(more: &Value) -> Value {
    let mut link = json!({ "total_fen": 1990, "description": "一壶茶" });
    for (name, value) in more.as_object().unwrap() {
        link[name] = value.clone();
    }
    link
}

/// The backend reads a link.
async fn shown(server: &TestServer, id: &str) -> Answer {
    let answer = server.read_private(&format!("/v1/links/{id}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    answer
}

/// State, open and paid uses of a link.
async fn uses(server: &TestServer, id: &str) -> (String, u64, u64) {
    let link = shown(server, id).await;
    (
        link.string("state").to_owned(),
        link.number("uses_open"),
        link.number("uses_paid"),
    )
}

/// A buyer with a browser that keeps the link's cookie.
#[derive(Clone)]
struct Buyer<'a> {
    server: &'a TestServer,
    id: String,
    language: &'static str,
    cookie: Option<String>,
}

impl<'a> Buyer<'a> {
    fn of(server: &'a TestServer, id: &str) -> Self {
        Self {
            server,
            id: id.to_owned(),
            language: "zh-CN",
            cookie: None,
        }
    }

    fn reading(self, language: &'static str) -> Self {
        Self { language, ..self }
    }

    /// Opens the link.
    async fn open(&self) -> Answer {
        let mut request =
            Request::get(format!("/p/{}", self.id)).header(header::ACCEPT_LANGUAGE, self.language);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        self.server.send(request.body(Body::empty()).unwrap()).await
    }

    /// The key of a form of the page.
    async fn key(&self) -> String {
        key_of(&self.open().await.text())
    }

    fn request(&self, key: &str, fields: &[(&str, &str)]) -> Request<Body> {
        let fields: Vec<_> = [("key", key)]
            .into_iter()
            .chain(fields.iter().copied())
            .collect();
        let mut request = form(&format!("/p/{}", self.id), &fields);
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT_LANGUAGE, self.language.parse().unwrap());
        if let Some(cookie) = &self.cookie {
            headers.insert(header::COOKIE, cookie.parse().unwrap());
        }
        request
    }

    async fn send(&self, key: &str, fields: &[(&str, &str)]) -> Answer {
        self.server.send(self.request(key, fields)).await
    }

    /// Opens the link and presses the button; the browser keeps the cookie.
    async fn press(&mut self, fields: &[(&str, &str)]) -> Answer {
        let answer = self.send(&self.key().await, fields).await;
        if let Some(set) = answer.headers.get(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            self.cookie = Some(set.split(';').next().unwrap().to_owned());
        }
        answer
    }

    /// The same; returns the token of the order.
    async fn order(&mut self, fields: &[(&str, &str)]) -> String {
        token_of(&self.press(fields).await)
    }
}

#[track_caller]
fn key_of(page: &str) -> String {
    let (_, rest) = page
        .split_once("name=\"key\" value=\"")
        .unwrap_or_else(|| panic!("no form in {page}"));
    rest.split_once('"').unwrap().0.to_owned()
}

/// The token of the order that an answer leads to.
#[track_caller]
fn token_of(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let location = answer.headers[header::LOCATION].to_str().unwrap();
    let token = location.strip_prefix("/c/");
    token.unwrap_or_else(|| panic!("{location}")).to_owned()
}

/// The number of an order.
async fn order_no(server: &TestServer, token: &str) -> String {
    server.checkout(token).await.string("order_no").to_owned()
}

/// The buyer pays the order's code, and WeChat notifies.
async fn pay(server: &TestServer, token: &str) {
    let started = server.attempt(token, &[("product", "native")]).await;
    assert!(started.status.is_success(), "{}", started.json);
    server.pay(started.string("out_trade_no")).await;
    for notification in server.take_notifications() {
        let answer = server.deliver_to(notification.path(), &notification).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }
    assert_eq!(server.checkout(token).await.string("state"), "paid");
}

/// How many orders there are.
async fn orders(server: &TestServer) -> usize {
    let list = server.read_private("/v1/orders?limit=200").await;
    list.json["orders"].as_array().unwrap().len()
}

async fn disable(server: &TestServer, id: &str) -> Answer {
    let path = format!("/v1/links/{id}/disable");
    server.send(backend(&path, API_KEY, "")).await
}
