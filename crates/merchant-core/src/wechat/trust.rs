//! The trusted keys while the server runs: the keys of the configuration, and the platform
//! certificates that WeChat provides.
//!
//! Certificates are downloaded on a schedule and for an unknown serial number; one download at a
//! time, and at most one a minute, because strangers can send serial numbers, too. The set is
//! replaced as a whole once the new one is verified ([`TrustedKeys::refreshed`]); until then, and
//! after every failure, the old set is used.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex as AsyncMutex;
use wechat_pay::TrustedKeys;

/// The keys that are trusted now. They survive a reload of the configuration.
#[derive(Debug)]
pub(crate) struct Trust {
    keys: RwLock<Arc<TrustedKeys>>,
    /// Held during a download: other callers wait for it.
    pub(super) downloading: AsyncMutex<()>,
    /// Incremented with every new set.
    generation: AtomicU64,
    /// Both on the monotonic clock.
    pub(super) last_try_ms: AtomicI64,
    pub(super) due_ms: AtomicI64,
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

    /// Applies a new configuration: trusts the keys that it names, and stops trusting keys that
    /// only the old one named. The same holds for issuers. Downloaded certificates stay trusted.
    pub(super) fn reconfigure(&self, old: &TrustedKeys, new: &TrustedKeys) {
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

    /// Replaces `old` by `new`. If the configuration was reloaded meanwhile, its keys stay.
    pub(super) fn replace(&self, old: &Arc<TrustedKeys>, new: TrustedKeys) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let new = if Arc::ptr_eq(&keys, old) {
            new
        } else {
            keys.joined(&new)
        };
        *keys = Arc::new(new);
        self.generation.fetch_add(1, Ordering::Release);
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}
