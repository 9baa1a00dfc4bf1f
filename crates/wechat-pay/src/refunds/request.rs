//! Refunds: request one, query one. WeChat's answer is [`crate::Refund`].
//!
//! A refund that was accepted is not yet paid out. After any answer but 200, query *first*,
//! and repeat with the same `out_refund_no` only if WeChat does not know it:
//! another number is another refund, and the buyer would get the money twice.

use bytes::Bytes;
use http::Method;
use payment_values::{
    Fen, InvalidField, OutRefundNo, OutTradeNo, Rule, TransactionId, check_text, check_word,
};
use serde::Serialize;

use crate::order_fields::NotifyUrl;
use crate::refunds::answer::FundsAccount;
use crate::request::{RequestParts, encode};

const PATH: &str = "/v3/refund/domestic/refunds";

/// The payment to refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundOf {
    /// By WeChat's number.
    TransactionId(TransactionId),
    /// By the merchant's number.
    OutTradeNo(OutTradeNo),
}

/// A request for a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRequest {
    /// The payment.
    pub payment: RefundOf,
    /// The merchant's number of the refund; the same on every try.
    pub out_refund_no: OutRefundNo,
    /// The amount of the refund: at least 1 fen, at most `total`.
    pub refund: Fen,
    /// The amount of the order.
    pub total: Fen,
    /// The text that the buyer sees; at most 80 bytes.
    pub reason: Option<String>,
    /// The address to which the notification goes. Without it WeChat notifies the address in the
    /// merchant portal, in the form of version 2 ([`crate::v2`]).
    pub notify_url: Option<NotifyUrl>,
    /// The account that pays; WeChat's default are unsettled funds.
    pub funds_account: Option<FundsAccount>,
    /// More than one account that pays; their amounts add up to `refund`.
    pub from: Vec<RefundFrom>,
    /// The returned goods, if coupons for goods were used.
    pub goods_detail: Vec<RefundGoods>,
    /// Partner mode: the sub-merchant whose payment it is.
    pub sub_mchid: Option<String>,
}

/// An account that pays a part of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefundFrom {
    /// `AVAILABLE` or `UNAVAILABLE`.
    pub account: FundsAccount,
    /// The amount from this account, in fen: at least 1.
    pub amount: Fen,
}

/// Returned goods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefundGoods {
    /// The merchant's number of the goods; at most 32 bytes.
    pub merchant_goods_id: String,
    /// WeChat's number of the goods; at most 32 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechatpay_goods_id: Option<String>,
    /// Their name; at most 256 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goods_name: Option<String>,
    /// The price of one piece, in fen.
    pub unit_price: Fen,
    /// The amount refunded for them, in fen.
    pub refund_amount: Fen,
    /// The number returned: at least 1.
    pub refund_quantity: u32,
}

impl RefundRequest {
    /// A refund with the fields that every refund has.
    pub fn new(payment: RefundOf, out_refund_no: OutRefundNo, refund: Fen, total: Fen) -> Self {
        Self {
            payment,
            out_refund_no,
            refund,
            total,
            reason: None,
            notify_url: None,
            funds_account: None,
            from: Vec::new(),
            goods_detail: Vec::new(),
            sub_mchid: None,
        }
    }

