//! What to do next after a refusal, or after no answer: WeChat's retry table as a function.
//!
//! Nothing here sends or waits. WeChat moves money once for each number. So the same number with
//! the same bytes is safe to repeat; another number is safe only after a query for the first one.

use crate::error::WechatError;
use crate::reply::ReplyError;
use crate::signing::signature::SignatureError;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// An order by jsapi, h5, native or app, also a combined one.
    Order,
    /// A payment by the buyer's code.
    CodePay,
    /// A query for an order.
    Query,
    /// Closing an order.
    Close,
    /// Reversing a code payment.
    Reverse,
    /// A refund.
    Refund,
    /// An abnormal refund: the money goes to another account.
    AbnormalRefund,
    /// A query for a refund.
    RefundQuery,
    /// Sharing a payment, or releasing what is left of it.
    Share,
    /// Returning shared money.
    ShareReturn,
    /// A query about a share, a return, or what is left to share.
    ShareQuery,
    /// Adding or deleting a receiver of shares.
    Receiver,
    /// Requesting a bill.
    Bill,
    /// Downloading a bill's file.
    BillFile,
    /// Downloading the platform certificates.
    Certificates,
    /// Version 2: shortening a link.
    ShortUrl,
    /// Version 2: finding the openid behind a buyer's code.
    CodeOwner,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryWith {
    /// The same request: same number, same bytes, new signature.
    SameRequest {
        /// The earliest time, in seconds from now.
        after_s: u32,
    },
    /// Query the number first and follow the result. A refund is never repeated before a query.
    QueryFirst,
    /// The query found nothing: send the *original* request again, same number, same bytes.
    OriginalRequest,
    /// The number is used up. Query and close it; then order under another number.
    NewNumber,
    /// Do not repeat the request unchanged. Fix the cause, then send it under the same number.
    AfterFix,
}

/// The pause after a temporary error.
pub(crate) const SOON_S: u32 = 1;
/// The pause after a rate limit.
pub(crate) const RATE_S: u32 = 5;
/// The pause while WeChat makes a bill, about half an hour.
pub(crate) const BILL_S: u32 = 1_800;

impl Operation {
    /// What to do after a timeout, a broken connection or a truncated answer: WeChat may have
    /// carried the request out.
    #[must_use]
    pub fn after_no_answer(self) -> RetryWith {
        match self {
            _ if self.moves_money() => RetryWith::QueryFirst,
            _ => RetryWith::SameRequest { after_s: SOON_S },
        }
    }

    /// Whether the request itself moves money: without an answer it is queried, never repeated.
    #[must_use]
    pub fn moves_money(self) -> bool {
        matches!(
            self,
            Self::CodePay | Self::Refund | Self::AbnormalRefund | Self::Share | Self::ShareReturn
        )
    }

    /// Whether the request can move money or make a payment possible.
    pub(crate) fn has_effect(self) -> bool {
        self.moves_money() || matches!(self, Self::Order | Self::Close | Self::Reverse)
    }
}

impl WechatError {
    /// What to do next after this refusal of `operation`.
    #[must_use]
    pub fn retry_with(&self, operation: Operation) -> RetryWith {
        if self.is_transient() {
            return match operation.after_no_answer() {
                RetryWith::SameRequest { .. } if self.status == 429 => {
                    RetryWith::SameRequest { after_s: RATE_S }
                }
                next => next,
            };
        }
        match (operation, self.code.as_str()) {
            (
                Operation::Order | Operation::CodePay | Operation::Close,
                "ORDERPAID" | "ORDER_PAID",
            ) => RetryWith::QueryFirst,
            (Operation::Order | Operation::CodePay, "OUT_TRADE_NO_USED" | "ORDER_CLOSED") => {
                RetryWith::NewNumber
            }
            (Operation::CodePay, "USERPAYING") => RetryWith::QueryFirst,
            // The pages of combined orders have the older spelling, too.
            (Operation::Query, "ORDER_NOT_EXIST" | "ORDERNOTEXIST") => RetryWith::OriginalRequest,
            (Operation::RefundQuery | Operation::ShareQuery, "RESOURCE_NOT_EXISTS") => {
                RetryWith::OriginalRequest
            }
            (Operation::Bill, "STATEMENT_CREATING") => RetryWith::SameRequest { after_s: BILL_S },
            // An unsigned refusal may not come from WeChat: if the request can move money, query
            // first.
            (operation, _) if operation.moves_money() && !self.trusted => RetryWith::QueryFirst,
            _ => RetryWith::AfterFix,
        }
    }
}

