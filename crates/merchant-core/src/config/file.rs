//! The configuration file's names and types. The rules are in the modules beside it.

use std::num::NonZeroU32;
use std::path::PathBuf;

use merchant_api::AttemptProduct;
use serde::Deserialize;

use super::network::{self, Proxy};
use super::{ConnectionBounds, Environment, RateLimits, Scope, Secret};

/// The whole file. An unknown name is refused, because a misspelt rule must not be skipped.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    #[serde(default = "default_listen", deserialize_with = "network::listen")]
    pub(super) listen: std::net::SocketAddr,
    pub(super) public_base_url: String,
    #[serde(default = "default_database")]
    pub(super) database: String,
    pub(super) bundle_dir: Option<PathBuf>,
    #[serde(default)]
    pub(super) allowed_origins: Vec<String>,
    #[serde(default)]
    pub(super) return_origins: Vec<String>,
    #[serde(default)]
    pub(super) trusted_proxies: Vec<Proxy>,
    #[serde(default)]
    pub(super) api_keys: Vec<ApiKeyFile>,
    #[serde(default)]
    pub(super) rate_limits: RateLimits,
    #[serde(default)]
    pub(super) connections: ConnectionBounds,
    #[serde(default)]
    pub(super) verification_files: Vec<PathBuf>,
    pub(super) wechat_pay_sign_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) webhooks: Vec<WebhookFile>,
    pub(super) scan_webhook: Option<WebhookFile>,
    #[serde(default = "default_products")]
    pub(super) products: Vec<AttemptProduct>,
    #[serde(default = "default_order_expires_in_ms")]
    pub(super) order_expires_in_ms: u64,
    pub(super) service_contact: Option<ServiceContactFile>,
    pub(super) wxpay_server: Option<WxpayServerFile>,
    #[serde(default)]
    pub(super) gateway: GatewayFile,
    /// The only merchant, or the first of several. What belongs to it alone is at the top level.
    pub(super) merchant: Option<MerchantFile>,
    /// Several merchants, each with what belongs to it alone.
    #[serde(default)]
    pub(super) merchants: Vec<MerchantFile>,
    #[serde(default)]
    pub(super) retired_merchants: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceContactFile {
    pub(super) text: String,
    pub(super) url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKeyFile {
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) scopes: Option<Vec<Scope>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookFile {
    pub(super) url: String,
    pub(super) secret: Option<Secret>,
    pub(super) secret_file: Option<PathBuf>,
    pub(super) other_secret: Option<Secret>,
    pub(super) other_secret_file: Option<PathBuf>,
    /// For `[[webhooks]]` alone.
    pub(super) with_payer: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WxpayServerFile {
    #[serde(default)]
    pub(super) notify_urls: Vec<String>,
    pub(super) return_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GatewayFile {
    pub(super) environment: Option<Environment>,
    pub(super) base_url: Option<String>,
    pub(super) oauth_authorize_url: Option<String>,
    pub(super) oauth_base_url: Option<String>,
    pub(super) second_base_url: Option<String>,
    pub(super) tries: Option<u32>,
    pub(super) calls_per_second: Option<NonZeroU32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MerchantFile {
    /// A `merchant.json` as the simulator writes it. Values in the TOML take precedence.
    pub(super) from_file: Option<PathBuf>,
    pub(super) mchid: Option<String>,
    pub(super) appid: Option<String>,
    pub(super) app_secret: Option<Secret>,
    pub(super) app_secret_file: Option<PathBuf>,
    pub(super) api: Option<String>,
    pub(super) v2_sign_type: Option<String>,
    pub(super) serial_no: Option<String>,
    pub(super) private_key: Option<Secret>,
    pub(super) private_key_file: Option<PathBuf>,
    pub(super) certificate_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) other_keys: Vec<MerchantKeyFile>,
    pub(super) api_v3_key: Option<Secret>,
    pub(super) api_v3_key_file: Option<PathBuf>,
    pub(super) api_v2_key: Option<Secret>,
    pub(super) api_v2_key_file: Option<PathBuf>,
    pub(super) public_key_id: Option<String>,
    pub(super) public_key_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) platform_certificate_files: Vec<PathBuf>,
    #[serde(default)]
    pub(super) platform_issuer_files: Vec<PathBuf>,
    #[serde(default)]
    pub(super) download_certificates: bool,
    pub(super) notify_base_url: Option<String>,
    pub(super) mini_program_appid: Option<String>,
    pub(super) mini_program_secret: Option<Secret>,
    pub(super) mini_program_secret_file: Option<PathBuf>,
    pub(super) mini_program_path: Option<String>,
    pub(super) app_appid: Option<String>,
    #[serde(default)]
    pub(super) sub_merchants: Vec<SubMerchantFile>,
    pub(super) receipt_url: Option<String>,
    pub(super) payee: Option<String>,
    pub(super) logo_file: Option<PathBuf>,
    /// Further official accounts, mini-programs and apps.
    #[serde(default)]
    pub(super) applications: Vec<ApplicationFile>,
    // The rest is for `[[merchants]]` alone: that of `[merchant]` is at the top level.
    pub(super) api_keys: Option<Vec<ApiKeyFile>>,
    pub(super) webhooks: Option<Vec<WebhookFile>>,
    pub(super) scan_webhook: Option<WebhookFile>,
    pub(super) return_origins: Option<Vec<String>>,
    pub(super) products: Option<Vec<AttemptProduct>>,
    pub(super) order_expires_in_ms: Option<u64>,
    pub(super) service_contact: Option<ServiceContactFile>,
    pub(super) wxpay_server: Option<WxpayServerFile>,
}

/// A further application of a merchant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplicationFile {
    pub(super) kind: ApplicationKind,
    pub(super) appid: String,
    pub(super) secret: Option<Secret>,
    pub(super) secret_file: Option<PathBuf>,
    pub(super) path: Option<String>,
}

/// What an application is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ApplicationKind {
    OfficialAccount,
    MiniProgram,
    App,
}

