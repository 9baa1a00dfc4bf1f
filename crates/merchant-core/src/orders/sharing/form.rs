//! The forms of the backend, checked before anything is recorded, and the exact bytes that WeChat gets.

use merchant_api::{
    CreateShare, CreateShareReturn, ErrorCode, ReceiverType, ShareKind, ShareReceiver, ShareResult,
    SharedWith, UnfreezeOrder,
};
use payment_values::{Fen, InvalidField, OutOrderNo, OutReturnNo};
use serde::Serialize;
use wechat_pay::{SHARE_RECEIVERS_MAX, ShareRequest, ShareReturnRequest, UnfreezeRequest};

use super::payment::SharedPayment;
use crate::input::plain_text;
use crate::ledger::{LedgerError, NewShare, Share};
use crate::refusal::Refusal;

/// A checked share.
pub(super) struct PreparedShare {
    number: OutOrderNo,
    receivers: Vec<wechat_pay::ShareReceiver>,
    shown: Vec<SharedWith>,
    amount_fen: Fen,
    unfreezes: bool,
    request: String,
}

/// A checked release.
pub(super) struct PreparedUnfreeze {
    number: OutOrderNo,
    reason: String,
    request: String,
}

/// A checked return.
pub(super) struct PreparedReturn {
    number: OutReturnNo,
    account: String,
    amount_fen: Fen,
    reason: String,
    request: String,
}

/// Checks everything of a share that does not need the order.
pub(super) fn share(given: &CreateShare) -> Result<PreparedShare, Refusal> {
    let number = share_number(&given.share_no)?;
    if given.receivers.is_empty() {
        return Err(Refusal::invalid("receivers", "must not be empty"));
    }
    if given.receivers.len() > SHARE_RECEIVERS_MAX {
        let rule = format!("must be at most {SHARE_RECEIVERS_MAX}: make several shares");
        return Err(Refusal::invalid("receivers", &rule));
    }
    let mut amount_fen = Fen::ZERO;
    let mut receivers = Vec::new();
    for (place, receiver) in given.receivers.iter().enumerate() {
        let checked = check_receiver(receiver, &format!("receivers[{place}]"))?;
        // More than any amount can be is more than what is left.
        amount_fen = amount_fen.checked_add(checked.amount).unwrap_or(Fen::MAX);
        receivers.push(checked);
    }
    let shown = given.receivers.iter().zip(&receivers);
    Ok(PreparedShare {
        number,
        shown: shown
            .map(|(given, checked)| SharedWith {
                kind: given.kind,
                account: given.account.clone(),
                amount_fen: checked.amount,
                reason: Some(given.reason.clone()),
                result: ShareResult::Pending,
                fail_reason: None,
                detail_id: None,
                finish_time: None,
            })
            .collect(),
        receivers,
        amount_fen,
        unfreezes: given.unfreeze_rest.unwrap_or(false),
        request: canonical(given)?,
    })
}

/// Checks everything of a release that does not need the order.
pub(super) fn unfreeze(given: &UnfreezeOrder) -> Result<PreparedUnfreeze, Refusal> {
    let number = share_number(&given.share_no)?;
    check_reason("reason", &given.reason)?;
    Ok(PreparedUnfreeze {
        number,
        reason: given.reason.clone(),
        request: canonical(given)?,
    })
}

/// Checks everything of a return that does not need the share.
pub(super) fn give_back(given: &CreateShareReturn) -> Result<PreparedReturn, Refusal> {
    let number = OutReturnNo::parse(&*given.return_no)
        .map_err(|error| Refusal::invalid("return_no", &error.rule.to_string()))?;
    check_reason("reason", &given.reason)?;
    Ok(PreparedReturn {
        number,
        account: given.account.clone(),
        amount_fen: amount("amount_fen", given.amount_fen)?,
        reason: given.reason.clone(),
        request: canonical(given)?,
    })
}

impl PreparedShare {
    /// The share of this payment, with its body.
    pub(super) fn of(self, payment: &SharedPayment, now_ms: i64) -> Result<NewShare, Refusal> {
        let request = ShareRequest {
            sharer: payment.sharer(),
            transaction_id: payment.transaction_id.clone(),
            out_order_no: self.number.clone(),
            receivers: self.receivers,
            unfreeze_unsplit: self.unfreezes,
        };
        let body = request.request().map_err(|error| of_protocol(&error))?;
        let kind = if self.unfreezes {
            ShareKind::ShareAndUnfreeze
        } else {
            ShareKind::Share
        };
        Ok(NewShare {
            amount_fen: self.amount_fen,
            receivers: self.shown,
            ..new(
                kind,
                self.number.to_string(),
                payment,
                self.request,
                body.body.to_vec(),
                now_ms,
            )
        })
    }
}

