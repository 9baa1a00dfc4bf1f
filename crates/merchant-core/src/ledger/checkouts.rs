//! Orders with their current attempt: created, found, listed and closed.

use const_format::formatcp;
use ledger_database::{QueryAs, query, query_as, query_scalar};
use merchant_api::{AttemptProduct, OrderState, WebhookEvent};
use payment_values::{Fen, OpenId, OrderNo, OutTradeNo, TransactionId};

use super::attempts::{self, Attempt};
use super::orders::{COLUMNS, Order, find, order_data};
use super::{
    Ledger, LedgerError, LinkOver, LinkUse, NewSubOrder, Wait, Work, Write, orders, outbox,
    payment_links, schedule, signed, sub_orders,
};

/// Which orders to list. A field that is `None` does not filter.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// Only orders in this state.
    pub state: Option<OrderState>,
    /// Only orders created at this moment or later.
    pub created_from_ms: Option<i64>,
    /// The end of the range, exclusive.
    pub created_to_ms: Option<i64>,
    /// Only orders whose `order_no` begins with this text.
    pub order_no_prefix: Option<String>,
    /// Only orders for this sub-merchant, or with a sub-order for it.
    pub sub_mchid: Option<String>,
    /// Only orders with an attempt by this product.
    pub product: Option<AttemptProduct>,
    /// Only orders whose `order_no` begins with this text, or that have an attempt whose
    /// `out_trade_no` or `transaction_id`, or that of a sub-order in it, is this text.
    pub search: Option<String>,
    /// Only the order with this payment, or with this payment of a sub-order, by WeChat's number.
    pub transaction_id: Option<TransactionId>,
    /// Only the order with this attempt, or with this sub-order in an attempt, by its number at WeChat.
    pub out_trade_no: Option<OutTradeNo>,
    /// Only orders that this payment link made.
    pub link_id: Option<String>,
    /// Only orders created before this one.
    pub(crate) before_id: Option<i64>,
}

/// The conditions of an [`OrderFilter`] without its numbers at WeChat, and the order of the list.
const FILTER: &str = "merchant = ?8
    AND (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR created_ms >= ?2)
    AND (?3 IS NULL OR created_ms < ?3) AND (?4 IS NULL OR id < ?4)
    AND (?5 IS NULL OR substr(order_no, 1, length(?5)) = ?5)
    AND (?6 IS NULL OR sub_mchid = ?6
         OR id IN (SELECT order_id FROM sub_orders WHERE merchant = ?8 AND sub_mchid = ?6))
    AND (?9 IS NULL OR EXISTS (SELECT 1 FROM attempts WHERE order_id = orders.id AND product = ?9))
    AND (?10 IS NULL OR substr(order_no, 1, length(?10)) = ?10
         OR id IN (SELECT order_id FROM attempts WHERE merchant = ?8 AND out_trade_no = ?10)
         OR id IN (SELECT order_id FROM attempts WHERE merchant = ?8 AND transaction_id = ?10)
         OR id IN (SELECT order_id FROM sub_payments WHERE merchant = ?8 AND out_trade_no = ?10)
         OR id IN (SELECT order_id FROM sub_payments WHERE merchant = ?8 AND transaction_id = ?10))
    ORDER BY id DESC LIMIT ?7";

/// The order of the merchant `?1` with WeChat's number `?2` of a payment.
const BY_TRANSACTION: &str =
    "SELECT order_id FROM attempts WHERE merchant = ?1 AND transaction_id = ?2
    UNION SELECT order_id FROM sub_payments WHERE merchant = ?1 AND transaction_id = ?2";

/// The same with the number `?2` at WeChat.
const BY_NUMBER: &str = "SELECT order_id FROM attempts WHERE merchant = ?1 AND out_trade_no = ?2
    UNION SELECT order_id FROM sub_payments WHERE merchant = ?1 AND out_trade_no = ?2";

/// The same with the number `?3`.
const BY_THIRD_NUMBER: &str =
    "SELECT order_id FROM attempts WHERE merchant = ?1 AND out_trade_no = ?3
    UNION SELECT order_id FROM sub_payments WHERE merchant = ?1 AND out_trade_no = ?3";

