//! The sentence that says what a buyer can do next. It shows nothing by itself.

use checkout::{Actor, Alternative, Problem, ProblemCode, Reason, Screen};
use merchant_api::ErrorCode;

use crate::locale::Word;

/// What to do next, in a sentence.
pub(super) const fn advice(screen: &Screen) -> Option<Word> {
    match screen {
        Screen::Failed(problem) => Some(problem_word(problem)),
        Screen::Expired | Screen::Closed => Some(Word::OrderAgain),
        Screen::Unavailable(reason) => Some(match reason {
            Reason::MiniProgram => Word::MiniProgram,
            Reason::WeChatTooOld => Word::WechatTooOld,
            Reason::NothingFits(None) => Word::NoProduct,
            Reason::NothingFits(Some(Alternative::PhoneBrowser)) => Word::OpenInBrowser,
            Reason::NothingFits(Some(Alternative::WeChat)) => Word::OpenInWechat,
            Reason::NothingFits(Some(Alternative::MiniProgram)) => Word::OpenMiniProgram,
            _ => Word::NothingFits,
        }),
        _ => None,
    }
}

/// The buyer's sentence for a problem.
pub(crate) const fn problem_word(problem: &Problem) -> Word {
    match problem.code {
        // If a reload did not help, only the merchant can fix it.
        ProblemCode::CashierDenied | ProblemCode::LandingUrlDenied if problem.is_recoverable => {
            return Word::ReloadToPay;
        }
        // The buyer can fix it, but not by starting again.
        ProblemCode::CashierUnsupported => return Word::OpenInWechat,
        ProblemCode::CashierFailed => return Word::PaymentFailed,
        ProblemCode::Refused(ErrorCode::CheckoutUnknown) => return Word::OrderUnknown,
        ProblemCode::Refused(ErrorCode::RateLimited) => return Word::TooOften,
        ProblemCode::Refused(ErrorCode::PayerUnavailable) => return Word::PayerUnknown,
        _ => {}
    }
    match problem.actor {
        // With a button that tries again.
        Actor::Merchant if problem.is_recoverable => Word::TryThenContact,
        Actor::Merchant => Word::ProblemOfMerchant,
        Actor::Network => Word::ProblemOfNetwork,
        Actor::WeChat => Word::ProblemOfWechat,
        Actor::Internal => Word::ProblemOfSystem,
        Actor::Buyer => Word::ProblemOfBuyer,
    }
}
