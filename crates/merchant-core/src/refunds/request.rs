//! The exact bytes of a refund, built once and stored. This is the only place that builds a
//! refund's request.

use merchant_api::RefundOrigin;
use wechat_pay::{Fen, InvalidField, OutRefundNo, RefundOf, RefundRequest};

use super::preparation::PreparedRefund;
use crate::config::Api;
use crate::ledger::{Charge, NewRefund};
use crate::payments::Payments;
use crate::wechat;

/// The reason that is shown to a buyer who paid an order twice.
const DUPLICATE_REASON: &str = "订单重复支付，多付的款项退回";

/// The body of a merchant's refund.
pub(super) fn of_merchant(
    payments: &Payments,
    charge: &Charge,
    prepared: &PreparedRefund,
    amount_fen: Fen,
) -> Result<NewRefund, InvalidField> {
    let request = RefundRequest {
        reason: prepared.reason.clone(),
        funds_account: prepared.funds_account.clone(),
        from: prepared.from.clone(),
        goods_detail: prepared.goods_detail.clone(),
        ..request(payments, charge, prepared.number.clone(), amount_fen)
    };
    Ok(NewRefund {
        request: Some(prepared.request.clone()),
        ..new(
            payments,
            charge,
            RefundOrigin::Merchant,
            amount_fen,
            &request,
        )?
    })
}

/// The body of a duplicate payment's refund, under a number of this server.
pub(super) fn of_duplicate(
    payments: &Payments,
    charge: &Charge,
    number: OutRefundNo,
    amount_fen: Fen,
) -> Result<NewRefund, InvalidField> {
    let request = RefundRequest {
        reason: Some(DUPLICATE_REASON.to_owned()),
        ..request(payments, charge, number, amount_fen)
    };
    new(
        payments,
        charge,
        RefundOrigin::Surplus,
        amount_fen,
        &request,
    )
}

/// The fields that every refund has.
fn request(
    payments: &Payments,
    charge: &Charge,
    number: OutRefundNo,
    amount_fen: Fen,
) -> RefundRequest {
    let payment = RefundOf::OutTradeNo(charge.out_trade_no.clone());
    RefundRequest {
        // Without this field version 3 notifies in the form of version 2, unsigned.
        notify_url: Some(payments.config.merchant.refund_notify_url.clone()),
        sub_mchid: charge.parties.sub_mchid.clone(),
        ..RefundRequest::new(payment, number, amount_fen, charge.total_fen)
    }
}

fn new(
    payments: &Payments,
    charge: &Charge,
    origin: RefundOrigin,
    amount_fen: Fen,
    request: &RefundRequest,
) -> Result<NewRefund, InvalidField> {
    // Both versions refund what either of them ordered; but version 3 alone combines orders, and no document
    // says that the other one refunds a part of them.
    let api = match charge.sub_order_no {
        Some(_) => Api::V3,
        None => payments.config.merchant.api,
    };
    let mchid = payments.config.merchant.key.mchid();
    Ok(NewRefund {
        out_refund_no: request.out_refund_no.clone(),
        order_id: charge.order_id,
        out_trade_no: charge.out_trade_no.clone(),
        origin,
        api,
        amount_fen,
        reason: request.reason.clone(),
        request: None,
        body: wechat::refund_body(api, &charge.parties.orderer(mchid), request)?,
        created_ms: payments.clock.now_ms(),
    })
}
