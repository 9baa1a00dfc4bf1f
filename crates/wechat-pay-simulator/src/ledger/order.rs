//! One order at WeChat: the request, its links, and its payment.
//!
//! Plain data. Whether an order is open, expired or closed depends on the time that the caller
//! gives; nothing here changes because time passes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wechat_pay::v2::SignType;
use wechat_pay::{Fen, TradeState, TradeType, beijing_time};

use crate::clock::after;

/// The lifetime of a code or a `prepay_id`.
pub(crate) const LINK_LIFETIME_S: i64 = 2 * 60 * 60;
/// The lifetime of an H5 page.
pub(crate) const H5_LIFETIME_S: i64 = 5 * 60;
/// After this time an unpaid order is closed; also its default deadline.
pub(crate) const AUTO_CLOSE_S: i64 = 7 * 24 * 60 * 60;
/// The earliest deadline; an earlier one is silently moved.
pub(crate) const SHORTEST_DEADLINE_S: i64 = 60;

/// The product; each has its own route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Product {
    Jsapi,
    H5,
    Native,
    App,
    /// The merchant scans the buyer's code.
    CodePay,
}

/// Merchant number and the merchant's number of the order: together they are unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct OrderKey {
    /// The number of the signing merchant, in partner mode the partner's.
    pub(crate) mchid: String,
    /// Partner mode: the sub-merchant.
    pub(crate) sub_mchid: Option<String>,
    /// The merchant's number.
    pub(crate) out_trade_no: String,
    /// Whether it is the number of a combined order: one of its sub-orders may have the same.
    #[serde(default)]
    pub(crate) is_combined: bool,
}

/// The key of WeChat's side that signs replies and notifications for a merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ReplyKey {
    /// The key of the platform certificate.
    PlatformCertificate,
    /// `PUB_KEY_ID_…`, if the merchant requested it.
    PublicKey,
}

/// The protocol of a request. An order's notification has the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Protocol {
    /// APIv3.
    #[default]
    V3,
    /// Version 2, signed with MD5.
    V2Md5,
    /// Version 2, signed with HMAC-SHA256.
    V2HmacSha256,
}

/// Whether an order is paid alone. A combined order holds the links and the payment's notification; the
/// money is in its sub-orders, each an order of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Combination {
    #[default]
    None,
    /// A combined order, by its sub-orders as the request names them.
    Of(Vec<OrderKey>),
    /// A sub-order of this combined order.
    PartOf(OrderKey),
}

/// A checked request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OrderRequest {
    pub(crate) key: OrderKey,
    /// The application; in partner mode the partner's.
    pub(crate) appid: String,
    /// Partner mode: the sub-merchant's application, if it has one.
    pub(crate) sub_appid: Option<String>,
    pub(crate) product: Product,
    pub(crate) description: String,
    pub(crate) attach: Option<String>,
    pub(crate) total: Fen,
    pub(crate) notify_url: String,
    /// Only for JSAPI: under [`OrderRequest::payer_appid`].
    pub(crate) openid: Option<String>,
    /// The openid is of `sub_appid`.
    pub(crate) openid_is_sub: bool,
    pub(crate) time_expire: Option<Timestamp>,
    pub(crate) reply_key: ReplyKey,
    #[serde(default)]
    pub(crate) protocol: Protocol,
    #[serde(default)]
    pub(crate) combination: Combination,
    /// The whole body: a repeated request must have the same values. Of a sub-order, its part of the body.
    pub(crate) body: Value,
}

/// An order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) request: OrderRequest,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) closed_by_merchant: bool,
    pub(crate) links: Vec<Link>,
    pub(crate) payment: Option<Payment>,
    /// Code pay: the merchant reversed it.
    pub(crate) reversed: bool,
    /// Code pay: the buyer's bank refused.
    pub(crate) failed: bool,
    /// Code pay: the buyer whose phone asks for a password.
    pub(crate) code_payer: Option<u8>,
    /// The sum of refunds that were not closed, in fen.
    pub(crate) refunded: Fen,
    /// When the last refund was requested, and the number of refunds.
    pub(crate) refund_asked_at: Option<Timestamp>,
    pub(crate) refund_count: u32,
}

