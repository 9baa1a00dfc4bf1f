//! The configuration as it is used: every value was checked. Nothing here reads a file.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;

use ipnet::IpNet;
use merchant_api::AttemptProduct;
use url::Url;
use wechat_pay::v2::{ApiV2Key, SignType};
use wechat_pay::{ApiV3Key, CertificateFacts, ClientIdentity, MerchantKey, NotifyUrl, TrustedKeys};

use super::api::Api;
use super::bundle::Bundle;
use super::database::Database;
use super::folder::folder_of;
use super::pictures::Picture;
use super::secret::{Secret, SecretHash};

/// The checked configuration of one merchant: what all merchants of the server share, and what is this
/// merchant's own.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address by which buyers and WeChat reach this server; its path is `/`.
    pub public_base_url: Url,
    /// The database of the ledger.
    pub database: Database,
    /// The element's files, served at `/dist/`.
    pub bundle: Bundle,
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
    /// WeChat Pay's official sign, for buyers' pages; without it they show a neutral mark.
    pub wechat_pay_sign: Option<Picture>,
    /// The targets of webhooks. No other address is called.
    pub webhooks: Vec<WebhookTarget>,
    /// The target that confirms scans of product codes without a price.
    pub scan_webhook: Option<WebhookTarget>,
    /// The payment service (wxpayserver); `None`: it has no routes.
    pub wxpay_server: Option<WxpayServer>,
    /// The gateway: WeChat Pay or a simulator.
    pub gateway: Gateway,
    /// The merchant's identity and keys at WeChat.
    pub merchant: Merchant,
    /// The keys that read the metrics of all merchants, and do nothing else.
    pub monitoring_keys: Vec<ApiKey>,
    /// Merchants (mchid) that this server no longer serves, whose orders its database holds.
    pub retired_merchants: Vec<String>,
    /// The configurations of the server's other merchants. They name no others.
    pub others: Vec<Self>,
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
    /// Whether messages about payments name the payer (`with_payer`).
    pub with_payer: bool,
}

impl std::fmt::Debug for WebhookTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookTarget")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

/// The payment service (wxpayserver), whose routes are `/v1/pay/…`.
#[derive(Clone, Debug)]
pub struct WxpayServer {
    /// The addresses that an order may name as its `notify_url`. No other address is called.
    pub notify_urls: Vec<Url>,
    /// The address to which a buyer returns from an H5 payment; without it, H5 is refused.
    pub return_url: Option<String>,
}

impl WxpayServer {
    /// The allowed address that equals this text as a URL.
    pub fn notify_url(&self, text: &str) -> Option<&Url> {
        let given = Url::parse(text).ok()?;
        self.notify_urls.iter().find(|url| **url == given)
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
    /// Read payment links and print their codes.
    #[serde(rename = "links:read")]
    LinksRead,
    /// Create and disable payment links.
    #[serde(rename = "links:write")]
    LinksWrite,
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
    /// Use the payment service (`/v1/pay/…`), if it is configured.
    #[serde(rename = "wxpay_server")]
    WxpayServer,
    /// Sell at a counter (`/till`): create orders, pay them by the buyer's code, read them one by one,
    /// close them.
    #[serde(rename = "till")]
    Till,
    /// See who paid: the payer's openid in an order that the key may read.
    #[serde(rename = "payers:read")]
    PayersRead,
    /// Share payments with receivers (分账): add and delete receivers, share, return, release.
    #[serde(rename = "sharing")]
    Sharing,
    /// Sign in at the desk (`/desk`) and look at everything there.
    #[serde(rename = "desk:look")]
    DeskLook,
    /// Refund at the desk, and send an abnormal refund another way.
    #[serde(rename = "desk:refund")]
    DeskRefund,
    /// Mark mismatches as done at the desk, and send webhooks again.
    #[serde(rename = "desk:settle")]
    DeskSettle,
}

impl ApiKey {
    /// Whether the key signs in at the desk: it may look there, and may do nothing outside of it.
    pub fn opens_desk(&self) -> bool {
        self.scopes.contains(&Scope::DeskLook) && self.scopes.iter().all(|scope| scope.is_of_desk())
    }
}

impl Scope {
    /// Every scope. A key that names none has all of them.
    pub const ALL: [Self; 16] = [
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::RefundsRead,
        Self::RefundsWrite,
        Self::LinksRead,
        Self::LinksWrite,
        Self::Bills,
        Self::Webhooks,
        Self::Metrics,
        Self::WxpayServer,
        Self::Till,
        Self::PayersRead,
        Self::Sharing,
        Self::DeskLook,
        Self::DeskRefund,
        Self::DeskSettle,
    ];

    /// Whether the scope is one of the desk's, which no route of the API takes.
    pub const fn is_of_desk(self) -> bool {
        matches!(self, Self::DeskLook | Self::DeskRefund | Self::DeskSettle)
    }

