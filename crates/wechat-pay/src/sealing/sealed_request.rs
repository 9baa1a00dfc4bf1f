//! A request with fields that are encrypted to a key of WeChat. The request names that key; WeChat does
//! not allow one without the other.

use payment_values::InvalidField;

use crate::keys::error::KeyError;
use crate::keys::rsa::{MerchantKey, PublicKey};
use crate::request::{RequestParts, SignedRequest};
use crate::sealing::oaep::OaepError;
use crate::signing::stamp::Stamp;

/// A request with sealed fields, together with the serial that it must name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRequest {
    parts: RequestParts,
    serial: String,
}

/// Why a request with sealed fields is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealedRequestError {
    /// A field that WeChat would refuse.
    #[error(transparent)]
    Field(#[from] InvalidField),
    /// A field that cannot be sealed.
    #[error("{field}: {error}")]
    Sealing {
        /// The field's name.
        field: &'static str,
        /// The cause.
        error: OaepError,
    },
    /// The serial cannot go into a header.
    #[error(transparent)]
    Serial(#[from] KeyError),
}

impl SealedRequest {
    /// The request, whose fields were sealed to the key of this serial.
    pub(crate) fn new(parts: RequestParts, serial: &str) -> Result<Self, SealedRequestError> {
        crate::keys::rsa::check_token("Wechatpay-Serial", serial).map_err(KeyError::from)?;
        Ok(Self {
            parts,
            serial: serial.to_owned(),
        })
    }

    /// Signs, and names the key that the fields were sealed to.
    pub fn sign(self, key: &MerchantKey, stamp: &Stamp) -> Result<SignedRequest, KeyError> {
        self.parts.sign(key, stamp, Some(&self.serial))
    }

    /// The request before signing.
    pub fn parts(&self) -> &RequestParts {
        &self.parts
    }

    /// The serial of the key that the fields were sealed to.
    pub fn serial(&self) -> &str {
        &self.serial
    }
}

/// Seals one field. The error names the field, and never its value.
pub(crate) fn seal_field(
    field: &'static str,
    key: &PublicKey,
    text: &str,
) -> Result<String, SealedRequestError> {
    key.seal_field(text)
        .map_err(|error| SealedRequestError::Sealing { field, error })
}
