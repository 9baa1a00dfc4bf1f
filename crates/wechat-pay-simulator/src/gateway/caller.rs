//! Who is calling: the `Authorization` header, its time, and then its signature.

use http::{StatusCode, header, request::Parts};
use serde_json::{Value, json};
use wechat_pay::{Authorization, MAX_CLOCK_DIFFERENCE_S, SERIAL_HEADER, request_message};

use super::{
    answer::{BAD_PARAMETER, Refusal},
    single,
};
use crate::{ledger::order::ReplyKey, simulator::Simulator};

/// A merchant whose signature held.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) mchid: String,
    pub(super) reply_key: ReplyKey,
}

/// WeChat checks the time before the signature; so does this.
pub(super) fn identify(
    simulator: &Simulator,
    parts: &Parts,
    body: &[u8],
) -> Result<Caller, Refusal> {
    let authorization = single(parts, &header::AUTHORIZATION)
        .and_then(|text| Authorization::parse(text).ok())
        .ok_or_else(|| Refusal::sign_error("签名信息错误，验签失败"))?;
    check_time(simulator, &authorization.timestamp)?;
    let merchant = simulator.keyring().merchant();
    if authorization.mchid != merchant.mchid {
        return Err(Refusal::sign_error("商户未申请过证书"));
    }
    if authorization.serial_no != merchant.serial_no {
        return Err(Refusal::sign_error(
            "商户证书序列号有误。请使用签名私钥匹配的证书序列号",
        ));
    }
    let path_and_query = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let key = &simulator.keyring().merchant_public_key;
    if !authorization.verifies(key, parts.method.as_str(), path_and_query, body) {
        let mut refusal = Refusal::sign_error("签名错误");
        refusal.detail = Some(what_was_signed(&authorization, parts, path_and_query, body));
        return Err(refusal);
    }
    Ok(Caller {
        reply_key: asked_key(simulator, parts),
        mchid: authorization.mchid,
    })
}

/// A `Wechatpay-Serial` that names none of our keys is a mistake that WeChat points out.
pub(super) fn check_asked_key(simulator: &Simulator, parts: &Parts) -> Result<(), Refusal> {
    if !parts.headers.contains_key(&SERIAL_HEADER) {
        return Ok(());
    }
    let merchant = simulator.keyring().merchant();
    match single(parts, &SERIAL_HEADER) {
        Some(serial)
            if serial == merchant.public_key_id || serial == merchant.platform_serial_no =>
        {
            Ok(())
        }
        _ => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "PARAM_ERROR",
            "平台证书序列号Wechatpay-Serial错误",
            BAD_PARAMETER,
        )),
    }
}

fn asked_key(simulator: &Simulator, parts: &Parts) -> ReplyKey {
    if single(parts, &SERIAL_HEADER) == Some(&simulator.keyring().merchant().public_key_id) {
        ReplyKey::PublicKey
    } else {
        ReplyKey::PlatformCertificate
    }
}

fn check_time(simulator: &Simulator, timestamp: &str) -> Result<(), Refusal> {
    let wall_s = simulator.clock().wall().as_second();
    let is_near = timestamp
        .parse::<i64>()
        .is_ok_and(|sent_s| wall_s.abs_diff(sent_s) <= MAX_CLOCK_DIFFERENCE_S);
    if is_near {
        Ok(())
    } else {
        Err(Refusal::sign_error(
            "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟",
        ))
    }
}

/// What WeChat shows of the message that it checked: enough to find the line that differs.
fn what_was_signed(
    authorization: &Authorization,
    parts: &Parts,
    path_and_query: &str,
    body: &[u8],
) -> Value {
    let method = parts.method.as_str();
    let message = |body: &[u8]| {
        request_message(
            method,
            path_and_query,
            &authorization.timestamp,
            &authorization.nonce_str,
            body,
        )
    };
    let truncated: String = String::from_utf8_lossy(&message(body))
        .chars()
        .take(200)
        .collect();
    json!({
        "detail": { "issue": "sign not match" },
        "field": "signature",
        "location": "authorization",
        "sign_information": {
            "method": method,
            "sign_message_length": message(body).len(),
            "truncated_sign_message": truncated,
            "url": path_and_query,
        },
    })
}
