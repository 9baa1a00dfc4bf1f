//! Orders that no attempt made, by the version that makes the merchant's orders: `check-config` places
//! one to see whether an appid belongs to the merchant. Nothing here is recorded.

use payment_values::OutTradeNo;
use wechat_pay::v2::{self, UnifiedOrder};
use wechat_pay::{Operation, Order, Orderer, close};

use super::bodies::ORDERED_FROM;
use super::v2::V2;
use super::version::Version;
use super::{CallError, WechatClient};

impl WechatClient {
    /// Places an order.
    pub(crate) async fn place_trial_order(&self, order: Order) -> Result<(), CallError> {
        match self.version(self.merchant.api) {
            Version::V3(_) => {
                let answer = self.send(Operation::Order, order.request()?).await;
                answer.map(drop)
            }
            Version::V2(V2 { key, kind, .. }) => {
                let request = UnifiedOrder::new(order, ORDERED_FROM).request()?;
                self.send_v2(request, key, kind).await.map(drop)
            }
        }
    }

    /// Closes it.
    pub(crate) async fn close_trial_order(
        &self,
        orderer: &Orderer,
        number: &OutTradeNo,
    ) -> Result<(), CallError> {
        match self.version(self.merchant.api) {
            Version::V3(_) => {
                let parts = close(&orderer.account, number);
                self.send(Operation::Close, parts).await.map(drop)
            }
            Version::V2(V2 { key, kind, .. }) => {
                let request = v2::close(orderer, number)?;
                self.send_v2(request, key, kind).await.map(drop)
            }
        }
    }
}
