//! The signature of version 2: a digest over the fields and the APIv2 key. The notification that
//! this crate reads has none; other messages of version 2 have it.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use md5::{Digest, Md5};

use super::ApiV2Key;
use crate::hex::upper_hex;

/// The kind of a signature, `sign_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SignType {
    /// 32 hex digits.
    #[default]
    Md5,
    /// 64 hex digits.
    HmacSha256,
}

impl SignType {
    /// The kind of a signature whose `sign_type` was left out, by its length: notifications
    /// omit it even if it is not MD5.
    pub fn of(sign: &str) -> Option<Self> {
        match sign.len() {
            32 => Some(Self::Md5),
            64 => Some(Self::HmacSha256),
            _ => None,
        }
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
    let mut text = String::new();
    for (name, value) in fields {
        text.push_str(name);
        text.push('=');
        text.push_str(value);
        text.push('&');
    }
    text.push_str("key=");
    text.push_str(key.as_str());
    match kind {
        SignType::Md5 => upper_hex(&Md5::digest(text.as_bytes())),
        SignType::HmacSha256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_str().as_bytes());
            upper_hex(hmac::sign(&key, text.as_bytes()).as_ref())
        }
    }
}

/// Whether this key made the signature over the fields, compared in constant time.
#[must_use]
pub fn verifies<'a>(
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    key: &ApiV2Key,
    signature: &str,
) -> bool {
    SignType::of(signature).is_some_and(|kind| {
        let expected = sign(fields, key, kind);
        verify_slices_are_equal(expected.as_bytes(), signature.as_bytes()).is_ok()
    })
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
            assert!(verifies(FIELDS, &key(), expected));
            assert_eq!(SignType::of(expected), Some(kind));
        }
    }

    #[test]
    fn a_change_breaks_the_signature() {
        let good = "9A0A8659F005D6984697E2CA0A9CF3B7";
        let other = ApiV2Key::parse("0123456789abcdef0123456789abcdef").unwrap();
        assert!(!verifies(FIELDS, &other, good));
        assert!(!verifies([("appid", "wx1")], &key(), good));
        for bad in ["", "9A0A", &good.to_lowercase(), &good.replace('9', "8")] {
            assert!(!verifies(FIELDS, &key(), bad), "{bad}");
        }
    }
}
