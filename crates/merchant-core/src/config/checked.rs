//! The configuration as it is used: every value was checked. Nothing here reads a file.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use merchant_api::AttemptProduct;
use url::Url;
use wechat_pay::v2::ApiV2Key;
use wechat_pay::{ApiV3Key, CertificateFacts, MerchantKey, NotifyUrl, TrustedKeys};

use super::database::Database;
use super::folder::folder_of;
use super::secret::{Secret, SecretHash};

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address by which buyers and WeChat reach this server; its path is `/`.
    pub public_base_url: Url,
    /// The database of the ledger.
    pub database: Database,
    /// The folder with the element's files, served at `/dist/`.
    pub bundle_dir: Option<PathBuf>,
    /// The name of its WebAssembly file, which pages preload; `None` if the script names none.
    pub bundle_wasm: Option<String>,
    /// Origins whose pages may read the answers (CORS).
    pub allowed_origins: Vec<String>,
    /// Origins that a buyer may be sent back to, this server's own included.
    pub return_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The keys of the private API.
    pub api_keys: Vec<ApiKey>,
    /// The payment products that this merchant uses, in pages and through its own backend.
    pub products: Vec<AttemptProduct>,
    /// How long an order can be paid, unless it names its own time.
    pub order_expires_in_ms: u64,
    /// The shop's service contact, shown on the hosted page.
    pub service_contact: Option<ServiceContact>,
    /// The limits on calls of pages.
    pub rate_limits: RateLimits,
    /// The limits on connections.
    pub connections: ConnectionBounds,
    /// Files served at the root, by which WeChat verifies a domain.
    pub verification_files: Vec<VerificationFile>,
    /// The targets of webhooks. No other address is called.
    pub webhooks: Vec<WebhookTarget>,
    /// The gateway: WeChat Pay or a simulator.
    pub gateway: Gateway,
    /// The merchant's identity and keys at WeChat.
    pub merchant: Merchant,
}

/// The shop's service contact, as a buyer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceContact {
    /// A name, a number, an address: text, never markup.
    pub text: String,
    /// The link of the text: https, mailto or tel.
    pub url: Option<Url>,
}

/// Limits on calls of pages in a minute, with bursts of the same size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimits {
    /// Calls with one token. A page that polls needs about thirty.
    pub token_per_minute: NonZeroU32,
    /// Calls from one address. Many buyers may share one address.
    pub address_per_minute: NonZeroU32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            token_per_minute: NonZeroU32::MIN.saturating_add(239),
            address_per_minute: NonZeroU32::MIN.saturating_add(2_999),
        }
    }
}

/// Bounds on connections to this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionBounds {
    /// The most connections at once; fewer where the system allows this process fewer descriptors.
    pub max_total: NonZeroUsize,
    /// The most connections at once from one address (of IPv6: one /64) that is none of
    /// `trusted_proxies`.
    pub max_per_address: NonZeroUsize,
    /// How long a request's head may take to arrive, and how long its body, in milliseconds. A
    /// connection without a request is closed after the same time.
    pub request_timeout_ms: u64,
}

impl Default for ConnectionBounds {
    fn default() -> Self {
        Self {
            max_total: NonZeroUsize::MIN.saturating_add(19_999),
            max_per_address: NonZeroUsize::MIN.saturating_add(511),
            request_timeout_ms: 20_000,
        }
    }
}

/// A file by which WeChat verifies that the domain is the merchant's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationFile {
    /// Its name at the root of the domain.
    pub name: String,
    /// The content.
    pub text: String,
}

/// A target of webhooks.
#[derive(Clone)]
pub struct WebhookTarget {
    /// The address.
    pub url: Url,
    /// The signing keys: one, or two while the secret is replaced.
    pub keys: Vec<Vec<u8>>,
}

impl std::fmt::Debug for WebhookTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookTarget")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

/// One key of the private side, as its hash.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// The key's name. Each log line of a call with this key has it.
    pub name: String,
    /// SHA-256 of the key's text.
    pub sha256: SecretHash,
    /// The scopes of the key.
    pub scopes: Vec<Scope>,
}

/// What an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub enum Scope {
    /// Read orders.
    #[serde(rename = "orders:read")]
    OrdersRead,
    /// Create and close orders.
    #[serde(rename = "orders:write")]
    OrdersWrite,
    /// Read refunds.
    #[serde(rename = "refunds:read")]
    RefundsRead,
    /// Create refunds.
    #[serde(rename = "refunds:write")]
    RefundsWrite,
    /// Compare WeChat's bill of a day with the ledger, and download its file. A refund that only
    /// the bill has is queried and added to the ledger.
    #[serde(rename = "bills")]
    Bills,
    /// List webhook messages and send them again.
    #[serde(rename = "webhooks")]
    Webhooks,
    /// Read `/metrics`.
    #[serde(rename = "metrics")]
    Metrics,
}

impl Scope {
    /// Every scope. A key that names none has all of them.
    pub const ALL: [Self; 7] = [
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::RefundsRead,
        Self::RefundsWrite,
        Self::Bills,
        Self::Webhooks,
        Self::Metrics,
    ];