/// A link to the cashier. Ordering again makes another one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) prepay_id: String,
    /// Only for Native.
    pub(crate) code_url: Option<String>,
    /// The number in an `h5_url`; only for H5.
    pub(crate) h5_package: Option<String>,
    pub(crate) issued_at: Timestamp,
    /// The openid of the buyer who opened it first: only this buyer can use a code or an H5 page.
    pub(crate) opened_by: Option<String>,
}

/// A payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Payment {
    /// Empty for a combined order: its sub-orders have the numbers.
    pub(crate) transaction_id: String,
    pub(crate) openid: String,
    pub(crate) sub_openid: Option<String>,
    pub(crate) payer_total: Fen,
    pub(crate) paid_at: Timestamp,
}

impl Combination {
    /// The sub-orders of a combined order.
    pub(crate) fn sub_orders(&self) -> &[OrderKey] {
        match self {
            Self::Of(sub_orders) => sub_orders,
            Self::None | Self::PartOf(_) => &[],
        }
    }

    /// The combined order of a sub-order.
    pub(crate) fn whole(&self) -> Option<&OrderKey> {
        match self {
            Self::PartOf(whole) => Some(whole),
            Self::None | Self::Of(_) => None,
        }
    }
}

impl Protocol {
    /// The protocol of a request of version 2.
    pub(crate) fn v2(sign_type: SignType) -> Self {
        match sign_type {
            SignType::Md5 => Self::V2Md5,
            SignType::HmacSha256 => Self::V2HmacSha256,
        }
    }

    /// The kind of signature, in version 2.
    pub(crate) fn sign_type(self) -> Option<SignType> {
        match self {
            Self::V3 => None,
            Self::V2Md5 => Some(SignType::Md5),
            Self::V2HmacSha256 => Some(SignType::HmacSha256),
        }
    }
}

/// How a link is used; each use has its own lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkUse {
    PrepayId,
    Code,
    H5Page,
}

impl Order {
    /// `deadline_cap_days` limits the deadline of the request.
    pub(crate) fn new(request: OrderRequest, deadline_cap_days: u8, now: Timestamp) -> Self {
        let last = after(now, i64::from(deadline_cap_days) * 24 * 60 * 60);
        let expires_at = request.time_expire.map_or_else(
            || after(now, AUTO_CLOSE_S).min(last),
            |asked| asked.max(after(now, SHORTEST_DEADLINE_S)).min(last),
        );
        Self {
            request,
            created_at: now,
            expires_at,
            closed_by_merchant: false,
            links: Vec::new(),
            payment: None,
            reversed: false,
            failed: false,
            code_payer: None,
            refunded: Fen::ZERO,
            refund_asked_at: None,
            refund_count: 0,
        }
    }

    /// The application of the buyer's openid.
    pub(crate) fn payer_appid(&self) -> &str {
        let request = &self.request;
        match &request.sub_appid {
            Some(sub_appid) if request.openid_is_sub => sub_appid,
            _ => &request.appid,
        }
    }

    /// Whether the order was made for profit sharing, by either version.
    pub(crate) fn is_for_sharing(&self) -> bool {
        let body = &self.request.body;
        body["settle_info"]["profit_sharing"] == true || body["profit_sharing"] == "Y"
    }

    /// Whether it is neither a combined order nor one of its sub-orders.
    pub(crate) fn is_alone(&self) -> bool {
        self.request.combination == Combination::None
    }

