//! Refunds: written down, and checked against what was paid, before WeChat hears of them. What
//! WeChat then says about them is in `refund_news`.

use const_format::formatcp;
use merchant_api::{RefundOrigin, RefundState};
use sqlx::SqliteConnection;

use super::column::Word;
use super::{
    Attempt, AttemptState, Ledger, LedgerError, Order, Wait, Work, Write, attempts, orders,
    refund_state, schedule, signed,
};

/// WeChat takes at most so many refunds of one payment, closed ones among them.
pub(crate) const REFUNDS_MAX: u64 = 50;
/// At least so much time lies between two refunds of one payment that WeChat is sent.
pub(crate) const SPACING_MS: i64 = 60_000;
/// A refund that nobody drives any more is taken up by due work after this time.
const TAKEN_UP_MS: i64 = 5_000;

/// What [`Refund`] is read from.
pub(super) const COLUMNS: &str = "id, out_refund_no, order_id, out_trade_no, origin, amount_fen,
    reason, request, body, state, created_ms, state_ms, sent_ms, refusals, applications, refund_id,
    payer_refund_fen, user_received_account, success_time, wechat_code, wechat_message";

/// A refund as the ledger has it.
#[derive(Clone, Debug, sqlx::FromRow)]
#[expect(
    clippy::struct_field_names,
    reason = "refund_id is WeChat's name for its number"
)]
pub(crate) struct Refund {
    pub(crate) id: i64,
    pub(crate) out_refund_no: String,
    pub(crate) order_id: i64,
    /// The payment's number.
    pub(crate) out_trade_no: String,
    #[sqlx(try_from = "Word<RefundOrigin>")]
    pub(crate) origin: RefundOrigin,
    pub(crate) amount_fen: u64,
    pub(crate) reason: Option<String>,
    /// What the backend asked for, in one canonical form.
    pub(crate) request: Option<String>,
    /// What WeChat gets, each time; none for a refund made elsewhere.
    pub(crate) body: Option<Vec<u8>>,
    #[sqlx(try_from = "Word<RefundState>")]
    pub(crate) state: RefundState,
    pub(crate) created_ms: i64,
    pub(crate) state_ms: i64,
    /// When it was last sent; `None`: WeChat cannot know it.
    pub(crate) sent_ms: Option<i64>,
    /// How often WeChat refused it.
    pub(crate) refusals: u64,
    /// How often it was sent another way after it had become abnormal, by us or in the portal.
    pub(crate) applications: u64,
    pub(crate) refund_id: Option<String>,
    pub(crate) payer_refund_fen: Option<u64>,
    pub(crate) user_received_account: Option<String>,
    pub(crate) success_time: Option<String>,
    pub(crate) wechat_code: Option<String>,
    pub(crate) wechat_message: Option<String>,
}

/// A refund that is to be written down.
#[derive(Clone, Debug)]
pub(crate) struct NewRefund {
    pub(crate) out_refund_no: String,
    pub(crate) order_id: i64,
    /// The attempt whose money goes back.
    pub(crate) attempt: u64,
    pub(crate) origin: RefundOrigin,
    pub(crate) amount_fen: u64,
    pub(crate) reason: Option<String>,
    pub(crate) request: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) created_ms: i64,
}

/// What came of writing a refund down.
#[derive(Clone, Debug)]
pub(crate) enum RefundBegun {
    /// It is there now, and is to be sent.
    New(Box<Refund>),
    /// The very same was there. One that WeChat had refused is to be sent again.
    Same(Box<Refund>),
    /// The number is in use with other values.
    NumberUsed,
    /// The attempt was not paid.
    NotPaid,
    /// More than is left of the payment.
    TooMuch {
        /// What is left, in fen.
        left_fen: u64,
    },
    /// The payment has had all the refunds that WeChat allows.
    TooMany,
}

/// Whether a refund may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Yes, and it is written down that it is.
    Granted,
    /// Not before this moment: another one of the payment, or this one, was sent a moment ago.
    NotBefore(i64),
    /// It is not waiting to be sent any more.
    MovedOn,
}

