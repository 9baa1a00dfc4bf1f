//! Rotation of certificates, migration to the public key, and the settings.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::problem::{Problem, read};
use crate::keyring::Keyring;
use crate::simulator::Simulator;

pub(super) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/_simulator/certificates/rotate", post(rotate))
        .route("/_simulator/certificates/migrate", post(migrate))
        .route("/_simulator/settings", get(settings).patch(set))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MerchantBody {
    mchid: Option<String>,
}

/// The merchant that the body names; by default the first one.
fn keyring(simulator: &Simulator, body: &[u8]) -> Result<Arc<Keyring>, Problem> {
    let body_fields: MerchantBody = if body.is_empty() {
        MerchantBody { mchid: None }
    } else {
        read(body)?
    };
    let mchid = body_fields
        .mchid
        .unwrap_or_else(|| simulator.keyring().merchant().mchid.clone());
    simulator
        .keyring_of(&mchid)
        .ok_or_else(|| Problem::refused(404, "MERCHANT_UNKNOWN", "there is no such merchant"))
}

async fn rotate(State(simulator): State<Simulator>, body: Bytes) -> Result<Response, Problem> {
    let keyring = keyring(&simulator, &body)?;
    let serial_no = simulator.rotate_certificate(&keyring).map_err(|error| {
        tracing::error!(%error, "a new certificate could not be made");
        Problem::refused(500, "INTERNAL", "a new certificate cannot be made")
    })?;
    let listed: Vec<String> = simulator
        .listed_certificates(&keyring)
        .into_iter()
        .map(|certificate| certificate.serial_no)
        .collect();
    Ok(Json(json!({ "serial_no": serial_no, "listed": listed })).into_response())
}

async fn migrate(State(simulator): State<Simulator>, body: Bytes) -> Result<Response, Problem> {
    let keyring = keyring(&simulator, &body)?;
    simulator.start_migration(&keyring);
    let platform = simulator.ledger().platform(&keyring.merchant().mchid);
    let share = platform.public_key_share_per_mille(simulator.clock().now());
    Ok(Json(json!({
        "public_key_id": keyring.merchant().public_key_id,
        "notifications_per_mille": share,
    }))
    .into_response())
}

async fn settings(State(simulator): State<Simulator>) -> Response {
    Json(json!(*simulator.settings())).into_response()
}

async fn set(State(simulator): State<Simulator>, body: Bytes) -> Result<Response, Problem> {
    let changes: Map<String, Value> = read(&body)?;
    let mut settings = (*simulator.settings()).clone();
    for (name, value) in changes {
        let value = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        settings = settings
            .with(&format!("{name}={value}"))
            .map_err(|error| Problem::invalid(None, error.to_string()))?;
    }
    simulator.set_settings(settings.clone());
    Ok(Json(json!(settings)).into_response())
}
