//! The `[merchant]` section: keys, secrets, trusted keys and notify URLs.

use std::path::{Path, PathBuf};

use url::Url;
use wechat_pay::v2::{ApiV2Key, SignType};
use wechat_pay::{ApiV3Key, NotifyUrl};

use super::address::{PlainHttp, is_loopback_host, origin, secure_url};
use super::applications::{check_applications, check_mini_program, check_sub_merchants};
use super::file::{MerchantFile, MerchantJson, MerchantKeyFile};
use super::merchant_keys::check_keys;
use super::named_files::{read_private, required, secret};
use super::offer::check_payee;
use super::pictures::read_picture;
use super::trusted_keys::{check_not_own, read_trusted_keys};
use super::{Api, ConfigError, Gateway, Merchant, MerchantCertificate, Secret, forms, sources};

/// The route of payment notifications. It is fixed, because it is registered at WeChat.
pub const NOTIFY_PATH: &str = "/wechat/notify/payment";
/// The route of refund notifications. It is also the address to set in WeChat's portal for refunds
/// that are made there.
pub const REFUND_NOTIFY_PATH: &str = "/wechat/notify/refund";
/// The route of payment notifications of one merchant of several.
pub const MERCHANT_NOTIFY_PATH: &str = "/wechat/notify/{mchid}/payment";
/// The route of refund notifications of one merchant of several.
pub const MERCHANT_REFUND_NOTIFY_PATH: &str = "/wechat/notify/{mchid}/refund";
/// The route of the receipt page, registered at WeChat as 商家小票链接.
pub const RECEIPT_PATH: &str = "/wechat/receipt";

/// Checks the section and reads the files that it names. `is_listed`: it is one of `[[merchants]]`,
/// which have notify URLs of their own.
pub(super) fn check_merchant(
    file: MerchantFile,
    folder: &Path,
    gateway: &Gateway,
    public_base_url: &Url,
    is_listed: bool,
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
    let v2_sign_type = check_sign_type(file.v2_sign_type.as_deref())?;
    let api = check_api(file.api.as_deref(), v2_sign_type)?;
    let api_v2_key = check_api_v2_key(file.api_v2_key, file.api_v2_key_file)?;
    let app_secret = secret(
        "merchant.app_secret_file",
        file.app_secret,
        file.app_secret_file,
    )?
    .map(|secret| forms::app_secret("merchant.app_secret", &secret))
    .transpose()?;
    let has_wechats_keys = !trusted_keys.is_empty() || file.download_certificates;
    let api_v3_key = check_api_v3_key(api, api_v3_key.as_ref(), has_wechats_keys)?;
    if let Api::V2(_) = api {
        check_for_v2(api_v2_key.as_ref(), &certificate)?;
    }
    let base = check_notify_base(file.notify_base_url, gateway, public_base_url)?;
    let [payment_path, refund_path] = notify_paths(is_listed, &mchid);
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
    let first = [
        Some(&appid),
        mini_program
            .as_ref()
            .map(|mini_program| &mini_program.appid),
        app_appid.as_ref(),
    ];
    let more = check_applications(file.applications, folder, first)?;
    Ok(Merchant {
        mini_program,
        app_appid,
        other_accounts: more.accounts,
        other_mini_programs: more.mini_programs,
        other_app_appids: more.app_appids,
        sub_merchants: check_sub_merchants(file.sub_merchants, folder, &mchid)?,
        receipt_url: check_receipt_url(file.receipt_url, public_base_url)?,
        payee: check_payee("merchant.payee", file.payee.as_deref())?,
        logo: read_picture("merchant.logo_file", file.logo_file.as_deref(), folder)?,
        appid,
        app_secret,
        key: certificate.key.clone(),
        certificate,
        other_certificates,
        api,
        api_v3_key,
        api_v2_key,
        v2_sign_type,
        trusted_keys,
        reply_key: public_key_id,
        notify_url: notify_url(&base, &payment_path)?,
        refund_notify_url: notify_url(&base, &refund_path)?,
    })
}

fn check_sign_type(text: Option<&str>) -> Result<SignType, ConfigError> {
    match text.map(forms::trimmed) {
        None => Ok(SignType::HmacSha256),
        Some(text) => SignType::parse(text).ok_or_else(|| {
            ConfigError::refused(
                "merchant.v2_sign_type",
                "must be \"HMAC-SHA256\" or \"MD5\"",
            )
        }),
    }
}

fn check_api(text: Option<&str>, v2_sign_type: SignType) -> Result<Api, ConfigError> {
    match text.map(forms::trimmed) {
        None | Some("v3") => Ok(Api::V3),
        Some("v2") => Ok(Api::V2(v2_sign_type)),
        Some(_) => Err(ConfigError::refused(
            "merchant.api",
            "must be \"v3\" or \"v2\"",
        )),
    }
}

/// A merchant of version 2 has the keys of version 3 as a whole or not at all.
fn check_api_v3_key(
    api: Api,
    key: Option<&Secret>,
    has_wechats_keys: bool,
) -> Result<Option<ApiV3Key>, ConfigError> {
    const FIELD: &str = "merchant.api_v3_key";
    if api != Api::V3 && key.is_none() && !has_wechats_keys {
        return Ok(None);
    }
    let key = forms::api_v3_key(FIELD, required(FIELD, key)?)?;
    if !has_wechats_keys {
        return Err(ConfigError::refused(
            "merchant.public_key_file",
            "is missing, and so are platform_certificate_files: without one of them nothing that WeChat says can be believed. An older merchant without a public key can say download_certificates = true",
        ));
    }
    Ok(Some(key))
}

fn check_api_v2_key(
    key: Option<Secret>,
    file: Option<PathBuf>,
) -> Result<Option<ApiV2Key>, ConfigError> {
    secret("merchant.api_v2_key_file", key, file)?
        .map(|key| ApiV2Key::parse(key.reveal()))
        .transpose()
        .map_err(|error| ConfigError::refused("merchant.api_v2_key", error.rule.to_string()))
}

/// What version 2 cannot do without: its key signs, and refunds need the certificate.
fn check_for_v2(
    key: Option<&ApiV2Key>,
    certificate: &MerchantCertificate,
) -> Result<(), ConfigError> {
    if key.is_none() {
        return Err(ConfigError::refused(
            "merchant.api_v2_key",
            "is missing: with api = \"v2\" it signs every call (账户中心 → API 安全 → APIv2 密钥)",
        ));
    }
    if certificate.identity.is_none() {
        return Err(ConfigError::refused(
            "merchant.certificate_file",
            "is missing: with api = \"v2\" refunds and reversals need the merchant certificate (apiclient_cert.pem)",
        ));
    }
    Ok(())
}

const NOTIFY_BASE: &str = "merchant.notify_base_url";

/// The paths of notifications of payments and of refunds.
fn notify_paths(is_listed: bool, mchid: &str) -> [String; 2] {
    if is_listed {
        let of_several = [MERCHANT_NOTIFY_PATH, MERCHANT_REFUND_NOTIFY_PATH];
        of_several.map(|path| path.replace("{mchid}", mchid))
    } else {
        [NOTIFY_PATH, REFUND_NOTIFY_PATH].map(str::to_owned)
    }
}

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
