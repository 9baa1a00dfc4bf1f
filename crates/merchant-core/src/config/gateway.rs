//! The `[gateway]` section: WeChat's own hosts, or a simulator that cannot be mistaken for them.

use std::num::NonZeroU32;

use url::Url;
use wechat_pay::hosts;

use super::address::{PlainHttp, bare, origin, secure_url};
use super::file::GatewayFile;
use super::{ConfigError, Environment, Gateway};

/// The default of `gateway.tries`.
const TRIES: u32 = 3;
/// The default of `gateway.calls_per_second`. WeChat documents 300 a second for queries of refunds,
/// and no lower figure for queries of orders.
const CALLS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(299);
const AUTHORIZE_HOST: &str = "open.weixin.qq.com";
const SNS_HOST: &str = "api.weixin.qq.com";

/// Checks the section. `base_url_of_file` is the address in the simulator's file.
pub(super) fn check_gateway(
    file: GatewayFile,
    base_url_of_file: Option<&str>,
    we_are_loopback: bool,
) -> Result<Gateway, ConfigError> {
    let environment = file.environment.unwrap_or(Environment::Wechat);
    let base_url = file
        .base_url
        .as_deref()
        .or(base_url_of_file)
        .map_or_else(|| format!("https://{}", hosts::DEFAULT_HOST), str::to_owned);
    let base_url = secure_url("gateway.base_url", &base_url, PlainHttp::ToLoopback)
        .and_then(|url| bare("gateway.base_url", url))?;
    // With `environment = "wechat"` no other host is called.
    let is_wechats = has_host(&base_url, hosts::is_wechats_host);
    match environment {
        Environment::Wechat if !is_wechats => Err(ConfigError::refused(
            "gateway.base_url",
            "is not WeChat Pay's own gateway; a stand-in needs environment = \"simulator\"",
        )),
        Environment::Simulator if is_wechats => Err(ConfigError::refused(
            "gateway.environment",
            "is \"simulator\", but the gateway is WeChat Pay's own: real money must not be called a test",
        )),
        _ => Ok(()),
    }?;
    let defaults = match environment {
        Environment::Wechat => (
            "https://open.weixin.qq.com/connect/oauth2/authorize".to_owned(),
            "https://api.weixin.qq.com".to_owned(),
        ),
        Environment::Simulator => (
            format!("{}/connect/oauth2/authorize", origin(&base_url)),
            origin(&base_url),
        ),
    };
    let authorize_url = file.oauth_authorize_url.unwrap_or(defaults.0);
    let authorize_url = secure_url(
        "gateway.oauth_authorize_url",
        &authorize_url,
        // Buyers are redirected to it.
        PlainHttp::BetweenLoopbacks {
            other_end_is_loopback: we_are_loopback,
        },
    )?;
    let sns_url = file.oauth_base_url.unwrap_or(defaults.1);
    let sns_url = secure_url("gateway.oauth_base_url", &sns_url, PlainHttp::ToLoopback)
        .and_then(|url| bare("gateway.oauth_base_url", url))?;
    if environment == Environment::Wechat {
        own_host(
            "gateway.oauth_authorize_url",
            &authorize_url,
            AUTHORIZE_HOST,
        )?;
        own_host("gateway.oauth_base_url", &sns_url, SNS_HOST)?;
    }
    let tries = file.tries.unwrap_or(TRIES);
    if !(1..=5).contains(&tries) {
        return Err(ConfigError::refused("gateway.tries", "must be from 1 to 5"));
    }
    let second = check_second_host(file.second_base_url, environment, &base_url)?;
    Ok(Gateway {
        environment,
        origin: origin(&base_url),
        second_origin: second.as_ref().map(origin),
        tries,
        calls_per_second: file.calls_per_second.unwrap_or(CALLS_PER_SECOND),
        authorize_url,
        sns_origin: origin(&sns_url),
    })
}

/// The configured second host, or WeChat's own. A simulator has none by default.
fn check_second_host(
    text: Option<String>,
    environment: Environment,
    first: &Url,
) -> Result<Option<Url>, ConfigError> {
    const FIELD: &str = "gateway.second_base_url";
    let text = match (text, environment) {
        (Some(text), _) => text,
        (None, Environment::Simulator) => return Ok(None),
        (None, Environment::Wechat) => {
            let partner = first.host_str().and_then(hosts::partner);
            format!("https://{}", partner.unwrap_or(hosts::DEFAULT_HOST))
        }
    };
    let url = secure_url(FIELD, &text, PlainHttp::ToLoopback).and_then(|url| bare(FIELD, url))?;
    if has_host(&url, hosts::is_wechats_host) != (environment == Environment::Wechat) {
        return Err(ConfigError::refused(
            FIELD,
            "and gateway.base_url must both be WeChat Pay's own, or neither",
        ));
    }
    if url.origin() == first.origin() {
        return Err(ConfigError::refused(
            FIELD,
            "must be another host than gateway.base_url",
        ));
    }
    Ok(Some(url))
}

fn has_host(url: &Url, is_right: impl FnOnce(&str) -> bool) -> bool {
    url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(is_right)
}

fn own_host(field: &'static str, url: &Url, host: &str) -> Result<(), ConfigError> {
    if has_host(url, |found| found == host) {
        return Ok(());
    }
    Err(ConfigError::refused(
        field,
        format!("must be on https://{host} unless environment = \"simulator\""),
    ))
}
