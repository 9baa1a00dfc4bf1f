//! Refunds: the requests of the merchant's backend, and their course to a final state.
//!
//! One number is one refund, forever. A refund is recorded before it is sent to WeChat, in the
//! transaction that checks that no more is refunded than was paid. A refund that was sent is
//! queried first, and the same bytes are sent again only if WeChat does not know it. Due work
//! completes what a process leaves unfinished.

mod abnormal;
mod duplicate_payment;
mod lookup;
mod preparation;
mod progress;
mod query_plan;
mod request;
mod reserved_numbers;
mod updates;

pub use abnormal::apply_abnormal;
pub(crate) use duplicate_payment::refund_duplicate;
use lookup::{find, shown};
use merchant_api::{
    ApiError, CreateRefund, ErrorCode, RefundDetails, RefundList, RefundState, SubOrderLeft,
};
use payment_values::Fen;
pub(crate) use progress::advance;
pub use reserved_numbers::{is_desk_number, new_number};
pub(crate) use updates::{Learned, NoticeRecorded, learn, record_notice, record_unverified};

use crate::checkouts::{all_refund_details, find_by_order_no, refund_details};
use crate::ledger::{
    Attempt, AttemptState, Charge, Checkout, MoneyLeft, Order, REFUNDS_MAX, Refund, RefundBegun,
};
use crate::payments::{Payments, Queue};
use crate::query::course;
use crate::refusal::Refusal;

/// The result of a refund request.
#[derive(Clone, Debug)]
pub struct RefundCreated {
    /// The refund as it is now.
    pub details: RefundDetails,
    /// Whether the refund is new.
    pub is_new: bool,
}

/// The refund with this number.
pub async fn show(payments: &Payments, refund_no: &str) -> Result<RefundDetails, Refusal> {
    let refund = find(payments, refund_no).await?;
    shown(payments, refund).await
}

/// All refunds of an order, and the amount that can still be refunded.
pub async fn list(payments: &Payments, order_no: &str) -> Result<RefundList, Refusal> {
    let order = find_by_order_no(payments, order_no).await?.order;
    let left = match paid_attempt(payments, order.id).await? {
        Some(attempt) => payments.ledger.refundable(&order, &attempt).await?,
        None => Vec::new(),
    };
    let refunds = payments.ledger.refunds(order.id).await?;
    Ok(RefundList {
        refunded_fen: order.refunded_fen,
        refundable_fen: left
            .iter()
            .fold(Fen::ZERO, |sum, (_, fen)| sum.saturating_add(*fen)),
        sub_orders: order.is_combined().then(|| sub_orders_left(&left)),
        refunds: all_refund_details(&order.order_no, refunds),
    })
}

/// Why a refund request from the command line failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RefundRefused(String);

impl Payments {
    /// Requests a refund of an order, or finds the same one, as the private API does: for the
    /// command line. It can run beside a server and be repeated.
    pub async fn request_refund(
        &self,
        order_no: &str,
        request: &CreateRefund,
    ) -> Result<RefundDetails, RefundRefused> {
        match create(self, order_no, request).await {
            Ok(asked) => Ok(asked.details),
            Err(failure) => Err(RefundRefused(failure.to_string())),
        }
    }
}

