//! Authentication in version 2: the merchant's number in the message, and its signature.

use std::sync::Arc;

use axum::extract::Request;
use http::Method;
use wechat_pay::v2::{ApiV2Key, Fields, MAX_XML_BYTES, SignType, UnverifiedRequest, XmlError};

use super::refusal::Refusal;
use crate::keyring::Keyring;
use crate::simulator::{Simulator, SubMerchant};
use crate::tls::ClientCertificate;

/// A merchant with a valid signature, and the fields of its request.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) mchid: String,
    pub(super) keyring: Arc<Keyring>,
    pub(super) key: ApiV2Key,
    pub(super) sign_type: SignType,
    pub(super) fields: Fields,
}

impl Caller {
    /// A field; an empty one counts as absent.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// Whether a TLS connection presented this merchant's certificate.
    pub(super) fn has_certificate(&self, presented: &ClientCertificate) -> bool {
        let own = self.keyring.certificate_der();
        own.is_ok_and(|own| presented.der() == Some(&own))
    }

    /// The fields that name the account, as every answer repeats them.
    pub(super) fn parties(&self) -> Fields {
        let mut parties = Fields::new();
        for name in ["appid", "mch_id", "sub_appid", "sub_mch_id"] {
            parties.set_optional(name, self.field(name));
        }
        parties
    }

    /// Partner mode: the sub-merchant that the request names. A partner acts only for its own.
    pub(super) fn sub_merchant(
        &self,
        simulator: &Simulator,
    ) -> Result<Option<SubMerchant>, Refusal> {
        let Some(sub_mch_id) = self.field("sub_mch_id") else {
            return Ok(None);
        };
        simulator
            .sub_merchants(&self.mchid)
            .find(|sub| sub.sub_mchid == sub_mch_id)
            .map(Some)
            .ok_or_else(|| Refusal::business("NOAUTH", "特约商户与服务商没有授权关系"))
    }
}

/// Reads a request and checks its signature.
pub(super) async fn read(simulator: &Simulator, request: Request) -> Result<Caller, Refusal> {
    if request.method() != Method::POST {
        return Err(Refusal::protocol("请使用post方法"));
    }
    let body = axum::body::to_bytes(request.into_body(), MAX_XML_BYTES).await;
    let body = body.map_err(|_| Refusal::protocol("XML格式错误"))?;
    identify(simulator, &body)
}

/// Finds the merchant whose key checks the signature, and checks it.
fn identify(simulator: &Simulator, body: &[u8]) -> Result<Caller, Refusal> {
    if body.trim_ascii().is_empty() {
        return Err(Refusal::protocol("post数据为空"));
    }
    let request = UnverifiedRequest::read(body).map_err(|error| {
        Refusal::protocol(match error {
            XmlError::NotUtf8 => "编码格式错误，请使用UTF-8编码格式",
            _ => "XML格式错误",
        })
    })?;
    let lacking = || Refusal::protocol("缺少参数");
    let mchid = request.claimed("mch_id").ok_or_else(lacking)?.to_owned();
    request.claimed("sign").ok_or_else(lacking)?;
    let keyring = simulator
        .keyring_of(&mchid)
        .ok_or_else(|| Refusal::protocol("MCHID不存在"))?;
    let key = ApiV2Key::parse(keyring.merchant().api_v2_key.clone())
        .map_err(|_| Refusal::protocol("商户未设置密钥"))?;
    let verified = request
        .verify(&key)
        .map_err(|_| Refusal::protocol("签名错误"))?;
    Ok(Caller {
        mchid,
        keyring,
        key,
        sign_type: verified.sign_type,
        fields: verified.fields.fields().clone(),
    })
}
