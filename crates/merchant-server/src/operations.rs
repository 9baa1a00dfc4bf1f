//! What the one who runs the server asks of it from the command line: whether the database fits,
//! where an order stands, what a day came to. None of it prints a secret (but for a new API key, once), a token or an openid.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use jiff::civil::Date;
use merchant_api::{BillComparison, MismatchDetails};

use crate::bills::{BillFailure, BillKind};
use crate::config::Config;
use crate::ledger::{Ledger, LedgerError, MismatchFilter};
use crate::orders::details;
use crate::surroundings::{
    Clock as _, NoRandomness, Randomness as _, Surroundings, SystemClock, SystemRandomness, hex,
    unguessable,
};
use crate::wechat::{RefreshError, WechatClient};
use crate::{bills, mismatches};

/// Why a day's bill could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum NoBill {
    /// It was asked for somebody whom this merchant does not act for; the rule that it breaks.
    #[error("sub_mchid {0}")]
    SubMchid(&'static str),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The download, the file or the disk.
    #[error("{0}")]
    Failed(String),
}

impl From<BillFailure> for NoBill {
    fn from(error: BillFailure) -> Self {
        match error {
            BillFailure::SubMchid(rule) => Self::SubMchid(rule),
            BillFailure::Ledger(error) => Self::Ledger(error),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// Brings the database up to this version, making it where it is missing; gives the number of
/// its newest migration.
pub async fn migrate(config: &Config) -> Result<i64, LedgerError> {
    Ledger::open(config).await?.version().await
}

/// An order as the private API shows it, as JSON for people; `None` where there is none.
pub async fn show_order(config: &Config, order_no: &str) -> Result<Option<String>, LedgerError> {
    let ledger = Ledger::open_as_it_is(config).await?;
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

/// What fits nothing, newest first: what is open, or with `all` what was seen to as well.
pub async fn list_mismatches(
    config: &Config,
    all: bool,
) -> Result<Vec<MismatchDetails>, LedgerError> {
    let ledger = Ledger::open_as_it_is(config).await?;
    let filter = MismatchFilter {
        is_done: (!all).then_some(false),
        ..MismatchFilter::default()
    };
    let found = ledger.mismatches(filter, u32::MAX).await?;
    Ok(found.into_iter().map(mismatches::details).collect())
}

/// Why a mismatch was not marked as seen to.
#[derive(Debug, thiserror::Error)]
pub enum NotFinished {
    /// There is none of this number.
    #[error("there is no mismatch {0}")]
    Unknown(u32),
    /// The note breaks a rule.
    #[error("the note {0}")]
    Note(&'static str),
    /// The database.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Marks what fits nothing as seen to, so that it is no alarm any more. Harmless to repeat.
pub async fn finish_mismatch(
    config: &Config,
    no: u32,
    note: Option<&str>,
) -> Result<MismatchDetails, NotFinished> {
    if let Some(rule) = note.and_then(mismatches::broken_rule) {
        return Err(NotFinished::Note(rule));
    }
    let ledger = Ledger::open_as_it_is(config).await?;
    let now_ms = SystemClock.now_ms();
    mismatches::finish(&ledger, i64::from(no), note, now_ms)
        .await?
        .ok_or(NotFinished::Unknown(no))
}

/// WeChat's trade bill of a day in Asia/Shanghai beside the ledger: the whole one,
/// or in partner mode one sub-merchant's.
pub async fn compare_bill(
    config: &Config,
    surroundings: &Surroundings,
    day: Date,
    sub_mchid: Option<&str>,
) -> Result<BillComparison, NoBill> {
    let wechat = WechatClient::new(config, surroundings);
    let ledger = Ledger::open_as_it_is(config).await?;
    Ok(bills::compare(&wechat, &ledger, config.files_dir(), day, sub_mchid).await?)
}

/// Saves a bill as WeChat has it into a new file, once its hash was checked; gives its length in
/// bytes. `None` where nothing happened on that day, and then there is no file.
pub async fn save_bill(
    config: &Config,
    surroundings: &Surroundings,
    kind: BillKind,
    day: Date,
    sub_mchid: Option<&str>,
    to: &Path,
) -> Result<Option<u64>, NoBill> {
    let wechat = WechatClient::new(config, surroundings);
    Ok(bills::save(&wechat, kind, day, sub_mchid, to).await?)
}

/// Copies the database while a server works on it; gives the number of orders in the copy, which
/// was read and checked. `to` must not exist.
pub async fn back_up(config: &Config, to: &Path) -> Result<u64, LedgerError> {
    let ledger = Ledger::open_as_it_is(config).await?;
    ledger.back_up(to).await
}

/// One key that plays a part: ours or WeChat's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// Whose and what: `merchant certificate`, `WeChat certificate`, `WeChat public key`.
    pub kind: &'static str,
    /// The serial, or the id of a public key.
    pub serial: String,
    /// Until when it is good, RFC 3339; `None` where it has no such time, or none is known.
    pub expires_at: Option<String>,
}

/// Our certificates and the keys of WeChat's that the configuration names. With `ask`, WeChat's
/// certificates are fetched first.
pub async fn known_keys(
    config: &Config,
    surroundings: &Surroundings,
    ask: bool,
) -> Result<Vec<KnownKey>, RefreshError> {
    let time = |at_s: i64| Timestamp::from_second(at_s).ok().map(|at| at.to_string());
    let ours = config.merchant.certificates().map(|certificate| KnownKey {
        kind: "merchant certificate",
        serial: certificate.key.serial_no().to_owned(),
        expires_at: certificate
            .facts
            .as_ref()
            .and_then(|facts| time(facts.not_after_s)),
    });
    let wechat = WechatClient::new(config, surroundings);
    if ask {
        wechat.refresh_trust().await?;
    }
    let trusted = wechat.trust.keys();
    let theirs = trusted.serials().map(|serial| {
        let expires_s = trusted.expires_s(serial);
        KnownKey {
            kind: match expires_s {
                Some(_) => "WeChat certificate",
                None => "WeChat public key",
            },
            serial: serial.to_owned(),
            expires_at: expires_s.and_then(time),
        }
    });
    Ok(ours.chain(theirs).collect())
}

/// A new API key and its SHA-256 in hex: the key goes to the backend, the hash into the
/// configuration, and nothing is kept.
pub fn new_api_key() -> Result<(String, String), NoRandomness> {
    let random = SystemRandomness;
    let key = format!(
        "{}{}",
        unguessable(random.bytes()?),
        unguessable(random.bytes()?)
    );
    let hash = hex(digest(&SHA256, key.as_bytes()).as_ref());
    Ok((key, hash))
}
