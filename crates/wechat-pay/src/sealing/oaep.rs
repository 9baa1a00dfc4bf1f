//! Sensitive fields (names, bank accounts): RSAES-OAEP, encrypted with a key of WeChat.
//!
//! WeChat's guide and its SDKs use SHA-1 with MGF1-SHA1, and so does this crate. One page of its
//! FAQ says SHA-256; [`OaepHash`] lets a simulator do the same. The plaintext is
//! never part of an error.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::keys::rsa::{PlatformKey, PublicKey, SigningKey};

/// The hash of OAEP, for the message and for its mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OaepHash {
    /// The hash of WeChat's guide and SDKs.
    #[default]
    Sha1,
    /// The hash of one page of the FAQ.
    Sha256,
}

impl OaepHash {
    fn algorithm(self) -> &'static OaepAlgorithm {
        match self {
            Self::Sha1 => &OAEP_SHA1_MGF1SHA1,
            Self::Sha256 => &OAEP_SHA256_MGF1SHA256,
        }
    }
}

/// Why a field cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OaepError {
    /// The field is empty, and WeChat refuses empty fields.
    #[error("a sensitive field must not be empty")]
    Empty,
    /// The field is longer than one block of RSA can hold: 214 bytes for a key of 2048 bits and
    /// SHA-1.
    #[error("a sensitive field must be at most {max} bytes of UTF-8, is {got}")]
    TooLong {
        /// The largest number of bytes for this key.
        max: usize,
        /// The number of bytes that was given.
        got: usize,
    },
    /// The sealed text is no base64.
    #[error("the sealed field is not base64")]
    Base64,
    /// Sealed to another key, with another hash, or changed on the way.
    #[error("the sealed field does not open with this key")]
    Opening,
    /// Opened, but the content is no UTF-8.
    #[error("the opened field is not UTF-8")]
    NotText,
    /// The library failed to use the key. This does not happen with a key that was accepted.
    #[error("the key cannot encrypt")]
    Key,
}

impl PublicKey {
    /// Seals a sensitive field to this key of WeChat's; the answer is base64. The request must
    /// then name the key in `Wechatpay-Serial`.
    pub fn seal_field(&self, text: &str) -> Result<String, OaepError> {
        self.seal_field_with(OaepHash::Sha1, text)
    }

    /// As [`PublicKey::seal_field`], with the hash named.
    pub fn seal_field_with(&self, hash: OaepHash, text: &str) -> Result<String, OaepError> {
        if text.is_empty() {
            return Err(OaepError::Empty);
        }
        let der: PublicKeyX509Der<'_> = self.parsed().as_der().map_err(|_| OaepError::Key)?;
        let key = PublicEncryptingKey::from_der(der.as_ref()).map_err(|_| OaepError::Key)?;
        let key = OaepPublicEncryptingKey::new(key).map_err(|_| OaepError::Key)?;
        let (max, got) = (key.max_plaintext_size(hash.algorithm()), text.len());
        if got > max {
            return Err(OaepError::TooLong { max, got });
        }
        let mut sealed = vec![0; key.ciphertext_size()];
        let sealed = key
            .encrypt(hash.algorithm(), text.as_bytes(), &mut sealed, None)
            .map_err(|_| OaepError::Key)?;
        Ok(STANDARD.encode(sealed))
    }
}

impl SigningKey {
    /// Opens a field that was sealed to this key's public half.
    pub fn open_field(&self, sealed: &str) -> Result<String, OaepError> {
        self.open_field_with(OaepHash::Sha1, sealed)
    }

    /// As [`SigningKey::open_field`], with the hash named.
    pub fn open_field_with(&self, hash: OaepHash, sealed: &str) -> Result<String, OaepError> {
        let text = self.open_bytes(hash, sealed)?;
        String::from_utf8(text).map_err(|_| OaepError::NotText)
    }

    pub(crate) fn open_bytes(&self, hash: OaepHash, sealed: &str) -> Result<Vec<u8>, OaepError> {
        let sealed = STANDARD.decode(sealed).map_err(|_| OaepError::Base64)?;
        let der: Pkcs8V1Der<'_> = self.pair().as_der().map_err(|_| OaepError::Key)?;
        let key = PrivateDecryptingKey::from_pkcs8(der.as_ref()).map_err(|_| OaepError::Key)?;
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| OaepError::Key)?;
        let mut text = vec![0; key.min_output_size()];
        let text = key
            .decrypt(hash.algorithm(), &sealed, &mut text, None)
            .map_err(|_| OaepError::Opening)?;
        Ok(text.to_vec())
    }
}

impl PlatformKey {
    /// Opens a field that a merchant sealed to this key. Only an implementation of WeChat's side
    /// needs this.
    pub fn open_field(&self, hash: OaepHash, sealed: &str) -> Result<String, OaepError> {
        self.signing_key().open_field_with(hash, sealed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_keys;

    fn key() -> SigningKey {
        SigningKey::from_pem(test_keys::DOC_KEY_PKCS1_PEM.as_bytes()).unwrap()
    }

    #[test]
    fn a_sealed_field_is_opened_only_with_the_same_hash() {
        let public = key().public_key().unwrap();
        for hash in [OaepHash::Sha1, OaepHash::Sha256] {
            let sealed = public.seal_field_with(hash, "张三").unwrap();
            assert_eq!(sealed.len(), 344);
            assert_eq!(key().open_field_with(hash, &sealed).unwrap(), "张三");
        }
        let sealed = public
            .seal_field_with(OaepHash::Sha256, "6225760009")
            .unwrap();
        assert_eq!(key().open_field(&sealed), Err(OaepError::Opening));
        assert_eq!(
            test_keys::platform_key().open_field(OaepHash::Sha256, &sealed),
            Err(OaepError::Opening)
        );
    }

    #[test]
    fn a_certificates_and_a_pem_files_key_seal_alike() {
        let platform = test_keys::platform_key();
        let trusted = test_keys::trusted_keys();
        let sealed = trusted
            .get(platform.serial())
            .unwrap()
            .seal_field("张三")
            .unwrap();
        assert_eq!(
            platform.open_field(OaepHash::Sha1, &sealed).unwrap(),
            "张三"
        );
        let pem = PublicKey::from_pem(test_keys::doc_public_key_pem().as_bytes()).unwrap();
        let sealed = pem.seal_field("张三").unwrap();
        assert_eq!(key().open_field(&sealed).unwrap(), "张三");
    }

    #[test]
    fn a_field_has_1_to_214_bytes() {
        let public = key().public_key().unwrap();
        assert!(public.seal_field(&"a".repeat(214)).is_ok());
        let error = public.seal_field(&"a".repeat(215)).unwrap_err();
        assert_eq!(error, OaepError::TooLong { max: 214, got: 215 });
        assert_eq!(public.seal_field(""), Err(OaepError::Empty));
    }

    #[test]
    fn invalid_input_is_refused_with_its_cause() {
        for (sealed, expected) in [
            ("***", OaepError::Base64),
            ("", OaepError::Opening),
            ("AAAA", OaepError::Opening),
        ] {
            assert_eq!(key().open_field(sealed), Err(expected), "{sealed}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn every_text_within_the_limit_is_decrypted_unchanged(text in "\\PC{1,53}") {
            let sealed = key().public_key().unwrap().seal_field(&text).unwrap();
            prop_assert_eq!(key().open_field(&sealed), Ok(text));
        }
    }
}
