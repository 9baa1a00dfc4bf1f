//! Fault rules: read, replace, clear.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::{Value, json};

use super::problem::{Problem, read};
use crate::faults::FaultRule;
use crate::simulator::Simulator;

pub(super) fn routes() -> Router<Simulator> {
    Router::new().route("/_simulator/faults", get(list).post(replace).delete(clear))
}

async fn list(State(simulator): State<Simulator>) -> Response {
    let rules: Vec<Value> = simulator
        .faults()
        .rules()
        .into_iter()
        .map(|(rule, hits)| {
            let mut json = json!(rule);
            json["hits"] = hits.into();
            json
        })
        .collect();
    Json(rules).into_response()
}

async fn replace(State(simulator): State<Simulator>, body: Bytes) -> Result<Response, Problem> {
    let rules: Vec<FaultRule> = read(&body)?;
    simulator
        .faults()
        .replace(rules)
        .map_err(|error| Problem::invalid(Some(error.field), error.rule))?;
    Ok(list(State(simulator)).await)
}

async fn clear(State(simulator): State<Simulator>) -> Result<Response, Problem> {
    simulator
        .faults()
        .replace(Vec::new())
        .map_err(|error| Problem::invalid(Some(error.field), error.rule))?;
    Ok(Json(json!([])).into_response())
}
