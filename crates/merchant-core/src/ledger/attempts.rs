//! Attempts: each one has its own number at WeChat (`out_trade_no`) and the exact body that was
//! sent.

use ledger_database::{Error, Executor, FromRow, Query, Row, query, query_as, row};
use std::str::FromStr;

use const_format::formatcp;
use merchant_api::{AttemptProduct, PaymentPayer};
use payment_values::{Fen, OpenId, OutTradeNo, TransactionId};
use wechat_pay::{Account, Orderer};

use super::column::{UnknownWord, Word, stored};
use super::{
    Ledger, LedgerError, MerchantNo, Wait, Work, Write, orders, schedule, signed, sub_orders,
};
use crate::config::Api;

/// The state of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptState {
    /// Recorded before it is sent. WeChat may or may not know it.
    Prepared,
    /// WeChat took the order.
    Open,
    /// Closed at WeChat.
    Closed,
    /// WeChat has another order under this number. A payment under it is not ours.
    Refused,
    /// Its payment settled the order.
    Paid,
    /// Its payment came after another attempt had settled the order: a duplicate payment.
    Surplus,
}

impl AttemptState {
    const ALL: [Self; 6] = [
        Self::Prepared,
        Self::Open,
        Self::Closed,
        Self::Refused,
        Self::Paid,
        Self::Surplus,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Refused => "refused",
            Self::Paid => "paid",
            Self::Surplus => "surplus",
        }
    }

    /// Whether the buyer can still pay it.
    pub(crate) fn is_alive(self) -> bool {
        matches!(self, Self::Prepared | Self::Open)
    }
}

impl FromStr for AttemptState {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == word);
        known.ok_or(UnknownWord("attempt state"))
    }
}

stored! {
    AttemptState: str::parse,
}

/// The columns of [`Attempt`].
const COLUMNS: &str = "order_id, number, product, out_trade_no, appid, payer_appid, sub_mchid,
    sub_appid, body, state, created_ms, link, link_ms, return_handle, transaction_id, bank_type,
    refund_seen_ms, payer_total_fen, success_time, promotion_detail, api, prepay_id, payer_openid,
    payer_sub_openid, is_combined";

/// An attempt in the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) order_id: i64,
    pub(crate) number: u64,
    pub(crate) product: AttemptProduct,
    /// Of a combined attempt: `combine_out_trade_no`.
    pub(crate) out_trade_no: OutTradeNo,
    /// Whether it is a combined one (合单支付): each sub-order has a number of its own.
    pub(crate) is_combined: bool,
    /// The version that ordered it.
    pub(crate) api: Api,
    pub(crate) parties: Parties,
    pub(crate) body: Vec<u8>,
    pub(crate) state: AttemptState,
    pub(crate) created_ms: i64,
    /// `code_url`, `h5_url` or `prepay_id`, and when WeChat gave it.
    pub(crate) link: Option<Link>,
    pub(crate) return_handle: String,
    /// Of a combined attempt: that of its first sub-order.
    pub(crate) transaction_id: Option<TransactionId>,
    /// The payer's bank: WeChat's `bank_type`.
    pub(crate) bank_type: Option<String>,
    /// When WeChat first reported the payment as refunded while no refund of it was known here.
    pub(crate) refund_seen_ms: Option<i64>,
    pub(crate) payer_total_fen: Option<Fen>,
    pub(crate) success_time: Option<String>,
    /// The coupons that were used, as WeChat's JSON.
    pub(crate) promotion_detail: Option<String>,
    /// Who paid.
    pub(crate) paid_by: PaidBy,
}

row! {
    Attempt {
        order_id,
        number,
        product as Word<AttemptProduct>,
        out_trade_no,
        is_combined,
        api as Word<Api>,
        body,
        state as Word<AttemptState>,
        created_ms,
        return_handle,
        transaction_id,
        bank_type,
        refund_seen_ms,
        payer_total_fen,
        success_time,
        promotion_detail;
        .. parties, link as LinkColumns, paid_by
    }
}

/// The openids of the buyer who paid, as WeChat reported them. No part of it belongs in a log.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct PaidBy {
    /// Under the application that ordered.
    pub(crate) openid: Option<OpenId>,
    /// Partner mode: under the sub-merchant's application.
    pub(crate) sub_openid: Option<OpenId>,
}

impl std::fmt::Debug for PaidBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PaidBy").finish_non_exhaustive()
    }
}

