//! What to do next after a refusal of version 2: the same verdicts as those of version 3, from the
//! three layers `return_code`, `result_code` and `trade_state`.
//!
//! Nothing here sends or waits. As in version 3, one number moves money once: the same number with
//! the same fields is safe to repeat, another number only after a query.

use super::answer::AnswerError;
use super::refunds::RefundStatus;
use super::refusal::{Layer, Refusal};
use crate::orders::transaction::TradeState;
use crate::retry::{BILL_S, Operation, RATE_S, RetryWith, SOON_S};

impl Refusal {
    /// Whether the same request, signed again, may succeed later. When, and whether a query comes
    /// first: see [`Refusal::retry_with`].
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.is_transient() || self.recall || self.is_bill_in_work()
    }

    /// Whether WeChat may have carried the request out. Only a signed refusal rules it out; a
    /// buyer who is typing the password can still pay.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        !self.trusted || self.is_transient() || self.recall || self.code == "USERPAYING"
    }

    /// What to do next after this refusal of `operation`.
    #[must_use]
    pub fn retry_with(&self, operation: Operation) -> RetryWith {
        if self.is_transient() {
            return match operation.after_no_answer() {
                RetryWith::SameRequest { .. } if self.is_rate_limit() => {
                    RetryWith::SameRequest { after_s: RATE_S }
                }
                next => next,
            };
        }
        match (operation, self.code.as_str()) {
            (Operation::Reverse, _) if self.recall => RetryWith::SameRequest { after_s: SOON_S },
            (Operation::Bill, _) if self.is_bill_in_work() => {
                RetryWith::SameRequest { after_s: BILL_S }
            }
            (Operation::Order | Operation::CodePay | Operation::Close, "ORDERPAID")
            // A close of an order that is closed, unknown, or too young: a query shows which.
            | (Operation::Close, "ORDERCLOSED" | "ORDERNOTEXIST" | "TRADE_STATE_ERROR")
            | (Operation::CodePay, "USERPAYING") => RetryWith::QueryFirst,
            (
                Operation::Order | Operation::CodePay,
                "OUT_TRADE_NO_USED" | "ORDERCLOSED" | "ORDERREVERSED",
            ) => RetryWith::NewNumber,
            (Operation::Query, "ORDERNOTEXIST") | (Operation::RefundQuery, "REFUNDNOTEXIST") => {
                RetryWith::OriginalRequest
            }
            // An unsigned refusal may not come from WeChat: if the request can move money, query
            // first.
            (Operation::Refund | Operation::CodePay, _) if !self.trusted => RetryWith::QueryFirst,
            _ => RetryWith::AfterFix,
        }
    }

    /// Whether the cause is temporary. On the protocol's layer WeChat gives a text and no code.
    fn is_transient(&self) -> bool {
        let by_code = matches!(
            self.code.as_str(),
            "SYSTEMERROR" | "SYSTEM_ERROR" | "BANKERROR" | "BIZERR_NEED_RETRY"
            // Of bills: the download failed; packing failed.
            | "20003" | "20007"
        );
        by_code || self.is_rate_limit() || self.layer == Layer::Protocol && self.says(TRANSIENT)
    }

    /// Whether WeChat refused because there were too many such calls.
    #[must_use]
    pub fn is_rate_limit(&self) -> bool {
        let by_code = matches!(
            self.code.as_str(),
            "FREQUENCY_LIMITED" | "RATELIMIT_EXCEEDED" | "INVALID_REQ_TOO_MUCH"
        );
        by_code || self.layer == Layer::Protocol && self.says(RATE_LIMIT)
    }

    /// The day's bill is not made yet. Its code is that of a bill that does not exist.
    fn is_bill_in_work(&self) -> bool {
        self.layer == Layer::Protocol && self.says(&["BILL CREATING", "BILL_CREATING"])
    }

    fn says(&self, words: &[&str]) -> bool {
        let message = self.message.to_uppercase();
        words.iter().any(|word| message.contains(word))
    }
}

const TRANSIENT: &[&str] = &[
    "SYSERR",
    "SYSTEMERROR",
    "SYSTEM ERROR",
    "系统繁忙",
    "系统错误",
];
const RATE_LIMIT: &[&str] = &["FREQUENCY", "频率", "频繁"];