    /// The scope's name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::RefundsRead => "refunds:read",
            Self::RefundsWrite => "refunds:write",
            Self::LinksRead => "links:read",
            Self::LinksWrite => "links:write",
            Self::Bills => "bills",
            Self::Webhooks => "webhooks",
            Self::Metrics => "metrics",
            Self::WxpayServer => "wxpay_server",
            Self::Till => "till",
            Self::PayersRead => "payers:read",
            Self::Sharing => "sharing",
            Self::DeskLook => "desk:look",
            Self::DeskRefund => "desk:refund",
            Self::DeskSettle => "desk:settle",
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
    /// The version that makes orders and refunds. What the other version made is queried, closed
    /// and completed by that one, for as long as its key is configured.
    pub api: Api,
    /// The APIv3 key, which decrypts notifications. `None`: the merchant has version 2 alone.
    pub api_v3_key: Option<ApiV3Key>,
    /// WeChat's public keys in the configuration. At run time the server also trusts the
    /// certificates that it downloaded.
    pub trusted_keys: TrustedKeys,
    /// The key that WeChat is asked to sign its replies with.
    pub reply_key: Option<String>,
    /// The key of version 2. It signs that version's messages, and decrypts notifications of
    /// refunds that were made in WeChat's portal. `None`: the merchant has version 3 alone.
    pub api_v2_key: Option<ApiV2Key>,
    /// The kind of signature of orders that version 2 makes.
    pub v2_sign_type: SignType,
    /// The notify URL of payments.
    pub notify_url: NotifyUrl,
    /// The notify URL of refunds.
    pub refund_notify_url: NotifyUrl,
    /// The mini-program, if there is one.
    pub mini_program: Option<MiniProgram>,
    /// The appid of the native app at WeChat's open platform, if there is one.
    pub app_appid: Option<String>,
    /// Further official accounts, for orders that name them.
    pub other_accounts: Vec<OfficialAccount>,
    /// Further mini-programs, for orders that name them.
    pub other_mini_programs: Vec<MiniProgram>,
    /// The appids of further native apps, for orders that name them.
    pub other_app_appids: Vec<String>,
    /// Partner mode: the sub-merchants of this service provider. Empty: the merchant sells for
    /// itself.
    pub sub_merchants: Vec<SubMerchant>,
    /// Partner mode: the address of the receipt page as it is registered at WeChat.
    pub receipt_url: String,
    /// Who is paid, as buyers read it, unless an order names another name.
    pub payee: Option<String>,
    /// The merchant's logo on buyers' pages.
    pub logo: Option<Picture>,
}

impl Config {
    /// The configurations of all merchants of the server, this one first.
    pub fn each(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.others)
    }

    /// The same server as its merchant with this number sees it: that merchant comes first. `None`: it
    /// is not configured.
    #[must_use]
    pub fn for_merchant(&self, mchid: &str) -> Option<Self> {
        let mut each: Vec<_> = self.each().cloned().collect();
        let place = each
            .iter()
            .position(|config| config.merchant.key.mchid() == mchid)?;
        let mut chosen = each.remove(place);
        for other in &mut each {
            other.others.clear();
        }
        chosen.others = each;
        Some(chosen)
    }

    /// The shop's address, if only one is configured. With several addresses, the server does not know
    /// which shop a buyer came from.
    pub fn only_shop(&self) -> Option<&str> {
        let own = self.public_base_url.origin().ascii_serialization();
        let mut shops = self.return_origins.iter().filter(|origin| **origin != own);
        let shop = shops.next();
        shop.filter(|_| shops.next().is_none()).map(String::as_str)
    }

    /// The configured name of who is paid by an order of this sub-merchant, or of the merchant itself. It is
    /// never the provider's name for a sub-merchant, because the provider does not get the money.
    pub(crate) fn payee(&self, sub_mchid: Option<&str>) -> Option<&str> {
        match sub_mchid {
            Some(sub_mchid) => self
                .merchant
                .sub_merchant(sub_mchid)
                .and_then(|sub| sub.payee.as_deref()),
            None => self.merchant.payee.as_deref(),
        }
    }

    /// The logo of who is paid by an order of this sub-merchant, or of the merchant itself; like the name,
    /// never the provider's.
    pub fn logo(&self, sub_mchid: Option<&str>) -> Option<&Picture> {
        match sub_mchid {
            Some(sub_mchid) => self.merchant.sub_merchant(sub_mchid)?.logo.as_ref(),
            None => self.merchant.logo.as_ref(),
        }
    }

    /// This merchant's picture with this name.
    pub fn picture(&self, name: &str) -> Option<&Picture> {
        let of_subs = self.merchant.sub_merchants.iter();
        let of_subs = of_subs.filter_map(|sub| sub.logo.as_ref());
        let logos = self.merchant.logo.iter().chain(of_subs);
        self.wechat_pay_sign
            .iter()
            .chain(logos)
            .find(|picture| picture.name == name)
    }

    /// The folder for files that are too large for memory: beside the database, on a private disk
    /// with space.
    pub(crate) fn files_dir(&self) -> &Path {
        match &self.database {
            Database::Sqlite(file) => folder_of(file),
            Database::Postgres { folder, .. } => folder,
        }
    }
}

impl Merchant {
    /// Whether the merchant has no key of version 3.
    pub fn has_only_version_2(&self) -> bool {
        self.api_v3_key.is_none()
    }

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

/// A further official account of the merchant.
#[derive(Clone, Debug)]
pub struct OfficialAccount {
    /// The account's appid, under which its followers have their openids.
    pub appid: String,
    /// The account's secret. Without it, only orders with an openid can be paid inside WeChat.
    pub secret: Option<Secret>,
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
    /// Who is paid, as buyers read it, unless an order names another name.
    pub payee: Option<String>,
    /// The sub-merchant's logo on buyers' pages.
    pub logo: Option<Picture>,
}

/// A key of the merchant, with its certificate's data where the configuration names the
/// certificate.
#[derive(Clone, Debug)]
pub struct MerchantCertificate {
    /// The private key with mchid and serial number.
    pub key: MerchantKey,
    /// The validity of the certificate; `None` if it is not configured.
    pub facts: Option<CertificateFacts>,
    /// Key and certificate for connections that version 2 asks a certificate for; `None` if the
    /// certificate is not configured.
    pub identity: Option<ClientIdentity>,
}
