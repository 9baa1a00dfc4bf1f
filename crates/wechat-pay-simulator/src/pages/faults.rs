//! Fault rules for people: the list of rules with their counts, and a form that adds one, as
//! `POST /_simulator/faults` does.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::form::value_of;
use crate::faults::{FaultKind, FaultRule, ROUTES, codes_of};
use crate::simulator::Simulator;

const KINDS: [FaultKind; 16] = [
    FaultKind::Latency,
    FaultKind::Refused,
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

/// Optional numbers of a rule, each with its label on the form.
const NUMBERS: [(&str, &str); 4] = [
    ("count", "count · 至多次数"),
    ("seed", "seed · 随机种子"),
    ("delay_ms", "delay_ms · latency, timeout_after"),
    ("seconds", "seconds · late, reordered, clock_skew"),
];

pub(super) fn section(simulator: &Simulator) -> Markup {
    html! {
        h2 { "故障 · " span lang="en" { "Faults" } }
        form.card method="post" action="/control/faults" {
            @for (rule, hits) in simulator.faults().rules() { p { (line(&rule)) " · " (hits) "×" } }
            label for="route" { "route" }
            select #route name="route" {
                @for route in ROUTES { option selected[route == "order"] { (route) } }
            }
            label for="kind" { "kind" }
            select #kind name="kind" {
                @for kind in KINDS { option { (name_of(kind)) } }
            }
            label for="rate" { "rate (0–1)" }
            input #rate type="text" name="rate" required value="1";
            @for (name, text) in NUMBERS {
                label for=(name) { (text) }
                input id=(name) type="text" inputmode="numeric" name=(name) autocomplete="off";
            }
            label for="code" { "code · refused" }
            input #code type="text" name="code" list="codes" autocomplete="off";
            datalist #codes { @for code in codes_of("*") { option value=(code) {} } }
            button.confirm { "添加 · " span lang="en" { "Add" } }
        }
        form.card method="post" action="/control/faults/clear" {
            button { "全部清除 · " span lang="en" { "Clear all" } }
        }
    }
}

/// A rule in one line, in the order of the form.
fn line(rule: &FaultRule) -> String {
    let mut line = format!("{} {} {}", rule.route, name_of(rule.kind), rule.rate);
    let rule = serde_json::to_value(rule).unwrap_or_default();
    for name in NUMBERS.iter().map(|(name, _)| *name).chain(["code"]) {
        match rule.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => line.extend([" ", name, "=", text]),
            Some(value) => line.extend([" ", name, "=", &value.to_string()]),
        }
    }
    line
}

fn name_of(kind: FaultKind) -> String {
    let json = serde_json::to_value(kind).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

/// The rule that a form describes, or what is wrong with the form.
pub(super) fn read(form: &[u8]) -> Result<FaultRule, String> {
    let given = |name: &str| value_of(form, name).filter(|text| !text.is_empty());
    let mut rule = Map::new();
    for name in ["route", "kind", "code"] {
        rule.extend(given(name).map(|text| (name.to_owned(), text.into())));
    }
    let rate: f64 = given("rate")
        .and_then(|text| text.parse().ok())
        .ok_or("rate: must be a number from 0 to 1")?;
    rule.insert("rate".to_owned(), rate.into());
    for (name, _) in NUMBERS {
        if let Some(text) = given(name) {
            let number: i64 = text
                .parse()
                .map_err(|_| format!("{name}: must be a whole number"))?;
            rule.insert(name.to_owned(), number.into());
        }
    }
    serde_json::from_value(Value::Object(rule)).map_err(|error| error.to_string())
}
