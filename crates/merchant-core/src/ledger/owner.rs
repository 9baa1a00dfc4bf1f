//! Whose ledger it is. Its numbers are known to WeChat under one merchant's `mchid`, in one
//! environment. Asked about under another one, an order that waits looks as if WeChat had never heard
//! of it: it would be closed here, or begun anew, while the buyer can still pay the first code. So a
//! ledger keeps its owner, and is opened for no other.

use super::{Ledger, LedgerError};
use crate::config::Config;

impl Ledger {
    /// Writes down whose the ledger is, where nobody has yet: it is a new one, or older than this
    /// rule.
    pub(super) async fn take_over(&self, config: &Config) -> Result<(), LedgerError> {
        let statement = sqlx::query(
            "INSERT INTO owner (no, mchid, environment) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(config.merchant.key.mchid())
        .bind(config.gateway.environment.as_str());
        self.writer.execute(statement).await?;
        Ok(())
    }

    /// Refuses a configuration of anybody else.
    pub(super) async fn check_owner(&self, config: &Config) -> Result<(), LedgerError> {
        let owner: Option<(String, String)> =
            sqlx::query_as("SELECT mchid, environment FROM owner")
                .fetch_optional(self.readers.pool())
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
