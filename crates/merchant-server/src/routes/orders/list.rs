//! `GET /v1/orders`: lists orders page by page, filtered by the query parameters.

use axum::Json;
use axum::extract::RawQuery;
use jiff::Timestamp;
use merchant_api::{ORDER_NO_MAX, OrderList, OrderState};
use merchant_core::config::Scope;
use merchant_core::orders::links::is_link_id;
use merchant_core::orders::{self, OrderFilter};
use payment_values::{InvalidField, OutTradeNo, TransactionId};

use crate::error::Failure;
use crate::extract::{Backend, query};

/// `GET /v1/orders?state&created_from&created_to&order_no_prefix&sub_mchid&transaction_id&out_trade_no&link_id&limit&before`
pub(crate) async fn list_orders(
    backend: Backend,
    RawQuery(query): RawQuery,
) -> Result<Json<OrderList>, Failure> {
    let payments = backend.may(Scope::OrdersRead)?;
    let ListParameters {
        filter,
        before,
        limit,
    } = read_query(&query.unwrap_or_default())?;
    let orders = orders::list(payments, filter, before.as_deref(), limit).await?;
    Ok(Json(orders))
}

struct ListParameters {
    filter: OrderFilter,
    before: Option<String>,
    limit: u32,
}

fn read_query(query: &str) -> Result<ListParameters, Failure> {
    let mut parameters = ListParameters {
        filter: OrderFilter::default(),
        before: None,
        limit: query::LIMIT_DEFAULT,
    };
    for (name, value) in query::parameters(query)? {
        match &*name {
            "state" => parameters.filter.state = Some(read_state(&value)?),
            "created_from" => parameters.filter.created_from_ms = Some(read_time(&name, &value)?),
            "created_to" => parameters.filter.created_to_ms = Some(read_time(&name, &value)?),
            "order_no_prefix" => parameters.filter.order_no_prefix = Some(read_prefix(&value)?),
            "sub_mchid" => parameters.filter.sub_mchid = Some(read_sub_mchid(&value)?),
            "transaction_id" => {
                let id = TransactionId::parse(value).map_err(|error| broken(&name, &error))?;
                parameters.filter.transaction_id = Some(id);
            }
            "out_trade_no" => {
                let number = OutTradeNo::parse(value).map_err(|error| broken(&name, &error))?;
                parameters.filter.out_trade_no = Some(number);
            }
            "link_id" => parameters.filter.link_id = Some(read_link_id(value.into_owned())?),
            "before" => parameters.before = Some(value.into_owned()),
            "limit" => parameters.limit = query::limit(&value)?,
            _ => return Err(Failure::invalid(&name, "is not a parameter of this list")),
        }
    }
    Ok(parameters)
}

fn read_state(word: &str) -> Result<OrderState, Failure> {
    match word {
        "open" => Ok(OrderState::Open),
        "paid" => Ok(OrderState::Paid),
        "closed" => Ok(OrderState::Closed),
        _ => Err(Failure::invalid("state", "must be open, paid or closed")),
    }
}

fn broken(name: &str, error: &InvalidField) -> Failure {
    Failure::invalid(name, &error.rule.to_string())
}

pub(crate) fn read_time(name: &str, text: &str) -> Result<i64, Failure> {
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

fn read_link_id(text: String) -> Result<String, Failure> {
    if is_link_id(&text) {
        return Ok(text);
    }
    Err(Failure::invalid(
        "link_id",
        "must be the id of a payment link",
    ))
}

/// Checks only the form of a merchant number: a sub-merchant that is no longer configured still has
/// orders.
pub(crate) fn read_sub_mchid(text: &str) -> Result<String, Failure> {
    let is_number =
        (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        return Ok(text.to_owned());
    }
    Err(Failure::invalid("sub_mchid", "must be 1 to 32 digits"))
}
