//! Errors of keys and certificates. No error shows any part of a key.

use payment_values::InvalidField;

use crate::keys::file_kind::{ExpectedFile, FoundFile, advice};

/// Why a key or a certificate cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file has another content than expected.
    #[error("this is {found}, and not {expected}: {}", advice(*.expected, *.found))]
    WrongFile {
        /// The expected kind.
        expected: ExpectedFile,
        /// The kind that was found.
        found: FoundFile,
    },
    /// The private key is no RSA key of 2048 to 8192 bits.
    #[error("the private key is not an RSA key of 2048 to 8192 bits")]
    PrivateKey,
    /// The public key is no RSA key of 2048 to 8192 bits.
    #[error("the public key is not an RSA key of 2048 to 8192 bits")]
    PublicKey,
    /// The certificate cannot be read as X.509.
    #[error("the certificate is not X.509")]
    Certificate,
    /// The serial number or merchant number has characters that a header cannot carry.
    #[error(transparent)]
    Field(#[from] InvalidField),
    /// The library failed to sign. This does not happen with a key that was accepted.
    #[error("signing failed")]
    Signing,
    /// The APIv3 key is not 32 bytes long.
    #[error("the APIv3 key must be exactly 32 bytes, is {got}")]
    ApiV3KeyLength {
        /// The length that was given.
        got: usize,
    },
}
