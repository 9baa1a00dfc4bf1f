//! What WeChat's cashier says when it goes away. Every result is a hint, never the truth:
//! `ok` is "not guaranteed to be reliable" by WeChat's own word, and `cancel` also stands for
//! several failures (research: client-realities §2.3).

use crate::problem::ProblemCode;
use crate::substring::{after, has};

/// The callback's fields, as they came. Any may be absent, and their types differ by platform,
/// so the shell turns whatever there is into texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BridgeReply {
    /// `err_msg`, or `errMsg` where the SDK normalised it.
    pub err_msg: String,
    /// `err_desc`: WeChat's localised sentence, for the problem's `raw`.
    pub err_desc: Option<String>,
}

/// What the callback hints at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BridgeResult {
    /// The buyer came back from a payment, or there was one before.
    Ok,
    /// The buyer came back without one, or something failed that WeChat calls a cancel.
    Cancel,
    /// This client has no cashier at all.
    Unsupported,
    /// Something failed, for this cause as far as it can be told.
    Failed(ProblemCode),
}

impl BridgeReply {
    /// Reads the message in all its known forms, as WeChat's own script does: what follows the
    /// first colon, in any case, with `_` or a blank between words, and with or without `fail`
    /// before the cause.
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
            // WeChat takes a `prepay_id` once. A page that was loaded anew before its payment is
            // known calls the cashier again: nothing has failed, and nothing is to be paid.
            _ if has(&sentence, "已支付") => BridgeResult::Ok,
            (_, Some((_, ProblemCode::CashierUnsupported))) => BridgeResult::Unsupported,
            // A cancel with a cause is the failure's dialog being closed.
            (_, Some((_, code))) => BridgeResult::Failed(*code),
            ("cancel", None) => BridgeResult::Cancel,
            (_, None) => BridgeResult::Failed(ProblemCode::CashierFailed),
        }
    }

    /// WeChat's own words, for the merchant's log.
    pub(crate) fn words(&self) -> String {
        let mut words = self.err_msg.clone();
        if let Some(err_desc) = &self.err_desc {
            words.push(' ');
            words.push_str(err_desc);
        }
        words
    }
}

/// Words that tell a cause, in the order in which they are looked for.
const CAUSES: [(&str, ProblemCode); 14] = [
    ("nosupport", ProblemCode::CashierUnsupported),
    ("not support", ProblemCode::CashierUnsupported),
    ("not exist", ProblemCode::CashierUnsupported),
    ("not implement", ProblemCode::CashierUnsupported),
    ("denied", ProblemCode::CashierDenied),
    ("not allow", ProblemCode::CashierDenied),
    ("no permission", ProblemCode::CashierDenied),
    ("invalid appid", ProblemCode::CashierDenied),
    ("未注册", ProblemCode::CashierDenied),
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

    /// WeChat's own strings and what they stand for.
    #[test]
    fn every_string_that_was_seen_has_its_cause_and_the_one_who_can_mend_it() {
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
    fn wechats_words_are_kept_for_the_merchant() {
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
