//! Profit sharing (分账): a part of an order's payment goes to receivers.
//!
//! One number is one share, release or return, forever. It is recorded before it is sent to WeChat, in the
//! transaction that checks that no more is shared than was paid and not refunded. What was sent is
//! queried first, and the same bytes are sent again only if WeChat does not know it. Due work completes
//! what a process leaves unfinished.

mod form;
mod payment;
mod progress;
mod receivers;
mod report;

use merchant_api::{
    ApiError, CreateShare, CreateShareReturn, ErrorCode, FrozenMoney, ShareDetails, ShareKind,
    ShareList, ShareState, UnfreezeOrder,
};
use payment::shared_payment;
use payment_values::Fen;
pub(crate) use progress::advance;
pub use receivers::{add_receiver, delete_receiver};
use wechat_pay::SHARES_MAX;

use crate::checkouts::{find_by_order_no, reread};
use crate::ledger::{NewShare, Order, Share, ShareBegun, timestamp};
use crate::payments::{Payments, Queue};
use crate::query::course;
use crate::refusal::Refusal;

/// The result of a call.
#[derive(Clone, Debug)]
pub struct ShareCreated {
    /// The share, the release or the return as it is now.
    pub details: ShareDetails,
    /// Whether it is new.
    pub is_new: bool,
}

/// Shares a part of an order's payment, or finds the same share.
pub async fn create(
    payments: &Payments,
    order_no: &str,
    request: &CreateShare,
) -> Result<ShareCreated, Refusal> {
    let prepared = form::share(request)?;
    let order = find_by_order_no(payments, order_no).await?.order;
    let _lock = payments.lock_order(order.id, Queue::Backend).await?;
    let payment = shared_payment(payments, &order, "so nothing can be shared").await?;
    let new = prepared.of(&payment, payments.clock.now_ms())?;
    begin(payments, &order, &new).await
}

/// Releases what is left of an order's payment, or finds the same release.
pub async fn unfreeze(
    payments: &Payments,
    order_no: &str,
    request: &UnfreezeOrder,
) -> Result<ShareCreated, Refusal> {
    let prepared = form::unfreeze(request)?;
    let order = find_by_order_no(payments, order_no).await?.order;
    let _lock = payments.lock_order(order.id, Queue::Backend).await?;
    let payment = shared_payment(payments, &order, "so nothing is held").await?;
    let new = prepared.of(&payment, payments.clock.now_ms())?;
    begin(payments, &order, &new).await
}

/// Returns shared money from a merchant that got it, or finds the same return.
pub async fn give_back(
    payments: &Payments,
    share_no: &str,
    request: &CreateShareReturn,
) -> Result<ShareCreated, Refusal> {
    let prepared = form::give_back(request)?;
    let share = find(payments, share_no).await?;
    if share.kind == ShareKind::Return {
        return Err(unknown());
    }
    let _lock = payments.lock_order(share.order_id, Queue::Backend).await?;
    let order = reread(payments, share.order_id).await?.order;
    let payment = payment::of_share(payments, &share).await?;
    let new = prepared.of(&share, &payment, payments.clock.now_ms())?;
    begin(payments, &order, &new).await
}

/// All shares, releases and returns of an order, and what can still be shared.
pub async fn list(payments: &Payments, order_no: &str) -> Result<ShareList, Refusal> {
    let order = find_by_order_no(payments, order_no).await?.order;
    let paid = payment::paid_attempt(payments, order.id).await?;
    let left = match &paid {
        Some(attempt) => {
            let number = &attempt.out_trade_no;
            Some(payments.ledger.money_left(&order, number).await?)
        }
        None => None,
    };
    let shares = payments.ledger.shares(order.id).await?;
    Ok(ShareList {
        shares: shares
            .into_iter()
            .map(|share| details(&order, share))
            .collect(),
        frozen: left.is_some_and(|left| left.is_frozen()),
        shared_fen: left.map_or(Fen::ZERO, |left| left.shared_fen),
        shareable_fen: left.map_or(Fen::ZERO, |left| left.shareable_fen()),
    })
}

/// Asks WeChat what it still holds of an order's payment.
pub async fn frozen(payments: &Payments, order_no: &str) -> Result<FrozenMoney, Refusal> {
    let order = find_by_order_no(payments, order_no).await?.order;
    let payment = shared_payment(payments, &order, "so nothing is held").await?;
    let asked = payments.wechat.query_unsplit(&payment.transaction_id).await;
    let unsplit = asked.map_err(|error| receivers::of_call(&error))?;
    Ok(FrozenMoney {
        unsplit_fen: unsplit.unsplit_amount,
    })
}

