//! Native mode 1: a printed link names goods and no order. When a buyer scans it, WeChat calls the
//! merchant back; the merchant places an order and answers with its `prepay_id`.
//!
//! The link and the callback hold no time that anybody checks: a link is valid as long as the
//! merchant answers for its goods.

use bytes::Bytes;
use payment_values::{InvalidField, OpenId, Rule, check_text, check_word};

use super::answer::{ReadAnswer, says_success};
use super::fields::{Fields, VerifiedFields};
use super::gateway::UnverifiedRequest;
use super::key::ApiV2Key;
use super::request::Request;
use super::route::Route;
use super::signature::{SignType, SignatureError, sign, verify};
use super::xml::XmlError;
use crate::json::Unreadable;
use crate::orders::account::Orderer;
use crate::signing::stamp::Stamp;

const LINK: &str = "weixin://wxpay/bizpayurl?";

/// The link of mode 1, to print as a QR code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeLink {
    /// The application.
    pub appid: String,
    /// The merchant number.
    pub mch_id: String,
    /// The merchant's number of the goods: at most 32 of `[0-9a-zA-Z_-]`.
    pub product_id: String,
}

impl NativeLink {
    /// The link, signed with MD5: it has no place for another `sign_type`.
    pub fn url(&self, key: &ApiV2Key, stamp: &Stamp) -> Result<String, InvalidField> {
        check_word("appid", &self.appid)?;
        check_word("mch_id", &self.mch_id)?;
        check_product_id(&self.product_id)?;
        let mut fields = Fields::new();
        fields.set("appid", self.appid.clone());
        fields.set("mch_id", self.mch_id.clone());
        fields.set("product_id", self.product_id.clone());
        fields.set("time_stamp", stamp.timestamp_s().to_string());
        fields.set("nonce_str", stamp.nonce());
        let signature = sign(fields.iter(), key, SignType::Md5);
        Ok(format!(
            "{LINK}sign={signature}&appid={}&mch_id={}&product_id={}&time_stamp={}&nonce_str={}",
            self.appid,
            self.mch_id,
            self.product_id,
            stamp.timestamp_s(),
            stamp.nonce()
        ))
    }
}

/// Reads a scanned link, for an implementation of WeChat's side; `None` if it is no link of mode 1.
/// The signature is checked as that of a request ([`UnverifiedRequest::verify`]).
#[must_use]
pub fn read_native_link(text: &str) -> Option<UnverifiedRequest> {
    const NAMES: [&str; 6] = [
        "sign",
        "appid",
        "mch_id",
        "product_id",
        "time_stamp",
        "nonce_str",
    ];
    let mut fields = Fields::new();
    for pair in text.strip_prefix(LINK)?.split('&') {
        let (name, value) = pair.split_once('=')?;
        let is_new = fields.get(name).is_none();
        let is_plain = value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        if !NAMES.contains(&name) || !is_new || !is_plain || value.is_empty() {
            return None;
        }
        fields.set(name, value);
    }
    let is_whole = NAMES.iter().all(|name| fields.get(name).is_some());
    is_whole.then(|| UnverifiedRequest::claim(fields))
}

/// The callback of mode 1: a buyer has scanned the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeCallback {
    /// The application.
    pub appid: String,
    /// The merchant number.
    pub mch_id: String,
    /// The buyer under the application.
    pub openid: OpenId,
    /// Whether the buyer follows the official account; `None` if WeChat does not say.
    pub is_subscribe: Option<bool>,
    /// The merchant's number of the goods. It is the merchant's own only because the signature is
    /// checked.
    pub product_id: String,
}

