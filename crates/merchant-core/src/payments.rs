//! The state that all payments of one merchant share: the configuration, the ledger, the client for
//! WeChat, and what this process remembers. A server has one of these for each of its merchants, so
//! locks, limits and due work of one merchant are never those of another (`merchants`). Nothing here
//! decides anything about a payment.

mod admission;
mod allowance;
mod buyer_figures;
mod callback_locks;
mod clock_steps;
mod merchants;
mod order_locks;
mod readiness;
mod webhook_targets;

use std::future::{Future as _, poll_fn};
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use admission::Admission;
pub use admission::Overloaded;
pub(crate) use admission::RETRY_MS;
pub use allowance::{Allowance, Allowances};
use buyer_figures::BuyerFigures;
use callback_locks::CallbackLocks;
use clock_steps::ClockSteps;
use log_output::QuietLog;
pub use merchants::Merchants;
pub use order_locks::OrderBusy;
use order_locks::OrderLocks;
pub(crate) use order_locks::{OrderGuard, Queue};
use readiness::Readiness;
use tokio::sync::{Semaphore, watch};
use webhook_targets::Targets;
use wechat_pay::TrustedKeys;

use crate::config::Config;
use crate::ledger::{Census, Ledger, LedgerError, Spending};
use crate::surroundings::{Clock, Randomness, Surroundings, WechatTransport};
use crate::wechat::{RefreshError, Refreshed, WechatClient};

/// How often the pages of one order may make this process work at WeChat: a buyer who changes the
/// device or the product does so a few times and stops.
const ATTEMPT_ALLOWANCE: Allowance = Allowance {
    burst: 12,
    interval_ms: 10_000,
};

/// The longest wait for an order's lock, in milliseconds. A caller that waits for longer has gone, or has
/// tried again.
const LOCK_WAIT_MAX_MS: i64 = 20_000;

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
    pub(crate) buyer_figures: Arc<BuyerFigures>,
    held_polls: Arc<AtomicUsize>,
    pub(crate) admission: Arc<Admission>,
    order_locks: Arc<OrderLocks>,
    server: Arc<Shared>,
}

/// What the merchants of one server share.
pub(crate) struct Shared {
    readiness: Readiness,
    is_ending: watch::Sender<bool>,
    /// The places of new orders and attempts in the ledger.
    places: Arc<Semaphore>,
    /// The numbers of all merchants, if there are several; empty for one.
    mchids: Vec<String>,
}

/// A held poll of one merchant. It is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct PollCount(Arc<AtomicUsize>);

