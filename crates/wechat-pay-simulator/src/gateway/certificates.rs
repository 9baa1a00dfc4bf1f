//! `GET /v3/certificates`: the platform certificates, each sealed with the merchant's APIv3 key.

use http::StatusCode;
use serde_json::{Value, json};
use wechat_pay::{beijing_time, seal};

use super::answer::{Answer, Refusal, system_error};
use super::caller::Caller;
use crate::settings::Trust;
use crate::simulator::Simulator;

/// The certificates that are listed now.
pub(super) fn list(simulator: &Simulator, caller: &Caller) -> Result<Answer, Refusal> {
    let settings = simulator.settings();
    if settings.trust == Trust::PublicKey {
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "RESOURCE_NOT_EXISTS",
            "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。",
            268_512_771,
        ));
    }
    let (effective_time, expire_time) = if settings.certificate_blank_key {
        ("effective_time ", "expire_time ")
    } else {
        ("effective_time", "expire_time")
    };
    let mut data = Vec::new();
    for certificate in simulator.listed_certificates(&caller.keyring) {
        let nonce = simulator.random().alphanumeric(12);
        let key = &caller.keyring.api_v3_key;
        let sealed = seal(key, None, certificate.pem.as_bytes(), "certificate", &nonce)
            .ok()
            .and_then(|sealed| serde_json::to_value(sealed).ok())
            .ok_or_else(system_error)?;
        data.push(json!({
            "serial_no": certificate.serial_no,
            effective_time: beijing_time(certificate.validity.not_before),
            expire_time: beijing_time(certificate.validity.not_after),
            "encrypt_certificate": without_nulls(sealed),
        }));
    }
    Ok(Answer::Json(json!({ "data": data })))
}

fn without_nulls(mut json: Value) -> Value {
    if let Some(fields) = json.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    json
}
