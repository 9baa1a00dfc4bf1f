//! Refunds of version 2: request one, query them with numbered fields.

use wechat_pay::beijing_time;
use wechat_pay::v2::Fields;

use super::answer::Answer;
use super::caller::Caller;
use super::fields::{check, fen, invalid};
use super::orders::{compared_fields, digits};
use super::refusal::Refusal;
use crate::ledger::order::{Order, OrderKey, Protocol};
use crate::ledger::refund::{Refund, RefundKey, RefundRequest, RefundStatus, RefundedPayment};
use crate::ledger::refunds::{RefundPlan, RefundRefusal};
use crate::simulator::Simulator;

/// The most refunds in one answer.
const PAGE: usize = 10;

/// Accepts a refund. A success does not mean that the money is paid out.
pub(super) fn refund(simulator: &Simulator, caller: &Caller) -> Result<Answer, Refusal> {
    check(caller, &["out_refund_no", "total_fee", "refund_fee"])?;
    let request = read_request(simulator, caller)?;
    let settings = simulator.settings();
    let now = simulator.clock().now();
    let plan = RefundPlan {
        refund_id: simulator.random().refund_id(now),
        result_after_s: settings.refund_after_s,
        outcome: settings.refund_outcome,
    };
    let mut ledger = simulator.ledger();
    let (order, refund) = ledger.refund(request, plan, now).map_err(refuse)?;
    let mut fields = caller.parties();
    name_payment(&mut fields, order);
    fields.set("out_refund_no", refund.out_refund_no.clone());
    fields.set("refund_id", refund.refund_id.clone());
    for name in ["refund_fee", "settlement_refund_fee", "cash_refund_fee"] {
        fields.set(name, digits(refund.refund));
    }
    fields.set("coupon_refund_fee", "0");
    fields.set("coupon_refund_count", "0");
    drop(ledger);
    simulator.wake();
    Ok(Answer::Fields(fields))
}

/// Queries one refund, or the refunds of a payment. WeChat prefers the numbers in this order.
pub(super) fn query(simulator: &Simulator, caller: &Caller) -> Result<Answer, Refusal> {
    const NUMBERS: [&str; 4] = [
        "refund_id",
        "out_refund_no",
        "transaction_id",
        "out_trade_no",
    ];
    check(caller, &[])?;
    let named = NUMBERS
        .iter()
        .find_map(|name| Some((*name, caller.field(name)?)))
        .ok_or_else(|| Refusal::protocol("缺少参数"))?;
    let offset = match caller.field("offset") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| invalid("offset"))?),
    };
    simulator.settle_transfers();
    let now = simulator.clock().now();
    let sub_mchid = caller.sub_merchant(simulator)?.map(|sub| sub.sub_mchid);
    let mut ledger = simulator.ledger();
    ledger
        .count_refund_query(&caller.mchid, now)
        .map_err(refuse)?;
    let mut mine = ledger.orders().filter(|(order, _)| {
        let OrderKey {
            mchid,
            sub_mchid: sub,
            ..
        } = &order.request.key;
        *mchid == caller.mchid && *sub == sub_mchid
    });
    let found = mine.find_map(|(order, refunds)| {
        let meant: Vec<&Refund> = refunds
            .iter()
            .filter(|refund| is_meant(named, order, refund))
            .collect();
        (!meant.is_empty()).then_some((order, meant))
    });
    let (order, refunds) = found.ok_or_else(not_found)?;
    let mut fields = caller.parties();
    name_payment(&mut fields, order);
    let page = refunds.iter().skip(offset.unwrap_or_default()).take(PAGE);
    let count = page.clone().count();
    if count == 0 {
        return Err(not_found());
    }
    fields.set("refund_count", count.to_string());
    if offset.is_some() || refunds.len() > PAGE {
        fields.set("total_refund_count", refunds.len().to_string());
    }
    for (place, refund) in page.enumerate() {
        add_refund(&mut fields, place, refund);
    }
    Ok(Answer::Fields(fields))
}

fn is_meant((name, number): (&str, &str), order: &Order, refund: &Refund) -> bool {
    let payment = order.payment.as_ref();
    match name {
        "refund_id" => refund.refund_id == number,
        "out_refund_no" => refund.out_refund_no == number,
        "transaction_id" => payment.is_some_and(|payment| payment.transaction_id == number),
        _ => order.request.key.out_trade_no == number,
    }
}