impl PreparedUnfreeze {
    /// The release of this payment, with its body.
    pub(super) fn of(self, payment: &SharedPayment, now_ms: i64) -> Result<NewShare, Refusal> {
        let request = UnfreezeRequest {
            sub_mchid: payment.parties.sub_mchid.clone(),
            transaction_id: payment.transaction_id.clone(),
            out_order_no: self.number.clone(),
            description: self.reason,
        };
        let body = request.request().map_err(|error| of_protocol(&error))?;
        Ok(new(
            ShareKind::Unfreeze,
            self.number.to_string(),
            payment,
            self.request,
            body.body.to_vec(),
            now_ms,
        ))
    }
}

impl PreparedReturn {
    /// The return from this share, with its body.
    pub(super) fn of(
        self,
        share: &Share,
        payment: &SharedPayment,
        now_ms: i64,
    ) -> Result<NewShare, Refusal> {
        let request = ShareReturnRequest {
            sub_mchid: payment.parties.sub_mchid.clone(),
            out_order_no: OutOrderNo::parse(&*share.number)
                .map_err(|_| LedgerError::Column("shares.number"))?,
            out_return_no: self.number.clone(),
            return_mchid: self.account.clone(),
            amount: self.amount_fen,
            description: self.reason.clone(),
        };
        let body = request.request().map_err(|error| of_protocol(&error))?;
        Ok(NewShare {
            share_number: Some(share.number.clone()),
            amount_fen: self.amount_fen,
            receivers: vec![SharedWith {
                kind: ReceiverType::Merchant,
                account: self.account,
                amount_fen: self.amount_fen,
                reason: Some(self.reason),
                result: ShareResult::Pending,
                fail_reason: None,
                detail_id: None,
                finish_time: None,
            }],
            ..new(
                ShareKind::Return,
                self.number.to_string(),
                payment,
                self.request,
                body.body.to_vec(),
                now_ms,
            )
        })
    }
}

fn new(
    kind: ShareKind,
    number: String,
    payment: &SharedPayment,
    request: String,
    body: Vec<u8>,
    created_ms: i64,
) -> NewShare {
    NewShare {
        number,
        kind,
        order_id: payment.order_id,
        out_trade_no: payment.out_trade_no.clone(),
        transaction_id: payment.transaction_id.clone(),
        share_number: None,
        amount_fen: Fen::ZERO,
        receivers: Vec::new(),
        request,
        body,
        created_ms,
    }
}

fn check_receiver(given: &ShareReceiver, path: &str) -> Result<wechat_pay::ShareReceiver, Refusal> {
    let receiver = wechat_pay::ShareReceiver {
        kind: wechat_pay::ReceiverType::from(given.kind.as_str()),
        account: given.account.clone(),
        amount: amount(&format!("{path}.amount_fen"), given.amount_fen)?,
        description: given.reason.clone(),
    };
    check_reason(&format!("{path}.reason"), &given.reason)?;
    receiver.check().map_err(|error| {
        let field = contract_field(error.field);
        Refusal::invalid(&format!("{path}.{field}"), &error.rule.to_string())
    })?;
    Ok(receiver)
}

fn share_number(text: &str) -> Result<OutOrderNo, Refusal> {
    OutOrderNo::parse(text).map_err(|error| Refusal::invalid("share_no", &error.rule.to_string()))
}

fn amount(field: &str, amount_fen: u64) -> Result<Fen, Refusal> {
    if amount_fen == 0 {
        return Err(Refusal::invalid(field, "must be at least 1"));
    }
    Ok(Fen::saturating(amount_fen))
}

/// The rest of the rules is the protocol's.
fn check_reason(field: &str, reason: &str) -> Result<(), Refusal> {
    match plain_text::broken_rule(reason) {
        None => Ok(()),
        Some(rule) => Err(Refusal::invalid(field, rule)),
    }
}

/// Field by field in the contract's order: the same request has the same text.
fn canonical(request: &impl Serialize) -> Result<String, Refusal> {
    serde_json::to_string(request).map_err(|error| Refusal::Internal(error.to_string()))
}

/// The contract's name of a field of the protocol.
fn contract_field(field: &'static str) -> &'static str {
    match field {
        "amount" => "amount_fen",
        "description" => "reason",
        "return_mchid" => "account",
        field => field,
    }
}

/// The protocol's refusal, with the contract's name of the field.
fn of_protocol(error: &InvalidField) -> Refusal {
    match error.field {
        "sub_appid" => Refusal::new(
            ErrorCode::InvalidRequest,
            "the order has no sub_appid, so no receiver can be named by an openid under it",
        ),
        field => Refusal::invalid(contract_field(field), &error.rule.to_string()),
    }
}
