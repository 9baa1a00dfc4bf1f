//! WeChat's keys in the configuration, and the check that none of them is the merchant's own.

use std::path::{Path, PathBuf};

use wechat_pay::TrustedKeys;

use super::ConfigError;
use super::checked::MerchantCertificate;
use super::named_files::{key_error, read, required};

/// WeChat's keys: the public key with its id, platform certificates, and the issuers of further
/// certificates.
pub(super) fn read_trusted_keys(
    public_key_id: Option<&str>,
    public_key: Option<&Path>,
    certificates: &[PathBuf],
    issuers: &[PathBuf],
) -> Result<TrustedKeys, ConfigError> {
    let mut trusted_keys = TrustedKeys::new();
    match (public_key_id, public_key) {
        (Some(id), Some(path)) => trusted_keys
            .add_public_key_pem(id, &read("merchant.public_key_file", path)?)
            .map_err(key_error("merchant.public_key_file"))?,
        (None, None) => {}
        (None, Some(_)) => required("merchant.public_key_id", None)?,
        (Some(_), None) => required("merchant.public_key_file", None)?,
    }
    for path in certificates {
        trusted_keys
            .add_certificate_pem(&read("merchant.platform_certificate_files", path)?)
            .map_err(key_error("merchant.platform_certificate_files"))?;
    }
    for path in issuers {
        trusted_keys
            .require_issuers_pem(&read("merchant.platform_issuer_files", path)?)
            .map_err(key_error("merchant.platform_issuer_files"))?;
    }
    Ok(trusted_keys)
}

/// Refuses the merchant's own key in the place of WeChat's. The holder of the merchant's private
/// key could then forge WeChat's messages, and WeChat's real messages would be refused.
pub(super) fn check_not_own<'a>(
    own: impl Iterator<Item = &'a MerchantCertificate>,
    trusted_keys: &TrustedKeys,
    public_key_id: Option<&str>,
) -> Result<(), ConfigError> {
    for certificate in own {
        for serial in trusted_keys.serials() {
            let is_public_key = public_key_id == Some(serial);
            let (field, rule) = if is_public_key {
                (
                    "merchant.public_key_file",
                    "is the public half of your own private key: WeChat Pay's public key is pub_key.pem of the merchant portal",
                )
            } else {
                (
                    "merchant.platform_certificate_files",
                    "names your own certificate: apiclient_cert.pem belongs into certificate_file, and here belong those that WeChat signs with",
                )
            };
            let is_own = match trusted_keys.get(serial) {
                Some(key) => certificate
                    .key
                    .has_public_key(key)
                    .map_err(key_error(field))?,
                None => false,
            };
            if is_own || (!is_public_key && serial == certificate.key.serial_no()) {
                return Err(ConfigError::refused(field, rule));
            }
        }
    }
    Ok(())
}