/// Requests a refund, or finds the same one: for the API and the command line. If WeChat's answer
/// is not certain yet, the refund is recorded all the same and due work completes it.
pub async fn create(
    payments: &Payments,
    order_no: &str,
    request: &CreateRefund,
) -> Result<RefundCreated, Refusal> {
    let prepared = preparation::prepare(request)?;
    let Checkout { order, .. } = find_by_order_no(payments, order_no).await?;
    let _lock = payments.lock_order(order.id, Queue::Backend).await?;
    check_sub_order_no(&order, request)?;
    let Some(attempt) = paid_attempt(payments, order.id).await? else {
        return Err(not_paid());
    };
    let charges = payments.ledger.charges_of(&attempt).await?;
    let charge = charges
        .into_iter()
        .find(|charge| charge.sub_order_no == request.sub_order_no)
        .ok_or_else(unknown_sub_order)?;
    let left = payments.ledger.left_of(&order, &charge).await?;
    let known = payments.ledger.refund(&request.refund_no).await?;
    let amount_fen = match (request.amount_fen, &known) {
        // An amount beyond the limit of the type is beyond the order's, too.
        (Some(amount_fen), _) => Fen::saturating(amount_fen),
        // Everything that was left when the refund was requested.
        (None, Some(known)) if known.out_trade_no == charge.out_trade_no => known.amount_fen,
        (None, _) => left.refundable_fen(),
    };
    if amount_fen == Fen::ZERO || amount_fen > charge.total_fen {
        return Err(too_much(&left));
    }
    let new = request::of_merchant(payments, &charge, &prepared, amount_fen)
        .map_err(|error| preparation::of_protocol(&error))?;
    let (refund, is_new) = match payments.ledger.begin_refund(&new).await? {
        RefundBegun::New(refund) => (refund, true),
        RefundBegun::Same(refund) => (refund, false),
        RefundBegun::NumberUsed => {
            return Err(Refusal::field(
                ErrorCode::RefundNoUsed,
                "refund_no",
                "is in use with other values",
            ));
        }
        RefundBegun::NotPaid => return Err(not_paid()),
        RefundBegun::TooMuch(left) => return Err(too_much(&left)),
        RefundBegun::TooMany => {
            return Err(Refusal::new(
                ErrorCode::RefundTooMany,
                format!("the payment has had {REFUNDS_MAX} refunds, and WeChat takes no more"),
            ));
        }
    };
    if is_new {
        tracing::info!(
            event = "refund.requested",
            order_no,
            refund_no = refund.out_refund_no.as_str(),
            amount_fen = amount_fen.count(),
            "a refund is asked for"
        );
    }
    if refund.state == RefundState::Requested {
        course::begin(payments, &*refund).await?;
    }
    let refund = find(payments, &request.refund_no).await?;
    if refund.state == RefundState::Refused {
        return Err(refused(&refund));
    }
    Ok(RefundCreated {
        details: refund_details(&order.order_no, refund),
        is_new,
    })
}

/// The attempt that settled the order.
async fn paid_attempt(payments: &Payments, order_id: i64) -> Result<Option<Attempt>, Refusal> {
    let attempts = payments.ledger.attempts(order_id).await?;
    Ok(attempts
        .into_iter()
        .find(|attempt| attempt.state == AttemptState::Paid))
}

/// A refund of a combined order is one of a sub-order, and no other order has any.
fn check_sub_order_no(order: &Order, request: &CreateRefund) -> Result<(), Refusal> {
    let rule = match (order.is_combined(), &request.sub_order_no) {
        (true, None) => "is missing: each sub-order of a combined order is refunded by itself",
        (false, Some(_)) => "must not be given: the order is not a combined one",
        (true, Some(_)) | (false, None) => return Ok(()),
    };
    Err(Refusal::invalid("sub_order_no", rule))
}

fn unknown_sub_order() -> Refusal {
    Refusal::invalid("sub_order_no", "names no sub-order of the order")
}

fn sub_orders_left(left: &[(Charge, Fen)]) -> Vec<SubOrderLeft> {
    left.iter()
        .filter_map(|(charge, refundable_fen)| {
            Some(SubOrderLeft {
                sub_order_no: charge.sub_order_no.clone()?,
                refundable_fen: *refundable_fen,
            })
        })
        .collect()
}

fn not_paid() -> Refusal {
    Refusal::new(
        ErrorCode::OrderNotPaid,
        "the order is not paid, so nothing can be refunded",
    )
}

fn too_much(left: &MoneyLeft) -> Refusal {
    let left_fen = left.refundable_fen().count();
    let mut rule = format!("is more than is left of the payment: {left_fen} fen");
    let withheld_fen = left.withheld_fen().count();
    if withheld_fen > 0 {
        rule = format!(
            "{rule}, because {withheld_fen} fen are shared and the rest is still held for sharing: \
             release the rest (POST /v1/orders/{{order_no}}/unfreeze), and refund after that"
        );
    }
    Refusal::field(ErrorCode::RefundTooMuch, "amount_fen", &rule)
}

/// WeChat's own message, so that the caller can fix the cause and request the refund again.
fn refused(refund: &Refund) -> Refusal {
    let mut error = ApiError::new(
        ErrorCode::WechatRefused,
        format!(
            "WeChat does not take the refund: {}",
            refund
                .wechat_message
                .as_deref()
                .unwrap_or("no reason given")
        ),
    );
    error.wechat_code.clone_from(&refund.wechat_code);
    Refusal::from(error)
}
