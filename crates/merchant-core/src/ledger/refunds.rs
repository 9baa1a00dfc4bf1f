//! Refunds: recorded, and checked against the payment, before they are sent to WeChat. WeChat's
//! reports about them are in `refund_updates`.

use const_format::formatcp;
use ledger_database::{Executor, query, query_as, query_scalar, row};
use merchant_api::{RefundOrigin, RefundState};
use payment_values::{Fen, OutRefundNo, OutTradeNo, RefundId};

use super::column::Word;
use super::money_left::money_left;
use super::{
    Attempt, AttemptState, Charge, Ledger, LedgerError, MerchantNo, MoneyLeft, Order, Wait, Work,
    Write, charges, orders, signed,
};
use crate::config::Api;

/// The most refunds that WeChat accepts for one payment, closed ones included.
pub(crate) const REFUNDS_MAX: u64 = 50;
/// The least time between sending two refunds of one payment.
pub(crate) const SPACING_MS: i64 = 60_000;

/// The columns of [`Refund`].
pub(super) const COLUMNS: &str = "id, out_refund_no, order_id, out_trade_no, origin, amount_fen,
    reason, request, body, state, created_ms, state_ms, sent_ms, refusals, applications, refund_id,
    payer_refund_fen, user_received_account, success_time, wechat_code, wechat_message, api,
    sub_order_no";

/// A refund in the ledger.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "refund_id is WeChat's name for its number"
)]
pub(crate) struct Refund {
    pub(crate) id: i64,
    pub(crate) out_refund_no: OutRefundNo,
    pub(crate) order_id: i64,
    /// The payment's number; of a combined order, that of the sub-order.
    pub(crate) out_trade_no: OutTradeNo,
    /// The refunded sub-order of a combined order.
    pub(crate) sub_order_no: Option<String>,
    pub(crate) origin: RefundOrigin,
    /// The version that requests it. Of a refund that was made elsewhere it is not known.
    pub(crate) api: Api,
    pub(crate) amount_fen: Fen,
    pub(crate) reason: Option<String>,
    /// The backend's request in one canonical form, to compare a repeated request.
    pub(crate) request: Option<String>,
    /// The body that is sent to WeChat, the same each time; none for a refund made elsewhere.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) state: RefundState,
    pub(crate) created_ms: i64,
    pub(crate) state_ms: i64,
    /// When it was last sent; `None`: it was never sent.
    pub(crate) sent_ms: Option<i64>,
    /// How often WeChat refused it.
    pub(crate) refusals: u64,
    /// How often it was sent another way after it had become abnormal, by us or in the portal.
    pub(crate) applications: u64,
    pub(crate) refund_id: Option<RefundId>,
    pub(crate) payer_refund_fen: Option<Fen>,
    pub(crate) user_received_account: Option<String>,
    pub(crate) success_time: Option<String>,
    pub(crate) wechat_code: Option<String>,
    pub(crate) wechat_message: Option<String>,
}

row! {
    Refund {
        id,
        out_refund_no,
        order_id,
        out_trade_no,
        sub_order_no,
        origin as Word<RefundOrigin>,
        api as Word<Api>,
        amount_fen,
        reason,
        request,
        body,
        state as Word<RefundState>,
        created_ms,
        state_ms,
        sent_ms,
        refusals,
        applications,
        refund_id,
        payer_refund_fen,
        user_received_account,
        success_time,
        wechat_code,
        wechat_message,
    }
}

/// A new refund.
#[derive(Clone, Debug)]
pub(crate) struct NewRefund {
    pub(crate) out_refund_no: OutRefundNo,
    pub(crate) order_id: i64,
    /// The number at WeChat of the charge that is refunded.
    pub(crate) out_trade_no: OutTradeNo,
    pub(crate) origin: RefundOrigin,
    /// The version that requests it.
    pub(crate) api: Api,
    pub(crate) amount_fen: Fen,
    pub(crate) reason: Option<String>,
    pub(crate) request: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) created_ms: i64,
}

/// The result of recording a refund.
#[derive(Clone, Debug)]
pub(crate) enum RefundBegun {
    /// It was recorded, and is to be sent.
    New(Box<Refund>),
    /// The same refund existed already. One that WeChat refused is to be sent again.
    Same(Box<Refund>),
    /// The number is in use with other values.
    NumberUsed,
    /// The attempt was not paid.
    NotPaid,
    /// The amount is larger than what is left of the payment.
    TooMuch(MoneyLeft),
    /// The payment already has as many refunds as WeChat allows.
    TooMany,
}

