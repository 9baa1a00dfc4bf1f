//! Keys that sign, and public keys that verify. RSA with SHA-256, PKCS#1 v1.5, as APIv3 requires.
//!
//! No key ever shows in `Debug`, `Display` or an error.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use payment_values::InvalidField;

use crate::keys::error::KeyError;
use crate::keys::file_kind::ExpectedFile;
use crate::keys::{certificate, file};

/// An RSA private key. Cheap to clone.
#[derive(Clone)]
pub struct SigningKey(Arc<rsa::KeyPair>);

impl SigningKey {
    /// Reads a key file: PKCS#8 or PKCS#1, as PEM or DER. Other accepted forms, and the
    /// advice in errors, are in `file.rs`.
    pub fn from_pem(file: &[u8]) -> Result<Self, KeyError> {
        let der = file::read(file, ExpectedFile::PrivateKey)?;
        let pair = rsa::KeyPair::from_pkcs8(&der).or_else(|_| rsa::KeyPair::from_der(&der));
        let pair = pair.map_err(|_| KeyError::PrivateKey)?;
        Ok(Self(Arc::new(pair)))
    }

    /// SHA256withRSA over the message, as base64.
    pub fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| KeyError::Signing)?;
        Ok(STANDARD.encode(signature))
    }

    pub(crate) fn pair(&self) -> &rsa::KeyPair {
        &self.0
    }

    /// The public half.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::from_der(self.0.public_key().as_ref())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(redacted)")
    }
}

/// A merchant's API certificate as a signer: merchant number, certificate serial, private key.
#[derive(Clone, Debug)]
pub struct MerchantKey {
    mchid: String,
    serial_no: String,
    key: SigningKey,
}

impl MerchantKey {
    /// Combines the parts. `serial_no` is the serial of the merchant's API certificate.
    pub fn new(
        mchid: impl Into<String>,
        serial_no: impl Into<String>,
        key: SigningKey,
    ) -> Result<Self, KeyError> {
        let (mchid, serial_no) = (mchid.into(), serial_no.into());
        check_token("mchid", &mchid)?;
        check_token("serial_no", &serial_no)?;
        Ok(Self {
            mchid,
            serial_no,
            key,
        })
    }

    /// As [`MerchantKey::new`], with the private key as a PEM file (PKCS#8 or PKCS#1).
    pub fn from_pem(
        mchid: impl Into<String>,
        serial_no: impl Into<String>,
        private_key_pem: &[u8],
    ) -> Result<Self, KeyError> {
        Self::new(mchid, serial_no, SigningKey::from_pem(private_key_pem)?)
    }

    /// The merchant number.
    pub fn mchid(&self) -> &str {
        &self.mchid
    }

    /// Whether this PEM certificate belongs to this key.
    pub fn is_certified_by(&self, certificate_pem: &[u8]) -> Result<bool, KeyError> {
        let (_, public_key) = PublicKey::from_certificate_pem(certificate_pem)?;
        self.has_public_key(&public_key)
    }

    /// Whether this public key belongs to this private key.
    pub fn has_public_key(&self, public_key: &PublicKey) -> Result<bool, KeyError> {
        const MESSAGE: &[u8] = b"do these keys belong together?";
        Ok(public_key.verifies(MESSAGE, &self.sign(MESSAGE)?))
    }

    /// The serial of the merchant's API certificate.
    pub fn serial_no(&self) -> &str {
        &self.serial_no
    }

    /// SHA256withRSA over the message, as base64.
    pub fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        self.key.sign(message)
    }

    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.key
    }
}

/// A key of WeChat's side as a signer: for an implementation of WeChat's side.
#[derive(Clone, Debug)]
pub struct PlatformKey {
    serial: String,
    key: SigningKey,
}

impl PlatformKey {
    /// `serial` is a platform certificate's serial or a `PUB_KEY_ID_…`.
    pub fn new(serial: impl Into<String>, key: SigningKey) -> Result<Self, KeyError> {
        let serial = serial.into();
        check_token("serial", &serial)?;
        Ok(Self { serial, key })
    }

    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// The serial that goes into `Wechatpay-Serial`.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// SHA256withRSA over the message, as base64.
    pub fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        self.key.sign(message)
    }
}

/// An RSA public key of 2048 to 8192 bits, parsed once. Cheap to clone.
#[derive(Clone)]
pub struct PublicKey(Arc<ParsedPublicKey>);