    /// The request, checked; answered with a [`crate::Refund`]. A repetition must send
    /// the same body byte for byte ([`replay_refund`]).
    pub fn request(&self) -> Result<RequestParts, InvalidField> {
        self.validate()?;
        let (transaction_id, out_trade_no) = match &self.payment {
            RefundOf::TransactionId(id) => (Some(id.as_str()), None),
            RefundOf::OutTradeNo(number) => (None, Some(number.as_str())),
        };
        let body = Body {
            sub_mchid: self.sub_mchid.as_deref(),
            transaction_id,
            out_trade_no,
            out_refund_no: self.out_refund_no.as_str(),
            reason: self.reason.as_deref(),
            notify_url: self.notify_url.as_ref().map(NotifyUrl::as_str),
            funds_account: self.funds_account.as_ref().map(FundsAccount::as_str),
            amount: Amount {
                refund: self.refund,
                from: &self.from,
                total: self.total,
                currency: "CNY",
            },
            goods_detail: &self.goods_detail,
        };
        Ok(RequestParts::post(PATH.to_owned(), &body))
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidField> {
        if self.refund.get() < 1 {
            return Err(InvalidField::new("amount.refund", Rule::BelowMinimum(1)));
        }
        if self.refund > self.total {
            let rule = Rule::AboveMaximum(self.total.get());
            return Err(InvalidField::new("amount.refund", rule));
        }
        if let Some(reason) = &self.reason {
            check_text("reason", reason, 80)?;
        }
        if let Some(sub_mchid) = &self.sub_mchid {
            check_word("sub_mchid", sub_mchid)?;
        }
        self.check_from()?;
        self.goods_detail.iter().try_for_each(RefundGoods::check)
    }

    fn check_from(&self) -> Result<(), InvalidField> {
        if self.from.is_empty() {
            return Ok(());
        }
        if self.from.iter().any(|part| part.amount < Fen::ONE) {
            return Err(InvalidField::new(
                "amount.from.amount",
                Rule::BelowMinimum(1),
            ));
        }
        let sum = self
            .from
            .iter()
            .try_fold(Fen::ZERO, |sum, part| sum.checked_add(part.amount));
        if sum != Some(self.refund) {
            return Err(InvalidField::new(
                "amount.from",
                Rule::Form("amounts that add up to amount.refund"),
            ));
        }
        Ok(())
    }
}

impl RefundGoods {
    fn check(&self) -> Result<(), InvalidField> {
        check_text(
            "goods_detail.merchant_goods_id",
            &self.merchant_goods_id,
            32,
        )?;
        if let Some(id) = &self.wechatpay_goods_id {
            check_text("goods_detail.wechatpay_goods_id", id, 32)?;
        }
        if let Some(name) = &self.goods_name {
            check_text("goods_detail.goods_name", name, 256)?;
        }
        if self.refund_quantity < 1 {
            return Err(InvalidField::new(
                "goods_detail.refund_quantity",
                Rule::BelowMinimum(1),
            ));
        }
        Ok(())
    }
}

/// A refund with the bytes of an earlier request, under the same number.
pub fn replay_refund(body: impl Into<Bytes>) -> RequestParts {
    RequestParts {
        method: Method::POST,
        path_and_query: PATH.to_owned(),
        body: body.into(),
    }
}

/// Queries a refund; answered with a [`crate::Refund`], or with 404 if WeChat knows none.
/// `sub_mchid` is only for partner mode.
pub fn query_refund(out_refund_no: &OutRefundNo, sub_mchid: Option<&str>) -> RequestParts {
    let mut path = format!("{PATH}/{}", encode(out_refund_no.as_str()));
    if let Some(sub_mchid) = sub_mchid {
        path.push_str("?sub_mchid=");
        path.push_str(&encode(sub_mchid));
    }
    RequestParts::get(path)
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_trade_no: Option<&'a str>,
    out_refund_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    funds_account: Option<&'a str>,
    amount: Amount<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    goods_detail: &'a [RefundGoods],
}

#[derive(Serialize)]
struct Amount<'a> {
    refund: Fen,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    from: &'a [RefundFrom],
    total: Fen,
    currency: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fen(fen: i64) -> Fen {
        Fen::new(fen).unwrap()
    }

    fn refund() -> RefundRequest {
        RefundRequest::new(
            RefundOf::OutTradeNo(OutTradeNo::parse("T20260101").unwrap()),
            OutRefundNo::parse("R@1|a").unwrap(),
            fen(40),
            fen(100),
        )
    }

