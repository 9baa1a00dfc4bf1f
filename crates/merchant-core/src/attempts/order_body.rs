//! The exact bytes of an attempt's order. The same order, product, payer and address always give
//! the same bytes, so that a repeated request can be compared.

use jiff::Timestamp;
use merchant_api::{AttemptProduct, CreateOrder, LimitPay};
use payment_values::{Fen, InvalidField, OrderNo, OutTradeNo};
use serde_json::{Map, Value};
use wechat_pay::{
    CodePayOrder, Description, H5Type, OpenIdOwner, Order as WechatOrder, ProductFields,
};

use super::combined_body::CombinedTerms;
use super::preparation::{Payment, PreparedAttempt};
use crate::config::{Api, Config};
use crate::ledger::{Order, Parties};
use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::wechat;

/// The body under a number, for a version of WeChat's API. The fields of the call itself (a till, a device) may still break a rule
/// of WeChat's. Everything else was checked when the order was created.
pub(super) fn order_body(
    payments: &Payments,
    order: &Order,
    prepared: &PreparedAttempt,
    out_trade_no: &OutTradeNo,
    api: Api,
) -> Result<Vec<u8>, Refusal> {
    let terms = Terms::of(order).ok_or_else(|| {
        Refusal::Internal("an order's request cannot be read by this version".to_owned())
    })?;
    let config = &payments.config;
    let body = match &prepared.payment {
        Payment::Link(fields) => {
            let owner = if prepared.openid_is_sub {
                OpenIdOwner::SubMerchant
            } else {
                OpenIdOwner::Orderer
            };
            if terms.request.sub_orders.is_some() {
                terms
                    .combined(&prepared.parties.appid, fields.clone(), out_trade_no)
                    .order(&config.merchant)
                    .and_then(|order| wechat::combined_order_body(&order))
            } else {
                terms
                    .order(
                        config,
                        &prepared.parties,
                        fields.clone(),
                        owner,
                        out_trade_no,
                    )
                    .and_then(|order| wechat::order_body(api, order))
            }
        }
        // A combined order is offered for no code payment: see `check_products`.
        Payment::Code(scanned) => {
            Description::parse(&*terms.request.description).and_then(|description| {
                let order = CodePayOrder {
                    orderer: prepared.parties.orderer(config.merchant.key.mchid()),
                    out_trade_no: out_trade_no.clone(),
                    description,
                    total: terms.total(),
                    auth_code: scanned.auth_code.clone(),
                    scene: scanned.scene.clone(),
                    attach: Some(terms.attach()),
                    goods_tag: terms.request.goods_tag.clone(),
                    no_credit: terms.no_credit(),
                    support_fapiao: terms.request.support_fapiao,
                    detail: value(terms.request.detail.as_ref()),
                    settle_info: value(terms.request.settle_info.as_ref()),
                };
                wechat::code_pay_body(api, &order)
            })
        }
    };
    body.map_err(|error| Refusal::invalid_field(&error))
}

/// Whether WeChat would take an order with these terms, by all of WeChat's own rules.
pub(crate) fn check_terms(
    config: &Config,
    order_no: &OrderNo,
    request: &CreateOrder,
    products: &[AttemptProduct],
) -> Result<(), InvalidField> {
    let terms = Terms {
        order_no: order_no.clone(),
        request: request.clone(),
        expires_ms: 0,
    };
    // The strictest form: an H5 order already has the address that other products need in
    // `scene_info`.
    let needs_no_address =
        |product: &AttemptProduct| matches!(product, AttemptProduct::H5 | AttemptProduct::CodePay);
    let fields = if products.iter().all(needs_no_address) {
        ProductFields::H5 {
            payer_client_ip: std::net::Ipv4Addr::LOCALHOST.into(),
            h5_type: H5Type::Wap,
        }
    } else {
        ProductFields::Native
    };
    if request.sub_orders.is_some() {
        let appid = &config.merchant.appid;
        let number = order_no.clone().into();
        let order = terms.combined(appid, fields, &number);
        return order
            .order(&config.merchant)
            .and_then(|order| wechat::combined_order_body(&order))
            .map(drop);
    }
    let parties = Parties {
        appid: config.merchant.appid.clone(),
        payer_appid: config.merchant.appid.clone(),
        sub_mchid: None,
        sub_appid: None,
    };
    let order = terms.order(
        config,
        &parties,
        fields,
        OpenIdOwner::Orderer,
        &order_no.clone().into(),
    )?;
    wechat::order_body(config.merchant.api, order).map(drop)
}

/// The terms of an order, the same for each product.
struct Terms {
    order_no: OrderNo,
    request: CreateOrder,
    expires_ms: i64,
}

impl Terms {
    fn of(order: &Order) -> Option<Self> {
        Some(Self {
            order_no: order.order_no.clone(),
            request: order.creation_request()?,
            expires_ms: order.expires_ms,
        })
    }

    fn total(&self) -> Fen {
        Fen::saturating(self.request.total_fen)
    }

    /// Whether credit cards are refused.
    fn no_credit(&self) -> bool {
        let limits = self.request.limit_pay.as_deref();
        limits.is_some_and(|limits| limits.contains(&LimitPay::NoCredit))
    }

    /// `attach`: the merchant's order number, by which a person finds the order in WeChat's records
    /// and bills, then the merchant's own text.
    fn attach(&self) -> String {
        match &self.request.attach {
            None => self.order_no.to_string(),
            Some(attach) => format!("{} {attach}", self.order_no),
        }
    }

    /// The order of a combined attempt.
    fn combined<'a>(
        &'a self,
        appid: &'a str,
        fields: ProductFields,
        out_trade_no: &'a OutTradeNo,
    ) -> CombinedTerms<'a> {
        CombinedTerms {
            order_no: &self.order_no,
            request: &self.request,
            expires_ms: self.expires_ms,
            appid,
            fields,
            out_trade_no,
            scene_info: object(value(self.request.scene_info.as_ref())),
        }
    }

    fn order(
        &self,
        config: &Config,
        parties: &Parties,
        fields: ProductFields,
        openid_owner: OpenIdOwner,
        out_trade_no: &OutTradeNo,
    ) -> Result<WechatOrder, InvalidField> {
        let merchant = &config.merchant;
        let request = &self.request;
        let mut order = WechatOrder::new(
            parties.orderer(merchant.key.mchid()),
            out_trade_no.clone(),
            Description::parse(&*request.description)?,
            self.total(),
            merchant.notify_url.clone(),
            fields,
        );
        // WeChat gets the same deadline as the buyer.
        order.time_expire = Timestamp::from_millisecond(self.expires_ms).ok();
        order.attach = Some(self.attach());
        order.goods_tag.clone_from(&request.goods_tag);
        order.no_credit = self.no_credit();
        order.support_fapiao = request.support_fapiao;
        order.detail = value(request.detail.as_ref());
        order.scene_info = object(value(request.scene_info.as_ref()));
        order.settle_info = value(request.settle_info.as_ref());
        order.openid_owner = openid_owner;
        Ok(order)
    }
}

fn value<T: serde::Serialize>(extra: Option<&T>) -> Option<Value> {
    // Plain structs with text keys, which are always valid JSON.
    extra.map(|extra| serde_json::to_value(extra).unwrap_or_default())
}

fn object(value: Option<Value>) -> Option<Map<String, Value>> {
    match value {
        Some(Value::Object(object)) => Some(object),
        _ => None,
    }
}
