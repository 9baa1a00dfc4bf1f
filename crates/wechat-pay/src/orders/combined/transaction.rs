//! What WeChat says about a combined order: in a query's answer, and in a payment's notification.
//!
//! It has no state of its own: each sub-order has one. WeChat pays and closes all sub-orders together, and
//! refunds them one by one.

use payment_values::Fen;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::json::read_json;
use crate::orders::transaction::{
    Payer, TradeState, TradeType, Transaction, TransactionAmount, null_as_default,
};

/// A combined order as WeChat sees it, in either mode.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CombinedTransaction {
    /// The combining application; empty if WeChat leaves it out.
    #[serde(default, deserialize_with = "null_as_default")]
    pub combine_appid: String,
    /// The combining merchant, in partner mode the service provider.
    pub combine_mchid: String,
    /// The combining merchant's number.
    pub combine_out_trade_no: String,
    /// Each sub-order; at least one.
    #[serde(deserialize_with = "at_least_one")]
    pub sub_orders: Vec<SubTransaction>,
    /// The buyer who paid; absent until paid.
    #[serde(default)]
    pub combine_payer_info: Option<Payer>,
}

/// A sub-order as WeChat sees it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SubTransaction {
    /// The merchant that got the money, in partner mode the service provider.
    pub mchid: String,
    /// Partner mode: the sub-merchant that got the money.
    #[serde(default)]
    pub sub_mchid: Option<String>,
    /// Partner mode: the sub-merchant's application, if the order named one.
    #[serde(default)]
    pub sub_appid: Option<String>,
    /// The number of the sub-order.
    pub out_trade_no: String,
    /// WeChat's number of the sub-order's payment; absent until paid.
    #[serde(default)]
    pub transaction_id: Option<String>,
    /// The product that was paid with; absent until paid.
    #[serde(default)]
    pub trade_type: Option<TradeType>,
    /// The state of the sub-order.
    pub trade_state: TradeState,
    /// The bank, or `OTHERS`.
    #[serde(default)]
    pub bank_type: Option<String>,
    /// The merchant's own text of the sub-order (`attach`).
    #[serde(default)]
    pub attach: Option<String>,
    /// When it was paid, RFC 3339.
    #[serde(default)]
    pub success_time: Option<String>,
    /// The money.
    #[serde(default)]
    pub amount: Option<SubTransactionAmount>,
    /// The coupons that were used, in WeChat's own form; empty if none were used.
    #[serde(default, deserialize_with = "null_as_default")]
    pub promotion_detail: Vec<serde_json::Value>,
}

/// The money of a sub-order. The names differ from those of an ordinary order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SubTransactionAmount {
    /// The amount of the sub-order, in fen.
    pub total_amount: Fen,
    /// What the buyer paid, in fen: less than `total_amount` if a coupon was used; absent until paid.
    #[serde(default)]
    pub payer_amount: Option<Fen>,
    /// `CNY`.
    #[serde(default)]
    pub currency: Option<String>,
    /// The currency that the buyer paid in.
    #[serde(default)]
    pub payer_currency: Option<String>,
}

impl CombinedTransaction {
    /// The state that all sub-orders share: `SUCCESS` if every one is paid, refunded since then or not.
    /// `None` if they contradict each other; WeChat documents that this does not happen, and then nothing
    /// may be concluded.
    #[must_use]
    pub fn trade_state(&self) -> Option<TradeState> {
        let mut states = self.sub_orders.iter().map(|sub_order| {
            if sub_order.trade_state.is_paid() {
                TradeState::Success
            } else {
                sub_order.trade_state.clone()
            }
        });
        let first = states.next()?;
        states.all(|state| state == first).then_some(first)
    }

