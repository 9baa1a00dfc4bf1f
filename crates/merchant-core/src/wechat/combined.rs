//! Combined orders (合单支付): their own routes of version 3, which alone has them. What closes an order is
//! read from its recorded body, so that it cannot differ from what was ordered.

use payment_values::OutTradeNo;
use wechat_pay::{
    CombinedClosing, CombinedOrder, InvalidField, Operation, close_combined_order,
    query_combined_order,
};

use super::WechatClient;
use super::call_error::{CallError, Reason, read_noting};
use super::reports::{Closing, OrderReport, TradeStatus};
use super::v3::{V3, closing};
use super::version::Version;
use crate::config::Api;
use crate::ledger::Attempt;

/// The body of a combined order.
pub(crate) fn combined_order_body(order: &CombinedOrder) -> Result<Vec<u8>, InvalidField> {
    Ok(order.request()?.body.to_vec())
}

impl WechatClient {
    /// Queries a combined order. The query of ordinary orders does not find one.
    pub(crate) async fn query_combined(
        &self,
        number: &OutTradeNo,
    ) -> Result<TradeStatus, CallError> {
        let v3 = self.combining()?;
        match v3
            .0
            .send(Operation::Query, query_combined_order(number))
            .await
        {
            Ok(reply) => {
                let combined = read_noting(&reply)?;
                TradeStatus::of(OrderReport::combined(combined, reply.body()))
            }
            Err(error) if error.reason() == Some(Reason::OrderUnknown) => Ok(TradeStatus::Unknown),
            Err(error) => Err(error),
        }
    }

    /// Closes an attempt's combined order. WeChat does not close one that it does not know: no buyer can have
    /// its link then, because WeChat never gave one.
    pub(super) async fn close_combined(&self, attempt: &Attempt) -> Result<Closing, CallError> {
        let v3 = self.combining()?;
        let body = CombinedClosing::of_order(&attempt.body).map_err(CallError::RecordedOrder)?;
        let parts = close_combined_order(&attempt.out_trade_no, &body);
        closing(v3.0.send(Operation::Close, parts).await)
    }

    /// Version 3, while the configuration has its key.
    fn combining(&self) -> Result<V3<'_>, CallError> {
        match self.recorded_by(Api::V3)? {
            Version::V3(v3) => Ok(v3),
            Version::V2(_) => Err(CallError::NoKey),
        }
    }
}
