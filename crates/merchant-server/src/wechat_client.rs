//! WeChat Pay as this server speaks to it: order, query, close, and the openid behind a code.
//!
//! How a call is carried (tries, hosts, timeouts, whom to believe) is in the rooms below; what
//! comes back is believed only after it was verified. Nothing here decides what a refusal means
//! for an order.

mod counts;
mod exchange;
mod experience;
mod policy;
mod trust;

use std::sync::Arc;

use bytes::Bytes;
use merchant_api::Product;
use serde::Deserialize;
use wechat_pay::{
    H5Ordered, JsapiOrdered, JsapiPayment, KeyError, NativeOrdered, OpenId, Operation, OutTradeNo,
    ReplyError, Stamp, TradeState, Transaction, VerifiedReply, WechatError,
};

use crate::clock::Clock;
use crate::config::{Config, Gateway, Merchant};
use crate::randomness::{NoRandomness, Randomness};
use crate::server::Surroundings;
use crate::wechat_transport::{TransportError, WechatTransport};
use experience::Experience;
use trust::Trust;

pub use trust::{RefreshError, Refreshed};

/// Speaks to WeChat for one merchant.
pub(crate) struct WechatClient {
    pub(crate) transport: Arc<dyn WechatTransport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) gateway: Gateway,
    pub(crate) merchant: Merchant,
    pub(crate) trust: Arc<Trust>,
    pub(crate) experience: Arc<Experience>,
}

/// Where an order stands at WeChat.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// Money came; what WeChat says about it.
    Paid(Box<Transaction>),
    /// It waits for the buyer.
    NotPaid,
    /// Closed: its number is burnt.
    Closed,
    /// WeChat does not know the number.
    Unknown,
}

/// What closing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// It is closed.
    Closed,
    /// It cannot be closed: it is paid.
    Paid,
}

/// Why a call brought no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The call never left this machine.
    #[error("the call could not be signed: {0}")]
    Signing(#[from] KeyError),
    /// As above.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// As above: an address of ours that cannot be.
    #[error("the call could not be built: {0}")]
    Request(#[from] http::Error),
    /// The network.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// WeChat was asked too often a moment ago, and wants to be left alone for a while.
    #[error("WeChat wants a pause from such calls")]
    Paused {
        /// Until when, in milliseconds since 1970.
        until_ms: i64,
    },
    /// WeChat refused, or is not believed.
    #[error(transparent)]
    Reply(#[from] ReplyError),
}

impl CallError {
    /// What WeChat said, where it refused.
    pub(crate) fn wechat(&self) -> Option<&WechatError> {
        match self {
            Self::Reply(error) => error.wechat(),
            _ => None,
        }
    }

    /// WeChat's code, where WeChat said one.
    pub(crate) fn wechat_code(&self) -> Option<&str> {
        self.wechat().map(|error| error.code.as_str())
    }

    /// Whether WeChat signed the refusal, so that it can be concluded from.
    pub(crate) fn is_signed(&self) -> bool {
        self.wechat().is_some_and(|error| error.trusted)
    }

    /// Whether WeChat refused for good: the same call will be refused again.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Reply(error) => error
                .wechat()
                .is_some_and(|error| error.status < 500 && !error.is_retryable()),
            _ => false,
        }
    }

    /// Whether nothing happened at WeChat, and a later call may succeed.
    pub(crate) fn is_unavailable(&self) -> bool {
        match self {
            Self::Transport(TransportError::NotSent(_)) | Self::Paused { .. } => true,
            Self::Reply(error) => error.wechat().is_some_and(|error| error.status == 429),
            _ => false,
        }
    }
}

