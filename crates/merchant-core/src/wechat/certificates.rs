//! WeChat's platform certificates. They are downloaded on a schedule, and when a message names an
//! unknown serial number. No certificate is trusted before the whole answer was verified.

use std::sync::atomic::Ordering;

use wechat_pay::{ApiV3Key, CertificatesError, Operation};

use super::call_error::CallError;
use super::client::WechatClient;
use super::trust::Trust;

/// Time between two downloads on schedule, in milliseconds. WeChat asks for less than 12 hours; a
/// new certificate signs no earlier than that after it is handed out.
const SCHEDULE_MS: i64 = 11 * 3_600_000;
/// The time to the next download after a failure, in milliseconds.
const AFTER_FAILURE_MS: i64 = 600_000;
/// The shortest time between two downloads, in milliseconds.
const FLOOR_MS: i64 = 60_000;

/// Why a download failed. The trusted keys are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// There was no answer; the reason.
    #[error("{0}")]
    Call(String),
    /// The answer could not be verified or used.
    #[error(transparent)]
    Certificates(#[from] CertificatesError),
}

impl From<CallError> for RefreshError {
    fn from(error: CallError) -> Self {
        Self::Call(error.to_string())
    }
}

/// The result of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// The downloaded certificates are trusted now.
    Taken,
    /// This merchant has none: WeChat signs with its public key alone.
    PublicKeyOnly,
    /// The configuration has no APIv3 key, so there is nothing to fetch.
    NotNeeded,
    /// There was a download within the last minute.
    TooSoon,
}

impl WechatClient {
    /// Downloads the certificates because of an unknown serial number, unless that was done a
    /// moment ago. Returns whether the serial number is known now.
    pub(crate) async fn learn_serial(&self, serial: &str) -> bool {
        let known = |trust: &Trust| trust.keys().get(serial).is_some();
        match self.refresh_trust().await {
            Ok(Refreshed::Taken | Refreshed::TooSoon) => known(&self.trust),
            Ok(Refreshed::PublicKeyOnly | Refreshed::NotNeeded) => false,
            Err(error) => {
                tracing::warn!(event = "certificates.unavailable", %error, "a serial is unknown, and no certificates came");
                false
            }
        }
    }

    /// Fetches the platform certificates, if that is due.
    pub(crate) async fn refresh_trust_if_due(&self) -> Result<Option<Refreshed>, RefreshError> {
        if self.certificates_wait_ms() > 0 {
            return Ok(None);
        }
        self.refresh_trust().await.map(Some)
    }

    /// The time in milliseconds until [`WechatClient::refresh_trust_if_due`] has something to do; 0
    /// or less means now.
    pub(crate) fn certificates_wait_ms(&self) -> i64 {
        let due_ms = self.trust.due_ms.load(Ordering::Relaxed);
        due_ms.saturating_sub(self.clock.monotonic_ms())
    }

    /// Fetches the platform certificates, one at a time.
    pub(crate) async fn refresh_trust(&self) -> Result<Refreshed, RefreshError> {
        let trust = &self.trust;
        let Some(api_v3_key) = &self.merchant.api_v3_key else {
            // A reload may bring a key.
            let now_ms = self.clock.monotonic_ms();
            trust
                .due_ms
                .store(now_ms + AFTER_FAILURE_MS, Ordering::Relaxed);
            return Ok(Refreshed::NotNeeded);
        };
        let seen = trust.generation();
        let _one_at_a_time = trust.downloading.lock().await;
        if trust.generation() != seen {
            // Another caller's download ended while this caller waited: its result counts.
            return Ok(Refreshed::Taken);
        }
        let now_ms = self.clock.monotonic_ms();
        let last_ms = trust.last_try_ms.load(Ordering::Relaxed);
        if now_ms < last_ms.saturating_add(FLOOR_MS) {
            return Ok(Refreshed::TooSoon);
        }
        trust.last_try_ms.store(now_ms, Ordering::Relaxed);
        let refreshed = self.download(api_v3_key).await;
        let next_ms = match &refreshed {
            Ok(_) => now_ms + SCHEDULE_MS,
            Err(_) => now_ms + AFTER_FAILURE_MS,
        };
        trust.due_ms.store(next_ms, Ordering::Relaxed);
        refreshed
    }

    async fn download(&self, api_v3_key: &ApiV3Key) -> Result<Refreshed, RefreshError> {
        let reply = self.ask_for_certificates().await?;
        let keys = self.trust.keys();
        match keys.refreshed(reply, api_v3_key, self.now_s()) {
            Ok(new) => {
                let added: Vec<_> = new
                    .serials()
                    .filter(|serial| keys.get(serial).is_none())
                    .map(str::to_owned)
                    .collect();
                if !added.is_empty() {
                    tracing::info!(
                        event = "certificates.new",
                        ?added,
                        "new certificates of WeChat's are trusted"
                    );
                }
                self.trust.replace(&keys, new);
                self.count_download("ok");
                Ok(Refreshed::Taken)
            }
            Err(error) if error.is_public_key_only() => {
                self.count_download("ok");
                Ok(Refreshed::PublicKeyOnly)
            }
            Err(error) => {
                self.count_download("disbelieved");
                Err(error.into())
            }
        }
    }

    fn count_download(&self, outcome: &'static str) {
        self.experience
            .calls
            .count(Operation::Certificates, outcome);
    }
}
