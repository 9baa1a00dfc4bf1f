//! Partner mode (服务商): a service provider orders, asks and closes for its sub-merchants. The
//! provider signs with its own key; the money goes to the sub-merchant.
//!
//! Refunds and bills have no routes of their own in this mode: there `sub_mchid` is a field.

use bytes::Bytes;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::field::{InvalidField, check_word};
use crate::order_fields::{OutTradeNo, TransactionId};
use crate::orders::order::{Order, Orderer, PayerBody};
use crate::orders::product::{Product, ProductFields};
use crate::orders::transaction::{
    TradeState, TradeType, Transaction, TransactionAmount, null_as_default,
};
use crate::request::{RequestParts, encode};

/// A merchant that a service provider acts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubMerchant {
    /// The sub-merchant's number.
    pub sub_mchid: String,
    /// The sub-merchant's own application, where it has one.
    pub sub_appid: Option<String>,
}

/// Whose appid a buyer's openid belongs to: one buyer has another openid under each appid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OpenIdOwner {
    /// The provider's: sent as `sp_openid`.
    #[default]
    Provider,
    /// The sub-merchant's, which then needs a `sub_appid`: sent as `sub_openid`.
    SubMerchant,
}

/// An order that a service provider places for a sub-merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerOrder {
    /// The order; its `appid` and `mchid` are the provider's (`sp_appid`, `sp_mchid`).
    pub order: Order,
    /// Whom it is for.
    pub sub: SubMerchant,
    /// Whose the openid of a jsapi order is.
    pub openid_owner: OpenIdOwner,
}

impl PartnerOrder {
    /// The request, checked. Its body is what a renewal must repeat byte for byte
    /// ([`replay_partner_order`]).
    pub fn request(&self) -> Result<RequestParts, InvalidField> {
        check_word("sp_appid", &self.order.appid)?;
        check_word("sp_mchid", &self.order.mchid)?;
        check_word("sub_mchid", &self.sub.sub_mchid)?;
        if let Some(sub_appid) = &self.sub.sub_appid {
            check_word("sub_appid", sub_appid)?;
        }
        let orderer = Orderer::Partner {
            sp_appid: &self.order.appid,
            sp_mchid: &self.order.mchid,
            sub_appid: self.sub.sub_appid.as_deref(),
            sub_mchid: &self.sub.sub_mchid,
        };
        let body = self.order.body(orderer, self.payer()?)?;
        Ok(replay_partner_order(self.order.product.product(), body))
    }

    fn payer(&self) -> Result<Option<PayerBody<'_>>, InvalidField> {
        let ProductFields::Jsapi { openid } = &self.order.product else {
            return Ok(None);
        };
        let openid = openid.as_str();
        match self.openid_owner {
            OpenIdOwner::Provider => Ok(Some(PayerBody::Provider { sp_openid: openid })),
            OpenIdOwner::SubMerchant if self.sub.sub_appid.is_none() => {
                Err(InvalidField::new("sub_appid", crate::field::Rule::Required))
            }
            OpenIdOwner::SubMerchant => Ok(Some(PayerBody::SubMerchant { sub_openid: openid })),
        }
    }
}

/// An order whose body was made before: the same bytes, for a new link under the same number.
pub fn replay_partner_order(product: Product, body: impl Into<Bytes>) -> RequestParts {
    RequestParts {
        method: Method::POST,
        path_and_query: product.partner_order_path().to_owned(),
        body: body.into(),
    }
}

/// Asks for a sub-merchant's order by the provider's number; answered with a
/// [`PartnerTransaction`].
pub fn query_partner_order_by_out_trade_no(
    out_trade_no: &OutTradeNo,
    sp_mchid: &str,
    sub_mchid: &str,
) -> RequestParts {
    RequestParts::get(format!(
        "/v3/pay/partner/transactions/out-trade-no/{}?sp_mchid={}&sub_mchid={}",
        encode(out_trade_no.as_str()),
        encode(sp_mchid),
        encode(sub_mchid)
    ))
}

