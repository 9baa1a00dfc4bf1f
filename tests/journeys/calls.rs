//! The messages between the parties of a journey, in order: requests, their answers, and what a person does. The
//! diagrams in the documents are drawn from it. Nothing secret is kept of a message: its route, its product, and the
//! words that say what became of it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::request::Parts;
use serde_json::Value;

/// The largest message that is read.
const MESSAGE_MAX_BYTES: usize = 1 << 20;
/// The fields of an answer that say what became of the request, with their values.
const STATES: [&str; 2] = ["state", "trade_state"];
/// The fields that an answer may have, without their values.
const NAMES: [&str; 7] = [
    "token",
    "code_url",
    "prepay_id",
    "h5_url",
    "jsapi",
    "authorize_url",
    "openid",
];

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Buyer,
    Page,
    Shop,
    Server,
    Wechat,
}

impl Party {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Page => "page",
            Self::Shop => "shop",
            Self::Server => "server",
            Self::Wechat => "wechat",
        }
    }
}

/// The record. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    /// The record as lines: `call`, `answer` or `act`, from, to, and the message, divided by tabs.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.0.lock().unwrap().clear();
    }

    /// What a person does.
    pub(crate) fn act(&self, from: Party, to: Party, what: &str) {
        self.note("act", from, to, what);
    }

    /// The same service, which records the calls that one party makes to the other.
    pub(crate) fn between(&self, from: Party, to: Party, service: Router) -> Router {
        let calls = self.clone();
        service.layer(from_fn(move |request: Request, next: Next| {
            let calls = calls.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = to_bytes(body, MESSAGE_MAX_BYTES).await.unwrap();
                calls.note("call", from, to, &asked(&head, &body));
                let request = Request::from_parts(head, Body::from(body));
                let (head, body) = next.run(request).await.into_parts();
                let body = to_bytes(body, MESSAGE_MAX_BYTES).await.unwrap();
                calls.note("answer", to, from, &answered(head.status, &body));
                Response::from_parts(head, Body::from(body))
            }
        }))
    }

    fn note(&self, kind: &str, from: Party, to: Party, what: &str) {
        let line = format!("{kind}\t{}\t{}\t{what}", from.as_str(), to.as_str());
        self.0.lock().unwrap().push(line);
    }
}

/// The route of a request, and its product or its event.
fn asked(head: &Parts, body: &[u8]) -> String {
    let mut before = "";
    let path: Vec<&str> = head.uri.path().split('/').collect();
    let path: Vec<String> = path
        .into_iter()
        .map(|part| {
            let shown = match before {
                "checkouts" => "{token}".to_owned(),
                "out-trade-no" => "{out_trade_no}".to_owned(),
                _ => part.to_owned(),
            };
            before = part;
            shown
        })
        .collect();
    let mut text = format!("{} {}", head.method, path.join("/"));
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let event = json["event_type"]
        .as_str()
        .or_else(|| json["type"].as_str());
    let form = std::str::from_utf8(body).unwrap_or_default();
    let product = form.split('&').find(|pair| pair.starts_with("product="));
    if let Some(more) = event.or(product) {
        text += ": ";
        text += more;
    }
    let query = head.uri.query().unwrap_or_default();
    if query.split('&').any(|pair| pair.starts_with("wait=")) {
        text += "?wait";
    }
    text
}

fn answered(code: http::StatusCode, body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let states = STATES.iter().filter_map(|name| json[*name].as_str());
    let names = NAMES
        .iter()
        .copied()
        .filter(|name| json.get(name).is_some());
    let words: Vec<&str> = states.chain(names).collect();
    format!("{} {}", code.as_u16(), words.join(", "))
        .trim()
        .to_owned()
}