/// Why the callback, or the answer to it, is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NativeError {
    /// The body is not a message of version 2.
    #[error("the message is not one of version 2: {0}")]
    Xml(#[from] XmlError),
    /// The signature is missing or not valid. No field was read.
    #[error("the message has no valid signature: {0}")]
    Signature(#[from] SignatureError),
    /// A field that identity depends on cannot be read.
    #[error("the message cannot be read: {0}")]
    Malformed(#[from] Unreadable),
}

impl NativeCallback {
    /// Checks the signature and reads the callback. A refusal is answered with
    /// [`super::failure_body`].
    pub fn open(body: &[u8], key: &ApiV2Key, expected: SignType) -> Result<Self, NativeError> {
        let fields = Fields::read(body)?;
        verify(&fields, key, expected)?;
        let openid = OpenId::parse(fields.text("openid")?);
        Ok(Self {
            appid: fields.text("appid")?,
            mch_id: fields.text("mch_id")?,
            openid: openid.map_err(|_| Unreadable::undocumented_form("openid"))?,
            is_subscribe: fields.get("is_subscribe").map(|word| word == "Y"),
            product_id: fields.text("product_id")?,
        })
    }

    /// The callback's body, for an implementation of WeChat's side.
    #[must_use]
    pub fn message(&self, key: &ApiV2Key, kind: SignType, stamp: &Stamp) -> Bytes {
        let mut fields = Fields::new();
        fields.set("appid", self.appid.clone());
        fields.set("mch_id", self.mch_id.clone());
        fields.set("openid", self.openid.as_str());
        let follows = self
            .is_subscribe
            .map(|follows| if follows { "Y" } else { "N" });
        fields.set_optional("is_subscribe", follows);
        fields.set("product_id", self.product_id.clone());
        signed(fields, key, kind, stamp)
    }

    /// The merchant's answer.
    #[must_use]
    pub fn answer(
        &self,
        answer: &NativeAnswer,
        key: &ApiV2Key,
        kind: SignType,
        stamp: &Stamp,
    ) -> Bytes {
        let mut fields = Fields::new();
        fields.set("return_code", "SUCCESS");
        fields.set("appid", self.appid.clone());
        fields.set("mch_id", self.mch_id.clone());
        match answer {
            NativeAnswer::Prepared { prepay_id } => {
                fields.set("result_code", "SUCCESS");
                fields.set("prepay_id", prepay_id.clone());
            }
            NativeAnswer::Refused { message } => {
                fields.set("result_code", "FAIL");
                fields.set("err_code_des", message.clone());
            }
        }
        signed(fields, key, kind, stamp)
    }
}

/// A merchant's answer to the callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NativeAnswer {
    /// An order was placed ([`super::NativePrepared`]).
    Prepared {
        /// Its `prepay_id`.
        prepay_id: String,
    },
    /// The goods cannot be bought now.
    Refused {
        /// The text that WeChat shows to the buyer; at most 128 bytes.
        message: String,
    },
}

impl NativeAnswer {
    /// Checks the signature and reads the answer, for an implementation of WeChat's side. An
    /// unsigned refusal (`return_code` FAIL) is [`SignatureError::Unsigned`].
    pub fn open(body: &[u8], key: &ApiV2Key, expected: SignType) -> Result<Self, NativeError> {
        let fields = Fields::read(body)?;
        verify(&fields, key, expected)?;
        let is_prepared =
            says_success(&fields, "return_code")? && says_success(&fields, "result_code")?;
        if is_prepared {
            return Ok(Self::Prepared {
                prepay_id: fields.text("prepay_id")?,
            });
        }
        let message = fields.optional("err_code_des");
        Ok(Self::Refused {
            message: message
                .or(fields.optional("return_msg"))
                .unwrap_or_default(),
        })
    }
}

/// Shortens a link of mode 1, so that its QR code has fewer modules; answered with [`ShortUrl`].
pub fn short_url(orderer: &Orderer, long_url: &str) -> Result<Request, InvalidField> {
    check_text("long_url", long_url, 512)?;
    if !long_url.starts_with(LINK) {
        let rule = Rule::Url("of weixin://wxpay/bizpayurl");
        return Err(InvalidField::new("long_url", rule));
    }
    let mut request = Request::of(Route::ShortUrl, orderer)?;
    request.set("long_url", long_url);
    Ok(request)
}

/// The answer to shortening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortUrl {
    /// `weixin://wxpay/s/…`
    pub short_url: String,
}

impl ReadAnswer for ShortUrl {
    fn read_answer(answer: &VerifiedFields) -> Result<Self, Unreadable> {
        Ok(Self {
            short_url: answer.fields().text("short_url")?,
        })
    }
}

fn signed(mut fields: Fields, key: &ApiV2Key, kind: SignType, stamp: &Stamp) -> Bytes {
    fields.set("nonce_str", stamp.nonce());
    let signature = sign(fields.iter(), key, kind);
    fields.set("sign", signature);
    fields.to_xml()
}

fn check_product_id(text: &str) -> Result<(), InvalidField> {
    const FIELD: &str = "product_id";
    check_text(FIELD, text, 32)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    if !text.bytes().all(allowed) {
        return Err(InvalidField::new(FIELD, Rule::Characters("[0-9a-zA-Z_-]")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
