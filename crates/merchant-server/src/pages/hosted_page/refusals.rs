//! The error code of each refusal, and the sentence for it: why a step was refused, and what the buyer
//! can do about it.

use buyer_words::Words;
use merchant_api::ErrorCode;
use merchant_core::Refusal;

/// The sentence that a buyer reads after a refused step.
pub(super) const fn sentence(code: ErrorCode) -> Words {
    match code {
        ErrorCode::CheckoutUnknown => buyer_words::ORDER_UNKNOWN,
        ErrorCode::CheckoutExpired => buyer_words::EXPIRED,
        ErrorCode::MethodNotAllowed => buyer_words::OPEN_FROM_SHOP,
        ErrorCode::PayerUnavailable => buyer_words::PAYER_UNKNOWN,
        ErrorCode::PayerInvalid => buyer_words::PROBLEM_OF_BUYER,
        ErrorCode::ProductUnavailable => buyer_words::CHOOSE_ANOTHER_WAY,
        ErrorCode::RateLimited => buyer_words::TOO_OFTEN,
        ErrorCode::AttemptInDoubt => buyer_words::LAST_PAYMENT_UNCLEAR,
        ErrorCode::WechatUnavailable => buyer_words::PROBLEM_OF_WECHAT,
        ErrorCode::Internal => buyer_words::PROBLEM_OF_SYSTEM,
        _ => buyer_words::CONTACT_SHOP,
    }
}

/// The code that a program would get.
pub(super) fn code_of(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::Refused(error) => error.code.unwrap_or(ErrorCode::Internal),
        Refusal::Superseded(_) => ErrorCode::AttemptSuperseded,
        Refusal::Internal(_) | Refusal::Ledger(_) => ErrorCode::Internal,
    }
}
