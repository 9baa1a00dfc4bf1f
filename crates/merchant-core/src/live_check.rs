//! `check-config --live`: what WeChat confirms of a configuration, secret by secret and id by id.
//!
//! A line says `proved` only where WeChat's answer has no other explanation. What was not shown is
//! called `not proved`, with what would show it. Nothing here changes the database, and no order is
//! made unless the caller asks for one. No secret is repeated in a line.

mod applications;
mod gateway;
mod notify_address;
mod order;
mod recorder;
mod wechat_keys;

use std::sync::Arc;

use jiff::Timestamp;
use recorder::Recorder;
use wechat_pay::{InvalidField, OutTradeNo};

use crate::config::{Config, Database};
use crate::ledger::Ledger;
use crate::surroundings::{NoRandomness, Surroundings, hex};
use crate::wechat::WechatClient;

/// What was found out about one secret or id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// WeChat's answer shows that the value is right.
    Proved,
    /// Nothing was shown, neither way.
    NotProved,
    /// WeChat's answer shows that the value is wrong.
    Wrong,
}

impl Verdict {
    /// The words at the beginning of a line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::NotProved => "not proved",
            Self::Wrong => "wrong",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The field of the configuration, and its value where it is no secret.
    pub subject: String,
    /// What was found out.
    pub verdict: Verdict,
    /// Why, and what to do. Holds no secret.
    pub explanation: String,
}

impl Proof {
    fn new(subject: impl Into<String>, verdict: Verdict, explanation: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            verdict,
            explanation: explanation.into(),
        }
    }
}

/// Everything that was looked at.
#[derive(Clone, Debug)]
pub struct LiveReport {
    /// One entry for each secret, id and address.
    pub proofs: Vec<Proof>,
    /// Whether WeChat signed an answer. Without one, next to nothing was shown.
    pub has_signed_answer: bool,
}

impl LiveReport {
    /// Whether something is wrong, or WeChat gave no answer that can be believed.
    pub fn has_failed(&self) -> bool {
        !self.has_signed_answer || self.count(Verdict::Wrong) > 0
    }

    /// How many lines have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let proofs = self.proofs.iter();
        proofs.filter(|proof| proof.verdict == verdict).count()
    }
}

/// Why the check could not be made. What WeChat says against the configuration is in the report.
#[derive(Debug, thiserror::Error)]
pub enum LiveCheckError {
    /// There is no number to ask about without random bytes.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// A request breaks a rule of WeChat's.
    #[error("the request cannot be made: {0}")]
    Field(#[from] InvalidField),
}

/// Whether the check may leave a trace at WeChat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderCheck {
    /// No order is made.
    Skip,
    /// An order of one fen is made for each appid, and closed at once: it shows that the appid
    /// belongs to the merchant number.
    PlaceAndClose,
}

/// Asks WeChat, and the notify address, about everything in the configuration that they can
/// confirm.
pub async fn check_live(
    config: &Config,
    surroundings: &Surroundings,
    orders: OrderCheck,
) -> Result<LiveReport, LiveCheckError> {
    let check = Check::new(config, surroundings);
    let gateway = gateway::prove(&check).await?;
    let mut proofs = gateway.proofs;
    proofs.extend(applications::prove(&check).await?);
    proofs.extend(order::prove(&check, &gateway.working, orders).await?);
    proofs.extend(notify_address::prove(&check).await);
    proofs.extend(unasked(config));
    Ok(LiveReport {
        proofs,
        has_signed_answer: gateway.has_signed_answer,
    })
}

/// Secrets that nobody can be asked about.
fn unasked(config: &Config) -> Vec<Proof> {
    let mut proofs = Vec::new();
    if config.merchant.api_v2_key.is_some() {
        proofs.push(Proof::new(
            "merchant.api_v2_key",
            Verdict::NotProved,
            "only the notification of a refund that was made in WeChat's portal shows it",
        ));
    }
    for target in &config.webhooks {
        proofs.push(Proof::new(
            format!("webhooks.secret of {}", target.url),
            Verdict::NotProved,
            "only your backend can show it: compare it there, or look at the first message",
        ));
    }
    proofs
}

/// What all parts of the check share.
struct Check<'a> {
    config: &'a Config,
    surroundings: Surroundings,
    recorder: Arc<Recorder>,
}

impl<'a> Check<'a> {
    fn new(config: &'a Config, surroundings: &Surroundings) -> Self {
        let recorder = Arc::new(Recorder::new(surroundings));
        Self {
            config,
            surroundings: Surroundings {
                wechat: recorder.clone(),
                ..surroundings.clone()
            },
            recorder,
        }
    }

    /// A client that has learnt nothing from earlier calls, so that one answer does not change
    /// the next one.
    fn client(&self, config: &Config) -> WechatClient {
        WechatClient::new(config, &self.surroundings)
    }

    fn random_hex(&self) -> Result<String, NoRandomness> {
        Ok(hex(&self.surroundings.randomness.bytes()?))
    }

    /// A number that no order has.
    fn random_number(&self) -> Result<OutTradeNo, LiveCheckError> {
        Ok(OutTradeNo::parse(self.random_hex()?)?)
    }

    fn now_s(&self) -> i64 {
        self.surroundings.clock.now_ms().div_euclid(1000)
    }

    /// When the ledger last recorded a notification that opened with the APIv3 key of that time.
    /// A database that is not there yet is not made for this.
    async fn last_notification(&self) -> Option<Timestamp> {
        let Database::Sqlite(file) = &self.config.database;
        if !file.exists() {
            return None;
        }
        let ledger = Ledger::open_as_it_is(self.config).await.ok()?;
        let at_ms = ledger.last_opened_notification_ms().await.ok()??;
        Timestamp::from_second(at_ms.div_euclid(1000)).ok()
    }
}
