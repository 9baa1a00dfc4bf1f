//! Whether WeChat's notifications can arrive, as far as this machine can tell: the name, TLS, and
//! that this server answers. Only a notification proves that WeChat's network reaches this server,
//! and the report says so.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use url::{Host, Url};

use super::{Check, Proof, Verdict};
use crate::config::is_public;
use crate::surroundings::{TransportError, TryTimeout};

/// WeChat waits five seconds for an answer.
const TRY_MS: u64 = 5_000;

pub(super) async fn prove(check: &Check<'_>) -> Vec<Proof> {
    let merchant = &check.config.merchant;
    let mut proofs = Vec::new();
    for address in [&merchant.notify_url, &merchant.refund_notify_url] {
        let address = address.as_str();
        let (verdict, text) = from_here(check, address).await;
        proofs.push(Proof::new(
            format!("{address}, from this machine"),
            verdict,
            text,
        ));
    }
    let text = match check.last_notification().await {
        Some(at) => format!(
            "nothing here can show it; the last notification of WeChat's arrived at {at}, at the address of that time"
        ),
        None => "nothing here can show it, and no notification is in this database: pay one fen, and look again".to_owned(),
    };
    proofs.push(Proof::new(
        "notify addresses, from WeChat's network",
        Verdict::NotProved,
        text,
    ));
    proofs
}

/// A post without a body, which this server refuses in its own way.
async fn from_here(check: &Check<'_>, address: &str) -> (Verdict, String) {
    let Ok(url) = Url::parse(address) else {
        return (Verdict::Wrong, "it is not a URL".to_owned());
    };
    let resolved = match resolve(&url).await {
        Ok(resolved) => resolved,
        Err(reason) => return (Verdict::Wrong, format!("its name is not found: {reason}")),
    };
    let request = http::Request::post(address).body(Bytes::new());
    let Ok(mut request) = request else {
        return (Verdict::Wrong, "no request can be sent to it".to_owned());
    };
    request.extensions_mut().insert(TryTimeout::from_ms(TRY_MS));
    let answered = check.surroundings.webhooks.call(request).await;
    let (verdict, text) = judge(&url, answered);
    let is_hidden = check.config.gateway.is_live() && !resolved.iter().any(is_public);
    if is_hidden && verdict != Verdict::Wrong {
        let text = format!(
            "{text}; but its name resolves to {} here, which WeChat cannot reach: check what the name resolves to elsewhere",
            words(&resolved)
        );
        return (Verdict::NotProved, text);
    }
    (verdict, format!("{text} (at {})", words(&resolved)))
}

fn judge(url: &Url, answered: Result<http::Response<Bytes>, TransportError>) -> (Verdict, String) {
    let reply = match answered {
        Ok(reply) => reply,
        Err(TransportError::NotSent(reason) | TransportError::NoAnswer(reason)) => {
            return if reason.contains("certificate") {
                (
                    Verdict::Wrong,
                    format!(
                        "its TLS certificate is not good, and WeChat wants one that is: {reason}"
                    ),
                )
            } else {
                (
                    Verdict::NotProved,
                    format!(
                        "no server answers there; start the server and its proxy first, and look at firewalls: {reason}"
                    ),
                )
            };
        }
    };
    let status = reply.status();
    if status == http::StatusCode::UNAUTHORIZED && is_our_refusal(reply.body()) {
        let how = match url.scheme() {
            "https" => "the name is found, the TLS certificate is valid, and",
            _ => "the address is found, and",
        };
        return (
            Verdict::Proved,
            format!("{how} an unsigned message is refused as this server does it"),
        );
    }
    if status.is_redirection() {
        let text = format!("it answers {status}, and WeChat follows no redirects");
        return (Verdict::Wrong, text);
    }
    let text = format!(
        "it answers {status}, and not as this server does: a firewall, a login page or another program is in between"
    );
    (Verdict::Wrong, text)
}

/// The body with which a notification without signature is refused.
fn is_our_refusal(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Refusal {
        code: String,
        message: String,
    }
    let refusal: Option<Refusal> = serde_json::from_slice(body).ok();
    refusal.is_some_and(|said| said.code == "FAIL" && !said.message.is_empty())
}

async fn resolve(url: &Url) -> Result<Vec<IpAddr>, String> {
    let port = url.port_or_known_default().unwrap_or(443);
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(vec![address.into()]),
        Some(Host::Ipv6(address)) => Ok(vec![address.into()]),
        Some(Host::Domain(name)) => {
            let lookup = tokio::net::lookup_host((name, port));
            let found = tokio::time::timeout(Duration::from_millis(TRY_MS), lookup)
                .await
                .map_err(|_| "no name server answers in time".to_owned())?
                .map_err(|error| error.to_string())?;
            Ok(found.map(|address| address.ip().to_canonical()).collect())
        }
        None => Err("it names no host".to_owned()),
    }
}

fn words(addresses: &[IpAddr]) -> String {
    let words: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    words.join(", ")
}
