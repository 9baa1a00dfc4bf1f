//! The merchants of one server, each with its own payments on one database. A call is of one merchant:
//! by its API key, its token, its state or its path. What is not known here is never taken for another
//! merchant's.

use std::sync::Arc;

use super::{Payments, Shared};
use crate::config::Config;
use crate::ledger::{Ledger, LedgerError};
use crate::surroundings::Surroundings;

/// The payments of all merchants. Cheap to clone; there is at least one merchant.
#[derive(Clone)]
pub struct Merchants {
    first: Payments,
    others: Arc<[Payments]>,
}

impl Merchants {
    /// Opens the database for the configured merchants. Nothing runs by itself afterwards.
    pub async fn open(mut config: Config, surroundings: Surroundings) -> Result<Self, LedgerError> {
        let ledger = Ledger::open(&config).await?;
        let server = Arc::new(Shared::of(&config, ledger.is_a_file()));
        let mut others = Vec::new();
        for other in std::mem::take(&mut config.others) {
            let (server, theirs) = (server.clone(), ledger.of(&other).await?);
            others.push(Payments::of_server(
                server,
                theirs,
                other,
                surroundings.clone(),
            ));
        }
        Ok(Self {
            first: Payments::of_server(server, ledger, config, surroundings),
            others: others.into(),
        })
    }

    /// The same merchants under another configuration, which has the same merchants in the same order
    /// ([`Config::needs_restart`]).
    #[must_use]
    pub fn reconfigured(&self, mut config: Config) -> Self {
        let others = std::mem::take(&mut config.others);
        let others = self.others.iter().zip(others);
        Self {
            others: others
                .map(|(payments, config)| payments.reconfigured(config))
                .collect(),
            first: self.first.reconfigured(config),
        }
    }

    /// The first merchant. Its configuration has what the merchants share.
    pub const fn first(&self) -> &Payments {
        &self.first
    }

    /// All merchants, in the order of the configuration.
    pub fn each(&self) -> impl Iterator<Item = &Payments> {
        std::iter::once(&self.first).chain(&*self.others)
    }

    /// How many merchants there are.
    pub fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// The merchant with this number.
    pub fn of_mchid(&self, mchid: &str) -> Option<&Payments> {
        self.each().find(|payments| payments.mchid() == mchid)
    }

    /// The merchant whose order has this token. If none has, it is the first one: its ledger has no
    /// such token either.
    pub async fn of_token(&self, token: &str) -> Result<&Payments, LedgerError> {
        if self.others.is_empty() {
            return Ok(&self.first);
        }
        Ok(self.named(self.first.ledger.mchid_of_token(token).await?))
    }

    /// The merchant whose payment link this is. If it is nobody's, it is the first one: its ledger has no
    /// such link either.
    pub async fn of_link(&self, id: &str) -> Result<&Payments, LedgerError> {
        if self.others.is_empty() {
            return Ok(&self.first);
        }
        Ok(self.named(self.first.ledger.mchid_of_link(id).await?))
    }

    /// The merchant that sent a buyer to WeChat with this state; the first one if none did.
    pub async fn of_oauth_state(&self, state: &str) -> Result<&Payments, LedgerError> {
        if self.others.is_empty() {
            return Ok(&self.first);
        }
        Ok(self.named(self.first.ledger.mchid_of_oauth_state(state).await?))
    }

    /// A merchant that was found in the database. One that is not configured any more is nobody here.
    fn named(&self, mchid: Option<String>) -> &Payments {
        let found = mchid.and_then(|mchid| self.of_mchid(&mchid));
        found.unwrap_or(&self.first)
    }
}