impl Ledger {
    /// Writes a refund down if the payment has room for it, or finds the same one. One that
    /// WeChat refused has its room again only if nothing else has taken it meanwhile.
    pub(crate) async fn begin_refund(&self, new: &NewRefund) -> Result<RefundBegun, LedgerError> {
        let mut write = self.write().await?;
        if let Some(known) = find_refund(&mut write, &new.out_refund_no).await? {
            let is_same = known.order_id == new.order_id
                && known.origin == new.origin
                && known.request == new.request;
            return match (is_same, known.state) {
                (false, _) => Ok(RefundBegun::NumberUsed),
                (true, RefundState::Refused) => self.ask_again(write, known, new.created_ms).await,
                (true, _) => Ok(RefundBegun::Same(Box::new(known))),
            };
        }
        let attempt = attempts::find(&mut write, new.order_id, new.attempt).await?;
        let (Some(attempt), Some(order)) = (
            attempt.filter(|attempt| is_refundable(attempt.state, new.origin)),
            orders::find(&mut write, new.order_id).await?,
        ) else {
            return Ok(RefundBegun::NotPaid);
        };
        let room = room(&mut write, &order, &attempt.out_trade_no).await?;
        if new.amount_fen > room.left_fen {
            let left_fen = room.left_fen;
            return Ok(RefundBegun::TooMuch { left_fen });
        }
        if room.refunds >= REFUNDS_MAX {
            return Ok(RefundBegun::TooMany);
        }
        let refund = insert(&mut write, new, &attempt.out_trade_no).await?;
        self.commit_wish(write, &refund, new.created_ms).await?;
        Ok(RefundBegun::New(Box::new(refund)))
    }

    /// Lets a refund be sent that is waiting for it, a minute after the last one of its payment.
    /// It is written down as sent *before* it is: whoever finds it so asks WeChat first.
    pub(crate) async fn claim_sending(
        &self,
        refund: &Refund,
        now_ms: i64,
    ) -> Result<Sending, LedgerError> {
        let mut write = self.write().await?;
        let last_ms: Option<i64> =
            sqlx::query_scalar("SELECT MAX(sent_ms) FROM refunds WHERE out_trade_no = ?")
                .bind(&refund.out_trade_no)
                .fetch_one(&mut *write)
                .await?;
        if let Some(last_ms) = last_ms
            // One that lies ahead was sent by a clock that has been put right since.
            && (0..SPACING_MS).contains(&(now_ms - last_ms))
        {
            return Ok(Sending::NotBefore(last_ms.saturating_add(SPACING_MS)));
        }
        let claimed =
            sqlx::query("UPDATE refunds SET sent_ms = ? WHERE id = ? AND state = 'requested'")
                .bind(now_ms)
                .bind(refund.id)
                .execute(&mut *write)
                .await?;
        write.commit().await?;
        Ok(if claimed.rows_affected() > 0 {
            Sending::Granted
        } else {
            Sending::MovedOn
        })
    }

    /// Has due work look at a refund at a moment, in place of what was scheduled.
    pub(crate) async fn schedule_refund(
        &self,
        out_refund_no: &str,
        now_ms: i64,
        at_ms: i64,
    ) -> Result<(), LedgerError> {
        let mut write = self.write().await?;
        let wait = Wait {
            from_ms: now_ms,
            to_ms: at_ms,
        };
        schedule::schedule(&mut write, Work::Refund, out_refund_no, wait).await?;
        write.commit().await?;
        Ok(())
    }

    /// A refund by its number.
    pub(crate) async fn refund(&self, out_refund_no: &str) -> Result<Option<Refund>, LedgerError> {
        let mut read = self.readers.pool().acquire().await?;
        find_refund(&mut read, out_refund_no).await
    }

    /// All refunds of an order, oldest first.
    pub(crate) async fn refunds(&self, order_id: i64) -> Result<Vec<Refund>, LedgerError> {
        let found = sqlx::query_as(formatcp!(
            "SELECT {COLUMNS} FROM refunds WHERE order_id = ? ORDER BY id"
        ))
        .bind(order_id)
        .fetch_all(self.readers.pool())
        .await?;
        Ok(found)
    }

    /// What is left of an attempt's payment, in fen.
    pub(crate) async fn refundable_fen(
        &self,
        order: &Order,
        attempt: &Attempt,
    ) -> Result<u64, LedgerError> {
        let mut read = self.readers.pool().acquire().await?;
        Ok(room(&mut read, order, &attempt.out_trade_no)
            .await?
            .left_fen)
    }

