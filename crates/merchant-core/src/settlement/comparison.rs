//! Compares WeChat's report of one payment with what was ordered, in fixed order. The first difference is the
//! reason of a mismatch.

use payment_values::{Fen, TransactionId};
use wechat_pay::Transaction;

/// What was ordered under one number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub(super) mchid: &'a str,
    pub(super) appid: &'a str,
    pub(super) sub_mchid: Option<&'a str>,
    pub(super) sub_appid: Option<&'a str>,
    /// WeChat may omit the appids; the merchant numbers are always there.
    pub(super) may_omit_appids: bool,
    pub(super) total_fen: Fen,
    /// WeChat has another order under the number.
    pub(super) is_refused: bool,
    /// WeChat's number, if the payment was reported before.
    pub(super) transaction_id: Option<&'a TransactionId>,
}

/// WeChat's number of a payment that matches, or the first difference. A report without such a number, or
/// with a text that cannot be one, does not match.
pub(super) fn matching_id(
    transaction: &Transaction,
    expected: Expected<'_>,
) -> Result<TransactionId, &'static str> {
    let amount = transaction.amount.as_ref();
    let is_cny = amount
        .and_then(|amount| amount.currency.as_deref())
        .is_none_or(|currency| currency == "CNY");
    let total = amount.map(|amount| amount.total);
    let id = transaction.transaction_id.as_deref();
    let id = id.and_then(|text| TransactionId::parse(text).ok());
    let is_appid_unsaid = expected.may_omit_appids && transaction.appid.is_empty();
    let is_sub_appid_unsaid = expected.may_omit_appids && transaction.sub_appid.is_none();
    let checks = [
        (transaction.mchid == expected.mchid, "mchid"),
        (
            transaction.appid == expected.appid || is_appid_unsaid,
            "appid",
        ),
        (
            transaction.sub_mchid.as_deref() == expected.sub_mchid,
            "sub_mchid",
        ),
        (
            transaction.sub_appid.as_deref() == expected.sub_appid || is_sub_appid_unsaid,
            "sub_appid",
        ),
        (total == Some(expected.total_fen), "amount"),
        (is_cny, "currency"),
        (!expected.is_refused, "refused"),
        // WeChat does not accept a second payment under one number. If it did, it would be real
        // money all the same.
        (
            expected.transaction_id.is_none() || expected.transaction_id == id.as_ref(),
            "transaction_id",
        ),
    ];
    match checks.into_iter().find(|(fits, _)| !fits) {
        Some((_, reason)) => Err(reason),
        None => id.ok_or("transaction_id"),
    }
}
