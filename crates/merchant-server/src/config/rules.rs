//! The rules that a configuration must keep, each refusal with its reason.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use merchant_api::AttemptProduct;
use url::Url;

use super::address::{bare, is_loopback_host, origin, secure_url};
use super::file::{ApiKeyFile, ConfigFile, GatewayFile, ServiceContactFile, WebhookFile};
use super::{
    ApiKey, Config, ConfigError, Database, Environment, Gateway, Merchant, Scope, ServiceContact,
    VerificationFile, WebhookTarget, merchant,
};
use crate::secret::SecretHash;

/// WeChat Pay's own hosts; nothing else is spoken to as if it were WeChat.
const GATEWAY_HOSTS: [&str; 2] = ["api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"];
/// How often a call is sent where the configuration does not say so.
const TRIES: u32 = 3;
const AUTHORIZE_HOST: &str = "open.weixin.qq.com";
const SNS_HOST: &str = "api.weixin.qq.com";

/// Bounds of `order_expires_in_ms`, and of the same field of an order: WeChat raises anything
/// below a minute, and a Native order lives for seven days at most.
pub(crate) const EXPIRES_IN_MS: std::ops::RangeInclusive<u64> = 60_000..=7 * 24 * 3_600_000;

pub(super) fn check(file: ConfigFile, folder: &Path) -> Result<Config, ConfigError> {
    let listens_on_loopback = file.listen.ip().is_loopback();
    let public_base_url = secure_url(
        "public_base_url",
        &file.public_base_url,
        listens_on_loopback,
    )
    .and_then(|url| bare("public_base_url", url))?;
    let we_are_loopback = is_loopback_host(&public_base_url);

    let merchant_json = file
        .merchant
        .from_file
        .as_deref()
        .map(|path| merchant::read_merchant_json(&folder.join(path)))
        .transpose()?;
    let merchant_file = merchant::merge(file.merchant, merchant_json.as_ref(), folder);
    let gateway = check_gateway(
        file.gateway,
        merchant_json
            .as_ref()
            .map(|(json, _)| json.base_url.as_str()),
        we_are_loopback,
    )?;
    let merchant = merchant::check_merchant(merchant_file, folder, &gateway, &public_base_url)?;

    let origins = |field, list: &[String]| -> Result<Vec<String>, ConfigError> {
        list.iter()
            .map(|text| {
                let url = secure_url(field, text, we_are_loopback)?;
                bare(field, url).map(|url| origin(&url))
            })
            .collect()
    };
    let allowed_origins = origins("allowed_origins", &file.allowed_origins)?;
    let mut return_origins = origins("return_origins", &file.return_origins)?;
    return_origins.push(origin(&public_base_url));

    if !EXPIRES_IN_MS.contains(&file.order_expires_in_ms) {
        return Err(ConfigError::refused(
            "order_expires_in_ms",
            "must be from 60000 (a minute) to 604800000 (seven days)",
        ));
    }
    Ok(Config {
        listen: file.listen,
        public_base_url,
        database: Database::parse(&file.database, folder)?,
        bundle_dir: file.bundle_dir.map(|path| folder.join(path)),
        allowed_origins,
        return_origins,
        trusted_proxies: file.trusted_proxies,
        api_keys: check_api_keys(file.api_keys)?,
        products: check_products(file.products, &merchant)?,
        rate_limits: file.rate_limits,
        connections: file.connections,
        verification_files: file
            .verification_files
            .iter()
            .map(|path| read_verification_file(&folder.join(path)))
            .collect::<Result<_, _>>()?,
        webhooks: file
            .webhooks
            .into_iter()
            .map(|target| check_webhook(target, folder, we_are_loopback))
            .collect::<Result<_, _>>()?,
        order_expires_in_ms: file.order_expires_in_ms,
        service_contact: file
            .service_contact
            .map(check_service_contact)
            .transpose()?,
        gateway,
        merchant,
    })
}

fn check_gateway(
    file: GatewayFile,
    base_url_of_file: Option<&str>,
    we_are_loopback: bool,
) -> Result<Gateway, ConfigError> {
    let environment = file.environment.unwrap_or(Environment::Wechat);
    let base_url = file
        .base_url
        .as_deref()
        .or(base_url_of_file)
        .unwrap_or("https://api.mch.weixin.qq.com");
    let base_url = secure_url("gateway.base_url", base_url, we_are_loopback)
        .and_then(|url| bare("gateway.base_url", url))?;
    let is_wechats = has_host(&base_url, &GATEWAY_HOSTS);
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
        we_are_loopback,
    )?;
    let sns_url = file.oauth_base_url.unwrap_or(defaults.1);
    let sns_url = secure_url("gateway.oauth_base_url", &sns_url, we_are_loopback)
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
    let second = check_second_host(
        file.second_base_url,
        environment,
        &base_url,
        we_are_loopback,
    )?;
    Ok(Gateway {
        environment,
        origin: origin(&base_url),
        second_origin: second.as_ref().map(origin),
        tries,
        authorize_url,
        sns_origin: origin(&sns_url),
    })
}

