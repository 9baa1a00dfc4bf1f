//! The codes for the command line: added, listed, removed, and as links to print. No order is touched.

use payment_values::{Fen, InvalidField};
use wechat_pay::v2::{ApiV2Key, NativeLink};
use wechat_pay::{Description, Stamp, lower_hex};

use crate::config::{Config, Merchant};
use crate::input::plain_text;
use crate::ledger::{Ledger, LedgerError, ProductCode};
use crate::orders::creation::TOTAL_MAX_FEN;
use crate::surroundings::{
    Clock as _, NoRandomness, Randomness as _, SystemClock, SystemRandomness,
};

/// Why a code cannot be added, removed or printed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// Mode 1 exists in version 2 alone.
    #[error(
        "product codes need version 2 of WeChat Pay's API: configure merchant.api_v2_key (APIv2密钥)"
    )]
    NoKey,
    /// WeChat does not document mode 1 for service providers.
    #[error(
        "product codes are for merchants that sell for themselves, and not for service providers"
    )]
    Partner,
    /// The merchant does not sell by Native.
    #[error("product codes need \"native\" in products")]
    NotOffered,
    /// A value breaks its rule.
    #[error("{field} {rule}")]
    Invalid {
        /// The value's name.
        field: &'static str,
        /// The rule, as the rest of a sentence.
        rule: String,
    },
    /// The backend is to confirm scans, and none is configured.
    #[error("without --price-fen the backend confirms each scan: configure [scan_webhook] first")]
    NoBackend,
    /// Another code has this number.
    #[error("there is a code with this product_id already; remove it first")]
    Used,
    /// No code has this number.
    #[error("there is no code with the product_id {0}")]
    Unknown(String),
    /// The system gave no random bytes.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The database.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl CodeError {
    /// Whether the same request can never succeed with this configuration.
    pub fn is_misuse(&self) -> bool {
        match self {
            Self::NoKey
            | Self::Partner
            | Self::NotOffered
            | Self::Invalid { .. }
            | Self::NoBackend => true,
            Self::Used | Self::Unknown(_) | Self::Randomness(_) | Self::Ledger(_) => false,
        }
    }
}

/// Adds a code. Without a price, the backend confirms each scan.
pub async fn add(
    config: &Config,
    product_id: &str,
    name: &str,
    price_fen: Option<u64>,
) -> Result<(), CodeError> {
    let key = check_merchant(config)?;
    let invalid = |field, rule: &dyn std::fmt::Display| CodeError::Invalid {
        field,
        rule: rule.to_string(),
    };
    Description::parse(name).map_err(|error| invalid("--name", &error.rule))?;
    if let Some(rule) = plain_text::broken_rule(name) {
        return Err(invalid("--name", &rule));
    }
    let price_fen = match price_fen {
        Some(price_fen @ 1..=TOTAL_MAX_FEN) => Some(Fen::saturating(price_fen)),
        Some(_) => return Err(invalid("--price-fen", &"must be from 1 to 1000000000")),
        None if config.scan_webhook.is_none() => return Err(CodeError::NoBackend),
        None => None,
    };
    let code = ProductCode {
        product_id: product_id.to_owned(),
        name: name.to_owned(),
        price_fen,
        created_ms: SystemClock.now_ms(),
        nonce: lower_hex(&SystemRandomness.bytes()?),
    };
    // The link's own rules for the number.
    link(&config.merchant, key, &code)?;
    let ledger = Ledger::open_as_it_is(config).await?;
    if ledger.add_product_code(&code).await? {
        Ok(())
    } else {
        Err(CodeError::Used)
    }
}

/// All codes.
pub async fn list(config: &Config) -> Result<Vec<ProductCode>, CodeError> {
    let ledger = Ledger::open_as_it_is(config).await?;
    Ok(ledger.product_codes().await?)
}

/// Removes a code: a scan of a print of it is refused from then on.
pub async fn remove(config: &Config, product_id: &str) -> Result<(), CodeError> {
    let ledger = Ledger::open_as_it_is(config).await?;
    if ledger.remove_product_code(product_id).await? {
        Ok(())
    } else {
        Err(CodeError::Unknown(product_id.to_owned()))
    }
}

/// The codes with the links to print, all of them or those that are named. A code has the same link
/// each time, as long as the merchant's number, appid and APIv2 key stay.
pub async fn links(
    config: &Config,
    product_ids: &[String],
) -> Result<Vec<(ProductCode, String)>, CodeError> {
    let key = check_merchant(config)?;
    let codes = list(config).await?;
    let has = |wanted: &&String| codes.iter().any(|code| code.product_id == **wanted);
    if let Some(unknown) = product_ids.iter().find(|wanted| !has(wanted)) {
        return Err(CodeError::Unknown(unknown.clone()));
    }
    let is_wanted =
        |code: &ProductCode| product_ids.is_empty() || product_ids.contains(&code.product_id);
    let wanted = codes.into_iter().filter(is_wanted);
    wanted
        .map(|code| Ok((code.clone(), link(&config.merchant, key, &code)?)))
        .collect()
}

/// The key that signs links, if the merchant can have product codes.
fn check_merchant(config: &Config) -> Result<&ApiV2Key, CodeError> {
    if !config.merchant.sub_merchants.is_empty() {
        return Err(CodeError::Partner);
    }
    if !config
        .products
        .contains(&merchant_api::AttemptProduct::Native)
    {
        return Err(CodeError::NotOffered);
    }
    config.merchant.api_v2_key.as_ref().ok_or(CodeError::NoKey)
}

fn link(merchant: &Merchant, key: &ApiV2Key, code: &ProductCode) -> Result<String, CodeError> {
    let link = NativeLink {
        appid: merchant.appid.clone(),
        mch_id: merchant.key.mchid().to_owned(),
        product_id: code.product_id.clone(),
    };
    let invalid = |error: InvalidField| CodeError::Invalid {
        field: "product_id",
        rule: error.rule.to_string(),
    };
    let created_s = code.created_ms.div_euclid(1000);
    let stamp = Stamp::with_nonce(created_s, &*code.nonce).map_err(invalid)?;
    link.url(key, &stamp).map_err(invalid)
}
