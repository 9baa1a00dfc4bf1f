//! Shares of payments, releases of what is left, and returns: recorded, and checked against the payment,
//! before they are sent to WeChat. What comes of them is in `share_progress`.

use const_format::formatcp;
use ledger_database::{Column, Executor, ReadError, ValueRef, query_as, query_scalar, row};
use merchant_api::{ShareKind, ShareResult, ShareState, SharedWith};
use payment_values::{Fen, OutTradeNo, TransactionId};
use wechat_pay::SHARES_MAX;

use super::column::{UnknownWord, Word, stored};
use super::money_left::money_left;
use super::{Ledger, LedgerError, MerchantNo, MoneyLeft, Order, Work, Write, orders};

/// The columns of [`Share`].
pub(super) const COLUMNS: &str = "id, number, kind, order_id, out_trade_no, transaction_id,
    share_number, amount_fen, receivers, request, body, state, created_ms, state_ms, sent_ms,
    refusals, wechat_number, wechat_code, wechat_message";

/// A share, a release or a return in the ledger.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "share_number is the number of another share"
)]
pub(crate) struct Share {
    pub(crate) id: i64,
    /// The merchant's number: `out_order_no`, or `out_return_no` of a return.
    pub(crate) number: String,
    pub(crate) kind: ShareKind,
    pub(crate) order_id: i64,
    /// The payment's number.
    pub(crate) out_trade_no: OutTradeNo,
    pub(crate) transaction_id: TransactionId,
    /// The share that a return takes from.
    pub(crate) share_number: Option<String>,
    pub(crate) amount_fen: Fen,
    pub(crate) receivers: Vec<SharedWith>,
    /// The backend's request in one canonical form, to compare a repeated request.
    pub(crate) request: String,
    /// The body that is sent to WeChat, the same each time.
    pub(crate) body: Vec<u8>,
    pub(crate) state: ShareState,
    pub(crate) created_ms: i64,
    pub(crate) state_ms: i64,
    /// When it was last sent; `None`: it was never sent.
    pub(crate) sent_ms: Option<i64>,
    /// How often WeChat refused it.
    pub(crate) refusals: u64,
    pub(crate) wechat_number: Option<String>,
    pub(crate) wechat_code: Option<String>,
    pub(crate) wechat_message: Option<String>,
}

stored! {
    ShareKind: |word| Self::from_word(word).ok_or(UnknownWord("kind of share")),
    ShareState: |word| Self::from_word(word).ok_or(UnknownWord("share state")),
}

row! {
    Share {
        id,
        number,
        kind as Word<ShareKind>,
        order_id,
        out_trade_no,
        transaction_id,
        share_number,
        amount_fen,
        receivers as Receivers,
        request,
        body,
        state as Word<ShareState>,
        created_ms,
        state_ms,
        sent_ms,
        refusals,
        wechat_number,
        wechat_code,
        wechat_message,
    }
}

/// The receivers, as they are stored.
struct Receivers(Vec<SharedWith>);

impl Column for Receivers {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        let text = String::read(value)?;
        serde_json::from_str(&text)
            .map(Self)
            .map_err(ReadError::new)
    }
}

impl From<Receivers> for Vec<SharedWith> {
    fn from(receivers: Receivers) -> Self {
        receivers.0
    }
}

/// The receivers as a column's text.
pub(super) fn stored_receivers(receivers: &[SharedWith]) -> Result<String, LedgerError> {
    serde_json::to_string(receivers).map_err(|_| LedgerError::Column("shares.receivers"))
}

impl Share {
    /// What arrived of it.
    pub(crate) fn succeeded_fen(&self) -> Fen {
        let arrived = self.receivers.iter().filter(|receiver| {
            receiver.result == ShareResult::Succeeded && self.kind != ShareKind::Unfreeze
        });
        arrived.fold(Fen::ZERO, |sum, receiver| {
            sum.checked_add(receiver.amount_fen).unwrap_or(Fen::MAX)
        })
    }
}

/// A new share, release or return.
#[derive(Clone, Debug)]
pub(crate) struct NewShare {
    pub(crate) number: String,
    pub(crate) kind: ShareKind,
    pub(crate) order_id: i64,
    pub(crate) out_trade_no: OutTradeNo,
    pub(crate) transaction_id: TransactionId,
    pub(crate) share_number: Option<String>,
    pub(crate) amount_fen: Fen,
    pub(crate) receivers: Vec<SharedWith>,
    pub(crate) request: String,
    pub(crate) body: Vec<u8>,
    pub(crate) created_ms: i64,
}

