//! The contract between `<wechat-pay>` and any merchant backend, as types.
//!
//! Two routes are enough (a third is optional). Forms go in and one flat JSON object comes out, so
//! that a backend in any language can be written in an afternoon. The element, our merchant server,
//! the tests and the OpenAPI document all take their names from this crate.
//!
//! What this crate never does: I/O, time, cryptography, or a decision about a payment.
//!
//! ```
//! use merchant_api::{AttemptForm, ErrorCode, PollQuery, Product};
//!
//! // A page writes its requests with the types that a backend reads them with.
//! let query = PollQuery { wait_s: Some(25), seen: Some(7), ask: false };
//! assert_eq!(query.to_query(), "wait=25&seen=7");
//! let form = AttemptForm::parse([("product", "native"), ("after", "0")]).expect("a valid form");
//! assert_eq!(form.product, Product::Native);
//!
//! // A refusal has a code, the field, and whether the same call can succeed later.
//! let refusal = AttemptForm::parse([("product", "cash")]).expect_err("no such product");
//! assert_eq!(refusal.code, Some(ErrorCode::InvalidRequest));
//! assert_eq!(refusal.field.as_deref(), Some("product"));
//! assert!(!refusal.retryable);
//! ```
//!
//! Features, none on by default because each of them enlarges the widget's download:
//! - `serde`: writing answers, and the private side's JSON (servers);
//! - `openapi`: the table of the routes, and the OpenAPI 3.1 document made from it.

mod address;
mod answer;
mod attempt;
#[cfg(feature = "serde")]
mod attempt_product;
#[cfg(feature = "serde")]
mod bill;
mod decimal;
mod error;
mod fields;
mod limits;
#[cfg(feature = "serde")]
mod mismatch;
#[cfg(feature = "openapi")]
mod openapi;
#[cfg(feature = "serde")]
mod order;
#[cfg(feature = "serde")]
mod order_details;
#[cfg(feature = "serde")]
mod product_scan;
#[cfg(feature = "serde")]
mod refund;
#[cfg(feature = "openapi")]
mod routes;
#[cfg(feature = "serde")]
mod sharing;
#[cfg(feature = "serde")]
mod shipping;
#[cfg(feature = "serde")]
mod started_attempt;
#[cfg(feature = "serde")]
mod webhook;

pub use address::{PAYER_PARAMETER, PAYER_UNAVAILABLE_HANDLE, RETURN_PARAMETER};
pub use answer::{Action, CheckoutAnswer, CurrentAttempt, OrderState, PayParameters, Product};
pub use attempt::{AttemptForm, CancelForm, PollQuery, WAIT_MAX_S};
#[cfg(feature = "serde")]
pub use attempt_product::AttemptProduct;
#[cfg(feature = "serde")]
pub use bill::{BillComparison, BillDifference, BillTotal};
pub use decimal::{clock_text, decimal, push_decimal, push_two_digits};
pub use error::{ApiError, ErrorCode};
pub use fields::{Fields, Malformed};
pub use limits::{
    ATTACH_MAX_BYTES, DESCRIPTION_MAX_BYTES, FORM_MAX_BYTES, ORDER_NO_MAX, ORDER_NO_MIN,
    SUB_ATTACH_MAX_BYTES, SUB_ORDER_NO_MAX, TEXT_MAX_BYTES, URL_MAX_BYTES, is_order_no,
};
#[cfg(feature = "serde")]
pub use mismatch::{FinishMismatch, MismatchDetails, MismatchKind, MismatchList};
#[cfg(feature = "openapi")]
pub use openapi::document as openapi_document;
#[cfg(feature = "serde")]
pub use order::link::{CreateLink, LinkDetails, LinkList, LinkState};
#[cfg(feature = "serde")]
pub use order::sub_order::{SubOrderDetails, SubOrderLeft, SubOrderNumbers};
#[cfg(feature = "serde")]
pub use order::{
    CreateOrder, CreatedOrder, Good, Goods, LimitPay, Payer, SceneInfo, SettleInfo, StoreInfo,
    SubOrder,
};
#[cfg(feature = "serde")]
pub use order_details::{
    AttemptDetails, OrderDetails, OrderList, OrderSummary, PaymentPayer, WebhookDetails,
    WebhookList, WebhooksResent,
};
#[cfg(feature = "serde")]
pub use product_scan::{ScanConfirmation, ScanQuestion};
#[cfg(feature = "serde")]
pub use refund::{
    AbnormalRefundType, ApplyAbnormalRefund, CreateRefund, RefundDetails, RefundList, RefundOrigin,
    RefundSource, RefundState, RefundedGoods,
};
#[cfg(feature = "openapi")]
pub use routes::{ROUTES, Refusal, Route, RouteAccess, RouteMethod};
#[cfg(feature = "serde")]
pub use sharing::{
    AddReceiver, CreateShare, CreateShareReturn, DeleteReceiver, FrozenMoney, ReceiverDetails,
    ReceiverRelation, ReceiverType, ShareDetails, ShareKind, ShareList, ShareReceiver, ShareResult,
    ShareState, SharedWith, UnfreezeOrder,
};
#[cfg(feature = "serde")]
pub use shipping::{
    CreateShipping, DeliveryMode, LogisticsType, Parcel, ShippingDetails, ShippingState,
};
#[cfg(feature = "serde")]
pub use started_attempt::{
    AppPayParameters, CodePayScene, CodePayStore, StartAttempt, StartedAttempt,
};
#[cfg(feature = "serde")]
pub use webhook::{
    OrderData, PaymentData, PaymentMismatchData, RefundData, RefundMismatchData, ShareData,
    WebhookEvent, WebhookMessage, WechatEventData,
};
