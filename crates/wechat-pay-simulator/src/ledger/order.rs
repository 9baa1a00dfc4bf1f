//! One order as WeChat keeps it: what was asked for, its links, and its payment.
//!
//! Plain data. Whether it is open, expired or closed is a question to be asked with a moment;
//! nothing here changes because time passes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wechat_pay::{Fen, TradeState, TradeType, beijing_time};

use crate::clock::after;

/// A code or a `prepay_id` can be used for so long.
pub(crate) const LINK_LIFETIME_S: i64 = 2 * 60 * 60;
/// An H5 page can be opened for so long.
pub(crate) const H5_LIFETIME_S: i64 = 5 * 60;
/// An order that nobody pays closes by itself after so long; its default deadline too.
pub(crate) const AUTO_CLOSE_S: i64 = 7 * 24 * 60 * 60;
/// A deadline nearer than this is moved here, without a word.
pub(crate) const SHORTEST_DEADLINE_S: i64 = 60;

/// How a buyer is to pay; each has a route of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Product {
    Jsapi,
    H5,
    Native,
    App,
    /// The merchant scans the buyer's code.
    CodePay,
}

/// Merchant number and merchant's number: what makes an order unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct OrderKey {
    /// The merchant number of whoever signs: a partner's own, where it orders for another.
    pub(crate) mchid: String,
    /// Whom a partner orders for.
    pub(crate) sub_mchid: Option<String>,
    /// The merchant's number.
    pub(crate) out_trade_no: String,
}

/// Which of WeChat's keys signs replies and notifications for a merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ReplyKey {
    /// The platform certificate's.
    PlatformCertificate,
    /// `PUB_KEY_ID_…`, where the merchant asked for it.
    PublicKey,
}

/// What a merchant asks for, checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OrderRequest {
    pub(crate) key: OrderKey,
    /// A partner's own, where it orders for another.
    pub(crate) appid: String,
    /// The application of whom a partner orders for, where it has one.
    pub(crate) sub_appid: Option<String>,
    pub(crate) product: Product,
    pub(crate) description: String,
    pub(crate) attach: Option<String>,
    pub(crate) total: Fen,
    pub(crate) notify_url: String,
    /// JSAPI alone: under [`OrderRequest::payer_appid`].
    pub(crate) openid: Option<String>,
    /// The openid is of `sub_appid`.
    pub(crate) openid_is_sub: bool,
    pub(crate) time_expire: Option<Timestamp>,
    pub(crate) reply_key: ReplyKey,
    /// The whole body: asked for again, every value must be the same.
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
    /// Code pay: the merchant took it back.
    pub(crate) reversed: bool,
    /// Code pay: the buyer's bank said no.
    pub(crate) failed: bool,
    /// Code pay: whose phone asks for a password.
    pub(crate) code_payer: Option<u8>,
    /// What was asked back and did not come to nothing, in fen.
    pub(crate) refunded: Fen,
    /// When the last refund was asked for, and how many were.
    pub(crate) refund_asked_at: Option<Timestamp>,
    pub(crate) refund_count: u32,
}

/// One way to the cashier. Ordering again makes another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) prepay_id: String,
    /// Native alone.
    pub(crate) code_url: Option<String>,
    /// The number in an `h5_url`; H5 alone.
    pub(crate) h5_package: Option<String>,
    pub(crate) issued_at: Timestamp,
    /// The openid of who opened it first: a code or an H5 page is nobody else's after that.
    pub(crate) opened_by: Option<String>,
}

/// A payment that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub(crate) transaction_id: String,
    pub(crate) openid: String,
    pub(crate) sub_openid: Option<String>,
    pub(crate) payer_total: Fen,
    pub(crate) paid_at: Timestamp,
}

/// How a link was used; each has a lifetime of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkUse {
    PrepayId,
    Code,
    H5Page,
}

impl Order {
    /// `deadline_cap_days` bounds what the merchant asked for.
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

    /// The application that the buyer's openid is of.
    pub(crate) fn payer_appid(&self) -> &str {
        let request = &self.request;
        match &request.sub_appid {
            Some(sub_appid) if request.openid_is_sub => sub_appid,
            _ => &request.appid,
        }
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

    /// Past its deadline it cannot be paid any more, and stays unpaid until somebody closes it.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// Whether this link still opens the cashier.
    pub(crate) fn link_is_live(&self, link: &Link, used: LinkUse, now: Timestamp) -> bool {
        let lifetime_s = match used {
            LinkUse::PrepayId | LinkUse::Code => LINK_LIFETIME_S,
            LinkUse::H5Page => H5_LIFETIME_S,
        };
        // A code is replaced by the next one; a prepay_id lives on beside it.
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

    /// Merchant and application; for a partner both pairs.
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
