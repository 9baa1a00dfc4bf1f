//! Whom we believe, as it changes while the server runs: the keys of the configuration, and the
//! platform certificates that WeChat hands out.
//!
//! Certificates are fetched on a schedule and where something comes from a serial that nobody
//! knows; by one at a time, and not again within a minute: strangers can name serials, too. A set
//! is replaced as a whole, once the new one is verified ([`TrustedKeys::refreshed`]); until then,
//! and after every failure, the old one holds.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex as AsyncMutex;
use wechat_pay::{CertificatesError, Operation, TrustedKeys};

use super::call_budget::CallBudget;
use super::{CallError, WechatClient};
use crate::config::Config;

/// Time between two downloads on schedule, in milliseconds. WeChat asks for less than 12 hours; a
/// new certificate signs no earlier than that after it is handed out.
const SCHEDULE_MS: i64 = 11 * 3_600_000;
/// The same after a failure.
const AFTER_FAILURE_MS: i64 = 600_000;
/// Two downloads are at least so far apart, whoever wants them, in milliseconds.
const FLOOR_MS: i64 = 60_000;

/// The keys that are trusted now. It outlives a new configuration.
#[derive(Debug)]
pub(crate) struct Trust {
    keys: RwLock<Arc<TrustedKeys>>,
    /// Held while a download is under way: whoever else wants one waits for this one.
    downloading: AsyncMutex<()>,
    /// Grows with every set that was taken.
    generation: AtomicU64,
    /// Both on the monotonic clock.
    last_try_ms: AtomicI64,
    due_ms: AtomicI64,
}

/// Why no certificates came. What was trusted before still is.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The answer did not come; why.
    #[error("{0}")]
    Call(String),
    /// The answer is not believed or cannot be used.
    #[error(transparent)]
    Certificates(#[from] CertificatesError),
}

impl From<CallError> for RefreshError {
    fn from(error: CallError) -> Self {
        Self::Call(error.to_string())
    }
}

/// What a download came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// The certificates that WeChat hands out are trusted now.
    Taken,
    /// This merchant has none: WeChat signs with its public key alone.
    PublicKeyOnly,
    /// There was a download within the last minute.
    TooSoon,
}

impl Trust {
    /// Trusts the keys of the configuration; the first download is due at once.
    pub(super) fn new(keys: TrustedKeys) -> Self {
        Self {
            keys: RwLock::new(Arc::new(keys)),
            downloading: AsyncMutex::default(),
            generation: AtomicU64::new(0),
            last_try_ms: AtomicI64::new(i64::MIN),
            due_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// The keys that are trusted now.
    pub(crate) fn keys(&self) -> Arc<TrustedKeys> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A new configuration: trusts the keys that it names, and no more those that only the old one
    /// named; the same with issuers. What was downloaded stays.
    fn reconfigure(&self, old: &TrustedKeys, new: &TrustedKeys) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = TrustedKeys::clone(&keys);
        for serial in old.serials().filter(|serial| new.get(serial).is_none()) {
            tracing::warn!(
                event = "trusted_key.removed",
                serial,
                "a key of WeChat's is trusted no more: the new configuration does not name it"
            );
            next.forget(serial);
        }
        next.forget_issuers();
        *keys = Arc::new(next.joined(new));
    }

    /// Puts `new`, which was made from `old`, in its place. Where a new configuration came
    /// meanwhile, its keys stay.
    fn replace(&self, old: &Arc<TrustedKeys>, new: TrustedKeys) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let new = if Arc::ptr_eq(&keys, old) {
            new
        } else {
            keys.joined(&new)
        };
        *keys = Arc::new(new);
        self.generation.fetch_add(1, Ordering::Release);
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

impl WechatClient {
    /// The same client under a new configuration: what it has learnt stays.
    pub(crate) fn reconfigured(&self, config: &Config) -> Self {
        self.trust
            .reconfigure(&self.merchant.trusted_keys, &config.merchant.trusted_keys);
        let calls_per_second = config.gateway.calls_per_second;
        let budget = if self.budget.calls_per_second() == calls_per_second {
            self.budget.clone()
        } else {
            Arc::new(CallBudget::new(calls_per_second, self.clock.monotonic_ms()))
        };
        Self {
            transport: self.transport.clone(),
            clock: self.clock.clone(),
            randomness: self.randomness.clone(),
            gateway: config.gateway.clone(),
            merchant: config.merchant.clone(),
            trust: self.trust.clone(),
            experience: self.experience.clone(),
            budget,
        }
    }

    /// Something came from a serial that nobody knows: fetches the certificates, unless that was
    /// done a moment ago. Says whether the serial is known now.
    pub(crate) async fn learn_serial(&self, serial: &str) -> bool {
        let known = |trust: &Trust| trust.keys().get(serial).is_some();
        match self.refresh_trust().await {
            Ok(Refreshed::Taken | Refreshed::TooSoon) => known(&self.trust),
            Ok(Refreshed::PublicKeyOnly) => false,
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

    /// In how many milliseconds [`WechatClient::refresh_trust_if_due`] has something to do; 0 or
    /// less: now.
    pub(crate) fn certificates_wait_ms(&self) -> i64 {
        let due_ms = self.trust.due_ms.load(Ordering::Relaxed);
        due_ms.saturating_sub(self.clock.monotonic_ms())
    }

    /// Fetches the platform certificates, one at a time.
    pub(crate) async fn refresh_trust(&self) -> Result<Refreshed, RefreshError> {
        let trust = &self.trust;
        let seen = trust.generation();
        let _one_at_a_time = trust.downloading.lock().await;
        if trust.generation() != seen {
            // Somebody else's download ended while we waited: it is ours, too.
            return Ok(Refreshed::Taken);
        }
        let now_ms = self.clock.monotonic_ms();
        let last_ms = trust.last_try_ms.load(Ordering::Relaxed);
        if now_ms < last_ms.saturating_add(FLOOR_MS) {
            return Ok(Refreshed::TooSoon);
        }
        trust.last_try_ms.store(now_ms, Ordering::Relaxed);
        let refreshed = self.download().await;
        let next_ms = match &refreshed {
            Ok(_) => now_ms + SCHEDULE_MS,
            Err(_) => now_ms + AFTER_FAILURE_MS,
        };
        trust.due_ms.store(next_ms, Ordering::Relaxed);
        refreshed
    }

    async fn download(&self) -> Result<Refreshed, RefreshError> {
        let reply = self.ask_for_certificates().await?;
        let keys = self.trust.keys();
        match keys.refreshed(reply, &self.merchant.api_v3_key, self.now_s()) {
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