impl AnswerError {
    /// Whether the same request, signed again, may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_retryable(),
            Self::UnexpectedStatus(status) => *status >= 400,
            // Not WeChat's: a proxy, a firewall or a captive portal on the way.
            Self::Xml(_) => true,
            Self::Signature(_) | Self::Malformed(_) => false,
        }
    }

    /// Whether WeChat may have carried the request out.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.may_have_taken_effect(),
            _ => true,
        }
    }

    /// What to do next after this answer to `operation`.
    #[must_use]
    pub fn retry_with(&self, operation: Operation) -> RetryWith {
        match self {
            Self::Refused(refusal) => refusal.retry_with(operation),
            _ if self.is_retryable() => operation.after_no_answer(),
            // A repetition would bring the same answer; a query shows what happened.
            _ if operation.has_effect() => RetryWith::QueryFirst,
            _ => RetryWith::AfterFix,
        }
    }
}

/// What to do next about an order in this state; `None` if it is paid, and nothing is left to do.
#[must_use]
pub fn after_trade_state(state: &TradeState) -> Option<RetryWith> {
    match state {
        TradeState::Success | TradeState::Refund => None,
        TradeState::Closed | TradeState::Revoked | TradeState::PayError => {
            Some(RetryWith::NewNumber)
        }
        TradeState::NotPay | TradeState::UserPaying | TradeState::Unknown(_) => {
            Some(RetryWith::QueryFirst)
        }
    }
}

/// What to do next about a refund in this state; `None` if it has ended.
#[must_use]
pub fn after_refund_status(status: &RefundStatus) -> Option<RetryWith> {
    match status {
        RefundStatus::Success | RefundStatus::RefundClose => None,
        // WeChat asks for the same refund again, under its number.
        RefundStatus::NotSure | RefundStatus::Fail => Some(RetryWith::OriginalRequest),
        // The buyer's card does not accept the money: the merchant has to act.
        RefundStatus::Change => Some(RetryWith::AfterFix),
        RefundStatus::Processing | RefundStatus::Unknown(_) => Some(RetryWith::QueryFirst),
    }
}

#[cfg(test)]
mod tests {
    use super::super::signature::SignatureError;
    use super::super::xml::XmlError;
    use super::Operation::{Bill, Close, CodePay, Order, Query, Refund, RefundQuery, Reverse};
    use super::RetryWith::{AfterFix, NewNumber, OriginalRequest, QueryFirst, SameRequest};
    use super::*;
    use crate::json::Unreadable;

    const SOON: RetryWith = SameRequest { after_s: 1 };

    fn business(code: &str, trusted: bool) -> Refusal {
        Refusal {
            layer: Layer::Business,
            code: code.into(),
            message: String::new(),
            recall: false,
            trusted,
        }
    }

    fn protocol(message: &str) -> Refusal {
        Refusal {
            layer: Layer::Protocol,
            code: String::new(),
            message: message.into(),
            recall: false,
            trusted: false,
        }
    }

    #[test]
    fn the_business_layer_has_the_verdicts_of_version_3() {
        // operation, err_code, signed => retryable, may have taken effect, next
        let table = [
            (Order, "SYSTEMERROR", true, true, true, SOON),
            (Order, "ORDERPAID", true, false, false, QueryFirst),
            (Order, "ORDERCLOSED", true, false, false, NewNumber),
            (Order, "OUT_TRADE_NO_USED", true, false, false, NewNumber),
            (Order, "NOAUTH", true, false, false, AfterFix),
            (Order, "LACK_PARAMS", true, false, false, AfterFix),
            (Order, "APPID_MCHID_NOT_MATCH", true, false, false, AfterFix),
            (Order, "NOAUTH", false, false, true, AfterFix),
            (Query, "SYSTEMERROR", true, true, true, SOON),
            (Query, "ORDERNOTEXIST", true, false, false, OriginalRequest),
            (Close, "ORDERPAID", true, false, false, QueryFirst),
            (Close, "ORDERCLOSED", true, false, false, QueryFirst),
            (Close, "TRADE_STATE_ERROR", true, false, false, QueryFirst),
            (CodePay, "USERPAYING", true, false, true, QueryFirst),
            (CodePay, "SYSTEMERROR", true, true, true, QueryFirst),
            (CodePay, "BANKERROR", true, true, true, QueryFirst),
            (CodePay, "AUTHCODEEXPIRE", true, false, false, AfterFix),
            (CodePay, "NOTENOUGH", true, false, false, AfterFix),
            (CodePay, "NOTENOUGH", false, false, true, QueryFirst),
            (CodePay, "ORDERREVERSED", true, false, false, NewNumber),
            (Reverse, "SYSTEMERROR", true, true, true, SOON),
            (Refund, "SYSTEMERROR", true, true, true, QueryFirst),
            (Refund, "BIZERR_NEED_RETRY", true, true, true, QueryFirst),
            (Refund, "INVALID_REQ_TOO_MUCH", true, true, true, QueryFirst),
            (Refund, "NOTENOUGH", true, false, false, AfterFix),
            (Refund, "REFUND_FEE_MISMATCH", true, false, false, AfterFix),
            (Refund, "NOTENOUGH", false, false, true, QueryFirst),
            (
                RefundQuery,
                "REFUNDNOTEXIST",
                true,
                false,
                false,
                OriginalRequest,
            ),
            (
                RefundQuery,
                "FREQUENCY_LIMITED",
                true,
                true,
                true,
                SameRequest { after_s: 5 },
            ),
        ];
        for (operation, code, trusted, retryable, effect, next) in table {
            let refusal = business(code, trusted);
            let about = format!("{operation:?} {code} {trusted}");
            assert_eq!(refusal.is_retryable(), retryable, "{about}");
            assert_eq!(refusal.may_have_taken_effect(), effect, "{about}");
            assert_eq!(refusal.retry_with(operation), next, "{about}");
        }
    }

