//! A reply is verified before it is parsed.
//!
//! A success must be signed, also 204 with its empty body. An error without any signature header
//! counts as *untrusted*, because WeChat does not sign its early refusals. An error with any
//! signature header must pass the whole check.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::error::WechatError;
use crate::json::{ReadJson, Unreadable, read_json};
use crate::keys::trusted::TrustedKeys;
use crate::signing::signature::{SignatureError, is_signed, verify_signed};

/// A reply as the HTTP client got it.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The raw bytes, neither decoded nor trimmed.
    pub body: Bytes,
}

/// A success that WeChat has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReply {
    status: StatusCode,
    body: Bytes,
}

/// Why a reply is not a success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// The signature is not valid. The body was not read.
    #[error("the reply has no valid signature: {0}")]
    Signature(#[from] SignatureError),
    /// WeChat refused.
    #[error(transparent)]
    Wechat(Box<WechatError>),
    /// 202: accepted, not yet done. Send the same request again.
    #[error("WeChat has accepted the request and not yet carried it out")]
    NotYet,
    /// A status that APIv3 does not use.
    #[error("WeChat answered with the unexpected status {0}")]
    UnexpectedStatus(u16),
    /// The signature is valid, but a field that money or identity depends on cannot be read.
    #[error("WeChat's reply cannot be read: {0}")]
    Malformed(Unreadable),
}

impl ReplyError {
    /// Whether the same request, signed again, may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Signature(SignatureError::Probe) | Self::NotYet => true,
            Self::Signature(_) | Self::Malformed(_) | Self::UnexpectedStatus(_) => false,
            Self::Wechat(error) => error.is_retryable(),
        }
    }

    /// Whether WeChat may have carried the request out.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        match self {
            Self::Wechat(error) => error.may_have_taken_effect(),
            _ => true,
        }
    }

    /// WeChat's error answer, if this is one.
    #[must_use]
    pub fn wechat(&self) -> Option<&WechatError> {
        match self {
            Self::Wechat(error) => Some(error),
            _ => None,
        }
    }
}

impl Reply {
    /// Checks status and signature. `now_s` is the caller's clock, in seconds.
    pub fn verify(self, keys: &TrustedKeys, now_s: i64) -> Result<VerifiedReply, ReplyError> {
        let success = self.status.is_success();
        let signed = is_signed(&self.headers);
        if success || signed {
            verify_signed(&self.headers, &self.body, keys, now_s)?;
        }
        match self.status.as_u16() {
            202 => Err(ReplyError::NotYet),
            _ if success => Ok(VerifiedReply {
                status: self.status,
                body: self.body,
            }),
            status @ 400.. => Err(ReplyError::Wechat(Box::new(WechatError::read(
                status,
                &self.body,
                request_id(&self.headers),
                signed,
            )))),
            status => Err(ReplyError::UnexpectedStatus(status)),
        }
    }
}

impl<B: Into<Bytes>> From<http::Response<B>> for Reply {
    fn from(response: http::Response<B>) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: body.into(),
        }
    }
}

impl VerifiedReply {
    /// Reads the JSON body: [`crate::JsapiOrdered`], [`crate::H5Ordered`],
    /// [`crate::NativeOrdered`], [`crate::Transaction`].
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ReplyError> {
        self.read().map(|read| read.value)
    }

    /// As [`VerifiedReply::parse`], with the paths of the fields that could not be read, for a log.
    pub fn read<T: DeserializeOwned>(&self) -> Result<ReadJson<T>, ReplyError> {
        read_json(&self.body).map_err(ReplyError::Malformed)
    }

