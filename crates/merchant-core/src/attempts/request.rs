//! An attempt request in one form, from a page by the contract's form or from the merchant's
//! backend by JSON. Nothing is looked up here.

use std::net::IpAddr;

use merchant_api::{AttemptForm, AttemptProduct, StartAttempt};
use wechat_pay::{AuthCode, CodePayScene};

use crate::config::{Api, Config};
use crate::ledger::Order;
use crate::refusal::Refusal;

/// A request for an attempt.
#[derive(Clone, Debug)]
pub(super) struct AttemptRequest {
    pub(super) product: AttemptProduct,
    /// The attempt number that the caller has seen.
    pub(super) after: u64,
    pub(super) return_url: Option<String>,
    /// The application that the caller names.
    pub(super) appid: Option<String>,
    pub(super) payer: PayerClaim,
    /// The buyer's address, if it is known.
    pub(super) buyer_address: Option<IpAddr>,
    /// Only for a code payment.
    pub(super) scanned: Option<Scanned>,
    /// Only an order without any attempt gets one.
    pub(super) is_only_first: bool,
    /// A scan of a product code: only version 2 can answer it.
    pub(super) is_scan: bool,
}

/// The payer, as the caller names it.
#[derive(Clone, Debug)]
pub(super) enum PayerClaim {
    /// The request names no payer. The order names the payer, or an OAuth redirect finds the
    /// openid.
    NotGiven,
    /// The payer handle that the OAuth redirect brought.
    Handle(String),
    /// The code of a mini-program's `wx.login`.
    LoginCode(String),
    /// The openid, named by the backend.
    OpenId {
        /// As the backend wrote it.
        openid: String,
        /// Partner mode: whether it is of the sub-merchant's application.
        is_sub: bool,
    },
}

/// The buyer's code that the till scanned.
#[derive(Clone, Debug)]
pub(super) struct Scanned {
    pub(super) auth_code: AuthCode,
    pub(super) scene: CodePayScene,
}

impl AttemptRequest {
    /// The applications to choose from: the one that the caller names, or those that the order names.
    pub(super) fn appids(&self, order: &Order) -> Vec<String> {
        match &self.appid {
            Some(appid) => vec![appid.clone()],
            None => order.appids(),
        }
    }

    /// The request of a page.
    pub(super) fn of_page(form: AttemptForm, buyer_address: Option<IpAddr>) -> Self {
        let payer = match (form.payer, form.code) {
            (Some(handle), _) => PayerClaim::Handle(handle),
            (None, Some(code)) => PayerClaim::LoginCode(code),
            (None, None) => PayerClaim::NotGiven,
        };
        Self {
            product: form.product.into(),
            after: form.after.unwrap_or(0),
            return_url: form.return_url,
            appid: None,
            payer,
            buyer_address,
            scanned: None,
            is_only_first: false,
            is_scan: false,
        }
    }

    /// A code, for an order that has had no attempt.
    pub(super) const fn of_first_code() -> Self {
        Self {
            product: AttemptProduct::Native,
            after: 0,
            return_url: None,
            appid: None,
            payer: PayerClaim::NotGiven,
            buyer_address: None,
            scanned: None,
            is_only_first: true,
            is_scan: false,
        }
    }

    /// The order of a scanned product code.
    pub(super) fn of_scan() -> Self {
        Self {
            is_only_first: false,
            is_scan: true,
            ..Self::of_first_code()
        }
    }

    /// The version that makes a new attempt. Version 3 alone combines orders.
    pub(super) fn api(&self, config: &Config, order: &Order) -> Api {
        if order.is_combined() {
            Api::V3
        } else if self.is_scan {
            Api::V2(config.merchant.v2_sign_type)
        } else {
            config.merchant.api
        }
    }

    /// Whether an attempt of this version can answer the request.
    pub(super) const fn takes(&self, api: Api) -> bool {
        !self.is_scan || matches!(api, Api::V2(_))
    }

