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
        let target = check_webhook(file, folder)?;
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

fn check_webhook(target: WebhookFile, folder: &Path) -> Result<WebhookTarget, ConfigError> {
    // This server calls the target, so a loopback address is on this machine.
    let url = secure_url("webhooks.url", &target.url, PlainHttp::ToLoopback)?;
    let file = |path: Option<PathBuf>| path.map(|path| folder.join(path));
    let secret = read_secret(
        "webhooks.secret_file",
        target.secret,
        file(target.secret_file),
    )?
    .ok_or_else(|| ConfigError::refused("webhooks.secret", "is missing"))?;
    let other = read_secret(
        "webhooks.other_secret_file",
        target.other_secret,
        file(target.other_secret_file),
    )?;
    let mut keys = vec![webhook_key("webhooks.secret", &secret)?];
    if let Some(other) = other {
        let other = webhook_key("webhooks.other_secret", &other)?;
        if keys.contains(&other) {
            return Err(ConfigError::refused(
                "webhooks.other_secret",
                "is the same as the first one: leave it out until there is a new one",
            ));
        }
        keys.push(other);
    }
    Ok(WebhookTarget { url, keys })
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
