//! Merchants and buyers: the list, a buyer's payment code, a mini-program's login code.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{Problem, read};
use crate::ledger::auth_code::AUTH_CODE_LIFETIME_S;
use crate::simulator::Simulator;

pub(super) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/_simulator/merchants", get(merchants))
        .route("/_simulator/auth_code", post(auth_code))
        .route("/_simulator/login", post(login))
}

/// Merchant numbers and openids, which are not secret.
async fn merchants(State(simulator): State<Simulator>) -> Response {
    let merchants: Vec<Value> = simulator
        .keyrings()
        .iter()
        .map(|keyring| {
            let merchant = keyring.merchant();
            let sub = simulator.sub_merchant(&merchant.mchid);
            let openids = |appid: &str| -> Vec<String> {
                (1..=simulator.settings().payers)
                    .map(|payer| simulator.openid_of(payer, appid))
                    .collect()
            };
            json!({
                "mchid": merchant.mchid,
                "appid": merchant.appid,
                "openids": openids(&merchant.appid),
                "mini_program_appid": merchant.mini_program_appid,
                "mini_program_openids": openids(&merchant.mini_program_appid),
                "sub_mchid": sub.sub_mchid,
                "sub_appid": sub.sub_appid,
                "sub_openids": openids(&sub.sub_appid),
                "sub_merchants": simulator
                    .sub_merchants(&merchant.mchid)
                    .collect::<Vec<_>>(),
            })
        })
        .collect();
    Json(merchants).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    payer: Option<u8>,
}

async fn auth_code(State(simulator): State<Simulator>, body: Bytes) -> Result<Response, Problem> {
    let shown: Shown = read(&body)?;
    let payer = payer(&simulator, shown.payer)?;
    Ok(Json(json!({
        "auth_code": show_auth_code(&simulator, payer),
        "expires_in_s": AUTH_CODE_LIFETIME_S,
    }))
    .into_response())
}

/// A new code on a buyer's phone.
pub(crate) fn show_auth_code(simulator: &Simulator, payer: u8) -> String {
    let code = simulator.random().auth_code();
    let now = simulator.clock().now();
    simulator
        .ledger()
        .auth_codes()
        .show(code.clone(), payer, now);
    code
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    appid: Option<String>,
    payer: Option<u8>,
}

/// The login code of `wx.login`.
async fn login(State(simulator): State<Simulator>, body: Bytes) -> Result<Response, Problem> {
    let login: Login = read(&body)?;
    let payer = payer(&simulator, login.payer)?;
    let appid = login
        .appid
        .unwrap_or_else(|| simulator.keyring().merchant().mini_program_appid.clone());
    let code = login_code(&simulator, payer, &appid);
    Ok(Json(json!({ "code": code, "appid": appid })).into_response())
}

/// A new code of `wx.login` in a mini-program on a buyer's phone.
pub(crate) fn login_code(simulator: &Simulator, payer: u8, appid: &str) -> String {
    let code = format!("0{}", simulator.random().alphanumeric(31));
    let openid = simulator.openid_of(payer, appid);
    let now = simulator.clock().now();
    simulator
        .ledger()
        .grants()
        .issue(code.clone(), appid, openid, now);
    code
}

/// The buyer of a call, counted from 1; the first one by default.
pub(super) fn payer(simulator: &Simulator, asked: Option<u8>) -> Result<u8, Problem> {
    let most = simulator.settings().payers;
    let payer = asked.unwrap_or(1);
    if (1..=most).contains(&payer) {
        return Ok(payer);
    }
    Err(Problem::invalid(
        Some("payer"),
        format!("must be from 1 to {most}"),
    ))
}
