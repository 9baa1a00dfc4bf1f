//! AES-256-GCM as APIv3 uses it for the resource of a notification: open, and seal.
//!
//! The key is exactly 32 bytes. Some libraries accept 16 bytes and silently use AES-128;
//! this length is refused here.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::keys::error::KeyError;

/// The only algorithm with which this crate opens and seals, as it is written in JSON.
pub const AEAD_ALGORITHM: &str = "AEAD_AES_256_GCM";

/// The merchant's APIv3 key: 32 bytes, set in the merchant portal.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiV3Key([u8; 32]);

impl ApiV3Key {
    /// The key from its bytes; any length but 32 is refused.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| KeyError::ApiV3KeyLength { got: bytes.len() })
    }
}

impl fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV3Key(redacted)")
    }
}

/// Sealed bytes with everything that is needed to open them, in WeChat's JSON form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedResource {
    /// The kind of content: `transaction`, `refund`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_type: Option<String>,
    /// [`AEAD_ALGORITHM`], the default where WeChat leaves it out.
    #[serde(default = "the_algorithm")]
    pub algorithm: String,
    /// Base64 of the sealed bytes, the 16 bytes of the tag last.
    pub ciphertext: String,
    /// Text that is authenticated, and may be empty.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub associated_data: String,
    /// 12 bytes of ASCII.
    pub nonce: String,
}

/// Why sealed bytes cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AeadError {
    /// Not [`AEAD_ALGORITHM`].
    #[error("the algorithm is not {AEAD_ALGORITHM}")]
    Algorithm,
    /// The nonce is not 12 bytes.
    #[error("the nonce is not {NONCE_LEN} bytes")]
    Nonce,
    /// The ciphertext is no base64.
    #[error("the ciphertext is not base64")]
    Base64,
    /// Another key, or changed content. The most common cause is a wrong APIv3 key in the
    /// configuration.
    #[error("the ciphertext does not open with this APIv3 key")]
    Opening,
}

/// Decrypts. The plaintext is neither logged nor stored.
pub fn open(key: &ApiV3Key, sealed: &SealedResource) -> Result<Vec<u8>, AeadError> {
    if sealed.algorithm != AEAD_ALGORITHM {
        return Err(AeadError::Algorithm);
    }
    let nonce = nonce(&sealed.nonce)?;
    let mut bytes = STANDARD
        .decode(&sealed.ciphertext)
        .map_err(|_| AeadError::Base64)?;
    let plaintext = cipher(key)?
        .open_in_place(
            nonce,
            Aad::from(sealed.associated_data.as_bytes()),
            &mut bytes,
        )
        .map_err(|_| AeadError::Opening)?
        .len();
    bytes.truncate(plaintext);
    Ok(bytes)
}

/// Encrypts. `nonce` is 12 bytes of ASCII; it must be unique for each key.
pub fn seal(
    key: &ApiV3Key,
    original_type: Option<&str>,
    plaintext: &[u8],
    associated_data: &str,
    nonce_text: &str,
) -> Result<SealedResource, AeadError> {
    let mut bytes = plaintext.to_vec();
    cipher(key)?
        .seal_in_place_append_tag(
            nonce(nonce_text)?,
            Aad::from(associated_data.as_bytes()),
            &mut bytes,
        )
        .map_err(|_| AeadError::Opening)?;
    Ok(SealedResource {
        original_type: original_type.map(str::to_owned),
        algorithm: AEAD_ALGORITHM.to_owned(),
        ciphertext: STANDARD.encode(bytes),
        associated_data: associated_data.to_owned(),
        nonce: nonce_text.to_owned(),
    })
}

fn the_algorithm() -> String {
    AEAD_ALGORITHM.to_owned()
}

fn null_as_empty<'de, D: serde::Deserializer<'de>>(json: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(json).map(Option::unwrap_or_default)
}

fn nonce(text: &str) -> Result<Nonce, AeadError> {
    Nonce::try_assume_unique_for_key(text.as_bytes()).map_err(|_| AeadError::Nonce)
}

fn cipher(key: &ApiV3Key) -> Result<LessSafeKey, AeadError> {
    UnboundKey::new(&AES_256_GCM, &key.0)
        .map(LessSafeKey::new)
        .map_err(|_| AeadError::Opening)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> ApiV3Key {
        ApiV3Key::new(&[9; 32]).unwrap()
    }

    fn sealed() -> SealedResource {
        seal(
            &key(),
            Some("transaction"),
            b"{\"a\":1}",
            "aad",
            "abcdefghijkl",
        )
        .unwrap()
    }

    #[test]
    fn only_32_bytes_are_a_key() {
        for length in [0, 16, 24, 31, 33, 64] {
            assert_eq!(
                ApiV3Key::new(&vec![1; length]),
                Err(KeyError::ApiV3KeyLength { got: length })
            );
        }
        assert_eq!(format!("{:?}", key()), "ApiV3Key(redacted)");
    }

    #[test]
    fn every_change_is_detected() {
        let table: Vec<(&str, SealedResource, AeadError)> = vec![
            (
                "algorithm",
                SealedResource {
                    algorithm: "AEAD_AES_128_GCM".into(),
                    ..sealed()
                },
                AeadError::Algorithm,
            ),
            (
                "short nonce",
                SealedResource {
                    nonce: "abc".into(),
                    ..sealed()
                },
                AeadError::Nonce,
            ),
            (
                "other nonce",
                SealedResource {
                    nonce: "abcdefghijkL".into(),
                    ..sealed()
                },
                AeadError::Opening,
            ),
            (
                "associated data",
                SealedResource {
                    associated_data: String::new(),
                    ..sealed()
                },
                AeadError::Opening,
            ),
            (
                "no base64",
                SealedResource {
                    ciphertext: "***".into(),
                    ..sealed()
                },
                AeadError::Base64,
            ),
            (
                "too short",
                SealedResource {
                    ciphertext: "AAAA".into(),
                    ..sealed()
                },
                AeadError::Opening,
            ),
            (
                "empty",
                SealedResource {
                    ciphertext: String::new(),
                    ..sealed()
                },
                AeadError::Opening,
            ),
        ];
        for (what, changed, expected) in table {
            assert_eq!(open(&key(), &changed), Err(expected), "{what}");
        }
        let other = ApiV3Key::new(&[8; 32]).unwrap();
        assert_eq!(open(&other, &sealed()), Err(AeadError::Opening));
    }

    #[test]
    fn associated_data_may_be_absent_or_null() {
        for json in [
            r#"{"algorithm":"a","ciphertext":"c","nonce":"n"}"#,
            r#"{"algorithm":"a","ciphertext":"c","nonce":"n","associated_data":null}"#,
        ] {
            let sealed: SealedResource = serde_json::from_str(json).unwrap();
            assert_eq!(sealed.associated_data, "");
        }
    }

    proptest! {
        #[test]
        fn a_sealed_text_opens_and_one_flipped_bit_prevents_it(
            plaintext in proptest::collection::vec(any::<u8>(), 0..300),
            aad in "\\PC{0,20}",
            nonce in "[0-9a-zA-Z]{12}",
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let sealed = seal(&key(), None, &plaintext, &aad, &nonce).unwrap();
            prop_assert_eq!(open(&key(), &sealed).unwrap(), plaintext);
            let mut bytes = STANDARD.decode(&sealed.ciphertext).unwrap();
            let index = at.index(bytes.len());
            bytes[index] ^= 1 << bit;
            let changed = SealedResource { ciphertext: STANDARD.encode(bytes), ..sealed };
            prop_assert_eq!(open(&key(), &changed), Err(AeadError::Opening));
        }
    }
}
