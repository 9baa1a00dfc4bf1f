//! The sentence of each screen, seen and spoken; the spinner; the state of the line.

use super::node::{Element, Node, element, nothing};
use crate::locale::Words;
use checkout::{Connection, Notice, Screen};
use merchant_api::Product;

/// What a screen says first.
pub(super) fn sentence(screen: &Screen, words: &Words) -> &'static str {
    match screen {
        Screen::Loading => words.loading,
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
        } => notice_text(*notice, words),
        Screen::Offer { product, .. } => match product {
            Product::H5 => words.offer_h5,
            Product::Native => words.scan,
            _ => words.offer_jsapi,
        },
        Screen::Starting { .. } => words.starting,
        Screen::QrCode {
            is_handheld: true, ..
        } => words.scan_elsewhere,
        Screen::QrCode { .. } => words.scan,
        Screen::QrExpired { .. } => words.code_expired,
        Screen::Cashier { is_silent: true } => words.cashier_silent,
        Screen::Cashier { .. } => words.cashier,
        Screen::QrChecking { .. }
        | Screen::Confirming
        | Screen::Returned {
            is_asking: true, ..
        } => words.confirming,
        Screen::Leaving { is_stuck: true, .. } => words.stuck,
        Screen::Leaving { .. } => words.leaving,
        Screen::Returned { .. } => words.returned,
        Screen::Elsewhere => words.elsewhere,
        Screen::Paid { .. } => words.paid,
        Screen::Closed => words.closed,
        Screen::Expired => words.expired,
        Screen::Failed(_) | Screen::Unavailable(_) => words.problem,
    }
}

/// The sentence of a notice.
fn notice_text(notice: Notice, words: &Words) -> &'static str {
    match notice {
        Notice::Cancelled => words.cancelled,
        Notice::NotPaidYet => words.not_paid_yet,
        Notice::TryAgain => words.trying_again,
        Notice::MakingSure => words.making_sure,
    }
}

/// Something is under way.
pub(super) fn spinner() -> Element {
    element("div")
        .with("part", "spinner")
        .with("class", "spinner")
        .with("aria-hidden", "true")
}

/// How the line to the backend is, where it is not fine.
pub(super) fn connection(connection: Connection, words: &Words) -> Node {
    let text = match connection {
        Connection::Steady => return nothing(),
        Connection::Reconnecting => words.reconnecting,
        Connection::Offline => words.offline,
    };
    element("p")
        .with("part", "connection")
        .with("class", "connection")
        .with("role", "status")
        .saying(text)
        .into()
}

/// Speaks each screen's sentence once. It stays in the page, for a region that is itself
/// replaced is not read out.
pub(super) fn live_region(sentence: &'static str) -> Element {
    element("p")
        .with("class", "spoken")
        .with("role", "status")
        .with("aria-live", "polite")
        .saying(sentence)
}
