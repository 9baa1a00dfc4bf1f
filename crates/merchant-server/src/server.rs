//! The server's state: the payments, and what HTTP needs besides. Routes, pages and middleware each
//! get only the parts of the state that they need.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;
use merchant_core::config::Config;
use merchant_core::ledger::LedgerError;
use merchant_core::surroundings::Surroundings;
use merchant_core::{Merchants, Payments};

use crate::connections::Places;
use crate::extract::UnreadForms;
use crate::metrics::Calls;
use crate::middleware::{Limits, RequestIds};
use crate::pages::{LinkOrders, ReceiptQuestions, SignIns};

/// A merchant server: the payments of one merchant, or of several, over HTTP. Cheap to clone; all
/// clones are the same server. By itself it stands for its first merchant.
#[derive(Clone, FromRef)]
pub struct MerchantServer {
    merchants: Merchants,
    limits: Arc<Limits>,
    places: Arc<Places>,
    calls: Arc<Calls>,
    request_ids: Arc<RequestIds>,
    receipt_questions: Arc<ReceiptQuestions>,
    unread_forms: Arc<UnreadForms>,
    sign_ins: Arc<SignIns>,
    link_orders: Arc<LinkOrders>,
}

impl Deref for MerchantServer {
    type Target = Payments;

    fn deref(&self) -> &Payments {
        self.merchants.first()
    }
}

impl MerchantServer {
    /// Opens the ledger, and starts nothing: routes are in [`crate::app`], due work is in
    /// [`Payments::run_due`].
    pub async fn open(config: Config, surroundings: Surroundings) -> Result<Self, LedgerError> {
        // A future of its own allocation: it holds the configuration of each merchant.
        let opening = Box::pin(Merchants::open(config, surroundings));
        Ok(Self::over(opening.await?))
    }

    fn over(merchants: Merchants) -> Self {
        let first = merchants.first();
        let (config, clock) = (first.config(), first.clock());
        Self {
            limits: Arc::new(Limits::new(
                config.rate_limits,
                clock.clone(),
                first.spending().clone(),
            )),
            places: Arc::new(Places::new(config.connections)),
            calls: Arc::default(),
            request_ids: Arc::new(RequestIds::new(clock.now_ms())),
            receipt_questions: Arc::default(),
            unread_forms: Arc::default(),
            sign_ins: Arc::default(),
            link_orders: Arc::default(),
            merchants,
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
            Arc::new(Limits::new(
                config.rate_limits,
                self.clock().clone(),
                self.spending().clone(),
            ))
        };
        Self {
            merchants: self.merchants.reconfigured(config),
            limits,
            ..self.clone()
        }
    }

    /// The payments of each merchant.
    pub const fn merchants(&self) -> &Merchants {
        &self.merchants
    }

    /// The places for connections.
    pub(crate) fn places(&self) -> &Arc<Places> {
        &self.places
    }
}
