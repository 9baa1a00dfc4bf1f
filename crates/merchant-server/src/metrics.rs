//! `/metrics` in Prometheus' text form. Calls are counted here. Orders, payments and work are
//! counted in the ledger at the time of the request, so that the numbers are right after a restart
//! and with several processes on one database.
//!
//! A label is never a value that a caller chooses: routes are patterns, methods a fixed set. If the
//! server has several merchants, what belongs to one of them has its `merchant` label; a key reads its
//! own merchant's, and a monitoring key all of them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use log_output::dropped_lines;
use merchant_core::ledger::Census;
use merchant_core::{Merchants, Payments, Refusal};
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
    State(merchants): State<Merchants>,
    State(calls): State<Arc<Calls>>,
    State(places): State<Arc<Places>>,
    backend: Backend,
) -> Result<Response, Failure> {
    // Without the database there are no counts of it, and the rest is needed most.
    let mut are_counted = true;
    let mut owners = Vec::new();
    for payments in backend.may_read_metrics(&merchants)? {
        let census = match payments.census().await {
            Ok(census) => census,
            Err(error) if error.is_unavailable() => {
                Refusal::Ledger(error).log();
                are_counted = false;
                Census::default()
            }
            Err(error) => return Err(error.into()),
        };
        owners.push(Owner { payments, census });
    }
    // One database for all of them.
    let is_writable = merchants.first().can_write().await;
    // The library ends each help text with a full stop, and a counter's name with `_total`.
    let mut registry = Registry::with_prefix("merchant_server");
    register_calls(&mut registry, &calls, &owners);
    register_overload(&mut registry, &owners);
    register_certificates(&mut registry, &owners);
    register_process(&mut registry, places.counts(), dropped_lines());
    registry.register(
        "database_writable",
        "1: a write to the database works; 0: it does not, and /readyz says 503",
        ConstGauge::new(u64::from(is_writable)),
    );
    if are_counted {
        register_orders(&mut registry, &owners);
        register_open_matters(&mut registry, &owners);
    }
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

/// A merchant, and what its ledger holds.
struct Owner<'a> {
    payments: &'a Payments,
    census: Census,
}

