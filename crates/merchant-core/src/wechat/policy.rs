//! The policy of each call: how often, for how long, and what follows a failed try. One table and
//! one function; nothing here sends or waits.
//!
//! The rule behind it is the protocol crate's ([`Operation::after_no_answer`],
//! [`wechat_pay::ReplyError::retry_with`]): a call that may have arrived is only sent again if it
//! is idempotent. A call that was not sent may always be sent to WeChat's other host.

use wechat_pay::{Operation, RetryWith, WechatError};

use super::CallError;
use crate::surroundings::TransportError;

/// The policy of a kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// How many tries may have arrived at WeChat, the first one included. Those that found no
    /// connection do not count: there are as many of them as hosts.
    pub(crate) tries: u32,
    /// How long one try may take, in milliseconds.
    pub(crate) try_ms: u64,
    /// How long all of them together may take, pauses included, in milliseconds.
    pub(crate) call_ms: i64,
}

/// The policy of each operation. A buyer waits for orders and queries; no buyer waits for a bill. A
/// refund is sent once and then queried; it is never sent again without a query.
pub(crate) const fn policy(operation: Operation) -> Policy {
    let (tries, try_ms, call_ms) = match operation {
        Operation::Order => (3, 6_000, 12_000),
        Operation::Query => (3, 5_000, 12_000),
        Operation::Close => (3, 5_000, 12_000),
        Operation::Reverse => (3, 10_000, 20_000),
        Operation::RefundQuery => (3, 5_000, 12_000),
        Operation::ShareQuery => (3, 5_000, 12_000),
        Operation::Receiver => (3, 5_000, 12_000),
        Operation::Share | Operation::ShareReturn => (1, 10_000, 12_000),
        // The call itself charges the buyer.
        Operation::CodePay => (1, 10_000, 12_000),
        Operation::Refund => (1, 10_000, 12_000),
        Operation::AbnormalRefund => (1, 10_000, 12_000),
        Operation::Bill => (3, 10_000, 30_000),
        Operation::BillFile => (2, 120_000, 300_000),
        Operation::Certificates => (2, 5_000, 10_000),
        // An operation that the protocol crate adds later: the careful policy.
        _ => (1, 10_000, 12_000),
    };
    Policy {
        tries,
        try_ms,
        call_ms,
    }
}

/// What follows a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The error is returned to the caller.
    GiveUp,
    /// The same request, signed afresh, to the other host, at once: nothing has arrived.
    OtherHost,
    /// The same request, signed afresh, after a pause: it does the same thing however often it
    /// arrives. The other host may be used too, and may be the one that answers.
    Again {
        /// The pause in milliseconds.
        after_ms: i64,
    },
    /// The same request, signed with the merchant's other key, at once.
    OtherKey,
}

/// Decides what follows a failed try. `retry_after_s` is the answer's `Retry-After`.
pub(super) fn next(operation: Operation, failure: &CallError, retry_after_s: Option<u32>) -> Next {
    let repeat = |verdict| match verdict {
        RetryWith::SameRequest { after_s } => Next::Again {
            after_ms: i64::from(after_s.max(retry_after_s.unwrap_or(0))) * 1_000,
        },
        _ => Next::GiveUp,
    };
    match failure {
        CallError::Transport(TransportError::NotSent(_)) => Next::OtherHost,
        CallError::Transport(TransportError::NoAnswer(_)) => match operation.after_no_answer() {
            // The timeout was pause enough.
            RetryWith::SameRequest { .. } => Next::Again { after_ms: 0 },
            _ => Next::GiveUp,
        },
        CallError::Reply(error) => match error.wechat() {
            // Retrying one call would not help: the whole operation pauses.
            Some(said) if said.status == 429 => Next::GiveUp,
            Some(said) if is_about_our_certificate(said) => match operation.after_no_answer() {
                RetryWith::SameRequest { .. } => Next::OtherKey,
                // The refusal is unsigned, so it proves nothing: where money moves, query first.
                _ => Next::GiveUp,
            },
            _ => repeat(error.retry_with(operation)),
        },
        CallError::Answer(error) => match error.refusal() {
            Some(said) if said.is_rate_limit() => Next::GiveUp,
            _ => repeat(error.retry_with(operation)),
        },
        _ => Next::GiveUp,
    }
}

/// How long an operation pauses after version 2 limited it, in milliseconds. That version names no
/// time.
pub(super) const RATE_PAUSE_MS: i64 = 5_000;

/// How long the whole operation pauses after this answer, in milliseconds: WeChat limited it, or
/// named a time.
pub(super) fn pause_ms(
    operation: Operation,
    said: &WechatError,
    retry_after_s: Option<u32>,
) -> Option<i64> {
    /// The pause: WeChat's documents name no time, so it is the protocol crate's for orders.
    const RATE_S: u32 = 5;
    /// The longest pause: an unsigned header must not stop the server for longer.
    const LONGEST_S: u32 = 300;
    let own_s = match said.retry_with(operation) {
        RetryWith::SameRequest { after_s } => after_s.max(RATE_S),
        _ => RATE_S,
    };
    match (said.status, retry_after_s) {
        (429, told_s) => Some(told_s.unwrap_or(0).max(own_s)),
        (503, told_s) => told_s,
        _ => None,
    }
    .map(|pause_s| i64::from(pause_s.min(LONGEST_S)) * 1_000)
}