/// What the numbers at WeChat of a filter name.
enum Named {
    /// The filter has no such number.
    Any,
    /// The order with this id.
    Order(i64),
    /// No order.
    No,
}

/// An order and its current attempt, read in one transaction.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The order.
    pub order: Order,
    pub(crate) attempt: Option<Attempt>,
}

impl Checkout {
    /// The handle that a page finds in its address when the buyer returns from the current
    /// attempt; empty if there is none.
    pub fn return_handle(&self) -> &str {
        let attempt = self.attempt.as_ref();
        attempt.map_or("", |attempt| &attempt.return_handle)
    }
}

/// A new order.
#[derive(Clone, Debug)]
pub(crate) struct NewOrder {
    pub(crate) order_no: OrderNo,
    pub(crate) token: String,
    /// The create request in one canonical form, to compare a repeated request.
    pub(crate) request: String,
    /// The address that gets WeChat's notification of the payment, if the order names one.
    pub(crate) notify_url: Option<String>,
    pub(crate) total_fen: Fen,
    pub(crate) description: String,
    /// The name of who is paid, if the order names one.
    pub(crate) payee: Option<String>,
    pub(crate) openid: Option<OpenId>,
    /// Partner mode: the openid is one of the sub-merchant's application.
    pub(crate) openid_is_sub: bool,
    /// Partner mode: the sub-merchant that the order is for.
    pub(crate) sub_mchid: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) success_url: Option<String>,
    pub(crate) products: Vec<AttemptProduct>,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: i64,
    /// The use of a payment link that the order takes.
    pub(crate) link_use: Option<LinkUse>,
    /// The sub-orders of a combined order; none of an ordinary one.
    pub(crate) sub_orders: Vec<NewSubOrder>,
}

/// The result of creating an order.
#[derive(Clone, Debug)]
pub(crate) enum Created {
    /// The order was created.
    New(Order),
    /// The same order existed already.
    Same(Order),
    /// The number is in use with other values, or by an attempt of another order.
    NumberUsed,
    /// Its payment link makes no order any more.
    LinkOver(LinkOver),
}

