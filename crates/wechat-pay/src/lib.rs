//! WeChat Pay's protocol (APIv3, and version 2 in [`v2`]) without I/O: sign, verify, seal, open;
//! orders, refunds, bills, certificates, for merchants and for service providers.
//!
//! Both sides of the wire are here. A merchant signs requests ([`RequestParts::sign`]), checks
//! replies ([`Reply::verify`]) and opens notifications ([`open_notification`]); an implementation
//! of WeChat's side checks requests ([`Authorization`]), signs replies ([`PlatformKey::sign_headers`])
//! and seals notifications ([`NotificationDraft`]).
//!
//! The crate never opens a socket, reads a clock or makes a random number: time and randomness
//! come in as data ([`Stamp`], `now_s`). It never parses a reply or a notification that it has
//! not verified, with the one exception of unsigned *errors*, which are marked as untrusted.
//!
//! [`Order`] (jsapi, mini-program, h5, native, app) and [`CodePayOrder`] make requests, for a
//! merchant or for a service provider ([`Account`]); [`CombinedOrder`] orders several things that are
//! paid at once; [`RefundRequest`] and [`AbnormalRefund`]
//! refund; [`ShareRequest`] and [`ShareReturnRequest`] share a payment; [`bill`] requests bills and reads them; [`TrustedKeys::refreshed`] takes WeChat's
//! certificates; [`v2`] is the older protocol, in XML, with the same types and verdicts.
//!
//! What a caller may do after a refusal, or after no answer at all, is decided here:
//! [`ReplyError::is_retryable`], [`ReplyError::may_have_taken_effect`],
//! [`ReplyError::retry_with`], [`Operation::after_no_answer`].
//!
//! To measure signing and verifying (compare with `openssl speed -seconds 3 rsa2048`): `cargo run --release -p wechat-pay --example signature_rate`.
//!
//! A payment, from the merchant's side:
//!
//! ```
//! use wechat_pay::{Description, Fen, MerchantKey, NotifyUrl, Order, Orderer, OutTradeNo, ProductFields, Stamp};
//!
//! fn order(key: &MerchantKey, now_s: i64, random: [u8; 16]) -> Result<(), Box<dyn std::error::Error>> {
//!     let order = Order::new(
//!         Orderer::merchant("wx8888888888888888", key.mchid()),
//!         OutTradeNo::parse("T20260101-1")?,
//!         Description::parse("A pot of tea")?,
//!         Fen::new(1990)?,
//!         NotifyUrl::parse("https://shop.example/wechat/notify/payment")?,
//!         ProductFields::Native,
//!     );
//!     let request = order.request()?.sign(key, &Stamp::new(now_s, random), None)?;
//!     assert_eq!(request.path_and_query, "/v3/pay/transactions/native");
//!     Ok(())
//! }
//! ```

mod beijing;
pub mod bill;
mod error;
mod hex;
pub mod hosts;
mod json;
mod keys;
mod notification;
mod order_fields;
mod orders;
mod receipt;
mod refunds;
mod reply;
mod request;
mod retry;
mod sealing;
mod sharing;
mod signing;
pub mod v2;
mod words;

pub use beijing::beijing_time;
pub use error::{WechatError, without_openids};
pub use hex::{lower_hex, upper_hex};
pub use json::{ReadJson, Unreadable, read_json};
pub use keys::certificate::{CertificateFacts, certificate_serial};
pub use keys::client_identity::ClientIdentity;
pub use keys::download::{CertificatesError, SealedCertificate, SealedCertificates, certificates};
pub use keys::error::KeyError;
pub use keys::file_kind::{ExpectedFile, FoundFile};
pub use keys::rsa::{MerchantKey, PlatformKey, PublicKey, SigningKey};
pub use keys::trusted::TrustedKeys;
pub use notification::{
    Notification, NotificationDraft, NotificationError, NotifiedResource, TRANSACTION_SUCCESS,
    UnreadNotification, failure_body, open_notification,
};
pub use order_fields::{Description, NotifyUrl, is_loopback_host};
pub use orders::account::{Account, OpenIdOwner, Orderer};
pub use orders::code_pay::{
    AuthCode, CodePayOrder, CodePayScene, Reversed, replay_code_pay_order, reverse,
};
pub use orders::combined::closing::{CombinedClosing, SubOrderName, close_combined_order};
pub use orders::combined::order::{CombinedOrder, query_combined_order, replay_combined_order};
pub use orders::combined::sub_order::{
    PARTNER_SUB_ORDERS, SUB_ORDER_TOTAL_MAX, SUB_ORDERS, SubOrder, sub_orders_allowed,
};
pub use orders::combined::transaction::{
    CombinedTransaction, SubTransaction, SubTransactionAmount,
};
pub use orders::order::{
    AppOrdered, H5Ordered, JsapiOrdered, NativeOrdered, Order, close, query_by_out_trade_no,
    query_by_transaction_id, replay_order,
};
pub use orders::product::{H5Type, Product, ProductFields};
pub use orders::transaction::{Payer, TradeState, TradeType, Transaction, TransactionAmount};
pub use payment_values::{
    Fen, InvalidField, OpenId, OutOrderNo, OutRefundNo, OutReturnNo, OutTradeNo, RefundId, Rule,
    TransactionId, YuanTextError,
};
pub use receipt::receipt_is_wechats;
pub use refunds::abnormal::{AbnormalRefund, AbnormalRefundTo};
pub use refunds::answer::{
    FundsAccount, REFUND_ABNORMAL, REFUND_CLOSED, REFUND_SUCCESS, Refund, RefundAmount,
    RefundChannel, RefundNotice, RefundNoticeAmount, RefundStatus,
};
pub use refunds::request::{
    RefundFrom, RefundGoods, RefundOf, RefundRequest, query_refund, replay_refund,
};
pub use reply::{Reply, ReplyError, VerifiedReply};
pub use request::{RequestParts, SignedRequest};
pub use retry::{Operation, RetryWith};
pub use sealing::aead::{AEAD_ALGORITHM, AeadError, ApiV3Key, SealedResource, open, seal};
pub use sealing::oaep::{OaepError, OaepHash};
pub use sealing::sealed_request::{SealedRequest, SealedRequestError};
pub use sharing::answer::{
    ReceiverOutcome, ReceiverResult, ShareFailure, ShareOrder, ShareOrderState, ShareReturn,
    ShareReturnResult, UnsplitAmount,
};
pub use sharing::notice::{NoticedReceiver, ShareNotice};
pub use sharing::receiver::{Receiver, ReceiverRelation, delete_receiver};
pub use sharing::request::{
    ShareReceiver, ShareRequest, UnfreezeRequest, query_share, query_unsplit, replay_share,
    replay_unfreeze,
};
pub use sharing::returning::{ShareReturnRequest, query_share_return, replay_share_return};
pub use sharing::{ReceiverType, SHARE_RECEIVERS_MAX, SHARES_MAX, Sharer};
pub use signing::app_payment::AppPayment;
pub use signing::authorization::{AUTHORIZATION_SCHEME, Authorization, AuthorizationError};
pub use signing::jsapi_payment::JsapiPayment;
pub use signing::message::{reply_message, request_message};
pub use signing::signature::{
    MAX_CLOCK_DIFFERENCE_S, PROBE_PREFIX, SERIAL_HEADER, SignatureError, verify_signed,
};
pub use signing::stamp::Stamp;

#[cfg(test)]
mod published_vectors;
#[cfg(test)]
mod test_keys;
