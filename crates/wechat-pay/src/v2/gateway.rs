//! WeChat's side of version 2: read a merchant's request, check its signature, answer.

use bytes::Bytes;

use super::fields::{Fields, VerifiedFields};
use super::key::ApiV2Key;
use super::request::LONG_URL;
use super::signature::{SignType, SignatureError, sign, verify};
use super::xml::XmlError;
use crate::signing::stamp::Stamp;

/// A request as it came. Its fields name the merchant whose key checks it, and nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedRequest(Fields);

/// A request that the merchant signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRequest {
    /// The fields.
    pub fields: VerifiedFields,
    /// The kind of its signature, and of the answer's.
    pub sign_type: SignType,
}

impl UnverifiedRequest {
    /// Reads the fields.
    pub fn read(body: &[u8]) -> Result<Self, XmlError> {
        Fields::read(body).map(Self)
    }

    /// Fields that came in another form than XML.
    pub(super) fn claim(fields: Fields) -> Self {
        Self(fields)
    }

    /// A field as it came.
    #[must_use]
    pub fn claimed(&self, name: &str) -> Option<&str> {
        self.0.get(name)
    }

    /// Checks the signature. Its kind is that of `sign_type`, or MD5.
    pub fn verify(self, key: &ApiV2Key) -> Result<VerifiedRequest, SignatureError> {
        let sign_type = match self.0.get("sign_type") {
            None => SignType::Md5,
            Some(named) => SignType::parse(named).ok_or(SignatureError::SignType)?,
        };
        let mut fields = self.0;
        // WeChat's document has the link encoded on the wire and plain in the signature; the
        // common libraries send it plain. Both are accepted.
        if let Some(plain) = fields.get(LONG_URL).and_then(decode) {
            let mut decoded = fields.clone();
            decoded.set(LONG_URL, plain);
            if verify(&decoded, key, sign_type).is_ok() {
                fields = decoded;
            }
        }
        verify(&fields, key, sign_type)?;
        Ok(VerifiedRequest {
            fields: VerifiedFields::new(fields),
            sign_type,
        })
    }
}

/// The signed answer of a success, with these fields.
#[must_use]
pub fn success_answer(fields: Fields, key: &ApiV2Key, kind: SignType, stamp: &Stamp) -> Bytes {
    answer(fields, "SUCCESS", key, kind, stamp)
}

/// The signed answer of a refusal of the business's layer: `err_code` and `err_code_des`, beside
/// the fields that name the account.
#[must_use]
pub fn refusal_answer(
    mut fields: Fields,
    code: &str,
    message: &str,
    key: &ApiV2Key,
    kind: SignType,
    stamp: &Stamp,
) -> Bytes {
    fields.set("err_code", code);
    fields.set("err_code_des", message);
    answer(fields, "FAIL", key, kind, stamp)
}

fn answer(
    mut fields: Fields,
    result: &str,
    key: &ApiV2Key,
    kind: SignType,
    stamp: &Stamp,
) -> Bytes {
    fields.set("return_code", "SUCCESS");
    fields.set("return_msg", "OK");
    fields.set("result_code", result);
    fields.set("nonce_str", stamp.nonce());
    let signature = sign(fields.iter(), key, kind);
    fields.set("sign", signature);
    fields.to_xml()
}

/// Percent-decoded text; `None` if nothing in it is encoded, or if it decodes to no UTF-8.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let digit = |byte: Option<u8>| u8::try_from(char::from(byte?).to_digit(16)?).ok();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => (digit(rest.next())? << 4) | digit(rest.next())?,
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::v2::answer::{Answer, AnswerError};
    use crate::v2::test_messages::{key, other_key, signed, stamp};

    fn verified(body: &[u8]) -> Result<VerifiedRequest, SignatureError> {
        UnverifiedRequest::read(body).unwrap().verify(&key())
    }

    #[test]
    fn a_request_names_its_merchant_before_its_signature_is_checked() {
        let body = signed(&[("mch_id", "10000100"), ("total_fee", "1")], SignType::Md5);
        let request = UnverifiedRequest::read(&body).unwrap();
        assert_eq!(request.claimed("mch_id"), Some("10000100"));
        assert_eq!(
            request.clone().verify(&other_key()),
            Err(SignatureError::Mismatch)
        );
        let request = request.verify(&key()).unwrap();
        assert_eq!(request.sign_type, SignType::Md5);
        assert_eq!(request.fields.fields().get("total_fee"), Some("1"));
    }

    #[test]
    fn the_kind_of_signature_is_the_one_that_sign_type_names() {
        let hmac = signed(&[("sign_type", "HMAC-SHA256")], SignType::HmacSha256);
        assert_eq!(verified(&hmac).unwrap().sign_type, SignType::HmacSha256);
        for (named, made) in [
            ("HMAC-SHA256", SignType::Md5),
            ("MD5", SignType::HmacSha256),
            ("", SignType::HmacSha256),
            ("SHA1", SignType::Md5),
            ("md5", SignType::Md5),
        ] {
            let body = signed(&[("sign_type", named)], made);
            assert_eq!(verified(&body), Err(SignatureError::SignType), "{named}");
        }
        let unsigned = b"<xml><mch_id>1</mch_id></xml>";
        assert_eq!(verified(unsigned), Err(SignatureError::Unsigned));
    }

    #[test]
    fn answers_are_signed_and_read_by_the_merchant() {
        let mut fields = Fields::new();
        fields.set("appid", "wx1");
        let read = |body| {
            let status = StatusCode::OK;
            Answer { status, body }.verify(&key(), SignType::HmacSha256)
        };
        let kind = SignType::HmacSha256;
        let success = success_answer(fields.clone(), &key(), kind, &stamp());
        assert_eq!(read(success).unwrap().fields().get("appid"), Some("wx1"));
        let refused = refusal_answer(fields, "ORDERPAID", "已支付", &key(), kind, &stamp());
        let Err(AnswerError::Refused(refusal)) = read(refused) else {
            panic!("a refusal was read as another answer");
        };
        assert_eq!((&*refusal.code, refusal.trusted), ("ORDERPAID", true));
    }

    #[test]
    fn only_complete_percent_encodings_are_decoded() {
        for (text, expected) in [
            ("weixin%3A%2F%2Fwxpay", Some("weixin://wxpay")),
            ("%E8%8c%B6", Some("茶")),
            ("plain", None),
            ("%", None),
            ("%4", None),
            ("%zz", None),
            ("%ff", None),
        ] {
            assert_eq!(decode(text).as_deref(), expected, "{text}");
        }
    }
}
