//! Refunds of version 2: request one, query them.
//!
//! A refund that was accepted is not yet paid out. After any answer but a success, query first.

use payment_values::{InvalidField, OutRefundNo, OutTradeNo, RefundId, Rule, TransactionId};
use serde_json::Value;

use super::answer::ReadAnswer;
use super::fields::{Fields, VerifiedFields};
use super::request::Request;
use super::route::Route;
use crate::json::Unreadable;
use crate::order_fields::NotifyUrl;
use crate::orders::account::{Account, Orderer};
use crate::refunds::answer::{
    FundsAccount, Refund, RefundAmount, RefundChannel, RefundStatus as RefundStatusV3,
};
use crate::refunds::request::{RefundOf, RefundRequest};
use crate::words::words;

words! {
    /// The state of a refund, as version 2 writes it.
    RefundStatus {
        /// The buyer has the money.
        Success = "SUCCESS",
        /// Accepted, and not yet paid out.
        Processing = "PROCESSING",
        /// The buyer's account does not accept it; version 3 says `ABNORMAL`.
        Change = "CHANGE",
        /// Closed; version 3 says `CLOSED`.
        RefundClose = "REFUNDCLOSE",
        /// Failed: request it again under the same number. Only the early protocol has it.
        Fail = "FAIL",
        /// Undecided: request it again under the same number. Only the early protocol has it.
        NotSure = "NOTSURE",
    }
}

/// Requests a refund; answered with a [`crate::Refund`] whose state is `PROCESSING`. It needs the
/// merchant's certificate. `goods_detail`, `from` and other accounts than settled and unsettled
/// funds exist only in version 3.
pub fn refund(orderer: &Orderer, refund: &RefundRequest) -> Result<Request, InvalidField> {
    const ONLY_V3: Rule = Rule::Form("left out in version 2, which does not have it");
    refund.validate()?;
    let sub_mchid = match &orderer.account {
        Account::Merchant { .. } => None,
        Account::Partner { sub_mchid, .. } => Some(sub_mchid),
    };
    if refund.sub_mchid.is_some() && refund.sub_mchid.as_ref() != sub_mchid {
        let rule = Rule::Form("the sub-merchant of the account");
        return Err(InvalidField::new("sub_mchid", rule));
    }
    if !refund.from.is_empty() {
        return Err(InvalidField::new("amount.from", ONLY_V3));
    }
    if !refund.goods_detail.is_empty() {
        return Err(InvalidField::new("goods_detail", ONLY_V3));
    }
    let account = match &refund.funds_account {
        None => None,
        Some(FundsAccount::Available) => Some(RECHARGED_FUNDS),
        Some(FundsAccount::Unsettled) => Some(UNSETTLED_FUNDS),
        Some(_) => return Err(InvalidField::new("funds_account", ONLY_V3)),
    };
    let mut request = Request::of(Route::Refund, orderer)?;
    let (name, number) = match &refund.payment {
        RefundOf::TransactionId(id) => ("transaction_id", id.as_str()),
        RefundOf::OutTradeNo(number) => ("out_trade_no", number.as_str()),
    };
    request.set(name, number);
    request.set("out_refund_no", refund.out_refund_no.as_str());
    request.set("total_fee", refund.total.get().to_string());
    request.set("refund_fee", refund.refund.get().to_string());
    // The operator: the early protocol requires it, and the default is the merchant number.
    let mch_id = request.fields().optional("mch_id");
    request.set_optional("op_user_id", mch_id);
    request.set_optional("refund_desc", refund.reason.clone());
    let notify_url = refund.notify_url.as_ref().map(NotifyUrl::as_str);
    request.set_optional("notify_url", notify_url);
    request.set_optional("refund_account", account);
    Ok(request)
}

const RECHARGED_FUNDS: &str = "REFUND_SOURCE_RECHARGE_FUNDS";
const UNSETTLED_FUNDS: &str = "REFUND_SOURCE_UNSETTLED_FUNDS";

/// What a query for refunds names. WeChat prefers them in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundQuery {
    /// One refund, by WeChat's number.
    RefundId(RefundId),
    /// One refund, by the merchant's number.
    OutRefundNo(OutRefundNo),
    /// The refunds of a payment, by WeChat's number.
    TransactionId(TransactionId),
    /// The refunds of a payment, by the merchant's number.
    OutTradeNo(OutTradeNo),
}

/// Queries refunds; answered with [`Refunds`]. `offset` skips that many refunds of a payment, if
/// it has more than one answer holds (10).
pub fn query_refunds(
    orderer: &Orderer,
    query: &RefundQuery,
    offset: Option<u32>,
) -> Result<Request, InvalidField> {
    let mut request = Request::of(Route::RefundQuery, orderer)?;
    let (name, number) = match query {
        RefundQuery::RefundId(id) => ("refund_id", id.as_str()),
        RefundQuery::OutRefundNo(number) => ("out_refund_no", number.as_str()),
        RefundQuery::TransactionId(id) => ("transaction_id", id.as_str()),
        RefundQuery::OutTradeNo(number) => ("out_trade_no", number.as_str()),
    };
    request.set(name, number);
    request.set_optional("offset", offset.map(|offset| offset.to_string()));
    Ok(request)
}

/// The answer to a query for refunds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refunds {
    /// The refunds of this answer, in WeChat's order.
    pub refunds: Vec<RefundRecord>,
    /// The number of refunds of the payment, where there may be more than in this answer.
    pub total_count: Option<usize>,
}

