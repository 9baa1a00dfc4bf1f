//! What WeChat's cashier reports when it closes. Every result is only a hint. WeChat documents that
//! `ok` is not absolutely reliable (<https://pay.weixin.qq.com/doc/v3/merchant/4012791857>), and
//! clients also report `cancel` after a failed signature check, an unregistered page address or a
//! missing parameter (field reports:
//! <https://developers.weixin.qq.com/community/develop/doc/0004ac63100a88c810ca6d5cb50800>,
//! <https://developers.weixin.qq.com/community/develop/doc/0008c61e2e02f8509babeb96856c00>).

use crate::problem::ProblemCode;
use crate::substring::{after, has};

/// The callback's fields, unchanged. Any field may be absent, and their types differ by platform,
/// so the shell converts each to text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BridgeReply {
    /// `err_msg`, or `errMsg` where the SDK normalised it.
    pub err_msg: String,
    /// `err_desc`: WeChat's localised error text, for the problem's `raw`.
    pub err_desc: Option<String>,
}

/// What the callback indicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BridgeResult {
    /// The buyer returned from a payment, or the order was paid before.
    Ok,
    /// The buyer returned without a payment, or something failed that WeChat reports as a cancel.
    Cancel,
    /// This client has no cashier.
    Unsupported,
    /// The call failed, with this cause as far as the message shows it.
    Failed(ProblemCode),
}

impl BridgeReply {
    /// Reads the message in all its known forms, as WeChat's own script does: the text after the
    /// first colon, in any case, with `_` or a blank between words, with or without `fail` before
    /// the cause.
    pub fn result(&self) -> BridgeResult {
        let message = plain(&self.err_msg);
        let detail = after(&message, ":").unwrap_or(&message).trim_ascii();
        let detail = ["failed ", "fail "]
            .iter()
            .find_map(|prefix| detail.strip_prefix(prefix))
            .unwrap_or(detail);
        let sentence = plain(self.err_desc.as_deref().unwrap_or_default());
        let says = |word| has(detail, word) || has(&sentence, word);
        let cause = CAUSES.iter().find(|(word, _)| says(word));
        match (detail, cause) {
            ("ok" | "confirm", _) => BridgeResult::Ok,
            // WeChat accepts a `prepay_id` for one payment. A page that was reloaded before its
            // payment is known calls the cashier a second time: nothing failed, and nothing is left
            // to pay.
            _ if has(&sentence, "已支付") => BridgeResult::Ok,
            (_, Some((_, ProblemCode::CashierUnsupported))) => BridgeResult::Unsupported,
            // A cancel with a cause: the buyer closed the dialog of a failure.
            (_, Some((_, code))) => BridgeResult::Failed(*code),
            ("cancel", None) => BridgeResult::Cancel,
            (_, None) => BridgeResult::Failed(ProblemCode::CashierFailed),
        }
    }

    /// WeChat's original text, for the merchant's log.
    pub(crate) fn words(&self) -> String {
        let mut words = self.err_msg.clone();
        if let Some(err_desc) = &self.err_desc {
            words.push(' ');
            words.push_str(err_desc);
        }
        words
    }
}

/// Words that show a cause, in the order of the search.
const CAUSES: [(&str, ProblemCode); 16] = [
    ("nosupport", ProblemCode::CashierUnsupported),
    ("not support", ProblemCode::CashierUnsupported),
    ("not exist", ProblemCode::CashierUnsupported),
    ("not implement", ProblemCode::CashierUnsupported),
    ("denied", ProblemCode::CashierDenied),
    ("not allow", ProblemCode::CashierDenied),
    ("no permission", ProblemCode::CashierDenied),
    ("invalid appid", ProblemCode::CashierDenied),
    ("未注册", ProblemCode::CashierDenied),
    ("权限", ProblemCode::CashierDenied),
    ("商户号", ProblemCode::CashierDenied),
    ("签名", ProblemCode::SignatureRefused),
    ("signature", ProblemCode::SignatureRefused),
    ("total fee", ProblemCode::PrepayIdRefused),
    ("缺少参数", ProblemCode::CashierParameterMissing),
    ("parameter", ProblemCode::CashierParameterMissing),
];

fn plain(text: &str) -> String {
    let plain = |letter: char| match letter {
        '_' => ' ',
        letter => letter.to_ascii_lowercase(),
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WeChat's own messages and what each of them means.
    #[test]
    fn every_known_message_is_mapped_to_its_cause_and_to_who_can_fix_it() {
        let strings = include_str!("../tests/wechat-strings.tsv");
        for line in strings.lines().skip(1) {
            let columns: Vec<_> = line.split('\t').collect();
            let [err_msg, err_desc, expected, actor, ..] = columns[..] else {
                panic!("a row of five columns: {line}");
            };
            let reply = BridgeReply {
                err_msg: err_msg.into(),
                err_desc: Some(err_desc.to_owned()).filter(|text| !text.is_empty()),
            };
            let (found, found_actor) = match reply.result() {
                BridgeResult::Ok => ("ok", "-"),
                BridgeResult::Cancel => ("cancel", "-"),
                BridgeResult::Unsupported => ("CASHIER_UNSUPPORTED", "buyer"),
                BridgeResult::Failed(code) => (code.as_str(), code.actor().as_str()),
            };
            assert_eq!((found, found_actor), (expected, actor), "{line}");
        }
    }

    #[test]
    fn wechats_message_is_kept_for_the_merchant() {
        let reply = BridgeReply {
            err_msg: "get_brand_wcpay_request:fail".into(),
            err_desc: Some("支付验证签名失败".into()),
        };
        assert_eq!(
            reply.words(),
            "get_brand_wcpay_request:fail 支付验证签名失败"
        );
    }
}
