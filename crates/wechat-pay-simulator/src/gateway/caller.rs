//! Authentication: the `Authorization` header, its time, and then its signature.

use std::sync::Arc;

use http::request::Parts;
use http::{StatusCode, header};
use serde_json::{Value, json};
use wechat_pay::{Authorization, MAX_CLOCK_DIFFERENCE_S, SERIAL_HEADER, request_message};

use super::answer::{BAD_PARAMETER, Refusal};
use super::route::Route;
use crate::keyring::{Keyring, is_same_serial};
use crate::ledger::order::ReplyKey;
use crate::settings::Trust;
use crate::simulator::Simulator;

/// A merchant with a valid signature.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) mchid: String,
    pub(super) keyring: Arc<Keyring>,
    pub(super) reply_key: ReplyKey,
}

/// All routes but those of orders require both headers; any `Accept` is accepted, also one in
/// several lines.
pub(super) fn check_headers(parts: &Parts) -> Result<(), Refusal> {
    let has = |name| {
        let mut values = parts.headers.get_all(name).iter();
        values.any(|value| !value.as_bytes().trim_ascii().is_empty())
    };
    if has(header::USER_AGENT) && has(header::ACCEPT) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "INVALID_REQUEST",
        "Http头缺少Accept或User-Agent",
        BAD_PARAMETER,
    ))
}

/// Checks the time before the signature, as WeChat does.
pub(super) fn identify(
    simulator: &Simulator,
    route: &Route,
    parts: &Parts,
    body: &[u8],
) -> Result<Caller, Refusal> {
    let malformed = if route.is_of_orders() {
        "签名信息错误，验签失败"
    } else {
        "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"
    };
    let authorization = single(parts, &header::AUTHORIZATION)
        .and_then(|text| Authorization::parse(text).ok())
        .ok_or_else(|| Refusal::sign_error(malformed))?;
    check_time(simulator, &authorization.timestamp)?;
    let keyring = simulator
        .keyring_of(&authorization.mchid)
        .ok_or_else(|| Refusal::sign_error("商户未申请过证书"))?;
    let merchant = keyring.merchant();
    if !is_same_serial(&authorization.serial_no, &merchant.serial_no) {
        return Err(Refusal::sign_error(
            "商户证书序列号有误。请使用签名私钥匹配的证书序列号",
        ));
    }
    let path_and_query = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if !authorization.verifies(
        &keyring.merchant_public_key,
        parts.method.as_str(),
        path_and_query,
        body,
    ) {
        let mut refusal = Refusal::sign_error("签名错误");
        refusal.detail = Some(what_was_signed(&authorization, parts, path_and_query, body));
        return Err(refusal);
    }
    Ok(Caller {
        reply_key: asked_key(simulator, &keyring, parts),
        mchid: authorization.mchid,
        keyring,
    })
}

/// WeChat refuses a `Wechatpay-Serial` that names none of its keys.
pub(super) fn check_asked_key(
    simulator: &Simulator,
    caller: &Caller,
    parts: &Parts,
) -> Result<(), Refusal> {
    match asked_serial(parts) {
        AskedSerial::None => Ok(()),
        AskedSerial::One(serial) if simulator.has_platform_serial(&caller.keyring, serial) => {
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

fn asked_key(simulator: &Simulator, keyring: &Keyring, parts: &Parts) -> ReplyKey {
    let only_public_key = simulator.settings().trust == Trust::PublicKey;
    let public_key_id = &keyring.merchant().public_key_id;
    match asked_serial(parts) {
        _ if only_public_key => ReplyKey::PublicKey,
        AskedSerial::One(serial) if is_same_serial(serial, public_key_id) => ReplyKey::PublicKey,
        _ => ReplyKey::PlatformCertificate,
    }
}

/// The header `Wechatpay-Serial` of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AskedSerial<'a> {
    /// No header, or an empty one. A client without a key of WeChat's sends none, to download the
    /// certificates.
    None,
    One(&'a str),
    /// Several values, or bytes that are not text.
    Unreadable,
}

pub(super) fn asked_serial(parts: &Parts) -> AskedSerial<'_> {
    let values = parts.headers.get_all(&SERIAL_HEADER).iter();
    let mut given = values.filter(|value| !value.as_bytes().trim_ascii().is_empty());
    match (given.next(), given.next()) {
        (None, _) => AskedSerial::None,
        (Some(value), None) => value.to_str().map_or(AskedSerial::Unreadable, |text| {
            AskedSerial::One(text.trim())
        }),
        (Some(_), Some(_)) => AskedSerial::Unreadable,
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

/// The part of the checked message that WeChat's answer shows, so that the differing line can be
/// found.
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

/// The value of a header; `None` if it is missing or given more than once.
fn single<'a>(parts: &'a Parts, name: &header::HeaderName) -> Option<&'a str> {
    let mut values = parts.headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok()
}
