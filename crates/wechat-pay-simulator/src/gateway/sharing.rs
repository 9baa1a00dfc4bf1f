//! Profit sharing at the gateway: receivers, shares, releases, returns, with WeChat's rules.
//!
//! Codes are the documented ones, and the sentences those of WeChat's FAQ where it has one.

use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};
use wechat_pay::{Fen, ReceiverRelation, ReceiverType, SHARE_RECEIVERS_MAX};

use super::answer::{Answer, BAD_PARAMETER, Refusal};
use super::caller::Caller;
use super::orders::{optional_text, text, value_of_query};
use super::refunds::{decrypted, sub_mchid};
use super::schema;
use super::sharing_fields::{ADD_RECEIVER, DELETE_RECEIVER, RETURN, SHARE, UNFREEZE};
use crate::clock::after;
use crate::ledger::share::{AskedPart, ShareKey};
use crate::ledger::sharing::{AskedReturn, AskedShare, SharePlan, ShareRefusal, receiver};
use crate::simulator::Simulator;

/// Adds a receiver. Adding it again changes nothing.
pub(super) fn add_receiver(
    simulator: &Simulator,
    body: &[u8],
    parts: &Parts,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let body = read(simulator, ADD_RECEIVER, body)?;
    let sub_mchid = sub_mchid(simulator, optional_text(&body, "/sub_mchid"), caller)?;
    let name = named(simulator, &body, sub_mchid.as_deref(), caller)?;
    let relation = ReceiverRelation::from(text(&body, "/relation_type"));
    if matches!(relation, ReceiverRelation::Unknown(_)) {
        return Err(wrong_word("relation_type", "与分账方的关系类型", &body));
    }
    let is_custom = relation == ReceiverRelation::Custom;
    if is_custom && optional_text(&body, "/custom_relation").is_none() {
        let path = "/body/custom_relation";
        return Err(schema::missing(path, "自定义的分账关系", "body"));
    }
    let is_merchant = text(&body, "/type") == ReceiverType::Merchant.as_str();
    if is_merchant || optional_text(&body, "/name").is_some() {
        decrypted(
            simulator,
            &body,
            "name",
            "分账个人接收方姓名",
            parts,
            caller,
        )?;
    }
    simulator.ledger().add_receiver(&caller.mchid, name);
    let mut answer = json!({
        "type": body["type"], "account": body["account"], "relation_type": body["relation_type"],
    });
    for field in ["sub_mchid", "name", "custom_relation"] {
        if let Some(value) = optional_text(&body, &format!("/{field}")) {
            answer[field] = value.into();
        }
    }
    Ok(Answer::Json(answer))
}

/// Deletes a receiver.
pub(super) fn delete_receiver(
    simulator: &Simulator,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let body = read(simulator, DELETE_RECEIVER, body)?;
    let sub_mchid = sub_mchid(simulator, optional_text(&body, "/sub_mchid"), caller)?;
    let name = named(simulator, &body, sub_mchid.as_deref(), caller)?;
    simulator.ledger().delete_receiver(&caller.mchid, &name);
    let mut answer = json!({ "type": body["type"], "account": body["account"] });
    if let Some(sub_mchid) = sub_mchid {
        answer["sub_mchid"] = sub_mchid.into();
    }
    Ok(Answer::Json(answer))
}

/// Accepts a share. 200 does not mean that the receivers have the money.
pub(super) fn share(
    simulator: &Simulator,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let body = read(simulator, SHARE, body)?;
    check_appid(simulator, &body, caller)?;
    let list = body["receivers"].as_array().cloned().unwrap_or_default();
    if list.is_empty() {
        return Err(schema::missing("/body/receivers", "分账接收方列表", "body"));
    }
    if list.len() > SHARE_RECEIVERS_MAX {
        return Err(Refusal::parameter(
            "分账接收方数量超过限制",
            Some("body"),
            list.len().into(),
        ));
    }
    let mut parts = Vec::new();
    for part in &list {
        check_type(part, caller, &body)?;
        parts.push(AskedPart {
            kind: text(part, "/type").to_owned(),
            account: text(part, "/account").to_owned(),
            amount: fen(part, "/amount"),
            description: text(part, "/description").to_owned(),
        });
    }
    let unfreezes = body["unfreeze_unsplit"] == true;
    take(simulator, body, parts, unfreezes, caller)
}

