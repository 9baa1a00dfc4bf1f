//! Refunds on the private side: the requests of the merchant's own backend, and the answers.

use payment_values::{Fen, OrderNo, OutRefundNo, OutTradeNo, RefundId};
use serde::{Deserialize, Serialize};

use crate::order::sub_order::SubOrderLeft;

/// `POST {base}/orders/{order_no}/refunds`. Unknown fields are refused, so that a misspelled amount
/// does not cause a full refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateRefund {
    /// The merchant's own number of the refund, 1 to 64 of `[0-9a-zA-Z_\-|*@]`. The same number
    /// with the same values is the same refund, however often it is sent.
    pub refund_no: String,
    /// The amount, in fen; if absent, everything that is left of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_fen: Option<u64>,
    /// The reason, shown to the buyer, at most 80 bytes of UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// WeChat's code of the account that pays (`AVAILABLE`); if absent, unsettled funds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funds_account: Option<String>,
    /// Several accounts that pay together. Requires `amount_fen`, which is the sum of their
    /// amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<RefundSource>>,
    /// The returned goods, if coupons on goods were used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods_detail: Option<Vec<RefundedGoods>>,
    /// The sub-order whose payment is refunded. Required for a combined order, refused for any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_order_no: Option<String>,
}

/// An account that pays a part of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefundSource {
    /// `AVAILABLE` or `UNAVAILABLE`.
    pub account: String,
    /// The account's part, in fen, at least 1.
    pub amount_fen: u64,
}

/// Returned goods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefundedGoods {
    /// The merchant's number of the goods, at most 32 bytes.
    pub merchant_goods_id: String,
    /// WeChat's number of the goods, at most 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wechatpay_goods_id: Option<String>,
    /// Their name, at most 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods_name: Option<String>,
    /// The price of one, in fen.
    pub unit_price_fen: u64,
    /// The refunded amount for these goods, in fen.
    pub refund_amount_fen: u64,
    /// The number of returned goods, at least 1.
    pub refund_quantity: u32,
}

/// An enum with one word on the wire for each variant.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum $name {
            $(
                $(#[$doc])*
                #[serde(rename = $word)]
                // utoipa does not see a name that comes through a macro unless it is its own.
                #[cfg_attr(feature = "openapi", schema(rename = $word))]
                $variant,
            )+
        }

        impl $name {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The variant with this value.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }
    };
}

pub(crate) use words;

words! {
    /// The state of a refund.
    RefundState {
        /// Recorded; WeChat has not confirmed yet that it accepted the refund. The server continues
        /// without another call.
        Requested = "requested",
        /// WeChat refused the refund, and nothing was refunded; `wechat_code` says why. The same
        /// call again tries once more, with the same number.
        Refused = "refused",
        /// WeChat accepted the refund and is paying it out.
        Processing = "processing",
        /// The buyer has the money.
        Succeeded = "succeeded",
        /// WeChat closed the refund, and nothing was refunded. Its number cannot be used again.
        Closed = "closed",
        /// The buyer's account does not accept the money. The merchant has to redirect the refund.
        Abnormal = "abnormal",
    }
}

words! {
    /// The origin of a refund.
    RefundOrigin {
        /// The merchant, through this API or the command line.
        Merchant = "merchant",
        /// This server, because the order was paid a second time.
        Surplus = "surplus",
        /// A person in WeChat's merchant portal, or another program.
        External = "external",
    }
}

/// A refund: `GET {base}/refunds/{refund_no}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefundDetails {
    /// The refund's number: the merchant's own; this server's, for a duplicate payment; WeChat's,
    /// for a refund from outside.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub refund_no: OutRefundNo,
    /// The order that was paid.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub order_no: OrderNo,
    /// The number at WeChat of the refunded attempt; of a combined order, that of the refunded sub-order.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub out_trade_no: OutTradeNo,
    /// The refunded sub-order of a combined order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_order_no: Option<String>,
    /// The refund's origin.
    pub origin: RefundOrigin,
    /// The state.
    pub state: RefundState,
    /// The amount, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub amount_fen: Fen,
    /// The amount without coupons, which the buyer gets as money, in fen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub payer_refund_fen: Option<Fen>,
    /// The reason, shown to the buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the refund was recorded, RFC 3339.
    pub created_at: String,
    /// When the state last changed, RFC 3339.
    pub state_since: String,
    /// WeChat's number of the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub refund_id: Option<RefundId>,
    /// The account that gets the money, as WeChat describes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_received_account: Option<String>,
    /// When the money arrived, RFC 3339, as WeChat reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// WeChat's code of the refusal at the last try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat_code: Option<String>,
    /// WeChat's message with that code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat_message: Option<String>,
}

/// The refunds of an order, oldest first: `GET {base}/orders/{order_no}/refunds`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefundList {
    /// The refunds of every origin.
    pub refunds: Vec<RefundDetails>,
    /// The amount of the order's payment that was refunded to the buyer, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub refunded_fen: Fen,
    /// The amount that can still be refunded, in fen. Refunds under way are already subtracted.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub refundable_fen: Fen,
    /// The same for each sub-order of a combined order; absent for any other order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_orders: Option<Vec<SubOrderLeft>>,
}

/// `POST {base}/refunds/{refund_no}/apply-abnormal-refund`: redirects an abnormal refund to another
/// account.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApplyAbnormalRefund {
    /// The kind of account that gets the money.
    #[serde(rename = "type")]
    pub to: AbnormalRefundType,
    /// `USER_BANK_CARD`: WeChat's code of the bank, such as `ICBC_DEBIT`.
    #[serde(default)]
    pub bank_type: Option<String>,
    /// `USER_BANK_CARD`: the card's number. It is encrypted for WeChat and not stored.
    #[serde(default)]
    pub bank_account: Option<String>,
    /// `USER_BANK_CARD`: the buyer's name. It is encrypted for WeChat and not stored.
    #[serde(default)]
    pub real_name: Option<String>,
}

/// The account that gets the money of an abnormal refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AbnormalRefundType {
    /// A bank card of the buyer.
    #[serde(rename = "USER_BANK_CARD")]
    UserBankCard,
    /// The merchant's own bank account. The merchant pays the buyer from there.
    #[serde(rename = "MERCHANT_BANK_CARD")]
    MerchantBankCard,
}

impl std::fmt::Debug for ApplyAbnormalRefund {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApplyAbnormalRefund")
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{AbnormalRefundType, ApplyAbnormalRefund};

    #[test]
    fn a_card_and_a_name_are_left_out_of_debug_output() {
        let wish = ApplyAbnormalRefund {
            to: AbnormalRefundType::UserBankCard,
            bank_type: Some("ICBC_DEBIT".into()),
            bank_account: Some("6225760009".into()),
            real_name: Some("张三".into()),
        };
        assert_eq!(
            format!("{wish:?}"),
            "ApplyAbnormalRefund { to: UserBankCard, .. }"
        );
    }
}
