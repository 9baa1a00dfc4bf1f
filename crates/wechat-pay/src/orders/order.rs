//! Orders: place, query, close, for jsapi (mini-programs too), h5, native and app. Requests out,
//! replies in. A service provider's orders are in [`crate::PartnerOrder`].
//!
//! An order's body is made once and kept by the caller: WeChat refuses changed parameters under
//! a number that it knows, so a renewal sends the same bytes again ([`replay_order`]).

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::beijing::beijing_time;
use crate::field::{InvalidField, Rule, check_text, check_word};
use crate::money::Fen;
use crate::order_fields::{Description, NotifyUrl, OutTradeNo, TransactionId};
use crate::orders::extras::{check_detail, check_scene_info, check_settle_info};
use crate::orders::product::{Product, ProductFields};
use crate::request::{RequestParts, encode};

/// An order that is to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The application that the merchant number is bound to.
    pub appid: String,
    /// The merchant number; WeChat wants the same as in the signature.
    pub mchid: String,
    /// The merchant's number of this attempt.
    pub out_trade_no: OutTradeNo,
    /// What the buyer reads.
    pub description: Description,
    /// What is to be paid: at least 1 fen.
    pub total: Fen,
    /// Where the notification goes.
    pub notify_url: NotifyUrl,
    /// Until when it can be paid. WeChat raises it to a minute from now, and caps it.
    pub time_expire: Option<Timestamp>,
    /// Comes back in queries and notifications; at most 128 bytes.
    pub attach: Option<String>,
    /// A mark for coupons; at most 32 bytes.
    pub goods_tag: Option<String>,
    /// Whether the buyer can ask for an invoice.
    pub support_fapiao: Option<bool>,
    /// Goods for coupons; at most 6144 bytes of JSON.
    pub detail: Option<Value>,
    /// More of the place of payment (`device_id`, `store_info`); for H5 the fields that it
    /// needs are added.
    pub scene_info: Option<Map<String, Value>>,
    /// Profit sharing and the like.
    pub settle_info: Option<Value>,
    /// The product, with what only it needs.
    pub product: ProductFields,
}

impl Order {
    /// An order with the fields that every order has.
    pub fn new(
        appid: impl Into<String>,
        mchid: impl Into<String>,
        out_trade_no: OutTradeNo,
        description: Description,
        total: Fen,
        notify_url: NotifyUrl,
        product: ProductFields,
    ) -> Self {
        Self {
            appid: appid.into(),
            mchid: mchid.into(),
            out_trade_no,
            description,
            total,
            notify_url,
            time_expire: None,
            attach: None,
            goods_tag: None,
            support_fapiao: None,
            detail: None,
            scene_info: None,
            settle_info: None,
            product,
        }
    }

    /// The request, checked. Its body is what a renewal must repeat byte for byte.
    pub fn request(&self) -> Result<RequestParts, InvalidField> {
        check_word("appid", &self.appid)?;
        check_word("mchid", &self.mchid)?;
        let orderer = Orderer::Merchant {
            appid: &self.appid,
            mchid: &self.mchid,
        };
        let payer = match &self.product {
            ProductFields::Jsapi { openid } => Some(PayerBody::Merchant {
                openid: openid.as_str(),
            }),
            ProductFields::H5 { .. } | ProductFields::Native | ProductFields::App => None,
        };
        let body = self.body(orderer, payer)?;
        Ok(replay_order(self.product.product(), body))
    }

    /// The body for whoever orders; all that is the same in both modes is checked here.
    pub(crate) fn body(
        &self,
        orderer: Orderer<'_>,
        payer: Option<PayerBody<'_>>,
    ) -> Result<Vec<u8>, InvalidField> {
        self.validate()?;
        let scene_info = self.scene_info_body();
        if let Some(scene_info) = &scene_info {
            check_scene_info(scene_info)?;
        }
        let body = OrderBody {
            orderer,
            description: self.description.as_str(),
            out_trade_no: self.out_trade_no.as_str(),
            time_expire: self.time_expire.map(beijing_time),
            attach: self.attach.as_deref(),
            notify_url: self.notify_url.as_str(),
            goods_tag: self.goods_tag.as_deref(),
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

    fn validate(&self) -> Result<(), InvalidField> {
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

    fn scene_info_body(&self) -> Option<Map<String, Value>> {
        let mut scene = self.scene_info.clone();
        if let ProductFields::H5 {
            payer_client_ip,
            h5_type,
        } = &self.product
        {
            let scene = scene.get_or_insert_default();
            scene.insert("payer_client_ip".into(), payer_client_ip.to_string().into());
            let h5_info = scene
                .entry("h5_info")
                .or_insert_with(|| Value::Object(Map::new()));
            if let Some(h5_info) = h5_info.as_object_mut() {
                h5_info.insert("type".into(), h5_type.as_str().into());
            }
        }
        scene
    }
}

/// An order whose body was made before: the same bytes, for a new link under the same number.
pub fn replay_order(product: Product, body: impl Into<Bytes>) -> RequestParts {
    RequestParts {
        method: Method::POST,
        path_and_query: product.order_path().to_owned(),
        body: body.into(),
    }
}

/// Asks for an order by the merchant's number; answered with a [`crate::Transaction`].
pub fn query_by_out_trade_no(out_trade_no: &OutTradeNo, mchid: &str) -> RequestParts {
    RequestParts::get(format!(
        "/v3/pay/transactions/out-trade-no/{}?mchid={}",
        encode(out_trade_no.as_str()),
        encode(mchid)
    ))
}

/// Asks for a paid order by WeChat's number; answered with a [`crate::Transaction`].
pub fn query_by_transaction_id(transaction_id: &TransactionId, mchid: &str) -> RequestParts {
    RequestParts::get(format!(
        "/v3/pay/transactions/id/{}?mchid={}",
        encode(transaction_id.as_str()),
        encode(mchid)
    ))
}

/// Closes an order; answered with 204 and nothing. Closing again is answered alike.
pub fn close(out_trade_no: &OutTradeNo, mchid: &str) -> RequestParts {
    RequestParts::post(
        format!(
            "/v3/pay/transactions/out-trade-no/{}/close",
            encode(out_trade_no.as_str())
        ),
        &json!({ "mchid": mchid }),
    )
}

/// The answer to a JSAPI order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JsapiOrdered {
    /// Goes into the payment parameters; good for two hours.
    pub prepay_id: String,
}

/// The answer to an App order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppOrdered {
    /// Goes into the payment parameters ([`crate::AppPayment`]); good for two hours.
    pub prepay_id: String,
}

/// The answer to an H5 order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct H5Ordered {
    /// Where the buyer goes; good for five minutes.
    pub h5_url: String,
}

/// The answer to a Native order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeOrdered {
    /// What the code says; good for two hours.
    pub code_url: String,
}

// The order of the fields is that of WeChat's documentation; its example is a test vector.
#[derive(Serialize)]
struct OrderBody<'a> {
    #[serde(flatten)]
    orderer: Orderer<'a>,
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

/// Who orders: a merchant, or a service provider for one.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Orderer<'a> {
    Merchant {
        appid: &'a str,
        mchid: &'a str,
    },
    Partner {
        sp_appid: &'a str,
        sp_mchid: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        sub_appid: Option<&'a str>,
        sub_mchid: &'a str,
    },
}

/// The buyer, named as the mode wants.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum PayerBody<'a> {
    Merchant { openid: &'a str },
    Provider { sp_openid: &'a str },
    SubMerchant { sub_openid: &'a str },
}

#[cfg(test)]
mod tests;
