//! The gateway's answer to a query about an order that does not exist, and the value that it
//! blames.

use wechat_pay::{Account, Operation, ReplyError, WechatError};

use super::recorder::Seen;
use super::{Check, LiveCheckError};
use crate::config::Config;
use crate::wechat::CallError;

pub(super) const PORTAL: &str = "账户中心 → API 安全 in the merchant portal";

/// The answer to a query.
pub(super) enum Answer {
    /// WeChat signed the answer, so it knows the merchant number, the serial and the key. The value
    /// is WeChat's refusal, unless WeChat only said that there is no such order.
    Signed(Option<Box<WechatError>>),
    /// No answer that can be trusted.
    Failed(CallError),
}

pub(super) struct Probe {
    pub(super) answer: Answer,
    pub(super) seen: Option<Seen>,
}

impl Probe {
    pub(super) fn is_signed(&self) -> bool {
        matches!(self.answer, Answer::Signed(_))
    }

    /// WeChat's refusal, signed or not.
    pub(super) fn refusal(&self) -> Option<&WechatError> {
        match &self.answer {
            Answer::Signed(refusal) => refusal.as_deref(),
            Answer::Failed(error) => error.wechat(),
        }
    }

    pub(super) fn signed_by(&self) -> Option<&str> {
        self.seen.as_ref()?.serial.as_deref()
    }
}

/// Queries a random number; a service provider queries for its first sub-merchant.
pub(super) async fn ask(check: &Check<'_>, config: &Config) -> Result<Probe, LiveCheckError> {
    let sub = config.merchant.sub_merchants.first();
    ask_for(check, config, sub.map(|sub| &*sub.sub_mchid)).await
}

pub(super) async fn ask_for(
    check: &Check<'_>,
    config: &Config,
    sub_mchid: Option<&str>,
) -> Result<Probe, LiveCheckError> {
    let number = check.random_number()?;
    let account = Account::new(config.merchant.key.mchid(), sub_mchid);
    let parts = wechat_pay::query_by_out_trade_no(&account, &number);
    let answered = check.client(config).send(Operation::Query, parts).await;
    let answer = match answered {
        Ok(_) => Answer::Signed(None),
        Err(CallError::Reply(ReplyError::Wechat(refusal))) if refusal.trusted => {
            Answer::Signed((refusal.code != "ORDER_NOT_EXIST").then_some(refusal))
        }
        Err(error) => Answer::Failed(error),
    };
    Ok(Probe {
        answer,
        seen: check.recorder.take(),
    })
}

/// What an unsigned refusal of WeChat's is about, by WeChat's documented messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    Clock,
    MerchantNumber,
    SerialNumber,
    PrivateKey,
    Certificate,
    PublicKeyId,
}

pub(super) fn blame(asked: &Probe) -> Option<Blame> {
    let refusal = asked.refusal();
    let unbelieved = asked.seen.as_ref().and_then(|seen| seen.message.as_deref());
    let message = refusal.map(|said| &*said.message).or(unbelieved)?;
    let says = |words: &str| message.contains(words);
    if says("timestamp") {
        Some(Blame::Clock)
    } else if says("未申请过证书") || refusal.is_some_and(|said| said.code == "MCH_NOT_EXISTS")
    {
        Some(Blame::MerchantNumber)
    } else if says("序列号有误") {
        Some(Blame::SerialNumber)
    } else if says("证书已过期") || says("证书已作废") || says("已更换证书") {
        Some(Blame::Certificate)
    } else if says("Wechatpay-Serial") {
        Some(Blame::PublicKeyId)
    } else if says("签名错误") {
        Some(Blame::PrivateKey)
    } else {
        None
    }
}

pub(super) fn failure_of(asked: &Probe) -> String {
    match &asked.answer {
        Answer::Signed(None) => String::new(),
        Answer::Signed(Some(refusal)) => refusal.to_string(),
        Answer::Failed(error) => error.to_string(),
    }
}
