//! Refunds on the private side: the requests of the merchant's own backend, and the answers.

use payment_values::{Fen, OrderNo, OutRefundNo, OutTradeNo, RefundId};
use serde::{Deserialize, Serialize};

/// `POST {base}/orders/{order_no}/refunds`. Unknown fields are refused: a misspelt amount must
/// not give everything back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateRefund {
    /// The merchant's own number of the refund, 1 to 64 of `[0-9a-zA-Z_\-|*@]`. The same number
    /// with the same values is the same refund, however often it is sent.
    pub refund_no: String,
    /// What goes back, in fen; all that is left of the payment when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_fen: Option<u64>,
    /// What the buyer reads, at most 80 bytes of UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The account that pays, in WeChat's words (`AVAILABLE`); unsettled funds when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funds_account: Option<String>,
    /// More than one account that pays; needs `amount_fen`, which their amounts add up to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<RefundSource>>,
    /// The goods that come back, where coupons on goods were used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods_detail: Option<Vec<RefundedGoods>>,
}

/// An account that pays a part of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefundSource {
    /// `AVAILABLE` or `UNAVAILABLE`.
    pub account: String,
    /// Its part in fen, at least 1.
    pub amount_fen: u64,
}

/// Goods that come back.
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
    /// What one cost, in fen.
    pub unit_price_fen: u64,
    /// What goes back for them, in fen.
    pub refund_amount_fen: u64,
    /// How many come back, at least 1.
    pub refund_quantity: u32,
}

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

words! {
    /// Where a refund stands.
    RefundState {
        /// Written down; WeChat has not said yet that it took it. The server goes on by itself.
        Requested = "requested",
        /// WeChat did not take it, and nothing went back; `wechat_code` says why. The same call
        /// again tries once more, under the same number.
        Refused = "refused",
        /// WeChat took it; the money is under way.
        Processing = "processing",
        /// The buyer has the money.
        Succeeded = "succeeded",
        /// WeChat gave it up, and nothing went back. Its number is used up.
        Closed = "closed",
        /// The buyer's account does not take the money: it is to be sent another way.
        Abnormal = "abnormal",
    }
}

words! {
    /// Who wanted a refund.
    RefundOrigin {
        /// The merchant, by this API or on the command line.
        Merchant = "merchant",
        /// This server: the order was paid a second time.
        Surplus = "surplus",
        /// Somebody in WeChat's merchant portal, or another program.
        External = "external",
    }
}

/// A refund: `GET {base}/refunds/{refund_no}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefundDetails {
    /// Its number: the merchant's own, this server's for surplus, WeChat's for one from outside.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub refund_no: OutRefundNo,
    /// The order that was paid.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub order_no: OrderNo,
    /// The attempt whose money goes back, by its number at WeChat.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub out_trade_no: OutTradeNo,
    /// Who wanted it.
    pub origin: RefundOrigin,
    /// Where it stands.
    pub state: RefundState,
    /// What goes back, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub amount_fen: Fen,
    /// What the buyer gets of it in money, coupons taken off, in fen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub payer_refund_fen: Option<Fen>,
    /// What the buyer reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was written down, RFC 3339.
    pub created_at: String,
    /// Since when it is in its state, RFC 3339.
    pub state_since: String,
    /// WeChat's number of the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub refund_id: Option<RefundId>,
    /// Where the money arrives, in WeChat's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_received_account: Option<String>,
    /// When it arrived, RFC 3339, in WeChat's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// Why WeChat did not take it at the last try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat_code: Option<String>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat_message: Option<String>,
}

/// The refunds of an order, oldest first: `GET {base}/orders/{order_no}/refunds`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefundList {
    /// The refunds, whoever wanted them.
    pub refunds: Vec<RefundDetails>,
    /// What reached the buyer again of the payment that settled the order, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub refunded_fen: Fen,
    /// The amount that can still be refunded, in fen. Refunds under way are already subtracted.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub refundable_fen: Fen,
}

/// `POST {base}/refunds/{refund_no}/apply-abnormal-refund`: the money of an abnormal refund goes
/// another way.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApplyAbnormalRefund {
    /// Where the money goes.
    #[serde(rename = "type")]
    pub to: AbnormalRefundType,
    /// `USER_BANK_CARD`: the bank in WeChat's words, such as `ICBC_DEBIT`.
    #[serde(default)]
    pub bank_type: Option<String>,
    /// `USER_BANK_CARD`: the card's number. It is sealed for WeChat and kept nowhere.
    #[serde(default)]
    pub bank_account: Option<String>,
    /// `USER_BANK_CARD`: the buyer's name. It is sealed for WeChat and kept nowhere.
    #[serde(default)]
    pub real_name: Option<String>,
}

/// Where the money of an abnormal refund goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AbnormalRefundType {
    /// To a bank card of the buyer's.
    #[serde(rename = "USER_BANK_CARD")]
    UserBankCard,
    /// To the merchant's own bank account, and from there to the buyer by the merchant.
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
