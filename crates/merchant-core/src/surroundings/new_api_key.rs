//! A new key for the merchant's backend. It is shown once and kept nowhere.

use aws_lc_rs::digest::{SHA256, digest};
use wechat_pay::lower_hex;

use super::{NoRandomness, Randomness as _, SystemRandomness, unguessable};

/// A new API key and its SHA-256 in hex: the key goes to the backend, the hash into the
/// configuration. Neither is stored.
pub fn new_api_key() -> Result<(String, String), NoRandomness> {
    let random = SystemRandomness;
    let key = format!(
        "{}{}",
        unguessable(random.bytes()?),
        unguessable(random.bytes()?)
    );
    let hash = lower_hex(digest(&SHA256, key.as_bytes()).as_ref());
    Ok((key, hash))
}
