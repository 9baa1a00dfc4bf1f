//! Refunds at the gateway: request, query, abnormal refund, with WeChat's rules.
//!
//! Codes are the documented ones. If a rule has a code but no published sentence, the sentence of
//! the older interface for the same rule is used.

use http::StatusCode;
use http::request::Parts;
use serde_json::Value;
use wechat_pay::Fen;

use super::answer::{Answer, BAD_PARAMETER, Refusal};
use super::caller::{AskedSerial, Caller, asked_serial};
use super::orders::{self, text, value_of_query};
use super::refund_fields::{ABNORMAL, REFUND};
use super::schema;
use crate::clock::after;
use crate::ledger::order::Protocol;
use crate::ledger::refund::{RefundKey, RefundRequest, RefundedPayment};
use crate::ledger::refunds::{AbnormalRefusal, RefundPlan, RefundRefusal};
use crate::settings::Settings;
use crate::simulator::Simulator;

/// Accepts a refund. 200 does not mean that the money is paid out.
pub(super) fn refund(
    simulator: &Simulator,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let settings = simulator.settings();
    let body = schema::read(REFUND, settings.description_limit, body)?;
    orders::check_currency(&body)?;
    let request = read_request(simulator, body, caller)?;
    let plan = RefundPlan {
        refund_id: simulator.random().refund_id(simulator.clock().now()),
        result_after_s: settings.refund_after_s,
        outcome: settings.refund_outcome,
    };
    let now = simulator.clock().now();
    let mut ledger = simulator.ledger();
    let (order, refund) = ledger
        .refund(request, plan, now)
        .map_err(|refusal| refuse(&settings, refusal))?;
    let answer = Answer::Json(refund.json(order));
    drop(ledger);
    simulator.wake();
    Ok(answer)
}

/// Queries a refund by the merchant's number.
pub(super) fn query(
    simulator: &Simulator,
    number: &str,
    query: &str,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let key = RefundKey {
        mchid: caller.mchid.clone(),
        sub_mchid: sub_mchid(
            simulator,
            value_of_query(query, "sub_mchid").as_deref(),
            caller,
        )?,
        out_refund_no: number.to_owned(),
    };
    simulator.settle_transfers();
    let now = simulator.clock().now();
    let mut ledger = simulator.ledger();
    ledger
        .count_refund_query(&caller.mchid, now)
        .map_err(|refusal| refuse(&simulator.settings(), refusal))?;
    let (order, refund) = ledger.find_refund(&key).ok_or_else(not_found)?;
    Ok(Answer::Json(refund.json(order)))
}

/// Sends the money of a failed refund to another account.
pub(super) fn send_on(
    simulator: &Simulator,
    refund_id: &str,
    body: &[u8],
    parts: &Parts,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let settings = simulator.settings();
    let body = schema::read(ABNORMAL, settings.description_limit, body)?;
    let account = match text(&body, "/type") {
        "MERCHANT_BANK_CARD" => "商户结算银行账户".to_owned(),
        "USER_BANK_CARD" => {
            let account = decrypted(
                simulator,
                &body,
                "bank_account",
                "收款银行卡号",
                parts,
                caller,
            )?;
            decrypted(simulator, &body, "real_name", "收款用户姓名", parts, caller)?;
            let bank = text(&body, "/bank_type");
            if bank.is_empty() {
                return Err(schema::missing("/body/bank_type", "开户银行", "body"));
            }
            let tail: String = account.chars().rev().take(4).collect();
            format!("{bank}{}", tail.chars().rev().collect::<String>())
        }
        other => {
            return Err(Refusal::parameter(
                "输入源“/body/type”映射到值字段“异常退款处理方式”枚举规则校验失败",
                Some("body"),
                other.into(),
            ));
        }
    };
    simulator.settle_transfers();
    let now = simulator.clock().now();
    let result_at = after(now, i64::from(settings.refund_after_s));
    let mut ledger = simulator.ledger();
    let number = text(&body, "/out_refund_no");
    let sent = ledger.send_on(&caller.mchid, refund_id, number, &account, result_at);
    let answer = match sent {
        Ok((order, refund)) => Answer::Json(refund.json(order)),
        Err(refusal) => return Err(refuse_abnormal(refusal)),
    };
    drop(ledger);
    simulator.wake();
    Ok(answer)
}

