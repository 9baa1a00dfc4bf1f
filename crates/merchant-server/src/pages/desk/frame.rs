//! What the pages of a signed-in person have: the way to the other pages, and the sign-out. Tables turn
//! into lists on a phone.

use buyer_words::Words;
use maud::{Markup, html};
use merchant_core::orders::desk::form_token;

use super::address::{self, TOKEN_FIELD};
pub(super) use super::document::Frame;
use super::document::whole;
use super::session::Desk;
use super::words;

const ROOMS: [(&str, Words); 9] = [
    (address::DESK, words::OVERVIEW),
    (address::ORDERS, words::ORDERS),
    (address::TASKS, words::TASKS),
    (address::WEBHOOKS, words::WEBHOOKS),
    (address::LINKS, words::LINKS),
    (address::BILLS, words::BILLS),
    (address::KEYS, words::KEYS),
    (address::CHECKLIST, words::CHECKLIST),
    (address::JOURNAL, words::JOURNAL),
];

/// A page for a person who is signed in.
pub(super) fn page(desk: &Desk, frame: &Frame<'_>, content: &Markup) -> Markup {
    let say = |sentence| desk.view.language.say(sentence);
    let several = desk.payments().name_among_several();
    let head = html! {
        nav aria-label=(say(words::TITLE)) {
            ul { @for (path, name) in ROOMS {
                li { a href=(path) aria-current=[(path == frame.room).then_some("page")] { (say(name)) } }
            } }
        }
    };
    let foot = html! {
        p { (say(words::SIGNED_IN_AS)) " " strong { (desk.session.key_name) }
            @if let Some(mchid) = several { " · " (mchid) } }
        form method="post" action="/desk/sign-out" {
            (token(desk))
            button .link type="submit" { (say(words::SIGN_OUT)) }
        }
    };
    whole(&desk.view, frame, &head, content, &foot)
}

/// The hidden field that ties a form to its session.
pub(super) fn token(desk: &Desk) -> Markup {
    html! { input type="hidden" name=(TOKEN_FIELD) value=(form_token(&desk.session)); }
}

/// A table with a caption for screen readers. On a phone each cell stands beside its heading.
pub(super) fn table(caption: &str, headings: &[&str], rows: &[Vec<Markup>]) -> Markup {
    html! {
        table {
            caption .spoken { (caption) }
            thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
            tbody { @for row in rows {
                tr { @for (cell, heading) in row.iter().zip(headings) {
                    td data-label=(heading) { div { (cell) } }
                } }
            } }
        }
    }
}

/// Facts as pairs.
pub(super) fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! {
        dl .facts { @for (name, value) in pairs { div { dt { (name) } dd { (value) } } } }
    }
}
