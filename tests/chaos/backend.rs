//! The merchant's backend: it makes orders, refunds some, and fulfils an order when a webhook says
//! that it is paid. It verifies with a library of others, drops an event that it knows, and is
//! out of order itself now and then.

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

use crate::programs::WEBHOOK_SECRET;
use crate::world::World;

/// How far the time of a message may be from ours; the scheme's own tolerance.
const TOLERANCE_S: i64 = 300;
/// Longer than the merchant server waits.
const HANGING: Duration = Duration::from_secs(11);

/// What was received, each event once.
#[derive(Default)]
pub(crate) struct Inbox {
    events: Mutex<BTreeMap<String, Event>>,
    is_well: AtomicBool,
    /// Messages that were refused for a reading of the clock that its library missed.
    undated: AtomicUsize,
}

/// One event, as the first message of it told.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// `payment.succeeded` and so on.
    pub(crate) kind: String,
    /// What it tells.
    pub(crate) data: Value,
    body: Bytes,
    /// How often it was sent to us.
    tries: u32,
    /// Whether it was taken: what is answered with an error was, sometimes.
    is_taken: bool,
}

impl Inbox {
    /// From here on nothing is out of order.
    pub(crate) fn recover(&self) {
        self.is_well.store(true, Ordering::Relaxed);
    }

    /// How many messages came with a time that was never the storm's.
    pub(crate) fn undated(&self) -> usize {
        self.undated.load(Ordering::Relaxed)
    }

    /// Every event that was taken, by its id.
    pub(crate) fn events(&self) -> BTreeMap<String, Event> {
        let events = self.events.lock().unwrap();
        let taken = events.iter().filter(|(_, event)| event.is_taken);
        taken
            .map(|(id, event)| (id.clone(), event.clone()))
            .collect()
    }

    /// The number at WeChat of the payment that settled an order, once it was told.
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
pub(crate) fn app(world: Arc<World>, inbox: Arc<Inbox>) -> Router {
    Router::new()
        .route("/webhooks", post(receive))
        .with_state((world, inbox))
}

async fn receive(
    State((world, inbox)): State<(Arc<World>, Arc<Inbox>)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let (id, message) = match verify(&world, &headers, &body) {
        Ok(verified) => verified,
        Err(Refusal::Undated) => {
            inbox.undated.fetch_add(1, Ordering::Relaxed);
            return StatusCode::UNAUTHORIZED;
        }
        Err(Refusal::Unbelievable(reason)) => {
            world.accuse("", format!("a webhook is not to be believed: {reason}"));
            return StatusCode::UNAUTHORIZED;
        }
    };
    let order_no = message["data"]["order_no"].as_str().unwrap_or_default();
    let event_type = message["type"].as_str().unwrap_or_default();
    let mood = {
        let mut events = inbox.events.lock().unwrap();
        let event = events.entry(id.clone()).or_insert_with(|| Event {
            kind: event_type.to_owned(),
            data: message["data"].clone(),
            body: body.clone(),
            tries: 0,
            is_taken: false,
        });
        if event.body != body {
            world.accuse(order_no, format!("event {id} came again with another body"));
        }
        event.tries += 1;
        let mood = if inbox.is_well.load(Ordering::Relaxed) {
            Mood::Well
        } else {
            Mood::of(&id, event.tries)
        };
        event.is_taken |= mood != Mood::FailsBefore;
        mood
    };
    world.note(order_no, format!("backend: {event_type} {id} {mood:?}"));
    match mood {
        Mood::Well => StatusCode::NO_CONTENT,
        Mood::FailsBefore | Mood::FailsAfter => StatusCode::INTERNAL_SERVER_ERROR,
        Mood::Hangs => {
            tokio::time::sleep(HANGING).await;
            StatusCode::NO_CONTENT
        }
    }
}

/// Why a message is refused. It is sent again either way, as to any backend that refuses one.
enum Refusal {
    /// Rightly signed, with a time that the storm's clock never showed and the machine's did.
    Undated,
    /// Anything else: the server has done wrong.
    Unbelievable(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Unbelievable(reason)
    }
}

/// What the backend does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Well,
    FailsBefore,
    FailsAfter,
    Hangs,
}

impl Mood {
    /// The same for the same try of the same event, in every run.
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

/// Gives the event's id and what it tells, if it was signed for us a moment ago.
fn verify(world: &World, headers: &HeaderMap, body: &Bytes) -> Result<(String, Value), Refusal> {
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
        return Err("the signature is another".to_owned().into());
    }
    let off_s = world.clock.now_ms() / 1000 - sent_s;
    if off_s.abs() > TOLERANCE_S {
        if world.clock.is_a_missed_reading(sent_s) {
            return Err(Refusal::Undated);
        }
        return Err(format!("it was sent {off_s} s ago").into());
    }
    let message = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok((id.to_owned(), message))
}