    #[test]
    fn a_refund_names_one_payment_and_its_amounts() {
        let request = refund().request().unwrap();
        assert_eq!(request.path_and_query, "/v3/refund/domestic/refunds");
        assert_eq!(
            std::str::from_utf8(&request.body).unwrap(),
            r#"{"out_trade_no":"T20260101","out_refund_no":"R@1|a","amount":{"refund":40,"total":100,"currency":"CNY"}}"#
        );
        assert_eq!(replay_refund(request.body.clone()), request);
    }

    #[test]
    fn optional_fields_are_sent_if_they_are_given() {
        let full = RefundRequest {
            payment: RefundOf::TransactionId(TransactionId::parse("4200000001").unwrap()),
            reason: Some("商品已售完".into()),
            notify_url: Some(NotifyUrl::parse("https://shop.example/r").unwrap()),
            funds_account: Some(FundsAccount::Available),
            from: vec![
                RefundFrom {
                    account: FundsAccount::Available,
                    amount: fen(30),
                },
                RefundFrom {
                    account: FundsAccount::from("UNAVAILABLE"),
                    amount: fen(10),
                },
            ],
            goods_detail: vec![RefundGoods {
                merchant_goods_id: "G1".into(),
                wechatpay_goods_id: None,
                goods_name: Some("茶".into()),
                unit_price: fen(40),
                refund_amount: fen(40),
                refund_quantity: 1,
            }],
            sub_mchid: Some("1900000109".into()),
            ..refund()
        };
        let body: serde_json::Value =
            serde_json::from_slice(&full.request().unwrap().body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "sub_mchid": "1900000109", "transaction_id": "4200000001", "out_refund_no": "R@1|a",
                "reason": "商品已售完", "notify_url": "https://shop.example/r",
                "funds_account": "AVAILABLE",
                "amount": {
                    "refund": 40, "total": 100, "currency": "CNY",
                    "from": [{"account": "AVAILABLE", "amount": 30}, {"account": "UNAVAILABLE", "amount": 10}],
                },
                "goods_detail": [{
                    "merchant_goods_id": "G1", "goods_name": "茶", "unit_price": 40,
                    "refund_amount": 40, "refund_quantity": 1,
                }],
            })
        );
    }

    #[test]
    fn invalid_values_are_refused_before_sending() {
        type Change = fn(&mut RefundRequest);
        let table: [(Change, &str); 6] = [
            (
                |r| r.refund = Fen::ZERO,
                "amount.refund: must be at least 1",
            ),
            (
                |r| r.refund = Fen::new(101).unwrap(),
                "amount.refund: must be at most 100",
            ),
            (
                |r| r.reason = Some("退".repeat(27)),
                "reason: must be at most 80 bytes of UTF-8, is 81",
            ),
            (
                |r| {
                    r.from = vec![RefundFrom {
                        account: FundsAccount::Available,
                        amount: Fen::ONE,
                    }];
                },
                "amount.from: must be amounts that add up to amount.refund",
            ),
            (
                |r| {
                    r.from = vec![RefundFrom {
                        account: FundsAccount::Available,
                        amount: Fen::ZERO,
                    }];
                },
                "amount.from.amount: must be at least 1",
            ),
            (
                |r| r.sub_mchid = Some(String::new()),
                "sub_mchid: must not be empty",
            ),
        ];
        for (change, message) in table {
            let mut changed = refund();
            change(&mut changed);
            assert_eq!(changed.request().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_query_encodes_the_number_before_it_is_signed() {
        let number = OutRefundNo::parse("R@1|a").unwrap();
        assert_eq!(
            query_refund(&number, None).path_and_query,
            "/v3/refund/domestic/refunds/R%401%7Ca"
        );
        assert_eq!(
            query_refund(&number, Some("19")).path_and_query,
            "/v3/refund/domestic/refunds/R%401%7Ca?sub_mchid=19"
        );
    }
}