    pub(crate) fn trade_state(&self, now: Timestamp) -> TradeState {
        let is_code_pay = self.request.product == Product::CodePay;
        if self.reversed {
            TradeState::Revoked
        } else if self.payment.is_some() && self.refunded > Fen::ZERO {
            TradeState::Refund
        } else if self.payment.is_some() {
            TradeState::Success
        } else if self.failed {
            TradeState::PayError
        } else if is_code_pay {
            TradeState::UserPaying
        } else if self.closed_by_merchant || now >= self.closes_at() {
            TradeState::Closed
        } else {
            TradeState::NotPay
        }
    }

    /// An order closes by itself after seven days, but not while it can still be paid.
    fn closes_at(&self) -> Timestamp {
        after(self.created_at, AUTO_CLOSE_S).max(self.expires_at)
    }

    /// After its deadline an order cannot be paid; it stays unpaid until it is closed.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// Whether this link is still valid.
    pub(crate) fn link_is_live(&self, link: &Link, used: LinkUse, now: Timestamp) -> bool {
        let lifetime_s = match used {
            LinkUse::PrepayId | LinkUse::Code => LINK_LIFETIME_S,
            LinkUse::H5Page => H5_LIFETIME_S,
        };
        // A new code replaces the old one; an old prepay_id stays valid.
        let replaced = used == LinkUse::Code
            && self
                .links
                .last()
                .is_some_and(|last| last.prepay_id != link.prepay_id);
        !replaced && now < after(link.issued_at, lifetime_s)
    }

    pub(crate) fn trade_type(&self) -> TradeType {
        match self.request.product {
            Product::Jsapi => TradeType::Jsapi,
            Product::H5 => TradeType::Mweb,
            Product::Native => TradeType::Native,
            Product::App => TradeType::App,
            Product::CodePay => TradeType::Micropay,
        }
    }

    /// The order in the form of WeChat's answer to a query. A payment brings fields that an
    /// unpaid order does not have.
    pub(crate) fn transaction_json(&self, now: Timestamp) -> Value {
        let state = self.trade_state(now);
        let request = &self.request;
        let mut json = json!({
            "amount": { "total": request.total, "currency": "CNY", "payer_currency": "CNY" },
            "out_trade_no": request.key.out_trade_no,
            "promotion_detail": [],
            "trade_state_desc": description_of(&state),
            "trade_state": state,
        });
        self.name_parties(&mut json);
        json["attach"] = request.attach.clone().unwrap_or_default().into();
        if let Some(payment) = &self.payment {
            json["amount"]["payer_total"] = payment.payer_total.get().into();
            json["bank_type"] = "OTHERS".into();
            json["payer"] = match &request.key.sub_mchid {
                None => json!({ "openid": payment.openid }),
                Some(_) => json!({ "sp_openid": payment.openid, "sub_openid": payment.sub_openid }),
            };
            json["success_time"] = beijing_time(payment.paid_at).into();
            json["trade_type"] = self.trade_type().as_str().into();
            json["transaction_id"] = payment.transaction_id.clone().into();
        }
        json
    }

    /// The id fields, in partner mode of both merchants.
    fn name_parties(&self, json: &mut Value) {
        let request = &self.request;
        match &request.key.sub_mchid {
            None => {
                json["appid"] = request.appid.clone().into();
                json["mchid"] = request.key.mchid.clone().into();
            }
            Some(sub_mchid) => {
                json["sp_appid"] = request.appid.clone().into();
                json["sp_mchid"] = request.key.mchid.clone().into();
                json["sub_mchid"] = sub_mchid.clone().into();
                if let Some(sub_appid) = &request.sub_appid {
                    json["sub_appid"] = sub_appid.clone().into();
                }
            }
        }
    }
}

fn description_of(state: &TradeState) -> &'static str {
    match state {
        TradeState::Success => "支付成功",
        TradeState::Refund => "订单发生过退款",
        TradeState::Closed => "订单已关闭",
        TradeState::Revoked => "订单已撤销",
        TradeState::UserPaying => "需要用户输入支付密码",
        TradeState::PayError => "支付失败",
        _ => "订单未支付",
    }
}