    /// The request of the backend. A field that the product does not use is refused, because it
    /// would have no effect.
    pub(super) fn of_backend(request: StartAttempt, order: &Order) -> Result<Self, Refusal> {
        refuse_fields_of_other_products(&request)?;
        let payer = payer_of(&request, order)?;
        let buyer_address = request
            .payer_client_ip
            .as_ref()
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| Refusal::invalid("payer_client_ip", "must be an IPv4 or IPv6 address"))?;
        let scanned = match request.product {
            AttemptProduct::CodePay => Some(scanned(&request, order)?),
            _ => None,
        };
        Ok(Self {
            product: request.product,
            after: request.after.unwrap_or(0),
            return_url: request.return_url,
            appid: request.appid,
            payer,
            buyer_address,
            scanned,
            is_only_first: false,
            is_scan: false,
        })
    }
}

fn refuse_fields_of_other_products(request: &StartAttempt) -> Result<(), Refusal> {
    use AttemptProduct::{CodePay, H5, Jsapi, MiniProgram};
    let fields: [(&str, bool, &[AttemptProduct]); 6] = [
        ("payer", request.payer.is_some(), &[Jsapi, MiniProgram]),
        ("code", request.code.is_some(), &[MiniProgram]),
        ("auth_code", request.auth_code.is_some(), &[CodePay]),
        ("scene_info", request.scene_info.is_some(), &[CodePay]),
        ("payer_client_ip", request.payer_client_ip.is_some(), &[H5]),
        ("return_url", request.return_url.is_some(), &[H5]),
    ];
    for (field, is_given, products) in fields {
        if is_given && !products.contains(&request.product) {
            return Err(Refusal::invalid(field, "does not belong to this product"));
        }
    }
    Ok(())
}

fn payer_of(request: &StartAttempt, order: &Order) -> Result<PayerClaim, Refusal> {
    match (&request.payer, &request.code) {
        (Some(_), Some(_)) => Err(Refusal::invalid(
            "code",
            "must not come together with payer",
        )),
        (None, Some(code)) => Ok(PayerClaim::LoginCode(code.clone())),
        // A page would be redirected for the openid; a backend cannot be.
        (None, None) => match request.product {
            AttemptProduct::Jsapi if order.openid.is_none() => Err(Refusal::invalid(
                "payer",
                "is missing: this product needs one, here or of the order",
            )),
            AttemptProduct::MiniProgram => Err(Refusal::invalid(
                "payer",
                "is missing: this product needs one, or a code",
            )),
            _ => Ok(PayerClaim::NotGiven),
        },
        (Some(payer), None) => match (&payer.openid, &payer.sub_openid) {
            (Some(openid), None) => Ok(PayerClaim::OpenId {
                openid: openid.clone(),
                is_sub: false,
            }),
            (None, Some(openid)) => Ok(PayerClaim::OpenId {
                openid: openid.clone(),
                is_sub: true,
            }),
            _ => Err(Refusal::invalid(
                "payer",
                "must hold openid or sub_openid, and one alone",
            )),
        },
    }
}

/// The code with the place where it was scanned: the place in the call, or else the order's.
fn scanned(request: &StartAttempt, order: &Order) -> Result<Scanned, Refusal> {
    let auth_code = request
        .auth_code
        .as_deref()
        .ok_or_else(|| Refusal::invalid("auth_code", "is missing"))?;
    let auth_code = AuthCode::parse(auth_code)
        .map_err(|error| Refusal::invalid("auth_code", &error.rule.to_string()))?;
    let scene = match &request.scene_info {
        Some(scene) => {
            let store = scene.store_info.clone().unwrap_or_default();
            CodePayScene {
                store_id: store.id,
                store_out_id: store.out_id,
                device_id: scene.device_id.clone(),
                device_ip: scene.device_ip.clone(),
            }
        }
        None => {
            let scene = order
                .creation_request()
                .and_then(|request| request.scene_info);
            let scene = scene.unwrap_or_default();
            CodePayScene {
                store_id: scene.store_info.map(|store| store.id),
                store_out_id: None,
                device_id: scene.device_id,
                device_ip: None,
            }
        }
    };
    Ok(Scanned { auth_code, scene })
}
