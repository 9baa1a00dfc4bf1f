//! Code pay (付款码): the merchant scans the code that the buyer shows. The answer is the payment
//! itself, or `USERPAYING` while the buyer types the password.
//!
//! There is no notification and no closing here. A caller without a final result queries the
//! order every few seconds for about half a minute, and then reverses it ([`reverse`]).
//!
//! WeChat's own pages disagree on whether APIv3 has code pay; see the setting `code_pay` of the simulator. For partner
//! mode the source is the community's API description
//! (`docs/v3/pay/partner/transactions/codepay.yaml` of wechatpay-openapi).

use bytes::Bytes;
use http::Method;
use payment_values::{Fen, InvalidField, OutTradeNo, Rule, check_text};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::order_fields::Description;
use crate::orders::account::{Account, Orderer, OrdererBody};
use crate::orders::extras::{check_detail, check_settle_info};
use crate::orders::order::order_path;
use crate::request::RequestParts;

/// The number behind the buyer's code: 18 digits, the first two from 10 to 15. For a minute
/// it can be used to pay, so it must not be logged: `Debug` hides it and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthCode(String);

impl AuthCode {
    /// Checks the rules; the error names the field and the rule.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidField> {
        let text = text.into();
        check_auth_code(&text)?;
        Ok(Self(text))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for AuthCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthCode(redacted)")
    }
}

/// The place of payment: `scene_info.store_info` and the device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodePayScene {
    /// The store's number at WeChat; at most 32 bytes.
    pub store_id: Option<String>,
    /// The merchant's own number of the store; at most 256 bytes.
    pub store_out_id: Option<String>,
    /// The till; at most 32 bytes.
    pub device_id: Option<String>,
    /// The till's address; at most 45 bytes.
    pub device_ip: Option<String>,
}

/// A payment by the buyer's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodePayOrder {
    /// The account that orders, and its applications.
    pub orderer: Orderer,
    /// The merchant's number of this attempt.
    pub out_trade_no: OutTradeNo,
    /// The text that the buyer sees.
    pub description: Description,
    /// The amount to pay: at least 1 fen.
    pub total: Fen,
    /// The buyer's code.
    pub auth_code: AuthCode,
    /// The place of payment: `store_id` or `store_out_id` is required.
    pub scene: CodePayScene,
    /// Returned in queries; at most 128 bytes.
    pub attach: Option<String>,
    /// A tag for coupons; at most 32 bytes.
    pub goods_tag: Option<String>,
    /// Whether credit cards are refused (`limit_pay`). Version 2 alone has the field here.
    pub no_credit: bool,
    /// Whether the buyer can ask for an invoice.
    pub support_fapiao: Option<bool>,
    /// Goods for coupons; at most 6144 bytes of JSON.
    pub detail: Option<Value>,
    /// Profit sharing.
    pub settle_info: Option<Value>,
}

impl CodePayOrder {
    /// The request, checked; answered with a [`crate::Transaction`]. After no answer
    /// query the order, or send the same bytes again.
    pub fn request(&self) -> Result<RequestParts, InvalidField> {
        let path = path(&self.orderer.account);
        Ok(RequestParts::post(path, &self.body()?))
    }

    fn body(&self) -> Result<CodePayBody<'_>, InvalidField> {
        let orderer = self.orderer.body()?;
        self.validate()?;
        Ok(CodePayBody {
            orderer,
            description: self.description.as_str(),
            out_trade_no: self.out_trade_no.as_str(),
            attach: self.attach.as_deref(),
            goods_tag: self.goods_tag.as_deref(),
            support_fapiao: self.support_fapiao,
            payer: Payer {
                auth_code: self.auth_code.as_str(),
            },
            amount: Amount {
                total: self.total,
                currency: "CNY",
            },
            scene_info: Scene {
                device_id: self.scene.device_id.as_deref(),
                device_ip: self.scene.device_ip.as_deref(),
                store_info: Store {
                    id: self.scene.store_id.as_deref(),
                    out_id: self.scene.store_out_id.as_deref(),
                },
            },
            detail: self.detail.as_ref(),
            settle_info: self.settle_info.as_ref(),
        })
    }

    fn validate(&self) -> Result<(), InvalidField> {
        if self.scene.store_id.is_none() && self.scene.store_out_id.is_none() {
            let field = "scene_info.store_info.id";
            return Err(InvalidField::new(field, Rule::Required));
        }
        if self.no_credit {
            let rule = Rule::Form("absent for code pay: APIv3 has no such field there");
            return Err(InvalidField::new("limit_pay", rule));
        }
        self.validate_common()
    }

    /// The rules of both versions. Version 2 does not require the place of payment.
    pub(crate) fn validate_common(&self) -> Result<(), InvalidField> {
        if self.total.get() < 1 {
            return Err(InvalidField::new("amount.total", Rule::BelowMinimum(1)));
        }
        let optional = [
            ("attach", &self.attach, 128),
            ("goods_tag", &self.goods_tag, 32),
            ("scene_info.store_info.id", &self.scene.store_id, 32),
            (
                "scene_info.store_info.out_id",
                &self.scene.store_out_id,
                256,
            ),
            ("scene_info.device_id", &self.scene.device_id, 32),
            ("scene_info.device_ip", &self.scene.device_ip, 45),
        ];
        for (field, text, max) in optional {
            if let Some(text) = text {
                check_text(field, text, max)?;
            }
        }
        self.detail.as_ref().map_or(Ok(()), check_detail)?;
        self.settle_info.as_ref().map_or(Ok(()), check_settle_info)
    }
}

