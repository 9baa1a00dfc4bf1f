//! What the one who runs the server asks of it from the command line: whether the configuration
//! works at WeChat, whether the database fits, and where an order stands. None of it changes an
//! order, and none of it prints a secret, a token or an openid.

use std::sync::Arc;

use wechat_pay::OutTradeNo;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::ledger::{Ledger, LedgerError};
use crate::order_details::details;
use crate::randomness::{SystemRandomness, hex};
use crate::server::Surroundings;
use crate::wechat_client::{Standing, WechatClient};
use crate::wechat_transport::HttpTransport;

/// What the check at WeChat found wrong.
#[derive(Debug, thiserror::Error)]
pub enum LiveCheckError {
    /// The query did not come to an answer that is believed.
    #[error("{reason}{advice}")]
    Refused {
        /// What happened.
        reason: String,
        /// What it mostly means; begins with a blank.
        advice: &'static str,
    },
    /// WeChat knows an order under a number that was drawn a moment ago.
    #[error("WeChat knows a random order number, which cannot be")]
    Contradiction,
}

/// The machine's own clock and randomness, and the network.
pub fn surroundings(config: &Config) -> Result<Surroundings, reqwest::Error> {
    Ok(Surroundings {
        clock: Arc::new(SystemClock),
        randomness: Arc::new(SystemRandomness),
        wechat: Arc::new(HttpTransport::new(!config.gateway.is_live())?),
        webhooks: Arc::new(HttpTransport::new(!config.gateway.is_live())?),
    })
}

/// Asks WeChat about an order that cannot exist. A signed `ORDER_NOT_EXIST` proves mchid, serial,
/// private key and the key that we verify with, all at once; no order is made.
pub async fn check_live(
    config: &Config,
    surroundings: &Surroundings,
) -> Result<(), LiveCheckError> {
    let client = WechatClient::new(config, surroundings);
    let refused = |reason: String, advice| LiveCheckError::Refused { reason, advice };
    let random = surroundings
        .randomness
        .bytes()
        .map_err(|error| refused(error.to_string(), ""))?;
    let number = OutTradeNo::parse(hex(&random)).map_err(|error| refused(error.to_string(), ""))?;
    match client.query(&number).await {
        Ok(Standing::Unknown) => Ok(()),
        Ok(_) => Err(LiveCheckError::Contradiction),
        Err(error) => {
            let advice = match error.wechat_code() {
                Some("SIGN_ERROR") => {
                    " (check merchant.serial_no, merchant.private_key_file, merchant.mchid and this machine's time)"
                }
                Some("MCH_NOT_EXISTS" | "NO_AUTH") => " (check merchant.mchid)",
                Some(_) => "",
                None => {
                    " (where WeChat was reached: check merchant.public_key_id and merchant.public_key_file)"
                }
            };
            Err(refused(error.to_string(), advice))
        }
    }
}

/// Brings the database up to this version, making it where it is missing; gives the number of
/// its newest migration.
pub async fn migrate(config: &Config) -> Result<i64, LedgerError> {
    Ledger::open(&config.database).await?.version().await
}

/// An order as the private API shows it, as JSON for people; `None` where there is none.
pub async fn show_order(config: &Config, order_no: &str) -> Result<Option<String>, LedgerError> {
    let ledger = Ledger::open_as_it_is(&config.database).await?;
    let Some(checkout) = ledger.checkout_by_order_no(order_no).await? else {
        return Ok(None);
    };
    let attempts = ledger.attempts(checkout.order.id).await?;
    let refunds = ledger.refunds(checkout.order.id).await?;
    let shown = details(config, checkout.order, attempts, refunds);
    // Texts and numbers alone: there is nothing in it that JSON cannot carry.
    Ok(Some(
        serde_json::to_string_pretty(&shown).unwrap_or_default(),
    ))
}
