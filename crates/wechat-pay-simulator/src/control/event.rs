//! A notification that is neither a payment's nor a refund's, sent on command: complaints, coupons,
//! invoices, profit sharing, or an event that WeChat invents tomorrow. The content is the caller's;
//! envelope, seal and signature are WeChat's. It is sent once: send the same `id` again for a retry.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::{Request, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wechat_pay::NotificationDraft;

use super::problem::{Problem, read};
use crate::faults::NOTIFICATION;
use crate::ledger::order::ReplyKey;
use crate::simulator::{Signing, Simulator};

pub(super) fn routes() -> Router<Simulator> {
    Router::new().route("/_simulator/event", post(send))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventRequest {
    /// The address that the merchant has set at WeChat for such events.
    url: String,
    event_type: String,
    #[serde(default)]
    original_type: String,
    #[serde(default)]
    summary: String,
    resource: Map<String, Value>,
    /// The first merchant's, if absent.
    mchid: Option<String>,
    id: Option<String>,
}

/// Answers with the notification's id and the merchant's status.
async fn send(State(simulator): State<Simulator>, body: Bytes) -> Result<Response, Problem> {
    let event: EventRequest = read(&body)?;
    if event.event_type.is_empty() {
        return Err(Problem::invalid(Some("event_type"), "must not be empty"));
    }
    let (id, request) = request(&simulator, event)?;
    let answer = simulator.notifications().send(request).await;
    let answer =
        answer.map_err(|error| Problem::refused(502, "NOT_DELIVERED", &error.to_string()))?;
    let status = answer.status().as_u16();
    Ok(Json(json!({ "id": id, "status": status })).into_response())
}

fn request(
    simulator: &Simulator,
    event: EventRequest,
) -> Result<(String, Request<Bytes>), Problem> {
    let keyring = match &event.mchid {
        None => simulator.keyring_of(&simulator.keyring().merchant().mchid),
        Some(mchid) => simulator.keyring_of(mchid),
    };
    let keyring = keyring
        .ok_or_else(|| Problem::invalid(Some("mchid"), "must name a merchant of the simulator"))?;
    let draft = NotificationDraft {
        id: event
            .id
            .unwrap_or_else(|| format!("EV-{}", simulator.random().alphanumeric(32))),
        create_time: simulator.clock().now(),
        event_type: event.event_type,
        summary: event.summary,
        original_type: event.original_type,
        plaintext: Value::Object(event.resource).to_string().into_bytes(),
    };
    let failed = |error: String| Problem::refused(500, "NOT_SEALED", &error);
    let nonce = simulator.random().alphanumeric(12);
    let body = draft
        .seal(&keyring.api_v3_key, &nonce)
        .map_err(|error| failed(error.to_string()))?;
    let hits = simulator.faults().draw(NOTIFICATION);
    let signing = Signing {
        keyring: &keyring,
        key: simulator.notification_key(&keyring, ReplyKey::PlatformCertificate),
        faults: &hits,
    };
    let signature = signing
        .headers(simulator, &body)
        .map_err(|error| failed(error.to_string()))?;
    let mut request = Request::post(&event.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "*/*")
        .header(header::USER_AGENT, "Mozilla/4.0")
        .body(Bytes::from(body))
        .map_err(|error| Problem::invalid(Some("url"), error.to_string()))?;
    request.headers_mut().extend(signature);
    Ok((draft.id, request))
}
