//! What the merchant's backend is notified of, as the body of a webhook. There is one type for each
//! event, so that the sender, the OpenAPI document and the reader agree.
//!
//! The numbers of a mismatch are plain texts: they are evidence, and what WeChat names may break
//! every rule of ours.

use payment_values::{Fen, OrderNo, OutRefundNo, OutTradeNo, RefundId, TransactionId};
use serde::Serialize;
use serde_json::Value;

use crate::order::sub_order::SubOrderDetails;
use crate::order_details::PaymentPayer;
use crate::refund::{RefundOrigin, RefundState};
use crate::sharing::{ShareKind, ShareState};

/// The body of a message after the Standard Webhooks scheme: `type`, `timestamp`, `data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WebhookMessage {
    /// What happened, and to what.
    #[serde(flatten)]
    pub event: WebhookEvent,
    /// When the message was recorded, RFC 3339. A repeated message keeps this time.
    pub timestamp: String,
}

macro_rules! events {
    ($($(#[doc = $doc:literal])* $name:ident($data:ident) = $word:literal,)+) => {
        /// What happened. On the wire it is the message's `type` and `data`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(tag = "type", content = "data")]
        pub enum WebhookEvent {
            $($(#[doc = $doc])* #[serde(rename = $word)] $name($data),)+
        }

        impl WebhookEvent {
            /// Every type of event, with the name of its data's schema.
            #[cfg(feature = "openapi")]
            pub(crate) fn schemas() -> Vec<(&'static str, std::borrow::Cow<'static, str>)> {
                vec![$(($word, <$data as utoipa::ToSchema>::name())),+]
            }

            /// What a type of event means, as sentences.
            #[cfg(feature = "openapi")]
            pub(crate) fn meaning(event_type: &str) -> &'static str {
                match event_type {
                    $($word => concat!($($doc),*).trim_start(),)+
                    _ => "",
                }
            }

            /// Every type of event.
            pub const TYPES: &'static [&'static str] = &[$($word),+];

            /// The event's type on the wire.
            pub const fn event_type(&self) -> &'static str {
                match self { $(Self::$name(_) => $word,)+ }
            }
        }
    };
}

events! {
    /// An order is paid. Fulfil it, once for its `order_no`.
    PaymentSucceeded(PaymentData) = "payment.succeeded",
    /// A paid order was paid again, or a closed order of a payment link that has no use left was paid late.
    /// The server refunds this payment automatically.
    PaymentSurplus(PaymentData) = "payment.surplus",
    /// WeChat signed a payment that matches no attempt. A person has to check it.
    PaymentMismatch(PaymentMismatchData) = "payment.mismatch",
    /// An order is closed, by the backend or because it expired. A late payment can still follow,
    /// as `payment.succeeded`.
    OrderClosed(OrderData) = "order.closed",
    /// A refund has reached the buyer.
    RefundSucceeded(RefundData) = "refund.succeeded",
    /// WeChat closed a refund, and nothing was refunded.
    RefundClosed(RefundData) = "refund.closed",
    /// The buyer's account does not accept a refund. The merchant has to redirect it.
    RefundAbnormal(RefundData) = "refund.abnormal",
    /// WeChat refused a refund, and nothing was refunded; `wechat_code` says why.
    RefundRefused(RefundData) = "refund.refused",
    /// WeChat's report of a refund contradicts the ledger. A person has to check it.
    RefundMismatch(RefundMismatchData) = "refund.mismatch",
    /// WeChat is done with a share, or with releasing what was left. Receivers may have got nothing:
    /// compare `succeeded_fen` with `amount_fen`.
    ShareFinished(ShareData) = "share.finished",
    /// WeChat refused a share or a release, and nothing moved; `wechat_code` says why.
    ShareRefused(ShareData) = "share.refused",
    /// Shared money came back from a receiver.
    ShareReturned(ShareData) = "share.returned",
    /// Shared money did not come back: WeChat refused the return, or the receiver could not pay.
    ShareReturnFailed(ShareData) = "share.return_failed",
    /// WeChat sent a notification that is neither a payment's nor a refund's: an invoice, a complaint,
    /// a coupon, profit sharing. It is handed on whole.
    WechatEvent(WechatEventData) = "wechat.event",
}

/// The fields of an order that every message about it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OrderNews))]
pub struct OrderData {
    /// The merchant's own number.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub order_no: OrderNo,
    /// The price in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub total_fen: Fen,
    /// What is bought.
    pub description: String,
    /// The backend's own text, as it was given with the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// Partner mode: the sub-merchant of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// The payment link that made the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_id: Option<String>,
    /// What the buyer wrote on the link's page: text of a stranger, to be escaped wherever it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A payment of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PaymentNews))]
pub struct PaymentData {
    /// The order.
    #[serde(flatten)]
    pub order: OrderData,
    /// The attempt that was paid, by its number at WeChat; of a combined order, `combine_out_trade_no`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub out_trade_no: OutTradeNo,
    /// WeChat's number of the payment; of a combined order, that of its first sub-order.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub transaction_id: TransactionId,
    /// What the payer paid after WeChat's own discounts, in fen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub payer_total_fen: Option<Fen>,
    /// The time of the payment, RFC 3339, as WeChat reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// True if WeChat reported with the payment that some of it is already refunded; absent
    /// otherwise. Check before you fulfil the order: `GET /v1/orders/{order_no}` has the known
    /// refunds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_seen: Option<bool>,
    /// Who paid, for a target that is configured with `with_payer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<PaymentPayer>,
    /// The sub-orders of a combined order, with the numbers of this payment; absent for any other order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_orders: Option<Vec<SubOrderDetails>>,
}

/// A payment that WeChat signed and that matches no attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PaymentMismatchNews))]
pub struct PaymentMismatchData {
    /// The number that WeChat names.
    pub out_trade_no: String,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// The difference, as one word.
    pub reason: String,
}

/// A change of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = RefundNews))]
pub struct RefundData {
    /// The order that was paid.
    #[serde(flatten)]
    pub order: OrderData,
    /// The refund's number: the merchant's own; the server's, for a duplicate payment; WeChat's,
    /// for a refund from outside.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub refund_no: OutRefundNo,
    /// WeChat's number of the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub refund_id: Option<RefundId>,
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
    /// The reason, shown to the buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the buyer got the money, RFC 3339, as WeChat reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// Why WeChat refused the refund, as WeChat's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat_code: Option<String>,
}

/// WeChat's report of a refund that contradicts the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = RefundMismatchNews))]
pub struct RefundMismatchData {
    /// The refund's number, as WeChat names it.
    pub refund_no: String,
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// The number of the refunded payment, as WeChat names it.
    pub out_trade_no: String,
    /// The refunded amount that WeChat reports, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub amount_fen: Fen,
    /// The difference, as one word.
    pub reason: String,
}

/// A change of a share, a release or a return. It names no receiver: `GET {base}/orders/{order_no}/shares`
/// has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ShareNews))]
pub struct ShareData {
    /// The order that was paid.
    #[serde(flatten)]
    pub order: OrderData,
    /// The number of the share or the release; of a return, the number of the share that it takes from.
    pub share_no: String,
    /// The number of the return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_no: Option<String>,
    /// What it does.
    pub kind: ShareKind,
    /// The state.
    pub state: ShareState,
    /// What the receivers were to get together, or what was to be returned, in fen; 0 for a release.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub amount_fen: Fen,
    /// What arrived of it, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub succeeded_fen: Fen,
    /// Why a return failed, in WeChat's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_reason: Option<String>,
    /// Why WeChat refused it, as WeChat's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat_code: Option<String>,
}

/// A notification of WeChat that is neither a payment's nor a refund's. The server verified its signature
/// and opened it, and does nothing else with it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = WechatEventNews))]
pub struct WechatEventData {
    /// WeChat's id of the notification, the same on every try.
    pub id: String,
    /// WeChat's `event_type`: `COUPON.USE` and the like; empty if WeChat omits it.
    pub event_type: String,
    /// WeChat's `original_type`: what `resource` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_type: Option<String>,
    /// When WeChat made the notification, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
    /// WeChat's summary for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The content as WeChat wrote it, decrypted once. Fields that WeChat encrypts with the merchant's
    /// key inside of it stay encrypted. Openids are shortened for a target without `with_payer`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub resource: Value,
}

impl std::fmt::Debug for WechatEventData {
    /// Without the content, which may name a buyer.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WechatEventData")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .finish_non_exhaustive()
    }
}
