//! The merchant's backend: it creates orders, refunds some, and fulfils an order when a webhook says
//! that it is paid. It verifies webhooks with a foreign library (standardwebhooks), ignores repeated
//! events, and fails on purpose now and then.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use standardwebhooks::Webhook;

use crate::chaos_run::ChaosRun;
use crate::programs::WEBHOOK_SECRET;

/// How far the time of a message may be from ours; the scheme's own tolerance.
const TOLERANCE_S: i64 = 300;
/// A hanging answer takes longer than the merchant server waits.
const HANGING: Duration = Duration::from_secs(11);

/// The received events, each once.
#[derive(Default)]
pub(crate) struct Inbox {
    events: Mutex<BTreeMap<String, Event>>,
    is_well: AtomicBool,
    /// How many messages were refused because their time is a reading of the clock that libfaketime
    /// missed.
    wrong_clock: AtomicUsize,
}

/// One event, by the first message that carried it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// The event's type, such as `payment.succeeded`.
    pub(crate) kind: String,
    /// The event's `data`.
    pub(crate) data: Value,
    body: Bytes,
    /// How often the server has sent it.
    tries: u32,
    /// Whether the backend has processed the event. It may have processed the event and still
    /// answered with an error.
    is_taken: bool,
}

impl Inbox {
    /// From now on the backend does not fail any more.
    pub(crate) fn recover(&self) {
        self.is_well.store(true, Ordering::Relaxed);
    }

    /// How many messages had a time that the chaos run's clock never showed.
    pub(crate) fn wrong_clock(&self) -> usize {
        self.wrong_clock.load(Ordering::Relaxed)
    }

    /// Every event that was processed, by its id.
    pub(crate) fn events(&self) -> BTreeMap<String, Event> {
        let events = self.events.lock().unwrap();
        let taken = events.iter().filter(|(_, event)| event.is_taken);
        taken
            .map(|(id, event)| (id.clone(), event.clone()))
            .collect()
    }

    /// The number at WeChat of the payment that settled an order, once the backend has received the
    /// event.
    pub(crate) fn settled_by(&self, order_no: &str) -> Option<String> {
        let events = self.events.lock().unwrap();
        let settled = events.values().find(|event| {
            event.is_taken
                && event.kind == "payment.succeeded"
                && event.data["order_no"] == order_no
        });
        settled.and_then(|event| event.data["out_trade_no"].as_str().map(str::to_owned))
    }
}

/// The address `/webhooks` as a service.
pub(crate) fn app(chaos: Arc<ChaosRun>, inbox: Arc<Inbox>) -> Router {
    Router::new()
        .route("/webhooks", post(receive))
        .with_state((chaos, inbox))
}

async fn receive(
    State((chaos, inbox)): State<(Arc<ChaosRun>, Arc<Inbox>)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let (id, message) = match verify(&chaos, &headers, &body) {
        Ok(verified) => verified,
        Err(Refusal::WrongClock) => {
            inbox.wrong_clock.fetch_add(1, Ordering::Relaxed);
            return StatusCode::UNAUTHORIZED;
        }
        Err(Refusal::Invalid(reason)) => {
            chaos.report_wrong("", format!("a webhook is not valid: {reason}"));
            return StatusCode::UNAUTHORIZED;
        }
    };
    let order_no = message["data"]["order_no"].as_str().unwrap_or_default();
    let event_type = message["type"].as_str().unwrap_or_default();
    let reaction = {
        let mut events = inbox.events.lock().unwrap();
        let event = events.entry(id.clone()).or_insert_with(|| Event {
            kind: event_type.to_owned(),
            data: message["data"].clone(),
            body: body.clone(),
            tries: 0,
            is_taken: false,
        });
        if event.body != body {
            chaos.report_wrong(order_no, format!("event {id} came again with another body"));
        }
        event.tries += 1;
        let reaction = if inbox.is_well.load(Ordering::Relaxed) {
            Reaction::Well
        } else {
            Reaction::of(&id, event.tries)
        };
        event.is_taken |= reaction != Reaction::FailsBefore;
        reaction
    };
    chaos.note(order_no, format!("backend: {event_type} {id} {reaction:?}"));
    match reaction {
        Reaction::Well => StatusCode::NO_CONTENT,
        Reaction::FailsBefore | Reaction::FailsAfter => StatusCode::INTERNAL_SERVER_ERROR,
        Reaction::Hangs => {
            tokio::time::sleep(HANGING).await;
            StatusCode::NO_CONTENT
        }
    }
}

/// Why a message is refused. The server sends a refused message again in either case.
enum Refusal {
    /// The signature is right, but the time is the machine's and not the chaos run's.
    WrongClock,
    /// Any other reason is a fault of the server.
    Invalid(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Invalid(reason)
    }
}

/// What the backend does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reaction {
    Well,
    FailsBefore,
    FailsAfter,
    Hangs,
}

impl Reaction {
    /// The reaction to one try of an event. The same event and try get the same reaction in every
    /// run.
    fn of(id: &str, tries: u32) -> Self {
        let seed = id.bytes().fold(u64::from(tries), |seed, byte| {
            seed.wrapping_mul(31) ^ u64::from(byte)
        });
        match fastrand::Rng::with_seed(seed).u32(0..1000) {
            0..100 => Self::FailsBefore,
            100..180 => Self::FailsAfter,
            180..183 => Self::Hangs,
            _ => Self::Well,
        }
    }
}

/// Checks the signature and the time of a message. Returns the event's id and the message.
fn verify(chaos: &ChaosRun, headers: &HeaderMap, body: &Bytes) -> Result<(String, Value), Refusal> {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.ok_or_else(|| format!("no {name}"))
    };
    let id = header("webhook-id")?;
    let sent_s: i64 = header("webhook-timestamp")?
        .parse()
        .map_err(|_| "the timestamp is not a number".to_owned())?;
    let expected = Webhook::new(WEBHOOK_SECRET)
        .and_then(|webhook| webhook.sign(id, sent_s, body))
        .map_err(|error| error.to_string())?;
    if header("webhook-signature")? != expected {
        return Err("the signature is wrong".to_owned().into());
    }
    let off_s = chaos.clock.now_ms() / 1000 - sent_s;
    if off_s.abs() > TOLERANCE_S {
        if chaos.clock.is_a_missed_reading(sent_s) {
            return Err(Refusal::WrongClock);
        }
        return Err(format!("it was sent {off_s} s ago").into());
    }
    let message = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok((id.to_owned(), message))
}