impl Drop for PollCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
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
    /// Opens an existing database of this version: for commands beside a running server.
    pub async fn open_as_it_is(
        config: Config,
        surroundings: Surroundings,
    ) -> Result<Self, LedgerError> {
        let ledger = Ledger::open_as_it_is(&config).await?;
        Ok(Self::on(ledger, config, surroundings))
    }

    fn on(ledger: Ledger, config: Config, surroundings: Surroundings) -> Self {
        let server = Shared::of(&config, ledger.is_a_file());
        Self::of_server(Arc::new(server), ledger, config, surroundings)
    }

    fn of_server(
        server: Arc<Shared>,
        ledger: Ledger,
        config: Config,
        surroundings: Surroundings,
    ) -> Self {
        let places = admission::places(ledger.is_a_file());
        let admission = Admission::new(server.places.clone(), places, server.mchids.len());
        Self(Arc::new(Parts {
            wechat: WechatClient::new(&config, &surroundings).sharing(ledger.spending()),
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
            buyer_figures: Arc::default(),
            held_polls: Arc::default(),
            admission: Arc::new(admission),
            order_locks: Arc::default(),
            server,
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
            buyer_figures: self.buyer_figures.clone(),
            held_polls: self.held_polls.clone(),
            admission: self.admission.clone(),
            order_locks: self.order_locks.clone(),
            server: self.server.clone(),
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
        self.server.is_ending.send_replace(true);
    }

    /// Whether the shutdown has begun.
    pub fn is_ending(&self) -> bool {
        *self.server.is_ending.borrow()
    }

    /// Returns when the shutdown begins.
    pub async fn ending(&self) {
        // The sender is in `self`, so this cannot fail.
        let mut ending = self.server.is_ending.subscribe();
        let _ = ending.wait_for(|ending| *ending).await;
    }

    /// What all servers on this database have used of the limits that they share.
    pub fn spending(&self) -> &Spending {
        self.ledger.spending()
    }

    /// Whether the database can be read.
    pub async fn is_readable(&self) -> bool {
        self.ledger.is_readable().await
    }

    /// Whether a write works. Concurrent callers share one test.
    pub async fn can_write(&self) -> bool {
        let readiness = &self.server.readiness;
        readiness.can_write(&self.ledger, &*self.clock).await
    }

    /// Counts of what is in the ledger now.
    pub async fn census(&self) -> Result<Census, LedgerError> {
        self.ledger.census(self.clock.now_ms()).await
    }

    /// How many pages wait for a change of their order.
    pub fn held_polls(&self) -> usize {
        self.held_polls.load(Ordering::Relaxed)
    }

    /// How many new orders and attempts were refused, because more came than the database can take.
    pub fn overload_refusals(&self) -> u64 {
        self.admission.refused()
    }

    /// The merchant's number.
    pub fn mchid(&self) -> &str {
        self.config.merchant.key.mchid()
    }

    /// The merchant's number, if the server has several merchants: for metrics and the log.
    pub fn name_among_several(&self) -> Option<&str> {
        self.server.has_several().then(|| self.mchid())
    }

    /// The span in which log lines say whose they are; none if the server has one merchant.
    pub fn span(&self) -> tracing::Span {
        match self.name_among_several() {
            Some(mchid) => tracing::info_span!("merchant", mchid),
            None => tracing::Span::none(),
        }
    }

    /// Tries to call WeChat so far: operation, outcome, number.
    pub fn wechat_calls(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.wechat.experience.calls.all()
    }

    /// Whether WeChat's answers can be verified: version 3 needs a key of WeChat's, version 2 none.
    pub fn can_verify(&self) -> bool {
        self.config.merchant.api_v3_key.is_none() || !self.trusted_keys().is_empty()
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

impl Shared {
    fn of(config: &Config, is_a_file: bool) -> Self {
        let mchids = config
            .each()
            .map(|config| config.merchant.key.mchid().to_owned());
        Self {
            readiness: Readiness::default(),
            is_ending: watch::Sender::new(false),
            places: Arc::new(Semaphore::new(admission::places(is_a_file))),
            mchids: mchids.collect(),
        }
    }

    fn has_several(&self) -> bool {
        self.mchids.len() > 1
    }
}

impl Parts {
    /// Whether this number is that of another merchant of this server.
    pub(crate) fn is_another_merchant(&self, mchid: &str) -> bool {
        mchid != self.config.merchant.key.mchid()
            && self.server.mchids.iter().any(|known| known == mchid)
    }

    /// Counts a poll that is held from now on.
    pub(crate) fn hold_poll(&self) -> PollCount {
        self.held_polls.fetch_add(1, Ordering::Relaxed);
        PollCount(self.held_polls.clone())
    }

    /// Waits for an order's lock, so that one call after the other works on it; see
    /// [`order_locks`].
    pub(crate) async fn lock_order(
        &self,
        order_id: i64,
        queue: Queue,
    ) -> Result<OrderGuard, OrderBusy> {
        let mut waiting = pin!(self.order_locks.wait(order_id, queue));
        // Mostly nobody holds it.
        let at_once = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context)));
        if let Poll::Ready(taken) = at_once.await {
            return taken;
        }
        tokio::select! {
            taken = waiting => taken,
            () = self.clock.sleep_ms(LOCK_WAIT_MAX_MS) => Err(OrderBusy),
        }
    }

    /// Takes an order's lock for due work. If a call holds the lock, due work tries again later.
    pub(crate) async fn lock_order_for_due_work(
        &self,
        order_id: i64,
    ) -> Result<OrderGuard, OrderBusy> {
        self.order_locks.take_for_due_work(order_id).await
    }
}