    /// Whether money was received for every sub-order.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.trade_state() == Some(TradeState::Success)
    }

    /// The sum of the sub-orders, in fen; `None` if WeChat left one out.
    #[must_use]
    pub fn total(&self) -> Option<Fen> {
        let mut totals = self.sub_orders.iter().map(SubTransaction::total);
        totals.try_fold(Fen::ZERO, |sum, total| sum.checked_add(total?))
    }

    /// The buyer's openid under the combining application, if WeChat sent it.
    #[must_use]
    pub fn openid(&self) -> Option<&str> {
        self.combine_payer_info.as_ref()?.openid.as_deref()
    }

    /// Each sub-order as if it were an ordinary order, in WeChat's order.
    #[must_use]
    pub fn transactions(&self) -> Vec<Transaction> {
        let sub_orders = self.sub_orders.iter();
        sub_orders
            .map(|sub_order| self.transaction(sub_order))
            .collect()
    }

    fn transaction(&self, sub_order: &SubTransaction) -> Transaction {
        let from = sub_order.clone();
        let mut transaction = Transaction::bare(from.out_trade_no, from.trade_state);
        transaction.appid.clone_from(&self.combine_appid);
        transaction.mchid = from.mchid;
        transaction.sub_mchid = from.sub_mchid;
        transaction.sub_appid = from.sub_appid;
        transaction.transaction_id = from.transaction_id;
        transaction.trade_type = from.trade_type;
        transaction.bank_type = from.bank_type;
        transaction.attach = from.attach;
        transaction.success_time = from.success_time;
        transaction.payer.clone_from(&self.combine_payer_info);
        transaction.amount = from.amount.map(TransactionAmount::from);
        transaction.promotion_detail = from.promotion_detail;
        transaction
    }
}

impl SubTransaction {
    /// The amount of the sub-order, in fen.
    #[must_use]
    pub fn total(&self) -> Option<Fen> {
        self.amount.as_ref().map(|amount| amount.total_amount)
    }
}

impl From<SubTransactionAmount> for TransactionAmount {
    fn from(amount: SubTransactionAmount) -> Self {
        Self {
            total: amount.total_amount,
            payer_total: amount.payer_amount,
            currency: amount.currency,
            payer_currency: amount.payer_currency,
        }
    }
}

/// What a combined order has and an ordinary one has not.
#[derive(Deserialize)]
struct Mark {
    #[serde(default)]
    combine_out_trade_no: Option<serde_json::Value>,
    #[serde(default)]
    sub_orders: Option<serde_json::Value>,
}

/// Whether the content of a notification is a combined order, whatever its event says: both kinds of
/// payment have the same event and the same `original_type`.
pub(crate) fn is_combined(plaintext: &[u8]) -> bool {
    read_json::<Mark>(plaintext).is_ok_and(|read| {
        let mark = read.value;
        mark.combine_out_trade_no.is_some() || mark.sub_orders.is_some()
    })
}