/// A code payment with the bytes of an earlier request, after a query found that it never arrived.
pub fn replay_code_pay_order(account: &Account, body: impl Into<Bytes>) -> RequestParts {
    RequestParts {
        method: Method::POST,
        path_and_query: path(account),
        body: body.into(),
    }
}

/// Reverses a code payment: WeChat closes an unpaid order and refunds a paid one. Answered with
/// [`Reversed`], also when repeated.
pub fn reverse(orderer: &Orderer, out_trade_no: &OutTradeNo) -> Result<RequestParts, InvalidField> {
    let path = order_path(&orderer.account, out_trade_no) + "/reverse";
    Ok(RequestParts::post(path, &orderer.body()?))
}

/// The answer to a reversal. Its signature says that the order is reversed; the fields repeat
/// the request, and WeChat may leave them out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Reversed {
    /// The merchant's number of the attempt.
    #[serde(default)]
    pub out_trade_no: Option<String>,
}

fn path(account: &Account) -> String {
    format!("{}/codepay", account.orders_path())
}

#[derive(Serialize)]
struct CodePayBody<'a> {
    #[serde(flatten)]
    orderer: OrdererBody<'a>,
    description: &'a str,
    out_trade_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attach: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    support_fapiao: Option<bool>,
    payer: Payer<'a>,
    amount: Amount,
    scene_info: Scene<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_info: Option<&'a Value>,
}

#[derive(Serialize)]
struct Payer<'a> {
    auth_code: &'a str,
}

#[derive(Serialize)]
struct Amount {
    total: Fen,
    currency: &'static str,
}

#[derive(Serialize)]
struct Scene<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_ip: Option<&'a str>,
    store_info: Store<'a>,
}

#[derive(Serialize)]
struct Store<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_id: Option<&'a str>,
}