/// Whether a refund may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// It may be sent, and this is recorded.
    Granted,
    /// It may be sent at this moment or later: another refund of the payment, or this refund, was
    /// sent a moment ago.
    NotBefore(i64),
    /// It does not wait to be sent any more.
    MovedOn,
}

impl Ledger {
    /// Records a refund if enough of the payment is left, or finds the same one. A refund that
    /// WeChat refused can be requested again only if enough is still left.
    pub(crate) async fn begin_refund(&self, new: &NewRefund) -> Result<RefundBegun, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            // What is left of the payment must not change between the sum and the insert.
            orders::lock(&mut write, new.order_id).await?;
            let number = new.out_refund_no.as_str();
            if let Some(known) = find_refund(self.merchant, &mut write, number).await? {
                let is_same = known.order_id == new.order_id
                    && known.origin == new.origin
                    && known.request == new.request;
                if is_same && known.state == RefundState::Refused {
                    return self.request_again(write, known, new.created_ms).await;
                }
                // It may be part of a commit that is not done yet: no caller acts on it before.
                write.commit().await?;
                return Ok(if is_same {
                    RefundBegun::Same(Box::new(known))
                } else {
                    RefundBegun::NumberUsed
                });
            }
            let number = &new.out_trade_no;
            let charge = charges::find(self.merchant, &mut write, number.as_str()).await?;
            let (Some(charge), Some(order)) = (
                charge.filter(|charge| is_refundable(charge.state, new.origin)),
                orders::find(&mut write, new.order_id).await?,
            ) else {
                return Ok(RefundBegun::NotPaid);
            };
            let total_fen = charge.total_fen;
            let left = money_left(self.merchant, &mut write, &order, total_fen, number).await?;
            if new.amount_fen > left.refundable_fen() {
                return Ok(RefundBegun::TooMuch(left));
            }
            if left.refunds >= REFUNDS_MAX {
                return Ok(RefundBegun::TooMany);
            }
            let refund = insert(&mut write, new, &charge).await?;
            self.commit_begun(write, begun(&refund), refund.order_id, new.created_ms)
                .await?;
            Ok(RefundBegun::New(Box::new(refund)))
        })
        .await
    }

    /// Allows sending a refund that waits for it, a minute after the last one of its payment. It is
    /// recorded as sent *before* it is sent: after a crash, WeChat is queried first.
    pub(crate) async fn claim_sending(
        &self,
        refund: &Refund,
        now_ms: i64,
    ) -> Result<Sending, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            orders::lock(&mut write, refund.order_id).await?;
            let last_ms: Option<i64> = query_scalar(
                "SELECT MAX(sent_ms) FROM refunds WHERE merchant = ? AND out_trade_no = ?",
            )
            .bind(self.merchant)
            .bind(&refund.out_trade_no)
            .fetch_one(&mut write)
            .await?;
            if let Some(last_ms) = last_ms
                // A `sent_ms` in the future means that the clock was set back; ignore it.
                && (0..SPACING_MS).contains(&(now_ms - last_ms))
            {
                return Ok(Sending::NotBefore(last_ms.saturating_add(SPACING_MS)));
            }
            let claimed =
                query("UPDATE refunds SET sent_ms = ? WHERE id = ? AND state = 'requested'")
                    .bind(now_ms)
                    .bind(refund.id)
                    .execute(&mut write)
                    .await?;
            write.commit().await?;
            Ok(if claimed > 0 {
                Sending::Granted
            } else {
                Sending::MovedOn
            })
        })
        .await
    }

    /// Schedules the next step of a refund, replacing the scheduled one.
    pub(crate) async fn schedule_refund(
        &self,
        out_refund_no: &OutRefundNo,
        now_ms: i64,
        at_ms: i64,
    ) -> Result<(), LedgerError> {
        let wait = Wait {
            from_ms: now_ms,
            to_ms: at_ms,
        };
        self.schedule(Work::Refund, out_refund_no.as_str(), wait)
            .await
    }

    /// A refund by its number. Any text may be given, because WeChat and callers also name numbers
    /// that are not ours.
    pub(crate) async fn refund(&self, out_refund_no: &str) -> Result<Option<Refund>, LedgerError> {
        find_refund(self.merchant, &self.readers, out_refund_no).await
    }

    /// All refunds of an order, oldest first.
    pub(crate) async fn refunds(&self, order_id: i64) -> Result<Vec<Refund>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM refunds WHERE order_id = ? ORDER BY id"
        ))
        .bind(order_id)
        .fetch_all(&self.readers)
        .await?;
        Ok(found)
    }

    /// What is left of a charge.
    pub(crate) async fn left_of(
        &self,
        order: &Order,
        charge: &Charge,
    ) -> Result<MoneyLeft, LedgerError> {
        let (total_fen, number) = (charge.total_fen, &charge.out_trade_no);
        money_left(self.merchant, &self.readers, order, total_fen, number).await
    }

    /// What can be refunded of each charge of an attempt.
    pub(crate) async fn refundable(
        &self,
        order: &Order,
        attempt: &Attempt,
    ) -> Result<Vec<(Charge, Fen)>, LedgerError> {
        let mut found = Vec::new();
        for charge in self.charges_of(attempt).await? {
            let left = self.left_of(order, &charge).await?;
            found.push((charge, left.refundable_fen()));
        }
        Ok(found)
    }

    async fn request_again(
        &self,
        mut write: Write,
        refund: Refund,
        now_ms: i64,
    ) -> Result<RefundBegun, LedgerError> {
        let Some(order) = orders::find(&mut write, refund.order_id).await? else {
            return Ok(RefundBegun::NotPaid);
        };
        let number = &refund.out_trade_no;
        let Some(charge) = charges::find(self.merchant, &mut write, number.as_str()).await? else {
            return Ok(RefundBegun::NotPaid);
        };
        let total_fen = charge.total_fen;
        let left = money_left(self.merchant, &mut write, &order, total_fen, number).await?;
        if refund.amount_fen > left.refundable_fen() {
            return Ok(RefundBegun::TooMuch(left));
        }
        let refund = query_as(formatcp!(
            "UPDATE refunds SET state = 'requested', state_ms = ? WHERE id = ? RETURNING {COLUMNS}"
        ))
        .bind(now_ms)
        .bind(refund.id)
        .fetch_one(&mut write)
        .await?;
        self.commit_begun(write, begun(&refund), refund.order_id, now_ms)
            .await?;
        Ok(RefundBegun::Same(Box::new(refund)))
    }
}

