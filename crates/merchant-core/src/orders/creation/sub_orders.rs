//! The sub-orders of a new combined order (合单支付), checked by the rules of WeChat and of this server. A field
//! that combined orders do not have at WeChat is refused by its name, because it would have no effect.

use std::collections::BTreeSet;

use merchant_api::{CreateOrder, ErrorCode, SUB_ATTACH_MAX_BYTES, SUB_ORDER_NO_MAX, SubOrder};
use payment_values::{Fen, OrderNo};
use wechat_pay::{InvalidField, sub_orders_allowed};

use crate::attempts::wechat_sub_order;
use crate::config::{Api, Merchant};
use crate::ledger::NewSubOrder;
use crate::refusal::Refusal;

/// Checks everything about sub-orders that does not depend on how the buyer pays; none of an ordinary order.
pub(super) fn check(
    merchant: &Merchant,
    order_no: &OrderNo,
    request: &CreateOrder,
) -> Result<Vec<NewSubOrder>, Refusal> {
    let Some(sub_orders) = &request.sub_orders else {
        return Ok(Vec::new());
    };
    if merchant.api != Api::V3 {
        let rule = "need version 3 of WeChat's API: configure merchant.api_v3_key_file";
        return Err(Refusal::invalid("sub_orders", rule));
    }
    refuse_fields_of_ordinary_orders(request)?;
    let allowed = sub_orders_allowed(!merchant.sub_merchants.is_empty());
    if !allowed.contains(&sub_orders.len()) {
        let (least, most) = allowed.into_inner();
        let rule = format!("must be {least} to {most} sub-orders");
        return Err(Refusal::invalid("sub_orders", &rule));
    }
    let mut numbers = BTreeSet::new();
    let mut checked = Vec::new();
    for (place, sub_order) in sub_orders.iter().enumerate() {
        let invalid = |field: &str, rule: &str| {
            Refusal::invalid(&format!("sub_orders[{place}].{field}"), rule)
        };
        let (field, rule) = match broken_rule(merchant, order_no, sub_order) {
            Some(broken) => broken,
            None if !numbers.insert(&sub_order.sub_order_no) => (
                "sub_order_no",
                "must be unique: an earlier sub-order has it".to_owned(),
            ),
            None => {
                checked.push(new(sub_order));
                continue;
            }
        };
        return Err(invalid(field, &rule));
    }
    check_sum(request, &checked)?;
    Ok(checked)
}

fn refuse_fields_of_ordinary_orders(request: &CreateOrder) -> Result<(), Refusal> {
    const NOT_THERE: &str =
        "must not come with sub_orders: a combined order has no such field at WeChat";
    const IN_EACH: &str = "must not come with sub_orders: it stands in each of them";
    let scene_info = request.scene_info.as_ref();
    let payer = request.payer.as_ref();
    let fields = [
        ("sub_mchid", request.sub_mchid.is_some(), IN_EACH),
        ("attach", request.attach.is_some(), IN_EACH),
        ("goods_tag", request.goods_tag.is_some(), NOT_THERE),
        ("limit_pay", request.limit_pay.is_some(), NOT_THERE),
        (
            "support_fapiao",
            request.support_fapiao.is_some(),
            NOT_THERE,
        ),
        ("detail", request.detail.is_some(), NOT_THERE),
        ("settle_info", request.settle_info.is_some(), NOT_THERE),
        (
            "scene_info.store_info",
            scene_info.is_some_and(|scene| scene.store_info.is_some()),
            NOT_THERE,
        ),
        (
            "payer.sub_openid",
            payer.is_some_and(|payer| payer.sub_openid.is_some()),
            "must not come with sub_orders: a combined order is paid under the provider's application",
        ),
    ];
    match fields.into_iter().find(|(_, is_given, _)| *is_given) {
        Some((field, _, rule)) => Err(Refusal::invalid(field, rule)),
        None => Ok(()),
    }
}

/// The first field of a sub-order that breaks a rule.
fn broken_rule(
    merchant: &Merchant,
    order_no: &OrderNo,
    sub_order: &SubOrder,
) -> Option<(&'static str, String)> {
    let mchid = merchant.key.mchid();
    let number = &sub_order.sub_order_no;
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte);
    let broken = |field, rule: &str| Some((field, rule.to_owned()));
    if !(1..=SUB_ORDER_NO_MAX).contains(&number.len()) || !number.bytes().all(is_letter) {
        return broken(
            "sub_order_no",
            r"must be 1 to 32 characters of [0-9a-zA-Z_\-|*]",
        );
    }
    // A payment that this server could not refund must not happen, and only the merchant that sells refunds.
    if sub_order
        .mchid
        .as_deref()
        .is_some_and(|given| given != mchid)
    {
        return broken(
            "mchid",
            "must be this server's own merchant number: only that one can be refunded here",
        );
    }
    let sub_mchid = sub_order.sub_mchid.as_deref();
    match sub_mchid {
        None if merchant.sub_merchants.is_empty() => {}
        None => {
            return broken(
                "sub_mchid",
                "is missing: a service provider orders for one of its sub-merchants",
            );
        }
        Some(sub_mchid) => {
            if let Err(rule) = merchant.known_sub_merchant(sub_mchid) {
                return broken("sub_mchid", rule);
            }
        }
    }
    let attach = sub_order.attach.as_ref();
    if attach.is_some_and(|attach| attach.len() > SUB_ATTACH_MAX_BYTES) {
        return broken(
            "attach",
            "must be at most 62 bytes of UTF-8: WeChat takes 128, and order_no and sub_order_no go before it",
        );
    }
    let checked = wechat_sub_order(mchid, order_no, sub_order, order_no.clone().into())
        .and_then(|wechats| wechats.check());
    let InvalidField { field, rule } = checked.err()?;
    let field = match field {
        "amount.total_amount" => "amount_fen",
        field => field,
    };
    Some((field, rule.to_string()))
}

fn check_sum(request: &CreateOrder, sub_orders: &[NewSubOrder]) -> Result<(), Refusal> {
    let sum = sub_orders.iter().try_fold(Fen::ZERO, |sum, sub_order| {
        sum.checked_add(sub_order.amount_fen)
    });
    let sum_fen = sum.unwrap_or(Fen::MAX).count();
    if sum_fen == request.total_fen {
        return Ok(());
    }
    let rule = format!("must be the sum of the sub-orders' amounts, which is {sum_fen}");
    Err(Refusal::field(ErrorCode::AmountInvalid, "total_fen", &rule))
}

fn new(sub_order: &SubOrder) -> NewSubOrder {
    NewSubOrder {
        sub_order_no: sub_order.sub_order_no.clone(),
        sub_mchid: sub_order.sub_mchid.clone(),
        amount_fen: Fen::saturating(sub_order.amount_fen),
        description: sub_order.description.clone(),
        attach: sub_order.attach.clone(),
    }
}
