//! What WeChat says about an order: in a query's answer, and in a payment's notification.
//!
//! Values that this crate does not know are kept, and never count as success or failure.

use jiff::Timestamp;
use payment_values::Fen;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::words::words;

/// An order as WeChat sees it, in either mode.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self")]
pub struct Transaction {
    /// The application that ordered, in partner mode the provider's (`sp_appid`); empty if
    /// WeChat leaves it out (code pay may).
    #[serde(default, deserialize_with = "null_as_default")]
    pub appid: String,
    /// The merchant number, in partner mode the provider's (`sp_mchid`).
    #[serde(default)]
    pub mchid: String,
    /// Partner mode: the sub-merchant's application, if the order named one.
    #[serde(default)]
    pub sub_appid: Option<String>,
    /// Partner mode: the sub-merchant's number.
    #[serde(default)]
    pub sub_mchid: Option<String>,
    /// Moved into `appid` when it is read, and then empty.
    #[serde(default)]
    sp_appid: Option<String>,
    /// Moved into `mchid` when it is read, and then empty.
    #[serde(default)]
    sp_mchid: Option<String>,
    /// The merchant's number.
    pub out_trade_no: String,
    /// WeChat's number; absent until paid.
    #[serde(default)]
    pub transaction_id: Option<String>,
    /// The product that was paid with; absent until paid.
    #[serde(default)]
    pub trade_type: Option<TradeType>,
    /// The state of the order.
    pub trade_state: TradeState,
    /// The state as a text for people, in Chinese.
    #[serde(default, deserialize_with = "null_as_default")]
    pub trade_state_desc: String,
    /// The bank, or `OTHERS`.
    #[serde(default)]
    pub bank_type: Option<String>,
    /// The merchant's own text of the order (`attach`).
    #[serde(default)]
    pub attach: Option<String>,
    /// When it was paid, RFC 3339.
    #[serde(default)]
    pub success_time: Option<String>,
    /// The buyer who paid; absent or empty until paid.
    #[serde(default)]
    pub payer: Option<Payer>,
    /// The money.
    #[serde(default)]
    pub amount: Option<TransactionAmount>,
    /// The coupons that were used, in WeChat's own form; empty if none were used.
    #[serde(default, deserialize_with = "null_as_default")]
    pub promotion_detail: Vec<serde_json::Value>,
}

/// The buyer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Payer {
    /// The openid under the application that ordered, in partner mode the provider's
    /// (`sp_openid`).
    #[serde(default)]
    pub openid: Option<String>,
    /// Partner mode: the openid under the sub-merchant's application.
    #[serde(default)]
    pub sub_openid: Option<String>,
    /// Moved into `openid` when it is read, and then empty.
    #[serde(default)]
    sp_openid: Option<String>,
}

/// The money of an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TransactionAmount {
    /// The amount of the order, in fen.
    pub total: Fen,
    /// What the buyer paid, in fen: less than `total` if a coupon was used; absent until paid.
    #[serde(default)]
    pub payer_total: Option<Fen>,
    /// `CNY`: WeChat Pay in the mainland has no other ([`crate::hosts`]).
    #[serde(default)]
    pub currency: Option<String>,
    /// The currency that the buyer paid in.
    #[serde(default)]
    pub payer_currency: Option<String>,
}

impl<'de> Deserialize<'de> for Transaction {
    /// Reads the fields, and then the account. A merchant's order must name `mchid`, a service
    /// provider's `sp_mchid` and `sub_mchid`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The derived function of the same name, which `remote` makes.
        let mut read = Self::deserialize(deserializer)?;
        if let Some(sp_mchid) = read.sp_mchid.take() {
            read.mchid = sp_mchid;
            read.appid = read.sp_appid.take().unwrap_or_default();
            if read.sub_mchid.is_none() {
                return Err(D::Error::missing_field("sub_mchid"));
            }
            if let Some(payer) = &mut read.payer {
                payer.openid = payer.sp_openid.take();
            }
            return Ok(read);
        }
        if read.mchid.is_empty() {
            let is_partner = read.sub_mchid.is_some() || read.sp_appid.is_some();
            let name = if is_partner { "sp_mchid" } else { "mchid" };
            return Err(D::Error::missing_field(name));
        }
        // The names of partner mode count only together with `sp_mchid`.
        read.sp_appid = None;
        read.sub_appid = None;
        read.sub_mchid = None;
        if let Some(payer) = &mut read.payer {
            payer.sp_openid = None;
            payer.sub_openid = None;
        }
        Ok(read)
    }
}

