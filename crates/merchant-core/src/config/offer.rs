//! What a merchant offers to buyers: products, the time of its orders, a service contact.

use merchant_api::AttemptProduct;
use url::Url;

use super::file::ServiceContactFile;
use super::forms::trimmed;
use super::{ConfigError, Merchant, ServiceContact};
use crate::input::{payee, plain_text};

/// Bounds of `order_expires_in_ms`, and of the same field of an order: WeChat raises anything
/// below a minute, and a Native order lives for seven days at most.
pub(crate) const EXPIRES_IN_MS: std::ops::RangeInclusive<u64> = 60_000..=7 * 24 * 3_600_000;

/// A product is offered only where everything that it needs is configured.
pub(super) fn check_products(
    products: Vec<AttemptProduct>,
    merchant: &Merchant,
) -> Result<Vec<AttemptProduct>, ConfigError> {
    if products.is_empty() {
        return Err(ConfigError::refused("products", "must name at least one"));
    }
    for product in &products {
        let lacks = match product {
            AttemptProduct::MiniProgram if merchant.mini_program.is_none() => {
                "mini_program needs merchant.mini_program_appid"
            }
            AttemptProduct::App if merchant.app_appid.is_none() => "app needs merchant.app_appid",
            _ => continue,
        };
        return Err(ConfigError::refused("products", lacks));
    }
    Ok(products)
}

/// The name of who is paid, for the merchant or for a sub-merchant.
pub(super) fn check_payee(
    field: &'static str,
    name: Option<&str>,
) -> Result<Option<String>, ConfigError> {
    name.map(|name| payee::checked(trimmed(name)))
        .transpose()
        .map_err(|rule| ConfigError::refused(field, rule))
}

pub(super) fn check_service_contact(
    contact: ServiceContactFile,
) -> Result<ServiceContact, ConfigError> {
    let text = trimmed(&contact.text).to_owned();
    let rule = match text.len() {
        1..=200 => plain_text::broken_rule(&text),
        _ => Some("must be 1 to 200 bytes of text"),
    };
    if let Some(rule) = rule {
        return Err(ConfigError::refused("service_contact.text", rule));
    }
    let url = contact
        .url
        .map(|url| {
            Url::parse(&url)
                .ok()
                .filter(|url| matches!(url.scheme(), "https" | "mailto" | "tel"))
                .ok_or_else(|| {
                    ConfigError::refused("service_contact.url", "must be https, mailto or tel")
                })
        })
        .transpose()?;
    Ok(ServiceContact { text, url })
}
