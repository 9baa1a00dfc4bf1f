//! What version 2 says about an order, in the answers to `orderquery` and `micropay` and in the
//! notification of a payment: read as a [`Transaction`], which is the same for both versions, and
//! written from one.

use payment_values::Fen;
use serde_json::{Value, json};

use super::answer::ReadAnswer;
use super::fields::{Fields, VerifiedFields};
use crate::beijing::{beijing_digits, beijing_time, moment_of_digits};
use crate::json::Unreadable;
use crate::orders::transaction::{Payer, TradeState, TradeType, Transaction, TransactionAmount};

impl ReadAnswer for Transaction {
    /// An answer without `trade_state` is that of a payment which succeeded.
    fn read_answer(answer: &VerifiedFields) -> Result<Self, Unreadable> {
        let fields = answer.fields();
        let state = match fields.get("trade_state") {
            None if fields.get("transaction_id").is_none() => {
                return Err(Unreadable::missing("trade_state"));
            }
            None => TradeState::Success,
            // Not paid because the buyer took too long; only the early protocol has the word.
            Some("NOPAY") => TradeState::NotPay,
            Some(word) => TradeState::from(word),
        };
        read(fields, state)
    }
}

/// The order's fields, for an implementation of WeChat's side. In a query's answer the state is a
/// field; in a notification and in the answer to a payment by code it is not.
#[must_use]
pub fn transaction_fields(transaction: &Transaction, with_state: bool) -> Fields {
    let mut fields = Fields::new();
    fields.set("appid", transaction.appid.clone());
    fields.set("mch_id", transaction.mchid.clone());
    fields.set_optional("sub_appid", transaction.sub_appid.clone());
    fields.set_optional("sub_mch_id", transaction.sub_mchid.clone());
    fields.set("out_trade_no", transaction.out_trade_no.clone());
    if with_state {
        fields.set("trade_state", transaction.trade_state.as_str());
        fields.set("trade_state_desc", transaction.trade_state_desc.clone());
    }
    fields.set_optional("transaction_id", transaction.transaction_id.clone());
    let trade_type = transaction.trade_type.as_ref();
    fields.set_optional("trade_type", trade_type.map(TradeType::as_str));
    fields.set_optional("bank_type", transaction.bank_type.clone());
    fields.set_optional("attach", transaction.attach.clone());
    let paid_at = transaction.success_time();
    fields.set_optional("time_end", paid_at.map(beijing_digits));
    if let Some(payer) = &transaction.payer {
        fields.set_optional("openid", payer.openid.clone());
        fields.set_optional("sub_openid", payer.sub_openid.clone());
    }
    if let Some(amount) = &transaction.amount {
        fields.set("total_fee", amount.total.get().to_string());
        let paid = amount.payer_total;
        fields.set_optional("cash_fee", paid.map(|fen| fen.get().to_string()));
        fields.set_optional("fee_type", amount.currency.clone());
        fields.set_optional("cash_fee_type", amount.payer_currency.clone());
    }
    write_coupons(&mut fields, &transaction.promotion_detail);
    fields
}

/// Reads an order whose state is known.
pub(super) fn read(fields: &Fields, state: TradeState) -> Result<Transaction, Unreadable> {
    let mut read = Transaction::bare(fields.text("out_trade_no")?, state);
    let is_paid = read.trade_state.is_paid();
    read.mchid = fields.text("mch_id")?;
    read.appid = fields.optional("appid").unwrap_or_default();
    read.sub_mchid = fields.optional("sub_mch_id");
    read.sub_appid = fields.optional("sub_appid");
    read.transaction_id = fields.optional("transaction_id");
    if is_paid && read.transaction_id.is_none() {
        return Err(Unreadable::missing("transaction_id"));
    }
    read.trade_type = fields.optional("trade_type").map(TradeType::from);
    read.trade_state_desc = fields.optional("trade_state_desc").unwrap_or_default();
    read.bank_type = fields.optional("bank_type");
    read.attach = fields.optional("attach");
    read.success_time = fields
        .optional("time_end")
        .map(|text| moment_of_digits(&text).map_or(text, beijing_time));
    read.payer = read_payer(fields);
    read.amount = read_amount(fields, is_paid)?;
    read.promotion_detail = read_coupons(fields);
    Ok(read)
}

fn read_payer(fields: &Fields) -> Option<Payer> {
    let openid = fields.optional("openid");
    let sub_openid = fields.optional("sub_openid");
    (openid.is_some() || sub_openid.is_some()).then(|| Payer::new(openid, sub_openid))
}

