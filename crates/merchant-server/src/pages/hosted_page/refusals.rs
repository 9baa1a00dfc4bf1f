//! The sentence for each refusal: why a step was refused, and what the buyer can do about it.

use buyer_words::Words;
use merchant_api::ErrorCode;

/// The sentence that a buyer reads after a refused step.
pub(crate) const fn sentence(code: ErrorCode) -> Words {
    match code {
        ErrorCode::CheckoutUnknown => buyer_words::ORDER_UNKNOWN,
        ErrorCode::CheckoutExpired => buyer_words::EXPIRED,
        ErrorCode::LinkUnknown => buyer_words::LINK_UNKNOWN,
        ErrorCode::LinkDisabled => buyer_words::LINK_DISABLED,
        ErrorCode::LinkExpired => buyer_words::LINK_EXPIRED,
        ErrorCode::LinkUsedUp => buyer_words::LINK_USED_UP,
        ErrorCode::LinkInUse => buyer_words::LINK_IN_USE,
        ErrorCode::MethodNotAllowed => buyer_words::OPEN_FROM_SHOP,
        ErrorCode::PayerUnavailable => buyer_words::PAYER_UNKNOWN,
        ErrorCode::PayerInvalid => buyer_words::PROBLEM_OF_BUYER,
        ErrorCode::ProductUnavailable => buyer_words::CHOOSE_ANOTHER_WAY,
        ErrorCode::RateLimited => buyer_words::TOO_OFTEN,
        ErrorCode::AttemptInDoubt => buyer_words::MAKING_SURE,
        ErrorCode::WechatUnavailable => buyer_words::PROBLEM_OF_WECHAT,
        ErrorCode::DatabaseUnavailable | ErrorCode::Internal => buyer_words::PROBLEM_OF_SYSTEM,
        _ => buyer_words::CONTACT_SHOP,
    }
}