impl Ledger {
    /// Creates an order, or finds the same one.
    pub(crate) async fn create_order(&self, new: &NewOrder) -> Result<Created, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            orders::lock_number(&mut write, new.order_no.as_str()).await?;
            let found: Option<Order> = query_as(formatcp!(
                "SELECT {COLUMNS} FROM orders WHERE merchant = ? AND order_no = ?"
            ))
            .bind(self.merchant)
            .bind(&new.order_no)
            .fetch_optional(&mut write)
            .await?;
            if let Some(order) = found {
                // It may be part of a commit that is not done yet: no caller acts on it before.
                write.commit().await?;
                let is_same = order.request == new.request && order.notify_url == new.notify_url;
                return Ok(if is_same {
                    Created::Same(order)
                } else {
                    Created::NumberUsed
                });
            }
            // The first attempt will go to WeChat under this number.
            let number = new.order_no.clone().into();
            if attempts::is_number_used(self.merchant, &mut write, &number).await? {
                return Ok(Created::NumberUsed);
            }
            if let Some(taken) = &new.link_use
                && let Some(over) =
                    payment_links::take_use(&mut write, taken, new.created_ms).await?
            {
                return Ok(Created::LinkOver(over));
            }
            let order = insert(&mut write, new).await?;
            sub_orders::insert(&mut write, order.id, &new.sub_orders).await?;
            schedule::schedule(
                &mut write,
                Work::EndOrder,
                &order.id.to_string(),
                Wait {
                    from_ms: new.created_ms,
                    to_ms: new.expires_ms,
                },
            )
            .await?;
            write.commit().await?;
            Ok(Created::New(order))
        })
        .await
    }

    /// The checkout of a token.
    pub(crate) async fn checkout_by_token(
        &self,
        token: &str,
    ) -> Result<Option<Checkout>, LedgerError> {
        self.checkout_where(
            query_as(formatcp!(
                "SELECT {COLUMNS} FROM orders WHERE token = ? AND merchant = ?"
            ))
            .bind(token)
            .bind(self.merchant),
        )
        .await
    }

    /// The checkout of a merchant's order number. Any text may be given; most texts are no order's
    /// number.
    pub(crate) async fn checkout_by_order_no(
        &self,
        order_no: &str,
    ) -> Result<Option<Checkout>, LedgerError> {
        self.checkout_where(
            query_as(formatcp!(
                "SELECT {COLUMNS} FROM orders WHERE merchant = ? AND order_no = ?"
            ))
            .bind(self.merchant)
            .bind(order_no),
        )
        .await
    }

    /// The checkout of an order that was read before.
    pub(crate) async fn checkout(&self, order_id: i64) -> Result<Option<Checkout>, LedgerError> {
        self.checkout_where(
            query_as(formatcp!("SELECT {COLUMNS} FROM orders WHERE id = ?")).bind(order_id),
        )
        .await
    }

    /// Orders, newest first.
    pub(crate) async fn orders(
        &self,
        filter: &OrderFilter,
        limit: u32,
    ) -> Result<Vec<Order>, LedgerError> {
        let only_id = match self.named_order(filter).await? {
            Named::No => return Ok(Vec::new()),
            Named::Order(id) => Some(id),
            Named::Any => None,
        };
        // One order is found by its id, and those of a link by the link. Any other list is read along the
        // merchant's orders.
        let select = if only_id.is_some() {
            query_as(formatcp!(
                "SELECT {COLUMNS} FROM orders WHERE id = ?11 AND {FILTER}"
            ))
        } else if filter.link_id.is_some() {
            query_as(formatcp!(
                "SELECT {COLUMNS} FROM orders WHERE link_id = ?11 AND {FILTER}"
            ))
        } else {
            query_as(formatcp!("SELECT {COLUMNS} FROM orders WHERE {FILTER}"))
        };
        let select = select
            .bind(filter.state.map(state_word))
            .bind(filter.created_from_ms)
            .bind(filter.created_to_ms)
            .bind(filter.before_id)
            .bind(&filter.order_no_prefix)
            .bind(&filter.sub_mchid)
            .bind(limit)
            .bind(self.merchant)
            .bind(filter.product.map(AttemptProduct::as_str))
            .bind(&filter.search);
        let select = match (only_id, &filter.link_id) {
            (Some(id), _) => select.bind(id),
            (None, Some(link_id)) => select.bind(link_id),
            (None, None) => select,
        };
        let mut found: Vec<Order> = select.fetch_all(self.readers.scan()).await?;
        found.retain(|order| filter.link_id.is_none() || order.link_id == filter.link_id);
        Ok(found)
    }

    /// The order that the numbers of a filter name. Two numbers must name the same one.
    async fn named_order(&self, filter: &OrderFilter) -> Result<Named, LedgerError> {
        let OrderFilter {
            transaction_id,
            out_trade_no,
            ..
        } = filter;
        let found: Option<i64> = match (transaction_id, out_trade_no) {
            (None, None) => return Ok(Named::Any),
            (Some(id), None) => {
                query_scalar(formatcp!(
                    "SELECT order_id FROM ({BY_TRANSACTION}) AS by_transaction"
                ))
                .bind(self.merchant)
                .bind(id)
                .fetch_optional(&self.readers)
                .await?
            }
            (None, Some(number)) => {
                query_scalar(formatcp!("SELECT order_id FROM ({BY_NUMBER}) AS by_number"))
                    .bind(self.merchant)
                    .bind(number)
                    .fetch_optional(&self.readers)
                    .await?
            }
            (Some(id), Some(number)) => {
                query_scalar(formatcp!(
                    "SELECT order_id FROM ({BY_TRANSACTION}) AS by_transaction
                     WHERE order_id IN (SELECT order_id FROM ({BY_THIRD_NUMBER}) AS by_number)"
                ))
                .bind(self.merchant)
                .bind(id)
                .bind(number)
                .fetch_optional(&self.readers)
                .await?
            }
        };
        Ok(found.map_or(Named::No, Named::Order))
    }

    async fn checkout_where(
        &self,
        found: QueryAs<'_, Order>,
    ) -> Result<Option<Checkout>, LedgerError> {
        let mut read = self.readers.snapshot().await?;
        let Some(order) = found.fetch_optional(&mut read).await? else {
            return Ok(None);
        };
        let attempt = attempts::find(&mut read, order.id, order.current_attempt).await?;
        Ok(Some(Checkout { order, attempt }))
    }

    /// Records the merchant's close request. From then on no attempt starts, and due work closes
    /// the order even if this process ends before.
    pub(crate) async fn begin_closing(
        &self,
        order_id: i64,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            let changed = query(
                "UPDATE orders SET is_closing = 1, version = version + 1
                 WHERE id = ? AND state = 'open' AND is_closing = 0",
            )
            .bind(order_id)
            .execute(&mut write)
            .await?;
            schedule::schedule(
                &mut write,
                Work::EndOrder,
                &order_id.to_string(),
                Wait::over(now_ms),
            )
            .await?;
            write.commit().await?;
            if changed > 0 {
                self.changes.announce(order_id);
            }
            Ok(())
        })
        .await
    }

    /// Closes an open order, if `attempt` is still its current one and that attempt has ended:
    /// after that, only a late payment can come. Returns whether the order is closed now.
    pub(crate) async fn close_order(
        &self,
        order_id: i64,
        attempt: u64,
        now_ms: i64,
    ) -> Result<bool, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            let changed = query(
                "UPDATE orders SET state = 'closed', is_closing = 0, version = version + 1
                 WHERE id = ?1 AND state = 'open' AND current_attempt = ?2
                   AND NOT EXISTS (SELECT 1 FROM attempts
                                   WHERE order_id = ?1 AND state IN ('prepared', 'open'))",
            )
            .bind(order_id)
            .bind(signed(attempt))
            .execute(&mut write)
            .await?;
            let is_closed = changed > 0;
            if is_closed {
                schedule::forget_order(&mut write, order_id).await?;
                if let Some(order) = find(&mut write, order_id).await? {
                    let event = WebhookEvent::OrderClosed(order_data(&order));
                    outbox::put(&mut write, event, order.order_no.as_str(), now_ms).await?;
                }
            }
            write.commit().await?;
            if is_closed {
                self.changes.announce(order_id);
            }
            Ok(is_closed)
        })
        .await
    }
}

