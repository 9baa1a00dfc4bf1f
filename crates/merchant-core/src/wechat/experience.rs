//! What the client has learnt since its start: an unreachable host, operations that must pause,
//! merchant keys that WeChat refuses, counts of calls. It survives a reload of the configuration.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use wechat_pay::Operation;

use super::counts::WechatCalls;

/// How long the second host is tried first after the first one could not be reached, in
/// milliseconds, so that buyers do not wait for its connect timeout again and again.
const HOST_ASIDE_MS: i64 = 60_000;
/// How long a merchant key is not used after WeChat refused its certificate, in milliseconds.
const KEY_ASIDE_MS: i64 = 3_600_000;

/// The client's experience. All times are those of the monotonic clock, in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Experience {
    pub(crate) calls: WechatCalls,
    first_host_aside_until_ms: AtomicI64,
    pauses: Mutex<HashMap<Operation, i64>>,
    refused_serials: Mutex<BTreeMap<String, i64>>,
}

impl Experience {
    /// Whether the second host is to be tried first.
    pub(super) fn is_first_host_aside(&self, now_ms: i64) -> bool {
        now_ms < self.first_host_aside_until_ms.load(Ordering::Relaxed)
    }

    /// Records that the first host could not be reached.
    pub(super) fn leave_first_host_aside(&self, now_ms: i64) {
        self.first_host_aside_until_ms
            .store(now_ms + HOST_ASIDE_MS, Ordering::Relaxed);
    }

    /// Until when an operation pauses, if it does.
    pub(super) fn pause(&self, operation: Operation, now_ms: i64) -> Option<i64> {
        let pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses
            .get(&operation)
            .copied()
            .filter(|until_ms| now_ms < *until_ms)
    }

    /// Records that an operation must pause.
    pub(super) fn pause_until(&self, operation: Operation, until_ms: i64) {
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        let known = pauses.entry(operation).or_insert(until_ms);
        *known = until_ms.max(*known);
    }

    /// Whether WeChat refused the certificate of this serial a while ago.
    pub(super) fn is_refused(&self, serial_no: &str, now_ms: i64) -> bool {
        let refused = self
            .refused_serials
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        refused
            .get(serial_no)
            .is_some_and(|until_ms| now_ms < *until_ms)
    }

    /// WeChat refused the certificate of this serial. The serial is one of ours: the map cannot
    /// grow.
    pub(super) fn refuse(&self, serial_no: &str, now_ms: i64) {
        let mut refused = self
            .refused_serials
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        refused.insert(serial_no.to_owned(), now_ms + KEY_ASIDE_MS);
    }
}