/// Why WeChat gave no openid.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoOpenId {
    /// The configuration has no `app_secret`.
    #[error("merchant.app_secret is not configured")]
    NoSecret,
    /// The network, or an address that cannot be.
    #[error(transparent)]
    Call(#[from] CallError),
    /// WeChat refused the code.
    #[error("WeChat refused the code with errcode {0}")]
    Refused(i64),
    /// The answer is not in the documented form.
    #[error("WeChat's answer is not in the documented form")]
    Malformed,
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
        }
    }

    /// Sends an order's body as it was written down; gives the link: `code_url`, `h5_url` or
    /// `prepay_id`.
    pub(crate) async fn place_order(
        &self,
        product: Product,
        body: Vec<u8>,
    ) -> Result<String, CallError> {
        let (route, read): (_, ReadLink) = match product {
            Product::H5 => (wechat_pay::Product::H5, |reply| {
                Ok(reply.parse::<H5Ordered>()?.h5_url)
            }),
            Product::Native => (wechat_pay::Product::Native, |reply| {
                Ok(reply.parse::<NativeOrdered>()?.code_url)
            }),
            Product::Jsapi | Product::MiniProgram => (wechat_pay::Product::Jsapi, |reply| {
                Ok(reply.parse::<JsapiOrdered>()?.prepay_id)
            }),
        };
        let reply = self
            .send(Operation::Order, wechat_pay::replay_order(route, body))
            .await?;
        Ok(read(&reply)?)
    }

    /// Asks where an order stands.
    pub(crate) async fn query(&self, number: &OutTradeNo) -> Result<Standing, CallError> {
        let parts = wechat_pay::query_by_out_trade_no(number, self.merchant.key.mchid());
        let reply = match self.send(Operation::Query, parts).await {
            Ok(reply) => reply,
            Err(error) if error.wechat_code() == Some("ORDER_NOT_EXIST") => {
                return Ok(Standing::Unknown);
            }
            Err(error) => return Err(error),
        };
        let transaction: Transaction = reply.parse()?;
        match &transaction.trade_state {
            state if state.is_paid() => Ok(Standing::Paid(Box::new(transaction))),
            TradeState::NotPay => Ok(Standing::NotPaid),
            TradeState::Closed => Ok(Standing::Closed),
            // Words of code pay, or of a later version: nothing may be concluded from them.
            _ => Err(ReplyError::Malformed.into()),
        }
    }

    /// Closes an order.
    pub(crate) async fn close(&self, number: &OutTradeNo) -> Result<Closing, CallError> {
        let parts = wechat_pay::close(number, self.merchant.key.mchid());
        match self.send(Operation::Close, parts).await {
            Ok(_) => Ok(Closing::Closed),
            Err(error) => match error.wechat_code() {
                // WeChat's documents print both.
                Some("ORDERPAID" | "ORDER_PAID") => Ok(Closing::Paid),
                Some("ORDER_CLOSED" | "ORDER_NOT_EXIST") => Ok(Closing::Closed),
                _ => Err(error),
            },
        }
    }

    /// Signs the cashier's parameters, with a fresh stamp each time.
    pub(crate) fn pay_parameters(
        &self,
        appid: &str,
        prepay_id: &str,
    ) -> Result<JsapiPayment, CallError> {
        let stamp = self.stamp()?;
        Ok(JsapiPayment::sign(self.key(), appid, prepay_id, &stamp)?)
    }

    /// Turns the code of the OAuth hop into the buyer's openid.
    pub(crate) async fn openid_of_code(&self, code: &str) -> Result<OpenId, NoOpenId> {
        let secret = self
            .merchant
            .app_secret
            .as_ref()
            .ok_or(NoOpenId::NoSecret)?;
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("appid", &self.merchant.appid)
            .append_pair("secret", secret.reveal())
            .append_pair("code", code)
            .append_pair("grant_type", "authorization_code")
            .finish();
        let address = format!(
            "{}/sns/oauth2/access_token?{query}",
            self.gateway.sns_origin
        );
        let request = http::Request::get(address)
            .header(http::header::ACCEPT, "application/json")
            .body(Bytes::new())
            .map_err(CallError::Request)?;
        let reply = self
            .transport
            .call(request)
            .await
            .map_err(CallError::Transport)?;
        let told: Told = serde_json::from_slice(reply.body()).map_err(|_| NoOpenId::Malformed)?;
        match (told.openid, told.errcode) {
            (Some(openid), None | Some(0)) => {
                OpenId::parse(openid).map_err(|_| NoOpenId::Malformed)
            }
            (_, Some(errcode)) => Err(NoOpenId::Refused(errcode)),
            (None, None) => Err(NoOpenId::Malformed),
        }
    }

    fn stamp(&self) -> Result<Stamp, NoRandomness> {
        Ok(Stamp::new(self.now_s(), self.randomness.bytes()?))
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.clock.now_ms().div_euclid(1000)
    }
}

/// Takes the link out of a verified answer.
type ReadLink = fn(&VerifiedReply) -> Result<String, ReplyError>;

/// The answer of `sns/oauth2/access_token`, as far as it concerns us.
#[derive(Deserialize)]
struct Told {
    openid: Option<String>,
    errcode: Option<i64>,
}
