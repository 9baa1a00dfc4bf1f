//! A combined order: place and query, for jsapi (mini-programs too), h5, native and app.
//!
//! As for an ordinary order the caller stores the body: a renewal sends the same bytes again
//! ([`replay_combined_order`]).

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use payment_values::{Fen, InvalidField, OutTradeNo, Rule, check_word};
use serde::Serialize;
use serde_json::{Map, Value};

use super::closing::CombinedClosing;
use super::path::{ORDERS_PATH, order_path};
use super::sub_order::{SubOrder, SubOrderBody, sub_orders_allowed};
use crate::beijing::beijing_time;
use crate::order_fields::NotifyUrl;
use crate::orders::account::OpenIdOwner;
use crate::orders::extras::check_combined_scene_info;
use crate::orders::product::{Product, ProductFields};
use crate::request::RequestParts;

/// A combined order to place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CombinedOrder {
    /// The combining application. Every merchant of a sub-order is bound to it.
    pub combine_appid: String,
    /// The combining merchant, in partner mode the service provider: it signs, and it is notified.
    pub combine_mchid: String,
    /// The combining merchant's number of this attempt.
    pub combine_out_trade_no: OutTradeNo,
    /// What is paid: [`sub_orders_allowed`] says how many there are.
    pub sub_orders: Vec<SubOrder>,
    /// The deadline of the payment. WeChat raises it to at least a minute from now, and caps it.
    pub time_expire: Option<Timestamp>,
    /// The address to which the notification goes.
    pub notify_url: NotifyUrl,
    /// More of the place of payment (`device_id`). H5 requires `device_id`, the number of a shop or a till;
    /// for H5 this crate adds the other fields that H5 needs.
    pub scene_info: Option<Map<String, Value>>,
    /// The product with the fields that only it needs.
    pub product: ProductFields,
    /// The owner of the application that the openid of a jsapi order belongs to. The sub-merchant's: one
    /// sub-order names its `sub_appid`.
    pub openid_owner: OpenIdOwner,
}

impl CombinedOrder {
    /// A combined order with the fields that every one has.
    pub fn new(
        combine_appid: impl Into<String>,
        combine_mchid: impl Into<String>,
        combine_out_trade_no: OutTradeNo,
        sub_orders: Vec<SubOrder>,
        notify_url: NotifyUrl,
        product: ProductFields,
    ) -> Self {
        Self {
            combine_appid: combine_appid.into(),
            combine_mchid: combine_mchid.into(),
            combine_out_trade_no,
            sub_orders,
            time_expire: None,
            notify_url,
            scene_info: None,
            product,
            openid_owner: OpenIdOwner::default(),
        }
    }

    /// The request, checked. A renewal must send the same body byte for byte
    /// ([`replay_combined_order`]). An error about one sub-order names the field inside of it, as
    /// [`SubOrder::check`] does.
    pub fn request(&self) -> Result<RequestParts, InvalidField> {
        check_word("combine_appid", &self.combine_appid)?;
        check_word("combine_mchid", &self.combine_mchid)?;
        self.check_sub_orders()?;
        let combine_payer_info = self.payer()?;
        let scene_info = self.product.scene_info(self.scene_info.as_ref());
        let is_h5 = self.product.product() == Product::H5;
        if let Some(scene_info) = &scene_info {
            check_combined_scene_info(scene_info, is_h5)?;
        }
        let sub_orders = self.sub_orders.iter();
        let body = Body {
            combine_appid: &self.combine_appid,
            combine_mchid: &self.combine_mchid,
            combine_out_trade_no: self.combine_out_trade_no.as_str(),
            scene_info,
            sub_orders: sub_orders.map(SubOrder::body).collect(),
            combine_payer_info,
            time_expire: self.time_expire.map(beijing_time),
            notify_url: self.notify_url.as_str(),
        };
        // Plain structs with text keys: there is nothing in them that JSON cannot carry.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        Ok(replay_combined_order(self.product.product(), body))
    }

    /// What the buyer pays: the sum of the sub-orders.
    #[must_use]
    pub fn total(&self) -> Fen {
        let totals = self.sub_orders.iter().map(|sub_order| sub_order.total);
        totals.fold(Fen::ZERO, Fen::saturating_add)
    }

