//! The access tokens of mini-programs, in memory: WeChat gives a valid one again to whoever asks. This
//! module asks nobody.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The tokens of this process, by appid.
#[derive(Default)]
pub(crate) struct AccessTokens(Mutex<BTreeMap<String, AccessToken>>);

/// A token of one application. No part of it belongs in a log.
#[derive(Clone)]
pub(super) struct AccessToken {
    pub(super) text: String,
    /// On the monotonic clock.
    pub(super) until_ms: i64,
}

impl AccessTokens {
    /// The token, unless it ends soon.
    pub(super) fn valid(&self, appid: &str, now_ms: i64) -> Option<String> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let token = tokens.get(appid)?;
        (now_ms < token.until_ms).then(|| token.text.clone())
    }

    /// Replaces the token.
    pub(super) fn keep(&self, appid: &str, token: AccessToken) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(appid.to_owned(), token);
    }

    /// WeChat takes the token no longer.
    pub(super) fn forget(&self, appid: &str) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.remove(appid);
    }
}
