//! The simulator's state: clock, keys, ledger, outgoing requests. Pages and routes are thin shells
//! around it; tests can use it without them.

mod cashier;
mod signers;
mod trust;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
pub(crate) use cashier::{Buyer, H5_PATH};
use jiff::Timestamp;
use tokio::sync::Notify;
pub(crate) use trust::Signing;
use wechat_pay::{is_loopback_host, lower_hex};

use crate::clock::Clock;
use crate::faults::Faults;
use crate::keyring::Keyring;
use crate::ledger::document::StoredDocument;
use crate::ledger::sharing::ShareResults;
use crate::ledger::{Ledger, LedgerView};
use crate::outgoing::Outgoing;
use crate::random::Random;
use crate::settings::Settings;
use crate::store::{StateError, Store};

/// The parts of a simulator.
#[derive(Debug)]
pub struct SimulatorParts {
    /// The clock.
    pub clock: Clock,
    /// The source of randomness.
    pub random: Random,
    /// The keys of both sides, with the simulator's address.
    pub keyring: Keyring,
    /// The merchant's registered domains for H5 and OAuth; this machine is always allowed.
    pub domains: BTreeSet<String>,
    /// The sender of notifications.
    pub notifications: Outgoing,
}

impl SimulatorParts {
    /// The machine's clock and randomness, and no registered domain.
    #[must_use]
    pub fn new(keyring: Keyring, notifications: Outgoing) -> Self {
        Self {
            clock: Clock::system(),
            random: Random::system(),
            keyring,
            domains: BTreeSet::new(),
            notifications,
        }
    }
}

/// Optional parts of a simulator.
#[derive(Debug, Default)]
pub struct SimulatorOptions {
    /// The settings.
    pub settings: Settings,
    /// More merchants in addition to that of [`SimulatorParts::keyring`].
    pub more_merchants: Vec<Keyring>,
}

/// WeChat Pay. Clones are the same simulator.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

struct Inner {
    clock: Clock,
    random: Random,
    /// At least one; the first is the default.
    keyrings: Vec<Arc<Keyring>>,
    domains: BTreeSet<String>,
    notifications: Outgoing,
    settings: RwLock<Arc<Settings>>,
    faults: Faults,
    ledger: Mutex<Ledger>,
    signers: signers::Signers,
    store: Option<Store>,
    /// One writer at a time, so that an earlier state never overwrites a later one.
    writing: tokio::sync::Mutex<()>,
    work_arrived: Notify,
}

/// The number of sub-merchants of each partner.
pub const SUB_MERCHANTS: u8 = 2;

/// A sub-merchant of a partner.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SubMerchant {
    /// Its merchant number.
    pub sub_mchid: String,
    /// Its application.
    pub sub_appid: String,
}

impl Simulator {
    /// A simulator with an empty ledger, in memory, with the default settings except one: it
    /// accepts unknown openids, for tests.
    #[must_use]
    pub fn new(parts: SimulatorParts) -> Self {
        let options = SimulatorOptions {
            settings: Settings {
                unknown_openids: true,
                ..Settings::default()
            },
            ..SimulatorOptions::default()
        };
        Self::with_options(parts, options)
    }

    /// A simulator with an empty ledger, in memory.
    #[must_use]
    pub fn with_options(parts: SimulatorParts, options: SimulatorOptions) -> Self {
        Self::assemble(parts, options, Ledger::default(), None)
    }

    /// A simulator with the state of a file, in which it saves its changes.
    pub async fn open(
        parts: SimulatorParts,
        options: SimulatorOptions,
        path: &Path,
    ) -> Result<Self, StateError> {
        let (store, kept) = Store::open(path).await?;
        let ledger = Ledger::restore(&kept).map_err(StateError::Document)?;
        parts.clock.start_at_advance(ledger.advanced_s());
        Ok(Self::assemble(parts, options, ledger, Some(store)))
    }

    fn assemble(
        parts: SimulatorParts,
        options: SimulatorOptions,
        ledger: Ledger,
        store: Option<Store>,
    ) -> Self {
        let mut keyrings = vec![Arc::new(parts.keyring)];
        keyrings.extend(options.more_merchants.into_iter().map(Arc::new));
        Self(Arc::new(Inner {
            clock: parts.clock,
            random: parts.random,
            keyrings,
            domains: parts.domains,
            notifications: parts.notifications,
            settings: RwLock::new(Arc::new(options.settings)),
            faults: Faults::default(),
            ledger: Mutex::new(ledger),
            signers: signers::Signers::default(),
            store,
            writing: tokio::sync::Mutex::default(),
            work_arrived: Notify::new(),
        }))
    }

