//! The payment service (wxpayserver): the addresses that may receive the notification of a payment in
//! WeChat's own form. Without this table the service has no routes.

use url::Url;

use super::address::{PlainHttp, origin_of, secure_url};
use super::file::WxpayServerFile;
use super::{ConfigError, Gateway, Merchant, WxpayServer};

/// Checks the table. `return_origins` are the checked origins that a buyer may be sent back to.
pub(super) fn check_wxpay_server(
    file: WxpayServerFile,
    gateway: &Gateway,
    merchant: &Merchant,
    return_origins: &[String],
) -> Result<WxpayServer, ConfigError> {
    if merchant.api_v2_key.is_none() {
        return Err(ConfigError::refused(
            "wxpay_server",
            "needs merchant.api_v2_key, which signs the notifications to notify_urls",
        ));
    }
    if !merchant.sub_merchants.is_empty() {
        return Err(ConfigError::refused(
            "wxpay_server",
            "is for a merchant that sells for itself: its calls cannot name a sub-merchant",
        ));
    }
    if file.notify_urls.is_empty() {
        return Err(ConfigError::refused(
            "wxpay_server.notify_urls",
            "must name at least one address: every order names one of them",
        ));
    }
    let mut notify_urls = Vec::new();
    for text in &file.notify_urls {
        let url = check_notify_url(text, gateway)?;
        if notify_urls.contains(&url) {
            return Err(ConfigError::refused(
                "wxpay_server.notify_urls",
                "must not name an address twice",
            ));
        }
        notify_urls.push(url);
    }
    Ok(WxpayServer {
        notify_urls,
        return_url: file
            .return_url
            .map(|text| check_return_url(text, return_origins))
            .transpose()?,
    })
}

/// WeChat's own rule for `notify_url` forbids a query. This server calls the address, so a loopback
/// address is on this machine; it is accepted only where no real money moves.
fn check_notify_url(text: &str, gateway: &Gateway) -> Result<Url, ConfigError> {
    const FIELD: &str = "wxpay_server.notify_urls";
    let url = secure_url(FIELD, text, PlainHttp::ToLoopback)?;
    let rule = if url.scheme() == "http" && gateway.is_live() {
        "must be https: plain http to this machine is for a simulator"
    } else if url.query().is_some() || url.fragment().is_some() {
        "must not have a query or a fragment: WeChat takes none in a notify_url"
    } else {
        return Ok(url);
    };
    Err(ConfigError::refused(FIELD, rule))
}

fn check_return_url(text: String, return_origins: &[String]) -> Result<String, ConfigError> {
    let origin = origin_of(&text);
    if origin.is_some_and(|origin| return_origins.contains(&origin)) {
        return Ok(text);
    }
    Err(ConfigError::refused(
        "wxpay_server.return_url",
        "must be an address on one of return_origins",
    ))
}
