//! The answers about its order that a device received, by any kind of request. A later answer must
//! not fall behind an earlier answer.

use std::sync::Mutex;

use serde_json::Value;

/// Everything that a device has received.
#[derive(Default)]
pub(super) struct Seen(Mutex<Facts>);

#[derive(Clone, Default)]
struct Facts {
    floor: Floor,
    attempt: u64,
    out_trade_no: String,
    answers: u64,
    cancels_under_way: u32,
}

/// The floor of a request: an answer to a request that is sent now must not fall behind it.
#[derive(Clone, Copy, Default)]
pub(super) struct Floor {
    version: u64,
    is_paid: bool,
}

impl Seen {
    pub(super) fn floor(&self) -> Floor {
        self.0.lock().unwrap().floor
    }

    /// The attempt that was seen last.
    pub(super) fn attempt(&self) -> u64 {
        self.0.lock().unwrap().attempt
    }

    pub(super) fn out_trade_no(&self) -> String {
        self.0.lock().unwrap().out_trade_no.clone()
    }

    /// How many answers the device has received.
    pub(super) fn answers(&self) -> u64 {
        self.0.lock().unwrap().answers
    }

    pub(super) fn is_cancelling(&self) -> bool {
        self.0.lock().unwrap().cancels_under_way > 0
    }

    pub(super) fn begins_to_cancel(&self) {
        self.0.lock().unwrap().cancels_under_way += 1;
    }

    pub(super) fn ends_to_cancel(&self) {
        self.0.lock().unwrap().cancels_under_way -= 1;
    }

    /// Records an answer of the merchant API to a request that was sent above this floor. Returns
    /// what is wrong with the answer.
    pub(super) fn learn(&self, answer: &Value, floor: Floor, total_fen: u64) -> Option<String> {
        let version = answer["version"].as_u64().unwrap_or(0);
        let attempt = answer["attempt"].as_u64().unwrap_or(0);
        let mut facts = self.0.lock().unwrap();
        if version >= facts.floor.version {
            facts.learn_attempt(attempt, answer["out_trade_no"].as_str());
        }
        facts.floor.version = version.max(facts.floor.version);
        drop(facts);
        if version < floor.version {
            return Some(format!("version {version} came after {}", floor.version));
        }
        if answer["total_fen"] != total_fen {
            return Some(format!("the page shows {} fen", answer["total_fen"]));
        }
        self.learn_state(answer, floor)
    }

    /// Records an answer of the private API, whose answers have no version.
    pub(super) fn learn_from_backend(&self, answer: &Value, floor: Floor) -> Option<String> {
        let attempt = &answer["attempt"];
        if let Some(number) = attempt["number"].as_u64() {
            let mut facts = self.0.lock().unwrap();
            facts.learn_attempt(number, attempt["out_trade_no"].as_str());
        }
        self.learn_state(answer, floor)
    }

    fn learn_state(&self, answer: &Value, floor: Floor) -> Option<String> {
        let state = &answer["state"];
        let mut facts = self.0.lock().unwrap();
        facts.answers += 1;
        facts.floor.is_paid |= state == "paid";
        (floor.is_paid && state != "paid").then(|| format!("it was paid and is {state} now"))
    }
}

impl Facts {
    fn learn_attempt(&mut self, number: u64, out_trade_no: Option<&str>) {
        self.attempt = number;
        if let Some(out_trade_no) = out_trade_no {
            out_trade_no.clone_into(&mut self.out_trade_no);
        }
    }
}