    /// The status: 200, or 204 without a body (close).
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The raw body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("request-id")?.to_str().ok()?;
    Some(text.chars().take(128).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::order::NativeOrdered;
    use crate::signing::stamp::Stamp;
    use crate::test_keys;

    const NOW_S: i64 = 1_700_000_000;

    fn reply(status: u16, body: &'static str, signed: bool) -> Reply {
        let headers = if signed {
            test_keys::platform_key()
                .sign_headers(&Stamp::new(NOW_S, [3; 16]), body.as_bytes())
                .unwrap()
        } else {
            HeaderMap::new()
        };
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    fn verify(reply: Reply) -> Result<VerifiedReply, ReplyError> {
        reply.verify(&test_keys::trusted_keys(), NOW_S)
    }

    #[test]
    fn a_signed_success_is_parsed() {
        let body = r#"{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz1","later":1}"#;
        let ordered: NativeOrdered = verify(reply(200, body, true)).unwrap().parse().unwrap();
        assert_eq!(ordered.code_url, "weixin://wxpay/bizpayurl?pr=JyC91EIz1");
        let close = verify(reply(204, "", true)).unwrap();
        assert_eq!(close.status(), StatusCode::NO_CONTENT);
    }

    #[test]
    fn a_success_without_a_signature_is_a_forgery() {
        for status in [200, 202, 204] {
            assert_eq!(
                verify(reply(status, "", false)),
                Err(ReplyError::Signature(SignatureError::Missing(
                    "Wechatpay-Timestamp"
                )))
            );
        }
    }

    #[test]
    fn an_unsigned_error_is_read_and_not_trusted() {
        let error = verify(reply(
            401,
            r#"{"code":"SIGN_ERROR","message":"签名错误"}"#,
            false,
        ));
        let error = error.unwrap_err();
        let said = error.wechat().unwrap();
        assert_eq!(
            (said.status, said.code.as_str(), said.trusted),
            (401, "SIGN_ERROR", false)
        );
        assert!(error.may_have_taken_effect());
        assert!(!error.is_retryable());
    }

    #[test]
    fn a_signed_error_is_trusted() {
        let error = verify(reply(400, r#"{"code":"ORDER_CLOSED","message":"m"}"#, true));
        let error = error.unwrap_err();
        assert!(error.wechat().unwrap().trusted);
        assert!(!error.may_have_taken_effect());
    }

    #[test]
    fn any_signature_header_on_an_error_requires_a_valid_signature() {
        for name in [
            "wechatpay-serial",
            "wechatpay-nonce",
            "wechatpay-signature-type",
        ] {
            let mut half = reply(400, "{}", false);
            half.headers.insert(name, "x".parse().unwrap());
            let error = verify(half).unwrap_err();
            assert!(matches!(error, ReplyError::Signature(_)), "{name}");
        }
        let mut tampered = reply(400, r#"{"code":"ORDER_CLOSED"}"#, true);
        tampered.body = Bytes::from_static(br#"{"code":"ORDERPAID"}"#);
        assert_eq!(
            verify(tampered),
            Err(ReplyError::Signature(SignatureError::Mismatch))
        );
    }

    #[test]
    fn a_probe_in_a_reply_has_its_own_error_and_can_be_retried() {
        let mut probe = reply(200, "{}", true);
        probe.headers.insert(
            "wechatpay-signature",
            "WECHATPAY/SIGNTEST/xyz".parse().unwrap(),
        );
        let error = verify(probe).unwrap_err();
        assert_eq!(error, ReplyError::Signature(SignatureError::Probe));
        assert!(error.is_retryable() && error.may_have_taken_effect());
    }

    #[test]
    fn other_statuses_and_other_forms_have_their_own_causes() {
        assert_eq!(verify(reply(202, "", true)), Err(ReplyError::NotYet));
        assert_eq!(
            verify(reply(302, "", false)),
            Err(ReplyError::UnexpectedStatus(302))
        );
        for (body, says) in [
            ("", "the body is not JSON"),
            ("{}", "code_url is missing"),
            ("[1]", "the body is not a JSON object"),
            (
                r#"{"code_url":1}"#,
                "code_url is not in the documented form",
            ),
        ] {
            let verified = verify(reply(200, body, true)).unwrap();
            let error = verified.parse::<NativeOrdered>().unwrap_err();
            let whole = format!("WeChat's reply cannot be read: {says}");
            assert_eq!(error.to_string(), whole, "{body}");
        }
    }
}