/// The money: what is paid must be readable; before that it may be absent, and is never wrong.
fn read_amount(fields: &Fields, is_paid: bool) -> Result<Option<TransactionAmount>, Unreadable> {
    if !is_paid && fields.get("total_fee").is_none() {
        return Ok(None);
    }
    let total = fields.fen("total_fee")?;
    let payer_total = match (fields.get("cash_fee"), fields.get("coupon_fee")) {
        (Some(_), _) => fields.optional_fen("cash_fee"),
        // The early protocol names the coupons alone.
        (None, Some(_)) => fields
            .optional_fen("coupon_fee")
            .and_then(|coupons| total.checked_sub(coupons)),
        (None, None) => is_paid.then_some(total),
    };
    Ok(Some(TransactionAmount {
        total,
        payer_total,
        currency: fields.optional("fee_type"),
        payer_currency: fields.optional("cash_fee_type"),
    }))
}

/// The coupons: `coupon_id_$n` with its kind and its amount, in the names of version 3.
fn read_coupons(fields: &Fields) -> Vec<Value> {
    (0..)
        .map_while(|place: usize| {
            let id = fields.get(&format!("coupon_id_{place}"))?;
            Some(json!({
                "coupon_id": id,
                "type": fields.get(&format!("coupon_type_{place}")),
                "amount": fields.optional_fen(&format!("coupon_fee_{place}")),
            }))
        })
        .collect()
}

