//! A request as data: what any HTTP client can send, signed over exactly what is sent.
//!
//! Nothing here retries. A retry is a new [`RequestParts::sign`] with a fresh stamp: WeChat
//! refuses old timestamps, and a signature must not be used twice.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Serialize;

use crate::keys::error::KeyError;
use crate::keys::rsa::MerchantKey;
use crate::signing::authorization::Authorization;
use crate::signing::message::request_message;
use crate::signing::signature::SERIAL_HEADER;
use crate::signing::stamp::Stamp;

/// A request before it is signed. It can be kept, and signed again for each try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestParts {
    /// `GET` or `POST`.
    pub method: Method,
    /// Path and query, percent-encoded as they are sent: the signature covers these bytes.
    pub path_and_query: String,
    /// The body's bytes; empty for `GET`.
    pub body: Bytes,
}

impl RequestParts {
    pub(crate) fn get(path_and_query: String) -> Self {
        Self {
            method: Method::GET,
            path_and_query,
            body: Bytes::new(),
        }
    }

    pub(crate) fn post(path_and_query: String, body: &impl Serialize) -> Self {
        Self {
            method: Method::POST,
            path_and_query,
            // Plain structs with text keys: there is nothing in them that JSON cannot carry.
            body: serde_json::to_vec(body).unwrap_or_default().into(),
        }
    }

    /// Signs. `reply_key` names the key with which WeChat must sign its reply (a `PUB_KEY_ID_…`);
    /// `None` leaves the choice to WeChat.
    pub fn sign(
        self,
        key: &MerchantKey,
        stamp: &Stamp,
        reply_key: Option<&str>,
    ) -> Result<SignedRequest, KeyError> {
        let message = request_message(
            self.method.as_str(),
            &self.path_and_query,
            &stamp.timestamp_s().to_string(),
            stamp.nonce(),
            &self.body,
        );
        let authorization = Authorization {
            mchid: key.mchid().to_owned(),
            nonce_str: stamp.nonce().to_owned(),
            signature: key.sign(&message)?,
            timestamp: stamp.timestamp_s().to_string(),
            serial_no: key.serial_no().to_owned(),
        };
        Ok(SignedRequest {
            headers: headers(&authorization, reply_key)?,
            method: self.method,
            path_and_query: self.path_and_query,
            body: self.body,
        })
    }
}

/// A request that is ready to be sent, once, to WeChat's host.
#[derive(Clone, Debug)]
pub struct SignedRequest {
    /// `GET` or `POST`.
    pub method: Method,
    /// Path and query exactly as signed.
    pub path_and_query: String,
    /// `Authorization`, `Accept`, `Content-Type`, `User-Agent`, `Wechatpay-Serial`.
    pub headers: HeaderMap,
    /// The body exactly as signed.
    pub body: Bytes,
}

impl SignedRequest {
    /// Converts it to a request of the `http` crate. `origin` is scheme and authority, without a
    /// slash at the end: `https://api.mch.weixin.qq.com`.
    pub fn into_http(self, origin: &str) -> Result<http::Request<Bytes>, http::Error> {
        let mut request = http::Request::builder()
            .method(self.method)
            .uri(format!("{origin}{}", self.path_and_query))
            .body(self.body)?;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}

/// Percent-encodes everything but unreserved characters. The signed text must be the sent text, and
/// HTTP clients differ in the characters that they would encode by themselves (`|`, `*`).
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&crate::hex::upper_hex(&[byte]));
        }
    }
    encoded
}

fn headers(authorization: &Authorization, reply_key: Option<&str>) -> Result<HeaderMap, KeyError> {
    let mut headers = HeaderMap::new();
    let mut authorization =
        HeaderValue::try_from(authorization.to_header_text()).map_err(|_| KeyError::Signing)?;
    authorization.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, authorization);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    // WeChat refuses requests without a User-Agent on some routes.
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("wechat-pay-rust/", env!("CARGO_PKG_VERSION"))),
    );
    if let Some(serial) = reply_key {
        crate::keys::rsa::check_token("Wechatpay-Serial", serial)?;
        let serial = HeaderValue::from_str(serial).map_err(|_| KeyError::Signing)?;
        headers.insert(SERIAL_HEADER, serial);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_keys;

    #[test]
    fn the_sent_bytes_are_the_signed_bytes_and_a_retry_has_a_new_signature() {
        let parts = RequestParts {
            method: Method::POST,
            path_and_query: "/v3/pay/transactions/native?a=%7C".into(),
            body: Bytes::from_static(b"{\"a\":1}"),
        };
        let key = test_keys::merchant_key();
        let first = parts
            .clone()
            .sign(
                &key,
                &Stamp::new(1_700_000_000, [1; 16]),
                Some("PUB_KEY_ID_01"),
            )
            .unwrap();
        let second = parts
            .sign(&key, &Stamp::new(1_700_000_001, [2; 16]), None)
            .unwrap();
        assert_ne!(
            first.headers["authorization"],
            second.headers["authorization"]
        );
        assert_eq!(first.headers["wechatpay-serial"], "PUB_KEY_ID_01");
        assert!(!second.headers.contains_key("wechatpay-serial"));

        let http = first.into_http("https://api.mch.weixin.qq.com").unwrap();
        assert_eq!(
            http.uri().to_string(),
            "https://api.mch.weixin.qq.com/v3/pay/transactions/native?a=%7C"
        );
        let text = http.headers()["authorization"].to_str().unwrap();
        let authorization = Authorization::parse(text).unwrap();
        let public = test_keys::doc_public_key();
        assert!(authorization.verifies(
            &public,
            "POST",
            "/v3/pay/transactions/native?a=%7C",
            http.body()
        ));
        assert!(!authorization.verifies(
            &public,
            "POST",
            "/v3/pay/transactions/native?a=|",
            http.body()
        ));
    }

    #[test]
    fn the_authorization_is_left_out_of_debug_output() {
        let signed = RequestParts {
            method: Method::GET,
            path_and_query: "/v3/x".into(),
            body: Bytes::new(),
        }
        .sign(&test_keys::merchant_key(), &Stamp::new(1, [0; 16]), None)
        .unwrap();
        assert!(!format!("{signed:?}").contains("signature="));
    }
}
