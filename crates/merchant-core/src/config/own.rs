//! What each merchant of a server has for itself. With one merchant (`[merchant]`) some of it is at the
//! top level of the file; a merchant of several (`[[merchants]]`) has all of it in its table.

use std::path::{Path, PathBuf};

use merchant_api::AttemptProduct;
use url::Url;

use super::address::{is_loopback_host, origin, origins};
use super::api_keys::{check_api_keys, check_monitoring_keys};
use super::file::{
    ApiKeyFile, ConfigFile, MerchantFile, MerchantJson, ServiceContactFile, WebhookFile,
    WxpayServerFile,
};
use super::offer::{EXPIRES_IN_MS, check_products, check_service_contact};
use super::webhook_targets::{check_scan_webhook, check_webhooks};
use super::wxpay_server::check_wxpay_server;
use super::{
    ApiKey, ConfigError, Gateway, Merchant, Scope, ServiceContact, WebhookTarget, WxpayServer,
    merchant,
};

/// Where a merchant is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In `[merchant]`, and at the top level.
    Single,
    /// In `[[merchants]]`, counted from 0.
    Listed(usize),
}

impl Place {
    /// The error, with the names that the fields have at this place.
    pub(super) fn named(self, error: ConfigError) -> ConfigError {
        match self {
            Self::Single => error,
            Self::Listed(place) => ConfigError::OfMerchant {
                place,
                source: Box::new(error),
            },
        }
    }
}

/// What the file has of one merchant.
pub(super) struct OwnFile {
    pub(super) place: Place,
    merchant: MerchantFile,
    json: Option<(MerchantJson, PathBuf)>,
    api_keys: Vec<ApiKeyFile>,
    webhooks: Vec<WebhookFile>,
    scan_webhook: Option<WebhookFile>,
    return_origins: Vec<String>,
    products: Vec<AttemptProduct>,
    order_expires_in_ms: u64,
    service_contact: Option<ServiceContactFile>,
    wxpay_server: Option<WxpayServerFile>,
}

/// The same, checked.
pub(super) struct Own {
    pub(super) merchant: Merchant,
    pub(super) api_keys: Vec<ApiKey>,
    pub(super) webhooks: Vec<WebhookTarget>,
    pub(super) scan_webhook: Option<WebhookTarget>,
    pub(super) return_origins: Vec<String>,
    pub(super) products: Vec<AttemptProduct>,
    pub(super) order_expires_in_ms: u64,
    pub(super) service_contact: Option<ServiceContact>,
    pub(super) wxpay_server: Option<WxpayServer>,
}

/// Takes what belongs to each merchant out of the file, `[merchant]` first; and the keys that read the
/// metrics of all merchants.
pub(super) fn take_files(
    file: &mut ConfigFile,
) -> Result<(Vec<OwnFile>, Vec<ApiKey>), ConfigError> {
    let is_shared = !file.merchants.is_empty();
    let (mut own_keys, mut monitoring) = (std::mem::take(&mut file.api_keys), Vec::new());
    if is_shared {
        let sees_metrics_alone =
            |key: &mut ApiKeyFile| key.scopes.as_deref() == Some(&[Scope::Metrics]);
        monitoring = own_keys.extract_if(.., sees_metrics_alone).collect();
    }
    let mut files = Vec::new();
    if let Some(merchant) = file.merchant.take() {
        refuse_fields_of_the_list(&merchant)?;
        files.push(OwnFile {
            place: Place::Single,
            merchant,
            json: None,
            api_keys: own_keys,
            webhooks: std::mem::take(&mut file.webhooks),
            scan_webhook: file.scan_webhook.take(),
            return_origins: std::mem::take(&mut file.return_origins),
            products: file.products.clone(),
            order_expires_in_ms: file.order_expires_in_ms,
            service_contact: file.service_contact.clone(),
            wxpay_server: file.wxpay_server.take(),
        });
    } else if is_shared {
        refuse_fields_of_one(file, &own_keys)?;
    }
    for (place, mut merchant) in std::mem::take(&mut file.merchants).into_iter().enumerate() {
        files.push(OwnFile {
            place: Place::Listed(place),
            json: None,
            api_keys: merchant.api_keys.take().unwrap_or_default(),
            webhooks: merchant.webhooks.take().unwrap_or_default(),
            scan_webhook: merchant.scan_webhook.take(),
            return_origins: merchant.return_origins.take().unwrap_or_default(),
            // What a merchant does not say is as at the top level.
            products: merchant
                .products
                .take()
                .unwrap_or_else(|| file.products.clone()),
            order_expires_in_ms: merchant
                .order_expires_in_ms
                .unwrap_or(file.order_expires_in_ms),
            service_contact: merchant
                .service_contact
                .take()
                .or_else(|| file.service_contact.clone()),
            wxpay_server: merchant.wxpay_server.take(),
            merchant,
        });
    }
    if files.is_empty() {
        return Err(ConfigError::refused("merchant", "is missing"));
    }
    Ok((files, check_monitoring_keys(monitoring)?))
}