    /// When the next work is due by WeChat's time, if there is any.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.ledger().next_due()
    }

    /// Resolves once there may be new work: after a payment, or after time was advanced.
    pub async fn work_arrived(&self) {
        self.0.work_arrived.notified().await;
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The first merchant's keys.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        // `assemble` always adds a first one.
        &self.0.keyrings[0]
    }

    /// The current settings.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        let settings = self.0.settings.read();
        settings.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the settings.
    pub fn set_settings(&self, settings: Settings) {
        let held = self.0.settings.write();
        *held.unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// The ledger for people and tests, of one merchant or of all.
    #[must_use]
    pub fn ledger_view(&self, mchid: Option<&str>) -> LedgerView {
        self.settle_transfers();
        self.ledger().view(mchid, self.clock().now())
    }

    /// The first buyer's openid under an application, always the same.
    #[must_use]
    pub fn openid(&self, appid: &str) -> String {
        self.openid_of(1, appid)
    }

    /// The openid of a buyer, counted from 1, under an application.
    #[must_use]
    pub fn openid_of(&self, payer: u8, appid: &str) -> String {
        let mchid = &self.keyring().merchant().mchid;
        let named = match payer {
            0 | 1 => format!("buyer\n{mchid}\n{appid}"),
            _ => format!("buyer {payer}\n{mchid}\n{appid}"),
        };
        let mut openid = format!("o{}", URL_SAFE_NO_PAD.encode(hash(&named)));
        openid.truncate(28);
        openid
    }

    /// The first sub-merchant of this partner, always the same.
    #[must_use]
    pub fn sub_merchant(&self, mchid: &str) -> SubMerchant {
        self.sub_merchant_of(1, mchid)
    }

    /// A sub-merchant of this partner, counted from 1 to [`SUB_MERCHANTS`].
    #[must_use]
    pub fn sub_merchant_of(&self, place: u8, mchid: &str) -> SubMerchant {
        let hash = match place {
            0 | 1 => hash(&format!("sub\n{mchid}")),
            _ => hash(&format!("sub {place}\n{mchid}")),
        };
        let digits: String = hash
            .iter()
            .take(8)
            .map(|b| char::from(b'0' + b % 10))
            .collect();
        let hex = lower_hex(hash.get(8..16).unwrap_or_default());
        SubMerchant {
            sub_mchid: format!("16{digits}"),
            sub_appid: format!("wx{hex}"),
        }
    }

    /// All sub-merchants of this partner.
    pub(crate) fn sub_merchants(&self, mchid: &str) -> impl Iterator<Item = SubMerchant> {
        (1..=SUB_MERCHANTS).map(move |place| self.sub_merchant_of(place, mchid))
    }

    pub(crate) fn keyrings(&self) -> &[Arc<Keyring>] {
        &self.0.keyrings
    }

    pub(crate) fn keyring_of(&self, mchid: &str) -> Option<Arc<Keyring>> {
        let mut keyrings = self.0.keyrings.iter();
        keyrings
            .find(|keyring| keyring.merchant().mchid == mchid)
            .cloned()
    }

    pub(crate) fn random(&self) -> &Random {
        &self.0.random
    }

    pub(crate) fn notifications(&self) -> &Outgoing {
        &self.0.notifications
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.0.faults
    }

    // After a panic elsewhere the data is still consistent.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wake(&self) {
        self.0.work_arrived.notify_one();
    }

    /// Applies due results of refunds, shares and returns.
    pub(crate) fn settle_transfers(&self) {
        let settings = self.settings();
        let name = || self.random().notification_id();
        let now = self.clock().now();
        let merchants = self.keyrings().iter();
        let merchants: Vec<String> = merchants
            .map(|keyring| keyring.merchant().mchid.clone())
            .collect();
        let results = ShareResults {
            outcome: settings.share_outcome,
            notify_url: &settings.share_notify_url,
            merchants: &merchants,
        };
        let mut ledger = self.ledger();
        ledger.settle_refunds(&settings.portal_notify_url, name, now);
        ledger.settle_shares(&results, name, now);
    }

    /// Whether this host is a registered domain or this machine.
    pub(crate) fn is_registered_host(&self, host: &str) -> bool {
        is_loopback_host(host) || self.0.domains.contains(&host.to_ascii_lowercase())
    }

    /// Saves the changes, if there is a file.
    pub(crate) async fn persist(&self) -> Result<(), StateError> {
        let Some(store) = &self.0.store else {
            self.ledger().forget_changes();
            return Ok(());
        };
        let _turn = self.0.writing.lock().await;
        let advanced_s = self.clock().advanced_s();
        let changes = {
            let mut ledger = self.ledger();
            ledger.note_advanced_s(advanced_s);
            ledger.take_changes()
        };
        if changes.is_empty() {
            return Ok(());
        }
        // Dropped before the lock: the next caller finds the unsaved changes.
        let mut unsaved = UnsavedChanges {
            simulator: self,
            changes,
            is_saved: false,
        };
        let saved = store.save(&unsaved.changes).await;
        unsaved.is_saved = saved.is_ok();
        saved
    }
}

/// Changes that are being saved. If the caller is cancelled, they are marked as changed again.
struct UnsavedChanges<'a> {
    simulator: &'a Simulator,
    changes: Vec<StoredDocument>,
    is_saved: bool,
}

impl Drop for UnsavedChanges<'_> {
    fn drop(&mut self) {
        if !self.is_saved {
            self.simulator.ledger().mark_changed(&self.changes);
        }
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("clock", &self.0.clock)
            .field("keyrings", &self.0.keyrings)
            .finish_non_exhaustive()
    }
}

fn hash(text: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, text.as_bytes())
        .as_ref()
        .to_vec()
}
