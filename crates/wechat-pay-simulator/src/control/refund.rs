//! Refunds on WeChat's side: made in the portal, and the result of a pending one.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use wechat_pay::Fen;

use super::problem::{Problem, read};
use crate::ledger::order::{OrderKey, Protocol};
use crate::ledger::refund::{RefundKey, RefundRequest, RefundedPayment};
use crate::ledger::refunds::{RefundPlan, RefundRefusal};
use crate::settings::RefundOutcome;
use crate::simulator::Simulator;

pub(super) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/_simulator/refund", post(refund))
        .route("/_simulator/refund/outcome", post(decide))
}

/// A refund made in the portal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortalRefund {
    pub(crate) mchid: String,
    pub(crate) sub_mchid: Option<String>,
    pub(crate) out_trade_no: String,
    /// The amount, in fen.
    pub(crate) refund: i64,
    pub(crate) reason: Option<String>,
}

async fn refund(State(simulator): State<Simulator>, body: Bytes) -> Result<Response, Problem> {
    let answer = refund_by_hand(&simulator, read(&body)?)?;
    Ok(Json(answer).into_response())
}

/// Makes the refund; answers with it in the form of WeChat's query.
pub(crate) fn refund_by_hand(simulator: &Simulator, asked: PortalRefund) -> Result<Value, Problem> {
    let amount = Fen::new(asked.refund)
        .ok()
        .filter(|amount| *amount > Fen::ZERO)
        .ok_or_else(|| Problem::invalid(Some("refund"), "must be at least 1 fen"))?;
    let order = OrderKey {
        mchid: asked.mchid.clone(),
        sub_mchid: asked.sub_mchid.clone(),
        out_trade_no: asked.out_trade_no.clone(),
        is_combined: false,
    };
    let now = simulator.clock().now();
    let total = simulator.ledger().find(&order).map(|o| o.request.total);
    let total = total.ok_or_else(|| refuse(RefundRefusal::Unpaid))?;
    let settings = simulator.settings();
    let plan = RefundPlan {
        refund_id: simulator.random().refund_id(now),
        result_after_s: settings.refund_after_s,
        outcome: settings.refund_outcome,
    };
    let request = RefundRequest {
        key: RefundKey {
            mchid: asked.mchid,
            sub_mchid: asked.sub_mchid,
            // For these refunds WeChat makes the numbers.
            out_refund_no: format!("portal_{}", simulator.random().digits(20)),
        },
        payment: RefundedPayment::OutTradeNo(asked.out_trade_no),
        refund: amount,
        total,
        notify_url: None,
        reason: asked.reason,
        from_portal: true,
        protocol: Protocol::V3,
        body: json!({}),
    };
    let mut ledger = simulator.ledger();
    let (order, refund) = ledger.refund(request, plan, now).map_err(refuse)?;
    let answer = refund.json(order);
    drop(ledger);
    simulator.wake();
    Ok(answer)
}

/// The result of a pending refund.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    pub(crate) mchid: String,
    pub(crate) sub_mchid: Option<String>,
    pub(crate) out_refund_no: String,
    pub(crate) outcome: RefundOutcome,
}

async fn decide(State(simulator): State<Simulator>, body: Bytes) -> Result<Response, Problem> {
    let answer = decide_refund(&simulator, read(&body)?)?;
    Ok(Json(answer).into_response())
}

/// Sets the result now; answers with the refund in the form of WeChat's query.
pub(crate) fn decide_refund(simulator: &Simulator, decision: Decision) -> Result<Value, Problem> {
    let key = RefundKey {
        mchid: decision.mchid,
        sub_mchid: decision.sub_mchid,
        out_refund_no: decision.out_refund_no,
    };
    let now = simulator.clock().now();
    let decided = simulator
        .ledger()
        .decide_refund(&key, decision.outcome, now);
    let unknown = || {
        Problem::refused(
            404,
            "REFUND_UNKNOWN",
            "there is no pending refund with this number",
        )
    };
    if !decided {
        return Err(unknown());
    }
    simulator.settle_transfers();
    simulator.wake();
    let ledger = simulator.ledger();
    let (order, refund) = ledger.find_refund(&key).ok_or_else(unknown)?;
    Ok(refund.json(order))
}

fn refuse(refusal: RefundRefusal) -> Problem {
    let (status, code, message) = match refusal {
        RefundRefusal::Unpaid => (
            404,
            "ORDER_UNKNOWN",
            "there is no paid order with this number",
        ),
        RefundRefusal::TooMuch => (
            409,
            "REFUND_TOO_MUCH",
            "the amount exceeds the rest of the payment",
        ),
        RefundRefusal::MoreThanHeld => (
            409,
            "REFUND_TOO_MUCH",
            "the amount exceeds what is held, and the rest is not released",
        ),
        RefundRefusal::TooSoon | RefundRefusal::TooSoonForOldOrder | RefundRefusal::TooOften => (
            429,
            "TOO_SOON",
            "a minute must pass between two refunds of an order",
        ),
        RefundRefusal::TooMany => (409, "REFUND_TOO_MANY", "an order has at most 50 refunds"),
        RefundRefusal::TooLate => (409, "REFUND_TOO_LATE", "the payment is older than a year"),
        RefundRefusal::NotRefundable | RefundRefusal::OtherTotal | RefundRefusal::Changed => {
            (409, "NOT_REFUNDABLE", "the order cannot be refunded")
        }
    };
    Problem::refused(status, code, message)
}
