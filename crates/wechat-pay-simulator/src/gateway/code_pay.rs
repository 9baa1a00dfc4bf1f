//! Code pay (付款码): the merchant scans the buyer's code, and the answer is the transaction.
//!
//! The community's API description documents it and several SDKs use it; the official guides say
//! that only V2 has it. The setting `code_pay` switches it off for this reason.

use http::StatusCode;
use serde_json::json;

use super::answer::{Answer, Refusal};
use super::caller::Caller;
use super::order_fields::{order_fields, reverse_fields};
use super::route::Role;
use super::{orders, schema};
use crate::ledger::auth_code::AuthCodeRefusal;
use crate::ledger::order::{OrderKey, OrderRequest, Product};
use crate::ledger::{OrderRefusal, Outcome, ReverseRefusal, Target};
use crate::simulator::{Buyer, Simulator};

/// From this amount on, the buyer's phone asks for the password.
const PASSWORD_FROM_FEN: i64 = 100_000;

/// Takes the payment, or waits for the buyer's password.
pub(super) fn pay(
    simulator: &Simulator,
    role: Role,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let settings = simulator.settings();
    let fields = order_fields(Product::CodePay, role == Role::Partner);
    let body = schema::read(fields, settings.description_limit, body)?;
    let auth_code = orders::text(&body, "/payer/auth_code").to_owned();
    let request = orders::read_request(simulator, Product::CodePay, role, body, caller)?;
    let key = request.key.clone();
    take(simulator, request, &auth_code).map_err(|refusal| match refusal {
        CodePayRefusal::Code(refusal) => refuse_code(refusal),
        CodePayRefusal::Order(refusal) => orders::refuse_order(&settings, refusal),
    })?;
    let now = simulator.clock().now();
    let ledger = simulator.ledger();
    let order = ledger.find(&key).ok_or_else(orders::not_found)?;
    Ok(Answer::Json(order.transaction_json(now)))
}

/// Why a payment by code is refused.
pub(super) enum CodePayRefusal {
    Code(AuthCodeRefusal),
    Order(OrderRefusal),
}

/// Takes the payment of an order of either protocol, or lets it wait for the buyer's password.
pub(super) fn take(
    simulator: &Simulator,
    request: OrderRequest,
    auth_code: &str,
) -> Result<(), CodePayRefusal> {
    let key = request.key.clone();
    let total = request.total;
    let now = simulator.clock().now();
    let link = orders::new_link(simulator, Product::CodePay, now);
    let known = simulator.ledger().find(&key).is_some();
    // A repeated request returns the payment's state and does not use the code again.
    let payer = if known {
        None
    } else {
        let used = simulator.ledger().auth_codes().use_up(auth_code, now);
        Some(used.map_err(CodePayRefusal::Code)?)
    };
    let deadline_cap_days = simulator.settings().deadline_cap_days;
    simulator
        .ledger()
        .order(request, link, deadline_cap_days, now)
        .map_err(CodePayRefusal::Order)?;
    if let Some(payer) = payer {
        if total.get() >= PASSWORD_FROM_FEN {
            simulator.ledger().wait_for_password(&key, payer);
        } else {
            let target = Target::Order(key);
            // A new order of this merchant: nothing can refuse it.
            let _ = simulator.visit_cashier(&target, Outcome::Success, &Buyer::Payer(payer));
        }
    }
    Ok(())
}

/// Reverses a payment, whether it was made or not.
pub(super) fn reverse(
    simulator: &Simulator,
    number: &str,
    role: Role,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    schema::check_number_in_path(number)?;
    let fields = reverse_fields(role == Role::Partner);
    let body = schema::read(fields, simulator.settings().description_limit, body)?;
    let key = OrderKey {
        mchid: caller.mchid.clone(),
        sub_mchid: orders::parties_of_body(simulator, role, &body, caller)?,
        out_trade_no: number.to_owned(),
        is_combined: false,
    };
    let now = simulator.clock().now();
    simulator
        .ledger()
        .reverse(&key, now)
        .map_err(refuse_reverse)?;
    Ok(Answer::Json(match &key.sub_mchid {
        None => json!({ "mchid": caller.mchid, "out_trade_no": number }),
        Some(sub_mchid) => json!({
            "sp_mchid": caller.mchid,
            "sub_mchid": sub_mchid,
            "out_trade_no": number,
        }),
    }))
}

fn refuse_code(refusal: AuthCodeRefusal) -> Refusal {
    let bad = StatusCode::BAD_REQUEST;
    match refusal {
        AuthCodeRefusal::Unknown => Refusal::new(
            bad,
            "AUTH_CODE_INVALID",
            "请扫描微信支付被扫条码/二维码",
            super::answer::BAD_PARAMETER,
        ),
        AuthCodeRefusal::Expired => Refusal::new(
            bad,
            "AUTHCODEEXPIRE",
            "付款码已过期，请用户在微信上刷新条码后再试",
            super::answer::BAD_PARAMETER,
        ),
    }
}

fn refuse_reverse(refusal: ReverseRefusal) -> Refusal {
    let bad = |message| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "INVALID_REQUEST",
            message,
            268_449_641,
        )
    };
    match refusal {
        ReverseRefusal::Unknown => orders::not_found(),
        ReverseRefusal::NotCodePay => bad("非付款码支付订单不允许撤销"),
        ReverseRefusal::TooLate => bad("订单已超过可撤销的期限"),
        ReverseRefusal::Refunded => bad("订单发生过退款，不允许撤销"),
    }
}
