//! The `Authorization` header of APIv3: written by a merchant, read by WeChat Pay.
//!
//! Reading checks only the form. [`Authorization::verifies`] checks the signature, and the caller
//! checks the time.

use crate::keys::rsa::PublicKey;
use crate::signing::message::request_message;

/// The only scheme that this crate supports.
pub const AUTHORIZATION_SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// The five values of the header, unchecked.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The merchant number.
    pub mchid: String,
    /// The random text.
    pub nonce_str: String,
    /// SHA256withRSA in base64.
    pub signature: String,
    /// Seconds since 1970, as the sender wrote them.
    pub timestamp: String,
    /// The serial of the merchant's API certificate.
    pub serial_no: String,
}

/// Why a header cannot be read. WeChat answers all of them with 401 `SIGN_ERROR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// Another scheme than [`AUTHORIZATION_SCHEME`].
    #[error("the scheme is not {AUTHORIZATION_SCHEME}")]
    Scheme,
    /// Not a list of `name="value"` pairs separated by commas.
    #[error("not a list of name=\"value\"")]
    Syntax,
    /// An unknown name.
    #[error("an unknown name")]
    UnknownName,
    /// A duplicate name.
    #[error("{0} is given twice")]
    Twice(&'static str),
    /// A name that is missing or empty.
    #[error("{0} is missing")]
    Missing(&'static str),
}

impl Authorization {
    /// The header's text, in the order of WeChat's own example.
    #[must_use]
    pub fn to_header_text(&self) -> String {
        let Self {
            mchid,
            nonce_str,
            signature,
            timestamp,
            serial_no,
        } = self;
        format!(
            "{AUTHORIZATION_SCHEME} mchid=\"{mchid}\",nonce_str=\"{nonce_str}\",\
             signature=\"{signature}\",timestamp=\"{timestamp}\",serial_no=\"{serial_no}\""
        )
    }

    /// Reads the header. The names may come in any order, each exactly once; blanks are
    /// tolerated after a comma.
    pub fn parse(text: &str) -> Result<Self, AuthorizationError> {
        let list = text
            .strip_prefix(AUTHORIZATION_SCHEME)
            .and_then(|rest| rest.strip_prefix(' '))
            .ok_or(AuthorizationError::Scheme)?;
        let mut values: [Option<&str>; 5] = [None; 5];
        let mut rest = list;
        loop {
            let (name, after_name) = rest.split_once("=\"").ok_or(AuthorizationError::Syntax)?;
            let (value, after_value) = after_name
                .split_once('"')
                .ok_or(AuthorizationError::Syntax)?;
            let index = NAMES
                .iter()
                .position(|known| *known == name)
                .ok_or(AuthorizationError::UnknownName)?;
            if values[index].replace(value).is_some() {
                return Err(AuthorizationError::Twice(NAMES[index]));
            }
            if after_value.is_empty() {
                break;
            }
            rest = after_value
                .strip_prefix(',')
                .ok_or(AuthorizationError::Syntax)?
                .trim_start_matches(' ');
        }
        let value = |index: usize| {
            values[index]
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
                .ok_or(AuthorizationError::Missing(NAMES[index]))
        };
        Ok(Self {
            mchid: value(0)?,
            nonce_str: value(1)?,
            signature: value(2)?,
            timestamp: value(3)?,
            serial_no: value(4)?,
        })
    }

    /// Whether this key made the signature over the request. `path_and_query` must be the raw text
    /// of the request line, not a decoded one.
    #[must_use]
    pub fn verifies(
        &self,
        key: &PublicKey,
        method: &str,
        path_and_query: &str,
        body: &[u8],
    ) -> bool {
        let message = request_message(
            method,
            path_and_query,
            &self.timestamp,
            &self.nonce_str,
            body,
        );
        key.verifies(&message, &self.signature)
    }
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorization")
            .field("mchid", &self.mchid)
            .field("timestamp", &self.timestamp)
            .field("serial_no", &self.serial_no)
            .finish_non_exhaustive()
    }
}

const NAMES: [&str; 5] = ["mchid", "nonce_str", "signature", "timestamp", "serial_no"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Authorization {
        Authorization {
            mchid: "1900007291".into(),
            nonce_str: "593BEC".into(),
            signature: "AA==".into(),
            timestamp: "1554208460".into(),
            serial_no: "408B07".into(),
        }
    }

    #[test]
    fn a_written_value_can_be_read_back() {
        let text = sample().to_header_text();
        assert_eq!(
            text,
            "WECHATPAY2-SHA256-RSA2048 mchid=\"1900007291\",nonce_str=\"593BEC\",\
             signature=\"AA==\",timestamp=\"1554208460\",serial_no=\"408B07\""
        );
        assert_eq!(Authorization::parse(&text), Ok(sample()));
    }

    #[test]
    fn the_names_may_come_in_any_order() {
        let text = "WECHATPAY2-SHA256-RSA2048 serial_no=\"408B07\", timestamp=\"1554208460\",\
                    signature=\"AA==\",mchid=\"1900007291\",nonce_str=\"593BEC\"";
        assert_eq!(Authorization::parse(text), Ok(sample()));
    }

    #[test]
    fn malformed_headers_are_refused_with_the_cause() {
        use AuthorizationError::{Missing, Scheme, Syntax, Twice, UnknownName};
        let table = [
            ("", Scheme),
            ("Bearer abc", Scheme),
            ("WECHATPAY2-SHA256-RSA2048", Scheme),
            ("WECHATPAY2-SM2-WITH-SM3 mchid=\"1\"", Scheme),
            ("wechatpay2-sha256-rsa2048 mchid=\"1\"", Scheme),
            ("WECHATPAY2-SHA256-RSA2048 ", Syntax),
            ("WECHATPAY2-SHA256-RSA2048 mchid=1", Syntax),
            ("WECHATPAY2-SHA256-RSA2048 mchid=\"1", Syntax),
            ("WECHATPAY2-SHA256-RSA2048 mchid=\"1\",", Syntax),
            (
                "WECHATPAY2-SHA256-RSA2048 mchid=\"1\" nonce_str=\"2\"",
                Syntax,
            ),
            ("WECHATPAY2-SHA256-RSA2048  mchid=\"1\"", UnknownName),
            ("WECHATPAY2-SHA256-RSA2048 mch_id=\"1\"", UnknownName),
            ("WECHATPAY2-SHA256-RSA2048 =\"1\"", UnknownName),
            (
                "WECHATPAY2-SHA256-RSA2048 mchid=\"1\",mchid=\"2\"",
                Twice("mchid"),
            ),
            (
                "WECHATPAY2-SHA256-RSA2048 mchid=\"1\"",
                Missing("nonce_str"),
            ),
            (
                "WECHATPAY2-SHA256-RSA2048 mchid=\"\",nonce_str=\"1\",signature=\"1\",timestamp=\"1\",serial_no=\"1\"",
                Missing("mchid"),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(Authorization::parse(text), Err(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            let _ = Authorization::parse(&text);
            let _ = Authorization::parse(&format!("{AUTHORIZATION_SCHEME} {text}"));
        }

        #[test]
        fn a_value_that_was_read_is_written_and_read_back_unchanged(
            values in proptest::collection::vec("[0-9a-zA-Z+/=_-]{1,20}", 5)
        ) {
            let header = Authorization {
                mchid: values[0].clone(),
                nonce_str: values[1].clone(),
                signature: values[2].clone(),
                timestamp: values[3].clone(),
                serial_no: values[4].clone(),
            };
            prop_assert_eq!(Authorization::parse(&header.to_header_text()), Ok(header));
        }
    }
}