impl ReplyError {
    /// What to do next after this answer to `operation`.
    #[must_use]
    pub fn retry_with(&self, operation: Operation) -> RetryWith {
        match self {
            Self::Wechat(error) => error.retry_with(operation),
            Self::NotYet | Self::Signature(SignatureError::Probe) => operation.after_no_answer(),
            // A repetition would bring the same answer; a query shows what happened.
            Self::Signature(_) | Self::Malformed(_) | Self::UnexpectedStatus(_) => {
                if operation.has_effect() {
                    RetryWith::QueryFirst
                } else {
                    RetryWith::AfterFix
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Operation::{
        AbnormalRefund, Bill, Certificates, Close, CodePay, Order, Query, Receiver, Refund,
        RefundQuery, Reverse, Share, ShareQuery, ShareReturn,
    };
    use super::RetryWith::{AfterFix, NewNumber, OriginalRequest, QueryFirst, SameRequest};
    use super::*;

    fn refusal(status: u16, code: &str, trusted: bool) -> ReplyError {
        let body = format!("{{\"code\":\"{code}\",\"message\":\"m\"}}");
        ReplyError::Wechat(Box::new(WechatError::read(
            status,
            body.as_bytes(),
            None,
            trusted,
        )))
    }

    const SOON: RetryWith = SameRequest { after_s: 1 };

    #[test]
    fn the_retry_table_holds_for_each_operation() {
        let table = [
            // An order in doubt is repeated unchanged; a refund is queried first.
            (Order, 500, "SYSTEM_ERROR", true, SOON),
            (Order, 502, "", false, SOON),
            (
                Order,
                429,
                "FREQUENCY_LIMITED",
                true,
                SameRequest { after_s: 5 },
            ),
            (Refund, 500, "SYSTEM_ERROR", true, QueryFirst),
            (Refund, 429, "RATELIMIT_EXCEEDED", true, QueryFirst),
            (AbnormalRefund, 503, "SERVICE_UNAVAILABLE", true, QueryFirst),
            // A share in doubt is queried, and never repeated under another number.
            (Share, 500, "SYSTEM_ERROR", true, QueryFirst),
            (Share, 429, "FREQUENCY_LIMITED", true, QueryFirst),
            (Share, 403, "RULE_LIMIT", true, AfterFix),
            (Share, 403, "NOT_ENOUGH", false, QueryFirst),
            (ShareReturn, 403, "NOT_ENOUGH", true, AfterFix),
            (
                ShareQuery,
                404,
                "RESOURCE_NOT_EXISTS",
                true,
                OriginalRequest,
            ),
            (Receiver, 500, "SYSTEM_ERROR", true, SOON),
            (Receiver, 400, "INVALID_REQUEST", true, AfterFix),
            (CodePay, 500, "BANK_ERROR", true, QueryFirst),
            (CodePay, 400, "USERPAYING", true, QueryFirst),
            // Queries and closing are repeated.
            (Query, 500, "SYSTEM_ERROR", false, SOON),
            (Close, 500, "SYSTEM_ERROR", true, SOON),
            (Reverse, 500, "SYSTEM_ERROR", true, SOON),
            // A query that finds nothing: send the original again.
            (Query, 404, "ORDER_NOT_EXIST", true, OriginalRequest),
            (Query, 404, "ORDERNOTEXIST", true, OriginalRequest),
            (
                RefundQuery,
                404,
                "RESOURCE_NOT_EXISTS",
                true,
                OriginalRequest,
            ),
            (RefundQuery, 404, "MCH_NOT_EXISTS", true, AfterFix),
            // Used numbers, and paid orders in both spellings.
            (Order, 403, "OUT_TRADE_NO_USED", true, NewNumber),
            (Order, 400, "ORDER_CLOSED", true, NewNumber),
            (Order, 400, "ORDERPAID", true, QueryFirst),
            (Close, 400, "ORDER_PAID", true, QueryFirst),
            // Never unchanged.
            (Order, 400, "PARAM_ERROR", true, AfterFix),
            (Order, 401, "SIGN_ERROR", false, AfterFix),
            (Order, 403, "NO_AUTH", true, AfterFix),
            (Refund, 403, "NOT_ENOUGH", true, AfterFix),
            (Refund, 400, "PARAM_ERROR", true, AfterFix),
            (Refund, 400, "PARAM_ERROR", false, QueryFirst),
            (
                Bill,
                400,
                "STATEMENT_CREATING",
                true,
                SameRequest { after_s: 1_800 },
            ),
            (Bill, 400, "NO_STATEMENT_EXIST", true, AfterFix),
        ];
        for (operation, status, code, trusted, expected) in table {
            let said = refusal(status, code, trusted).retry_with(operation);
            assert_eq!(said, expected, "{operation:?} {status} {code} {trusted}");
        }
    }

    fn malformed() -> ReplyError {
        ReplyError::Malformed(crate::Unreadable::unknown_word("trade_state"))
    }

    #[test]
    fn a_refund_without_a_valid_answer_is_queried_before_it_is_repeated() {
        for error in [
            ReplyError::NotYet,
            ReplyError::Signature(SignatureError::Probe),
            ReplyError::Signature(SignatureError::Mismatch),
            malformed(),
            ReplyError::UnexpectedStatus(302),
        ] {
            for operation in [Refund, AbnormalRefund, CodePay, Share, ShareReturn] {
                assert_eq!(error.retry_with(operation), QueryFirst, "{error}");
            }
        }
        assert_eq!(Refund.after_no_answer(), QueryFirst);
        assert_eq!(Order.after_no_answer(), SOON);
        assert_eq!(ReplyError::NotYet.retry_with(Order), SOON);
        assert_eq!(malformed().retry_with(Order), QueryFirst);
        assert_eq!(malformed().retry_with(Certificates), AfterFix);
    }

    #[test]
    fn a_request_that_is_not_retryable_is_never_repeated_unchanged() {
        let operations = [
            Order,
            CodePay,
            Query,
            Close,
            Reverse,
            Refund,
            AbnormalRefund,
            RefundQuery,
            Share,
            ShareReturn,
            ShareQuery,
            Receiver,
            Bill,
            Operation::BillFile,
            Certificates,
        ];
        for operation in operations {
            for (status, code) in [(400, "PARAM_ERROR"), (401, "SIGN_ERROR"), (403, "NO_AUTH")] {
                let error = refusal(status, code, true);
                assert!(!error.is_retryable());
                assert_eq!(
                    error.retry_with(operation),
                    AfterFix,
                    "{operation:?} {code}"
                );
            }
        }
    }
}
