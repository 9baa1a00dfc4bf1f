//! The targets of webhooks, and the secrets that sign messages.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::address::{PlainHttp, secure_url};
use super::file::WebhookFile;
use super::named_files::secret as read_secret;
use super::{ConfigError, Secret, WebhookTarget};

/// Checks all targets and reads their secrets; relative paths count from `folder`.
pub(super) fn check_webhooks(
    files: Vec<WebhookFile>,
    folder: &Path,
) -> Result<Vec<WebhookTarget>, ConfigError> {
    let mut targets: Vec<WebhookTarget> = Vec::new();
    for file in files {
        let target = check_webhook(file, folder, &OF_WEBHOOKS)?;
        if targets.iter().any(|known| known.url == target.url) {
            return Err(ConfigError::refused(
                "webhooks.url",
                "must not come twice: a second secret of the same target is its other_secret",
            ));
        }
        targets.push(target);
    }
    Ok(targets)
}

/// Checks the target that confirms scans of product codes.
pub(super) fn check_scan_webhook(
    file: WebhookFile,
    folder: &Path,
) -> Result<WebhookTarget, ConfigError> {
    if file.with_payer.is_some() {
        return Err(ConfigError::refused(
            "scan_webhook.with_payer",
            "is for [[webhooks]]: the request about a scan always names the buyer",
        ));
    }
    check_webhook(file, folder, &OF_SCAN_WEBHOOK)
}

/// The names of a target's fields, for refusals.
struct Names {
    url: &'static str,
    secret: &'static str,
    secret_file: &'static str,
    other_secret: &'static str,
    other_secret_file: &'static str,
}

const OF_WEBHOOKS: Names = Names {
    url: "webhooks.url",
    secret: "webhooks.secret",
    secret_file: "webhooks.secret_file",
    other_secret: "webhooks.other_secret",
    other_secret_file: "webhooks.other_secret_file",
};
const OF_SCAN_WEBHOOK: Names = Names {
    url: "scan_webhook.url",
    secret: "scan_webhook.secret",
    secret_file: "scan_webhook.secret_file",
    other_secret: "scan_webhook.other_secret",
    other_secret_file: "scan_webhook.other_secret_file",
};

fn check_webhook(
    target: WebhookFile,
    folder: &Path,
    names: &Names,
) -> Result<WebhookTarget, ConfigError> {
    // This server calls the target, so a loopback address is on this machine.
    let url = secure_url(names.url, &target.url, PlainHttp::ToLoopback)?;
    let file = |path: Option<PathBuf>| path.map(|path| folder.join(path));
    let secret = read_secret(names.secret_file, target.secret, file(target.secret_file))?
        .ok_or_else(|| ConfigError::refused(names.secret, "is missing"))?;
    let other = read_secret(
        names.other_secret_file,
        target.other_secret,
        file(target.other_secret_file),
    )?;
    let mut keys = vec![webhook_key(names.secret, &secret)?];
    if let Some(other) = other {
        let other = webhook_key(names.other_secret, &other)?;
        if keys.contains(&other) {
            return Err(ConfigError::refused(
                names.other_secret,
                "is the same as the first one: leave it out until there is a new one",
            ));
        }
        keys.push(other);
    }
    Ok(WebhookTarget {
        url,
        keys,
        with_payer: target.with_payer.unwrap_or(false),
    })
}

/// The scheme's own form of a secret: `whsec_` and base64 of 24 to 64 bytes.
fn webhook_key(field: &'static str, secret: &Secret) -> Result<Vec<u8>, ConfigError> {
    let refused = |rule| ConfigError::refused(field, rule);
    let text = secret.reveal();
    let Some(base64) = text.strip_prefix("whsec_") else {
        return Err(refused(
            "must begin with whsec_, followed by the base64 of 24 to 64 random bytes",
        ));
    };
    let key = STANDARD
        .decode(base64)
        .or_else(|_| STANDARD_NO_PAD.decode(base64))
        .map_err(|_| refused("must be base64 after whsec_, with + and / and not with - and _"))?;
    if (24..=64).contains(&key.len()) {
        return Ok(key);
    }
    Err(refused(
        "must be the base64 of 24 to 64 random bytes after whsec_",
    ))
}
