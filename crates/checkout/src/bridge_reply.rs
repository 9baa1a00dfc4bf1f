//! What WeChat's cashier says when it goes away. Every result is a hint, never the truth:
//! `ok` is "not guaranteed to be reliable" by WeChat's own word, and `cancel` also stands for
//! several failures (research: client-realities §2.3).

use crate::substring::{after, has};

/// The callback's fields, as they came. Any may be absent, and their types differ by platform,
/// so the shell turns whatever there is into texts.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BridgeReply {
    /// `err_msg`, or `errMsg` where the SDK normalised it.
    pub err_msg: String,
    /// `err_desc`: WeChat's localised sentence, for the problem's `raw`.
    pub err_desc: Option<String>,
}

/// What the callback hints at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BridgeResult {
    /// The buyer came back from a payment.
    Ok,
    /// The buyer came back without one, or something failed that WeChat calls a cancel.
    Cancel,
    /// Something failed.
    Fail,
    /// The page may not call the cashier: directory, domain or appid are not registered.
    Denied,
    /// This client has no cashier at all.
    Unsupported,
}

impl BridgeReply {
    /// Reads the message in all its known forms: any prefix, either spelling of the key, any
    /// case, `_` or blank between words.
    pub fn result(&self) -> BridgeResult {
        let plain = |letter: char| match letter {
            '_' => ' ',
            letter => letter.to_ascii_lowercase(),
        };
        let message: String = self.err_msg.chars().map(plain).collect();
        let detail = after(&message, ":").unwrap_or(&message);
        let has = |word| has(detail, word);
        match detail.trim_ascii() {
            "ok" | "confirm" => BridgeResult::Ok,
            "cancel" | "fail cancel" => BridgeResult::Cancel,
            _ if has("nosupport") || has("not exist") || has("not implement") => {
                BridgeResult::Unsupported
            }
            _ if has("denied")
                || has("not allow")
                || has("no permission")
                || has("invalid appid") =>
            {
                BridgeResult::Denied
            }
            _ => BridgeResult::Fail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_that_was_seen_is_understood() {
        let cases = [
            ("get_brand_wcpay_request:ok", BridgeResult::Ok),
            ("chooseWXPay:ok", BridgeResult::Ok),
            ("get_brand_wcpay_request:cancel", BridgeResult::Cancel),
            ("requestPayment:fail cancel", BridgeResult::Cancel),
            ("get_brand_wcpay_request:fail", BridgeResult::Fail),
            (
                "get_brand_wcpay_request:fail_invalid appid",
                BridgeResult::Denied,
            ),
            (
                "getBrandWCPayRequest:fail_no permission to execute",
                BridgeResult::Denied,
            ),
            (
                "getBrandWCPayRequest:fail_nosupport",
                BridgeResult::Unsupported,
            ),
            ("system:access_denied", BridgeResult::Denied),
            ("System:Access_denied", BridgeResult::Denied),
            ("access_control:not_allowed", BridgeResult::Denied),
            ("access_control:not_allow", BridgeResult::Denied),
            ("system:function_not_exist", BridgeResult::Unsupported),
            ("system:function_not_implement", BridgeResult::Unsupported),
            ("chooseWXPay:permission denied", BridgeResult::Denied),
            ("", BridgeResult::Fail),
            ("ok", BridgeResult::Ok),
        ];
        for (err_msg, expected) in cases {
            let reply = BridgeReply {
                err_msg: err_msg.into(),
                err_desc: None,
            };
            assert_eq!(reply.result(), expected, "{err_msg:?}");
        }
    }
}
