//! Orders: what the merchant's backend created, and their state.

use const_format::formatcp;
use ledger_database::{Executor, Query, query, query_as, query_scalar, row};
use merchant_api::{AttemptProduct, CreateOrder, OrderData, OrderState};
use payment_values::{Fen, OpenId, OrderNo};

use super::column::{Word, Words};
use super::{Ledger, LedgerError, Write};

/// The shortest time between two queries about an order, however many pages wait. WeChat recommends
/// this interval for a desktop page with a code.
pub(crate) const QUERY_INTERVAL_MS: i64 = 2_000;

/// The columns of [`Order`]. They are named one by one, because a table may get more columns while
/// a prepared statement is in use.
pub(super) const COLUMNS: &str =
    "id, order_no, token, total_fen, description, openid, openid_is_sub, sub_mchid,
    return_url, success_url, products, created_ms, expires_ms, state, is_closing, version,
    current_attempt, asked_ms, checked_ms, payer_total_fen, success_time, refunded_fen, request, notify_url,
    link_id, note, payee, shown_ms";

/// The longest that a query takes, in milliseconds: two queries that overlap were sent within this
/// time.
const CALL_MAX_MS: i64 = 20_000;

/// An order in the ledger.
#[derive(Clone, Debug)]
pub struct Order {
    pub(crate) id: i64,
    /// The merchant's number.
    pub order_no: OrderNo,
    /// The token that names the order in a page's calls.
    pub token: String,
    /// The amount that the buyer has to pay.
    pub total_fen: Fen,
    /// The description of the purchase.
    pub description: String,
    pub(crate) openid: Option<OpenId>,
    /// Partner mode: the openid is one of the sub-merchant's application.
    pub(crate) openid_is_sub: bool,
    /// Partner mode: the sub-merchant that the order is for.
    pub(crate) sub_mchid: Option<String>,
    pub(crate) return_url: Option<String>,
    /// The address that the buyer is sent to after paying.
    pub success_url: Option<String>,
    pub(crate) products: Vec<AttemptProduct>,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: i64,
    pub(crate) state: OrderState,
    /// The order is to be closed, and due work completes that.
    pub is_closing: bool,
    pub(crate) version: u64,
    /// The number of the newest attempt; 0: none yet.
    pub current_attempt: u64,
    /// When WeChat was last queried, whether it answered or not.
    pub(crate) queried_ms: Option<i64>,
    /// When the last query was sent that WeChat answered.
    pub(crate) checked_ms: Option<i64>,
    /// The amount that the payer paid, if coupons reduced it.
    pub payer_total_fen: Option<Fen>,
    pub(crate) success_time: Option<String>,
    /// The sum of the succeeded refunds of the payment that settled the order.
    pub refunded_fen: Fen,
    /// The create request in one canonical form, to compare a repeated request.
    pub(crate) request: String,
    /// The address that gets WeChat's notification of the payment, if the order names one.
    pub(crate) notify_url: Option<String>,
    /// The payment link that made the order.
    pub(crate) link_id: Option<String>,
    /// What the buyer wrote on the link's page.
    pub(crate) note: Option<String>,
    /// The name of who is paid, if the order names one.
    pub(crate) payee: Option<String>,
    /// When a page showed the order for the first time before anybody began to pay.
    pub(crate) shown_ms: Option<i64>,
}

row! {
    Order {
        id,
        order_no,
        token,
        total_fen,
        description,
        openid,
        openid_is_sub,
        sub_mchid,
        return_url,
        success_url,
        products as Words<AttemptProduct>,
        created_ms,
        expires_ms,
        state as Word<OrderState>,
        is_closing,
        version,
        current_attempt,
        queried_ms = "asked_ms",
        checked_ms,
        payer_total_fen,
        success_time,
        refunded_fen,
        request,
        notify_url,
        link_id,
        note,
        payee,
        shown_ms,
    }
}

impl Order {
    /// The stored create request; `None` if this version cannot read it.
    pub(crate) fn creation_request(&self) -> Option<CreateOrder> {
        serde_json::from_str(&self.request).ok()
    }

    /// Whether the order was made for profit sharing: WeChat holds the money of its payment.
    pub(crate) fn is_for_sharing(&self) -> bool {
        let request = self.creation_request();
        let settle_info = request.and_then(|request| request.settle_info);
        settle_info.and_then(|info| info.profit_sharing) == Some(true)
    }

    /// Whether it is a combined order (合单支付): the buyer pays several sub-orders at once.
    pub(crate) fn is_combined(&self) -> bool {
        let request = self.creation_request();
        request.is_some_and(|request| request.sub_orders.is_some())
    }

    /// The applications that the order names.
    pub(crate) fn appids(&self) -> Vec<String> {
        let request = self.creation_request();
        request
            .and_then(|request| request.appids)
            .unwrap_or_default()
    }
}

impl Ledger {
    /// Records that WeChat is being queried about the order.
    pub(crate) async fn note_query(&self, order_id: i64, at_ms: i64) -> Result<(), LedgerError> {
        let statement = query("UPDATE orders SET asked_ms = ? WHERE id = ?")
            .bind(at_ms)
            .bind(order_id);
        self.execute(statement).await?;
        Ok(())
    }