/// Asks for a sub-merchant's paid order by WeChat's number; answered with a
/// [`PartnerTransaction`].
pub fn query_partner_order_by_transaction_id(
    transaction_id: &TransactionId,
    sp_mchid: &str,
    sub_mchid: &str,
) -> RequestParts {
    RequestParts::get(format!(
        "/v3/pay/partner/transactions/id/{}?sp_mchid={}&sub_mchid={}",
        encode(transaction_id.as_str()),
        encode(sp_mchid),
        encode(sub_mchid)
    ))
}

/// Closes a sub-merchant's order; answered with 204 and nothing.
pub fn close_partner_order(
    out_trade_no: &OutTradeNo,
    sp_mchid: &str,
    sub_mchid: &str,
) -> RequestParts {
    RequestParts::post(
        format!(
            "/v3/pay/partner/transactions/out-trade-no/{}/close",
            encode(out_trade_no.as_str())
        ),
        &json!({ "sp_mchid": sp_mchid, "sub_mchid": sub_mchid }),
    )
}

/// A sub-merchant's order as WeChat sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerTransaction {
    /// The provider's application; empty where WeChat leaves it out (code pay may).
    #[serde(default, deserialize_with = "null_as_default")]
    pub sp_appid: String,
    /// The provider's number.
    pub sp_mchid: String,
    /// The sub-merchant's application, where the order named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_appid: Option<String>,
    /// The sub-merchant's number.
    pub sub_mchid: String,
    /// The provider's number of the order.
    pub out_trade_no: String,
    /// WeChat's number; absent until paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// The product that was paid with; absent until paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade_type: Option<TradeType>,
    /// Where the order stands.
    pub trade_state: TradeState,
    /// The same for people, in Chinese.
    #[serde(default, deserialize_with = "null_as_default")]
    pub trade_state_desc: String,
    /// The bank, or `OTHERS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_type: Option<String>,
    /// What the provider gave with the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// When it was paid, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// Who paid; absent or empty until paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<PartnerPayer>,
    /// The money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<TransactionAmount>,
    /// The coupons that were used, in WeChat's own form; empty where there were none.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub promotion_detail: Vec<serde_json::Value>,
}

/// The buyer under the provider's and the sub-merchant's appid, as far as WeChat tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerPayer {
    /// Under the provider's appid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sp_openid: Option<String>,
    /// Under the sub-merchant's appid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_openid: Option<String>,
}