    async fn ask_again(
        &self,
        mut write: Write,
        refund: Refund,
        now_ms: i64,
    ) -> Result<RefundBegun, LedgerError> {
        let Some(order) = orders::find(&mut write, refund.order_id).await? else {
            return Ok(RefundBegun::NotPaid);
        };
        let left_fen = room(&mut write, &order, &refund.out_trade_no)
            .await?
            .left_fen;
        if refund.amount_fen > left_fen {
            return Ok(RefundBegun::TooMuch { left_fen });
        }
        let refund = sqlx::query_as(formatcp!(
            "UPDATE refunds SET state = 'requested', state_ms = ? WHERE id = ? RETURNING {COLUMNS}"
        ))
        .bind(now_ms)
        .bind(refund.id)
        .fetch_one(&mut *write)
        .await?;
        self.commit_wish(write, &refund, now_ms).await?;
        Ok(RefundBegun::Same(Box::new(refund)))
    }

    /// From here on due work sees to it, should this process not live to do so.
    async fn commit_wish(
        &self,
        mut write: Write,
        refund: &Refund,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let wait = Wait {
            from_ms: now_ms,
            to_ms: now_ms + TAKEN_UP_MS,
        };
        schedule::schedule(&mut write, Work::Refund, &refund.out_refund_no, wait).await?;
        orders::grow_version(&mut write, refund.order_id).await?;
        write.commit().await?;
        self.changes.announce(refund.order_id);
        Ok(())
    }
}

/// Only the merchant gives back what settled an order, and only this server what came too much.
fn is_refundable(state: AttemptState, origin: RefundOrigin) -> bool {
    match origin {
        RefundOrigin::Merchant => state == AttemptState::Paid,
        RefundOrigin::Surplus => state == AttemptState::Surplus,
        RefundOrigin::External => false,
    }
}

struct Room {
    left_fen: u64,
    /// How many refunds WeChat has counted, or will.
    refunds: u64,
}

/// What is left of a payment when everything is taken off that went back or still may.
async fn room(
    connection: &mut SqliteConnection,
    order: &Order,
    out_trade_no: &str,
) -> Result<Room, LedgerError> {
    let refunds: Vec<Refund> = sqlx::query_as(formatcp!(
        "SELECT {COLUMNS} FROM refunds WHERE out_trade_no = ?"
    ))
    .bind(out_trade_no)
    .fetch_all(connection)
    .await?;
    let mut room = Room {
        left_fen: order.total_fen,
        refunds: 0,
    };
    for refund in &refunds {
        if refund_state::counts(refund.state) {
            room.left_fen = room.left_fen.saturating_sub(refund.amount_fen);
        }
        if refund.state != RefundState::Refused {
            room.refunds += 1;
        }
    }
    Ok(room)
}

async fn insert(
    write: &mut Write,
    new: &NewRefund,
    out_trade_no: &str,
) -> Result<Refund, LedgerError> {
    let refund = sqlx::query_as(formatcp!(
        "INSERT INTO refunds (out_refund_no, order_id, attempt, out_trade_no, origin, amount_fen,
                              reason, request, body, state, created_ms, state_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'requested', ?10, ?10) RETURNING {COLUMNS}"
    ))
    .bind(&new.out_refund_no)
    .bind(new.order_id)
    .bind(signed(new.attempt))
    .bind(out_trade_no)
    .bind(new.origin.as_str())
    .bind(signed(new.amount_fen))
    .bind(&new.reason)
    .bind(&new.request)
    .bind(&new.body)
    .bind(new.created_ms)
    .fetch_one(&mut **write)
    .await?;
    Ok(refund)
}

/// The refund of a number, inside somebody's transaction.
pub(super) async fn find_refund(
    connection: &mut SqliteConnection,
    out_refund_no: &str,
) -> Result<Option<Refund>, LedgerError> {
    let found = sqlx::query_as(formatcp!(
        "SELECT {COLUMNS} FROM refunds WHERE out_refund_no = ?"
    ))
    .bind(out_refund_no)
    .fetch_optional(connection)
    .await?;
    Ok(found)
}
