//! Creates, closes and shows orders for the merchant's own backend. Showing an order does not
//! change it.

mod creation;
pub mod desk;
pub mod exports;
pub mod links;
pub mod product_codes;
pub mod sharing;
pub mod shipping;

pub use creation::{TOTAL_MAX_FEN, create, create_with_notify_url};
use merchant_api::{CheckoutAnswer, ErrorCode, OrderDetails, OrderList, OrderState, OrderSummary};

pub use crate::checkouts::Payers;
use crate::checkouts::{answer, find_by_order_no, order_details};
use crate::config::Config;
pub use crate::ledger::OrderFilter;
use crate::ledger::{Ledger, LedgerError, Order, cut, timestamp};
use crate::payments::{Payments, Queue};
use crate::refusal::Refusal;
use crate::{due_work, query};

/// Closes an order that is not paid, and returns its state after that.
pub async fn close(payments: &Payments, order_no: &str) -> Result<CheckoutAnswer, Refusal> {
    let order = find_by_order_no(payments, order_no).await?.order;
    let _lock = payments.lock_order(order.id, Queue::Backend).await?;
    let checkout = find_by_order_no(payments, order_no).await?;
    if checkout.order.state == OrderState::Open {
        // Recorded first: if WeChat's answer is not certain yet, due work completes it.
        payments
            .ledger
            .begin_closing(order.id, payments.clock.now_ms())
            .await?;
        due_work::close_now(payments, &checkout).await?;
    }
    let checkout = find_by_order_no(payments, order_no).await?;
    match checkout.order.state {
        OrderState::Paid => Err(Refusal::new(
            ErrorCode::OrderPaid,
            "the order is paid, so it cannot be closed",
        )),
        OrderState::Closed => Ok(answer(payments, &checkout, None)),
        OrderState::Open => Err(Refusal::in_doubt("the order is being closed", None)),
    }
}

/// An order with its attempts and refunds.
pub async fn show(
    payments: &Payments,
    order_no: &str,
    payers: Payers,
) -> Result<OrderDetails, Refusal> {
    let order = find_by_order_no(payments, order_no).await?.order;
    let attempts = payments.ledger.attempts(order.id).await?;
    let refunds = payments.ledger.refunds(order.id).await?;
    let shippings = payments.ledger.shippings(order.id).await?;
    let sub_orders = payments.ledger.sub_orders(order.id).await?;
    let config = &payments.config;
    Ok(order_details(
        config,
        order,
        attempts,
        refunds,
        shippings,
        &sub_orders,
        payers,
    ))
}

/// The same after a query at WeChat, unless WeChat was queried a moment ago. Without WeChat's answer
/// the state is in doubt.
pub async fn show_after_query(
    payments: &Payments,
    order_no: &str,
) -> Result<OrderDetails, Refusal> {
    let order = find_by_order_no(payments, order_no).await?.order;
    if order.state == OrderState::Open {
        let _lock = payments.lock_order(order.id, Queue::Backend).await?;
        // The previous holder of the lock may have queried.
        let checkout = find_by_order_no(payments, order_no).await?;
        query::query_unless_recent(payments, &checkout).await?;
    }
    show(payments, order_no, Payers::Hidden).await
}

/// Orders, newest first. `before` is the number of the last order that was seen.
pub async fn list(
    payments: &Payments,
    mut filter: OrderFilter,
    before: Option<&str>,
    limit: u32,
) -> Result<OrderList, Refusal> {
    if let Some(before) = before {
        let last_seen = payments.ledger.checkout_by_order_no(before).await?;
        let last_seen = last_seen.ok_or_else(|| Refusal::invalid("before", "names no order"))?;
        filter.before_id = Some(last_seen.order.id);
    }
    let mut orders = payments.ledger.orders(&filter, limit + 1).await?;
    Ok(OrderList {
        next_before: cut(&mut orders, limit).map(|order| order.order_no.clone()),
        orders: orders.into_iter().map(summary).collect(),
    })
}

/// An order in the private API's form, as JSON, for the command line; `None` if there is none.
pub async fn show_order(config: &Config, order_no: &str) -> Result<Option<String>, LedgerError> {
    let ledger = Ledger::open_as_it_is(config).await?;
    let Some(checkout) = ledger.checkout_by_order_no(order_no).await? else {
        return Ok(None);
    };
    let attempts = ledger.attempts(checkout.order.id).await?;
    let refunds = ledger.refunds(checkout.order.id).await?;
    let shippings = ledger.shippings(checkout.order.id).await?;
    let sub_orders = ledger.sub_orders(checkout.order.id).await?;
    let shown = order_details(
        config,
        checkout.order,
        attempts,
        refunds,
        shippings,
        &sub_orders,
        // A terminal is read by more people than a backend.
        Payers::Hidden,
    );
    // The order has only texts and numbers, which JSON can always carry.
    Ok(Some(
        serde_json::to_string_pretty(&shown).unwrap_or_default(),
    ))
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