/// Names and values.
type Labels = Vec<(&'static str, String)>;
type Counted = Family<Labels, Gauge<u64, AtomicU64>>;

impl Owner<'_> {
    /// These labels, and the merchant's if there are several.
    fn labels<const COUNT: usize>(&self, labels: [(&'static str, &str); COUNT]) -> Labels {
        let merchant = self.payments.name_among_several();
        let merchant = merchant.map(|mchid| ("merchant", mchid));
        let labels = labels.into_iter().chain(merchant);
        labels
            .map(|(name, value)| (name, value.to_owned()))
            .collect()
    }
}

fn register_calls(registry: &mut Registry, calls: &Calls, owners: &[Owner<'_>]) {
    registry.register(
        "calls",
        "Calls that were answered, by route",
        calls.0.clone(),
    );
    let wechat_calls = Family::<Labels, Counter>::default();
    for owner in owners {
        for (operation, outcome, count) in owner.payments.wechat_calls() {
            let labels = owner.labels([("operation", operation), ("outcome", outcome)]);
            wechat_calls.get_or_create(&labels).inc_by(count);
        }
    }
    registry.register(
        "wechat_calls",
        "Tries to call WeChat, by operation and outcome; disbelieved: an answer that WeChat did not sign",
        wechat_calls,
    );
}

/// What was refused under load.
fn register_overload(registry: &mut Registry, owners: &[Owner<'_>]) {
    let refused = Family::<Labels, Counter>::default();
    let name = "overload_refusals";
    let help =
        "New orders and attempts that were refused, because more came than the database can take";
    if let [only] = owners
        && only.payments.name_among_several().is_none()
    {
        let refused = ConstCounter::new(only.payments.overload_refusals());
        registry.register(name, help, refused);
        return;
    }
    for owner in owners {
        let count = owner.payments.overload_refusals();
        refused.get_or_create(&owner.labels([])).inc_by(count);
    }
    registry.register(name, help, refused);
}

fn register_certificates(registry: &mut Registry, owners: &[Owner<'_>]) {
    let (ours, theirs) = (Family::default(), Family::default());
    let note = |family: &Family<Labels, Gauge>, owner: &Owner<'_>, serial: &str, expires_s: i64| {
        let labels = owner.labels([("serial", serial)]);
        // A certificate that expired before 1970 gets 0: it has expired in any case.
        family.get_or_create(&labels).set(expires_s.max(0));
    };
    for owner in owners {
        for certificate in owner.payments.config().merchant.certificates() {
            if let Some(facts) = &certificate.facts {
                note(&ours, owner, &facts.serial_no, facts.not_after_s);
            }
        }
        let trusted = owner.payments.trusted_keys();
        for serial in trusted.serials() {
            if let Some(expires_s) = trusted.expires_s(serial) {
                note(&theirs, owner, serial, expires_s);
            }
        }
    }
    registry.register(
        "merchant_certificate_expires_timestamp_seconds",
        "When our certificates expire, by serial, in seconds since 1970",
        ours,
    );
    registry.register(
        "platform_certificate_expires_timestamp_seconds",
        "When WeChat's certificates expire, by serial, in seconds since 1970; a public key does not expire",
        theirs,
    );
    register_each(
        registry,
        "held_polls",
        "Pages that wait for a change of their order, at this process",
        owners,
        |owner| u64::try_from(owner.payments.held_polls()).unwrap_or(u64::MAX),
    );
}

/// Registers one number of each merchant.
fn register_each(
    registry: &mut Registry,
    name: &str,
    help: &str,
    owners: &[Owner<'_>],
    number: impl Fn(&Owner<'_>) -> u64,
) {
    match owners {
        [only] if only.payments.name_among_several().is_none() => {
            registry.register(name, help, ConstGauge::new(number(only)));
        }
        owners => {
            let family = Counted::default();
            for owner in owners {
                family.get_or_create(&owner.labels([])).set(number(owner));
            }
            registry.register(name, help, family);
        }
    }
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

fn register_orders(registry: &mut Registry, owners: &[Owner<'_>]) {
    let by_state = |counts: fn(&Census) -> &[(String, u64)]| {
        let family = Counted::default();
        for owner in owners {
            for (state, count) in counts(&owner.census) {
                let labels = owner.labels([("state", state)]);
                family.get_or_create(&labels).set(*count);
            }
        }
        family
    };
    registry.register(
        "orders",
        "Orders in the ledger, by state",
        by_state(|census| &census.orders),
    );
    registry.register(
        "attempts",
        "Attempts in the ledger, by state; surplus is a duplicate payment to refund",
        by_state(|census| &census.attempts),
    );
    registry.register(
        "refunds",
        "Refunds in the ledger, by state; an abnormal refund needs a person",
        by_state(|census| &census.refunds),
    );
    registry.register(
        "webhooks",
        "Messages to the backend, by state; a failed message needs a person, an unaddressed one had no target",
        by_state(|census| &census.webhooks),
    );
}

/// The metrics of the ledger: what waits for a person, and the work that is due.
fn register_open_matters(registry: &mut Registry, owners: &[Owner<'_>]) {
    register_each(
        registry,
        "mismatches",
        "Unresolved payments that match no order",
        owners,
        |owner| owner.census.mismatches,
    );
    register_each(
        registry,
        "refund_mismatches",
        "Unresolved reports of refunds that do not match the ledger",
        owners,
        |owner| owner.census.refund_mismatches,
    );
    register_each(
        registry,
        "kept_notifications",
        "Unresolved signed notifications that the server does not understand",
        owners,
        |owner| owner.census.kept_notifications,
    );
    let due_work = Counted::default();
    for owner in owners {
        for (kind, count) in &owner.census.due_work {
            let labels = owner.labels([("kind", kind)]);
            due_work.get_or_create(&labels).set(*count);
        }
    }
    registry.register("due_work", "Scheduled work items, by kind", due_work);
    let help = "How late the oldest due work item is";
    let late_s = |owner: &Owner<'_>| Duration::from_millis(owner.census.late_ms).as_secs_f64();
    match owners {
        [only] if only.payments.name_among_several().is_none() => {
            let late = ConstGauge::new(late_s(only));
            registry.register("due_work_late_seconds", help, late);
        }
        owners => {
            let late = Family::<Labels, Gauge<f64, AtomicU64>>::default();
            for owner in owners {
                late.get_or_create(&owner.labels([])).set(late_s(owner));
            }
            registry.register("due_work_late_seconds", help, late);
        }
    }
}