impl Transaction {
    /// An order of which only number and state are known yet: for version 2, which has the same
    /// values under other names.
    pub(crate) fn bare(out_trade_no: String, trade_state: TradeState) -> Self {
        Self {
            appid: String::new(),
            mchid: String::new(),
            sub_appid: None,
            sub_mchid: None,
            sp_appid: None,
            sp_mchid: None,
            out_trade_no,
            transaction_id: None,
            trade_type: None,
            trade_state,
            trade_state_desc: String::new(),
            bank_type: None,
            attach: None,
            success_time: None,
            payer: None,
            amount: None,
            promotion_detail: Vec::new(),
        }
    }

    /// The amount of the order, in fen.
    pub fn total(&self) -> Option<Fen> {
        self.amount.as_ref().map(|amount| amount.total)
    }

    /// What the buyer paid, in fen; absent until paid.
    pub fn payer_total(&self) -> Option<Fen> {
        self.amount.as_ref().and_then(|amount| amount.payer_total)
    }

    /// When it was paid, if the text has the documented form.
    pub fn success_time(&self) -> Option<Timestamp> {
        self.success_time.as_deref()?.parse().ok()
    }

    /// The buyer's openid, if WeChat sent it.
    pub fn openid(&self) -> Option<&str> {
        self.payer.as_ref()?.openid.as_deref()
    }
}

words! {
    /// The state of an order.
    TradeState {
        /// The order is paid.
        Success = "SUCCESS",
        /// Paid, and since then refunded in part or whole.
        Refund = "REFUND",
        /// Not paid; a payment that failed stays here too.
        NotPay = "NOTPAY",
        /// Closed; its number cannot be used again.
        Closed = "CLOSED",
        /// Reversed (code pay only).
        Revoked = "REVOKED",
        /// The buyer is typing the password (code pay only).
        UserPaying = "USERPAYING",
        /// Failed (code pay only).
        PayError = "PAYERROR",
    }
}

words! {
    /// The product that an order was paid with.
    TradeType {
        /// In WeChat, or in a mini-program.
        Jsapi = "JSAPI",
        /// A code that was scanned.
        Native = "NATIVE",
        /// A native app.
        App = "APP",
        /// A phone's browser (H5).
        Mweb = "MWEB",
        /// The buyer's code was scanned.
        Micropay = "MICROPAY",
        /// The buyer's face.
        Facepay = "FACEPAY",
    }
}

impl Payer {
    /// A buyer under the provider's (or the merchant's) and the sub-merchant's application.
    pub(crate) fn new(openid: Option<String>, sub_openid: Option<String>) -> Self {
        Self {
            openid,
            sub_openid,
            sp_openid: None,
        }
    }
}

impl TradeState {
    /// Whether money was received for this order. A refund, even in part, leaves it paid.
    pub fn is_paid(&self) -> bool {
        matches!(self, Self::Success | Self::Refund)
    }
}

