//! The simulator as one value: clock, keys, ledger, and the way out. Every page and route is a
//! thin shell around it, and a test drives it without any of them.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::digest;
use axum::Router;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use tokio::sync::Notify;
use wechat_pay::TradeState;

use crate::{
    clock::Clock,
    control, gateway,
    keyring::Keyring,
    ledger::{Ledger, LedgerView, Outcome, PayRefusal, Target},
    notifier, oauth,
    outgoing::{Outgoing, is_loopback_host},
    pages,
    random::Random,
};

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

/// WeChat Pay, for one merchant and one buyer. Clones are the same simulator.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

struct Inner {
    parts: SimulatorParts,
    ledger: Mutex<Ledger>,
    work_arrived: Notify,
}

/// What came of a visit to the cashier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visit {
    /// Where the order stands now.
    pub(crate) trade_state: TradeState,
    /// WeChat's number, where it was paid.
    pub(crate) transaction_id: Option<String>,
}

impl Simulator {
    /// A simulator with an empty ledger.
    #[must_use]
    pub fn new(parts: SimulatorParts) -> Self {
        Self(Arc::new(Inner {
            parts,
            ledger: Mutex::default(),
            work_arrived: Notify::new(),
        }))
    }

    /// Every route of WeChat's, the phone, and the control interface.
    pub fn app(&self) -> Router {
        Router::new()
            .merge(gateway::routes())
            .merge(oauth::routes())
            .merge(pages::routes())
            .merge(control::routes())
            .with_state(self.clone())
    }

    /// Makes every try of a notification that is due by now, and those that become due by their
    /// failing. When it returns, nothing of what it took is left undone.
    pub async fn run_due(&self) {
        notifier::run_due(self).await;
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
        &self.0.parts.clock
    }

    /// The keys, and what the merchant gets of them.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.0.parts.keyring
    }

    /// The ledger for people and tests; all merchants where none is named.
    #[must_use]
    pub fn ledger_view(&self, mchid: Option<&str>) -> LedgerView {
        self.ledger().view(mchid, self.clock().now())
    }

    /// The buyer's name under one application: always the same, and different for each.
    #[must_use]
    pub fn openid(&self, appid: &str) -> String {
        let named = format!("buyer\n{}\n{appid}", self.keyring().merchant().mchid);
        let hash = digest::digest(&digest::SHA256, named.as_bytes());
        let mut openid = format!("o{}", URL_SAFE_NO_PAD.encode(hash));
        openid.truncate(28);
        openid
    }

    pub(crate) fn random(&self) -> &Random {
        &self.0.parts.random
    }

    pub(crate) fn notifications(&self) -> &Outgoing {
        &self.0.parts.notifications
    }

    // A panic elsewhere leaves plain data behind, which is as good as before.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wake(&self) {
        self.0.work_arrived.notify_one();
    }

    /// Whether the merchant has registered the domain of this host, or it is this machine.
    pub(crate) fn is_registered_host(&self, host: &str) -> bool {
        is_loopback_host(host) || self.0.parts.domains.contains(&host.to_ascii_lowercase())
    }

    /// The buyer is in the cashier and does something. Without `openid` it is the buyer of the
    /// order, or this simulator's own.
    pub(crate) fn visit_cashier(
        &self,
        target: &Target,
        outcome: Outcome,
        openid: Option<&str>,
    ) -> Result<Visit, PayRefusal> {
        let now = self.clock().now();
        let mut ledger = self.ledger();
        let order = ledger.open_cashier(target, now)?;
        if outcome != Outcome::Success {
            return Ok(Visit {
                trade_state: order.trade_state(now),
                transaction_id: None,
            });
        }
        let openid = openid
            .map(str::to_owned)
            .or_else(|| order.request.openid.clone())
            .unwrap_or_else(|| self.openid(&order.request.appid));
        let transaction_id = self.random().transaction_id(now);
        let notice_id = self.random().notification_id();
        let order = ledger.pay(target, &openid, transaction_id, notice_id, now)?;
        let visit = Visit {
            trade_state: order.trade_state(now),
            transaction_id: order.payment.as_ref().map(|p| p.transaction_id.clone()),
        };
        drop(ledger);
        self.wake();
        Ok(visit)
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Simulator").field(&self.0.parts).finish()
    }
}
