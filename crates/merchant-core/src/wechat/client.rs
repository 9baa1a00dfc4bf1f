//! The client for one merchant: the state that every call to WeChat shares. How a call is sent is
//! in `exchange`.

use std::num::NonZeroU32;
use std::sync::Arc;

use wechat_pay::{Operation, Stamp};

use super::access_tokens::AccessTokens;
use super::call_budget::CallBudget;
use super::experience::Experience;
use super::trust::Trust;
use crate::config::{Config, Gateway, Merchant};
use crate::ledger::Spending;
use crate::surroundings::{Clock, NoRandomness, Randomness, Surroundings, WechatTransport};

/// The client for one merchant.
pub(crate) struct WechatClient {
    pub(crate) transport: Arc<dyn WechatTransport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) gateway: Gateway,
    pub(crate) merchant: Merchant,
    pub(crate) trust: Arc<Trust>,
    pub(crate) experience: Arc<Experience>,
    pub(crate) budget: Arc<CallBudget>,
    /// The tokens of mini-programs.
    pub(crate) tokens: Arc<AccessTokens>,
}

impl WechatClient {
    /// A client for the configured merchant.
    pub(crate) fn new(config: &Config, surroundings: &Surroundings) -> Self {
        Self {
            transport: surroundings.wechat.clone(),
            clock: surroundings.clock.clone(),
            randomness: surroundings.randomness.clone(),
            gateway: config.gateway.clone(),
            merchant: config.merchant.clone(),
            trust: Arc::new(Trust::new(config.merchant.trusted_keys.clone())),
            experience: Arc::default(),
            budget: Arc::new(CallBudget::new(
                config.gateway.calls_per_second,
                surroundings.clock.monotonic_ms(),
            )),
            tokens: Arc::default(),
        }
    }

    /// The same client, whose budget of calls is shared with the merchant's other servers.
    pub(crate) fn sharing(mut self, spending: &Spending) -> Self {
        self.budget = Arc::new(self.new_budget(self.budget.calls_per_second(), spending));
        self
    }

    fn new_budget(&self, calls_per_second: NonZeroU32, spending: &Spending) -> CallBudget {
        let budget = CallBudget::new(calls_per_second, self.clock.monotonic_ms());
        budget.sharing(spending, self.merchant.key.mchid())
    }

    /// The same client with a new configuration: its experience stays.
    pub(crate) fn reconfigured(&self, config: &Config) -> Self {
        self.trust
            .reconfigure(&self.merchant.trusted_keys, &config.merchant.trusted_keys);
        let calls_per_second = config.gateway.calls_per_second;
        let budget = if self.budget.calls_per_second() == calls_per_second {
            self.budget.clone()
        } else {
            Arc::new(self.new_budget(calls_per_second, self.budget.spending()))
        };
        Self {
            transport: self.transport.clone(),
            clock: self.clock.clone(),
            randomness: self.randomness.clone(),
            gateway: config.gateway.clone(),
            merchant: config.merchant.clone(),
            trust: self.trust.clone(),
            experience: self.experience.clone(),
            budget,
            // A token of an earlier secret stays valid until its end.
            tokens: self.tokens.clone(),
        }
    }

    /// If WeChat limited such calls, waits until the pause ends; returns whether there was one. For
    /// background work.
    pub(crate) async fn wait_out_pause(&self, operation: Operation) -> bool {
        let Some(until_ms) = self.experience.pause(operation, self.clock.monotonic_ms()) else {
            return false;
        };
        let wait_ms = until_ms - self.clock.monotonic_ms();
        self.clock.sleep_ms(wait_ms).await;
        true
    }

    pub(crate) fn stamp(&self) -> Result<Stamp, NoRandomness> {
        Ok(Stamp::new(self.now_s(), self.randomness.bytes()?))
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.clock.now_ms().div_euclid(1000)
    }
}
