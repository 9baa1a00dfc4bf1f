//! A backend of the bare minimum with one order: it answers at once, unless it is held, asks for the
//! next question soon, and counts what it was asked, by who asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use payment_tests::wait::until;
use serde_json::{Value, json};
use tokio::sync::watch;

/// Clones are the same backend.
#[derive(Clone, Default)]
pub(crate) struct PlainBackend {
    books: Arc<Mutex<Books>>,
    is_held: watch::Sender<bool>,
}

#[derive(Default)]
struct Books {
    /// Questions, by who asked.
    questions: BTreeMap<String, usize>,
    /// Attempts, by who started them.
    starts: BTreeMap<String, usize>,
    /// Who sent a cookie along.
    known_by_cookie: BTreeSet<String>,
    is_started: bool,
    is_paid: bool,
}

impl PlainBackend {
    /// Its one order's token.
    pub(crate) const TOKEN: &str = "plain-order-0001";

    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route("/{asker}/checkouts/{token}", get(read))
            .route("/{asker}/checkouts/{token}/attempts", post(start))
            .with_state(self.clone())
    }

    /// How many questions somebody has asked so far.
    pub(crate) fn questions_of(&self, asker: &str) -> usize {
        let books = self.books.lock().expect("no other test panics in here");
        books.questions.get(asker).copied().unwrap_or_default()
    }

    /// How many attempts somebody has started so far.
    pub(crate) fn starts_of(&self, asker: &str) -> usize {
        let books = self.books.lock().expect("no other test panics in here");
        books.starts.get(asker).copied().unwrap_or_default()
    }

    /// No answer comes from now on.
    pub(crate) fn hold(&self) {
        self.is_held.send_replace(true);
    }

    /// The answers that were held come, and all others at once.
    pub(crate) fn let_go(&self) {
        self.is_held.send_replace(false);
    }

    /// Whether somebody has sent a cookie along, with a question or a start.
    pub(crate) fn has_cookie_of(&self, asker: &str) -> bool {
        let books = self.books.lock().expect("no other test panics in here");
        books.known_by_cookie.contains(asker)
    }

    /// The order is paid from now on.
    pub(crate) fn pay(&self) {
        self.books
            .lock()
            .expect("no other test panics in here")
            .is_paid = true;
    }

    async fn answer(&self) -> Json<Value> {
        let mut is_held = self.is_held.subscribe();
        let let_go = is_held.wait_for(|is_held| !is_held).await;
        let_go.expect("the backend outlives its answers");
        let books = self.books.lock().expect("no other test panics in here");
        let mut answer = json!({
            "state": if books.is_paid { "paid" } else { "open" },
            // A version invites pages to be held, and they say so to one another.
            "version": 1 + u64::from(books.is_started) + u64::from(books.is_paid),
            "order_no": "PLAIN-0001",
            "total_fen": 6_910,
            "remaining_ms": 600_000,
            "poll_after_ms": 250,
            "products": ["native"],
            "attempt": 0,
            "live": true,
        });
        if books.is_started {
            answer["attempt"] = json!(1);
            answer["product"] = json!("native");
            answer["code_url"] = json!("weixin://wxpay/bizpayurl?pr=JyC91EIz1");
        }
        Json(answer)
    }
}

/// Waits until somebody has asked so many questions.
pub(crate) async fn until_asked(backend: &PlainBackend, asker: &str, times: usize) {
    until(&format!("{times} questions of {asker}"), async || {
        let count = backend.questions_of(asker);
        if count >= times {
            Ok(())
        } else {
            Err(count.to_string())
        }
    })
    .await;
}

async fn read(
    State(backend): State<PlainBackend>,
    Path((asker, _)): Path<(String, String)>,
    headers: HeaderMap,
) -> Json<Value> {
    {
        let mut books = backend.books.lock().expect("no other test panics in here");
        books.note_cookie(&asker, &headers);
        *books.questions.entry(asker).or_default() += 1;
    }
    backend.answer().await
}

async fn start(
    State(backend): State<PlainBackend>,
    Path((asker, _)): Path<(String, String)>,
    headers: HeaderMap,
) -> Json<Value> {
    {
        let mut books = backend.books.lock().expect("no other test panics in here");
        books.note_cookie(&asker, &headers);
        *books.starts.entry(asker).or_default() += 1;
        books.is_started = true;
    }
    backend.answer().await
}

impl Books {
    fn note_cookie(&mut self, asker: &str, headers: &HeaderMap) {
        if headers.contains_key(header::COOKIE) {
            self.known_by_cookie.insert(asker.to_owned());
        }
    }
}