/// One sub-merchant of a service provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubMerchantFile {
    pub(super) sub_mchid: String,
    pub(super) sub_appid: Option<String>,
    pub(super) sub_app_secret: Option<Secret>,
    pub(super) sub_app_secret_file: Option<PathBuf>,
    pub(super) payee: Option<String>,
    pub(super) logo_file: Option<PathBuf>,
}

/// Another key of the merchant with its certificate, while the first one is replaced.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MerchantKeyFile {
    pub(super) serial_no: Option<String>,
    pub(super) private_key: Option<Secret>,
    pub(super) private_key_file: Option<PathBuf>,
    pub(super) certificate_file: Option<PathBuf>,
}

/// `merchant.json`. Unknown names are ignored, because other tools read it too.
#[derive(Debug, Deserialize)]
pub(super) struct MerchantJson {
    pub(super) base_url: String,
    pub(super) mchid: String,
    pub(super) appid: String,
    pub(super) app_secret: Secret,
    pub(super) mini_program_appid: Option<String>,
    pub(super) mini_program_secret: Option<Secret>,
    pub(super) serial_no: String,
    pub(super) private_key_file: PathBuf,
    pub(super) certificate_file: Option<PathBuf>,
    pub(super) api_v3_key: Secret,
    pub(super) api_v2_key: Option<Secret>,
    pub(super) public_key_id: Option<String>,
    pub(super) public_key_file: Option<PathBuf>,
    pub(super) platform_certificate_file: Option<PathBuf>,
}

fn default_listen() -> std::net::SocketAddr {
    std::net::SocketAddr::from(([127, 0, 0, 1], 8080))
}

fn default_database() -> String {
    "merchant-server.sqlite3".to_owned()
}

/// Half an hour: longer than a buyer needs, and shorter than the validity of WeChat's links.
const fn default_order_expires_in_ms() -> u64 {
    30 * 60 * 1000
}

fn default_products() -> Vec<AttemptProduct> {
    vec![
        AttemptProduct::Native,
        AttemptProduct::H5,
        AttemptProduct::Jsapi,
    ]
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::{
        ApiKeyFile, ApplicationFile, ConfigFile, GatewayFile, MerchantFile, MerchantKeyFile,
        RateLimits, ServiceContactFile, SubMerchantFile, WebhookFile, WxpayServerFile,
    };
    use crate::input::json_form::{FormRule, GivenJson};

    /// The field names of a table, read from the error about an unknown name.
    fn fields_of<Table: DeserializeOwned>() -> &'static [&'static str] {
        let nonsense = GivenJson::Object(vec![("nonsense".to_owned(), GivenJson::Null)]);
        match nonsense.read::<Table>().map_err(|misfit| misfit.rule) {
            Err(FormRule::Unknown(known)) => known,
            _ => panic!("nonsense was taken"),
        }
    }

    #[test]
    fn the_example_has_every_field() {
        let text = include_str!("../../../merchant-server/config.example.toml");
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let words: Vec<_> = text.split(|letter| !is_name(letter)).collect();
        for fields in [
            fields_of::<ConfigFile>(),
            fields_of::<ServiceContactFile>(),
            fields_of::<RateLimits>(),
            fields_of::<ApiKeyFile>(),
            fields_of::<WebhookFile>(),
            fields_of::<WxpayServerFile>(),
            fields_of::<GatewayFile>(),
            fields_of::<MerchantFile>(),
            fields_of::<ApplicationFile>(),
            fields_of::<SubMerchantFile>(),
            fields_of::<MerchantKeyFile>(),
        ] {
            assert!(fields.len() > 1, "{fields:?}");
            for field in fields {
                assert!(words.contains(field), "{field} is missing");
            }
        }
    }
}
