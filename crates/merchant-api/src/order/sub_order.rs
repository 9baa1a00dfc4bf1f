//! The sub-orders of a combined order (合单支付): the buyer pays all of them at once, and each is a payment
//! of its own at WeChat.

use payment_values::{Fen, OutTradeNo, TransactionId};
use serde::{Deserialize, Serialize};

/// A sub-order of a new order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubOrder {
    /// The merchant's own number, unique in the order: 1 to 32 of `[0-9a-zA-Z_\-|*]`.
    pub sub_order_no: String,
    /// The merchant number that sells; if given, it must be the server's own. In partner mode that is the
    /// provider's, and `sub_mchid` names the seller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mchid: Option<String>,
    /// Partner mode: the sub-merchant that sells. Required there, refused elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// The price in fen, at least 1. The prices of all sub-orders add up to the order's `total_fen`.
    pub amount_fen: u64,
    /// What is bought, at most 127 bytes of UTF-8.
    pub description: String,
    /// Free text, at most 62 bytes of UTF-8. WeChat gets it after `order_no` and `sub_order_no`, with spaces
    /// between them, so that WeChat's records and bills name both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
}

/// A sub-order, with its numbers at WeChat and its refunds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubOrderDetails {
    /// The merchant's own number, unique in the order.
    pub sub_order_no: String,
    /// The merchant number that sells, in partner mode the provider's.
    pub mchid: String,
    /// Partner mode: the sub-merchant that sells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// The price in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub amount_fen: Fen,
    /// What is bought.
    pub description: String,
    /// The backend's own text, as it was given with the sub-order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// Its number at WeChat in the attempt that was paid, or else in the newest attempt; absent before the
    /// first one. Each attempt has other numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub out_trade_no: Option<OutTradeNo>,
    /// WeChat's number of its payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub transaction_id: Option<TransactionId>,
    /// What the payer paid for it after WeChat's own discounts, in fen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub payer_total_fen: Option<Fen>,
    /// The amount of its payment that was refunded to the buyer, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub refunded_fen: Fen,
}

/// The numbers at WeChat of a sub-order in one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubOrderNumbers {
    /// The merchant's own number, unique in the order.
    pub sub_order_no: String,
    /// Its number at WeChat in this attempt.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub out_trade_no: OutTradeNo,
    /// WeChat's number of its payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub transaction_id: Option<TransactionId>,
}

/// What can still be refunded of a sub-order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubOrderLeft {
    /// The merchant's own number, unique in the order.
    pub sub_order_no: String,
    /// The amount that can still be refunded, in fen. Refunds under way are already subtracted.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub refundable_fen: Fen,
}
