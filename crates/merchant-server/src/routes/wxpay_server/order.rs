//! An order of the payment service, read from its form and written as an order of the contract. The
//! contract's own rules for each value are checked where the order is created.

use std::net::IpAddr;

use merchant_api::{AttemptProduct, CreateOrder, ErrorCode, Payer, SceneInfo};
use merchant_core::Refusal;
use merchant_core::config::Config;
use merchant_core::orders::TOTAL_MAX_FEN;

use super::form::Form;

/// The trade types that can be ordered, with their products.
const TRADE_TYPES: [(&str, AttemptProduct); 4] = [
    ("JSAPI", AttemptProduct::Jsapi),
    ("NATIVE", AttemptProduct::Native),
    ("APP", AttemptProduct::App),
    ("MWEB", AttemptProduct::H5),
];

/// The fields of both calls that order.
const FIELDS: [&str; 6] = [
    "body",
    "out_trade_no",
    "total_fee",
    "spbill_create_ip",
    "notify_url",
    "openid",
];

/// WeChat's word for a product, `trade_type`.
pub(super) fn trade_type(product: AttemptProduct) -> &'static str {
    let known = TRADE_TYPES.iter().find(|(_, known)| *known == product);
    match (known, product) {
        (Some((word, _)), _) => word,
        (None, AttemptProduct::CodePay) => "MICROPAY",
        (None, _) => "JSAPI",
    }
}

/// An order as a form names it.
pub(super) struct PayOrder {
    pub(super) product: AttemptProduct,
    pub(super) notify_url: String,
    pub(super) spbill_create_ip: String,
    body: String,
    out_trade_no: String,
    total_fen: u64,
    openid: Option<String>,
}

impl PayOrder {
    /// The order of `/v1/pay/params`.
    pub(super) fn for_params(form: &Form<'_>) -> Result<Self, Refusal> {
        form.only(&FIELDS)?;
        Self::of(form, AttemptProduct::Jsapi)
    }

    /// The order of `/v1/pay/unified`.
    pub(super) fn for_unified(form: &Form<'_>) -> Result<Self, Refusal> {
        form.only(&[&FIELDS[..], &["trade_type"]].concat())?;
        let word = form.required("trade_type")?;
        let product = TRADE_TYPES.iter().find(|(known, _)| *known == word);
        let (_, product) = product
            .ok_or_else(|| Refusal::invalid("trade_type", "must be JSAPI, NATIVE, APP or MWEB"))?;
        Self::of(form, *product)
    }

    fn of(form: &Form<'_>, product: AttemptProduct) -> Result<Self, Refusal> {
        Ok(Self {
            product,
            body: form.required("body")?.to_owned(),
            out_trade_no: form.required("out_trade_no")?.to_owned(),
            total_fen: total_fen(form.required("total_fee")?)?,
            spbill_create_ip: address(form.required("spbill_create_ip")?)?,
            notify_url: form.required("notify_url")?.to_owned(),
            openid: match product {
                AttemptProduct::Jsapi => Some(form.required("openid")?.to_owned()),
                _ => form.optional("openid").map(str::to_owned),
            },
        })
    }

    /// Refuses a product that the server is not configured for.
    pub(super) fn refuse_what_is_not_offered(&self, config: &Config) -> Result<(), Refusal> {
        let service = config.wxpay_server.as_ref();
        let has_return_url = service.is_some_and(|service| service.return_url.is_some());
        let message = if !config.products.contains(&self.product) {
            "the server's configuration does not have this product"
        } else if self.product == AttemptProduct::H5 && !has_return_url {
            "MWEB needs return_url in the server's configuration"
        } else {
            return Ok(());
        };
        Err(Refusal::new(ErrorCode::ProductUnavailable, message))
    }

    /// The order of the contract. Everything in it, and `notify_url`, belongs to the values that a
    /// repeated call must have.
    pub(super) fn create_order(&self, config: &Config) -> CreateOrder {
        let service = config.wxpay_server.as_ref();
        let return_url = service.and_then(|service| service.return_url.clone());
        CreateOrder {
            order_no: Some(self.out_trade_no.clone()),
            total_fen: self.total_fen,
            description: self.body.clone(),
            payee: None,
            expires_in_ms: None,
            payer: self.openid.clone().map(|openid| Payer {
                openid: Some(openid),
                sub_openid: None,
            }),
            return_url: return_url.filter(|_| self.product == AttemptProduct::H5),
            success_url: None,
            products: Some(vec![self.product]),
            appids: None,
            sub_mchid: None,
            attach: None,
            goods_tag: None,
            limit_pay: None,
            support_fapiao: None,
            detail: None,
            scene_info: Some(SceneInfo {
                payer_client_ip: Some(self.spbill_create_ip.clone()),
                device_id: None,
                store_info: None,
            }),
            settle_info: None,
            sub_orders: None,
        }
    }
}

/// An amount in fen as digits alone: `1.00`, `+1` and `1e2` are mistakes of a program.
fn total_fen(text: &str) -> Result<u64, Refusal> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let total = text.parse().ok().filter(|_| is_digits);
    total
        .filter(|total| (1..=TOTAL_MAX_FEN).contains(total))
        .ok_or_else(|| {
            Refusal::invalid(
                "total_fee",
                "must be a whole number of fen from 1 to 1000000000, as digits alone",
            )
        })
}

fn address(text: &str) -> Result<String, Refusal> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => Err(Refusal::invalid(
            "spbill_create_ip",
            "must be an IPv4 or IPv6 address",
        )),
    }
}