fn begun(refund: &Refund) -> (Work, &str) {
    (Work::Refund, refund.out_refund_no.as_str())
}

/// Only the merchant refunds the payment that settled an order, and only this server refunds a
/// duplicate payment.
fn is_refundable(state: AttemptState, origin: RefundOrigin) -> bool {
    match origin {
        RefundOrigin::Merchant => state == AttemptState::Paid,
        RefundOrigin::Surplus => state == AttemptState::Surplus,
        RefundOrigin::External => false,
    }
}

async fn insert(
    write: &mut Write,
    new: &NewRefund,
    charge: &Charge,
) -> Result<Refund, LedgerError> {
    let refund = query_as(formatcp!(
        "INSERT INTO refunds (out_refund_no, order_id, attempt, out_trade_no, origin, amount_fen,
                              reason, request, body, state, created_ms, state_ms, api, merchant,
                              sub_order_no)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'requested', ?10, ?10, ?11, ?12, ?13)
         RETURNING {COLUMNS}"
    ))
    .bind(&new.out_refund_no)
    .bind(new.order_id)
    .bind(signed(charge.attempt))
    .bind(&charge.out_trade_no)
    .bind(new.origin.as_str())
    .bind(new.amount_fen)
    .bind(&new.reason)
    .bind(&new.request)
    .bind(&new.body)
    .bind(new.created_ms)
    .bind(new.api.as_str())
    .bind(write.merchant())
    .bind(&charge.sub_order_no)
    .fetch_one(&mut *write)
    .await?;
    Ok(refund)
}

/// The merchant's refund with this number, read in the caller's transaction.
pub(super) async fn find_refund(
    merchant: MerchantNo,
    on: impl Executor,
    out_refund_no: &str,
) -> Result<Option<Refund>, LedgerError> {
    let found = query_as(formatcp!(
        "SELECT {COLUMNS} FROM refunds WHERE merchant = ? AND out_refund_no = ?"
    ))
    .bind(merchant)
    .bind(out_refund_no)
    .fetch_optional(on)
    .await?;
    Ok(found)
}
