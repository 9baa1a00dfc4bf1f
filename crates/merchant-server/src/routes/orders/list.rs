//! The private side, reading: one order with its attempts, and orders page by page.

use axum::Json;
use axum::extract::{RawQuery, State};
use jiff::Timestamp;
use merchant_api::{ORDER_NO_MAX, OrderDetails, OrderList, OrderState, OrderSummary};

use crate::config::Scope;
use crate::error::Failure;
use crate::extract::{Backend, PathText, query};
use crate::ledger::{Order, OrderFilter, timestamp};
use crate::orders;
use crate::orders::details;
use crate::payments::MerchantServer;

/// `GET /v1/orders/{order_no}`
pub(crate) async fn get_order(
    State(server): State<MerchantServer>,
    backend: Backend,
    PathText(order_no): PathText,
) -> Result<Json<OrderDetails>, Failure> {
    backend.may(Scope::OrdersRead)?;
    let order = orders::find(&server, &order_no).await?.order;
    let attempts = server.ledger.attempts(order.id).await?;
    let refunds = server.ledger.refunds(order.id).await?;
    Ok(Json(details(&server.config, order, attempts, refunds)))
}

/// `GET /v1/orders?state&created_from&created_to&order_no_prefix&sub_mchid&limit&before`
pub(crate) async fn list_orders(
    State(server): State<MerchantServer>,
    backend: Backend,
    RawQuery(query): RawQuery,
) -> Result<Json<OrderList>, Failure> {
    backend.may(Scope::OrdersRead)?;
    let Wanted {
        mut filter,
        before,
        limit,
    } = read_query(&query.unwrap_or_default())?;
    if let Some(before) = before {
        let last_seen = server.ledger.checkout_by_order_no(&before).await?;
        let last_seen = last_seen.ok_or_else(|| Failure::invalid("before", "names no order"))?;
        filter.before_id = Some(last_seen.order.id);
    }
    let mut orders = server.ledger.orders(&filter, limit + 1).await?;
    Ok(Json(OrderList {
        next_before: query::cut(&mut orders, limit).map(|order| order.order_no.clone()),
        orders: orders.into_iter().map(summary).collect(),
    }))
}

struct Wanted {
    filter: OrderFilter,
    before: Option<String>,
    limit: u32,
}

fn read_query(query: &str) -> Result<Wanted, Failure> {
    let mut wanted = Wanted {
        filter: OrderFilter::default(),
        before: None,
        limit: query::LIMIT_DEFAULT,
    };
    for (name, value) in query::parameters(query)? {
        match &*name {
            "state" => wanted.filter.state = Some(read_state(&value)?),
            "created_from" => wanted.filter.created_from_ms = Some(read_time(&name, &value)?),
            "created_to" => wanted.filter.created_to_ms = Some(read_time(&name, &value)?),
            "order_no_prefix" => wanted.filter.order_no_prefix = Some(read_prefix(&value)?),
            "sub_mchid" => wanted.filter.sub_mchid = Some(read_sub_mchid(&value)?),
            "before" => wanted.before = Some(value.into_owned()),
            "limit" => wanted.limit = query::limit(&value)?,
            _ => return Err(Failure::invalid(&name, "is not a parameter of this list")),
        }
    }
    Ok(wanted)
}

fn read_state(word: &str) -> Result<OrderState, Failure> {
    match word {
        "open" => Ok(OrderState::Open),
        "paid" => Ok(OrderState::Paid),
        "closed" => Ok(OrderState::Closed),
        _ => Err(Failure::invalid("state", "must be open, paid or closed")),
    }
}

fn read_time(name: &str, text: &str) -> Result<i64, Failure> {
    text.parse::<Timestamp>()
        .map(Timestamp::as_millisecond)
        .map_err(|_| Failure::invalid(name, "must be a time of RFC 3339, such as 2026-11-21T00:00:00+08:00 (with + written as %2B)"))
}

fn read_prefix(text: &str) -> Result<String, Failure> {
    let is_prefix = (1..=ORDER_NO_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte));
    if is_prefix {
        return Ok(text.to_owned());
    }
    Err(Failure::invalid(
        "order_no_prefix",
        r"must be 1 to 32 characters of [0-9a-zA-Z_\-|*]",
    ))
}

/// A merchant number by its form alone: a sub-merchant that is configured no longer has orders still.
fn read_sub_mchid(text: &str) -> Result<String, Failure> {
    let is_number =
        (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        return Ok(text.to_owned());
    }
    Err(Failure::invalid("sub_mchid", "must be 1 to 32 digits"))
}

fn summary(order: Order) -> OrderSummary {
    OrderSummary {
        order_no: order.order_no,
        state: order.state,
        total_fen: order.total_fen,
        description: order.description,
        sub_mchid: order.sub_mchid,
        created_at: timestamp(order.created_ms),
        success_time: order.success_time,
    }
}
