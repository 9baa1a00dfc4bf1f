//! Orders: what the merchant's backend asked for, and where it stands.

use const_format::formatcp;
use merchant_api::{AttemptProduct, CreateOrder, OrderNews, OrderState};
use sqlx::SqliteConnection;

use super::column::{Word, Words};
use super::connections::Statement;
use super::{Ledger, LedgerError, Write};

/// WeChat is queried at most this often about an order, however many pages wait: WeChat's own advice
/// for a desktop page with a code.
pub(crate) const QUERY_INTERVAL_MS: i64 = 2_000;

/// What [`Order`] is read from. Named one by one: a table may get more columns under a statement that
/// was prepared before.
pub(super) const COLUMNS: &str =
    "id, order_no, token, total_fen, description, openid, openid_is_sub, sub_mchid,
    return_url, success_url, products, created_ms, expires_ms, state, is_closing, version,
    current_attempt, asked_ms, checked_ms, payer_total_fen, success_time, refunded_fen, request";

/// No question to WeChat takes longer than this, in milliseconds: two that overlap were asked within
/// this time.
const CALL_MAX_MS: i64 = 20_000;

/// An order as the ledger has it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Order {
    pub(crate) id: i64,
    /// The merchant's number.
    pub order_no: String,
    /// What the page's calls name it by.
    pub token: String,
    /// What the buyer is to pay.
    pub total_fen: u64,
    /// What is bought.
    pub description: String,
    pub(crate) openid: Option<String>,
    /// Partner mode: the openid is one of the sub-merchant's application.
    pub(crate) openid_is_sub: bool,
    /// Partner mode: whom the order is for.
    pub(crate) sub_mchid: Option<String>,
    pub(crate) return_url: Option<String>,
    /// Where the buyer goes after paying.
    pub success_url: Option<String>,
    #[sqlx(try_from = "Words<AttemptProduct>")]
    pub(crate) products: Vec<AttemptProduct>,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: i64,
    #[sqlx(try_from = "Word<OrderState>")]
    pub(crate) state: OrderState,
    /// It is to be closed, and due work goes on with that.
    pub is_closing: bool,
    pub(crate) version: u64,
    /// The number of the newest attempt; 0: none yet.
    pub current_attempt: u64,
    /// When WeChat was last asked, answered or not.
    pub(crate) asked_ms: Option<i64>,
    /// When the question was asked that WeChat last answered.
    pub(crate) checked_ms: Option<i64>,
    /// What the payer gave, where coupons took something off.
    pub payer_total_fen: Option<u64>,
    pub(crate) success_time: Option<String>,
    /// What reached the buyer again of the payment that settled it.
    pub refunded_fen: u64,
    /// What was asked for, in one canonical form.
    pub(crate) request: String,
}

impl Order {
    /// What the backend asked for, read again; `None` if this version cannot.
    pub(crate) fn wanted(&self) -> Option<CreateOrder> {
        serde_json::from_str(&self.request).ok()
    }
}

impl Ledger {
    /// Notes that WeChat is being asked about the order.
    pub(crate) async fn note_asked(&self, order_id: i64, at_ms: i64) -> Result<(), LedgerError> {
        let statement = sqlx::query("UPDATE orders SET asked_ms = ? WHERE id = ?")
            .bind(at_ms)
            .bind(order_id);
        self.writer.execute(statement).await?;
        Ok(())
    }

    /// Notes that WeChat answered a question that was asked at `asked_ms`. This is no change of
    /// the order: its version stays.
    pub(crate) async fn note_checked(
        &self,
        order_id: i64,
        asked_ms: i64,
    ) -> Result<(), LedgerError> {
        Ok(self.writer.execute(checked(order_id, asked_ms)).await?)
    }
}

/// Notes that WeChat is being asked about an order, unless it was a moment ago; says whether it was
/// noted. A question that lies ahead was asked by a clock that has been put right since.
pub(super) async fn claim_question(
    write: &mut Write,
    order_id: &str,
    now_ms: i64,
) -> Result<bool, LedgerError> {
    let claimed = sqlx::query(
        "UPDATE orders SET asked_ms = ?1
         WHERE id = CAST(?2 AS INTEGER)
           AND (asked_ms IS NULL OR asked_ms <= ?1 - ?3 OR asked_ms > ?1)",
    )
    .bind(now_ms)
    .bind(order_id)
    .bind(QUERY_INTERVAL_MS)
    .execute(&mut **write)
    .await?;
    Ok(claimed.rows_affected() > 0)
}

/// See [`Ledger::note_checked`]. A later answer stays, but not one of a clock that was ahead and has
/// been put right.
pub(super) fn checked(order_id: i64, asked_ms: i64) -> Statement<'static> {
    sqlx::query(
        "UPDATE orders SET checked_ms = CASE
             WHEN checked_ms BETWEEN ?1 AND ?1 + ?2 THEN checked_ms ELSE ?1 END
         WHERE id = ?3",
    )
    .bind(asked_ms)
    .bind(CALL_MAX_MS)
    .bind(order_id)
}

/// The order of an id, inside somebody's transaction.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    order_id: i64,
) -> Result<Option<Order>, LedgerError> {
    let found = sqlx::query_as(formatcp!("SELECT {COLUMNS} FROM orders WHERE id = ?"))
        .bind(order_id)
        .fetch_optional(connection)
        .await?;
    Ok(found)
}

/// What every message about an order tells of it.
pub(super) fn order_news(order: &Order) -> OrderNews {
    OrderNews {
        order_no: order.order_no.clone(),
        total_fen: order.total_fen,
        description: order.description.clone(),
        attach: order.wanted().and_then(|wanted| wanted.attach),
        sub_mchid: order.sub_mchid.clone(),
    }
}

/// Grows the version: whoever changes anything about an order calls this in the same transaction.
pub(super) async fn grow_version(write: &mut Write, order_id: i64) -> Result<(), LedgerError> {
    sqlx::query("UPDATE orders SET version = version + 1 WHERE id = ?")
        .bind(order_id)
        .execute(&mut **write)
        .await?;
    Ok(())
}