impl PartnerTransaction {
    /// The same order without the names of partner mode, for code that settles both kinds:
    /// `appid` and `mchid` are the provider's, the openid is the one under its appid.
    #[must_use]
    pub fn into_transaction(self) -> Transaction {
        Transaction {
            appid: self.sp_appid,
            mchid: self.sp_mchid,
            out_trade_no: self.out_trade_no,
            transaction_id: self.transaction_id,
            trade_type: self.trade_type,
            trade_state: self.trade_state,
            trade_state_desc: self.trade_state_desc,
            bank_type: self.bank_type,
            attach: self.attach,
            success_time: self.success_time,
            payer: self.payer.map(|payer| crate::orders::transaction::Payer {
                openid: payer.sp_openid,
            }),
            amount: self.amount,
            promotion_detail: self.promotion_detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::money::Fen;
    use crate::order_fields::{Description, NotifyUrl, OpenId};

    fn order(product: ProductFields) -> PartnerOrder {
        PartnerOrder {
            order: Order::new(
                "wx8888888888888888",
                "1900007291",
                OutTradeNo::parse("T2026|01*").unwrap(),
                Description::parse("茶").unwrap(),
                Fen::new(1990).unwrap(),
                NotifyUrl::parse("https://shop.example/n").unwrap(),
                product,
            ),
            sub: SubMerchant {
                sub_mchid: "1900000109".into(),
                sub_appid: None,
            },
            openid_owner: OpenIdOwner::Provider,
        }
    }

    fn body(order: &PartnerOrder) -> Value {
        serde_json::from_slice(&order.request().unwrap().body).unwrap()
    }

    #[test]
    fn an_order_names_both_merchants_and_no_appid_without_a_prefix() {
        let native = order(ProductFields::Native);
        let request = native.request().unwrap();
        assert_eq!(
            request.path_and_query,
            "/v3/pay/partner/transactions/native"
        );
        assert_eq!(
            std::str::from_utf8(&request.body).unwrap(),
            r#"{"sp_appid":"wx8888888888888888","sp_mchid":"1900007291","sub_mchid":"1900000109","description":"茶","out_trade_no":"T2026|01*","notify_url":"https://shop.example/n","amount":{"total":1990,"currency":"CNY"}}"#
        );
        assert_eq!(
            replay_partner_order(Product::Native, request.body.clone()),
            request
        );
    }

    #[test]
    fn an_openid_is_sent_under_the_name_of_its_owner() {
        let jsapi = ProductFields::Jsapi {
            openid: OpenId::parse("oUpF8").unwrap(),
        };
        let mut order = order(jsapi);
        assert_eq!(
            body(&order)["payer"],
            serde_json::json!({"sp_openid": "oUpF8"})
        );
        order.openid_owner = OpenIdOwner::SubMerchant;
        assert_eq!(
            order.request().unwrap_err().to_string(),
            "sub_appid: is required"
        );
        order.sub.sub_appid = Some("wxsub".into());
        assert_eq!(
            body(&order)["payer"],
            serde_json::json!({"sub_openid": "oUpF8"})
        );
        assert_eq!(body(&order)["sub_appid"], "wxsub");
    }

    #[test]
    fn the_rules_of_an_order_hold_here_too_under_the_names_of_this_mode() {
        type Change = fn(&mut PartnerOrder);
        let table: [(Change, &str); 5] = [
            (|o| o.order.appid.clear(), "sp_appid: must not be empty"),
            (
                |o| o.order.mchid = "1 9".into(),
                "sp_mchid: may only have characters of [0-9a-zA-Z]",
            ),
            (|o| o.sub.sub_mchid.clear(), "sub_mchid: must not be empty"),
            (
                |o| o.sub.sub_appid = Some(String::new()),
                "sub_appid: must not be empty",
            ),
            (
                |o| o.order.total = Fen::ZERO,
                "amount.total: must be at least 1",
            ),
        ];
        for (change, message) in table {
            let mut changed = order(ProductFields::App);
            change(&mut changed);
            assert_eq!(changed.request().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn queries_and_closing_name_both_merchants() {
        let number = OutTradeNo::parse("T2026|01*").unwrap();
        assert_eq!(
            query_partner_order_by_out_trade_no(&number, "1", "2").path_and_query,
            "/v3/pay/partner/transactions/out-trade-no/T2026%7C01%2A?sp_mchid=1&sub_mchid=2"
        );
        let id = TransactionId::parse("4200000001").unwrap();
        assert_eq!(
            query_partner_order_by_transaction_id(&id, "1", "2").path_and_query,
            "/v3/pay/partner/transactions/id/4200000001?sp_mchid=1&sub_mchid=2"
        );
        let closing = close_partner_order(&number, "1", "2");
        assert_eq!(
            closing.path_and_query,
            "/v3/pay/partner/transactions/out-trade-no/T2026%7C01%2A/close"
        );
        assert_eq!(&closing.body[..], br#"{"sp_mchid":"1","sub_mchid":"2"}"#);
    }

    #[test]
    fn an_answer_keeps_both_merchants_and_can_drop_the_names_of_this_mode() {
        let read: PartnerTransaction = serde_json::from_str(
            r#"{"sp_appid":"wx1","sp_mchid":"1","sub_mchid":"2","out_trade_no":"N1",
                "trade_state":"SUCCESS","payer":{"sp_openid":"oA","sub_openid":"oB"},
                "amount":{"total":100}}"#,
        )
        .unwrap();
        assert_eq!(
            read.payer.as_ref().unwrap().sub_openid.as_deref(),
            Some("oB")
        );
        let plain = read.into_transaction();
        assert_eq!((plain.mchid.as_str(), plain.openid()), ("1", Some("oA")));
    }
}
