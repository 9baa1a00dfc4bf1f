//! `/desk/journal`: who did what at this desk.

use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Response};
use buyer_words::Words;
use maud::{Markup, html};
use merchant_core::Refusal;
use merchant_core::orders::desk::{self, Action, JournalEntry};

use super::address::{JOURNAL as PATH, order_path};
use super::figure::{state, time};
use super::frame::{Frame, page as framed, table};
use super::session::Desk;
use super::words;
use crate::error::Failure;
use crate::extract::{Language, query};

const LIMIT: u32 = 50;

/// `GET /desk/journal?before`
pub(super) async fn page(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, Response> {
    let read = async {
        let before = read(&query.unwrap_or_default())?;
        desk::journal(desk.payments(), before, LIMIT).await
    };
    let journal = read.await.map_err(|refusal| desk.refused(refusal))?;
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    let headings = [
        say(words::TIME),
        say(words::WHO),
        say(words::ACTION),
        say(words::ORDER),
        say(words::SUBJECT),
        say(words::OUTCOME),
    ];
    let row = |entry: &JournalEntry| {
        vec![
            time(entry.at_ms),
            html! { (entry.key_name) },
            html! { (say(action(&entry.action))) },
            match &entry.order_no {
                Some(order_no) => html! { a href=(order_path(order_no)) { (order_no) } },
                None => html! { "—" },
            },
            html! { (entry.subject.as_deref().unwrap_or("—")) },
            outcome(entry, language),
        ]
    };
    let rows: Vec<_> = journal.entries.iter().map(row).collect();
    let content = html! {
        h1 { (say(words::JOURNAL)) }
        div .card { (table(say(words::JOURNAL), &headings, &rows)) }
        p .pager {
            @if let Some(before) = journal.next_before {
                a .button .lesser rel="next" href=(format!("{PATH}?before={before}")) { (say(words::OLDER)) }
            }
        }
    };
    let frame = Frame::new(say(words::JOURNAL), PATH);
    Ok(framed(&desk, &frame, &content).into_response())
}

/// An action in words.
pub(super) fn action(word: &str) -> Words {
    match Action::from_word(word) {
        Some(Action::SignIn) => words::ACTION_SIGN_IN,
        Some(Action::SignOut) => words::ACTION_SIGN_OUT,
        Some(Action::Refund) => words::ACTION_REFUND,
        Some(Action::Settle) => words::ACTION_SETTLE,
        Some(Action::Resend) => words::ACTION_RESEND,
        Some(Action::DisableLink) => words::ACTION_DISABLE_LINK,
        Some(Action::Done) => words::ACTION_DONE,
        None => words::ACTION_OTHER,
    }
}

/// How an action ended.
pub(super) fn outcome(entry: &JournalEntry, language: Language) -> Markup {
    match entry.outcome.as_deref() {
        None => html! { span .state.due { (language.say(words::OUTCOME_UNKNOWN)) } },
        Some(word @ ("done" | "repeated")) => state(word, language),
        Some(code) => html! { span .state.bad { (code) } },
    }
}

fn read(text: &str) -> Result<Option<i64>, Refusal> {
    let mut before = None;
    for (name, value) in query::parameters(text).map_err(|Failure(refusal)| refusal)? {
        if name != "before" {
            return Err(Refusal::invalid(&name, "is not a filter of this list"));
        }
        let id = value.parse().ok().filter(|id: &i64| *id > 0);
        let rule = "must be a number";
        before = Some(id.ok_or_else(|| Refusal::invalid("before", rule))?);
    }
    Ok(before)
}
