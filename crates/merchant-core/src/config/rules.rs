//! The rules of the configuration. Each refusal gives its reason.

use std::path::{Path, PathBuf};

use merchant_api::AttemptProduct;
use url::Url;

use super::address::{PlainHttp, bare, is_loopback_host, origin, origins, secure_url};
use super::api_keys::check_api_keys;
use super::bundle;
use super::file::{ConfigFile, ServiceContactFile};
use super::forms::trimmed;
use super::gateway::check_gateway;
use super::webhook_targets::check_webhooks;
use super::{Config, ConfigError, Database, Merchant, ServiceContact, VerificationFile, merchant};
use crate::input::plain_text;

/// Bounds of `order_expires_in_ms`, and of the same field of an order: WeChat raises anything
/// below a minute, and a Native order lives for seven days at most.
pub(crate) const EXPIRES_IN_MS: std::ops::RangeInclusive<u64> = 60_000..=7 * 24 * 3_600_000;

pub(super) fn check(file: ConfigFile, folder: &Path) -> Result<Config, ConfigError> {
    let listens_on_loopback = file.listen.ip().is_loopback();
    let public_base_url = secure_url(
        "public_base_url",
        &file.public_base_url,
        PlainHttp::BetweenLoopbacks {
            other_end_is_loopback: listens_on_loopback,
        },
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

    if gateway.is_live() && we_are_loopback {
        return Err(ConfigError::refused(
            "public_base_url",
            "is a loopback address, which no buyer reaches: with real money it must be the server's public address",
        ));
    }
    let allowed_origins = origins("allowed_origins", &file.allowed_origins, we_are_loopback)?;
    let mut return_origins = origins("return_origins", &file.return_origins, we_are_loopback)?;
    return_origins.push(origin(&public_base_url));

    if !EXPIRES_IN_MS.contains(&file.order_expires_in_ms) {
        return Err(ConfigError::refused(
            "order_expires_in_ms",
            "must be from 60000 (a minute) to 604800000 (seven days)",
        ));
    }
    let bundle_dir = file.bundle_dir.map(|path| folder.join(path));
    Ok(Config {
        listen: file.listen,
        public_base_url,
        database: Database::parse(&file.database, folder)?,
        bundle_wasm: bundle_dir.as_deref().and_then(bundle::wasm_name),
        bundle_dir,
        allowed_origins,
        return_origins,
        trusted_proxies: file.trusted_proxies.iter().map(|proxy| proxy.0).collect(),
        api_keys: check_api_keys(file.api_keys)?,
        products: check_products(file.products, &merchant)?,
        rate_limits: file.rate_limits,
        connections: file.connections,
        verification_files: read_verification_files(&file.verification_files, folder)?,
        webhooks: check_webhooks(file.webhooks, folder)?,
        order_expires_in_ms: file.order_expires_in_ms,
        service_contact: file
            .service_contact
            .map(check_service_contact)
            .transpose()?,
        gateway,
        merchant,
    })
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

fn read_verification_files(
    paths: &[PathBuf],
    folder: &Path,
) -> Result<Vec<VerificationFile>, ConfigError> {
    let mut files: Vec<VerificationFile> = Vec::new();
    for path in paths {
        let file = read_verification_file(&folder.join(path))?;
        if files.iter().any(|known| known.name == file.name) {
            return Err(ConfigError::refused(
                "verification_files",
                "must not have two files of one name: WeChat asks for it by its name",
            ));
        }
        files.push(file);
    }
    Ok(files)
}

/// WeChat requests such a file at the root of the domain, by its original name.
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
    if text.trim().is_empty() || text.len() > 1024 {
        return Err(ConfigError::refused(
            FIELD,
            "must be 1 to 1024 bytes long, as WeChat issues such a file",
        ));
    }
    Ok(VerificationFile {
        name: name.to_owned(),
        text,
    })
}

fn check_service_contact(contact: ServiceContactFile) -> Result<ServiceContact, ConfigError> {
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
