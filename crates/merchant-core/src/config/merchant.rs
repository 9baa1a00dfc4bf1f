//! The `[merchant]` section: keys, secrets, trusted keys and notify URLs.

use std::path::{Path, PathBuf};

use url::Url;
use wechat_pay::NotifyUrl;
use wechat_pay::v2::ApiV2Key;

use super::address::{PlainHttp, is_loopback_host, origin, secure_url};
use super::applications::{check_mini_program, check_sub_merchants};
use super::file::{MerchantFile, MerchantJson, MerchantKeyFile};
use super::merchant_keys::check_keys;
use super::named_files::{read_private, required, secret};
use super::trusted_keys::{check_not_own, read_trusted_keys};
use super::{ConfigError, Gateway, Merchant, forms, sources};

/// The route of payment notifications. It is fixed, because it is registered at WeChat.
pub const NOTIFY_PATH: &str = "/wechat/notify/payment";
/// The route of refund notifications. It is also the address to set in WeChat's portal for refunds
/// that are made there.
pub const REFUND_NOTIFY_PATH: &str = "/wechat/notify/refund";
/// The route of the receipt page, registered at WeChat as 商家小票链接.
pub const RECEIPT_PATH: &str = "/wechat/receipt";

/// Checks the section and reads the files that it names.
pub(super) fn check_merchant(
    file: MerchantFile,
    folder: &Path,
    gateway: &Gateway,
    public_base_url: &Url,
) -> Result<Merchant, ConfigError> {
    let mchid = required("merchant.mchid", file.mchid)?;
    let mchid = forms::mchid("merchant.mchid", &mchid)?;
    let appid = required("merchant.appid", file.appid)?;
    let appid = forms::appid("merchant.appid", &appid)?;
    let public_key_id = file
        .public_key_id
        .map(|id| forms::public_key_id("merchant.public_key_id", &id))
        .transpose()?;
    let trusted_keys = read_trusted_keys(
        public_key_id.as_deref(),
        file.public_key_file.as_deref(),
        &file.platform_certificate_files,
        &file.platform_issuer_files,
    )?;
    let first = MerchantKeyFile {
        serial_no: file.serial_no,
        private_key: file.private_key,
        private_key_file: file.private_key_file,
        certificate_file: file.certificate_file,
    };
    let (certificate, other_certificates) =
        check_keys(&mchid, first, file.other_keys, &trusted_keys)?;
    let own = std::iter::once(&certificate).chain(&other_certificates);
    check_not_own(own, &trusted_keys, public_key_id.as_deref())?;

    let api_v3_key = secret(
        "merchant.api_v3_key_file",
        file.api_v3_key,
        file.api_v3_key_file,
    )?;
    let api_v3_key = required("merchant.api_v3_key", api_v3_key)?;
    let api_v3_key = forms::api_v3_key("merchant.api_v3_key", &api_v3_key)?;
    let api_v2_key = secret(
        "merchant.api_v2_key_file",
        file.api_v2_key,
        file.api_v2_key_file,
    )?
    .map(|key| ApiV2Key::parse(key.reveal()))
    .transpose()
    .map_err(|error| ConfigError::refused("merchant.api_v2_key", error.rule.to_string()))?;
    let app_secret = secret(
        "merchant.app_secret_file",
        file.app_secret,
        file.app_secret_file,
    )?
    .map(|secret| forms::app_secret("merchant.app_secret", &secret))
    .transpose()?;
    if trusted_keys.is_empty() && !file.download_certificates {
        return Err(ConfigError::refused(
            "merchant.public_key_file",
            "is missing, and so are platform_certificate_files: without one of them nothing that WeChat says can be believed. An older merchant without a public key can say download_certificates = true",
        ));
    }
    let base = check_notify_base(file.notify_base_url, gateway, public_base_url)?;
    let mini_program_secret = secret(
        "merchant.mini_program_secret_file",
        file.mini_program_secret,
        file.mini_program_secret_file,
    )?;
    let mini_program = check_mini_program(
        file.mini_program_appid,
        mini_program_secret,
        file.mini_program_path,
    )?;
    let app_appid = file
        .app_appid
        .map(|appid| forms::appid("merchant.app_appid", &appid))
        .transpose()?;
    Ok(Merchant {
        mini_program,
        app_appid,
        sub_merchants: check_sub_merchants(file.sub_merchants, folder, &mchid)?,
        receipt_url: check_receipt_url(file.receipt_url, public_base_url)?,
        appid,
        app_secret,
        key: certificate.key.clone(),
        certificate,
        other_certificates,
        api_v3_key,
        api_v2_key,
        trusted_keys,
        reply_key: public_key_id,
        notify_url: notify_url(&base, NOTIFY_PATH)?,
        refund_notify_url: notify_url(&base, REFUND_NOTIFY_PATH)?,
    })
}

const NOTIFY_BASE: &str = "merchant.notify_base_url";

fn notify_url(base: &Url, path: &str) -> Result<NotifyUrl, ConfigError> {
    let url = format!("{}{path}", base.as_str().trim_end_matches('/'));
    NotifyUrl::parse(url).map_err(|error| ConfigError::refused(NOTIFY_BASE, error.rule.to_string()))
}

