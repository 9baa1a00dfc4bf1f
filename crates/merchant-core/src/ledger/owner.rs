//! The merchant and the environment that a ledger belongs to. WeChat knows the ledger's numbers
//! under one `mchid` in one environment. Queried under another one, a pending order would look
//! unknown to WeChat: it would be closed or ordered again here, while the buyer can still pay the
//! first code. So a ledger stores its owner and is opened for no other.

use super::{Ledger, LedgerError};
use crate::config::Config;
use ledger_database::{query, query_as};

impl Ledger {
    /// Stores the owner if none is stored: in a new ledger, or in one from before this rule.
    pub(super) async fn take_over(&self, config: &Config) -> Result<(), LedgerError> {
        let statement = query(
            "INSERT INTO owner (no, mchid, environment) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(config.merchant.key.mchid())
        .bind(config.gateway.environment.as_str());
        self.writer.execute(statement).await?;
        Ok(())
    }

    /// Refuses a configuration of another merchant or environment.
    pub(super) async fn check_owner(&self, config: &Config) -> Result<(), LedgerError> {
        let owner: Option<(String, String)> = query_as("SELECT mchid, environment FROM owner")
            .fetch_optional(&self.readers)
            .await?;
        let Some((mchid, environment)) = owner else {
            return Ok(());
        };
        let is_owner = mchid == config.merchant.key.mchid()
            && environment == config.gateway.environment.as_str();
        if is_owner {
            Ok(())
        } else {
            Err(LedgerError::OtherOwner { mchid, environment })
        }
    }
}