impl PaidBy {
    /// The payer in the private API's form; `None` if WeChat named nobody.
    pub(crate) fn details(&self, parties: &Parties) -> Option<PaymentPayer> {
        let Self { openid, sub_openid } = self;
        if openid.is_none() && sub_openid.is_none() {
            return None;
        }
        Some(PaymentPayer {
            appid: openid.as_ref().map(|_| parties.appid.clone()),
            openid: openid.clone(),
            sub_appid: sub_openid.as_ref().and(parties.sub_appid.clone()),
            sub_openid: sub_openid.clone(),
        })
    }
}

impl Attempt {
    /// Who paid it, in the private API's form.
    pub(crate) fn payer(&self) -> Option<PaymentPayer> {
        self.paid_by.details(&self.parties)
    }
}

/// The merchant and the applications that an attempt is ordered under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parties {
    /// The `appid` of the order.
    pub(crate) appid: String,
    /// The application whose openid the order names. The cashier's parameters are signed for it.
    pub(crate) payer_appid: String,
    /// Partner mode: the sub-merchant.
    pub(crate) sub_mchid: Option<String>,
    /// Partner mode: the sub-merchant's own application, if the order names it.
    pub(crate) sub_appid: Option<String>,
}

impl Parties {
    /// Who orders, as the protocol names it; `mchid` is the merchant that signs.
    pub(crate) fn orderer(&self, mchid: &str) -> Orderer {
        Orderer {
            account: Account::new(mchid, self.sub_mchid.as_deref()),
            appid: self.appid.clone(),
            sub_appid: self.sub_appid.clone(),
        }
    }
}

/// The link that WeChat returned for an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) text: String,
    pub(crate) given_ms: i64,
    /// The `prepay_id` beside a `code_url`, where WeChat gives both (version 2).
    pub(crate) prepay_id: Option<String>,
}

/// A new attempt. It is recorded before it is sent to WeChat.
#[derive(Clone, Debug)]
pub(crate) struct NewAttempt {
    pub(crate) order_id: i64,
    pub(crate) number: u64,
    pub(crate) product: AttemptProduct,
    pub(crate) out_trade_no: OutTradeNo,
    /// The numbers of its sub-orders, in their order; none for an ordinary attempt.
    pub(crate) sub_numbers: Vec<OutTradeNo>,
    /// The version that orders it.
    pub(crate) api: Api,
    pub(crate) parties: Parties,
    pub(crate) body: Vec<u8>,
    pub(crate) created_ms: i64,
    pub(crate) return_handle: String,
    /// The payer handle of the request. It is marked as used in the same transaction.
    pub(crate) payer_handle: Option<String>,
    /// When WeChat is queried for the first time.
    pub(crate) first_query_ms: i64,
    /// When the order is closed if it is not paid.
    pub(crate) end_ms: i64,
}

/// The result of recording an attempt.
#[derive(Clone, Debug)]
pub(crate) enum Begun {
    /// The attempt is the order's current one now.
    Current(Box<Attempt>),
    /// The order has changed since it was read: read it again.
    MovedOn,
    /// The number is in use: draw another one.
    NumberUsed,
}

