//! The rules that a configuration must keep, each refusal with its reason.

use std::path::{Path, PathBuf};

use merchant_api::Product;
use url::Url;
use wechat_pay::{ApiV3Key, MerchantKey, NotifyUrl, TrustedKeys};

use super::address::{bare, is_loopback_host, origin, secure_url};
use super::file::{ApiKeyFile, ConfigFile, GatewayFile, MerchantFile, MerchantJson};
use super::{ApiKey, Config, ConfigError, Environment, Gateway, Merchant};
use crate::secret::Secret;

/// WeChat Pay's own hosts; nothing else is spoken to as if it were WeChat.
const GATEWAY_HOSTS: [&str; 2] = ["api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"];
const AUTHORIZE_HOST: &str = "open.weixin.qq.com";
const SNS_HOST: &str = "api.weixin.qq.com";
/// The route of the notification, fixed so that it can be registered once.
pub(crate) const NOTIFY_PATH: &str = "/wechat/notify/payment";

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
        .map(|path| read_merchant_json(&folder.join(path)))
        .transpose()?;
    let merchant_file = merge_merchant(file.merchant, merchant_json.as_ref(), folder);
    let gateway = check_gateway(
        file.gateway,
        merchant_json
            .as_ref()
            .map(|(json, _)| json.base_url.as_str()),
        we_are_loopback,
    )?;
    let merchant = check_merchant(merchant_file, &gateway, &public_base_url)?;

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
        database: folder.join(file.database),
        bundle_dir: file.bundle_dir.map(|path| folder.join(path)),
        allowed_origins,
        return_origins,
        trusted_proxies: file.trusted_proxies,
        api_keys: check_api_keys(file.api_keys)?,
        products: check_products(file.products)?,
        order_expires_in_ms: file.order_expires_in_ms,
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
    Ok(Gateway {
        environment,
        origin: origin(&base_url),
        authorize_url,
        sns_origin: origin(&sns_url),
    })
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

fn check_merchant(
    file: MerchantFile,
    gateway: &Gateway,
    public_base_url: &Url,
) -> Result<Merchant, ConfigError> {
    let mchid = required("merchant.mchid", file.mchid)?;
    let appid = required("merchant.appid", file.appid)?;
    let serial_no = required("merchant.serial_no", file.serial_no)?;
    let private_key_file = required("merchant.private_key_file", file.private_key_file)?;
    let private_key = read("merchant.private_key_file", &private_key_file)?;
    let key = MerchantKey::from_pem(mchid, serial_no, &private_key)
        .map_err(key_error("merchant.private_key_file"))?;

    let api_v3_key = secret(
        "merchant.api_v3_key_file",
        file.api_v3_key,
        file.api_v3_key_file,
    )?;
    let api_v3_key = required("merchant.api_v3_key", api_v3_key)?;
    let api_v3_key =
        ApiV3Key::new(api_v3_key.reveal().as_bytes()).map_err(key_error("merchant.api_v3_key"))?;
    let app_secret = secret(
        "merchant.app_secret_file",
        file.app_secret,
        file.app_secret_file,
    )?;

    let mut trusted_keys = TrustedKeys::new();
    if let Some(path) = &file.public_key_file {
        let id = required("merchant.public_key_id", file.public_key_id.clone())?;
        trusted_keys
            .add_public_key_pem(id, &read("merchant.public_key_file", path)?)
            .map_err(key_error("merchant.public_key_file"))?;
    }
    for path in &file.platform_certificate_files {
        trusted_keys
            .add_certificate_pem(&read("merchant.platform_certificate_files", path)?)
            .map_err(key_error("merchant.platform_certificate_files"))?;
    }
    if trusted_keys.is_empty() {
        return Err(ConfigError::refused(
            "merchant.public_key_file",
            "is missing, and so are platform_certificate_files: without one of them nothing that WeChat says can be believed",
        ));
    }
    let notify_url = check_notify_url(file.notify_base_url, gateway, public_base_url)?;
    Ok(Merchant {
        appid,
        app_secret,
        key,
        api_v3_key,
        trusted_keys,
        reply_key: file.public_key_file.and(file.public_key_id),
        notify_url,
    })
}

