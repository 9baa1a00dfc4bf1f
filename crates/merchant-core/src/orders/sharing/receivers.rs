//! The receivers of shares at WeChat. The server keeps no list of them: a receiver's name and openid go to
//! WeChat and nowhere else.

use merchant_api::{AddReceiver, ApiError, DeleteReceiver, ErrorCode, ReceiverDetails};
use payment_values::InvalidField;
use wechat_pay::{
    Operation, Receiver, ReceiverRelation, ReceiverType, RetryWith, SealedRequestError, Sharer,
};

use super::payment::only_v3;
use crate::input::plain_text;
use crate::payments::Payments;
use crate::refusal::{DOUBT_RETRY_MS, Refusal};
use crate::wechat::{CallError, ReceiverError};

/// Adds a receiver at WeChat. Adding it again changes nothing.
pub async fn add_receiver(
    payments: &Payments,
    given: AddReceiver,
) -> Result<ReceiverDetails, Refusal> {
    let texts = [
        ("name", given.name.as_deref()),
        ("custom_relation", given.custom_relation.as_deref()),
    ];
    for (field, text) in texts {
        if let Some(rule) = text.and_then(plain_text::broken_rule) {
            return Err(Refusal::invalid(field, rule));
        }
    }
    let receiver = Receiver {
        sharer: sharer(payments, given.sub_mchid.as_deref())?,
        kind: ReceiverType::from(given.kind.as_str()),
        account: given.account.clone(),
        name: given.name,
        relation: ReceiverRelation::from(given.relation_type.as_str()),
        custom_relation: given.custom_relation,
    };
    receiver.check().map_err(|error| of_field(&error))?;
    match payments.wechat.add_receiver(&receiver).await {
        Ok(()) => Ok(ReceiverDetails {
            kind: given.kind,
            account: given.account,
            sub_mchid: given.sub_mchid,
        }),
        Err(ReceiverError::Call(error)) => Err(of_call(&error)),
        Err(ReceiverError::Field(SealedRequestError::Field(error))) => Err(of_field(&error)),
        Err(ReceiverError::Field(SealedRequestError::Sealing { field, error })) => {
            Err(Refusal::invalid(field, &error.to_string()))
        }
        Err(error) => Err(Refusal::Internal(error.to_string())),
    }
}

/// Deletes a receiver at WeChat.
pub async fn delete_receiver(
    payments: &Payments,
    given: DeleteReceiver,
) -> Result<ReceiverDetails, Refusal> {
    let sharer = sharer(payments, given.sub_mchid.as_deref())?;
    let kind = ReceiverType::from(given.kind.as_str());
    let parts = wechat_pay::delete_receiver(&sharer, &kind, &given.account)
        .map_err(|error| of_field(&error))?;
    let deleted = payments.wechat.delete_receiver(parts).await;
    deleted.map_err(|error| of_call(&error))?;
    Ok(ReceiverDetails {
        kind: given.kind,
        account: given.account,
        sub_mchid: given.sub_mchid,
    })
}

/// Who shares: the merchant, or one of its sub-merchants.
fn sharer(payments: &Payments, sub_mchid: Option<&str>) -> Result<Sharer, Refusal> {
    if !payments.wechat.can_share() {
        return Err(only_v3());
    }
    let merchant = &payments.config.merchant;
    let subs = &merchant.sub_merchants;
    let sub = match sub_mchid {
        None if subs.is_empty() => None,
        None => return Err(Refusal::invalid("sub_mchid", "is missing: name who shares")),
        Some(sub_mchid) => {
            let found = subs.iter().find(|sub| sub.sub_mchid == sub_mchid);
            let rule = "is not a configured sub-merchant";
            Some(found.ok_or_else(|| Refusal::invalid("sub_mchid", rule))?)
        }
    };
    Ok(Sharer {
        appid: merchant.appid.clone(),
        sub_mchid: sub.map(|sub| sub.sub_mchid.clone()),
        sub_appid: sub.and_then(|sub| sub.sub_appid.clone()),
    })
}

fn of_field(error: &InvalidField) -> Refusal {
    match error.field {
        "sub_appid" => Refusal::invalid(
            "type",
            "needs a sub_appid of the sub-merchant in the configuration",
        ),
        field => Refusal::invalid(field, &error.rule.to_string()),
    }
}

/// A call that changes nothing when it is repeated: it was refused, or may be sent again.
pub(super) fn of_call(error: &CallError) -> Refusal {
    if error.is_ours() {
        return Refusal::Internal(error.to_string());
    }
    let is_refusal = error.retry_with(Operation::Receiver) == Some(RetryWith::AfterFix);
    let code = if is_refusal {
        ErrorCode::WechatRefused
    } else {
        ErrorCode::WechatUnavailable
    };
    let mut answer = ApiError::new(code, error.to_string());
    answer.wechat_code = error.wechat_code().map(str::to_owned);
    if answer.retryable {
        answer.retry_after_ms = Some(DOUBT_RETRY_MS);
    }
    Refusal::from(answer)
}
