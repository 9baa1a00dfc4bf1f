//! The configuration: TOML, overridden by `MERCHANT_SERVER__…` variables, checked as a whole before
//! anything starts. The values in [`Config`] need no further check.
//!
//! No secret is ever written: not in `Debug`, not in an error.

mod address;
mod api_keys;
mod applications;
mod bundle;
mod checked;
mod database;
mod error;
mod file;
mod folder;
mod forms;
mod gateway;
mod merchant;
mod merchant_keys;
mod named_files;
mod network;
mod privacy;
mod rules;
mod secret;
mod sources;
mod trusted_keys;
mod webhook_targets;

use std::path::Path;

pub use address::is_public;
pub(crate) use address::{is_loopback_host, origin_of};
pub use checked::{
    ApiKey, Config, ConnectionBounds, Environment, Gateway, Merchant, MerchantCertificate,
    MiniProgram, RateLimits, Scope, ServiceContact, SubMerchant, VerificationFile, WebhookTarget,
};
pub use database::Database;
pub use error::ConfigError;
pub(crate) use folder::folder_of;
pub use merchant::{NOTIFY_PATH, RECEIPT_PATH, REFUND_NOTIFY_PATH};
pub(crate) use merchant_keys::signer;
pub(crate) use rules::EXPIRES_IN_MS;
pub use secret::{Secret, SecretHash, masked};
pub use sources::ENVIRONMENT_PREFIX;
use sources::Sources;

impl Config {
    /// Reads a file, applies the environment's overrides, checks. Relative paths in the file
    /// count from its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        // The file may hold secrets and names the trusted keys: only its owner may write it.
        privacy::check_private("--config", path)?;
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            field: "--config",
            path: path.to_owned(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        rules::check(Sources::file(&text)?.with_variables().read()?, folder)
    }

    /// Checks a configuration text, without the environment. Relative paths count from `folder`.
    pub fn parse(toml: &str, folder: &Path) -> Result<Self, ConfigError> {
        rules::check(Sources::file(toml)?.read()?, folder)
    }

    /// Likely mistakes, as sentences for people. `now_s` is in seconds since 1970.
    pub fn warnings(&self, now_s: i64) -> Vec<String> {
        let mut warnings = self.certificate_warnings(now_s);
        if let Some(folder) = &self.bundle_dir
            && !folder.join(bundle::SCRIPT).is_file()
        {
            warnings.push(format!(
                "bundle_dir: there is no wechat-pay.js in {}, so /dist/ has no element for your pages",
                folder.display()
            ));
        }
        warnings.extend(self.database.warnings());
        if self.gateway.is_live() && self.trusted_proxies.is_empty() {
            warnings.push(
                "trusted_proxies is empty: behind a proxy every buyer has the proxy's address, so h5 is refused and all buyers share one rate limit"
                    .to_owned(),
            );
        }
        warnings
    }

    /// The fields that differ from `new` and cannot change while the server runs: addresses that
    /// WeChat or buyers have, the database, and the merchant's identity.
    pub fn needs_restart(&self, new: &Self) -> Vec<&'static str> {
        let Gateway {
            environment,
            origin,
            second_origin: _,
            tries: _,
            calls_per_second: _,
            authorize_url,
            sns_origin,
        } = &self.gateway;
        let merchant = (&self.merchant, &new.merchant);
        let checks = [
            ("listen", self.listen != new.listen),
            (
                "public_base_url",
                self.public_base_url != new.public_base_url,
            ),
            ("database", self.database != new.database),
            ("connections", self.connections != new.connections),
            (
                "gateway",
                *environment != new.gateway.environment
                    || *origin != new.gateway.origin
                    || *authorize_url != new.gateway.authorize_url
                    || *sns_origin != new.gateway.sns_origin,
            ),
            (
                "merchant.mchid",
                merchant.0.key.mchid() != merchant.1.key.mchid(),
            ),
            ("merchant.appid", merchant.0.appid != merchant.1.appid),
            (
                "merchant.notify_base_url",
                merchant.0.notify_url != merchant.1.notify_url,
            ),
        ];
        checks
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(field, _)| field)
            .collect()
    }
}
