//! The sentence of each screen, shown and announced; the spinner; the state of the connection.

use checkout::{Connection, Notice, Screen, ViewModel};
use leptos::prelude::*;
use merchant_api::Product;

use super::advice::advice;
use super::block::line;
use super::countdown;
use crate::locale::{Text, Word, Words};

/// The first sentence of a screen.
pub(super) const fn sentence(screen: &Screen) -> Word {
    match screen {
        Screen::Loading { is_late: true } => Word::ProblemOfNetwork,
        Screen::Loading { .. } => Word::Loading,
        Screen::Offer {
            notice: Some(notice),
            ..
        }
        | Screen::Starting {
            notice: Some(notice),
            ..
        }
        | Screen::Returned {
            notice: Some(notice),
            is_asking: false,
        } => notice_word(*notice),
        Screen::Offer { product, .. } => match product {
            Product::H5 => Word::OfferH5,
            // A code is offered after a code was cancelled.
            Product::Native => Word::Cancelled,
            _ => Word::OfferJsapi,
        },
        Screen::Starting { .. } => Word::Starting,
        Screen::QrCode {
            is_handheld: true, ..
        } => Word::ScanElsewhere,
        Screen::QrCode { .. } => Word::Scan,
        Screen::QrExpired { .. } => Word::CodeExpired,
        Screen::Cashier {
            is_silent: true, ..
        } => Word::CashierSilent,
        Screen::Cashier { .. } => Word::Cashier,
        Screen::QrChecking { .. }
        | Screen::Confirming
        | Screen::Returned {
            is_asking: true, ..
        } => Word::Confirming,
        // A web-view may not notice that the mini-program's page covered it, so the buyer may be
        // back as well. And no other browser can open the mini-program's page.
        Screen::Leaving {
            is_stuck: true,
            product: Some(Product::MiniProgram),
            ..
        }
        | Screen::Returned { .. } => Word::Returned,
        // Inside WeChat, so neither WeChat nor another browser is missing.
        Screen::Leaving {
            is_stuck: true,
            product: None,
            ..
        } => Word::TryThenContact,
        Screen::Leaving { is_stuck: true, .. } => Word::Stuck,
        Screen::Leaving { .. } => Word::Leaving,
        Screen::Elsewhere => Word::Elsewhere,
        Screen::Paid { is_refunded: true } => Word::RefundedInFull,
        Screen::Paid { .. } => Word::Paid,
        Screen::Closed => Word::Closed,
        Screen::Expired => Word::Expired,
        Screen::Failed(_) | Screen::Unavailable(_) => Word::Problem,
    }
}

/// The sentence of a notice.
const fn notice_word(notice: Notice) -> Word {
    match notice {
        Notice::Cancelled => Word::Cancelled,
        Notice::NotPaidYet => Word::NotPaidYet,
        Notice::TryAgain => Word::TryingAgain,
        Notice::MakingSure => Word::MakingSure,
    }
}

/// Shows that something is under way.
pub(super) fn spinner() -> AnyView {
    view! { <div part="spinner" class="spinner" aria-hidden="true"></div> }.into_any()
}

/// The state of the connection to the backend, if the connection is not steady.
pub(super) fn connection(connection: Connection, words: &Words) -> Option<AnyView> {
    let text = words.text(connection_word(connection)?);
    Some(line("connection", text))
}

const fn connection_word(connection: Connection) -> Option<Word> {
    match connection {
        Connection::Steady => None,
        Connection::Reconnecting => Some(Word::Reconnecting),
        Connection::Offline => Some(Word::Offline),
    }
}

/// The announcement for screen readers: each screen's sentence once, the advice, and the state of the connection. A
/// countdown is announced only now and then.
pub(super) fn announcement(model: &ViewModel, words: &Words) -> Text {
    let mut text = words.text(sentence(&model.screen)).into_owned();
    let more = [advice(&model.screen), connection_word(model.connection)];
    for word in more.into_iter().flatten() {
        text.push(' ');
        text.push_str(&words.text(word));
    }
    if let Screen::QrCode {
        remaining_ms: Some(remaining_ms),
        ..
    } = model.screen
        && let Some(time) = countdown::announcement(remaining_ms, words)
    {
        text.push(' ');
        text.push_str(&time);
    }
    text.into()
}
