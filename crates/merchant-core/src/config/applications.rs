//! The applications beside the official account: a mini-program, an app, and in partner mode those
//! of the sub-merchants. A merchant has several appids, and a buyer has a different openid under
//! each of them.

use std::path::Path;

use super::file::SubMerchantFile;
use super::named_files::secret;
use super::{ConfigError, MiniProgram, Secret, SubMerchant, forms};

/// The mini-program, if one is configured.
pub(super) fn check_mini_program(
    appid: Option<String>,
    secret: Option<Secret>,
    path: Option<String>,
) -> Result<Option<MiniProgram>, ConfigError> {
    let Some(appid) = appid else {
        let needs_it = match (&secret, &path) {
            (Some(_), _) => "is missing, and there is a mini_program_secret",
            (None, Some(_)) => "is missing, and there is a mini_program_path",
            (None, None) => return Ok(None),
        };
        return Err(ConfigError::refused(
            "merchant.mini_program_appid",
            needs_it,
        ));
    };
    let appid = forms::appid("merchant.mini_program_appid", &appid)?;
    let secret = secret
        .map(|secret| forms::app_secret("merchant.mini_program_secret", &secret))
        .transpose()?;
    if let Some(path) = &path {
        let is_path = path.starts_with('/')
            && path.len() <= 512
            && !path.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#');
        if !is_path {
            return Err(ConfigError::refused(
                "merchant.mini_program_path",
                "must be the path of a mini-program's page, such as /pages/pay/pay",
            ));
        }
    }
    Ok(Some(MiniProgram {
        appid,
        secret,
        path,
    }))
}

/// The sub-merchants of a service provider. An empty list means that this merchant sells for
/// itself.
pub(super) fn check_sub_merchants(
    files: Vec<SubMerchantFile>,
    folder: &Path,
    mchid: &str,
) -> Result<Vec<SubMerchant>, ConfigError> {
    let mut subs: Vec<SubMerchant> = Vec::new();
    for file in files {
        let sub_mchid = forms::mchid("merchant.sub_merchants.sub_mchid", &file.sub_mchid)?;
        if sub_mchid == mchid {
            return Err(ConfigError::refused(
                "merchant.sub_merchants.sub_mchid",
                "is merchant.mchid, the provider's own number: a merchant that sells for itself has no sub_merchants",
            ));
        }
        if subs.iter().any(|sub| sub.sub_mchid == sub_mchid) {
            return Err(ConfigError::refused(
                "merchant.sub_merchants.sub_mchid",
                "must not come twice",
            ));
        }
        let sub_appid = file
            .sub_appid
            .map(|appid| forms::appid("merchant.sub_merchants.sub_appid", &appid))
            .transpose()?;
        let sub_app_secret = secret(
            "merchant.sub_merchants.sub_app_secret_file",
            file.sub_app_secret,
            file.sub_app_secret_file.map(|path| folder.join(path)),
        )?
        .map(|secret| forms::app_secret("merchant.sub_merchants.sub_app_secret", &secret))
        .transpose()?;
        if sub_app_secret.is_some() && sub_appid.is_none() {
            return Err(ConfigError::refused(
                "merchant.sub_merchants.sub_appid",
                "is missing, and there is a secret for it",
            ));
        }
        subs.push(SubMerchant {
            sub_mchid,
            sub_appid,
            sub_app_secret,
        });
    }
    Ok(subs)
}