impl Ledger {
    /// Records an attempt and makes it the current one, if the order is open, its current attempt
    /// is the one before, and that attempt has ended.
    pub(crate) async fn begin_attempt(&self, new: &NewAttempt) -> Result<Begun, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            orders::lock(&mut write, new.order_id).await?;
            orders::lock_number(&mut write, new.out_trade_no.as_str()).await?;
            let moved = query(
                "UPDATE orders SET current_attempt = ?2, version = version + 1
                 WHERE id = ?1 AND state = 'open' AND is_closing = 0 AND current_attempt = ?2 - 1
                   AND NOT EXISTS (SELECT 1 FROM attempts
                                   WHERE order_id = ?1 AND state IN ('prepared', 'open'))",
            )
            .bind(new.order_id)
            .bind(signed(new.number))
            .execute(&mut write)
            .await?;
            if moved == 0 {
                return Ok(Begun::MovedOn);
            }
            if self.is_taken(&mut write, new).await? {
                return Ok(Begun::NumberUsed);
            }
            let attempt = query_as(formatcp!(
                "INSERT INTO attempts (merchant, order_id, number, product, out_trade_no, appid,
                                       payer_appid, sub_mchid, sub_appid, body, state, created_ms,
                                       return_handle, api, is_combined)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'prepared', ?, ?, ?, ?) RETURNING {COLUMNS}"
            ))
            .bind(self.merchant)
            .bind(new.order_id)
            .bind(signed(new.number))
            .bind(new.product.as_str())
            .bind(&new.out_trade_no)
            .bind(&new.parties.appid)
            .bind(&new.parties.payer_appid)
            .bind(&new.parties.sub_mchid)
            .bind(&new.parties.sub_appid)
            .bind(&new.body)
            .bind(new.created_ms)
            .bind(&new.return_handle)
            .bind(new.api.as_str())
            .bind(!new.sub_numbers.is_empty())
            .fetch_one(&mut write)
            .await?;
            sub_orders::begin_attempt(&mut write, new.order_id, new.number, &new.sub_numbers)
                .await?;
            if let Some(handle) = &new.payer_handle {
                use_payer_handle(&mut write, handle, new.number).await?;
            }
            let order = new.order_id.to_string();
            for (work, to_ms) in [
                (Work::QueryAttempt, new.first_query_ms),
                (Work::EndOrder, new.end_ms),
            ] {
                let wait = Wait {
                    from_ms: new.created_ms,
                    to_ms,
                };
                schedule::schedule(&mut write, work, &order, wait).await?;
            }
            write.commit().await?;
            self.changes.announce(new.order_id);
            Ok(Begun::Current(Box::new(attempt)))
        })
        .await
    }

    /// Whether one of the numbers is used by another attempt, or reserved by an order without an attempt.
    async fn is_taken(
        &self,
        write: &mut super::Write,
        new: &NewAttempt,
    ) -> Result<bool, LedgerError> {
        for number in std::iter::once(&new.out_trade_no).chain(&new.sub_numbers) {
            if is_number_used(self.merchant, &mut *write, number).await? {
                return Ok(true);
            }
            let is_reserved =
                query("SELECT 1 FROM orders WHERE merchant = ? AND order_no = ? AND id <> ?")
                    .bind(self.merchant)
                    .bind(number)
                    .bind(new.order_id)
                    .exists(&mut *write)
                    .await?;
            if is_reserved {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Records that WeChat accepted the order and returned this link. An ended attempt stays ended.
    pub(crate) async fn note_link(
        &self,
        attempt: &Attempt,
        link: &Link,
    ) -> Result<(), LedgerError> {
        self.change(attempt.order_id, || {
            query(
                "UPDATE attempts SET state = 'open', link = ?, link_ms = ?, prepay_id = ?
                 WHERE order_id = ? AND number = ? AND state IN ('prepared', 'open')",
            )
            .bind(&link.text)
            .bind(link.given_ms)
            .bind(&link.prepay_id)
            .bind(attempt.order_id)
            .bind(signed(attempt.number))
        })
        .await
    }

    /// Records that WeChat accepted a code payment and waits for the buyer's password. There is no
    /// link. An ended attempt stays ended.
    pub(crate) async fn note_taken(&self, attempt: &Attempt) -> Result<(), LedgerError> {
        self.change(attempt.order_id, || {
            query(
                "UPDATE attempts SET state = 'open'
                 WHERE order_id = ? AND number = ? AND state = 'prepared'",
            )
            .bind(attempt.order_id)
            .bind(signed(attempt.number))
        })
        .await
    }

    /// Ends an attempt that is still payable: it is closed at WeChat, or the number was never ours.
    pub(crate) async fn end_attempt(
        &self,
        attempt: &Attempt,
        state: AttemptState,
    ) -> Result<(), LedgerError> {
        self.change(attempt.order_id, || {
            query(
                "UPDATE attempts SET state = ?
                 WHERE order_id = ? AND number = ? AND state IN ('prepared', 'open')",
            )
            .bind(state.as_str())
            .bind(attempt.order_id)
            .bind(signed(attempt.number))
        })
        .await
    }

    /// Changes an attempt by one statement and wakes the pages of its order. If no row changed, the
    /// write is dropped, and the order keeps its version.
    async fn change<'q>(
        &self,
        order_id: i64,
        statement: impl Fn() -> Query<'q> + Sync,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            orders::lock(&mut write, order_id).await?;
            if statement().execute(&mut write).await? == 0 {
                return Ok(());
            }
            orders::grow_version(&mut write, order_id).await?;
            write.commit().await?;
            self.changes.announce(order_id);
            Ok(())
        })
        .await
    }

    /// All attempts of an order, oldest first.
    pub(crate) async fn attempts(&self, order_id: i64) -> Result<Vec<Attempt>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM attempts WHERE order_id = ? ORDER BY number"
        ))
        .bind(order_id)
        .fetch_all(&self.readers)
        .await?;
        Ok(found)
    }

    /// The attempt with this `out_trade_no`. Any text may be given, because WeChat and callers also
    /// name numbers that are not ours.
    pub(crate) async fn attempt_by_out_trade_no(
        &self,
        out_trade_no: &str,
    ) -> Result<Option<Attempt>, LedgerError> {
        find_by_number(self.merchant, &self.readers, out_trade_no).await
    }

    /// The attempt with this number, or with a sub-order that has it.
    pub(crate) async fn attempt_with_number(
        &self,
        out_trade_no: &str,
    ) -> Result<Option<Attempt>, LedgerError> {
        if let Some(attempt) = self.attempt_by_out_trade_no(out_trade_no).await? {
            return Ok(Some(attempt));
        }
        match self.charge(out_trade_no).await? {
            Some(charge) => find(&self.readers, charge.order_id, charge.attempt).await,
            None => Ok(None),
        }
    }
}

