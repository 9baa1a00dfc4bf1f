//! The exact bytes of a refund, built once and stored. This is the only place that builds a
//! refund's request.

use merchant_api::RefundOrigin;
use wechat_pay::{Fen, InvalidField, OutRefundNo, RefundOf, RefundRequest};

use super::preparation::PreparedRefund;
use crate::ledger::{Attempt, NewRefund, Order};
use crate::payments::Payments;
use crate::wechat;

/// The reason that is shown to a buyer who paid an order twice.
const DUPLICATE_REASON: &str = "订单重复支付，多付的款项退回";

/// The body of a merchant's refund.
pub(super) fn of_merchant(
    payments: &Payments,
    order: &Order,
    attempt: &Attempt,
    prepared: &PreparedRefund,
    amount_fen: Fen,
) -> Result<NewRefund, InvalidField> {
    let request = RefundRequest {
        reason: prepared.reason.clone(),
        funds_account: prepared.funds_account.clone(),
        from: prepared.from.clone(),
        goods_detail: prepared.goods_detail.clone(),
        ..request(
            payments,
            order,
            attempt,
            prepared.number.clone(),
            amount_fen,
        )
    };
    Ok(NewRefund {
        request: Some(prepared.request.clone()),
        ..new(
            payments,
            attempt,
            RefundOrigin::Merchant,
            amount_fen,
            &request,
        )?
    })
}

/// The body of a duplicate payment's refund, under a number of this server.
pub(super) fn of_duplicate(
    payments: &Payments,
    order: &Order,
    attempt: &Attempt,
    number: OutRefundNo,
    amount_fen: Fen,
) -> Result<NewRefund, InvalidField> {
    let request = RefundRequest {
        reason: Some(DUPLICATE_REASON.to_owned()),
        ..request(payments, order, attempt, number, amount_fen)
    };
    new(
        payments,
        attempt,
        RefundOrigin::Surplus,
        amount_fen,
        &request,
    )
}

/// The fields that every refund has.
fn request(
    payments: &Payments,
    order: &Order,
    attempt: &Attempt,
    number: OutRefundNo,
    amount_fen: Fen,
) -> RefundRequest {
    let payment = RefundOf::OutTradeNo(attempt.out_trade_no.clone());
    RefundRequest {
        // Without this field version 3 notifies in the form of version 2, unsigned.
        notify_url: Some(payments.config.merchant.refund_notify_url.clone()),
        sub_mchid: attempt.parties.sub_mchid.clone(),
        ..RefundRequest::new(payment, number, amount_fen, order.total_fen)
    }
}

fn new(
    payments: &Payments,
    attempt: &Attempt,
    origin: RefundOrigin,
    amount_fen: Fen,
    request: &RefundRequest,
) -> Result<NewRefund, InvalidField> {
    // Both versions refund what either of them ordered.
    let api = payments.config.merchant.api;
    let mchid = payments.config.merchant.key.mchid();
    Ok(NewRefund {
        out_refund_no: request.out_refund_no.clone(),
        order_id: attempt.order_id,
        attempt: attempt.number,
        origin,
        api,
        amount_fen,
        reason: request.reason.clone(),
        request: None,
        body: wechat::refund_body(api, &attempt.parties.orderer(mchid), request)?,
        created_ms: payments.clock.now_ms(),
    })
}
