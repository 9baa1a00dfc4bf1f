//! The control interface for people: clock, faults, settings, and WeChat's keys. Each form does the
//! same as the JSON route with the same name.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawForm, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;
use maud::{Markup, html};
use wechat_pay::beijing_time;

use super::faults;
use super::form::value_of;
use super::layout::{layout, with_page_headers};
use crate::faults::FaultRule;
use crate::keyring::Keyring;
use crate::simulator::Simulator;

/// The most seconds of one form; the JSON route allows more.
const ADVANCE_MAX_S: u32 = 366 * 24 * 3600;

pub(super) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/control", get(page))
        .route("/control/clock", post(advance))
        .route("/control/settings", post(set))
        .route("/control/rotate", post(rotate))
        .route("/control/migrate", post(migrate))
        .route("/control/faults", post(add_fault))
        .route("/control/faults/clear", post(clear_faults))
}

async fn page(State(simulator): State<Simulator>) -> Response {
    shown(&simulator, StatusCode::OK, None)
}

/// The page, with the error of a sent form.
fn shown(simulator: &Simulator, status: StatusCode, problem: Option<&str>) -> Response {
    let content = html! {
        h1 { "控制台 · " span lang="en" { "Control" } }
        @if let Some(problem) = problem { p.card role="alert" { (problem) } }
        (clock(simulator))
        (faults::section(simulator))
        (settings_section(simulator))
        h2 { "平台证书 · " span lang="en" { "Certificates" } }
        @for keyring in simulator.keyrings() { (trust(simulator, keyring)) }
        p.quiet { a href="/_simulator/openapi.json" { "OpenAPI" } }
    };
    with_page_headers(status, layout("控制台 · Control", &content))
}

fn clock(simulator: &Simulator) -> Markup {
    html! {
        h2 { "时间 · " span lang="en" { "Time" } }
        form.card method="post" action="/control/clock" {
            p { (beijing_time(simulator.clock().now())) }
            @for (seconds, text) in [("60", "1 分钟 · +1 min"), ("900", "15 分钟 · +15 min"), ("86400", "1 天 · +1 day")] {
                button name="advance_s" value=(seconds) { (text) }
            }
        }
    }
}

fn settings_section(simulator: &Simulator) -> Markup {
    let settings = serde_json::to_value(&*simulator.settings()).unwrap_or_default();
    html! {
        h2 { "开关 · " span lang="en" { "Switches" } }
        section.card {
            dl {
                @for (name, value) in settings.as_object().into_iter().flatten() {
                    dt { (name) }
                    dd { (value.as_str().map_or_else(|| value.to_string(), str::to_owned)) }
                }
            }
            form method="post" action="/control/settings" {
                label for="line" { "name=value" }
                input #line type="text" name="line" required placeholder="code_pay=false" autocomplete="off";
                button { "设置 · " span lang="en" { "Set" } }
            }
        }
    }
}

/// The keys of WeChat's side for one merchant.
fn trust(simulator: &Simulator, keyring: &Keyring) -> Markup {
    let mchid = &keyring.merchant().mchid;
    let moved = simulator
        .ledger()
        .platform(mchid)
        .public_key_share_per_mille(simulator.clock().now());
    html! {
        section.card {
            p { (mchid) }
            @for certificate in simulator.listed_certificates(keyring) {
                p.quiet { (certificate.serial_no) }
            }
            p.quiet { (keyring.merchant().public_key_id) " · " (moved) "‰" }
            form method="post" action="/control/rotate" {
                button name="mchid" value=(mchid) { "更换证书 · " span lang="en" { "A new certificate" } }
            }
            form method="post" action="/control/migrate" {
                button name="mchid" value=(mchid) { "七天内改用公钥 · " span lang="en" { "Move to the public key in seven days" } }
            }
        }
    }
}

async fn advance(State(simulator): State<Simulator>, RawForm(form): RawForm) -> Response {
    let seconds = value_of(&form, "advance_s")
        .and_then(|text| text.parse::<u32>().ok())
        .filter(|seconds| *seconds <= ADVANCE_MAX_S);
    let Some(seconds) = seconds else {
        let problem = "advance_s: must be a number of seconds, at most a year";
        return shown(&simulator, StatusCode::BAD_REQUEST, Some(problem));
    };
    simulator.clock().advance(seconds);
    simulator.run_due().await;
    simulator.wake();
    back()
}

async fn add_fault(State(simulator): State<Simulator>, RawForm(form): RawForm) -> Response {
    let mut rules: Vec<FaultRule> = simulator
        .faults()
        .rules()
        .into_iter()
        .map(|(rule, _)| rule)
        .collect();
    let added = faults::read(&form).and_then(|rule| {
        rules.push(rule);
        let replaced = simulator.faults().replace(rules);
        replaced.map_err(|error| format!("{}: {}", error.field, error.rule))
    });
    match added {
        Ok(()) => back(),
        Err(problem) => shown(&simulator, StatusCode::BAD_REQUEST, Some(&problem)),
    }
}

async fn clear_faults(State(simulator): State<Simulator>) -> Response {
    // An empty list is always valid.
    let _ = simulator.faults().replace(Vec::new());
    back()
}

async fn set(State(simulator): State<Simulator>, RawForm(form): RawForm) -> Response {
    let line = value_of(&form, "line").unwrap_or_default();
    match simulator.settings().with(&line) {
        Ok(settings) => {
            simulator.set_settings(settings);
            back()
        }
        Err(error) => shown(
            &simulator,
            StatusCode::BAD_REQUEST,
            Some(&error.to_string()),
        ),
    }
}

async fn rotate(State(simulator): State<Simulator>, RawForm(form): RawForm) -> Response {
    let Some(keyring) = named(&simulator, &form) else {
        return unknown_merchant(&simulator);
    };
    match simulator.rotate_certificate(&keyring) {
        Ok(_) => back(),
        Err(error) => {
            tracing::error!(%error, "a new certificate could not be made");
            let problem = "a new certificate cannot be made";
            shown(&simulator, StatusCode::INTERNAL_SERVER_ERROR, Some(problem))
        }
    }
}

async fn migrate(State(simulator): State<Simulator>, RawForm(form): RawForm) -> Response {
    let Some(keyring) = named(&simulator, &form) else {
        return unknown_merchant(&simulator);
    };
    simulator.start_migration(&keyring);
    back()
}

/// The merchant that the form names; by default the first one.
fn named(simulator: &Simulator, form: &[u8]) -> Option<Arc<Keyring>> {
    let first = || simulator.keyring().merchant().mchid.clone();
    simulator.keyring_of(&value_of(form, "mchid").unwrap_or_else(first))
}

fn unknown_merchant(simulator: &Simulator) -> Response {
    let problem = "mchid: there is no such merchant";
    shown(simulator, StatusCode::NOT_FOUND, Some(problem))
}

fn back() -> Response {
    Redirect::to("/control").into_response()
}
