//! The check of WeChat's signatures, on replies and notifications.
//!
//! The check works on raw bytes and on header text as it came: nothing is parsed and
//! serialised again, because this is how verification fails in practice.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::keys::error::KeyError;
use crate::keys::rsa::PlatformKey;
use crate::keys::trusted::TrustedKeys;
use crate::signing::authorization::AUTHORIZATION_SCHEME;
use crate::signing::message::reply_message;
use crate::signing::stamp::Stamp;

/// The greatest difference between WeChat's timestamp and the caller's clock, both ways.
pub const MAX_CLOCK_DIFFERENCE_S: u64 = 300;

/// WeChat sometimes sends a signature with this prefix, to test whether the receiver checks
/// signatures. The check must fail; WeChat then sends the right one. Raise no alarm.
pub const PROBE_PREFIX: &str = "WECHATPAY/SIGNTEST/";

/// Names the key that signed; in a request, the key with which the reply must be signed.
pub const SERIAL_HEADER: HeaderName = HeaderName::from_static("wechatpay-serial");

const TIMESTAMP_HEADER: HeaderName = HeaderName::from_static("wechatpay-timestamp");
const NONCE_HEADER: HeaderName = HeaderName::from_static("wechatpay-nonce");
const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("wechatpay-signature");
const SIGNATURE_TYPE_HEADER: HeaderName = HeaderName::from_static("wechatpay-signature-type");

/// Why a signature of WeChat's is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// WeChat's own probe; answer with an error and raise no alarm.
    #[error("WeChat's signature probe")]
    Probe,
    /// A header that the signature needs is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A header of the signature is given more than once: it must be clear which one was checked.
    #[error("{0} is given more than once")]
    Duplicate(&'static str),
    /// A header of the signature has bytes that it cannot have.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// The timestamp differs from the caller's clock by more than 300 s, in either direction.
    #[error("the timestamp differs from this clock by {difference_s} s")]
    Stale {
        /// The caller's clock minus WeChat's timestamp.
        difference_s: i64,
    },
    /// No trusted key has this serial.
    #[error("no trusted key has the serial {0}")]
    UnknownSerial(String),
    /// The key did not sign this message.
    #[error("the signature does not match")]
    Mismatch,
}

/// Checks the `Wechatpay-*` headers over a raw body: of a reply, or of a notification.
pub fn verify_signed(
    headers: &HeaderMap,
    body: &[u8],
    keys: &TrustedKeys,
    now_s: i64,
) -> Result<(), SignatureError> {
    let signature = single(headers, &SIGNATURE_HEADER, "Wechatpay-Signature")?;
    // This check comes first, so that a probe raises no alarm, whatever else is wrong with it.
    if signature.is_some_and(|text| text.starts_with(PROBE_PREFIX)) {
        return Err(SignatureError::Probe);
    }
    let timestamp = single(headers, &TIMESTAMP_HEADER, "Wechatpay-Timestamp")?
        .ok_or(SignatureError::Missing("Wechatpay-Timestamp"))?;
    let nonce = single(headers, &NONCE_HEADER, "Wechatpay-Nonce")?
        .ok_or(SignatureError::Missing("Wechatpay-Nonce"))?;
    let serial = single(headers, &SERIAL_HEADER, "Wechatpay-Serial")?
        .ok_or(SignatureError::Missing("Wechatpay-Serial"))?;
    let signature = signature.ok_or(SignatureError::Missing("Wechatpay-Signature"))?;
    let kind = single(headers, &SIGNATURE_TYPE_HEADER, "Wechatpay-Signature-Type")?;
    if kind.is_some_and(|kind| kind != AUTHORIZATION_SCHEME) {
        return Err(SignatureError::Malformed("Wechatpay-Signature-Type"));
    }
    check_time(timestamp, now_s)?;
    let key = keys
        .get(serial)
        .ok_or_else(|| SignatureError::UnknownSerial(serial.chars().take(128).collect()))?;
    if key.verifies(&reply_message(timestamp, nonce, body), signature) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// Whether any header of a signature is present.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    [
        &SIGNATURE_HEADER,
        &TIMESTAMP_HEADER,
        &NONCE_HEADER,
        &SERIAL_HEADER,
        &SIGNATURE_TYPE_HEADER,
    ]
    .into_iter()
    .any(|name| headers.contains_key(name))
}

impl PlatformKey {
    /// The five headers that WeChat sets on what it signs: replies and notifications.
    pub fn sign_headers(&self, stamp: &Stamp, body: &[u8]) -> Result<HeaderMap, KeyError> {
        let timestamp = stamp.timestamp_s().to_string();
        let signature = self.sign(&reply_message(&timestamp, stamp.nonce(), body))?;
        let text = |text: &str| HeaderValue::from_str(text).map_err(|_| KeyError::Signing);
        let mut headers = HeaderMap::new();
        headers.insert(TIMESTAMP_HEADER, text(&timestamp)?);
        headers.insert(NONCE_HEADER, text(stamp.nonce())?);
        headers.insert(SIGNATURE_HEADER, text(&signature)?);
        headers.insert(SERIAL_HEADER, text(self.serial())?);
        headers.insert(
            SIGNATURE_TYPE_HEADER,
            HeaderValue::from_static(AUTHORIZATION_SCHEME),
        );
        Ok(headers)
    }
}

fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    shown: &'static str,
) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(SignatureError::Duplicate(shown));
    }
    let text = value
        .to_str()
        .map_err(|_| SignatureError::Malformed(shown))?;
    if text.is_empty() {
        return Err(SignatureError::Missing(shown));
    }
    Ok(Some(text))
}