    #[test]
    fn the_protocol_layer_is_never_proof_that_nothing_happened() {
        for (operation, message, retryable, next) in [
            (Order, "签名错误", false, AfterFix),
            (Order, "参数格式校验错误", false, AfterFix),
            (Order, "SYSERR", true, SOON),
            (Order, "系统繁忙，请稍后再试", true, SOON),
            (Order, "请求过于频繁", true, SameRequest { after_s: 5 }),
            (Refund, "签名错误", false, QueryFirst),
            (Refund, "SYSERR", true, QueryFirst),
            (Bill, "No Bill Exist", false, AfterFix),
            (Bill, "Bill Creating", true, SameRequest { after_s: 1_800 }),
        ] {
            let refusal = protocol(message);
            assert_eq!(refusal.is_retryable(), retryable, "{message}");
            assert_eq!(
                refusal.retry_with(operation),
                next,
                "{operation:?} {message}"
            );
            assert!(refusal.may_have_taken_effect());
        }
        let packing = Refusal {
            code: "20007".into(),
            ..protocol("CompressGZip Error")
        };
        assert_eq!(packing.retry_with(Bill), SOON);
    }

    #[test]
    fn a_reversal_is_repeated_as_long_as_wechat_asks_for_it() {
        let again = Refusal {
            recall: true,
            ..business("USERPAYING", true)
        };
        assert!(again.is_retryable() && again.may_have_taken_effect());
        assert_eq!(again.retry_with(Reverse), SOON);
        let expired = business("REVERSE_EXPIRE", true);
        assert_eq!(expired.retry_with(Reverse), AfterFix);
    }

    #[test]
    fn what_wechat_did_not_sign_never_repeats_a_refund_without_a_query() {
        let portal = AnswerError::Xml(XmlError::Root);
        let busy = AnswerError::UnexpectedStatus(502);
        let forged = AnswerError::Signature(SignatureError::Mismatch);
        let odd = AnswerError::Malformed(Unreadable::missing("refund_id"));
        for (error, retryable, for_order) in [
            (&portal, true, SOON),
            (&busy, true, SOON),
            (&AnswerError::UnexpectedStatus(302), false, QueryFirst),
            (&forged, false, QueryFirst),
            (&odd, false, QueryFirst),
        ] {
            assert_eq!(error.is_retryable(), retryable, "{error}");
            assert!(error.may_have_taken_effect(), "{error}");
            assert_eq!(error.retry_with(Order), for_order, "{error}");
            assert_eq!(error.retry_with(Refund), QueryFirst, "{error}");
            assert_eq!(error.retry_with(CodePay), QueryFirst, "{error}");
        }
        assert_eq!(forged.retry_with(Query), AfterFix);
    }

    #[test]
    fn the_state_of_an_order_and_of_a_refund_decides_last() {
        for (state, next) in [
            ("SUCCESS", None),
            ("REFUND", None),
            ("NOTPAY", Some(QueryFirst)),
            ("USERPAYING", Some(QueryFirst)),
            ("ACCEPT", Some(QueryFirst)),
            ("CLOSED", Some(NewNumber)),
            ("REVOKED", Some(NewNumber)),
            ("PAYERROR", Some(NewNumber)),
        ] {
            assert_eq!(after_trade_state(&state.into()), next, "{state}");
        }
        for (status, next) in [
            ("SUCCESS", None),
            ("REFUNDCLOSE", None),
            ("PROCESSING", Some(QueryFirst)),
            ("NOTSURE", Some(OriginalRequest)),
            ("FAIL", Some(OriginalRequest)),
            ("CHANGE", Some(AfterFix)),
            ("LATER", Some(QueryFirst)),
        ] {
            assert_eq!(after_refund_status(&status.into()), next, "{status}");
        }
    }
}