fn read_request(
    simulator: &Simulator,
    body: Value,
    caller: &Caller,
) -> Result<RefundRequest, Refusal> {
    let optional = |pointer| orders::optional_text(&body, pointer);
    let payment = match (optional("/transaction_id"), optional("/out_trade_no")) {
        (Some(id), _) => RefundedPayment::TransactionId(id.to_owned()),
        (None, Some(number)) => RefundedPayment::OutTradeNo(number.to_owned()),
        (None, None) => {
            return Err(Refusal::parameter(
                "transaction_id与out_trade_no不能同时为空",
                Some("body"),
                Value::Null,
            ));
        }
    };
    // The schema has refused values below 1.
    let fen = |pointer| {
        let number = body.pointer(pointer).and_then(Value::as_i64);
        Fen::new(number.unwrap_or_default()).unwrap_or_default()
    };
    Ok(RefundRequest {
        key: RefundKey {
            mchid: caller.mchid.clone(),
            sub_mchid: sub_mchid(simulator, optional("/sub_mchid"), caller)?,
            out_refund_no: text(&body, "/out_refund_no").to_owned(),
        },
        payment,
        refund: fen("/amount/refund"),
        total: fen("/amount/total"),
        notify_url: optional("/notify_url").map(str::to_owned),
        reason: optional("/reason").map(str::to_owned),
        from_portal: false,
        protocol: Protocol::V3,
        body,
    })
}

pub(super) fn sub_mchid(
    simulator: &Simulator,
    given: Option<&str>,
    caller: &Caller,
) -> Result<Option<String>, Refusal> {
    given
        .map(|given| orders::check_sub_mchid(simulator, given, caller))
        .transpose()
}

/// A required field, encrypted for the key that `Wechatpay-Serial` names.
pub(super) fn decrypted(
    simulator: &Simulator,
    body: &Value,
    name: &str,
    label: &str,
    parts: &Parts,
    caller: &Caller,
) -> Result<String, Refusal> {
    let sealed = text(body, &format!("/{name}"));
    if sealed.is_empty() {
        return Err(schema::missing(&format!("/body/{name}"), label, "body"));
    }
    let AskedSerial::One(serial) = asked_serial(parts) else {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "PARAM_ERROR",
            "HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)",
            BAD_PARAMETER,
        ));
    };
    simulator
        .decrypt_field(&caller.keyring, serial, sealed)
        .ok_or_else(|| {
            Refusal::parameter(
                format!("输入源“/body/{name}”映射到值字段“{label}”解密失败"),
                Some("body"),
                Value::Null,
            )
        })
}

fn not_found() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "RESOURCE_NOT_EXISTS",
        "退款单不存在",
        268_512_771,
    )
}

fn refuse(settings: &Settings, refusal: RefundRefusal) -> Refusal {
    let invalid = |message| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "INVALID_REQUEST",
            message,
            BAD_PARAMETER,
        )
    };
    let too_often = |message| {
        Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            settings.rate_code.as_str(),
            message,
            268_447_840,
        )
    };
    match refusal {
        RefundRefusal::Unpaid => Refusal::new(
            StatusCode::NOT_FOUND,
            "RESOURCE_NOT_EXISTS",
            "订单不存在",
            268_512_771,
        ),
        RefundRefusal::NotRefundable => invalid("订单已撤销，不允许退款"),
        RefundRefusal::OtherTotal => invalid("订单金额或退款金额与之前请求不一致，请核实后再试"),
        RefundRefusal::TooMuch => invalid("累计退款金额大于支付金额"),
        RefundRefusal::MoreThanHeld => Refusal::new(
            StatusCode::FORBIDDEN,
            "RULE_LIMIT",
            "申请退款金额大于剩余未分账金额，请等待分账完成后再试",
            BAD_PARAMETER,
        ),
        RefundRefusal::Changed => invalid("请求重入时，参数与首次请求时不一致"),
        RefundRefusal::TooMany => invalid("订单退款次数超过限制"),
        RefundRefusal::TooLate => invalid("订单已超过可退款的最大期限"),
        RefundRefusal::TooSoon | RefundRefusal::TooOften => too_often("频率限制"),
        RefundRefusal::TooSoonForOldOrder => {
            too_often("频率限制，1个月之前的订单请降低申请频率再重试")
        }
    }
}

fn refuse_abnormal(refusal: AbnormalRefusal) -> Refusal {
    let invalid = |message| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "INVALID_REQUEST",
            message,
            BAD_PARAMETER,
        )
    };
    match refusal {
        AbnormalRefusal::Unknown => not_found(),
        AbnormalRefusal::NotAbnormal => invalid("退款单状态不是退款异常，不允许发起异常退款"),
        AbnormalRefusal::OtherNumber => invalid("退款单号与商户退款单号不匹配"),
    }
}