fn name_payment(fields: &mut Fields, order: &Order) {
    let payment = order.payment.as_ref();
    let id = payment.map(|payment| payment.transaction_id.clone());
    fields.set_optional("transaction_id", id);
    fields.set("out_trade_no", order.request.key.out_trade_no.clone());
    fields.set("total_fee", digits(order.request.total));
    fields.set("fee_type", "CNY");
    let paid = payment.map(|payment| digits(payment.payer_total));
    fields.set_optional("cash_fee", paid);
}

fn add_refund(fields: &mut Fields, place: usize, refund: &Refund) {
    let status = match refund.status {
        RefundStatus::Processing => "PROCESSING",
        RefundStatus::Success => "SUCCESS",
        RefundStatus::Closed => "REFUNDCLOSE",
        RefundStatus::Abnormal => "CHANGE",
    };
    let amount = digits(refund.refund);
    for (name, value) in [
        ("out_refund_no", refund.out_refund_no.as_str()),
        ("refund_id", &refund.refund_id),
        ("refund_channel", &refund.channel),
        ("refund_fee", &amount),
        ("settlement_refund_fee", &amount),
        ("refund_status", status),
        ("refund_account", "REFUND_SOURCE_UNSETTLED_FUNDS"),
        ("refund_recv_accout", &refund.received_account),
    ] {
        fields.set(&format!("{name}_{place}"), value);
    }
    if let Some(success_at) = refund.success_at {
        let text = beijing_time(success_at).replace('T', " ");
        let wall: String = text.chars().take(19).collect();
        fields.set(&format!("refund_success_time_{place}"), wall);
    }
}

fn read_request(simulator: &Simulator, caller: &Caller) -> Result<RefundRequest, Refusal> {
    let optional = |name| caller.field(name).map(str::to_owned);
    let payment = match (optional("transaction_id"), optional("out_trade_no")) {
        (Some(id), _) => RefundedPayment::TransactionId(id),
        (None, Some(number)) => RefundedPayment::OutTradeNo(number),
        (None, None) => return Err(Refusal::protocol("缺少参数")),
    };
    let out_refund_no = optional("out_refund_no").unwrap_or_default();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-|*@".contains(&b);
    if !out_refund_no.bytes().all(allowed) {
        return Err(invalid("out_refund_no"));
    }
    Ok(RefundRequest {
        key: RefundKey {
            mchid: caller.mchid.clone(),
            sub_mchid: caller.sub_merchant(simulator)?.map(|sub| sub.sub_mchid),
            out_refund_no,
        },
        payment,
        refund: fen(caller, "refund_fee")?,
        total: fen(caller, "total_fee")?,
        notify_url: optional("notify_url"),
        reason: optional("refund_desc"),
        from_portal: false,
        protocol: Protocol::v2(caller.sign_type),
        body: compared_fields(caller),
    })
}

fn not_found() -> Refusal {
    Refusal::business("REFUNDNOTEXIST", "退款订单查询失败")
}

fn refuse(refusal: RefundRefusal) -> Refusal {
    let (code, message) = match refusal {
        RefundRefusal::Unpaid => ("ORDERNOTEXIST", "订单不存在"),
        RefundRefusal::NotRefundable => ("TRADE_STATE_ERROR", "订单状态错误"),
        RefundRefusal::OtherTotal | RefundRefusal::Changed => (
            "REFUND_FEE_MISMATCH",
            "订单金额或退款金额与之前请求不一致，请核实后再试",
        ),
        RefundRefusal::TooMuch | RefundRefusal::MoreThanHeld => {
            ("ERROR", "累计退款金额大于支付金额")
        }
        RefundRefusal::TooMany => ("ERROR", "订单退款次数超过限制"),
        RefundRefusal::TooLate => ("TRADE_OVERDUE", "订单已经超过退款期限"),
        RefundRefusal::TooSoon | RefundRefusal::TooOften => ("FREQUENCY_LIMITED", "频率限制"),
        RefundRefusal::TooSoonForOldOrder => (
            "FREQUENCY_LIMITED",
            "频率限制，1个月之前的订单请降低申请频率再重试",
        ),
    };
    Refusal::business(code, message)
}
