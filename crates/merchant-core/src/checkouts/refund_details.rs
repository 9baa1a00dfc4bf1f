//! A refund as the merchant's own backend sees it.

use merchant_api::RefundDetails;
use payment_values::OrderNo;

use crate::ledger::{Refund, timestamp};

/// One refund of an order.
pub(crate) fn refund_details(order_no: &OrderNo, refund: Refund) -> RefundDetails {
    RefundDetails {
        refund_no: refund.out_refund_no,
        order_no: order_no.clone(),
        out_trade_no: refund.out_trade_no,
        sub_order_no: refund.sub_order_no,
        origin: refund.origin,
        state: refund.state,
        amount_fen: refund.amount_fen,
        payer_refund_fen: refund.payer_refund_fen,
        reason: refund.reason,
        created_at: timestamp(refund.created_ms),
        state_since: timestamp(refund.state_ms),
        refund_id: refund.refund_id,
        user_received_account: refund.user_received_account,
        success_time: refund.success_time,
        wechat_code: refund.wechat_code,
        wechat_message: refund.wechat_message,
    }
}

/// All refunds of an order.
pub(crate) fn all_refund_details(order_no: &OrderNo, refunds: Vec<Refund>) -> Vec<RefundDetails> {
    let refunds = refunds.into_iter();
    refunds
        .map(|refund| refund_details(order_no, refund))
        .collect()
}