/// The merchant's attempt with this `out_trade_no`, read in the caller's transaction.
pub(super) async fn find_by_number(
    merchant: MerchantNo,
    on: impl Executor,
    out_trade_no: &str,
) -> Result<Option<Attempt>, LedgerError> {
    let found = query_as(formatcp!(
        "SELECT {COLUMNS} FROM attempts WHERE merchant = ? AND out_trade_no = ?"
    ))
    .bind(merchant)
    .bind(out_trade_no)
    .fetch_optional(on)
    .await?;
    Ok(found)
}

/// The attempt with this number, read in the caller's transaction. No attempt has number 0.
pub(super) async fn find(
    on: impl Executor,
    order_id: i64,
    number: u64,
) -> Result<Option<Attempt>, LedgerError> {
    let found = query_as(formatcp!(
        "SELECT {COLUMNS} FROM attempts WHERE order_id = ? AND number = ?"
    ))
    .bind(order_id)
    .bind(signed(number))
    .fetch_optional(on)
    .await?;
    Ok(found)
}

/// Whether an attempt of the merchant, or a sub-order in one, has this number at WeChat.
pub(super) async fn is_number_used(
    merchant: MerchantNo,
    on: impl Executor,
    out_trade_no: &OutTradeNo,
) -> Result<bool, LedgerError> {
    let is_used = query(
        "SELECT 1 FROM attempts WHERE merchant = ?1 AND out_trade_no = ?2
         UNION ALL SELECT 1 FROM sub_payments WHERE merchant = ?1 AND out_trade_no = ?2",
    )
    .bind(merchant)
    .bind(out_trade_no)
    .exists(on)
    .await?;
    Ok(is_used)
}

/// Ties a handle to the attempt that it starts.
async fn use_payer_handle(write: &mut Write, handle: &str, number: u64) -> Result<(), LedgerError> {
    query("UPDATE payer_handles SET used_by_attempt = ? WHERE handle = ?")
        .bind(signed(number))
        .bind(handle)
        .execute(&mut *write)
        .await?;
    Ok(())
}

/// The columns of a [`Link`]. Either the first two have a value or none has.
struct LinkColumns {
    link: Option<String>,
    link_ms: Option<i64>,
    prepay_id: Option<String>,
}

row! {
    LinkColumns {
        link,
        link_ms,
        prepay_id,
    }
}

impl From<LinkColumns> for Option<Link> {
    fn from(columns: LinkColumns) -> Self {
        let (text, given_ms) = columns.link.zip(columns.link_ms)?;
        Some(Link {
            text,
            given_ms,
            prepay_id: columns.prepay_id,
        })
    }
}

impl FromRow for PaidBy {
    fn from_row(row: &Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            openid: row.get("payer_openid")?,
            sub_openid: row.get("payer_sub_openid")?,
        })
    }
}

impl FromRow for Parties {
    fn from_row(row: &Row<'_>) -> Result<Self, Error> {
        let appid: String = row.get("appid")?;
        // Attempts from before this column have no value in it.
        let payer_appid: Option<String> = row.get("payer_appid")?;
        Ok(Self {
            payer_appid: payer_appid.unwrap_or_else(|| appid.clone()),
            appid,
            sub_mchid: row.get("sub_mchid")?,
            sub_appid: row.get("sub_appid")?,
        })
    }
}