/// A refund, and its state in the words of version 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRecord {
    /// The refund, as version 3 has it. Its state is the nearest one of version 3.
    pub refund: Refund,
    /// The state as WeChat gave it.
    pub status: RefundStatus,
}

impl ReadAnswer for Refund {
    fn read_answer(answer: &VerifiedFields) -> Result<Self, Unreadable> {
        let fields = answer.fields();
        read_refund(fields, "", RefundStatusV3::Processing)
    }
}

impl ReadAnswer for Refunds {
    fn read_answer(answer: &VerifiedFields) -> Result<Self, Unreadable> {
        let fields = answer.fields();
        let count = fields.count("refund_count")?;
        // A refund of which no field came cannot be read; a count without end ends here.
        let refunds = (0..count)
            .map(|place| RefundRecord::read(fields, &format!("_{place}")))
            .collect::<Result<_, _>>()?;
        // A refund beyond the count would be one that the caller does not get to know.
        if fields.get(&format!("out_refund_no_{count}")).is_some() {
            return Err(Unreadable::undocumented_form("refund_count"));
        }
        Ok(Self {
            refunds,
            total_count: fields.count("total_refund_count").ok(),
        })
    }
}

impl RefundRecord {
    fn read(fields: &Fields, suffix: &str) -> Result<Self, Unreadable> {
        let status = fields.text(&format!("refund_status{suffix}"))?;
        let status = RefundStatus::from(status);
        let refund = read_refund(fields, suffix, status.clone().into())?;
        Ok(Self { refund, status })
    }
}

impl From<RefundStatus> for RefundStatusV3 {
    /// The nearest state of version 3. A state that only version 2 has stays unknown there, and
    /// counts neither as success nor as failure.
    fn from(status: RefundStatus) -> Self {
        match status {
            RefundStatus::Success => Self::Success,
            RefundStatus::Processing => Self::Processing,
            RefundStatus::Change => Self::Abnormal,
            RefundStatus::RefundClose => Self::Closed,
            RefundStatus::Fail | RefundStatus::NotSure | RefundStatus::Unknown(_) => {
                Self::Unknown(status.into())
            }
        }
    }
}

/// Reads one refund: each of its fields has the suffix, those of the payment have none.
fn read_refund(
    fields: &Fields,
    suffix: &str,
    status: RefundStatusV3,
) -> Result<Refund, Unreadable> {
    let name = |name: &str| format!("{name}{suffix}");
    let channel = fields.optional(&name("refund_channel"));
    let success_time = fields.optional(&name("refund_success_time"));
    let account = fields.optional(&name("refund_account"));
    Ok(Refund {
        refund_id: fields.text(&name("refund_id"))?,
        out_refund_no: fields.text(&name("out_refund_no"))?,
        transaction_id: fields.text("transaction_id")?,
        out_trade_no: fields.text("out_trade_no")?,
        channel: channel.map(RefundChannel::from),
        // WeChat spells it without the second `u` of account.
        user_received_account: fields
            .optional(&name("refund_recv_accout"))
            .unwrap_or_default(),
        success_time: success_time.map(|text| rfc3339(&text)),
        create_time: None,
        status,
        funds_account: account.map(|account| match account.as_str() {
            RECHARGED_FUNDS => FundsAccount::Available,
            UNSETTLED_FUNDS => FundsAccount::Unsettled,
            _ => FundsAccount::Unknown(account),
        }),
        amount: read_amount(fields, &name)?,
        promotion_detail: read_coupons(fields, &name),
    })
}

fn read_amount(
    fields: &Fields,
    name: &impl Fn(&str) -> String,
) -> Result<RefundAmount, Unreadable> {
    let optional = |field: &str| fields.optional_fen(&name(field));
    Ok(RefundAmount {
        total: fields.fen("total_fee")?,
        refund: fields.fen(&name("refund_fee"))?,
        from: Vec::new(),
        payer_total: fields.optional_fen("cash_fee"),
        payer_refund: optional("cash_refund_fee"),
        settlement_refund: optional("settlement_refund_fee"),
        settlement_total: fields.optional_fen("settlement_total_fee"),
        discount_refund: optional("coupon_refund_fee"),
        refund_fee: None,
        currency: fields.optional("fee_type"),
    })
}

/// The coupons of one refund: `coupon_refund_id_$n_$m`, or `coupon_refund_id_$m` in the answer to
/// a request.
fn read_coupons(fields: &Fields, name: &impl Fn(&str) -> String) -> Vec<Value> {
    (0..)
        .map_while(|place: usize| {
            let member = |field: &str| fields.get(&format!("{}_{place}", name(field)));
            let id = member("coupon_refund_id")?;
            let fee = fields.optional_fen(&format!("{}_{place}", name("coupon_refund_fee")));
            Some(serde_json::json!({
                "promotion_id": id,
                "type": member("coupon_type"),
                "refund_amount": fee,
            }))
        })
        .collect()
}

/// `2016-07-25 15:26:26` of Beijing as version 3 writes it; another form stays as it is.
fn rfc3339(text: &str) -> String {
    crate::beijing::moment_of_wall_text(text)
        .map_or_else(|| text.to_owned(), crate::beijing::beijing_time)
}

#[cfg(test)]
mod tests;