/// WeChat told a receiver about one of our shares: it is queried now, because only the answer to a query
/// says what became of all receivers.
pub(crate) async fn hear(
    payments: &Payments,
    number: &str,
) -> Result<(), crate::ledger::LedgerError> {
    let now_ms = payments.clock.now_ms();
    payments.ledger.hurry_share(number, now_ms).await
}

async fn begin(
    payments: &Payments,
    order: &Order,
    new: &NewShare,
) -> Result<ShareCreated, Refusal> {
    let (share, is_new) = match payments.ledger.begin_share(new).await? {
        ShareBegun::New(share) => (share, true),
        ShareBegun::Same(share) => (share, false),
        ShareBegun::NumberUsed => {
            let field = number_field(new.kind);
            let rule = "is in use with other values";
            return Err(Refusal::field(ErrorCode::ShareNoUsed, field, rule));
        }
        ShareBegun::NotFrozen { is_for_sharing } => return Err(not_frozen(is_for_sharing)),
        ShareBegun::TooMuch { left_fen } => return Err(too_much(new, left_fen)),
        ShareBegun::TooMany => {
            return Err(Refusal::new(
                ErrorCode::ShareTooMany,
                format!("the payment has had {SHARES_MAX} shares, and WeChat takes no more"),
            ));
        }
    };
    if is_new {
        tracing::info!(
            event = "share.requested",
            order_no = order.order_no.as_str(),
            share_no = share.number,
            kind = share.kind.as_str(),
            amount_fen = share.amount_fen.count(),
            "a share of a payment is asked for"
        );
    }
    if share.state == ShareState::Requested {
        course::begin(payments, &*share).await?;
    }
    let share = find(payments, &new.number).await?;
    if share.state == ShareState::Refused {
        return Err(refused(&share));
    }
    Ok(ShareCreated {
        details: details(order, share),
        is_new,
    })
}

async fn find(payments: &Payments, number: &str) -> Result<Share, Refusal> {
    payments.ledger.share(number).await?.ok_or_else(unknown)
}

fn details(order: &Order, share: Share) -> ShareDetails {
    let (share_no, return_no) = match share.share_number {
        Some(share_number) => (share_number, Some(share.number)),
        None => (share.number, None),
    };
    ShareDetails {
        share_no,
        return_no,
        order_no: order.order_no.clone(),
        kind: share.kind,
        state: share.state,
        amount_fen: share.amount_fen,
        receivers: share.receivers,
        created_at: timestamp(share.created_ms),
        state_since: timestamp(share.state_ms),
        wechat_number: share.wechat_number,
        wechat_code: share.wechat_code,
        wechat_message: share.wechat_message,
    }
}

const fn number_field(kind: ShareKind) -> &'static str {
    match kind {
        ShareKind::Return => "return_no",
        _ => "share_no",
    }
}

fn unknown() -> Refusal {
    Refusal::new(ErrorCode::ShareUnknown, "no share has this number")
}

fn not_frozen(is_for_sharing: bool) -> Refusal {
    let message = if is_for_sharing {
        "the rest of the order's money is released, or is about to be: nothing can be shared any more"
    } else {
        "the order was made without settle_info.profit_sharing, so WeChat holds none of its money"
    };
    Refusal::new(ErrorCode::OrderNotFrozen, message)
}

/// The field and the numbers: what is asked for, and what is left.
fn too_much(new: &NewShare, left_fen: Fen) -> Refusal {
    let (asked_fen, left_fen) = (new.amount_fen.count(), left_fen.count());
    let (field, rule) = match new.kind {
        ShareKind::Return => (
            "amount_fen",
            format!(
                "is {asked_fen} fen, and {left_fen} fen can be returned: what this merchant got by \
                 the share less what it returned"
            ),
        ),
        _ => (
            "receivers",
            format!(
                "come to {asked_fen} fen, and {left_fen} fen are left to share: the payment less its \
                 refunds and its earlier shares"
            ),
        ),
    };
    Refusal::field(ErrorCode::ShareTooMuch, field, &rule)
}

/// WeChat's own message, so that the caller can fix the cause and request it again.
fn refused(share: &Share) -> Refusal {
    let reason = share.wechat_message.as_deref();
    let reason = reason.unwrap_or("no reason given");
    let mut error = ApiError::new(
        ErrorCode::WechatRefused,
        format!("WeChat does not take it: {reason}"),
    );
    error.wechat_code.clone_from(&share.wechat_code);
    Refusal::from(error)
}
