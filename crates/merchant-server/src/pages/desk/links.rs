//! `/desk/links`: the payment links with their uses, their codes for print, and disabling one. The merchant's
//! backend creates them (`/v1/links`).

use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Response};
use http::header;
use maud::{Markup, html};
use merchant_api::{LinkDetails, LinkState};
use merchant_core::Refusal;
use merchant_core::config::Scope;
use merchant_core::orders::desk::Action;
use merchant_core::orders::links;
use payment_values::Fen;

use super::address::{LINKS as PATH, in_path};
use super::figure::{money, state, time_of};
use super::form::Posted;
use super::frame::{Frame, page as framed, table, token};
use super::said::{Said, lead_to};
use super::session::Desk;
use super::words;
use crate::code_sheet::pdf;
use crate::error::Failure;
use crate::extract::{PathText, query};
use crate::pages::payment_link::{SIDE_DEFAULT_MM, printed_code};

const LIMIT: u32 = 50;

#[derive(Default)]
struct Wanted {
    before: Option<String>,
    said: Said,
}

/// `GET /desk/links?before&said`
pub(super) async fn page(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, Response> {
    let read = async {
        let wanted = read(&query.unwrap_or_default())?;
        let before = wanted.before.as_deref();
        let list = links::list(desk.payments(), None, before, LIMIT).await?;
        Ok((wanted, list))
    };
    let (wanted, list) = read.await.map_err(|refusal| desk.refused(refusal))?;
    let say = |sentence| desk.view.language.say(sentence);
    let content = html! {
        h1 { (say(words::LINKS)) }
        (wanted.said.notice(&desk))
        p .quiet { (say(words::LINKS_HELP)) }
        (found(&desk, &list.links))
        p .pager {
            @if wanted.before.is_some() { a .button .lesser href=(PATH) { (say(words::NEWEST)) } }
            @if let Some(before) = &list.next_before {
                a .button .lesser rel="next" href=(format!("{PATH}?before={before}")) { (say(words::OLDER)) }
            }
        }
    };
    let frame = Frame::new(say(words::LINKS), PATH);
    Ok(framed(&desk, &frame, &content).into_response())
}

/// `GET /desk/links/{id}/code.pdf`: the code of the link's page, to print.
pub(super) async fn code_pdf(desk: Desk, PathText(id): PathText) -> Result<Response, Response> {
    let printed = printed_code(desk.payments(), &id).await;
    let code = printed.map_err(|refusal| desk.refused(refusal))?;
    let kind = [(header::CONTENT_TYPE, "application/pdf")];
    Ok((kind, pdf(&[code], SIDE_DEFAULT_MM)).into_response())
}

/// `POST /desk/links/{id}/disable`: from now on the link makes no order.
pub(super) async fn disable(
    PathText(id): PathText,
    Posted { desk, .. }: Posted,
) -> Result<Response, Response> {
    if let Some(refused) = desk.forbidden(Scope::DeskSettle) {
        return Err(refused);
    }
    let payments = desk.payments().clone();
    let disabled = async {
        let was = links::show(&payments, &id).await?;
        links::disable(&payments, &id).await?;
        Ok(((), was.disabled_at.is_none()))
    };
    let ((), is_new) = desk.act(Action::DisableLink, None, &id, disabled).await?;
    Ok(lead_to(PATH, "disabled", is_new))
}

fn read(text: &str) -> Result<Wanted, Refusal> {
    let mut wanted = Wanted::default();
    let parameters = query::parameters(text).map_err(|Failure(refusal)| refusal)?;
    for (name, value) in parameters {
        match &*name {
            "before" => wanted.before = Some(value.into_owned()),
            "said" => wanted.said.said = value.into_owned(),
            _ => return Err(Refusal::invalid(&name, "is not a filter of this list")),
        }
    }
    Ok(wanted)
}

fn found(desk: &Desk, list: &[LinkDetails]) -> Markup {
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    if list.is_empty() {
        return html! { p .card .quiet { (say(words::NO_LINK)) } };
    }
    let headings = [
        say(words::GOODS),
        say(words::AMOUNT),
        say(words::STATE),
        say(words::USES),
        say(words::USABLE_UNTIL),
        say(words::CREATED_AT),
        say(words::ACTION),
    ];
    let row = |link: &LinkDetails| {
        let given = &link.given;
        vec![
            html! {
                a href=(link.url) { (given.description) }
                @if let Some(link_no) = &given.link_no { br; code { (link_no) } }
            },
            price(desk, link),
            state(word(link.state), language),
            uses(desk, link),
            html! { @match &given.expires_at {
                Some(end) => (time_of(end)),
                None => "—",
            } },
            time_of(&link.created_at),
            actions(desk, link),
        ]
    };
    let rows: Vec<_> = list.iter().map(row).collect();
    html! { div .card { (table(say(words::LINKS), &headings, &rows)) } }
}

/// A fixed price, or the bounds between which the buyer chooses.
fn price(desk: &Desk, link: &LinkDetails) -> Markup {
    let shown = |fen: u64| money(Fen::saturating(fen), desk.view.language);
    match (link.given.total_fen, link.given.max_fen) {
        (Some(total_fen), _) => shown(total_fen),
        (None, Some(max_fen)) => html! {
            (shown(link.given.min_fen.unwrap_or(1))) " – " (shown(max_fen))
        },
        (None, None) => html! { "—" },
    }
}

/// The paid orders, and how many there can be; open ones hold a use too.
fn uses(desk: &Desk, link: &LinkDetails) -> Markup {
    html! {
        (link.uses_paid)
        @if let Some(uses_max) = link.given.uses_max { " / " (uses_max) }
        @if link.uses_open > 0 {
            br; span .quiet { (desk.view.language.say(words::STATE_OPEN)) " " (link.uses_open) }
        }
    }
}

fn actions(desk: &Desk, link: &LinkDetails) -> Markup {
    let say = |sentence| desk.view.language.say(sentence);
    let path = format!("{PATH}/{}", in_path(&link.id));
    html! {
        a href=(format!("{path}/code.pdf")) { (say(words::PRINT_CODE)) }
        @if link.disabled_at.is_none() && desk.has(Scope::DeskSettle) {
            form .inline method="post" action=(format!("{path}/disable")) {
                (token(desk))
                button .lesser type="submit" { (say(words::DISABLE)) }
            }
        }
    }
}

/// A state in the API's word.
const fn word(state: LinkState) -> &'static str {
    match state {
        LinkState::Active => "active",
        LinkState::UsedUp => "used_up",
        LinkState::Expired => "expired",
        LinkState::Disabled => "disabled",
    }
}
