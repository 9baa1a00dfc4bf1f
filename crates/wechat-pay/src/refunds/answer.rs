//! What WeChat says about a refund: in the answer to a request or a query ([`Refund`]), and in a
//! notification ([`RefundNotice`]), which names the state differently and has fewer fields.
//!
//! Values that this crate does not know are kept, and never count as success or failure.

use jiff::Timestamp;
use payment_values::Fen;
use serde::{Deserialize, Serialize};

use crate::orders::transaction::null_as_default;
use crate::words::words;

/// The event of a refund that reached the buyer.
pub const REFUND_SUCCESS: &str = "REFUND.SUCCESS";
/// The event of a refund that could not reach the buyer: see [`crate::AbnormalRefund`].
pub const REFUND_ABNORMAL: &str = "REFUND.ABNORMAL";
/// The event of a refund that was closed.
pub const REFUND_CLOSED: &str = "REFUND.CLOSED";

/// A refund as WeChat sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// The merchant's number of the refund.
    pub out_refund_no: String,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// The merchant's number of the payment.
    pub out_trade_no: String,
    /// The channel of the refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<RefundChannel>,
    /// The receiving account as a text for people: a bank and the last digits of a card.
    #[serde(default, deserialize_with = "null_as_default")]
    pub user_received_account: String,
    /// When it arrived, RFC 3339; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// When it was accepted, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
    /// The state of the refund.
    pub status: RefundStatus,
    /// The account that pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funds_account: Option<FundsAccount>,
    /// The money.
    pub amount: RefundAmount,
    /// The coupons that are refunded, in WeChat's own form.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub promotion_detail: Vec<serde_json::Value>,
}

/// The money of a refund, in fen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundAmount {
    /// The amount of the order.
    pub total: Fen,
    /// The amount of the refund.
    pub refund: Fen,
    /// The accounts that pay, in WeChat's own form.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub from: Vec<serde_json::Value>,
    /// What the buyer paid, without coupons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_total: Option<Fen>,
    /// What the buyer gets, without coupons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_refund: Option<Fen>,
    /// The amount taken from the merchant's settlement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement_refund: Option<Fen>,
    /// The amount of the merchant's settlement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement_total: Option<Fen>,
    /// The part that is refunded as coupons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_refund: Option<Fen>,
    /// The fee that the merchant gets back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_fee: Option<Fen>,
    /// `CNY`: WeChat Pay in the mainland has no other ([`crate::hosts`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// A refund in a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundNotice {
    /// The merchant number; absent in partner mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mchid: Option<String>,
    /// Partner mode: the provider's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sp_mchid: Option<String>,
    /// Partner mode: the sub-merchant's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// The merchant's number of the payment.
    pub out_trade_no: String,
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// The merchant's number of the refund.
    pub out_refund_no: String,
    /// The state of the refund. A query's answer calls this field `status`.
    pub refund_status: RefundStatus,
    /// When it arrived, RFC 3339; absent if it did not arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// The receiving account, for people.
    #[serde(default, deserialize_with = "null_as_default")]
    pub user_received_account: String,
    /// The money.
    pub amount: RefundNoticeAmount,
}

/// The money of a refund in a notification, in fen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundNoticeAmount {
    /// The amount of the order.
    pub total: Fen,
    /// The amount of the refund.
    pub refund: Fen,
    /// What the buyer paid, without coupons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_total: Option<Fen>,
    /// What the buyer gets, without coupons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_refund: Option<Fen>,
}

words! {
    /// The state of a refund.
    RefundStatus {
        /// The buyer has the money.
        Success = "SUCCESS",
        /// Closed: the merchant had no funds for seven days.
        Closed = "CLOSED",
        /// Accepted, under way.
        Processing = "PROCESSING",
        /// The buyer's account does not accept it: the merchant must send an abnormal refund.
        Abnormal = "ABNORMAL",
    }
}

words! {
    /// The channel of a refund.
    RefundChannel {
        /// Back to the account that paid.
        Original = "ORIGINAL",
        /// To the buyer's balance.
        Balance = "BALANCE",
        /// The account no longer exists: to another balance of the buyer.
        OtherBalance = "OTHER_BALANCE",
        /// The account no longer exists: to another bank card of the buyer.
        OtherBankcard = "OTHER_BANKCARD",
    }
}

words! {
    /// An account of the merchant's that pays for refunds.
    FundsAccount {
        /// Unsettled funds.
        Unsettled = "UNSETTLED",
        /// Available balance.
        Available = "AVAILABLE",
        /// Unavailable balance.
        Unavailable = "UNAVAILABLE",
        /// The account for operations.
        Operation = "OPERATION",
        /// The basic account.
        Basic = "BASIC",
    }
}

impl RefundStatus {
    /// Whether the state is final. `ABNORMAL` is not final: the merchant can start
    /// an abnormal refund, and a later success follows.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Success | Self::Closed)
    }
}

impl Refund {
    /// When the money arrived, if the text has the documented form.
    pub fn success_time(&self) -> Option<Timestamp> {
        self.success_time.as_deref()?.parse().ok()
    }
}

impl RefundNotice {
    /// When the money arrived, if the text has the documented form.
    pub fn success_time(&self) -> Option<Timestamp> {
        self.success_time.as_deref()?.parse().ok()
    }

    /// Whether the event and the state agree.
    pub(crate) fn agrees_with(&self, event_type: &str) -> bool {
        match event_type {
            REFUND_SUCCESS => self.refund_status == RefundStatus::Success,
            REFUND_ABNORMAL => self.refund_status == RefundStatus::Abnormal,
            REFUND_CLOSED => self.refund_status == RefundStatus::Closed,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_answer_is_read() {
        let read: Refund = serde_json::from_str(
            r#"{"refund_id":"50000000382019052709732678859","out_refund_no":"R1",
                "transaction_id":"1217752501201407033233368018","out_trade_no":"T1",
                "channel":"ORIGINAL","user_received_account":"招商银行信用卡0403",
                "success_time":"2020-12-01T16:18:12+08:00","create_time":"2020-12-01T16:18:12+08:00",
                "status":"SUCCESS","funds_account":"UNSETTLED",
                "amount":{"total":100,"refund":100,"from":[{"account":"AVAILABLE","amount":444}],
                  "payer_total":90,"payer_refund":90,"settlement_refund":100,"settlement_total":100,
                  "discount_refund":10,"currency":"CNY","refund_fee":100},
                "promotion_detail":[{"promotion_id":"109519"}],"later":1}"#,
        )
        .unwrap();
        assert_eq!(read.status, RefundStatus::Success);
        assert_eq!(read.channel, Some(RefundChannel::Original));
        assert_eq!(read.amount.payer_refund.map(Fen::get), Some(90));
        assert_eq!(
            read.success_time().unwrap().to_string(),
            "2020-12-01T08:18:12Z"
        );
    }

    #[test]
    fn only_success_and_closed_are_final_and_unknown_words_are_neither() {
        for (word, last) in [
            ("SUCCESS", true),
            ("CLOSED", true),
            ("PROCESSING", false),
            ("ABNORMAL", false),
            ("success", false),
            ("", false),
        ] {
            assert_eq!(RefundStatus::from(word).is_final(), last, "{word}");
        }
    }
}