/// Whether WeChat refused because of the merchant certificate that we signed with: it has expired,
/// was revoked, was replaced, or is not known. The texts are those of WeChat's document on
/// SIGN_ERROR.
pub(super) fn is_about_our_certificate(said: &WechatError) -> bool {
    said.status == 401 && said.code == "SIGN_ERROR" && said.message.contains("证书")
}

#[cfg(test)]
mod tests {
    use Operation::{
        AbnormalRefund, Bill, BillFile, Certificates, Close, CodePay, Order, Query, Receiver,
        Refund, RefundQuery, Reverse, Share, ShareQuery, ShareReturn,
    };
    use http::{HeaderMap, StatusCode};
    use wechat_pay::{Reply, ReplyError, TrustedKeys};

    use super::*;

    const ALL: [Operation; 15] = [
        Order,
        Query,
        Close,
        Reverse,
        CodePay,
        Refund,
        AbnormalRefund,
        RefundQuery,
        Share,
        ShareReturn,
        ShareQuery,
        Receiver,
        Bill,
        BillFile,
        Certificates,
    ];

    /// An unsigned refusal, as it comes through the protocol crate.
    fn refusal(status: u16, code: &str, message: &str) -> CallError {
        let reply = Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: format!("{{\"code\":\"{code}\",\"message\":\"{message}\"}}").into(),
        };
        reply.verify(&TrustedKeys::new(), 0).unwrap_err().into()
    }

    #[test]
    fn requests_that_move_money_are_sent_once_and_others_are_repeated() {
        for operation in ALL {
            let Policy {
                tries,
                try_ms,
                call_ms,
            } = policy(operation);
            let moves_money = operation.moves_money();
            assert_eq!(tries == 1, moves_money, "{operation:?}");
            assert!(i64::try_from(try_ms).unwrap() < call_ms, "{operation:?}");
        }
    }

    #[test]
    fn each_failure_of_each_operation_has_the_result_in_the_table() {
        let not_sent = || CallError::from(TransportError::NotSent("refused".into()));
        let silence = || CallError::from(TransportError::NoAnswer("timed out".into()));
        let again = |after_ms| Next::Again { after_ms };
        for operation in ALL {
            let is_safe = !operation.moves_money();
            let or_give_up = |next| if is_safe { next } else { Next::GiveUp };
            let table = [
                (not_sent(), None, Next::OtherHost),
                (silence(), None, or_give_up(again(0))),
                (
                    refusal(500, "SYSTEM_ERROR", ""),
                    None,
                    or_give_up(again(1_000)),
                ),
                (refusal(502, "", ""), None, or_give_up(again(1_000))),
                (refusal(503, "", ""), Some(3), or_give_up(again(3_000))),
                (ReplyError::NotYet.into(), None, or_give_up(again(1_000))),
                (
                    ReplyError::Signature(wechat_pay::SignatureError::Probe).into(),
                    None,
                    or_give_up(again(1_000)),
                ),
                (refusal(429, "FREQUENCY_LIMITED", ""), Some(1), Next::GiveUp),
                (
                    ReplyError::Signature(wechat_pay::SignatureError::Mismatch).into(),
                    None,
                    Next::GiveUp,
                ),
                (malformed(), None, Next::GiveUp),
                (ReplyError::UnexpectedStatus(302).into(), None, Next::GiveUp),
                (refusal(400, "PARAM_ERROR", ""), None, Next::GiveUp),
                (refusal(401, "SIGN_ERROR", "签名错误"), None, Next::GiveUp),
                (
                    refusal(401, "SIGN_ERROR", "商户证书已过期"),
                    None,
                    or_give_up(Next::OtherKey),
                ),
                (refusal(403, "NO_AUTH", ""), None, Next::GiveUp),
            ];
            for (failure, retry_after_s, expected) in table {
                let found = next(operation, &failure, retry_after_s);
                assert_eq!(found, expected, "{operation:?}: {failure}");
            }
        }
    }

    fn malformed() -> CallError {
        ReplyError::Malformed(wechat_pay::Unreadable::unknown_word("trade_state")).into()
    }

    #[test]
    fn a_pause_is_at_least_ours_at_least_wechats_and_bounded() {
        let said = |status| match refusal(status, "FREQUENCY_LIMITED", "") {
            CallError::Reply(ReplyError::Wechat(said)) => *said,
            other => panic!("{other}"),
        };
        let table = [
            (429, None, Some(5_000)),
            (429, Some(2), Some(5_000)),
            (429, Some(60), Some(60_000)),
            (429, Some(u32::MAX), Some(300_000)),
            (503, None, None),
            (503, Some(20), Some(20_000)),
            (500, Some(20), None),
        ];
        for (status, told_s, expected) in table {
            for operation in [Order, Refund] {
                let found = pause_ms(operation, &said(status), told_s);
                assert_eq!(found, expected, "{status} {told_s:?}");
            }
        }
    }

    #[test]
    fn only_wechats_refusal_of_the_certificate_changes_the_certificate() {
        let table = [
            ("商户证书序列号有误。请使用签名私钥匹配的证书序列号", true),
            ("商户证书已过期", true),
            ("商户证书已作废", true),
            ("已更换证书，请使用新证书", true),
            ("签名错误", false),
            (
                "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟",
                false,
            ),
        ];
        for (message, expected) in table {
            let error = refusal(401, "SIGN_ERROR", message);
            let CallError::Reply(ReplyError::Wechat(said)) = error else {
                panic!("{error}");
            };
            assert_eq!(is_about_our_certificate(&said), expected, "{message}");
        }
    }
}
