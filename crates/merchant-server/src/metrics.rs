//! `/metrics` in Prometheus' text form. Calls are counted here. Orders, payments and work are
//! counted in the ledger at the time of the request, so that the numbers are right after a restart
//! and with several processes on one database.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use log_output::dropped_lines;
use merchant_core::Payments;
use merchant_core::config::Scope;
use merchant_core::ledger::Census;

use crate::connections::{ConnectionCounts, Places};
use crate::error::Failure;
use crate::extract::Backend;

/// Calls by route, method and status. The number of rows is bounded by the routes.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<BTreeMap<(String, String, u16), u64>>);

impl Calls {
    /// Counts one answered call. `route` is the pattern and never the address, so that no token is
    /// in it.
    pub(crate) fn count(&self, route: &str, method: &str, status: u16) {
        // A client can send any method.
        let method = match method {
            "GET" | "HEAD" | "POST" | "OPTIONS" => method,
            _ => "other",
        };
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *calls
            .entry((route.to_owned(), method.to_owned(), status))
            .or_default() += 1;
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
    let text = write(&payments, &calls, places.counts(), &census);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

fn write(
    payments: &Payments,
    calls: &Calls,
    connections: ConnectionCounts,
    census: &Census,
) -> String {
    let mut text = String::new();
    let mut family = |name, kind, help, rows| write_family(&mut text, name, kind, help, rows);
    let counted = calls.0.lock().unwrap_or_else(PoisonError::into_inner);
    let rows = counted.iter().map(|((route, method, status), count)| {
        (
            format!("{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}"),
            *count,
        )
    });
    family(
        "merchant_server_calls_total",
        "counter",
        "Calls that were answered, by route.",
        rows.collect(),
    );
    drop(counted);
    let wechat_calls = payments.wechat_calls();
    let rows = wechat_calls.iter().map(|(operation, outcome, count)| {
        let labels = format!("{{operation=\"{operation}\",outcome=\"{outcome}\"}}");
        (labels, *count)
    });
    family(
        "merchant_server_wechat_calls_total",
        "counter",
        "Tries to call WeChat, by operation and outcome; disbelieved: an answer that WeChat did not sign.",
        rows.collect(),
    );
    let (ours, theirs) = certificates(payments);
    family(
        "merchant_server_merchant_certificate_expires_timestamp_seconds",
        "gauge",
        "Until when our certificates are good, by serial, in seconds since 1970.",
        ours,
    );
    family(
        "merchant_server_platform_certificate_expires_timestamp_seconds",
        "gauge",
        "Until when WeChat's certificates are good, by serial, in seconds since 1970; a public key has no such time.",
        theirs,
    );
    let held = u64::try_from(payments.held_polls()).unwrap_or(u64::MAX);
    family(
        "merchant_server_held_polls",
        "gauge",
        "Pages that wait for a change of their order, at this process.",
        vec![(String::new(), held)],
    );
    write_process(&mut text, connections, dropped_lines());
    write_census(&mut text, census);
    text
}

/// The metrics of this process: connections and its log.
fn write_process(text: &mut String, connections: ConnectionCounts, dropped_lines: u64) {
    let mut family = |name, kind, help, value| {
        write_family(text, name, kind, help, vec![(String::new(), value)]);
    };
    family(
        "merchant_server_connections",
        "gauge",
        "Connections that are open.",
        connections.open,
    );
    family(
        "merchant_server_connections_given_away_total",
        "counter",
        "Connections that waited for their client and were closed for a new one, because all places were taken.",
        connections.given_away,
    );
    family(
        "merchant_server_connections_refused_total",
        "counter",
        "Connections that were refused, because all places were being answered.",
        connections.refused,
    );
    family(
        "merchant_server_log_lines_dropped_total",
        "counter",
        "Log lines that were dropped, because whatever reads the log was too slow.",
        dropped_lines,
    );
}

/// The metrics of the ledger: orders, payments and work.
fn write_census(text: &mut String, census: &Census) {
    let mut family = |name, help, rows| write_family(text, name, "gauge", help, rows);
    let by_state = |counts: &[(String, u64)]| {
        let rows = counts
            .iter()
            .map(|(state, count)| (format!("{{state=\"{state}\"}}"), *count));
        rows.collect()
    };
    family(
        "merchant_server_orders",
        "Orders in the ledger, by state.",
        by_state(&census.orders),
    );
    family(
        "merchant_server_attempts",
        "Attempts in the ledger, by state; surplus is money to be given back.",
        by_state(&census.attempts),
    );
    family(
        "merchant_server_refunds",
        "Refunds in the ledger, by state; abnormal ones wait for a person.",
        by_state(&census.refunds),
    );
    family(
        "merchant_server_webhooks",
        "Messages to the backend, by state; failed ones wait for a person, unaddressed ones had no target.",
        by_state(&census.webhooks),
    );
    let plain = |value| vec![(String::new(), value)];
    family(
        "merchant_server_mismatches",
        "Payments that fit no order and that nobody has marked done yet.",
        plain(census.mismatches),
    );
    family(
        "merchant_server_refund_mismatches",
        "News of refunds that fit nothing and that nobody has marked done yet.",
        plain(census.refund_mismatches),
    );
    family(
        "merchant_server_kept_notifications",
        "Signed notifications that are not understood and that nobody has marked done yet.",
        plain(census.kept_notifications),
    );
    family(
        "merchant_server_due_work",
        "Pieces of work that are scheduled, by kind.",
        census
            .due_work
            .iter()
            .map(|(kind, count)| (format!("{{kind=\"{kind}\"}}"), *count))
            .collect(),
    );
    write_head(
        text,
        "merchant_server_due_work_late_seconds",
        "gauge",
        "How long the oldest due piece of work has waited.",
    );
    let (whole_s, rest_ms) = (census.late_ms / 1000, census.late_ms % 1000);
    let _ = writeln!(
        text,
        "merchant_server_due_work_late_seconds {whole_s}.{rest_ms:03}"
    );
}

fn write_family(text: &mut String, name: &str, kind: &str, help: &str, rows: Vec<(String, u64)>) {
    write_head(text, name, kind, help);
    for (labels, value) in rows {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

fn write_head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Labels and expiry of our certificates, and of WeChat's.
#[expect(
    clippy::type_complexity,
    reason = "two lists of the rows that a family is written from"
)]
fn certificates(payments: &Payments) -> (Vec<(String, u64)>, Vec<(String, u64)>) {
    // A certificate that was over before 1970 is over.
    let row = |serial: &str, expires_s: i64| {
        let labels = format!("{{serial=\"{serial}\"}}");
        (labels, u64::try_from(expires_s).unwrap_or(0))
    };
    let merchant = &payments.config().merchant;
    let ours = merchant
        .certificates()
        .filter_map(|certificate| certificate.facts.as_ref())
        .map(|facts| row(&facts.serial_no, facts.not_after_s));
    let trusted = payments.trusted_keys();
    let theirs = trusted
        .serials()
        .filter_map(|serial| Some(row(serial, trusted.expires_s(serial)?)));
    (ours.collect(), theirs.collect())
}
