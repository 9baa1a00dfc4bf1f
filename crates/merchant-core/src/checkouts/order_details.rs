//! An order in the private API's form. The buyer's openid is in it only for a reader that may see who
//! paid.

use merchant_api::{AttemptDetails, OrderDetails, SubOrderDetails, SubOrderNumbers};

use super::refund_details::all_refund_details;
use crate::config::Config;
use crate::ledger::{Attempt, AttemptState, Order, Refund, Shipping, SubOrder, timestamp};
use crate::orders::shipping;

/// Whether a reader may see who paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payers {
    /// It sees the openids.
    Shown,
    /// It does not.
    Hidden,
}

/// The order with its attempts and refunds.
pub(crate) fn order_details(
    config: &Config,
    order: Order,
    attempts: Vec<Attempt>,
    refunds: Vec<Refund>,
    shippings: Vec<Shipping>,
    sub_orders: &[SubOrder],
    payers: Payers,
) -> OrderDetails {
    let details = |attempt: Attempt| {
        let payer = match payers {
            Payers::Shown => attempt.payer(),
            Payers::Hidden => None,
        };
        AttemptDetails {
            payer,
            sub_orders: attempt
                .is_combined
                .then(|| numbers(sub_orders, attempt.number)),
            ..attempt_details(attempt)
        }
    };
    let request = order.creation_request();
    let settling = attempts
        .iter()
        .find(|attempt| attempt.state == AttemptState::Paid)
        .cloned()
        .map(details);
    let settled = settling.as_ref();
    let shown_attempt = settled.map_or(order.current_attempt, |attempt| attempt.number);
    OrderDetails {
        sub_orders: shown_sub_orders(config, sub_orders, shown_attempt),
        refunds: all_refund_details(&order.order_no, refunds),
        shippings: shippings.into_iter().map(shipping::details).collect(),
        refunded_fen: order.refunded_fen,
        order_no: order.order_no,
        state: order.state,
        is_closing: order.is_closing,
        total_fen: order.total_fen,
        description: order.description,
        currency: "CNY".to_owned(),
        sub_mchid: order.sub_mchid,
        attach: request.as_ref().and_then(|request| request.attach.clone()),
        link_id: order.link_id,
        note: order.note,
        goods_tag: request
            .as_ref()
            .and_then(|request| request.goods_tag.clone()),
        limit_pay: request
            .as_ref()
            .and_then(|request| request.limit_pay.clone()),
        support_fapiao: request.as_ref().and_then(|request| request.support_fapiao),
        detail: request.as_ref().and_then(|request| request.detail.clone()),
        scene_info: request
            .as_ref()
            .and_then(|request| request.scene_info.clone()),
        settle_info: request.and_then(|request| request.settle_info),
        created_at: timestamp(order.created_ms),
        expires_at: timestamp(order.expires_ms),
        version: order.version,
        payer_total_fen: order.payer_total_fen,
        success_time: order.success_time,
        transaction_id: settled.and_then(|attempt| attempt.transaction_id.clone()),
        bank_type: settled.and_then(|attempt| attempt.bank_type.clone()),
        promotion_detail: settled.and_then(|attempt| attempt.promotion_detail.clone()),
        payer: settled.and_then(|attempt| attempt.payer.clone()),
        live: config.gateway.is_live(),
        attempts: attempts.into_iter().map(details).collect(),
    }
}

/// The sub-orders of a combined order, with the numbers of one attempt; `None` for any other order.
fn shown_sub_orders(
    config: &Config,
    sub_orders: &[SubOrder],
    attempt: u64,
) -> Option<Vec<SubOrderDetails>> {
    let of_attempt = sub_orders
        .iter()
        .filter(|sub_order| sub_order.attempt.is_none_or(|number| number == attempt));
    let mchid = config.merchant.key.mchid();
    let shown: Vec<_> = of_attempt
        .map(|sub_order| sub_order.details(mchid))
        .collect();
    (!shown.is_empty()).then_some(shown)
}

/// The numbers of the sub-orders in an attempt.
fn numbers(sub_orders: &[SubOrder], attempt: u64) -> Vec<SubOrderNumbers> {
    sub_orders
        .iter()
        .filter(|sub_order| sub_order.attempt == Some(attempt))
        .filter_map(SubOrder::numbers)
        .collect()
}

/// One attempt, without its payer and its sub-orders.
pub(crate) fn attempt_details(attempt: Attempt) -> AttemptDetails {
    AttemptDetails {
        number: attempt.number,
        product: attempt.product,
        out_trade_no: attempt.out_trade_no,
        state: attempt.state.as_str().to_owned(),
        created_at: timestamp(attempt.created_ms),
        transaction_id: attempt.transaction_id,
        bank_type: attempt.bank_type,
        refund_seen_at: attempt.refund_seen_ms.map(timestamp),
        payer_total_fen: attempt.payer_total_fen,
        success_time: attempt.success_time,
        promotion_detail: attempt
            .promotion_detail
            .and_then(|json| serde_json::from_str(&json).ok()),
        payer: None,
        sub_orders: None,
    }
}
