//! The desk: sessions, roles, each page and each action, and what is refused. That its pages can be used
//! and are accessible is tested in browsers.

mod figures;
mod forms;
mod isolation;
mod journal;
mod links;
mod orders;
mod refunds;
mod rooms;
mod sessions;
mod sign_in;
mod tasks;
mod webhooks;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use http::{Request, StatusCode, header};
use wechat_pay::lower_hex;

use crate::test_server::{Answer, TestServer, configuration};

pub(crate) const LOOK_KEY: &str = "the key of somebody who looks";
pub(crate) const REFUND_KEY: &str = "the key of somebody who refunds";
pub(crate) const SETTLE_KEY: &str = "the key of somebody who settles";
/// All that happens at the desk.
const OWNER_KEY: &str = "the key of the owner";

/// The table of a key.
pub(crate) fn key_table(name: &str, key: &str, scopes: &[&str]) -> String {
    let sha256 = lower_hex(digest(&SHA256, key.as_bytes()).as_ref());
    format!("[[api_keys]]\nname = \"{name}\"\nsha256 = \"{sha256}\"\nscopes = {scopes:?}\n")
}

/// The tables of one key for each role, and one for all.
fn keys() -> String {
    [
        key_table("looker", LOOK_KEY, &["desk:look"]),
        key_table("cashier", REFUND_KEY, &["desk:look", "desk:refund"]),
        key_table("clerk", SETTLE_KEY, &["desk:look", "desk:settle"]),
        key_table(
            "owner",
            OWNER_KEY,
            &["desk:look", "desk:refund", "desk:settle"],
        ),
    ]
    .concat()
}

/// A server with a desk, and more tables.
pub(crate) async fn server(tables: &str) -> TestServer {
    TestServer::open_configured(&(configuration("") + &keys() + tables)).await
}

/// A person with a browser that keeps one cookie.
#[derive(Clone)]
pub(crate) struct Person<'a> {
    server: &'a TestServer,
    cookie: String,
}

impl<'a> Person<'a> {
    /// Signs in.
    pub(crate) async fn with(server: &'a TestServer, key: &str) -> Self {
        let answer = server.form("/desk/sign-in", &[("key", key)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        Self {
            server,
            cookie: cookie_of(&answer),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::ACCEPT_LANGUAGE, "en");
        self.server.send(request.body(Body::empty()).unwrap()).await
    }

    /// A page that is there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        answer.text()
    }

    /// Sends a form as it is.
    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut request = crate::test_server::form(path, fields);
        let headers = request.headers_mut();
        headers.insert(header::COOKIE, self.cookie.parse().unwrap());
        headers.insert(header::ACCEPT_LANGUAGE, "en".parse().unwrap());
        self.server.send(request).await
    }

    /// Sends a form from a page of this session.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.form_token().await;
        let fields: Vec<_> = [("form", token.as_str())]
            .into_iter()
            .chain(fields.iter().copied())
            .collect();
        self.send(path, &fields).await
    }

    async fn form_token(&self) -> String {
        hidden(&self.page("/desk/keys").await, "form")
    }

    /// Asks for a refund in both steps; returns the fields of the last form.
    async fn refund_fields(&self, order_no: &str, amount: &str, reason: &str) -> [String; 3] {
        let first = self.page(&format!("/desk/orders/{order_no}/refund")).await;
        let refund_no = hidden(&first, "refund_no");
        let fields = [
            ("refund_no", refund_no.as_str()),
            ("amount", amount),
            ("reason", reason),
        ];
        let path = format!("/desk/orders/{order_no}/refund");
        let second = self.post(&path, &fields).await;
        assert_eq!(second.status, StatusCode::OK, "{}", second.text());
        let second = second.text();
        assert_eq!(hidden(&second, "refund_no"), refund_no);
        [refund_no, hidden(&second, "amount_fen"), reason.to_owned()]
    }
}

/// The cookie that an answer sets, as the browser sends it back.
fn cookie_of(answer: &Answer) -> String {
    let set = answer.headers[header::SET_COOKIE].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

/// The value of a hidden field.
#[track_caller]
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("{name} in {page}"));
    rest.split_once('"').unwrap().0.to_owned()
}

/// Where an answer leads to.
#[track_caller]
pub(crate) fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    answer.headers[header::LOCATION].to_str().unwrap()
}

/// `tea-0001` is paid, and WeChat has notified.
async fn paid_order(server: &TestServer) {
    let token = server.default_order().await;
    let started = server.attempt(&token, &[("product", "native")]).await;
    assert!(started.status.is_success(), "{}", started.json);
    server.pay("tea-0001").await;
    for notification in server.take_notifications() {
        server.deliver(&notification).await;
    }
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
}