fn check_notify_url(
    base: Option<String>,
    gateway: &Gateway,
    public_base_url: &Url,
) -> Result<NotifyUrl, ConfigError> {
    const FIELD: &str = "merchant.notify_base_url";
    let base = base.unwrap_or_else(|| origin(public_base_url));
    let gateway_is_loopback = Url::parse(&gateway.origin).is_ok_and(|url| is_loopback_host(&url));
    let url = secure_url(FIELD, &base, gateway_is_loopback)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ConfigError::refused(
            FIELD,
            "must not have a query or fragment: WeChat refuses such a notify_url",
        ));
    }
    let has_name = matches!(url.host(), Some(url::Host::Domain(_))) && !is_loopback_host(&url);
    if gateway.is_live() && !has_name {
        return Err(ConfigError::refused(
            FIELD,
            "must be a public host name: WeChat does not notify addresses or localhost",
        ));
    }
    let url = format!("{}{NOTIFY_PATH}", url.as_str().trim_end_matches('/'));
    NotifyUrl::parse(url).map_err(|error| ConfigError::refused(FIELD, error.rule.to_string()))
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
                sha256,
            })
        })
        .collect()
}

fn check_products(products: Vec<Product>) -> Result<Vec<Product>, ConfigError> {
    if products.is_empty() {
        return Err(ConfigError::refused("products", "must name at least one"));
    }
    if products.contains(&Product::MiniProgram) {
        return Err(ConfigError::refused(
            "products",
            "mini_program is not offered by this version; there are native, h5 and jsapi",
        ));
    }
    Ok(products)
}

/// What the TOML says wins over `merchant.json`; each path counts from the folder of the file
/// that it stands in.
fn merge_merchant(
    mut file: MerchantFile,
    json: Option<&(MerchantJson, PathBuf)>,
    folder: &Path,
) -> MerchantFile {
    let paths = [
        &mut file.app_secret_file,
        &mut file.private_key_file,
        &mut file.api_v3_key_file,
        &mut file.public_key_file,
    ];
    for path in paths.into_iter().flatten() {
        *path = folder.join(&*path);
    }
    for path in &mut file.platform_certificate_files {
        *path = folder.join(&*path);
    }
    let Some((json, beside)) = json else {
        return file;
    };
    let text = |own: Option<String>, theirs: &str| own.or_else(|| Some(theirs.to_owned()));
    file.mchid = text(file.mchid, &json.mchid);
    file.appid = text(file.appid, &json.appid);
    file.serial_no = text(file.serial_no, &json.serial_no);
    if file.app_secret_file.is_none() {
        file.app_secret = file.app_secret.or_else(|| Some(json.app_secret.clone()));
    }
    if file.api_v3_key_file.is_none() {
        file.api_v3_key = file.api_v3_key.or_else(|| Some(json.api_v3_key.clone()));
    }
    file.private_key_file
        .get_or_insert_with(|| beside.join(&json.private_key_file));
    if file.public_key_file.is_none() && file.platform_certificate_files.is_empty() {
        file.public_key_id.clone_from(&json.public_key_id);
        file.public_key_file = json.public_key_file.as_ref().map(|path| beside.join(path));
        file.platform_certificate_files = json
            .platform_certificate_file
            .iter()
            .map(|path| beside.join(path))
            .collect();
    }
    file
}

fn read_merchant_json(path: &Path) -> Result<(MerchantJson, PathBuf), ConfigError> {
    let bytes = read("merchant.from_file", path)?;
    let json = serde_json::from_slice(&bytes).map_err(ConfigError::MerchantFile)?;
    Ok((json, path.parent().unwrap_or(Path::new(".")).to_owned()))
}

fn secret(
    field: &'static str,
    text: Option<Secret>,
    file: Option<PathBuf>,
) -> Result<Option<Secret>, ConfigError> {
    match (text, file) {
        (Some(_), Some(_)) => Err(ConfigError::refused(
            field,
            "must not come together with the value itself",
        )),
        (text, None) => Ok(text),
        (None, Some(path)) => {
            let bytes = read(field, &path)?;
            let text = String::from_utf8(bytes)
                .map_err(|_| ConfigError::refused(field, "names a file that is not text"))?;
            Ok(Some(Secret::new(text.trim_end_matches(['\n', '\r']))))
        }
    }
}

fn required<T>(field: &'static str, value: Option<T>) -> Result<T, ConfigError> {
    value.ok_or_else(|| ConfigError::refused(field, "is missing"))
}

fn read(field: &'static str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|source| ConfigError::Unreadable {
        field,
        path: path.to_owned(),
        source,
    })
}

fn key_error(field: &'static str) -> impl Fn(wechat_pay::KeyError) -> ConfigError {
    move |source| ConfigError::Key { field, source }
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