/// Accepts the release of what is left.
pub(super) fn unfreeze(
    simulator: &Simulator,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let body = read(simulator, UNFREEZE, body)?;
    take(simulator, body, Vec::new(), true, caller)
}

/// Queries a share or a release.
pub(super) fn query(
    simulator: &Simulator,
    number: &str,
    query: &str,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let transaction_id = value_of_query(query, "transaction_id");
    let transaction_id = transaction_id
        .ok_or_else(|| schema::missing_in_query("transaction_id", "微信支付订单号"))?;
    let key = key_of_query(simulator, number, query, caller)?;
    simulator.settle_transfers();
    let ledger = simulator.ledger();
    let found = ledger.find_share(&key, &transaction_id);
    let (order, share) = found.ok_or_else(not_found)?;
    Ok(Answer::Json(share.json(order)))
}

/// Accepts a return.
pub(super) fn give_back(
    simulator: &Simulator,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let body = read(simulator, RETURN, body)?;
    let out_order_no = optional_text(&body, "/out_order_no")
        .ok_or_else(|| schema::missing("/body/out_order_no", "商户分账单号", "body"))?;
    let asked = AskedReturn {
        key: ShareKey {
            mchid: caller.mchid.clone(),
            sub_mchid: sub_mchid(simulator, optional_text(&body, "/sub_mchid"), caller)?,
            number: text(&body, "/out_return_no").to_owned(),
        },
        out_order_no: out_order_no.to_owned(),
        return_mchid: text(&body, "/return_mchid").to_owned(),
        amount: fen(&body, "/amount"),
        description: text(&body, "/description").to_owned(),
        body,
    };
    simulator.settle_transfers();
    let now = simulator.clock().now();
    let mut ledger = simulator.ledger();
    let taken = ledger.return_share(asked, plan(simulator), now);
    let (order, returned) = taken.map_err(refuse)?;
    let answer = Answer::Json(returned.json(order));
    drop(ledger);
    simulator.wake();
    Ok(answer)
}

/// Queries a return.
pub(super) fn query_return(
    simulator: &Simulator,
    number: &str,
    query: &str,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let out_order_no = value_of_query(query, "out_order_no");
    let out_order_no =
        out_order_no.ok_or_else(|| schema::missing_in_query("out_order_no", "商户分账单号"))?;
    let key = key_of_query(simulator, number, query, caller)?;
    simulator.settle_transfers();
    let ledger = simulator.ledger();
    let found = ledger.find_return(&key, &out_order_no);
    let (order, returned) = found.ok_or_else(not_found)?;
    Ok(Answer::Json(returned.json(order)))
}

/// Queries what is left of a payment to share.
pub(super) fn unsplit(
    simulator: &Simulator,
    transaction_id: &str,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    simulator.settle_transfers();
    let ledger = simulator.ledger();
    let unsplit = ledger.unsplit(&caller.mchid, transaction_id);
    let unsplit = unsplit.ok_or_else(|| refuse(ShareRefusal::NotForSharing))?;
    Ok(Answer::Json(json!({
        "transaction_id": transaction_id, "unsplit_amount": unsplit,
    })))
}

fn take(
    simulator: &Simulator,
    body: Value,
    parts: Vec<AskedPart>,
    unfreezes: bool,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let asked = AskedShare {
        key: ShareKey {
            mchid: caller.mchid.clone(),
            sub_mchid: sub_mchid(simulator, optional_text(&body, "/sub_mchid"), caller)?,
            number: text(&body, "/out_order_no").to_owned(),
        },
        transaction_id: text(&body, "/transaction_id").to_owned(),
        parts,
        unfreezes,
        body,
    };
    simulator.settle_transfers();
    let now = simulator.clock().now();
    let mut ledger = simulator.ledger();
    let taken = ledger.share(asked, plan(simulator), now);
    let (order, share) = taken.map_err(refuse)?;
    let answer = Answer::Json(share.json(order));
    drop(ledger);
    simulator.wake();
    Ok(answer)
}

fn plan(simulator: &Simulator) -> SharePlan<impl FnMut() -> String + '_> {
    let now = simulator.clock().now();
    let share_after_s = simulator.settings().share_after_s;
    SharePlan {
        result_at: after(now, i64::from(share_after_s)),
        number: move || format!("30{}", simulator.random().digits(26)),
    }
}