fn check_auth_code(text: &str) -> Result<(), InvalidField> {
    let known = matches!(text.get(..2), Some("10" | "11" | "12" | "13" | "14" | "15"));
    if text.len() == 18 && known && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(InvalidField::new(
        "payer.auth_code",
        Rule::Form("18 digits, the first two from 10 to 15"),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order() -> CodePayOrder {
        CodePayOrder {
            orderer: Orderer::merchant("wxd678efh567hg6787", "1230000109"),
            out_trade_no: OutTradeNo::parse("1217752501201407033233368018").unwrap(),
            description: Description::parse("茶").unwrap(),
            total: Fen::new(100).unwrap(),
            auth_code: AuthCode::parse("130061098828009406").unwrap(),
            scene: CodePayScene {
                store_id: Some("0001".into()),
                ..CodePayScene::default()
            },
            attach: None,
            goods_tag: None,
            no_credit: false,
            support_fapiao: None,
            detail: None,
            settle_info: None,
        }
    }

    #[test]
    fn the_body_carries_the_code_and_the_store() {
        let request = order().request().unwrap();
        assert_eq!(request.path_and_query, "/v3/pay/transactions/codepay");
        let again = replay_code_pay_order(&order().orderer.account, request.body.clone());
        assert_eq!(again, request);
        assert_eq!(
            std::str::from_utf8(&request.body).unwrap(),
            r#"{"appid":"wxd678efh567hg6787","mchid":"1230000109","description":"茶","out_trade_no":"1217752501201407033233368018","payer":{"auth_code":"130061098828009406"},"amount":{"total":100,"currency":"CNY"},"scene_info":{"store_info":{"id":"0001"}}}"#
        );
    }

    #[test]
    fn a_code_is_18_digits_with_a_known_beginning() {
        for good in ["100000000000000000", "159999999999999999"] {
            assert!(AuthCode::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "1",
            "090000000000000000",
            "160000000000000000",
            "13006109882800940",
            "1300610988280094066",
            "13006109882800940a",
            "é30061098828009406",
        ] {
            let error = AuthCode::parse(bad).unwrap_err();
            assert_eq!(error.field, "payer.auth_code", "{bad}");
            assert!(bad.is_empty() || bad == "1" || !error.to_string().contains(bad));
        }
    }

    #[test]
    fn debug_hides_the_code() {
        assert!(!format!("{:?}", order()).contains("13006109"));
    }

    #[test]
    fn invalid_values_are_refused_before_sending() {
        type Change = fn(&mut CodePayOrder);
        let table: [(Change, &str); 4] = [
            (|o| o.total = Fen::ZERO, "amount.total: must be at least 1"),
            (
                |o| o.scene = CodePayScene::default(),
                "scene_info.store_info.id: is required",
            ),
            (
                |o| o.scene.device_id = Some("d".repeat(33)),
                "scene_info.device_id: must be at most 32 bytes of UTF-8, is 33",
            ),
            (
                |o| o.detail = Some(json!(1)),
                "detail: must be a JSON object",
            ),
        ];
        for (change, message) in table {
            let mut changed = order();
            change(&mut changed);
            assert_eq!(changed.request().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_reversal_names_application_and_merchant() {
        let orderer = Orderer::merchant("wx1", "1900");
        let request = reverse(&orderer, &order().out_trade_no).unwrap();
        assert_eq!(
            request.path_and_query,
            "/v3/pay/transactions/out-trade-no/1217752501201407033233368018/reverse"
        );
        assert_eq!(&request.body[..], br#"{"appid":"wx1","mchid":"1900"}"#);
        let read: Reversed = serde_json::from_str(r#"{"mchid":"1","out_trade_no":"N"}"#).unwrap();
        assert_eq!(read.out_trade_no.as_deref(), Some("N"));
    }

    fn partner_order() -> CodePayOrder {
        CodePayOrder {
            orderer: Orderer {
                account: Account::new("1230000109", Some("1900000109")),
                appid: "wxd678efh567hg6787".into(),
                sub_appid: Some("wxsub".into()),
            },
            out_trade_no: OutTradeNo::parse("T2026|01*").unwrap(),
            ..order()
        }
    }

    #[test]
    fn a_providers_body_differs_only_by_naming_both_merchants() {
        let request = partner_order().request().unwrap();
        assert_eq!(
            request.path_and_query,
            "/v3/pay/partner/transactions/codepay"
        );
        let account = partner_order().orderer.account;
        let again = replay_code_pay_order(&account, request.body.clone());
        assert_eq!(again, request);
        assert_eq!(
            std::str::from_utf8(&request.body).unwrap(),
            r#"{"sp_appid":"wxd678efh567hg6787","sp_mchid":"1230000109","sub_appid":"wxsub","sub_mchid":"1900000109","description":"茶","out_trade_no":"T2026|01*","payer":{"auth_code":"130061098828009406"},"amount":{"total":100,"currency":"CNY"},"scene_info":{"store_info":{"id":"0001"}}}"#
        );
    }

    #[test]
    fn a_providers_order_has_the_same_rules_with_its_own_field_names() {
        type Change = fn(&mut CodePayOrder);
        let table: [(Change, &str); 4] = [
            (|o| o.orderer.appid.clear(), "sp_appid: must not be empty"),
            (
                |o| o.orderer.account = Account::new("1", Some("")),
                "sub_mchid: must not be empty",
            ),
            (|o| o.total = Fen::ZERO, "amount.total: must be at least 1"),
            (
                |o| o.scene = CodePayScene::default(),
                "scene_info.store_info.id: is required",
            ),
        ];
        for (change, message) in table {
            let mut changed = partner_order();
            change(&mut changed);
            assert_eq!(changed.request().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_providers_reversal_names_both_merchants() {
        let number = OutTradeNo::parse("T2026|01*").unwrap();
        let mut orderer = Orderer {
            account: Account::new("1", Some("1900000109")),
            appid: "wx1".into(),
            sub_appid: Some("wxsub".into()),
        };
        let request = reverse(&orderer, &number).unwrap();
        assert_eq!(
            request.path_and_query,
            "/v3/pay/partner/transactions/out-trade-no/T2026%7C01%2A/reverse"
        );
        assert_eq!(
            &request.body[..],
            br#"{"sp_appid":"wx1","sp_mchid":"1","sub_appid":"wxsub","sub_mchid":"1900000109"}"#
        );
        orderer.account = Account::new("1", Some("1 9"));
        assert_eq!(reverse(&orderer, &number).unwrap_err().field, "sub_mchid");
    }
}