fn write_coupons(fields: &mut Fields, coupons: &[Value]) {
    if coupons.is_empty() {
        return;
    }
    fields.set("coupon_count", coupons.len().to_string());
    let amounts = coupons
        .iter()
        .filter_map(|coupon| coupon["amount"].as_u64());
    let total = amounts
        .map(Fen::saturating)
        .try_fold(Fen::ZERO, Fen::checked_add);
    fields.set_optional("coupon_fee", total.map(|fen| fen.get().to_string()));
    for (place, coupon) in coupons.iter().enumerate() {
        let id = coupon["coupon_id"].as_str();
        fields.set_optional(&format!("coupon_id_{place}"), id);
        let kind = coupon["type"].as_str();
        fields.set_optional(&format!("coupon_type_{place}"), kind);
        let amount = coupon["amount"].as_u64();
        let amount = amount.map(|amount| amount.to_string());
        fields.set_optional(&format!("coupon_fee_{place}"), amount);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::StatusCode;

    use super::*;
    use crate::v2::answer::{Answer, AnswerError};
    use crate::v2::gateway::success_answer;
    use crate::v2::signature::SignType;
    use crate::v2::test_messages::{key, signed, stamp};

    fn parse(body: Bytes) -> Result<Transaction, AnswerError> {
        let status = StatusCode::OK;
        Answer { status, body }.parse(&key(), SignType::Md5)
    }

    fn answered(fields: &[(&str, &str)]) -> Result<Transaction, AnswerError> {
        let codes = [("return_code", "SUCCESS"), ("result_code", "SUCCESS")];
        parse(signed(&[fields, &codes].concat(), SignType::Md5))
    }

    /// The example of a payment in section 5 of WeChat's document V3.3.5, signed by a key of ours.
    const DOCUMENTED: [(&str, &str); 16] = [
        ("return_msg", "OK"),
        ("appid", "wx2421b1c4370ec43b"),
        ("mch_id", "10000100"),
        ("device_info", "1000"),
        ("nonce_str", "FvYSnPuFFPkAr77M"),
        ("openid", "oUpF8uN95-Ptaags6E_roPHg7AG0"),
        ("is_subscribe", "Y"),
        ("trade_type", "MICROPAY"),
        ("bank_type", "CCB_CREDIT"),
        ("total_fee", "1"),
        ("coupon_fee", "0"),
        ("fee_type", "CNY"),
        ("transaction_id", "1008450740201407220000058756"),
        ("out_trade_no", "1406033828"),
        ("attach", "att"),
        ("time_end", "20140722160655"),
    ];

    #[test]
    fn the_documents_payment_is_read_as_a_payment_of_version_3() {
        let paid = answered(&DOCUMENTED).unwrap();
        assert!(paid.trade_state.is_paid());
        assert_eq!(paid.trade_type, Some(TradeType::Micropay));
        assert_eq!(paid.total(), Some(Fen::ONE));
        assert_eq!(paid.payer_total(), Some(Fen::ONE));
        assert_eq!(paid.openid(), Some("oUpF8uN95-Ptaags6E_roPHg7AG0"));
        assert_eq!(
            paid.success_time.as_deref(),
            Some("2014-07-22T16:06:55+08:00")
        );
    }

    #[test]
    fn each_field_on_which_money_or_identity_depends_is_required_in_a_payment() {
        for name in ["mch_id", "out_trade_no", "transaction_id", "total_fee"] {
            let rest: Vec<_> = DOCUMENTED.into_iter().filter(|(n, _)| *n != name).collect();
            let with_state = [&rest[..], &[("trade_state", "SUCCESS")]].concat();
            let error = answered(&with_state).unwrap_err();
            let expected = AnswerError::Malformed(Unreadable::missing(name));
            assert_eq!(error, expected, "{name}");
        }
        for name in ["openid", "time_end", "bank_type", "fee_type", "attach"] {
            let rest: Vec<_> = DOCUMENTED.into_iter().filter(|(n, _)| *n != name).collect();
            assert!(answered(&rest).is_ok(), "{name}");
        }
    }

    #[test]
    fn an_amount_with_a_decimal_point_is_refused_paid_or_not() {
        for (state, total) in [("SUCCESS", "1.00"), ("NOTPAY", "69.105"), ("SUCCESS", "-1")] {
            let fields: Vec<_> = DOCUMENTED
                .into_iter()
                .map(|(name, value)| (name, if name == "total_fee" { total } else { value }))
                .chain([("trade_state", state)])
                .collect();
            let expected = AnswerError::Malformed(Unreadable::undocumented_form("total_fee"));
            assert_eq!(answered(&fields), Err(expected), "{state} {total}");
        }
    }

    #[test]
    fn an_unpaid_order_has_a_number_and_a_state() {
        let with = |state| {
            answered(&[
                ("mch_id", "10000100"),
                ("out_trade_no", "1406033828"),
                ("trade_state", state),
            ])
        };
        for (word, state, paid) in [
            ("NOTPAY", TradeState::NotPay, false),
            ("NOPAY", TradeState::NotPay, false),
            ("CLOSED", TradeState::Closed, false),
            ("REVOKED", TradeState::Revoked, false),
            ("USERPAYING", TradeState::UserPaying, false),
            ("PAYERROR", TradeState::PayError, false),
            ("success", TradeState::Unknown("success".into()), false),
        ] {
            let read = with(word).unwrap();
            assert_eq!(
                (&read.trade_state, read.trade_state.is_paid()),
                (&state, paid)
            );
            assert_eq!((read.amount, read.payer), (None, None));
        }
        let expected = AnswerError::Malformed(Unreadable::missing("trade_state"));
        assert_eq!(with(""), Err(expected));
    }

    #[test]
    fn coupons_are_read_and_reduce_what_the_buyer_paid() {
        let coupons = [
            ("trade_state", "SUCCESS"),
            ("coupon_count", "2"),
            ("coupon_id_0", "C0"),
            ("coupon_type_0", "CASH"),
            ("coupon_fee_0", "3"),
            ("coupon_id_1", "C1"),
            ("coupon_fee_1", "x"),
        ];
        let fields: Vec<_> = DOCUMENTED
            .into_iter()
            .map(|(name, value)| match name {
                "total_fee" => (name, "10"),
                "coupon_fee" => (name, "3"),
                _ => (name, value),
            })
            .chain(coupons)
            .collect();
        let paid = answered(&fields).unwrap();
        assert_eq!(paid.payer_total().map(Fen::get), Some(7));
        assert_eq!(paid.promotion_detail.len(), 2);
        assert_eq!(paid.promotion_detail[0]["amount"], 3);
        assert_eq!(paid.promotion_detail[1]["amount"], Value::Null);
    }

    #[test]
    fn what_the_gateway_writes_is_read_alike() {
        let mut paid = answered(&DOCUMENTED).unwrap();
        paid.sub_mchid = Some("124".into());
        paid.trade_state_desc = "支付成功".into();
        paid.promotion_detail = vec![json!({"coupon_id": "C0", "type": "CASH", "amount": 1})];
        let fields = transaction_fields(&paid, true);
        assert_eq!(fields.get("coupon_fee"), Some("1"));
        let body = success_answer(fields, &key(), SignType::Md5, &stamp());
        assert_eq!(parse(body), Ok(paid.clone()));
        let without = transaction_fields(&paid, false);
        assert_eq!(without.get("trade_state"), None);
    }
}
