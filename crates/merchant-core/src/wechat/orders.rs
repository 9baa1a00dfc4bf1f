//! The operations on orders at WeChat: place, query, close and reverse, in either mode, and the
//! parameters that a cashier needs. Nothing here decides what an answer means for an order.

use merchant_api::AttemptProduct;
use wechat_pay::{
    Account, AppOrdered, AppPayment, H5Ordered, JsapiOrdered, JsapiPayment, NativeOrdered,
    Operation, OutTradeNo, ReplyError, RequestParts, TradeState, Transaction, Unreadable,
    VerifiedReply,
};

use super::{CallError, WechatClient, read_noting};
use crate::ledger::{Attempt, Parties};

/// WeChat's report about an order, in either mode.
#[derive(Clone, Debug)]
pub(crate) struct OrderReport {
    /// In partner mode `appid` and `mchid` are the provider's.
    pub(crate) transaction: Transaction,
    /// Partner mode: the sub-merchant.
    pub(crate) sub_mchid: Option<String>,
    /// Partner mode: the sub-merchant's application, if the order named one.
    pub(crate) sub_appid: Option<String>,
    /// WeChat's whole answer, for the records.
    pub(crate) json: String,
}

impl OrderReport {
    /// WeChat's report about an order; `json` is the text that WeChat sent.
    pub(crate) fn new(transaction: Transaction, json: &[u8]) -> Self {
        Self {
            json: String::from_utf8_lossy(json).into_owned(),
            sub_mchid: transaction.sub_mchid.clone(),
            sub_appid: transaction.sub_appid.clone(),
            transaction,
        }
    }
}

/// The state of an order at WeChat.
#[derive(Clone, Debug)]
pub(crate) enum TradeStatus {
    /// The order is paid; WeChat's report.
    Paid(Box<OrderReport>),
    /// The order waits for the buyer.
    NotPaid,
    /// Closed or reversed: the number cannot be used again.
    Closed,
    /// Code payment: the bank refused. It must be reversed, so that it cannot succeed later.
    Failed,
    /// WeChat does not know the number.
    Unknown,
}

/// The result of placing an order.
#[derive(Clone, Debug)]
pub(crate) enum Placed {
    /// The link or parameter for the cashier: `code_url`, `h5_url` or `prepay_id`.
    Link(String),
    /// Code payment: the payment's state.
    Status(TradeStatus),
}

/// The result of closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// It is closed.
    Closed,
    /// The order cannot be closed: it is paid.
    Paid,
}

impl WechatClient {
    /// Sends an attempt's recorded order.
    pub(crate) async fn place_order(&self, attempt: &Attempt) -> Result<Placed, CallError> {
        let (route, read): (_, ReadLink) = match attempt.product {
            AttemptProduct::H5 => (wechat_pay::Product::H5, |reply| {
                Ok(reply.parse::<H5Ordered>()?.h5_url)
            }),
            AttemptProduct::Native => (wechat_pay::Product::Native, |reply| {
                Ok(reply.parse::<NativeOrdered>()?.code_url)
            }),
            AttemptProduct::Jsapi | AttemptProduct::MiniProgram => {
                (wechat_pay::Product::Jsapi, |reply| {
                    Ok(reply.parse::<JsapiOrdered>()?.prepay_id)
                })
            }
            AttemptProduct::App => (wechat_pay::Product::App, |reply| {
                Ok(reply.parse::<AppOrdered>()?.prepay_id)
            }),
            AttemptProduct::CodePay => {
                return self.place_code_payment(attempt).await.map(Placed::Status);
            }
        };
        let account = self.account(attempt.parties.sub_mchid.as_deref());
        let parts = wechat_pay::replay_order(&account, route, attempt.body.clone());
        let reply = self.send(Operation::Order, parts).await?;
        Ok(Placed::Link(read(&reply)?))
    }

    async fn place_code_payment(&self, attempt: &Attempt) -> Result<TradeStatus, CallError> {
        let account = self.account(attempt.parties.sub_mchid.as_deref());
        let parts = wechat_pay::replay_code_pay_order(&account, attempt.body.clone());
        let reply = self.send(Operation::CodePay, parts).await?;
        trade_status(order_report(&reply)?)
    }

