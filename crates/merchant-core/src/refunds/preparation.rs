//! A refund request of the backend, checked before anything is recorded.

use merchant_api::{CreateRefund, ErrorCode, RefundSource, RefundedGoods};
use wechat_pay::{Fen, FundsAccount, InvalidField, OutRefundNo, RefundFrom, RefundGoods, Rule};

use super::reserved_numbers::is_reserved;
use crate::input::plain_text;
use crate::refusal::Refusal;

/// The fields of a refund request besides its amount, in the protocol's types.
#[derive(Clone, Debug)]
pub(super) struct PreparedRefund {
    pub(super) number: OutRefundNo,
    /// The request in one canonical form, to compare a repeated request.
    pub(super) request: String,
    pub(super) reason: Option<String>,
    pub(super) funds_account: Option<FundsAccount>,
    pub(super) from: Vec<RefundFrom>,
    pub(super) goods_detail: Vec<RefundGoods>,
}

/// Checks everything that does not need the order.
pub(super) fn prepare(request: &CreateRefund) -> Result<PreparedRefund, Refusal> {
    let number = OutRefundNo::parse(&*request.refund_no)
        .map_err(|error| Refusal::invalid("refund_no", &error.rule.to_string()))?;
    if is_reserved(number.as_str()) {
        return Err(Refusal::invalid(
            "refund_no",
            "must not begin with surplus@: such numbers are this server's own",
        ));
    }
    if request.amount_fen == Some(0) {
        return Err(Refusal::field(
            ErrorCode::AmountInvalid,
            "amount_fen",
            "must be a whole number of fen of at least 1",
        ));
    }
    check_reason(request.reason.as_deref())?;
    for (field, is_empty) in [
        ("from", request.from.as_ref().is_some_and(Vec::is_empty)),
        (
            "goods_detail",
            request.goods_detail.as_ref().is_some_and(Vec::is_empty),
        ),
    ] {
        // An empty list would mean the same as none: refund everything.
        if is_empty {
            return Err(Refusal::invalid(
                field,
                "must not be empty; omit the field if it has no value",
            ));
        }
    }
    let from = request.from.as_deref().unwrap_or_default();
    if !from.is_empty() && request.amount_fen.is_none() {
        return Err(Refusal::invalid("amount_fen", "must come with from"));
    }
    Ok(PreparedRefund {
        number,
        // Field by field in the contract's order: the same request has the same text.
        request: serde_json::to_string(request)
            .map_err(|error| Refusal::Internal(error.to_string()))?,
        reason: request.reason.clone(),
        funds_account: request
            .funds_account
            .as_deref()
            .map(|word| account("funds_account", word))
            .transpose()?,
        from: from.iter().map(source).collect::<Result<_, _>>()?,
        goods_detail: request
            .goods_detail
            .iter()
            .flatten()
            .map(goods)
            .collect::<Result<_, _>>()?,
    })
}

/// The protocol's refusal, with the contract's name of the field.
pub(super) fn of_protocol(error: &InvalidField) -> Refusal {
    let (code, field) = match error.field {
        "amount.refund" => (ErrorCode::AmountInvalid, "amount_fen"),
        "amount.from" => (ErrorCode::InvalidRequest, "from"),
        "amount.from.amount" => (ErrorCode::InvalidRequest, "from.amount_fen"),
        field => (ErrorCode::InvalidRequest, field),
    };
    let rule = match error.field {
        "amount.from" if !matches!(error.rule, Rule::Form(_)) => {
            "must be amounts that add up to amount_fen".to_owned()
        }
        _ => error.rule.to_string(),
    };
    Refusal::field(code, field, &rule)
}

fn check_reason(reason: Option<&str>) -> Result<(), Refusal> {
    let Some(reason) = reason else {
        return Ok(());
    };
    // The rest of the rules is the protocol's.
    match plain_text::broken_rule(reason) {
        None => Ok(()),
        Some(rule) => Err(Refusal::invalid("reason", rule)),
    }
}

fn source(source: &RefundSource) -> Result<RefundFrom, Refusal> {
    Ok(RefundFrom {
        account: account("from.account", &source.account)?,
        amount: fen("from.amount_fen", source.amount_fen)?,
    })
}

fn goods(goods: &RefundedGoods) -> Result<RefundGoods, Refusal> {
    Ok(RefundGoods {
        merchant_goods_id: goods.merchant_goods_id.clone(),
        wechatpay_goods_id: goods.wechatpay_goods_id.clone(),
        goods_name: goods.goods_name.clone(),
        unit_price: fen("goods_detail.unit_price_fen", goods.unit_price_fen)?,
        refund_amount: fen("goods_detail.refund_amount_fen", goods.refund_amount_fen)?,
        refund_quantity: goods.refund_quantity,
    })
}

fn account(field: &str, word: &str) -> Result<FundsAccount, Refusal> {
    match FundsAccount::from(word) {
        FundsAccount::Unknown(_) => Err(Refusal::invalid(
            field,
            "must be one of WeChat's accounts: AVAILABLE, UNAVAILABLE, UNSETTLED, OPERATION, BASIC",
        )),
        account => Ok(account),
    }
}

fn fen(field: &str, amount_fen: u64) -> Result<Fen, Refusal> {
    i64::try_from(amount_fen)
        .ok()
        .and_then(|amount| Fen::new(amount).ok())
        .ok_or_else(|| Refusal::invalid(field, "is more than any amount can be"))
}
