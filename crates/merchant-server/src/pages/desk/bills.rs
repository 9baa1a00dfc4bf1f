//! `/desk/bills`: a day's bill of WeChat beside the ledger, with the differences.

use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use jiff::ToSpan as _;
use maud::html;
use merchant_api::BillDifference;
use merchant_core::Refusal;
use merchant_core::bills::{self, ComparedBill, DAY_RULE, read_day};
use merchant_core::orders::desk::day_of;

use super::address::BILLS as PATH;
use super::figure::money;
use super::frame::{Frame, facts, page as framed, table};
use super::patience::within;
use super::problem::problem;
use super::session::Desk;
use super::words;
use crate::error::Failure;
use crate::extract::{PathText, query};

/// How many days are offered. WeChat keeps bills for three months.
const DAYS: i64 = 30;
/// How many differences a page shows.
const SHOWN_MAX: usize = 200;
/// How long a page waits for WeChat's bill, in milliseconds.
const PATIENCE_MS: i64 = 60_000;

/// `GET /desk/bills?day`: the days; with one, goes to it.
pub(super) async fn list(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, Response> {
    let asked = asked_day(&query.unwrap_or_default()).map_err(|refusal| desk.refused(refusal))?;
    if let Some(day) = asked {
        return Ok(Redirect::to(&format!("{PATH}/{day}")).into_response());
    }
    let say = |sentence| desk.view.language.say(sentence);
    let today = day_of(desk.payments().clock().now_ms());
    let days = (1..=DAYS).map(|back| today.saturating_sub(back.days()));
    let content = html! {
        h1 { (say(words::BILLS)) }
        form .card .filters method="get" action=(PATH) {
            div { label for="day" { (say(words::DAY)) } input #day name="day" type="date" required; }
            div { button type="submit" { (say(words::COMPARE)) } }
        }
        section .card {
            h2 { (say(words::LAST_DAYS)) }
            p .quiet { (say(words::BILLS_HELP)) }
            ul .days { @for day in days { li { a href=(format!("{PATH}/{day}")) { (day) } } } }
        }
    };
    let frame = Frame::new(say(words::BILLS), PATH);
    Ok(framed(&desk, &frame, &content).into_response())
}

/// `GET /desk/bills/{day}`
pub(super) async fn day(desk: Desk, PathText(day): PathText) -> Result<Response, Response> {
    let date = read_day(&day).ok_or_else(|| desk.refused(Refusal::invalid("day", DAY_RULE)))?;
    let comparing = bills::compare_for_page(desk.payments(), date, None, SHOWN_MAX);
    let Some(compared) = within(&desk, PATIENCE_MS, comparing).await else {
        let status = StatusCode::GATEWAY_TIMEOUT;
        return Err(problem(&desk.view, status, words::BILL_SLOW));
    };
    let compared = compared.map_err(|refusal| desk.refused(refusal))?;
    Ok(shown(&desk, &compared))
}

fn shown(desk: &Desk, compared: &ComparedBill) -> Response {
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    let found = &compared.comparison;
    let title = format!("{} {}", say(words::BILLS), found.day);
    let headings = [
        say(words::KIND),
        "out_trade_no",
        "out_refund_no",
        say(words::HERE),
        say(words::AT_WECHAT),
    ];
    let row = |difference: &BillDifference| {
        let text = |value: &Option<String>| html! { (value.as_deref().unwrap_or("—")) };
        vec![
            html! { code { (difference.kind) } },
            text(&difference.out_trade_no),
            text(&difference.out_refund_no),
            text(&difference.here),
            text(&difference.there),
        ]
    };
    let rows: Vec<_> = found.differences.iter().map(row).collect();
    let content = html! {
        h1 { (title) }
        section .card {
            (facts(&[
                (say(words::PAYMENTS), html! { (money(found.payments.total_fen, language)) " · " (found.payments.count) }),
                (say(words::REFUNDS), html! { (money(found.refunds.total_fen, language)) " · " (found.refunds.count) }),
                (say(words::DIFFERENCES), html! { (compared.differences) }),
            ]))
            @if rows.is_empty() { p .notice .good { (say(words::NO_DIFFERENCE)) } }
            @else {
                p { (say(words::DIFFERENCES_HELP)) }
                (table(say(words::DIFFERENCES), &headings, &rows))
            }
        }
        p { a .button .lesser href=(PATH) { (say(words::BACK)) } }
    };
    framed(desk, &Frame::new(&title, PATH), &content).into_response()
}

fn asked_day(text: &str) -> Result<Option<jiff::civil::Date>, Refusal> {
    let mut day = None;
    for (name, value) in query::parameters(text).map_err(|Failure(refusal)| refusal)? {
        if name != "day" {
            return Err(Refusal::invalid(&name, "is not a parameter of this page"));
        }
        day = Some(read_day(&value).ok_or_else(|| Refusal::invalid("day", DAY_RULE))?);
    }
    Ok(day)
}
