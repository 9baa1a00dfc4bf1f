//! The request id, which connects the log lines of this server, of a proxy and of a backend. The id
//! is not a secret.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName};

/// The header that a caller may send, and that the answer repeats.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Makes ids for requests without an id: the time of the start, and a count.
#[derive(Debug)]
pub(crate) struct RequestIds {
    started_ms: i64,
    count: AtomicU64,
}

impl RequestIds {
    /// Starts the request ids of a server that starts now.
    pub(crate) const fn new(started_ms: i64) -> Self {
        Self {
            started_ms,
            count: AtomicU64::new(0),
        }
    }

    /// The caller's own id for the request, if it can be logged, or a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> String {
        let theirs = headers
            .get(REQUEST_ID)
            .and_then(|value| value.to_str().ok());
        match theirs.filter(|id| is_plain(id)) {
            Some(id) => id.to_owned(),
            None => {
                let count = self.count.fetch_add(1, Ordering::Relaxed);
                format!("{:x}-{count:x}", self.started_ms)
            }
        }
    }
}

fn is_plain(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