/// Reads `null` as the default: it must not make a payment unreadable.
pub(crate) fn null_as_default<'de, D, T>(json: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(json).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unpaid_order_reads_without_the_fields_that_only_payment_brings() {
        let read: Transaction = serde_json::from_str(
            r#"{"amount":{"payer_currency":"CNY","total":1},"appid":"wx1","mchid":"1","out_trade_no":"N1",
                "payer":{},"promotion_detail":[],"scene_info":{"device_id":""},
                "trade_state":"NOTPAY","trade_state_desc":"订单未支付"}"#,
        )
        .unwrap();
        assert_eq!(read.trade_state, TradeState::NotPay);
        assert_eq!(read.total(), Some(Fen::new(1).unwrap()));
        assert_eq!(
            (read.payer_total(), read.openid(), read.success_time()),
            (None, None, None)
        );
    }

    #[test]
    fn a_null_in_an_optional_field_does_not_hide_a_payment() {
        let read: Transaction = serde_json::from_str(
            r#"{"appid":"wx1","mchid":"1","out_trade_no":"N1","trade_state":"SUCCESS",
                "trade_state_desc":null,"attach":null,"payer":null,"amount":null,
                "promotion_detail":null,"success_time":null,"transaction_id":null}"#,
        )
        .unwrap();
        assert!(read.trade_state.is_paid() && read.promotion_detail.is_empty());
    }

    #[test]
    fn an_unknown_state_is_kept_and_is_no_payment() {
        for (word, paid) in [
            ("SUCCESS", true),
            ("REFUND", true),
            ("NOTPAY", false),
            ("CLOSED", false),
            ("REVOKED", false),
            ("USERPAYING", false),
            ("PAYERROR", false),
            ("success", false),
            ("ACCEPT", false),
            ("", false),
        ] {
            let state = TradeState::from(word);
            assert_eq!((state.as_str(), state.is_paid()), (word, paid));
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{word}\""));
            assert_eq!(serde_json::from_str::<TradeState>(&json).unwrap(), state);
        }
    }

    #[test]
    fn the_time_of_payment_is_read_if_it_has_the_documented_form() {
        let mut paid: Transaction = serde_json::from_str(
            r#"{"appid":"a","mchid":"1","out_trade_no":"n","trade_state":"SUCCESS",
                "success_time":"2018-06-08T10:34:56+08:00"}"#,
        )
        .unwrap();
        assert_eq!(
            paid.success_time().unwrap().to_string(),
            "2018-06-08T02:34:56Z"
        );
        paid.success_time = Some("yesterday".into());
        assert_eq!(paid.success_time(), None);
    }

    fn read(json: &str) -> Result<Transaction, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_providers_order_is_read_into_the_same_fields() {
        let paid = read(
            r#"{"sp_appid":"wx1","sp_mchid":"1","sub_appid":"wx2","sub_mchid":"2",
                "out_trade_no":"N1","trade_state":"SUCCESS","amount":{"total":100},
                "payer":{"sp_openid":"oA","sub_openid":"oB"}}"#,
        )
        .unwrap();
        assert_eq!((paid.appid.as_str(), paid.mchid.as_str()), ("wx1", "1"));
        assert_eq!(paid.sub_appid.as_deref(), Some("wx2"));
        assert_eq!(paid.sub_mchid.as_deref(), Some("2"));
        assert_eq!(paid.openid(), Some("oA"));
        assert_eq!(paid.payer.unwrap().sub_openid.as_deref(), Some("oB"));
    }

    #[test]
    fn the_ids_of_one_mode_are_never_mixed_with_those_of_the_other() {
        let with = |ids: &str| {
            let fields = r#""out_trade_no":"N1","trade_state":"NOTPAY""#;
            read(&format!("{{{ids},{fields}}}"))
        };
        let both = with(r#""mchid":"9","appid":"wx9","sp_mchid":"1","sub_mchid":"2""#).unwrap();
        assert_eq!((both.mchid.as_str(), both.appid.as_str()), ("1", ""));
        assert_eq!(both.sub_mchid.as_deref(), Some("2"));
        let merchant = with(r#""mchid":"9","sub_mchid":"2","sub_appid":"wx2""#).unwrap();
        assert_eq!((merchant.sub_mchid, merchant.sub_appid), (None, None));
        for (ids, missing) in [
            (r#""appid":"wx9""#, "mchid"),
            (r#""sp_appid":"wx1","sub_mchid":"2""#, "sp_mchid"),
            (r#""sp_mchid":"1""#, "sub_mchid"),
        ] {
            let error = with(ids).unwrap_err();
            assert!(
                error.starts_with(&format!("missing field `{missing}`")),
                "{ids}: {error}"
            );
        }
    }
}
