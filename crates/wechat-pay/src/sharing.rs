//! Profit sharing (分账): a part of a payment goes to receivers that the merchant names, and WeChat holds
//! the money until then. Only an order with `settle_info.profit_sharing` can be shared.
//!
//! Sources: WeChat's pages on 请求分账, 查询分账结果, 请求分账回退, 解冻剩余资金, 查询剩余待分金额,
//! 添加分账接收方 and 分账动账通知, for merchants and for service providers.

pub(crate) mod answer;
pub(crate) mod notice;
pub(crate) mod receiver;
pub(crate) mod request;
pub(crate) mod returning;

use payment_values::{InvalidField, check_word};

use crate::words::words;

/// The most receivers of one share.
pub const SHARE_RECEIVERS_MAX: usize = 50;
/// The most shares of one payment.
pub const SHARES_MAX: u64 = 50;
/// The most bytes of a description.
pub(crate) const DESCRIPTION_MAX_BYTES: usize = 80;
/// The most bytes of a receiver's account.
pub(crate) const ACCOUNT_MAX_BYTES: usize = 64;

words! {
    /// What a receiver's account is.
    ReceiverType {
        /// A merchant, by its number.
        Merchant = "MERCHANT_ID",
        /// A person, by the openid under the application of the merchant or the provider.
        Openid = "PERSONAL_OPENID",
        /// A person, by the openid under the sub-merchant's application.
        SubOpenid = "PERSONAL_SUB_OPENID",
    }
}

/// Whose money is shared, and under which applications receivers are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharer {
    /// The merchant's application, in partner mode the provider's.
    pub appid: String,
    /// Partner mode: the sub-merchant that pays.
    pub sub_mchid: Option<String>,
    /// Partner mode: the sub-merchant's own application.
    pub sub_appid: Option<String>,
}

impl Sharer {
    fn check(&self) -> Result<(), InvalidField> {
        check_word("appid", &self.appid)?;
        check_sub_mchid(self.sub_mchid.as_deref())?;
        if let Some(sub_appid) = &self.sub_appid {
            check_word("sub_appid", sub_appid)?;
        }
        Ok(())
    }
}

fn check_sub_mchid(sub_mchid: Option<&str>) -> Result<(), InvalidField> {
    sub_mchid.map_or(Ok(()), |sub_mchid| check_word("sub_mchid", sub_mchid))
}
