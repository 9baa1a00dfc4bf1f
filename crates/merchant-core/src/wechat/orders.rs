//! The operations on orders at WeChat, by the version that made the order: place, query, close and
//! reverse, and the parameters that a cashier needs.

use payment_values::OutTradeNo;
use wechat_pay::{AppPayment, JsapiPayment};

use super::questions::Questions as _;
use super::reports::{Closing, Placed, TradeStatus};
use super::version::Version;
use super::{CallError, WechatClient};
use crate::ledger::{Attempt, Parties};

impl WechatClient {
    /// Sends an attempt's recorded order.
    pub(crate) async fn place_order(&self, attempt: &Attempt) -> Result<Placed, CallError> {
        match self.recorded_by(attempt.api)? {
            Version::V3(v3) => v3.place(attempt).await,
            Version::V2(v2) => v2.place(attempt).await,
        }
    }

    /// Queries an attempt's order.
    pub(crate) async fn query(&self, attempt: &Attempt) -> Result<TradeStatus, CallError> {
        let (number, parties) = (&attempt.out_trade_no, &attempt.parties);
        if attempt.is_combined {
            return self.query_combined(number).await;
        }
        match self.version(attempt.api) {
            Version::V3(v3) => v3.query(number, parties).await,
            Version::V2(v2) => v2.query(number, parties).await,
        }
    }

    /// Queries an order that no attempt made; in partner mode `sub_mchid` is its sub-merchant.
    pub(crate) async fn query_other(
        &self,
        number: &OutTradeNo,
        sub_mchid: Option<&str>,
    ) -> Result<TradeStatus, CallError> {
        let parties = self.parties(sub_mchid);
        match self.version(self.merchant.api) {
            Version::V3(v3) => v3.query(number, &parties).await,
            Version::V2(v2) => v2.query(number, &parties).await,
        }
    }

    /// Closes an attempt's order.
    pub(crate) async fn close(&self, attempt: &Attempt) -> Result<Closing, CallError> {
        if attempt.is_combined {
            return self.close_combined(attempt).await;
        }
        match self.version(attempt.api) {
            Version::V3(v3) => v3.close(attempt).await,
            Version::V2(v2) => v2.close(attempt).await,
        }
    }

    /// Reverses a code payment.
    pub(crate) async fn reverse(&self, attempt: &Attempt) -> Result<Closing, CallError> {
        match self.version(attempt.api) {
            Version::V3(v3) => v3.reverse(attempt).await,
            Version::V2(v2) => v2.reverse(attempt).await,
        }
    }

    /// Signs the cashier's parameters, with a fresh stamp each time.
    pub(crate) fn pay_parameters(
        &self,
        attempt: &Attempt,
        prepay_id: &str,
    ) -> Result<JsapiPayment, CallError> {
        match self.recorded_by(attempt.api)? {
            Version::V3(v3) => v3.pay_parameters(&attempt.parties, prepay_id),
            Version::V2(v2) => v2.pay_parameters(&attempt.parties, prepay_id),
        }
    }

    /// The same for an app's SDK.
    pub(crate) fn app_parameters(
        &self,
        attempt: &Attempt,
        prepay_id: &str,
    ) -> Result<AppPayment, CallError> {
        match self.recorded_by(attempt.api)? {
            Version::V3(v3) => v3.app_parameters(&attempt.parties, prepay_id),
            Version::V2(v2) => v2.app_parameters(&attempt.parties, prepay_id),
        }
    }

    /// The parties of an order of which only the sub-merchant is known.
    pub(crate) fn parties(&self, sub_mchid: Option<&str>) -> Parties {
        let appid = &self.merchant.appid;
        Parties {
            appid: appid.clone(),
            payer_appid: appid.clone(),
            sub_mchid: sub_mchid.map(str::to_owned),
            sub_appid: None,
        }
    }
}
