//! A minimal backend with one order: it answers at once unless it is held, asks for the next poll
//! soon, and counts the requests of each caller.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use payment_tests::wait::until;
use serde_json::{Value, json};
use tokio::sync::watch;

/// A handle; clones share the same backend.
#[derive(Clone, Default)]
pub(crate) struct PlainBackend {
    records: Arc<Mutex<Records>>,
    is_held: watch::Sender<bool>,
}

#[derive(Default)]
struct Records {
    /// Polls, by caller.
    polls: BTreeMap<String, usize>,
    /// Attempts, by caller.
    starts: BTreeMap<String, usize>,
    /// The callers that sent a cookie.
    known_by_cookie: BTreeSet<String>,
    is_started: bool,
    is_paid: bool,
}

impl PlainBackend {
    /// The token of its only order.
    pub(crate) const TOKEN: &str = "plain-order-0001";

    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route("/{caller}/checkouts/{token}", get(read))
            .route("/{caller}/checkouts/{token}/attempts", post(start))
            .with_state(self.clone())
    }

    /// How many polls a caller has sent so far.
    pub(crate) fn polls_of(&self, caller: &str) -> usize {
        let records = self.records.lock().expect("the lock is not poisoned");
        records.polls.get(caller).copied().unwrap_or_default()
    }

    /// How many attempts a caller has started so far.
    pub(crate) fn starts_of(&self, caller: &str) -> usize {
        let records = self.records.lock().expect("the lock is not poisoned");
        records.starts.get(caller).copied().unwrap_or_default()
    }

    /// Holds every answer from now on.
    pub(crate) fn hold(&self) {
        self.is_held.send_replace(true);
    }

    /// Sends the held answers, and answers all further requests at once.
    pub(crate) fn release(&self) {
        self.is_held.send_replace(false);
    }

    /// Whether a caller has sent a cookie, with a poll or a start.
    pub(crate) fn has_cookie_of(&self, caller: &str) -> bool {
        let records = self.records.lock().expect("the lock is not poisoned");
        records.known_by_cookie.contains(caller)
    }

    /// Marks the order as paid.
    pub(crate) fn pay(&self) {
        self.records
            .lock()
            .expect("the lock is not poisoned")
            .is_paid = true;
    }

    async fn answer(&self) -> Json<Value> {
        let mut is_held = self.is_held.subscribe();
        let released = is_held.wait_for(|is_held| !is_held).await;
        released.expect("the backend outlives its answers");
        let records = self.records.lock().expect("the lock is not poisoned");
        let mut answer = json!({
            "state": if records.is_paid { "paid" } else { "open" },
            // A version lets the element hold polls, and tabs then tell each other about them.
            "version": 1 + u64::from(records.is_started) + u64::from(records.is_paid),
            "order_no": "PLAIN-0001",
            "total_fen": 6_910,
            "remaining_ms": 600_000,
            "poll_after_ms": 250,
            "products": ["native"],
            "attempt": 0,
            "live": true,
        });
        if records.is_started {
            answer["attempt"] = json!(1);
            answer["product"] = json!("native");
            answer["code_url"] = json!("weixin://wxpay/bizpayurl?pr=JyC91EIz1");
        }
        Json(answer)
    }
}

/// Waits until a caller has sent this many polls.
pub(crate) async fn until_polled(backend: &PlainBackend, caller: &str, times: usize) {
    until(&format!("{times} polls of {caller}"), async || {
        let count = backend.polls_of(caller);
        if count >= times {
            Ok(())
        } else {
            Err(count.to_string())
        }
    })
    .await;
}

/// Waits until a caller has started an attempt.
pub(crate) async fn until_started(backend: &PlainBackend, caller: &str) {
    until(&format!("an attempt of {caller}"), async || {
        (backend.starts_of(caller) > 0)
            .then_some(())
            .ok_or(String::new())
    })
    .await;
}

async fn read(
    State(backend): State<PlainBackend>,
    Path((caller, _)): Path<(String, String)>,
    headers: HeaderMap,
) -> Json<Value> {
    {
        let mut records = backend.records.lock().expect("the lock is not poisoned");
        records.note_cookie(&caller, &headers);
        *records.polls.entry(caller).or_default() += 1;
    }
    backend.answer().await
}

async fn start(
    State(backend): State<PlainBackend>,
    Path((caller, _)): Path<(String, String)>,
    headers: HeaderMap,
) -> Json<Value> {
    {
        let mut records = backend.records.lock().expect("the lock is not poisoned");
        records.note_cookie(&caller, &headers);
        *records.starts.entry(caller).or_default() += 1;
        records.is_started = true;
    }
    backend.answer().await
}

impl Records {
    fn note_cookie(&mut self, caller: &str, headers: &HeaderMap) {
        if headers.contains_key(header::COOKIE) {
            self.known_by_cookie.insert(caller.to_owned());
        }
    }
}
