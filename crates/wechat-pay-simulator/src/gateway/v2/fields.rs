//! The fields of requests of version 2, and their rules. Fields without a rule here are signed and
//! otherwise ignored, as at WeChat.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use wechat_pay::Fen;

use super::caller::Caller;
use super::refusal::Refusal;

/// The most bytes of a field.
type Limit = (&'static str, usize);

const COMMON: &[Limit] = &[
    ("appid", 32),
    ("mch_id", 32),
    ("sub_appid", 32),
    ("sub_mch_id", 32),
    ("nonce_str", 32),
    ("device_info", 32),
    ("out_trade_no", 32),
    ("transaction_id", 32),
    ("body", 128),
    ("detail", 6000),
    ("attach", 127),
    ("fee_type", 16),
    ("spbill_create_ip", 64),
    ("goods_tag", 32),
    ("notify_url", 256),
    ("product_id", 32),
    ("limit_pay", 32),
    ("openid", 128),
    ("sub_openid", 128),
    ("scene_info", 256),
    ("out_refund_no", 64),
    ("refund_id", 32),
    ("refund_desc", 80),
    ("long_url", 512),
];

/// Checks that the required fields are there and that none is too long. The account's fields and
/// the nonce are required in every request.
pub(super) fn check(caller: &Caller, required: &[&str]) -> Result<(), Refusal> {
    let always = ["appid", "mch_id", "nonce_str"];
    for name in always.iter().chain(required) {
        if caller.field(name).is_none() {
            return Err(Refusal::protocol("缺少参数"));
        }
    }
    for (name, most_bytes) in COMMON {
        let bytes = caller.field(name).map_or(0, str::len);
        if bytes > *most_bytes {
            return Err(invalid(name));
        }
    }
    Ok(())
}

/// A field that breaks its rule.
pub(super) fn invalid(name: &str) -> Refusal {
    Refusal::protocol(format!("invalid {name}"))
}

/// A required amount: digits alone, at least 1.
pub(super) fn fen(caller: &Caller, name: &str) -> Result<Fen, Refusal> {
    let text = caller.field(name).unwrap_or_default();
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let fen = digits.then(|| text.parse().ok()).flatten();
    fen.and_then(|fen: i64| Fen::new(fen).ok())
        .filter(|fen| *fen >= Fen::ONE)
        .ok_or_else(|| invalid(name))
}

/// A merchant's number of an order.
pub(super) fn out_trade_no(caller: &Caller) -> Result<String, Refusal> {
    let number = caller.field("out_trade_no").unwrap_or_default();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-|*@".contains(&b);
    if number.is_empty() || !number.bytes().all(allowed) {
        return Err(invalid("out_trade_no"));
    }
    Ok(number.to_owned())
}

/// An optional moment in Beijing, 14 digits.
pub(super) fn moment(caller: &Caller, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = caller.field(name) else {
        return Ok(None);
    };
    let read = || {
        let digits = text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit());
        let wall = digits.then(|| DateTime::strptime("%Y%m%d%H%M%S", text).ok());
        Offset::constant(8).to_timestamp(wall.flatten()?).ok()
    };
    read().map(Some).ok_or_else(|| invalid(name))
}
