//! The sentence of each screen, seen and spoken; the spinner; the state of the line.

use super::notice_text;
use crate::locale::Words;
use checkout::{Screen, ViewModel};
use leptos::prelude::*;
use merchant_api::Product;

/// What a screen says first.
pub(super) fn sentence(screen: &Screen, words: &'static Words) -> &'static str {
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
        Screen::Leaving { is_stuck: true } => words.stuck,
        Screen::Leaving { .. } => words.leaving,
        Screen::Returned { .. } => words.returned,
        Screen::Elsewhere => words.elsewhere,
        Screen::Paid { .. } => words.paid,
        Screen::Closed => words.closed,
        Screen::Expired => words.expired,
        Screen::Failed(_) | Screen::Unavailable(_) => words.problem,
    }
}

/// Something is under way.
pub(super) fn spinner() -> AnyView {
    view! { <div part="spinner" class="spinner" aria-hidden="true"></div> }.into_any()
}

/// How the line to the backend is, where it is not fine.
#[component]
pub(super) fn Connection(model: ReadSignal<ViewModel>, words: &'static Words) -> impl IntoView {
    let connection = Memo::new(move |_| model.with(|model| model.connection));
    move || {
        let text = match connection.get() {
            checkout::Connection::Steady => return ().into_any(),
            checkout::Connection::Reconnecting => words.reconnecting,
            checkout::Connection::Offline => words.offline,
        };
        view! { <p part="connection" class="connection" role="status">{text}</p> }.into_any()
    }
}

/// Speaks each screen's sentence once. It stays in the page, for a region that is itself
/// replaced is not read out.
#[component]
pub(super) fn LiveRegion(screen: Memo<Screen>, words: &'static Words) -> impl IntoView {
    let text = Memo::new(move |_| screen.with(|screen| sentence(screen, words)));
    view! { <p class="spoken" role="status" aria-live="polite">{move || text.get()}</p> }.into_any()
}
