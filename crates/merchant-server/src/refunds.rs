//! Refunds: what the merchant's backend asks for, and how each comes to its end.
//!
//! One number is one refund, for ever. It is written down before WeChat hears of it, in the
//! transaction that sees that no more goes back than came; whoever finds it sent asks WeChat
//! first, and sends the same bytes again only where WeChat does not know them. Due work goes on
//! with whatever a process leaves behind.

mod abnormal;
mod details;
mod duplicate_payment;
mod preparation;
mod progress;
mod request;
mod updates;

pub(crate) use abnormal::apply_abnormal_refund;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
pub(crate) use details::{all_details, details};
pub(crate) use duplicate_payment::give_back;
use http::StatusCode;
use merchant_api::{ApiError, CreateRefund, ErrorCode, RefundDetails, RefundList, RefundState};
pub(crate) use progress::advance;
pub(crate) use updates::{Learned, learn, record_hint, record_notice};

use crate::config::Scope;
use crate::error::Failure;
use crate::extract::{Backend, PathText, json_body, read_body};
use crate::ledger::{Attempt, AttemptState, Checkout, REFUNDS_MAX, Refund, RefundBegun};
use crate::orders;
use crate::payments::{MerchantServer, Queue};

/// What came of asking for a refund.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) details: RefundDetails,
    /// Whether it was not there before.
    pub(crate) is_new: bool,
}

/// `POST /v1/orders/{order_no}/refunds`
pub(crate) async fn create_refund(
    State(server): State<MerchantServer>,
    backend: Backend,
    PathText(order_no): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    backend.may(Scope::RefundsWrite)?;
    let wanted = json_body::read_nested(&read_body(body)?, "a refund")?;
    let asked = ask(&server, &order_no, &wanted).await?;
    let status = if asked.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(asked.details)).into_response())
}

/// `GET /v1/refunds/{refund_no}`
pub(crate) async fn get_refund(
    State(server): State<MerchantServer>,
    backend: Backend,
    PathText(refund_no): PathText,
) -> Result<Json<RefundDetails>, Failure> {
    backend.may(Scope::RefundsRead)?;
    let refund = find(&server, &refund_no).await?;
    shown(&server, refund).await.map(Json)
}

/// `GET /v1/orders/{order_no}/refunds`
pub(crate) async fn list_refunds(
    State(server): State<MerchantServer>,
    backend: Backend,
    PathText(order_no): PathText,
) -> Result<Json<RefundList>, Failure> {
    backend.may(Scope::RefundsRead)?;
    let order = orders::find(&server, &order_no).await?.order;
    let refundable_fen = match paid_attempt(&server, order.id).await? {
        Some(attempt) => server.ledger.refundable_fen(&order, &attempt).await?,
        None => 0,
    };
    let refunds = server.ledger.refunds(order.id).await?;
    Ok(Json(RefundList {
        refunded_fen: order.refunded_fen,
        refundable_fen,
        refunds: all_details(&order.order_no, refunds),
    }))
}

/// Why a refund was not asked for from the command line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RefundRefused(String);

impl MerchantServer {
    /// Asks for a refund of an order, or finds the same one: the command line's way to what the
    /// private API does. It can be done beside a server that runs, and again and again.
    pub async fn ask_refund(
        &self,
        order_no: &str,
        wanted: &CreateRefund,
    ) -> Result<RefundDetails, RefundRefused> {
        match ask(self, order_no, wanted).await {
            Ok(asked) => Ok(asked.details),
            Err(failure) => Err(RefundRefused(failure.to_string())),
        }
    }
}

/// Asks for a refund, or finds the same one: what the API and the command line both do. Where
/// WeChat cannot say yet, it is taken down all the same and due work goes on with it.
pub(crate) async fn ask(
    server: &MerchantServer,
    order_no: &str,
    wanted: &CreateRefund,
) -> Result<Asked, Failure> {
    let checked = preparation::check(wanted)?;
    let Checkout { order, .. } = orders::find(server, order_no).await?;
    let _lock = server.lock_order(order.id, Queue::Backend).await?;
    let Some(attempt) = paid_attempt(server, order.id).await? else {
        return Err(not_paid());
    };
    let left_fen = server.ledger.refundable_fen(&order, &attempt).await?;
    let known = server.ledger.refund(&wanted.refund_no).await?;
    let amount_fen = match (wanted.amount_fen, &known) {
        (Some(amount_fen), _) => amount_fen,
        // All that was left when it was asked for.
        (None, Some(known)) => known.amount_fen,
        (None, None) => left_fen,
    };
    if amount_fen == 0 || amount_fen > order.total_fen {
        return Err(too_much(left_fen));
    }
    let new = request::of_wish(server, &order, &attempt, &checked, amount_fen)
        .map_err(|error| preparation::of_protocol(&error))?;
    let (refund, is_new) = match server.ledger.begin_refund(&new).await? {
        RefundBegun::New(refund) => (refund, true),
        RefundBegun::Same(refund) => (refund, false),
        RefundBegun::NumberUsed => {
            return Err(Failure::field(
                ErrorCode::RefundNoUsed,
                "refund_no",
                "is in use with other values",
            ));
        }
        RefundBegun::NotPaid => return Err(not_paid()),
        RefundBegun::TooMuch { left_fen } => return Err(too_much(left_fen)),
        RefundBegun::TooMany => {
            return Err(Failure::new(
                ErrorCode::RefundTooMany,
                format!("the payment has had {REFUNDS_MAX} refunds, and WeChat takes no more"),
            ));
        }
    };
    if is_new {
        tracing::info!(
            event = "refund.requested",
            order_no,
            refund_no = refund.out_refund_no,
            amount_fen,
            "a refund is asked for"
        );
    }
    if refund.state == RefundState::Requested {
        progress::advance_now(server, &refund).await?;
    }
    let refund = find(server, &wanted.refund_no).await?;
    if refund.state == RefundState::Refused {
        return Err(refused(&refund));
    }
    Ok(Asked {
        details: details(&order.order_no, refund),
        is_new,
    })
}

/// The refund of a number.
async fn find(server: &MerchantServer, refund_no: &str) -> Result<Refund, Failure> {
    server
        .ledger
        .refund(refund_no)
        .await?
        .ok_or_else(|| Failure::new(ErrorCode::RefundUnknown, "no refund has this number"))
}

async fn shown(server: &MerchantServer, refund: Refund) -> Result<RefundDetails, Failure> {
    let checkout = server.ledger.checkout(refund.order_id).await?;
    let order_no = checkout.map(|checkout| checkout.order.order_no);
    Ok(details(&order_no.unwrap_or_default(), refund))
}

/// The attempt that settled the order.
async fn paid_attempt(server: &MerchantServer, order_id: i64) -> Result<Option<Attempt>, Failure> {
    let attempts = server.ledger.attempts(order_id).await?;
    Ok(attempts
        .into_iter()
        .find(|attempt| attempt.state == AttemptState::Paid))
}

fn not_paid() -> Failure {
    Failure::new(
        ErrorCode::OrderNotPaid,
        "the order is not paid, so nothing can go back",
    )
}

fn too_much(left_fen: u64) -> Failure {
    Failure::field(
        ErrorCode::RefundTooMuch,
        "amount_fen",
        &format!("is more than is left of the payment: {left_fen} fen"),
    )
}

/// WeChat's own words, for whoever can mend the cause and ask again.
fn refused(refund: &Refund) -> Failure {
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
    Failure::from(error)
}