/// The result of recording one.
#[derive(Clone, Debug)]
pub(crate) enum ShareBegun {
    /// It was recorded, and is to be sent.
    New(Box<Share>),
    /// The same one existed already. One that WeChat refused is to be sent again.
    Same(Box<Share>),
    /// The number is in use with other values.
    NumberUsed,
    /// No money of the payment is held.
    NotFrozen {
        /// Whether the order was made for sharing at all.
        is_for_sharing: bool,
    },
    /// The amount is larger than what is left to share, or to return.
    TooMuch {
        /// What is left.
        left_fen: Fen,
    },
    /// The payment already has as many shares as WeChat allows.
    TooMany,
}

impl Ledger {
    /// Records a share, a release or a return if enough is left, or finds the same one. One that WeChat
    /// refused can be requested again only if enough is still left.
    pub(crate) async fn begin_share(&self, new: &NewShare) -> Result<ShareBegun, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            // What is left of the payment must not change between the sum and the insert.
            orders::lock(&mut write, new.order_id).await?;
            if let Some(known) = find_share(self.merchant, &mut write, &new.number).await? {
                let is_same = known.order_id == new.order_id
                    && known.kind == new.kind
                    && known.share_number == new.share_number
                    && known.request == new.request;
                if !is_same || known.state != ShareState::Refused {
                    // It may be part of a commit that is not done yet: no caller acts on it before.
                    write.commit().await?;
                    return Ok(if is_same {
                        ShareBegun::Same(Box::new(known))
                    } else {
                        ShareBegun::NumberUsed
                    });
                }
                if let Some(refused) = self.room(&mut write, new).await? {
                    return Ok(refused);
                }
                let share = request_again(&mut write, &known, new.created_ms).await?;
                self.commit_begun(write, begun(&share), share.order_id, new.created_ms)
                    .await?;
                return Ok(ShareBegun::Same(Box::new(share)));
            }
            if let Some(refused) = self.room(&mut write, new).await? {
                return Ok(refused);
            }
            let share = insert(&mut write, new).await?;
            self.commit_begun(write, begun(&share), share.order_id, new.created_ms)
                .await?;
            Ok(ShareBegun::New(Box::new(share)))
        })
        .await
    }

    /// A share, a release or a return by its number. Any text may be given.
    pub(crate) async fn share(&self, number: &str) -> Result<Option<Share>, LedgerError> {
        find_share(self.merchant, &self.readers, number).await
    }

    /// All shares, releases and returns of an order, oldest first.
    pub(crate) async fn shares(&self, order_id: i64) -> Result<Vec<Share>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM shares WHERE order_id = ? ORDER BY id"
        ))
        .bind(order_id)
        .fetch_all(&self.readers)
        .await?;
        Ok(found)
    }

    /// What is left of a payment to refund and to share.
    pub(crate) async fn money_left(
        &self,
        order: &Order,
        out_trade_no: &OutTradeNo,
    ) -> Result<MoneyLeft, LedgerError> {
        let total_fen = order.total_fen;
        money_left(self.merchant, &self.readers, order, total_fen, out_trade_no).await
    }

    /// Why there is no room for it; `None`: there is.
    async fn room(
        &self,
        write: &mut Write,
        new: &NewShare,
    ) -> Result<Option<ShareBegun>, LedgerError> {
        if let Some(share_number) = &new.share_number {
            return returnable(self.merchant, write, share_number, new).await;
        }
        let Some(order) = orders::find(&mut *write, new.order_id).await? else {
            let is_for_sharing = false;
            return Ok(Some(ShareBegun::NotFrozen { is_for_sharing }));
        };
        let (total_fen, number) = (order.total_fen, &new.out_trade_no);
        let left = money_left(self.merchant, &mut *write, &order, total_fen, number).await?;
        Ok(if !left.can_be_shared() {
            let is_for_sharing = left.is_for_sharing();
            Some(ShareBegun::NotFrozen { is_for_sharing })
        } else if new.amount_fen > left.shareable_fen() {
            let left_fen = left.shareable_fen();
            Some(ShareBegun::TooMuch { left_fen })
        } else if left.shares >= SHARES_MAX {
            Some(ShareBegun::TooMany)
        } else {
            None
        })
    }
}

