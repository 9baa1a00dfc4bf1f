//! The server's state: the payments, and what HTTP needs besides. Routes, pages and middleware each
//! get only the parts of the state that they need.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;
use merchant_core::Payments;
use merchant_core::config::Config;
use merchant_core::ledger::LedgerError;
use merchant_core::surroundings::Surroundings;

use crate::connections::Places;
use crate::extract::UnreadForms;
use crate::metrics::Calls;
use crate::middleware::{Limits, RequestIds};
use crate::pages::ReceiptQuestions;

/// A merchant server: the payments of one merchant over HTTP. Cheap to clone; all clones are the same
/// server.
#[derive(Clone, FromRef)]
pub struct MerchantServer {
    payments: Payments,
    limits: Arc<Limits>,
    places: Arc<Places>,
    calls: Arc<Calls>,
    request_ids: Arc<RequestIds>,
    receipt_questions: Arc<ReceiptQuestions>,
    unread_forms: Arc<UnreadForms>,
}

impl Deref for MerchantServer {
    type Target = Payments;

    fn deref(&self) -> &Payments {
        &self.payments
    }
}

impl MerchantServer {
    /// Opens the ledger, and starts nothing: routes are in [`crate::app`], due work is in
    /// [`Payments::run_due`].
    pub async fn open(config: Config, surroundings: Surroundings) -> Result<Self, LedgerError> {
        Ok(Self::over(Payments::open(config, surroundings).await?))
    }

    fn over(payments: Payments) -> Self {
        let (config, clock) = (payments.config(), payments.clock());
        Self {
            limits: Arc::new(Limits::new(config.rate_limits, clock.clone())),
            places: Arc::new(Places::new(config.connections)),
            calls: Arc::default(),
            request_ids: Arc::new(RequestIds::new(clock.now_ms())),
            receipt_questions: Arc::default(),
            unread_forms: Arc::default(),
            payments,
        }
    }

    /// The same server with another configuration: the ledger, the memory and the shutdown are
    /// shared. Calls in progress keep the old configuration. Fields that need a restart must not
    /// have changed ([`Config::needs_restart`]).
    #[must_use]
    pub fn reconfigured(&self, config: Config) -> Self {
        let limits = if config.rate_limits == self.config().rate_limits {
            self.limits.clone()
        } else {
            Arc::new(Limits::new(config.rate_limits, self.clock().clone()))
        };
        Self {
            payments: self.payments.reconfigured(config),
            limits,
            ..self.clone()
        }
    }

    /// The payments of this server.
    pub(crate) fn payments(&self) -> &Payments {
        &self.payments
    }

    /// The places for connections.
    pub(crate) fn places(&self) -> &Arc<Places> {
        &self.places
    }
}