/// An order without sub-orders says nothing about money: it is as good as absent.
fn at_least_one<'de, D: Deserializer<'de>>(json: D) -> Result<Vec<SubTransaction>, D::Error> {
    let sub_orders = Vec::deserialize(json)?;
    if sub_orders.is_empty() {
        return Err(D::Error::custom("empty"));
    }
    Ok(sub_orders)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: &str = r#"{"combine_appid":"wx1","combine_mchid":"1900007291","combine_out_trade_no":"C20260101",
        "combine_payer_info":{"openid":"oUpF8"},"scene_info":{"device_id":"POS1:1"},
        "sub_orders":[{"mchid":"1900007291","trade_type":"JSAPI","trade_state":"SUCCESS","bank_type":"CMC",
        "attach":"shelf 4","success_time":"2018-06-08T10:34:56.120+08:00","transaction_id":"4200000001",
        "out_trade_no":"C2026-1","amount":{"total_amount":1990,"payer_amount":1890,"currency":"CNY",
        "payer_currency":"CNY"},"promotion_detail":[]},
        {"mchid":"1900007292","trade_state":"SUCCESS","transaction_id":"4200000002","out_trade_no":"C2026-2",
        "amount":{"total_amount":10,"currency":"CNY"}}]}"#;

    fn read(json: &str) -> Result<CombinedTransaction, String> {
        let read = read_json(json.as_bytes()).map_err(|error| error.to_string())?;
        assert_eq!(read.left_out, Vec::<String>::new());
        Ok(read.value)
    }

    #[test]
    fn each_sub_order_is_read_as_an_ordinary_payment() {
        let paid = read(PAID).unwrap();
        assert!(paid.is_paid());
        assert_eq!(paid.total(), Some(Fen::new(2000).unwrap()));
        assert_eq!(paid.openid(), Some("oUpF8"));
        let transactions = paid.transactions();
        let numbers = transactions
            .iter()
            .map(|t| (t.mchid.as_str(), t.out_trade_no.as_str()));
        assert_eq!(
            numbers.collect::<Vec<_>>(),
            [("1900007291", "C2026-1"), ("1900007292", "C2026-2")]
        );
        let first = &transactions[0];
        assert_eq!(
            (first.appid.as_str(), first.openid()),
            ("wx1", Some("oUpF8"))
        );
        assert_eq!(first.total(), Some(Fen::new(1990).unwrap()));
        assert_eq!(first.payer_total(), Some(Fen::new(1890).unwrap()));
        assert_eq!(
            first.success_time().unwrap().to_string(),
            "2018-06-08T02:34:56.12Z"
        );
    }

    #[test]
    fn a_providers_order_keeps_the_sub_merchant_of_each_sub_order() {
        let partner = PAID
            .replace(
                r#""mchid":"1900007292""#,
                r#""mchid":"1900007291","sub_mchid":"1600000002","sub_appid":"wx2""#,
            )
            .replace(
                r#"{"openid":"oUpF8"}"#,
                r#"{"openid":"oUpF8","sub_openid":"oSub"}"#,
            );
        let second = read(&partner).unwrap().transactions().remove(1);
        assert_eq!(second.mchid, "1900007291");
        assert_eq!(second.sub_mchid.as_deref(), Some("1600000002"));
        assert_eq!(second.sub_appid.as_deref(), Some("wx2"));
        assert_eq!(second.payer.unwrap().sub_openid.as_deref(), Some("oSub"));
    }

    #[test]
    fn the_state_of_the_whole_is_that_of_all_sub_orders_or_none() {
        let states = |first: &str, second: &str| {
            let mut order = read(PAID).unwrap();
            order.sub_orders[0].trade_state = first.into();
            order.sub_orders[1].trade_state = second.into();
            order
        };
        for (first, second, expected) in [
            ("SUCCESS", "SUCCESS", Some("SUCCESS")),
            ("REFUND", "SUCCESS", Some("SUCCESS")),
            ("NOTPAY", "NOTPAY", Some("NOTPAY")),
            ("CLOSED", "CLOSED", Some("CLOSED")),
            ("LATER", "LATER", Some("LATER")),
            ("SUCCESS", "NOTPAY", None),
            ("CLOSED", "NOTPAY", None),
        ] {
            let order = states(first, second);
            let state = order.trade_state();
            assert_eq!(
                state.as_ref().map(TradeState::as_str),
                expected,
                "{first} {second}"
            );
            assert_eq!(
                order.is_paid(),
                expected == Some("SUCCESS"),
                "{first} {second}"
            );
        }
    }

    #[test]
    fn an_order_without_sub_orders_or_amounts_is_never_read_as_a_payment_of_nothing() {
        let none = r#"{"combine_mchid":"1","combine_out_trade_no":"C20260101","sub_orders":[]}"#;
        assert_eq!(
            read(none).unwrap_err(),
            "sub_orders is not in the documented form"
        );
        let without = PAID.replace(
            r#""amount":{"total_amount":10,"currency":"CNY"}"#,
            r#""amount":null"#,
        );
        let order = read(&without).unwrap();
        assert_eq!((order.total(), order.sub_orders[1].total()), (None, None));
    }

    #[test]
    fn a_combined_order_is_known_by_its_content() {
        for (json, expected) in [
            (PAID, true),
            (r#"{"combine_out_trade_no":"C20260101"}"#, true),
            (r#"{"sub_orders":[]}"#, true),
            (
                r#"{"out_trade_no":"T20260101","trade_state":"SUCCESS"}"#,
                false,
            ),
            (r#"{"combine_out_trade_no":null}"#, false),
            ("[]", false),
            ("", false),
        ] {
            assert_eq!(is_combined(json.as_bytes()), expected, "{json}");
        }
    }
}
