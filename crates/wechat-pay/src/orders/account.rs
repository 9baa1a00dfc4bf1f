//! The account of an order: the merchant's own, or that of a sub-merchant for which a service
//! provider (服务商) acts. The provider signs with its own key; the money goes to the sub-merchant.
//!
//! The two modes differ in a path and in the names of the id fields, and in nothing else; both are
//! decided here. Refunds and bills have the same routes in both modes: there `sub_mchid` is a field.

use payment_values::{InvalidField, Rule, check_word};
use serde::Serialize;

use crate::request::encode;

/// The account of an order. As JSON it is the body that closes an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Account {
    /// The merchant's own account.
    Merchant {
        /// The merchant number; WeChat requires the same number in the signature.
        mchid: String,
    },
    /// The account of a sub-merchant.
    Partner {
        /// The service provider's number; WeChat requires the same number in the signature.
        sp_mchid: String,
        /// The sub-merchant's number.
        sub_mchid: String,
    },
}

impl Account {
    /// The account of the merchant that signs, or of a sub-merchant that it acts for.
    pub fn new(mchid: &str, sub_mchid: Option<&str>) -> Self {
        let mchid = mchid.to_owned();
        match sub_mchid {
            None => Self::Merchant { mchid },
            Some(sub_mchid) => Self::Partner {
                sp_mchid: mchid,
                sub_mchid: sub_mchid.to_owned(),
            },
        }
    }

    /// The beginning of every path about orders.
    pub(crate) fn orders_path(&self) -> &'static str {
        match self {
            Self::Merchant { .. } => "/v3/pay/transactions",
            Self::Partner { .. } => "/v3/pay/partner/transactions",
        }
    }

    /// The account as the query of a `GET`.
    pub(crate) fn query(&self) -> String {
        match self {
            Self::Merchant { mchid } => format!("mchid={}", encode(mchid)),
            Self::Partner {
                sp_mchid,
                sub_mchid,
            } => format!(
                "sp_mchid={}&sub_mchid={}",
                encode(sp_mchid),
                encode(sub_mchid)
            ),
        }
    }
}

/// The account that orders, and its applications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orderer {
    /// The account of the order.
    pub account: Account,
    /// The application that the signing merchant's number is bound to: `appid`, or `sp_appid`.
    pub appid: String,
    /// The sub-merchant's own application, if it has one. A merchant that orders for itself has
    /// none.
    pub sub_appid: Option<String>,
}

impl Orderer {
    /// A merchant that orders for itself.
    pub fn merchant(appid: impl Into<String>, mchid: &str) -> Self {
        Self {
            account: Account::new(mchid, None),
            appid: appid.into(),
            sub_appid: None,
        }
    }

    /// The id fields of a body, checked, in the order of WeChat's documentation.
    pub(crate) fn body(&self) -> Result<OrdererBody<'_>, InvalidField> {
        let appid = &self.appid;
        let sub_appid = self.sub_appid.as_deref();
        match &self.account {
            Account::Merchant { mchid } => {
                check_word("appid", appid)?;
                check_word("mchid", mchid)?;
                if sub_appid.is_some() {
                    return Err(InvalidField::new("sub_appid", PARTNER_ONLY));
                }
                Ok(OrdererBody::Merchant { appid, mchid })
            }
            Account::Partner {
                sp_mchid,
                sub_mchid,
            } => {
                check_word("sp_appid", appid)?;
                check_word("sp_mchid", sp_mchid)?;
                check_word("sub_mchid", sub_mchid)?;
                if let Some(sub_appid) = sub_appid {
                    check_word("sub_appid", sub_appid)?;
                }
                Ok(OrdererBody::Partner {
                    sp_appid: appid,
                    sp_mchid,
                    sub_appid,
                    sub_mchid,
                })
            }
        }
    }

    /// The buyer's openid, under the field name of the mode and of the openid's owner.
    pub(crate) fn payer<'a>(
        &self,
        openid: &'a str,
        owner: OpenIdOwner,
    ) -> Result<PayerBody<'a>, InvalidField> {
        match (&self.account, owner) {
            (Account::Merchant { .. }, OpenIdOwner::Orderer) => Ok(PayerBody::Merchant { openid }),
            (Account::Merchant { .. }, OpenIdOwner::SubMerchant) => {
                Err(InvalidField::new("payer.sub_openid", PARTNER_ONLY))
            }
            (Account::Partner { .. }, OpenIdOwner::Orderer) => {
                Ok(PayerBody::Provider { sp_openid: openid })
            }
            (Account::Partner { .. }, OpenIdOwner::SubMerchant) if self.sub_appid.is_none() => {
                Err(InvalidField::new("sub_appid", Rule::Required))
            }
            (Account::Partner { .. }, OpenIdOwner::SubMerchant) => {
                Ok(PayerBody::SubMerchant { sub_openid: openid })
            }
        }
    }
}

const PARTNER_ONLY: Rule = Rule::Form("given in a service provider's order alone");

/// The application that a buyer's openid belongs to: one buyer has another openid under each
/// application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OpenIdOwner {
    /// The application that orders ([`Orderer::appid`]).
    #[default]
    Orderer,
    /// The sub-merchant's application ([`Orderer::sub_appid`]).
    SubMerchant,
}

/// The id fields as they are sent.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum OrdererBody<'a> {
    Merchant {
        appid: &'a str,
        mchid: &'a str,
    },
    Partner {
        sp_appid: &'a str,
        sp_mchid: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        sub_appid: Option<&'a str>,
        sub_mchid: &'a str,
    },
}

/// The buyer as it is sent.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum PayerBody<'a> {
    Merchant { openid: &'a str },
    Provider { sp_openid: &'a str },
    SubMerchant { sub_openid: &'a str },
}