    /// The same, unless it was queried a moment ago, here or by another server. Returns whether it was
    /// recorded.
    pub(crate) async fn claim_query(
        &self,
        order_id: i64,
        now_ms: i64,
    ) -> Result<bool, LedgerError> {
        Ok(self.execute(claim(order_id, now_ms)).await? > 0)
    }

    /// Records that WeChat answered the query sent at `queried_ms`. The order's version does not
    /// change.
    pub(crate) async fn note_answer(
        &self,
        order_id: i64,
        queried_ms: i64,
    ) -> Result<(), LedgerError> {
        self.execute(checked(order_id, queried_ms)).await?;
        Ok(())
    }
}

/// Records that WeChat is being queried about an order, unless it was queried a moment ago. Returns
/// whether it was recorded. A time in the future means that the clock was set back; it is
/// ignored.
///
/// An order that another transaction changes at this moment is passed over. The caller holds a row of
/// work, and that transaction may want to delete it: waiting for each other would be a deadlock.
pub(super) async fn claim_query(
    write: &mut Write,
    order_id: i64,
    now_ms: i64,
) -> Result<bool, LedgerError> {
    let free = query_scalar::<i64>("SELECT id FROM orders WHERE id = ?")
        .bind(order_id)
        .for_update_of_free()
        .fetch_optional(&mut *write)
        .await?;
    if free.is_none() {
        return Ok(false);
    }
    let claimed = claim(order_id, now_ms).execute(&mut *write).await?;
    Ok(claimed > 0)
}

/// Changes the order if it was not queried a moment ago.
fn claim(order_id: i64, now_ms: i64) -> Query<'static> {
    query(
        "UPDATE orders SET asked_ms = ?1
         WHERE id = ?2 AND (asked_ms IS NULL OR asked_ms <= ?1 - ?3 OR asked_ms > ?1)",
    )
    .bind(now_ms)
    .bind(order_id)
    .bind(QUERY_INTERVAL_MS)
}

/// See [`Ledger::note_answer`]. A later time is kept, unless the clock was ahead then and has been
/// set back.
pub(super) fn checked(order_id: i64, queried_ms: i64) -> Query<'static> {
    query(
        "UPDATE orders SET checked_ms = CASE
             WHEN checked_ms BETWEEN ?1 AND ?1 + ?2 THEN checked_ms ELSE ?1 END
         WHERE id = ?3",
    )
    .bind(queried_ms)
    .bind(CALL_MAX_MS)
    .bind(order_id)
}

/// Makes every other transaction that changes the order, its attempts or its refunds wait until this
/// one ends, and waits for those that came before. A transaction that reads one of these rows and
/// decides by it calls this first, so that the rows are as the last one left them; calling it first
/// also keeps two transactions from waiting for each other.
pub(super) async fn lock(write: &mut Write, order_id: i64) -> Result<(), LedgerError> {
    query_scalar::<i64>("SELECT id FROM orders WHERE id = ?")
        .bind(order_id)
        .for_update()
        .fetch_optional(&mut *write)
        .await?;
    Ok(())
}

/// The same for the order that has an attempt, or a sub-order in one, with this `out_trade_no`, if there
/// is one.
pub(super) async fn lock_of_payment(
    write: &mut Write,
    out_trade_no: &str,
) -> Result<(), LedgerError> {
    query_scalar::<i64>(
        "SELECT id FROM orders
         WHERE id = COALESCE(
             (SELECT order_id FROM attempts WHERE merchant = ?1 AND out_trade_no = ?2),
             (SELECT order_id FROM sub_payments WHERE merchant = ?1 AND out_trade_no = ?2))",
    )
    .bind(write.merchant())
    .bind(out_trade_no)
    .for_update()
    .fetch_optional(&mut *write)
    .await?;
    Ok(())
}

/// Makes every other transaction wait that checks whether this number is used at WeChat: orders
/// reserve it in one table, and attempts use it in another.
pub(super) async fn lock_number(write: &mut Write, number: &str) -> Result<(), LedgerError> {
    let merchant = write.merchant();
    write.lock(&format!("number {merchant} {number}")).await
}

/// The order with this id, read in the caller's transaction.
pub(super) async fn find(on: impl Executor, order_id: i64) -> Result<Option<Order>, LedgerError> {
    let found = query_as(formatcp!("SELECT {COLUMNS} FROM orders WHERE id = ?"))
        .bind(order_id)
        .fetch_optional(on)
        .await?;
    Ok(found)
}

/// The part of a webhook message that describes the order.
pub(super) fn order_data(order: &Order) -> OrderData {
    OrderData {
        order_no: order.order_no.clone(),
        total_fen: order.total_fen,
        description: order.description.clone(),
        attach: order.creation_request().and_then(|request| request.attach),
        sub_mchid: order.sub_mchid.clone(),
        link_id: order.link_id.clone(),
        note: order.note.clone(),
    }
}

/// Increments the order's version. Every change of an order calls this in the same transaction.
pub(super) async fn grow_version(write: &mut Write, order_id: i64) -> Result<(), LedgerError> {
    query("UPDATE orders SET version = version + 1 WHERE id = ?")
        .bind(order_id)
        .execute(&mut *write)
        .await?;
    Ok(())
}
