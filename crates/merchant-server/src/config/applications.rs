//! The applications beside the official account: a mini-program, an app, and in partner mode
//! those of the sub-merchants. A merchant has several appids, and one buyer has another openid
//! under each of them.

use std::path::Path;

use super::file::SubMerchantFile;
use super::merchant::secret;
use super::{ConfigError, MiniProgram, SubMerchant};
use crate::secret::Secret;

/// The mini-program, where one is configured.
pub(super) fn check_mini_program(
    appid: Option<String>,
    secret: Option<Secret>,
    path: Option<String>,
) -> Result<Option<MiniProgram>, ConfigError> {
    let Some(appid) = appid else {
        return match path {
            Some(_) => Err(ConfigError::refused(
                "merchant.mini_program_appid",
                "is missing, and there is a mini_program_path",
            )),
            None => Ok(None),
        };
    };
    check_word("merchant.mini_program_appid", &appid)?;
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

/// The sub-merchants of a service provider; none means that this merchant sells for itself.
pub(super) fn check_sub_merchants(
    files: Vec<SubMerchantFile>,
    folder: &Path,
) -> Result<Vec<SubMerchant>, ConfigError> {
    let mut subs: Vec<SubMerchant> = Vec::new();
    for file in files {
        check_word("merchant.sub_merchants.sub_mchid", &file.sub_mchid)?;
        if subs.iter().any(|sub| sub.sub_mchid == file.sub_mchid) {
            return Err(ConfigError::refused(
                "merchant.sub_merchants.sub_mchid",
                "must not come twice",
            ));
        }
        if let Some(sub_appid) = &file.sub_appid {
            check_word("merchant.sub_merchants.sub_appid", sub_appid)?;
        }
        let sub_app_secret = secret(
            "merchant.sub_merchants.sub_app_secret_file",
            file.sub_app_secret,
            file.sub_app_secret_file.map(|path| folder.join(path)),
        )?;
        if sub_app_secret.is_some() && file.sub_appid.is_none() {
            return Err(ConfigError::refused(
                "merchant.sub_merchants.sub_appid",
                "is missing, and there is a secret for it",
            ));
        }
        subs.push(SubMerchant {
            sub_mchid: file.sub_mchid,
            sub_appid: file.sub_appid,
            sub_app_secret,
        });
    }
    Ok(subs)
}

/// WeChat's numbers of merchants and applications: letters and digits.
pub(super) fn check_word(field: &'static str, text: &str) -> Result<(), ConfigError> {
    let is_word =
        (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_word {
        return Ok(());
    }
    Err(ConfigError::refused(
        field,
        "must be 1 to 32 letters and digits",
    ))
}
