//! The configuration: TOML, overridden by `MERCHANT_SERVER__…` variables, checked as a whole before
//! anything starts. The values in [`Config`] need no further check.
//!
//! No secret is ever written: not in `Debug`, not in an error.

mod address;
mod api;
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
mod offer;
mod own;
mod pictures;
mod privacy;
mod rules;
mod secret;
mod sources;
mod trusted_keys;
mod webhook_targets;
mod wxpay_server;

use std::path::Path;

pub use address::is_public;
pub(crate) use address::{is_loopback_host, origin_of};
pub use api::Api;
pub use bundle::{Bundle, EmbeddedFile};
pub use checked::{
    ApiKey, Config, ConnectionBounds, Environment, Gateway, Merchant, MerchantCertificate,
    MiniProgram, OfficialAccount, RateLimits, Scope, ServiceContact, SubMerchant, VerificationFile,
    WebhookTarget, WxpayServer,
};
pub use database::Database;
pub use error::ConfigError;
pub(crate) use folder::folder_of;
pub use merchant::{
    MERCHANT_NOTIFY_PATH, MERCHANT_REFUND_NOTIFY_PATH, NOTIFY_PATH, RECEIPT_PATH,
    REFUND_NOTIFY_PATH,
};
pub(crate) use merchant_keys::signer;
pub(crate) use offer::EXPIRES_IN_MS;
pub use pictures::Picture;
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

    /// The same with the element's files of the program. A folder that the configuration names takes
    /// precedence.
    #[must_use]
    pub fn with_embedded(mut self, files: &'static [EmbeddedFile]) -> Self {
        if self.bundle == Bundle::Absent {
            self.bundle = Bundle::embedded(files);
        }
        for other in &mut self.others {
            other.bundle.clone_from(&self.bundle);
        }
        self
    }

    /// Likely mistakes, as sentences for people. `now_s` is in seconds since 1970.
    pub fn warnings(&self, now_s: i64) -> Vec<String> {
        let mut warnings = self.certificate_warnings(now_s);
        for other in &self.others {
            let mchid = other.merchant.key.mchid();
            let theirs = other.certificate_warnings(now_s).into_iter();
            warnings.extend(theirs.map(|warning| format!("merchant {mchid}: {warning}")));
        }
        warnings.extend(self.bundle.warning());
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
    /// WeChat or buyers have, the database, and which merchants there are.
    pub fn needs_restart(&self, new: &Self) -> Vec<&'static str> {
        let mchids = |config: &Self| {
            let mchids = config
                .each()
                .map(|config| config.merchant.key.mchid().to_owned());
            mchids.collect::<Vec<_>>()
        };
        if self.others.is_empty() && new.others.is_empty() {
            return self.own_needs_restart(new);
        }
        if mchids(self) != mchids(new) {
            return vec!["merchants"];
        }
        let mut fields: Vec<_> = self
            .each()
            .zip(new.each())
            .flat_map(|(old, new)| old.own_needs_restart(new))
            .collect();
        fields.dedup();
        fields
    }

    fn own_needs_restart(&self, new: &Self) -> Vec<&'static str> {
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
                "retired_merchants",
                self.retired_merchants != new.retired_merchants,
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