/// WeChat's other host, unless the configuration names one; a simulator has none unless it does.
fn check_second_host(
    text: Option<String>,
    environment: Environment,
    first: &Url,
    we_are_loopback: bool,
) -> Result<Option<Url>, ConfigError> {
    const FIELD: &str = "gateway.second_base_url";
    let text = match (text, environment) {
        (Some(text), _) => text,
        (None, Environment::Simulator) => return Ok(None),
        (None, Environment::Wechat) => {
            let other = GATEWAY_HOSTS
                .into_iter()
                .find(|host| first.host_str() != Some(host));
            format!("https://{}", other.unwrap_or(GATEWAY_HOSTS[0]))
        }
    };
    let url = secure_url(FIELD, &text, we_are_loopback).and_then(|url| bare(FIELD, url))?;
    if has_host(&url, &GATEWAY_HOSTS) != (environment == Environment::Wechat) {
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

fn has_host(url: &Url, hosts: &[&str]) -> bool {
    url.scheme() == "https"
        && url.port().is_none()
        && url.host_str().is_some_and(|host| hosts.contains(&host))
}

fn own_host(field: &'static str, url: &Url, host: &str) -> Result<(), ConfigError> {
    if has_host(url, &[host]) {
        return Ok(());
    }
    Err(ConfigError::refused(
        field,
        format!("must be on https://{host} unless environment = \"simulator\""),
    ))
}

fn check_api_keys(keys: Vec<ApiKeyFile>) -> Result<Vec<ApiKey>, ConfigError> {
    if keys.is_empty() {
        return Err(ConfigError::refused(
            "api_keys",
            "is missing: without a key nobody can create an order",
        ));
    }
    keys.into_iter()
        .map(|key| {
            let sha256 = from_hex(&key.sha256).ok_or_else(|| {
                ConfigError::refused(
                    "api_keys.sha256",
                    "must be the 64 hex digits of the SHA-256 of a random key",
                )
            })?;
            Ok(ApiKey {
                name: key.name,
                sha256: SecretHash::new(sha256),
                scopes: key.scopes.unwrap_or_else(|| Scope::ALL.to_vec()),
            })
        })
        .collect()
}

/// A product is offered only where everything that it needs is configured.
fn check_products(
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

/// The scheme's own form of a secret: `whsec_` and base64 of 24 to 64 bytes.
fn check_webhook(
    target: WebhookFile,
    folder: &Path,
    we_are_loopback: bool,
) -> Result<WebhookTarget, ConfigError> {
    let url = secure_url("webhooks.url", &target.url, we_are_loopback)?;
    let file = target.secret_file.map(|path| folder.join(path));
    let secret = merchant::secret("webhooks.secret_file", target.secret, file)?
        .ok_or_else(|| ConfigError::refused("webhooks.secret", "is missing"))?;
    let key = secret
        .reveal()
        .strip_prefix("whsec_")
        .and_then(|text| STANDARD.decode(text).ok())
        .filter(|key| (24..=64).contains(&key.len()))
        .ok_or_else(|| {
            ConfigError::refused(
                "webhooks.secret",
                "must be whsec_ and the base64 of 24 to 64 random bytes",
            )
        })?;
    Ok(WebhookTarget { url, key })
}

/// WeChat asks for such a file at the root of the domain, by the name that it was handed out with.
fn read_verification_file(path: &Path) -> Result<VerificationFile, ConfigError> {
    const FIELD: &str = "verification_files";
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name
        .filter(|name| {
            name.strip_suffix(".txt").is_some_and(|stem| {
                !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            })
        })
        .ok_or_else(|| {
            ConfigError::refused(FIELD, "must be named like MP_verify_a1B2c3D4e5F6g7H8.txt")
        })?;
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        field: FIELD,
        path: path.to_owned(),
        source,
    })?;
    if text.len() > 1024 {
        return Err(ConfigError::refused(
            FIELD,
            "must be at most 1024 bytes long",
        ));
    }
    Ok(VerificationFile {
        name: name.to_owned(),
        text,
    })
}

fn check_service_contact(contact: ServiceContactFile) -> Result<ServiceContact, ConfigError> {
    let text = contact.text;
    if text.trim().is_empty() || text.len() > 200 || text.chars().any(char::is_control) {
        return Err(ConfigError::refused(
            "service_contact.text",
            "must be 1 to 200 bytes of text without control characters",
        ));
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

fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}
