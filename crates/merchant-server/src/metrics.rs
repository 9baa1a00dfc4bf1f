//! `/metrics` in Prometheus' text form. Calls are counted here. Orders, payments and work are
//! counted in the ledger at the time of the request, so that the numbers are right after a restart
//! and with several processes on one database.
//!
//! A label is never a value that a caller chooses: routes are patterns, methods a fixed set.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use log_output::dropped_lines;
use merchant_core::config::Scope;
use merchant_core::ledger::Census;
use merchant_core::{Payments, Refusal};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text::{CONTENT_TYPE, encode};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use crate::connections::{ConnectionCounts, Places};
use crate::error::Failure;
use crate::extract::Backend;

/// Calls by route, method and status. The number of rows is bounded by the routes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Family<CallLabels, Counter>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    route: String,
    method: &'static str,
    status: u16,
}

impl Calls {
    /// Counts one answered call. `route` is the pattern and never the address, so that it holds no
    /// token.
    pub(crate) fn count(&self, route: &str, method: &str, status: u16) {
        // A client can send any method.
        let mut known = ["GET", "HEAD", "POST", "OPTIONS"].into_iter();
        let method = known.find(|known| *known == method).unwrap_or("other");
        let labels = CallLabels {
            route: route.to_owned(),
            method,
            status,
        };
        self.0.get_or_create(&labels).inc();
    }
}

/// `GET /metrics`
pub(crate) async fn metrics(
    State(payments): State<Payments>,
    State(calls): State<Arc<Calls>>,
    State(places): State<Arc<Places>>,
    backend: Backend,
) -> Result<Response, Failure> {
    backend.may(Scope::Metrics)?;
    let census = payments.census().await?;
    // The library ends each help text with a full stop, and a counter's name with `_total`.
    let mut registry = Registry::with_prefix("merchant_server");
    register_calls(&mut registry, &calls, &payments);
    register_certificates(&mut registry, &payments);
    register_process(&mut registry, places.counts(), dropped_lines());
    register_orders(&mut registry, &census);
    register_open_matters(&mut registry, &census);
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WechatCallLabels {
    operation: &'static str,
    outcome: &'static str,
}

fn register_calls(registry: &mut Registry, calls: &Calls, payments: &Payments) {
    registry.register(
        "calls",
        "Calls that were answered, by route",
        calls.0.clone(),
    );
    let wechat_calls = Family::<WechatCallLabels, Counter>::default();
    for (operation, outcome, count) in payments.wechat_calls() {
        let labels = WechatCallLabels { operation, outcome };
        wechat_calls.get_or_create(&labels).inc_by(count);
    }
    registry.register(
        "wechat_calls",
        "Tries to call WeChat, by operation and outcome; disbelieved: an answer that WeChat did not sign",
        wechat_calls,
    );
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SerialLabel {
    serial: String,
}

fn register_certificates(registry: &mut Registry, payments: &Payments) {
    let (ours, theirs) = (Family::default(), Family::default());
    let note = |family: &Family<SerialLabel, Gauge>, serial: &str, expires_s: i64| {
        let serial = serial.to_owned();
        // A certificate that expired before 1970 gets 0: it has expired in any case.
        let expires_s = expires_s.max(0);
        family.get_or_create(&SerialLabel { serial }).set(expires_s);
    };
    for certificate in payments.config().merchant.certificates() {
        if let Some(facts) = &certificate.facts {
            note(&ours, &facts.serial_no, facts.not_after_s);
        }
    }
    let trusted = payments.trusted_keys();
    for serial in trusted.serials() {
        if let Some(expires_s) = trusted.expires_s(serial) {
            note(&theirs, serial, expires_s);
        }
    }
    registry.register(
        "merchant_certificate_expires_timestamp_seconds",
        "Until when our certificates are good, by serial, in seconds since 1970",
        ours,
    );
    registry.register(
        "platform_certificate_expires_timestamp_seconds",
        "Until when WeChat's certificates are good, by serial, in seconds since 1970; a public key has no such time",
        theirs,
    );
    let held = payments.held_polls();
    registry.register(
        "held_polls",
        "Pages that wait for a change of their order, at this process",
        ConstGauge::new(held),
    );
}

/// The metrics of this process: connections and its log.
fn register_process(registry: &mut Registry, connections: ConnectionCounts, dropped_lines: u64) {
    registry.register(
        "connections",
        "Connections that are open",
        ConstGauge::new(connections.open),
    );
    registry.register(
        "connections_given_away",
        "Connections that waited for their client and were closed for a new one, because all places were taken",
        ConstCounter::new(connections.given_away),
    );
    registry.register(
        "connections_refused",
        "Connections that were refused, because all places were in use",
        ConstCounter::new(connections.refused),
    );
    registry.register(
        "log_lines_dropped",
        "Log lines that were dropped, because the reader of the log was too slow",
        ConstCounter::new(dropped_lines),
    );
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: String,
}

type Counted<Label> = Family<Label, Gauge<u64, AtomicU64>>;

fn register_orders(registry: &mut Registry, census: &Census) {
    let by_state = |counts: &[(String, u64)]| {
        let family = Counted::default();
        for (state, count) in counts {
            let state = state.clone();
            family.get_or_create(&StateLabel { state }).set(*count);
        }
        family
    };
    registry.register(
        "orders",
        "Orders in the ledger, by state",
        by_state(&census.orders),
    );
    registry.register(
        "attempts",
        "Attempts in the ledger, by state; surplus is a duplicate payment to refund",
        by_state(&census.attempts),
    );
    registry.register(
        "refunds",
        "Refunds in the ledger, by state; an abnormal refund needs a person",
        by_state(&census.refunds),
    );
    registry.register(
        "webhooks",
        "Messages to the backend, by state; a failed message needs a person, an unaddressed one had no target",
        by_state(&census.webhooks),
    );
}

/// The metrics of the ledger: what waits for a person, and the work that is due.
fn register_open_matters(registry: &mut Registry, census: &Census) {
    registry.register(
        "mismatches",
        "Unresolved payments that match no order",
        ConstGauge::new(census.mismatches),
    );
    registry.register(
        "refund_mismatches",
        "Unresolved reports of refunds that do not match the ledger",
        ConstGauge::new(census.refund_mismatches),
    );
    registry.register(
        "kept_notifications",
        "Unresolved signed notifications that the server does not understand",
        ConstGauge::new(census.kept_notifications),
    );
    let due_work = Counted::default();
    for (kind, count) in &census.due_work {
        let kind = kind.clone();
        due_work.get_or_create(&KindLabel { kind }).set(*count);
    }
    registry.register("due_work", "Scheduled work items, by kind", due_work);
    let late = Duration::from_millis(census.late_ms);
    registry.register(
        "due_work_late_seconds",
        "How late the oldest due work item is",
        ConstGauge::new(late.as_secs_f64()),
    );
}
