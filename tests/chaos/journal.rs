//! The journal of each order's events, so that a finding comes with its story, and the faults that
//! were found during the chaos run.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

/// Everything that the chaos run did and saw.
#[derive(Default)]
pub(crate) struct Journal {
    events: Mutex<BTreeMap<String, Vec<(i64, String)>>>,
    findings: Mutex<Vec<Finding>>,
}

/// One fault that the chaos run has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) kind: FindingKind,
    /// The order that the fault concerns, if any.
    pub(crate) order_no: String,
    /// The fault in one sentence.
    pub(crate) what: String,
}

/// The three numbers of the last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FindingKind {
    /// Money, an order or a message is missing.
    Lost,
    /// A duplicate payment that was not refunded, an order fulfilled twice, a refund made twice.
    Duplicated,
    /// Any other difference between the ledgers, the pages and the messages.
    Wrong,
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "lost",
            Self::Duplicated => "duplicated",
            Self::Wrong => "wrong",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.kind, self.order_no, self.what)
    }
}

impl Journal {
    /// Records an event of an order.
    pub(crate) fn note(&self, now_ms: i64, order_no: &str, what: impl Into<String>) {
        let mut events = self.events.lock().unwrap();
        let events = events.entry(order_no.to_owned()).or_default();
        events.push((now_ms, what.into()));
    }

    /// Records a fault that was seen during the chaos run.
    pub(crate) fn report_wrong(&self, now_ms: i64, order_no: &str, what: impl Into<String>) {
        let what = what.into();
        self.note(now_ms, order_no, format!("WRONG: {what}"));
        self.findings.lock().unwrap().push(Finding {
            kind: FindingKind::Wrong,
            order_no: order_no.to_owned(),
            what,
        });
    }

    /// The faults that were found during the chaos run.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.findings.lock().unwrap().clone()
    }

    /// All stories, one after the other.
    pub(crate) fn all_stories(&self) -> String {
        let order_nos: Vec<_> = self.events.lock().unwrap().keys().cloned().collect();
        let story = |order_no: &String| {
            let lines = self.story(order_no).join("\n    ");
            format!("{order_no}\n    {lines}\n")
        };
        order_nos.iter().map(story).collect()
    }

    /// An order's story, a line for each event, by the time since its first one.
    pub(crate) fn story(&self, order_no: &str) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let events = events.get(order_no).cloned().unwrap_or_default();
        let first_ms = events.first().map_or(0, |(at_ms, _)| *at_ms);
        let line = |(at_ms, what): &(i64, String)| {
            let since_ms = at_ms - first_ms;
            format!(
                "{at_ms} +{}.{:03} s  {what}",
                since_ms / 1000,
                since_ms % 1000
            )
        };
        events.iter().map(line).collect()
    }
}
