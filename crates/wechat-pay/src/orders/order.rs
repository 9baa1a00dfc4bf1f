//! Orders: place, query, close, for jsapi (mini-programs too), h5, native and app. This module
//! makes requests and reads replies.
//!
//! The caller stores an order's body: WeChat refuses changed parameters under a known number, so a
//! renewal sends the same bytes again ([`replay_order`]).

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use payment_values::{Fen, InvalidField, OutTradeNo, Rule, TransactionId, check_text};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::beijing::beijing_time;
use crate::order_fields::{Description, NotifyUrl};
use crate::orders::account::{Account, OpenIdOwner, Orderer, OrdererBody, PayerBody};
use crate::orders::extras::{check_detail, check_scene_info, check_settle_info};
use crate::orders::product::{Product, ProductFields};
use crate::request::{RequestParts, encode};

/// WeChat's word in `limit_pay`: no credit cards.
pub(crate) const NO_CREDIT: &str = "no_credit";

/// An order to place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The account that orders, and its applications.
    pub orderer: Orderer,
    /// The merchant's number of this attempt.
    pub out_trade_no: OutTradeNo,
    /// The text that the buyer sees.
    pub description: Description,
    /// The amount to pay: at least 1 fen.
    pub total: Fen,
    /// The address to which the notification goes.
    pub notify_url: NotifyUrl,
    /// The deadline of the payment. WeChat raises it to at least a minute from now, and caps it.
    pub time_expire: Option<Timestamp>,
    /// Returned in queries and notifications; at most 128 bytes.
    pub attach: Option<String>,
    /// A tag for coupons; at most 32 bytes.
    pub goods_tag: Option<String>,
    /// Whether credit cards are refused (`limit_pay`). Source: wechatpay-go, whose maintainer confirms
    /// it in issue 92; WeChat's present documents no longer name it.
    pub no_credit: bool,
    /// Whether the buyer can ask for an invoice.
    pub support_fapiao: Option<bool>,
    /// Goods for coupons; at most 6144 bytes of JSON.
    pub detail: Option<Value>,
    /// More of the place of payment (`device_id`, `store_info`); for H5 this crate adds the fields
    /// that H5 needs.
    pub scene_info: Option<Map<String, Value>>,
    /// Profit sharing and similar settings.
    pub settle_info: Option<Value>,
    /// The product with the fields that only it needs.
    pub product: ProductFields,
    /// The owner of the application that the openid of a jsapi order belongs to.
    pub openid_owner: OpenIdOwner,
}

impl Order {
    /// An order with the fields that every order has.
    pub fn new(
        orderer: Orderer,
        out_trade_no: OutTradeNo,
        description: Description,
        total: Fen,
        notify_url: NotifyUrl,
        product: ProductFields,
    ) -> Self {
        Self {
            orderer,
            out_trade_no,
            description,
            total,
            notify_url,
            time_expire: None,
            attach: None,
            goods_tag: None,
            no_credit: false,
            support_fapiao: None,
            detail: None,
            scene_info: None,
            settle_info: None,
            product,
            openid_owner: OpenIdOwner::default(),
        }
    }

    /// The request, checked. A renewal must send the same body byte for byte
    /// ([`replay_order`]).
    pub fn request(&self) -> Result<RequestParts, InvalidField> {
        let body = self.body()?;
        let account = &self.orderer.account;
        Ok(replay_order(account, self.product.product(), body))
    }

