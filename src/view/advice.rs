//! The sentence that says what a buyer can do next. It shows nothing by itself.

use checkout::{Actor, Alternative, Problem, ProblemCode, Reason, Screen};

use crate::locale::Word;

/// What to do next, in a sentence.
pub(super) const fn advice(screen: &Screen) -> Option<Word> {
    match screen {
        Screen::Failed(problem) => Some(problem_word(problem)),
        Screen::Expired | Screen::Closed => Some(Word::OrderAgain),
        Screen::Unavailable(reason) => Some(match reason {
            Reason::MiniProgram => Word::MiniProgram,
            Reason::WeChatTooOld => Word::WechatTooOld,
            Reason::NothingFits(None) => return None,
            Reason::NothingFits(Some(Alternative::PhoneBrowser)) => Word::OpenInBrowser,
            Reason::NothingFits(Some(Alternative::WeChat)) => Word::OpenInWechat,
            _ => Word::NothingFits,
        }),
        _ => None,
    }
}

/// The buyer's sentence for a problem.
pub(crate) const fn problem_word(problem: &Problem) -> Word {
    // If a reload did not help, only the merchant can fix it.
    if problem.is_recoverable && matches!(problem.code, ProblemCode::LandingUrlDenied) {
        return Word::ReloadToPay;
    }
    // The buyer can fix it, but not by starting again.
    if matches!(problem.code, ProblemCode::CashierUnsupported) {
        return Word::OpenInWechat;
    }
    match problem.actor {
        Actor::Merchant => Word::ProblemOfMerchant,
        Actor::Network => Word::ProblemOfNetwork,
        Actor::WeChat => Word::ProblemOfWechat,
        Actor::Internal => Word::ProblemOfSystem,
        Actor::Buyer => Word::ProblemOfBuyer,
    }
}
