//! The time and the random text that go into a signature; both come from the caller.

use payment_values::{InvalidField, Rule};

use crate::hex::upper_hex;

/// A moment and a nonce for one signature. A retry needs a fresh one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    timestamp_s: i64,
    nonce: String,
}

impl Stamp {
    /// A stamp whose nonce is the 32 upper-case hex digits of 16 random bytes.
    #[must_use]
    pub fn new(timestamp_s: i64, random: [u8; 16]) -> Self {
        Self {
            timestamp_s,
            nonce: upper_hex(&random),
        }
    }

    /// A stamp with a nonce of the caller's: 1 to 32 letters and digits.
    pub fn with_nonce(timestamp_s: i64, nonce: impl Into<String>) -> Result<Self, InvalidField> {
        let nonce = nonce.into();
        if nonce.is_empty() {
            return Err(InvalidField::new("nonce_str", Rule::Empty));
        }
        if nonce.len() > 32 {
            let got = nonce.len();
            return Err(InvalidField::new(
                "nonce_str",
                Rule::TooManyBytes { max: 32, got },
            ));
        }
        if !nonce.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(InvalidField::new(
                "nonce_str",
                Rule::Characters("[0-9a-zA-Z]"),
            ));
        }
        Ok(Self { timestamp_s, nonce })
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn timestamp_s(&self) -> i64 {
        self.timestamp_s
    }

    /// The random text.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }
}