fn begun(share: &Share) -> (Work, &str) {
    (Work::Share, &share.number)
}

/// A merchant returns at most what it got by the share and has not returned yet.
async fn returnable(
    merchant: MerchantNo,
    write: &mut Write,
    share_number: &str,
    new: &NewShare,
) -> Result<Option<ShareBegun>, LedgerError> {
    let share = find_share(merchant, &mut *write, share_number).await?;
    let share = share.filter(|share| share.state == ShareState::Finished);
    let account = new.receivers.first().map(|giving| giving.account.as_str());
    let got = share.iter().flat_map(|share| &share.receivers);
    let got = got.filter(|receiver| {
        receiver.result == ShareResult::Succeeded && Some(&*receiver.account) == account
    });
    let got_fen = got.fold(Fen::ZERO, |sum, receiver| {
        sum.checked_add(receiver.amount_fen).unwrap_or(Fen::MAX)
    });
    let returns: Vec<Share> = query_as(formatcp!(
        "SELECT {COLUMNS} FROM shares WHERE order_id = ? AND share_number = ?"
    ))
    .bind(new.order_id)
    .bind(share_number)
    .fetch_all(&mut *write)
    .await?;
    let counts = |earlier: &&Share| {
        let giving = earlier.receivers.first();
        earlier.state != ShareState::Refused
            && giving.is_some_and(|giving| {
                Some(&*giving.account) == account && giving.result != ShareResult::Closed
            })
    };
    let left_fen = returns
        .iter()
        .filter(counts)
        .fold(got_fen, |left, earlier| {
            left.saturating_sub(earlier.amount_fen)
        });
    Ok((new.amount_fen > left_fen).then_some(ShareBegun::TooMuch { left_fen }))
}

async fn request_again(
    write: &mut Write,
    share: &Share,
    now_ms: i64,
) -> Result<Share, LedgerError> {
    let share = query_as(formatcp!(
        "UPDATE shares SET state = 'requested', state_ms = ? WHERE id = ? RETURNING {COLUMNS}"
    ))
    .bind(now_ms)
    .bind(share.id)
    .fetch_one(&mut *write)
    .await?;
    Ok(share)
}

async fn insert(write: &mut Write, new: &NewShare) -> Result<Share, LedgerError> {
    let share = query_as(formatcp!(
        "INSERT INTO shares (merchant, number, kind, order_id, out_trade_no, transaction_id,
                             share_number, amount_fen, receivers, request, body, state, created_ms,
                             state_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'requested', ?12, ?12)
         RETURNING {COLUMNS}"
    ))
    .bind(write.merchant())
    .bind(&new.number)
    .bind(new.kind.as_str())
    .bind(new.order_id)
    .bind(&new.out_trade_no)
    .bind(&new.transaction_id)
    .bind(&new.share_number)
    .bind(new.amount_fen)
    .bind(stored_receivers(&new.receivers)?)
    .bind(&new.request)
    .bind(&new.body)
    .bind(new.created_ms)
    .fetch_one(&mut *write)
    .await?;
    Ok(share)
}

/// The merchant's share with this number, read in the caller's transaction.
pub(super) async fn find_share(
    merchant: MerchantNo,
    on: impl Executor,
    number: &str,
) -> Result<Option<Share>, LedgerError> {
    let found = query_as(formatcp!(
        "SELECT {COLUMNS} FROM shares WHERE merchant = ? AND number = ?"
    ))
    .bind(merchant)
    .bind(number)
    .fetch_optional(on)
    .await?;
    Ok(found)
}

/// Whether an older share of the same order still waits to be sent: WeChat gets them in their order.
pub(super) async fn waits_for_older(write: &mut Write, share: &Share) -> Result<bool, LedgerError> {
    let older: Option<i64> = query_scalar(
        "SELECT MIN(id) FROM shares WHERE order_id = ? AND id < ? AND state = 'requested'",
    )
    .bind(share.order_id)
    .bind(share.id)
    .fetch_one(&mut *write)
    .await?;
    Ok(older.is_some())
}
