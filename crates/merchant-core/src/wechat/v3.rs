//! Version 3: what WeChat can be asked, in JSON. Nothing here decides what an answer means for an
//! order.

use merchant_api::AttemptProduct;
use payment_values::{OutRefundNo, OutTradeNo};
use wechat_pay::{
    Account, AppOrdered, AppPayment, H5Ordered, JsapiOrdered, JsapiPayment, NativeOrdered,
    Operation, ReplyError, VerifiedReply, replay_refund,
};

use super::call_error::{CallError, Reason, read_noting};
use super::client::WechatClient;
use super::questions::Questions;
use super::reports::{Closing, OrderReport, Placed, RefundReport, RefundStatus, TradeStatus};
use crate::ledger::{Attempt, Parties};

/// The client, speaking version 3.
pub(super) struct V3<'a>(pub(super) &'a WechatClient);

impl Questions for V3<'_> {
    async fn place(&self, attempt: &Attempt) -> Result<Placed, CallError> {
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
        let body = attempt.body.clone();
        let parts = if attempt.is_combined {
            wechat_pay::replay_combined_order(route, body)
        } else {
            wechat_pay::replay_order(&self.account(&attempt.parties), route, body)
        };
        let reply = self.0.send(Operation::Order, parts).await?;
        Ok(Placed::Link {
            text: read(&reply)?,
            prepay_id: None,
        })
    }

    async fn query(
        &self,
        number: &OutTradeNo,
        parties: &Parties,
    ) -> Result<TradeStatus, CallError> {
        let parts = wechat_pay::query_by_out_trade_no(&self.account(parties), number);
        match self.0.send(Operation::Query, parts).await {
            Ok(reply) => TradeStatus::of(order_report(&reply)?),
            Err(error) if error.reason() == Some(Reason::OrderUnknown) => Ok(TradeStatus::Unknown),
            Err(error) => Err(error),
        }
    }

    async fn close(&self, attempt: &Attempt) -> Result<Closing, CallError> {
        let account = self.account(&attempt.parties);
        let parts = wechat_pay::close(&account, &attempt.out_trade_no);
        closing(self.0.send(Operation::Close, parts).await)
    }

    /// If WeChat does not know the number, it is closed, so that a delayed order cannot become
    /// payable.
    async fn reverse(&self, attempt: &Attempt) -> Result<Closing, CallError> {
        let orderer = attempt.parties.orderer(self.0.merchant.key.mchid());
        let parts = wechat_pay::reverse(&orderer, &attempt.out_trade_no)?;
        match self.0.send(Operation::Reverse, parts).await {
            // The answer only repeats the request; its signature confirms the reversal.
            Ok(_) => Ok(Closing::Closed),
            Err(error) if error.reason() == Some(Reason::OrderUnknown) => self.close(attempt).await,
            Err(error) => Err(error),
        }
    }

    fn pay_parameters(
        &self,
        parties: &Parties,
        prepay_id: &str,
    ) -> Result<JsapiPayment, CallError> {
        let stamp = self.0.stamp()?;
        let appid = &parties.payer_appid;
        Ok(JsapiPayment::sign(self.0.key(), appid, prepay_id, &stamp)?)
    }

    fn app_parameters(&self, parties: &Parties, prepay_id: &str) -> Result<AppPayment, CallError> {
        let stamp = self.0.stamp()?;
        let key = self.0.key();
        let partnerid = parties.sub_mchid.as_deref().unwrap_or(key.mchid());
        let appid = &parties.payer_appid;
        Ok(AppPayment::sign_for(
            key, partnerid, appid, prepay_id, &stamp,
        )?)
    }

    async fn send_refund(&self, body: Vec<u8>) -> Result<RefundReport, CallError> {
        let parts = replay_refund(body);
        let reply = self.0.send(Operation::Refund, parts).await?;
        Ok(refund_report(&reply)?)
    }

    async fn query_refund(
        &self,
        number: &OutRefundNo,
        parties: &Parties,
    ) -> Result<RefundStatus, CallError> {
        let parts = wechat_pay::query_refund(number, parties.sub_mchid.as_deref());
        match self.0.send(Operation::RefundQuery, parts).await {
            Ok(reply) => Ok(RefundStatus::Known(Box::new(refund_report(&reply)?))),
            Err(error) if error.reason() == Some(Reason::ResourceUnknown) => {
                Ok(RefundStatus::Unknown {
                    is_signed: error.is_signed(),
                })
            }
            Err(error) => Err(error),
        }
    }
}

impl V3<'_> {
    async fn place_code_payment(&self, attempt: &Attempt) -> Result<TradeStatus, CallError> {
        let account = self.account(&attempt.parties);
        let parts = wechat_pay::replay_code_pay_order(&account, attempt.body.clone());
        let reply = self.0.send(Operation::CodePay, parts).await?;
        TradeStatus::of(order_report(&reply)?)
    }

    /// The merchant's own account, or that of a sub-merchant it acts for.
    fn account(&self, parties: &Parties) -> Account {
        Account::new(self.0.merchant.key.mchid(), parties.sub_mchid.as_deref())
    }
}

/// Takes the link out of a verified answer.
type ReadLink = fn(&VerifiedReply) -> Result<String, ReplyError>;

/// What the answer to a close says about the order.
pub(super) fn closing(answer: Result<VerifiedReply, CallError>) -> Result<Closing, CallError> {
    let Err(error) = answer else {
        return Ok(Closing::Closed);
    };
    match error.reason() {
        Some(Reason::Paid) => Ok(Closing::Paid),
        // Only a signed answer ends an order: an unsigned one can be forged.
        Some(Reason::Closed | Reason::OrderUnknown) if error.is_signed() => Ok(Closing::Closed),
        _ => Err(error),
    }
}

/// What an answer says about an order.
fn order_report(reply: &VerifiedReply) -> Result<OrderReport, ReplyError> {
    Ok(OrderReport::new(read_noting(reply)?, reply.body()))
}

/// What an answer says about a refund.
pub(super) fn refund_report(reply: &VerifiedReply) -> Result<RefundReport, ReplyError> {
    Ok(RefundReport {
        refund: read_noting(reply)?,
        json: String::from_utf8_lossy(reply.body()).into_owned(),
    })
}
