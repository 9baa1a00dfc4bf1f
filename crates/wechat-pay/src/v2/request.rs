//! A request of version 2 as data, signed over its fields.
//!
//! Nothing here retries. A retry is a new [`Request::sign`] with a fresh nonce over the same
//! fields; [`Request::kept`] stores them.

use std::fmt;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use payment_values::InvalidField;

use super::fields::Fields;
use super::key::ApiV2Key;
use super::route::Route;
use super::signature::{SignType, sign};
use super::xml::XmlError;
use crate::orders::account::{Orderer, OrdererBody};
use crate::request::encode;
use crate::signing::stamp::Stamp;

/// A request before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    route: Route,
    fields: Fields,
}

impl Request {
    /// A request with the account's fields.
    pub(super) fn of(route: Route, orderer: &Orderer) -> Result<Self, InvalidField> {
        let mut fields = Fields::new();
        match orderer.body()? {
            OrdererBody::Merchant { appid, mchid } => {
                fields.set("appid", appid);
                fields.set("mch_id", mchid);
            }
            OrdererBody::Partner {
                sp_appid,
                sp_mchid,
                sub_appid,
                sub_mchid,
            } => {
                fields.set("appid", sp_appid);
                fields.set("mch_id", sp_mchid);
                fields.set_optional("sub_appid", sub_appid);
                fields.set("sub_mch_id", sub_mchid);
            }
        }
        Ok(Self { route, fields })
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.fields.set(name, value);
    }

    pub(super) fn set_optional(&mut self, name: &str, value: Option<impl Into<String>>) {
        self.fields.set_optional(name, value);
    }

    /// The route.
    #[must_use]
    pub fn route(&self) -> Route {
        self.route
    }

    /// The fields, without nonce and signature.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The fields as bytes to store. WeChat refuses changed fields under a known number, so a later
    /// try sends these ([`Request::replay`]).
    #[must_use]
    pub fn kept(&self) -> Bytes {
        self.fields.to_xml()
    }

    /// The request that [`Request::kept`] stored.
    pub fn replay(route: Route, kept: &[u8]) -> Result<Self, XmlError> {
        let fields = Fields::read(kept)?;
        Ok(Self { route, fields })
    }

    /// Signs. The merchant's account must use this kind of signature for everything that belongs
    /// to one order: WeChat answers and notifies in the same kind.
    #[must_use]
    pub fn sign(&self, key: &ApiV2Key, kind: SignType, stamp: &Stamp) -> SignedRequest {
        let mut fields = self.fields.clone();
        fields.set("nonce_str", stamp.nonce());
        // The early protocol has no `sign_type`, and MD5 is the default of the later one.
        if kind != SignType::Md5 {
            fields.set("sign_type", kind.as_str());
        }
        let signature = sign(fields.iter(), key, kind);
        fields.set("sign", signature);
        if let Some(url) = fields.optional(LONG_URL) {
            // WeChat: the signature is over the plain text, the transport is percent-encoded.
            fields.set(LONG_URL, encode(&url));
        }
        SignedRequest {
            route: self.route,
            body: fields.to_xml(),
        }
    }
}

/// The one field whose text on the wire is not the text that is signed.
pub(super) const LONG_URL: &str = "long_url";

/// A request that is ready to be sent, once, to WeChat's host.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The route.
    pub route: Route,
    /// The XML.
    pub body: Bytes,
}

impl SignedRequest {
    /// Whether the connection must present the merchant's API certificate (mTLS). This crate
    /// opens no connection: the caller uses a client that has the certificate.
    #[must_use]
    pub fn needs_certificate(&self) -> bool {
        self.route.needs_certificate()
    }

    /// Converts it to a request of the `http` crate. `origin` is scheme and authority, without a
    /// slash at the end: `https://api.mch.weixin.qq.com`.
    pub fn into_http(self, origin: &str) -> Result<http::Request<Bytes>, http::Error> {
        const AGENT: &str = concat!("wechat-pay-rust/", env!("CARGO_PKG_VERSION"));
        http::Request::builder()
            .method(Method::POST)
            .uri(format!("{origin}{}", self.route.path()))
            .header(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/xml; charset=utf-8"),
            )
            .header(header::USER_AGENT, HeaderValue::from_static(AGENT))
            .body(self.body)
    }
}

impl fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest")
            .field("route", &self.route)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v2::signature::verify;
    use crate::v2::test_messages::{key, merchant, provider, stamp};

    #[test]
    fn a_request_is_signed_over_its_fields_its_nonce_and_its_kind() {
        for kind in [SignType::Md5, SignType::HmacSha256] {
            let mut request = Request::of(Route::OrderQuery, &merchant()).unwrap();
            request.set("out_trade_no", "T20260101");
            let signed = request.sign(&key(), kind, &stamp());
            let read = Fields::read(&signed.body).unwrap();
            assert_eq!(verify(&read, &key(), kind), Ok(()));
            assert_eq!(read.get("nonce_str"), Some(stamp().nonce()));
            let named = (kind == SignType::HmacSha256).then_some("HMAC-SHA256");
            assert_eq!(read.get("sign_type"), named);
            assert_eq!(read.get("sub_mch_id"), None);
        }
    }

    #[test]
    fn what_is_kept_is_signed_again_with_another_nonce_and_the_same_fields() {
        let mut request = Request::of(Route::UnifiedOrder, &provider()).unwrap();
        request.set("body", "茶 ]]> \r & <");
        let again = Request::replay(Route::UnifiedOrder, &request.kept()).unwrap();
        assert_eq!(again, request);
        assert_eq!(request.fields().get("sub_mch_id"), Some("124"));
        let other = Stamp::new(1, [7; 16]);
        assert_ne!(
            again.sign(&key(), SignType::Md5, &other),
            request.sign(&key(), SignType::Md5, &stamp())
        );
    }

    #[test]
    fn it_is_posted_as_xml_and_says_whether_it_needs_the_certificate() {
        let request = Request::of(Route::Refund, &merchant()).unwrap();
        let signed = request.sign(&key(), SignType::Md5, &stamp());
        assert!(signed.needs_certificate());
        assert!(!format!("{signed:?}").contains("CDATA"));
        let http = signed.into_http("https://api.mch.weixin.qq.com").unwrap();
        assert_eq!(http.method(), Method::POST);
        assert_eq!(
            http.uri(),
            "https://api.mch.weixin.qq.com/secapi/pay/refund"
        );
        assert_eq!(http.headers()["content-type"], "text/xml; charset=utf-8");
    }
}
