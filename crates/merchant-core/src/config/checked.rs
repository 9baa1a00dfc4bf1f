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

/// Everything the server needs to know, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address that buyers and WeChat reach us by; its path is `/`.
    pub public_base_url: Url,
    /// Where the ledger is kept.
    pub database: Database,
    /// The folder with the element's files, served at `/dist/`.
    pub bundle_dir: Option<PathBuf>,
    /// Origins whose pages may read our answers (CORS).
    pub allowed_origins: Vec<String>,
    /// Origins that a buyer may be sent back to; our own is among them.
    pub return_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Who may create and close orders.
    pub api_keys: Vec<ApiKey>,
    /// What this merchant can do: for pages, and for its own backend.
    pub products: Vec<AttemptProduct>,
    /// How long an order can be paid where it does not say so itself.
    pub order_expires_in_ms: u64,
    /// Whom a buyer turns to, shown on the hosted page.
    pub service_contact: Option<ServiceContact>,
    /// How often a page may call.
    pub rate_limits: RateLimits,
    /// How many connections there are at once, and how long a request may take to arrive.
    pub connections: ConnectionBounds,
    /// Served at the root, for the OAuth domain.
    pub verification_files: Vec<VerificationFile>,
    /// Whom we tell what happened; nobody else is ever called.
    pub webhooks: Vec<WebhookTarget>,
    /// WeChat Pay, or a stand-in.
    pub gateway: Gateway,
    /// Who we are at WeChat.
    pub merchant: Merchant,
}

/// The shop's service contact, as a buyer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceContact {
    /// A name, a number, an address: text, never markup.
    pub text: String,
    /// Where the text leads: https, mailto or tel.
    pub url: Option<Url>,
}

/// How often a page may call in a minute, with bursts of as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimits {
    /// With one token: a page that polls needs about thirty.
    pub token_per_minute: NonZeroU32,
    /// From one address: many buyers may sit behind one.
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
    /// At once, in all; fewer where the system gives this process fewer descriptors.
    pub max_total: NonZeroUsize,
    /// At once from one address (of IPv6: one /64) that is none of `trusted_proxies`.
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

/// A file by which WeChat finds out that a domain is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationFile {
    /// Its name at the root of the domain.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Where the merchant's backend is told.
#[derive(Clone)]
pub struct WebhookTarget {
    /// The address, as it is called.
    pub url: Url,
    /// The bytes that messages are signed with: one key, or two while the secret is replaced.
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
    /// In every line of the log that a call with it writes.
    pub name: String,
    /// SHA-256 of the key's text.
    pub sha256: SecretHash,
    /// What it may do.
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
    /// Give money back.
    #[serde(rename = "refunds:write")]
    RefundsWrite,
    /// Compare WeChat's bill of a day with the ledger, and fetch its file. A refund that only the
    /// bill knows is asked about then, and taken in.
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
    /// Every scope: what a key has that names none.
    pub const ALL: [Self; 7] = [
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::RefundsRead,
        Self::RefundsWrite,
        Self::Bills,
        Self::Webhooks,
        Self::Metrics,
    ];

    /// The word in the configuration.
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

/// What stands behind the gateway's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// WeChat Pay itself: real money.
    Wechat,
    /// A simulator: answers say `live: false`, pages say TEST.
    Simulator,
}

impl Environment {
    /// As the configuration spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wechat => "wechat",
            Self::Simulator => "simulator",
        }
    }
}

/// Where WeChat is.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// What is behind the addresses.
    pub environment: Environment,
    /// Scheme and authority of the payment API, without a slash at the end.
    pub origin: String,
    /// The same of the gateway's second host, for when the first cannot be reached.
    pub second_origin: Option<String>,
    /// How often a call that does the same thing each time is sent at most.
    pub tries: u32,
    /// How many calls are made in a second at most, whatever causes them.
    pub calls_per_second: NonZeroU32,
    /// Where a buyer goes for the openid.
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

/// Who we are at WeChat, and what we trust.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// The official account's appid.
    pub appid: String,
    /// Its secret; without it only orders that bring an openid can be paid inside WeChat.
    pub app_secret: Option<Secret>,
    /// The key that the configuration names first; knows mchid and serial.
    pub key: MerchantKey,
    /// The same key with its certificate.
    pub certificate: MerchantCertificate,
    /// Others, while a certificate is replaced: the newest that is valid signs.
    pub other_certificates: Vec<MerchantCertificate>,
    /// Opens notifications.
    pub api_v3_key: ApiV3Key,
    /// WeChat's public keys, as far as they are configured. Whom the server trusts at a moment
    /// is more than that: certificates that it downloaded, too.
    pub trusted_keys: TrustedKeys,
    /// The key that WeChat is asked to sign its replies with.
    pub reply_key: Option<String>,
    /// Opens notifications of version 2, which tell of refunds made in WeChat's portal.
    pub api_v2_key: Option<ApiV2Key>,
    /// Where WeChat sends its notifications of payments.
    pub notify_url: NotifyUrl,
    /// Where WeChat sends its notifications of refunds.
    pub refund_notify_url: NotifyUrl,
    /// The mini-program, where there is one.
    pub mini_program: Option<MiniProgram>,
    /// The appid of the native app at WeChat's open platform, where there is one.
    pub app_appid: Option<String>,
    /// Partner mode: whom this service provider acts for. Empty: it sells for itself.
    pub sub_merchants: Vec<SubMerchant>,
    /// Partner mode: the address of the receipt page as it is registered at WeChat.
    pub receipt_url: String,
}

impl Config {
    /// Where a file goes that is too large for memory: beside the database, where there is room
    /// and nobody else looks.
    pub(crate) fn files_dir(&self) -> &Path {
        let Database::Sqlite(file) = &self.database;
        folder_of(file)
    }
}

impl Merchant {
    /// The sub-merchant of a number, if this provider acts for it.
    pub(crate) fn sub_merchant(&self, sub_mchid: &str) -> Option<&SubMerchant> {
        self.sub_merchants
            .iter()
            .find(|sub| sub.sub_mchid == sub_mchid)
    }

    /// The same for a number that somebody asks with; the error is the rule that it breaks.
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
    /// Its appid, under which its buyers have their openids.
    pub appid: String,
    /// Its secret; without it the backend has to say who pays.
    pub secret: Option<Secret>,
    /// The page that pays: where a web-view of ours is sent to.
    pub path: Option<String>,
}

/// A merchant that a service provider acts for.
#[derive(Clone, Debug)]
pub struct SubMerchant {
    /// Its number.
    pub sub_mchid: String,
    /// Its own official account, where it has one that is bound to it.
    pub sub_appid: Option<String>,
    /// That account's secret: with it buyers are asked for their openid there (`sub_openid`), and
    /// without it at the provider's own account (`sp_openid`).
    pub sub_app_secret: Option<Secret>,
}

/// A key of ours, and what its certificate says where the configuration names it.
#[derive(Clone, Debug)]
pub struct MerchantCertificate {
    /// Signs our requests; knows mchid and serial.
    pub key: MerchantKey,
    /// From when to when the certificate is good; `None` where it is not configured.
    pub facts: Option<CertificateFacts>,
}
