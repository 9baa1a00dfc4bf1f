//! What all parts of a live check share. Each client that it makes has learnt nothing yet.

use std::sync::Arc;

use jiff::Timestamp;
use wechat_pay::OutTradeNo;

use super::recorder::Recorder;
use super::report::LiveCheckError;
use crate::config::{Config, Database};
use crate::ledger::Ledger;
use crate::surroundings::{NoRandomness, Surroundings, hex};
use crate::wechat::WechatClient;

/// What all parts of the check share.
pub(super) struct Check<'a> {
    pub(super) config: &'a Config,
    pub(super) surroundings: Surroundings,
    pub(super) recorder: Arc<Recorder>,
}

impl<'a> Check<'a> {
    pub(super) fn new(config: &'a Config, surroundings: &Surroundings) -> Self {
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
    pub(super) fn client(&self, config: &Config) -> WechatClient {
        WechatClient::new(config, &self.surroundings)
    }

    pub(super) fn random_hex(&self) -> Result<String, NoRandomness> {
        Ok(hex(&self.surroundings.randomness.bytes()?))
    }

    /// A number that no order has.
    pub(super) fn random_number(&self) -> Result<OutTradeNo, LiveCheckError> {
        Ok(OutTradeNo::parse(self.random_hex()?)?)
    }

    pub(super) fn now_s(&self) -> i64 {
        self.surroundings.clock.now_ms().div_euclid(1000)
    }

    /// When the ledger last recorded a notification that opened with the APIv3 key of that time.
    /// A database that is not there yet is not made for this.
    pub(super) async fn last_notification(&self) -> Option<Timestamp> {
        let Database::Sqlite(file) = &self.config.database;
        if !file.exists() {
            return None;
        }
        let ledger = Ledger::open_as_it_is(self.config).await.ok()?;
        let at_ms = ledger.last_opened_notification_ms().await.ok()??;
        Timestamp::from_second(at_ms.div_euclid(1000)).ok()
    }
}
