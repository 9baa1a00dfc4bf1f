//! Faults on demand between a merchant and WeChat, each for a route and with a rate. They are drawn
//! from a seed, so that a run can be repeated.
//!
//! This module only decides; the gateway and the notifier apply the faults. Rules are in memory and
//! end with the process.

mod documented;

use std::sync::{Mutex, PoisonError};

pub(crate) use documented::{Documented, codes_of, documented};
use serde::{Deserialize, Serialize};

/// A rule, in the form of the control interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// `order`, `query`, `close`, `reverse`, `refund`, `refund_query`, `abnormal_refund`, `receiver`,
    /// `share`, `share_return`, `share_query`, `bill`, `bill_file`, `certificates`, `notification`, or
    /// `*` for all of them.
    pub route: String,
    /// The kind of fault.
    pub kind: FaultKind,
    /// The rate, from 0 to 1.
    pub rate: f64,
    /// The most times it is applied; without it there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The seed of the draws; by default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// For `latency` and `timeout_after`: the delay in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u32>,
    /// For `late` and `reordered`: the delay; for `clock_skew`: the difference, negative if behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i32>,
    /// For `refused`: WeChat's code, one that is documented for the route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The answer is delayed.
    Latency,
    /// A documented refusal, by its `code`; the request is not executed.
    Refused,
    /// 429; the request is not executed.
    TooManyRequests,
    /// 500; the request is not executed.
    ErrorBefore,
    /// 500; the request is executed.
    ErrorAfter,
    /// The request is executed, and the answer is 504 after a long delay.
    TimeoutAfter,
    /// 202: accepted and not executed; the client must repeat the request.
    Accepted,
    /// A wrong signature.
    WrongSignature,
    /// WeChat's signature probe, which must fail verification.
    Signtest,
    /// The timestamp of the signature is wrong.
    ClockSkew,
    /// Only for close: 204, and the order stays open.
    CloseLies,
    /// Only for notifications: one delivery is lost.
    Dropped,
    /// Only for notifications: sent twice.
    Repeated,
    /// Only for notifications: delayed, so that others arrive first.
    Reordered,
    /// Only for notifications: changed content.
    Tampered,
    /// Only for notifications: delayed for long.
    Late,
}

/// Why a rule is refused: the field and the broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FaultError {
    pub(crate) field: &'static str,
    pub(crate) rule: String,
}

/// The name of the notifier among the routes.
pub(crate) const NOTIFICATION: &str = "notification";

/// The routes that a rule can name.
pub(crate) const ROUTES: [&str; 16] = [
    "*",
    "order",
    "query",
    "close",
    "reverse",
    "refund",
    "refund_query",
    "abnormal_refund",
    "receiver",
    "share",
    "share_return",
    "share_query",
    "bill",
    "bill_file",
    "certificates",
    NOTIFICATION,
];

/// The current rules. One lock, so draws follow the order of the calls.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<DrawnRule>>);

#[derive(Debug)]
struct DrawnRule {
    rule: FaultRule,
    hits: u32,
    state: u64,
}

/// The faults of one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CallFaults(Vec<FaultRule>);

impl Faults {
    /// Replaces all rules, or none if one of them is wrong.
    pub(crate) fn replace(&self, rules: Vec<FaultRule>) -> Result<(), FaultError> {
        for rule in &rules {
            check(rule)?;
        }
        let drawn = rules.into_iter().map(|rule| DrawnRule {
            hits: 0,
            state: rule.seed.unwrap_or_default(),
            rule,
        });
        *self.lock() = drawn.collect();
        Ok(())
    }

    /// The rules, each with the number of times it was applied.
    pub(crate) fn rules(&self) -> Vec<(FaultRule, u32)> {
        let drawn = self.lock();
        drawn.iter().map(|d| (d.rule.clone(), d.hits)).collect()
    }

    /// Draws for one call.
    pub(crate) fn draw(&self, route: &str) -> CallFaults {
        let mut hits = Vec::new();
        for drawn in self.lock().iter_mut() {
            let here = drawn.rule.route == "*" || drawn.rule.route == route;
            let left = drawn.rule.count.is_none_or(|count| drawn.hits < count);
            if here && applies(&drawn.rule, route) && left && drawn.draw_once() {
                drawn.hits += 1;
                hits.push(drawn.rule.clone());
            }
        }
        CallFaults(hits)
    }

