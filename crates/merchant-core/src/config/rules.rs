//! The rules of the configuration. Each refusal gives its reason.

use std::path::{Path, PathBuf};

use super::address::{PlainHttp, bare, is_loopback_host, origins, secure_url};
use super::bundle::Bundle;
use super::file::ConfigFile;
use super::forms;
use super::gateway::check_gateway;
use super::own::{self, Own, Place};
use super::pictures::read_picture;
use super::{Config, ConfigError, Database, VerificationFile};

pub(super) fn check(mut file: ConfigFile, folder: &Path) -> Result<Config, ConfigError> {
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
    let (mut own_files, monitoring_keys) = own::take_files(&mut file)?;
    let base_url_of_file = own::read_merchant_files(&mut own_files, folder)?;
    let gateway = check_gateway(file.gateway, base_url_of_file.as_deref(), we_are_loopback)?;
    let mut all_own = Vec::new();
    for own_file in own_files {
        let place = own_file.place;
        let own = own::check(own_file, folder, &gateway, &public_base_url);
        let own = own.map_err(|error| place.named(error))?;
        all_own.push((place, own));
    }
    own::check_together(&all_own, &monitoring_keys)?;

    if gateway.is_live() && we_are_loopback {
        return Err(ConfigError::refused(
            "public_base_url",
            "is a loopback address, which no buyer reaches: with real money it must be the server's public address",
        ));
    }
    let allowed_origins = origins("allowed_origins", &file.allowed_origins, we_are_loopback)?;
    let retired_merchants = check_retired(&file.retired_merchants, &all_own)?;
    let database = Database::parse(&file.database, folder)?;
    let bundle = match file.bundle_dir {
        Some(path) => Bundle::in_folder(folder.join(path)),
        None => Bundle::Absent,
    };
    let verification_files = read_verification_files(&file.verification_files, folder)?;
    let wechat_pay_sign = read_picture(
        "wechat_pay_sign_file",
        file.wechat_pay_sign_file.as_deref(),
        folder,
    )?;
    let mut configs = all_own.into_iter().map(|(_, own)| Config {
        listen: file.listen,
        public_base_url: public_base_url.clone(),
        database: database.clone(),
        bundle: bundle.clone(),
        allowed_origins: allowed_origins.clone(),
        return_origins: own.return_origins,
        trusted_proxies: file.trusted_proxies.iter().map(|proxy| proxy.0).collect(),
        api_keys: own.api_keys,
        products: own.products,
        rate_limits: file.rate_limits,
        connections: file.connections,
        verification_files: verification_files.clone(),
        wechat_pay_sign: wechat_pay_sign.clone(),
        webhooks: own.webhooks,
        scan_webhook: own.scan_webhook,
        wxpay_server: own.wxpay_server,
        order_expires_in_ms: own.order_expires_in_ms,
        service_contact: own.service_contact,
        gateway: gateway.clone(),
        merchant: own.merchant,
        monitoring_keys: monitoring_keys.clone(),
        retired_merchants: retired_merchants.clone(),
        others: Vec::new(),
    });
    let first = configs.next();
    let mut first = first.ok_or_else(|| ConfigError::refused("merchant", "is missing"))?;
    first.others = configs.collect();
    Ok(first)
}

/// Merchants whose orders stay in the database, and which are not configured.
fn check_retired(texts: &[String], all: &[(Place, Own)]) -> Result<Vec<String>, ConfigError> {
    const FIELD: &str = "retired_merchants";
    let mut retired = Vec::new();
    for text in texts {
        let mchid = forms::mchid(FIELD, text)?;
        if all.iter().any(|(_, own)| own.merchant.key.mchid() == mchid) {
            let rule = format!("must not name {mchid}, which is configured");
            return Err(ConfigError::refused(FIELD, rule));
        }
        retired.push(mchid);
    }
    Ok(retired)
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
