//! What WeChat can be asked about orders and refunds: one list, with an implementation for each
//! version. Nothing above this module knows which version answers.

use payment_values::{OutRefundNo, OutTradeNo};
use wechat_pay::{AppPayment, JsapiPayment};

use super::CallError;
use super::reports::{Closing, Placed, RefundReport, RefundStatus, TradeStatus};
use crate::ledger::{Attempt, Parties};

/// The questions. Each is one call, repeated as far as its policy allows.
pub(super) trait Questions {
    /// Sends an attempt's recorded order, which this version made.
    async fn place(&self, attempt: &Attempt) -> Result<Placed, CallError>;

    /// Queries an order of these parties.
    async fn query(&self, number: &OutTradeNo, parties: &Parties)
    -> Result<TradeStatus, CallError>;

    /// Closes an order. A number that WeChat does not know counts as closed.
    async fn close(&self, attempt: &Attempt) -> Result<Closing, CallError>;

    /// Reverses a payment by the buyer's code, whatever its state.
    async fn reverse(&self, attempt: &Attempt) -> Result<Closing, CallError>;

    /// The parameters of the cashier in a page or a mini-program, signed now.
    fn pay_parameters(&self, parties: &Parties, prepay_id: &str)
    -> Result<JsapiPayment, CallError>;

    /// The same for an app's SDK.
    fn app_parameters(&self, parties: &Parties, prepay_id: &str) -> Result<AppPayment, CallError>;

    /// Sends a refund's recorded body, which this version made.
    async fn send_refund(&self, body: Vec<u8>) -> Result<RefundReport, CallError>;

    /// Queries a refund of a payment of these parties.
    async fn query_refund(
        &self,
        number: &OutRefundNo,
        parties: &Parties,
    ) -> Result<RefundStatus, CallError>;
}
