//! The state that all parts of a live check share. Each client that it creates is new and has no
//! experience of earlier calls.

use std::sync::Arc;

use jiff::Timestamp;
use wechat_pay::{OutTradeNo, lower_hex};

use super::recorder::Recorder;
use super::report::LiveCheckError;
use crate::config::{Config, Database};
use crate::ledger::Ledger;
use crate::surroundings::{NoRandomness, Surroundings};
use crate::wechat::WechatClient;

/// The state that all parts of the check share.
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

    /// A client without experience of earlier calls, so that one answer does not affect the next
    /// call.
    pub(super) fn client(&self, config: &Config) -> WechatClient {
        WechatClient::new(config, &self.surroundings)
    }

    pub(super) fn random_hex(&self) -> Result<String, NoRandomness> {
        Ok(lower_hex(&self.surroundings.randomness.bytes()?))
    }

    /// A number that no order has.
    pub(super) fn random_number(&self) -> Result<OutTradeNo, LiveCheckError> {
        Ok(OutTradeNo::parse(self.random_hex()?)?)
    }

    pub(super) fn now_s(&self) -> i64 {
        self.surroundings.clock.now_ms().div_euclid(1000)
    }

    /// When the ledger last recorded a notification that the APIv3 key of that time decrypted. A
    /// missing database is not created.
    pub(super) async fn last_notification(&self) -> Option<Timestamp> {
        if let Database::Sqlite(file) = &self.config.database
            && !file.exists()
        {
            return None;
        }
        let ledger = Ledger::open_as_it_is(self.config).await.ok()?;
        let at_ms = ledger.last_opened_notification_ms().await.ok()??;
        Timestamp::from_second(at_ms.div_euclid(1000)).ok()
    }
}
