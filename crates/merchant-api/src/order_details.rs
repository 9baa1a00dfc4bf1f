//! What the merchant's own backend reads about its orders (private side).

use payment_values::{Fen, OrderNo, OutTradeNo, TransactionId};
use serde::Serialize;
use serde_json::Value;

use crate::answer::OrderState;
use crate::attempt_product::AttemptProduct;
use crate::order_extras::{Goods, SceneInfo, SettleInfo};
use crate::refund::RefundDetails;

/// An order with its attempts: `GET {base}/orders/{order_no}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderDetails {
    /// The merchant's own number.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub order_no: OrderNo,
    /// Where it stands.
    pub state: OrderState,
    /// The merchant asked to close it, and WeChat's word is still to come.
    pub is_closing: bool,
    /// The price in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub total_fen: Fen,
    /// What is bought.
    pub description: String,
    /// `CNY`.
    pub currency: String,
    /// Partner mode: whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// What the backend gave along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// As it was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goods_tag: Option<String>,
    /// As it was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_fapiao: Option<bool>,
    /// As it was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Goods>,
    /// As it was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scene_info: Option<SceneInfo>,
    /// As it was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle_info: Option<SettleInfo>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// Until when it can be paid, RFC 3339.
    pub expires_at: String,
    /// Grows with every change.
    pub version: u64,
    /// What the payer paid after WeChat's own discounts, in fen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub payer_total_fen: Option<Fen>,
    /// When it was paid, RFC 3339, in WeChat's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// What reached the buyer again of the payment that settled it, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub refunded_fen: Fen,
    /// WeChat's number of the payment that settled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub transaction_id: Option<TransactionId>,
    /// The bank that the payer used for it, in WeChat's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_type: Option<String>,
    /// The coupons that were used for it, in WeChat's own form; absent where there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Object>>))]
    pub promotion_detail: Option<Vec<Value>>,
    /// `false` when the gateway is a simulator.
    pub live: bool,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptDetails>,
    /// Its refunds, oldest first, whoever wanted them.
    pub refunds: Vec<RefundDetails>,
}

/// One attempt: a number at WeChat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptDetails {
    /// 1 for the first.
    pub number: u64,
    /// How it was to be paid.
    pub product: AttemptProduct,
    /// Its number at WeChat.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub out_trade_no: OutTradeNo,
    /// prepared, open, closed, refused, paid or surplus.
    pub state: String,
    /// When it began, RFC 3339.
    pub created_at: String,
    /// WeChat's number of the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub transaction_id: Option<TransactionId>,
    /// The bank that the payer used, in WeChat's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_type: Option<String>,
    /// When WeChat first called this payment refunded although no refund was known here: how
    /// much, says WeChat's bill. RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_seen_at: Option<String>,
    /// What the payer paid, in fen, after WeChat's own discounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub payer_total_fen: Option<Fen>,
    /// When it was paid, RFC 3339, in WeChat's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// The coupons that were used, in WeChat's own form; absent where there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Object>>))]
    pub promotion_detail: Option<Vec<Value>>,
}

/// A page of orders, newest first: `GET {base}/orders`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderList {
    /// The orders, without their attempts.
    pub orders: Vec<OrderSummary>,
    /// What to send as `before` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub next_before: Option<OrderNo>,
}

/// An order in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderSummary {
    /// The merchant's own number.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub order_no: OrderNo,
    /// Where it stands.
    pub state: OrderState,
    /// The price in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub total_fen: Fen,
    /// What is bought.
    pub description: String,
    /// Partner mode: whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it was paid, RFC 3339, in WeChat's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
}

/// One message to the backend, as the outbox has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookDetails {
    /// The `webhook-id` header: the same on every try.
    pub id: String,
    /// What happened: `payment.succeeded` and the like.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened, RFC 3339.
    pub created_at: String,
    /// pending, delivered, failed (given up after the last try), or unaddressed (nobody was
    /// configured to hear it).
    pub state: String,
    /// How often it was sent.
    pub tries: u64,
    /// What came of the last try: a status, or why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_outcome: Option<String>,
}

/// Messages, newest first: `GET {base}/webhooks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookList {
    /// The messages.
    pub webhooks: Vec<WebhookDetails>,
    /// What to send as `before` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_before: Option<String>,
}

/// What came of sending many messages again: `POST {base}/webhooks/resend`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhooksResent {
    /// How many there are.
    pub resent: u64,
}
