//! Payments by the buyer's code in version 2, their reversal, and the openid behind a code.

use wechat_pay::v2::transaction_fields;
use wechat_pay::{AuthCode, TradeState};

use super::answer::Answer;
use super::caller::Caller;
use super::fields::check;
use super::orders::{self, add_device, not_found, read_request, refuse_order, transaction};
use super::refusal::Refusal;
use crate::gateway::code_pay::{CodePayRefusal, take};
use crate::ledger::ReverseRefusal;
use crate::ledger::auth_code::AuthCodeRefusal;
use crate::ledger::order::Product;
use crate::simulator::Simulator;

/// Takes the payment. While the buyer types the password, WeChat refuses with `USERPAYING`.
pub(super) fn pay(simulator: &Simulator, caller: &Caller) -> Result<Answer, Refusal> {
    let required = [
        "body",
        "out_trade_no",
        "total_fee",
        "spbill_create_ip",
        "auth_code",
    ];
    check(caller, &required)?;
    let code = auth_code(caller)?;
    let request = read_request(simulator, Product::CodePay, caller)?;
    let key = request.key.clone();
    take(simulator, request, code.as_str()).map_err(|refusal| match refusal {
        CodePayRefusal::Code(refusal) => refuse_code(refusal),
        CodePayRefusal::Order(refusal) => refuse_order(refusal),
    })?;
    let now = simulator.clock().now();
    let ledger = simulator.ledger();
    let order = ledger.find(&key).ok_or_else(not_found)?;
    let paid = transaction(order, now)?;
    match paid.trade_state {
        TradeState::UserPaying => {
            return Err(Refusal::business("USERPAYING", "需要用户输入支付密码"));
        }
        TradeState::PayError => return Err(Refusal::business("TRADE_ERROR", "支付失败")),
        _ => {}
    }
    let mut fields = transaction_fields(&paid, false);
    fields.set("is_subscribe", "N");
    add_device(&mut fields, order);
    Ok(Answer::Fields(fields))
}

/// Reverses a payment, whether it was made or not.
pub(super) fn reverse(simulator: &Simulator, caller: &Caller) -> Result<Answer, Refusal> {
    check(caller, &[])?;
    let now = simulator.clock().now();
    let key = match caller.field("transaction_id") {
        Some(id) => {
            let sub_mchid = caller.sub_merchant(simulator)?.map(|sub| sub.sub_mchid);
            let ledger = simulator.ledger();
            let order = ledger.find_by_transaction_id(id).ok_or_else(not_found)?;
            let key = order.request.key.clone();
            if key.mchid != caller.mchid || key.sub_mchid != sub_mchid {
                return Err(not_found());
            }
            key
        }
        None => orders::key(simulator, caller)?,
    };
    let reversed = simulator.ledger().reverse(&key, now);
    reversed.map_err(refuse_reverse)?;
    let mut fields = caller.parties();
    fields.set("recall", "N");
    Ok(Answer::Fields(fields))
}

/// The openid behind a code, which stays usable.
pub(super) fn owner(simulator: &Simulator, caller: &Caller) -> Result<Answer, Refusal> {
    check(caller, &["auth_code"])?;
    let code = auth_code(caller)?;
    let sub = caller.sub_merchant(simulator)?;
    let now = simulator.clock().now();
    let owner = simulator.ledger().auth_codes().owner(code.as_str(), now);
    let payer = owner.map_err(refuse_code)?;
    let mut fields = caller.parties();
    let appid = caller.field("appid").unwrap_or_default();
    fields.set("openid", simulator.openid_of(payer, appid));
    let sub_appid = sub.and_then(|_| caller.field("sub_appid"));
    let sub_openid = sub_appid.map(|sub_appid| simulator.openid_of(payer, sub_appid));
    fields.set_optional("sub_openid", sub_openid);
    Ok(Answer::Fields(fields))
}

fn auth_code(caller: &Caller) -> Result<AuthCode, Refusal> {
    AuthCode::parse(caller.field("auth_code").unwrap_or_default())
        .map_err(|_| refuse_code(AuthCodeRefusal::Unknown))
}

fn refuse_code(refusal: AuthCodeRefusal) -> Refusal {
    match refusal {
        AuthCodeRefusal::Unknown => {
            Refusal::business("AUTH_CODE_INVALID", "请扫描微信支付被扫条码/二维码")
        }
        AuthCodeRefusal::Expired => Refusal::business("AUTHCODEEXPIRE", "二维码已过期，请刷新再试"),
    }
}

fn refuse_reverse(refusal: ReverseRefusal) -> Refusal {
    let (code, message) = match refusal {
        ReverseRefusal::Unknown => return not_found(),
        ReverseRefusal::NotCodePay => ("TRADE_STATE_ERROR", "非付款码支付订单不允许撤销"),
        ReverseRefusal::TooLate => ("REVERSE_EXPIRE", "订单已超过可撤销的期限"),
        ReverseRefusal::Refunded => ("TRADE_STATE_ERROR", "订单发生过退款，不允许撤销"),
    };
    Refusal::Business {
        code: code.to_owned(),
        message: message.to_owned(),
        recall: Some("N"),
    }
}
