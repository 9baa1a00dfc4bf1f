//! An answer of version 2 is verified before its fields are read.
//!
//! A success must be signed. A refusal without a signature counts as *untrusted*: WeChat does not
//! sign its refusals of the protocol's layer. A refusal with a signature must pass the check.

use bytes::Bytes;
use http::StatusCode;

use super::fields::{Fields, VerifiedFields};
use super::key::ApiV2Key;
use super::refusal::Refusal;
use super::signature::{SignType, SignatureError, verify};
use super::xml::XmlError;
use crate::json::Unreadable;

/// An answer as the HTTP client got it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status: always 200 from WeChat itself, also for a refusal.
    pub status: StatusCode,
    /// The raw bytes, neither decoded nor trimmed.
    pub body: Bytes,
}

/// Why an answer is not a success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// A status that version 2 does not use: the answer comes from a proxy or a firewall, and its
    /// body was not read.
    #[error("the answer has the status {0}, which version 2 never uses")]
    UnexpectedStatus(u16),
    /// The body is not a message of version 2.
    #[error("the answer is not a message of version 2: {0}")]
    Xml(#[from] XmlError),
    /// The signature is missing from a success, or is not valid. No field was read.
    #[error("the answer has no valid signature: {0}")]
    Signature(#[from] SignatureError),
    /// WeChat refused.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The signature is valid, but a field that money or identity depends on cannot be read.
    #[error("WeChat's answer cannot be read: {0}")]
    Malformed(#[from] Unreadable),
}

/// A type that is read from the fields of a verified answer.
pub trait ReadAnswer: Sized {
    /// Reads the fields. Only fields that money or identity depends on are required.
    fn read_answer(answer: &VerifiedFields) -> Result<Self, Unreadable>;
}

impl Answer {
    /// Checks the signature, of the kind that the request had, and the two codes.
    pub fn verify(
        &self,
        key: &ApiV2Key,
        expected: SignType,
    ) -> Result<VerifiedFields, AnswerError> {
        if self.status != StatusCode::OK {
            return Err(AnswerError::UnexpectedStatus(self.status.as_u16()));
        }
        let fields = Fields::read(&self.body)?;
        let is_signed = fields.get("sign").is_some();
        if is_signed {
            verify(&fields, key, expected)?;
        }
        let refused = |refusal| Err(AnswerError::Refused(Box::new(refusal)));
        if !says_success(&fields, "return_code")? {
            return refused(Refusal::protocol(&fields, is_signed));
        }
        if !says_success(&fields, "result_code")? {
            return refused(Refusal::business(&fields, is_signed));
        }
        if !is_signed {
            return Err(SignatureError::Unsigned.into());
        }
        Ok(VerifiedFields::new(fields))
    }

    /// As [`Answer::verify`], and then reads the fields: [`crate::JsapiOrdered`],
    /// [`crate::NativeOrdered`], [`crate::H5Ordered`], [`crate::AppOrdered`],
    /// [`crate::Transaction`], [`crate::Refund`], [`super::Refunds`], [`super::Reversed`],
    /// [`super::Closed`], [`super::ShortUrl`], [`super::CodeOwner`].
    pub fn parse<T: ReadAnswer>(
        &self,
        key: &ApiV2Key,
        expected: SignType,
    ) -> Result<T, AnswerError> {
        let verified = self.verify(key, expected)?;
        T::read_answer(&verified).map_err(AnswerError::Malformed)
    }
}

impl AnswerError {
    /// WeChat's refusal, if this is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl<B: Into<Bytes>> From<http::Response<B>> for Answer {
    fn from(response: http::Response<B>) -> Self {
        let status = response.status();
        Self {
            status,
            body: response.into_body().into(),
        }
    }
}

/// One of the two codes: SUCCESS or FAIL, in capitals.
pub(super) fn says_success(fields: &Fields, name: &str) -> Result<bool, Unreadable> {
    match fields.get(name) {
        Some("SUCCESS") => Ok(true),
        Some("FAIL") => Ok(false),
        Some(_) => Err(Unreadable::unknown_word(name)),
        None => Err(Unreadable::missing(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v2::refusal::Layer;
    use crate::v2::test_messages::{key, other_key, signed};

    fn answer(body: impl Into<Bytes>) -> Answer {
        Answer {
            status: StatusCode::OK,
            body: body.into(),
        }
    }

    fn verified(body: impl Into<Bytes>) -> Result<VerifiedFields, AnswerError> {
        answer(body).verify(&key(), SignType::Md5)
    }

    #[test]
    fn a_signed_success_gives_its_fields_the_unknown_ones_too() {
        let fields = [
            ("return_code", "SUCCESS"),
            ("result_code", "SUCCESS"),
            ("later", "new"),
            ("empty", ""),
        ];
        let read = verified(signed(&fields, SignType::Md5)).unwrap();
        assert_eq!(read.fields().get("later"), Some("new"));
        assert_eq!(read.fields().get("empty"), None);
    }

    #[test]
    fn a_success_that_is_unsigned_or_wrongly_signed_is_refused() {
        let fields = [("return_code", "SUCCESS"), ("result_code", "SUCCESS")];
        let unsigned: Fields = fields.into_iter().collect();
        let refused = |error| Err(AnswerError::Signature(error));
        assert_eq!(
            verified(unsigned.to_xml()),
            refused(SignatureError::Unsigned)
        );
        let by_md5 = signed(&fields, SignType::Md5);
        assert_eq!(
            answer(by_md5.clone()).verify(&other_key(), SignType::Md5),
            refused(SignatureError::Mismatch)
        );
        assert_eq!(
            answer(by_md5).verify(&key(), SignType::HmacSha256),
            refused(SignatureError::SignType)
        );
        let by_hmac = signed(&fields, SignType::HmacSha256);
        assert!(answer(by_hmac).verify(&key(), SignType::HmacSha256).is_ok());
    }

    #[test]
    fn a_refusal_names_its_layer_its_code_and_whether_it_is_signed() {
        let protocol = "<xml><return_code><![CDATA[FAIL]]></return_code>\n\
                        <return_msg><![CDATA[签名错误]]></return_msg>\n</xml>";
        let error = verified(protocol).unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!(
            (
                refusal.layer,
                refusal.trusted,
                &*refusal.code,
                &*refusal.message
            ),
            (Layer::Protocol, false, "", "签名错误")
        );
        let fields = [
            ("return_code", "SUCCESS"),
            ("result_code", "FAIL"),
            ("err_code", "AUTHCODEEXPIRE"),
            ("err_code_des", "openid oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
        ];
        let error = verified(signed(&fields, SignType::Md5)).unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!(
            (
                refusal.layer,
                refusal.trusted,
                &*refusal.code,
                &*refusal.message
            ),
            (Layer::Business, true, "AUTHCODEEXPIRE", "openid oUpF8u…")
        );
        let mut unsigned: Fields = fields.into_iter().collect();
        let error = verified(unsigned.to_xml()).unwrap_err();
        assert!(!error.refusal().unwrap().trusted);
        unsigned.set("sign", "0".repeat(32));
        assert_eq!(
            verified(unsigned.to_xml()),
            Err(AnswerError::Signature(SignatureError::Mismatch))
        );
    }

    #[test]
    fn what_is_no_answer_of_version_2_is_refused_with_its_cause() {
        let missing = |name| AnswerError::Malformed(Unreadable::missing(name));
        let word = |name| AnswerError::Malformed(Unreadable::unknown_word(name));
        for (body, expected) in [
            ("", AnswerError::Xml(XmlError::Syntax)),
            (
                "<html><body>502</body></html>",
                AnswerError::Xml(XmlError::Root),
            ),
            ("<xml></xml>", missing("return_code")),
            (
                "<xml><return_code>success</return_code></xml>",
                word("return_code"),
            ),
            (
                "<xml><return_code>SUCCESS</return_code></xml>",
                missing("result_code"),
            ),
            (
                "<xml><return_code>FAIL</return_code><return_code>SUCCESS</return_code></xml>",
                AnswerError::Xml(XmlError::Duplicate),
            ),
        ] {
            assert_eq!(verified(body), Err(expected), "{body}");
        }
        let mut gateway_error = answer("<xml></xml>");
        gateway_error.status = StatusCode::BAD_GATEWAY;
        assert_eq!(
            gateway_error.verify(&key(), SignType::Md5),
            Err(AnswerError::UnexpectedStatus(502))
        );
    }
}