async fn insert(write: &mut Write, new: &NewOrder) -> Result<Order, LedgerError> {
    let order = query_as(formatcp!(
        "INSERT INTO orders (merchant, order_no, token, request, total_fen, description, openid,
                             openid_is_sub, sub_mchid, return_url, success_url, products,
                             created_ms, expires_ms, notify_url, link_id, note, payee)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING {COLUMNS}"
    ))
    .bind(write.merchant())
    .bind(&new.order_no)
    .bind(&new.token)
    .bind(&new.request)
    .bind(new.total_fen)
    .bind(&new.description)
    .bind(&new.openid)
    .bind(new.openid_is_sub)
    .bind(&new.sub_mchid)
    .bind(&new.return_url)
    .bind(&new.success_url)
    .bind(write_products(&new.products))
    .bind(new.created_ms)
    .bind(new.expires_ms)
    .bind(&new.notify_url)
    .bind(new.link_use.as_ref().map(|taken| &*taken.link_id))
    .bind(
        new.link_use
            .as_ref()
            .and_then(|taken| taken.note.as_deref()),
    )
    .bind(&new.payee)
    .fetch_one(&mut *write)
    .await?;
    Ok(order)
}

/// A state as the column `state` stores it.
pub(crate) const fn state_word(state: OrderState) -> &'static str {
    match state {
        OrderState::Open => "open",
        OrderState::Paid => "paid",
        OrderState::Closed => "closed",
    }
}

fn write_products(products: &[AttemptProduct]) -> String {
    let words: Vec<_> = products.iter().map(|product| product.as_str()).collect();
    words.join(",")
}
