//! The simulator as one value: clock, keys, ledger, and the way out. Every page and route is a
//! thin shell around it, and a test drives it without any of them.

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

use crate::clock::Clock;
use crate::faults::Faults;
use crate::keyring::Keyring;
use crate::ledger::document::Kept;
use crate::ledger::{Ledger, LedgerView};
use crate::outgoing::{Outgoing, is_loopback_host};
use crate::random::{Random, lower_hex};
use crate::settings::Settings;
use crate::store::{StateError, Store};

/// What a simulator is made of.
#[derive(Debug)]
pub struct SimulatorParts {
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// The keys of both sides, with the address that merchants are told.
    pub keyring: Keyring,
    /// Domains that the merchant has registered for H5 and OAuth; this machine always is.
    pub domains: BTreeSet<String>,
    /// The way that notifications go.
    pub notifications: Outgoing,
}

/// What a simulator can have besides.
#[derive(Debug, Default)]
pub struct SimulatorOptions {
    /// The switches.
    pub settings: Settings,
    /// Merchants besides the one of [`SimulatorParts::keyring`].
    pub more_merchants: Vec<Keyring>,
}

/// WeChat Pay. Clones are the same simulator.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

struct Inner {
    clock: Clock,
    random: Random,
    /// At least one; the first is the one that is meant where none is named.
    keyrings: Vec<Arc<Keyring>>,
    domains: BTreeSet<String>,
    notifications: Outgoing,
    settings: RwLock<Arc<Settings>>,
    faults: Faults,
    ledger: Mutex<Ledger>,
    signers: signers::Signers,
    store: Option<Store>,
    /// One writer at a time, so that a later state is never overwritten by an earlier one.
    writing: tokio::sync::Mutex<()>,
    work_arrived: Notify,
}

/// How many merchants each partner acts for.
pub const SUB_MERCHANTS: u8 = 2;

/// Whom a partner acts for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SubMerchant {
    /// Its merchant number.
    pub sub_mchid: String,
    /// Its application.
    pub sub_appid: String,
}

impl Simulator {
    /// A simulator with an empty ledger, in memory, with the default switches but one: it takes
    /// openids that a test has made up.
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

    /// A simulator that goes on where the file says, and keeps all that happens in it.
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

    /// When the next work is due by WeChat's time, where there is any.
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

    /// The first merchant's keys, and what that merchant gets of them.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        // There always is a first: `assemble` puts it there.
        &self.0.keyrings[0]
    }

    /// The switches as they are now.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        let settings = self.0.settings.read();
        settings.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Turns switches, from now on.
    pub fn set_settings(&self, settings: Settings) {
        let held = self.0.settings.write();
        *held.unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// The ledger for people and tests; all merchants where none is named.
    #[must_use]
    pub fn ledger_view(&self, mchid: Option<&str>) -> LedgerView {
        self.settle_refunds();
        self.ledger().view(mchid, self.clock().now())
    }

    /// The first buyer's name under one application: always the same, and different for each.
    #[must_use]
    pub fn openid(&self, appid: &str) -> String {
        self.openid_of(1, appid)
    }

    /// The name of a buyer, counted from 1, under one application.
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

    /// The first of those whom this merchant acts for as a partner: always the same one.
    #[must_use]
    pub fn sub_merchant(&self, mchid: &str) -> SubMerchant {
        self.sub_merchant_of(1, mchid)
    }

    /// One of those whom this merchant acts for, counted from 1; there are
    /// [`SUB_MERCHANTS`] of them.
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

    /// All whom this merchant acts for.
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

    // A panic elsewhere leaves plain data behind, which is as good as before.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wake(&self) {
        self.0.work_arrived.notify_one();
    }

    /// Gives refunds the results that are due.
    pub(crate) fn settle_refunds(&self) {
        let settings = self.settings();
        let name = || self.random().notification_id();
        let now = self.clock().now();
        self.ledger()
            .settle_refunds(&settings.portal_notify_url, name, now);
    }

    /// Whether the merchant has registered the domain of this host, or it is this machine.
    pub(crate) fn is_registered_host(&self, host: &str) -> bool {
        is_loopback_host(host) || self.0.domains.contains(&host.to_ascii_lowercase())
    }

    /// Keeps what has changed, where there is a file for it.
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
        // Dropped before the lock is: whoever waits for it finds what was left undone.
        let mut taken = Taken {
            simulator: self,
            changes,
            are_kept: false,
        };
        let kept = store.keep(&taken.changes).await;
        taken.are_kept = kept.is_ok();
        kept
    }
}

/// Changes on their way into the file. A caller that goes away half-way, as one does that is
/// killed, must not take them along: they are still to be kept then.
struct Taken<'a> {
    simulator: &'a Simulator,
    changes: Vec<Kept>,
    are_kept: bool,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.are_kept {
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
