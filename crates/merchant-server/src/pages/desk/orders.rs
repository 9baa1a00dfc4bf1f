//! `/desk/orders`: orders, newest first, by number, state, scene and day. A page begins after the last
//! order of the page before, so new orders move nothing.

use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use merchant_api::{AttemptProduct, OrderList, OrderState, OrderSummary};
use merchant_core::Refusal;
use merchant_core::bills::{DAY_RULE, read_day};
use merchant_core::orders::desk::day_start_ms;
use merchant_core::orders::{self, OrderFilter};
use url::form_urlencoded;

use super::address::{ORDERS as PATH, order_path};
use super::figure::{money, scene, state, time_of};
use super::frame::{Frame, page as framed, table};
use super::session::Desk;
use super::words;
use crate::error::Failure;
use crate::extract::query;

const LIMIT: u32 = 50;
/// The longest number at WeChat has 64 characters.
const SEARCH_MAX_BYTES: usize = 64;

/// What a person looks for, as it was typed.
#[derive(Clone, Debug, Default)]
struct Wanted {
    search: String,
    state: String,
    scene: String,
    day: String,
    before: Option<String>,
}

/// `GET /desk/orders?search&state&scene&day&before`
pub(super) async fn page(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, Response> {
    let listed = async {
        let wanted = read(&query.unwrap_or_default())?;
        let filter = filter(&wanted)?;
        let list = orders::list(desk.payments(), filter, wanted.before.as_deref(), LIMIT).await?;
        Ok((wanted, list))
    };
    let (wanted, list) = listed.await.map_err(|refusal| desk.refused(refusal))?;
    let say = |sentence| desk.view.language.say(sentence);
    let content = html! {
        h1 { (say(words::ORDERS)) }
        (search_form(&desk, &wanted))
        (found(&desk, &list))
        (pager(&desk, &wanted, &list))
    };
    let frame = Frame::new(say(words::ORDERS), PATH);
    Ok(framed(&desk, &frame, &content).into_response())
}

fn read(text: &str) -> Result<Wanted, Refusal> {
    let mut wanted = Wanted::default();
    let parameters = query::parameters(text).map_err(|Failure(refusal)| refusal)?;
    for (name, value) in parameters {
        let value = value.trim().to_owned();
        match &*name {
            "search" => wanted.search = value,
            "state" => wanted.state = value,
            "scene" => wanted.scene = value,
            "day" => wanted.day = value,
            "before" => wanted.before = Some(value),
            _ => return Err(Refusal::invalid(&name, "is not a filter of this list")),
        }
    }
    Ok(wanted)
}

fn filter(wanted: &Wanted) -> Result<OrderFilter, Refusal> {
    let mut filter = OrderFilter::default();
    if !wanted.search.is_empty() {
        let is_number = wanted.search.len() <= SEARCH_MAX_BYTES
            && wanted
                .search
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte));
        if !is_number {
            let rule = r"must be 1 to 64 characters of [0-9a-zA-Z_\-|*@]";
            return Err(Refusal::invalid("search", rule));
        }
        filter.search = Some(wanted.search.clone());
    }
    filter.state = match wanted.state.as_str() {
        "" => None,
        "open" => Some(OrderState::Open),
        "paid" => Some(OrderState::Paid),
        "closed" => Some(OrderState::Closed),
        _ => return Err(Refusal::invalid("state", "must be open, paid or closed")),
    };
    if !wanted.scene.is_empty() {
        let product = AttemptProduct::from_word(&wanted.scene);
        let rule = "must be one of the products";
        filter.product = Some(product.ok_or_else(|| Refusal::invalid("scene", rule))?);
    }
    if !wanted.day.is_empty() {
        let day = read_day(&wanted.day).ok_or_else(|| Refusal::invalid("day", DAY_RULE))?;
        filter.created_from_ms = Some(day_start_ms(day));
        filter.created_to_ms = Some(day.tomorrow().map_or(i64::MAX, day_start_ms));
    }
    Ok(filter)
}

fn search_form(desk: &Desk, wanted: &Wanted) -> Markup {
    let say = |sentence| desk.view.language.say(sentence);
    let states = [
        ("open", words::STATE_OPEN),
        ("paid", words::STATE_PAID),
        ("closed", words::STATE_CLOSED),
    ];
    html! {
        form .card .filters method="get" action=(PATH) role="search" {
            div .wide { label for="search" { (say(words::SEARCH)) }
                input #search name="search" value=(wanted.search) maxlength="64" autocomplete="off" spellcheck="false"; }
            div { label for="state" { (say(words::STATE)) }
                select #state name="state" {
                    option value="" { (say(words::ALL)) }
                    @for (word, name) in states {
                        option value=(word) selected[wanted.state == word] { (say(name)) }
                    }
                } }
            div { label for="scene" { (say(words::SCENE)) }
                select #scene name="scene" {
                    option value="" { (say(words::ALL)) }
                    @for product in AttemptProduct::ALL {
                        option value=(product.as_str()) selected[wanted.scene == product.as_str()] { (say(scene(product))) }
                    }
                } }
            div { label for="day" { (say(words::DAY)) }
                input #day name="day" type="date" value=(wanted.day); }
            div { button type="submit" { (say(words::FIND)) } }
        }
    }
}

fn found(desk: &Desk, list: &OrderList) -> Markup {
    let say = |sentence| desk.view.language.say(sentence);
    if list.orders.is_empty() {
        return html! { p .card .quiet { (say(words::NOTHING_FOUND)) } };
    }
    let language = desk.view.language;
    let headings = [
        say(words::ORDER),
        say(words::AMOUNT),
        say(words::STATE),
        say(words::CREATED_AT),
        say(words::GOODS),
    ];
    let row = |order: &OrderSummary| {
        vec![
            html! { a href=(order_path(order.order_no.as_str())) { (order.order_no) } },
            money(order.total_fen, language),
            state(order_word(order.state), language),
            time_of(&order.created_at),
            html! { (order.description) },
        ]
    };
    let rows: Vec<_> = list.orders.iter().map(row).collect();
    html! { div .card { (table(say(words::ORDERS), &headings, &rows)) } }
}

fn pager(desk: &Desk, wanted: &Wanted, list: &OrderList) -> Markup {
    let say = |sentence| desk.view.language.say(sentence);
    let address = |before: Option<&str>| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("search", &wanted.search),
            ("state", &wanted.state),
            ("scene", &wanted.scene),
            ("day", &wanted.day),
        ];
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        if let Some(before) = before {
            query.append_pair("before", before);
        }
        format!("{PATH}?{}", query.finish())
    };
    html! {
        p .pager {
            @if wanted.before.is_some() { a .button .lesser href=(address(None)) { (say(words::NEWEST)) } }
            @if let Some(before) = &list.next_before {
                a .button .lesser rel="next" href=(address(Some(before.as_str()))) { (say(words::OLDER)) }
            }
        }
    }
}

/// A state in the API's word.
pub(super) const fn order_word(state: OrderState) -> &'static str {
    match state {
        OrderState::Open => "open",
        OrderState::Paid => "paid",
        OrderState::Closed => "closed",
    }
}