impl PublicKey {
    /// Reads a file with a public key (as WeChat's merchant portal issues it), as PEM or DER.
    pub fn from_pem(file: &[u8]) -> Result<Self, KeyError> {
        Self::from_der(&file::read(file, ExpectedFile::PublicKey)?)
    }

    /// Reads a PEM certificate; returns its serial number and its public key.
    pub fn from_certificate_pem(pem: &[u8]) -> Result<(String, Self), KeyError> {
        let certificate = certificate::read_certificate(pem)?;
        Ok((
            certificate.serial_no,
            Self::from_der(&certificate.public_key_der)?,
        ))
    }

    /// Reads DER: `SubjectPublicKeyInfo`, or PKCS#1's `RSAPublicKey`.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der)
            .map(|key| Self(Arc::new(key)))
            .map_err(|_| KeyError::PublicKey)
    }

    pub(crate) fn parsed(&self) -> &ParsedPublicKey {
        &self.0
    }

    /// Whether this key made the base64 signature over the message.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature_base64: &str) -> bool {
        STANDARD
            .decode(signature_base64)
            .is_ok_and(|signature| self.verifies_bytes(message, &signature))
    }

    pub(crate) fn verifies_bytes(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey")
    }
}

/// Serials and merchant numbers travel inside quotes in a header.
pub(crate) fn check_token(field: &'static str, text: &str) -> Result<(), InvalidField> {
    use payment_values::Rule;
    if text.is_empty() {
        return Err(InvalidField::new(field, Rule::Empty));
    }
    if text.len() > 128 {
        let got = text.len();
        return Err(InvalidField::new(
            field,
            Rule::TooManyBytes { max: 128, got },
        ));
    }
    if !text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    {
        return Err(InvalidField::new(field, Rule::Characters("[0-9a-zA-Z_-]")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::file_kind::FoundFile;
    use crate::test_keys;

    #[test]
    fn both_pem_forms_of_the_same_private_key_sign_alike() {
        let pkcs1 = SigningKey::from_pem(test_keys::DOC_KEY_PKCS1_PEM.as_bytes()).unwrap();
        let pkcs8 = SigningKey::from_pem(test_keys::doc_key_pkcs8_pem().as_bytes()).unwrap();
        assert_eq!(pkcs1.sign(b"x"), pkcs8.sign(b"x"));
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_kind() {
        let certificate = test_keys::platform_certificate_pem();
        let wrong = |expected, found| KeyError::WrongFile { expected, found };
        let table: [(&[u8], FoundFile); 4] = [
            (b"", FoundFile::Nothing),
            (
                b"-----BEGIN PRIVATE KEY-----\nnot base64!\n-----END PRIVATE KEY-----\n",
                FoundFile::Damaged,
            ),
            (
                b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                FoundFile::Damaged,
            ),
            (certificate.as_bytes(), FoundFile::Certificate),
        ];
        for (file, found) in table {
            let refusal = SigningKey::from_pem(file).unwrap_err();
            assert_eq!(refusal, wrong(ExpectedFile::PrivateKey, found));
        }
        assert_eq!(
            PublicKey::from_pem(certificate.as_bytes()).unwrap_err(),
            wrong(ExpectedFile::PublicKey, FoundFile::Certificate)
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let key = test_keys::merchant_key();
        let shown = format!("{key:?}");
        assert!(shown.contains("redacted"), "{shown}");
        assert!(!shown.contains("MII"), "{shown}");
    }

    #[test]
    fn numbers_that_would_break_a_header_are_refused() {
        for bad in ["", "19\"00", "19\n00", "a b", "é"] {
            let key = SigningKey::from_pem(test_keys::DOC_KEY_PKCS1_PEM.as_bytes()).unwrap();
            assert!(MerchantKey::new(bad, "AB", key.clone()).is_err(), "{bad:?}");
            assert!(MerchantKey::new("1", bad, key.clone()).is_err(), "{bad:?}");
            assert!(PlatformKey::new(bad, key).is_err(), "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn hostile_pem_never_panics(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
            label in "(PRIVATE KEY|RSA PRIVATE KEY|PUBLIC KEY|CERTIFICATE)",
        ) {
            let body = STANDARD.encode(&bytes);
            let file = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
            for pem in [file.as_bytes(), &bytes] {
                proptest::prop_assert!(SigningKey::from_pem(pem).is_err());
                proptest::prop_assert!(PublicKey::from_pem(pem).is_err());
                proptest::prop_assert!(PublicKey::from_certificate_pem(pem).is_err());
            }
        }
    }
}
