//! The control interface for people: time, faults, switches and certificates as forms. Each form
//! does what the JSON route of the same name does.

use axum::{
    Router,
    extract::{RawForm, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::StatusCode;
use maud::{Markup, html};
use wechat_pay::beijing_time;

use super::{layout, phone::value_of, with_page_headers};
use crate::{
    faults::{FaultKind, FaultRule},
    simulator::Simulator,
};

/// More than this at once is for the JSON route.
const LONGEST_ADVANCE_S: u32 = 366 * 24 * 3600;

pub(super) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/control", get(page))
        .route("/control/clock", post(advance))
        .route("/control/faults", post(add_fault))
        .route("/control/faults/clear", post(clear_faults))
        .route("/control/settings", post(set))
        .route("/control/rotate", post(rotate))
}

async fn page(State(simulator): State<Simulator>) -> Response {
    shown(&simulator, StatusCode::OK, None)
}

fn shown(simulator: &Simulator, status: StatusCode, problem: Option<&str>) -> Response {
    let content = html! {
        h1 { "控制台 · " span lang="en" { "Control" } }
        @if let Some(problem) = problem { p.card role="alert" { (problem) } }
        (clock(simulator))
        (faults(simulator))
        (switches(simulator))
        h2 { "平台证书 · " span lang="en" { "Certificates" } }
        form.card method="post" action="/control/rotate" {
            @for certificate in simulator.listed_certificates(simulator.keyring()) {
                p.quiet { (certificate.serial_no) }
            }
            button { "更换证书 · " span lang="en" { "A new certificate" } }
        }
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

fn faults(simulator: &Simulator) -> Markup {
    html! {
        h2 { "故障 · " span lang="en" { "Faults" } }
        form.card method="post" action="/control/faults" {
            @for (rule, hits) in simulator.faults().rules() {
                p { (rule.route) " " (word(rule.kind)) " " (rule.rate) " · " (hits) "×" }
            }
            label for="route" { "route" }
            input #route type="text" name="route" required value="order";
            label for="kind" { "kind" }
            select #kind name="kind" {
                @for kind in KINDS { option value=(word(kind)) { (word(kind)) } }
            }
            label for="rate" { "rate (0–1)" }
            input #rate type="text" name="rate" required value="1";
            button.confirm { "添加 · " span lang="en" { "Add" } }
        }
        form.card method="post" action="/control/faults/clear" {
            button { "全部清除 · " span lang="en" { "Clear all" } }
        }
    }
}

fn switches(simulator: &Simulator) -> Markup {
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

const KINDS: [FaultKind; 15] = [
    FaultKind::Latency,
    FaultKind::TooManyRequests,
    FaultKind::ErrorBefore,
    FaultKind::ErrorAfter,
    FaultKind::TimeoutAfter,
    FaultKind::Accepted,
    FaultKind::WrongSignature,
    FaultKind::Signtest,
    FaultKind::ClockSkew,
    FaultKind::CloseLies,
    FaultKind::Dropped,
    FaultKind::Repeated,
    FaultKind::Reordered,
    FaultKind::Tampered,
    FaultKind::Late,
];

fn word(kind: FaultKind) -> String {
    let json = serde_json::to_value(kind).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

async fn advance(State(simulator): State<Simulator>, RawForm(form): RawForm) -> Response {
    let seconds = value_of(&form, "advance_s")
        .and_then(|text| text.parse::<u32>().ok())
        .filter(|seconds| *seconds <= LONGEST_ADVANCE_S);
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
    let value = |name| value_of(&form, name).unwrap_or_default();
    let rate = value("rate").parse().unwrap_or(f64::NAN);
    let json = serde_json::json!({ "route": value("route"), "kind": value("kind"), "rate": rate });
    let mut rules: Vec<FaultRule> = simulator
        .faults()
        .rules()
        .into_iter()
        .map(|(rule, _)| rule)
        .collect();
    let added = serde_json::from_value(json)
        .map_err(|error| error.to_string())
        .and_then(|rule| {
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
    // No rules are right rules.
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

async fn rotate(State(simulator): State<Simulator>) -> Response {
    match simulator.rotate_certificate(simulator.keyring()) {
        Ok(_) => back(),
        Err(error) => {
            tracing::error!(%error, "no new certificate");
            let problem = "a new certificate cannot be made";
            shown(&simulator, StatusCode::INTERNAL_SERVER_ERROR, Some(problem))
        }
    }
}

fn back() -> Response {
    Redirect::to("/control").into_response()
}
