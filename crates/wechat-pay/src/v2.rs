//! Version 2 of WeChat Pay's protocol: XML, signed with MD5 or HMAC-SHA256. Both sides of the wire
//! are here, as for version 3.
//!
//! A merchant makes a [`Request`] ([`UnifiedOrder`], [`code_pay`], [`query_by_out_trade_no`],
//! [`close`], [`reverse`], [`refund`], [`query_refunds`], [`DownloadBill`], [`short_url`],
//! [`code_owner`]), signs it, and checks the [`Answer`]. What is ordered and what is answered are
//! the types of version 3 ([`crate::Order`], [`crate::Transaction`], [`crate::Refund`]), so that a
//! program decides about money in one place for both versions. It opens notifications
//! ([`open_payment_notification`], [`open_refund_notification`]), the callback of Native mode 1
//! ([`NativeCallback`]), and signs the parameters of the cashier ([`jsapi_payment`],
//! [`app_payment`]).
//!
//! An implementation of WeChat's side reads an [`UnverifiedRequest`], answers
//! ([`success_answer`], [`refusal_answer`], [`failure_body`]), and notifies
//! ([`payment_notification`], [`RefundNotificationDraft`], [`NativeCallback::message`]).
//!
//! Three layers can refuse: `return_code`, `result_code` and the state of the order. All become the
//! verdicts of version 3: [`AnswerError::is_retryable`], [`AnswerError::may_have_taken_effect`],
//! [`AnswerError::retry_with`], [`after_trade_state`], [`after_refund_status`].
//!
//! **The notification of a refund is not signed.** It is a hint that something happened to a
//! refund, never a proof: query the refund before acting.
//!
//! ```
//! use wechat_pay::v2::{Answer, ApiV2Key, SignType, SignedRequest, UnifiedOrder};
//! use wechat_pay::{NativeOrdered, Order, Stamp};
//!
//! fn link(
//!     order: Order,
//!     key: &ApiV2Key,
//!     stamp: &Stamp,
//!     send: impl Fn(SignedRequest) -> Answer,
//! ) -> Result<String, Box<dyn std::error::Error>> {
//!     let request = UnifiedOrder::new(order, "203.0.113.7".parse()?).request()?;
//!     let signed = request.sign(key, SignType::HmacSha256, stamp);
//!     assert!(!signed.needs_certificate());
//!     let ordered: NativeOrdered = send(signed).parse(key, SignType::HmacSha256)?;
//!     Ok(ordered.code_url)
//! }
//! ```

mod acknowledgement;
mod answer;
mod bill;
mod code_pay;
mod details;
mod fields;
mod gateway;
mod key;
mod native;
mod orders;
mod payment_notification;
mod payment_parameters;
mod refund_notification;
mod refunds;
mod refusal;
mod request;
mod retry;
mod route;
mod signature;
mod transaction;
mod unified_order;
mod xml;

pub use acknowledgement::{failure_body, is_xml, success_body};
pub use answer::{Answer, AnswerError, ReadAnswer};
pub use bill::{BillType, DownloadBill, bill_reader, packing_of_bill};
pub use code_pay::{
    CodeOwner, CodePayStep, MIN_AGE_TO_REVERSE_S, PASSWORD_TIME_S, QUERY_PAUSE_S, Reversed,
    code_owner, code_pay, reverse,
};
pub use fields::{Fields, VerifiedFields};
pub use gateway::{UnverifiedRequest, VerifiedRequest, refusal_answer, success_answer};
pub use key::ApiV2Key;
pub use native::{
    NativeAnswer, NativeCallback, NativeError, NativeLink, ShortUrl, read_native_link, short_url,
};
pub use orders::{
    Closed, MIN_AGE_TO_CLOSE_S, close, query_by_out_trade_no, query_by_transaction_id,
    seconds_until_closable,
};
pub use payment_notification::{
    PaymentNotificationError, open_payment_notification, payment_notification,
};
pub use payment_parameters::{
    app_payment, app_payment_verifies, jsapi_payment, jsapi_payment_verifies,
};
pub use refund_notification::{
    RefundNotification, RefundNotificationDraft, RefundNotificationError, open_refund_notification,
};
pub use refunds::{RefundQuery, RefundRecord, RefundStatus, Refunds, query_refunds, refund};
pub use refusal::{Layer, Refusal};
pub use request::{Request, SignedRequest};
pub use retry::{after_refund_status, after_trade_state};
pub use route::Route;
pub use signature::{SignType, SignatureError, sign, verify};
pub use transaction::transaction_fields;
pub use unified_order::{NativePrepared, UnifiedOrder};
pub use xml::{MAX_XML_BYTES, XmlError};

#[cfg(test)]
mod test_messages;