/// Reads each `from_file`; returns the gateway's address in them, which must be the same in all.
pub(super) fn read_merchant_files(
    files: &mut [OwnFile],
    folder: &Path,
) -> Result<Option<String>, ConfigError> {
    let mut base_url: Option<String> = None;
    for file in files {
        let Some(path) = &file.merchant.from_file else {
            continue;
        };
        let read = merchant::read_merchant_json(&folder.join(path));
        let (json, beside) = read.map_err(|error| file.place.named(error))?;
        let known = base_url.get_or_insert_with(|| json.base_url.clone());
        if *known != json.base_url {
            let rule = "names another gateway than the merchants before it: a server has one";
            let error = ConfigError::refused("merchant.from_file", rule);
            return Err(file.place.named(error));
        }
        file.json = Some((json, beside));
    }
    Ok(base_url)
}

/// Checks what one merchant has, and reads the files that it names.
pub(super) fn check(
    file: OwnFile,
    folder: &Path,
    gateway: &Gateway,
    public_base_url: &Url,
) -> Result<Own, ConfigError> {
    let is_listed = file.place != Place::Single;
    let merged = merchant::merge(file.merchant, file.json.as_ref(), folder);
    let merchant = merchant::check_merchant(merged, folder, gateway, public_base_url, is_listed)?;
    let we_are_loopback = is_loopback_host(public_base_url);
    let mut return_origins = origins("return_origins", &file.return_origins, we_are_loopback)?;
    return_origins.push(origin(public_base_url));
    if !EXPIRES_IN_MS.contains(&file.order_expires_in_ms) {
        return Err(ConfigError::refused(
            "order_expires_in_ms",
            "must be from 60000 (a minute) to 604800000 (seven days)",
        ));
    }
    let wxpay_server = file
        .wxpay_server
        .map(|table| check_wxpay_server(table, gateway, &merchant, &return_origins))
        .transpose()?;
    Ok(Own {
        api_keys: check_api_keys(file.api_keys)?,
        products: check_products(file.products, &merchant)?,
        webhooks: check_webhooks(file.webhooks, folder)?,
        scan_webhook: file
            .scan_webhook
            .map(|target| check_scan_webhook(target, folder))
            .transpose()?,
        wxpay_server,
        order_expires_in_ms: file.order_expires_in_ms,
        service_contact: file
            .service_contact
            .map(check_service_contact)
            .transpose()?,
        return_origins,
        merchant,
    })
}

/// Refuses a merchant that comes twice, and an API key that would open two ledgers.
pub(super) fn check_together(
    all: &[(Place, Own)],
    monitoring_keys: &[ApiKey],
) -> Result<(), ConfigError> {
    for (at, (place, own)) in all.iter().enumerate() {
        let before = &all[..at];
        let mchid = own.merchant.key.mchid();
        if before
            .iter()
            .any(|(_, known)| known.merchant.key.mchid() == mchid)
        {
            let rule = "must not come twice: one merchant has one ledger";
            return Err(place.named(ConfigError::refused("merchant.mchid", rule)));
        }
        let keys_before = before.iter().flat_map(|(_, known)| &known.api_keys);
        let mut keys_before = keys_before.chain(monitoring_keys);
        let is_taken = |known: &ApiKey| own.api_keys.iter().any(|key| key.sha256.is(&known.sha256));
        if keys_before.any(is_taken) {
            let rule = "is a key of another merchant too: a key belongs to one merchant";
            return Err(place.named(ConfigError::refused("api_keys.sha256", rule)));
        }
    }
    Ok(())
}

/// What belongs to `[merchant]` is at the top level of the file.
fn refuse_fields_of_the_list(merchant: &MerchantFile) -> Result<(), ConfigError> {
    let fields = [
        ("merchant.api_keys", merchant.api_keys.is_some()),
        ("merchant.webhooks", merchant.webhooks.is_some()),
        ("merchant.scan_webhook", merchant.scan_webhook.is_some()),
        ("merchant.return_origins", merchant.return_origins.is_some()),
        ("merchant.products", merchant.products.is_some()),
        (
            "merchant.order_expires_in_ms",
            merchant.order_expires_in_ms.is_some(),
        ),
        (
            "merchant.service_contact",
            merchant.service_contact.is_some(),
        ),
        ("merchant.wxpay_server", merchant.wxpay_server.is_some()),
    ];
    refuse_given(
        &fields,
        "belongs to [[merchants]]: with [merchant] it is at the top of the file, without `merchant.`",
    )
}

/// Without `[merchant]`, these fields of the top level are nobody's.
fn refuse_fields_of_one(file: &ConfigFile, own_keys: &[ApiKeyFile]) -> Result<(), ConfigError> {
    if !own_keys.is_empty() {
        return Err(ConfigError::refused(
            "api_keys",
            "belongs to a merchant: put it into [[merchants]]. A key with scopes = [\"metrics\"] alone may stay, and reads the metrics of all merchants",
        ));
    }
    let fields = [
        ("webhooks", !file.webhooks.is_empty()),
        ("scan_webhook", file.scan_webhook.is_some()),
        ("return_origins", !file.return_origins.is_empty()),
        ("wxpay_server", file.wxpay_server.is_some()),
    ];
    refuse_given(&fields, "belongs to a merchant: put it into [[merchants]]")
}

fn refuse_given(fields: &[(&'static str, bool)], rule: &str) -> Result<(), ConfigError> {
    match fields.iter().find(|(_, is_given)| *is_given) {
        Some((field, _)) => Err(ConfigError::refused(field, rule)),
        None => Ok(()),
    }
}
