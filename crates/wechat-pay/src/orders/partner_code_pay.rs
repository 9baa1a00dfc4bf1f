//! Code pay in partner mode: a service provider scans the buyer's code for a sub-merchant. The
//! rules are those of [`CodePayOrder`]; only who orders is named otherwise.
//!
//! Source: the community's API description (`docs/v3/pay/partner/transactions/codepay.yaml`).

use serde::{Deserialize, Serialize};

use crate::field::{InvalidField, check_word};
use crate::order_fields::OutTradeNo;
use crate::orders::code_pay::CodePayOrder;
use crate::orders::order::Orderer;
use crate::orders::partner::SubMerchant;
use crate::request::{RequestParts, encode};

/// The route of code pay in partner mode.
const PATH: &str = "/v3/pay/partner/transactions/codepay";

/// A payment by the buyer's code that a service provider takes for a sub-merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerCodePayOrder {
    /// The payment; its `appid` and `mchid` are the provider's (`sp_appid`, `sp_mchid`).
    pub order: CodePayOrder,
    /// Whom it is for.
    pub sub: SubMerchant,
}

impl PartnerCodePayOrder {
    /// The request, checked; answered with a [`crate::PartnerTransaction`].
    pub fn request(&self) -> Result<RequestParts, InvalidField> {
        let orderer = orderer(&self.order.appid, &self.order.mchid, &self.sub)?;
        Ok(RequestParts::post(
            PATH.to_owned(),
            &self.order.body(orderer)?,
        ))
    }
}

/// A code payment for a sub-merchant whose body was made before: the same bytes, once a query has
/// said that the first ones never arrived.
pub fn replay_partner_code_pay_order(body: impl Into<bytes::Bytes>) -> RequestParts {
    RequestParts {
        method: http::Method::POST,
        path_and_query: PATH.to_owned(),
        body: body.into(),
    }
}

/// Takes a sub-merchant's code payment back: an unpaid order is closed, a paid one refunded.
/// Answered with [`PartnerReversed`]. Reversing again is answered alike.
pub fn reverse_partner_order(
    out_trade_no: &OutTradeNo,
    sp_appid: &str,
    sp_mchid: &str,
    sub: &SubMerchant,
) -> Result<RequestParts, InvalidField> {
    let path = format!(
        "/v3/pay/partner/transactions/out-trade-no/{}/reverse",
        encode(out_trade_no.as_str())
    );
    Ok(RequestParts::post(path, &orderer(sp_appid, sp_mchid, sub)?))
}

/// The answer to a reversal in partner mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerReversed {
    /// The provider's application; WeChat may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sp_appid: Option<String>,
    /// The provider's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sp_mchid: Option<String>,
    /// The sub-merchant's application, where the order named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_appid: Option<String>,
    /// The sub-merchant's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// The provider's number of the attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<String>,
}

fn orderer<'a>(
    sp_appid: &'a str,
    sp_mchid: &'a str,
    sub: &'a SubMerchant,
) -> Result<Orderer<'a>, InvalidField> {
    check_word("sp_appid", sp_appid)?;
    check_word("sp_mchid", sp_mchid)?;
    check_word("sub_mchid", &sub.sub_mchid)?;
    if let Some(sub_appid) = &sub.sub_appid {
        check_word("sub_appid", sub_appid)?;
    }
    Ok(Orderer::Partner {
        sp_appid,
        sp_mchid,
        sub_appid: sub.sub_appid.as_deref(),
        sub_mchid: &sub.sub_mchid,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Fen;
    use crate::order_fields::Description;
    use crate::orders::code_pay::{AuthCode, CodePayScene};

    fn order() -> PartnerCodePayOrder {
        PartnerCodePayOrder {
            order: CodePayOrder {
                appid: "wxd678efh567hg6787".into(),
                mchid: "1230000109".into(),
                out_trade_no: OutTradeNo::parse("T2026|01*").unwrap(),
                description: Description::parse("茶").unwrap(),
                total: Fen::new(100).unwrap(),
                auth_code: AuthCode::parse("130061098828009406").unwrap(),
                scene: CodePayScene {
                    store_id: Some("0001".into()),
                    ..CodePayScene::default()
                },
                attach: None,
                goods_tag: None,
                support_fapiao: None,
                detail: None,
                settle_info: None,
            },
            sub: SubMerchant {
                sub_mchid: "1900000109".into(),
                sub_appid: Some("wxsub".into()),
            },
        }
    }

    #[test]
    fn the_body_names_both_merchants_and_is_else_that_of_code_pay() {
        let request = order().request().unwrap();
        assert_eq!(
            request.path_and_query,
            "/v3/pay/partner/transactions/codepay"
        );
        let again = replay_partner_code_pay_order(request.body.clone());
        assert_eq!(again, request);
        assert_eq!(
            std::str::from_utf8(&request.body).unwrap(),
            r#"{"sp_appid":"wxd678efh567hg6787","sp_mchid":"1230000109","sub_appid":"wxsub","sub_mchid":"1900000109","description":"茶","out_trade_no":"T2026|01*","payer":{"auth_code":"130061098828009406"},"amount":{"total":100,"currency":"CNY"},"scene_info":{"store_info":{"id":"0001"}}}"#
        );
    }

    #[test]
    fn the_rules_of_code_pay_hold_under_the_names_of_this_mode() {
        type Change = fn(&mut PartnerCodePayOrder);
        let table: [(Change, &str); 4] = [
            (|o| o.order.appid.clear(), "sp_appid: must not be empty"),
            (|o| o.sub.sub_mchid.clear(), "sub_mchid: must not be empty"),
            (
                |o| o.order.total = Fen::ZERO,
                "amount.total: must be at least 1",
            ),
            (
                |o| o.order.scene = CodePayScene::default(),
                "scene_info.store_info.id: is required",
            ),
        ];
        for (change, message) in table {
            let mut changed = order();
            change(&mut changed);
            assert_eq!(changed.request().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_reversal_names_both_merchants() {
        let PartnerCodePayOrder { order, mut sub } = order();
        let reverse =
            |sub: &SubMerchant| reverse_partner_order(&order.out_trade_no, "wx1", "1", sub);
        let request = reverse(&sub).unwrap();
        assert_eq!(
            request.path_and_query,
            "/v3/pay/partner/transactions/out-trade-no/T2026%7C01%2A/reverse"
        );
        assert_eq!(
            &request.body[..],
            br#"{"sp_appid":"wx1","sp_mchid":"1","sub_appid":"wxsub","sub_mchid":"1900000109"}"#
        );
        sub.sub_mchid = "1 9".into();
        assert_eq!(reverse(&sub).unwrap_err().field, "sub_mchid");
        let read: PartnerReversed =
            serde_json::from_str(r#"{"sp_mchid":"1","sub_mchid":"2","out_trade_no":"N"}"#).unwrap();
        assert_eq!((read.sp_appid, read.sub_appid), (None, None));
    }
}