fn read(
    simulator: &Simulator,
    fields: super::field::Fields,
    body: &[u8],
) -> Result<Value, Refusal> {
    schema::read(fields, simulator.settings().description_limit, body)
}

fn key_of_query(
    simulator: &Simulator,
    number: &str,
    query: &str,
    caller: &Caller,
) -> Result<ShareKey, Refusal> {
    let given = value_of_query(query, "sub_mchid");
    Ok(ShareKey {
        mchid: caller.mchid.clone(),
        sub_mchid: sub_mchid(simulator, given.as_deref(), caller)?,
        number: number.to_owned(),
    })
}

/// The name of the receiver in the ledger, checked.
fn named(
    simulator: &Simulator,
    body: &Value,
    sub_mchid: Option<&str>,
    caller: &Caller,
) -> Result<String, Refusal> {
    check_appid(simulator, body, caller)?;
    check_type(body, caller, body)?;
    let (kind, account) = (text(body, "/type"), text(body, "/account"));
    Ok(receiver(sub_mchid, kind, account))
}

fn check_appid(simulator: &Simulator, body: &Value, caller: &Caller) -> Result<(), Refusal> {
    let merchant = caller.keyring.merchant();
    let appid = text(body, "/appid");
    let is_own = appid == merchant.appid || appid == merchant.mini_program_appid;
    let given = optional_text(body, "/sub_mchid");
    let sub_appid = optional_text(body, "/sub_appid");
    let mut subs = simulator.sub_merchants(&caller.mchid);
    let is_subs = sub_appid.is_none_or(|sub_appid| {
        subs.any(|sub| Some(&*sub.sub_mchid) == given && sub.sub_appid == sub_appid)
    });
    if is_own && is_subs {
        return Ok(());
    }
    Err(invalid("appid与mchid没有绑定关系，请核实后再试"))
}

fn check_type(part: &Value, caller: &Caller, body: &Value) -> Result<(), Refusal> {
    match ReceiverType::from(text(part, "/type")) {
        ReceiverType::Merchant | ReceiverType::Openid => Ok(()),
        ReceiverType::SubOpenid if optional_text(body, "/sub_appid").is_some() => Ok(()),
        ReceiverType::SubOpenid => Err(schema::missing(
            "/body/sub_appid",
            "子商户公众账号ID",
            "body",
        )),
        _ => {
            tracing::debug!(mchid = caller.mchid, "an unknown type of receiver");
            Err(wrong_word("type", "分账接收方类型", part))
        }
    }
}

fn wrong_word(field: &str, label: &str, of: &Value) -> Refusal {
    Refusal::parameter(
        format!("输入源“/body/{field}”映射到值字段“{label}”枚举规则校验失败"),
        Some("body"),
        of[field].clone(),
    )
}

// The schema has refused values below 1.
fn fen(json: &Value, pointer: &str) -> Fen {
    let number = json.pointer(pointer).and_then(Value::as_i64);
    Fen::new(number.unwrap_or_default()).unwrap_or_default()
}

fn not_found() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "RESOURCE_NOT_EXISTS",
        "记录不存在",
        268_512_771,
    )
}

fn invalid(message: &'static str) -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "INVALID_REQUEST",
        message,
        BAD_PARAMETER,
    )
}

fn refuse(refusal: ShareRefusal) -> Refusal {
    let forbidden =
        |code, message| Refusal::new(StatusCode::FORBIDDEN, code, message, BAD_PARAMETER);
    match refusal {
        ShareRefusal::Unpaid => invalid("订单不存在或未支付"),
        ShareRefusal::NotForSharing => invalid("非分账订单不支持分账"),
        ShareRefusal::Changed => invalid("分账接收方与原请求不一致"),
        ShareRefusal::NoRelation => invalid("分账接收方关系不存在，请检查参数中每个接收方的关系"),
        ShareRefusal::NotEnough => forbidden("NOT_ENOUGH", "分账金额不足"),
        ShareRefusal::TooMany => forbidden("RULE_LIMIT", "分账次数超过限制"),
        ShareRefusal::Unknown => not_found(),
        ShareRefusal::NotReturnable => invalid("分账单未完成或该接收方未分账成功，不支持回退"),
        ShareRefusal::TooMuchReturned => invalid("回退金额超过可回退金额"),
    }
}
