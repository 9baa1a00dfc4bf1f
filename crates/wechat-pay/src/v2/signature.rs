//! The signature of version 2: a digest over the fields and the APIv2 key.
//!
//! The signed text does not say where a value ends. A value that contains `&name=` could therefore
//! be split into two fields without a change of the digest. So a merchant must not let a buyer
//! choose a whole `attach` or `body`.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use md5::{Digest, Md5};

use super::fields::Fields;
use super::key::ApiV2Key;
use crate::hex::upper_hex;

/// The kind of a signature, `sign_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SignType {
    /// 32 hex digits. The only kind of the early protocol, and WeChat's default.
    #[default]
    Md5,
    /// 64 hex digits.
    HmacSha256,
}

/// Why the signature of a message does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// No `sign`, or an empty one.
    #[error("the message has no signature")]
    Unsigned,
    /// Another kind than the caller expects, by `sign_type` or by the length of `sign`. Otherwise
    /// a sender could choose the weaker kind.
    #[error("the message is signed with another sign_type than expected")]
    SignType,
    /// Another key, or a changed field.
    #[error("the signature does not match the fields")]
    Mismatch,
}

impl SignType {
    /// WeChat's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    /// The kind that has this value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Md5, Self::HmacSha256]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }

    /// The kind of a signature whose `sign_type` was left out, by its length: notifications
    /// omit it even if it is not MD5.
    #[must_use]
    pub fn of(sign: &str) -> Option<Self> {
        match sign.len() {
            32 => Some(Self::Md5),
            64 => Some(Self::HmacSha256),
            _ => None,
        }
    }
}

impl fmt::Display for SignType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Signs fields in any order; empty fields and `sign` itself do not count.
#[must_use]
pub fn sign<'a>(
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    key: &ApiV2Key,
    kind: SignType,
) -> String {
    let mut fields: Vec<_> = fields
        .into_iter()
        .filter(|(name, value)| !value.is_empty() && *name != "sign")
        .collect();
    fields.sort_unstable();
    // The digest is fed piece by piece, so that no copy of the key stays in memory.
    let pieces = fields
        .iter()
        .flat_map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes(), b"&"])
        .chain([&b"key="[..], key.as_bytes()]);
    match kind {
        SignType::Md5 => {
            let mut digest = Md5::new();
            pieces.for_each(|piece| digest.update(piece));
            upper_hex(&digest.finalize())
        }
        SignType::HmacSha256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
            let mut digest = hmac::Context::with_key(&key);
            pieces.for_each(|piece| digest.update(piece));
            upper_hex(digest.sign().as_ref())
        }
    }
}

/// Checks the signature of a message over all its fields, the unknown ones included, in constant
/// time.
pub fn verify(fields: &Fields, key: &ApiV2Key, expected: SignType) -> Result<(), SignatureError> {
    let signature = fields.get("sign").ok_or(SignatureError::Unsigned)?;
    let named = fields.get("sign_type");
    if named.is_some_and(|named| named != expected.as_str())
        || SignType::of(signature) != Some(expected)
    {
        return Err(SignatureError::SignType);
    }
    if is_equal(&sign(fields.iter(), key, expected), signature) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// Compares in constant time.
pub(super) fn is_equal(expected: &str, given: &str) -> bool {
    verify_slices_are_equal(expected.as_bytes(), given.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [(&str, &str); 7] = [
        ("nonce_str", "ibuaiVcKdpRxkhJA"),
        ("mch_id", "10000100"),
        ("sign", "ignored"),
        ("body", "test"),
        ("attach", ""),
        ("device_info", "1000"),
        ("appid", "wxd930ea5d5a258f4f"),
    ];

    fn key() -> ApiV2Key {
        ApiV2Key::parse("192006250b4c09247ec02edce69f6a2d").unwrap()
    }

    #[test]
    fn the_published_fields_have_the_published_signatures() {
        for (kind, expected) in [
            (SignType::Md5, "9A0A8659F005D6984697E2CA0A9CF3B7"),
            (
                SignType::HmacSha256,
                "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6",
            ),
        ] {
            assert_eq!(sign(FIELDS, &key(), kind), expected);
            assert_eq!(verify(&signed(expected), &key(), kind), Ok(()));
            assert_eq!(SignType::of(expected), Some(kind));
        }
    }

    /// The example of section 3.2 of WeChat's document V3.3.5. The printed appid lacks the letter
    /// `d` after `wx`, the printed signature does not.
    #[test]
    fn the_worked_example_of_the_document_has_its_printed_signature() {
        let fields = [
            ("appid", "wxd930ea5d5a258f4f"),
            ("auth_code", "123456"),
            ("body", "test"),
            ("device_info", "123"),
            ("mch_id", "1900000109"),
            ("nonce_str", "960f228109051b9969f76c82bde183ac"),
            ("out_trade_no", "1400755861"),
            ("spbill_create_ip", "127.0.0.1"),
            ("sub_mch_id", "124"),
            ("total_fee", "1"),
        ];
        let key = ApiV2Key::parse("8934e7d15453e97507ef794cf7b0519d").unwrap();
        assert_eq!(
            sign(fields, &key, SignType::Md5),
            "C380BEC2BFD727A4B6845133519F3AD6"
        );
    }

    fn signed(signature: &str) -> Fields {
        let mut fields = Fields::new();
        for (name, value) in FIELDS {
            fields.set(name, value);
        }
        fields.set("sign", signature);
        fields
    }

    #[test]
    fn a_change_is_noticed_and_named() {
        use SignatureError::{Mismatch, SignType as OtherType, Unsigned};
        const GOOD: &str = "9A0A8659F005D6984697E2CA0A9CF3B7";
        let other = ApiV2Key::parse("0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(verify(&signed(GOOD), &other, SignType::Md5), Err(Mismatch));
        for (signature, expected) in [
            ("", Unsigned),
            ("9A0A", OtherType),
            (&GOOD.to_lowercase(), Mismatch),
            (&GOOD.replace('9', "8"), Mismatch),
            (&GOOD.repeat(2), OtherType),
        ] {
            let checked = verify(&signed(signature), &key(), SignType::Md5);
            assert_eq!(checked, Err(expected), "{signature}");
        }
        for (name, value) in [
            ("total_fee", "1"),
            ("body", "tes"),
            ("later", "x"),
            ("a", "b"),
        ] {
            let mut changed = signed(GOOD);
            changed.set(name, value);
            assert_eq!(
                verify(&changed, &key(), SignType::Md5),
                Err(Mismatch),
                "{name}"
            );
        }
    }

    #[test]
    fn a_message_cannot_choose_another_kind_of_signature() {
        for (made, expected) in [
            (SignType::Md5, SignType::HmacSha256),
            (SignType::HmacSha256, SignType::Md5),
        ] {
            let mut fields = Fields::new();
            fields.set("a", "1");
            let signature = sign(fields.iter(), &key(), made);
            fields.set("sign", signature);
            assert_eq!(verify(&fields, &key(), made), Ok(()));
            let refused = verify(&fields, &key(), expected);
            assert_eq!(refused, Err(SignatureError::SignType), "{made}");
        }
        let mut fields = Fields::new();
        fields.set("sign_type", "HMAC-SHA256");
        let signature = sign(fields.iter(), &key(), SignType::Md5);
        fields.set("sign", signature);
        let refused = verify(&fields, &key(), SignType::Md5);
        assert_eq!(refused, Err(SignatureError::SignType));
    }
}
