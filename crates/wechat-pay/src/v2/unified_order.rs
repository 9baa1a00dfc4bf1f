//! Orders of version 2 (`unifiedorder`), for JSAPI, Native, H5 (`MWEB`) and App. The order is the
//! same [`Order`] as that of version 3; the answers are the same types too.
//!
//! WeChat refuses changed fields under a known number: store [`Request::kept`], and renew with
//! [`Request::replay`].

use std::net::IpAddr;

use jiff::Timestamp;
use payment_values::{InvalidField, check_text};
use serde_json::Value;

use super::answer::ReadAnswer;
use super::details::{detail_text, profit_sharing, scene_text};
use super::fields::VerifiedFields;
use super::request::Request;
use super::route::Route;
use crate::beijing::beijing_digits;
use crate::json::Unreadable;
use crate::orders::account::OpenIdOwner;
use crate::orders::order::{AppOrdered, H5Ordered, JsapiOrdered, NO_CREDIT, NativeOrdered, Order};
use crate::orders::product::ProductFields;

/// An order to place by version 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnifiedOrder {
    /// The order, as version 3 has it.
    pub order: Order,
    /// The address of the machine that orders. For H5 the payer's address replaces it.
    pub created_from: IpAddr,
    /// When the order was made.
    pub time_start: Option<Timestamp>,
    /// The merchant's number of the goods, at most 32 bytes; a Native order needs one, and has its
    /// `out_trade_no` without it.
    pub product_id: Option<String>,
}

impl UnifiedOrder {
    /// An order with the fields that every order has.
    #[must_use]
    pub fn new(order: Order, created_from: IpAddr) -> Self {
        Self {
            order,
            created_from,
            time_start: None,
            product_id: None,
        }
    }

    /// The request, checked; answered with [`JsapiOrdered`], [`NativeOrdered`], [`H5Ordered`] or
    /// [`AppOrdered`].
    pub fn request(&self) -> Result<Request, InvalidField> {
        let order = &self.order;
        order.validate()?;
        let mut request = Request::of(Route::UnifiedOrder, &order.orderer)?;
        request.set("body", order.description.as_str());
        request.set("out_trade_no", order.out_trade_no.as_str());
        request.set("total_fee", order.total.get().to_string());
        request.set("notify_url", order.notify_url.as_str());
        request.set_optional("time_start", self.time_start.map(beijing_digits));
        request.set_optional("time_expire", order.time_expire.map(beijing_digits));
        if let Some(attach) = &order.attach {
            // One byte less than in version 3.
            check_text("attach", attach, 127)?;
            request.set("attach", attach.clone());
        }
        request.set_optional("goods_tag", order.goods_tag.clone());
        request.set_optional(
            "receipt",
            (order.support_fapiao == Some(true)).then_some("Y"),
        );
        request.set_optional("limit_pay", order.no_credit.then_some(NO_CREDIT));
        let detail = order.detail.as_ref().map(detail_text).transpose()?;
        request.set_optional("detail", detail);
        let profit_sharing = order.settle_info.as_ref().and_then(profit_sharing);
        request.set_optional("profit_sharing", profit_sharing);
        self.set_scene(&mut request)?;
        self.set_product(&mut request)?;
        Ok(request)
    }

    fn set_scene(&self, request: &mut Request) -> Result<(), InvalidField> {
        let Some(scene) = self.order.checked_scene_info()? else {
            return Ok(());
        };
        let device = scene.get("device_id").and_then(Value::as_str);
        request.set_optional("device_info", device);
        request.set_optional("scene_info", scene_text(&scene)?);
        Ok(())
    }

    fn set_product(&self, request: &mut Request) -> Result<(), InvalidField> {
        let mut created_from = self.created_from;
        let trade_type = match &self.order.product {
            ProductFields::Jsapi { openid } => {
                self.order
                    .orderer
                    .payer(openid.as_str(), self.order.openid_owner)?;
                let name = match self.order.openid_owner {
                    OpenIdOwner::Orderer => "openid",
                    OpenIdOwner::SubMerchant => "sub_openid",
                };
                request.set(name, openid.as_str());
                "JSAPI"
            }
            ProductFields::Native => "NATIVE",
            ProductFields::H5 {
                payer_client_ip, ..
            } => {
                created_from = *payer_client_ip;
                "MWEB"
            }
            ProductFields::App => "APP",
        };
        request.set("trade_type", trade_type);
        request.set("spbill_create_ip", created_from.to_string());
        if let Some(id) = &self.product_id {
            check_text("product_id", id, 32)?;
        }
        let product_id = self
            .product_id
            .as_deref()
            .or_else(|| (trade_type == "NATIVE").then_some(self.order.out_trade_no.as_str()));
        request.set_optional("product_id", product_id);
        Ok(())
    }
}

impl ReadAnswer for JsapiOrdered {
    fn read_answer(answer: &VerifiedFields) -> Result<Self, Unreadable> {
        Ok(Self {
            prepay_id: ordered(answer, "JSAPI", "prepay_id")?,
        })
    }
}

impl ReadAnswer for AppOrdered {
    fn read_answer(answer: &VerifiedFields) -> Result<Self, Unreadable> {
        Ok(Self {
            prepay_id: ordered(answer, "APP", "prepay_id")?,
        })
    }
}

impl ReadAnswer for NativeOrdered {
    fn read_answer(answer: &VerifiedFields) -> Result<Self, Unreadable> {
        Ok(Self {
            code_url: ordered(answer, "NATIVE", "code_url")?,
        })
    }
}

impl ReadAnswer for H5Ordered {
    /// WeChat calls the address `mweb_url`.
    fn read_answer(answer: &VerifiedFields) -> Result<Self, Unreadable> {
        Ok(Self {
            h5_url: ordered(answer, "MWEB", "mweb_url")?,
        })
    }
}

/// One field of the answer to an order. An answer does not name its order; only the product can be
/// compared.
fn ordered(answer: &VerifiedFields, trade_type: &str, name: &str) -> Result<String, Unreadable> {
    let fields = answer.fields();
    if fields
        .get("trade_type")
        .is_some_and(|word| word != trade_type)
    {
        return Err(Unreadable::unexpected("trade_type"));
    }
    fields.text(name)
}

/// Native mode 1 needs the `prepay_id` of a Native order, and not its link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativePrepared {
    /// The answer to the callback of Native mode 1.
    pub prepay_id: String,
    /// The link of the same order, which mode 2 shows.
    pub code_url: Option<String>,
}

impl ReadAnswer for NativePrepared {
    fn read_answer(answer: &VerifiedFields) -> Result<Self, Unreadable> {
        Ok(Self {
            prepay_id: ordered(answer, "NATIVE", "prepay_id")?,
            code_url: answer.fields().optional("code_url"),
        })
    }
}

#[cfg(test)]
mod tests;
