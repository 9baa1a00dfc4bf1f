//! The merchant's APIv2 key, which signs both directions of version 2.

use std::fmt;

use payment_values::{InvalidField, Rule};
use zeroize::Zeroizing;

/// The merchant's APIv2 key: 32 letters and digits, set in the merchant portal. It is not
/// the APIv3 key. Its memory is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiV2Key(Zeroizing<String>);

impl ApiV2Key {
    /// The key from its text.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidField> {
        let text = Zeroizing::new(text.into());
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let rule = Rule::Form("32 letters and digits");
            return Err(InvalidField::new("api_v2_key", rule));
        }
        Ok(Self(text))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for ApiV2Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV2Key(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_letters_and_digits_and_is_never_shown() {
        for bad in ["", "short", &"é".repeat(16), &"a".repeat(33)] {
            assert!(ApiV2Key::parse(bad).is_err(), "{bad}");
        }
        let key = ApiV2Key::parse("192006250b4c09247ec02edce69f6a2d").unwrap();
        assert_eq!(format!("{key:?}"), "ApiV2Key(redacted)");
    }
}