    fn body(&self) -> Result<Vec<u8>, InvalidField> {
        let orderer = self.orderer.body()?;
        let payer = match &self.product {
            ProductFields::Jsapi { openid } => {
                Some(self.orderer.payer(openid.as_str(), self.openid_owner)?)
            }
            ProductFields::H5 { .. } | ProductFields::Native | ProductFields::App => None,
        };
        self.validate()?;
        let scene_info = self.checked_scene_info()?;
        let body = OrderBody {
            orderer,
            description: self.description.as_str(),
            out_trade_no: self.out_trade_no.as_str(),
            time_expire: self.time_expire.map(beijing_time),
            attach: self.attach.as_deref(),
            notify_url: self.notify_url.as_str(),
            goods_tag: self.goods_tag.as_deref(),
            limit_pay: self.no_credit.then_some([NO_CREDIT]),
            support_fapiao: self.support_fapiao,
            amount: AmountBody {
                total: self.total,
                currency: "CNY",
            },
            payer,
            detail: self.detail.as_ref(),
            scene_info,
            settle_info: self.settle_info.as_ref(),
        };
        // Plain structs with text keys: there is nothing in them that JSON cannot carry.
        Ok(serde_json::to_vec(&body).unwrap_or_default())
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidField> {
        if self.total.get() < 1 {
            return Err(InvalidField::new("amount.total", Rule::BelowMinimum(1)));
        }
        if let Some(attach) = &self.attach {
            check_text("attach", attach, 128)?;
        }
        if let Some(goods_tag) = &self.goods_tag {
            check_text("goods_tag", goods_tag, 32)?;
        }
        if let Some(detail) = &self.detail {
            check_detail(detail)?;
        }
        if let Some(settle_info) = &self.settle_info {
            check_settle_info(settle_info)?;
        }
        Ok(())
    }

    /// The place of payment with the fields that H5 needs.
    pub(crate) fn checked_scene_info(&self) -> Result<Option<Map<String, Value>>, InvalidField> {
        let scene_info = self.product.scene_info(self.scene_info.as_ref());
        if let Some(scene_info) = &scene_info {
            check_scene_info(scene_info)?;
        }
        Ok(scene_info)
    }
}

/// An order with the bytes of an earlier request, for a new link under the same number.
pub fn replay_order(account: &Account, product: Product, body: impl Into<Bytes>) -> RequestParts {
    RequestParts {
        method: Method::POST,
        path_and_query: format!("{}/{}", account.orders_path(), product.route()),
        body: body.into(),
    }
}

/// Queries an order by the merchant's number; answered with a [`crate::Transaction`].
pub fn query_by_out_trade_no(account: &Account, out_trade_no: &OutTradeNo) -> RequestParts {
    let query = account.query();
    RequestParts::get(format!("{}?{query}", order_path(account, out_trade_no)))
}

/// Queries a paid order by WeChat's number; answered with a [`crate::Transaction`].
pub fn query_by_transaction_id(account: &Account, transaction_id: &TransactionId) -> RequestParts {
    RequestParts::get(format!(
        "{}/id/{}?{}",
        account.orders_path(),
        encode(transaction_id.as_str()),
        account.query()
    ))
}

/// Closes an order; answered with 204 and an empty body. Closing again gives the same answer.
pub fn close(account: &Account, out_trade_no: &OutTradeNo) -> RequestParts {
    RequestParts::post(order_path(account, out_trade_no) + "/close", account)
}

/// The path of one order.
pub(crate) fn order_path(account: &Account, out_trade_no: &OutTradeNo) -> String {
    format!(
        "{}/out-trade-no/{}",
        account.orders_path(),
        encode(out_trade_no.as_str())
    )
}

/// The answer to a JSAPI order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JsapiOrdered {
    /// Part of the payment parameters; valid for two hours.
    pub prepay_id: String,
}

/// The answer to an App order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppOrdered {
    /// Part of the payment parameters ([`crate::AppPayment`]); valid for two hours.
    pub prepay_id: String,
}

/// The answer to an H5 order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct H5Ordered {
    /// The address to which the buyer goes; valid for five minutes.
    pub h5_url: String,
}

/// The answer to a Native order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeOrdered {
    /// The content of the QR code; valid for two hours.
    pub code_url: String,
}

// The order of the fields is that of WeChat's documentation; its example is a test vector.
#[derive(Serialize)]
struct OrderBody<'a> {
    #[serde(flatten)]
    orderer: OrdererBody<'a>,
    description: &'a str,
    out_trade_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_expire: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attach: Option<&'a str>,
    notify_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_pay: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    support_fapiao: Option<bool>,
    amount: AmountBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<PayerBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_info: Option<&'a Value>,
}

#[derive(Serialize)]
struct AmountBody {
    total: Fen,
    currency: &'static str,
}

#[cfg(test)]
mod tests;
