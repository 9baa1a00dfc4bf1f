//! The merchants and the environment that a database belongs to. WeChat knows its numbers under one
//! `mchid` in one environment. Queried under another one, a pending order would look unknown to
//! WeChat: it would be closed or ordered again here, while the buyer can still pay the first code. So
//! a database stores its owners, and each row the number of its owner.
//!
//! An owner that is not configured is refused: nobody would query its open orders, and its buyers'
//! payments would come to no route. A mistyped `mchid` would look like that, too. An operator who
//! means it says so (`retired_merchants`); the rows stay.

use ledger_database::{Executor, query, query_as, query_scalar, row};

use super::scope::MerchantNo;
use super::{Ledger, LedgerError};
use crate::config::Config;

/// A row of `owner`.
#[derive(Debug)]
struct Owner {
    no: MerchantNo,
    mchid: String,
    environment: String,
}

row! {
    Owner {
        no,
        mchid,
        environment,
    }
}

impl Ledger {
    /// Refuses a database of other owners, and adds the configured merchants that it lacks: all of
    /// them in a new database.
    pub(super) async fn take_over(&self, config: &Config) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            // Another instance may start at the same time.
            write.lock("owners").await?;
            let owners = owners(&mut write).await?;
            check(&owners, config)?;
            let is_shared = config.each().nth(1).is_some();
            if owners.is_empty() && is_shared && has_orders(&mut write).await? {
                return Err(LedgerError::NoOwner);
            }
            let lacking = config.each().map(|config| config.merchant.key.mchid());
            let lacking = lacking.filter(|mchid| number_of(&owners, mchid).is_none());
            let first_no = owners.iter().map(|owner| owner.no.0).max().unwrap_or(0) + 1;
            for (no, mchid) in (first_no..).zip(lacking) {
                query("INSERT INTO owner (no, mchid, environment) VALUES (?, ?, ?)")
                    .bind(no)
                    .bind(mchid)
                    .bind(config.gateway.environment.as_str())
                    .execute(&mut write)
                    .await?;
            }
            write.commit().await
        })
        .await
    }

    /// Refuses a database of other owners.
    pub(super) async fn check_owners(&self, config: &Config) -> Result<(), LedgerError> {
        check(&owners(&self.readers).await?, config)
    }

    /// The same database for the merchant of this configuration.
    pub(crate) async fn of(&self, config: &Config) -> Result<Self, LedgerError> {
        let owners = owners(&self.readers).await?;
        let mchid = config.merchant.key.mchid();
        let merchant = match number_of(&owners, mchid) {
            Some(no) => no,
            // It was migrated, and no server has started on it: its rows are the first one's.
            None if owners.is_empty() => MerchantNo::FIRST,
            None => {
                let mchid = mchid.to_owned();
                return Err(LedgerError::NotTakenOver { mchid });
            }
        };
        let mut theirs = self.clone();
        theirs.merchant = merchant;
        Ok(theirs)
    }

    /// The mchid of the merchant whose order has this token.
    pub(crate) async fn mchid_of_token(&self, token: &str) -> Result<Option<String>, LedgerError> {
        self.mchid_where(
            "SELECT mchid FROM owner WHERE no = (SELECT merchant FROM orders WHERE token = ?)",
            token,
        )
        .await
    }

    /// The mchid of the merchant whose payment link this is.
    pub(crate) async fn mchid_of_link(&self, id: &str) -> Result<Option<String>, LedgerError> {
        self.mchid_where(
            "SELECT mchid FROM owner WHERE no = (SELECT merchant FROM payment_links WHERE id = ?)",
            id,
        )
        .await
    }

    /// The mchid of the merchant that sent a buyer to WeChat with this state.
    pub(crate) async fn mchid_of_oauth_state(
        &self,
        state: &str,
    ) -> Result<Option<String>, LedgerError> {
        self.mchid_where(
            "SELECT mchid FROM owner WHERE no = (
                 SELECT merchant FROM orders
                 WHERE id = (SELECT order_id FROM oauth_states WHERE state = ?))",
            state,
        )
        .await
    }

    async fn mchid_where(
        &self,
        statement: &'static str,
        value: &str,
    ) -> Result<Option<String>, LedgerError> {
        let found = query_scalar(statement).bind(value);
        Ok(found.fetch_optional(&self.readers).await?)
    }
}

async fn owners(on: impl Executor) -> Result<Vec<Owner>, LedgerError> {
    let owners = query_as("SELECT no, mchid, environment FROM owner ORDER BY no");
    Ok(owners.fetch_all(on).await?)
}

async fn has_orders(on: impl Executor) -> Result<bool, LedgerError> {
    Ok(query("SELECT 1 FROM orders LIMIT 1").exists(on).await?)
}

fn number_of(owners: &[Owner], mchid: &str) -> Option<MerchantNo> {
    let owner = owners.iter().find(|owner| owner.mchid == mchid)?;
    Some(owner.no)
}

/// Refuses owners of another environment, and owners that are neither configured nor retired.
fn check(owners: &[Owner], config: &Config) -> Result<(), LedgerError> {
    let is_known = |owner: &Owner| {
        let mut configured = config.each().map(|config| config.merchant.key.mchid());
        configured.any(|mchid| mchid == owner.mchid)
            || config.retired_merchants.contains(&owner.mchid)
    };
    for owner in owners {
        let Owner {
            mchid, environment, ..
        } = owner;
        let is_here = environment == config.gateway.environment.as_str();
        if is_here && is_known(owner) {
            continue;
        }
        let (mchid, environment) = (mchid.clone(), environment.clone());
        let has_one = config.each().nth(1).is_none() && owners.len() == 1;
        return Err(if is_here && !has_one {
            LedgerError::OwnerLeft { mchid }
        } else {
            LedgerError::OtherOwner { mchid, environment }
        });
    }
    Ok(())
}