    /// Queries an order; in partner mode `sub_mchid` is its sub-merchant.
    pub(crate) async fn query(
        &self,
        number: &OutTradeNo,
        sub_mchid: Option<&str>,
    ) -> Result<TradeStatus, CallError> {
        let parts = wechat_pay::query_by_out_trade_no(&self.account(sub_mchid), number);
        let reply = match self.send(Operation::Query, parts).await {
            Ok(reply) => reply,
            Err(error) if error.wechat_code() == Some("ORDER_NOT_EXIST") => {
                return Ok(TradeStatus::Unknown);
            }
            Err(error) => return Err(error),
        };
        trade_status(order_report(&reply)?)
    }

    /// Closes an order.
    pub(crate) async fn close(
        &self,
        number: &OutTradeNo,
        sub_mchid: Option<&str>,
    ) -> Result<Closing, CallError> {
        let parts = wechat_pay::close(&self.account(sub_mchid), number);
        self.end(parts).await
    }

    /// Reverses a code payment. If WeChat does not know the number, it is closed, so that a delayed
    /// order cannot become payable.
    pub(crate) async fn reverse(
        &self,
        number: &OutTradeNo,
        parties: &Parties,
    ) -> Result<Closing, CallError> {
        let orderer = parties.orderer(self.merchant.key.mchid());
        let parts = wechat_pay::reverse(&orderer, number)?;
        match self.send(Operation::Reverse, parts).await {
            // The answer only repeats the request; its signature confirms the reversal.
            Ok(_) => Ok(Closing::Closed),
            Err(error) if error.wechat_code() == Some("ORDER_NOT_EXIST") => {
                self.close(number, parties.sub_mchid.as_deref()).await
            }
            Err(error) => Err(error),
        }
    }

    /// Signs the cashier's parameters, with a fresh stamp each time.
    pub(crate) fn pay_parameters(
        &self,
        parties: &Parties,
        prepay_id: &str,
    ) -> Result<JsapiPayment, CallError> {
        let stamp = self.stamp()?;
        let key = self.key();
        Ok(JsapiPayment::sign(
            key,
            &parties.payer_appid,
            prepay_id,
            &stamp,
        )?)
    }

    /// The same for an app's SDK.
    pub(crate) fn app_parameters(
        &self,
        parties: &Parties,
        prepay_id: &str,
    ) -> Result<AppPayment, CallError> {
        let stamp = self.stamp()?;
        let key = self.key();
        let partnerid = parties.sub_mchid.as_deref().unwrap_or(key.mchid());
        Ok(AppPayment::sign_for(
            key,
            partnerid,
            &parties.payer_appid,
            prepay_id,
            &stamp,
        )?)
    }

    /// The merchant's own account, or that of a sub-merchant it acts for.
    fn account(&self, sub_mchid: Option<&str>) -> Account {
        Account::new(self.merchant.key.mchid(), sub_mchid)
    }

    async fn end(&self, parts: RequestParts) -> Result<Closing, CallError> {
        match self.send(Operation::Close, parts).await {
            Ok(_) => Ok(Closing::Closed),
            Err(error) => match error.wechat_code() {
                // WeChat's documents have both spellings.
                Some("ORDERPAID" | "ORDER_PAID") => Ok(Closing::Paid),
                // Only a signed answer ends an order: an unsigned one can be forged.
                Some("ORDER_CLOSED" | "ORDER_NOT_EXIST") if error.is_signed() => {
                    Ok(Closing::Closed)
                }
                _ => Err(error),
            },
        }
    }
}

/// Takes the link out of a verified answer.
type ReadLink = fn(&VerifiedReply) -> Result<String, ReplyError>;

/// What an answer says about an order.
fn order_report(reply: &VerifiedReply) -> Result<OrderReport, ReplyError> {
    Ok(OrderReport::new(read_noting(reply)?, reply.body()))
}

fn trade_status(report: OrderReport) -> Result<TradeStatus, CallError> {
    match &report.transaction.trade_state {
        state if state.is_paid() => Ok(TradeStatus::Paid(Box::new(report))),
        TradeState::NotPay | TradeState::UserPaying => Ok(TradeStatus::NotPaid),
        TradeState::Closed | TradeState::Revoked => Ok(TradeStatus::Closed),
        TradeState::PayError => Ok(TradeStatus::Failed),
        // An unknown status has no effect.
        _ => Err(ReplyError::Malformed(Unreadable::unknown_word("trade_state")).into()),
    }
}