    /// The scope's name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::RefundsRead => "refunds:read",
            Self::RefundsWrite => "refunds:write",
            Self::Bills => "bills",
            Self::Webhooks => "webhooks",
            Self::Metrics => "metrics",
        }
    }
}

/// The system at the gateway's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// WeChat Pay itself: real money.
    Wechat,
    /// A simulator: answers say `live: false`, pages say TEST.
    Simulator,
}

impl Environment {
    /// The environment's name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wechat => "wechat",
            Self::Simulator => "simulator",
        }
    }
}

/// The addresses of WeChat.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Real or simulator.
    pub environment: Environment,
    /// Scheme and authority of the payment API, without a slash at the end.
    pub origin: String,
    /// The second host of the gateway, for when the first one cannot be reached.
    pub second_origin: Option<String>,
    /// The most tries of an idempotent call.
    pub tries: u32,
    /// The most calls to WeChat in a second, of all kinds together.
    pub calls_per_second: NonZeroU32,
    /// The OAuth page that a buyer is sent to for the openid.
    pub authorize_url: Url,
    /// Scheme and authority of the API that turns a code into an openid.
    pub sns_origin: String,
}

impl Gateway {
    /// Whether real money moves.
    pub fn is_live(&self) -> bool {
        self.environment == Environment::Wechat
    }
}

/// The merchant's identity at WeChat, and the keys that are trusted.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// The official account's appid.
    pub appid: String,
    /// The official account's secret. Without it, only orders with an openid can be paid inside
    /// WeChat.
    pub app_secret: Option<Secret>,
    /// The private key that the configuration names first, with mchid and serial number.
    pub key: MerchantKey,
    /// That key with its certificate.
    pub certificate: MerchantCertificate,
    /// Other keys, while a certificate is replaced. The newest valid key signs.
    pub other_certificates: Vec<MerchantCertificate>,
    /// The APIv3 key, which decrypts notifications.
    pub api_v3_key: ApiV3Key,
    /// WeChat's public keys in the configuration. At run time the server also trusts the
    /// certificates that it downloaded.
    pub trusted_keys: TrustedKeys,
    /// The key that WeChat is asked to sign its replies with.
    pub reply_key: Option<String>,
    /// The key of version 2. It decrypts notifications of refunds that were made in WeChat's
    /// portal.
    pub api_v2_key: Option<ApiV2Key>,
    /// The notify URL of payments.
    pub notify_url: NotifyUrl,
    /// The notify URL of refunds.
    pub refund_notify_url: NotifyUrl,
    /// The mini-program, if there is one.
    pub mini_program: Option<MiniProgram>,
    /// The appid of the native app at WeChat's open platform, if there is one.
    pub app_appid: Option<String>,
    /// Partner mode: the sub-merchants of this service provider. Empty: the merchant sells for
    /// itself.
    pub sub_merchants: Vec<SubMerchant>,
    /// Partner mode: the address of the receipt page as it is registered at WeChat.
    pub receipt_url: String,
}

impl Config {
    /// The folder for files that are too large for memory: beside the database, on a private disk
    /// with space.
    pub(crate) fn files_dir(&self) -> &Path {
        let Database::Sqlite(file) = &self.database;
        folder_of(file)
    }
}

impl Merchant {
    /// The configured sub-merchant with this number.
    pub(crate) fn sub_merchant(&self, sub_mchid: &str) -> Option<&SubMerchant> {
        self.sub_merchants
            .iter()
            .find(|sub| sub.sub_mchid == sub_mchid)
    }

    /// Checks a sub-merchant number from a request; the error is the rule that it breaks.
    pub(crate) fn known_sub_merchant(&self, sub_mchid: &str) -> Result<&SubMerchant, &'static str> {
        if self.sub_merchants.is_empty() {
            return Err("is for service providers: the configuration names no sub-merchants");
        }
        self.sub_merchant(sub_mchid)
            .ok_or("is none of the configured sub-merchants")
    }
}

/// A mini-program of the merchant.
#[derive(Clone, Debug)]
pub struct MiniProgram {
    /// The mini-program's appid, under which its buyers have their openids.
    pub appid: String,
    /// The mini-program's secret. Without it the backend has to name the payer.
    pub secret: Option<Secret>,
    /// The mini-program's page that pays: a web-view is sent to it.
    pub path: Option<String>,
}

/// A merchant that a service provider acts for.
#[derive(Clone, Debug)]
pub struct SubMerchant {
    /// The sub-merchant's number.
    pub sub_mchid: String,
    /// The sub-merchant's own official account, if it has one.
    pub sub_appid: Option<String>,
    /// The secret of that account. With it, the openid comes from that account (`sub_openid`);
    /// without it, from the provider's account (`sp_openid`).
    pub sub_app_secret: Option<Secret>,
}

/// A key of the merchant, with its certificate's data where the configuration names the
/// certificate.
#[derive(Clone, Debug)]
pub struct MerchantCertificate {
    /// The private key with mchid and serial number.
    pub key: MerchantKey,
    /// The validity of the certificate; `None` if it is not configured.
    pub facts: Option<CertificateFacts>,
}
