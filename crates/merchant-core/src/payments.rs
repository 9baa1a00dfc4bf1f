//! The state that all payments of one merchant share: the configuration, the ledger, the client for
//! WeChat, and what this process remembers. Nothing here decides anything about a payment.

mod allowance;
mod callback_locks;
mod clock_steps;
mod order_locks;
mod readiness;
mod webhook_targets;

use std::ops::Deref;
use std::sync::Arc;

pub use allowance::{Allowance, Allowances};
use callback_locks::CallbackLocks;
use clock_steps::ClockSteps;
use log_output::QuietLog;
pub use order_locks::OrderBusy;
use order_locks::OrderLocks;
pub(crate) use order_locks::{OrderGuard, Queue};
use readiness::Readiness;
use tokio::sync::watch;
use webhook_targets::Targets;
use wechat_pay::TrustedKeys;

use crate::config::Config;
use crate::ledger::{Census, Ledger, LedgerError};
use crate::surroundings::{Clock, Randomness, Surroundings, WechatTransport};
use crate::wechat::{RefreshError, Refreshed, WechatClient};

/// How often the pages of one order may make this process work at WeChat: a buyer who changes the
/// device or the product does so a few times and stops.
const ATTEMPT_ALLOWANCE: Allowance = Allowance {
    burst: 12,
    interval_ms: 10_000,
};

/// The payments of one merchant. Cheap to clone; all clones share one state.
#[derive(Clone)]
pub struct Payments(Arc<Parts>);

/// The shared state, reached through [`Deref`] inside this crate.
pub struct Parts {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) wechat: WechatClient,
    pub(crate) webhooks: Arc<dyn WechatTransport>,
    pub(crate) targets: Arc<Targets>,
    pub(crate) ledger: Ledger,
    pub(crate) clock_steps: Arc<ClockSteps>,
    pub(crate) due_work_log: Arc<DueWorkLog>,
    pub(crate) attempt_allowances: Arc<Allowances<i64>>,
    pub(crate) callbacks: Arc<CallbackLocks>,
    readiness: Arc<Readiness>,
    order_locks: Arc<OrderLocks>,
    is_ending: watch::Sender<bool>,
}

/// Lines of the log that hundreds of pieces of due work would write at the same time.
#[derive(Debug, Default)]
pub(crate) struct DueWorkLog {
    /// About work that failed.
    pub(crate) put_off: QuietLog,
    /// About queries that WeChat did not answer.
    pub(crate) unanswered: QuietLog,
}

impl Deref for Payments {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Payments {
    /// Opens the ledger. Nothing runs by itself afterwards: due work is in [`Payments::run_due`].
    pub async fn open(config: Config, surroundings: Surroundings) -> Result<Self, LedgerError> {
        let ledger = Ledger::open(&config).await?;
        Ok(Self::on(ledger, config, surroundings))
    }

    /// Opens an existing database of this version: for commands beside a running server.
    pub async fn open_as_it_is(
        config: Config,
        surroundings: Surroundings,
    ) -> Result<Self, LedgerError> {
        let ledger = Ledger::open_as_it_is(&config).await?;
        Ok(Self::on(ledger, config, surroundings))
    }

    fn on(ledger: Ledger, config: Config, surroundings: Surroundings) -> Self {
        Self(Arc::new(Parts {
            wechat: WechatClient::new(&config, &surroundings),
            config,
            clock: surroundings.clock,
            randomness: surroundings.randomness,
            webhooks: surroundings.webhooks,
            targets: Arc::default(),
            ledger,
            clock_steps: Arc::default(),
            due_work_log: Arc::default(),
            attempt_allowances: Arc::new(Allowances::new(ATTEMPT_ALLOWANCE)),
            callbacks: Arc::default(),
            readiness: Arc::default(),
            order_locks: Arc::default(),
            is_ending: watch::Sender::new(false),
        }))
    }

    /// The same payments under another configuration. Both share the ledger, the memory of this
    /// process and the shutdown. Calls that are in progress end under the old configuration. Fields
    /// that need a restart must be unchanged ([`Config::needs_restart`]).
    #[must_use]
    pub fn reconfigured(&self, config: Config) -> Self {
        Self(Arc::new(Parts {
            wechat: self.wechat.reconfigured(&config),
            config,
            clock: self.clock.clone(),
            randomness: self.randomness.clone(),
            webhooks: self.webhooks.clone(),
            targets: self.targets.clone(),
            ledger: self.ledger.clone(),
            clock_steps: self.clock_steps.clone(),
            due_work_log: self.due_work_log.clone(),
            attempt_allowances: self.attempt_allowances.clone(),
            callbacks: self.callbacks.clone(),
            readiness: self.readiness.clone(),
            order_locks: self.order_locks.clone(),
            is_ending: self.is_ending.clone(),
        }))
    }

    /// The current configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Ends every held poll with an early answer. Everything else continues.
    pub fn begin_shutdown(&self) {
        self.is_ending.send_replace(true);
    }

    /// Whether the shutdown has begun.
    pub fn is_ending(&self) -> bool {
        *self.is_ending.borrow()
    }

    /// Returns when the shutdown begins.
    pub async fn ending(&self) {
        // The sender is in `self`, so this cannot fail.
        let _ = self.is_ending.subscribe().wait_for(|ending| *ending).await;
    }

    /// Whether the database can be read.
    pub async fn is_readable(&self) -> bool {
        self.ledger.is_readable().await
    }

    /// Whether a write works. Concurrent callers share one test.
    pub async fn can_write(&self) -> bool {
        self.readiness.can_write(&self.ledger, &*self.clock).await
    }

    /// Counts of what is in the ledger now.
    pub async fn census(&self) -> Result<Census, LedgerError> {
        self.ledger.census(self.clock.now_ms()).await
    }

    /// How many pages wait for a change of their order.
    pub fn held_polls(&self) -> usize {
        self.ledger.changes().waiting()
    }

    /// Tries to call WeChat so far: operation, outcome, number.
    pub fn wechat_calls(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.wechat.experience.calls.all()
    }

    /// The keys of WeChat's that are trusted now.
    pub fn trusted_keys(&self) -> Arc<TrustedKeys> {
        self.wechat.trust.keys()
    }

    /// Fetches WeChat's platform certificates, if that is due: at first, and every eleven hours.
    /// After a failure, the trusted keys are unchanged.
    pub async fn refresh_certificates_if_due(&self) -> Result<Option<Refreshed>, RefreshError> {
        self.wechat.refresh_trust_if_due().await
    }
}

impl Parts {
    /// Waits for an order's lock, so that one call after the other works on it; see
    /// [`order_locks`].
    pub(crate) async fn lock_order(
        &self,
        order_id: i64,
        queue: Queue,
    ) -> Result<OrderGuard, OrderBusy> {
        self.order_locks.wait(order_id, queue).await
    }

    /// Takes an order's lock for due work. If a call holds the lock, due work tries again later.
    pub(crate) async fn lock_order_for_due_work(
        &self,
        order_id: i64,
    ) -> Result<OrderGuard, OrderBusy> {
        self.order_locks.take_for_due_work(order_id).await
    }
}
