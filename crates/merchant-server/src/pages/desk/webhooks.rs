//! `/desk/webhooks`: whether the merchant's backend takes its messages, and sending one again.

use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use merchant_api::WebhookDetails;
use merchant_core::Refusal;
use merchant_core::config::Scope;
use merchant_core::orders::desk::{Action, webhook_counts};
use merchant_core::webhooks::{self, Delivery};

use super::address::{WEBHOOKS as PATH, in_path, order_path};
use super::figure::{state, time_of};
use super::form::Posted;
use super::frame::{Frame, facts, page as framed, table, token};
use super::said::{Said, lead_to};
use super::session::Desk;
use super::words;
use crate::error::Failure;
use crate::extract::{PathText, query};

const LIMIT: u32 = 50;
const STATES: [&str; 4] = ["failed", "pending", "unaddressed", "delivered"];

#[derive(Default)]
struct Wanted {
    state: Option<Delivery>,
    state_word: String,
    before: Option<String>,
    said: Said,
}

/// `GET /desk/webhooks?state&before&said`
pub(super) async fn page(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, Response> {
    let read = async {
        let wanted = read(&query.unwrap_or_default())?;
        let payments = desk.payments();
        let before = wanted.before.as_deref();
        let list = webhooks::list(payments, wanted.state, None, before, LIMIT).await?;
        Ok((wanted, list, webhook_counts(payments).await?))
    };
    let (wanted, list, counts) = read.await.map_err(|refusal| desk.refused(refusal))?;
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    let address = |state: &str, before: Option<&str>| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let pairs = [("state", state), ("before", before.unwrap_or_default())];
        query.extend_pairs(pairs.into_iter().filter(|(_, value)| !value.is_empty()));
        format!("{PATH}?{}", query.finish())
    };
    let count = |word: &str| {
        let found = counts.iter().find(|(known, _)| known == word);
        found.map_or(0, |(_, count)| *count)
    };
    let content = html! {
        h1 { (say(words::WEBHOOKS)) }
        (wanted.said.notice(&desk))
        section .card {
            h2 { (say(words::HEALTH)) }
            (targets(&desk))
            ul .states { @for word in STATES {
                li { a href=(address(word, None)) aria-current=[(wanted.state_word == word).then_some("true")] {
                    (state(word, language)) " " (count(word))
                } }
            } }
            @if count("failed") > 0 { p .notice { (say(words::FAILED_HELP)) } }
        }
        (messages(&desk, &list.webhooks))
        p .pager {
            @if !wanted.state_word.is_empty() || wanted.before.is_some() {
                a .button .lesser href=(PATH) { (say(words::ALL)) }
            }
            @if let Some(before) = &list.next_before {
                a .button .lesser rel="next" href=(address(&wanted.state_word, Some(before))) { (say(words::OLDER)) }
            }
        }
    };
    let frame = Frame::new(say(words::WEBHOOKS), PATH);
    Ok(framed(&desk, &frame, &content).into_response())
}

/// `POST /desk/webhooks/{id}/resend`: sends a message again, unless it was sent since the form was made.
pub(super) async fn resend(
    PathText(id): PathText,
    Posted { desk, form }: Posted,
) -> Result<Response, Response> {
    if let Some(refused) = desk.forbidden(Scope::DeskSettle) {
        return Err(refused);
    }
    let tries: Option<u64> = form.get("tries").parse().ok();
    let rule = "must be the number that the form came with";
    let tries = tries.ok_or_else(|| desk.refused(Refusal::invalid("tries", rule)))?;
    let payments = desk.payments().clone();
    let seen = webhooks::show(&payments, &id).await;
    let (webhook, order_no) = seen.map_err(|refusal| desk.refused(refusal))?;
    let resent = async {
        let is_as_seen = webhook.tries == tries;
        if is_as_seen {
            webhooks::resend(&payments, &id).await?;
        }
        Ok(((), is_as_seen))
    };
    let ((), is_new) = desk
        .act(Action::Resend, order_no.as_deref(), &id, resent)
        .await?;
    let back = match order_no.filter(|_| form.get("to") == "order") {
        Some(order_no) => order_path(&order_no),
        None => PATH.to_owned(),
    };
    Ok(lead_to(&back, "resent", is_new))
}

/// The form that sends a message again. `tries` tells a repetition of it from a new wish.
pub(super) fn resend_form(desk: &Desk, id: &str, tries: u64, to: &'static str) -> Markup {
    html! {
        form .inline method="post" action=(format!("/desk/webhooks/{}/resend", in_path(id))) {
            (token(desk))
            input type="hidden" name="tries" value=(tries);
            input type="hidden" name="to" value=(to);
            button .lesser type="submit" { (desk.view.language.say(words::RESEND)) }
        }
    }
}

fn read(text: &str) -> Result<Wanted, Refusal> {
    let mut wanted = Wanted::default();
    let parameters = query::parameters(text).map_err(|Failure(refusal)| refusal)?;
    for (name, value) in parameters {
        match &*name {
            "state" => {
                let rule = "must be pending, delivered, failed or unaddressed";
                let state = value.parse().map_err(|_| Refusal::invalid("state", rule))?;
                wanted.state = Some(state);
                wanted.state_word = value.into_owned();
            }
            "before" => wanted.before = Some(value.into_owned()),
            "said" => wanted.said.said = value.into_owned(),
            _ => return Err(Refusal::invalid(&name, "is not a filter of this list")),
        }
    }
    Ok(wanted)
}

fn targets(desk: &Desk) -> Markup {
    let say = |sentence| desk.view.language.say(sentence);
    let targets = &desk.payments().config().webhooks;
    if targets.is_empty() {
        return html! { p { (say(words::NO_TARGET)) } };
    }
    let pairs: Vec<_> = targets
        .iter()
        .map(|target| {
            let origin = target.url.origin().ascii_serialization();
            (say(words::TARGET), html! { (origin) (target.url.path()) })
        })
        .collect();
    facts(&pairs)
}

fn messages(desk: &Desk, list: &[WebhookDetails]) -> Markup {
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    if list.is_empty() {
        return html! { p .card .quiet { (say(words::NOTHING_FOUND)) } };
    }
    let may_settle = desk.has(Scope::DeskSettle);
    let mut headings = vec![
        say(words::EVENT),
        say(words::STATE),
        say(words::CREATED_AT),
        say(words::TRIES),
        say(words::LAST_OUTCOME),
    ];
    if may_settle {
        headings.push(say(words::ACTION));
    }
    let row = |webhook: &WebhookDetails| {
        let mut row = vec![
            html! { code { (webhook.event_type) } },
            state(&webhook.state, language),
            time_of(&webhook.created_at),
            html! { (webhook.tries) },
            html! { (webhook.last_outcome.as_deref().unwrap_or("—")) },
        ];
        if may_settle {
            row.push(resend_form(desk, &webhook.id, webhook.tries, "list"));
        }
        row
    };
    let rows: Vec<_> = list.iter().map(row).collect();
    html! { div .card { (table(say(words::WEBHOOKS), &headings, &rows)) } }
}
