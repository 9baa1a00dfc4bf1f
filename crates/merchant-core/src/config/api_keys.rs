//! The keys of the private API: names, hashes and scopes.

use super::file::ApiKeyFile;
use super::forms::trimmed;
use super::{ApiKey, ConfigError, Scope, SecretHash};

/// Checks all keys. At least one is needed.
pub(super) fn check_api_keys(keys: Vec<ApiKeyFile>) -> Result<Vec<ApiKey>, ConfigError> {
    if keys.is_empty() {
        return Err(ConfigError::refused(
            "api_keys",
            "is missing: without a key no order can be created",
        ));
    }
    check_each(keys)
}

/// Checks the keys that read the metrics of all merchants. There may be none.
pub(super) fn check_monitoring_keys(keys: Vec<ApiKeyFile>) -> Result<Vec<ApiKey>, ConfigError> {
    check_each(keys)
}

fn check_each(keys: Vec<ApiKeyFile>) -> Result<Vec<ApiKey>, ConfigError> {
    let mut checked: Vec<ApiKey> = Vec::new();
    for key in keys {
        let name = trimmed(&key.name).to_owned();
        if name.is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
            return Err(ConfigError::refused(
                "api_keys.name",
                "must be 1 to 64 bytes of text: it stands in the log beside each call of this key",
            ));
        }
        let sha256 = check_key_hash(&key.sha256)?;
        let scopes = key.scopes.unwrap_or_else(|| Scope::ALL.to_vec());
        if scopes.is_empty() {
            return Err(ConfigError::refused(
                "api_keys.scopes",
                "is empty: such a key may do nothing. Leave it out for a key that may do everything",
            ));
        }
        let sha256 = SecretHash::new(sha256);
        if checked.iter().any(|known| known.sha256.is(&sha256)) {
            return Err(ConfigError::refused(
                "api_keys.sha256",
                "must not come twice: which name and scopes count would be open",
            ));
        }
        checked.push(ApiKey {
            name,
            sha256,
            scopes,
        });
    }
    Ok(checked)
}

fn check_key_hash(text: &str) -> Result<[u8; 32], ConfigError> {
    /// SHA-256 of an empty text: a script hashed a variable that was not set.
    const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let text = trimmed(text);
    let refused = |rule| Err(ConfigError::refused("api_keys.sha256", rule));
    match from_hex(text) {
        Some([0, 0, 0, 0, 0, 0, 0, 0, ..]) => refused(
            "is the placeholder of the example: merchant-server keys new makes a key and its hash",
        ),
        Some(_) if text.eq_ignore_ascii_case(OF_NOTHING) => refused(
            "is the hash of an empty text: merchant-server keys new makes a key and its hash",
        ),
        Some(sha256) => Ok(sha256),
        None => refused("must be the 64 hex digits of the SHA-256 of a random key"),
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}