fn check_notify_base(
    base: Option<String>,
    gateway: &Gateway,
    public_base_url: &Url,
) -> Result<Url, ConfigError> {
    let base = base.unwrap_or_else(|| origin(public_base_url));
    let gateway_is_loopback = Url::parse(&gateway.origin).is_ok_and(|url| is_loopback_host(&url));
    let plain_http = PlainHttp::BetweenLoopbacks {
        other_end_is_loopback: gateway_is_loopback,
    };
    let url = secure_url(NOTIFY_BASE, &base, plain_http)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ConfigError::refused(
            NOTIFY_BASE,
            "must not have a query or fragment: WeChat refuses such a notify_url",
        ));
    }
    let has_name = matches!(url.host(), Some(url::Host::Domain(_))) && !is_loopback_host(&url);
    if gateway.is_live() && !has_name {
        return Err(ConfigError::refused(
            NOTIFY_BASE,
            "must be a public host name: WeChat does not notify addresses or localhost",
        ));
    }
    Ok(url)
}

const RECEIPT_URL: &str = "merchant.receipt_url";

/// WeChat hashes the registered address byte for byte, so it is compared the same way.
fn check_receipt_url(url: Option<String>, public_base_url: &Url) -> Result<String, ConfigError> {
    let ours = format!("{}{RECEIPT_PATH}", origin(public_base_url));
    let url = url.unwrap_or_else(|| ours.clone());
    let plain_http = PlainHttp::BetweenLoopbacks {
        other_end_is_loopback: is_loopback_host(public_base_url),
    };
    let page = secure_url(RECEIPT_URL, &url, plain_http)?;
    if page.path() == RECEIPT_PATH && page.query().is_none() && page.fragment().is_none() {
        // The registered text, byte for byte.
        return Ok(forms::trimmed(&url).to_owned());
    }
    Err(ConfigError::refused(
        RECEIPT_URL,
        format!("must be the address of this server's receipt page, such as {ours}"),
    ))
}

/// Values in the TOML take precedence over `merchant.json`. Each path is relative to the file that
/// names it.
pub(super) fn merge(
    mut file: MerchantFile,
    json: Option<&(MerchantJson, PathBuf)>,
    folder: &Path,
) -> MerchantFile {
    let paths = [
        &mut file.app_secret_file,
        &mut file.private_key_file,
        &mut file.certificate_file,
        &mut file.api_v3_key_file,
        &mut file.api_v2_key_file,
        &mut file.public_key_file,
        &mut file.mini_program_secret_file,
    ];
    let other_paths = file
        .other_keys
        .iter_mut()
        .flat_map(|key| [&mut key.private_key_file, &mut key.certificate_file]);
    for path in paths.into_iter().chain(other_paths).flatten() {
        *path = folder.join(&*path);
    }
    let lists = [
        &mut file.platform_certificate_files,
        &mut file.platform_issuer_files,
    ];
    for path in lists.into_iter().flatten() {
        *path = folder.join(&*path);
    }
    let Some((json, beside)) = json else {
        return file;
    };
    let text = |own: Option<String>, theirs: &str| own.or_else(|| Some(theirs.to_owned()));
    file.mchid = text(file.mchid, &json.mchid);
    file.appid = text(file.appid, &json.appid);
    let names_a_key = file.serial_no.is_some()
        || file.private_key.is_some()
        || file.private_key_file.is_some()
        || file.certificate_file.is_some();
    let names_a_certificate = file.certificate_file.is_some();
    if !names_a_key {
        file.certificate_file = json.certificate_file.as_ref().map(|path| beside.join(path));
    }
    if !names_a_certificate {
        file.serial_no = text(file.serial_no, &json.serial_no);
    }
    if file.private_key.is_none() {
        file.private_key_file
            .get_or_insert_with(|| beside.join(&json.private_key_file));
    }
    if file.app_secret_file.is_none() {
        file.app_secret = file.app_secret.or_else(|| Some(json.app_secret.clone()));
    }
    if file.api_v3_key_file.is_none() {
        file.api_v3_key = file.api_v3_key.or_else(|| Some(json.api_v3_key.clone()));
    }
    if file.api_v2_key_file.is_none() {
        file.api_v2_key = file.api_v2_key.or_else(|| json.api_v2_key.clone());
    }
    if file.mini_program_appid.is_none() {
        file.mini_program_appid.clone_from(&json.mini_program_appid);
        if file.mini_program_secret_file.is_none() {
            file.mini_program_secret = file
                .mini_program_secret
                .or_else(|| json.mini_program_secret.clone());
        }
    }
    if file.public_key_file.is_none() && file.platform_certificate_files.is_empty() {
        file.public_key_id = file.public_key_id.or_else(|| json.public_key_id.clone());
        file.public_key_file = json.public_key_file.as_ref().map(|path| beside.join(path));
        file.platform_certificate_files = json
            .platform_certificate_file
            .iter()
            .map(|path| beside.join(path))
            .collect();
    }
    file
}

/// Reads `merchant.json`; returns its folder, too.
pub(super) fn read_merchant_json(path: &Path) -> Result<(MerchantJson, PathBuf), ConfigError> {
    let bytes = read_private("merchant.from_file", path)?;
    let json = sources::merchant_json(&bytes)?;
    Ok((json, path.parent().unwrap_or(Path::new(".")).to_owned()))
}