fn check_time(timestamp: &str, now_s: i64) -> Result<(), SignatureError> {
    // Digits alone: `parse` would take a sign as well.
    if !timestamp.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SignatureError::Malformed("Wechatpay-Timestamp"));
    }
    let sent_s: i64 = timestamp
        .parse()
        .map_err(|_| SignatureError::Malformed("Wechatpay-Timestamp"))?;
    if now_s.abs_diff(sent_s) > MAX_CLOCK_DIFFERENCE_S {
        return Err(SignatureError::Stale {
            difference_s: now_s.saturating_sub(sent_s),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_keys;

    const NOW_S: i64 = 1_700_000_000;
    const BODY: &[u8] = b"{\"code_url\":\"weixin://wxpay/bizpayurl?pr=a\"}";

    fn signed(timestamp_s: i64) -> HeaderMap {
        test_keys::platform_key()
            .sign_headers(&Stamp::new(timestamp_s, [7; 16]), BODY)
            .unwrap()
    }

    fn verify(headers: &HeaderMap) -> Result<(), SignatureError> {
        verify_signed(headers, BODY, &test_keys::trusted_keys(), NOW_S)
    }

    #[test]
    fn a_platform_signature_is_accepted_within_300_seconds_in_both_directions() {
        for (difference_s, believed) in [
            (0, true),
            (300, true),
            (-300, true),
            (301, false),
            (-301, false),
        ] {
            let checked = verify(&signed(NOW_S - difference_s));
            assert_eq!(checked.is_ok(), believed, "{difference_s}");
            if !believed {
                assert_eq!(checked, Err(SignatureError::Stale { difference_s }));
            }
        }
    }

    #[test]
    fn every_tampered_header_is_refused_with_its_cause() {
        use SignatureError::{Malformed, Missing, Probe, UnknownSerial};
        let other = test_keys::platform_key()
            .sign(&reply_message("1700000000", "other", BODY))
            .unwrap();
        let table: Vec<(&str, &str, SignatureError)> = vec![
            ("wechatpay-nonce", "tampered", SignatureError::Mismatch),
            (
                "wechatpay-timestamp",
                "1700000001",
                SignatureError::Mismatch,
            ),
            (
                "wechatpay-timestamp",
                "+1700000000",
                Malformed("Wechatpay-Timestamp"),
            ),
            (
                "wechatpay-timestamp",
                "-1",
                Malformed("Wechatpay-Timestamp"),
            ),
            (
                "wechatpay-timestamp",
                "99999999999999999999",
                Malformed("Wechatpay-Timestamp"),
            ),
            ("wechatpay-timestamp", "", Missing("Wechatpay-Timestamp")),
            ("wechatpay-signature", &other, SignatureError::Mismatch),
            (
                "wechatpay-signature",
                "not base64",
                SignatureError::Mismatch,
            ),
            ("wechatpay-signature", "", Missing("Wechatpay-Signature")),
            ("wechatpay-signature", "WECHATPAY/SIGNTEST/abc", Probe),
            (
                "wechatpay-serial",
                "UNKNOWN",
                UnknownSerial("UNKNOWN".into()),
            ),
            (
                "wechatpay-signature-type",
                "WECHATPAY2-SM2-WITH-SM3",
                Malformed("Wechatpay-Signature-Type"),
            ),
        ];
        for (name, value, expected) in table {
            let mut headers = signed(NOW_S);
            headers.insert(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
            assert_eq!(verify(&headers), Err(expected), "{name}: {value}");
        }
    }

    #[test]
    fn each_header_must_come_exactly_once() {
        for name in ["timestamp", "nonce", "signature", "serial"] {
            let header = HeaderName::from_bytes(format!("wechatpay-{name}").as_bytes()).unwrap();
            let mut missing = signed(NOW_S);
            missing.remove(&header);
            assert!(
                matches!(verify(&missing), Err(SignatureError::Missing(_))),
                "{name}"
            );
            let mut twice = signed(NOW_S);
            let value = twice[&header].clone();
            twice.append(&header, value);
            assert!(
                matches!(verify(&twice), Err(SignatureError::Duplicate(_))),
                "{name}"
            );
        }
        let mut without_type = signed(NOW_S);
        without_type.remove("wechatpay-signature-type");
        assert_eq!(verify(&without_type), Ok(()));
    }

    #[test]
    fn a_changed_body_is_refused() {
        let headers = signed(NOW_S);
        let keys = test_keys::trusted_keys();
        for body in [&b""[..], b"{}", &BODY[1..], &[BODY, b"\n"].concat()] {
            assert_eq!(
                verify_signed(&headers, body, &keys, NOW_S),
                Err(SignatureError::Mismatch)
            );
        }
    }

    #[test]
    fn the_key_of_another_serial_does_not_verify() {
        let mut headers = signed(NOW_S);
        headers.insert(SERIAL_HEADER, HeaderValue::from_static("PUB_KEY_ID_DOC"));
        assert_eq!(verify(&headers), Err(SignatureError::Mismatch));
    }

    proptest! {
        #[test]
        fn hostile_headers_never_panic_and_never_pass(
            values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 5),
            body in proptest::collection::vec(any::<u8>(), 0..100),
            now_s in any::<i64>(),
        ) {
            let names = ["timestamp", "nonce", "signature", "serial", "signature-type"];
            let mut headers = HeaderMap::new();
            for (name, value) in names.iter().zip(&values) {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    let name = HeaderName::from_bytes(format!("wechatpay-{name}").as_bytes());
                    headers.insert(name.unwrap(), value);
                }
            }
            prop_assert!(verify_signed(&headers, &body, &test_keys::trusted_keys(), now_s).is_err());
        }
    }
}
