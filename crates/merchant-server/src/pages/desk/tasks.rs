//! `/desk/tasks`: what waits for a person: mismatches and abnormal refunds, each with what to do.

use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Response};
use buyer_words::Words;
use maud::{Markup, html};
use merchant_api::{MismatchDetails, MismatchKind, MismatchList};
use merchant_core::config::Scope;
use merchant_core::orders::desk::{AbnormalRefund, Action, abnormal_refunds};
use merchant_core::{Refusal, mismatches};

use super::address::{TASKS as PATH, order_path, settle_path};
use super::figure::{money, time_of};
use super::form::Posted;
use super::frame::{Frame, facts, page as framed, token};
use super::said::{Said, lead_to};
use super::session::Desk;
use super::words;
use crate::error::Failure;
use crate::extract::{PathText, query};

const LIMIT: u32 = 20;

/// Which page of which mismatches.
#[derive(Default)]
struct Wanted {
    is_done: bool,
    before: Option<i64>,
    said: Said,
}

/// `GET /desk/tasks?state&before&said`
pub(super) async fn page(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, Response> {
    let read = async {
        let wanted = read(&query.unwrap_or_default())?;
        let payments = desk.payments();
        let list = mismatches::list(payments, Some(wanted.is_done), wanted.before, LIMIT).await?;
        Ok((wanted, list, abnormal_refunds(payments).await?))
    };
    let (wanted, list, abnormal) = read.await.map_err(|refusal| desk.refused(refusal))?;
    let say = |sentence| desk.view.language.say(sentence);
    let content = html! {
        h1 { (say(words::TASKS)) }
        (wanted.said.notice(&desk))
        @if !wanted.is_done { (abnormal_section(&desk, &abnormal)) }
        (mismatch_section(&desk, &list, wanted.is_done))
        p .pager {
            @if wanted.is_done { a .button .lesser href=(PATH) { (say(words::TO_OPEN)) } }
            @else { a .button .lesser href=(format!("{PATH}?state=done")) { (say(words::TO_DONE)) } }
            @if let Some(before) = list.next_before {
                a .button .lesser rel="next" href=(format!("{PATH}?state={}&before={before}", if wanted.is_done { "done" } else { "open" })) { (say(words::OLDER)) }
            }
        }
    };
    let frame = Frame::new(say(words::TASKS), PATH);
    Ok(framed(&desk, &frame, &content).into_response())
}

/// `POST /desk/mismatches/{no}/done`
pub(super) async fn done(
    PathText(no): PathText,
    Posted { desk, form }: Posted,
) -> Result<Response, Response> {
    if let Some(refused) = desk.forbidden(Scope::DeskSettle) {
        return Err(refused);
    }
    let number = no.parse().ok().filter(|no: &i64| *no > 0);
    let note = form.given("note");
    let payments = desk.payments().clone();
    let finished = async {
        let was_open = mismatches::is_open(&payments, number).await?;
        mismatches::finish(&payments, number, note).await?;
        Ok(((), was_open))
    };
    let ((), is_new) = desk.act(Action::Done, None, &no, finished).await?;
    Ok(lead_to(PATH, "done", is_new))
}

fn read(text: &str) -> Result<Wanted, Refusal> {
    let mut wanted = Wanted::default();
    let parameters = query::parameters(text).map_err(|Failure(refusal)| refusal)?;
    for (name, value) in parameters {
        match &*name {
            "state" => {
                wanted.is_done = match &*value {
                    "open" => false,
                    "done" => true,
                    _ => return Err(Refusal::invalid("state", "must be open or done")),
                }
            }
            "before" => {
                let before = value.parse().ok().filter(|no: &i64| *no > 0);
                let rule = "must be a number";
                wanted.before = Some(before.ok_or_else(|| Refusal::invalid("before", rule))?);
            }
            "said" => wanted.said.said = value.into_owned(),
            _ => return Err(Refusal::invalid(&name, "is not a filter of this list")),
        }
    }
    Ok(wanted)
}

fn abnormal_section(desk: &Desk, abnormal: &[AbnormalRefund]) -> Markup {
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    html! {
        section .card {
            h2 { (say(words::ABNORMAL)) }
            @if abnormal.is_empty() { p .quiet { (say(words::NOTHING_OPEN)) } }
            @else { p { (say(words::ABNORMAL_HELP)) } }
            @for AbnormalRefund { details } in abnormal {
                article .task {
                    h3 { (money(details.amount_fen, language)) " · " a href=(order_path(details.order_no.as_str())) { (details.order_no) } }
                    (facts(&[
                        (say(words::REFUND_NO), html! { code { (details.refund_no) } }),
                        (say(words::SINCE), time_of(&details.state_since)),
                        (say(words::ACCOUNT), html! { (details.user_received_account.as_deref().unwrap_or("—")) }),
                    ]))
                    @if desk.has(Scope::DeskRefund) {
                        p { a .button href=(settle_path(details.refund_no.as_str())) { (say(words::SETTLE)) } }
                    }
                }
            }
        }
    }
}

fn mismatch_section(desk: &Desk, list: &MismatchList, is_done: bool) -> Markup {
    let say = |sentence| desk.view.language.say(sentence);
    let title = if is_done {
        words::MISMATCHES_DONE
    } else {
        words::MISMATCHES
    };
    html! {
        section .card {
            h2 { (say(title)) }
            @if list.mismatches.is_empty() { p .quiet { (say(words::NOTHING_OPEN)) } }
            @for mismatch in &list.mismatches { (one(desk, mismatch)) }
        }
    }
}

fn one(desk: &Desk, mismatch: &MismatchDetails) -> Markup {
    let say = |sentence: Words| desk.view.language.say(sentence);
    let (kind, what_to_do) = match mismatch.kind {
        MismatchKind::Payment => (words::KIND_PAYMENT, words::DO_PAYMENT),
        MismatchKind::Refund => (words::KIND_REFUND, words::DO_REFUND),
        MismatchKind::Notification => (words::KIND_NOTIFICATION, words::DO_NOTIFICATION),
    };
    let named = [
        ("out_trade_no", &mismatch.out_trade_no),
        ("transaction_id", &mismatch.transaction_id),
        ("refund_no", &mismatch.refund_no),
        ("refund_id", &mismatch.refund_id),
        ("sub_mchid", &mismatch.sub_mchid),
        ("event_type", &mismatch.event_type),
        ("field", &mismatch.field),
        ("answer", &mismatch.answer),
    ];
    let mut pairs: Vec<(&str, Markup)> = vec![
        (say(words::SINCE), time_of(&mismatch.received_at)),
        (say(words::REASON), html! { code { (mismatch.reason) } }),
    ];
    let known = named.iter().filter_map(|(name, value)| {
        let value = value.as_ref()?;
        Some((*name, html! { code { (value) } }))
    });
    pairs.extend(known);
    if let Some(at) = &mismatch.done_at {
        pairs.push((say(words::DONE_AT), time_of(at)));
    }
    if let Some(note) = &mismatch.note {
        pairs.push((say(words::NOTE), html! { (note) }));
    }
    let note_id = format!("note-{}", mismatch.no);
    html! {
        article .task {
            h3 { "#" (mismatch.no) " " (say(kind)) }
            p { (say(what_to_do)) }
            (facts(&pairs))
            details { summary { (say(words::TOLD)) } pre tabindex="0" { (pretty(&mismatch.told)) } }
            @if mismatch.done_at.is_none() && desk.has(Scope::DeskSettle) {
                form method="post" action=(format!("/desk/mismatches/{}/done", mismatch.no)) {
                    (token(desk))
                    label for=(note_id) { (say(words::NOTE)) }
                    input id=(note_id) name="note" maxlength="160" autocomplete="off";
                    button type="submit" { (say(words::MARK_DONE)) }
                }
            }
        }
    }
}

fn pretty(told: &serde_json::Value) -> String {
    match told {
        serde_json::Value::String(text) => text.clone(),
        // WeChat's JSON was read, so it can be written.
        json => serde_json::to_string_pretty(json).unwrap_or_default(),
    }
}
