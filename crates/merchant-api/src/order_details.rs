//! What the merchant's own backend reads about its orders (private side).

use payment_values::{Fen, OpenId, OrderNo, OutTradeNo, TransactionId};
use serde::Serialize;
use serde_json::Value;

use crate::answer::OrderState;
use crate::attempt_product::AttemptProduct;
use crate::order::sub_order::{SubOrderDetails, SubOrderNumbers};
use crate::order::{Goods, LimitPay, SceneInfo, SettleInfo};
use crate::refund::RefundDetails;
use crate::shipping::ShippingDetails;

/// An order with its attempts: `GET {base}/orders/{order_no}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderDetails {
    /// The merchant's own number.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub order_no: OrderNo,
    /// The state.
    pub state: OrderState,
    /// The merchant requested to close the order, and WeChat has not confirmed it yet.
    pub is_closing: bool,
    /// The price in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub total_fen: Fen,
    /// What is bought.
    pub description: String,
    /// `CNY`.
    pub currency: String,
    /// Partner mode: the sub-merchant of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// The backend's own text, as it was given with the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// The payment link that made the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_id: Option<String>,
    /// What the buyer wrote on the link's page: text of a stranger, to be escaped wherever it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// As given with the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goods_tag: Option<String>,
    /// As given with the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_pay: Option<Vec<LimitPay>>,
    /// As given with the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_fapiao: Option<bool>,
    /// As given with the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Goods>,
    /// As given with the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scene_info: Option<SceneInfo>,
    /// As given with the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle_info: Option<SettleInfo>,
    /// The sub-orders of a combined order, as they were given with the order; absent for any other order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_orders: Option<Vec<SubOrderDetails>>,
    /// When the order was created, RFC 3339.
    pub created_at: String,
    /// When the order expires, RFC 3339.
    pub expires_at: String,
    /// Grows with every change.
    pub version: u64,
    /// What the payer paid after WeChat's own discounts, in fen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub payer_total_fen: Option<Fen>,
    /// The time of the payment, RFC 3339, as WeChat reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// The amount of the order's payment that was refunded to the buyer, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub refunded_fen: Fen,
    /// WeChat's number of the order's payment; of a combined order, that of its first sub-order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub transaction_id: Option<TransactionId>,
    /// The payer's bank for it, as WeChat's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_type: Option<String>,
    /// The coupons that were used for it, as WeChat reports them; absent if there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Object>>))]
    pub promotion_detail: Option<Vec<Value>>,
    /// Who paid it, for an API key with the scope `payers:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<PaymentPayer>,
    /// `false` if the gateway is a simulator.
    pub live: bool,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptDetails>,
    /// Its refunds of every origin, oldest first.
    pub refunds: Vec<RefundDetails>,
    /// What was sent to the buyer of a mini-program, oldest first.
    pub shippings: Vec<ShippingDetails>,
}

/// One attempt: a number at WeChat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptDetails {
    /// 1 for the first.
    pub number: u64,
    /// The attempt's product.
    pub product: AttemptProduct,
    /// Its number at WeChat; of a combined order, `combine_out_trade_no`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub out_trade_no: OutTradeNo,
    /// prepared, open, closed, refused, paid or surplus.
    pub state: String,
    /// When the attempt started, RFC 3339.
    pub created_at: String,
    /// WeChat's number of the payment; of a combined order, that of its first sub-order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub transaction_id: Option<TransactionId>,
    /// The payer's bank, as WeChat's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_type: Option<String>,
    /// When WeChat first reported this payment as refunded although the ledger had no refund of it,
    /// RFC 3339. The amount is in WeChat's bill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_seen_at: Option<String>,
    /// What the payer paid, in fen, after WeChat's own discounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub payer_total_fen: Option<Fen>,
    /// The time of the payment, RFC 3339, as WeChat reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// The coupons that were used, as WeChat reports them; absent if there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Object>>))]
    pub promotion_detail: Option<Vec<Value>>,
    /// Who paid it, for an API key with the scope `payers:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<PaymentPayer>,
    /// The numbers of each sub-order of a combined order in this attempt; absent for any other order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_orders: Option<Vec<SubOrderNumbers>>,
}

/// The buyer who paid, as WeChat reports it with the payment. A buyer has another openid for each
/// application, so each openid stands beside its application.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentPayer {
    /// The openid under the application that ordered, in partner mode the provider's (`sp_openid`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub openid: Option<OpenId>,
    /// The application of `openid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appid: Option<String>,
    /// Partner mode: the openid under the sub-merchant's application.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub sub_openid: Option<OpenId>,
    /// The application of `sub_openid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_appid: Option<String>,
}

impl std::fmt::Debug for PaymentPayer {
    /// Without the openids: what is printed may reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PaymentPayer").finish_non_exhaustive()
    }
}

/// A page of orders, newest first: `GET {base}/orders`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderList {
    /// The orders, without their attempts.
    pub orders: Vec<OrderSummary>,
    /// The value of `before` for the next page; absent on the last page.
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
    /// The state.
    pub state: OrderState,
    /// The price in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub total_fen: Fen,
    /// What is bought.
    pub description: String,
    /// Partner mode: the sub-merchant of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// When the order was created, RFC 3339.
    pub created_at: String,
    /// The time of the payment, RFC 3339, as WeChat reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
}

/// A message to the backend in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookDetails {
    /// The `webhook-id` header: the same on every try.
    pub id: String,
    /// What happened: `payment.succeeded` and the like.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When the event happened, RFC 3339.
    pub created_at: String,
    /// pending, delivered, failed (after the last try), or unaddressed (no target was configured).
    pub state: String,
    /// The number of tries.
    pub tries: u64,
    /// The result of the last try: a status, or the reason why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_outcome: Option<String>,
}

/// Messages, newest first: `GET {base}/webhooks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookList {
    /// The messages.
    pub webhooks: Vec<WebhookDetails>,
    /// The value of `before` for the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_before: Option<String>,
}

/// The result of sending many messages again: `POST {base}/webhooks/resend`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhooksResent {
    /// The number of messages that are sent again.
    pub resent: u64,
}
