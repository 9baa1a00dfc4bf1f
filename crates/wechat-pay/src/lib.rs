//! WeChat Pay's protocol (APIv3) without I/O: sign, verify, seal, open; orders, refunds, bills,
//! certificates, for merchants and for service providers.
//!
//! Both sides of the wire are here. A merchant signs requests ([`RequestParts::sign`]), checks
//! replies ([`Reply::verify`]) and opens notifications ([`open_notification`]); a stand-in for
//! WeChat Pay checks requests ([`Authorization`]), signs replies ([`PlatformKey::sign_headers`])
//! and seals notifications ([`NotificationDraft`]).
//!
//! The crate never opens a socket, reads a clock or makes a random number: time and randomness
//! come in as data ([`Stamp`], `now_s`). It never parses a reply or a notification that it has
//! not verified, with the one exception of unsigned *errors*, which are marked as untrusted.
//!
//! [`Order`] (jsapi, mini-program, h5, native, app), [`CodePayOrder`], and for service providers
//! [`PartnerOrder`] and [`PartnerCodePayOrder`] make
//! requests; [`RefundRequest`] and [`AbnormalRefund`] give money back; [`bill`] asks for bills
//! and reads them; [`TrustedKeys::refreshed`] takes WeChat's certificates; [`v2`] is what of
//! version 2 a merchant of version 3 still meets.
//!
//! What may be done after a refusal, or after no answer at all, is a verdict and not a guess:
//! [`ReplyError::is_retryable`], [`ReplyError::may_have_taken_effect`],
//! [`ReplyError::retry_with`], [`Operation::after_silence`].
//!
//! How fast it signs and verifies, to be read beside `openssl speed -seconds 3 rsa2048` in the same
//! run: `cargo run --release -p wechat-pay --example signature_rate`.
//!
//! A payment, from the merchant's side:
//!
//! ```
//! use wechat_pay::{Description, Fen, MerchantKey, NotifyUrl, Order, OutTradeNo, ProductFields, Stamp};
//!
//! fn order(key: &MerchantKey, now_s: i64, random: [u8; 16]) -> Result<(), Box<dyn std::error::Error>> {
//!     let order = Order::new(
//!         "wx8888888888888888",
//!         key.mchid(),
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

mod abnormal_refund;
mod aead;
mod app_payment;
mod authorization;
mod beijing;
pub mod bill;
mod certificates;
mod code_pay;
mod error;
mod field;
mod issuer;
mod json;
mod key;
mod key_file;
mod money;
mod notification;
mod oaep;
mod order_extras;
mod order_fields;
mod orders;
mod partner;
mod partner_code_pay;
mod pay_sign;
mod pem;
mod product;
mod receipt;
mod refund;
mod refund_answer;
mod reply;
mod request;
mod retry;
mod signature;
mod stamp;
mod transaction;
mod trust;
pub mod v2;
mod words;

pub use abnormal_refund::{AbnormalRefund, AbnormalRefundError, AbnormalRefundTo, SealedRequest};
pub use aead::{AEAD_ALGORITHM, AeadError, ApiV3Key, SealedResource, open, seal};
pub use app_payment::AppPayment;
pub use authorization::{AUTHORIZATION_SCHEME, Authorization, AuthorizationError};
pub use beijing::beijing_time;
pub use certificates::{CertificatesError, SealedCertificate, SealedCertificates, certificates};
pub use code_pay::{
    AuthCode, CodePayOrder, CodePayScene, Reversed, replay_code_pay_order, reverse,
};
pub use error::{WechatError, without_openids};
pub use field::{InvalidField, Rule};
pub use json::{ReadJson, Unreadable, read_json};
pub use key::{KeyError, MerchantKey, PlatformKey, PublicKey, SigningKey};
pub use key_file::{Found, Wanted};
pub use money::{Fen, YuanTextError};
pub use notification::{
    Notification, NotificationDraft, NotificationError, NotifiedResource, TRANSACTION_SUCCESS,
    UnreadNotification, failure_body, open_notification,
};
pub use oaep::{OaepError, OaepHash};
pub use order_fields::{
    Description, NotifyUrl, OpenId, OutRefundNo, OutTradeNo, RefundId, TransactionId,
};
pub use orders::{
    AppOrdered, H5Ordered, JsapiOrdered, NativeOrdered, Order, close, query_by_out_trade_no,
    query_by_transaction_id, replay_order,
};
pub use partner::{
    OpenIdOwner, PartnerOrder, PartnerPayer, PartnerTransaction, SubMerchant, close_partner_order,
    query_partner_order_by_out_trade_no, query_partner_order_by_transaction_id,
    replay_partner_order,
};
pub use partner_code_pay::{
    PartnerCodePayOrder, PartnerReversed, replay_partner_code_pay_order, reverse_partner_order,
};
pub use pay_sign::JsapiPayment;
pub use pem::{CertificateFacts, certificate_serial};
pub use product::{H5Type, Product, ProductFields};
pub use receipt::receipt_is_wechats;
pub use refund::{RefundFrom, RefundGoods, RefundOf, RefundRequest, query_refund, replay_refund};
pub use refund_answer::{
    FundsAccount, REFUND_ABNORMAL, REFUND_CLOSED, REFUND_SUCCESS, Refund, RefundAmount,
    RefundChannel, RefundNotice, RefundNoticeAmount, RefundStatus,
};
pub use reply::{Reply, ReplyError, VerifiedReply};
pub use request::{RequestParts, SignedRequest};
pub use retry::{Operation, RetryWith};
pub use signature::{
    MAX_CLOCK_DIFFERENCE_S, PROBE_PREFIX, SERIAL_HEADER, SignatureError, reply_message,
    request_message, verify_signed,
};
pub use stamp::Stamp;
pub use transaction::{Payer, TradeState, TradeType, Transaction, TransactionAmount};
pub use trust::TrustedKeys;

#[cfg(test)]
mod published_vectors;
#[cfg(test)]
mod test_keys;
