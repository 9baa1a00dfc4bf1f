//! The server's state: what all routes and all due work share.

mod allowance;
mod clock_steps;
mod order_locks;
mod readiness;
mod webhook_targets;

use std::ops::Deref;
use std::sync::Arc;

pub(crate) use allowance::{Allowance, Allowances};
use clock_steps::ClockSteps;
use order_locks::OrderLocks;
pub(crate) use order_locks::{OrderBusy, OrderGuard, Queue};
use readiness::Readiness;
use tokio::sync::watch;
pub(crate) use webhook_targets::Targets;

use crate::attempts::ATTEMPT_ALLOWANCE;
use crate::attempts::oauth::CallbackLocks;
use crate::config::Config;
use crate::connections::Places;
use crate::due_work::Lines;
use crate::extract::UnreadForms;
use crate::ledger::{Ledger, LedgerError};
use crate::metrics::Calls;
use crate::middleware::{Limits, RequestIds};
use crate::pages::receipt_page::ReceiptQuestions;
use crate::surroundings::{Clock, Randomness, Surroundings, WechatTransport};
use crate::wechat::WechatClient;

/// A merchant server. Cheap to clone; all clones are the same server.
#[derive(Clone)]
pub struct MerchantServer(Arc<Parts>);

/// What is inside. Reached through [`Deref`] by this crate alone.
pub struct Parts {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) wechat: WechatClient,
    pub(crate) webhooks: Arc<dyn WechatTransport>,
    pub(crate) targets: Arc<Targets>,
    pub(crate) ledger: Ledger,
    pub(crate) limits: Arc<Limits>,
    pub(crate) places: Arc<Places>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) request_ids: Arc<RequestIds>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) clock_steps: Arc<ClockSteps>,
    pub(crate) due_work_lines: Arc<Lines>,
    order_locks: Arc<OrderLocks>,
    pub(crate) attempt_allowances: Arc<Allowances<i64>>,
    pub(crate) receipt_questions: Arc<ReceiptQuestions>,
    pub(crate) unread_forms: Arc<UnreadForms>,
    pub(crate) callbacks: Arc<CallbackLocks>,
    is_ending: watch::Sender<bool>,
}

impl Deref for MerchantServer {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl MerchantServer {
    /// Opens the ledger. Nothing runs by itself afterwards: routes are in [`crate::app`], due
    /// work in [`MerchantServer::run_due`].
    pub async fn open(config: Config, surroundings: Surroundings) -> Result<Self, LedgerError> {
        let ledger = Ledger::open(&config).await?;
        Ok(Self::on(ledger, config, surroundings))
    }

    /// The same on a database that is there and of this version: for commands beside a server
    /// that runs.
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
            limits: Arc::new(Limits::new(config.rate_limits, surroundings.clock.clone())),
            places: Arc::new(Places::new(config.connections)),
            calls: Arc::default(),
            request_ids: Arc::new(RequestIds::new(surroundings.clock.now_ms())),
            unread_forms: Arc::default(),
            callbacks: Arc::default(),
            config,
            clock: surroundings.clock,
            randomness: surroundings.randomness,
            webhooks: surroundings.webhooks,
            targets: Arc::default(),
            ledger,
            readiness: Arc::default(),
            clock_steps: Arc::default(),
            due_work_lines: Arc::default(),
            attempt_allowances: Arc::new(Allowances::new(ATTEMPT_ALLOWANCE)),
            receipt_questions: Arc::default(),
            order_locks: Arc::default(),
            is_ending: watch::Sender::new(false),
        }))
    }

    /// The same server under another configuration: one ledger, one memory, one end. Calls that
    /// are under way end as they began. What cannot change without a restart must not have
    /// changed ([`Config::needs_restart`]).
    #[must_use]
    pub fn reconfigured(&self, config: Config) -> Self {
        let limits = if config.rate_limits == self.config.rate_limits {
            self.limits.clone()
        } else {
            Arc::new(Limits::new(config.rate_limits, self.clock.clone()))
        };
        Self(Arc::new(Parts {
            wechat: self.wechat.reconfigured(&config),
            config,
            clock: self.clock.clone(),
            randomness: self.randomness.clone(),
            webhooks: self.webhooks.clone(),
            targets: self.targets.clone(),
            ledger: self.ledger.clone(),
            limits,
            places: self.places.clone(),
            calls: self.calls.clone(),
            request_ids: self.request_ids.clone(),
            readiness: self.readiness.clone(),
            clock_steps: self.clock_steps.clone(),
            due_work_lines: self.due_work_lines.clone(),
            attempt_allowances: self.attempt_allowances.clone(),
            receipt_questions: self.receipt_questions.clone(),
            unread_forms: self.unread_forms.clone(),
            callbacks: self.callbacks.clone(),
            order_locks: self.order_locks.clone(),
            is_ending: self.is_ending.clone(),
        }))
    }

    /// Ends every held poll with an early answer. Routes go on answering.
    pub fn begin_shutdown(&self) {
        self.is_ending.send_replace(true);
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

    /// The same for due work, which comes back later where a call holds the lock.
    pub(crate) async fn lock_order_for_due_work(
        &self,
        order_id: i64,
    ) -> Result<OrderGuard, OrderBusy> {
        self.order_locks.take_for_due_work(order_id).await
    }

    /// Whether the server is about to end.
    pub(crate) fn is_ending(&self) -> bool {
        *self.is_ending.borrow()
    }

    /// Ends when the server is about to end.
    pub(crate) async fn ending(&self) {
        // The sender is in `self`, so there is no error to come.
        let _ = self.is_ending.subscribe().wait_for(|ending| *ending).await;
    }
}
