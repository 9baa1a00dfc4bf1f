//! Secrets as types. A secret is never shown: not in `Debug`, not in an error, not in a log. A
//! secret cannot be compared with `==`, which stops at the first different byte and so leaks its
//! position by timing. There is one method that compares in constant time.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use wechat_pay::lower_hex;

/// A secret of the configuration.
///
/// ```compile_fail,E0369
/// let [one, other] = ["a", "b"].map(merchant_core::Secret::new);
/// assert!(one != other);
/// ```
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes a text as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_string(SecretVisitor)
    }
}

/// Accepts a text. For other types serde's own error would repeat the value.
struct SecretVisitor;

/// The refusal of a secret that is not a text. It does not repeat the value.
const NOT_A_TEXT: &str = "must be a text in quotes";

impl Visitor<'_> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::new(text))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Secret, E> {
        Err(E::custom(NOT_A_TEXT))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Secret, E> {
        Err(E::custom(NOT_A_TEXT))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Secret, E> {
        Err(E::custom(NOT_A_TEXT))
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Secret, E> {
        Err(E::custom(NOT_A_TEXT))
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Secret, E> {
        Err(E::custom(NOT_A_TEXT))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Secret, E> {
        Err(E::custom(NOT_A_TEXT))
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Secret, E> {
        Err(E::custom(NOT_A_TEXT))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The SHA-256 of a secret that another party holds, such as an API key.
///
/// ```compile_fail,E0369
/// let [one, other] = [[0; 32], [1; 32]].map(merchant_core::SecretHash::new);
/// assert!(one != other);
/// ```
#[derive(Clone)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Takes a hash.
    pub const fn new(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// The hash of a text.
    pub fn of(text: &str) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Self(sha256)
    }

    /// Whether both hashes are equal, compared in constant time.
    pub fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    /// A text that stands for the secret in the ledger: the SHA-256 of this hash in hex. It can
    /// neither be used as the secret nor be put into a configuration.
    pub fn mark(&self) -> String {
        lower_hex(digest(&SHA256, &self.0).as_ref())
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(redacted)")
    }
}

/// The first characters of a token: enough to find it in a log, too few to use it.
pub fn masked(token: &str) -> String {
    let mut shown: String = token.chars().take(6).collect();
    shown.push('…');
    shown
}
