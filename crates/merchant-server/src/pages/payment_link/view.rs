//! The markup of a link's page: what is sold, the form, or why there is none. Each page has a way on: the
//! button, the buyer's own order, another try, or the way back to the shop.

use buyer_words::Words;
use maud::{Markup, html};
use merchant_api::ErrorCode;
use merchant_core::Refusal;
use merchant_core::config::Config;
use merchant_core::orders::links::{LinkAmount, LinkPage};
use payment_values::Fen;

use super::form::Typed;
use crate::extract::Language;
use crate::pages::hosted_page::{
    amount, brand, card, document_of, logo, sentence, service_contact,
};

/// The longest amount in large digits.
const LARGE_CHARACTERS_MAX: usize = 11;

/// A field of the form that has to be filled in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The amount cannot be read, or is out of bounds.
    Amount,
    /// The note is too long, or has characters that cannot be shown.
    Note,
    /// The form is not one of this page.
    Form,
}

impl Problem {
    /// The problem of a refused form; `None`: filling it in again does not help.
    pub(super) fn of(refusal: &Refusal) -> Option<Self> {
        let Refusal::Refused(error) = refusal else {
            return None;
        };
        match error.field.as_deref()? {
            "amount" => Some(Self::Amount),
            "note" => Some(Self::Note),
            "key" => Some(Self::Form),
            _ => None,
        }
    }

    const fn words(self) -> Words {
        match self {
            Self::Amount => buyer_words::LINK_AMOUNT_REFUSED,
            Self::Note => buyer_words::LINK_NOTE_REFUSED,
            Self::Form => buyer_words::LINK_FORM_REFUSED,
        }
    }
}

/// Whether a code says that a link makes no order.
pub(super) const fn is_of_link(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::LinkDisabled
            | ErrorCode::LinkExpired
            | ErrorCode::LinkUsedUp
            | ErrorCode::LinkInUse
    )
}

/// The whole page. `key` is for its form; `again` has what the buyer typed, and what was wrong with it.
pub(super) fn page(
    config: &Config,
    id: &str,
    link: &LinkPage,
    key: &str,
    again: Option<&(Typed, Problem)>,
    language: Language,
) -> Markup {
    let content = html! {
        (logo(config.logo(link.sub_mchid.as_deref())))
        (brand(config, language))
        @if let Some(payee) = &link.payee { p .payee dir="auto" { (payee) } }
        p .description dir="auto" { (link.description) }
        @match link.over {
            Some(over) => (closed(id, link, over, language)),
            None => {
                @if let LinkAmount::Fixed(fen) = link.amount { (price(fen, language)) }
                @if let Some((_, problem)) = again {
                    p .notice role="alert" { (language.say(problem.words())) }
                }
                (form(id, link, key, again, language))
                (own_order(link, language))
            }
        }
    };
    let body = html! {
        main {
            h1 .spoken { (language.say(buyer_words::LINK_HEADING)) }
            (card(language, !config.gateway.is_live(), &content))
            div .beneath {
                @if let Some(shop) = link.return_url.as_deref().or_else(|| config.only_shop()) {
                    p { a href=(shop) { (language.say(buyer_words::BACK_TO_SHOP)) } }
                }
                (service_contact(config, language))
            }
        }
    };
    document_of(language, link.payee.as_deref(), &html! {}, &body)
}

fn form(
    id: &str,
    link: &LinkPage,
    key: &str,
    again: Option<&(Typed, Problem)>,
    language: Language,
) -> Markup {
    let (typed_amount, typed_note) = again.map_or(("", ""), |(typed, _)| {
        (typed.amount.as_str(), typed.note.as_str())
    });
    let is_wrong = |field: Problem| again.is_some_and(|(_, problem)| *problem == field);
    html! {
        form .entry method="post" action={ "/p/" (id) } {
            input type="hidden" name="key" value=(key);
            @if let LinkAmount::Open { min, max } = link.amount {
                label for="amount" { (language.say(buyer_words::LINK_AMOUNT)) }
                input #amount name="amount" inputmode="decimal" autocomplete="off" required
                    value=(typed_amount) aria-describedby="bounds"
                    aria-invalid=[is_wrong(Problem::Amount).then_some("true")];
                p #bounds .quiet { (bounds(min, max, language)) }
            }
            @if let Some(max_chars) = link.note_max_chars {
                label for="note" { (language.say(buyer_words::LINK_NOTE).replace('#', &max_chars.to_string())) }
                input #note name="note" autocomplete="off" maxlength=(max_chars) dir="auto"
                    value=(typed_note) aria-invalid=[is_wrong(Problem::Note).then_some("true")];
            }
            button type="submit" { (language.say(buyer_words::PAY)) }
        }
    }
}

/// As on the hosted page: a number that would not fit on one line of the smallest screen is smaller.
fn price(fen: Fen, language: Language) -> Markup {
    let text = amount(fen, language);
    html! { p .amount .long[text.chars().count() > LARGE_CHARACTERS_MAX] { (text) } }
}

/// `¥1.00 – ¥500.00`
fn bounds(min: Fen, max: Fen, language: Language) -> String {
    format!("{} – {}", amount(min, language), amount(max, language))
}

/// Why no order can be made, and what is left to do.
fn closed(id: &str, link: &LinkPage, over: ErrorCode, language: Language) -> Markup {
    html! {
        div .body {
            p .mark aria-hidden="true" { "!" }
            p .title role="status" { (language.say(sentence(over))) }
            @if over == ErrorCode::LinkInUse {
                p { a .button .lesser[link.last_order.is_some()] href={ "/p/" (id) } { (language.say(buyer_words::RETRY)) } }
            }
            (own_order(link, language))
        }
    }
}

fn own_order(link: &LinkPage, language: Language) -> Markup {
    html! {
        @if let Some(token) = &link.last_order {
            p { a .button .lesser[link.over.is_none()] href={ "/c/" (token) } { (language.say(buyer_words::BACK_TO_ORDER)) } }
        }
    }
}