    /// What closes this order.
    #[must_use]
    pub fn closing(&self) -> CombinedClosing {
        CombinedClosing {
            combine_appid: self.combine_appid.clone(),
            sub_orders: self.sub_orders.iter().map(SubOrder::name).collect(),
        }
    }

    fn check_sub_orders(&self) -> Result<(), InvalidField> {
        self.sub_orders.iter().try_for_each(SubOrder::check)?;
        let partners = self.sub_orders.iter();
        let partners = partners.filter(|sub_order| sub_order.sub_mchid.is_some());
        let is_partner = match partners.count() {
            0 => false,
            count if count == self.sub_orders.len() => true,
            _ => return Err(InvalidField::new("sub_mchid", ALL_OR_NONE)),
        };
        if !sub_orders_allowed(is_partner).contains(&self.sub_orders.len()) {
            let rule = if is_partner { ONE_TO_50 } else { TWO_TO_10 };
            return Err(InvalidField::new("sub_orders", rule));
        }
        let is_own = |sub_order: &SubOrder| sub_order.mchid == self.combine_mchid;
        if is_partner && !self.sub_orders.iter().all(is_own) {
            return Err(InvalidField::new("mchid", THE_PROVIDERS));
        }
        if self.sub_appids().count() > 1 {
            return Err(InvalidField::new("sub_appid", ONCE));
        }
        let numbers: BTreeSet<&str> = self
            .sub_orders
            .iter()
            .map(|sub_order| sub_order.out_trade_no.as_str())
            .collect();
        if numbers.len() < self.sub_orders.len() {
            return Err(InvalidField::new("out_trade_no", UNIQUE));
        }
        Ok(())
    }

    fn sub_appids(&self) -> impl Iterator<Item = &str> {
        let sub_orders = self.sub_orders.iter();
        sub_orders.filter_map(|sub_order| sub_order.sub_appid.as_deref())
    }

    fn payer(&self) -> Result<Option<PayerBody<'_>>, InvalidField> {
        let ProductFields::Jsapi { openid } = &self.product else {
            return Ok(None);
        };
        match self.openid_owner {
            OpenIdOwner::Orderer => Ok(Some(PayerBody::Orderer {
                openid: openid.as_str(),
            })),
            OpenIdOwner::SubMerchant if self.sub_appids().next().is_none() => {
                Err(InvalidField::new("sub_appid", Rule::Required))
            }
            OpenIdOwner::SubMerchant => Ok(Some(PayerBody::SubMerchant {
                sub_openid: openid.as_str(),
            })),
        }
    }
}

const ALL_OR_NONE: Rule = Rule::Form("given in every sub-order or in none");
const TWO_TO_10: Rule = Rule::Form("a list of 2 to 10 sub-orders");
const ONE_TO_50: Rule = Rule::Form("a list of 1 to 50 sub-orders");
const THE_PROVIDERS: Rule = Rule::Form("the service provider's own number in partner mode");
const ONCE: Rule = Rule::Form("given in one sub-order at most");
const UNIQUE: Rule = Rule::Form("a number that no other sub-order of the order has");

/// A combined order with the bytes of an earlier request, for a new link under the same number.
pub fn replay_combined_order(product: Product, body: impl Into<Bytes>) -> RequestParts {
    RequestParts {
        method: Method::POST,
        path_and_query: format!("{ORDERS_PATH}/{}", product.route()),
        body: body.into(),
    }
}

/// Queries a combined order; answered with a [`crate::CombinedTransaction`]. WeChat has no query by its own
/// numbers, and its query of ordinary orders does not find a sub-order.
pub fn query_combined_order(combine_out_trade_no: &OutTradeNo) -> RequestParts {
    RequestParts::get(order_path(combine_out_trade_no))
}

// The order of the fields is that of WeChat's documentation.
#[derive(Serialize)]
struct Body<'a> {
    combine_appid: &'a str,
    combine_mchid: &'a str,
    combine_out_trade_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<Map<String, Value>>,
    sub_orders: Vec<SubOrderBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    combine_payer_info: Option<PayerBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_expire: Option<String>,
    notify_url: &'a str,
}

/// The buyer as it is sent. In both modes the combining application's openid is `openid`.
#[derive(Serialize)]
#[serde(untagged)]
enum PayerBody<'a> {
    Orderer { openid: &'a str },
    SubMerchant { sub_openid: &'a str },
}

#[cfg(test)]
mod tests;