    // After a panic elsewhere the data is still consistent.
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<DrawnRule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallFaults {
    pub(crate) fn has(&self, kind: FaultKind) -> bool {
        self.get(kind).is_some()
    }

    pub(crate) fn get(&self, kind: FaultKind) -> Option<&FaultRule> {
        self.0.iter().find(|rule| rule.kind == kind)
    }

    /// The refusal that the rule names, for this route.
    pub(crate) fn refused(&self, route: &str) -> Option<Documented> {
        let code = self.get(FaultKind::Refused)?.code.as_deref()?;
        documented(route, code)
    }

    /// The delay of a fault, in milliseconds.
    pub(crate) fn delay_ms(&self, kind: FaultKind, default_ms: u32) -> Option<u64> {
        let rule = self.get(kind)?;
        Some(u64::from(rule.delay_ms.unwrap_or(default_ms)))
    }

    /// The time difference of a fault, in seconds.
    pub(crate) fn seconds(&self, kind: FaultKind, default_s: i32) -> Option<i64> {
        let rule = self.get(kind)?;
        Some(i64::from(rule.seconds.unwrap_or(default_s)))
    }
}

impl DrawnRule {
    /// One step of SplitMix64: small, and the same on every machine.
    fn draw_once(&mut self) -> bool {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        // 32 bits, which a double represents exactly.
        let drawn = f64::from(u32::try_from(mixed >> 32).unwrap_or(u32::MAX));
        drawn < self.rule.rate * 4_294_967_296.0
    }
}

fn applies(rule: &FaultRule, route: &str) -> bool {
    match rule.kind {
        FaultKind::Refused => rule
            .code
            .as_deref()
            .is_some_and(|code| documented(route, code).is_some()),
        FaultKind::Dropped
        | FaultKind::Repeated
        | FaultKind::Reordered
        | FaultKind::Tampered
        | FaultKind::Late => route == NOTIFICATION,
        FaultKind::CloseLies => route == "close",
        FaultKind::Latency
        | FaultKind::WrongSignature
        | FaultKind::Signtest
        | FaultKind::ClockSkew => true,
        _ => route != NOTIFICATION,
    }
}

fn check(rule: &FaultRule) -> Result<(), FaultError> {
    let wrong = |field, rule: String| Err(FaultError { field, rule });
    if !ROUTES.contains(&rule.route.as_str()) {
        return wrong("route", format!("must be one of {}", ROUTES.join(", ")));
    }
    if !(0.0..=1.0).contains(&rule.rate) {
        return wrong("rate", "must be from 0 to 1".to_owned());
    }
    check_code(rule)?;
    if rule.route != "*" && !applies(rule, &rule.route) {
        return wrong("kind", format!("cannot happen at {}", rule.route));
    }
    if rule.delay_ms.is_some_and(|delay_ms| delay_ms > 600_000) {
        return wrong("delay_ms", "must be at most 600000".to_owned());
    }
    Ok(())
}

fn check_code(rule: &FaultRule) -> Result<(), FaultError> {
    let wrong = |rule: String| {
        Err(FaultError {
            field: "code",
            rule,
        })
    };
    match (rule.kind, &rule.code) {
        (FaultKind::Refused, Some(code)) if documented(&rule.route, code).is_some() => Ok(()),
        // A notification is not a request of the merchant: it cannot be refused.
        (FaultKind::Refused, _) if rule.route == NOTIFICATION => Ok(()),
        (FaultKind::Refused, _) => wrong(format!(
            "must be one of {}",
            codes_of(&rule.route).join(", ")
        )),
        (_, Some(_)) => wrong("only comes with the kind refused".to_owned()),
        (_, None) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(route: &str, kind: FaultKind, rate: f64) -> FaultRule {
        FaultRule {
            route: route.into(),
            kind,
            rate,
            count: None,
            seed: Some(7),
            delay_ms: None,
            seconds: None,
            code: None,
        }
    }

    fn with_code(route: &str, kind: FaultKind, code: &str) -> FaultRule {
        FaultRule {
            code: Some(code.into()),
            ..rule(route, kind, 1.0)
        }
    }

    fn drawn(faults: &Faults, route: &str, times: usize) -> Vec<bool> {
        (0..times)
            .map(|_| faults.draw(route) != CallFaults::default())
            .collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_at_about_the_rate() {
        let faults = Faults::default();
        let rules = vec![rule("order", FaultKind::ErrorBefore, 0.25)];
        faults.replace(rules.clone()).unwrap();
        let first = drawn(&faults, "order", 4000);
        faults.replace(rules).unwrap();
        assert_eq!(drawn(&faults, "order", 4000), first);
        let struck = first.iter().filter(|hit| **hit).count();
        assert!((900..1100).contains(&struck), "{struck}");
    }

    #[test]
    fn a_rule_applies_to_its_route_and_up_to_its_count() {
        let faults = Faults::default();
        let mut twice = rule("*", FaultKind::WrongSignature, 1.0);
        twice.count = Some(2);
        faults
            .replace(vec![rule("close", FaultKind::CloseLies, 1.0), twice])
            .unwrap();
        assert_eq!(drawn(&faults, "query", 3), [true, true, false]);
        assert!(faults.draw("close").has(FaultKind::CloseLies));
        assert_eq!(faults.rules()[1].1, 2);
        faults.replace(Vec::new()).unwrap();
        assert_eq!(drawn(&faults, "close", 1), [false]);
    }

    #[test]
    fn an_impossible_rule_is_refused_and_changes_nothing() {
        let faults = Faults::default();
        faults
            .replace(vec![rule("order", FaultKind::Latency, 0.5)])
            .unwrap();
        for (wrong, field) in [
            (rule("orders", FaultKind::Latency, 1.0), "route"),
            (rule("order", FaultKind::Latency, 1.1), "rate"),
            (rule("order", FaultKind::Latency, f64::NAN), "rate"),
            (rule("order", FaultKind::Dropped, 1.0), "kind"),
            (rule(NOTIFICATION, FaultKind::Accepted, 1.0), "kind"),
            (rule("order", FaultKind::Refused, 1.0), "code"),
            (with_code("order", FaultKind::Refused, "NOT_ENOUGH"), "code"),
            (with_code("order", FaultKind::Latency, "NO_AUTH"), "code"),
        ] {
            assert_eq!(faults.replace(vec![wrong]).unwrap_err().field, field);
        }
        assert_eq!(faults.rules().len(), 1);
    }
}
